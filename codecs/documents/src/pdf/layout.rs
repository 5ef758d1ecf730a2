//! Blocks onto pages: what stands where, and to which part of the structure it belongs.

use super::chart::lay_chart;
use super::face::{legible, width};
use super::lines::break_lines;
use super::{Block, Entry, Paper, QrBlock, Table, Tone};
use crate::DocumentError;
use crate::qr::{ErrorCorrection, qr_code};

/// A4 in points.
pub(crate) const PAGE: (f32, f32) = (595.28, 841.89);
const SIDE: f32 = 51.0;
const TOP: f32 = 48.0;
/// Nothing but the foot stands below.
const BOTTOM: f32 = PAGE.1 - 62.0;
const FOOT: f32 = PAGE.1 - 40.0;
pub(crate) const LEFT: f32 = SIDE;
pub(crate) const RIGHT: f32 = PAGE.0 - SIDE;
const BODY: f32 = 9.5;
pub(crate) const SMALL: f32 = 8.0;
const LEAD: f32 = 1.5;
/// More pages than anyone prints at once.
const PAGES_MAX: usize = 5_000;
pub(crate) const MM: f32 = 72.0 / 25.4;

/// The colour of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Tone(Tone),
    Rule,
    Black,
    /// Of the lines of a chart.
    Series(usize),
}

/// One thing drawn; lengths in points from the upper left corner.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Mark {
    Text {
        left: f32,
        baseline: f32,
        size: f32,
        ink: Ink,
        text: String,
    },
    Line {
        points: Vec<(f32, f32)>,
        thick: f32,
        ink: Ink,
        dash: Option<f32>,
    },
    /// Left, top, width, height.
    Squares {
        squares: Vec<[f32; 4]>,
        ink: Ink,
    },
    /// Runs of dark modules, in modules from the corner at `left`, `top`: whole numbers keep a QR code's drawing small.
    Modules {
        left: f32,
        top: f32,
        width: f32,
        height: f32,
        runs: Vec<[f32; 4]>,
    },
}

/// Marks that belong together on one page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    pub(crate) page: usize,
    /// Rules, feet and repeated heads: not read aloud.
    pub(crate) ornament: bool,
    pub(crate) marks: Vec<Mark>,
}

/// A part of the structure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Heading(u16, String),
    Paragraph,
    Table,
    Head,
    Rows,
    Row,
    ColumnName,
    RowName,
    Cell,
    Figure(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    pub(crate) kind: Kind,
    pub(crate) children: Vec<Child>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Child {
    Group(Group),
    Piece(usize),
}

/// A heading for the outline: text, page, height on it.
pub(crate) type OutlineEntry = (u16, String, usize, f32);

#[derive(Default)]
pub(crate) struct Laid {
    pub(crate) pages: usize,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) root: Vec<Child>,
    pub(crate) outline: Vec<OutlineEntry>,
}

/// The pen: where the next thing goes.
pub(crate) struct Pen {
    pub(crate) laid: Laid,
    pub(crate) page: usize,
    pub(crate) y: f32,
}

pub(crate) fn lay(paper: &Paper) -> Result<Laid, DocumentError> {
    let mut pen = Pen { laid: Laid::default(), page: 0, y: TOP };
    for block in &paper.blocks {
        pen.block(block)?;
        if pen.page >= PAGES_MAX {
            return Err(DocumentError::BadSize("paper"));
        }
    }
    pen.laid.pages = pen.page + 1;
    for page in 0..pen.laid.pages {
        let count = paper.page_words.replace("%n", &(page + 1).to_string()).replace("%m", &pen.laid.pages.to_string());
        pen.foot(page, &legible(&paper.footer), &legible(&count));
    }
    Ok(pen.laid)
}

/// One cell, broken into lines.
struct CellLines {
    lines: Vec<(String, Tone, bool)>,
}

impl Pen {
    fn block(&mut self, block: &Block) -> Result<(), DocumentError> {
        match block {
            Block::Letterhead { name, lines } => self.letterhead(name, lines),
            Block::Heading { level, text } => self.heading(u16::from((*level).clamp(1, 6)), text),
            Block::Paragraph(entry) => self.paragraph(entry, BODY),
            Block::Answer(entry) => self.answer(entry),
            Block::Facts(facts) => self.facts(facts),
            Block::Table(table) => return self.table(table),
            Block::Chart(chart) => lay_chart(self, chart),
            Block::Qr(qr) => return self.qr(qr),
            Block::NewPage => self.new_page(),
        }
        Ok(())
    }

    pub(crate) fn new_page(&mut self) {
        if self.y > TOP {
            self.page += 1;
            self.y = TOP;
        }
    }

    /// Begins a new page unless there is so much room on this one.
    pub(crate) fn room(&mut self, height: f32) {
        if self.y + height > BOTTOM {
            self.new_page();
        }
    }

    pub(crate) fn piece(&mut self, ornament: bool, marks: Vec<Mark>) -> Child {
        self.laid.pieces.push(Piece { page: self.page, ornament, marks });
        Child::Piece(self.laid.pieces.len() - 1)
    }

    pub(crate) fn add(&mut self, kind: Kind, children: Vec<Child>) {
        self.laid.root.push(Child::Group(Group { kind, children }));
    }

    /// Lines of text under each other; begins new pages as needed. Returns the pieces.
    fn lines(&mut self, text: &str, left: f32, room: f32, size: f32, ink: Ink, struck: bool) -> Vec<Child> {
        let mut pieces = Vec::new();
        for line in break_lines(&legible(text), size, room) {
            self.room(size * LEAD);
            let baseline = self.y + size * 1.1;
            let marks = text_marks(line, left, baseline, size, ink, struck);
            pieces.push(self.piece(false, marks));
            self.y += size * LEAD;
        }
        pieces
    }

    fn rule(&mut self, thick: f32, ink: Ink) {
        let line = Mark::Line { points: vec![(LEFT, self.y), (RIGHT, self.y)], thick, ink, dash: None };
        self.piece(true, vec![line]);
    }

    fn letterhead(&mut self, name: &str, lines: &[String]) {
        let pieces = self.lines(name, LEFT, RIGHT - LEFT, 15.0, Ink::Tone(Tone::Plain), false);
        self.add(Kind::Paragraph, pieces);
        for line in lines {
            let pieces = self.lines(line, LEFT, RIGHT - LEFT, BODY, Ink::Tone(Tone::Soft), false);
            self.add(Kind::Paragraph, pieces);
        }
        self.y += 4.0;
        self.rule(1.2, Ink::Tone(Tone::Plain));
        self.y += 10.0;
    }

    fn heading(&mut self, level: u16, text: &str) {
        let size = match level {
            1 => 19.0,
            2 => 12.5,
            _ => 10.5,
        };
        if level > 1 {
            self.y += 8.0;
        }
        // A heading is not left alone at the foot of a page.
        self.room(size * LEAD + 4.0 * BODY * LEAD);
        self.laid.outline.push((level, legible(text), self.page, self.y));
        let pieces = self.lines(text, LEFT, RIGHT - LEFT, size, Ink::Tone(Tone::Plain), false);
        self.add(Kind::Heading(level, legible(text)), pieces);
        if level == 2 {
            self.rule(0.5, Ink::Rule);
        }
        self.y += 4.0;
    }

    fn paragraph(&mut self, entry: &Entry, size: f32) {
        for part in entry.text.split('\n') {
            let pieces = self.lines(part, LEFT, RIGHT - LEFT, size, Ink::Tone(entry.tone), entry.struck);
            self.add(Kind::Paragraph, pieces);
        }
        self.y += 4.0;
    }

    fn answer(&mut self, entry: &Entry) {
        self.room(50.0);
        self.y += 4.0;
        let top = self.y;
        self.y += 6.0;
        let pieces = self.lines(&entry.text, LEFT + 12.0, RIGHT - LEFT - 12.0, 17.0, Ink::Tone(entry.tone), entry.struck);
        self.add(Kind::Paragraph, pieces);
        self.y += 4.0;
        if self.y > top {
            let bar = Mark::Squares { squares: vec![[LEFT, top, 4.0, self.y - top]], ink: Ink::Tone(entry.tone) };
            self.piece(true, vec![bar]);
        }
        self.y += 6.0;
    }

    fn facts(&mut self, facts: &[(String, Vec<Entry>)]) {
        let split = LEFT + (RIGHT - LEFT) * 0.27;
        let mut rows = Vec::new();
        for (name, entries) in facts {
            let cells = [cell(&[Entry::toned(name, Tone::Soft)], split - LEFT - 8.0), cell(entries, RIGHT - split)];
            rows.push(self.row(&cells, &[LEFT, split], &[Kind::RowName, Kind::Cell], false));
        }
        self.add(Kind::Table, rows);
        self.y += 6.0;
    }

    /// One row of cells; what is longer than a page goes on on the next.
    fn row(&mut self, cells: &[CellLines], lefts: &[f32], kinds: &[Kind], ruled: bool) -> Child {
        let step = BODY * LEAD;
        let longest = cells.iter().map(|cell| cell.lines.len()).max().unwrap_or(1);
        let mut groups: Vec<Group> = kinds.iter().map(|kind| Group { kind: kind.clone(), children: Vec::new() }).collect();
        let per_page = ((BOTTOM - TOP) / step) as usize - 4;
        for start in (0..longest).step_by(per_page.max(1)) {
            let height = (longest - start).min(per_page) as f32 * step;
            self.room(height + 3.0);
            for ((cell, left), group) in cells.iter().zip(lefts).zip(&mut groups) {
                for (at, (line, tone, struck)) in cell.lines.iter().skip(start).take(per_page).enumerate() {
                    let baseline = self.y + at as f32 * step + BODY * 1.1;
                    group.children.push(self.piece(false, text_marks(line.clone(), *left, baseline, BODY, Ink::Tone(*tone), *struck)));
                }
            }
            self.y += height + 2.0;
        }
        if ruled {
            self.rule(0.4, Ink::Rule);
            self.y += 1.5;
        }
        Child::Group(Group { kind: Kind::Row, children: groups.into_iter().map(Child::Group).collect() })
    }

    fn table(&mut self, table: &Table) -> Result<(), DocumentError> {
        let total: f32 = table.weights.iter().sum();
        if table.head.is_empty() || table.head.len() != table.weights.len() || !(total > 0.0 && total.is_finite()) {
            return Err(DocumentError::BadSize("table"));
        }
        let widths: Vec<f32> = table.weights.iter().map(|weight| (RIGHT - LEFT) * weight / total).collect();
        let lefts: Vec<f32> = widths.iter().scan(LEFT, |at, width| Some(std::mem::replace(at, *at + width))).collect();
        let head: Vec<CellLines> = table.head.iter().zip(&widths).map(|(name, width)| cell(&[Entry::toned(name.clone(), Tone::Soft)], width - 6.0)).collect();
        let named = vec![Kind::ColumnName; table.head.len()];
        let plain = vec![Kind::Cell; table.head.len()];
        let head_height = head.iter().map(|cell| cell.lines.len()).max().unwrap_or(1) as f32 * BODY * LEAD;
        self.room(head_height + 3.0 * BODY * LEAD);
        let head_row = self.row(&head, &lefts, &named, true);
        let mut rows = Vec::new();
        for row in &table.rows {
            let cells: Vec<CellLines> = (0..table.head.len()).map(|at| cell(row.get(at).map_or(&[][..], std::slice::from_ref), widths[at] - 6.0)).collect();
            let height = cells.iter().map(|cell| cell.lines.len()).max().unwrap_or(1) as f32 * BODY * LEAD;
            if self.y + height + 3.0 > BOTTOM {
                self.new_page();
                self.repeat_head(&head, &lefts);
            }
            rows.push(self.row(&cells, &lefts, &plain, true));
        }
        let mut parts = vec![Child::Group(Group { kind: Kind::Head, children: vec![head_row] })];
        if !rows.is_empty() {
            parts.push(Child::Group(Group { kind: Kind::Rows, children: rows }));
        }
        self.add(Kind::Table, parts);
        self.y += 6.0;
        Ok(())
    }

    /// The head again on the next page: seen, not read aloud a second time.
    fn repeat_head(&mut self, head: &[CellLines], lefts: &[f32]) {
        let first = self.laid.pieces.len();
        let kinds = vec![Kind::ColumnName; lefts.len()];
        self.row(head, lefts, &kinds, true);
        for piece in &mut self.laid.pieces[first..] {
            piece.ornament = true;
        }
    }

    fn qr(&mut self, block: &QrBlock) -> Result<(), DocumentError> {
        let code = qr_code(&block.content, ErrorCorrection::Medium)?;
        let side = block.side_mm.clamp(10.0, 120.0) * MM;
        let module = side / (code.width + 8) as f32;
        self.room(side + 4.0);
        let (top, page) = (self.y, self.page);
        let drawn = modules(&code.modules, code.width, LEFT + 4.0 * module, top + 4.0 * module, module, module);
        let figure = self.piece(false, vec![drawn]);
        self.add(Kind::Figure(legible(&block.alternative)), vec![figure]);
        self.y = top + 4.0 * module;
        for words in &block.words {
            let left = LEFT + side + 8.0;
            let pieces = self.lines(words, left, RIGHT - left, SMALL, Ink::Tone(Tone::Plain), false);
            self.add(Kind::Paragraph, pieces);
            self.y += 2.0;
        }
        if self.page == page {
            self.y = self.y.max(top + side);
        }
        self.y += 6.0;
        Ok(())
    }

    fn foot(&mut self, page: usize, left: &str, right: &str) {
        self.page = page;
        let ink = Ink::Tone(Tone::Soft);
        let mut marks = vec![Mark::Line { points: vec![(LEFT, FOOT - 12.0), (RIGHT, FOOT - 12.0)], thick: 0.4, ink: Ink::Rule, dash: None }];
        let right_width = width(right, SMALL);
        let left = break_lines(left, SMALL, RIGHT - LEFT - right_width - 12.0).into_iter().next().unwrap_or_default();
        marks.extend(text_marks(left, LEFT, FOOT, SMALL, ink, false));
        marks.extend(text_marks(right.to_owned(), RIGHT - right_width, FOOT, SMALL, ink, false));
        self.piece(true, marks);
    }
}

/// Runs of dark modules as rectangles, each module as wide and high as told.
pub(crate) fn modules(modules: &[bool], across: usize, left: f32, top: f32, width: f32, height: f32) -> Mark {
    let mut runs = Vec::new();
    for (row, modules) in modules.chunks(across).enumerate() {
        let mut at = 0;
        for run in modules.chunk_by(|a, b| a == b) {
            if run[0] {
                runs.push([at as f32, row as f32, run.len() as f32, 1.0]);
            }
            at += run.len();
        }
    }
    Mark::Modules { left, top, width, height, runs }
}

fn cell(entries: &[Entry], room: f32) -> CellLines {
    let mut lines = Vec::new();
    for entry in entries {
        for part in entry.text.split('\n') {
            let part = if part.trim().is_empty() { "–" } else { part };
            lines.extend(break_lines(&legible(part), BODY, room).into_iter().map(|line| (line, entry.tone, entry.struck)));
        }
    }
    if lines.is_empty() {
        // A cell without content would drop out of the structure and shift its neighbours.
        lines.push(("–".to_owned(), Tone::Soft, false));
    }
    CellLines { lines }
}

pub(crate) fn text_marks(text: String, left: f32, baseline: f32, size: f32, ink: Ink, struck: bool) -> Vec<Mark> {
    let mut marks = Vec::new();
    if struck {
        let y = baseline - size * 0.32;
        marks.push(Mark::Line { points: vec![(left, y), (left + width(text.trim_end(), size), y)], thick: 0.7, ink, dash: None });
    }
    marks.push(Mark::Text { left, baseline, size, ink, text });
    marks
}
