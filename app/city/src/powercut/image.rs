//! What a disk holds, and what of it would be there after the power went: pure, in memory.
//!
//! The rules are those POSIX gives and no better. What is written is there once its file was synced; a new, renamed or removed name is
//! so once its folder was synced. When the power goes, everything else may be there or not: in every second cut nothing of it
//! is, in the others each sector and each folder is drawn by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

use crate::chance::Chance;

/// The number of the outermost folder.
pub(super) const ROOT: u64 = 1;
/// What a disk writes as a whole.
const SECTOR: usize = 512;

/// A file's bytes now, those that would survive, and which sectors differ.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    pub(super) now: Vec<u8>,
    synced: Vec<u8>,
    dirty: BTreeSet<usize>,
}

/// Names in a folder, now and as they would survive.
#[derive(Clone, Debug, Default)]
pub(super) struct Folder {
    pub(super) now: BTreeMap<OsString, u64>,
    synced: BTreeMap<OsString, u64>,
}

#[derive(Clone, Debug)]
pub(super) enum Thing {
    File(File),
    Folder(Folder),
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) thing: Thing,
    pub(super) mode: u16,
}

/// Why something cannot be done, in the words of the system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum No {
    Absent,
    NotFolder,
    IsFolder,
    NotEmpty,
    There,
}

/// The whole disk.
#[derive(Clone, Debug)]
pub(super) struct Image {
    nodes: BTreeMap<u64, Node>,
    next: u64,
    /// A disk that says "synced" and does nothing.
    pub(super) lies: bool,
}

impl Image {
    pub(super) fn empty() -> Self {
        let root = Node { thing: Thing::Folder(Folder::default()), mode: 0o755 };
        Self { nodes: BTreeMap::from([(ROOT, root)]), next: ROOT + 1, lies: false }
    }

    pub(super) fn node(&self, number: u64) -> Result<&Node, No> {
        self.nodes.get(&number).ok_or(No::Absent)
    }

    pub(super) fn node_mut(&mut self, number: u64) -> Result<&mut Node, No> {
        self.nodes.get_mut(&number).ok_or(No::Absent)
    }

    pub(super) fn folder(&self, number: u64) -> Result<&Folder, No> {
        match &self.node(number)?.thing {
            Thing::Folder(folder) => Ok(folder),
            Thing::File(_) => Err(No::NotFolder),
        }
    }

    fn folder_mut(&mut self, number: u64) -> Result<&mut Folder, No> {
        match &mut self.node_mut(number)?.thing {
            Thing::Folder(folder) => Ok(folder),
            Thing::File(_) => Err(No::NotFolder),
        }
    }

    pub(super) fn file(&self, number: u64) -> Result<&File, No> {
        match &self.node(number)?.thing {
            Thing::File(file) => Ok(file),
            Thing::Folder(_) => Err(No::IsFolder),
        }
    }

    fn file_mut(&mut self, number: u64) -> Result<&mut File, No> {
        match &mut self.node_mut(number)?.thing {
            Thing::File(file) => Ok(file),
            Thing::Folder(_) => Err(No::IsFolder),
        }
    }

    pub(super) fn find(&self, folder: u64, name: &OsStr) -> Result<u64, No> {
        self.folder(folder)?.now.get(name).copied().ok_or(No::Absent)
    }

    /// Makes a file or folder under a name that is free.
    pub(super) fn make(&mut self, folder: u64, name: &OsStr, thing: Thing, mode: u16) -> Result<u64, No> {
        let number = self.next;
        let names = &mut self.folder_mut(folder)?.now;
        if names.contains_key(name) {
            return Err(No::There);
        }
        names.insert(name.to_owned(), number);
        self.next += 1;
        self.nodes.insert(number, Node { thing, mode });
        Ok(number)
    }

    /// Takes a name away; what it named stays for those who have it open.
    pub(super) fn remove(&mut self, folder: u64, name: &OsStr) -> Result<(), No> {
        let number = self.find(folder, name)?;
        if let Thing::Folder(inner) = &self.node(number)?.thing
            && !inner.now.is_empty()
        {
            return Err(No::NotEmpty);
        }
        self.folder_mut(folder)?.now.remove(name);
        Ok(())
    }

    pub(super) fn rename(&mut self, from: (u64, &OsStr), to: (u64, &OsStr)) -> Result<(), No> {
        let number = self.find(from.0, from.1)?;
        self.folder_mut(to.0)?.now.insert(to.1.to_owned(), number);
        if from != to {
            self.folder_mut(from.0)?.now.remove(from.1);
        }
        Ok(())
    }

    pub(super) fn read(&self, number: u64, at: usize, length: usize) -> Result<&[u8], No> {
        let bytes = &self.file(number)?.now;
        let from = at.min(bytes.len());
        Ok(&bytes[from..bytes.len().min(from + length)])
    }

    pub(super) fn write(&mut self, number: u64, at: usize, bytes: &[u8]) -> Result<(), No> {
        let file = self.file_mut(number)?;
        let end = at + bytes.len();
        if file.now.len() < end {
            file.resize(end);
        }
        file.now[at..end].copy_from_slice(bytes);
        file.dirty.extend(at / SECTOR..end.div_ceil(SECTOR));
        Ok(())
    }

    pub(super) fn set_length(&mut self, number: u64, length: usize) -> Result<(), No> {
        self.file_mut(number)?.resize(length);
        Ok(())
    }

    /// What `fsync` of a file or folder promises, unless the disk lies.
    pub(super) fn sync(&mut self, number: u64) -> Result<(), No> {
        if self.lies {
            return Ok(());
        }
        match &mut self.node_mut(number)?.thing {
            Thing::File(file) => file.sync(),
            Thing::Folder(folder) => folder.synced.clone_from(&folder.now),
        }
        Ok(())
    }

    /// The power goes: gives how many sectors were not kept. Nobody has anything open any more.
    pub(super) fn cut(&mut self, chance: &mut Chance) -> u64 {
        let nothing_stays = chance.happens(0.5);
        let keeps = |chance: &mut Chance| !nothing_stays && chance.happens(0.5);
        let mut dropped = 0;
        for node in self.nodes.values_mut() {
            match &mut node.thing {
                Thing::File(file) => dropped += file.cut(|| keeps(chance)),
                Thing::Folder(folder) if keeps(chance) => folder.synced.clone_from(&folder.now),
                Thing::Folder(folder) => folder.now.clone_from(&folder.synced),
            }
        }
        self.forget_unnamed();
        dropped
    }

    fn forget_unnamed(&mut self) {
        let mut named = BTreeSet::from([ROOT]);
        let mut open = vec![ROOT];
        while let Some(folder) = open.pop() {
            for &number in self.folder(folder).map(|folder| folder.now.values()).into_iter().flatten() {
                if named.insert(number) {
                    open.push(number);
                }
            }
        }
        self.nodes.retain(|number, _| named.contains(number));
    }
}

impl File {
    fn resize(&mut self, length: usize) {
        let (less, more) = (length.min(self.now.len()), length.max(self.now.len()));
        self.now.resize(length, 0);
        self.dirty.extend(less / SECTOR..more.div_ceil(SECTOR));
    }

    fn sync(&mut self) {
        self.synced.resize(self.now.len(), 0);
        for sector in std::mem::take(&mut self.dirty) {
            self.keep(sector);
        }
    }

    /// Copies one sector to what survives, as far as it is within both.
    fn keep(&mut self, sector: usize) {
        let from = sector * SECTOR;
        let to = (from + SECTOR).min(self.now.len()).min(self.synced.len());
        if from < to {
            self.synced[from..to].copy_from_slice(&self.now[from..to]);
        }
    }

    fn cut(&mut self, mut keeps: impl FnMut() -> bool) -> u64 {
        let mut dropped = 0;
        for sector in std::mem::take(&mut self.dirty) {
            if keeps() {
                let end = ((sector + 1) * SECTOR).min(self.now.len());
                self.synced.resize(self.synced.len().max(end), 0);
                self.keep(sector);
            } else {
                dropped += 1;
            }
        }
        self.now.clone_from(&self.synced);
        dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Purpose;
    use proptest::prelude::*;

    fn name(text: &str) -> &OsStr {
        OsStr::new(text)
    }

    fn file(image: &mut Image, text: &str) -> u64 {
        image.make(ROOT, name(text), Thing::File(File::default()), 0o600).unwrap()
    }

    #[test]
    fn only_what_was_synced_survives_for_certain() {
        for seed in 0..40 {
            let mut image = Image::empty();
            let kept = file(&mut image, "kept");
            image.write(kept, 0, &[7; 2000]).unwrap();
            image.sync(kept).unwrap();
            image.sync(ROOT).unwrap();
            file(&mut image, "unsynced name");
            image.write(kept, 1000, &[8; 3000]).unwrap();
            image.cut(&mut Chance::new(seed, Purpose::Power, 0));
            assert_eq!(image.read(kept, 0, 512).unwrap(), [7; 512]);
            assert!(image.file(kept).unwrap().now.len() >= 2000);
        }
    }

    #[test]
    fn a_synced_file_without_a_synced_name_may_be_gone_and_a_lying_disk_keeps_nothing() {
        let gone = |lies| {
            let lost = |seed| {
                let mut image = Image { lies, ..Image::empty() };
                let number = file(&mut image, "new");
                image.write(number, 0, b"bytes").unwrap();
                image.sync(number).unwrap();
                if lies {
                    image.sync(ROOT).unwrap();
                }
                image.cut(&mut Chance::new(seed, Purpose::Power, 0));
                image.find(ROOT, name("new")).is_err()
            };
            (0..40).filter(|seed| lost(*seed)).count()
        };
        assert!((10..40).contains(&gone(false)), "{}", gone(false));
        assert_eq!(gone(false), gone(true), "to a lying disk a synced folder is one that was not");
    }

    #[test]
    fn names_are_moved_and_removed() {
        let mut image = Image::empty();
        let folder = image.make(ROOT, name("d"), Thing::Folder(Folder::default()), 0o700).unwrap();
        let number = file(&mut image, "a");
        assert_eq!(image.make(ROOT, name("a"), Thing::File(File::default()), 0o600), Err(No::There));
        image.rename((ROOT, name("a")), (folder, name("b"))).unwrap();
        assert_eq!((image.find(ROOT, name("a")), image.find(folder, name("b"))), (Err(No::Absent), Ok(number)));
        assert_eq!(image.remove(ROOT, name("d")), Err(No::NotEmpty));
        image.remove(folder, name("b")).unwrap();
        image.remove(ROOT, name("d")).unwrap();
        assert!(image.read(number, 0, 1).unwrap().is_empty(), "open until the power goes");
        image.cut(&mut Chance::new(1, Purpose::Power, 0));
        assert_eq!(image.node(number).err(), Some(No::Absent));
    }

    #[derive(Clone, Debug)]
    enum Act {
        Write(usize, u8, usize),
        Length(usize),
        Sync,
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            (0..5000_usize, any::<u8>(), 1..3000_usize).prop_map(|(at, byte, length)| Act::Write(at, byte, length)),
            (0..6000_usize).prop_map(Act::Length),
            Just(Act::Sync),
        ]
    }

    proptest! {
        /// Against a plain copy of the bytes: what was synced last survives unless something was written or cut off since, and after a sync everything does.
        #[test]
        fn a_synced_file_comes_back_as_it_was(acts in proptest::collection::vec(act(), 1..20), seed: u64) {
            let mut image = Image::empty();
            let number = file(&mut image, "f");
            image.sync(ROOT).unwrap();
            let mut plain: Vec<u8> = Vec::new();
            for act in acts {
                match act {
                    Act::Write(at, byte, length) => {
                        plain.resize(plain.len().max(at + length), 0);
                        plain[at..at + length].fill(byte);
                        image.write(number, at, &vec![byte; length]).unwrap();
                    }
                    Act::Length(length) => {
                        plain.resize(length, 0);
                        image.set_length(number, length).unwrap();
                    }
                    Act::Sync => image.sync(number).unwrap(),
                }
                prop_assert_eq!(&image.file(number).unwrap().now, &plain);
            }
            image.sync(number).unwrap();
            image.cut(&mut Chance::new(seed, Purpose::Power, 0));
            prop_assert_eq!(&image.file(number).unwrap().now, &plain);
        }
    }
}
