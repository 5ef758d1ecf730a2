//! RDML, the Real-time PCR Data Markup Language (rdml.org), versions 1.0 to 1.4: a zip archive with one XML member.

mod archive;
mod read;
mod write;

pub(crate) use read::read;
pub use write::{RdmlVersion, write_rdml, write_rdml_runs};
