//! From what actors do to what their devices say.

use std::sync::Arc;

use anyhow::{Context, bail};
use baton_kit::time::SECOND_US;
use baton_kit::{EventId, Timestamp, TypedId};
use serde_json::{Value, json};

use super::{Decision, Play, Round, list, text};
use crate::client::Sayer;
use crate::roster::{self, Headers};
use crate::script::{Act, Role, TubeFate};

/// Facts of one request at most.
const FACTS_MAX: usize = 200;

/// One request of a device.
#[derive(Debug)]
pub(super) enum Batch {
    Facts(Vec<Value>),
    /// Somebody who is not on the roster is entered on the spot.
    Register {
        person: u32,
        asked: Value,
    },
}

/// What came back.
#[derive(Debug)]
pub(super) enum Told {
    Fact(Vec<String>),
    Registered { person: u32, id: i64 },
}

impl Batch {
    pub(super) async fn send(self, sayer: &Sayer) -> anyhow::Result<Vec<Told>> {
        match self {
            Batch::Facts(facts) => {
                let answer = sayer.post("/v1/facts", &json!({"facts": facts})).await?;
                list(&answer, "answers")?.iter().map(recorded).collect()
            }
            Batch::Register { person, asked } => {
                let answer = sayer.post("/v1/registry/people", &asked).await?;
                Ok(vec![Told::Registered { person, id: text(&answer, "person")?.parse()? }])
            }
        }
    }
}

fn recorded(answer: &Value) -> anyhow::Result<Told> {
    if answer["status"] != "recorded" {
        bail!("a fact was not recorded: {answer}");
    }
    let codes = list(answer, "notes")?.iter().map(|note| text(note, "code").map(str::to_owned));
    Ok(Told::Fact(codes.collect::<anyhow::Result<_>>()?))
}

/// What a device says next, growing.
#[derive(Default)]
struct Saying {
    batches: Vec<Batch>,
    facts: Vec<Value>,
}

impl Saying {
    fn fact(&mut self, id: EventId, kind: &str, happened: Timestamp, body: Value) {
        self.facts.push(json!({"id": id, "kind": kind, "happened_us": happened, "body": body}));
        if self.facts.len() >= FACTS_MAX {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if !self.facts.is_empty() {
            self.batches.push(Batch::Facts(std::mem::take(&mut self.facts)));
        }
    }
}

type Sayings = Vec<(Arc<Sayer>, Vec<Batch>)>;

impl Round {
    /// The actions that are next up to `until`, in the order of time: whoever packs a tube has seen it opened.
    fn happening(&self, until: Timestamp) -> Vec<usize> {
        let actions = &self.day.actions;
        let ready = self.hands.iter().filter(|hand| !hand.blocked);
        let mut happening: Vec<usize> = ready.flat_map(|hand| hand.ahead.iter().copied().take_while(|index| actions[*index].at <= until)).collect();
        happening.sort_unstable();
        happening
    }
}

impl Play<'_> {
    /// Everything that happens up to `until` and is nobody's decision, by device. Decisions are put where they are due.
    pub(super) fn facts_until(&mut self, round: &mut Round, until: Timestamp) -> anyhow::Result<Sayings> {
        let mut sayings: Vec<Saying> = round.hands.iter().map(|_| Saying::default()).collect();
        for index in round.happening(until) {
            let action = round.day.actions[index];
            let hand = &mut round.hands[action.actor as usize];
            if hand.blocked {
                continue;
            }
            hand.ahead.pop_front();
            self.act(round, action.actor, action.at, action.act, &mut sayings[action.actor as usize])?;
        }
        let by_device = round.hands.iter().zip(sayings).map(|(hand, mut saying)| {
            saying.cut();
            (hand.sayer.clone(), saying.batches)
        });
        Ok(by_device.filter(|(_, batches)| !batches.is_empty()).collect())
    }

    fn person(&self, person: u32) -> Option<i64> {
        self.people.get(person as usize).copied().filter(|id| *id != 0)
    }

    fn act(&mut self, round: &mut Round, actor: u32, planned: Timestamp, act: Act, saying: &mut Saying) -> anyhow::Result<()> {
        let hand = &mut round.hands[actor as usize];
        let at = planned.max(hand.not_before);
        let decision = match (act, hand.role) {
            (Act::AcceptBox { package }, Role::Reception { .. }) => {
                hand.blocked = true;
                Some(Decision::Admit { actor, package })
            }
            (Act::FillPlate { plate }, _) => Some(Decision::Fill { actor, plate }),
            (Act::FinishRun { plate }, _) => Some(Decision::Read { actor, plate, attempt: 0 }),
            _ => None,
        };
        if let Some(decision) = decision {
            round.put(at, decision);
            return Ok(());
        }
        // A second between what a busy hand does, so that the order stays to be seen.
        if planned < hand.not_before {
            hand.not_before = hand.not_before.plus_us(SECOND_US);
        }
        round.left = round.left.saturating_sub(1);
        match act {
            Act::PackBox { package } | Act::OfferBox { package } | Act::AcceptBox { package } => self.carry(round, actor, at, act, package, saying),
            Act::AccessionTube { tube } | Act::RejectTube { tube } | Act::MissTube { tube } => self.receive(round, actor, at, tube, saying),
            _ => self.sample(round, actor, at, act, saying),
        }
    }

    fn sample(&mut self, round: &mut Round, actor: u32, at: Timestamp, act: Act, saying: &mut Saying) -> anyhow::Result<()> {
        let (sayer, bucket, role) = {
            let hand = &round.hands[actor as usize];
            (hand.sayer.clone(), hand.bucket, hand.role)
        };
        match act {
            Act::OpenTube { tube } => {
                if let Some(serial) = round.labels.spoiled.remove(&tube) {
                    saying.fact(sayer.next_id(bucket), "screening.labels_struck_off", at, json!({"from": serial, "to": serial, "reason": "spoiled"}));
                }
                let id = sayer.next_id(bucket);
                let mut body = json!({"code": round.labels.codes[tube as usize], "campaign": self.campaign, "point": self.place_of(role), "ratio": round.day.settings.ratio, "fluid_lot": self.lots.fluid});
                if round.day.round > 0 {
                    body["follow_up"] = json!(true);
                }
                round.tube_ids[tube as usize] = id.to_string();
                round.tube_of.insert(id.to_string(), tube);
                saying.fact(id, "screening.tube_opened", at, body);
            }
            Act::Register { person } => {
                saying.cut();
                let id = sayer.next_id(bucket);
                let asked = self.newcomer(person, id, self.place_of(role));
                self.people.resize(self.people.len().max(person as usize + 1), 0);
                if self.people[person as usize] == 0 {
                    self.people[person as usize] = id.raw();
                }
                saying.batches.push(Batch::Register { person, asked });
            }
            Act::Swab { tube, person } => {
                let known = self.person(person).with_context(|| format!("person {person} has no number"))?;
                let id = sayer.next_id(bucket);
                round.hands[actor as usize].last_scan = Some(id.to_string());
                saying.fact(id, "screening.person_sampled", at, json!({"tube": round.tube_ids[tube as usize], "person": known.to_string()}));
            }
            Act::UndoSwab { .. } => {
                let scan = round.hands[actor as usize].last_scan.take().context("a scan to take back")?;
                saying.fact(sayer.next_id(bucket), "screening.scan_undone", at, json!({"scan": scan, "reason": "wrong_person"}));
            }
            Act::SealTube { tube } => {
                let count = round.day.tubes[tube as usize].members.len();
                saying.fact(sayer.next_id(bucket), "screening.tube_sealed", at, json!({"tube": round.tube_ids[tube as usize], "count": count}));
            }
            _ => bail!("{act:?} is done elsewhere"),
        }
        Ok(())
    }

    pub(super) fn place_of(&self, role: Role) -> String {
        let point = match role {
            Role::Lane { point, .. } => point as usize,
            // A door team works from its zone's first point.
            Role::DoorTeam { zone, .. } => zone as usize * (self.points.len() / self.zones.len()),
            _ => 0,
        };
        self.points[point].to_string()
    }

    fn newcomer(&self, person: u32, id: EventId, place: String) -> Value {
        let newcomer = self.epidemic.city.person(person);
        let kind = roster::document_word(newcomer.document.kind, Headers::English);
        json!({"id": id, "name": newcomer.name, "document_kind": kind, "document": newcomer.document.number, "phone": newcomer.phone, "address": newcomer.address, "place": place})
    }

    fn carry(&self, round: &mut Round, actor: u32, at: Timestamp, act: Act, package: u32, saying: &mut Saying) -> anyhow::Result<()> {
        let plan = &round.day.boxes[package as usize];
        let count = plan.tubes.len();
        let hand = &round.hands[actor as usize];
        let (sayer, bucket) = (hand.sayer.clone(), hand.bucket);
        let known = round.box_ids[package as usize].clone();
        match act {
            Act::PackBox { .. } => {
                let id = sayer.next_id(bucket);
                saying.fact(id, "custody.box_opened", at, json!({"code": round.day.box_code(package), "point": self.place_of(hand.role)}));
                for tube in &plan.tubes {
                    saying.fact(sayer.next_id(bucket), "custody.tube_boxed", at, json!({"box": id, "tube": round.tube_ids[*tube as usize]}));
                }
                let seal = format!("S{:02}{:06}", round.day.round, package + 1);
                saying.fact(sayer.next_id(bucket), "custody.box_sealed", at, json!({"box": id, "seal": seal, "count": count}));
                round.box_ids[package as usize] = id.to_string();
            }
            Act::OfferBox { .. } => {
                let to = if actor == plan.carrier {
                    json!({"laboratory": self.laboratories[plan.laboratory as usize]})
                } else {
                    json!({"account": round.hands[plan.carrier as usize].account})
                };
                saying.fact(sayer.next_id(bucket), "custody.box_offered", at, json!({"box": known, "to": to, "count": count}));
            }
            _ => saying.fact(
                sayer.next_id(bucket),
                "custody.box_accepted",
                at,
                json!({"box": known, "count": count, "seal_intact": true, "temperature_tenths_c": 40}),
            ),
        }
        Ok(())
    }

    fn receive(&self, round: &mut Round, actor: u32, at: Timestamp, tube: u32, saying: &mut Saying) -> anyhow::Result<()> {
        let hand = &round.hands[actor as usize];
        let Role::Reception { laboratory, .. } = hand.role else { bail!("only a reception takes tubes in") };
        let (id, known) = (hand.sayer.next_id(hand.bucket), &round.tube_ids[tube as usize]);
        let laboratory = self.laboratories[laboratory as usize];
        match round.day.tubes[tube as usize].fate {
            TubeFate::Lost => saying.fact(id, "custody.tubes_lost", at, json!({"tubes": [known], "reason": "missing"})),
            TubeFate::Leaked => saying.fact(id, "laboratory.tube_accessioned", at, json!({"tube": known, "laboratory": laboratory, "rejected": "leaked"})),
            TubeFate::Arrives => saying.fact(id, "laboratory.tube_accessioned", at, json!({"tube": known, "laboratory": laboratory})),
        }
        round.accessioned[tube as usize] = true;
        Ok(())
    }
}
