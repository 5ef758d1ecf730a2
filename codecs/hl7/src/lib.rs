//! HL7 version 2 as it is on the wire: delimiters as the message declares them, escapes, repetitions, explicit nulls.
//!
//! Reading never panics and is bounded; what is odd is told with its place and does not stop the reading.

mod acknowledge;
mod message;
pub mod mllp;
mod parse;
mod problem;
mod write;

pub use acknowledge::{Acknowledgement, Fault, Verdict, acknowledge};
pub use message::{Field, Message, Repetition, Segment, Separators};
pub use parse::{BYTES_MAX, parse, split};
pub use problem::{ParseError, Place, Problem, ProblemKind};

/// An explicit null: delete what you have.
pub const NULL: &str = "\"\"";

/// A time as the standard writes it, `YYYYMMDDHHMMSS+0000`, from microseconds since 1970 UTC.
pub fn time(us: i64) -> String {
    let (days, seconds) = (us.div_euclid(86_400_000_000), us.rem_euclid(86_400_000_000) / 1_000_000);
    let z = days + 719_468;
    let (era, of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let m = (5 * of_year + 2) / 153;
    let (month, day) = (if m < 10 { m + 3 } else { m - 9 }, of_year - (153 * m + 2) / 5 + 1);
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}{month:02}{day:02}{:02}{:02}{:02}+0000", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_time_is_written_in_utc() {
        assert_eq!(super::time(0), "19700101000000+0000");
        assert_eq!(super::time(1_774_000_000_000_000), "20260320094640+0000");
        assert_eq!(super::time(951_782_400_000_000), "20000229000000+0000");
    }
}
