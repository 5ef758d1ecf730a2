//! What was laid out, written as PDF: content marked for the structure tree, the tree, outline, title, language, attachments.

use krilla::color::rgb;
use krilla::configure::{Accessibility, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::geom::{PathBuilder, Point, Rect, Transform};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule, Stroke, StrokeDash};
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, Identifier, Node, SpanTag, TableHeaderScope, Tag, TagGroup, TagKind, TagTree};
use krilla::{Document, SerializeSettings};

use super::face::runs;
use super::layout::{Child, Group, Ink, Kind, Laid, Mark, PAGE};
use super::{Attachment, Paper, Tone};
use crate::DocumentError;

fn failed(error: impl std::fmt::Debug) -> DocumentError {
    DocumentError::NotWritten(format!("{error:?}"))
}

pub(crate) fn draw(paper: &Paper, laid: Laid) -> Result<Vec<u8>, DocumentError> {
    let configuration = ConfigurationBuilder::new().with_accessibility_validator(Accessibility::UA1).finish().map_err(failed)?;
    let mut document = Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    let mut marked: Vec<Option<Identifier>> = vec![None; laid.pieces.len()];
    let mut of_page: Vec<Vec<usize>> = vec![Vec::new(); laid.pages];
    for (at, piece) in laid.pieces.iter().enumerate() {
        of_page[piece.page].push(at);
    }
    for pieces in of_page {
        let settings = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or(DocumentError::BadSize("page"))?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for at in pieces {
            let piece = &laid.pieces[at];
            let tag = if piece.ornament { ContentTag::Artifact(Artifact::with_kind(ArtifactType::PaginationOther)) } else { tag_of(&piece.marks) };
            let identifier = surface.start_tagged(tag);
            piece.marks.iter().for_each(|mark| draw_mark(&mut surface, mark));
            surface.end_tagged();
            marked[at] = (!piece.ornament).then_some(identifier);
        }
        surface.finish();
        page.finish();
    }
    let mut tree = TagTree::new().with_lang(Some(paper.language.clone()));
    for child in &laid.root {
        if let Some(node) = node_of(child, &mut marked) {
            tree.push(node);
        }
    }
    document.set_tag_tree(tree);
    document.set_outline(outline(&laid));
    document.set_metadata(
        Metadata::new()
            .title(paper.title.clone())
            .language(paper.language.clone())
            .authors(vec![paper.author.clone()])
            .creator("Baton".to_owned())
            .document_id(format!("{} {}", paper.author, paper.footer)),
    );
    for attachment in &paper.attachments {
        embed(&mut document, attachment)?;
    }
    document.finish().map_err(failed)
}

fn tag_of(marks: &[Mark]) -> ContentTag<'_> {
    if marks.iter().any(|mark| matches!(mark, Mark::Squares { .. } | Mark::Modules { .. })) || marks.len() > 2 {
        ContentTag::Other
    } else {
        ContentTag::Span(SpanTag::empty())
    }
}

fn embed(document: &mut Document, attachment: &Attachment) -> Result<(), DocumentError> {
    let file = EmbeddedFile {
        path: attachment.name.clone(),
        mime_type: MimeType::new(&attachment.media_type),
        description: Some(attachment.description.clone()),
        association_kind: AssociationKind::Source,
        data: attachment.bytes.clone().into(),
        modification_date: None,
        compress: Some(false),
        location: None,
    };
    document.embed_file(file).ok_or_else(|| DocumentError::NotWritten(format!("two attachments named {}", attachment.name)))
}

fn outline(laid: &Laid) -> Outline {
    let mut outline = Outline::new();
    for (_, text, page, y) in laid.outline.iter().filter(|(level, ..)| *level <= 2) {
        outline.push_child(OutlineNode::new(text.clone(), XyzDestination::new(*page, Point::from_xy(0.0, (y - 8.0).max(0.0)))));
    }
    outline
}

fn node_of(child: &Child, marked: &mut [Option<Identifier>]) -> Option<Node> {
    match child {
        Child::Piece(at) => marked[*at].take().map(Node::Leaf),
        Child::Group(Group { kind, children }) => {
            let children: Vec<Node> = children.iter().filter_map(|child| node_of(child, marked)).collect();
            Some(Node::Group(TagGroup::with_children(tag_kind(kind), children)))
        }
    }
}

fn tag_kind(kind: &Kind) -> TagKind {
    match kind {
        Kind::Heading(level, text) => Tag::Hn(std::num::NonZeroU16::new(*level).unwrap_or(std::num::NonZeroU16::MIN), Some(text.clone())).into(),
        Kind::Paragraph => Tag::P.into(),
        Kind::Table => Tag::Table.into(),
        Kind::Head => Tag::THead.into(),
        Kind::Rows => Tag::TBody.into(),
        Kind::Row => Tag::TR.into(),
        Kind::ColumnName => Tag::TH(TableHeaderScope::Column).into(),
        Kind::RowName => Tag::TH(TableHeaderScope::Row).into(),
        Kind::Cell => Tag::TD.into(),
        Kind::Figure(alternative) => Tag::Figure(Some(alternative.clone())).into(),
    }
}

/// Dark enough on white for small type.
fn colour(ink: Ink) -> rgb::Color {
    let (red, green, blue) = match ink {
        Ink::Tone(Tone::Plain) => (20, 27, 36),
        Ink::Tone(Tone::Soft) => (84, 94, 106),
        Ink::Tone(Tone::Good) => (15, 107, 58),
        Ink::Tone(Tone::Bad) => (168, 28, 28),
        Ink::Tone(Tone::Warn) => (138, 82, 0),
        Ink::Rule => (196, 202, 209),
        Ink::Black => (0, 0, 0),
        Ink::Series(at) => [(0, 83, 156), (178, 70, 0), (0, 110, 84), (120, 53, 140)][at % 4],
    };
    rgb::Color::new(red, green, blue)
}

fn fill(ink: Ink) -> Fill {
    Fill { paint: colour(ink).into(), opacity: NormalizedF32::ONE, rule: FillRule::NonZero }
}

fn draw_mark(surface: &mut Surface<'_>, mark: &Mark) {
    match mark {
        Mark::Text { left, baseline, size, ink, text } => {
            surface.set_fill(Some(fill(*ink)));
            surface.set_stroke(None);
            let mut x = *left;
            for run in runs(text) {
                surface.draw_glyphs(Point::from_xy(x, *baseline), &run.glyphs, run.font, &run.text, *size, false);
                x += run.ems * size;
            }
        }
        Mark::Line { points, thick, ink, dash } => {
            let mut path = PathBuilder::new();
            for (at, (x, y)) in points.iter().enumerate() {
                if at == 0 { path.move_to(*x, *y) } else { path.line_to(*x, *y) }
            }
            let dash = dash.map(|length| StrokeDash { array: vec![length, length * 0.7], offset: 0.0 });
            surface.set_fill(None);
            surface.set_stroke(Some(Stroke { paint: colour(*ink).into(), width: *thick, dash, ..Stroke::default() }));
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
        }
        Mark::Squares { squares, ink } => fill_squares(surface, squares, *ink),
        Mark::Modules { left, top, width, height, runs } => {
            surface.push_transform(&Transform::from_row(*width, 0.0, 0.0, *height, *left, *top));
            fill_squares(surface, runs, Ink::Black);
            surface.pop();
        }
    }
}

fn fill_squares(surface: &mut Surface<'_>, squares: &[[f32; 4]], ink: Ink) {
    let mut path = PathBuilder::new();
    squares.iter().filter_map(|[x, y, width, height]| Rect::from_xywh(*x, *y, *width, *height)).for_each(|square| path.push_rect(square));
    surface.set_stroke(None);
    surface.set_fill(Some(fill(ink)));
    if let Some(path) = path.finish() {
        surface.draw_path(&path);
    }
}
