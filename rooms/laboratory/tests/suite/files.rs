//! Real instrument files on the bench.

use baton_laboratory::commands;

use crate::day::staff;
use crate::house::House;

/// A file with neither samples nor targets named goes onto a plate of its own; every curve is called and drawn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_file_is_called_and_drawn_well_by_well() {
    let shared = std::env::var("BATON_SHARED").unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared").to_owned());
    let path = std::path::Path::new(&shared).join("data/pcr/rdml/RAS002.rdml");
    let Ok(bytes) = std::fs::read(&path) else {
        println!("skipped: {} is not there", path.display());
        return;
    };
    let house = House::embedded();
    let staff = staff(&house).await;
    let taken = commands::run_file_on_new_plate(&house.app, &staff.technician, house.laboratory, "RAS002.rdml", bytes.into()).await.unwrap();
    let outcome = &taken.decision.outcome;
    println!("{} readings, {} positive", outcome.readings.len(), outcome.readings.iter().filter(|reading| reading.call == "positive").count());
    assert!(outcome.readings.len() > 90);
    assert!(outcome.readings.iter().all(|reading| ["positive", "negative", "ambiguous", "unreadable"].contains(&reading.call.as_str())));
    assert!(outcome.tubes.is_empty() && outcome.findings[0].code == "no_assay");
    let token = house.token("tech").await;
    let text = house.page(&format!("/laboratory/runs/{}", taken.run), Some(&token), "en").await;
    assert!(text.matches("<polyline").count() > outcome.readings.len(), "each curve in its well, and the chosen one large");
}
