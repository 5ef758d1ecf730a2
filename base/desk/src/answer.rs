//! Refusals on the wire: a status, a code, words, and what to do next. JSON for the API, a page for a browser.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use baton_kit::{Refusal, Status};

/// What a handler returns; the desk puts a refusal into words afterwards.
pub type Answered<T = Response> = Result<T, Refused>;

/// A refusal on its way to the wire.
#[derive(Debug)]
pub struct Refused(pub Refusal);

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

pub(crate) fn status_of(status: Status) -> StatusCode {
    match status {
        Status::Malformed => StatusCode::BAD_REQUEST,
        Status::Unknown => StatusCode::UNAUTHORIZED,
        Status::Forbidden => StatusCode::FORBIDDEN,
        Status::Absent => StatusCode::NOT_FOUND,
        Status::Conflict => StatusCode::CONFLICT,
        Status::Ruled => StatusCode::UNPROCESSABLE_ENTITY,
        Status::Slow => StatusCode::TOO_MANY_REQUESTS,
        Status::Full => StatusCode::SERVICE_UNAVAILABLE,
        Status::Broken => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Refused {
    /// Bare; [`crate::server`] fills in words and form, since only it knows the asker's language.
    fn into_response(self) -> Response {
        let refusal = self.0;
        let mut response = status_of(refusal.status).into_response();
        if let Some((_, seconds)) = refusal.arguments.iter().find(|(name, _)| *name == "seconds")
            && let Ok(value) = HeaderValue::from_str(seconds)
        {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response.extensions_mut().insert(Unworded(refusal));
        response
    }
}

/// Marks a response whose refusal still has no words.
#[derive(Clone, Debug)]
pub(crate) struct Unworded(pub(crate) Refusal);

/// A refusal as JSON.
#[derive(Debug, serde::Serialize, schemars::JsonSchema)]
pub struct RefusalAnswer {
    pub code: String,
    /// In the asker's language.
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}
