//! What is decided in the laboratory: boxes admitted, plates laid, runs read, results signed.

use anyhow::{Context, bail};
use baton_instruments::{PlateFormat, write_rdml};
use baton_kit::time::MINUTE_US;
use baton_pcr::rules::ControlKind;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::{Decision, PlateNow, Play, Round, bucket_of, list, text};
use crate::assay::{Assay, Filling, WellFilling};
use crate::client::Sent;

/// A run that was not valid is done again so often.
const ATTEMPTS_MAX: u32 = 5;
const RUN_US: i64 = 75 * MINUTE_US;
/// From the end of a run to the technician's signature, and from there to the director's.
const FIRST_LOOK_US: i64 = 8 * MINUTE_US;
const SECOND_LOOK_US: i64 = 10 * MINUTE_US;

impl Play<'_> {
    pub(super) async fn take(&mut self, round: &mut Round, decision: Decision) -> anyhow::Result<()> {
        match decision {
            Decision::Admit { actor, package } => self.admit(round, actor, package).await,
            Decision::Fill { actor, plate } => self.fill(round, actor, plate).await,
            Decision::Read { actor, plate, attempt } => self.read(round, actor, plate, attempt).await,
            Decision::SignFirst { actor, plate } => self.sign_first(round, actor, plate).await,
            Decision::SignSecond { plate, tubes } => self.sign_second(round, plate, &tubes).await,
        }
    }

    async fn admit(&mut self, round: &mut Round, actor: u32, package: u32) -> anyhow::Result<()> {
        let (plan, id) = (&round.day.boxes[package as usize], &round.box_ids[package as usize]);
        let hand = &mut round.hands[actor as usize];
        let laboratory = self.laboratories[plan.laboratory as usize];
        let count = plan.tubes.len();
        let asked = json!({"id": hand.sayer.next_id(hand.bucket), "laboratory": laboratory, "count": count, "seal_intact": true, "temperature_tenths_c": 45});
        match hand.sayer.post(&format!("/v1/custody/boxes/{id}/admit"), &asked).await {
            Ok(_) => self.tally.decisions += 1,
            Err(failure) if failure.code() == "laboratory-over-capacity" => {
                let anyway = json!({"id": hand.sayer.next_id(hand.bucket), "kind": "custody.box_arrived_anyway", "happened_us": self.now, "body": {"box": id, "laboratory": laboratory, "count": count}});
                hand.sayer.post("/v1/facts", &json!({"facts": [anyway]})).await?;
                self.tally.facts += 1;
            }
            Err(failure) => bail!("box {}: {failure}", round.day.box_code(package)),
        }
        hand.blocked = false;
        hand.not_before = self.now.plus_us(baton_kit::time::SECOND_US);
        Ok(())
    }

    async fn fill(&mut self, round: &mut Round, actor: u32, plate: u32) -> anyhow::Result<()> {
        let plan = &round.day.plates[plate as usize];
        if !plan.tubes.iter().all(|tube| round.accessioned[*tube as usize]) {
            // A reception is behind: look again a little later.
            let later = self.now.plus_us(self.settings.step_us);
            if later > plan.read_at.plus_us(24 * 60 * MINUTE_US) {
                bail!("the tubes of plate {} were never taken in", round.day.plate_code(plate));
            }
            round.put(later, Decision::Fill { actor, plate });
            return Ok(());
        }
        let hand = &round.hands[actor as usize];
        let laboratory = self.laboratories[plan.laboratory as usize];
        let tubes: Vec<&String> = plan.tubes.iter().map(|tube| &round.tube_ids[*tube as usize]).collect();
        let id = hand.sayer.next_id(bucket_of(laboratory));
        let asked = json!({"id": id, "code": round.day.plate_code(plate), "laboratory": laboratory, "wells": 96, "assay": self.settings.assay, "tubes": tubes, "extraction_lot": self.lots.extraction, "pcr_lot": self.lots.pcr});
        let laid = hand.sayer.post("/v1/laboratory/plates", &asked).await.with_context(|| round.day.plate_code(plate))?;
        self.tally.decisions += 1;
        round.plates[plate as usize] =
            PlateNow { id: text(&laid, "plate")?.to_owned(), run: String::new(), any_negative: false, layout: list(&laid, "layout")?.to_vec() };
        Ok(())
    }

    async fn read(&mut self, round: &mut Round, actor: u32, plate: u32, attempt: u32) -> anyhow::Result<()> {
        if round.plates[plate as usize].id.is_empty() {
            round.put(self.now.plus_us(self.settings.step_us), Decision::Read { actor, plate, attempt });
            return Ok(());
        }
        let file = self.instrument_file(round, plate, attempt)?;
        let hand = &round.hands[actor as usize];
        let state = &round.plates[plate as usize];
        let id = hand.sayer.next_id(bucket_of(self.laboratories[round.day.plates[plate as usize].laboratory as usize]));
        let path = format!("/v1/laboratory/runs?plate={}&id={id}&file_name={}.rdml", state.id, round.day.plate_code(plate));
        let read = hand
            .sayer
            .upload(&path, Sent { content_type: "application/octet-stream", bytes: Bytes::from(file) })
            .await
            .with_context(|| round.day.plate_code(plate))?;
        self.tally.decisions += 1;
        self.tally.runs += 1;
        self.tally.wells += state.layout.len() as u64;
        text(&read, "run")?.clone_into(&mut round.plates[plate as usize].run);
        round.plates[plate as usize].any_negative = list(&read, "tubes")?.iter().any(|tube| tube["result"] == "negative");
        let held = !list(&read, "findings")?.iter().all(|finding| finding["wells"].as_array().is_none_or(Vec::is_empty));
        if !held {
            round.put(self.now.plus_us(FIRST_LOOK_US), Decision::SignFirst { actor, plate });
        } else if attempt + 1 < ATTEMPTS_MAX {
            round.put(self.now.plus_us(RUN_US), Decision::Read { actor, plate, attempt: attempt + 1 });
        } else {
            bail!("plate {} does not come right: {}", round.day.plate_code(plate), read["findings"]);
        }
        Ok(())
    }

    /// What the instrument writes for a plate as it was laid.
    fn instrument_file(&self, round: &Round, plate: u32, attempt: u32) -> anyhow::Result<Vec<u8>> {
        let mut wells = Vec::new();
        for laid in &round.plates[plate as usize].layout {
            let well = laid["well"].as_u64().context("a well")? as u16;
            let (sample, filling) = self.filling(round, laid)?;
            wells.push(WellFilling { row: well / 12, column: well % 12, sample, filling });
        }
        let key = u64::from(round.day.round) << 40 | u64::from(plate) << 8 | u64::from(attempt);
        let assay = Assay { epidemic: &self.epidemic, rules: &self.rules, settings: self.settings.instruments };
        Ok(write_rdml(&assay.run(key, &round.day.plate_code(plate), PlateFormat::WELLS_96, &wells)))
    }

    fn filling<'t>(&'t self, round: &Round, laid: &Value) -> anyhow::Result<(String, Filling<'t>)> {
        if let Some(id) = laid["tube"].as_str() {
            let tube = *round.tube_of.get(id).with_context(|| format!("tube {id} is not of this city"))?;
            let key = round.day.tube_key(tube);
            return Ok((round.labels.codes[tube as usize].clone(), Filling::Tube { key, members: self.truth.members(key), ratio: round.day.settings.ratio }));
        }
        let kinds = [
            ("no_template_control", "NTC", ControlKind::NoTemplate),
            ("positive_control", "PC", ControlKind::Positive),
            ("extraction_control", "EC", ControlKind::Extraction),
        ];
        let kind = kinds.into_iter().find(|(name, ..)| laid.get(name).is_some());
        let (_, sample, kind) = kind.with_context(|| format!("a well of no known content: {laid}"))?;
        Ok((sample.to_owned(), Filling::Control(kind)))
    }

    /// The technician lets the negatives out by rule and signs for all others.
    async fn sign_first(&mut self, round: &mut Round, actor: u32, plate: u32) -> anyhow::Result<()> {
        let hand = &round.hands[actor as usize];
        let bucket = bucket_of(self.laboratories[round.day.plates[plate as usize].laboratory as usize]);
        let path = format!("/v1/laboratory/runs/{}/sign", round.plates[plate as usize].run);
        let sayer = hand.sayer.clone();
        let mut out: Vec<String> = Vec::new();
        if round.plates[plate as usize].any_negative {
            match sayer.post(&path, &json!({"id": sayer.next_id(bucket), "tubes": []})).await {
                Ok(signed) => {
                    self.tally.decisions += 1;
                    out = self.note_released(&signed)?;
                }
                Err(failure) if failure.code() == "lab-nothing-by-rule" => {}
                Err(failure) => bail!("plate {}: {failure}", round.day.plate_code(plate)),
            }
        }
        let tubes = round.day.plates[plate as usize].tubes.iter().map(|tube| &round.tube_ids[*tube as usize]);
        let rest: Vec<String> = tubes.filter(|id| !out.contains(id)).cloned().collect();
        if rest.is_empty() {
            return Ok(());
        }
        let signed = sayer.post(&path, &json!({"id": sayer.next_id(bucket), "tubes": rest})).await?;
        self.tally.decisions += 1;
        self.note_released(&signed)?;
        round.put(self.now.plus_us(SECOND_LOOK_US), Decision::SignSecond { plate, tubes: rest });
        Ok(())
    }

    async fn sign_second(&mut self, round: &mut Round, plate: u32, tubes: &[String]) -> anyhow::Result<()> {
        let laboratory = round.day.plates[plate as usize].laboratory;
        let director = round.directors[laboratory as usize].clone();
        let path = format!("/v1/laboratory/runs/{}/sign", round.plates[plate as usize].run);
        let asked = json!({"id": director.next_id(bucket_of(self.laboratories[laboratory as usize])), "tubes": tubes});
        let signed = director.post(&path, &asked).await.with_context(|| round.day.plate_code(plate))?;
        self.tally.decisions += 1;
        let released = self.note_released(&signed)?;
        if released.len() != tubes.len() {
            bail!("plate {}: {} of {} tubes went out with the second signature", round.day.plate_code(plate), released.len(), tubes.len());
        }
        Ok(())
    }

    /// The tubes a signature let out.
    fn note_released(&mut self, signed: &Value) -> anyhow::Result<Vec<String>> {
        let mut tubes = Vec::new();
        for read in list(signed, "released")? {
            *self.tally.released.entry(text(read, "result")?.to_owned()).or_default() += 1;
            tubes.push(text(read, "tube")?.to_owned());
        }
        Ok(tubes)
    }
}
