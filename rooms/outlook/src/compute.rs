//! Looks at the tables once and asks the twin, away from the async threads and without holding a connection meanwhile.

use std::time::Duration;

use baton_desk::{Actor, App};
use baton_kit::{AccountId, EventId, Refusal, Status};
use baton_ledger::{Draft, Undecided};
use baton_simulate::InTurn;
use baton_simulate::twin::{Budget, ForecastError, compare_over, forecast_over};

use crate::events::ForecastMade;
use crate::model::{Change, Compared, Kept, Seen};
use crate::rules::change::changed;
use crate::rules::measure::Times;
use crate::rules::said::{forecast_made, line_ahead};
use crate::rules::score::stretch;
use crate::rules::twin::{Twin, WORK, WORK_COMPARED, days};
use crate::store;

/// Forecasts by which the twin is judged.
const JUDGED: i64 = 1_000;
/// How long an answer waits for the tables to show what was acknowledged.
const PATIENCE: Duration = Duration::from_secs(5);

fn unplayable(error: ForecastError) -> Undecided {
    Refusal::ruled("outlook-unplayable").with("problem", error).into()
}

/// The picture, the measured times, the states made of them, and how much wider than its own band the twin has to be taken.
fn prepared(app: &App) -> Result<(Seen, Times, Twin, f64), Undecided> {
    let ledger = &app.ledger;
    ledger.wait_folded(ledger.position().0, PATIENCE);
    let now = ledger.now();
    let (seen, judged) = ledger.read(|tx| Ok((store::seen(tx, &app.site, now)?, store::foretold(tx, JUDGED)?)))?;
    if seen.laboratories.is_empty() {
        return Err(Refusal::ruled("outlook-no-laboratory").into());
    }
    let times = Times::of(&seen);
    let twin = Twin::of(&seen, &times, now.0.unsigned_abs()).map_err(|fault| unplayable(fault.into()))?;
    if seen.underway.is_empty() && twin.expected() < 0.5 {
        return Err(Refusal::ruled("outlook-nothing-under-way").into());
    }
    Ok((seen, times, twin, stretch(&judged)))
}

/// What the twin foretells now.
pub async fn foretell(app: &App) -> Result<ForecastMade, Refusal> {
    let desk = app.clone();
    app.blocking(move || {
        let (seen, times, twin, stretch) = prepared(&desk)?;
        let budget = Budget { replications: days(seen.underway.len() + twin.expected() as usize, WORK), seed: seen.now.0.unsigned_abs() };
        let forecast = forecast_over(&twin.states, &budget, &InTurn, &|| true).map_err(unplayable)?;
        Ok(forecast_made(&seen, &times, &twin, &forecast, stretch))
    })
    .await
}

/// Foretells and puts it on record. The same id again gives what was recorded under it.
pub async fn record(app: &App, account: Option<AccountId>, id: EventId) -> Result<Kept, Refusal> {
    if let Some(known) = app.read(move |tx| Ok(store::forecast(tx, id)?)).await? {
        return Ok(known);
    }
    let forecast = foretell(app).await?;
    let draft = Draft::of(id, app.ledger.now(), account, &forecast).map_err(|_| Refusal::new("store-broken", Status::Broken))?;
    let made = draft.happened;
    for answer in app.record(vec![draft]).await? {
        app.seen(answer?.ordinal).await;
    }
    Ok(Kept { id, made, forecast, score: None })
}

/// As [`record`], at somebody's word.
pub async fn record_for(app: &App, actor: &Actor, id: EventId) -> Result<Kept, Refusal> {
    record(app, actor.account, id).await
}

/// What a change would change; nothing where it changes nothing.
pub async fn compare(app: &App, change: Change) -> Result<Compared, Refusal> {
    let desk = app.clone();
    app.blocking(move || {
        let (seen, times, twin, stretch) = prepared(&desk)?;
        let tubes = seen.underway.len() + twin.expected() as usize;
        let budget = Budget { replications: days(tubes, WORK_COMPARED), seed: seen.now.0.unsigned_abs() };
        let forecast = forecast_over(&twin.states, &budget, &InTurn, &|| true).map_err(unplayable)?;
        let base = forecast_made(&seen, &times, &twin, &forecast, stretch);
        let states = changed(&seen, &times, &twin, change).map_err(|fault| unplayable(fault.into()))?;
        let Some(states) = states else { return Ok(Compared { base, delta: None, line: None }) };
        let delta = compare_over(&twin.states, &states, &budget, &InTurn, &|| true).map_err(unplayable)?;
        let line = line_ahead(&seen, &twin, &forecast, &delta, change);
        Ok(Compared { base, delta: Some(delta), line })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_twin_can_play_is_said_with_its_reason() {
        let Undecided::Refused(refusal) = unplayable(ForecastError::Stopped) else { panic!("a refusal") };
        assert_eq!(refusal.code, "outlook-unplayable");
        assert!(refusal.arguments.iter().any(|(name, text)| *name == "problem" && text.contains("stopped")), "{refusal:?}");
    }
}
