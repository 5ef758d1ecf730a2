//! Campaigns, sampling, pooled tubes, coverage, follow-up. See README.md of this room.

pub mod board;
pub mod campaign;
pub mod check;
pub mod events;
pub mod finding;
mod follow;
pub mod follow_up;
mod inbox;
pub mod label;
pub mod model;
pub mod queue;
pub mod report;
mod roster;
pub mod rules;
pub mod specimen;
pub mod store;
mod view;

use baton_desk::{Access, FactDoor, LiveTopic, NavItem, Room};
use baton_ledger::{Fold, Run};

use events::TOLD_TOGETHER;

pub use campaign::routes::{close_follow_up, coverage_of, exempt_person, open_campaign, open_round, settle_finding};

/// The room as the desk takes it.
pub fn room() -> Room {
    let mut routes = specimen::pages::routes();
    routes.extend(specimen::routes::routes());
    routes.extend(campaign::pages::routes());
    routes.extend(campaign::routes::routes());
    routes.extend(follow_up::pages::routes());
    routes.extend(follow_up::routes::routes());
    routes.extend(finding::pages::routes());
    routes.extend(report::routes());
    routes.extend(label::pages::routes());
    routes.extend(label::routes::routes());
    routes.extend(queue::pages::routes());
    Room {
        fold: Fold {
            room: "screening",
            schema: include_str!("../schema.sql"),
            apply: store::apply,
            run: Some(Run { kinds: TOLD_TOGETHER, apply: specimen::store::told_together }),
            // Household numbers are keyed hashes: another key, other numbers, the same history.
            volatile: &["due.household"],
        },
        routes,
        facts: vec![
            FactDoor::swift(view::SAMPLER_ROLES, specimen::notes::tube_opened, specimen::notes::keys::tube_opened),
            FactDoor::swift(view::SAMPLER_ROLES, specimen::notes::person_sampled, specimen::notes::keys::person_sampled),
            FactDoor::swift(view::SAMPLER_ROLES, specimen::notes::scan_undone, specimen::notes::keys::scan_undone),
            FactDoor::swift(view::SAMPLER_ROLES, specimen::notes::tube_sealed, specimen::notes::keys::tube_sealed),
            FactDoor::of(view::LABELLER_ROLES, specimen::notes::labels_struck_off),
            FactDoor::of(view::SAMPLER_ROLES, queue::notes::line_counted),
        ],
        nav: vec![
            NavItem { words: "nav-sampling", link: "/sampling", access: view::SAMPLERS },
            NavItem { words: "nav-campaigns", link: "/campaigns", access: view::VIEWERS },
            NavItem { words: "nav-points", link: "/points", access: view::VIEWERS },
            NavItem { words: "nav-labels", link: "/labels", access: view::LABELLERS },
            NavItem { words: "nav-findings", link: "/screening/findings", access: view::SETTLERS },
        ],
        live: vec![LiveTopic { name: "campaign", access: view::VIEWERS, any: false }, LiveTopic { name: "queue", access: Access::Public, any: false }],
        inbox: inbox::inbox,
        cards: inbox::cards,
        directory: None,
        texts: baton_desk::room_texts!("screening"),
    }
}
