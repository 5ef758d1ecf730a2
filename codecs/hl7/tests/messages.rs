//! Messages both ways: made up ones, broken ones, and the public samples.

#![allow(clippy::print_stdout)] // a skipped test says so

use baton_hl7::{Acknowledgement, Fault, Field, Message, ParseError, ProblemKind, Repetition, Segment, Separators, Verdict, acknowledge, parse, split};
use proptest::prelude::*;

const SAMPLE: &str = "MSH|^~\\&|LIS^1.2^ISO|北所|BATON|ZONE|20260327080000+0800||ORU^R01^ORU_R01|42|P|2.5.1\rPID|1||77^^^BATON^PI~\"\"||李\\T\\王^雷\rOBX|1|NM|94511-3^Ct^LN||24.30|{Ct}|||||F\r";

#[test]
fn a_message_is_read_by_its_own_delimiters() {
    let (message, problems) = parse(SAMPLE.as_bytes()).unwrap();
    assert_eq!(problems, vec![]);
    assert_eq!((message.kind().as_str(), message.control_id(), message.sender()), ("ORU^R01", "42", ("LIS", "北所")));
    assert_eq!(message.get("PID", 5, 1), "李&王");
    assert_eq!(message.segment("PID").unwrap().repetitions(3)[1].component(1), baton_hl7::NULL);
    assert_eq!(message.write(), SAMPLE);
    let other = SAMPLE.replace('|', "!").replace('^', ":");
    let (other, problems) = parse(other.as_bytes()).unwrap();
    assert_eq!((other.get("OBX", 3, 3), problems), ("LN", vec![]));
    assert_eq!(other.separators.field, '!');
}

#[test]
fn what_is_odd_is_told_with_its_place() {
    let odd = "\u{feff}MSH|^~\\&#|A|B\nPID|1|a\\Q\\b|c\\|\nGT1|x^^^ORC|NW|3\nlab|1\n";
    let (message, problems) = parse(odd.as_bytes()).unwrap();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(told[0].contains("byte-order mark"), "{told:?}");
    assert!(told.iter().any(|told| told.starts_with("PID-2 (segment 2, byte 23): the escape “Q”")), "{told:?}");
    assert!(told.iter().any(|told| told.starts_with("PID-3") && told.contains("not closed")), "{told:?}");
    assert!(problems.iter().any(|problem| problem.kind == ProblemKind::GluedSegment { name: "ORC".to_owned() } && problem.place.field == Some(1)), "{told:?}");
    assert!(problems.iter().any(|problem| matches!(problem.kind, ProblemKind::SegmentName { .. })), "{told:?}");
    assert_eq!(message.separators.truncation, Some('#'));
    assert!(parse(b"MSH|^~\\&|\xff\r").unwrap().1.iter().any(|problem| problem.kind == ProblemKind::NotUtf8));
}

#[test]
fn what_is_no_message_is_refused_with_the_reason() {
    assert_eq!(parse(b""), Err(ParseError::NotAMessage { found: String::new() }));
    assert_eq!(parse(b"MSH"), Err(ParseError::NotAMessage { found: "MSH".to_owned() }));
    for wrong in ["MSH|^~\\", "MSH|^^\\&|", "MSHA^~\\&A", "MSH|^~\\&#!|", "MSH| ~\\&|"] {
        assert!(matches!(parse(wrong.as_bytes()), Err(ParseError::Delimiters { .. })), "{wrong}");
    }
    let long = vec![b'A'; baton_hl7::BYTES_MAX + 1];
    assert!(matches!(parse(&long), Err(ParseError::OverLimit { what: "bytes", .. })));
    let many = format!("MSH|^~\\&|\r{}", "NTE\r".repeat(5_000));
    assert!(matches!(parse(many.as_bytes()), Err(ParseError::OverLimit { what: "segments", .. })));
    let wide = format!("MSH|^~\\&{}", "|".repeat(600));
    assert!(matches!(parse(wide.as_bytes()), Err(ParseError::OverLimit { what: "fields in a segment", .. })));
    let deep = format!("MSH|^~\\&|{}", "&".repeat(6_000));
    assert!(matches!(parse(deep.as_bytes()), Err(ParseError::OverLimit { what: "parts in a field", .. })));
}

#[test]
fn an_acknowledgement_says_what_is_wrong_and_where() {
    let (message, _) = parse(SAMPLE.as_bytes()).unwrap();
    let faults = [Fault::new(Fault::REQUIRED, "no specimen").at("SPM", "2")];
    let ack = Acknowledgement { verdict: Verdict::Error, faults: &faults, control_id: "7", time: "20260327", application: "BATON", facility: "ZONE" };
    let written = acknowledge(Some(&message), &ack).write();
    assert!(written.contains("MSA|AE|42\r") && written.contains("ERR||SPM^1^2|101^Required field missing^HL70357|E||||no specimen\r"), "{written}");
    assert!(written.contains("|LIS|北所|20260327||ACK^R01^ACK|7|P|2.5.1"), "{written}");
    let unknown = acknowledge(None, &Acknowledgement { verdict: Verdict::Reject, ..ack }).write();
    assert!(unknown.contains("MSA|AR|UNKNOWN\r") && parse(unknown.as_bytes()).unwrap().1.is_empty(), "{unknown}");
}

#[test]
fn the_public_samples_are_read_and_written_back() {
    let folder = std::env::var_os("BATON_SHARED").map(|shared| std::path::PathBuf::from(shared).join("data/interop/hl7"));
    let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
        println!("skipped: the HL7 samples, BATON_SHARED names no folder with data/interop/hl7");
        return;
    };
    let mut messages = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "hl7") {
            continue;
        }
        let (bytes, name) = (std::fs::read(&path).unwrap(), path.file_name().unwrap().to_string_lossy().into_owned());
        let parts = split(&bytes);
        assert_eq!(parts.len(), if name.contains("batch") { 2 } else { 1 }, "{name}");
        for part in parts {
            let (message, problems) = parse(part).unwrap_or_else(|error| panic!("{name}: {error}"));
            let (again, _) = parse(message.write().as_bytes()).unwrap();
            assert_eq!(again, message, "{name}");
            assert!(message.segments.len() >= 4 && !message.control_id().is_empty(), "{name}");
            let glued = problems.iter().any(|problem| matches!(&problem.kind, ProblemKind::GluedSegment { name } if name == "ORC"));
            assert_eq!(glued, name.contains("MDHHS-OML-O21-1"), "{name}: {problems:?}");
            messages += 1;
        }
    }
    assert_eq!(messages, 17);
}

fn any_text() -> impl Strategy<Value = String> {
    "[ -~\n\t\u{e9}\u{4e2d}]{0,12}"
}

fn any_message() -> impl Strategy<Value = Message> {
    let component = proptest::collection::vec(any_text(), 1..3);
    let repetition = proptest::collection::vec(component, 1..4).prop_map(Repetition);
    let field = proptest::collection::vec(repetition, 1..3).prop_map(Field);
    let segment = ("[A-Z]{2}[A-Z0-9]", proptest::collection::vec(field, 0..5));
    let segment = segment.prop_map(|(name, fields)| Segment { name: if name == "MSH" { "ZSH".to_owned() } else { name }, fields });
    proptest::collection::vec(segment, 0..6).prop_map(|rest| {
        let msh = Segment::new("MSH").text(1, "|").text(2, "^~\\&").text(3, "A");
        let plain = |segment: &Segment| !matches!(segment.name.as_str(), "FHS" | "BHS");
        Message { separators: Separators::default(), segments: std::iter::once(msh).chain(rest.into_iter().filter(plain)).collect() }
    })
}

/// What the wire cannot tell from nothing.
fn normal(mut message: Message) -> Message {
    for segment in &mut message.segments {
        for field in &mut segment.fields {
            if field.0 == [Repetition(vec![vec![String::new()]])] {
                field.0.clear();
            }
        }
        while segment.fields.last().is_some_and(|field| field.0.is_empty()) {
            segment.fields.pop();
        }
    }
    message
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(message in any_message()) {
        let message = normal(message);
        let written = message.write();
        prop_assert_eq!(parse(written.as_bytes()).unwrap().0, message);
    }

    #[test]
    fn a_cut_or_changed_message_never_breaks_the_reader(cut in 0usize..400, at in 0usize..400, by in 1u8..255) {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        let length = bytes.len();
        bytes[at % length] = bytes[at % length].wrapping_add(by);
        bytes.truncate(cut % length);
        if let Ok((message, _)) = parse(&bytes) {
            prop_assert_eq!(parse(message.write().as_bytes()).unwrap().0, message);
        }
    }

    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        _ = split(&bytes);
        _ = parse(&bytes);
        let framed = [b"MSH|^~\\&|".as_slice(), &bytes].concat();
        if let Ok((message, _)) = parse(&framed) {
            prop_assert_eq!(parse(message.write().as_bytes()).unwrap().0, message);
        }
    }
}
