//! The layout of a mapping's file: its keys in the order of their description, two blanks for each level.
//!
//! The YAML package keeps no comments, so this moves whole lines and never writes a value anew: what a
//! line says stays as it was written, quotes, numbers and comments included. What comes out is read
//! again; if it does not say the same, in the same values with the same comments, the file is left alone.

use super::check::Checker;
use super::keys::{FRAGMENT, Kind, MAPPING, Section};
use super::source::Source;
use super::yaml::{self, Entry, Raw, RawKind, Style};
use crate::error::{Findings, Severity};

/// The text of a mapping's file in its layout. Formatting it again changes nothing.
///
/// # Errors
/// What keeps the file from being read as a mapping: a formatter must not guess.
pub fn format(file: &str, text: &str) -> Result<String, Findings> {
    let plain = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let source = Source::new(file, plain);
    let mut findings = Findings::new();
    let raw = yaml::parse(&source, &mut findings);
    if let Some(raw) = &raw {
        let mut checker = Checker::new(&source, false);
        checker.section(raw, described(raw), (0, 0));
        findings.append(&mut checker.findings);
    }
    findings.retain(|finding| finding.severity == Severity::Error);
    let Some(raw) = raw.filter(|_| findings.is_empty()) else { return Err(findings) };
    let layout = Layout { source: &source, lines: source.text().lines().collect() };
    let made = layout.whole(&raw).filter(|made| says_the_same(file, &raw, source.text(), made));
    Ok(made.unwrap_or_else(|| text.to_owned()))
}

struct Layout<'t> {
    source: &'t Source,
    lines: Vec<&'t str>,
}

/// The lines of the new text.
#[derive(Default)]
struct Out(Vec<String>);

impl Out {
    fn line(&mut self, indent: usize, text: &str) {
        self.0.push(if text.is_empty() { String::new() } else { format!("{}{text}", " ".repeat(indent)) });
    }

    /// Comments and blank lines; of these one at most in a row, and none at the beginning.
    fn around(&mut self, indent: usize, lines: &[&str]) {
        for line in lines {
            let text = line.trim();
            if !text.is_empty() || self.0.last().is_some_and(|last| !last.is_empty()) {
                self.line(indent, text);
            }
        }
    }
}

impl<'t> Layout<'t> {
    /// `None`: the file has a form that is not moved about.
    fn whole(&self, raw: &Raw) -> Option<String> {
        let RawKind::Map { entries, flow: false } = &raw.kind else { return None };
        let mut out = Out::default();
        self.map(entries, Some(described(raw)), 0, self.lines.len(), 0, &mut out)?;
        while out.0.last().is_some_and(String::is_empty) {
            out.0.pop();
        }
        Some(out.0.join("\n") + "\n")
    }

    /// A map in block style whose lines are `first..until`.
    fn map(
        &self,
        entries: &[Entry],
        section: Option<&'static Section>,
        first: usize,
        until: usize,
        indent: usize,
        out: &mut Out,
    ) -> Option<()> {
        let starts: Vec<(usize, usize)> = entries.iter().map(|entry| self.at(entry.start)).collect();
        let (line, column) = *starts.first()?;
        if starts.iter().any(|(_, other)| *other != column) {
            return None;
        }
        out.around(indent, self.lines.get(first..line).unwrap_or_default());
        // Each entry with the comments before it.
        let mut before: Vec<&str> = Vec::new();
        let mut pieces = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            let from = starts[index].0;
            let next = starts.get(index + 1).map_or(until, |(line, _)| *line);
            let end = self.end(&entry.value, from, next, column);
            pieces.push((self.rank(section, &entry.key), std::mem::take(&mut before), entry, from, end));
            before = self.lines.get(end..next)?.to_vec();
        }
        pieces.sort_by_key(|(rank, ..)| *rank);
        for (_, mut before, entry, from, end) in pieces {
            // Blank lines part the keys of a file and the items of a list, not the keys of a rule.
            before.retain(|line| indent == 0 || !line.trim().is_empty());
            out.around(indent, &before);
            let kind = section.and_then(|section| section.key(&entry.key)).map(|key| &key.kind);
            self.entry(entry, kind, (from, end), column, indent, out)?;
        }
        out.around(indent, &before);
        Some(())
    }

    fn entry(
        &self,
        entry: &Entry,
        kind: Option<&'static Kind>,
        (from, end): (usize, usize),
        column: usize,
        indent: usize,
        out: &mut Out,
    ) -> Option<()> {
        let head = self.lines.get(from)?.get(column..)?.trim_end();
        // One blank behind the colon; before a comment as many as there are.
        let written = head.get(..entry.end - entry.start + 1).filter(|key| key.ends_with(':'));
        let value = written.map_or("", |key| head[key.len()..].trim_start());
        let tidy = match written {
            Some(key) if !value.is_empty() && !value.starts_with('#') => format!("{key} {value}"),
            _ => head.to_owned(),
        };
        let head = tidy.as_str();
        let below = self.at(entry.value.start).0 > from;
        match &entry.value.kind {
            RawKind::Map { entries, flow: false } if below && !entries.is_empty() => {
                out.line(indent, head);
                self.map(entries, section(kind), from + 1, end, indent + 2, out)
            }
            RawKind::List { items, flow: false } if below && !items.is_empty() => {
                out.line(indent, head);
                self.list(items, kind, (from + 1, end), indent + 2, out)
            }
            RawKind::Map { flow: false, .. } | RawKind::List { flow: false, .. } => None,
            _ => {
                out.line(indent, head);
                self.moved(&entry.value, from + 1, end, indent as isize - column as isize, out)
            }
        }
    }

    /// A list in block style.
    fn list(
        &self,
        items: &[Raw],
        kind: Option<&'static Kind>,
        (first, until): (usize, usize),
        indent: usize,
        out: &mut Out,
    ) -> Option<()> {
        let inner = match kind {
            Some(Kind::List(inner) | Kind::OneOrMany(inner)) => Some(*inner),
            _ => None,
        };
        let mut starts = Vec::with_capacity(items.len());
        for item in items {
            // Quotes stand before the content; `- - x` and an empty item are left alone.
            let (line, content) = self.at(item.start);
            let before = self.lines.get(line)?.get(..content)?.trim_end_matches(['"', '\'']);
            let dash = before.strip_suffix(' ')?.trim_end().strip_suffix('-')?;
            if !dash.trim().is_empty() {
                return None;
            }
            starts.push((line, dash.len(), before.len()));
        }
        let (line, column, _) = *starts.first()?;
        if starts.iter().any(|(_, dash, _)| *dash != column) {
            return None;
        }
        out.around(indent, self.lines.get(first..line).unwrap_or_default());
        for (index, item) in items.iter().enumerate() {
            let (from, _, content) = starts[index];
            let next = starts.get(index + 1).map_or(until, |(line, ..)| *line);
            let end = self.end(item, from, next, column);
            match &item.kind {
                RawKind::Map { entries, flow: false } => {
                    let mut made = Out::default();
                    self.map(entries, inner.and_then(|kind| section(Some(kind))), from, end, indent + 2, &mut made)?;
                    let dash = made.0.iter().position(|line| !line.trim_start().starts_with('#'))?;
                    for (at, line) in made.0.into_iter().enumerate() {
                        let text = line.trim_start();
                        match at.cmp(&dash) {
                            std::cmp::Ordering::Less => out.line(indent, text),
                            std::cmp::Ordering::Equal => out.line(indent, &format!("- {text}")),
                            std::cmp::Ordering::Greater => out.0.push(line),
                        }
                    }
                }
                RawKind::List { flow: false, .. } => return None,
                _ => {
                    out.line(indent, &format!("- {}", self.lines.get(from)?.get(content..)?.trim_end()));
                    self.moved(item, from + 1, end, indent as isize + 2 - content as isize, out)?;
                }
            }
            out.around(indent, self.lines.get(end..next)?);
        }
        Some(())
    }

    /// The further lines of a value, each as far to the side as its first.
    fn moved(&self, value: &Raw, from: usize, end: usize, by: isize, out: &mut Out) -> Option<()> {
        let block = matches!(value.kind, RawKind::Text { style: Style::Literal | Style::Folded, .. });
        let last = self.last(value);
        for (at, line) in self.lines.get(from..end)?.iter().enumerate() {
            let text = line.trim_start_matches(' ');
            let indent = (line.len() - text.len()).checked_add_signed(by).unwrap_or_default();
            // Blanks at the end of a line are content of a block and of nothing else.
            let text = if block && from + at <= last { text } else { text.trim_end() };
            out.line(indent, text);
        }
        Some(())
    }

    /// Where an entry ends: comments and blank lines before the next belong to that, unless they are
    /// indented as deep as what is inside of this one.
    fn end(&self, value: &Raw, from: usize, next: usize, column: usize) -> usize {
        let last = from.max(self.last(value));
        let around = match &value.kind {
            RawKind::Map { flow: false, entries } => !entries.is_empty(),
            RawKind::List { flow: false, items } => !items.is_empty(),
            _ => false,
        };
        if !around {
            return next.min(last + 1);
        }
        let outside = |line: &str| {
            let text = line.trim_start();
            text.is_empty() || (text.starts_with('#') && line.len() - text.len() <= column)
        };
        let mut end = next;
        // From the last content on: what is deeper stays, and everything before it.
        for at in (last + 1..next).rev() {
            if !outside(self.lines.get(at).copied().unwrap_or_default()) {
                break;
            }
            end = at;
        }
        end
    }

    /// The last line of a value's content.
    fn last(&self, raw: &Raw) -> usize {
        match &raw.kind {
            RawKind::Map { entries, flow: false } => {
                entries.last().map_or(0, |entry| self.at(entry.start).0.max(self.last(&entry.value)))
            }
            RawKind::List { items, flow: false } => items.last().map_or(0, |item| self.last(item)),
            RawKind::Text { style: Style::Literal | Style::Folded, .. } => self.last_of_block(raw),
            _ => self.at(raw.end.saturating_sub(1).max(raw.start)).0,
        }
    }

    /// The same for a block scalar, which ends before the first line that is indented less.
    fn last_of_block(&self, raw: &Raw) -> usize {
        let (from, column) = self.at(raw.start);
        let head = self.lines.get(from).and_then(|line| line.get(column..)).unwrap_or_default();
        let from = from + usize::from(head.starts_with(['|', '>']));
        let depth = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let content = self.lines.iter().enumerate().skip(from).filter(|(_, line)| !line.trim().is_empty());
        let mut content = content.map(|(at, line)| (at, depth(line)));
        let Some((first, least)) = content.next() else { return from };
        content.take_while(|(_, depth)| *depth >= least).last().map_or(first, |(at, _)| at)
    }

    fn rank(&self, section: Option<&'static Section>, key: &str) -> usize {
        let Some(section) = section else { return 0 };
        let known = section.keys.iter().position(|known| known.name == key || known.alias == Some(key));
        known.unwrap_or(section.keys.len())
    }

    /// Line and column of a byte, both from 0; the column in bytes.
    fn at(&self, byte: usize) -> (usize, usize) {
        let (line, _) = self.source.line_and_column(byte);
        let text = &self.source.text()[..byte.min(self.source.text().len())];
        (line as usize - 1, text.len() - text.rfind('\n').map_or(0, |at| at + 1))
    }
}

/// What the file is: a mapping, or rules that mappings include.
fn described(raw: &Raw) -> &'static Section {
    match raw.entries().iter().any(|entry| entry.key == "fragment") {
        true => &FRAGMENT,
        false => &MAPPING,
    }
}

/// The section that describes a map under such a key.
fn section(kind: Option<&'static Kind>) -> Option<&'static Section> {
    match kind? {
        Kind::Section(section) | Kind::Overlay(section) => Some(section),
        Kind::ShortOr(_, long) => section(Some(long)),
        Kind::OneOrMany(inner) => section(Some(inner)),
        _ => None,
    }
}

/// Whether two texts have the same values under the same keys and the same comments.
fn says_the_same(file: &str, raw: &Raw, before: &str, after: &str) -> bool {
    let source = Source::new(file, after);
    let Some(again) = yaml::parse(&source, &mut Findings::new()) else { return false };
    let comments = |text: &str| {
        let mut found: Vec<String> =
            text.lines().filter_map(|line| line.trim().strip_prefix('#').map(ToOwned::to_owned)).collect();
        found.sort();
        found
    };
    let words = |text: &str| {
        let mut found: Vec<String> = text.split_whitespace().map(ToOwned::to_owned).collect();
        found.sort();
        found
    };
    same(raw, &again) && comments(before) == comments(after) && words(before) == words(after)
}

fn same(one: &Raw, other: &Raw) -> bool {
    match (&one.kind, &other.kind) {
        (RawKind::Map { entries, flow }, RawKind::Map { entries: others, flow: as_well }) => {
            let found = |entry: &Entry| {
                others.iter().find(|other| other.key == entry.key).is_some_and(|other| same(&entry.value, &other.value))
            };
            flow == as_well && entries.len() == others.len() && entries.iter().all(found)
        }
        (RawKind::List { items, .. }, RawKind::List { items: others, .. }) => {
            items.len() == others.len() && items.iter().zip(others).all(|(one, other)| same(one, other))
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(before: &str, after: &str) {
        let made = format("m.yaml", before).unwrap();
        assert_eq!(made, after);
        assert_eq!(format("m.yaml", &made).unwrap(), made, "not idempotent");
    }

    #[test]
    fn keys_have_an_order_and_comments_go_with_them() {
        check(
            "# What it is.\nname: m\n\nversion: 1\nto: c.d\nfrom: a.b   # the source\nfields:\n- source: x\n  # why\n  target: y\n\n\n  # odd\n  validate:\n  - value > 0\n# the next\n- target: z\n  source: z\n",
            "# What it is.\n\nversion: 1\nname: m\nfrom: a.b   # the source\nto: c.d\nfields:\n  # why\n  - target: y\n    source: x\n    # odd\n    validate:\n      - value > 0\n  # the next\n  - target: z\n    source: z\n",
        );
    }

    #[test]
    fn blocks_flow_and_quotes_stay_as_they_are() {
        check(
            "version: 1\nname: m\nfrom: a.b\nto: c.d\nfields:\n    -   target: y\n        transform: |\n            'a' +\n              record.x\n\n        source: x\n    -   { target: z,\n          source: \"z\" }\ntests:\n    -   given: { x: 1.50 }\n        expect:\n            y: '1'   # text\n            # nothing more\n        name: one\n",
            "version: 1\nname: m\nfrom: a.b\nto: c.d\nfields:\n  - target: y\n    source: x\n    transform: |\n        'a' +\n          record.x\n  - { target: z,\n      source: \"z\" }\ntests:\n  - name: one\n    given: { x: 1.50 }\n    expect:\n      y: '1'   # text\n      # nothing more\n",
        );
    }

    #[test]
    fn what_cannot_be_read_is_not_formatted() {
        assert!(format("m.yaml", "version: 1\nname: [m\n").is_err());
        assert!(format("m.yaml", "version: 1\nname: m\nnmae: m\n").is_err());
    }

    /// The meaning of a file: its routes in their canonical form.
    fn meaning(text: &str) -> Vec<String> {
        let file = super::super::FileText { name: "m.yaml".into(), bytes: text.as_bytes().to_vec() };
        let catalog = super::super::Catalog { protocols: &[], formats: &[], shelf: None };
        let loaded = super::super::load_texts("/".into(), None, vec![file], None, &catalog);
        loaded.mappings.into_iter().map(|route| route.hash).collect()
    }

    fn holds(text: &str) {
        let made = format("m.yaml", text).unwrap();
        assert_eq!(meaning(text), meaning(&made), "{text}\n---\n{made}");
        assert_eq!(format("m.yaml", &made).unwrap(), made, "not idempotent:\n{text}\n---\n{made}");
    }

    #[test]
    fn no_mapping_of_the_repository_changes_its_meaning() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut seen = 0;
        let mut ahead = vec![root.join("mappings"), root.join("tests")];
        while let Some(folder) = ahead.pop() {
            for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    ahead.push(path);
                } else if path.extension().is_some_and(|end| end == "yaml") {
                    let text = std::fs::read_to_string(&path).unwrap_or_default();
                    if format("m.yaml", &text).is_ok() {
                        holds(&text);
                        seen += 1;
                    }
                }
            }
        }
        assert!(seen > 20, "{seen}");
    }

    /// A map in block style: its entries in any order, at any depth, with comments between them.
    fn laid_out(entries: &[(u8, &str)], depth: usize, comments: &[u8]) -> String {
        let mut sorted: Vec<_> = entries.to_vec();
        sorted.sort();
        let mut text = String::new();
        for (index, (_, entry)) in sorted.iter().enumerate() {
            match comments.get(index).map_or(0, |n| n % 4) {
                1 => text.push_str(&format!("{}# {index}\n", " ".repeat(depth))),
                2 => text.push('\n'),
                3 => text.push_str(&format!("   # odd {index}\n\n")),
                _ => {}
            }
            for line in entry.lines() {
                text.push_str(&format!("{}{line}\n", " ".repeat(depth)));
            }
        }
        text
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::soak::rounds(256)))]
        #[test]
        fn any_layout_keeps_its_meaning(
            order in prop::collection::vec(any::<u8>(), 14), depth in 1_usize..6,
            comments in prop::collection::vec(any::<u8>(), 14),
        ) {
            let rule = laid_out(
                &[(order[0], "target: a.b"), (order[1], "source: x   # from"), (order[2], "required: true"),
                  (order[3], "validate:\n - value > 0\n - 'value < 9'"),
                  (order[4], "transform: >-\n   value +\n\n   1"), (order[5], "class: [pii.email]")],
                depth + 2, &comments);
            let first = rule.find(|c: char| c != ' ' && c != '\n');
            // An item begins with its first entry: comments before it stand before the dash.
            let body = rule.lines().position(|line| !line.trim().is_empty() && !line.trim().starts_with('#'));
            let lines: Vec<String> = rule.lines().enumerate().map(|(at, line)| match Some(at) == body {
                true => format!("{}- {}", " ".repeat(depth), line.trim_start()),
                false => line.to_string(),
            }).collect();
            let rule = lines.join("\n");
            prop_assume!(first.is_some());
            let text = laid_out(
                &[(order[6], "version: 1"), (order[7], "name: m"), (order[8], "from: a.b"), (order[9], "to: c.d"),
                  (order[10], "sync:\n   key: [a.b]\n   mode: upsert"), (order[11], "when: record.x > 1 && has(record.y)"),
                  (order[12], &format!("fields:\n{rule}")),
                  (order[13], "tests:\n- expect: { a: { b: 2 } }\n  name: t\n  given:\n        y: '#'\n        x: 1.0")],
                0, &comments);
            holds(&text);
        }
    }
}
