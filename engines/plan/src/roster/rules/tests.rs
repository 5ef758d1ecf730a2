//! For every rule a minimal roster just inside and just outside; across midnight, the end of a month and changes of the clock.

use proptest::prelude::*;

use super::calendar::{DAY_MINUTES, MINUTE, day_of};
use super::*;

const ANN: &str = "Ann";

/// A duty that starts on a local day and minute and lasts so many minutes of real time.
fn duty(zone: &Zone, day: i64, minute: i64, minutes: i64) -> Duty {
    let start = zone.utc(day) + minute * MINUTE;
    Duty { person: ANN.into(), start, end: start + minutes * MINUTE }
}

/// Breaches of one rule: what was found.
fn found(rule: &str, zone: &Zone, duties: &[Duty]) -> Vec<i64> {
    let set = rule_sets().into_iter().find(|set| set.rules.iter().any(|r| r.id == rule)).expect(rule);
    breaches(duties, zone, &set, &[]).unwrap().into_iter().filter(|b| b.rule == rule).map(|b| b.found).collect()
}

/// The minimal roster that measures `value` for the rule, from local day `day` on, a Monday.
fn minimal(rule: &Rule, zone: &Zone, day: i64, value: i64) -> Vec<Duty> {
    let days = |n: i64, minute: i64, minutes: i64| (0..n).map(|at| duty(zone, day + at, minute, minutes)).collect::<Vec<_>>();
    match rule.kind {
        Kind::ShiftMinutes | Kind::MinutesPerDay => days(1, 480, value),
        Kind::NightShiftMinutes => days(1, 22 * 60, value),
        Kind::OvertimePerMonth => {
            let mut duties = days(4, 480, 480 + value / 4);
            duties[0].end += value % 4 * MINUTE;
            duties
        }
        Kind::AverageWeekMinutes => {
            let mut duties = days(5, 480, value / 5);
            duties[0].end += value % 5 * MINUTE;
            duties
        }
        Kind::FreeDaysPerWeek => days(7 - value, 480, 60),
        Kind::DaysInARow => days(value, 480, 60),
        Kind::NightsInARow => days(value, 23 * 60, 180),
        Kind::EarlyStartsInARow => days(value, rule.before.unwrap() - 1, 60),
        Kind::RestBetweenShifts => {
            let first = duty(zone, day, 480, 480);
            let start = first.end + value * MINUTE;
            vec![Duty { start, end: start + 60 * MINUTE, ..first.clone() }, first]
        }
        Kind::NightToDayRest => {
            let first = duty(zone, day, 22 * 60, 480);
            let start = first.end + value * MINUTE;
            vec![first.clone(), Duty { start, end: start + 60 * MINUTE, ..first }]
        }
    }
}

fn is_least(kind: Kind) -> bool {
    matches!(kind, Kind::FreeDaysPerWeek | Kind::RestBetweenShifts | Kind::NightToDayRest)
}

/// Shanghai; London with its changes of 2020; a place far west.
fn zones() -> Vec<Zone> {
    let change = |month, day| (day_of(2020, month, day) * 24 + 1) * 60 * MINUTE;
    vec![Zone::fixed(480), Zone::new(vec![(0, 0), (change(3, 29), 60), (change(10, 25), 0)]), Zone::fixed(-660)]
}

#[test]
fn the_shipped_sets_are_read_and_say_where_they_come_from() {
    let sets = rule_sets();
    assert_eq!(sets.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), vec!["prc-labour-law", "hse-good-practice", "uk-night-work", "volunteers"]);
    let mut ids: Vec<&str> = sets.iter().flat_map(|s| &s.rules).map(|r| r.id.as_str()).collect();
    assert!(sets.iter().flat_map(|s| &s.rules).all(|r| r.limit > 0 && r.source.len() > 10));
    ids.sort_unstable();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all, "ids are unique");
}

proptest! {
    #[test]
    fn every_rule_holds_at_its_limit_and_is_broken_just_beyond(week in 0i64..110, zone in 0usize..3) {
        let zone = &zones()[zone];
        // Mondays of 2019 to 2021: month ends, leap day and changes of the clock among them.
        let monday = day_of(2018, 12, 31) + 7 * week;
        for rule in rule_sets().iter().flat_map(|set| &set.rules) {
            let outside = if is_least(rule.kind) { rule.limit - 1 } else { rule.limit + 1 };
            let one_month = calendar::month_of(monday) == calendar::month_of(monday + 6);
            if rule.kind == Kind::OvertimePerMonth && !one_month {
                continue;
            }
            prop_assert_eq!(found(&rule.id, zone, &minimal(rule, zone, monday, rule.limit)), Vec::<i64>::new(), "inside {}", rule.id);
            prop_assert_eq!(found(&rule.id, zone, &minimal(rule, zone, monday, outside)), vec![outside], "outside {}", rule.id);
        }
    }
}

#[test]
fn overtime_is_counted_by_the_month_in_which_the_day_begins() {
    let zone = Zone::fixed(480);
    let last = day_of(2020, 1, 31);
    // 18 and 18 hours of overtime and one minute more, on either side of the month's end.
    let over = |day, minutes: i64| duty(&zone, day, 0, 480 + minutes);
    let split = vec![over(last - 1, 540), over(last, 540), over(last + 1, 540), over(last + 2, 541)];
    assert_eq!(found("prc-41-month", &zone, &split), Vec::<i64>::new());
    let together: Vec<Duty> = (1..5).map(|at| over(last + at, if at == 1 { 541 } else { 540 })).collect();
    assert_eq!(found("prc-41-month", &zone, &together), vec![2161]);
}

#[test]
fn a_night_across_midnight_takes_both_days_from_the_rest() {
    let zone = Zone::fixed(480);
    let monday = day_of(2020, 6, 29);
    let mut duties: Vec<Duty> = (0..5).map(|at| duty(&zone, monday + at, 480, 480)).collect();
    duties.push(duty(&zone, monday + 5, 22 * 60, 120));
    assert_eq!(found("prc-38-rest-day", &zone, &duties), Vec::<i64>::new());
    duties[5].end += MINUTE;
    assert_eq!(found("prc-38-rest-day", &zone, &duties), vec![0]);
}

#[test]
fn minutes_are_real_when_the_clock_changes() {
    let london = &zones()[1];
    // 22:00 to 06:00 on the clock: 7 hours in March, 9 in October.
    let night = |month, day| {
        let start = london.utc(day_of(2020, month, day)) + 22 * 60 * MINUTE;
        let end = london.utc(day_of(2020, month, day + 1));
        let six = (0..24 * 60).map(|m| end + m * MINUTE).find(|t| london.local(*t).minute == 360).unwrap();
        Duty { person: ANN.into(), start, end: six }
    };
    assert_eq!(found("hse-night-shift", london, &[night(3, 28)]), Vec::<i64>::new());
    assert_eq!(found("hse-night-shift", london, &[night(10, 24)]), vec![540]);
    assert_eq!(found("hse-night-shift", london, &[night(6, 20)]), Vec::<i64>::new());
    assert_eq!(risk_window_minutes(&night(6, 20), london), 240);
}

#[test]
fn volunteers_of_fourteen_hours_a_day_are_told_and_exemptions_never_silence() {
    let zone = Zone::fixed(480);
    let monday = day_of(2020, 6, 29);
    let duties: Vec<Duty> = (0..14).map(|at| duty(&zone, monday + at, 360, 840)).collect();
    let set = rule_sets().remove(3);
    let told = breaches(&duties, &zone, &set, &[]).unwrap();
    let of = |rule: &str| told.iter().filter(|b| b.rule == rule).count();
    assert_eq!((of("vol-shift"), of("vol-rest"), of("vol-days"), of("vol-free")), (14, 13, 1, 2));
    assert_eq!(told.iter().find(|b| b.rule == "vol-days").map(Breach::amount), Some(7));
    let mut exemption = Exemption { rule: "vol-days".into(), from: 0, until: i64::MAX, reason: "flood".into(), approver: "zone director".into() };
    let exempted = breaches(&duties, &zone, &set, std::slice::from_ref(&exemption)).unwrap();
    assert_eq!(exempted.len(), told.len());
    assert!(exempted.iter().all(|b| b.exempted.is_some() == (b.rule == "vol-days")));
    exemption.approver = " ".into();
    assert_eq!(breaches(&duties, &zone, &set, &[exemption]), Err(Refusal::Unfounded(0)));
}

#[test]
fn what_is_no_shift_is_refused() {
    let (zone, set) = (Zone::fixed(480), rule_sets().remove(0));
    let at = |start, end| vec![Duty { person: ANN.into(), start, end }];
    assert_eq!(breaches(&at(5, 5), &zone, &set, &[]), Err(Refusal::Span(0)));
    assert_eq!(breaches(&at(0, 8 * DAY_MINUTES * MINUTE), &zone, &set, &[]), Err(Refusal::Span(0)));
    assert_eq!(breaches(&at(i64::MIN, i64::MAX), &zone, &set, &[]), Err(Refusal::Time(0)));
    assert_eq!(breaches(&[], &zone, &set, &[]), Ok(vec![]));
}
