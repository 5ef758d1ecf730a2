//! Planners: each poses a problem, solves it within a budget, checks the plan independently and explains what it lacks.

pub mod roster;
