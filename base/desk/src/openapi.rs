//! The API told by itself: OpenAPI 3.1 made from the route table, and the same as a page for people.

use axum::Json;
use axum::extract::State;
use axum::http::Method;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use crate::actor::Actor;
use crate::page::Page;
use crate::room::{Access, Route};
use crate::{App, server, session};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/openapi.json", Access::Public, "This list", |State(app): State<App>| async move { Json(openapi(&app)) }),
        Route::get("/openapi", Access::Public, "Every route of the API, for people", page),
    ]
}

/// The API in OpenAPI 3.1, made from the route table itself.
pub fn openapi(app: &App) -> Value {
    let mut paths = Map::new();
    for route in server::routes(app) {
        let entry = paths.entry(route.path).or_insert_with(|| json!({}));
        entry[method_name(&route.method)] = operation(&route);
    }
    let refusal = schemars::schema_for!(crate::answer::RefusalAnswer);
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Baton", "version": env!("CARGO_PKG_VERSION"), "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": session::SESSION_COOKIE},
                "bearer": {"type": "http", "scheme": "bearer", "description": "The token of a sign-in or of an enrolled device."},
            },
            "schemas": {"Refusal": refusal, "OperationOutcome": {"type": "object", "required": ["resourceType", "issue"], "properties": {
                "resourceType": {"const": "OperationOutcome"},
                "issue": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["severity", "code"]}},
            }}},
        },
    })
}

fn method_name(method: &Method) -> &'static str {
    if *method == Method::GET { "get" } else { "post" }
}

/// What a route answers with when all goes well.
fn media_type(route: &Route) -> &'static str {
    let ending = route.path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, ending)| ending);
    match (route.gives, ending) {
        (Some(kind), _) => kind,
        _ if route.path.starts_with("/fhir/") => baton_fhir::MEDIA_TYPE,
        (_, Some("css")) => "text/css",
        (_, Some("js")) => "text/javascript",
        (_, Some("csv")) => "text/csv",
        (_, Some("pdf")) => "application/pdf",
        (_, Some("svg")) => "image/svg+xml",
        (_, Some("xlsx")) => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        (_, Some("hl7")) => "x-application/hl7-v2+er7",
        _ if route.path.starts_with("/v1/") => "application/json",
        _ => "text/html",
    }
}

fn is_for_machines(route: &Route) -> bool {
    ["/v1/", "/fhir/", "/healthz", "/readyz", "/metrics"].iter().any(|prefix| route.path.starts_with(prefix))
}

fn responses(route: &Route) -> Value {
    let kind = media_type(route);
    let answer = route.answer.map_or_else(|| if kind.ends_with("json") { json!({}) } else { json!({"type": "string"}) }, |schema| schema().to_value());
    let refusal = if route.path.starts_with("/fhir/") { (baton_fhir::MEDIA_TYPE, "OperationOutcome") } else { ("application/json", "Refusal") };
    let content = json!({refusal.0: {"schema": {"$ref": format!("#/components/schemas/{}", refusal.1)}}});
    let mut responses = json!({
        "200": {"description": "done", "content": {kind: {"schema": answer}}},
        "400": {"description": "what was sent cannot be read; the words name the field", "content": content},
        "503": {"description": "full for the moment; Retry-After says when there will be room", "content": content},
        "default": {"description": "refused", "content": content},
    });
    if route.access != Access::Public {
        responses["401"] = json!({"description": "nobody is signed in", "content": content});
        responses["403"] = json!({"description": "not within the roles or the scope", "content": content});
    }
    if route.path.contains('{') {
        responses["404"] = json!({"description": "there is no such thing", "content": content});
    }
    if route.method == Method::POST && !is_for_machines(route) {
        responses["303"] = json!({"description": "done; the page to look at next"});
    }
    if route.path.starts_with("/fhir/") {
        responses["304"] = json!({"description": "as known"});
    }
    if route.path == "/readyz" {
        responses["503"] = json!({"description": "not ready, with the reasons", "content": {"application/json": {"schema": {"type": "object"}}}});
    }
    responses
}

fn parameters(route: &Route) -> Vec<Value> {
    let names = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = names.map(|name| json!({"name": name, "in": "path", "required": true, "schema": path_schema(route, name)})).collect();
    let Some(query) = route.query.map(|schema| schema().to_value()) else { return parameters };
    let required: Vec<&str> = query["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, schema) in query["properties"].as_object().into_iter().flatten() {
        parameters.push(json!({"name": name, "in": "query", "required": required.contains(&name.as_str()), "schema": schema}));
    }
    parameters
}

/// Numbers of things are ids; what is left says itself what it may be.
fn path_schema(route: &Route, name: &str) -> Value {
    let fhir = route.path.starts_with("/fhir/");
    match name {
        "release" => json!({"type": "string", "enum": ["R4", "R5"]}),
        "kind" if fhir => json!({"type": "string", "enum": ["Patient", "Specimen", "ServiceRequest", "Observation", "DiagnosticReport", "Provenance", "Task"]}),
        "id" | "version" if fhir => json!({"type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$"}),
        "origin" | "kind" | "name" | "file" | "assay" | "code" => json!({"type": "string"}),
        _ => json!({"type": "string", "pattern": "^[0-9]{1,19}$", "description": "bucket·device·sequence packed in 63 bits, in decimal"}),
    }
}

fn body(route: &Route) -> Option<Value> {
    if let Some(schema) = route.body {
        return Some(json!({"required": true, "content": {"application/json": {"schema": schema().to_value()}}}));
    }
    if route.method != Method::POST {
        return None;
    }
    let form = json!({"schema": {"type": "object"}});
    let file = json!({"schema": {"type": "string", "format": "binary"}});
    Some(match (is_for_machines(route), route.budget) {
        (true, crate::Budget::Uploads) => json!({"required": true, "content": {"application/octet-stream": file, "multipart/form-data": form}}),
        (true, _) => json!({"required": false, "content": {"application/json": {"schema": {}}}}),
        (false, crate::Budget::Uploads) => json!({"required": true, "content": {"multipart/form-data": form}}),
        (false, _) => json!({"required": true, "content": {"application/x-www-form-urlencoded": form}}),
    })
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({"summary": route.summary, "tags": [tag(route)], "responses": responses(route)});
    let parameters = parameters(route);
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    if let Some(body) = body(route) {
        operation["requestBody"] = body;
    }
    match route.access {
        Access::Public => operation["security"] = json!([]),
        Access::SignedIn => operation["security"] = json!([{"session": []}, {"bearer": []}]),
        Access::Roles(roles) => {
            operation["security"] = json!([{"session": []}, {"bearer": []}]);
            operation["x-baton-roles"] = json!(roles);
        }
    }
    operation
}

/// The part of the API a route belongs to.
fn tag(route: &Route) -> &'static str {
    let mut parts = route.path.split('/').filter(|part| !part.is_empty());
    match parts.next() {
        Some("v1") => parts.next().map_or("baton", |part| part.split('.').next().unwrap_or(part)),
        Some(part) => part,
        None => "baton",
    }
}

async fn page(State(app): State<App>, actor: Actor) -> Markup {
    let page = Page::new(&app, &actor);
    let routes: Vec<Route> = server::routes(&app).into_iter().filter(is_for_machines).collect();
    let mut tags: Vec<&str> = routes.iter().map(tag).collect();
    tags.sort_unstable();
    tags.dedup();
    page.frame(
        &page.t("openapi-title"),
        html! {
            p { (page.t("openapi-about")) " " a href="/v1/openapi.json" { "/v1/openapi.json" } }
            p { (page.t("openapi-sign-in")) }
            @for name in tags {
                h2 { (name) }
                @for route in routes.iter().filter(|route| tag(route) == name) { (entry(&page, route)) }
            }
        },
    )
}

fn entry(page: &Page<'_>, route: &Route) -> Markup {
    let roles = match route.access {
        Access::Public => page.t("openapi-public"),
        Access::SignedIn => page.t("openapi-signed-in"),
        Access::Roles(roles) => roles.iter().map(|role| page.t(&format!("role-{}", role.name()))).collect::<Vec<_>>().join(page.words.language.comma()),
    };
    html! {
        details {
            summary { strong { (route.method.as_str()) } " " code.code { (route.path) } }
            p { (route.summary) }
            dl {
                div { dt { (page.t("openapi-who")) } dd { (roles) } }
                @for parameter in parameters(route) {
                    div { dt { (page.t("openapi-parameter")) } dd { code.code { (text(&parameter["name"])) } " " (shape(&parameter["schema"])) } }
                }
                @if let Some(schema) = route.body { div { dt { (page.t("openapi-takes")) } dd { (fields(&schema().to_value(), 0)) } } }
                div { dt { (page.t("openapi-answers")) } dd { code.code { (media_type(route)) } @if let Some(schema) = route.answer { (fields(&schema().to_value(), 0)) } } }
            }
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The type of a value in a few words.
fn shape(schema: &Value) -> String {
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect::<Vec<_>>().join(" | ");
    }
    for one_of in ["anyOf", "oneOf", "allOf"] {
        if let Some(all) = schema[one_of].as_array() {
            return all.iter().map(shape).filter(|shape| !shape.is_empty()).collect::<Vec<_>>().join(" | ");
        }
    }
    match &schema["type"] {
        Value::String(kind) if kind == "array" => format!("[{}]", shape(&schema["items"])),
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | "),
        _ => String::new(),
    }
}

/// The fields of an object, as far as three levels down.
fn fields(schema: &Value, depth: usize) -> Markup {
    let schema = if schema["type"] == "array" { &schema["items"] } else { schema };
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    html! {
        @if let Some(properties) = schema["properties"].as_object().filter(|_| depth < 3) {
            ul { @for (name, field) in properties { li {
                code.code { (name) @if !required.contains(&name.as_str()) { "?" } } " " (shape(field))
                @if let Some(words) = field["description"].as_str() { ": " (words) }
                (fields(field, depth + 1))
            } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_told_in_few_words() {
        assert_eq!(shape(&json!({"type": "array", "items": {"enum": ["a", "b"]}})), "[a | b]");
        assert_eq!(shape(&json!({"anyOf": [{"type": "string"}, {"type": "null"}]})), "string | null");
        assert_eq!(shape(&json!({"type": ["integer", "null"]})), "integer | null");
        let shown =
            fields(&json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "description": "first"}, "b": {}}}), 0).into_string();
        assert!(shown.contains("<code class=\"code\">a</code> string: first") && shown.contains("<code class=\"code\">b?</code>"), "{shown}");
    }
}
