//! Health, figures and the operations page, through the whole router.

use baton_desk::{Role, Scope};
use serde_json::json;

use super::Installation;

/// Without a runtime around it: the PostgreSQL client is opened and closed outside of async code.
#[test]
fn health_and_figures_are_told_to_whom_they_concern() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for installation in Installation::on_each_store() {
        runtime.block_on(health_and_figures(&installation));
    }
}

async fn health_and_figures(installation: &Installation) {
    let store = installation.store_name();
    assert_eq!(installation.send("GET", "/healthz", None, None).await.text, "ok\n");
    let ready = installation.send("GET", "/readyz", None, None).await;
    assert_eq!((ready.status, ready.json()), (200, json!({"ready": true, "reasons": []})), "{store}");
    assert_eq!(installation.send("GET", "/metrics", None, None).await.code(), "not-signed-in");
    installation.user("nurse", &[Role::SamplingNurse], Scope::Everywhere).await;
    installation.user("boss", &[Role::Administrator], Scope::Everywhere).await;
    installation.user("auditor", &[Role::Auditor], Scope::Everywhere).await;
    let (nurse, _) = installation.sign_in("nurse").await;
    let (boss, _) = installation.sign_in("boss").await;
    let (auditor, _) = installation.sign_in("auditor").await;
    for path in ["/metrics", "/operations"] {
        assert_eq!(installation.send("GET", path, Some(&nurse), None).await.code(), "role-missing");
    }
    assert_eq!(installation.send("GET", "/operations", Some(&auditor), None).await.code(), "role-missing");
    let page = installation.send("GET", "/operations", Some(&boss), None).await;
    assert!(page.status == 200 && page.text.contains("Everything is served"), "{store}: {}", page.text);
    let figures = installation.send("GET", "/metrics", Some(&auditor), None).await;
    assert_eq!(figures.status, 200, "{store}");
    let value = |name: &str| figures.text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
    assert!(value("baton_decisions_total").is_some_and(|decisions| decisions >= 6.0), "{store}: {}", figures.text);
    assert_eq!(value("baton_follower_lag_events"), Some(0.0), "{store}");
    assert_eq!(value("baton_ledger_writable"), Some(1.0), "{store}");
    assert_eq!(value("baton_requests_total{method=\"POST\",route=\"/v1/sign-in\",status=\"200\"}"), Some(3.0), "{store}");
    assert!(value("baton_request_seconds_count{budget=\"sign_ins\"}") == Some(3.0), "{store}");
}
