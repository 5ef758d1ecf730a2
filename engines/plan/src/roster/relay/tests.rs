//! A small desk around the clock: planned, handed over by name, and planned again after a sick call.

use super::*;

/// Two posts, three shifts with a quarter of an hour of hand-over, twelve people, two weeks.
fn desk() -> Relay {
    let people: Vec<String> = (0..12)
        .map(|at| {
            let skills = if at < 9 { r#"["desk"]"# } else { r#"["desk","lab"]"# };
            format!(r#"{{"id":"P{at}","skills":{skills},"max_minutes":5000,"max_consecutive":5,"min_days_off":2,"max_weekends":2}}"#)
        })
        .collect();
    let text = format!(
        r#"{{"days":14,"fair_nights":true,
        "shifts":[{{"id":"early","start_minute":360,"minutes":495,"handover_minutes":15}},
                  {{"id":"late","start_minute":840,"minutes":495,"handover_minutes":15}},
                  {{"id":"night","start_minute":1320,"minutes":495,"handover_minutes":15}}],
        "posts":[{{"id":"front","skill":"desk","needs":{{"early":2,"late":1,"night":1}}}},{{"id":"bench","skill":"lab","needs":{{"early":1}}}}],
        "people":[{}]}}"#,
        people.join(",")
    );
    parse(&text).expect("the desk is valid")
}

fn planned(relay: &Relay) -> RelayPlan {
    plan(relay, 1, &crate::Alone(1), Budget::Work(150_000), &mut |_| {}).unwrap()
}

#[test]
fn every_post_is_held_and_handed_over_by_name() {
    let relay = desk();
    let plan = planned(&relay);
    assert_eq!(plan.broken, Vec::<String>::new());
    assert_eq!(plan.unfilled, vec![]);
    assert_eq!(plan.duties.len(), 14 * 5);
    for duty in plan.duties.iter().filter(|d| d.post == "bench") {
        assert!(["P9", "P10", "P11"].contains(&duty.person.as_str()), "{duty:?}");
    }
    let nights = |person: &str| plan.duties.iter().filter(|d| d.person == person && d.shift == "night").count();
    assert!(relay.people.iter().all(|p| nights(&p.id) <= 3), "14 nights among 12 people: at most 2 + 1 each");
    // Early hands to late (two leave, one comes), late to night, night to the next early but for the last.
    let first_day: Vec<u32> = plan.handovers.iter().map(|h| h.minute).filter(|minute| *minute < 1_440).collect();
    assert_eq!(first_day, vec![840, 1320]);
    assert_eq!(plan.handovers.len(), 14 + 14 + 13);
    assert!(plan.handovers.iter().all(|h| h.to.is_some()));
    for handover in plan.handovers.iter().filter(|h| h.to.is_some()) {
        assert_ne!(Some(&handover.from), handover.to.as_ref());
        assert_eq!((handover.overlap_minutes, handover.post.as_str()), (15, "front"));
    }
}

#[test]
fn a_sick_call_changes_only_what_it_must() {
    let mut relay = desk();
    relay.published = planned(&relay).duties;
    relay.begun_days = 3;
    let sick = relay.published.iter().find(|d| d.day == 4 && d.shift == "late").unwrap().person.clone();
    relay.absences = vec![Absence { person: sick.clone(), from_day: 4, until_day: 8 }];
    let again = planned(&relay);
    let lost: Vec<&Duty> = relay.published.iter().filter(|d| d.person == sick && (4..=8).contains(&d.day)).collect();
    assert_eq!(again.removed.iter().collect::<Vec<_>>(), lost);
    assert!(!again.added.is_empty() && again.added.len() <= lost.len(), "{:?} for {lost:?}", again.added);
    assert!(again.added.iter().all(|d| d.person != sick && (4..=8).contains(&d.day)));
    assert_eq!(again.broken, Vec::<String>::new());
    assert!(again.duties.iter().all(|d| d.person != sick || !(4..=8).contains(&d.day)));
}

#[test]
fn an_unfilled_post_says_why_of_everybody() {
    let mut relay = desk();
    relay.absences = ["P9", "P10", "P11"].into_iter().map(|id| Absence { person: id.into(), from_day: 0, until_day: 13 }).collect();
    let mut plan = planned(&relay);
    let bench: Vec<&Unfilled> = plan.unfilled.iter().filter(|u| u.post == "bench").collect();
    assert_eq!(bench.len(), 14);
    let reasons: BTreeMap<&str, &str> = bench[0].reasons.iter().map(|(who, why)| (who.as_str(), why.as_str())).collect();
    assert_eq!(reasons.len(), 12);
    assert_eq!((reasons["P0"], reasons["P9"]), ("never works this shift", "that day is fixed"));
    // Somebody who goes with nobody to come holds until relieved.
    relay.people.truncate(3);
    relay.absences.clear();
    plan = planned(&relay);
    assert!(plan.handovers.iter().any(|h| h.to.is_none()));
}

#[test]
fn wishes_count() {
    let mut relay = desk();
    relay.people[0].wishes = (0..14).map(|day| Wish { day, shift: "night".into(), wanted: false, weight: 20 }).collect();
    let plan = planned(&relay);
    assert!(plan.duties.iter().all(|d| d.person != "P0" || d.shift != "night"));
    assert_eq!(plan.objective, 0);
}

#[test]
fn mistakes_name_their_field() {
    let good = serde_json::to_string(&desk()).unwrap();
    assert_eq!(parse(&good), Ok(desk()));
    let cases = [
        (r#""days":14"#, r#""days":0"#, "days"),
        (r#""days":14"#, r#""tage":14"#, "line 1, column"),
        (r#""start_minute":840"#, r#""start_minute":1440"#, "shifts[1]"),
        (r#""id":"bench""#, r#""id":"front""#, "posts[1].id"),
        (r#""early":1"#, r#""dawn":1"#, "posts[1].needs"),
        (r#""id":"P3""#, r#""id":"P2""#, "people[3].id"),
        (r#""absences":[]"#, r#""absences":[{"person":"P1","from_day":3,"until_day":2}]"#, "absences[0]"),
        (r#""published":[]"#, r#""published":[{"day":0,"shift":"late","post":"bench","person":"P1"}]"#, "published[0]"),
        (r#""begun_days":0"#, r#""begun_days":15"#, "begun_days"),
    ];
    for (from, to, field) in cases {
        assert!(good.contains(from), "{from}");
        let error = parse(&good.replacen(from, to, 1)).expect_err(to);
        assert!(error.field.starts_with(field), "{error}");
    }
}

#[test]
fn a_night_has_three_hours_of_night() {
    let shift = |start_minute, minutes| Shift { id: "x".into(), start_minute, minutes, handover_minutes: 0 };
    assert!(is_night(&shift(1320, 480)) && is_night(&shift(0, 180)) && is_night(&shift(180, 480)));
    assert!(!is_night(&shift(181, 480)) && !is_night(&shift(840, 480)) && !is_night(&shift(1320, 239)));
}

#[test]
fn an_existing_roster_is_read_and_every_breach_told_with_its_rule() {
    let relay = desk();
    let monday = crate::roster::rules::monday("2022-04-04").expect("a Monday");
    let sets = crate::roster::rules::rule_sets();
    let hse = sets.iter().find(|set| set.id == "hse-good-practice").expect("shipped");
    let sound = review(&relay, &planned(&relay).duties, monday, 480, hse).expect("read");
    assert!(sound.broken.is_empty() && sound.unfilled.is_empty());
    assert!(sound.breaches.iter().all(|breach| !breach.hard || breach.rule == "hse-switch"), "{:?}", sound.breaches);
    // Two weeks of nights without a day off, and once an early shift right after.
    let duty = |day: usize, shift: &str| Duty { day, shift: shift.into(), post: "front".into(), person: "P1".into() };
    let mut roster: Vec<Duty> = (0..14).map(|day| duty(day, "night")).collect();
    roster[7].shift = "early".into();
    let read = review(&relay, &roster, monday, 480, hse).expect("read");
    let rules: Vec<&str> = read.broken.iter().map(|broken| broken.rule).collect();
    for rule in ["too many days in a row", "too little rest before the next day's duty", "more minutes than the contract allows"] {
        assert!(rules.contains(&rule), "{rules:?}");
    }
    let days = read.breaches.iter().find(|breach| breach.rule == "hse-days").expect("14 days");
    assert_eq!((days.date.as_str(), days.found, days.limit, days.hard), ("2022-04-04", 14, 7, true));
    let rest = read.breaches.iter().find(|breach| breach.rule == "hse-rest").expect("short");
    assert_eq!((rest.date.as_str(), rest.found), ("2022-04-11", 0), "the night ends at 06:15");
    assert!(!read.unfilled.is_empty());
    let refused = |duty: Duty| review(&relay, &[duty], monday, 480, hse).expect_err("refused").to_string();
    assert_eq!(refused(duty(14, "early")), "roster[0]: day 14 lies outside the 14 days");
    assert_eq!(refused(Duty { person: "X".into(), ..duty(0, "early") }), "roster[0]: `X` is nobody of people");
    assert_eq!(refused(duty(0, "noon")), "roster[0]: post `front` needs nobody in shift `noon`");
    assert_eq!(crate::roster::rules::monday("2022-04-05"), None);
    assert_eq!(crate::roster::rules::monday("2022-02-30"), None);
}
