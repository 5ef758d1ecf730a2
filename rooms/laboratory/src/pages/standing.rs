//! Whether a person's result has moved since they looked: answered from memory, so that a whole city may ask every half minute.

use axum::Json;
use axum::extract::State;
use baton_desk::answer::Answered;
use baton_desk::form::Asked;
use baton_desk::{Access, App, Budget, Page, Route};
use baton_kit::{PersonId, Refusal, Timestamp, TypedId, time::HOUR_US};
use baton_ledger::{Secrets, Topic};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::asset;

/// For how long a page that was shown may ask.
const ASKS_FOR_US: i64 = 24 * HOUR_US;
/// How often a page that is looked at asks, about.
const ASKS_EVERY_S: u32 = 30;
const SCRIPT: &str = include_str!("../../assets/standing.js");
/// The script of a page that asks.
pub(super) const SCRIPTS: &[&str] = &["/assets/standing.js"];
/// Letters of a pass's seal: 128 bits.
const SEAL: usize = 32;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/result/standing", Access::Public, "Whether one's own result moved since it was shown; asked by the page itself", standing)
            .within(Budget::LookUps)
            .asks::<StandingAsked>()
            .answers::<StandingAnswered>(),
        Route::get("/assets/standing.js", Access::Public, "The script of a person's own result", || async { asset("text/javascript; charset=utf-8", SCRIPT) }),
    ]
}

#[derive(Deserialize, schemars::JsonSchema)]
struct StandingAsked {
    /// As the page of the result bears it.
    pass: String,
    /// Place in the ledger as of which the page was drawn.
    since: i64,
}

#[derive(Serialize, schemars::JsonSchema)]
struct StandingAnswered {
    /// Ask for the page again.
    moved: bool,
}

/// What a shown result carries so that its page can ask. `since`: the place in the ledger as of which it was read.
pub(super) fn asks(page: &Page<'_>, person: PersonId, since: i64) -> Markup {
    let pass = pass(page.desk.ledger.secrets(), person, page.desk.ledger.now());
    html! { div hidden data-standing={ "/result/standing?pass=" (pass) "&since=" (since) } data-every=(ASKS_EVERY_S) {} }
}

/// Lets whoever was shown a result ask whether it moved, and nothing else.
fn pass(secrets: &Secrets, person: PersonId, now: Timestamp) -> String {
    let until = now.plus_us(ASKS_FOR_US).0;
    format!("{}.{until}.{}", person.raw(), seal(secrets, person.raw(), until))
}

fn seal(secrets: &Secrets, person: i64, until: i64) -> String {
    let mut seal = secrets.token_hash(&format!("result {person} {until}"));
    seal.truncate(SEAL);
    seal
}

/// The person a pass speaks of, as long as it holds.
fn holder(secrets: &Secrets, pass: &str, now: Timestamp) -> Option<i64> {
    let mut parts = pass.split('.');
    let (person, until, shown) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
    let genuine = seal(secrets, person, until).bytes().zip(shown.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0;
    (genuine && shown.len() == SEAL && parts.next().is_none() && now.0 < until).then_some(person)
}

async fn standing(State(app): State<App>, Asked(asked): Asked<StandingAsked>) -> Answered<Json<StandingAnswered>> {
    let person = holder(app.ledger.secrets(), &asked.pass, app.ledger.now()).ok_or_else(|| Refusal::forbidden("lab-pass-over"))?;
    // Of a page drawn by a ledger that was restored since nobody knows what moved.
    let moved = app.ledger.moves().of(Topic { name: "result", id: person }) > asked.since || asked.since > app.ledger.position().0;
    Ok(Json(StandingAnswered { moved }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_kit::{Bucket, Device, EventId};

    #[test]
    fn a_pass_holds_for_its_person_and_its_day_alone() {
        let ground = baton_ground::Ground::embedded();
        let ledger = ground.open(&[]);
        let secrets = ledger.secrets();
        let person: PersonId = EventId::new(Bucket::INSTALLATION, Device::new(9).unwrap(), 4).created();
        let pass = pass(secrets, person, Timestamp(5));
        assert_eq!(holder(secrets, &pass, Timestamp(6)), Some(person.raw()));
        assert_eq!(holder(secrets, &pass, Timestamp(5 + ASKS_FOR_US)), None, "over");
        for at in 0..pass.len() {
            let mut wrong = pass.clone().into_bytes();
            wrong[at] ^= 1;
            let wrong = String::from_utf8_lossy(&wrong).into_owned();
            assert_eq!(holder(secrets, &wrong, Timestamp(6)), None, "{wrong}");
        }
        for wrong in ["", ".", "..", &pass[..pass.len() - 1], &format!("{pass}.1"), &format!("{pass}0")] {
            assert_eq!(holder(secrets, wrong, Timestamp(6)), None, "{wrong}");
        }
    }
}
