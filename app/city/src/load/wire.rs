//! One keep-alive connection, as a device holds it: one request at a time, opened again when it breaks.

use anyhow::Context;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// One answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) retry_after_s: Option<u64>,
    pub(crate) body: Bytes,
}

pub(crate) struct Wire {
    address: String,
    token: Option<String>,
    open: Option<SendRequest<Full<Bytes>>>,
}

impl Wire {
    pub(crate) fn new(base: &str, token: Option<&str>) -> anyhow::Result<Self> {
        let address = base.strip_prefix("http://").context("an address with http://")?.to_owned();
        Ok(Self { address, token: token.map(|token| format!("Bearer {token}")), open: None })
    }

    pub(crate) async fn get(&mut self, path: &str) -> anyhow::Result<Reply> {
        self.send(Method::GET, path, "application/json", Bytes::new()).await
    }

    pub(crate) async fn post(&mut self, path: &str, content_type: &str, body: Bytes) -> anyhow::Result<Reply> {
        self.send(Method::POST, path, content_type, body).await
    }

    async fn send(&mut self, method: Method, path: &str, content_type: &str, body: Bytes) -> anyhow::Result<Reply> {
        let mut open = match self.open.take() {
            Some(open) if !open.is_closed() => open,
            _ => self.connect().await?,
        };
        let mut request =
            Request::builder().method(method).uri(path).header(HOST, &self.address).header(CONTENT_TYPE, content_type).header(ACCEPT, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        open.ready().await?;
        let response = open.send_request(request.body(Full::new(body))?).await?;
        let status = response.status().as_u16();
        let retry_after_s = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let body = response.into_body().collect().await?.to_bytes();
        self.open = Some(open);
        Ok(Reply { status, retry_after_s, body })
    }

    async fn connect(&self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let (send, connection) = handshake(TokioIo::new(stream)).await?;
        // Ends with the connection; its errors come out of the request too.
        tokio::spawn(async move { _ = connection.await });
        Ok(send)
    }
}
