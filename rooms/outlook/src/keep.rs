//! While somebody's tubes are on their way a server foretells every quarter of an hour, so that the page has a forecast and forecasts can be judged.

use std::time::Duration;

use baton_desk::App;
use baton_kit::Bucket;
use baton_kit::time::MINUTE_US;

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
    let due = app.read(move |tx| Ok(store::last_made(tx)?.is_none_or(|last| now.since(last) >= EVERY_US))).await;
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
