//! Expressions as written: where each of their characters stands in the file, whatever YAML
//! did to the text (quotes, escapes, folding, indentation).

use super::source::Source;
use super::yaml::{Raw, RawKind, Style, quoted};
use super::{Expression, Run};
use crate::error::{Edit, Place};

impl Expression {
    /// The expression of a scalar; `None` if it is none.
    pub fn of(raw: &Raw, source: &Source) -> Option<Self> {
        let written = source.text().get(raw.start..raw.end)?;
        let (text, style) = match &raw.kind {
            RawKind::Text { text, style } => (text.clone(), *style),
            RawKind::Number(_) | RawKind::Bool(_) => (written.to_owned(), Style::Plain),
            RawKind::Null if !written.is_empty() => (written.to_owned(), Style::Plain),
            _ => return None,
        };
        let place = source.place(raw.start, raw.end);
        let runs = if text == written && !text.contains('\n') {
            Vec::new()
        } else {
            runs(&text, written, style, raw.start, source)
        };
        let place = match runs.first() {
            Some(first) if first.at == 0 => {
                Place { line: first.line, column: first.column, source: first.source.clone(), ..place }
            }
            _ => place,
        };
        Some(Self { text, place, runs })
    }

    /// The place in the file of a range of bytes of the text: of its first line, if it spans
    /// several.
    pub fn place_at(&self, start: usize, end: usize) -> Place {
        let start = floor(&self.text, start);
        let end = floor(&self.text, end).max(start);
        let (line, column, source) = self.character(start);
        let mut width = 1;
        for (at, _) in self.text[start..end].char_indices().skip(1).take(MAX_WIDTH) {
            let (other, here, _) = self.character(start + at);
            if other != line {
                break;
            }
            width = width.max(here.saturating_sub(column) + 1);
        }
        // The blank that a fold put in place of the line's end does not stand in the line.
        let left = (source.chars().count() as u32 + 1).saturating_sub(column);
        let width = if left > 0 { width.min(left) } else { width };
        Place { file: self.place.file.clone(), line, column, width, source: source.to_owned() }
    }

    /// The change of the file that puts other text in the place of a range of bytes of this one, whatever
    /// YAML asks for around it. `None` where that cannot be told.
    pub fn edit(&self, start: usize, end: usize, with: &str) -> Option<Edit> {
        let (before, part, after) = (self.text.get(..start)?, self.text.get(start..end)?, self.text.get(end..)?);
        let style = self.style();
        let written = match style {
            Style::Single => with.replace('\'', "''"),
            Style::Double => with.replace('\\', "\\\\").replace('"', "\\\""),
            _ => with.to_owned(),
        };
        // Behind a character of the text: an escape is wider in the file.
        let behind = |at: usize| {
            let last = self.text[..at].chars().next_back()?;
            let (line, column, _) = self.character(at - last.len_utf8());
            let escaped = matches!((style, last), (Style::Single, '\'') | (Style::Double, '"' | '\\'));
            Some((line, column + 1 + u32::from(escaped)))
        };
        let (line, column, source) = self.character(start);
        let from = if start == 0 || !part.is_empty() { (line, column) } else { behind(start)? };
        let to = if part.is_empty() { from } else { behind(end)? };
        if style == Style::Plain {
            let new = [before, with, after].concat();
            let flow = source.chars().take(self.place.column as usize - 1).any(|c| matches!(c, '{' | '['));
            if !is_plain(&new, flow) {
                if new.contains('\n') || behind(self.text.len())?.0 != self.place.line {
                    return None;
                }
                let start = (self.place.line, self.place.column);
                return Some(Edit { start, end: behind(self.text.len())?, text: quoted(&new) });
            }
        }
        Some(Edit { start: from, end: to, text: written })
    }

    /// The change that puts another expression in the place of the whole.
    pub fn replace(&self, with: &str) -> Option<Edit> {
        self.edit(0, self.text.trim_end().len(), with)
    }

    /// How it is written, as its first line tells.
    fn style(&self) -> Style {
        let before: Vec<char> =
            self.place.source.chars().take((self.place.column as usize).saturating_sub(1)).collect();
        match before.last() {
            Some('\'') => Style::Single,
            Some('"') => Style::Double,
            _ if before.iter().all(|c| c.is_whitespace()) => Style::Literal,
            _ => Style::Plain,
        }
    }

    /// Line, column and source line of the character at a byte.
    fn character(&self, at: usize) -> (u32, u32, &str) {
        let index = self.runs.partition_point(|run| run.at <= at);
        let (from, line, column, source) = match index.checked_sub(1).and_then(|index| self.runs.get(index)) {
            Some(run) => (run.at, run.line, run.column, run.source.as_str()),
            None => (0, self.place.line, self.place.column, self.place.source.as_str()),
        };
        let width = self.text[from.min(at)..at].chars().count() as u32;
        (line, column + width, source)
    }
}

/// Whether a text means itself in YAML without quotes.
pub(super) fn is_plain(text: &str, flow: bool) -> bool {
    let opens = |c: char| "\"'[]{}>|*&!%@`#,?:-~".contains(c);
    let cut = text.contains(": ") || text.contains(" #") || text.ends_with(':') || text.starts_with(opens);
    let flow = flow && text.contains([',', '[', ']', '{', '}', ':']);
    !text.is_empty() && text.trim() == text && !cut && !flow
}

/// Widest caret.
const MAX_WIDTH: usize = 1000;

/// Walks text and file side by side. They differ in white space only, but for doubled single
/// quotes and the escapes of double ones.
fn runs(text: &str, written: &str, style: Style, start: usize, source: &Source) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut at = 0;
    // Byte of `written` behind the last character, if the next one would stand beside it.
    let mut beside = None;
    for (index, c) in text.char_indices() {
        let rest = &written[at..];
        let is_blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
        let here = match rest.chars().next() {
            Some('\\') if style == Style::Double => None,
            Some(next) if next == c => Some(at),
            _ if is_blank(c) => continue,
            Some(next) if is_blank(next) => Some(at + rest.len() - rest.trim_start_matches(is_blank).len()),
            _ => None,
        };
        // A line continued with `\` inside double quotes: nothing of it is in the text.
        let mut here = here.unwrap_or(at);
        if style == Style::Double {
            while let Some(rest) =
                written[here..].strip_prefix("\\\n").or_else(|| written[here..].strip_prefix("\\\r\n"))
            {
                here = written.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            }
        }
        let length = match &written.as_bytes()[here..] {
            [b'\'', b'\'', ..] if style == Style::Single => 2,
            [b'\\', kind, ..] if style == Style::Double => match kind {
                b'x' => 4,
                b'u' => 6,
                b'U' => 10,
                _ => 1 + written[here + 1..].chars().next().map_or(1, char::len_utf8),
            },
            _ => written[here..].chars().next().map_or(0, char::len_utf8),
        };
        if beside != Some(here) || runs.is_empty() {
            let (line, column) = source.line_and_column(start + here);
            runs.push(Run { at: index, line, column, source: source.shown(line).to_owned() });
        }
        at = floor(written, here + length);
        // What is longer in the file than in the text, and a line end, ends the run.
        beside = (length == c.len_utf8() && c != '\n').then_some(at);
    }
    runs
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::super::yaml;
    use super::*;

    /// The expression under `t`, and where the mark `§…` (one character and what follows it) stands.
    fn place(file: &str, part: &str) -> (u32, u32, u32) {
        let source = Source::new("m.yaml", file);
        let mut findings = Vec::new();
        let root = yaml::parse(&source, &mut findings).unwrap();
        assert!(findings.is_empty(), "{findings:?}");
        let value = &root.entries().iter().find(|entry| entry.key == "t").unwrap().value;
        let expression = Expression::of(value, &source).unwrap();
        let at = expression.text.find(part).unwrap_or_else(|| panic!("{part} is not in {:?}", expression.text));
        let place = expression.place_at(at, at + part.len());
        assert_eq!(place.source, file.lines().nth(place.line as usize - 1).unwrap());
        (place.line, place.column, place.width)
    }

    #[test]
    fn every_style_leads_back_to_the_file() {
        for (file, part, expected) in [
            ("t: value + x\n", "x", (1, 12, 1)),
            ("t: 'value + x'\n", "value", (1, 5, 5)),
            ("t: 'a == ''b'' + oops'\n", "oops", (1, 18, 4)),
            ("t: 'a == ''b'' + oops'\n", "b", (1, 12, 1)),
            ("t: \"\\\"PROD_\\\" + value\"\n", "value", (1, 17, 5)),
            ("t: \"a\\u00e9b + value\"\n", "value", (1, 16, 5)),
            ("t: \"größe + välue\"\n", "välue", (1, 13, 5)),
            ("t: |\n  first +\n    second\n", "second", (3, 5, 6)),
            ("t: |\n  first +\n    second\n", "first", (2, 3, 5)),
            ("t: |2\n   first +\n  second\n", "second", (3, 3, 6)),
            ("t: >-\n  first +\n  second +\n\n  third\n", "second", (3, 3, 6)),
            ("t: >-\n  first +\n  second +\n\n  third\n", "third", (5, 3, 5)),
            ("t: first\n   + second\n", "+ second", (2, 4, 8)),
            ("t: first\n   + second\n", "first + second", (1, 4, 5)),
            ("t: \"first\n   + second\"\n", "second", (2, 6, 6)),
            ("t: \"first \\\n   + second\"\n", "second", (2, 6, 6)),
            ("t: >2-\n   first +\n  second\n", "first", (2, 4, 5)),
            ("t: >2-\n   first +\n  second\n", "second", (3, 3, 6)),
            ("t: >+\n  first +\n  second\n\n", "second", (3, 3, 6)),
            ("t: |+\n  first +\n\n  second\n\n", "second", (4, 3, 6)),
            ("t: |- # why\n  first +\n  second\n", "second", (3, 3, 6)),
            ("t: >\n  first +\n    second +\n  third\n", "second", (3, 5, 6)),
            ("t: >\n  first +\n    second +\n  third\n", "third", (4, 3, 5)),
            ("t: |\r\n  first +\r\n  second\r\n", "second", (3, 3, 6)),
            ("t: first +\n\n   second\n", "second", (3, 4, 6)),
            ("t: 'first\n   + ''x'' + second'\n", "second", (2, 14, 6)),
            ("t: \"first\\\n   \\ + second\"\n", "second", (2, 8, 6)),
            ("t: \"\\U0001F600\\n + second\"\n", "second", (1, 20, 6)),
            ("t: \"\\x41\\t\\\\ + second\"\n", "second", (1, 16, 6)),
            ("t: 5\n", "5", (1, 4, 1)),
            ("t: true\n", "true", (1, 4, 4)),
        ] {
            assert_eq!(place(file, part), expected, "{file} {part}");
        }
    }

    /// The file after a part of the expression under `t` was replaced.
    fn edited(file: &str, part: &str, with: &str) -> String {
        let source = Source::new("m.yaml", file);
        let root = yaml::parse(&source, &mut Vec::new()).unwrap();
        let expression = Expression::of(&root.entries()[0].value, &source).unwrap();
        let at = expression.text.find(part).unwrap();
        let wanted = expression.text.replacen(part, with, 1);
        let made = expression.edit(at, at + part.len(), with).unwrap().apply(file).unwrap();
        let source = Source::new("m.yaml", made.as_str());
        let root = yaml::parse(&source, &mut Vec::new()).unwrap();
        assert_eq!(Expression::of(&root.entries()[0].value, &source).unwrap().text.trim(), wanted.trim(), "{made}");
        made
    }

    #[test]
    fn an_edit_says_in_the_file_what_it_says_in_the_text() {
        for (file, part, with, expected) in [
            ("t: len(x) + 1\n", "len", "size", "t: size(x) + 1\n"),
            ("t: iif(a, b, c)\n", "iif(a, b, c)", "(a ? b : c)", "t: '(a ? b : c)'\n"),
            ("t: x + oops # why\n", "oops", "\"oops\"", "t: x + \"oops\" # why\n"),
            ("t: oops\n", "oops", "\"oops\"", "t: '\"oops\"'\n"),
            ("t: 'a == ''b'' + oops'\n", "oops", "\"it's\"", "t: 'a == ''b'' + \"it''s\"'\n"),
            ("t: 'a == ''b'''\n", "'b'", "b", "t: 'a == b'\n"),
            ("t: \"a == \\\"b\\\"\"\n", "\"b\"", "\"c\"", "t: \"a == \\\"c\\\"\"\n"),
            ("t: |\n  first +\n    second\n", "second", "a ? b : c", "t: |\n  first +\n    a ? b : c\n"),
            ("t: >-\n  first +\n  second\n", "first", "last", "t: >-\n  last +\n  second\n"),
            ("{ t: len(x) }\n", "len(x)", "size(x)", "{ t: size(x) }\n"),
            ("{ t: x }\n", "x", "f(x, y)", "{ t: 'f(x, y)' }\n"),
        ] {
            assert_eq!(edited(file, part, with), expected, "{file} {part} {with}");
        }
    }

    #[test]
    fn any_offset_is_safe() {
        let source = Source::new("m.yaml", "t: \"ä\\tb\n  ö\"\n");
        let root = yaml::parse(&source, &mut Vec::new()).unwrap();
        let expression = Expression::of(&root.entries()[0].value, &source).unwrap();
        for start in 0..20 {
            for end in 0..20 {
                assert!(expression.place_at(start, end).width >= 1);
            }
        }
    }
}
