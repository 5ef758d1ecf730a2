//! Lines of text and cells of a line, as instruments write them.

/// Lines with their numbers from 1, whatever ends them (LF, CRLF or CR alone).
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let (mut at, mut number) = (0, 0);
    // Place of the next line feed, kept: a file that has none is searched for one only once.
    let mut feed = None;
    std::iter::from_fn(move || {
        if at >= text.len() {
            return None;
        }
        number += 1;
        let next = match feed {
            Some(place) if place >= at => place,
            _ => text[at..].find('\n').map_or(text.len(), |length| at + length),
        };
        feed = Some(next);
        let end = text[at..next].find('\r').map_or(next, |length| at + length);
        let line = &text[at..end];
        at = end + if text[end..].starts_with("\r\n") { 2 } else { 1 };
        Some((number, line))
    })
}

/// Cells of a line; a cell may be quoted to hold the delimiter. Outer blanks and quotation marks are taken off.
/// A quotation mark that is never closed on its line is an ordinary letter, as in `5" probe`.
pub(crate) fn cells(line: &str, delimiter: char) -> Vec<&str> {
    debug_assert!(delimiter.is_ascii());
    let mut cells = Vec::with_capacity(16);
    let mut rest = line;
    loop {
        // Cells are short, so a plain walk over the bytes beats the searchers of the standard library.
        let blanks = rest.bytes().take_while(|byte| *byte == b' ').count();
        if rest.as_bytes().get(blanks) == Some(&b'"')
            && let Some((cell, behind)) = closing(&rest[blanks + 1..], delimiter)
        {
            cells.push(cell.trim_ascii());
            match behind {
                Some(behind) => rest = behind,
                None => return cells,
            }
            continue;
        }
        match rest.bytes().position(|byte| byte == delimiter as u8) {
            Some(end) => {
                cells.push(rest[..end].trim_ascii());
                rest = &rest[end + 1..];
            }
            None => {
                cells.push(rest.trim_ascii());
                return cells;
            }
        }
    }
}

/// The text up to a quotation mark that ends its cell, and what follows the delimiter behind it.
fn closing(quoted: &str, delimiter: char) -> Option<(&str, Option<&str>)> {
    let mut from = 0;
    while let Some(found) = quoted[from..].find('"') {
        let at = from + found;
        let behind = quoted[at + 1..].trim_start_matches(' ');
        if behind.is_empty() {
            return Some((&quoted[..at], None));
        }
        if let Some(next) = behind.strip_prefix(delimiter) {
            return Some((&quoted[..at], Some(next)));
        }
        from = at + 1;
    }
    None
}

/// The delimiter of a table: tab where any early line has two, otherwise what is seen more often.
pub(crate) fn delimiter(text: &str) -> char {
    let (mut commas, mut semicolons) = (0, 0);
    for (_, line) in lines(text).take(200) {
        if line.matches('\t').take(2).count() == 2 {
            return '\t';
        }
        commas += line.matches(',').count();
        semicolons += line.matches(';').count();
    }
    if semicolons > commas { ';' } else { ',' }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_end_in_three_ways() {
        let found: Vec<_> = lines("a\r\nb\rc\n\nd").collect();
        assert_eq!(found, [(1, "a"), (2, "b"), (3, "c"), (4, ""), (5, "d")]);
        assert_eq!(lines("\r\n").count(), 1);
        assert_eq!(lines("").count(), 0);
    }

    #[test]
    fn quoted_cells_hold_the_delimiter() {
        assert_eq!(cells("a, \"b, c\" ,d", ','), ["a", "b, c", "d"]);
        assert_eq!(cells("5\" probe\t\"open\tx", '\t'), ["5\" probe", "\"open", "x"]);
        assert_eq!(cells("a\t\t", '\t'), ["a", "", ""]);
        assert_eq!(cells("\"a \"\"b\"\" c\",d", ','), ["a \"\"b\"\" c", "d"]);
    }

    #[test]
    fn the_delimiter_is_told() {
        assert_eq!(delimiter("* a = 1,2,3\nWell\tCycle\tRn\n"), '\t');
        assert_eq!(delimiter("Well;Fluor;Cq\nA1;FAM;21,5\n"), ';');
        assert_eq!(delimiter(",Well,Fluor\n"), ',');
    }

    proptest! {
        #[test]
        fn any_line_is_cut(line in ".{0,60}") {
            prop_assert!(!cells(&line, ',').is_empty());
            prop_assert_eq!(lines(&line).map(|(_, line)| line.len()).sum::<usize>() <= line.len(), true);
        }
    }
}
