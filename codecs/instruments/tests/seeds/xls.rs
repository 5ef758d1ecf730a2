//! A workbook of Excel 97–2003, written byte by byte (MS-CFB and MS-XLS): one sheet of texts, nothing else.

const SECTOR: usize = 512;
const FREE: u32 = 0xFFFF_FFFF;
const END_OF_CHAIN: u32 = 0xFFFF_FFFE;
const TABLE_SECTOR: u32 = 0xFFFF_FFFD;
/// Shorter streams would have to live in the table of small ones.
const LEAST_STREAM: usize = 4096;

/// The file; `facts` and `rows` stand one below the other.
pub fn workbook(sheet: &str, facts: &[Vec<&str>], rows: &[Vec<&str>]) -> Vec<u8> {
    let mut stream = records(sheet, facts.iter().chain(rows));
    stream.resize(stream.len().max(LEAST_STREAM).next_multiple_of(SECTOR), 0);
    compound_file(&stream)
}

fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat()
}

fn beginning(kind: u16) -> Vec<u8> {
    let mut data = [0; 16];
    data[..2].copy_from_slice(&0x0600u16.to_le_bytes());
    data[2..4].copy_from_slice(&kind.to_le_bytes());
    record(0x0809, &data)
}

fn records<'a>(sheet: &str, rows: impl Iterator<Item = &'a Vec<&'a str>>) -> Vec<u8> {
    let end = record(0x000A, &[]);
    let sheet_at = |start: u32| record(0x0085, &[&start.to_le_bytes()[..], &[0, 0, sheet.len() as u8, 0], sheet.as_bytes()].concat());
    let start = beginning(5).len() + sheet_at(0).len() + end.len();
    let mut stream = [beginning(5), sheet_at(start as u32), end.clone(), beginning(16)].concat();
    for (row, cells) in rows.enumerate() {
        for (column, text) in cells.iter().enumerate() {
            let place = [row as u16, column as u16, 0, text.len() as u16].map(u16::to_le_bytes).concat();
            stream.extend(record(0x0204, &[&place[..], &[0], text.as_bytes()].concat()));
        }
    }
    stream.extend(end);
    stream
}

/// Header, sector 0 the allocation table, sector 1 the directory, then the stream.
fn compound_file(stream: &[u8]) -> Vec<u8> {
    let mut header = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
    header.resize(24, 0);
    header.extend([0x003Eu16, 3, 0xFFFE, 9, 6].map(u16::to_le_bytes).concat());
    header.resize(40, 0);
    header.extend([0, 1, 1, 0, LEAST_STREAM as u32, END_OF_CHAIN, 0, END_OF_CHAIN, 0, 0].map(u32::to_le_bytes).concat());
    header.resize(SECTOR, 0xFF);

    let last = 1 + (stream.len() / SECTOR) as u32;
    let next = |sector: u32| match sector {
        0 => TABLE_SECTOR,
        1 => END_OF_CHAIN,
        _ if sector < last => sector + 1,
        _ if sector == last => END_OF_CHAIN,
        _ => FREE,
    };
    let table: Vec<u8> = (0..SECTOR as u32 / 4).flat_map(|sector| next(sector).to_le_bytes()).collect();
    let mut directory = [entry("Root Entry", 5, 1, END_OF_CHAIN, 0), entry("Workbook", 2, FREE, 2, stream.len() as u64)].concat();
    directory.resize(SECTOR, 0);
    [&header[..], &table, &directory, stream].concat()
}

fn entry(name: &str, kind: u8, child: u32, start: u32, size: u64) -> Vec<u8> {
    let mut bytes: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes.resize(64, 0);
    bytes.extend((2 * (name.len() as u16 + 1)).to_le_bytes());
    bytes.extend([kind, 1]);
    bytes.extend([FREE, FREE, child].map(u32::to_le_bytes).concat());
    bytes.resize(116, 0);
    bytes.extend(start.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes
}
