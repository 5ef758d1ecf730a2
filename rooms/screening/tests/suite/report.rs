//! The report of a round: the same figures as PDF, CSV and XLSX, within the reach of who asks.

use baton_desk::paper::report::ReportSummary;
use baton_desk::paper::sealed::verify_paper;
use baton_desk::{App, Role, Scope};
use baton_ground::words_of;
use baton_kit::PlaceId;
use serde_json::json;

use crate::house::*;
use crate::pages::{Session, asked, enter};

on_both_desks!(a_round_is_told_within_reach, a_report_is_sealed_and_speaks_three_languages, what_cannot_be_reported_is_said);

/// Thirty people: three held by a positive pool, three negative, one exempt, the others due. The campaign's id.
async fn a_morning(app: &App) -> (Session, String) {
    let admin = enter(app, "admin", &[Role::Administrator, Role::SamplingNurse], Scope::Everywhere).await;
    let campaign = admin.post("/v1/screening/campaigns", asked(1)).await.1["campaign"].as_str().unwrap().to_owned();
    let opened = |code: &str| json!({"code": code, "campaign": campaign, "point": town().point, "ratio": 5, "fluid_lot": town().lot});
    for (first, code) in [(1, "P1"), (4, "P2")] {
        let tube = id(TOWN, admin.device, first * 10);
        admin.fact(first * 10, 1, "screening.tube_opened", opened(code)).await;
        for p in first..first + 3 {
            admin.fact(first * 10 + p, 20, "screening.person_sampled", json!({"tube": tube, "person": person(p)})).await;
        }
        admin.fact(first * 10 + 9, 30, "screening.tube_sealed", json!({"tube": tube, "count": 3})).await;
    }
    let tube = |n: u32| id(TOWN, admin.device, n).created();
    say(&app.ledger, vec![accessioned(1, 40, tube(10), None), accessioned(2, 40, tube(40), None)]);
    say(&app.ledger, vec![signed(3, 50, &[(tube(10), "positive"), (tube(40), "negative")])]);
    let (status, _) =
        admin.post(&format!("/v1/screening/campaigns/{campaign}/exemptions"), json!({"id": id(0, 91, 1), "person": person(7), "reason": "medical"})).await;
    assert!(status.is_success());
    settle(&app.ledger);
    (admin, campaign)
}

async fn csv(session: &Session, campaign: &str) -> String {
    let (kind, bytes) = session.file(&format!("/v1/screening/campaigns/{campaign}/report.csv?language=en")).await;
    assert_eq!(kind, "text/csv; charset=utf-8");
    String::from_utf8(bytes).unwrap()
}

fn holds(csv: &str, lines: &[&str]) {
    for line in lines {
        assert!(csv.lines().any(|found| found == *line), "{line}: {csv}");
    }
}

async fn a_round_is_told_within_reach(app: &App) {
    let (admin, campaign) = a_morning(app).await;
    let all = csv(&admin, &campaign).await;
    holds(
        &all,
        &[
            "People,,On the list,30,,",
            "People,,Due,23,,",
            "People,,Resulted,3,,",
            "People,,Held,3,,",
            "People,,Exempt,1,,",
            "Tubes,,All tubes,,2,6",
            "Tubes,,Released: positive,,1,3",
            "Tubes,,Released: negative,,1,3",
            "Coverage by zone,C1 地点1,On the list,30,,",
            "Coverage by grid,C2 地点2,On the list,15,,",
            "Reasons,,Exempt: Medical,1,,",
            "Follow-up list,,Open,3,1,",
        ],
    );
    assert!(all.contains("The day against its plan,") && all.contains("Plan,"), "{all}");
    let reaching = async |login: &str, role: Role, place: PlaceId| enter(app, login, &[role], Scope::Places(vec![place])).await;
    let manager = reaching("manager", Role::ZoneManager, town().grids[0]).await;
    let grid = csv(&manager, &campaign).await;
    holds(
        &grid,
        &[
            "People,,On the list,15,,",
            "People,,Held,2,,",
            "People,,Resulted,1,,",
            "Tubes,,All tubes,,0,0",
            "Reasons,,Exempt: Medical,1,,",
            "Follow-up list,,Open,2,1,",
        ],
    );
    assert!(!grid.contains("C3 地点3"), "the other grid is out of reach: {grid}");
    let other = csv(&reaching("warden", Role::GridWarden, town().grids[1]).await, &campaign).await;
    holds(&other, &["People,,Exempt,0,,", "Follow-up list,,Open,1,1,"]);
    assert!(!other.contains("Medical"), "the reason belongs to the other grid: {other}");
    let contact = csv(&reaching("contact", Role::EnterpriseContact, town().enterprises[0]).await, &campaign).await;
    holds(&contact, &["People,,On the list,15,,", "People,,Exempt,1,,", "Follow-up list,,Open,2,1,"]);
    assert!(!contact.contains("Reasons,") && !contact.contains("The day against"), "neither is counted by enterprise: {contact}");
    let point = csv(&reaching("point", Role::PointLeader, town().point).await, &campaign).await;
    holds(&point, &["People,,On the list,0,,", "Tubes,,All tubes,,2,6"]);
    let broken = app.read(|tx| Ok(baton_screening::check::check_invariants(tx)?)).await.unwrap();
    assert_eq!(broken, vec![]);
}

async fn a_report_is_sealed_and_speaks_three_languages(app: &App) {
    let (admin, campaign) = a_morning(app).await;
    let path = |form: &str, language: &str| format!("/v1/screening/campaigns/{campaign}/report.{form}?round=1&language={language}");
    let key = app.ledger.secrets().verifying();
    for (language, title) in [("zh-Hans", "核酸筛查任务报告"), ("zh-Hant", "核酸篩檢任務報告"), ("en", "Report of a screening round")] {
        let (kind, pdf) = admin.file(&path("pdf", language)).await;
        assert_eq!(kind, "application/pdf");
        let paper = verify_paper(&pdf, Some(&key)).unwrap();
        let ReportSummary { kind, person, .. } = &paper.reports[0];
        assert_eq!((kind.as_str(), person.as_str()), ("campaign", format!("{campaign} 1").as_str()));
        let mut changed = pdf.clone();
        let at = changed.len() / 2;
        changed[at] ^= 1;
        assert!(verify_paper(&changed, Some(&key)).is_err(), "a changed byte shows");
        if let Some(text) = words_of(&pdf) {
            for words in [title, "全员筛查", "orf1ab-n-ic", "C2 地点2", "20%"] {
                assert!(text.contains(words), "{words}: {text}");
            }
            assert!(!text.contains("-10"), "no grid below nobody: {text}");
        }
        let (_, sheet) = admin.file(&path("xlsx", language)).await;
        assert!(sheet.starts_with(b"PK"));
    }
    for form in ["pdf", "csv", "xlsx"] {
        let board = admin.page(&format!("/campaigns/{campaign}"), "en").await;
        assert!(board.contains(&format!("/v1/screening/campaigns/{campaign}/report.{form}?round=1")), "the board links it");
    }
}

async fn what_cannot_be_reported_is_said(app: &App) {
    let (admin, campaign) = a_morning(app).await;
    let path = |campaign: &str, rest: &str| format!("/v1/screening/campaigns/{campaign}/report.pdf{rest}");
    assert_eq!(admin.get_refused(&path(&campaign, "?language=tlh")).await, "language-unknown");
    assert_eq!(admin.get_refused(&path(&campaign, "?round=7")).await, "campaign-unknown");
    assert_eq!(admin.get_refused(&path("77", "")).await, "campaign-unknown");
    assert_eq!(admin.get_refused(&path(&campaign, "?round=x")).await, "query-wrong");
    let nurse = enter(app, "nurse", &[Role::SamplingNurse], Scope::Everywhere).await;
    assert_eq!(nurse.get_refused(&path(&campaign, "")).await, "role-missing");
}
