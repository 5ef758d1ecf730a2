//! Labels of tubes: every device is issued its block before the shift. Now and then one is spoiled, which is said and the next one taken.

use std::collections::HashMap;

use anyhow::Context;
use baton_documents::with_check;
use baton_kit::Bucket;
use serde_json::json;

use super::{Hand, Play};
use crate::script::{Act, Day};

/// One label in so many is spoiled.
const SPOILED_IN: usize = 40;

/// What stands on each tube of a round.
#[derive(Default)]
pub(super) struct Labels {
    /// By tube.
    pub(super) codes: Vec<String>,
    /// The number that was spoiled before this tube got its own.
    pub(super) spoiled: HashMap<u32, i64>,
}

/// As the labels are printed.
fn code(serial: i64) -> anyhow::Result<String> {
    Ok(with_check(&format!("B{serial:09}"))?)
}

impl Play<'_> {
    pub(super) async fn issue_labels(&self, day: &Day, hands: &[Hand]) -> anyhow::Result<Labels> {
        let mut labels = Labels { codes: vec![String::new(); day.tubes.len()], ..Labels::default() };
        for hand in hands {
            let opened = hand.ahead.iter().filter_map(|index| match day.actions[*index].act {
                Act::OpenTube { tube } => Some(tube),
                _ => None,
            });
            let tubes: Vec<u32> = opened.collect();
            if tubes.is_empty() {
                continue;
            }
            let count = tubes.len() + tubes.len() / SPOILED_IN + 4;
            let asked = json!({"id": self.boss.next_id(Bucket::INSTALLATION), "point": self.place_of(hand.role), "device": hand.sayer.device, "count": count});
            let mut serial = self.boss.post("/v1/screening/labels", &asked).await?["first"].as_i64().context("a first label")?;
            for (nth, tube) in tubes.into_iter().enumerate() {
                if nth % SPOILED_IN == SPOILED_IN / 2 {
                    labels.spoiled.insert(tube, serial);
                    serial += 1;
                }
                labels.codes[tube as usize] = code(serial)?;
                serial += 1;
            }
        }
        Ok(labels)
    }
}
