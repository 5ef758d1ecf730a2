//! When a place may be added or changed.

use baton_kit::{PlaceId, Refusal, TypedId};

use super::document::{self, NumberProblem};
use crate::events::{AddPlace, ChangePlace, PlaceDetails, PlaceKind};

/// What a new place is judged by.
#[derive(Clone, Debug, Default)]
pub struct PlacesNow {
    /// Another place of the kind has this code.
    pub code_taken: bool,
    /// Another enterprise has this credit code.
    pub credit_code_taken: bool,
    /// Kind of the parent, when it is known.
    pub parent: Option<PlaceKind>,
}

/// In what a place of a kind may lie; nothing in the list means it stands by itself.
fn parents(kind: PlaceKind) -> &'static [PlaceKind] {
    use PlaceKind::*;
    match kind {
        Zone => &[],
        Grid => &[Zone],
        Building => &[Zone, Grid],
        Enterprise => &[Zone, Grid, Building],
        Point | Laboratory | Gate => &[Zone, Grid, Building, Enterprise],
    }
}

/// A laboratory may serve all zones and lie in none.
fn may_stand_alone(kind: PlaceKind) -> bool {
    matches!(kind, PlaceKind::Zone | PlaceKind::Laboratory)
}

pub fn add_place(now: &PlacesNow, id: PlaceId, command: &AddPlace) -> Result<(), Refusal> {
    text(&command.code, 40, "place-code-wrong")?;
    text(&command.name, 120, "place-name-wrong")?;
    if now.code_taken {
        return Err(Refusal::conflict("place-code-taken").with("code", &command.code));
    }
    if now.credit_code_taken {
        return Err(Refusal::conflict("credit-code-taken"));
    }
    match (command.parent, now.parent) {
        (None, _) if may_stand_alone(command.kind) => {}
        (None, _) => return Err(Refusal::ruled("place-without-parent")),
        (Some(_), None) => return Err(Refusal::absent("place-parent-unknown")),
        (Some(_), Some(kind)) if !parents(command.kind).contains(&kind) => return Err(Refusal::ruled("place-parent-wrong")),
        // What belongs to one zone lives in one bucket.
        (Some(parent), _) if parent.bucket() != id.bucket() => return Err(Refusal::malformed("place-bucket-wrong").with("bucket", parent.bucket_number())),
        _ => {}
    }
    details(&command.details)
}

pub fn change_place(known: bool, command: &ChangePlace) -> Result<(), Refusal> {
    if !known {
        return Err(Refusal::absent("no-such-thing"));
    }
    if let Some(name) = &command.name {
        text(name, 120, "place-name-wrong")?;
    }
    command.details.as_ref().map_or(Ok(()), details)
}

fn text(text: &str, length_max: usize, code: &'static str) -> Result<(), Refusal> {
    let fits = text.trim() == text && (1..=length_max).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(Refusal::ruled(code).with("length", length_max)) }
}

fn details(details: &PlaceDetails) -> Result<(), Refusal> {
    if let Some(code) = &details.credit_code {
        let wrong = |problem: NumberProblem| Refusal::ruled("credit-code-wrong").with("problem", problem.code());
        document::credit_code(code).map_err(wrong)?;
    }
    let degrees = |value: Option<i64>, limit: i64| value.is_none_or(|e6| e6.abs() <= limit * 1_000_000);
    if !degrees(details.latitude_e6, 90) || !degrees(details.longitude_e6, 180) {
        return Err(Refusal::ruled("place-position-wrong"));
    }
    let count = |value: Option<i64>| value.is_none_or(|n| (0..=10_000_000).contains(&n));
    if !count(details.lanes) || !count(details.capacity) {
        return Err(Refusal::ruled("place-capacity-wrong"));
    }
    match details.opening_hours.as_deref() {
        Some(hours) if !is_hours(hours) => Err(Refusal::ruled("opening-hours-wrong")),
        _ => Ok(()),
    }
}

/// `07:00-22:00`; over midnight is allowed.
fn is_hours(text: &str) -> bool {
    let time = |text: &str| -> Option<(u8, u8)> {
        let (hour, minute) = text.split_once(':')?;
        Some((hour.parse().ok().filter(|h| *h <= 24)?, minute.parse().ok().filter(|m| *m < 60)?))
    };
    text.split_once('-').is_some_and(|(from, to)| time(from).is_some() && time(to).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_kit::{Bucket, Device};

    fn id(bucket: u8) -> PlaceId {
        PlaceId::new(Bucket::new(bucket).unwrap(), Device::new(1).unwrap(), 9)
    }

    fn add(kind: PlaceKind, parent: Option<PlaceId>) -> AddPlace {
        AddPlace { kind, code: "Z01".to_owned(), name: "江月".to_owned(), parent, details: PlaceDetails::default() }
    }

    fn code(result: Result<(), Refusal>) -> &'static str {
        result.map_or_else(|refusal| refusal.code, |()| "")
    }

    #[test]
    fn a_zone_stands_alone_and_a_grid_lies_in_its_zone() {
        let now = PlacesNow::default();
        assert_eq!(code(add_place(&now, id(3), &add(PlaceKind::Zone, None))), "");
        assert_eq!(code(add_place(&now, id(3), &add(PlaceKind::Grid, None))), "place-without-parent");
        assert_eq!(code(add_place(&now, id(3), &add(PlaceKind::Grid, Some(id(3))))), "place-parent-unknown");
        let zone = PlacesNow { parent: Some(PlaceKind::Zone), ..now.clone() };
        assert_eq!(code(add_place(&zone, id(3), &add(PlaceKind::Grid, Some(id(3))))), "");
        assert_eq!(code(add_place(&zone, id(4), &add(PlaceKind::Grid, Some(id(3))))), "place-bucket-wrong");
        let gate = PlacesNow { parent: Some(PlaceKind::Gate), ..now };
        assert_eq!(code(add_place(&gate, id(3), &add(PlaceKind::Grid, Some(id(3))))), "place-parent-wrong");
    }

    #[test]
    fn codes_are_given_once() {
        let taken = PlacesNow { code_taken: true, ..PlacesNow::default() };
        assert_eq!(code(add_place(&taken, id(3), &add(PlaceKind::Zone, None))), "place-code-taken");
        let taken = PlacesNow { credit_code_taken: true, ..PlacesNow::default() };
        assert_eq!(code(add_place(&taken, id(3), &add(PlaceKind::Zone, None))), "credit-code-taken");
    }

    #[test]
    fn names_codes_and_details_are_checked() {
        let place = add(PlaceKind::Zone, None);
        let judged = |place: AddPlace| code(add_place(&PlacesNow::default(), id(3), &place));
        assert_eq!(judged(AddPlace { code: " Z01".to_owned(), ..place.clone() }), "place-code-wrong");
        assert_eq!(judged(AddPlace { name: String::new(), ..place.clone() }), "place-name-wrong");
        let with = |details| judged(AddPlace { details, ..place.clone() });
        assert_eq!(with(PlaceDetails { credit_code: Some("91350100M000100Y44".to_owned()), ..PlaceDetails::default() }), "credit-code-wrong");
        assert_eq!(with(PlaceDetails { latitude_e6: Some(91_000_000), ..PlaceDetails::default() }), "place-position-wrong");
        assert_eq!(with(PlaceDetails { lanes: Some(-1), ..PlaceDetails::default() }), "place-capacity-wrong");
        assert_eq!(with(PlaceDetails { opening_hours: Some("7 to 9".to_owned()), ..PlaceDetails::default() }), "opening-hours-wrong");
        assert_eq!(with(PlaceDetails { opening_hours: Some("07:00-02:30".to_owned()), ..PlaceDetails::default() }), "");
    }

    #[test]
    fn only_a_known_place_changes() {
        let change = ChangePlace { place: id(3), name: Some("x".to_owned()), details: None, closed: None };
        assert_eq!(code(change_place(false, &change)), "no-such-thing");
        assert_eq!(code(change_place(true, &change)), "");
        assert_eq!(code(change_place(true, &ChangePlace { name: Some(" ".to_owned()), ..change })), "place-name-wrong");
    }
}
