//! Files between upload and commit. They hold personal data, so they stay in memory, few and not for long.

use std::collections::BTreeMap;
use std::sync::Arc;

use baton_desk::{Actor, App};
use baton_kit::time::MINUTE_US;
use baton_kit::{AccountId, EventId, Refusal, Status, Timestamp};
use parking_lot::Mutex;

use crate::import::{ImportReport, Mapping, Mode, run_import};

/// How many files wait at once, and how large they are together.
const FILES_MAX: usize = 8;
const BYTES_MAX: usize = 384 << 20;
/// A file nobody goes on with is dropped.
const KEPT_US: i64 = 30 * MINUTE_US;

/// What is being done with a file.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    Judging,
    Judged(ImportReport),
    Running { done: u64, all: u64 },
    Done(ImportReport),
    Refused(Refusal),
}

#[derive(Clone)]
pub(super) struct Upload {
    owner: Option<AccountId>,
    touched: Timestamp,
    pub(super) file: String,
    pub(super) bytes: Arc<Vec<u8>>,
    pub(super) mapping: Option<Mapping>,
    pub(super) stage: Stage,
}

/// The files of one running server.
#[derive(Default)]
pub(super) struct Uploads(Mutex<BTreeMap<EventId, Upload>>);

impl Uploads {
    /// Keeps a file and begins to judge it.
    pub(super) fn keep(self: &Arc<Self>, app: &App, actor: &Actor, id: EventId, file: String, bytes: Vec<u8>) -> Result<(), Refusal> {
        let now = app.ledger.now();
        let mut files = self.0.lock();
        files.retain(|_, upload| matches!(upload.stage, Stage::Running { .. }) || now.since(upload.touched) < KEPT_US);
        let together: usize = files.values().map(|upload| upload.bytes.len()).sum();
        room_for(files.len(), together + bytes.len())?;
        files.insert(id, Upload { owner: actor.account, touched: now, file, bytes: Arc::new(bytes), mapping: None, stage: Stage::Judging });
        drop(files);
        self.start(app, actor, id, Mode::DryRun)
    }

    /// A file of this actor.
    pub(super) fn get(&self, actor: &Actor, id: EventId) -> Result<Upload, Refusal> {
        let files = self.0.lock();
        files.get(&id).filter(|upload| upload.owner == actor.account).cloned().ok_or_else(|| Refusal::absent("upload-gone"))
    }

    fn change(&self, id: EventId, change: impl FnOnce(&mut Upload)) {
        if let Some(upload) = self.0.lock().get_mut(&id) {
            change(upload);
        }
    }

    /// Judges again with other columns.
    pub(super) fn remap(self: &Arc<Self>, app: &App, actor: &Actor, id: EventId, mapping: Mapping) -> Result<(), Refusal> {
        self.get(actor, id)?;
        self.change(id, |upload| upload.mapping = Some(mapping));
        self.start(app, actor, id, Mode::DryRun)
    }

    /// Runs in a thread of its own; refuses a second run of one file.
    pub(super) fn start(self: &Arc<Self>, app: &App, actor: &Actor, id: EventId, mode: Mode) -> Result<(), Refusal> {
        let upload = self.get(actor, id)?;
        if mode != Mode::DryRun && !matches!(upload.stage, Stage::Judged(_)) {
            return Err(Refusal::conflict("upload-not-judged"));
        }
        let stage = if mode == Mode::DryRun { Stage::Judging } else { Stage::Running { done: 0, all: 0 } };
        let now = app.ledger.now();
        self.change(id, |upload| (upload.stage, upload.touched) = (stage, now));
        let (uploads, app, actor) = (self.clone(), app.clone(), actor.clone());
        let work = move || {
            let heard = |done, all| {
                if mode != Mode::DryRun {
                    uploads.change(id, |upload| upload.stage = Stage::Running { done, all })
                }
            };
            let result = run_import(&app.ledger, &app.site, &actor, &upload.bytes, &upload.file, upload.mapping, mode, heard);
            let stage = match result {
                Ok(report) if mode == Mode::DryRun => Stage::Judged(report),
                Ok(report) => Stage::Done(report),
                Err(refusal) => Stage::Refused(refusal),
            };
            uploads.change(id, |upload| {
                if matches!(stage, Stage::Done(_)) {
                    upload.bytes = Arc::default(); // it is in the ledger now, sealed
                }
                upload.stage = stage;
            });
        };
        std::thread::Builder::new().name("baton-import".to_owned()).spawn(work).map(|_| ()).map_err(|error| {
            tracing::error!(%error, "no thread for an import");
            Refusal::new("uploads-full", Status::Full).with("seconds", 60)
        })
    }
}

/// Files waiting to be committed are held in memory, so there are only so many.
fn room_for(files: usize, bytes: usize) -> Result<(), Refusal> {
    if files < FILES_MAX && bytes <= BYTES_MAX { Ok(()) } else { Err(Refusal::new("uploads-full", Status::Full).with("seconds", 600)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_files_wait() {
        assert!(room_for(0, BYTES_MAX).is_ok());
        assert_eq!(room_for(FILES_MAX, 1).unwrap_err().code, "uploads-full");
        assert_eq!(room_for(0, BYTES_MAX + 1).unwrap_err().code, "uploads-full");
    }
}
