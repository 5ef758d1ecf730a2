//! What is decided here, and how: pure functions over what the store loaded.

pub mod amendment;
pub mod layout;
pub mod person;
pub mod plate;
pub mod reading;
pub mod signing;
