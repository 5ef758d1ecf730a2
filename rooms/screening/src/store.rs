//! The fold of the room, and what other rooms may ask it. The SQL itself stands with each noun.

use baton_kit::{PersonId, TubeId};
use baton_ledger::{Command, Event, EventBody, StoreResult, Tx, Vault};

use crate::events::{
    CloseFollowUp, ExemptPerson, IssueLabels, LabelsPrinted, LabelsStruckOff, LineCounted, OpenCampaign, OpenRound, PersonSampled, ScanUndone, SettleFinding,
    TubeOpened, TubeSealed,
};
use crate::{campaign, finding, follow, follow_up, label, queue, specimen};

pub use crate::campaign::store::{Counts, campaign, campaigns, coverage, due, missing, standings_of, total};
pub use crate::specimen::store::{first_swab, members, specimens, tube, tubes_by_code};

pub fn apply(tx: &mut Tx<'_>, event: &Event, _: &Vault) -> StoreResult<()> {
    match event.kind.as_str() {
        PersonSampled::KIND => specimen::store::person_sampled(tx, event),
        TubeOpened::KIND => specimen::store::tube_opened(tx, event),
        TubeSealed::KIND => specimen::store::tube_sealed(tx, event),
        ScanUndone::KIND => specimen::store::scan_undone(tx, event),
        OpenCampaign::KIND => campaign::store::opened(tx, event),
        OpenRound::KIND => campaign::store::round_opened(tx, event),
        ExemptPerson::KIND => campaign::store::exempted(tx, event),
        CloseFollowUp::KIND => follow_up::store::closed(tx, event),
        IssueLabels::KIND => label::store::issued(tx, event),
        LabelsPrinted::KIND => label::store::printed(tx, event),
        LabelsStruckOff::KIND => label::store::struck_off(tx, event),
        SettleFinding::KIND => finding::store::settled(tx, event),
        LineCounted::KIND => queue::store::line_counted(tx, event),
        _ => follow::apply(tx, event),
    }
}

/// The tube that bears this label; of several the one opened last.
pub fn tube_by_code(tx: &mut Tx<'_>, code: &str) -> StoreResult<Option<TubeId>> {
    Ok(tubes_by_code(tx, code)?.last().map(|tube| tube.id))
}

/// What stands on a tube's label; its number while its opening is not known.
pub fn tube_label(tx: &mut Tx<'_>, id: TubeId) -> StoreResult<String> {
    Ok(tube(tx, id)?.filter(|tube| tube.opened).map_or_else(|| id.to_string(), |tube| tube.code))
}

/// People whose swabs stand in this tube: each once.
pub fn people_of_tube(tx: &mut Tx<'_>, tube: TubeId) -> StoreResult<Vec<PersonId>> {
    let mut people: Vec<PersonId> = members(tx, tube)?.into_iter().map(|member| member.person).collect();
    people.sort_unstable();
    people.dedup();
    Ok(people)
}
