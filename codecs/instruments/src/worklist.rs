//! Plate layouts for the software of the instrument.

use crate::model::{Content, PlateFormat};
use crate::well::well_label;

/// What goes where on a plate.
#[derive(Debug, Clone, PartialEq)]
pub struct Worklist {
    /// Name or barcode of the plate.
    pub plate_name: String,
    pub plate: PlateFormat,
    pub wells: Vec<WorklistWell>,
}

/// One well of a worklist; wells that are not listed are empty.
#[derive(Debug, Clone, PartialEq)]
pub struct WorklistWell {
    /// Row and column from 0.
    pub place: (u16, u16),
    pub sample: String,
    pub content: Content,
    pub targets: Vec<WorklistTarget>,
    /// Quantity of a standard.
    pub quantity: Option<f64>,
}

/// A target and the dye that reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorklistTarget {
    pub name: String,
    pub dye: String,
    pub quencher: Option<String>,
}

/// `[Sample Setup]` as QuantStudio and ViiA 7 software imports and exports it: tab-separated, one line per well and
/// target, tasks UNKNOWN, NTC and STANDARD (positive controls are UNKNOWN there and told by their name).
pub fn worklist_quantstudio(worklist: &Worklist) -> String {
    let size = u32::from(worklist.plate.rows) * u32::from(worklist.plate.columns);
    let mut text = format!("* Block Type = {size}-Well Block\n* Experiment Barcode = {}\n\n[Sample Setup]\n", field(&worklist.plate_name));
    text.push_str("Well\tWell Position\tSample Name\tTarget Name\tTask\tReporter\tQuencher\tQuantity\tComments\n");
    for well in in_order(worklist) {
        let (row, column) = well.place;
        let number = u32::from(row) * u32::from(worklist.plate.columns) + u32::from(column) + 1;
        let task = match well.content {
            Content::NoTemplateControl => "NTC",
            Content::Standard => "STANDARD",
            _ => "UNKNOWN",
        };
        let quantity = well.quantity.map(|quantity| quantity.to_string()).unwrap_or_default();
        for target in &well.targets {
            let quencher = target.quencher.as_deref().unwrap_or("None");
            let cells = [
                number.to_string(),
                well_label(row, column),
                field(&well.sample),
                field(&target.name),
                task.to_owned(),
                field(&target.dye),
                field(quencher),
                quantity.clone(),
                String::new(),
            ];
            text.push_str(&cells.join("\t"));
            text.push('\n');
        }
    }
    text
}

impl Worklist {
    /// Dyes in the order of their first use along the plate.
    pub fn dyes(&self) -> Vec<String> {
        let mut dyes: Vec<String> = Vec::new();
        for target in in_order(self).into_iter().flat_map(|well| &well.targets) {
            if !dyes.contains(&target.dye) {
                dyes.push(target.dye.clone());
            }
        }
        dyes
    }
}

/// Plate import of Bio-Rad CFX Manager and Maestro for the first dye of the worklist.
pub fn worklist_cfx(worklist: &Worklist) -> String {
    let first = worklist.dyes().into_iter().next().unwrap_or_default();
    worklist_cfx_for_dye(worklist, &first)
}

/// Plate import of Bio-Rad CFX Manager and Maestro: `Row,Column,*Target Name,*Sample Name`, CRLF, one line per well.
/// The software imports one dye at a time, so a multiplex plate needs one file for each of [`Worklist::dyes`].
pub fn worklist_cfx_for_dye(worklist: &Worklist, dye: &str) -> String {
    let mut text = String::from("Row,Column,*Target Name,*Sample Name\r\n");
    for well in in_order(worklist) {
        let label = well_label(well.place.0, 0);
        let target = well.targets.iter().find(|target| target.dye == dye);
        let cells = [
            label.trim_end_matches('1').to_owned(),
            (well.place.1 + 1).to_string(),
            csv_field(target.map_or("", |target| &target.name)),
            csv_field(&well.sample),
        ];
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

fn in_order(worklist: &Worklist) -> Vec<&WorklistWell> {
    let mut wells: Vec<&WorklistWell> = worklist.wells.iter().collect();
    wells.sort_by_key(|well| well.place);
    wells
}

/// A cell of a tab-separated table: no tabs, no line breaks.
fn field(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// A cell of a comma-separated table. The instrument's software reads it, so no guard against formulas is put on.
fn csv_field(text: &str) -> String {
    let text = field(text);
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worklist() -> Worklist {
        let target = |name: &str, dye: &str| WorklistTarget { name: name.into(), dye: dye.into(), quencher: None };
        let well = |place, sample: &str, content| WorklistWell {
            place,
            sample: sample.into(),
            content,
            targets: vec![target("ORF1ab", "FAM"), target("N", "VIC")],
            quantity: None,
        };
        Worklist {
            plate_name: "P-0001".into(),
            plate: PlateFormat::WELLS_384,
            wells: vec![well((1, 1), "NTC", Content::NoTemplateControl), well((0, 0), "T,\"1\"\t2", Content::Unknown)],
        }
    }

    #[test]
    fn quantstudio_lists_each_well_and_target() {
        let text = worklist_quantstudio(&worklist());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[3], "[Sample Setup]");
        assert_eq!(lines[5], "1\tA1\tT,\"1\" 2\tORF1ab\tUNKNOWN\tFAM\tNone\t\t");
        assert_eq!(lines[8], "26\tB2\tNTC\tN\tNTC\tVIC\tNone\t\t");
        assert_eq!(lines.len(), 9);
    }

    #[test]
    fn cfx_lists_each_well_once_per_dye() {
        let list = worklist();
        assert_eq!(list.dyes(), ["FAM", "VIC"]);
        let head = "Row,Column,*Target Name,*Sample Name\r\n";
        assert_eq!(worklist_cfx(&list), format!("{head}A,1,ORF1ab,\"T,\"\"1\"\" 2\"\r\nB,2,ORF1ab,NTC\r\n"));
        assert_eq!(worklist_cfx_for_dye(&list, "VIC"), format!("{head}A,1,N,\"T,\"\"1\"\" 2\"\r\nB,2,N,NTC\r\n"));
    }
}
