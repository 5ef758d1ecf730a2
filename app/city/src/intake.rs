//! Brings a city's roster into a running server, as its administrator would: sheets of people, then the number of each.

use anyhow::{Context, bail};
use hyper::body::Bytes;
use serde_json::json;

use crate::client::{Sayer, Sent};
use crate::people::City;
use crate::roster::{self, RosterOptions};

/// People of one import: a sheet of some 20 MB.
const IMPORT_PEOPLE: usize = 100_000;
/// Documents of one request.
const MATCH_MAX: usize = 500;

/// Sends the roster, sheet by sheet. `progress` hears how many people have been taken in.
pub(crate) async fn import(boss: &Sayer, city: &City, mut progress: impl FnMut(u64)) -> anyhow::Result<()> {
    let mut whole = Vec::new();
    roster::write_roster(city, RosterOptions::default(), &mut whole)?;
    let mut rows = whole.split_inclusive(|byte| *byte == b'\n');
    let header = rows.next().unwrap_or_default().to_vec();
    let rows: Vec<&[u8]> = rows.collect();
    for (number, some) in rows.chunks(IMPORT_PEOPLE).enumerate() {
        let sheet = Bytes::from([header.as_slice(), &some.concat()].concat());
        let path = format!("/v1/registry/imports?file=roster-{}.csv&mode=commit", number + 1);
        let report = boss.upload(&path, Sent { content_type: "text/csv", bytes: sheet }).await?;
        if report["counts"]["new"].as_u64() != Some(some.len() as u64) {
            bail!("not everybody was imported: {} {}", report["counts"], report["problems"]);
        }
        progress((number * IMPORT_PEOPLE + some.len()) as u64);
    }
    Ok(())
}

/// Under which number each person of the city is known, in the city's order.
pub(crate) async fn match_people(boss: &Sayer, city: &City) -> anyhow::Result<Vec<i64>> {
    let mut people = Vec::with_capacity(city.people as usize);
    let numbers: Vec<u32> = (0..city.people).collect();
    for some in numbers.chunks(MATCH_MAX) {
        let document = |person: &u32| {
            let document = city.person(*person).document;
            json!({"kind": roster::document_word(document.kind, roster::Headers::English), "number": document.number})
        };
        let asked = json!({"documents": some.iter().map(document).collect::<Vec<_>>()});
        let answer = boss.post("/v1/registry/people/match", &asked).await?;
        let known = answer["people"].as_array().with_context(|| format!("people in {answer}"))?;
        for (person, known) in some.iter().zip(known) {
            let id = known.as_str().with_context(|| format!("person {person} of the roster is not known"))?;
            people.push(id.parse()?);
        }
    }
    Ok(people)
}
