//! The compound file: sectors chained by an allocation table, a directory, small streams packed into a mini stream.

const END_OF_CHAIN: u32 = 0xFFFF_FFFA;
const HEADER_DIFAT: std::ops::Range<usize> = 0x4C..0x200;

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// A stream found by name.
pub(super) enum Found {
    Stream(Vec<u8>),
    /// No such stream; the names that are there.
    Names(Vec<String>),
}

/// The content of the stream with this name; `None` when the file's structure cannot be followed.
pub(super) fn stream(file: &[u8], name: &str) -> Option<Found> {
    let compound = Compound::open(file)?;
    let directory = compound.chain(u32_at(file, 0x30)?, &compound.table)?;
    let mut names = Vec::new();
    let mut root = None;
    for entry in directory.chunks_exact(128) {
        let kind = entry[66];
        let (start, size) = (u32_at(entry, 116)?, u32_at(entry, 120)? as usize);
        let length = usize::from(u16_at(entry, 64)?).clamp(2, 64) - 2;
        let units: Vec<u16> = entry[..length].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        let found = String::from_utf16_lossy(&units);
        match kind {
            5 => root = Some(start),
            2 if found.eq_ignore_ascii_case(name) => return compound.content(start, size, root?).map(Found::Stream),
            2 => names.push(found),
            _ => {}
        }
    }
    Some(Found::Names(names))
}

struct Compound<'a> {
    file: &'a [u8],
    sector: usize,
    mini_sector: usize,
    mini_cutoff: usize,
    table: Vec<u32>,
    mini_table: Vec<u32>,
}

impl<'a> Compound<'a> {
    fn open(file: &'a [u8]) -> Option<Self> {
        let (shift, mini_shift) = (u16_at(file, 0x1E)?, u16_at(file, 0x20)?);
        if !matches!(shift, 9 | 12) || mini_shift != 6 {
            return None;
        }
        let mut compound = Compound {
            file,
            sector: 1 << shift,
            mini_sector: 1 << mini_shift,
            mini_cutoff: u32_at(file, 0x38)? as usize,
            table: Vec::new(),
            mini_table: Vec::new(),
        };
        compound.table = compound.allocation_table()?;
        let mini = u32_at(file, 0x3C)?;
        if mini < END_OF_CHAIN {
            compound.mini_table = numbers(&compound.chain(mini, &compound.table)?);
        }
        Some(compound)
    }

    /// Sectors of a file cannot be more than this; a longer chain runs in a circle.
    fn sectors_max(&self) -> usize {
        self.file.len() / self.sector + 1
    }

    fn sector(&self, index: u32) -> Option<&'a [u8]> {
        let start = (index as usize).checked_add(1)?.checked_mul(self.sector)?;
        // The last sector may be cut short.
        self.file.get(start..(start + self.sector).min(self.file.len())).filter(|sector| !sector.is_empty())
    }

    /// The table's own sectors are listed in the header and, for large files, in chained sectors.
    fn allocation_table(&self) -> Option<Vec<u32>> {
        let mut places = numbers(self.file.get(HEADER_DIFAT)?);
        let mut next = u32_at(self.file, 0x44)?;
        for _ in 0..self.sectors_max() {
            if next >= END_OF_CHAIN {
                break;
            }
            let mut more = numbers(self.sector(next)?);
            next = more.pop()?;
            places.extend(more);
        }
        let mut table = Vec::new();
        for place in places.into_iter().filter(|place| *place < END_OF_CHAIN).take(self.sectors_max()) {
            table.extend(numbers(self.sector(place)?));
        }
        Some(table)
    }

    fn chain(&self, start: u32, table: &[u32]) -> Option<Vec<u8>> {
        let mut content = Vec::new();
        let mut next = start;
        for _ in 0..self.sectors_max() {
            if next >= END_OF_CHAIN {
                return Some(content);
            }
            content.extend_from_slice(self.sector(next)?);
            next = *table.get(next as usize)?;
        }
        None
    }

    fn content(&self, start: u32, size: usize, root: u32) -> Option<Vec<u8>> {
        if size >= self.mini_cutoff {
            let mut content = self.chain(start, &self.table)?;
            content.truncate(size);
            return Some(content);
        }
        let packed = self.chain(root, &self.table)?;
        let mut content = Vec::with_capacity(size);
        let mut next = start;
        while next < END_OF_CHAIN && content.len() < size {
            let at = (next as usize).checked_mul(self.mini_sector)?;
            content.extend_from_slice(packed.get(at..at + self.mini_sector)?);
            next = *self.mini_table.get(next as usize)?;
        }
        content.truncate(size);
        Some(content)
    }
}

fn numbers(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|chunk| u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]])).collect()
}
