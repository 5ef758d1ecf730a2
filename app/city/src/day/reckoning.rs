//! After the day: what Baton says of everybody, held against what is so.

use std::collections::{BTreeSet, HashMap};

use anyhow::Context;
use serde_json::{Value, json};

use super::{Outcome, Play, Stage, list, text};
use crate::truth::Standing;

/// From the first swab of a tube to its release, in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Turnaround {
    pub p50: i64,
    pub p90: i64,
    pub max: i64,
}

/// People of one request.
const STANDINGS_MAX: usize = 500;

impl Play<'_> {
    /// The people who must be swabbed again, as the city numbers them.
    pub(super) async fn follow_up_list(&mut self) -> anyhow::Result<Vec<u32>> {
        self.sign_in_again().await?;
        let number: HashMap<i64, u32> = self.people.iter().enumerate().map(|(number, id)| (*id, number as u32)).collect();
        let answer = self.boss.get(&format!("/v1/screening/campaigns/{}/follow-up", self.campaign)).await?;
        let mut people = BTreeSet::new();
        for entry in list(&answer, "entries")? {
            let id: i64 = text(entry, "person")?.parse()?;
            people.insert(*number.get(&id).with_context(|| format!("person {id} of the follow-up list is not of this city"))?);
        }
        Ok(people.into_iter().collect())
    }

    /// What Baton says of these people.
    async fn standings(&self, people: &[u32]) -> anyhow::Result<HashMap<u32, Standing>> {
        let mut standings = HashMap::new();
        for some in people.chunks(STANDINGS_MAX) {
            let ids: Vec<String> = some.iter().map(|person| self.people[*person as usize].to_string()).collect();
            let answer = self.boss.post(&format!("/v1/screening/campaigns/{}/standings", self.campaign), &json!({"people": ids})).await?;
            for (person, said) in some.iter().zip(list(&answer, "people")?) {
                standings.insert(*person, standing(said));
            }
        }
        Ok(standings)
    }

    /// Asks for everybody who is infected or was called back: only a specimen of one's own can make anybody positive.
    pub(super) async fn reckon(mut self, followed: Vec<u32>, rounds: u32, people: u32) -> anyhow::Result<Outcome> {
        (self.around.progress)(Stage::Reckoning, 0, 1);
        let listed: BTreeSet<u32> = self.follow_up_list().await?.into_iter().collect();
        let infected = (0..people).filter(|person| self.epidemic.infection(*person).is_some());
        let asked: BTreeSet<u32> = infected.chain(followed).filter(|person| self.people.get(*person as usize).is_some_and(|id| *id != 0)).collect();
        let standings = self.standings(&asked.into_iter().collect::<Vec<_>>()).await?;
        let score = self.truth.score(&self.epidemic, people, |person| match standings.get(&person) {
            Some(Standing::Positive) => Standing::Positive,
            _ if listed.contains(&person) => Standing::FollowUp,
            said => said.copied().unwrap_or(Standing::Negative),
        });
        let turnaround = self.turnaround().await?;
        let evening = self.boss.get("/v1/outlook/evenings").await?.as_array().and_then(|evenings| evenings.last().cloned());
        // Looks at people are put on record without waiting; whatever is decided after them comes after them in the ledger.
        self.sign_in_again().await?;
        Ok(Outcome {
            people: self.epidemic.city.people,
            sampled: self.truth.sampled().len(),
            tubes: self.tally.tubes,
            boxes: self.tally.boxes,
            plates: self.tally.plates,
            wells: self.tally.wells,
            runs: self.tally.runs,
            released: self.tally.released,
            follow_up_rounds: rounds,
            facts: self.tally.facts,
            decisions: self.tally.decisions,
            notes: self.tally.notes,
            score,
            turnaround,
            evening,
            logins: self.logins,
            ended: self.now,
        })
    }

    async fn turnaround(&self) -> anyhow::Result<Turnaround> {
        let answer = self.boss.get(&format!("/v1/laboratory/clock?limit=0&from_us={}", self.settings.opens.0)).await?;
        let seconds = |name: &str| answer["turnaround_s"][name].as_i64().with_context(|| format!("no {name} in {}", answer["turnaround_s"]));
        Ok(Turnaround { p50: seconds("p50")?, p90: seconds("p90")?, max: seconds("max")? })
    }
}

fn standing(said: &Value) -> Standing {
    match (said["state"].as_str().unwrap_or_default(), said["result"].as_str().unwrap_or_default()) {
        (_, "positive") => Standing::Positive,
        ("held", _) => Standing::FollowUp,
        ("resulted", "negative") => Standing::Negative,
        ("due" | "exempt" | "", _) => Standing::NotSampled,
        _ => Standing::Pending,
    }
}
