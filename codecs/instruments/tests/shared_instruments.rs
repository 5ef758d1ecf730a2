//! Exports of real instruments, where the shared data is at hand.

mod shared;

use baton_instruments::{Format, Limits, parse};
use shared::read_shared;

/// File, format, wells, curves, points, Cq, calls.
const EXPECTED: [(&str, Format, [usize; 5]); 18] = [
    ("abi_csv/2019-04-25_124559-GAPDH.csv", Format::AbiCsv, [94, 0, 0, 94, 0]),
    ("abi_csv/2019-04-25_135946-ACTB.csv", Format::AbiCsv, [96, 0, 0, 96, 0]),
    ("cfx_maestro/example01.csv", Format::BioRadCfx, [24, 0, 0, 48, 0]),
    ("htqpcr/BioMark_sample.csv", Format::BioMark, [2304, 0, 0, 1994, 2304]),
    ("htqpcr/CFX_sample.txt", Format::BioRadCfx, [330, 0, 0, 320, 0]),
    ("htqpcr/LightCycler_sample.txt", Format::LightCycler480Cp, [384, 0, 0, 77, 0]),
    ("htqpcr/SDS_sample.txt", Format::Sds, [384, 0, 0, 353, 0]),
    ("lightcycler480_txt/Edward_qPCR_Nrd1_calibration_2019-02-02.txt.gz", Format::LightCycler480Raw, [384, 384, 15360, 0, 0]),
    ("lightcycler480_txt/Edward_qPCR_Nrd1_calibration_2019-02-02_Cq.txt.gz", Format::LightCycler480Cp, [384, 0, 0, 279, 0]),
    ("quantstudio_da/Diomni_v4.3_Presence_Absence.xlsx", Format::Diomni, [4, 8, 320, 1, 8]),
    ("quantstudio_da/QS1_Standard_Curve_example01.xlsx", Format::DesignAndAnalysis, [96, 96, 3840, 92, 0]),
    ("quantstudio_da/QS3_Relative_Quantification_example02.xlsx", Format::DesignAndAnalysis, [96, 156, 6240, 152, 0]),
    ("quantstudio_da/QS7Pro_Presence_and_Absence_example10.xlsx", Format::DesignAndAnalysis, [84, 168, 6720, 130, 168]),
    ("quantstudio_txt/appbio_quantstudio_example01.txt", Format::QuantStudioText, [16, 8, 24, 16, 0]),
    ("quantstudio_txt/appbio_quantstudio_example02.txt", Format::QuantStudioText, [48, 6, 240, 68, 96]),
    ("quantstudio_txt/appbio_quantstudio_example03.txt", Format::QuantStudioText, [96, 6, 240, 176, 192]),
    ("quantstudio_txt/appbio_quantstudio_example04.txt", Format::QuantStudioText, [96, 6, 240, 91, 0]),
    ("quantstudio_xlsx/appbio_quantstudio_example10.xlsx", Format::QuantStudioWorkbook, [8, 8, 320, 8, 0]),
];

#[test]
fn every_export_is_read() {
    for (name, format, counts) in EXPECTED {
        let Some(bytes) = read_shared(&format!("pcr/instrument/{name}")) else {
            return;
        };
        let (runs, problems) = parse(&bytes, name, Limits::default()).unwrap_or_else(|error| panic!("{error}"));
        let [run] = &runs[..] else { panic!("{name}: {} runs", runs.len()) };
        let readings: Vec<_> = run.wells.iter().flat_map(|well| &well.readings).collect();
        let count = |wanted: &dyn Fn(&&&baton_instruments::Reading) -> bool| readings.iter().filter(wanted).count();
        let found = [
            run.wells.len(),
            count(&|reading| !reading.cycles.is_empty()),
            readings.iter().map(|reading| reading.cycles.len()).sum(),
            count(&|reading| reading.cq.is_some()),
            count(&|reading| reading.call.is_some()),
        ];
        assert_eq!((run.format, found), (format, counts), "{name}: {problems:?}");
        assert!(run.wells.iter().all(|well| well.position.place.is_some()), "{name}");
    }
}

/// Cq of one reading to the last bit, as the file has it.
#[test]
fn values_keep_every_digit() {
    let expected = [
        ("quantstudio_da/QS1_Standard_Curve_example01.xlsx", "A1", 28.037617264150633_f64),
        ("cfx_maestro/example01.csv", "A1", 21.1877528266099),
        ("htqpcr/BioMark_sample.csv", "S48-A01", 34.6154024701642),
        ("quantstudio_txt/appbio_quantstudio_example04.txt", "H12", 26.217),
    ];
    for (name, well, cq) in expected {
        let Some(bytes) = read_shared(&format!("pcr/instrument/{name}")) else {
            return;
        };
        let (runs, _) = parse(&bytes, name, Limits::default()).unwrap();
        let well = runs[0].wells.iter().find(|known| known.position.label == well).unwrap();
        assert_eq!(well.readings[0].cq.map(f64::to_bits), Some(cq.to_bits()), "{name}");
    }
}
