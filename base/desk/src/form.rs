//! Reading what was sent: JSON and forms, with an error that names the field.

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use baton_kit::Refusal;
use serde::de::DeserializeOwned;

use crate::answer::Refused;

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refused;
    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let bytes = axum::body::Bytes::from_request(request, state).await.map_err(|error| Refusal::malformed("body-unread").with("problem", error))?;
        let value = serde_json::from_slice(&bytes).map_err(|error| Refusal::malformed("json-wrong").with("problem", error))?;
        Ok(Self(value))
    }
}

/// A form sent by a page.
#[derive(Debug)]
pub struct Form<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Refused;
    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let form = axum::extract::RawForm::from_request(request, state).await.map_err(|error| Refusal::malformed("body-unread").with("problem", error))?;
        let value = serde_html_form::from_bytes(&form.0).map_err(|error| Refusal::malformed("form-wrong").with("problem", error))?;
        Ok(Self(value))
    }
}

/// What stands behind the `?`.
#[derive(Debug)]
pub struct Asked<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let Query(value) =
            Query::from_request_parts(parts, state).await.map_err(|error| Refusal::malformed("query-wrong").with("problem", error.body_text()))?;
        Ok(Self(value))
    }
}

/// The variable parts of the path; a number that is no id is nothing we have.
#[derive(Debug)]
pub struct At<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let Path(value) = Path::from_request_parts(parts, state).await.map_err(|_| Refusal::absent("no-such-thing"))?;
        Ok(Self(value))
    }
}
