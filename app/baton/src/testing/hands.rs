//! One swab goes through every hand, each in a browser: label, tube, box, accession, plate, curve, two signatures, the person's own result.

use baton_city::assay::{Assay, AssaySettings, Filling, WellFilling};
use baton_city::infection::{Epidemic, EpidemicSettings};
use baton_city::people::City;
use baton_desk::{Role, Scope};
use baton_instruments::{PlateFormat, write_rdml};
use baton_pcr::rules::{ControlKind, RuleSet};
use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use super::browser::{browser, made, press, scan, serve, sign_in, text_when, there_is, there_is_no, type_into};
use super::{Installation, password};

const ASSAY: &str = "orf1ab-n-ic";
const STAFF: [(&str, Role); 9] = [
    ("zhou", Role::ZoneManager),
    ("liu", Role::PointLeader),
    ("chen", Role::SamplingNurse),
    ("ma", Role::Courier),
    ("he", Role::Accession),
    ("lin", Role::Technician),
    ("gao", Role::LaboratoryDirector),
    ("wang", Role::GridWarden),
    ("qian", Role::EnterpriseContact),
];

/// Names as their document and their code.
struct Person {
    id: String,
    document: String,
    code: String,
}

/// Everything of the story that hands pass on.
struct Story<'a> {
    installation: &'a Installation,
    client: &'a Client,
    base: String,
    root: String,
    laboratory: String,
    people: Vec<Person>,
    folder: std::path::PathBuf,
}

async fn founded<'a>(installation: &'a Installation, client: &'a Client) -> Story<'a> {
    installation.user("root", &[Role::Administrator], Scope::Everywhere).await;
    for (login, role) in STAFF {
        installation.user(login, &[role], Scope::Everywhere).await;
    }
    let (root, device) = installation.sign_in("root").await;
    let mut number = 0;
    let mut id = || {
        number += 1;
        ((i64::from(device) << 32) | number).to_string()
    };
    let places = "/v1/registry/places";
    let zone = made(installation, &root, places, json!({"kind": "zone", "code": "Z1", "name": "一区"})).await["id"].clone();
    let grid = made(installation, &root, places, json!({"kind": "grid", "code": "G1", "name": "一网格", "parent": zone})).await["id"].clone();
    made(installation, &root, places, json!({"kind": "point", "code": "P1", "name": "东门", "parent": zone})).await;
    let laboratory =
        made(installation, &root, places, json!({"kind": "laboratory", "code": "L1", "name": "气膜实验室", "details": {"capacity": 100}})).await["id"].clone();
    let expires = installation.app().ledger.now().plus_us(30 * baton_kit::time::DAY_US);
    for (kind, code) in [("preservation_fluid", "VTM-1"), ("extraction_kit", "EX-1"), ("pcr_kit", "PCR-1")] {
        made(installation, &root, "/v1/registry/lots", json!({"id": id(), "kind": kind, "code": code, "product": code, "expires_us": expires})).await;
    }
    let mut people = Vec::new();
    for n in 1..=10 {
        let document = format!("E1000{n:04}");
        let asked = json!({"name": format!("李{}", ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十"][n - 1]), "document_kind": "passport", "document": document, "place": grid});
        let person = made(installation, &root, "/v1/registry/people", asked).await["person"].as_str().expect("a person").to_owned();
        let code = installation.send("GET", &format!("/v1/registry/people/{person}/code"), Some(&root), None).await.json();
        people.push(Person { id: person, document, code: code["code"].as_str().expect("a code").to_owned() });
    }
    let laboratory = laboratory.as_str().expect("a laboratory").to_owned();
    let folder = installation.app().ledger.place().folder.clone();
    Story { installation, client, base: serve(installation).await, root, laboratory, people, folder }
}

impl Story<'_> {
    /// Another pair of hands at the same screen.
    async fn hand_to(&self, login: &str) {
        self.client.delete_all_cookies().await.expect("no cookies");
        sign_in(self.client, &self.base, login, &password(login)).await;
        text_when(self.client, "h1", |text| !text.is_empty()).await;
    }

    async fn open(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.base)).await.expect("a page");
    }

    async fn page_says(&self, words: &str) {
        text_when(self.client, "main", |text| text.contains(words)).await;
    }

    /// The number at the end of the address, once it has one.
    async fn number_of(&self, before: &str) -> String {
        for _ in 0..600 {
            let address = self.client.current_url().await.expect("an address").path().to_owned();
            if let Some(number) = address.strip_prefix(before).filter(|rest| rest.parse::<i64>().is_ok()) {
                return number.to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{before}… was not reached");
    }

    async fn asked(&self, path: &str) -> Value {
        let reply = self.installation.send("GET", path, Some(&self.root), None).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply.json()
    }

    /// The administrator adds somebody; the zone manager opens the campaign; the point leader issues labels and prints them.
    async fn before_the_day(&self) -> String {
        self.hand_to("root").await;
        self.open("/users").await;
        let form = "form[action='/users'] input";
        for (name, value) in [("name", "新护士"), ("login", "nurse-2"), ("password", "a password for nurse 2")] {
            type_into(self.client, &format!("{form}[name={name}]"), value).await;
        }
        press(self.client, &format!("{form}[name=role][value=sampling_nurse]")).await;
        press(self.client, "form[action='/users'] button.primary").await;
        text_when(self.client, "main table", |text| text.contains("新护士")).await;
        self.hand_to("zhou").await;
        self.open("/campaigns").await;
        type_into(self.client, "#campaign-name", "第一轮").await;
        press(self.client, "#open-campaign input[name=zone]").await;
        press(self.client, "#open-campaign button.primary").await;
        text_when(self.client, "#totals", |text| text.contains("10")).await;
        self.hand_to("liu").await;
        self.open("/labels").await;
        press(self.client, "#issue-labels button.primary").await;
        let block = self.number_of("/labels/").await;
        press(self.client, "button[name=as][value=sheet]").await;
        there_is(self.client, "div.sheet svg").await;
        block
    }

    /// The nurse takes nine people into one tube and the tenth, who is ill, into a single one.
    async fn sampled(&self, labels: &[String; 2]) {
        self.hand_to("chen").await;
        self.open("/sampling").await;
        type_into(self.client, "#choose-lot", "VTM-1").await;
        press(self.client, "#choose-start").await;
        for (label, people) in [(&labels[0], &self.people[..9]), (&labels[1], &self.people[9..])] {
            if people.len() == 1 {
                press(self.client, "#single").await;
            }
            scan(self.client, label).await;
            text_when(self.client, "#tube-code", |text| text == label).await;
            for (n, person) in people.iter().enumerate() {
                let count = (n + 1).to_string();
                scan(self.client, &person.code).await;
                text_when(self.client, "#count", |text| text == count).await;
            }
            type_into(self.client, "#seal-count", &people.len().to_string()).await;
            press(self.client, "#seal").await;
            text_when(self.client, "#tube-code", str::is_empty).await;
        }
        there_is(self.client, "#queue-state[data-waiting='0']").await;
        let ledger = &self.installation.app().ledger;
        assert!(ledger.wait_folded(ledger.position().0, std::time::Duration::from_secs(60)));
    }

    /// Point leader, courier, laboratory: the box is always in one hand.
    async fn carried(&self, labels: &[String; 2]) {
        self.hand_to("liu").await;
        self.open("/boxes").await;
        type_into(self.client, "form[action='/boxes/open'] input[name=code]", "X-01").await;
        press(self.client, "form[action='/boxes/open'] button.primary").await;
        let number = self.number_of("/boxes/").await;
        for (n, label) in labels.iter().enumerate() {
            type_into(self.client, "input[name=tube_code]", label).await;
            press(self.client, "button[value=put_in]").await;
            text_when(self.client, "main", |text| text.contains(label.as_str())).await;
            there_is(self.client, &format!("input[name=count][value='{}']", n + 1)).await;
        }
        type_into(self.client, "input[name=seal]", "S-77").await;
        press(self.client, "button[value=seal]").await;
        there_is(self.client, "button[value=offer]").await;
        self.choose("select[name=to]", "ma").await;
        press(self.client, "button[value=offer]").await;
        self.page_says("尚未签收").await;
        self.hand_to("ma").await;
        self.page_says("X-01").await;
        self.open(&format!("/boxes/{number}")).await;
        type_into(self.client, "input[name=degrees]", "4.0").await;
        press(self.client, "button[value=accept]").await;
        there_is(self.client, "button[value=offer]").await;
        self.choose("select[name=to]", "气膜实验室").await;
        press(self.client, "button[value=offer]").await;
        self.page_says("等待 气膜实验室 接收").await;
        self.hand_to("he").await;
        self.open(&format!("/boxes/{number}")).await;
        press(self.client, "form[action$='/admit'] button").await;
        self.page_says("代表实验室接收").await;
        self.open("/laboratory/accession").await;
        press(self.client, "form[action='/laboratory/accession/box'] button").await;
        self.page_says("没有待接收的转运箱").await;
    }

    /// Picks the option of a list that bears these words.
    async fn choose(&self, css: &str, words: &str) {
        there_is(self.client, css).await;
        let script = "const list = document.querySelector(arguments[0]); list.value = [...list.options].find((option) => option.text.includes(arguments[1])).value; return list.value;";
        self.client.execute(script, vec![json!(css), json!(words)]).await.expect("an option");
    }

    /// The technician lays the plate and gives it the instrument's file; gives the run, and the well of the single tube.
    async fn read(&self, pool: &str) -> (String, u16) {
        self.hand_to("lin").await;
        self.open(&format!("/laboratory/plates/new?laboratory={}", self.laboratory)).await;
        press(self.client, "form[action='/laboratory/plates/new'] button.primary").await;
        let plate = self.number_of("/laboratory/plates/").await;
        let laid = self.asked(&format!("/v1/laboratory/plates/{plate}")).await;
        let file = self.folder.join("run.rdml");
        let label = pool.to_owned();
        let pool = self.installation.app().ledger.read(move |tx| Ok(baton_screening::store::tube_by_code(tx, &label)?)).expect("a read").expect("the tube");
        let (bytes, single) = instrument_file(&laid, &pool.to_string());
        std::fs::write(&file, bytes).expect("the instrument's file");
        let field = self.client.wait().for_element(Locator::Css("form[action^='/laboratory/runs'] input[type=file]")).await.expect("the field for the file");
        field.send_keys(file.to_str().expect("a path")).await.expect("a file");
        press(self.client, "form[action^='/laboratory/runs'] button").await;
        (self.number_of("/laboratory/runs/").await, single)
    }

    /// Nine go out by rule at one word; the positive takes two people.
    async fn signed(&self, run: &str, well: u16) {
        self.sign("form.inline[action$='/sign'] button.primary").await;
        self.signs(run, well).await;
        self.hand_to("gao").await;
        self.signs(run, well).await;
    }

    /// A signature on the well of one tube.
    async fn signs(&self, run: &str, well: u16) {
        self.open(&format!("/laboratory/runs/{run}?well={well}")).await;
        self.sign("button[data-key=s]").await;
    }

    /// A signature is asked for once more; signed, the button is gone.
    async fn sign(&self, button: &str) {
        press(self.client, button).await;
        press(self.client, "#sure-yes").await;
        there_is_no(self.client, button).await;
    }
}

/// What the instrument would write: the tube of nine is clean, the single one is not; and the well of that one.
fn instrument_file(laid: &Value, pool: &str) -> (Vec<u8>, u16) {
    let epidemic = Epidemic::new(City::new(3, 20_000), EpidemicSettings::default());
    let (mut well_people, mut ill) = (Vec::new(), Vec::new());
    for person in 0..20_000 {
        match epidemic.infection(person) {
            Some(infection) if infection.cq < 25.0 && ill.is_empty() => ill.push(person),
            None if well_people.len() < 9 => well_people.push(person),
            _ => {}
        }
    }
    let rules = RuleSet::builtin(ASSAY).expect("the assay");
    let settings = AssaySettings { control_failures: 0.0, failed_extractions: 0.0, blemishes: 0.0, ..AssaySettings::default() };
    let assay = Assay { epidemic: &epidemic, rules: &rules, settings };
    let mut wells = Vec::new();
    let mut single = 0;
    for laid in laid["layout"].as_array().expect("a layout") {
        let well = laid["well"].as_u64().expect("a well") as u16;
        let kind =
            [("no_template_control", ControlKind::NoTemplate), ("positive_control", ControlKind::Positive), ("extraction_control", ControlKind::Extraction)];
        let control = kind.into_iter().find(|(name, _)| laid.get(name).is_some());
        let filling = match control {
            Some((_, kind)) => Filling::Control(kind),
            None if laid["tube"] == pool => Filling::Tube { key: 1, members: &well_people, ratio: 10 },
            None => {
                single = well;
                Filling::Tube { key: 2, members: &ill, ratio: 1 }
            }
        };
        wells.push(WellFilling { row: well / 12, column: well % 12, sample: format!("W{well}"), filling });
    }
    (write_rdml(&assay.run(1, "P00001", PlateFormat::WELLS_96, &wells)), single)
}

async fn tell(story: &Story<'_>) {
    let block = story.before_the_day().await;
    let first: i64 = story.asked(&format!("/v1/screening/labels/{block}")).await["first"].as_i64().expect("a first label");
    let labels = [first, first + 1].map(baton_screening::label::rules::code);
    story.sampled(&labels).await;
    story.carried(&labels).await;
    let (run, single) = story.read(&labels[0]).await;
    story.signed(&run, single).await;
    let ledger = &story.installation.app().ledger;
    assert!(ledger.wait_folded(ledger.position().0, std::time::Duration::from_secs(60)));
    afterwards(story).await;
}

/// The warden, the enterprise and the people themselves; and the pages in the other two languages.
async fn afterwards(story: &Story<'_>) {
    for login in ["wang", "qian"] {
        story.hand_to(login).await;
        story.open("/campaigns").await;
        press(story.client, "main table a").await;
        text_when(story.client, "#totals", |text| text.contains("10")).await;
    }
    story.client.delete_all_cookies().await.expect("no cookies");
    for (person, language, words) in [(0, "zh-Hans", "阴性"), (0, "zh-Hant", "陰性"), (9, "zh-Hans", "阳性"), (9, "en", "ositive")] {
        let person = &story.people[person];
        story.open("/result").await;
        press(story.client, &format!("button[lang={language}]")).await;
        there_is(story.client, &format!("html[lang={language}] input[name=code]")).await;
        type_into(story.client, "input[name=code]", &person.code).await;
        type_into(story.client, "input[name=tail]", &person.document[person.document.len() - 4..]).await;
        press(story.client, "form[action='/result'] button.primary").await;
        text_when(story.client, ".answer", |text| text.contains(words)).await;
    }
    let report = story.asked(&format!("/v1/laboratory/people/{}/report", story.people[9].id)).await;
    assert_eq!(report["report"]["result"], json!("positive"), "{report}");
}

#[test]
fn a_swab_goes_through_every_hand() {
    let installation = Installation::embedded_now();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let Some((_driver, client)) = browser().await else { return };
        let story = founded(&installation, &client).await;
        tell(&story).await;
        client.close().await.expect("closed");
    });
}
