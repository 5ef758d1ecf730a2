//! While somebody's tubes are on their way a server foretells every quarter of an hour, so that the page has a forecast and forecasts can be judged.

use std::time::Duration;

use baton_desk::App;
use baton_kit::time::MINUTE_US;
use baton_kit::{Bucket, Timestamp};

use crate::{compute, store};

/// Time between two forecasts that nobody asked for.
const EVERY_US: i64 = 15 * MINUTE_US;
/// How often it is looked whether one is due.
const LOOK: Duration = Duration::from_secs(30);

/// Foretells now and then, until `stop` resolves.
pub async fn keep_foretelling(app: App, stop: impl Future<Output = ()> + Send) {
    tokio::pin!(stop);
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = &mut stop => return,
            _ = looks.tick() => foretell_when_due(&app).await,
        }
    }
}

async fn foretell_when_due(app: &App) {
    let now = app.ledger.now();
    let due = app.read(move |tx| Ok(due(store::last_made(tx)?, now))).await;
    if !matches!(due, Ok(true)) {
        return;
    }
    // Nothing under way is no trouble; everything else is looked at by whoever reads the log.
    match app.form_id(Bucket::INSTALLATION).await {
        Ok(id) => match compute::record(app, None, id).await {
            Ok(_) => {}
            Err(refusal) if ["outlook-nothing-under-way", "outlook-no-laboratory"].contains(&refusal.code) => {}
            Err(refusal) => tracing::warn!(code = refusal.code, "no forecast could be made"),
        },
        Err(refusal) => tracing::warn!(code = refusal.code, "no forecast could be made"),
    }
}

/// Whether it is time again. A last time in the future is none: the clock was set back since.
fn due(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| !(0..EVERY_US).contains(&now.since(last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_back_does_not_stop_forecasts() {
        let at = |us| Timestamp(1_774_000_000_000_000 + us);
        assert!(due(None, at(0)) && due(Some(at(0)), at(EVERY_US)));
        assert!(!due(Some(at(0)), at(EVERY_US - 1)));
        assert!(due(Some(at(0)), at(-3_600_000_000)));
    }
}
