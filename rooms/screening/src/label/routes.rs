//! Label blocks as JSON, and the functions behind the pages.

use axum::Json;
use axum::extract::State;
use baton_desk::form::{At, Body};
use baton_desk::{Actor, Answered, App, Route};
use baton_kit::{EventId, PlaceId, Refusal};
use serde::{Deserialize, Serialize};

use super::rules;
use super::store::{self, Block};
use crate::events::IssueLabels;
use crate::view::{ISSUERS, LABELLERS, must_reach};

pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/screening/labels", ISSUERS, "Issue a block of tube label numbers to a point", issue).takes::<BlockAsked>().answers::<BlockAnswered>(),
        Route::get("/v1/screening/labels/{block}", LABELLERS, "A block of labels and what became of them", account).answers::<BlockAnswered>(),
    ]
}

/// `id` makes a resend harmless; take it from your own sequence.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct BlockAsked {
    id: EventId,
    point: PlaceId,
    #[serde(default)]
    device: Option<u32>,
    count: u16,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct BlockAnswered {
    block: EventId,
    point: PlaceId,
    device: Option<i64>,
    first: i64,
    count: i64,
    /// As printed, with the check character.
    first_code: String,
    last_code: String,
    prints: i64,
    used: i64,
    struck_off: i64,
    skipped: i64,
    left: i64,
}

async fn issue(State(app): State<App>, actor: Actor, Body(asked): Body<BlockAsked>) -> Answered<Json<BlockAnswered>> {
    let command = IssueLabels { point: asked.point, device: asked.device, count: asked.count };
    issue_labels(&app, &actor, asked.id, command).await?;
    answer(app, actor, asked.id).await
}

async fn account(State(app): State<App>, actor: Actor, At(block): At<EventId>) -> Answered<Json<BlockAnswered>> {
    answer(app, actor, block).await
}

async fn answer(app: App, actor: Actor, id: EventId) -> Answered<Json<BlockAnswered>> {
    let (block, account) = reached(&app, &actor, id).await?;
    Ok(Json(BlockAnswered {
        block: block.id,
        point: block.point,
        device: block.device,
        first: block.first,
        count: block.count,
        first_code: rules::code(block.first),
        last_code: rules::code(block.last()),
        prints: block.prints,
        used: account.used,
        struck_off: account.struck.values().sum(),
        skipped: account.skipped_count(),
        left: account.left,
    }))
}

/// A block within the actor's reach, and what became of its labels.
pub async fn reached(app: &App, actor: &Actor, id: EventId) -> Result<(Block, rules::Account), Refusal> {
    let asker = actor.clone();
    app.read(move |tx| {
        let block = store::block(tx, id)?.ok_or_else(|| Refusal::absent("label-block-unknown"))?;
        must_reach(tx, &asker, block.point)?;
        let account = store::account(tx, &block)?;
        Ok((block, account))
    })
    .await
}

/// Issues a block. Sent twice, it is one block.
pub async fn issue_labels(app: &App, actor: &Actor, id: EventId, command: IssueLabels) -> Result<(), Refusal> {
    let asker = actor.clone();
    app.decide(actor, id, command, move |tx, command: &IssueLabels, _| {
        must_reach(tx, &asker, command.point)?;
        Ok(rules::issue(store::next_serial(tx)?, command)?)
    })
    .await?;
    Ok(())
}
