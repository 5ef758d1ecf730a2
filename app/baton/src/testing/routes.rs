//! Every route × every role: who may, and that nobody else can. Generated from the router's own table.

use baton_desk::{Access, Role, Route, Scope};

use super::Installation;

/// The checked-in list of routes with who may use them. A route that is not in it, or changed, fails here.
const LISTED: &str = include_str!("../../routes.txt");

fn line(route: &Route) -> String {
    let access = match route.access {
        Access::Public => "public".to_owned(),
        Access::SignedIn => "signed in".to_owned(),
        Access::Roles(roles) => roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(" "),
    };
    format!("{} {}: {access}", route.method, route.path)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_listed_with_its_roles() {
    let installation = Installation::embedded();
    let found: String = baton_desk::routes(installation.app()).iter().map(|route| line(route) + "\n").collect();
    if std::env::var_os("BATON_UPDATE").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/routes.txt"), &found).expect("routes.txt");
        return;
    }
    assert_eq!(found, LISTED, "routes.txt is not what the router has; look at the difference, then run the tests once with BATON_UPDATE=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_passes_a_route_that_is_not_theirs() {
    let installation = Installation::embedded();
    let mut tokens = Vec::new();
    for role in Role::ALL {
        installation.user(role.name(), &[role], Scope::Everywhere).await;
        tokens.push((role, installation.sign_in(role.name()).await.0));
    }
    let mut pairs = 0;
    for route in baton_desk::routes(installation.app()) {
        let path = route.path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect::<Vec<_>>().join("/");
        if path == "/sign-out" {
            continue; // ends the session it is tried with; its own test is in the desk
        }
        let reply = installation.send(route.method.as_str(), &path, None, None).await;
        assert_eq!(
            reply.code() == "not-signed-in",
            route.access != Access::Public,
            "{} {} without signing in: {} {}",
            route.method,
            path,
            reply.status,
            reply.text
        );
        for (role, token) in &tokens {
            let reply = installation.send(route.method.as_str(), &path, Some(token), None).await;
            let admitted = match route.access {
                Access::Public | Access::SignedIn => true,
                Access::Roles(roles) => roles.contains(role),
            };
            assert_eq!(reply.code() != "role-missing", admitted, "{} {} as {}: {} {}", route.method, path, role.name(), reply.status, reply.text);
            assert!(reply.status != 500, "{} {} as {}: {}", route.method, path, role.name(), reply.text);
            pairs += 1;
        }
    }
    assert!(pairs > 100, "{pairs} pairs tried");
}
