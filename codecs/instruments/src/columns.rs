//! What the columns of vendors' tables mean.

use std::collections::BTreeMap;

use crate::well::parse_well;

/// Meaning of a column. Several names stand for one meaning; the first column that has it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Number or name of the well.
    Well,
    /// Name of the well beside its number.
    Position,
    Plate,
    Sample,
    Target,
    Task,
    Dye,
    Cq,
    Quantity,
    /// True when left out.
    Omit,
    /// False when left out.
    Include,
    Threshold,
    Call,
    Cycle,
    Rn,
    DeltaRn,
    SnpAssay,
    /// Genotyping: columns of the first or second allele.
    AlleleName(u8),
    AlleleDye(u8),
    AlleleCq(u8),
    AlleleThreshold(u8),
    Program,
    Segment,
    /// Scores and flags of the vendor, kept under their own names.
    Remark,
    /// A flag that says something only when it is `Y`.
    Flag,
    Other,
}

/// Letters and digits of a column's name in small letters; the Cyrillic т in vendors' “Cт” counts as t.
pub(crate) fn fold(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).map(|letter| if letter == '\u{442}' { 't' } else { letter }).filter(|letter| letter.is_alphanumeric()).collect()
}

/// Meaning of a column by its name.
pub(crate) fn role(name: &str) -> Role {
    if name == "CQCONF" {
        // The flag beside the score “Cq Conf”.
        return Role::Flag;
    }
    match fold(name).as_str() {
        "well" | "wellid" => Role::Well,
        "wellposition" | "pos" | "position" | "samplepos" | "wellname" => Role::Position,
        "plate" => Role::Plate,
        "samplename" | "sample" | "name" | "sampleid" => Role::Sample,
        "targetname" | "target" | "detector" | "detectorname" | "assay" | "gene" => Role::Target,
        "task" | "content" | "sampletype" => Role::Task,
        "reporter" | "fluor" | "dye" => Role::Dye,
        "cq" | "ct" | "cp" | "crossingpoint" => Role::Cq,
        "quantity" | "concentration" | "startingquantitysq" | "startingquantity" => Role::Quantity,
        "omit" => Role::Omit,
        "include" => Role::Include,
        "ctthreshold" | "threshold" => Role::Threshold,
        "call" | "consolidatedcall" => Role::Call,
        "cycle" | "cyclenumber" => Role::Cycle,
        "rn" => Role::Rn,
        "deltarn" | "drn" | "δrn" => Role::DeltaRn,
        "snpassayname" | "snpassay" => Role::SnpAssay,
        "allele1name" => Role::AlleleName(1),
        "allele2name" => Role::AlleleName(2),
        "allele1reporter" => Role::AlleleDye(1),
        "allele2reporter" => Role::AlleleDye(2),
        "allele1ct" | "allele1cq" => Role::AlleleCq(1),
        "allele2ct" | "allele2cq" => Role::AlleleCq(2),
        "allele1ctthreshold" => Role::AlleleThreshold(1),
        "allele2ctthreshold" => Role::AlleleThreshold(2),
        "prog" => Role::Program,
        "seg" => Role::Segment,
        "ampstatus"
        | "ampscore"
        | "curvequality"
        | "resultqualityissues"
        | "qualityissues"
        | "cqconfidence"
        | "cqconf"
        | "flag"
        | "status"
        | "wellnote"
        | "comments"
        | "quality" => Role::Remark,
        _ if is_flag(name) => Role::Flag,
        _ => Role::Other,
    }
}

/// `NOAMP`, `EXPFAIL`, `HIGHSD`: the quality flags of Applied Biosystems software.
fn is_flag(name: &str) -> bool {
    (5..=20).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Where the columns of a table stand.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    names: Vec<String>,
    /// The columns of each meaning, in their order.
    places: BTreeMap<Role, Vec<usize>>,
}

impl Columns {
    pub(crate) fn new<'a>(header: impl Iterator<Item = &'a str>) -> Self {
        let names: Vec<String> = header.map(str::to_owned).collect();
        let mut places: BTreeMap<Role, Vec<usize>> = BTreeMap::new();
        for (index, name) in names.iter().enumerate() {
            places.entry(role(name)).or_default().push(index);
        }
        Columns { names, places }
    }

    /// Index of the first column with this meaning.
    pub(crate) fn find(&self, role: Role) -> Option<usize> {
        self.all(role).first().copied()
    }

    pub(crate) fn has(&self, role: Role) -> bool {
        self.places.contains_key(&role)
    }

    /// Name of a column as written.
    pub(crate) fn name(&self, index: usize) -> &str {
        self.names.get(index).map_or("", String::as_str)
    }

    /// Columns with this meaning.
    pub(crate) fn all(&self, role: Role) -> &[usize] {
        self.places.get(&role).map_or(&[], Vec::as_slice)
    }

    /// Columns that are named by wells, with their places.
    pub(crate) fn wells(&self) -> impl Iterator<Item = (usize, (u16, u16))> + '_ {
        self.names.iter().enumerate().filter_map(|(index, name)| Some((index, parse_well(name)?)))
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// What kind of table has these columns; `None` when it is none that is read.
    pub(crate) fn kind(&self) -> Option<TableKind> {
        let has_well = self.has(Role::Well) || self.has(Role::Position);
        match () {
            () if !has_well && self.has(Role::Cycle) && self.wells().count() > 0 => Some(TableKind::Curves),
            () if !has_well => None,
            () if self.has(Role::Program) && self.has(Role::Cycle) => Some(TableKind::Readings),
            () if self.has(Role::Cycle) && (self.has(Role::Rn) || self.has(Role::DeltaRn)) => Some(TableKind::Amplification),
            () if self.has(Role::Cycle) => None,
            () if self.has(Role::Cq) || self.has(Role::AlleleCq(1)) => Some(TableKind::Results),
            () if self.has(Role::Sample) && (self.has(Role::Target) || self.has(Role::SnpAssay)) => Some(TableKind::Setup),
            () => None,
        }
    }
}

/// A table that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TableKind {
    /// What is in the wells.
    Setup,
    /// One row per well, target and cycle.
    Amplification,
    /// One column per well and one row per cycle (Bio-Rad amplification results).
    Curves,
    /// One row per well and reading of all channels (LightCycler).
    Readings,
    /// One row per well and target.
    Results,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(header: &str) -> Option<TableKind> {
        Columns::new(header.split('\t')).kind()
    }

    #[test]
    fn tables_are_told_by_their_columns() {
        assert_eq!(kind("Well\tWell Position\tSample Name\tTarget Name\tTask"), Some(TableKind::Setup));
        assert_eq!(kind("Well\tCycle\tTarget Name\tRn\tΔRn"), Some(TableKind::Amplification));
        assert_eq!(kind("Well\tCycle Number\tTarget\tRn\tdRn"), Some(TableKind::Amplification));
        assert_eq!(kind("\tWell\tFluor\tTarget\tContent\tSample\tCq"), Some(TableKind::Results));
        assert_eq!(kind("Include\tColor\tPos\tName\tCp"), Some(TableKind::Results));
        assert_eq!(kind("Well\tSample Name\tDetector Name\tCт"), Some(TableKind::Results));
        assert_eq!(kind("SamplePos\tSampleName\tProg#\tSeg#\tCycle#\t483-533"), Some(TableKind::Readings));
        assert_eq!(kind("\tCycle\tA1\tA2"), Some(TableKind::Curves));
        assert_eq!(kind("Well\tCycle\tROX\tSYBR"), None);
        assert_eq!(kind("Well\tStage Number\tCycle Number\tX1_M1"), None);
        assert_eq!(kind("Sample\tTarget\tCq Mean"), None);
    }

    #[test]
    fn vendors_flags_are_kept_apart_from_measures() {
        assert_eq!(role("NOAMP"), Role::Flag);
        assert_eq!(role("Amp Score"), Role::Remark);
        assert_eq!(role("RQ"), Role::Other);
        assert_eq!(role("Ct Mean"), Role::Other);
    }
}
