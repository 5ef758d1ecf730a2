//! A sampling desk under load: facts of its own line of people, tube after tube, and what it was answered.

use std::fmt::Write;

use anyhow::{Context, bail};
use baton_kit::EventId;
use baton_ledger::Stopwatch;
use hyper::body::Bytes;
use serde::Deserialize;

use super::town::Station;
use super::wire::Wire;

/// Swabs in a tube.
pub(super) const POOL: usize = 10;
/// Facts of a tube: opened, its swabs, sealed.
const TUBE_FACTS: usize = POOL + 2;
/// Facts of one request when everything is sent once more.
const RECOUNT: usize = 40;

/// What every station writes into its facts.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// One for each round in which the whole line comes again.
    pub(super) campaigns: Vec<String>,
    pub(super) point: String,
    pub(super) begins_us: i64,
}

/// What came of one request.
pub(super) enum Sent {
    Acknowledged,
    Refused { retry_after_s: u64 },
}

/// One request that got its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// From when it was due, in microseconds.
    pub(super) from_due_us: u64,
    /// When it was answered, from the start of the run.
    pub(super) at_us: u64,
}

/// A request that was refused at once, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    pub(super) took_us: u64,
    pub(super) at_us: u64,
}

/// What a station remembers of a run.
#[derive(Default)]
pub(super) struct Log {
    pub(super) timings: Vec<Timing>,
    pub(super) refusals: Vec<Refusal>,
    /// Acknowledged facts: their place among this station's own, and their place in the ledger.
    pub(super) acknowledged: Vec<(u32, i64)>,
    pub(super) people: u64,
    pub(super) notes: u64,
    /// Sent again because there was no answer.
    pub(super) resent: u64,
}

pub(super) struct Desk {
    station: Station,
    setting: Setting,
    base: String,
    wire: Wire,
    /// The next person of the line.
    next: usize,
    pub(super) log: Log,
}

#[derive(Deserialize)]
struct Answers {
    answers: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    ordinal: Option<i64>,
    #[serde(default)]
    notes: Vec<serde::de::IgnoredAny>,
}

impl Desk {
    pub(super) fn new(base: &str, station: Station, setting: Setting) -> anyhow::Result<Self> {
        let wire = Wire::new(base, Some(&station.token))?;
        Ok(Self { station, setting, base: base.to_owned(), wire, next: 0, log: Log::default() })
    }

    /// How many still stand in the line.
    pub(super) fn left(&self) -> usize {
        self.station.people.len() * self.setting.campaigns.len() - self.next
    }

    /// The places, among this station's facts, of what is told about the next `people` of its line.
    fn next_facts(&self, people: usize) -> std::ops::Range<usize> {
        let place = |person: usize, ends: bool| person / POOL * TUBE_FACTS + if person.is_multiple_of(POOL) && !ends { 0 } else { person % POOL + 1 };
        let last = self.next + people;
        // The tube is sealed with its last swab.
        let end = if last.is_multiple_of(POOL) { last / POOL * TUBE_FACTS } else { place(last, true) };
        place(self.next, false)..end
    }

    fn id(&self, fact: usize) -> EventId {
        EventId::new(self.station.bucket, self.station.device, fact as u32 + 1)
    }

    /// One request: the same bytes whenever it is made.
    fn body(&self, facts: impl Iterator<Item = usize>) -> Bytes {
        let mut text = String::from("{\"facts\":[");
        for fact in facts {
            let (tube, within) = (fact / TUBE_FACTS, fact % TUBE_FACTS);
            // A line is whole tubes long: no tube belongs to two rounds.
            let line = self.station.people.len();
            let opened = self.id(tube * TUBE_FACTS);
            let happened = self.setting.begins_us + fact as i64 * 1_000;
            _ = write!(text, "{{\"id\":\"{}\",\"happened_us\":{happened},", self.id(fact));
            _ = match within {
                0 => write!(
                    text,
                    "\"kind\":\"screening.tube_opened\",\"body\":{{\"code\":\"L{}-{tube}\",\"campaign\":\"{}\",\"point\":\"{}\",\"ratio\":{POOL}}}}},",
                    self.station.device.number(),
                    self.setting.campaigns[tube * POOL / line],
                    self.setting.point
                ),
                within if within <= POOL => {
                    let person = self.station.people[(tube * POOL + within - 1) % line];
                    write!(text, "\"kind\":\"screening.person_sampled\",\"body\":{{\"tube\":\"{opened}\",\"person\":\"{person}\"}}}},")
                }
                _ => write!(text, "\"kind\":\"screening.tube_sealed\",\"body\":{{\"tube\":\"{opened}\",\"count\":{POOL}}}}},"),
            };
        }
        text.pop();
        text.push_str("]}");
        Bytes::from(text)
    }

    /// Tells about the next people of the line; what gets no answer is sent again until there is one.
    pub(super) async fn send(&mut self, people: usize, due: Stopwatch, run: Stopwatch) -> anyhow::Result<Sent> {
        let facts = self.next_facts(people);
        let body = self.body(facts.clone());
        let mut tries = 0;
        let (reply, took_us) = loop {
            let took = Stopwatch::start();
            match self.wire.post("/v1/facts", "application/json", body.clone()).await {
                Ok(reply) => break (reply, took.us()),
                Err(error) if tries >= 200 => return Err(error.context("no answer from the server")),
                Err(_) => {
                    tries += 1;
                    self.log.resent += facts.len() as u64;
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
            }
        };
        if reply.status == 503 {
            self.log.refusals.push(Refusal { took_us, at_us: run.us() });
            return Ok(Sent::Refused { retry_after_s: reply.retry_after_s.unwrap_or(1) });
        }
        if reply.status != 200 {
            bail!("{}: {}", reply.status, String::from_utf8_lossy(&reply.body));
        }
        self.note(facts, &reply.body)?;
        self.next += people;
        self.log.people += people as u64;
        self.log.timings.push(Timing { from_due_us: due.us(), at_us: run.us() });
        Ok(Sent::Acknowledged)
    }

    fn note(&mut self, facts: std::ops::Range<usize>, body: &[u8]) -> anyhow::Result<()> {
        let answers: Answers = serde_json::from_slice(body)?;
        for (fact, answer) in facts.zip(answers.answers) {
            let ordinal = answer.ordinal.with_context(|| format!("a fact was not recorded: {}", String::from_utf8_lossy(body)))?;
            self.log.acknowledged.push((fact as u32, ordinal));
            self.log.notes += answer.notes.len() as u64;
        }
        Ok(())
    }

    /// People whose request was refused go elsewhere: they are not asked again.
    pub(super) fn let_go(&mut self, people: usize) {
        self.next += people;
    }

    /// Sends everything acknowledged once more; says how many facts are not at the place they were given.
    pub(super) async fn recount(&mut self, base: &str) -> anyhow::Result<u64> {
        if base != self.base {
            self.wire = Wire::new(base, Some(&self.station.token))?;
            base.clone_into(&mut self.base);
        }
        let acknowledged = std::mem::take(&mut self.log.acknowledged);
        let mut lost = 0;
        for some in acknowledged.chunks(RECOUNT * TUBE_FACTS) {
            let body = self.body(some.iter().map(|(fact, _)| *fact as usize));
            let reply = loop {
                let reply = self.wire.post("/v1/facts", "application/json", body.clone()).await?;
                if reply.status != 503 {
                    break reply;
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            };
            let answers: Answers = serde_json::from_slice(&reply.body)?;
            lost += some.len().abs_diff(answers.answers.len()) as u64;
            lost += some.iter().zip(&answers.answers).filter(|((_, given), now)| now.ordinal != Some(*given)).count() as u64;
        }
        self.log.acknowledged = acknowledged;
        Ok(lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_kit::{Bucket, Device};

    fn desk() -> Desk {
        let station = Station {
            token: String::new(),
            device: Device::new(9).unwrap(),
            bucket: Bucket::new(3).unwrap(),
            people: (1..=40).map(|n| (3 << 56) + n).collect(),
        };
        Desk::new("http://nobody", station, Setting { campaigns: vec!["1".to_owned()], point: "2".to_owned(), begins_us: 5 }).unwrap()
    }

    #[test]
    fn the_line_comes_again_in_the_next_round_with_new_tubes() {
        let mut desk = desk();
        desk.setting.campaigns.push("7".to_owned());
        assert_eq!(desk.left(), 80);
        let text = |facts: std::ops::Range<usize>| String::from_utf8(desk.body(facts).to_vec()).unwrap();
        let (last, first) = (text(3 * TUBE_FACTS..4 * TUBE_FACTS), text(4 * TUBE_FACTS..5 * TUBE_FACTS));
        let person = |n: i64| format!("\"person\":\"{}\"", (3_i64 << 56) + n);
        assert!(last.contains("\"campaign\":\"1\"") && last.contains(&person(31)) && last.contains(&person(40)), "{last}");
        assert!(first.contains("\"campaign\":\"7\"") && first.contains(&person(1)) && first.contains(&person(10)), "{first}");
        assert!(first.contains("\"code\":\"L9-4\"") && first.contains(&desk.id(4 * TUBE_FACTS).to_string()), "{first}");
    }

    #[test]
    fn whatever_the_batch_every_fact_is_told_once_and_in_order() {
        for batch in [1, 3, 10, 20] {
            let mut desk = desk();
            let mut told = Vec::new();
            while desk.left() >= batch {
                told.extend(desk.next_facts(batch));
                desk.let_go(batch);
            }
            let whole = 40 / batch * batch;
            let sealed = if whole % POOL == 0 { whole / POOL * TUBE_FACTS } else { whole / POOL * TUBE_FACTS + whole % POOL + 1 };
            assert_eq!(told, (0..sealed).collect::<Vec<_>>(), "batches of {batch}");
        }
    }

    #[test]
    fn a_request_is_the_json_the_server_takes() {
        let desk = desk();
        let value: serde_json::Value = serde_json::from_slice(&desk.body(desk.next_facts(10))).unwrap();
        let facts = value["facts"].as_array().unwrap();
        let kinds: Vec<&str> = facts.iter().map(|fact| fact["kind"].as_str().unwrap()).collect();
        assert_eq!((kinds.len(), kinds[0], kinds[1], kinds[11]), (12, "screening.tube_opened", "screening.person_sampled", "screening.tube_sealed"));
        assert_eq!(facts[1]["body"]["tube"], facts[0]["id"]);
        assert_eq!(facts[10]["body"]["person"], ((3_i64 << 56) + 10).to_string());
    }
}
