//! Many documents at once: under which number is each bearer known?

use axum::Json;
use axum::extract::State;
use baton_desk::form::Body;
use baton_desk::{Access, Actor, Answered, App, Role, Route};
use baton_kit::{PersonId, Refusal};
use serde::{Deserialize, Serialize};

use crate::events::DocumentKind;
use crate::rules::document;
use crate::store;

/// Documents of one request.
const DOCUMENTS_MAX: usize = 500;

pub(crate) fn route() -> Route {
    Route::post(
        "/v1/registry/people/match",
        Access::Roles(&[Role::Administrator, Role::ZoneManager]),
        "Numbers of the people who bear up to 500 documents, for systems that keep a roster of their own",
        match_documents,
    )
    .takes::<DocumentsAsked>()
    .answers::<Matched>()
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct DocumentsAsked {
    documents: Vec<DocumentAsked>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct DocumentAsked {
    kind: DocumentKind,
    number: String,
}

/// In the order asked; nothing for a document nobody bears. No personal data: whoever asks has the documents.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Matched {
    people: Vec<Option<PersonId>>,
}

/// For whoever reaches everything: an answer tells that somebody is registered somewhere.
async fn match_documents(State(app): State<App>, actor: Actor, Body(asked): Body<DocumentsAsked>) -> Answered<Json<Matched>> {
    actor.must_reach(&[])?;
    if asked.documents.len() > DOCUMENTS_MAX {
        return Err(Refusal::malformed("batch-too-long").with("limit", DOCUMENTS_MAX).into());
    }
    let secrets = app.ledger.vault().secrets().clone();
    let people = app.read(move |tx| {
        let find = |asked: &DocumentAsked| match document::document(asked.kind, &asked.number) {
            Ok(number) => Ok(store::person_by_document(tx, &secrets, asked.kind, &number)?),
            Err(_) => Ok(None),
        };
        asked.documents.iter().map(find).collect::<Result<Vec<_>, baton_ledger::Undecided>>()
    });
    Ok(Json(Matched { people: people.await? }))
}
