//! The twin: from the laboratory as it is now to what will happen, with its uncertainty, and what would help.
//!
//! All times are seconds from now. A forecast starts every replication from the same [`LiveState`]; two states that are compared
//! share all draws (entities are named by their keys, arrivals by stream and ordinal), so a difference shows what was changed.

mod forecast;
mod live;

pub use forecast::{
    Budget, Delta, Estimate, Forecast, ForecastError, Late, Left, MOST_FORECASTS, STEPS, Spread, StationForecast, compare, compare_over, forecast,
    forecast_over, one_more_server,
};
pub use live::{ArrivalStream, Limit, LiveEntity, LiveState, MOST_EXPECTED, Milestone, Place, Rate, Run};
