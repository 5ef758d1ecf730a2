//! When an account, a sign-in or a device may come about.

use baton_kit::Refusal;

use super::events::CreateAccount;

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
