//! When an account, a sign-in or a device may come about.

use baton_kit::{AccountId, Refusal, Timestamp};

use super::events::{CreateAccount, RecordCompetence};

/// What a new account is judged by.
#[derive(Clone, Copy, Debug)]
pub struct AccountsNow {
    pub any: bool,
    pub login_taken: bool,
}

pub fn create_account(now: AccountsNow, command: &CreateAccount) -> Result<(), Refusal> {
    if command.first && now.any {
        return Err(Refusal::conflict("already-set-up"));
    }
    if now.login_taken {
        return Err(Refusal::conflict("login-taken"));
    }
    if command.roles.is_empty() {
        return Err(Refusal::ruled("account-without-role"));
    }
    Ok(())
}

/// Longest words on what a judgement rests.
const BASIS_LIMIT: usize = 200;

/// Nobody finds themselves competent, and nobody is competent into the past.
pub fn competence(assessor: Option<AccountId>, command: &RecordCompetence, now: Timestamp) -> Result<(), Refusal> {
    if assessor == Some(command.account) {
        return Err(Refusal::ruled("competence-own"));
    }
    if command.until_us.is_some_and(|until| until <= now) {
        return Err(Refusal::ruled("competence-past"));
    }
    if command.basis.chars().count() > BASIS_LIMIT {
        return Err(Refusal::ruled("competence-basis-long").with("limit", BASIS_LIMIT));
    }
    Ok(())
}

/// A password long enough that guessing does not pay; no rules about kinds of characters.
pub fn password(text: &str) -> Result<(), Refusal> {
    if text.chars().count() >= 10 { Ok(()) } else { Err(Refusal::ruled("password-short").with("length", 10)) }
}

/// A login is short, without blanks.
pub fn login(text: &str) -> Result<String, Refusal> {
    let login = text.trim().to_lowercase();
    let fits = (2..=40).contains(&login.chars().count()) && !login.chars().any(|c| c.is_whitespace() || c.is_control());
    if fits { Ok(login) } else { Err(Refusal::ruled("login-wrong")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::events::Task;
    use crate::actor::{Role, Scope};
    use baton_kit::Language;
    use baton_ledger::Sealed;

    fn command(first: bool, roles: Vec<Role>) -> CreateAccount {
        CreateAccount { login_key: 1, sealed: Sealed::default(), roles, scope: Scope::Everywhere, language: Language::English, first }
    }

    #[test]
    fn the_first_administrator_is_made_once() {
        let admin = command(true, vec![Role::Administrator]);
        assert!(create_account(AccountsNow { any: false, login_taken: false }, &admin).is_ok());
        assert_eq!(create_account(AccountsNow { any: true, login_taken: false }, &admin).unwrap_err().code, "already-set-up");
    }

    #[test]
    fn competence_is_found_by_another_and_for_a_time_to_come() {
        let account = |n: i64| baton_kit::EventId::from_raw((1 << 32) | n).unwrap().created::<AccountId>();
        let found = |until: Option<i64>, basis: &str| RecordCompetence {
            account: account(1),
            task: Task::Signing,
            until_us: until.map(Timestamp),
            basis: basis.to_owned(),
        };
        let judge = |assessor: i64, command: RecordCompetence| competence(Some(account(assessor)), &command, Timestamp(100)).map_err(|refusal| refusal.code);
        assert_eq!(judge(2, found(Some(101), "observed")), Ok(()));
        assert_eq!(judge(2, found(None, "")), Ok(()), "no longer");
        assert_eq!(judge(1, found(Some(101), "")), Err("competence-own"));
        assert_eq!(judge(2, found(Some(100), "")), Err("competence-past"));
        assert_eq!(judge(2, found(None, &"字".repeat(201))), Err("competence-basis-long"));
    }

    #[test]
    fn an_account_has_its_own_login_and_a_role() {
        let now = AccountsNow { any: true, login_taken: false };
        assert_eq!(create_account(AccountsNow { login_taken: true, ..now }, &command(false, vec![Role::Courier])).unwrap_err().code, "login-taken");
        assert_eq!(create_account(now, &command(false, vec![])).unwrap_err().code, "account-without-role");
    }

    #[test]
    fn short_passwords_and_odd_logins_are_refused() {
        assert_eq!(password("123456789").unwrap_err().code, "password-short");
        assert!(password("十个汉字也可以当作密码").is_ok());
        assert_eq!(login(" a b ").unwrap_err().code, "login-wrong");
        assert_eq!(login(" Wang ").unwrap(), "wang");
    }
}
