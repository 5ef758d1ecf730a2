//! The public R4 examples: read, told what is not held, and written back to the same digits.

#![allow(clippy::print_stdout)] // a skipped test says so

use std::path::PathBuf;

use baton_fhir::{DiagnosticReport, Observation, Patient, Problem, Provenance, ReadError, ServiceRequest, Specimen, Task, read};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("BATON_SHARED").map(|shared| PathBuf::from(shared).join("data/interop/fhir"));
    let folder = folder.filter(|folder| folder.is_dir());
    if folder.is_none() {
        println!("skipped: the FHIR examples, BATON_SHARED names no folder with data/interop/fhir");
    }
    folder
}

fn both_ways<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(text: &str) -> (String, Vec<Problem>) {
    let (resource, problems) = read::<T>(text).unwrap();
    let written = serde_json::to_string(&resource).unwrap();
    let (again, quiet) = read::<T>(&written).unwrap();
    assert_eq!(again, resource);
    assert_eq!(quiet, vec![]);
    (written, problems)
}

#[test]
fn examples_are_read_and_written_back() {
    let Some(folder) = folder() else { return };
    let mut read_files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let (written, problems) = match name.split('-').next().unwrap() {
            "Patient" => both_ways::<Patient>(&text),
            "Specimen" => both_ways::<Specimen>(&text),
            "ServiceRequest" => both_ways::<ServiceRequest>(&text),
            "Observation" => both_ways::<Observation>(&text),
            "DiagnosticReport" => both_ways::<DiagnosticReport>(&text),
            "Provenance" => both_ways::<Provenance>(&text),
            "Task" => both_ways::<Task>(&text),
            _ => continue,
        };
        read_files += 1;
        assert!(
            problems.iter().any(|problem| matches!(problem, Problem::NotRead { path } if path == "text")),
            "{name}: its narrative is not held: {problems:?}"
        );
        if name == "Specimen-pooled-serum.json" {
            assert!(written.contains("Pooled serum sample from 30 individuals"), "{written}");
        }
        if name == "Observation-decimal.json" {
            for digits in ["1.0", "1.00"].into_iter().filter(|digits| text.contains(&format!(": {digits}"))) {
                assert!(written.contains(&format!(":{digits},")) || written.contains(&format!(":{digits}}}")), "{digits} in {written}");
            }
        }
    }
    assert!(read_files >= 14, "{read_files}");
}

#[test]
fn what_is_no_resource_is_named() {
    assert!(matches!(read::<Patient>("{"), Err(ReadError::NotAResource(_))));
    assert!(matches!(read::<Patient>("[1]"), Err(ReadError::NotAResource(_))));
    assert_eq!(read::<Patient>(&" ".repeat((4 << 20) + 1)).unwrap_err(), ReadError::TooLong((4 << 20) + 1));
    let (_, problems) = read::<Patient>(r#"{"resourceType":"Patient","name":[{"text":"a","given":["b"]}],"gender":"male"}"#).unwrap();
    let paths: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["gender is not read", "name[0].given is not read"]);
}
