//! What pages and scanners are refused, each by its code.

use baton_desk::{App, Role, Scope};
use serde_json::json;

use crate::house::*;
use crate::pages::{Session, asked, enter};

on_both_desks!(
    what_nobody_knows_is_absent,
    a_tube_only_heard_of_is_unknown,
    the_campaign_form_names_what_it_cannot_read,
    follow_ups_and_findings_are_closed_once,
);

/// An administrator of a town with the campaign open: the session and the campaign's id.
async fn administrator(app: &App) -> (Session, String) {
    let admin = enter(app, "admin", &[Role::Administrator], Scope::Everywhere).await;
    let opened = admin.post("/v1/screening/campaigns", asked(1)).await.1;
    let campaign = opened["campaign"].as_str().expect("the campaign opens").to_owned();
    (admin, campaign)
}

async fn what_nobody_knows_is_absent(app: &App) {
    let (admin, campaign) = administrator(app).await;
    let scan = async |code: &str| admin.get_refused(&format!("/v1/screening/scan?campaign={campaign}&code={code}")).await;
    assert_eq!(scan("%20").await, "screening-code-unreadable");
    assert_eq!(scan(&"7".repeat(201)).await, "screening-code-unreadable");
    let stranger = baton_registry::person_code(admin.app.ledger.secrets(), person(900));
    assert_eq!(scan(&stranger).await, "screening-person-unknown", "signed by us, registered by nobody");
    assert_eq!(admin.get_refused(&format!("/v1/screening/tubes/{}", id(TOWN, 99, 1))).await, "screening-tube-unknown");
    let unknown = id(0, 99, 9);
    for path in [
        format!("/campaigns/{unknown}"),
        format!("/campaigns/{unknown}/missing"),
        format!("/v1/screening/campaigns/{unknown}/coverage"),
        format!("/v1/screening/campaigns/{campaign}/coverage?round=2"),
    ] {
        assert_eq!(admin.get_refused(&path).await, "campaign-unknown", "{path}");
    }
    assert_eq!(admin.get_refused(&format!("/sampling?campaign={unknown}&point={}", town().point)).await, "campaign-unknown");
    assert_eq!(
        admin.get_refused(&format!("/sampling?campaign={campaign}&point={}", town().zone)).await,
        "screening-place-unknown",
        "a zone is no sampling point"
    );
}

async fn a_tube_only_heard_of_is_unknown(app: &App) {
    let (admin, _) = administrator(app).await;
    let tube = id(TOWN, 99, 1);
    assert_eq!(admin.fact(1, 1, "screening.person_sampled", json!({"tube": tube, "person": person(1)})).await, vec!["tube-unknown"]);
    settle(&admin.app.ledger);
    assert_eq!(admin.get_refused(&format!("/v1/screening/tubes/{tube}")).await, "screening-tube-unknown");
}

async fn the_campaign_form_names_what_it_cannot_read(app: &App) {
    let (admin, campaign) = administrator(app).await;
    let open = async |n: u32, who: &str, opens: &str| {
        admin.form("/campaigns", &format!("id={}&name=x&assay=a&ratio=10&every_days=0&opens={opens}&closes=2026-03-21T18:00&{who}", id(0, 90, n))).await
    };
    let morning = "2026-03-21T07:00";
    assert_eq!(open(10, "tags=courier", "soon").await, "window-wrong");
    assert_eq!(open(11, "places=C2+NOWHERE", morning).await, "screening-place-code-unknown");
    assert_eq!(open(12, "people=nobody", morning).await, "who-unknown");
    assert_eq!(open(13, "places=C2+C5", morning).await, "", "places by their codes");
    let round = format!("id={}&round=2&opens=tomorrow&closes=2026-03-22T18:00", id(0, 90, 14));
    assert_eq!(admin.form(&format!("/campaigns/{campaign}/rounds"), &round).await, "window-wrong");
}

async fn follow_ups_and_findings_are_closed_once(app: &App) {
    let (admin, campaign) = administrator(app).await;
    let tube = id(TOWN, admin.device, 1);
    admin.fact(1, 1, "screening.tube_opened", json!({"code": "P1", "campaign": campaign, "point": town().point, "ratio": 10, "fluid_lot": town().lot})).await;
    admin.fact(2, 2, "screening.person_sampled", json!({"tube": tube, "person": person(1)})).await;
    admin.fact(3, 3, "screening.tube_sealed", json!({"tube": tube, "count": 2})).await;
    say(&admin.app.ledger, vec![read(1, 10, &[(tube.created(), "positive")])]);
    let close = async |n: u32, which: &str| {
        admin.form(&format!("/campaigns/{campaign}/follow-up"), &format!("id={}&reason=hospital&which={which}", id(0, 90, n))).await
    };
    assert_eq!(close(20, "nonsense").await, "follow-up-unknown");
    assert_eq!(close(21, &format!("{tube}+{}", person(2))).await, "follow-up-unknown", "person 2 is not in that tube");
    assert_eq!(close(22, &format!("{tube}+{}", person(1))).await, "");
    assert_eq!(close(23, &format!("{tube}+{}", person(1))).await, "follow-up-closed");
    let settle = async |n: u32, which: &str| admin.form("/screening/findings", &format!("id={}&remark=counted+again&which={which}", id(0, 90, n))).await;
    assert_eq!(settle(30, "nonsense").await, "screening-finding-unknown");
    assert_eq!(settle(31, &format!("{tube}+tube-full+0")).await, "screening-finding-unknown");
    assert_eq!(settle(32, &format!("{tube}+count-mismatch+0")).await, "");
    assert_eq!(settle(33, &format!("{tube}+count-mismatch+0")).await, "screening-finding-settled");
}
