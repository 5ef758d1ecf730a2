//! Writes the corpus of every fuzz target into `corpus/` beside this package: the seeds of the tests, made by programs of
//! this repository.

use std::io;
use std::path::Path;

#[path = "../../engines/pcr/tests/sound/mod.rs"]
mod curves;
#[path = "../../codecs/instruments/tests/sound/mod.rs"]
mod instruments;
#[path = "../../codecs/instruments/tests/seeds/mod.rs"]
mod seeds;
#[path = "../../codecs/sheets/tests/sound/mod.rs"]
mod sheets;

fn write<N: AsRef<str>>(target: &str, files: impl IntoIterator<Item = (N, Vec<u8>)>) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    std::fs::create_dir_all(&folder)?;
    files.into_iter().try_for_each(|(name, bytes)| std::fs::write(folder.join(name.as_ref()), bytes))
}

fn main() -> io::Result<()> {
    write("instrument_file", seeds::seeds())?;
    write("rdml_member", [("rdml_data.xml", seeds::RDML.as_bytes().to_vec())])?;
    write("worksheet", [("sheet1.xml", instruments::whole_worksheet())])?;
    write("cell", seeds::CELLS.map(|text| (text, text.as_bytes().to_vec())))?;
    write("sheet", sheets::seeds())?;
    write("curve", curves::seeds())
}
