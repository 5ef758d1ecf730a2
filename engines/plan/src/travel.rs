//! Minutes between places: a matrix as given, a straight line times a factor, or a table of a routing server (OSRM).
//!
//! Nothing here asks a server: the caller does, by [`osrm_path`], and hands over the answer to [`osrm_minutes`].

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::fault::{Fault, from_json, within};

/// Most places that are measured: the matrix grows with their square.
pub const PLACES_MAX: usize = 2500;
/// Mean radius of the earth (IUGG), in kilometres.
const EARTH_KM: f64 = 6371.0088;

/// A point on the map, WGS 84 degrees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub longitude: f64,
    pub latitude: f64,
}

/// Driving estimated from the air: so many times the straight line, at so many kilometres an hour.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StraightLine {
    pub factor: f64,
    pub km_per_hour: f64,
}

/// Whether every place is on the map.
///
/// # Errors
/// Naming the place.
pub fn validate_places(places: &[Place]) -> Result<(), Fault> {
    within("places", places.len() as i64, 1, PLACES_MAX as i64)?;
    let on_map = |place: &Place| place.longitude.abs() <= 180.0 && place.latitude.abs() <= 90.0;
    match places.iter().position(|place| !on_map(place)) {
        Some(at) => Err(Fault::new(0, format!("places[{at}]"), "is no longitude within ±180 and latitude within ±90")),
        None => Ok(()),
    }
}

/// Whole minutes, rounded up, between all places.
///
/// # Errors
/// Naming a place that is not on the map, or a factor or speed out of bounds.
pub fn straight_minutes(places: &[Place], line: &StraightLine) -> Result<Vec<Vec<i64>>, Fault> {
    validate_places(places)?;
    if !((1.0..=10.0).contains(&line.factor) && (1.0..=200.0).contains(&line.km_per_hour)) {
        return Err(Fault::new(0, "straight_line", "the factor is not within 1 to 10, or the speed not within 1 to 200 km/h"));
    }
    let minutes = |from: &Place, to: &Place| (kilometres(from, to) * line.factor / line.km_per_hour * 60.0 - 1e-9).ceil().max(0.0) as i64;
    Ok(places.iter().map(|from| places.iter().map(|to| minutes(from, to)).collect()).collect())
}

/// Along the great circle (haversine).
fn kilometres(from: &Place, to: &Place) -> f64 {
    let half = |a: f64, b: f64| ((b - a).to_radians() / 2.0).sin().powi(2);
    let flat = half(from.latitude, to.latitude) + from.latitude.to_radians().cos() * to.latitude.to_radians().cos() * half(from.longitude, to.longitude);
    2.0 * EARTH_KM * flat.sqrt().min(1.0).asin()
}

/// What to ask an OSRM server for (its table service, version 1): all durations and distances between the places.
///
/// # Errors
/// As [`validate_places`].
pub fn osrm_path(places: &[Place]) -> Result<String, Fault> {
    validate_places(places)?;
    let mut path = "/table/v1/driving/".to_owned();
    for (at, place) in places.iter().enumerate() {
        let between = if at == 0 { "" } else { ";" };
        let _ = write!(path, "{between}{:.6},{:.6}", place.longitude, place.latitude);
    }
    path.push_str("?annotations=duration,distance");
    Ok(path)
}

#[derive(Deserialize)]
struct OsrmTable {
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    durations: Vec<Vec<Option<f64>>>,
}

/// Whole minutes, rounded up, from the answer of an OSRM server about so many places.
///
/// # Errors
/// When the server refused, the table has another size, or a place cannot be reached.
pub fn osrm_minutes(answer: &str, places: usize) -> Result<Vec<Vec<i64>>, Fault> {
    let table: OsrmTable = from_json(answer)?;
    if table.code != "Ok" {
        return Err(Fault::new(0, "OSRM", format!("{} {}", table.code, table.message).trim().to_owned()));
    }
    within("OSRM: rows", table.durations.len() as i64, places as i64, places as i64)?;
    let mut minutes = Vec::with_capacity(places);
    for (from, row) in table.durations.iter().enumerate() {
        within(&format!("OSRM: columns of row {from}"), row.len() as i64, places as i64, places as i64)?;
        let lost = row.iter().position(|seconds| !seconds.is_some_and(|seconds| (0.0..6e6).contains(&seconds)));
        if let Some(to) = lost {
            return Err(Fault::new(0, "OSRM", format!("no way leads from place {from} to place {to}")));
        }
        minutes.push(row.iter().flatten().map(|seconds| (seconds / 60.0 - 1e-9).ceil().max(0.0) as i64).collect());
    }
    Ok(minutes)
}

/// Whether a matrix is square and every number within its bounds.
pub(crate) fn validate(minutes: &[Vec<i64>], most: i64) -> Result<(), Fault> {
    let size = minutes.len() as i64;
    within("places", size, 1, PLACES_MAX as i64)?;
    for (at, row) in minutes.iter().enumerate() {
        within(&format!("minutes[{at}]: columns"), row.len() as i64, size, size)?;
        for (to, minutes) in row.iter().enumerate() {
            within(&format!("minutes[{at}][{to}]"), *minutes, 0, most)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINGANG: Place = Place { longitude: 121.909, latitude: 30.881 };
    const PUDONG_AIRPORT: Place = Place { longitude: 121.805, latitude: 31.143 };

    #[test]
    fn a_straight_line_is_as_long_as_on_the_globe() {
        let quarter = kilometres(&Place { longitude: 0.0, latitude: 0.0 }, &Place { longitude: 0.0, latitude: 90.0 });
        assert!((quarter - EARTH_KM * std::f64::consts::FRAC_PI_2).abs() < 1e-6);
        let line = StraightLine { factor: 1.0, km_per_hour: 60.0 };
        let minutes = straight_minutes(&[LINGANG, PUDONG_AIRPORT], &line).expect("measured");
        assert_eq!(minutes, vec![vec![0, 31], vec![31, 0]], "30.8 km");
        let detour = straight_minutes(&[LINGANG, PUDONG_AIRPORT], &StraightLine { factor: 1.3, ..line }).expect("measured");
        assert_eq!(detour[0][1], 41);
        let off = Place { longitude: f64::NAN, latitude: 0.0 };
        assert_eq!(straight_minutes(&[LINGANG, off], &line).expect_err("off the map").field, "places[1]");
        assert_eq!(straight_minutes(&[LINGANG], &StraightLine { factor: 0.5, ..line }).expect_err("shorter").field, "straight_line");
    }

    #[test]
    fn an_osrm_table_is_read() {
        assert_eq!(
            osrm_path(&[LINGANG, PUDONG_AIRPORT]).expect("path"),
            "/table/v1/driving/121.909000,30.881000;121.805000,31.143000?annotations=duration,distance"
        );
        let table = r#"{"code":"Ok","durations":[[0,60.1],[3599.9,0]],"distances":[[0,900.5],[1,0]],"sources":[],"destinations":[]}"#;
        assert_eq!(osrm_minutes(table, 2).expect("table"), vec![vec![0, 2], vec![60, 0]]);
        let said = |answer: &str| osrm_minutes(answer, 2).expect_err("refused").to_string();
        assert_eq!(said(r#"{"code":"TooBig","message":"Too many table coordinates"}"#), "OSRM: TooBig Too many table coordinates");
        assert_eq!(said(r#"{"code":"Ok","durations":[[0,null],[1,0]]}"#), "OSRM: no way leads from place 0 to place 1");
        assert_eq!(said(r#"{"code":"Ok","durations":[[0,1]]}"#), "OSRM: rows: 1 is not within 2 to 2");
        assert!(said("<html>").starts_with("line 1, column 1"));
    }
}
