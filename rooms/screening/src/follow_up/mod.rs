//! Who must be swabbed again, and why.

pub mod pages;
pub mod store;
