//! A state saved at any time and resumed has the same future.

use baton_simulate::kernel::{Arrivals, Draws, Entity, Network, Simulation, State};
use proptest::prelude::*;

use super::laws::everything;
use super::{Entry, Journal, fixed, listed, network, station};

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, ..ProptestConfig::default() })]

    #[test]
    fn resumed_is_the_same_future(seed in 0u64..10_000, at in 0.0f64..300.0, exponential in any::<bool>()) {
        let network = everything();
        let times = (0..150).map(|index| f64::from(index / 2) * 1.5).collect();
        let arrivals = if exponential { Arrivals::Exponential { mean_gap_s: 0.8, count: 150 } } else { Arrivals::Times(times) };
        let draws = Draws::new(&network, seed, 3);
        let start = || Simulation::start(&network, &arrivals, &draws, State::empty(&network));
        let (mut whole, mut first) = (Journal::default(), Journal::default());
        start().run(&mut whole);
        let mut cut = start();
        cut.run_until(at, &mut first);
        let saved: State = cut.state().clone();
        drop(cut);
        // Resumed twice: a saved state is not used up.
        for _ in 0..2 {
            let mut parts = first.clone();
            Simulation::resume(&network, &arrivals, &draws, saved.clone()).run(&mut parts);
            prop_assert_eq!(&parts, &whole);
        }
    }
}

fn ends(network: &Network, state: State, arrivals: &Arrivals) -> Vec<(u32, f64)> {
    let draws = Draws::new(network, 1, 0);
    let mut journal = Journal::default();
    Simulation::start(network, arrivals, &draws, state).run(&mut journal);
    journal.0.iter().filter_map(|entry| if let Entry::Left { entity, at, .. } = entry { Some((*entity, *at)) } else { None }).collect()
}

#[test]
fn what_is_brought_goes_on_where_it_is() {
    let network = network(vec![station("a", 1, fixed(10.0)).to(1), station("b", 1, fixed(4.0)).batch(2, 6.0)]);
    let entity = |key| Entity { born_s: -50.0, rank: -50.0, key };
    let mut state = State::empty(&network);
    assert_eq!(state.bring_running(0, &[entity(0)], 3.0), [0]);
    assert_eq!(state.bring_waiting(&network, 0, entity(1), -2.0), 1);
    assert_eq!(state.bring_waiting(&network, 0, entity(2), -5.0), 2);
    assert_eq!(state.bring_waiting(&network, 1, entity(3), -5.5), 3);
    assert_eq!(state.bring_travelling(1, entity(4), 20.0), 4);
    assert_eq!(state.inside(), 5);
    // 3 is due at b at 0.5 and ends at 4.5; 0 joins b at 3 and starts when due, at 9. 2 came to a before 1: it ends there at 13, is due
    // at b at 19; 4 joins at 20, and with 5, from outside at 21, it is a full batch when the server is free at 23; 1 ends at a at 23 too.
    let expected = [(3, 4.5), (0, 13.0), (2, 23.0), (4, 27.0), (5, 27.0), (1, 33.0)];
    assert_eq!(ends(&network, state, &listed(&[(21.0, 1)])), expected);
}
