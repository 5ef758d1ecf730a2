//! Every format in a small file of our own, written the way its instrument writes it.

mod seeds;

use baton_instruments::{Content, Format, Limits, Reading, Run, Signal, parse, sniff};

use seeds::QUANTSTUDIO;

fn read(text: &str, name: &str, format: Format) -> (Run, Vec<String>) {
    let bytes = text.as_bytes();
    assert_eq!(sniff(bytes, name), format);
    let (mut runs, problems) = parse(bytes, name, Limits::default()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].format, format);
    (runs.remove(0), problems.iter().map(ToString::to_string).collect())
}

fn reading<'a>(run: &'a Run, well: &str, target: &str) -> &'a Reading {
    let well = run.wells.iter().find(|known| known.position.label == well).unwrap();
    well.readings.iter().find(|reading| reading.target.as_deref().unwrap_or("") == target).unwrap()
}

#[test]
fn quantstudio_text() {
    let (run, problems) = read(QUANTSTUDIO, "q.txt", Format::QuantStudioText);
    assert_eq!(run.plate_barcode.as_deref(), Some("P-0017"));
    assert_eq!(run.instrument_serial.as_deref(), Some("2777"));
    assert_eq!(run.started_at.as_deref(), Some("2026-03-01 09:00:00 AM CST"));
    assert_eq!((run.plate_size(), run.wells.len()), (Some(384), 2));
    let curve = reading(&run, "A1", "ORF1ab");
    assert_eq!(curve.fluorescence, [1000.612, 0.619]);
    assert_eq!((&curve.corrected[..], curve.signal), (&[-0.007, -0.005][..], Signal::Normalised));
    assert_eq!((curve.cq, curve.threshold, curve.dye.as_deref()), (Some(21.062), Some(0.2), Some("FAM")));
    let control = reading(&run, "A1", "IC");
    assert_eq!((control.cq, control.excluded.as_deref()), (None, Some("omitted")));
    assert_eq!((run.wells[0].content.clone(), control.content.clone()), (Content::Unknown, Some(Content::InternalControl)));
    let flags: Vec<String> = control.remarks.iter().map(|remark| format!("{}={}", remark.name, remark.value)).collect();
    assert_eq!(flags, ["Amp Score=0", "Cq Conf=0", "CQCONF=Y", "NOAMP=Y"]);
    assert_eq!(run.wells[1].content, Content::NoTemplateControl);
    assert_eq!(problems, ["q.txt, B1: readings missing: 1"]);
}

#[test]
fn quantstudio_text_with_any_line_end_and_in_utf16() {
    let (expected, _) = read(QUANTSTUDIO, "q.txt", Format::QuantStudioText);
    for end in ["\r\n", "\r"] {
        let (run, _) = read(&QUANTSTUDIO.replace('\n', end), "q.txt", Format::QuantStudioText);
        assert_eq!(run, expected);
    }
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(QUANTSTUDIO.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(parse(&utf16, "q.txt", Limits::default()).unwrap().0, [expected]);
}

#[test]
fn a_results_section_alone_is_enough() {
    let text = "* Block Type = 96-Well Block\n[Results]\nWell\tSample Name\tTarget Name\tTask\tCT\n13\tx\tN\tUNKNOWN\t30\n14\tx\tN\tUNKNOWN\toops\n";
    let (run, problems) = read(text, "q.txt", Format::QuantStudioText);
    assert_eq!(reading(&run, "B1", "N").cq, Some(30.0));
    assert_eq!(problems, ["q.txt, Results, line 5: Cq “oops” is not a number; left out"]);
}

#[test]
fn genotyping_has_two_alleles() {
    let text = "* Block Type = 96-Well Block\n[Sample Setup]\nWell\tWell Position\tSample Name\tSNP Assay Name\tTask\tAllele1 Name\tAllele1 Reporter\tAllele2 Name\tAllele2 Reporter\n\
        1\tA1\ts\tCYP\tPC_ALLELE_1\tWild\tVIC\tMutant\tFAM\n[Results]\nWell\tWell Position\tSNP Assay Name\tTask\tCall\tAllele1 Ct\tAllele2 Ct\n1\tA1\tCYP\tPC_ALLELE_1\tHomozygous\t27.5\tUndetermined\n";
    let (run, _) = read(text, "g.txt", Format::QuantStudioText);
    assert_eq!(reading(&run, "A1", "CYP-Wild").cq, Some(27.5));
    assert_eq!(reading(&run, "A1", "CYP-Mutant").dye.as_deref(), Some("FAM"));
    assert_eq!(reading(&run, "A1", "CYP-Mutant").call.as_deref(), Some("Homozygous"));
    assert_eq!(run.wells[0].content, Content::PositiveControl);
}

#[test]
fn applied_biosystems_csv() {
    let text = "Block Type,96-Well 0.2-mL Block,,,,\r\nInstrument Type ,QuantStudio 3,,,,\r\nStage/ Cycle,\"Stage2, Step2\",,,,\r\n,,,,,\r\n\
        Well,Well Position,Omit,Sample Name,Target Name,CT\r\n1,A1,0,s,GAPDH,21.697\r\n2,A2,1,s,GAPDH,Undetermined\r\n";
    let (run, problems) = read(text, "abi.csv", Format::AbiCsv);
    assert_eq!(run.instrument.as_deref(), Some("QuantStudio 3"));
    assert_eq!(reading(&run, "A1", "GAPDH").cq, Some(21.697));
    assert_eq!(reading(&run, "A2", "GAPDH").excluded.as_deref(), Some("omitted"));
    assert_eq!(problems, [""; 0]);
}

#[test]
fn bio_rad_cfx() {
    let text = "File Name,run 7.pcrd\nRun Started,03/01/2026 08:00:00 UTC\n\n,Well,Fluor,Target,Content,Sample,Biological Set Name,Cq,Cq Mean,Starting Quantity (SQ)\n\
        ,A01,FAM,N,Unkn-1,\"Doe, J\",,21.5,21.5,NaN\n,A01,HEX,IC,Unkn-1,\"Doe, J\",,N/A,,N/A\n,H12,FAM,N,NTC,,,NaN,0,NaN\n,H11,FAM,N,Pos Ctrl-2,,,0.00,0,1.2E+03\n";
    let (run, problems) = read(text, "cfx.csv", Format::BioRadCfx);
    assert_eq!(run.started_at.as_deref(), Some("03/01/2026 08:00:00 UTC"));
    assert_eq!(run.wells[0].sample.as_deref(), Some("Doe, J"));
    assert_eq!((reading(&run, "A1", "N").cq, reading(&run, "A1", "IC").cq), (Some(21.5), None));
    let contents: Vec<&Content> = run.wells.iter().map(|well| &well.content).collect();
    assert_eq!(contents, [&Content::Unknown, &Content::PositiveControl, &Content::NoTemplateControl]);
    assert_eq!((reading(&run, "H11", "N").cq, reading(&run, "H11", "N").quantity), (None, Some(1200.0)));
    assert_eq!(problems, [""; 0]);
}

#[test]
fn lightcycler_raw_takes_the_amplification_and_leaves_the_melt() {
    let mut text = String::from(
        "Raw Data \t\tExperiment - run 5 (Run on LCS480 1.5.0.39)\r\nSamplePos\tSampleName\tProg#\tSeg#\tCycle#\tTime\tTemp\t483-533\t523-568\t\r\n",
    );
    for cycle in 1..=6 {
        text.push_str(&format!("A1\tS 1\t2\t2\t{cycle}\t100\t59.9\t0.{cycle}\t2.{cycle}\t\r\n"));
    }
    for step in 0..30 {
        text.push_str(&format!("A1\tS 1\t3\t1\t1\t{step}\t65.1\t9.{step}\t9\t\r\n"));
    }
    let (run, problems) = read(&text, "lc.txt", Format::LightCycler480Raw);
    assert_eq!(run.experiment.as_deref(), Some("run 5"));
    let [green, yellow] = &run.wells[0].readings[..] else { panic!() };
    assert_eq!((green.dye.as_deref(), yellow.dye.as_deref()), (Some("483-533"), Some("523-568")));
    assert_eq!(green.cycles, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(yellow.fluorescence[5], 2.6);
    assert_eq!(problems, [""; 0]);
}

#[test]
fn lightcycler_crossing_points() {
    let text = "Experiment: run 5  Selected Filter: SYBR Green I (483-533)\t\t\t\rInclude\tColor\tPos\tName\tCp\tConcentration\tStandard\tStatus\r\
        True\t255\tA1\tSample 1\t16.13\t1.01E+05\t0\t\rFalse\t65280\tA2\tSample 2\t\t\t0\t\r";
    let (run, _) = read(text, "cp.txt", Format::LightCycler480Cp);
    assert_eq!(run.experiment.as_deref(), Some("run 5"));
    let first = reading(&run, "A1", "");
    assert_eq!((first.cq, first.quantity, first.dye.as_deref()), (Some(16.13), Some(101_000.0), Some("SYBR Green I (483-533)")));
    assert_eq!((reading(&run, "A2", "").cq, reading(&run, "A2", "").excluded.as_deref()), (None, Some("not included")));
}

#[test]
fn sds_results_of_two_plates_are_two_runs() {
    let text = "SDS 2.3\tRQ Results\t1.2\rFilename\tscreen.sdm\rRun DateTime\tFri May 15 17:10:28 BST 2009\r\r\
        # \tPlate\tPos\tFlag\tSample\tDetector\tTask\tCt\tDelta Ct\r1\tP1\tA1\tPassed\ts\tG1\tTarget\t33.949196\t1\r2\tP2\tA1\tFlagged\ts\tG1\tTarget\tUndetermined\t\r\rPlateID\tNAP\tLPL\rX\r";
    assert_eq!(sniff(text.as_bytes(), ""), Format::Sds);
    let (runs, problems) = parse(text.as_bytes(), "sds.txt", Limits::default()).unwrap();
    let names: Vec<_> = runs.iter().map(|run| run.name.as_deref().unwrap()).collect();
    assert_eq!((names, runs[0].wells[0].readings[0].cq), (vec!["P1", "P2"], Some(33.949196)));
    assert_eq!(problems, []);
}

#[test]
fn a_table_of_no_known_maker_is_read_by_its_columns() {
    let (run, _) = {
        let text = "Our export\nPosition;Sample ID;Gene;Cq\nB02;s1;N;28,5\n".replace("28,5", "28.5");
        let (mut runs, problems) = parse(text.as_bytes(), "x.csv", Limits::default()).unwrap();
        (runs.remove(0), problems)
    };
    assert_eq!(run.format, Format::WellTable);
    assert_eq!(reading(&run, "B2", "N").cq, Some(28.5));
}

#[test]
fn workbooks_are_read_sheet_by_sheet() {
    let facts = [["Block Type", "96-Well"], ["Instrument Type", "QuantStudio 5"]];
    let results = [
        vec!["Well", "Well Position", "Sample", "Target", "Task", "Reporter", "Cq", "Threshold"],
        vec!["13", "B1", "s", "N", "UNKNOWN", "FAM", "UNDETERMINED", "0.1"],
    ];
    let rows = facts.iter().map(|fact| fact.to_vec()).chain([vec![]]).chain(results);
    let text = [baton_sheets::ColumnKind::Text; 8];
    let bytes = baton_sheets::write_xlsx("Results", &["File Name", "run.eds"], rows, &text).unwrap();
    assert_eq!(sniff(&bytes, "r.xlsx"), Format::Workbook);
    assert_eq!(sniff(&bytes, "upload"), Format::Workbook);
    let (runs, problems) = parse(&bytes, "r.xlsx", Limits::default()).unwrap();
    assert_eq!((runs[0].format, runs[0].experiment.as_deref()), (Format::QuantStudioWorkbook, Some("run.eds")));
    let found = reading(&runs[0], "B1", "N");
    assert_eq!((found.cq, found.threshold, found.dye.as_deref()), (None, Some(0.1), Some("FAM")));
    assert_eq!(problems, []);
}

#[test]
fn rdml_as_other_software_writes_it() {
    let text = "<?xml version='1.0'?>\n<rdml:rdml version='1.0' xmlns:rdml='http://www.rdml.org'>\n\
        <rdml:experiment id='e &amp; f'><rdml:run id = ' r1 '>\n<rdml:react id='A2'><rdml:sample id = 's'/>\
        <rdml:data><rdml:tar id='t'/><rdml:cq>-1</rdml:cq><rdml:adp><rdml:cyc>2</rdml:cyc><rdml:fluor>2.5</rdml:fluor></rdml:adp>\
        <rdml:adp><rdml:cyc>1</rdml:cyc><rdml:tmp>60</rdml:tmp><rdml:fluor><![CDATA[1.5]]></rdml:fluor></rdml:adp></rdml:data></rdml:react>\n\
        <rdml:react id='A3'><rdml:sample id='unknown one'/></rdml:react></rdml:run></rdml:experiment>\n\
        <rdml:sample id='s'><rdml:type>unkn</rdml:type><rdml:type targetId='t'>ntc</rdml:type></rdml:sample>\n\
        <rdml:target id='t'><rdml:dyeId>SYBR</rdml:dyeId></rdml:target></rdml:rdml>";
    let (run, problems) = read(text, "r.rdml", Format::Rdml);
    assert_eq!((run.experiment.as_deref(), run.name.as_deref()), (Some("e & f"), Some("r1")));
    let found = reading(&run, "A2", "t");
    assert_eq!((found.cq, found.dye.as_deref(), &found.cycles[..], &found.fluorescence[..]), (None, Some("SYBR"), &[1.0, 2.0][..], &[1.5, 2.5][..]));
    assert_eq!(found.content, Some(Content::NoTemplateControl));
    assert_eq!(
        problems,
        [
            "r.rdml, line 4, react A2: cycles do not rise",
            "r.rdml, line 5, react A3: sample “unknown one” is not described in the file",
            "r.rdml, line 5, react A3: the curve has no readings",
        ]
    );
}
