//! A second simulator, written as differently as possible: no event list, no state per station, everything searched for anew at every
//! instant. Both must agree on every wait of every entity, to the last bit.

use std::collections::BTreeMap;

use baton_simulate::distribution::Distribution;
use baton_simulate::draws::{Purpose, Stream};
use baton_simulate::kernel::{Batch, Calendar, Route, Station, Step};
use proptest::prelude::*;

use super::{Entry, exponential, fixed, journal, listed, network};

type Waits = BTreeMap<(usize, usize), f64>;

#[derive(Debug, Clone)]
struct Plain {
    steps: Vec<(f64, u32)>,
    batch: Option<(usize, f64)>,
    next: Option<usize>,
    /// A fixed time, or the mean of an exponential one.
    service: Result<f64, f64>,
}

#[derive(Debug, Clone)]
struct Waiting {
    station: usize,
    since: f64,
    leader: usize,
    place: usize,
    entity: usize,
}

struct Served {
    station: usize,
    end: f64,
    members: Vec<usize>,
}

fn reference(stations: &[Plain], arrivals: &[(f64, u32)], demand: &dyn Fn(usize, usize) -> f64) -> Waits {
    let (mut waits, mut waiting, mut served, mut come) = (Waits::new(), Vec::<Waiting>::new(), Vec::<Served>::new(), 0);
    let mut now = -1.0;
    loop {
        let deadlines = waiting.iter().filter_map(|one: &Waiting| Some(one.since + stations[one.station].batch?.1));
        let later = deadlines.chain(stations.iter().flat_map(|station| station.steps.iter().map(|step| step.0))).filter(|time| *time > now);
        let next = later.chain(served.iter().map(|one| one.end)).chain(arrivals.get(come).map(|arrival| arrival.0)).min_by(f64::total_cmp);
        if come == arrivals.len() && served.is_empty() && waiting.is_empty() {
            return waits;
        }
        now = next.expect("somebody is still there");
        let (done, working): (Vec<Served>, Vec<Served>) = served.into_iter().partition(|one| one.end == now);
        served = working;
        for one in done {
            let Some(station) = stations[one.station].next else { continue };
            let leader = one.members[0];
            waiting.extend(one.members.iter().enumerate().map(|(place, entity)| Waiting { station, since: now, leader, place, entity: *entity }));
        }
        while come < arrivals.len() && arrivals[come].0 == now {
            waiting.push(Waiting { station: arrivals[come].1 as usize, since: now, leader: come, place: 0, entity: come });
            come += 1;
        }
        waiting.sort_by(|one, other| one.since.total_cmp(&other.since).then((one.leader, one.place).cmp(&(other.leader, other.place))));
        for (station, plain) in stations.iter().enumerate() {
            let on_duty = plain.steps.iter().rfind(|step| step.0 <= now).map_or(0, |step| step.1 as usize);
            while served.iter().filter(|one| one.station == station).count() < on_duty {
                let queue: Vec<Waiting> = waiting.iter().filter(|one| one.station == station).cloned().collect();
                let take = match plain.batch {
                    None => 1,
                    Some((size, _)) if queue.len() >= size => size,
                    Some((_, most)) if queue.first().is_some_and(|first| now >= first.since + most) => queue.len(),
                    Some(_) => break,
                };
                let members: Vec<usize> = queue.iter().take(take).map(|one| one.entity).collect();
                let Some(first) = members.first() else { break };
                served.push(Served { station, end: now + demand(station, *first), members: members.clone() });
                waits.extend(queue.iter().take(take).map(|one| ((station, one.entity), now - one.since)));
                waiting.retain(|one| !(one.station == station && members.contains(&one.entity)));
            }
        }
    }
}

fn plain(index: usize, count: usize) -> impl Strategy<Value = Plain> {
    let gaps = prop::collection::vec((1u32..12, 0u32..3), 0..3);
    let steps = (0u32..3, gaps, 1u32..3).prop_map(|(first, gaps, last)| {
        let mut steps = vec![(0.0, first)];
        for (gap, servers) in gaps {
            steps.push((steps[steps.len() - 1].0 + f64::from(gap), servers));
        }
        let end = steps.len() - 1;
        steps[end].1 = last;
        steps
    });
    let batch = prop::option::of((1usize..5, (0u32..10).prop_map(f64::from)));
    let next = prop::option::of(index + 1..count.max(index + 2)).prop_map(move |next| next.filter(|next| *next < count));
    let service = prop_oneof![3 => (0u32..6).prop_map(|value| Ok(f64::from(value))), 1 => Just(Err(3.0))];
    (steps, batch, next, service).prop_map(|(steps, batch, next, service)| Plain { steps, batch, next, service })
}

fn plains() -> impl Strategy<Value = Vec<Plain>> {
    (1usize..6).prop_flat_map(|count| (0..count).map(|index| plain(index, count)).collect::<Vec<_>>())
}

fn station(index: usize, plain: &Plain) -> Station {
    let service: Distribution = plain.service.map_or_else(exponential, fixed);
    let steps = plain.steps.iter().map(|&(from_s, servers)| Step { from_s, servers }).collect();
    let batch = plain.batch.map(|(size, max_wait_s)| Batch { size: size as u32, max_wait_s });
    let route = plain.next.map_or(Route::Leave, |next| Route::To(next as u32));
    Station { batch, route, ..Station::new(format!("s{index}"), Calendar::new(steps).expect("a calendar"), service) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn two_simulators_agree_on_every_wait(plains in plains(), times in prop::collection::vec((0u32..40, 0u32..5), 1..40), seed in 0u64..1000) {
        let mut arrivals: Vec<(f64, u32)> = times.iter().map(|(at, station)| (f64::from(*at), station % plains.len() as u32)).collect();
        arrivals.sort_by(|one, other| one.0.total_cmp(&other.0));
        let stations: Vec<Station> = plains.iter().enumerate().map(|(index, plain)| station(index, plain)).collect();
        let streams: Vec<Stream> = stations.iter().map(|station| Stream::new(seed, 0, Purpose::Service, &station.name)).collect();
        let services: Vec<Distribution> = stations.iter().map(|station| station.service).collect();
        let expected = reference(&plains, &arrivals, &|station, entity| services[station].at(streams[station].word(entity as u64)));
        let entries = journal(&network(stations), &listed(&arrivals), seed).0;
        let seen: Waits = entries.iter().filter_map(|entry| match entry {
            Entry::Started { station, entity, wait, .. } => Some(((*station as usize, *entity as usize), *wait)),
            _ => None,
        }).collect();
        prop_assert_eq!(seen, expected);
    }
}
