//! From what was seen to the twin's states, from its answer to the words that are kept, and what came of them. Pure.

pub mod change;
pub mod lines;
pub mod measure;
pub mod said;
pub mod score;
pub mod twin;

#[cfg(test)]
mod tests;
