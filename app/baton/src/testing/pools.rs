//! The pool planner and the decoder in a browser: sliders that draw the plan anew, a plate pasted in and read as a map.

use std::path::Path;

use baton_desk::{Role, Scope};
use baton_pooling::matrix::PoolMatrix;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use super::browser::{WholePage, browser, keep_picture, press, serve, sign_in, text_when};
use super::{Installation, password};

/// `BATON_SCREENS=FOLDER` keeps pictures.
async fn picture(client: &Client, name: &str) {
    let Some(folder) = std::env::var_os("BATON_SCREENS") else { return };
    for (width, height) in [(390, 3000), (1440, 1900)] {
        client.set_window_size(width, 900).await.expect("a window");
        keep_picture(client, WholePage { width, height }, &Path::new(&folder).join(format!("{name}--{width}.webp"))).await;
    }
}

/// Moves a slider as a hand does: while it moves, and when it is let go.
async fn slide(client: &Client, name: &str, to: u32) -> Value {
    let script = "const range = document.querySelector(`input[type=range][data-for=${arguments[0]}]`); range.value = arguments[1]; \
                  for (const kind of ['input', 'change']) range.dispatchEvent(new Event(kind, { bubbles: true })); return range.form.elements[arguments[0]].value;";
    client.execute(script, vec![json!(name), json!(to)]).await.expect("a slider")
}

async fn planner(client: &Client, base: &str) {
    client.goto(&format!("{base}/laboratory/pools?prevalence=0.05&cutoff=45")).await.expect("the planner");
    text_when(client, "#plan .answer", |text| text.ends_with("20:1")).await;
    assert!(client.find(Locator::Css("input[type=range][data-for=prevalence]")).await.expect("a slider").is_displayed().await.expect("shown"));
    client.execute("window.stayed = true", Vec::new()).await.expect("a mark");
    let percent = slide(client, "prevalence", 800).await;
    let percent: f64 = percent.as_str().expect("a number").parse().expect("a number");
    assert!((percent - 6.05).abs() < 0.1, "four fifths of the way on a logarithmic slider: {percent}");
    text_when(client, "#plan .answer", |text| text.ends_with("5:1")).await;
    assert_eq!(client.execute("return window.stayed === true && document.querySelectorAll('svg.lines').length", Vec::new()).await.expect("a look"), json!(3));
    assert!(client.current_url().await.expect("an address").as_str().contains("prevalence=6."));
    picture(client, "pools-planner").await;
    client.goto(&format!("{base}/laboratory/pools?mixing=aliquots&prevalence=1&people=20000&tests_per_hour=1200")).await.expect("the planner");
    picture(client, "pools-aliquots").await;
}

/// An 8 × 12 plate of which the samples C4 and F9 are positive, and one column failed.
fn plate() -> (String, String) {
    let matrix = PoolMatrix::array(8, 12).expect("a plate");
    let row = |pool: usize| char::from(b'A' + pool as u8).to_string();
    let names: Vec<String> = (0..20).map(|pool| if pool < 8 { row(pool) } else { (pool - 7).to_string() }).collect();
    let samples: Vec<String> = (0..96).map(|sample| format!("{}{}", row(sample / 12), sample % 12 + 1)).collect();
    let mut design = format!("pool,{}\n", samples.join(","));
    let mut outcomes = "pool,result,cq\n".to_owned();
    for (pool, name) in names.iter().enumerate() {
        let cells: Vec<&str> = (0..96).map(|sample| if matrix.members(pool).contains(&sample) { "1" } else { "0" }).collect();
        design.push_str(&format!("{name},{}\n", cells.join(",")));
        let result = match name.as_str() {
            "C" | "4" => "阳性,29.4",
            "F" => "positive,33.8",
            "9" => "positive,33.1",
            "12" => "invalid,",
            _ => "negative,",
        };
        outcomes.push_str(&format!("{name},{result}\n"));
    }
    (design, outcomes)
}

async fn decoder(client: &Client, base: &str) {
    client.goto(&format!("{base}/laboratory/pools/decode")).await.expect("the decoder");
    let (design, outcomes) = plate();
    for (name, table) in [("design", design), ("outcomes", outcomes)] {
        client.execute("document.querySelector(`textarea[name=${arguments[0]}]`).value = arguments[1]", vec![json!(name), json!(table)]).await.expect("pasted");
    }
    picture(client, "pools-decode-form").await;
    press(client, "form.decoder button.primary").await;
    text_when(client, "table.heat td.h5", |text| text.starts_with("C4") && text.ends_with('+')).await;
    assert_eq!(client.find_all(Locator::Css("table.heat tbody tr")).await.expect("rows").len(), 8);
    text_when(client, "main", |text| text.contains("混样 12 没有可用结果")).await;
    picture(client, "pools-decoded").await;
}

#[test]
fn sliders_draw_the_plan_anew_and_a_pasted_plate_becomes_a_map() {
    let installation = Installation::embedded_now();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let Some((_driver, client)) = browser().await else { return };
        installation.user("tech", &[Role::Technician], Scope::Everywhere).await;
        let base = serve(&installation).await;
        sign_in(&client, &base, "tech", &password("tech")).await;
        planner(&client, &base).await;
        decoder(&client, &base).await;
        client.close().await.expect("closed");
    });
}
