//! What we know, as FHIR resources. Nothing that is not released is told.

use baton_fhir::*;
use baton_kit::{CampaignId, PersonId, Timestamp};
use baton_laboratory::events::{TargetRead, TubeOutcome};
use baton_registry::model::Brief;
use baton_screening::model::{Campaign, Due, DueState, FollowUp};

use super::system;
use crate::codes::{self, Code};
use crate::model::{Answer, Told, Unit};

/// For whom it is drawn.
pub(crate) struct Drawing<'a> {
    pub(crate) release: Release,
    /// Words in the asker's language.
    pub(crate) words: &'a dyn Fn(&str) -> String,
}

fn instant(at: Timestamp) -> Moment {
    Moment::from_us(at.0)
}

fn concept(code: Option<Code>, standard: &str, own: (&str, &str)) -> CodeableConcept {
    match code {
        Some(code) => CodeableConcept::of(Coding::new(standard, code.code, code.display)),
        None => CodeableConcept::of(Coding::new(own.0, own.1, own.1)),
    }
}

fn told_meta(told: &Told) -> Meta {
    Meta { version_id: Some(told.ordinal.to_string()), last_updated: Some(instant(told.recorded)) }
}

impl Drawing<'_> {
    pub(crate) fn patient(&self, person: PersonId, brief: Option<&Brief>) -> Patient {
        let mut patient = Patient::with_id(person);
        patient.identifier.push(Identifier::new(system::PERSON, person));
        patient.active = Some(brief.is_some());
        if let Some(brief) = brief {
            patient.identifier.push(Identifier::new(system::DOCUMENT_TAIL, &brief.document_tail));
            patient.name.push(HumanName { usage: Some("official".to_owned()), text: Some(brief.name.clone()) });
        }
        patient
    }

    pub(crate) fn specimen(&self, unit: &Unit) -> Specimen {
        let clock = &unit.tube.clock;
        let mut specimen = Specimen::with_id(unit.id());
        let pooled = unit.swab.is_none();
        specimen.accession_identifier = clock.code.as_deref().map(|code| Identifier::new(system::TUBE, code));
        specimen.kind = Some(CodeableConcept::text(&(self.words)(if pooled { "exchange-specimen-pool" } else { "exchange-specimen-swab" })));
        specimen.received_time = clock.accessioned.map(instant);
        let gone = clock.rejected.as_deref().or(clock.lost.as_deref());
        let status = match (unit.undone(), gone) {
            (true, _) => "entered-in-error",
            (_, Some(_)) => "unsatisfactory",
            _ => "available",
        };
        specimen.status = Some(status.to_owned());
        specimen.condition = gone.map(|reason| CodeableConcept::of(Coding::new(system::REJECTION, reason, reason))).into_iter().collect();
        let collected = unit.swab.map_or(clock.first_swab, |swab| swab.swabbed);
        specimen.collection = collected.map(|at| Collection { collected_date_time: Some(instant(at)) });
        specimen.subject = unit.person().map(|person| Reference::to("Patient", person));
        if pooled {
            specimen.parent = unit.tube.swabs.iter().map(|swab| Reference::to("Specimen", swab.scan)).collect();
            specimen.combined = (self.release == Release::R5).then(|| "pooled".to_owned());
        }
        specimen
    }

    /// The interpretation and, for whoever it is the own specimen of, each target's presence and cycle.
    pub(crate) fn observations(&self, unit: &Unit) -> Vec<Observation> {
        let answer = unit.answer(None);
        let Some(outcome) = answer.outcome().filter(|_| !unit.tube.told.is_empty()) else { return Vec::new() };
        let mut all = vec![self.interpretation(unit, outcome)];
        if unit.swab.is_none() || unit.is_own() {
            for (n, reading) in unit.tube.readings.iter().enumerate() {
                all.extend(self.target(unit, n + 1, reading));
            }
        }
        let derived: Vec<Reference> = all.iter().skip(1).filter_map(|one| Some(Reference::to("Observation", one.id.as_deref()?))).collect();
        all[0].derived_from = derived;
        all
    }

    fn observation(&self, unit: &Unit, id: String, code: CodeableConcept) -> Observation {
        let clock = &unit.tube.clock;
        let mut observation = Observation::with_id(id);
        observation.status = "final".to_owned();
        observation.category = vec![CodeableConcept::of(Coding::new(system::CATEGORY, "laboratory", "Laboratory"))];
        observation.code = code;
        observation.subject = unit.person().map(|person| Reference::to("Patient", person));
        observation.effective_date_time = unit.swab.map_or(clock.first_swab, |swab| swab.swabbed).map(instant);
        observation.issued = unit.tube.told.first().map(|told| instant(told.happened));
        observation.performer = self.performer(unit);
        observation.specimen = Some(Reference::to("Specimen", unit.id()));
        observation
    }

    fn performer(&self, unit: &Unit) -> Vec<Reference> {
        unit.tube.laboratory.iter().map(|(place, name)| Reference::logical(system::PLACE, place, Some(name.clone()))).collect()
    }

    fn interpretation(&self, unit: &Unit, outcome: TubeOutcome) -> Observation {
        let code = concept(codes::overall(unit.tube.assay.as_deref()), system::LOINC, (system::TEST, unit.tube.assay.as_deref().unwrap_or("unknown")));
        let mut observation = self.observation(unit, unit.id().to_string(), code);
        if unit.tube.told.len() > 1 {
            observation.status = "amended".to_owned();
            observation.issued = unit.tube.told.last().map(|told| instant(told.happened));
        }
        found(&mut observation, codes::finding(outcome));
        observation.note.push(Annotation { time: None, text: (self.words)(unit.answer(None).words()) });
        observation
    }

    /// Presence under the target's own code; the cycle as an observation of its own.
    fn target(&self, unit: &Unit, number: usize, reading: &TargetRead) -> Vec<Observation> {
        let codes = codes::target(unit.tube.assay.as_deref(), &reading.target);
        let id = format!("{}-{number}", unit.id());
        let code = concept(codes.map(|codes| codes.0), system::LOINC, (system::TARGET, &reading.target));
        let mut presence = self.observation(unit, id.clone(), code);
        found(&mut presence, codes::call(&reading.call));
        let mut both = vec![presence];
        if let Some(cq) = reading.cq.filter(|cq| cq.is_finite() && cq.abs() < 1_000.0) {
            let own = format!("{} Cq", reading.target);
            let mut cycle = self.observation(unit, format!("{id}-cq"), concept(codes.map(|codes| codes.1), system::LOINC, (system::TARGET, &own)));
            cycle.value_quantity = Some(Quantity {
                value: Some(Decimal::hundredths((cq * 100.0).round() as i64)),
                unit: Some("Cq".to_owned()),
                system: Some(system::UCUM.to_owned()),
                code: Some("{Ct_value}".to_owned()),
            });
            both.push(cycle);
        }
        both
    }

    /// The report that holds now, or as it was when `told` was the last word.
    pub(crate) fn report(&self, unit: &Unit, told: Option<&Told>) -> DiagnosticReport {
        let answer = unit.answer(told);
        let last = told.or(unit.tube.told.last());
        let mut report = DiagnosticReport::with_id(unit.id());
        report.status = status(unit, answer, last).to_owned();
        report.meta = last.filter(|_| !unit.undone()).map(told_meta);
        report.identifier = unit.tube.clock.code.as_deref().map(|code| Identifier::new(system::TUBE, code)).into_iter().collect();
        report.category = vec![CodeableConcept::of(Coding::new(system::SECTION, "LAB", "Laboratory"))];
        let assay = unit.tube.assay.as_deref();
        report.code = concept(codes::panel(assay), system::LOINC, (system::TEST, assay.unwrap_or("unknown")));
        report.subject = unit.person().map(|person| Reference::to("Patient", person));
        report.effective_date_time = unit.swab.map_or(unit.tube.clock.first_swab, |swab| swab.swabbed).map(instant);
        report.issued = last.map(|told| instant(told.happened));
        report.performer = self.performer(unit);
        report.specimen = vec![Reference::to("Specimen", unit.id())];
        report.conclusion = Some((self.words)(answer.words()));
        let holds = last.map(|told| told.ordinal) == unit.tube.told.last().map(|told| told.ordinal);
        if let Some(outcome) = answer.outcome().filter(|_| last.is_some()) {
            report.conclusion_code = codes::finding(outcome).map(|code| concept(Some(code), system::SNOMED, ("", ""))).into_iter().collect();
            // Observations show what holds; an earlier version says by its own code what held then.
            if holds {
                report.result = self.observations(unit).iter().filter_map(|one| Some(Reference::to("Observation", one.id.as_deref()?))).collect();
            }
        }
        report
    }

    pub(crate) fn provenance(&self, unit: &Unit, told: &Told, names: &dyn Fn(baton_kit::AccountId) -> Option<String>) -> Provenance {
        let mut provenance = Provenance::with_id(format!("{}-{}", unit.id(), told.ordinal));
        provenance.meta = Some(told_meta(told));
        provenance.target = vec![Reference::to("DiagnosticReport", format!("{}/_history/{}", unit.id(), told.ordinal))];
        provenance.occurred_date_time = Some(instant(told.happened));
        provenance.recorded = Some(instant(told.recorded));
        provenance.activity = Some(CodeableConcept::text(&(self.words)(if told.amended { "exchange-amended" } else { "exchange-released" })));
        let verifier = CodeableConcept::of(Coding::new(system::PARTICIPATION, "verifier", "Verifier"));
        let agent = |account: &baton_kit::AccountId| Agent { kind: Some(verifier.clone()), who: Reference::logical(system::ACCOUNT, account, names(*account)) };
        provenance.agent = told.signers.iter().map(agent).collect();
        let what = Reference::logical(system::LEDGER, told.ordinal, Some(format!("event {}", told.event)));
        provenance.entity = vec![Entity { role: "source".to_owned(), what }];
        provenance
    }

    /// A person is to be tested in a round.
    pub(crate) fn request(&self, due: &Due, campaign: &Campaign, window: Option<(Timestamp, Timestamp)>, scan: Option<i64>, now: Timestamp) -> ServiceRequest {
        let mut request = ServiceRequest::with_id(format!("{}-{}-{}", due.campaign, due.round, due.person));
        let over = window.is_some_and(|(_, closes)| closes <= now);
        request.status = match due.standing.state {
            DueState::Resulted => "completed",
            DueState::Exempt => "revoked",
            DueState::Due if over => "revoked",
            _ => "active",
        }
        .to_owned();
        request.intent = "order".to_owned();
        let assay = Some(campaign.assay.as_str());
        request.code = Some(Concept::of(self.release, concept(codes::panel(assay), system::LOINC, (system::TEST, &campaign.assay))));
        request.subject = Reference::to("Patient", due.person);
        request.occurrence_period = window.map(|(opens, closes)| Period { start: Some(instant(opens)), end: Some(instant(closes)) });
        request.specimen = scan.map(|scan| Reference::to("Specimen", scan)).into_iter().collect();
        let why = Some(due.standing.reason.as_str()).filter(|reason| !reason.is_empty());
        request.note = vec![Annotation { time: None, text: why.map_or_else(|| campaign.name.clone(), |why| format!("{} ({why})", campaign.name)) }];
        request
    }

    /// A person is to be swabbed again.
    pub(crate) fn task(&self, person: PersonId, entry: &FollowUp, campaign: CampaignId, closed: &str, round: u16) -> Task {
        let mut task = Task::with_id(format!("{person}-{}", entry.tube));
        task.status = match closed {
            "" => "requested",
            "result" | "resulted" => "completed",
            _ => "cancelled",
        }
        .to_owned();
        task.status_reason = Some(closed).filter(|closed| !closed.is_empty()).map(|closed| Concept::of(self.release, CodeableConcept::text(closed)));
        task.intent = "order".to_owned();
        task.code = Some(CodeableConcept::of(Coding::new(system::TASK, "swab-again", "Swab again")));
        task.description = Some((self.words)(if entry.single { "exchange-task-single" } else { "exchange-task-again" }));
        task.focus = Some(Reference::to("ServiceRequest", format!("{campaign}-{round}-{person}")));
        task.beneficiary = Some(Reference::to("Patient", person));
        task.authored_on = Some(instant(entry.opened));
        task.why = Reason::of(self.release, CodeableConcept::of(Coding::new(system::TASK, &entry.reason, &entry.reason)));
        task
    }
}

fn found(observation: &mut Observation, code: Option<Code>) {
    match code {
        Some(code) => observation.value_codeable_concept = Some(concept(Some(code), system::SNOMED, ("", ""))),
        None => observation.data_absent_reason = Some(CodeableConcept::of(Coding::new(system::ABSENT, "error", "Error"))),
    }
}

fn status(unit: &Unit, answer: Answer, last: Option<&Told>) -> &'static str {
    match (answer, last) {
        (Answer::Undone | Answer::Withdrawn, _) => "entered-in-error",
        (Answer::NoSpecimen, _) => "cancelled",
        (Answer::Held, _) => "preliminary",
        (Answer::Waiting, _) if unit.tube.clock.outcome.is_some() && unit.is_own() => "preliminary",
        (Answer::Waiting, _) | (_, None) => "registered",
        // A pool that is negative at last is the first word its people get.
        (_, Some(last))
            if last.amended && (unit.swab.is_none() || unit.is_own() || unit.tube.told.first().is_some_and(|first| first.outcome == TubeOutcome::Negative)) =>
        {
            "amended"
        }
        (_, Some(_)) => "final",
    }
}
