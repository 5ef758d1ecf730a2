//! HL7 messages over HTTP: for partners who fetch, and for whoever looks at what would be sent.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use baton_desk::form::At;
use baton_desk::{Actor, Answered, App, Route, any_id};
use baton_kit::{EventId, Refusal};
use baton_ledger::{Tx, Undecided};
use baton_registry::model::Brief;
use baton_registry::store as registry;

use crate::fhir::READERS;
use crate::hl7::{Addressed, order, result};
use crate::model::Unit;
use crate::reach::Sight;
use crate::store;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/exchange/units/{unit}/result.hl7", READERS, "The result of a swab or a pooled tube as ORU^R01", result_message),
        Route::get("/v1/exchange/units/{unit}/order.hl7", READERS, "The order for a swab or a pooled tube as OML^O21", order_message),
    ]
}

/// A unit in reach, with the text of its person.
fn unit_with_person(tx: &mut Tx<'_>, app: &App, actor: &Actor, id: EventId) -> Result<(Unit, Option<Brief>), Undecided> {
    let unknown = Refusal::absent("exchange-unit-unknown").with("unit", id);
    let unit = store::unit(tx, id)?.ok_or(unknown)?;
    Sight::must(Sight::of(actor, app.site.day_of(app.ledger.now())).unit(tx, &unit)?)?;
    let brief = unit.person().map_or(Ok(None), |person| registry::person_brief(tx, app.ledger.vault(), person))?;
    Ok((unit, brief))
}

async fn unit_of(app: &App, actor: &Actor, id: EventId) -> Result<(Unit, Option<Brief>), Refusal> {
    let (desk, asker) = (app.clone(), actor.clone());
    let found = app.read(move |tx| unit_with_person(tx, &desk, &asker, id)).await?;
    app.looked(actor, found.0.person().map(any_id).into_iter().collect(), "hl7");
    Ok(found)
}

fn message(text: String) -> Response {
    ([(header::CONTENT_TYPE, "x-application/hl7-v2+er7; charset=utf-8")], text).into_response()
}

async fn result_message(State(app): State<App>, actor: Actor, At(id): At<EventId>) -> Answered {
    let (unit, brief) = unit_of(&app, &actor, id).await?;
    let to = Addressed { facility: &app.name, to: ("", ""), now_us: app.ledger.now().0, person: brief.as_ref() };
    let words = app.texts.words(actor.language);
    let written = result(&unit, &to, &|key| words.t(key)).ok_or_else(|| Refusal::absent("exchange-not-released").with("unit", id))?;
    Ok(message(written.write()))
}

async fn order_message(State(app): State<App>, actor: Actor, At(id): At<EventId>) -> Answered {
    let (unit, brief) = unit_of(&app, &actor, id).await?;
    let to = Addressed { facility: &app.name, to: ("", ""), now_us: app.ledger.now().0, person: brief.as_ref() };
    Ok(message(order(&unit, &to).write()))
}
