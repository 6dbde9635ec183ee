//! From a part of JSON to rows: one record per line, or the elements of an array.

use memchr::memchr;

use super::parse::{Fault, Parser, Rules};
use super::project::Node;
use super::scan::Scanner;
use crate::connect::formats::characters;
use crate::connect::{Decoder, Part, RecordError, Rows};
use crate::error::Result;
use crate::error::codes::formats::{FORMAT_ENCODING, JSON_SYNTAX};
use crate::record::{Arena, Projection, Row, Value};

/// Decoder of one worker, for lines and for elements (as the rules say).
pub(in crate::connect::formats) struct JsonDecoder {
    rules: Rules,
}

impl JsonDecoder {
    pub fn new(rules: Rules) -> Self {
        Self { rules }
    }
}

impl Decoder for JsonDecoder {
    fn decode<'a>(
        &mut self,
        part: &'a Part,
        projection: &Projection,
        arena: &'a Arena,
        rows: &mut dyn Rows<'a>,
    ) -> Result<()> {
        let mut walk = Walk {
            part,
            whole_lines: self.rules.lines,
            bytes: &part.bytes,
            text: simdutf8::basic::from_utf8(&part.bytes).ok(),
            plan: Node::new(projection),
            slots: projection.paths.len(),
            parser: Parser::new(self.rules, arena),
            arena,
            rows,
            index: 0,
            line: 0,
            counted: 0,
            next_line: 0,
        };
        if self.rules.lines {
            walk.lines();
        } else {
            walk.elements();
        }
        Ok(())
    }
}

struct Walk<'a, 'r> {
    part: &'a Part,
    /// Whether the part begins where a line does.
    whole_lines: bool,
    bytes: &'a [u8],
    /// The whole part, if it is UTF-8 throughout.
    text: Option<&'a str>,
    plan: Node,
    slots: usize,
    parser: Parser<'a>,
    arena: &'a Arena,
    rows: &'r mut dyn Rows<'a>,
    index: u32,
    /// Line ends before `counted`.
    line: u32,
    counted: usize,
    /// Where the next one may be: none stands between `counted` and it.
    next_line: usize,
}

impl<'a> Walk<'a, '_> {
    fn lines(&mut self) {
        let mut at = 0;
        while at < self.bytes.len() {
            let start = at;
            let feed = memchr(b'\n', &self.bytes[start..]).map(|found| start + found);
            let mut end = feed.unwrap_or(self.bytes.len());
            at = end + 1;
            if end > start && self.bytes[end - 1] == b'\r' {
                end -= 1;
            }
            // Blank lines are no records; a record begins with `{`, so that this is seldom asked.
            let blank = self.bytes.get(start) != Some(&b'{')
                && self.bytes[start..end].iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'));
            if !blank && !self.record(start, end) {
                return;
            }
            self.line += 1;
            self.counted = at;
        }
    }

    /// The one record of a line.
    #[inline]
    fn record(&mut self, start: usize, end: usize) -> bool {
        let text = match self.text {
            Some(text) => &text[start..end],
            None => match std::str::from_utf8(&self.bytes[start..end]) {
                Ok(text) => text,
                Err(error) => return self.bad_text(start, end, start + error.valid_up_to()),
            },
        };
        let values = self.arena.alloc_slice_fill_copy(self.slots, Value::Missing);
        self.parser.turn_to(text, 0);
        match self.parser.record(&self.plan, values).and_then(|()| self.parser.end()) {
            Ok(()) => self.row(values, start, end),
            Err(fault) => self.bad(&fault, start, end, start + fault.at),
        }
    }

    fn elements(&mut self) {
        let mut at = 0;
        loop {
            while let Some(b' ' | b'\n' | b'\r' | b'\t' | b',') = self.bytes.get(at) {
                at += 1;
            }
            let start = at;
            if start == self.bytes.len() || self.bytes[start] == b']' {
                return;
            }
            self.count_lines(start);
            let (text, base) = match self.text {
                Some(text) => (text, 0),
                None => {
                    let end = element_end(self.bytes, start);
                    match std::str::from_utf8(&self.bytes[start..end]) {
                        Ok(text) => (text, start),
                        Err(error) => {
                            at = end;
                            if !self.bad_text(start, end, start + error.valid_up_to()) {
                                return;
                            }
                            continue;
                        }
                    }
                }
            };
            let values = self.arena.alloc_slice_fill_copy(self.slots, Value::Missing);
            self.parser.turn_to(text, start - base);
            let outcome = self.parser.record(&self.plan, values);
            let end = base + self.parser.at();
            let go_on = match outcome {
                Ok(()) => match self.after_element(end) {
                    None => {
                        at = end;
                        self.row(values, start, end)
                    }
                    Some(other) => {
                        at = element_end(self.bytes, start).max(other);
                        let cause = "something follows the record: a comma or `]` is missing".into();
                        self.bad(&Fault { code: &JSON_SYNTAX, cause, field: None, at: other }, start, at, other)
                    }
                },
                Err(fault) => {
                    at = element_end(self.bytes, start).max(start + 1);
                    self.bad(&fault, start, at, (base + fault.at).min(at))
                }
            };
            if !go_on {
                return;
            }
        }
    }

    /// Counts the line ends before a byte. Most answers are one line, which is seen once.
    #[inline]
    fn count_lines(&mut self, until: usize) {
        if self.next_line < until {
            self.line += memchr::memchr_iter(b'\n', &self.bytes[self.counted..until]).count() as u32;
            self.next_line = memchr(b'\n', &self.bytes[until..]).map_or(usize::MAX, |found| until + found);
        }
        self.counted = until;
    }

    /// What stands after an element and is neither a comma nor a bracket nor the end.
    fn after_element(&self, end: usize) -> Option<usize> {
        let at = end + self.bytes[end..].iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))?;
        (!matches!(self.bytes[at], b',' | b']')).then_some(at)
    }

    #[inline]
    fn row(&mut self, slots: &'a [Value<'a>], start: usize, end: usize) -> bool {
        let row = Row { slots, raw: &self.bytes[start..end], index: self.index, line: self.line };
        self.index += 1;
        self.rows.row(row)
    }

    #[cold]
    fn bad_text(&mut self, start: usize, end: usize, byte: usize) -> bool {
        let cause = "a byte is not UTF-8: say which encoding the file has, for example `encoding: windows-1252`";
        let fault = Fault { code: &FORMAT_ENCODING, cause: cause.into(), field: None, at: 0 };
        self.bad(&fault, start, end, byte)
    }

    #[cold]
    fn bad(&mut self, fault: &Fault, start: usize, end: usize, byte: usize) -> bool {
        let column = match memchr::memrchr(b'\n', &self.bytes[..byte]) {
            Some(feed) => characters(&self.bytes[feed + 1..byte]) + 1,
            None if self.whole_lines => characters(&self.bytes[..byte]) + 1,
            // A part of a document may begin in the middle of a line: of the first line the
            // beginning is known (what stands before the part counts by its bytes).
            None if self.part.start.line == 0 => self.part.start.byte as usize + characters(&self.bytes[..byte]) + 1,
            None => 0,
        };
        let error = RecordError {
            code: fault.code,
            cause: fault.cause.to_string(),
            field: fault.field.clone(),
            index: self.index,
            line: self.line + memchr::memchr_iter(b'\n', &self.bytes[start..byte]).count() as u32,
            column: u32::try_from(column).unwrap_or(0),
            byte,
            start,
            end,
        };
        self.index += 1;
        self.rows.bad(error)
    }
}

/// Where the element that begins at `start` ends, be it well formed or not.
fn element_end(bytes: &[u8], start: usize) -> usize {
    let mut scanner = Scanner::default();
    scanner.element(&bytes[start..]).map_or(bytes.len(), |length| start + length)
}
