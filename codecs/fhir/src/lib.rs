//! FHIR resources as plain structs, for the two releases others speak: R4 (4.0.1) and R5 (5.0.0).
//!
//! One struct serves both releases where they agree; where they differ the difference is a type ([`Concept`], [`Reason`]).
//! What a struct does not know is told when it is read, never silently dropped.

mod data;
mod problem;
mod resources;

pub use data::*;
pub use problem::{Problem, ReadError, read};
pub use resources::*;

/// The media type of FHIR in JSON.
pub const MEDIA_TYPE: &str = "application/fhir+json";

/// A release of the standard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Release {
    R4,
    R5,
}

impl Release {
    pub const ALL: [Release; 2] = [Release::R4, Release::R5];

    /// Its name in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Release::R4 => "R4",
            Release::R5 => "R5",
        }
    }
    /// The version as the standard numbers it.
    pub fn version(self) -> &'static str {
        match self {
            Release::R4 => "4.0.1",
            Release::R5 => "5.0.0",
        }
    }
    pub fn from_name(name: &str) -> Option<Self> {
        Release::ALL.into_iter().find(|release| release.name() == name)
    }
}
