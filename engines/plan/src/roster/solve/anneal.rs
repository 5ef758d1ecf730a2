//! Simulated annealing over small changes of rows, broken hard rules priced.

use super::model::{Code, OFF};
use super::state::{Delta, State};
use crate::random::Random;

/// Longest window one move touches.
const WINDOW: usize = 14;

/// How freely the search moves: an uphill step of `temperature` is taken with probability 1/e, a unit of a broken rule costs `price`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heat {
    pub temperature: f32,
    pub price: f32,
}

/// Tries `moves` changes.
pub(super) fn sweep(state: &mut State, random: &mut Random, heat: Heat, moves: u64) {
    for _ in 0..moves {
        let threshold = -heat.temperature * random.uniform_f32().ln();
        match random.below(16) {
            0..=6 => assign(state, random, heat, threshold),
            7..=11 => trade(state, random, heat, threshold),
            12..=13 => exchange(state, random, heat, threshold),
            _ => slide(state, random, heat, threshold),
        }
    }
}

/// Takes the new window when its price is below the threshold.
#[inline]
fn consider(state: &mut State, heat: Heat, threshold: f32, employee: usize, at: usize, new: &mut [Code]) {
    let Some(soft) = state.soft_delta(employee, at, new, true) else { return };
    // No change repairs more than is broken.
    if soft as f32 - heat.price * state.broken(employee) as f32 > threshold {
        return;
    }
    let hard = state.hard_delta(employee, at, new);
    if soft as f32 + heat.price * hard as f32 <= threshold {
        state.apply(employee, at, new, Delta { soft, hard });
    }
}

/// Short windows are likelier: 1 with 1/2, 2 with 1/4 and so on.
#[inline]
fn length(random: &mut Random, most: usize) -> usize {
    (1 + (random.next_u64() >> 32 | 1 << 12).trailing_zeros() as usize).min(most)
}

/// A few days in a row all get one shift, or become free.
fn assign(state: &mut State, random: &mut Random, heat: Heat, threshold: f32) {
    let model = state.model;
    let (employee, at) = (random.below(model.staff), random.below(model.days));
    let code = if random.below(4) == 0 { OFF } else { random.below(model.codes) as Code };
    if !model.may(employee, at, code) || state.row(employee)[at] == code {
        return;
    }
    let length = length(random, (model.days - at).min(WINDOW));
    let mut window = [code; WINDOW];
    consider(state, heat, threshold, employee, at, &mut window[..length]);
}

/// Two people trade their duties on a few days.
fn trade(state: &mut State, random: &mut Random, heat: Heat, threshold: f32) {
    let model = state.model;
    let (one, other, at) = (random.below(model.staff), random.below(model.staff), random.below(model.days));
    let most = (model.days - at).min(WINDOW);
    let length = if random.below(2) == 0 { length(random, most) } else { 1 + random.below(most) };
    if one == other {
        return;
    }
    let mut first = [OFF; WINDOW];
    let mut second = [OFF; WINDOW];
    first[..length].copy_from_slice(&state.row(other)[at..at + length]);
    second[..length].copy_from_slice(&state.row(one)[at..at + length]);
    let (first, second) = (&mut first[..length], &mut second[..length]);
    if first == second {
        return;
    }
    let Some(soft_one) = state.soft_delta(one, at, first, false) else { return };
    let Some(soft_other) = state.soft_delta(other, at, second, false) else { return };
    let soft = (soft_one + soft_other) as f32;
    let repair = heat.price * (state.broken(one) + state.broken(other)) as f32;
    if soft - repair > threshold {
        return;
    }
    let hard_one = state.hard_delta(one, at, first);
    if soft + heat.price * (hard_one - state.broken(other)) as f32 > threshold {
        return;
    }
    let hard_other = state.hard_delta(other, at, second);
    if soft + heat.price * (hard_one + hard_other) as f32 <= threshold {
        state.apply(one, at, first, Delta { soft: soft_one, hard: hard_one });
        state.apply(other, at, second, Delta { soft: soft_other, hard: hard_other });
    }
}

/// Two days of one row change places.
fn exchange(state: &mut State, random: &mut Random, heat: Heat, threshold: f32) {
    let model = state.model;
    let (employee, at) = (random.below(model.staff), random.below(model.days));
    let most = (model.days - at).min(WINDOW);
    if most < 2 {
        return;
    }
    let length = 2 + random.below(most - 1);
    let mut window = [OFF; WINDOW];
    window[..length].copy_from_slice(&state.row(employee)[at..at + length]);
    if window[0] == window[length - 1] {
        return;
    }
    window.swap(0, length - 1);
    consider(state, heat, threshold, employee, at, &mut window[..length]);
}

/// A stretch of one row moves by a day; the day it pushes out comes in at the other end.
fn slide(state: &mut State, random: &mut Random, heat: Heat, threshold: f32) {
    let model = state.model;
    let (employee, at) = (random.below(model.staff), random.below(model.days));
    let most = (model.days - at).min(WINDOW);
    if most < 3 {
        return;
    }
    let length = 3 + random.below(most - 2);
    let mut window = [OFF; WINDOW];
    window[..length].copy_from_slice(&state.row(employee)[at..at + length]);
    if random.below(2) == 0 {
        window[..length].rotate_left(1)
    } else {
        window[..length].rotate_right(1)
    }
    consider(state, heat, threshold, employee, at, &mut window[..length]);
}
