//! What is decided here, and how: pure functions over what the store loaded.

pub mod amendment;
pub mod layout;
pub mod person;
pub mod plate;
pub mod reading;
pub mod signing;

use baton_kit::Refusal;

/// A finding is closed once, with a reason.
pub fn settle_finding(settled: bool, remark: &str) -> Result<(), Refusal> {
    if settled {
        return Err(Refusal::conflict("lab-finding-settled"));
    }
    if remark.trim().is_empty() {
        return Err(Refusal::ruled("lab-reason-missing"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_finding_is_closed_once_with_a_reason() {
        assert_eq!(super::settle_finding(true, "looked at").unwrap_err().code, "lab-finding-settled");
        assert_eq!(super::settle_finding(false, "  ").unwrap_err().code, "lab-reason-missing");
        assert!(super::settle_finding(false, "looked at").is_ok());
    }
}
