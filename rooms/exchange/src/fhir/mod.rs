//! FHIR, read only: R4 as most expect it, R5 where asked.

pub(crate) mod draw;
mod facets;
mod routes;
mod search;

pub(crate) use routes::{READERS, routes};

/// The systems of our own numbers and names.
pub(crate) mod system {
    pub(crate) const PERSON: &str = "urn:x-baton:person";
    /// The last characters only: whole document numbers do not leave.
    pub(crate) const DOCUMENT_TAIL: &str = "urn:x-baton:document-tail";
    pub(crate) const TUBE: &str = "urn:x-baton:tube-label";
    pub(crate) const PLACE: &str = "urn:x-baton:place";
    pub(crate) const ACCOUNT: &str = "urn:x-baton:account";
    pub(crate) const LEDGER: &str = "urn:x-baton:ledger-ordinal";
    pub(crate) const TARGET: &str = "urn:x-baton:target";
    pub(crate) const TEST: &str = "urn:x-baton:test";
    pub(crate) const TASK: &str = "urn:x-baton:task";
    pub(crate) const REJECTION: &str = "urn:x-baton:rejection";
    pub(crate) const LOINC: &str = "http://loinc.org";
    pub(crate) const SNOMED: &str = "http://snomed.info/sct";
    pub(crate) const UCUM: &str = "http://unitsofmeasure.org";
    pub(crate) const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
    pub(crate) const SECTION: &str = "http://terminology.hl7.org/CodeSystem/v2-0074";
    pub(crate) const ABSENT: &str = "http://terminology.hl7.org/CodeSystem/data-absent-reason";
    pub(crate) const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
}
