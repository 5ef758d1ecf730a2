//! The image as a file system of this machine, through FUSE.
//!
//! When the power goes, whoever is waiting for the disk hears nothing any more until they are dead; so nothing can be acknowledged after it.

use std::any::Any;
use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use fuser::{
    BackgroundSession, BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, LockOwner, MountOption,
    OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request, TimeOrNow, WriteFlags,
};
use parking_lot::{Mutex, MutexGuard};

use super::image::{File, Folder, Image, No, Thing};
use crate::chance::Chance;

/// Only the kernel changes anything here, so what it knows stays true.
const TTL: Duration = Duration::from_secs(3600);

/// Whether there is power.
enum Power {
    On,
    /// It went just now: answers are held back.
    Dark(Vec<Box<dyn Any + Send>>),
    /// Everybody is dead: whatever is still asked fails.
    Dead,
}

struct State {
    image: Image,
    power: Power,
    owner: (u32, u32),
}

/// A disk whose power can be cut, mounted on a folder.
pub(super) struct Disk {
    at: PathBuf,
    state: Arc<Mutex<State>>,
    session: Option<BackgroundSession>,
}

impl Disk {
    /// An empty disk on a folder that does not exist yet.
    pub(super) fn mount(at: &Path) -> anyhow::Result<Self> {
        if at.exists() {
            bail!("{} exists: the drill makes its own folder", at.display());
        }
        std::fs::create_dir_all(at)?;
        let folder = std::fs::metadata(at)?;
        let state = State { image: Image::empty(), power: Power::On, owner: (folder.uid(), folder.gid()) };
        let mut disk = Self { at: at.to_owned(), state: Arc::new(Mutex::new(state)), session: None };
        disk.plug_in()?;
        Ok(disk)
    }

    fn plug_in(&mut self) -> anyhow::Result<()> {
        self.state.lock().power = Power::On;
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("city-powercut".to_owned())];
        let mounted = fuser::spawn_mount(Mounted(self.state.clone()), &self.at, &config);
        self.session = Some(mounted.with_context(|| format!("{} could not be mounted. {}", self.at.display(), super::NEEDS))?);
        Ok(())
    }

    fn unplug(&mut self) -> anyhow::Result<()> {
        match self.session.take().map_or(Ok(()), BackgroundSession::umount_and_join) {
            // The kernel's way to say that the disk is gone, when it comes to saying it.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionAborted => Ok(()),
            done => done.with_context(|| format!("unmounting {}", self.at.display())),
        }
    }

    /// From now on a sync does nothing and says it did.
    pub(super) fn lie(&self, lies: bool) {
        self.state.lock().image.lies = lies;
    }

    /// The power goes, at this instant: gives how many unsynced sectors were not kept.
    pub(super) fn cut(&self, chance: &mut Chance) -> u64 {
        let mut state = self.state.lock();
        state.power = Power::Dark(Vec::new());
        state.image.cut(chance)
    }

    /// Whoever used the disk has been killed: those who still wait in the kernel may go.
    pub(super) fn let_go(&self) {
        self.state.lock().power = Power::Dead;
    }

    /// Power is back: the disk is mounted anew, so that nothing is left in any cache.
    pub(super) fn restart(&mut self) -> anyhow::Result<()> {
        self.unplug()?;
        self.plug_in()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.let_go();
        _ = self.unplug();
    }
}

struct Mounted(Arc<Mutex<State>>);

impl Mounted {
    /// The disk while there is power; otherwise nobody gets an answer.
    fn lit<R: Send + 'static>(&self, reply: R) -> Option<(MutexGuard<'_, State>, R)> {
        let mut state = self.0.lock();
        match &mut state.power {
            Power::On => return Some((state, reply)),
            Power::Dark(held) => held.push(Box::new(reply)),
            Power::Dead => {} // a reply that is dropped says "input/output error"
        }
        None
    }
}

impl State {
    fn attributes(&self, number: u64) -> Result<FileAttr, No> {
        let node = self.image.node(number)?;
        let (kind, size, nlink) = match &node.thing {
            Thing::File(file) => (FileType::RegularFile, file.now.len() as u64, 1),
            Thing::Folder(_) => (FileType::Directory, 4096, 2),
        };
        let (time, (uid, gid)) = (UNIX_EPOCH, self.owner);
        Ok(FileAttr {
            ino: INodeNo(number),
            size,
            blocks: size.div_ceil(512),
            atime: time,
            mtime: time,
            ctime: time,
            crtime: time,
            kind,
            perm: node.mode,
            nlink,
            uid,
            gid,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        })
    }

    fn made(&mut self, folder: INodeNo, name: &OsStr, thing: Thing, mode: u32) -> Result<FileAttr, No> {
        let number = self.image.make(folder.0, name, thing, (mode & 0o7777) as u16)?;
        self.attributes(number)
    }

    fn changed(&mut self, number: u64, mode: Option<u32>, size: Option<u64>) -> Result<FileAttr, No> {
        if let Some(mode) = mode {
            self.image.node_mut(number)?.mode = (mode & 0o7777) as u16;
        }
        if let Some(size) = size {
            self.image.set_length(number, size as usize)?;
        }
        self.attributes(number)
    }

    fn listed(&self, number: u64) -> Result<Vec<(u64, FileType, std::ffi::OsString)>, No> {
        let folder = self.image.folder(number)?;
        let dots = [".", ".."].map(|dot| (number, FileType::Directory, dot.into()));
        let named = folder.now.iter().map(|(name, &inner)| Ok((inner, self.attributes(inner)?.kind, name.clone())));
        dots.into_iter().map(Ok).chain(named).collect()
    }
}

fn errno(no: No) -> Errno {
    match no {
        No::Absent => Errno::ENOENT,
        No::NotFolder => Errno::ENOTDIR,
        No::IsFolder => Errno::EISDIR,
        No::NotEmpty => Errno::ENOTEMPTY,
        No::There => Errno::EEXIST,
    }
}

fn done(reply: ReplyEmpty, result: Result<(), No>) {
    match result {
        Ok(()) => reply.ok(),
        Err(no) => reply.error(errno(no)),
    }
}

fn entered(reply: ReplyEntry, found: Result<FileAttr, No>) {
    match found {
        Ok(attributes) => reply.entry(&TTL, &attributes, Generation(0)),
        Err(no) => reply.error(errno(no)),
    }
}

fn described(reply: ReplyAttr, found: Result<FileAttr, No>) {
    match found {
        Ok(attributes) => reply.attr(&TTL, &attributes),
        Err(no) => reply.error(errno(no)),
    }
}

impl Filesystem for Mounted {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let Some((state, reply)) = self.lit(reply) else { return };
        entered(reply, state.image.find(parent.0, name).and_then(|number| state.attributes(number)));
    }

    fn getattr(&self, _: &Request, number: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        let Some((state, reply)) = self.lit(reply) else { return };
        described(reply, state.attributes(number.0));
    }

    fn setattr(
        &self,
        _: &Request,
        number: INodeNo,
        mode: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let Some((mut state, reply)) = self.lit(reply) else { return };
        described(reply, state.changed(number.0, mode, size));
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, mode: u32, umask: u32, reply: ReplyEntry) {
        let Some((mut state, reply)) = self.lit(reply) else { return };
        entered(reply, state.made(parent, name, Thing::Folder(Folder::default()), mode & !umask));
    }

    fn create(&self, _: &Request, parent: INodeNo, name: &OsStr, mode: u32, umask: u32, _: i32, reply: ReplyCreate) {
        let Some((mut state, reply)) = self.lit(reply) else { return };
        match state.made(parent, name, Thing::File(File::default()), mode & !umask) {
            Ok(made) => reply.created(&TTL, &made, Generation(0), FileHandle(0), FopenFlags::empty()),
            Err(no) => reply.error(errno(no)),
        }
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::empty());
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let Some((mut state, reply)) = self.lit(reply) else { return };
        done(reply, state.image.remove(parent.0, name));
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let Some((mut state, reply)) = self.lit(reply) else { return };
        done(reply, state.image.remove(parent.0, name));
    }

    fn rename(&self, _: &Request, parent: INodeNo, name: &OsStr, to: INodeNo, as_name: &OsStr, _: RenameFlags, reply: ReplyEmpty) {
        let Some((mut state, reply)) = self.lit(reply) else { return };
        done(reply, state.image.rename((parent.0, name), (to.0, as_name)));
    }

    fn read(&self, _: &Request, number: INodeNo, _: FileHandle, at: u64, size: u32, _: OpenFlags, _: Option<LockOwner>, reply: ReplyData) {
        let Some((state, reply)) = self.lit(reply) else { return };
        match state.image.read(number.0, at as usize, size as usize) {
            Ok(bytes) => reply.data(bytes),
            Err(no) => reply.error(errno(no)),
        }
    }

    fn write(&self, _: &Request, number: INodeNo, _: FileHandle, at: u64, data: &[u8], _: WriteFlags, _: OpenFlags, _: Option<LockOwner>, reply: ReplyWrite) {
        let Some((mut state, reply)) = self.lit(reply) else { return };
        match state.image.write(number.0, at as usize, data) {
            Ok(()) => reply.written(data.len() as u32),
            Err(no) => reply.error(errno(no)),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, number: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let Some((mut state, reply)) = self.lit(reply) else { return };
        done(reply, state.image.sync(number.0));
    }

    fn fsyncdir(&self, _: &Request, number: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let Some((mut state, reply)) = self.lit(reply) else { return };
        done(reply, state.image.sync(number.0));
    }

    fn readdir(&self, _: &Request, number: INodeNo, _: FileHandle, from: u64, reply: ReplyDirectory) {
        let Some((state, mut reply)) = self.lit(reply) else { return };
        match state.listed(number.0) {
            Ok(entries) => {
                for (at, (inner, kind, name)) in entries.into_iter().enumerate().skip(from as usize) {
                    if reply.add(INodeNo(inner), at as u64 + 1, kind, name) {
                        break;
                    }
                }
                reply.ok();
            }
            Err(no) => reply.error(errno(no)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Purpose;
    use baton_ledger::door::Durability;
    use baton_ledger::{Conn, params};

    /// A row in a table on the disk, committed; then the power goes. Whether the row is there afterwards.
    fn survives(synchronous: &str, seed: u64) -> Option<bool> {
        let at = std::env::temp_dir().join(format!("city-disk-{synchronous}-{seed}-{}", std::process::id()));
        if let Some(missing) = super::super::missing() {
            crate::skipped("a SQLite file on a disk without power", &missing);
            return None;
        }
        let mut disk = Disk::mount(&at).unwrap();
        let file = at.join("rows.db");
        let mut conn = Conn::open_sqlite(&file, Durability::Full).unwrap();
        conn.execute_ddl("CREATE TABLE mark (\n  bucket BIGINT NOT NULL,\n  PRIMARY KEY (bucket)\n);\n").unwrap();
        if let Conn::Sqlite(sqlite) = &conn {
            sqlite.pragma_update(None, "synchronous", synchronous).unwrap();
        }
        let mut tx = conn.begin().unwrap();
        tx.execute("INSERT INTO mark (bucket) VALUES ($1)", params![7]).unwrap();
        tx.commit().unwrap();
        disk.cut(&mut Chance::new(seed, Purpose::Power, 0));
        disk.let_go();
        drop(conn);
        disk.restart().unwrap();
        let rows = Conn::open_sqlite(&file, Durability::Full).unwrap().begin_read().unwrap().query("SELECT bucket FROM mark", &[]);
        drop(disk);
        std::fs::remove_dir(&at).unwrap();
        Some(rows.is_ok_and(|rows| rows.len() == 1))
    }

    #[test]
    fn a_commit_survives_with_syncs_and_not_without() {
        let kept = |synchronous| (0..8).map_while(|seed| survives(synchronous, seed)).filter(|kept| *kept).count();
        let Some(first) = survives("FULL", 100) else { return };
        assert!(first);
        assert_eq!(kept("FULL"), 8);
        assert!(kept("OFF") < 8, "a cut that loses nothing unsynced is no cut");
    }
}
