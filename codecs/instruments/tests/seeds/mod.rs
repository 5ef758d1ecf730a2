//! Small files of every format, written the way the instruments write them.
#![allow(dead_code)]

mod xls;

use baton_hostile::gzipped;
use baton_sheets::{ColumnKind, write_xlsx};

pub const QUANTSTUDIO: &str = "* Block Type = 384-Well Block\n* Experiment Barcode = P-0017\n* Experiment Name = round 3\n\
* Experiment Run End Time = 2026-03-01 09:00:00 AM CST\n* Instrument Serial Number = 2777\n* Instrument Type = QuantStudio 7 Flex\n\n\
[Sample Setup]\nWell\tWell Position\tSample Name\tSample Color\tTarget Name\tTask\tReporter\tQuencher\n\
1\tA1\tT-1\t\"RGB(176,23,31)\"\tORF1ab\tUNKNOWN\tFAM\tNone\n1\tA1\tT-1\t\"RGB(176,23,31)\"\tIC\tIPC\tVIC\tNone\n\
25\tB1\tblank\t\"RGB(1,2,3)\"\tORF1ab\tNTC\tFAM\tNone\n\n\
[Raw Data]\nWell\tWell Position\tCycle\tx1-m1\n1\t      A1\t1\t882,830.500\n\n\
[Amplification Data]\nWell\tCycle\tTarget Name\tRn\tDelta Rn\n1\t1\tORF1ab\t1,000.612\t-0.007\n1\t2\tORF1ab\t0.619\t-0.005\n\
25\t1\tORF1ab\t0.5\t0.0\n25\t2\tORF1ab\t\t\n\n\
[Results]\nWell\tWell Position\tOmit\tSample Name\tTarget Name\tTask\tReporter\tC\u{442}\tCt Mean\tCt Threshold\tAmp Score\tCq Conf\tCQCONF\tNOAMP\n\
1\tA1\tfalse\tT-1\tORF1ab\tUNKNOWN\tFAM\t21.062\t21\t0.2\t1.3\t0.98\tN\tN\n1\tA1\ttrue\tT-1\tIC\tIPC\tVIC\tUndetermined\t\t0.1\t0\t0\tY\tY\n\
25\tB1\tfalse\tblank\tORF1ab\tNTC\tFAM\tUndetermined\t\t0.2\t0.1\t0\tN\tY\n\nAnalysis Type = Singleplex\n";

const ABI: &str = "Block Type,96-Well 0.2-mL Block,,,,\r\nInstrument Type ,QuantStudio 3,,,,\r\n,,,,,\r\n\
Well,Well Position,Omit,Sample Name,Target Name,CT\r\n1,A1,0,s,GAPDH,21.697\r\n2,A2,1,s,GAPDH,Undetermined\r\n";

const CFX: &str = "File Name,run 7.pcrd\n\n,Well,Fluor,Target,Content,Sample,Biological Set Name,Cq,Starting Quantity (SQ)\n\
,A01,FAM,N,Unkn-1,\"Doe, J\",,21.5,NaN\n,A01,HEX,IC,Unkn-1,\"Doe, J\",,N/A,N/A\n,H12,FAM,N,NTC,,,0.00,NaN\n";

const LIGHTCYCLER: &str = "Raw Data \t\tExperiment - run 5 (Run on LCS480 1.5.0.39)\r\nSamplePos\tSampleName\tProg#\tSeg#\tCycle#\tTime\tTemp\t483-533\t\r\n\
A1\tS 1\t2\t2\t1\t100\t59.9\t0.1\t\r\nA1\tS 1\t2\t2\t2\t100\t59.9\t0.2\t\r\nA1\tS 1\t3\t1\t1\t100\t65.1\t0.3\t\r\n";

const CROSSING_POINTS: &str = "Experiment: run 5  Selected Filter: SYBR (483-533)\t\t\t\rInclude\tColor\tPos\tName\tCp\tConcentration\tStandard\tStatus\r\
True\t255\tA1\tSample 1\t16.13\t1.01E+05\t0\t\rTrue\t65280\tA2\tSample 2\t\t\t0\t\r";

const SDS: &str = "SDS 2.3\tRQ Results\t1.2\rFilename\tscreen.sdm\r\r# \tPlate\tPos\tFlag\tSample\tDetector\tTask\tCt\r\
1\tP1\tA1\tPassed\ts\tG1\tTarget\t33.949196\r2\tP2\tA1\tFlagged\ts\tG1\tTarget\tUndetermined\r";

const BIOMARK: &str = "Chip Run Filename,R:\\a\\Run.bml\r\n\r\nChamber,Sample,Sample,Sample,FAM-MGB,FAM-MGB,Ct,Ct,Ct,Ct\r\n\
ID,Name,Type,rConc,Name,Type,Value,Quality,Call,Threshold\r\nS02-A01,s,NTC,1,ACTB,Test,999,0,Fail,0.05\r\nS02-A48,s,Unknown,1,GAPDH,Test,34.5,0.85,Pass,0.05\r\n";

pub const RDML: &str = "<?xml version='1.0'?><rdml version='1.2' xmlns='http://www.rdml.org'><dye id='FAM'/><sample id = 's'><type>std</type>\
<quantity><value>1e3</value><unit>cop</unit></quantity></sample><target id='t'><type>toi</type><dyeId id='FAM'/></target>\
<experiment id='e'><run id='r'><pcrFormat><rows>8</rows><columns>12</columns><rowLabel>ABC</rowLabel><columnLabel>123</columnLabel></pcrFormat>\
<react id='13'><sample id='s'/><data><tar id='t'/><cq>22.5</cq><adp><cyc>1</cyc><fluor>0.5</fluor></adp><adp><cyc>2</cyc><fluor>0.75</fluor></adp></data></react></run></experiment></rdml>";

const CURVES: &str = "cycle,A1,B2,x\n0.5577,1.5,-2,3E2\n1.5577,2.5,,oops\n2.5577,3.5,-1,1\n";

const WELLS: &str = "Well,Sample,Target,Cq\nA1,s,N,21.5\nB2,s,N,Undetermined\n";

/// Cells that are a Cq, none, or the name of a well.
pub const CELLS: [&str; 8] = ["21.5", "Undetermined", "999", "-1", "1.2E+01", "A01", "P24", "AF48"];

/// Name and content of each seed. Packed formats come packed and, where that is one too, plain.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let rows = [
        vec!["Block Type", "96-Well"],
        vec![],
        vec!["Well", "Well Position", "Sample", "Target", "Task", "Reporter", "Cq", "Threshold"],
        vec!["13", "B1", "s", "N", "UNKNOWN", "FAM", "UNDETERMINED", "0.1"],
    ];
    let workbook_of = |fact: [&'static str; 2]| write_xlsx("Results", &fact, rows.clone(), &[ColumnKind::Text; 8]).unwrap();
    let utf16: Vec<u8> = [0xFEFF].into_iter().chain(QUANTSTUDIO.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let (runs, _) = baton_instruments::parse(RDML.as_bytes(), "r.rdml", baton_instruments::Limits::default()).unwrap();
    vec![
        ("quantstudio.txt", QUANTSTUDIO.into()),
        ("abi.csv", ABI.into()),
        ("cfx.csv", CFX.into()),
        ("lightcycler.txt", LIGHTCYCLER.into()),
        ("crossing_points.txt", CROSSING_POINTS.into()),
        ("sds.txt", SDS.into()),
        ("biomark.csv", BIOMARK.into()),
        ("plain.rdml", RDML.into()),
        ("packed.rdml", baton_instruments::write_rdml(&runs[0])),
        ("curves.csv", CURVES.into()),
        ("workbook.xlsx", workbook_of(["File Name", "run.eds"])),
        ("design_and_analysis.xlsx", workbook_of(["Run Start Date/Time", "2026-03-01 09:00:00"])),
        ("design_and_analysis.xls", xls::workbook("Results", &[vec!["Run Start Date/Time", "2026-03-01 09:00:00"]], &rows)),
        ("diomni.xlsx", workbook_of(["Warning", "Diomni software converted file"])),
        ("wells.csv", WELLS.into()),
        ("utf16.txt", utf16),
        ("packed.txt.gz", gzipped(LIGHTCYCLER.as_bytes())),
    ]
}
