use super::*;

fn paper() -> Paper {
    let table = Table {
        head: vec!["试管".into(), "结果".into()],
        weights: vec![2.0, 1.0],
        rows: (0..70).map(|n| vec![format!("T{n:06}").into(), Entry::toned("阴性", Tone::Good)]).collect(),
    };
    let chart = Chart {
        title: "Cq".into(),
        alternative: "阳性对照 20 次，均在限内".into(),
        lines: vec![ChartLine { name: "ORF1ab".into(), values: vec![Some(28.1), None, Some(28.4), Some(27.9)] }],
        limits: vec![ChartLimit { name: "上限".into(), value: 32.0 }],
        from: "11-01".into(),
        to: "11-23".into(),
        ringed: Some(3),
    };
    Paper {
        title: "新型冠状病毒核酸检测报告".into(),
        language: "zh-Hans".into(),
        author: "前海核酸检测中心".into(),
        footer: "报告编号 123".into(),
        page_words: "第 %n 页，共 %m 页".into(),
        blocks: vec![
            Block::Letterhead { name: "前海核酸检测中心".into(), lines: vec!["实验室 A（L-01）".into()] },
            Block::Heading { level: 1, text: "新型冠状病毒核酸检测报告".into() },
            Block::Answer(Entry::toned("阴性", Tone::Good)),
            Block::Facts(vec![("姓名".into(), vec!["𠮷田镕".into()]), ("更正".into(), vec![Entry::struck("阳性"), "阴性".into()])]),
            Block::Heading { level: 2, text: "质控".into() },
            Block::Chart(chart),
            Block::Table(table),
            Block::Qr(QrBlock {
                content: "https://example.org/verify?s=abc".into(), side_mm: 30.0, alternative: "QR".into(), words: vec!["扫码核验".into()]
            }),
            Block::Paragraph("“阴性”只说明所采样本未检出。\n".repeat(3).into()),
        ],
        attachments: vec![Attachment {
            name: "report.json".into(),
            media_type: "application/json".into(),
            description: "JSON".into(),
            bytes: b"{\"signed\":true}".to_vec(),
        }],
    }
}

/// The output of a tool that reads PDF, if it is installed.
#[allow(clippy::print_stderr)]
fn read_by(tool: &str, arguments: &[&str], pdf: &[u8]) -> Option<String> {
    // Tests run side by side: each reading has a folder of its own.
    static READINGS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let reading = READINGS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("baton-paper-{}-{reading}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("paper.pdf");
    std::fs::write(&file, pdf).unwrap();
    let ran = std::process::Command::new(tool).args(arguments).arg(&file).args(if tool == "pdftotext" { &["-"][..] } else { &[] }).output();
    std::fs::remove_dir_all(&folder).unwrap();
    match ran {
        Ok(output) => {
            assert!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Err(error) => {
            eprintln!("skipped: {tool} cannot be run ({error}); install poppler-utils");
            None
        }
    }
}

#[test]
fn the_same_paper_gives_the_same_bytes_and_carries_its_attachment_as_it_is() {
    let (one, two) = (pdf(&paper()).unwrap(), pdf(&paper()).unwrap());
    assert!(one == two);
    assert!(one.windows(15).any(|window| window == b"{\"signed\":true}"));
    assert!(one.len() < 60_000, "{}", one.len());
}

#[test]
fn another_reader_finds_the_words_the_pages_and_the_structure() {
    let made = pdf(&paper()).unwrap();
    let Some(text) = read_by("pdftotext", &["-enc", "UTF-8"], &made) else { return };
    for words in
        ["新型冠状病毒核酸检测报告", "前海核酸检测中心", "[U+20BB7]田镕", "“阴性”只说明所采样本未检出。", "第 1 页，共 3 页", "第 3 页，共 3 页", "T000069"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(text.matches("试管").count(), 3, "the head of the table stands on each of its pages: {text}");
    let about = read_by("pdfinfo", &[], &made).unwrap();
    for line in ["Tagged:          yes", "Pages:           3", "Title:           新型冠状病毒核酸检测报告"] {
        assert!(about.contains(line), "{about}");
    }
    let structure = read_by("pdfinfo", &["-struct"], &made).unwrap();
    for part in ["H1", "H2", "Table", "THead", "TH", "TD", "Figure"] {
        assert!(structure.contains(part), "{part}: {structure}");
    }
    // A repeated head is not read twice.
    let read = read_by("pdfinfo", &["-struct-text"], &made).unwrap();
    assert_eq!(read.matches("试管").count(), 1, "{read}");
}

#[test]
fn a_cell_longer_than_a_page_goes_on_and_ends() {
    let table = Table { head: vec!["a".into()], weights: vec![1.0], rows: vec![vec!["长".repeat(9_000).into()]] };
    let made = pdf(&Paper { blocks: vec![Block::Heading { level: 1, text: "x".into() }, Block::Table(table)], ..paper() }).unwrap();
    let Some(text) = read_by("pdftotext", &["-enc", "UTF-8"], &made) else { return };
    assert_eq!(text.matches('长').count(), 9_000);
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let with = |block| pdf(&Paper { blocks: vec![Block::Heading { level: 1, text: "x".into() }, block], ..paper() });
    assert_eq!(with(Block::Table(Table::default())).unwrap_err(), DocumentError::BadSize("table"));
    let long = QrBlock { content: "x".repeat(3_000), side_mm: 30.0, alternative: String::new(), words: Vec::new() };
    assert!(matches!(with(Block::Qr(long)), Err(DocumentError::TooLong { .. })));
    let mut twice = paper();
    twice.attachments.extend(twice.attachments.clone());
    assert!(matches!(pdf(&twice), Err(DocumentError::NotWritten(_))));
}

#[test]
fn label_sheets_hold_their_numbers() {
    let labels: Vec<crate::Label> = (0..25).map(|n| crate::Label::tube(&format!("T{n:06}"), vec!["前海一号点 10:1".into()])).collect();
    let made = label_sheet_pdf("标签", "zh-Hans", "前海", &labels, &crate::SheetLayout::grid(3, 8)).unwrap();
    assert!(made.len() < 200_000, "{}", made.len());
    let Some(text) = read_by("pdftotext", &["-enc", "UTF-8"], &made) else { return };
    assert!(text.contains("T000024") && text.matches("前海一号点").count() == 25, "{text}");
    assert!(read_by("pdfinfo", &[], &made).unwrap().contains("Pages:           2"));
}
