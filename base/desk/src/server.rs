//! All routes of all rooms on one router: each behind its access, none beside it.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, http::Method};
use baton_kit::{Refusal, Status};
use serde_json::{Value, json};

use crate::actor::Actor;
use crate::answer::Refused;
use crate::room::{Access, Route};
use crate::{App, assets, facts, live, operations, session};

/// Largest body of a request that states no other limit.
const BODY_LIMIT: usize = 2 << 20;

/// Every route there is, in the order of the rooms.
pub fn routes(app: &App) -> Vec<Route> {
    let mut routes = vec![facts::route(), Route::get("/v1/openapi.json", Access::Public, "This list", openapi_answer)];
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

async fn openapi_answer(State(app): State<App>) -> Response {
    Json(openapi(&app)).into_response()
}

/// The API in OpenAPI 3.1, made from the route table itself.
pub fn openapi(app: &App) -> Value {
    let mut paths = serde_json::Map::new();
    for route in routes(app) {
        let entry = paths.entry(route.path).or_insert_with(|| json!({}));
        entry[method_name(&route.method)] = operation(&route);
    }
    let refusal = schemars::schema_for!(crate::answer::RefusalAnswer);
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Baton", "version": env!("CARGO_PKG_VERSION"), "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": session::SESSION_COOKIE},
                "device": {"type": "http", "scheme": "bearer"},
            },
            "schemas": {"Refusal": refusal},
        },
    })
}

fn method_name(method: &Method) -> &'static str {
    if *method == Method::GET { "get" } else { "post" }
}

fn operation(route: &Route) -> Value {
    let kind = if route.path.starts_with("/v1/") { "application/json" } else { "text/html" };
    let answer = route.answer.map_or_else(|| json!({}), |schema| schema().to_value());
    let mut operation = json!({
        "summary": route.summary,
        "responses": {
            "200": {"description": "done", "content": {kind: {"schema": answer}}},
            "default": {"description": "refused", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}},
        },
    });
    let parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    if let Some(schema) = route.body {
        operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema().to_value()}}});
    }
    match route.access {
        Access::Public => {}
        Access::SignedIn => operation["security"] = json!([{"session": []}, {"device": []}]),
        Access::Roles(roles) => {
            operation["security"] = json!([{"session": []}, {"device": []}]);
            operation["x-baton-roles"] = json!(roles);
        }
    }
    operation
}
