//! What of ours a message from outside speaks of, and what does not fit. Pure: the look-ups were made before.

use baton_hl7::Message;
use baton_kit::Refusal;

use crate::model::Received;

/// The kinds of messages that are taken.
pub const KINDS: [&str; 2] = ["OML^O21", "ORU^R01"];

/// What a message says of its specimen and its person, to be looked for here.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Named {
    /// Labels or numbers of tubes and swabs, in the order in which they are to be tried.
    pub specimens: Vec<String>,
    /// Numbers of people or of their documents.
    pub people: Vec<String>,
}

/// The names a message uses. Bounded: a message that names thousands is about nobody in particular.
pub fn named(message: &Message) -> Named {
    let mut named = Named::default();
    for spm in message.all("SPM") {
        for repetition in spm.repetitions(2) {
            for component in 1..=2 {
                named.specimens.push(repetition.component(component).to_owned());
            }
        }
    }
    for (segment, fields) in [("OBR", [3, 2]), ("ORC", [3, 2])] {
        for found in message.all(segment) {
            named.specimens.extend(fields.map(|field| found.get(field, 1).to_owned()));
        }
    }
    for pid in message.all("PID") {
        named.people.extend(pid.repetitions(3).iter().map(|repetition| repetition.component(1).to_owned()));
    }
    for list in [&mut named.specimens, &mut named.people] {
        list.retain(|text| !text.is_empty() && text != baton_hl7::NULL && text.len() <= 64);
        list.truncate(20);
    }
    named
}

/// What does not fit, as a code: nobody and nothing of ours, or another text under a number that was used.
pub fn finding(control_used: bool, person: bool, tube: bool, names_person: bool) -> Option<&'static str> {
    match (control_used, person, tube) {
        (true, ..) => Some("control-id-reused"),
        (_, false, false) => Some("nobody-fits"),
        (_, true, false) => Some("no-specimen-fits"),
        (_, false, true) if names_person => Some("no-person-fits"),
        _ => None,
    }
}

/// Longest remark.
pub const REMARK_LIMIT: usize = 500;

/// A finding is settled once, with words on what came of it.
pub fn settle(message: &Received, remark: &str) -> Result<(), Refusal> {
    if message.finding.is_none() || message.settled.is_some() {
        return Err(Refusal::conflict("exchange-nothing-open"));
    }
    if remark.trim().is_empty() || remark.chars().count() > REMARK_LIMIT {
        return Err(Refusal::ruled("exchange-remark-wrong").with("limit", REMARK_LIMIT));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_specimens_and_people() {
        let text = "MSH|^~\\&|A\rPID|1||77^^^B^PI~\"\"~D1\rORC|NW|P1|F1\rOBR|1|P1|F1\rSPM|1|T1&BATON^9\r";
        let (message, _) = baton_hl7::parse(text.as_bytes()).unwrap();
        let named = named(&message);
        assert_eq!(named.specimens, ["T1", "9", "F1", "P1", "F1", "P1"]);
        assert_eq!(named.people, ["77", "D1"]);
    }

    #[test]
    fn a_finding_is_settled_once_and_with_words() {
        let id = baton_kit::EventId::from_raw((1 << 32) | 9).unwrap();
        let at = baton_kit::Timestamp(5);
        let open = Received {
            id,
            kind: "ORU^R01".to_owned(),
            sender: "LIS".to_owned(),
            person: None,
            tube: None,
            finding: Some("nobody-fits".to_owned()),
            problems: 0,
            received: at,
            settled: None,
        };
        let code = |message: &Received, remark: &str| settle(message, remark).map_err(|refusal| refusal.code);
        assert_eq!(code(&open, "meant for the neighbouring district"), Ok(()));
        assert_eq!(code(&open, "  "), Err("exchange-remark-wrong"));
        assert_eq!(code(&open, &"字".repeat(501)), Err("exchange-remark-wrong"));
        let settled = crate::model::Settled { at, by: None, remark: "done".to_owned() };
        assert_eq!(code(&Received { settled: Some(settled), ..open.clone() }, "again"), Err("exchange-nothing-open"));
        assert_eq!(code(&Received { finding: None, ..open }, "fits"), Err("exchange-nothing-open"));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert_eq!(finding(false, true, true, true), None);
        assert_eq!(finding(false, false, true, false), None, "a pool has no person");
        assert_eq!(finding(false, false, true, true), Some("no-person-fits"));
        assert_eq!(finding(false, true, false, true), Some("no-specimen-fits"));
        assert_eq!(finding(false, false, false, true), Some("nobody-fits"));
        assert_eq!(finding(true, true, true, true), Some("control-id-reused"));
    }
}
