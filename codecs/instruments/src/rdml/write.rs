use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use quick_xml::escape::escape;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::limits::NAME_BYTES_MAX;
use crate::model::{Content, PlateFormat, Reading, Run, Well};

/// Which version a written file declares. What is written is valid in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RdmlVersion {
    /// For software that does not know 1.4, such as the validator of rdmlpython 1.7.
    V1_3,
    #[default]
    V1_4,
}

/// One run as RDML 1.4. The same run gives the same bytes.
pub fn write_rdml(run: &Run) -> Vec<u8> {
    write_rdml_runs(std::slice::from_ref(run), RdmlVersion::V1_4)
}

/// Several runs in one file, grouped by their experiment. The same runs give the same bytes.
///
/// Readings without a target get one named after their dye or “unnamed”; wells without a place on the plate are
/// numbered behind the last place in use; wells without a sample get one named after the well.
pub fn write_rdml_runs(runs: &[Run], version: RdmlVersion) -> Vec<u8> {
    let xml = document(runs, version);
    // Writing to memory does not fail short of the 4 GiB a zip member may hold.
    archive(&xml).unwrap_or_default()
}

fn archive(xml: &str) -> zip::result::ZipResult<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).last_modified_time(zip::DateTime::default());
    archive.start_file("rdml_data.xml", options)?;
    archive.write_all(xml.as_bytes())?;
    Ok(archive.finish()?.into_inner())
}

/// Samples are the same when name and content are; a name with two contents becomes two samples.
type SampleKey = (String, &'static str);

/// Identifiers of everything the runs refer to.
struct Names {
    dyes: BTreeSet<String>,
    /// Target → dye.
    targets: BTreeMap<String, String>,
    samples: BTreeMap<SampleKey, Sample>,
}

#[derive(Default)]
struct Sample {
    id: String,
    quantity: Option<f64>,
    /// Target → content, where it differs from the sample's.
    per_target: BTreeMap<String, &'static str>,
}

impl Names {
    fn collect(runs: &[Run]) -> Names {
        let mut names = Names { dyes: BTreeSet::new(), targets: BTreeMap::new(), samples: BTreeMap::new() };
        for well in runs.iter().flat_map(|run| &run.wells) {
            let sample = names.samples.entry(sample_key(well)).or_default();
            for reading in &well.readings {
                let (target, dye) = (target_name(reading), dye_name(reading));
                if let Some(content) = &reading.content {
                    sample.per_target.insert(target.clone(), content.rdml_word());
                }
                sample.quantity = sample.quantity.or(reading.quantity);
                names.targets.entry(target).or_insert_with(|| dye.clone());
                names.dyes.insert(dye);
            }
        }
        names.number_samples();
        names
    }

    /// Sample names are kept; where one name stands for two contents the later ones are told apart.
    fn number_samples(&mut self) {
        let mut taken: BTreeSet<String> = self.samples.keys().map(|(name, _)| name.clone()).collect();
        let mut used: BTreeSet<String> = BTreeSet::new();
        for ((name, content), sample) in &mut self.samples {
            let mut id = name.clone();
            if used.contains(&id) {
                let mut mark = format!(" ({content})");
                id = marked(name, &mark);
                while taken.contains(&id) {
                    mark.push('\'');
                    id = marked(name, &mark);
                }
            }
            taken.insert(id.clone());
            used.insert(id.clone());
            sample.id = id;
        }
    }

    fn sample_id(&self, well: &Well) -> &str {
        self.samples.get(&sample_key(well)).map_or("", |sample| &sample.id)
    }
}

fn sample_key(well: &Well) -> SampleKey {
    let name = well.sample.clone().filter(|name| !name.trim().is_empty());
    (name.unwrap_or_else(|| marked("well ", &well.position.label)), well.content.rdml_word())
}

fn target_name(reading: &Reading) -> String {
    let named = reading.target.clone().or_else(|| reading.dye.clone());
    named.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| "unnamed".to_owned())
}

fn dye_name(reading: &Reading) -> String {
    reading.dye.clone().filter(|name| !name.trim().is_empty()).unwrap_or_else(|| "unknown dye".to_owned())
}

/// A name and a mark that tells it from others, the name cut so that both are no longer than a name may be.
fn marked(name: &str, mark: &str) -> String {
    let room = NAME_BYTES_MAX.saturating_sub(mark.len());
    format!("{}{mark}", &name[..name.floor_char_boundary(room)])
}

/// Text as an identifier: XML's own characters escaped, control characters (which XML 1.0 cannot hold) replaced, by one
/// byte each, so that no name outgrows what the reader takes.
fn clean(text: &str) -> String {
    let printable: String = text.chars().map(|letter| if is_xml_letter(letter) { letter } else { '?' }).collect();
    escape(printable.trim()).into_owned()
}

fn is_xml_letter(letter: char) -> bool {
    !letter.is_control() && !matches!(letter, '\u{FFFE}' | '\u{FFFF}')
}

fn document(runs: &[Run], version: RdmlVersion) -> String {
    let names = Names::collect(runs);
    let version = match version {
        RdmlVersion::V1_3 => "1.3",
        RdmlVersion::V1_4 => "1.4",
    };
    let mut xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rdml version=\"{version}\" xmlns=\"http://www.rdml.org\">\n");
    for dye in &names.dyes {
        let _ = writeln!(xml, "<dye id=\"{}\"/>", clean(dye));
    }
    for ((_, content), sample) in &names.samples {
        write_sample(&mut xml, sample, content);
    }
    for (target, dye) in &names.targets {
        let _ = writeln!(xml, "<target id=\"{}\"><type>toi</type><dyeId id=\"{}\"/></target>", clean(target), clean(dye));
    }
    let mut experiments: Vec<(String, Vec<&Run>)> = Vec::new();
    for run in runs {
        let name = run.experiment.clone().unwrap_or_else(|| "experiment".to_owned());
        match experiments.iter_mut().find(|(known, _)| *known == name) {
            Some((_, members)) => members.push(run),
            None => experiments.push((name, vec![run])),
        }
    }
    for (name, members) in experiments {
        let _ = writeln!(xml, "<experiment id=\"{}\">", clean(&name));
        let mut ids = BTreeSet::new();
        for run in members {
            write_run(&mut xml, run, &names, &mut ids);
        }
        xml.push_str("</experiment>\n");
    }
    xml.push_str("</rdml>\n");
    xml
}

fn write_sample(xml: &mut String, sample: &Sample, content: &str) {
    let _ = write!(xml, "<sample id=\"{}\"><type>{content}</type>", clean(&sample.id));
    for (target, content) in &sample.per_target {
        let _ = write!(xml, "<type targetId=\"{}\">{content}</type>", clean(target));
    }
    if let Some(quantity) = sample.quantity {
        let _ = write!(xml, "<quantity><value>{quantity}</value><unit>other</unit></quantity>");
    }
    xml.push_str("</sample>\n");
}

fn write_run(xml: &mut String, run: &Run, names: &Names, ids: &mut BTreeSet<String>) {
    let base = run.name.clone().unwrap_or_else(|| "run".to_owned());
    let mut id = base.clone();
    let mut count = 1;
    while !ids.insert(id.clone()) {
        count += 1;
        id = marked(&base, &format!(" {count}"));
    }
    let _ = writeln!(xml, "<run id=\"{}\">", clean(&id));
    if let Some(instrument) = &run.instrument {
        let _ = writeln!(xml, "<instrument>{}</instrument>", clean(instrument));
    }
    let plate = plate_for(run);
    let _ = writeln!(
        xml,
        "<pcrFormat><rows>{}</rows><columns>{}</columns><rowLabel>ABC</rowLabel><columnLabel>123</columnLabel></pcrFormat>",
        plate.rows, plate.columns
    );
    if let Some(date) = run.started_at.as_deref().filter(|date| is_iso_date_time(date)) {
        let _ = writeln!(xml, "<runDate>{date}</runDate>");
    }
    for (number, well) in numbered(run, plate) {
        write_react(xml, number, well, names);
    }
    xml.push_str("</run>\n");
}

/// The run's plate, or the smallest usual one that holds its wells.
fn plate_for(run: &Run) -> PlateFormat {
    let far = run.wells.iter().filter_map(|well| well.position.place).fold((0, 0), |far, place| (far.0.max(place.0), far.1.max(place.1)));
    let unplaced = run.wells.iter().filter(|well| well.position.place.is_none()).count();
    let stated = run.plate.filter(|plate| far.0 < plate.rows && far.1 < plate.columns && unplaced == 0);
    stated.or_else(|| PlateFormat::holding(far.0, far.1)).unwrap_or(PlateFormat { rows: far.0 + 1, columns: far.1 + 1 })
}

/// Wells by their number along the rows; wells without a place follow behind, two wells of one place are merged by
/// the reader and keep their order here.
fn numbered(run: &Run, plate: PlateFormat) -> Vec<(u64, &Well)> {
    let place_number = |well: &Well| well.position.place.map(|(row, column)| u64::from(row) * u64::from(plate.columns) + u64::from(column) + 1);
    let mut wells: Vec<(u64, &Well)> = Vec::new();
    let mut taken = BTreeSet::new();
    let mut waiting = Vec::new();
    for well in &run.wells {
        match place_number(well) {
            Some(number) if taken.insert(number) => wells.push((number, well)),
            _ => waiting.push(well),
        }
    }
    let mut next = taken.last().copied().unwrap_or(0);
    for well in waiting {
        next += 1;
        wells.push((next, well));
    }
    wells.sort_by_key(|(number, _)| *number);
    wells
}

fn write_react(xml: &mut String, number: u64, well: &Well, names: &Names) {
    let _ = write!(xml, "<react id=\"{number}\"><sample id=\"{}\"/>", clean(names.sample_id(well)));
    for reading in &well.readings {
        let _ = write!(xml, "<data><tar id=\"{}\"/>", clean(&target_name(reading)));
        if let Some(cq) = reading.cq {
            let _ = write!(xml, "<cq>{}</cq>", short(cq));
        }
        if let Some(reason) = &reading.excluded {
            let _ = write!(xml, "<excl>{}</excl>", clean(reason));
        }
        for (cycle, fluorescence) in reading.cycles.iter().zip(&reading.fluorescence) {
            if cycle.is_finite() && fluorescence.is_finite() {
                let _ = write!(xml, "<adp><cyc>{}</cyc><fluor>{}</fluor></adp>", short(*cycle), short(*fluorescence));
            }
        }
        if let Some(threshold) = reading.threshold {
            let _ = write!(xml, "<quantFluor>{}</quantFluor>", short(threshold));
        }
        xml.push_str("</data>");
    }
    xml.push_str("</react>\n");
}

/// A number to its last digit: with its exponent where hundreds of zeros would be longer than what the reader takes.
fn short(number: f64) -> String {
    let plain = number.to_string();
    if plain.len() <= 24 { plain } else { format!("{number:e}") }
}

/// `2026-03-01T08:30:00`, which is what the schema takes for a date.
fn is_iso_date_time(text: &str) -> bool {
    let shape = b"dddd-dd-ddTdd:dd:dd";
    text.len() >= shape.len()
        && text.bytes().zip(shape).all(|(byte, want)| if *want == b'd' { byte.is_ascii_digit() } else { byte == *want })
        && text[shape.len()..].bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b':' | b'+' | b'-' | b'Z'))
}

impl Content {
    /// Whether RDML has a word for this content.
    #[cfg(test)]
    fn is_rdml(&self) -> bool {
        Content::from_word(self.rdml_word()) == *self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sniff::Format;
    use crate::well::WellPosition;
    use crate::{Limits, parse};

    fn reading(target: &str, start: f64) -> Reading {
        let cycles: Vec<f64> = (0..5).map(|cycle| f64::from(cycle) + 0.5577).collect();
        let fluorescence = cycles.iter().map(|cycle| start + 0.1 * cycle).collect();
        Reading { target: Some(target.into()), dye: Some("FAM".into()), cycles, fluorescence, ..Reading::default() }
    }

    fn sample_run() -> Run {
        let mut run = Run::new(Format::Rdml);
        run.experiment = Some("exp <1> & \"co\"".into());
        run.name = Some("run".into());
        run.instrument = Some("仪器".into());
        run.started_at = Some("2026-03-01T08:30:00".into());
        run.plate = Some(PlateFormat::WELLS_384);
        let well =
            |row, column, sample: &str, content, readings| Well { position: WellPosition::at(row, column), sample: Some(sample.into()), content, readings };
        let mut positive = reading("N", 1.5);
        positive.cq = Some(21.1877528266099);
        positive.threshold = Some(0.2);
        let mut blocked = reading("IPC", -3.0);
        blocked.content = Some(Content::PositiveControl);
        blocked.excluded = Some("bubble".into());
        run.wells.push(well(0, 0, "张三", Content::Unknown, vec![positive, reading("IPC", 7.0)]));
        run.wells.push(well(0, 23, "NTC", Content::NoTemplateControl, vec![reading("N", 0.0), blocked]));
        run.wells.push(well(15, 23, "s", Content::Standard, vec![]));
        run
    }

    #[test]
    fn a_written_run_reads_back_the_same() {
        let run = sample_run();
        let bytes = write_rdml(&run);
        assert_eq!(bytes, write_rdml(&run), "the same run gives the same bytes");
        let (runs, problems) = parse(&bytes, "x.rdml", Limits::default()).unwrap();
        assert_eq!(runs, [run]);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].to_string(), "x.rdml, rdml_data.xml, line 16, react 384: the curve has no readings");
    }

    #[test]
    fn one_name_with_two_contents_becomes_two_samples() {
        let mut run = sample_run();
        run.wells[1].sample = Some("张三".into());
        let (runs, _) = parse(&write_rdml(&run), "x.rdml", Limits::default()).unwrap();
        let names: Vec<_> = runs[0].wells.iter().map(|well| well.sample.as_deref().unwrap()).collect();
        assert_eq!(names, ["张三 (unkn)", "张三", "s"]);
        assert_eq!(runs[0].wells[1].content, Content::NoTemplateControl);
    }

    #[test]
    fn wells_without_a_place_are_numbered_behind_the_others() {
        let mut run = sample_run();
        run.plate = None;
        run.wells[0].position = WellPosition::named("capillary 7");
        let bytes = write_rdml_runs(&[run], RdmlVersion::V1_3);
        let (runs, _) = parse(&bytes, "x.rdml", Limits::default()).unwrap();
        let labels: Vec<_> = runs[0].wells.iter().map(|well| well.position.label.as_str()).collect();
        assert_eq!(labels, ["A24", "P24", "385"]);
    }

    #[test]
    fn contents_that_rdml_knows_survive() {
        let kept = [
            Content::Unknown,
            Content::NoTemplateControl,
            Content::NegativeControl,
            Content::NoAmplificationControl,
            Content::NoReverseTranscriptionControl,
            Content::PositiveControl,
            Content::Standard,
            Content::OpticalCalibrator,
        ];
        assert!(kept.iter().all(Content::is_rdml));
    }
}
