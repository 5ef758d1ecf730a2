use std::collections::HashMap;

use quick_xml::events::BytesStart;

use super::archive::xml_bytes;
use crate::limits::Limits;
use crate::model::{Content, PlateFormat, Reading, Run, Well};
use crate::problem::{ErrorKind, Notes, ParseError, ProblemKind};
use crate::sniff::Format;
use crate::value::{parse_cq, parse_number};
use crate::well::{WellPosition, parse_well};
use crate::xml::{Xml, XmlError};

/// Reads all runs of all experiments. Samples and targets may be described before or behind the runs.
pub(crate) fn read(bytes: &[u8], notes: &mut Notes, limits: Limits) -> Result<Vec<Run>, ParseError> {
    let packed = xml_bytes(bytes, notes, limits)?;
    let text = crate::sniff::decode_text(&packed, notes)?;
    let mut reader =
        Reader { xml: Xml::new(&text), notes, samples: HashMap::new(), dyes: HashMap::new(), runs: Vec::new(), reacts: 0, values: 0, curves: 0, limits };
    let read = reader.document();
    let (runs, samples, dyes) = (reader.runs, reader.samples, reader.dyes);
    match read {
        Ok(()) => Ok(runs.into_iter().map(|run| resolve(run, &samples, &dyes, notes)).collect()),
        Err(Stop::Xml(error)) => Err(notes.error_at(Some(error.line), None, ErrorKind::Damaged { detail: error.detail })),
        Err(Stop::OverLimit(what, limit)) => Err(notes.over_limit(what, limit as u64)),
    }
}

/// What ends the reading early.
enum Stop {
    Xml(XmlError),
    OverLimit(&'static str, usize),
}

impl From<XmlError> for Stop {
    fn from(error: XmlError) -> Self {
        Stop::Xml(error)
    }
}

/// Types of a sample: the general one and those for single targets (RDML 1.4).
#[derive(Default)]
struct Sample {
    content: Content,
    per_target: HashMap<String, Content>,
    quantity: Option<f64>,
}

/// A run before the references in it are resolved.
struct RawRun {
    run: Run,
    reacts: Vec<RawReact>,
}

struct RawReact {
    id: String,
    line: usize,
    sample: Option<String>,
    readings: Vec<Reading>,
}

struct Reader<'a, 'n> {
    xml: Xml<'a>,
    notes: &'n mut Notes,
    samples: HashMap<String, Sample>,
    /// Dye of each target.
    dyes: HashMap<String, Option<String>>,
    runs: Vec<RawRun>,
    reacts: usize,
    values: usize,
    curves: usize,
    limits: Limits,
}

impl<'a> Reader<'a, '_> {
    fn document(&mut self) -> Result<(), Stop> {
        let root = self.xml.root()?;
        if root.local_name().as_ref() != "rdml" {
            let detail = format!("the outermost element is {}, not rdml", root.local_name().as_ref());
            return Err(Stop::Xml(XmlError { line: self.xml.line(), detail }));
        }
        while let Some(start) = self.xml.child()? {
            match start.local_name().as_ref() {
                "sample" => self.sample(&start)?,
                "target" => self.target(&start)?,
                "experiment" => self.experiment(&start)?,
                _ => self.xml.skip(&start)?,
            }
        }
        Ok(())
    }

    fn id(&mut self, start: &BytesStart<'a>) -> Result<String, Stop> {
        Ok(self.xml.attribute(start, "id")?.unwrap_or_default())
    }

    /// An `id` attribute or, as in version 1.0, the text itself.
    fn reference(&mut self, start: &BytesStart<'a>) -> Result<Option<String>, Stop> {
        let id = self.xml.attribute(start, "id")?;
        let text = self.xml.text()?;
        Ok(id.or(Some(text.trim().to_owned())).filter(|id| !id.is_empty()))
    }

    fn sample(&mut self, start: &BytesStart<'a>) -> Result<(), Stop> {
        let id = self.id(start)?;
        let mut sample = Sample::default();
        while let Some(child) = self.xml.child()? {
            match child.local_name().as_ref() {
                "type" => {
                    let target = self.xml.attribute(&child, "targetId")?;
                    let content = Content::from_word(&self.xml.text()?);
                    match target {
                        Some(target) => drop(sample.per_target.insert(target, content)),
                        None => sample.content = content,
                    }
                }
                "quantity" => sample.quantity = self.quantity()?.or(sample.quantity),
                _ => self.xml.skip(&child)?,
            }
        }
        self.samples.insert(id, sample);
        Ok(())
    }

    fn quantity(&mut self) -> Result<Option<f64>, Stop> {
        let mut value = None;
        while let Some(child) = self.xml.child()? {
            match child.local_name().as_ref() {
                "value" => value = parse_number(&self.xml.text()?),
                _ => self.xml.skip(&child)?,
            }
        }
        Ok(value)
    }

    fn target(&mut self, start: &BytesStart<'a>) -> Result<(), Stop> {
        let id = self.id(start)?;
        let mut dye = None;
        while let Some(child) = self.xml.child()? {
            match child.local_name().as_ref() {
                "dyeId" => dye = self.reference(&child)?,
                _ => self.xml.skip(&child)?,
            }
        }
        self.dyes.insert(id, dye);
        Ok(())
    }

    fn experiment(&mut self, start: &BytesStart<'a>) -> Result<(), Stop> {
        let experiment = Some(self.id(start)?).filter(|id| !id.is_empty());
        while let Some(child) = self.xml.child()? {
            match child.local_name().as_ref() {
                "run" => self.run(&child, experiment.clone())?,
                _ => self.xml.skip(&child)?,
            }
        }
        Ok(())
    }

    fn run(&mut self, start: &BytesStart<'a>, experiment: Option<String>) -> Result<(), Stop> {
        let mut run = Run::new(Format::Rdml);
        run.experiment = experiment;
        run.name = Some(self.id(start)?).filter(|id| !id.is_empty());
        let mut reacts = Vec::new();
        while let Some(child) = self.xml.child()? {
            match child.local_name().as_ref() {
                "pcrFormat" => run.plate = self.plate()?,
                "instrument" => run.instrument = Some(self.xml.text()?.trim().to_owned()).filter(|text| !text.is_empty()),
                "runDate" => run.started_at = Some(self.xml.text()?.trim().to_owned()).filter(|text| !text.is_empty()),
                "react" => {
                    if self.reacts >= self.limits.wells_max {
                        return Err(Stop::OverLimit("wells", self.limits.wells_max));
                    }
                    self.reacts += 1;
                    let react = self.react(&child)?;
                    reacts.push(react);
                }
                _ => self.xml.skip(&child)?,
            }
        }
        self.runs.push(RawRun { run, reacts });
        Ok(())
    }

    fn plate(&mut self) -> Result<Option<PlateFormat>, Stop> {
        let (mut rows, mut columns) = (None, None);
        while let Some(child) = self.xml.child()? {
            match child.local_name().as_ref() {
                "rows" => rows = self.xml.text()?.trim().parse().ok(),
                "columns" => columns = self.xml.text()?.trim().parse().ok(),
                _ => self.xml.skip(&child)?,
            }
        }
        Ok(match (rows, columns) {
            (Some(rows @ 1..=1_000), Some(columns @ 1..=1_000)) => Some(PlateFormat { rows, columns }),
            _ => None,
        })
    }

    fn react(&mut self, start: &BytesStart<'a>) -> Result<RawReact, Stop> {
        let mut react = RawReact { id: self.id(start)?, line: self.xml.line(), sample: None, readings: Vec::new() };
        while let Some(child) = self.xml.child()? {
            match child.local_name().as_ref() {
                "sample" => react.sample = self.reference(&child)?,
                "data" => {
                    let reading = self.data(&react.id)?;
                    react.readings.push(reading);
                }
                "partitions" => {
                    let what = "digital PCR (partitions)";
                    self.notes.add(Some(react.line), react_name(&react.id), ProblemKind::NotRead { what });
                    self.xml.skip(&child)?;
                }
                _ => self.xml.skip(&child)?,
            }
        }
        Ok(react)
    }

    fn data(&mut self, react: &str) -> Result<Reading, Stop> {
        if self.curves >= self.limits.curves_max {
            return Err(Stop::OverLimit("curves", self.limits.curves_max));
        }
        self.curves += 1;
        let mut reading = Reading::default();
        let line = self.xml.line();
        while let Some(child) = self.xml.child()? {
            match child.local_name().as_ref() {
                "tar" => reading.target = self.reference(&child)?,
                "cq" => match parse_cq(&self.xml.text()?) {
                    Ok(cq) => reading.cq = cq,
                    Err(kind) => self.notes.add(Some(line), react_name(react), kind),
                },
                "excl" => reading.excluded = Some(self.xml.text()?.trim().to_owned()),
                "quantFluor" => reading.threshold = parse_number(&self.xml.text()?),
                "adp" => self.data_point(&mut reading, react)?,
                _ => self.xml.skip(&child)?,
            }
        }
        let cell = react_name(react);
        crate::curves::put_in_order(&mut reading, self.notes, Some(line), cell);
        Ok(reading)
    }

    fn data_point(&mut self, reading: &mut Reading, react: &str) -> Result<(), Stop> {
        self.values += 1;
        if self.values > self.limits.readings_max {
            return Err(Stop::OverLimit("readings", self.limits.readings_max));
        }
        let (mut cycle, mut fluorescence) = (None, None);
        while let Some(child) = self.xml.child()? {
            match child.local_name().as_ref() {
                "cyc" => cycle = self.number("cyc", react)?,
                "fluor" => fluorescence = self.number("fluor", react)?,
                _ => self.xml.skip(&child)?,
            }
        }
        if let (Some(cycle), Some(fluorescence)) = (cycle, fluorescence) {
            reading.cycles.push(cycle);
            reading.fluorescence.push(fluorescence);
        }
        Ok(())
    }

    fn number(&mut self, field: &'static str, react: &str) -> Result<Option<f64>, Stop> {
        let text = self.xml.text()?;
        let number = parse_number(&text);
        if number.is_none() {
            let line = self.xml.line();
            let text = crate::value::excerpt(&text);
            self.notes.add(Some(line), react_name(react), ProblemKind::NotANumber { field, text });
        }
        Ok(number)
    }
}

fn react_name(id: &str) -> Option<String> {
    Some(format!("react {}", crate::value::excerpt(id)))
}

/// Gives wells their places, samples their contents and readings their dyes.
fn resolve(raw: RawRun, samples: &HashMap<String, Sample>, dyes: &HashMap<String, Option<String>>, notes: &mut Notes) -> Run {
    let RawRun { mut run, reacts } = raw;
    let plate = run.plate.or_else(|| smallest_plate(&reacts));
    run.plate = plate;
    for react in reacts {
        let position = position(&react.id, plate).unwrap_or_else(|| {
            let text = crate::value::excerpt(&react.id);
            notes.add(Some(react.line), react_name(&react.id), ProblemKind::NotAWell { text });
            WellPosition::named(&react.id)
        });
        let sample = react.sample.as_ref().and_then(|id| samples.get(id));
        if let (Some(id), None) = (&react.sample, sample) {
            let id = crate::value::excerpt(id);
            notes.add(Some(react.line), react_name(&react.id), ProblemKind::UnknownReference { what: "sample", id });
        }
        let mut well =
            Well { position, sample: react.sample, content: sample.map_or(Content::Unknown, |sample| sample.content.clone()), readings: react.readings };
        if well.readings.is_empty() {
            notes.add(Some(react.line), react_name(&react.id), ProblemKind::NoCurve);
        }
        for reading in &mut well.readings {
            describe(reading, sample, dyes);
        }
        run.wells.push(well);
    }
    run
}

fn describe(reading: &mut Reading, sample: Option<&Sample>, dyes: &HashMap<String, Option<String>>) {
    let Some(target) = &reading.target else {
        return;
    };
    reading.dye = dyes.get(target).cloned().flatten();
    if let Some(sample) = sample {
        reading.content = sample.per_target.get(target).filter(|content| **content != sample.content).cloned();
        reading.quantity = sample.quantity;
    }
}

/// A react is named by its number along the rows or, against the schema but in use, by its well.
fn position(id: &str, plate: Option<PlateFormat>) -> Option<WellPosition> {
    let plate = plate?;
    if let Ok(number) = id.parse::<u32>() {
        return WellPosition::counted(number, plate);
    }
    parse_well(id).filter(|(row, column)| *row < plate.rows && *column < plate.columns).map(|(row, column)| WellPosition::at(row, column))
}

/// For files that state no format: the smallest usual plate that holds every react.
fn smallest_plate(reacts: &[RawReact]) -> Option<PlateFormat> {
    let plates = [PlateFormat::WELLS_96, PlateFormat::WELLS_384, PlateFormat::WELLS_1536];
    plates.into_iter().find(|plate| reacts.iter().all(|react| position(&react.id, Some(*plate)).is_some()))
}
