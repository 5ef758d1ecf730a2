//! A vehicle works on a copy of the centre, away from it, and sends what happened.

use std::future::IntoFuture;
use std::path::Path;
use std::sync::Arc;

use baton_desk::{Role, Scope};
use baton_ground::Plot;
use baton_kit::SeededEntropy;
use baton_ledger::{Ledger, Place, backup};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::Installation;
use super::browser::{made, ten_people};
use crate::installation::{Where, folds};
use crate::vehicle::{Copied, MakeVehicle, Sender};

/// A copy of the centre with all its keys, made into vehicle 3.
fn copy_of(centre: &Installation) -> Plot {
    let (plot, from) = (Plot::embedded(), centre.app().ledger.place());
    let to = Place::new(plot.folder.clone(), None);
    std::fs::create_dir_all(to.secrets_folder()).expect("a folder");
    for file in std::fs::read_dir(from.secrets_folder()).expect("keys").flatten() {
        std::fs::copy(file.path(), to.secrets_folder().join(file.file_name())).expect("a key");
    }
    std::fs::copy(from.folder.join("baton.json"), to.folder.join("baton.json")).expect("settings");
    let copy = plot.folder.join("copy.baton");
    backup::backup(&mut from.open_ledger_for_reading().expect("the ledger").begin_read().expect("a read"), &copy, |_| {}).expect("a copy");
    to.create_empty_stores().expect("stores");
    backup::restore(&copy, &mut to.open_ledger().expect("a ledger"), |_| {}).expect("restored");
    let secrets = Arc::new(baton_ledger::Secrets::load(&to.secrets_folder()).expect("keys"));
    let keys = centre.app().ledger.vault().export().expect("keys");
    let entropy = Arc::new(SeededEntropy::new(9));
    to.vault(secrets, entropy.clone()).expect("a vault").import(&keys).expect("keys");
    Ledger::rebuild(&to, &folds(), entropy, |_, _| {}).expect("folded");
    make(&plot.folder).expect("a vehicle");
    plot
}

fn make(folder: &Path) -> anyhow::Result<std::process::ExitCode> {
    let args = ["vehicle", "--data", folder.to_str().expect("a path"), "--number", "3"];
    <MakeVehicleCli as clap::Parser>::parse_from(args).make.run()
}

#[derive(clap::Parser)]
struct MakeVehicleCli {
    #[command(flatten)]
    make: MakeVehicle,
}

fn sender(vehicle: &Installation, centre: &str, token: &str) -> Sender {
    let folder = vehicle.app().ledger.place().folder.clone();
    let copied: Copied = Where { data: folder.clone(), database: None }.settings().expect("settings").vehicle.expect("a vehicle");
    Sender::new(vehicle.app().clone(), copied, centre.to_owned(), token.to_owned(), folder).expect("a sender")
}

/// One tube with all ten, told by a nurse who signed in on the vehicle.
async fn a_tube_on_the_road(vehicle: &Installation, people: &[String], shift: &Value) -> u32 {
    let (token, device) = vehicle.sign_in("chen").await;
    let now = vehicle.app().ledger.now().0;
    let id = |n: i64| ((1_i64 << 56) | (i64::from(device) << 32) | n).to_string();
    let mut facts = vec![
        json!({"id": id(1), "kind": "screening.tube_opened", "happened_us": now, "body": {"code": "TUBE-0003", "campaign": shift["campaign"], "point": shift["point"], "ratio": 10}}),
    ];
    for (n, person) in people.iter().enumerate() {
        facts.push(json!({"id": id(2 + n as i64), "kind": "screening.person_sampled", "happened_us": now, "body": {"tube": id(1), "person": person}}));
    }
    facts.push(json!({"id": id(99), "kind": "screening.tube_sealed", "happened_us": now, "body": {"tube": id(1), "count": people.len()}}));
    let answer = made(vehicle, &token, "/v1/facts", json!({"facts": facts})).await;
    assert!(answer["answers"].as_array().expect("answers").iter().all(|answer| answer["status"] == "recorded"), "{answer}");
    let ledger = vehicle.app().ledger.clone();
    tokio::task::spawn_blocking(move || assert!(ledger.wait_folded(ledger.position().0, std::time::Duration::from_secs(20)))).await.expect("folded");
    device
}

/// Campaign and point of the centre, and everybody on its roster.
async fn shift_at(centre: &Installation) -> (Value, Vec<String>) {
    let ledger = centre.app().ledger.clone();
    tokio::task::spawn_blocking(move || {
        ledger.read(|tx| {
            let campaign = baton_screening::store::campaigns(tx)?.remove(0).id;
            let point = baton_registry::store::places_of_kind(tx, baton_registry::events::PlaceKind::Point, 5)?.remove(0).id;
            let rows = tx.query("SELECT id FROM person ORDER BY id", &[])?;
            let people = rows.iter().map(|row| row.int(0).map(|id| id.to_string())).collect::<Result<_, _>>()?;
            Ok((json!({"campaign": campaign, "point": point}), people))
        })
    })
    .await
    .expect("a read")
    .expect("a read")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_on_a_vehicle_reaches_the_centre_however_often_it_is_sent() {
    let centre = Installation::embedded();
    ten_people(&centre).await;
    centre.user("van", &[Role::Courier], Scope::Everywhere).await;
    let (root, _) = centre.sign_in("root").await;
    let given = made(&centre, &root, "/v1/devices", json!({"id": "5", "name": "Vehicle 3", "login": "van"})).await;
    let carrier = given["token"].as_str().expect("a token").to_owned();
    let (shift, people) = shift_at(&centre).await;
    let plot = tokio::task::block_in_place(|| copy_of(&centre));
    assert!(tokio::task::block_in_place(|| make(&plot.folder)).expect_err("twice").to_string().contains("vehicle 3 already"));
    let vehicle = tokio::task::block_in_place(|| Installation::opened(plot, Arc::new(SeededEntropy::new(11))));
    let device = a_tube_on_the_road(&vehicle, &people, &shift).await;
    // Meanwhile somebody signs in at the centre too: no two are given one number.
    let (_, at_home) = centre.sign_in("chen").await;
    assert!(device >= 1 << 23 && at_home < 1 << 23, "{device} {at_home}");

    let mut away = sender(&vehicle, "http://127.0.0.1:9", &carrier);
    assert!(away.step().await.expect_err("nobody there").to_string().contains("does not answer"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(axum::serve(listener, centre.router.clone()).into_future());
    let before = centre.app().ledger.position().0;
    let mut first = sender(&vehicle, &address, &carrier);
    while first.step().await.expect("sent") {}
    let after = centre.app().ledger.position().0;
    assert_eq!(after - before, 12, "the tube's facts and nothing else");
    let folder = vehicle.app().ledger.place().folder.clone();
    std::fs::remove_file(folder.join("sent")).expect("forgotten");
    let mut again = sender(&vehicle, &address, &carrier);
    while again.step().await.expect("sent") {}
    assert_eq!(centre.app().ledger.position().0, after, "sent again it counts once");
    assert!(!again.step().await.expect("sent") && !folder.join("refused.jsonl").exists());

    assert_eq!(tube_at(&centre).await, (10, true), "all ten, told by whoever signed in on the vehicle");
}

/// How many swabs the centre counts in the tube, and whether it knows who opened it.
async fn tube_at(centre: &Installation) -> (usize, bool) {
    let ledger = centre.app().ledger.clone();
    tokio::task::spawn_blocking(move || {
        assert!(ledger.wait_folded(ledger.position().0, std::time::Duration::from_secs(20)));
        let key = ledger.secrets().lookup("login", "chen");
        ledger.read(|tx| {
            let nurse = baton_desk::accounts::store::account_by_login(tx, ledger.vault(), key)?.expect("the nurse").id;
            let tube = baton_screening::store::tube_by_code(tx, "TUBE-0003")?.expect("the tube");
            let opened_by = baton_screening::store::tube(tx, tube)?.expect("the tube").opened_by;
            Ok((baton_screening::store::people_of_tube(tx, tube)?.len(), opened_by == Some(nurse)))
        })
    })
    .await
    .expect("a read")
    .expect("a read")
}
