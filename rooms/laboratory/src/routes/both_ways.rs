//! Lineage over JSON: from one thing to everything it touched, both ways.

use http_body_util::BodyExt;

use super::*;

#[derive(Deserialize, JsonSchema)]
pub(super) struct PageAsked {
    #[serde(default)]
    after: Option<TubeId>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct LineageAnswered {
    extent: Extent,
    people: Vec<Reached>,
    /// Ask again with `?after=` this tube; nothing when that was all.
    next: Option<TubeId>,
}

pub(crate) fn origin_of(kind: &str, id: AnyId) -> Result<Origin, Refusal> {
    Origin::parse(kind, id).ok_or_else(|| Refusal::absent("no-such-thing"))
}

/// Refuses an origin that lies outside the actor's scope. Lots and operators belong to no place: they are for who reaches everywhere.
pub(crate) fn reach_origin(tx: &mut Tx<'_>, actor: &Actor, origin: Origin) -> Result<(), Undecided> {
    let place = match origin {
        Origin::Plate(id) => bench::plate(tx, id)?.map(|plate| plate.laboratory),
        Origin::Tube(id) => store::tube(tx, id)?.and_then(|clock| clock.laboratory.or(clock.point)),
        Origin::Box(id) => clock::place_of_box(tx, id)?,
        Origin::Lot(_) | Origin::Operator(_) => None,
    };
    match place {
        Some(place) => commands::reach(tx, actor, place),
        None => Ok(actor.must_reach(&[])?),
    }
}

/// One page of people: those of the next hundred tubes.
pub(crate) fn people_page(tx: &mut Tx<'_>, origin: Origin, after: Option<TubeId>) -> Result<(Vec<Reached>, Option<TubeId>), Undecided> {
    let tubes = lineage::tubes(tx, origin, after, PAGE_LIMIT / 10)?;
    let next = tubes.last().copied().filter(|_| tubes.len() as i64 == PAGE_LIMIT / 10);
    Ok((lineage::people_of(tx, &tubes)?, next))
}

pub(super) async fn lineage_json(
    State(app): State<App>,
    actor: Actor,
    At((kind, id)): At<(String, AnyId)>,
    Asked(asked): Asked<PageAsked>,
) -> Answered<Json<LineageAnswered>> {
    let origin = origin_of(&kind, id)?;
    let who = actor.clone();
    let answer = app
        .read(move |tx| {
            reach_origin(tx, &who, origin)?;
            let (people, next) = people_page(tx, origin, asked.after)?;
            Ok(LineageAnswered { extent: lineage::extent(tx, origin)?, people, next })
        })
        .await?;
    app.looked(&actor, answer.people.iter().map(|reached| any_id(reached.person)).collect(), "lineage");
    Ok(Json(answer))
}

pub(super) async fn lineage_csv(State(app): State<App>, actor: Actor, At((kind, id)): At<(String, AnyId)>) -> Answered {
    let origin = origin_of(&kind, id)?;
    let who = actor.clone();
    let tubes = app
        .read(move |tx| {
            reach_origin(tx, &who, origin)?;
            Ok(lineage::tubes(tx, origin, None, i64::from(i32::MAX))?)
        })
        .await?;
    app.looked(&actor, vec![id], "lineage-export");
    let (mut sender, body) = http_body_util::channel::Channel::<Bytes, std::io::Error>::new(4);
    tokio::spawn(async move {
        let head = Bytes::from_static(b"tube,code,person,swabbed_us,released_us,outcome\r\n");
        if sender.send_data(head).await.is_err() {
            return;
        }
        for chunk in tubes.chunks(500) {
            let chunk = chunk.to_vec();
            let Ok(people) = app.read(move |tx| Ok(lineage::people_of(tx, &chunk)?)).await else {
                // A file that breaks off must not look whole.
                return sender.abort(std::io::Error::other("the store failed"));
            };
            if sender.send_data(Bytes::from(csv_of(&people))).await.is_err() {
                return;
            }
        }
    });
    // Whoever packs the file asks once more after its end, and the channel's body must not be asked again.
    Ok(download(HttpBody::new(body.fuse()), "text/csv; charset=utf-8", &format!("{}-{id}.csv", origin.name())))
}

fn csv_of(people: &[Reached]) -> String {
    use std::fmt::Write;
    people.iter().fold(String::new(), |mut text, reached| {
        let number = |at: Option<Timestamp>| at.map(|at| at.0.to_string()).unwrap_or_default();
        let code = reached.code.as_deref().unwrap_or("").replace('"', "\"\"");
        _ = write!(
            text,
            "{},\"{code}\",{},{},{},{}\r\n",
            reached.tube,
            reached.person,
            reached.swabbed_us.0,
            number(reached.released_us),
            reached.outcome.map_or("", TubeOutcome::name)
        );
        text
    })
}

/// Everything one person's swabs touched.
#[derive(Serialize, JsonSchema)]
pub(super) struct PersonLineage {
    tubes: Vec<TubeLineage>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct TubeLineage {
    tube: TubeId,
    code: Option<String>,
    swabbed_us: Timestamp,
    #[serde(rename = "box")]
    box_id: Option<baton_kit::BoxId>,
    fluid_lot: Option<LotId>,
    hands: Vec<Hand>,
    wells: Vec<WellOf>,
    result: String,
}

pub(super) async fn lineage_person(State(app): State<App>, actor: Actor, At(person): At<PersonId>) -> Answered<Json<PersonLineage>> {
    let (who, now_day) = (actor.clone(), app.site.day_of(app.ledger.now()));
    let answer = app
        .read(move |tx| {
            reach_person(tx, &who, person, now_day)?;
            let mut tubes = Vec::new();
            for membership in results::memberships(tx, person)? {
                let clock = membership.clock;
                tubes.push(TubeLineage {
                    tube: clock.tube,
                    swabbed_us: membership.swabbed,
                    box_id: clock.box_id,
                    fluid_lot: clock.fluid_lot,
                    hands: lineage::hands_of_tube(tx, clock.tube)?,
                    wells: lineage::wells_of_tube(tx, clock.tube)?,
                    result: crate::rules::person::result_of(&clock).name().to_owned(),
                    code: clock.code,
                });
            }
            Ok(PersonLineage { tubes })
        })
        .await?;
    app.looked(&actor, vec![any_id(person)], "lineage");
    Ok(Json(answer))
}
