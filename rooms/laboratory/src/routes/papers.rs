//! Papers to be saved and printed: reports of one person or of many.

use baton_desk::paper::{LanguageAsked, Writing, pdf_download};
use baton_kit::{CampaignId, Language, Status};

use baton_screening::campaign::store as campaigns;

use super::*;
use crate::papers::evidence::{Pack, evidence_pdf};
use crate::papers::person::{reports_pdf, signed_json};
use crate::person::{Signers, signers};
use crate::store::evidence::{evidence, positions};

/// Reports in one file: a district's box of tubes, not a district.
const REPORTS_MAX: usize = 500;
/// How the keys of the words on papers read.
pub(super) const KEYS: &str = "laboratory-paper-{}";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/laboratory/people/{person}/report.pdf", REPORT_ACCESS, "A person's result as signed PDF, ?language=", report_pdf),
        Route::get(
            "/v1/laboratory/lineage/{origin}/{id}/reports.pdf",
            REPORTS_ACCESS,
            "Results of everyone in a tube, box or plate as one signed PDF, ?language=",
            reports_of_origin,
        ),
        Route::get(
            "/v1/laboratory/campaigns/{campaign}/points/{point}/reports.pdf",
            REPORTS_ACCESS,
            "Results of everyone swabbed at a point of a campaign as one signed PDF, ?language=",
            reports_of_point,
        ),
        Route::get(
            "/v1/laboratory/days/{file}",
            WATCH_ACCESS,
            "A laboratory's operational day as signed PDF, CSV or XLSX: 2026-03-27.pdf?laboratory=…",
            super::days::day_file,
        ),
        Route::get(
            "/v1/laboratory/tubes/{tube}/evidence.pdf",
            TRACE_ACCESS,
            "All that is known of a tube's result, for an assessor, as signed PDF with signed JSON inside, ?language=",
            evidence_file,
        ),
    ]
}

/// In each person's own language unless one is asked for; in the page's where neither is known.
pub(crate) async fn reports_download(app: &App, page: Language, asked: &LanguageAsked, name: &str, people: Vec<(PersonReport, Signers)>) -> Answered {
    let asked = asked.stated()?;
    let write = move |writing: &Writing<'_>, app: &App| reports_pdf(writing, &people, asked, app.public_address(), &app.ledger.secrets().signing);
    pdf_download(app, (KEYS, page), name, write).await
}

/// The signed JSON alone.
pub(crate) fn json_download(app: &App, report: &PersonReport, signers: &Signers) -> Response {
    let file = signed_json(&Writing::of(app, KEYS, Language::default()), report, signers, &app.ledger.secrets().signing);
    download(file, "application/json", &format!("result-{}.json", report.person))
}

pub(super) async fn report_pdf(State(app): State<App>, actor: Actor, At(person): At<PersonId>, Asked(asked): Asked<LanguageAsked>) -> Answered {
    let report = reached_report(&app, &actor, person).await?;
    reports_download(&app, actor.language, &asked, &format!("result-{person}.pdf"), vec![report]).await
}

pub(super) async fn report_file(State(app): State<App>, actor: Actor, At(person): At<PersonId>) -> Answered {
    let (report, signers) = reached_report(&app, &actor, person).await?;
    Ok(json_download(&app, &report, &signers))
}

async fn reached_report(app: &App, actor: &Actor, person: PersonId) -> Answered<(PersonReport, Signers)> {
    let day = app.site.day_of(app.ledger.now());
    let (who, vault) = (actor.clone(), app.ledger.vault().clone());
    let found = app
        .read(move |tx| {
            reach_person(tx, &who, person, day)?;
            let report = person_report(tx, &vault, person)?;
            let signers = signers(tx, &vault, &report)?;
            Ok((report, signers))
        })
        .await?;
    app.looked(actor, vec![any_id(person)], "report");
    Ok(found)
}

/// What a director prints: everyone a tube, a box or a plate leads to, in one file.
pub(super) async fn reports_of_origin(
    State(app): State<App>,
    actor: Actor,
    At((kind, id)): At<(String, AnyId)>,
    Asked(asked): Asked<LanguageAsked>,
) -> Answered {
    let origin = origin_of(&kind, id)?;
    let who = actor.clone();
    let tubes = app
        .read(move |tx| {
            reach_origin(tx, &who, origin)?;
            Ok(lineage::tubes(tx, origin, None, REPORTS_MAX as i64 + 1)?)
        })
        .await?;
    let people = reports_of(&app, &actor, tubes).await?;
    reports_download(&app, actor.language, &asked, &format!("results-{}-{id}.pdf", origin.name()), people).await
}

/// Everyone swabbed at one sampling point in a campaign's last round.
pub(super) async fn reports_of_point(
    State(app): State<App>,
    actor: Actor,
    At((campaign, point)): At<(CampaignId, PlaceId)>,
    Asked(asked): Asked<LanguageAsked>,
) -> Answered {
    let who = actor.clone();
    let tubes = app
        .read(move |tx| {
            commands::reach(tx, &who, point)?;
            let campaign = campaigns::campaign(tx, campaign)?.ok_or_else(|| Refusal::absent("no-such-thing"))?;
            Ok(lineage::tubes_of_point(tx, &campaign, point, REPORTS_MAX + 1)?)
        })
        .await?;
    let people = reports_of(&app, &actor, tubes).await?;
    reports_download(&app, actor.language, &asked, &format!("results-{campaign}-{point}.pdf"), people).await
}

async fn reports_of(app: &App, actor: &Actor, tubes: Vec<TubeId>) -> Result<Vec<(PersonReport, Signers)>, Refusal> {
    let vault = app.ledger.vault().clone();
    let people = app
        .read(move |tx| {
            let mut ids: Vec<PersonId> = lineage::people_of(tx, &tubes)?.into_iter().map(|reached| reached.person).collect();
            ids.sort_unstable();
            ids.dedup();
            match ids.len() {
                0 => return Err(Refusal::absent("lab-no-reports").into()),
                many if many > REPORTS_MAX => {
                    return Err(Refusal::new("lab-too-many-reports", Status::Malformed).with("count", many).with("limit", REPORTS_MAX).into());
                }
                _ => {}
            }
            let mut people = Vec::with_capacity(ids.len());
            for id in ids {
                let report = person_report(tx, &vault, id)?;
                let signers = signers(tx, &vault, &report)?;
                people.push((report, signers));
            }
            Ok(people)
        })
        .await?;
    app.looked(actor, people.iter().map(|(report, _)| any_id(report.person)).collect(), "report");
    Ok(people)
}

/// The evidence for a tube's result. People stand in it by their numbers; their names are not part of it.
pub(super) async fn evidence_file(State(app): State<App>, actor: Actor, At(tube): At<TubeId>, Asked(asked): Asked<LanguageAsked>) -> Answered {
    let language = asked.or(actor.language)?;
    commands::tube_reached(&app, &actor, tube).await?;
    let vault = app.ledger.vault().clone();
    let evidence = app
        .read(move |tx| {
            let clock = store::tube(tx, tube)?.ok_or_else(|| Refusal::absent("lab-tube-unknown").with("tube", tube))?;
            Ok(evidence(tx, &vault, clock)?)
        })
        .await?;
    app.looked(&actor, evidence.people.iter().map(|(person, _)| any_id(*person)).collect(), "evidence");
    let run = evidence.run.as_ref().map(|run| run.run);
    let ids: Vec<AnyId> =
        [Some(any_id(tube)), evidence.clock.box_id.map(any_id), evidence.clock.plate.map(any_id), run.map(any_id)].into_iter().flatten().collect();
    let (stored, (positions, ends)) = app
        .read_log(move |log| {
            let stored = run.map_or(Ok(None), |run| bench::curves(log, run))?;
            Ok((stored, positions(log, &ids)?))
        })
        .await?;
    let curves = stored.map_or_else(Vec::new, |stored| crate::curve::decode_all(&stored.curves));
    let pack = Pack { evidence, curves, positions, ends };
    pdf_download(&app, (KEYS, language), &format!("evidence-{tube}.pdf"), move |writing, app| evidence_pdf(writing, &pack, &app.ledger.secrets().signing)).await
}
