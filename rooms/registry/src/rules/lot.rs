//! When a lot may be added or recalled.

use baton_kit::Refusal;

use crate::events::{AddLot, RecallLot};
use crate::model::Lot;

pub fn add_lot(code_taken: bool, command: &AddLot) -> Result<(), Refusal> {
    let fits = |text: &str, max: usize| text.trim() == text && (1..=max).contains(&text.chars().count());
    if !fits(&command.code, 60) || !fits(&command.product, 120) {
        return Err(Refusal::ruled("lot-text-wrong"));
    }
    if code_taken { Err(Refusal::conflict("lot-code-taken").with("code", &command.code)) } else { Ok(()) }
}

pub fn recall_lot(lot: Option<&Lot>, command: &RecallLot) -> Result<(), Refusal> {
    match lot {
        None => Err(Refusal::absent("no-such-thing")),
        Some(lot) if lot.recalled.is_some() => Err(Refusal::conflict("lot-recalled-already")),
        Some(_) if command.reason.trim().is_empty() => Err(Refusal::ruled("reason-missing")),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::LotKind;
    use baton_kit::{Bucket, Device, LotId, Timestamp};

    fn lot() -> Lot {
        let id = LotId::new(Bucket::INSTALLATION, Device::new(1).unwrap(), 1);
        Lot { id, kind: LotKind::PcrKit, code: "K1".to_owned(), product: "p".to_owned(), expires: Timestamp(9), recalled: None }
    }

    #[test]
    fn a_lot_has_a_code_of_its_own() {
        let command = AddLot { kind: LotKind::PcrKit, code: "K1".to_owned(), product: "p".to_owned(), expires_us: Timestamp(9) };
        assert!(add_lot(false, &command).is_ok());
        assert_eq!(add_lot(true, &command).unwrap_err().code, "lot-code-taken");
        assert_eq!(add_lot(false, &AddLot { code: String::new(), ..command }).unwrap_err().code, "lot-text-wrong");
    }

    #[test]
    fn a_lot_is_recalled_once_and_with_a_reason() {
        let command = RecallLot { lot: lot().id, reason: "maker".to_owned() };
        assert!(recall_lot(Some(&lot()), &command).is_ok());
        assert_eq!(recall_lot(None, &command).unwrap_err().code, "no-such-thing");
        let recalled = Lot { recalled: Some((Timestamp(5), "maker".to_owned())), ..lot() };
        assert_eq!(recall_lot(Some(&recalled), &command).unwrap_err().code, "lot-recalled-already");
        assert_eq!(recall_lot(Some(&lot()), &RecallLot { reason: " ".to_owned(), ..command }).unwrap_err().code, "reason-missing");
    }
}
