//! Reads amplification curves and judges wells, runs and plates.
//!
//! Pure and deterministic: no file, clock, network or source of chance. Units: cycles (or whatever unit the curve's own
//! axis has) for every Cq; fluorescence in the instrument's unit, whatever it is.
//!
//! * [`read`] and [`Reader`]: one curve to one [`Reading`]. Call first, Cq second.
//! * [`rules`]: versioned assay rules, the result of a well, the verdict on a run, auto-verification of negatives.
//! * [`plate`]: faults of a whole plate (layout, channels, edges, contamination) and control charts over runs.
//! * [`simulate`]: curves that look real, for demonstrations and for training.

mod baseline;
mod curve;
mod decision;
mod derivative;
mod efficiency;
mod features;
mod fit;
pub mod model;
pub mod plate;
mod read;
mod repair;
pub mod rules;
pub mod simulate;

pub use curve::{Call, CqMethod, Curve, Reading, Reason, Settings};
pub use decision::{decide, doubt, reasons_of};
pub use derivative::slopes;
pub use efficiency::{MeanEfficiency, mean_efficiency};
pub use features::{FEATURE_NAMES, FEATURES};
pub use read::{Reader, read};
