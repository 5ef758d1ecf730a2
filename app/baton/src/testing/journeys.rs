//! Journeys: scripts a laboratory manager can read, with golden output, on both stores.
//!
//! A line `> …` is a command, the lines `< …` after it are what Baton answered; everything else is prose.
//! `BATON_UPDATE=1` writes the answers anew. Commands:
//! `user LOGIN ROLE[,ROLE] [SCOPE]` · `as LOGIN` · `at 2026-03-27 08:00` · `fact KIND BODY [= NAME]` · `again` · `post PATH BODY [= NAME]` ·
//! `command PATH BODY [= NAME]` (a post whose body gets an id of the device) · `get PATH` · `show POINTER…` (JSON pointers into the last answer) ·
//! `offline` (facts wait in the device) · `online` (they are sent in one request; one answer a line).
//! `$NAME` is replaced everywhere.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use baton_desk::{Role, Scope};
use baton_kit::{Bucket, Device, EventId};
use serde_json::{Value, json};

use super::{Installation, Reply};

struct Journey<'i> {
    installation: &'i Installation,
    names: BTreeMap<String, String>,
    signed: BTreeMap<String, (String, u32)>,
    who: String,
    sequences: BTreeMap<u32, u32>,
    /// Facts that wait while the device has no network.
    waiting: Option<Vec<Value>>,
    last: Option<Sent>,
    shown: Option<Value>,
}

struct Sent {
    path: String,
    body: Value,
}

impl Journey<'_> {
    fn fill(&self, text: &str) -> String {
        let mut names: Vec<(&String, &String)> = self.names.iter().collect();
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        names.into_iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${name}"), value))
    }

    fn token(&self) -> Option<&str> {
        self.signed.get(&self.who).map(|(token, _)| token.as_str())
    }

    fn next_id(&mut self, bucket: u8) -> EventId {
        let device = self.signed.get(&self.who).map_or(0, |(_, device)| *device);
        let sequence = self.sequences.entry(device).or_insert(0);
        *sequence += 1;
        EventId::new(Bucket::new(bucket).expect("a bucket"), Device::new(device).expect("a device"), *sequence)
    }

    async fn run(&mut self, command: &str) -> String {
        let command = self.fill(command);
        let (word, rest) = command.split_once(' ').unwrap_or((&command, ""));
        let (rest, name) = match rest.rsplit_once(" = ") {
            Some((rest, name)) => (rest, Some(name.trim().to_owned())),
            None => (rest, None),
        };
        match word {
            "user" => self.user(rest).await,
            "as" => rest.clone_into(&mut self.who),
            "at" => self.installation.clock.advance_to(self.installation.app().site.parse(rest).expect("a time")),
            "fact" => return self.fact(rest, name).await,
            "command" => return self.command(rest, name).await,
            "post" => {
                let (path, body) = rest.split_once(' ').expect("post PATH BODY");
                let body = serde_json::from_str(body).expect("a JSON body");
                return self.post(path.to_owned(), body, name).await;
            }
            "again" => {
                let last = self.last.take().expect("something was sent before");
                return self.post(last.path, last.body, name).await;
            }
            "get" => return self.get(rest).await,
            "show" => return self.show(rest),
            "offline" => self.waiting = Some(Vec::new()),
            "online" => {
                let facts = self.waiting.take().expect("an offline before");
                return self.post("/v1/facts".to_owned(), json!({"facts": facts}), None).await.replace("; ", "\n");
            }
            other => panic!("no command is called {other}"),
        }
        String::new()
    }

    async fn user(&mut self, rest: &str) {
        let words: Vec<&str> = rest.split(' ').collect();
        let roles: Vec<Role> = words[1].split(',').map(|name| Role::from_name(name).expect("a role")).collect();
        let scope = words.get(2).map_or(Scope::Everywhere, |scope| baton_desk::accounts::users::scope_from(scope, |_| Ok(Vec::new())).expect("a scope"));
        let account = self.installation.user(words[0], &roles, scope).await;
        let signed = self.installation.sign_in(words[0]).await;
        self.names.insert(words[0].to_owned(), account.to_string());
        self.signed.insert(words[0].to_owned(), signed);
        words[0].clone_into(&mut self.who);
    }

    async fn fact(&mut self, rest: &str, name: Option<String>) -> String {
        let (kind, body) = rest.split_once(' ').expect("fact KIND BODY");
        let id = self.next_id(1);
        let happened = self.installation.app().ledger.now();
        let body: Value = serde_json::from_str(body).expect("a JSON body");
        let fact = json!({"id": id, "kind": kind, "happened_us": happened, "body": body});
        if let Some(name) = name {
            self.names.insert(name, id.to_string());
        }
        match &mut self.waiting {
            Some(waiting) => {
                waiting.push(fact);
                String::new()
            }
            None => self.post("/v1/facts".to_owned(), json!({"facts": [fact]}), None).await,
        }
    }

    async fn command(&mut self, rest: &str, name: Option<String>) -> String {
        let (path, body) = rest.split_once(' ').expect("command PATH BODY");
        let mut body: Value = serde_json::from_str(body).expect("a JSON body");
        let id = self.next_id(1);
        body["id"] = json!(id);
        if let Some(name) = name {
            self.names.insert(name, id.to_string());
        }
        self.post(path.to_owned(), body, None).await
    }

    async fn post(&mut self, path: String, body: Value, name: Option<String>) -> String {
        let reply = self.installation.send("POST", &path, self.token(), Some(&body)).await;
        self.last = Some(Sent { path, body });
        let answer = reply.json();
        if let (Some(name), Some(id)) = (name, answer["id"].as_str().or(answer["person"].as_str())) {
            self.names.insert(name, id.to_owned());
        }
        self.settle();
        self.said(&reply)
    }

    async fn get(&mut self, path: &str) -> String {
        let reply = self.installation.send("GET", path, self.token(), None).await;
        self.said(&reply)
    }

    /// Waits until the tables show what was said.
    fn settle(&self) {
        let ledger = &self.installation.app().ledger;
        assert!(ledger.wait_folded(ledger.position().0, std::time::Duration::from_secs(20)), "the follower stands still");
    }

    fn said(&mut self, reply: &Reply) -> String {
        let answer = reply.json();
        let words = match &answer["answers"] {
            Value::Array(answers) => answers.iter().map(in_words).collect::<Vec<_>>().join("; "),
            _ => refusal_words(&answer).unwrap_or_else(|| "done".to_owned()),
        };
        self.shown = Some(answer);
        format!("{} {words}", reply.status)
    }

    fn show(&self, pointers: &str) -> String {
        let answer = self.shown.as_ref().expect("an answer to show");
        let shown: Vec<String> = pointers.split(' ').map(|pointer| format!("{pointer} {}", answer.pointer(pointer).unwrap_or(&Value::Null))).collect();
        shown.join("\n")
    }
}

fn refusal_words(answer: &Value) -> Option<String> {
    let code = answer["code"].as_str()?;
    Some(format!("refused {code}: {}", answer["message"].as_str()?))
}

fn in_words(answer: &Value) -> String {
    if let Some(words) = refusal_words(&answer["refusal"]) {
        return words;
    }
    let notes: Vec<String> =
        answer["notes"].as_array().into_iter().flatten().map(|note| format!(" — {}", note["message"].as_str().unwrap_or_default())).collect();
    format!("recorded{}", notes.concat())
}

/// Runs a script; its text with the answers of today.
async fn play(installation: &Installation, script: &str) -> String {
    let mut journey = Journey {
        installation,
        names: BTreeMap::new(),
        signed: BTreeMap::new(),
        who: String::new(),
        sequences: BTreeMap::new(),
        waiting: None,
        last: None,
        shown: None,
    };
    let mut played = String::new();
    for line in script.lines().filter(|line| !line.starts_with('<')) {
        _ = writeln!(played, "{line}");
        if let Some(command) = line.strip_prefix("> ") {
            for answer in journey.run(command).await.lines() {
                _ = writeln!(played, "< {answer}");
            }
        }
    }
    played
}

fn scripts() -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/journeys");
    let entries = std::fs::read_dir(folder).expect("tests/journeys");
    let mut scripts: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "txt")).collect();
    scripts.sort();
    scripts
}

/// Without a runtime around it: the PostgreSQL client is opened and closed outside of async code.
#[test]
fn journeys_end_as_written_on_every_store() {
    let scripts = scripts();
    assert!(!scripts.is_empty(), "there are journeys");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for path in scripts {
        for installation in Installation::on_each_store() {
            let script = std::fs::read_to_string(&path).expect("a script");
            let played = runtime.block_on(play(&installation, &script));
            if std::env::var_os("BATON_UPDATE").is_some() && installation.store_name() == "SQLite" {
                std::fs::write(&path, &played).expect("the script");
            } else if played != script {
                panic!("{} on {} went another way:\n{played}", path.display(), installation.store_name());
            }
        }
    }
}
