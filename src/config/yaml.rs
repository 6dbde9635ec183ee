//! YAML text to a tree with spans: the one file that knows the YAML package.
//!
//! The core schema of YAML 1.2.2 (section 10.3) and nothing around it: `yes` and `no` are text,
//! numbers keep their text, keys are text and unique, one document in a file. Tags but `!!str`,
//! merge keys and directives are refused, since what they do is nowhere to be seen. Aliases
//! work, within bounds.

use std::collections::HashMap;

use serde_yaml::granit_parser::{self as events, ErrorKind, Event, Parser, ScalarStyle, StructureStyle};

use super::source::Source;
use crate::error::{Edit, Finding, codes::config as codes};

/// Most bytes of a file.
pub const MAX_BYTES: usize = 4 << 20;
/// Deepest nesting.
pub const MAX_DEPTH: usize = 64;
/// Most values of a file, those that aliases repeat included.
pub const MAX_NODES: usize = 100_000;
/// Most bytes of text in them, again with what aliases repeat.
pub const MAX_TEXT: usize = 16 << 20;
/// Longest line in bytes.
pub const MAX_LINE: usize = 64 << 10;

/// A value of the tree and where it stands (bytes of the source; inside the quotes of a quoted
/// scalar, content only of a block scalar).
#[derive(Clone, Debug, PartialEq)]
pub struct Raw {
    /// The value.
    pub kind: RawKind,
    /// Its first byte.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum RawKind {
    /// `null`, `~`, or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number: its text as JSON would write it, no digit added or lost.
    Number(String),
    /// Text.
    Text {
        /// After YAML.
        text: String,
        /// How it was written.
        style: Style,
    },
    /// A list; `flow` if written with `[ ]`.
    List {
        /// The elements.
        items: Vec<Raw>,
        /// Written with `[ ]`.
        flow: bool,
    },
    /// A map; `flow` if written with `{ }`.
    Map {
        /// The entries in their order, keys unique.
        entries: Vec<Entry>,
        /// Written with `{ }`.
        flow: bool,
    },
}

/// An entry of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Its first byte.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
    /// The value.
    pub value: Raw,
}

/// How a text was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`.
    Single,
    /// `"…"`.
    Double,
    /// `|`.
    Literal,
    /// `>`.
    Folded,
}

impl Raw {
    /// The entries of a map, none of anything else.
    pub fn entries(&self) -> &[Entry] {
        if let RawKind::Map { entries, .. } = &self.kind { entries } else { &[] }
    }

    /// The elements of a list, none of anything else.
    pub fn items(&self) -> &[Raw] {
        if let RawKind::List { items, .. } = &self.kind { items } else { &[] }
    }

    /// The text of a text.
    pub fn text(&self) -> Option<&str> {
        if let RawKind::Text { text, .. } = &self.kind { Some(text) } else { None }
    }

    /// What it is, for a sentence.
    pub fn what(&self) -> &'static str {
        match &self.kind {
            RawKind::Null => "nothing",
            RawKind::Bool(_) => "true or false",
            RawKind::Number(_) => "a number",
            RawKind::Text { .. } => "text",
            RawKind::List { .. } => "a list",
            RawKind::Map { .. } => "a map",
        }
    }
}

/// The bytes of a file as text, without a byte order mark.
///
/// # Errors
/// A finding where they are too many, not UTF-8, or hold a NUL.
pub fn text(file: &str, bytes: Vec<u8>) -> Result<String, Box<Finding>> {
    let at = |at: usize| {
        let before = String::from_utf8_lossy(&bytes[..at.min(bytes.len())]).into_owned();
        let source = Source::guarded(file, before);
        let mut place = source.place(source.text().len(), source.text().len());
        place.source.clear();
        place
    };
    let refuse = |place, cause: String, fix: &str| Err(Box::new(Finding::error(&codes::YAML, place, cause).fix(fix)));
    if bytes.len() > MAX_BYTES {
        return refuse(at(0), format!("the file is larger than {} MiB", MAX_BYTES >> 20), "split it");
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return refuse(at(0), "the file is UTF-16".into(), "save it as UTF-8");
    }
    if let Some(nul) = memchr::memchr(0, &bytes) {
        return refuse(at(nul), "a NUL byte stands in the file".into(), "save it as UTF-8 text");
    }
    if let Err(error) = std::str::from_utf8(&bytes) {
        return refuse(at(error.valid_up_to()), "the bytes here are not UTF-8".into(), "save the file as UTF-8");
    }
    let mut text = String::from_utf8(bytes).unwrap_or_default();
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// The tree of the file's one document. Findings that leave the tree readable (a key given
/// twice, a leading zero) are added; `None` where there is no tree to speak of.
pub fn parse(source: &Source, findings: &mut Vec<Finding>) -> Option<Raw> {
    if let Some((_, start)) = source.line_longer_than(MAX_LINE) {
        let cause = format!("the line is longer than {} KiB", MAX_LINE >> 10);
        findings.push(Finding::error(&codes::YAML, source.place(start, start), cause).fix("break it into several"));
        return None;
    }
    let mut builder =
        Builder { source, findings, open: Vec::new(), anchors: HashMap::new(), size: Size::default(), root: None };
    let options = events::options! {
        disallow_directives: true,
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH + 1,
        block_nesting_limit: MAX_DEPTH + 1,
        simple_key_max_lookahead: 1024,
    };
    let mut parser = Parser::new_from_str_with_options(source.text(), options);
    let mut documents = 0;
    while let Some(next) = parser.next_event() {
        let (event, span) = match next {
            Ok(event) => event,
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or_default();
                let finding = syntax(source, error.kind(), at);
                builder.findings.push(finding);
                return None;
            }
        };
        let (start, end) = (span.start.byte_offset().unwrap_or_default(), span.end.byte_offset().unwrap_or_default());
        if matches!(event, Event::DocumentStart(..)) {
            documents += 1;
            if documents > 1 {
                let cause = "a second YAML document begins here; a file holds one";
                builder.refuse::<()>(start, end, cause, "move it into a file of its own").ok()?;
            }
        }
        if builder.take(event, start, end).is_err() {
            return None;
        }
    }
    let root = builder.root;
    if root.as_ref().is_none_or(|root| root.kind == RawKind::Null) {
        findings
            .push(Finding::error(&codes::YAML, source.top(), "the file is empty").fix("it begins with `version: 1`"));
        return None;
    }
    root
}

/// A small file of the user's own, outside of any project, straight into its type.
///
/// # Errors
/// What is wrong, with line and column (from 1).
pub fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, (String, u32, u32)> {
    serde_yaml::from_str(text).map_err(|error| {
        let (line, column) = error.location().map_or((1, 1), |at| (at.line() as u32, at.column() as u32));
        (error.without_snippet().to_string(), line, column)
    })
}

/// The value of a text that is one plain word for sure; `None` if it takes a parser to tell.
pub fn word(text: &str) -> Option<RawKind> {
    let plain = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    if !plain {
        return None;
    }
    match text {
        "true" => Some(RawKind::Bool(true)),
        "false" => Some(RawKind::Bool(false)),
        "null" => None,
        _ if text.starts_with(|c: char| c.is_ascii_digit()) => match number(text) {
            Some(Numeral::Written(number)) => Some(RawKind::Number(number)),
            _ => None,
        },
        _ if text.eq_ignore_ascii_case("null")
            || text.eq_ignore_ascii_case("true")
            || text.eq_ignore_ascii_case("false") =>
        {
            None
        }
        _ => Some(RawKind::Text { text: text.to_owned(), style: Style::Plain }),
    }
}

/// The tree was refused; the finding is made.
struct Refused;

struct Builder<'s, 'f> {
    source: &'s Source,
    findings: &'f mut Vec<Finding>,
    open: Vec<Open>,
    anchors: HashMap<usize, (Raw, Size)>,
    size: Size,
    root: Option<Raw>,
}

/// How much a value is, with everything in it.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
}

/// A collection whose end has not come.
struct Open {
    raw: Raw,
    anchor: usize,
    before: Size,
    key: Option<(String, usize, usize)>,
    seen: HashMap<String, usize>,
}

impl Builder<'_, '_> {
    fn take(&mut self, event: Event<'_>, start: usize, end: usize) -> Result<(), Refused> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let raw = self.scalar(&text, style, tag.as_deref(), start, end)?;
                let size = Size { nodes: 1, bytes: text.len() };
                self.count(size, start, end)?;
                if anchor != 0 {
                    self.anchors.insert(anchor, (raw.clone(), size));
                }
                self.put(raw)
            }
            Event::Alias(anchor) => {
                let Some((raw, size)) = self.anchors.get(&anchor).cloned() else {
                    return self.refuse(start, end, "an alias inside of what it names", "write the value out");
                };
                self.count(size, start, end)?;
                self.put(raw)
            }
            Event::SequenceStart(style, anchor, tag) => {
                let kind = RawKind::List { items: Vec::new(), flow: style == StructureStyle::Flow };
                self.begin(kind, anchor, tag.is_some(), start, end)
            }
            Event::MappingStart(style, anchor, tag) => {
                let kind = RawKind::Map { entries: Vec::new(), flow: style == StructureStyle::Flow };
                self.begin(kind, anchor, tag.is_some(), start, end)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(mut done) = self.open.pop() else { return Ok(()) };
                done.raw.end = end.max(done.raw.start);
                if done.anchor != 0 {
                    let size =
                        Size { nodes: self.size.nodes - done.before.nodes, bytes: self.size.bytes - done.before.bytes };
                    self.anchors.insert(done.anchor, (done.raw.clone(), size));
                }
                self.put(done.raw)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, kind: RawKind, anchor: usize, tagged: bool, start: usize, end: usize) -> Result<(), Refused> {
        if tagged {
            return self.refuse(start, end, "YAML tags are not used here", "remove the tag");
        }
        if self.open.len() >= MAX_DEPTH {
            let cause = format!("values are nested deeper than {MAX_DEPTH} levels");
            return self.refuse(start, end, cause, "make the structure flatter");
        }
        let before = self.size;
        self.count(Size { nodes: 1, bytes: 0 }, start, end)?;
        let raw = Raw { kind, start, end };
        self.open.push(Open { raw, anchor, before, key: None, seen: HashMap::new() });
        Ok(())
    }

    fn count(&mut self, more: Size, start: usize, end: usize) -> Result<(), Refused> {
        self.size.nodes += more.nodes;
        self.size.bytes += more.bytes;
        if self.size.nodes > MAX_NODES || self.size.bytes > MAX_TEXT {
            let cause = format!(
                "the file holds more than {MAX_NODES} values or {} MiB of text, what aliases repeat included",
                MAX_TEXT >> 20
            );
            return self.refuse(start, end, cause, "write out what the aliases stand for, or split the file");
        }
        Ok(())
    }

    fn put(&mut self, raw: Raw) -> Result<(), Refused> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(raw);
            return Ok(());
        };
        match (&mut open.raw.kind, open.key.take()) {
            (RawKind::List { items, .. }, _) => items.push(raw),
            (RawKind::Map { entries, .. }, Some((key, start, end))) => {
                if key == "<<" {
                    return self.refuse(start, end, "merge keys are no part of YAML 1.2", "write the keys out");
                }
                if let Some(first) = open.seen.get(&key) {
                    let (line, column) = self.source.line_and_column(*first);
                    // What says the same twice can go, if it has a line of its own.
                    let same = entries.iter().any(|entry| entry.key == key && entry.value.kind == raw.kind);
                    let here = self.source.place(start, raw.end);
                    let blank = here.source.chars().take(here.column as usize - 1).all(|c| c == ' ');
                    let alone = blank && self.source.line_and_column(raw.end).0 == here.line;
                    let edit = Edit { start: (here.line, 1), end: (here.line + 1, 1), text: String::new() };
                    self.findings.push(
                        Finding::error(
                            &codes::DUPLICATE_KEY,
                            self.source.place(start, end),
                            format!("`{key}` is given twice in one map; the first is at {line}:{column}"),
                        )
                        .fix("keep one of them")
                        .edit(Some(edit).filter(|_| same && alone)),
                    );
                } else {
                    open.seen.insert(key.clone(), start);
                    entries.push(Entry { key, start, end, value: raw });
                }
            }
            (RawKind::Map { .. }, None) => {
                let key = match &raw.kind {
                    RawKind::Text { text, .. } => text.clone(),
                    RawKind::Number(_) | RawKind::Bool(_) => self.source.text()[raw.start..raw.end].to_owned(),
                    RawKind::Null if raw.end > raw.start => self.source.text()[raw.start..raw.end].to_owned(),
                    _ => {
                        let cause = format!("a key of a map is text, this is {}", raw.what());
                        let fix = "a value that begins with `{`, `[` or `?` must be quoted";
                        return self.refuse(raw.start, raw.end, cause, fix);
                    }
                };
                open.key = Some((key, raw.start, raw.end));
            }
            _ => {}
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&events::Tag>,
        start: usize,
        end: usize,
    ) -> Result<Raw, Refused> {
        let as_text = match tag {
            None => false,
            Some(tag) if tag.is_yaml_core_schema() && tag.suffix() == "str" => true,
            Some(_) => return self.refuse(start, end, "YAML tags are not used here", "remove the tag"),
        };
        let (style, start, end) = match style {
            ScalarStyle::Plain => (Style::Plain, start, end),
            ScalarStyle::SingleQuoted => (Style::Single, start + 1, end.saturating_sub(1)),
            ScalarStyle::DoubleQuoted => (Style::Double, start + 1, end.saturating_sub(1)),
            ScalarStyle::Literal => (Style::Literal, start, end),
            ScalarStyle::Folded => (Style::Folded, start, end),
        };
        let end = end.max(start);
        let kind = if style != Style::Plain || as_text {
            RawKind::Text { text: text.to_owned(), style }
        } else if start == end {
            RawKind::Null
        } else {
            match text {
                "null" | "Null" | "NULL" | "~" => RawKind::Null,
                "true" | "True" | "TRUE" => RawKind::Bool(true),
                "false" | "False" | "FALSE" => RawKind::Bool(false),
                _ => match number(text) {
                    None => RawKind::Text { text: text.to_owned(), style },
                    Some(Numeral::Written(number)) => RawKind::Number(number),
                    Some(Numeral::LeadingZero(number)) => {
                        let cause = format!("`{text}` is a number: its leading zero does not count");
                        let place = self.source.place(start, end);
                        let fix = format!("quote it if it is text: \"{text}\"");
                        self.findings.push(Finding::warning(&codes::LEADING_ZERO, place, cause).fix(fix));
                        RawKind::Number(number)
                    }
                    Some(Numeral::Impossible) => {
                        let cause = format!("`{text}` is no number that consign can hold exactly");
                        return self.refuse(start, end, cause, "quote it if it is text");
                    }
                },
            }
        };
        Ok(Raw { kind, start, end })
    }

    fn refuse<T>(&mut self, start: usize, end: usize, cause: impl Into<String>, fix: &str) -> Result<T, Refused> {
        self.findings.push(Finding::error(&codes::YAML, self.source.place(start, end), cause).fix(fix));
        Err(Refused)
    }
}

enum Numeral {
    Written(String),
    LeadingZero(String),
    Impossible,
}

/// A number of the core schema as JSON would write it; `None` if the text is none.
fn number(text: &str) -> Option<Numeral> {
    let (sign, body) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    if matches!(body, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Numeral::Impossible);
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|c| c.is_digit(radix))
        {
            return Some(match u128::from_str_radix(digits, radix) {
                Ok(value) => Numeral::Written(value.to_string()),
                Err(_) => Numeral::Impossible,
            });
        }
    }
    let (mantissa, exponent) = match body.find(['e', 'E']) {
        Some(at) => (&body[..at], Some(&body[at + 1..])),
        None => (body, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let unsigned = exponent.map(|e| e.trim_start_matches(['+', '-']));
    if unsigned.is_some_and(|e| e.is_empty() || !digits(e) || exponent.is_some_and(|x| x.len() > e.len() + 1)) {
        return None;
    }
    let trimmed = whole.trim_start_matches('0');
    let mut out = format!("{sign}{}", if trimmed.is_empty() { "0" } else { trimmed });
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    if let Some(exponent) = exponent {
        out.push('e');
        out.push_str(exponent);
    }
    let leading = whole.len() > 1 && whole.starts_with('0');
    Some(if leading { Numeral::LeadingZero(out) } else { Numeral::Written(out) })
}

/// Keys whose values are expressions: where YAML breaks on such a line, the expression is why.
const EXPRESSION_KEYS: &[&str] = &["transform", "when", "validate", "that", "then", "otherwise", "for_each"];

/// What the scanner says, in words that help.
fn syntax(source: &Source, kind: &ErrorKind, at: usize) -> Finding {
    // The scanner points at the text that the tab is found to end.
    let at = match kind {
        ErrorKind::TabInPlainScalar => at + source.text()[at..].find('\t').unwrap_or_default(),
        _ => at,
    };
    let place = source.place(at, at + 1);
    let line = source.shown(place.line);
    let expression = EXPRESSION_KEYS.iter().find_map(|key| {
        let at = line.find(&format!("{key}:"))?;
        Some((*key, line[at + key.len() + 1..].trim()))
    });
    let listed = line.trim_start().strip_prefix("- ").map(str::trim_start).filter(|item| item.starts_with(['"', '\'']));
    match kind {
        ErrorKind::InvalidTrailingDoubleQuotedScalar | ErrorKind::InvalidTrailingSingleQuotedScalar
            if expression.is_some() || listed.is_some() =>
        {
            let written = expression.map_or(listed.unwrap_or_default(), |(_, rest)| rest);
            let cause = "an expression that begins with a quote ends for YAML at the second quote";
            let one = one_expression(written);
            let edit = one.and_then(|one| quoted_in(source, place.line, line, one));
            return Finding::error(&codes::EXPRESSION_QUOTE, place, cause).edit(edit).fix(match one {
                Some(written) => format!("quote it as a whole: {}", quoted(written)),
                None => "quote the expression as a whole, or let it stand on its own line after `|`".into(),
            });
        }
        ErrorKind::MappingValueNotAllowed
        | ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::InvalidColonPlacement
        | ErrorKind::InvalidMappingValueWhitespace
        | ErrorKind::UnexpectedCharacter { .. }
        | ErrorKind::FlowMappingValueAdjacentCollection
        | ErrorKind::MisplacedFlowCollectionEnd
        | ErrorKind::MismatchedFlowCollectionEnd { .. }
            if expression.is_some() =>
        {
            let (key, written) = expression.unwrap_or_default();
            let what = source.text()[at.min(source.text().len())..].chars().next().unwrap_or(' ');
            let cause = format!("YAML ends the expression of `{key}` before this `{what}`");
            let one = one_expression(written).filter(|_| !line.contains('{') || !line.trim_end().ends_with('}'));
            let fix = match one {
                Some(written) => format!("quote it: {key}: {}", quoted(written)),
                None => "quote the expression as a whole, or let it stand on its own line after `|`".into(),
            };
            let edit = one.and_then(|one| quoted_in(source, place.line, line, one));
            return Finding::error(&codes::EXPRESSION_CUT, place, cause).fix(fix).edit(edit);
        }
        _ => {}
    }
    let (cause, fix): (String, &str) = match kind {
        ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation => {
            ("a tab stands where YAML wants spaces".into(), "indent with spaces")
        }
        ErrorKind::TabInPlainScalar | ErrorKind::TabAtBlockScalarStart => {
            ("a tab stands where YAML allows none".into(), "use spaces, or quote the text")
        }
        ErrorKind::UnclosedFlowCollection { open } => (format!("`{open}` is not closed"), "close it"),
        ErrorKind::UnexpectedEofFlowMapping | ErrorKind::UnexpectedEofImplicitFlowMapping => {
            ("the file ends inside `{ }`".into(), "close it with `}`")
        }
        ErrorKind::UnexpectedEofFlowSequence => ("the file ends inside `[ ]`".into(), "close it with `]`"),
        ErrorKind::UnclosedQuotedScalar | ErrorKind::InvalidQuotedScalarIndent => {
            ("a quote is not closed".into(), "close it; text that begins with a quote must end with it")
        }
        ErrorKind::UnexpectedEof | ErrorKind::UnexpectedEofBlockMapping | ErrorKind::UnexpectedEofBlockSequence => {
            ("the file ends too early".into(), "is it whole?")
        }
        ErrorKind::MisplacedFlowCollectionEnd => ("a closing bracket has no opening one".into(), "remove it"),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            (format!("`{open}` is closed by `{close}`"), "close it with its partner")
        }
        ErrorKind::UnknownAnchor => ("this alias names no anchor before it".into(), "write the value out"),
        ErrorKind::UnexpectedCharacter { character } => {
            (format!("text cannot begin with `{character}` without quotes"), "quote it")
        }
        ErrorKind::MappingValueNotAllowed => (
            "a second `: ` stands in this value, or the line is indented too far".into(),
            "quote the value, or mend the indentation",
        ),
        ErrorKind::InvalidTrailingDoubleQuotedScalar | ErrorKind::InvalidTrailingSingleQuotedScalar => {
            ("text follows behind the closing quote".into(), "quote the value as a whole")
        }
        ErrorKind::ExpectedFlowMappingSeparator => {
            ("`,` or `}` is missing here".into(), "a value with `, { } [ ] :` must be quoted")
        }
        ErrorKind::ExpectedFlowSequenceSeparator => {
            ("`,` or `]` is missing here".into(), "a value with `, { } [ ] :` must be quoted")
        }
        ErrorKind::InvalidColonPlacement
        | ErrorKind::InvalidMappingValueWhitespace
        | ErrorKind::FlowMappingValueAdjacentCollection => {
            ("a `:` stands where none is allowed".into(), "is a bracket or quote before it not closed?")
        }
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::BlockSequenceEntryNotAllowed
        | ErrorKind::MappingKeyNotAllowed
        | ErrorKind::SimpleKeyExpected
        | ErrorKind::InvalidBlockScalarIndent
        | ErrorKind::InvalidFlowScalarIndent => {
            ("the line does not fit the lines before it".into(), "mend its indentation, or give the key its `:`")
        }
        ErrorKind::RecursionLimitExceeded => {
            (format!("values are nested deeper than {MAX_DEPTH} levels"), "make the structure flatter")
        }
        ErrorKind::DirectiveDisallowed => ("YAML directives are not used here".into(), "remove the line"),
        ErrorKind::UnknownQuotedScalarEscape => {
            ("`\\` begins no escape that YAML knows".into(), "write `\\\\`, or use single quotes")
        }
        other => (other.to_string(), "mend the text here or just before; `--explain config-yaml` says what is read"),
    };
    let edit = mend(source, kind, place.line);
    Finding::error(&codes::YAML, place, cause).fix(fix).edit(edit)
}

/// The change that puts an expression of a line into quotes, if the file can be read then.
fn quoted_in(source: &Source, number: u32, line: &str, expression: &str) -> Option<Edit> {
    let at = line.rfind(expression)?;
    let column = line[..at].chars().count() as u32 + 1;
    let edit = Edit::at(number, column, expression.chars().count() as u32, quoted(expression));
    readable(source, edit)
}

/// The change, if the file is YAML with it.
fn readable(source: &Source, edit: Edit) -> Option<Edit> {
    let text = edit.apply(source.text())?;
    let options = events::options! { flow_nesting_limit: MAX_DEPTH + 1, block_nesting_limit: MAX_DEPTH + 1, };
    let mut parser = Parser::new_from_str_with_options(&text, options);
    while let Some(next) = parser.next_event() {
        next.ok()?;
    }
    Some(edit)
}

/// The change of one line that lets the file be read: its indentation, or the bracket or quote that is
/// missing at its end.
fn mend(source: &Source, kind: &ErrorKind, number: u32) -> Option<Edit> {
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let closed = |line: u32, close: &str| {
        let text = source.shown(line);
        let end = text.find(" #").map_or(text, |at| &text[..at]).trim_end();
        readable(source, Edit::at(line, end.chars().count() as u32 + 1, 0, close))
    };
    match kind {
        ErrorKind::UnclosedFlowCollection { open: '[' } => closed(number, "]"),
        ErrorKind::UnclosedFlowCollection { open: '{' } => closed(number, " }"),
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::BlockSequenceEntryNotAllowed
        | ErrorKind::MappingValueNotAllowed => {
            // As deep as the keys of the line before, or one level deeper where that opens a map.
            let line = source.shown(number);
            let before = (1..number).rev().map(|at| source.shown(at)).find(|text| !text.trim().is_empty())?;
            let item = |text: &str| text.trim_start().starts_with("- ");
            let keys = indent(before) + if item(before) && !item(line) { 2 } else { 0 };
            let wanted = keys + if before.trim_end().ends_with(':') { 2 } else { 0 };
            let change = Edit::at(number, 1, indent(line) as u32, " ".repeat(wanted));
            (indent(line) != wanted || line.starts_with('\t')).then(|| readable(source, change))?
        }
        _ => None,
    }
}

/// The text up to a comment, if it may be one expression.
fn one_expression(written: &str) -> Option<&str> {
    let written = written.split(" #").next().unwrap_or(written).trim();
    (!written.is_empty() && !written.contains('\n')).then_some(written)
}

/// Text as a YAML scalar that means it exactly.
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(yaml: &str) -> (Option<Raw>, Vec<Finding>) {
        let mut findings = Vec::new();
        let source = Source::new("a.yaml", yaml);
        (parse(&source, &mut findings), findings)
    }

    /// The tree in a compact form, or the first finding.
    fn show(yaml: &str) -> String {
        fn write(raw: &Raw) -> String {
            match &raw.kind {
                RawKind::Null => "null".into(),
                RawKind::Bool(value) => value.to_string(),
                RawKind::Number(text) => format!("#{text}"),
                RawKind::Text { text, .. } => format!("{text:?}"),
                RawKind::List { items, .. } => format!("[{}]", items.iter().map(write).collect::<Vec<_>>().join(" ")),
                RawKind::Map { entries, .. } => format!(
                    "{{{}}}",
                    entries.iter().map(|e| format!("{}={}", e.key, write(&e.value))).collect::<Vec<_>>().join(" ")
                ),
            }
        }
        let (raw, findings) = tree(yaml);
        match (raw, findings.first()) {
            (Some(raw), None) => write(&raw),
            (_, Some(finding)) => {
                let place = finding.place.clone().unwrap();
                format!("{}:{} {}: {}", place.line, place.column, finding.code.id, finding.cause)
            }
            (None, None) => "nothing said".into(),
        }
    }

    #[test]
    fn core_schema() {
        for (yaml, expected) in [
            ("a: yes", r#"{a="yes"}"#),
            ("a: No", r#"{a="No"}"#),
            ("a: true", "{a=true}"),
            ("a:", "{a=null}"),
            ("a: ~", "{a=null}"),
            ("a: ''", r#"{a=""}"#),
            ("a: 35.990", "{a=#35.990}"),
            ("a: .5", "{a=#0.5}"),
            ("a: +7", "{a=#7}"),
            ("a: -7.", "{a=#-7}"),
            ("a: 1e+5", "{a=#1e+5}"),
            ("a: 1e", r#"{a="1e"}"#),
            ("a: 1e+-5", r#"{a="1e+-5"}"#),
            ("a: 0x1F", "{a=#31}"),
            ("a: 0o17", "{a=#15}"),
            ("a: 1_000", r#"{a="1_000"}"#),
            ("a: 12:30", r#"{a="12:30"}"#),
            ("a: 2024-01-01", r#"{a="2024-01-01"}"#),
            ("a: '5'", r#"{a="5"}"#),
            ("a: !!str 5", r#"{a="5"}"#),
            ("1: x\nnull: y\ntrue: z", r#"{1="x" null="y" true="z"}"#),
            ("a: &x {b: 1}\nc: *x", "{a={b=#1} c={b=#1}}"),
            ("a: |\n  x\n  y\n", r#"{a="x\ny\n"}"#),
        ] {
            assert_eq!(show(yaml), expected, "{yaml}");
        }
    }

    #[test]
    fn faults_have_a_place_and_plain_words() {
        for (yaml, expected) in [
            ("", "1:1 config-yaml: the file is empty"),
            ("# only\n", "1:1 config-yaml: the file is empty"),
            ("a: 1\nb: 2\na: 3", "3:1 config-duplicate-key: `a` is given twice in one map; the first is at 1:1"),
            ("a: 007", "1:4 config-leading-zero: `007` is a number: its leading zero does not count"),
            ("a: .inf", "1:4 config-yaml: `.inf` is no number that consign can hold exactly"),
            ("a: !!int 5", "1:10 config-yaml: YAML tags are not used here"),
            ("a: !x {b: 1}", "1:7 config-yaml: YAML tags are not used here"),
            ("<<: {a: 1}", "1:1 config-yaml: merge keys are no part of YAML 1.2"),
            ("? [a]\n: b", "1:3 config-yaml: a key of a map is text, this is a list"),
            ("a: b\n---\nc: d", "2:1 config-yaml: a second YAML document begins here; a file holds one"),
            ("a:\n\tb: 1", "2:2 config-yaml: a tab stands where YAML wants spaces"),
            ("a: \"x\n", "2:1 config-yaml: a quote is not closed"),
            ("b: [1, 2", "1:4 config-yaml: `[` is not closed"),
            ("a: *u", "1:4 config-yaml: this alias names no anchor before it"),
            ("a: &u [*u]", "1:8 config-yaml: an alias inside of what it names"),
            ("a: @x", "1:4 config-yaml: text cannot begin with `@` without quotes"),
            ("%YAML 1.1\n---\na: 1", "1:1 config-yaml: YAML directives are not used here"),
            (
                "transform: \"PROD_\" + value",
                "1:20 config-expression-quote: an expression that begins with a quote ends for YAML at the second quote",
            ),
            (
                "validate:\n  - 'x' == value",
                "2:9 config-expression-quote: an expression that begins with a quote ends for YAML at the second quote",
            ),
            (
                "transform: value > 1 ? \"a\" : \"b\"",
                "1:28 config-expression-cut: YAML ends the expression of `transform` before this `:`",
            ),
            (
                "{ target: a, transform: x ? b : c }",
                "1:31 config-expression-cut: YAML ends the expression of `transform` before this `:`",
            ),
        ] {
            assert_eq!(show(yaml), expected, "{yaml}");
        }
    }

    #[test]
    fn bombs_are_refused_at_once() {
        let mut laughs = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for level in 1..12 {
            let alias = format!("*a{}", level - 1);
            laughs += &format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(","));
        }
        assert!(show(&laughs).contains("more than 100000 values"));
        for deep in [
            "[".repeat(100_000),
            "- ".repeat(100_000),
            "{a: ".repeat(100_000),
            "a:\n".to_string() + &"  - \n".repeat(2),
        ] {
            let (_, findings) = tree(&deep);
            assert!(findings.len() < 3);
        }
        assert!(show(&"[".repeat(100)).contains("deeper than 64"));
    }

    #[test]
    fn text_that_multiplies_is_refused_at_once() {
        let long = "x".repeat(60_000);
        let many = format!("a: &a {long}\nb: [{}]\n", vec!["*a"; 20_000].join(",\n"));
        assert!(show(&many).contains("16 MiB of text"));
        assert!(show(&format!("a: {}\n", "x".repeat(70_000))).contains("longer than 64 KiB"));
        let flat = format!("a: [{}]\n", "1,".repeat(30_000));
        assert!(show(&flat).starts_with("{a=[#1"));
    }

    #[test]
    fn bytes_that_are_no_text() {
        let fault = |bytes: &[u8]| {
            let finding = text("a", bytes.to_vec()).unwrap_err();
            let place = finding.place.clone().unwrap();
            (place.line, place.column, finding.cause)
        };
        assert_eq!(fault(b"a: 1\nb: \xc3\x28"), (2, 4, "the bytes here are not UTF-8".into()));
        assert_eq!(fault(b"\xff\xfea\0"), (1, 1, "the file is UTF-16".into()));
        assert_eq!(fault(b"a: \0"), (1, 4, "a NUL byte stands in the file".into()));
        assert_eq!(text("a", b"\xef\xbb\xbfa: 1".to_vec()).unwrap(), "a: 1");
    }
}
