//! Makes as many reports as asked and says how large they are: `time cargo run --release -p baton-documents --example reports -- 100`.

use std::io::Write;

use baton_documents::pdf::{Block, Entry, Paper, QrBlock, Tone, pdf};

fn report(number: usize) -> Paper {
    let facts = |text: &str| vec![Entry::plain(text)];
    Paper {
        title: "新型冠状病毒核酸检测报告".to_owned(),
        language: "zh-Hans".to_owned(),
        author: "前海核酸检测中心".to_owned(),
        footer: format!("报告编号 {number}"),
        page_words: "第 %n 页，共 %m 页".to_owned(),
        blocks: vec![
            Block::Letterhead { name: "前海核酸检测中心".to_owned(), lines: vec!["检测实验室一部（LAB-01）".to_owned()] },
            Block::Heading { level: 1, text: "新型冠状病毒核酸检测报告".to_owned() },
            Block::Answer(Entry::toned("未检出（阴性）", Tone::Good)),
            Block::Facts(vec![
                ("姓名".to_owned(), facts("欧阳建国")),
                ("证件".to_owned(), facts("居民身份证 ···0017")),
                ("样本".to_owned(), facts("鼻咽拭子，十混一，管号 T000001234")),
                ("采样时间".to_owned(), facts("2026-11-23 08:12")),
                ("发布时间".to_owned(), facts("2026-11-23 12:40")),
            ]),
            Block::Qr(QrBlock {
                content: format!("https://baton.example/verify?s={}", "A".repeat(123)),
                side_mm: 36.0,
                alternative: "核验二维码".to_owned(),
                words: vec!["扫码可核验本报告的真伪与是否仍然有效。".to_owned()],
            }),
            Block::Paragraph("阴性结果仅对所采样本负责，不能排除感染的可能。".repeat(6).into()),
        ],
        attachments: Vec::new(),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count = std::env::args().nth(1).map_or(Ok(100), |text| text.parse())?;
    let mut largest = 0;
    for number in 0..count {
        largest = pdf(&report(number))?.len().max(largest);
    }
    writeln!(std::io::stdout(), "{count} reports, the largest of {largest} bytes")?;
    Ok(())
}
