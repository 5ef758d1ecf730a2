//! All routes of all rooms on one router: each behind its access, none beside it.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use baton_kit::{Refusal, Status};

use crate::actor::Actor;
use crate::answer::Refused;
use crate::room::{Access, Route};
use crate::{App, assets, facts, live, openapi, operations, session};

/// Largest body of a request that states no other limit.
const BODY_LIMIT: usize = 2 << 20;

/// Every route there is, in the order of the rooms.
pub fn routes(app: &App) -> Vec<Route> {
    let mut routes = facts::routes();
    routes.extend(openapi::routes());
    routes.push(live::route());
    routes.extend(operations::routes());
    routes.extend(assets::routes());
    routes.extend(app.rooms.iter().flat_map(|room| room.routes.iter().cloned()));
    routes
}

/// The router of an installation.
pub fn router(app: &App) -> Router {
    let mut router = Router::new();
    for route in routes(app) {
        router = router.route(route.path, guarded(app, route));
    }
    router
        .fallback(|| async { Refused(Refusal::absent("no-such-page")) })
        .layer(middleware::from_fn_with_state(app.clone(), session::at_the_desk))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(app.clone(), |State(app): State<App>, request: Request, next: Next| operations::request_id(app, request, next)))
        .layer(tower_http::compression::CompressionLayer::new())
        .with_state(app.clone())
}

/// Inside out: who may use the route, then room for it in its budget.
fn guarded(app: &App, route: Route) -> axum::routing::MethodRouter<App> {
    let (access, path, budget) = (route.access, route.path, route.budget);
    let admitted = route.handler.layer(middleware::from_fn(move |request: Request, next: Next| async move {
        match admission(access, request.extensions().get::<Actor>()) {
            Ok(()) => next.run(request).await,
            Err(refusal) => Refused(refusal).into_response(),
        }
    }));
    admitted.layer(middleware::from_fn_with_state(app.clone(), move |State(app): State<App>, request: Request, next: Next| {
        operations::around(app, path, budget, request, next)
    }))
}

fn admission(access: Access, actor: Option<&Actor>) -> Result<(), Refusal> {
    match actor {
        Some(actor) if access.admits(actor) => Ok(()),
        Some(actor) if actor.account.is_some() => Err(Refusal::forbidden("role-missing")),
        _ if access == Access::Public => Ok(()),
        _ => Err(Refusal::new("not-signed-in", Status::Unknown)),
    }
}
