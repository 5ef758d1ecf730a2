use crate::sniff::Format;
use crate::well::WellPosition;

/// One run of one plate as the file tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    pub format: Format,
    /// Name of the experiment the run belongs to.
    pub experiment: Option<String>,
    /// Name of the run.
    pub name: Option<String>,
    pub instrument: Option<String>,
    pub instrument_serial: Option<String>,
    /// Barcode or other identifier of the plate, as entered at the instrument.
    pub plate_barcode: Option<String>,
    pub plate: Option<PlateFormat>,
    /// Start (or, where only that is given, end) of the run as written in the file.
    pub started_at: Option<String>,
    /// Whether the well positions were given by the file or counted off from the order of the curves.
    pub positions_by_order: bool,
    pub wells: Vec<Well>,
}

impl Run {
    /// A run without wells.
    pub fn new(format: Format) -> Self {
        Run {
            format,
            experiment: None,
            name: None,
            instrument: None,
            instrument_serial: None,
            plate_barcode: None,
            plate: None,
            started_at: None,
            positions_by_order: false,
            wells: Vec::new(),
        }
    }

    /// Number of wells of the plate, if known.
    pub fn plate_size(&self) -> Option<u16> {
        self.plate.map(|plate| plate.rows.saturating_mul(plate.columns))
    }
}

/// Rows and columns of a plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlateFormat {
    pub rows: u16,
    pub columns: u16,
}

impl PlateFormat {
    pub const WELLS_96: PlateFormat = PlateFormat { rows: 8, columns: 12 };
    pub const WELLS_384: PlateFormat = PlateFormat { rows: 16, columns: 24 };
    pub const WELLS_1536: PlateFormat = PlateFormat { rows: 32, columns: 48 };

    /// The usual format with this number of wells.
    pub fn of_size(wells: u16) -> Option<PlateFormat> {
        Some(match wells {
            16 => PlateFormat { rows: 2, columns: 8 },
            24 => PlateFormat { rows: 4, columns: 6 },
            32 => PlateFormat { rows: 4, columns: 8 },
            48 => PlateFormat { rows: 6, columns: 8 },
            96 => PlateFormat::WELLS_96,
            384 => PlateFormat::WELLS_384,
            1536 => PlateFormat::WELLS_1536,
            _ => return None,
        })
    }

    /// The smallest of 96, 384 and 1536 wells that has this place (counted from 0).
    pub(crate) fn holding(row: u16, column: u16) -> Option<PlateFormat> {
        [PlateFormat::WELLS_96, PlateFormat::WELLS_384, PlateFormat::WELLS_1536].into_iter().find(|plate| row < plate.rows && column < plate.columns)
    }
}

/// One well: what is in it and what was measured there.
#[derive(Debug, Clone, PartialEq)]
pub struct Well {
    pub position: WellPosition,
    pub sample: Option<String>,
    pub content: Content,
    /// One entry per target and dye.
    pub readings: Vec<Reading>,
}

/// What a well holds, as declared in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Content {
    #[default]
    Unknown,
    /// No template control (NTC).
    NoTemplateControl,
    /// Negative control that went through extraction; a sample without target (RDML `ntp`).
    NegativeControl,
    /// No amplification control (NAC).
    NoAmplificationControl,
    /// No reverse transcriptase control (NRT).
    NoReverseTranscriptionControl,
    PositiveControl,
    Standard,
    /// Optical calibrator.
    OpticalCalibrator,
    /// Internal control, also a blocked one.
    InternalControl,
    Empty,
    /// Any other word the instrument uses.
    Other(String),
}

/// The curve of one target in one well, with what the instrument made of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reading {
    pub target: Option<String>,
    pub dye: Option<String>,
    /// Content of the well for this target, where it differs from the well's.
    pub content: Option<Content>,
    /// Cycle axis of the file: may start at 0 and may be fractional.
    pub cycles: Vec<f64>,
    /// Same length as `cycles`; what it is stands in `signal`.
    pub fluorescence: Vec<f64>,
    pub signal: Signal,
    /// The instrument's baseline-corrected curve (ΔRn), same length as `cycles`, or empty.
    pub corrected: Vec<f64>,
    /// The instrument's own Cq; `None` for every way of writing “none”.
    pub cq: Option<f64>,
    /// The instrument's own call in its words.
    pub call: Option<String>,
    /// Declared quantity of a standard, or the instrument's estimate.
    pub quantity: Option<f64>,
    /// Fluorescence threshold of the instrument's Cq.
    pub threshold: Option<f64>,
    /// Left out by the operator or the instrument, with the reason where given.
    pub excluded: Option<String>,
    /// Scores and flags of the instrument's software.
    pub remarks: Vec<VendorRemark>,
}

/// A score or flag of the instrument's software, by its own name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorRemark {
    pub name: String,
    pub value: String,
}

/// What the fluorescence values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signal {
    /// As the detector or the file gives it.
    #[default]
    Raw,
    /// Divided by the passive reference dye (Rn).
    Normalised,
    /// Baseline already taken off by the instrument.
    BaselineCorrected,
}
