//! What the laboratory puts on paper: signed PDF with the signed JSON inside.

pub mod day;
pub mod evidence;
pub mod person;
