//! Asking another server: plain HTTP, bounded in time and size. Across open networks it goes through a tunnel.

use std::time::Duration;

use anyhow::{Context, ensure};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

pub(crate) fn address(server: &str, path: &str) -> anyhow::Result<Uri> {
    ensure!(server.starts_with("http://"), "only http:// is understood");
    format!("{}{path}", server.trim_end_matches('/')).parse().context("is no URL")
}

pub(crate) fn nothing() -> Full<Bytes> {
    Full::default()
}

/// One request and its whole answer.
///
/// # Errors
/// Nobody answers within the time, the answer breaks off or is longer than it may be.
pub(crate) async fn ask(request: Request<Full<Bytes>>, within: Duration, bytes_max: usize) -> anyhow::Result<(StatusCode, Vec<u8>)> {
    let asked = tokio::time::timeout(within, async {
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let answer = client.request(request).await.map_err(|error| anyhow::anyhow!("does not answer: {}", root(&error)))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), bytes_max).collect().await;
        anyhow::Ok((status, body.map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?.to_bytes().to_vec()))
    });
    asked.await.map_err(|_| anyhow::anyhow!("has not answered within {} s", within.as_secs()))?
}

fn root(error: &dyn std::error::Error) -> String {
    let mut at = error;
    while let Some(source) = at.source() {
        at = source;
    }
    at.to_string()
}
