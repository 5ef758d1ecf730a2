//! The resources that are given out.

use serde::{Deserialize, Serialize};

use crate::Release;
use crate::data::*;

/// Declares a resource: its `resourceType` comes first, what is empty is left out.
macro_rules! resource {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name {
            pub resource_type: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            pub id: Option<String>,
            #[serde(skip_serializing_if = "Option::is_none")]
            pub meta: Option<Meta>,
            $($(#[$field_meta])* pub $field: $kind),+
        }
        impl $name {
            pub const TYPE: &'static str = stringify!($name);
            /// An empty one with its type and id.
            pub fn with_id(id: impl ToString) -> Self {
                Self { resource_type: Self::TYPE.to_owned(), id: Some(id.to_string()), ..Self::default() }
            }
        }
    };
}

resource! {
    /// A person.
    Patient {
        #[serde(skip_serializing_if = "is_empty")]
        identifier: Vec<Identifier>,
        #[serde(skip_serializing_if = "Option::is_none")]
        active: Option<bool>,
        #[serde(skip_serializing_if = "is_empty")]
        name: Vec<HumanName>,
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Collection {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collected_date_time: Option<Moment>,
}

resource! {
    /// A swab of one person, or the tube in which several lie.
    Specimen {
        #[serde(skip_serializing_if = "is_empty")]
        identifier: Vec<Identifier>,
        #[serde(skip_serializing_if = "Option::is_none")]
        accession_identifier: Option<Identifier>,
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<String>,
        #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
        kind: Option<CodeableConcept>,
        #[serde(skip_serializing_if = "Option::is_none")]
        subject: Option<Reference>,
        #[serde(skip_serializing_if = "Option::is_none")]
        received_time: Option<Moment>,
        #[serde(skip_serializing_if = "is_empty")]
        parent: Vec<Reference>,
        /// R5 only: `pooled` for a tube with several people's swabs.
        #[serde(skip_serializing_if = "Option::is_none")]
        combined: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        collection: Option<Collection>,
        #[serde(skip_serializing_if = "is_empty")]
        condition: Vec<CodeableConcept>,
        #[serde(skip_serializing_if = "is_empty")]
        note: Vec<Annotation>,
    }
}

resource! {
    /// Somebody is to be tested in a round.
    ServiceRequest {
        #[serde(skip_serializing_if = "is_empty")]
        identifier: Vec<Identifier>,
        status: String,
        intent: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<Concept>,
        subject: Reference,
        #[serde(skip_serializing_if = "Option::is_none")]
        occurrence_period: Option<Period>,
        #[serde(skip_serializing_if = "is_empty")]
        specimen: Vec<Reference>,
        #[serde(skip_serializing_if = "is_empty")]
        note: Vec<Annotation>,
    }
}

/// A part of an observation that means nothing alone.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Component {
    pub code: CodeableConcept,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_quantity: Option<Quantity>,
}

resource! {
    /// One thing seen: presence of one target, one quantification cycle, or the interpretation of a tube.
    Observation {
        #[serde(skip_serializing_if = "is_empty")]
        identifier: Vec<Identifier>,
        status: String,
        #[serde(skip_serializing_if = "is_empty")]
        category: Vec<CodeableConcept>,
        code: CodeableConcept,
        #[serde(skip_serializing_if = "Option::is_none")]
        subject: Option<Reference>,
        #[serde(skip_serializing_if = "Option::is_none")]
        effective_date_time: Option<Moment>,
        #[serde(skip_serializing_if = "Option::is_none")]
        issued: Option<Moment>,
        #[serde(skip_serializing_if = "is_empty")]
        performer: Vec<Reference>,
        #[serde(skip_serializing_if = "Option::is_none")]
        value_quantity: Option<Quantity>,
        #[serde(skip_serializing_if = "Option::is_none")]
        value_codeable_concept: Option<CodeableConcept>,
        #[serde(skip_serializing_if = "Option::is_none")]
        data_absent_reason: Option<CodeableConcept>,
        #[serde(skip_serializing_if = "is_empty")]
        note: Vec<Annotation>,
        #[serde(skip_serializing_if = "Option::is_none")]
        method: Option<CodeableConcept>,
        #[serde(skip_serializing_if = "Option::is_none")]
        specimen: Option<Reference>,
        #[serde(skip_serializing_if = "is_empty")]
        derived_from: Vec<Reference>,
        #[serde(skip_serializing_if = "is_empty")]
        component: Vec<Component>,
    }
}

resource! {
    /// What a person, or the sender of a tube, is told.
    DiagnosticReport {
        #[serde(skip_serializing_if = "is_empty")]
        identifier: Vec<Identifier>,
        status: String,
        #[serde(skip_serializing_if = "is_empty")]
        category: Vec<CodeableConcept>,
        code: CodeableConcept,
        #[serde(skip_serializing_if = "Option::is_none")]
        subject: Option<Reference>,
        #[serde(skip_serializing_if = "Option::is_none")]
        effective_date_time: Option<Moment>,
        #[serde(skip_serializing_if = "Option::is_none")]
        issued: Option<Moment>,
        #[serde(skip_serializing_if = "is_empty")]
        performer: Vec<Reference>,
        #[serde(skip_serializing_if = "is_empty")]
        specimen: Vec<Reference>,
        #[serde(skip_serializing_if = "is_empty")]
        result: Vec<Reference>,
        #[serde(skip_serializing_if = "Option::is_none")]
        conclusion: Option<String>,
        #[serde(skip_serializing_if = "is_empty")]
        conclusion_code: Vec<CodeableConcept>,
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Agent {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<CodeableConcept>,
    pub who: Reference,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Entity {
    pub role: String,
    pub what: Reference,
}

resource! {
    /// Who released a result, and where in the ledger that stands.
    Provenance {
        #[serde(skip_serializing_if = "is_empty")]
        target: Vec<Reference>,
        #[serde(skip_serializing_if = "Option::is_none")]
        occurred_date_time: Option<Moment>,
        recorded: Option<Moment>,
        #[serde(skip_serializing_if = "Option::is_none")]
        activity: Option<CodeableConcept>,
        #[serde(skip_serializing_if = "is_empty")]
        agent: Vec<Agent>,
        #[serde(skip_serializing_if = "is_empty")]
        entity: Vec<Entity>,
    }
}

/// Why something is asked: the element is called otherwise in the two releases.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Reason {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<CodeableConcept>,
    #[serde(skip_serializing_if = "is_empty")]
    pub reason: Vec<Concept>,
}

impl Reason {
    pub fn of(release: Release, reason: CodeableConcept) -> Self {
        match release {
            Release::R4 => Self { reason_code: Some(reason), reason: Vec::new() },
            Release::R5 => Self { reason_code: None, reason: vec![Concept::of(release, reason)] },
        }
    }
}

resource! {
    /// Something to be done: a person to be swabbed again.
    Task {
        #[serde(skip_serializing_if = "is_empty")]
        identifier: Vec<Identifier>,
        status: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        status_reason: Option<Concept>,
        intent: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<CodeableConcept>,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        focus: Option<Reference>,
        #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
        beneficiary: Option<Reference>,
        #[serde(skip_serializing_if = "Option::is_none")]
        authored_on: Option<Moment>,
        #[serde(flatten)]
        why: Reason,
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BundleLink {
    pub relation: String,
    pub url: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct EntrySearch {
    pub mode: String,
}

/// Any of the resources, in a bundle.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(untagged)]
pub enum Resource {
    Patient(Box<Patient>),
    Specimen(Box<Specimen>),
    ServiceRequest(Box<ServiceRequest>),
    Observation(Box<Observation>),
    DiagnosticReport(Box<DiagnosticReport>),
    Provenance(Box<Provenance>),
    Task(Box<Task>),
}

macro_rules! any_resource {
    ($($name:ident),+) => {
        impl Resource {
            pub fn kind(&self) -> &'static str {
                match self { $(Resource::$name(_) => $name::TYPE),+ }
            }
            pub fn id(&self) -> &str {
                match self { $(Resource::$name(resource) => resource.id.as_deref().unwrap_or_default()),+ }
            }
            pub fn meta(&self) -> Option<&Meta> {
                match self { $(Resource::$name(resource) => resource.meta.as_ref()),+ }
            }
        }
        $(impl From<$name> for Resource {
            fn from(resource: $name) -> Self { Resource::$name(Box::new(resource)) }
        })+
    };
}
any_resource!(Patient, Specimen, ServiceRequest, Observation, DiagnosticReport, Provenance, Task);

#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BundleEntry {
    pub full_url: String,
    pub resource: Resource,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<EntrySearch>,
    /// In a history only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<EntryRequest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<EntryResponse>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct EntryRequest {
    pub method: String,
    pub url: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryResponse {
    pub status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<Moment>,
}

/// A page of a search, or the versions of one resource.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bundle {
    pub resource_type: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<usize>,
    #[serde(skip_serializing_if = "is_empty")]
    pub link: Vec<BundleLink>,
    #[serde(skip_serializing_if = "is_empty")]
    pub entry: Vec<BundleEntry>,
}

impl Bundle {
    pub fn of(kind: &str, link: Vec<BundleLink>, entry: Vec<BundleEntry>) -> Self {
        Self { resource_type: "Bundle".to_owned(), kind: kind.to_owned(), total: None, link, entry }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Issue {
    pub severity: String,
    pub code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<CodeableConcept>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diagnostics: Option<String>,
}

/// What went wrong, in the standard's own form.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OperationOutcome {
    pub resource_type: String,
    pub issue: Vec<Issue>,
}

impl OperationOutcome {
    pub fn error(code: &str, details: CodeableConcept, diagnostics: Option<String>) -> Self {
        let issue = Issue { severity: "error".to_owned(), code: code.to_owned(), details: Some(details), diagnostics };
        Self { resource_type: "OperationOutcome".to_owned(), issue: vec![issue] }
    }
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchParam {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Interaction {
    pub code: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServedResource {
    #[serde(rename = "type")]
    pub kind: String,
    pub interaction: Vec<Interaction>,
    pub versioning: String,
    pub search_param: Vec<SearchParam>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Security {
    pub description: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Rest {
    pub mode: String,
    pub security: Security,
    pub resource: Vec<ServedResource>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Software {
    pub name: String,
    pub version: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Implementation {
    pub description: String,
    pub url: String,
}

/// What this server can do.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CapabilityStatement {
    pub resource_type: String,
    pub status: String,
    pub date: Moment,
    pub kind: String,
    pub software: Software,
    pub implementation: Implementation,
    pub fhir_version: String,
    pub format: Vec<String>,
    pub rest: Vec<Rest>,
}
