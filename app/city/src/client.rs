//! Talking to a Baton server as any device does: JSON over HTTP, a bearer token, and patience.
//!
//! Whatever is sent carries its own ids, so sending again is always safe: a lost connection and a full lane are answered
//! by waiting and sending the same bytes once more, a bounded number of times.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use baton_kit::{Bucket, Device, EventId};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use hyper::{Method, Request, Response};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// How often one request is sent before giving up.
const TRIES: u32 = 12;
/// Nobody waits longer than this before the next try, whatever the server asks for.
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// The largest answer that is read.
const ANSWER_MAX: usize = 256 << 20;

/// Why there is no answer to work with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The server said no: its code and words.
    Refused { status: u16, code: String, message: String },
    /// No answer, as often as it was tried.
    Unreachable(String),
    /// An answer that cannot be understood.
    Odd(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused { status, code, message } => write!(f, "refused with {status} {code}: {message}"),
            Failure::Unreachable(problem) => write!(f, "no answer: {problem}"),
            Failure::Odd(problem) => write!(f, "an odd answer: {problem}"),
        }
    }
}
impl std::error::Error for Failure {}

impl Failure {
    pub fn code(&self) -> &str {
        if let Failure::Refused { code, .. } = self { code } else { "" }
    }
}

/// A pool of connections to one server. Cheap to copy.
#[derive(Clone, Debug)]
pub struct Client {
    pool: Pool<HttpConnector, Full<Bytes>>,
    base: String,
    tries: u32,
}

/// What is sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub content_type: &'static str,
    pub bytes: Bytes,
}

impl Sent {
    pub fn json(value: &Value) -> Self {
        Self { content_type: "application/json", bytes: Bytes::from(value.to_string()) }
    }

    /// Fields of a form, percent-encoded.
    pub fn form(fields: &[(&str, &str)]) -> Self {
        let encoded: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        Self { content_type: "application/x-www-form-urlencoded", bytes: Bytes::from(encoded.join("&")) }
    }
}

/// Percent-encodes everything but letters, digits and `-._~`.
pub fn encode(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// One attempt's end.
enum Attempt {
    Answered(Bytes),
    Final(Failure),
    Again(Failure, Duration),
}

impl Client {
    /// `base` as `http://127.0.0.1:8080`.
    pub fn new(base: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let pool = Pool::builder(TokioExecutor::new()).pool_max_idle_per_host(64).build(connector);
        Self { pool, base: base.trim_end_matches('/').to_owned(), tries: TRIES }
    }

    /// Gives up after this many tries.
    pub fn with_tries(mut self, tries: u32) -> Self {
        self.tries = tries.max(1);
        self
    }

    /// Sends until there is an answer; gives its body. A redirect after a form is an answer too.
    pub async fn send(&self, method: Method, path: &str, token: Option<&str>, sent: Option<Sent>) -> Result<Bytes, Failure> {
        let mut pause = Duration::from_millis(20);
        let mut tries = 0;
        loop {
            tries += 1;
            match self.attempt(method.clone(), path, token, sent.clone()).await {
                Attempt::Answered(bytes) => return Ok(bytes),
                Attempt::Final(failure) => return Err(failure),
                Attempt::Again(failure, _) if tries >= self.tries => return Err(failure),
                Attempt::Again(_, asked) => {
                    tokio::time::sleep(pause.max(asked).min(PAUSE_MAX)).await;
                    pause *= 2;
                }
            }
        }
    }

    async fn attempt(&self, method: Method, path: &str, token: Option<&str>, sent: Option<Sent>) -> Attempt {
        let unreachable = |problem: String| Attempt::Again(Failure::Unreachable(problem), Duration::ZERO);
        let request = match self.request(method, path, token, sent) {
            Ok(request) => request,
            Err(error) => return Attempt::Final(Failure::Odd(format!("{path}: {error}"))),
        };
        let response = match self.pool.request(request).await {
            Ok(response) => response,
            Err(error) => return unreachable(format!("{path}: {}", reasons(&error))),
        };
        let (status, asked) = (response.status(), retry_after(&response));
        let body = match Limited::new(response.into_body(), ANSWER_MAX).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return unreachable(format!("{path}: {error}")),
        };
        if status.is_success() || status.is_redirection() {
            return Attempt::Answered(body);
        }
        let failure = refused(status.as_u16(), path, &body);
        if matches!(status.as_u16(), 429 | 503) { Attempt::Again(failure, asked) } else { Attempt::Final(failure) }
    }

    fn request(&self, method: Method, path: &str, token: Option<&str>, sent: Option<Sent>) -> hyper::http::Result<Request<Full<Bytes>>> {
        let mut request =
            Request::builder().method(method).uri(format!("{}{path}", self.base)).header(ACCEPT, "application/json").header(ACCEPT_LANGUAGE, "en");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(sent) = &sent {
            request = request.header(CONTENT_TYPE, sent.content_type);
        }
        request.body(Full::new(sent.map_or_else(Bytes::new, |sent| sent.bytes)))
    }
}

fn reasons(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

fn retry_after<B>(response: &Response<B>) -> Duration {
    let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    seconds.map_or(Duration::ZERO, Duration::from_secs)
}

fn refused(status: u16, path: &str, body: &[u8]) -> Failure {
    let answer: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    let message = format!("{} {} ({path})", text("message"), text("next"));
    Failure::Refused { status, code: text("code"), message }
}

/// A device that is signed in: it numbers what it says, from 1 on.
#[derive(Debug)]
pub struct Sayer {
    pub client: Client,
    pub token: String,
    pub device: Device,
    next: AtomicU32,
}

impl Sayer {
    pub fn new(client: Client, token: String, device: Device) -> Self {
        Self { client, token, device, next: AtomicU32::new(1) }
    }

    /// Signs in with a password; the sign-in is a device of its own.
    pub async fn sign_in(client: &Client, login: &str, password: &str) -> Result<Self, Failure> {
        let asked = serde_json::json!({"login": login, "password": password});
        let answer = json(&client.send(Method::POST, "/v1/sign-in", None, Some(Sent::json(&asked))).await?)?;
        Self::given(client, &answer)
    }

    /// From an answer that gives a token and a device number.
    pub fn given(client: &Client, answer: &Value) -> Result<Self, Failure> {
        let device = answer["device"].as_u64().and_then(|number| Device::new(u32::try_from(number).ok()?).ok());
        let (Some(token), Some(device)) = (answer["token"].as_str(), device) else {
            return Err(Failure::Odd(format!("no token or device in {answer}")));
        };
        Ok(Self::new(client.clone(), token.to_owned(), device))
    }

    pub fn next_id(&self, bucket: Bucket) -> EventId {
        EventId::new(bucket, self.device, self.next.fetch_add(1, Ordering::Relaxed))
    }

    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        json(&self.client.send(Method::GET, path, Some(&self.token), None).await?)
    }

    /// The answer as it is, for pages and files.
    pub async fn fetch(&self, path: &str) -> Result<Bytes, Failure> {
        self.client.send(Method::GET, path, Some(&self.token), None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.upload(path, Sent::json(body)).await
    }

    pub async fn upload(&self, path: &str, sent: Sent) -> Result<Value, Failure> {
        json(&self.client.send(Method::POST, path, Some(&self.token), Some(sent)).await?)
    }

    /// Sends a page's form.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Result<(), Failure> {
        self.client.send(Method::POST, path, Some(&self.token), Some(Sent::form(fields))).await.map(|_| ())
    }
}

fn json(bytes: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(bytes).map_err(|error| Failure::Odd(format!("{error} in {}", String::from_utf8_lossy(&bytes[..bytes.len().min(200)]))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// A server that gives these answers, one connection each, and tells what it was sent.
    fn scripted(answers: Vec<&'static str>) -> (String, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let served = std::thread::spawn(move || {
            let serve = |answer: &'static str| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut buffer = [0; 4096];
                let read = stream.read(&mut buffer).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
                String::from_utf8_lossy(&buffer[..read]).into_owned()
            };
            answers.into_iter().map(serve).collect()
        });
        (base, served)
    }

    #[tokio::test]
    async fn what_got_no_answer_is_sent_again_byte_for_byte() {
        let full = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 0\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let done = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
        let (base, served) = scripted(vec!["", full, done]);
        let sayer = Sayer::new(Client::new(&base), "t".to_owned(), Device::new(7).unwrap());
        let answer = sayer.post("/v1/facts", &serde_json::json!({"facts": []})).await;
        assert_eq!(answer, Ok(serde_json::json!({})));
        let requests = served.join().unwrap();
        assert_eq!(requests.len(), 3);
        assert!(requests.iter().all(|request| request == &requests[0] && request.contains("authorization: Bearer t") && request.ends_with("{\"facts\":[]}")));
    }

    #[tokio::test]
    async fn a_refusal_is_final_and_keeps_its_code() {
        let (base, served) =
            scripted(vec!["HTTP/1.1 422 Unprocessable Entity\r\ncontent-length: 37\r\nconnection: close\r\n\r\n{\"code\":\"box-unknown\",\"message\":\"no\"}"]);
        let failure = Client::new(&base).send(Method::GET, "/v1/x", None, None).await.unwrap_err();
        assert_eq!((failure.code(), served.join().unwrap().len()), ("box-unknown", 1));
    }

    #[tokio::test]
    async fn after_its_tries_it_gives_up() {
        let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let client = Client::new(&format!("http://{unused}")).with_tries(2);
        let failure = client.send(Method::GET, "/", None, None).await.unwrap_err();
        assert!(matches!(failure, Failure::Unreachable(_)), "{failure}");
    }

    #[test]
    fn a_form_is_encoded_and_a_device_counts() {
        let sent = Sent::form(&[("name", "王 芳"), ("role", "a&b")]);
        assert_eq!(&sent.bytes[..], b"name=%E7%8E%8B%20%E8%8A%B3&role=a%26b");
        let sayer = Sayer::new(Client::new("http://x/"), String::new(), Device::new(9).unwrap());
        let ids = [(); 2].map(|()| baton_kit::TypedId::packed(sayer.next_id(Bucket::new(3).unwrap())).sequence());
        assert_eq!(ids, [1, 2]);
    }
}
