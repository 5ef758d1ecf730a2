//! Look-ups both ways, and how long they take when many people hang on a lot.

use baton_kit::{AccountId, Bucket, Device, PersonId, TubeId, TypedId};
use baton_laboratory::store::lineage::{self, Origin};
use baton_ledger::{Draft, Event, StoreResult, Tx, Vault, params};
use baton_screening::events::{PersonSampled, TubeOpened};

use crate::day::{laid, staff};
use crate::house::{House, folds};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lot_a_plate_a_box_and_a_hand_lead_to_the_same_people() {
    let house = House::embedded();
    let staff = staff(&house).await;
    let people = house.people(30);
    let tubes: Vec<TubeId> = (0..3).map(|n| house.tube(staff.nurse, &format!("T{n}"), 10, &people[n * 10..n * 10 + 10], false)).collect();
    let box_id = house.boxed(staff.nurse, "B1", &tubes);
    let (plate, _) = laid(&house, &staff, "P1", &tubes[..2]).await;
    let reached = |origin: Origin| {
        let app = house.app.clone();
        async move {
            app.read(move |tx| {
                let tubes = lineage::tubes(tx, origin, None, 100)?;
                Ok((lineage::extent(tx, origin)?, lineage::people_of(tx, &tubes)?.len() as i64))
            })
            .await
            .unwrap()
        }
    };
    let origins = [
        (Origin::Lot(house.fluid), 3),
        (Origin::Lot(house.extraction), 2),
        (Origin::Lot(house.pcr), 2),
        (Origin::Plate(plate), 2),
        (Origin::Box(box_id), 3),
        (Origin::Operator(staff.nurse), 3),
        (Origin::Operator(staff.technician.account.unwrap()), 2),
        (Origin::Tube(tubes[0]), 1),
    ];
    for (origin, tubes) in origins {
        let (extent, people) = reached(origin).await;
        assert_eq!((extent.tubes, extent.swabs, people), (tubes, tubes * 10, tubes * 10), "{origin:?}");
    }
    let token = house.token("boss").await;
    let (status, csv) = house.send("GET", &format!("/v1/laboratory/lineage/lot/{}/people.csv", house.fluid), Some(&token), "", Vec::new()).await;
    assert_eq!((status, csv.lines().count()), (200, 31), "{csv}");
    assert!(people.iter().all(|person| csv.contains(&format!(",{person},"))));
}

fn swabs_only(tx: &mut Tx<'_>, event: &Event, _: &Vault) -> StoreResult<()> {
    if event.is::<PersonSampled>() {
        let body: PersonSampled = event.body()?;
        tx.execute(
            "INSERT INTO member (bucket, scan, tube, person, swabbed_us, undone_reason) VALUES ($1, $2, $3, $4, $5, '')",
            params![event.id.bucket_number(), event.id, body.tube, body.person, event.happened],
        )?;
    }
    Ok(())
}

/// Half a million people on one lot of fluid. Run it with `--ignored --nocapture` to see the times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes; prints the times of a recall among half a million people"]
#[allow(clippy::disallowed_methods)] // it measures
async fn a_recall_among_half_a_million_people() {
    const TUBES: u32 = 50_000;
    // Screening's own table of swabs, and nothing else of what it does: this measures the laboratory.
    let mut folds = folds();
    for fold in folds.iter_mut().filter(|fold| fold.room == "screening") {
        fold.apply = swabs_only;
    }
    let house = House::embedded_with(folds);
    let nurse = AccountId::new(Bucket::INSTALLATION, Device::new(1).unwrap(), 9);
    let id = |device: u32, n: u32| baton_kit::EventId::new(Bucket::new(5).unwrap(), Device::new(device).unwrap(), n);
    let start = std::time::Instant::now();
    for chunk in (0..TUBES).collect::<Vec<u32>>().chunks(400) {
        let mut drafts = Vec::new();
        for n in chunk {
            let opened =
                TubeOpened { code: format!("T{n}"), campaign: house.campaign, point: house.point, ratio: 10, fluid_lot: Some(house.fluid), follow_up: false };
            drafts.push(Draft::of(id(3000, *n), house.now(), Some(nurse), &opened).unwrap());
            for person in 0..10 {
                let sampled =
                    PersonSampled { tube: id(3000, *n).created(), person: PersonId::new(Bucket::new(5).unwrap(), Device::new(3001).unwrap(), n * 10 + person) };
                drafts.push(Draft::of(id(3002, n * 10 + person), house.now(), Some(nurse), &sampled).unwrap());
            }
        }
        house.record(drafts);
    }
    house.settle();
    println!("recorded and folded in {:?}", start.elapsed());
    let fluid = house.fluid;
    for origin in [Origin::Lot(fluid), Origin::Operator(nurse)] {
        let start = std::time::Instant::now();
        let (extent, people) = house
            .app
            .read(move |tx| {
                let tubes = lineage::tubes(tx, origin, None, 50)?;
                Ok((lineage::extent(tx, origin)?, lineage::people_of(tx, &tubes)?.len()))
            })
            .await
            .unwrap();
        println!("{}: {} tubes, {} swabs and the first {people} people in {:?}", origin.name(), extent.tubes, extent.swabs, start.elapsed());
        assert_eq!(extent.swabs, 500_000);
    }
    let start = std::time::Instant::now();
    let all = house
        .app
        .read(move |tx| {
            let tubes = lineage::tubes(tx, Origin::Lot(fluid), None, i64::from(i32::MAX))?;
            Ok(lineage::people_of(tx, &tubes)?.len())
        })
        .await
        .unwrap();
    println!("all {all} people in {:?}", start.elapsed());
    assert_eq!(all, 500_000);
}
