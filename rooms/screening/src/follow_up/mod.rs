//! Who must be swabbed again, and why.

pub mod store;
