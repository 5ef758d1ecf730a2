//! Minutes between places, measured: from the file, from the air, or by a routing server (OSRM).

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use baton_plan::travel::{Place, StraightLine, osrm_minutes, osrm_path, straight_minutes};
use clap::Args;
use hyper::Request;

use crate::web;

/// A server that has not answered by then is not waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// 2,500 places make 12,500,000 numbers.
const ANSWER_BYTES_MAX: usize = 256 << 20;

#[derive(Args)]
pub(super) struct Travel {
    /// Ask this OSRM server for the minutes between the file's `places`.
    #[arg(long, value_name = "URL")]
    osrm: Option<String>,
}

impl Travel {
    /// Fills a matrix that is not there yet.
    pub(super) fn measure(&self, minutes: &mut Vec<Vec<i64>>, places: &[Place], line: Option<&StraightLine>) -> anyhow::Result<()> {
        if let Some(url) = &self.osrm {
            ensure!(!places.is_empty(), "--osrm needs `places` with longitude and latitude in the file");
            let path = osrm_path(places)?;
            let answer = fetch(url, &path).with_context(|| format!("OSRM at {url}"))?;
            *minutes = osrm_minutes(&answer, places.len()).with_context(|| format!("OSRM at {url}"))?;
        } else if minutes.is_empty() {
            match line {
                Some(line) if !places.is_empty() => *minutes = straight_minutes(places, line)?,
                _ => bail!("distances: the file needs `minutes`, or `places` with `straight_line` or with --osrm URL"),
            }
        }
        Ok(())
    }
}

fn fetch(url: &str, path: &str) -> anyhow::Result<String> {
    let request = Request::get(web::address(url, path)?).body(web::nothing())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (_, body) = runtime.block_on(web::ask(request, ANSWER_WITHIN, ANSWER_BYTES_MAX))?;
    // A refusal is JSON too, with a code and a message: it is told by whoever reads it.
    String::from_utf8(body).context("the answer is no text")
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    const PLACES: [Place; 2] = [Place { longitude: 121.909, latitude: 30.881 }, Place { longitude: 121.805, latitude: 31.143 }];

    /// A server that answers once, and gives back what it was asked.
    fn server(answer: &'static str) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("bound"));
        let asked = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut request = [0; 4096];
            let length = stream.read(&mut request).expect("a request");
            stream.write_all(answer.as_bytes()).expect("answered");
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (url, asked)
    }

    fn measured(osrm: Option<String>, places: &[Place], line: Option<StraightLine>) -> Result<Vec<Vec<i64>>, String> {
        let mut minutes = Vec::new();
        Travel { osrm }.measure(&mut minutes, places, line.as_ref()).map(|()| minutes).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_table_is_asked_for_and_read() {
        let (url, asked) = server("HTTP/1.1 200 OK\r\ncontent-length: 47\r\n\r\n{\"code\":\"Ok\",\"durations\":[[0,1801],[1740,0.0]]}");
        assert_eq!(measured(Some(url), &PLACES, None), Ok(vec![vec![0, 31], vec![29, 0]]));
        let asked = asked.join().expect("asked");
        assert!(asked.starts_with("GET /table/v1/driving/121.909000,30.881000;121.805000,31.143000?annotations=duration,distance HTTP/1.1"), "{asked}");
    }

    #[test]
    fn a_server_that_refuses_breaks_off_or_is_not_there_is_told() {
        let refuses = "HTTP/1.1 400 Bad Request\r\ncontent-length: 47\r\n\r\n{\"code\":\"TooBig\",\"message\":\"Too many table co\"}";
        let (url, _) = server(refuses);
        assert!(measured(Some(url), &PLACES, None).expect_err("refused").ends_with("OSRM: TooBig Too many table co"));
        let (url, _) = server("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"code\"");
        assert!(measured(Some(url), &PLACES, None).expect_err("broke off").contains("the answer broke off"));
        let gone = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let said = measured(Some(format!("http://{gone}")), &PLACES, None).expect_err("nobody there");
        assert!(said.starts_with(&format!("OSRM at http://{gone}: does not answer")), "{said}");
        assert!(measured(Some("https://x".into()), &PLACES, None).expect_err("https").contains("only http:// is understood"));
        assert!(measured(Some("http://x".into()), &[], None).expect_err("no places").contains("needs `places`"));
    }

    #[test]
    fn without_a_server_the_line_is_straight() {
        let line = StraightLine { factor: 1.3, km_per_hour: 60.0 };
        assert_eq!(measured(None, &PLACES, Some(line)), Ok(vec![vec![0, 41], vec![41, 0]]));
        assert!(measured(None, &PLACES, None).expect_err("no speed").starts_with("distances: the file needs"));
    }
}
