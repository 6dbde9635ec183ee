//! The records of one JSON document, cut out of it without holding more than a record.
//!
//! What stands around the array is small: it is kept, and checked as a document of its own
//! (with the array emptied) when the end is there. The elements are checked by the decoder.

use std::borrow::Cow;

use super::parse::{Rules, check};
use super::scan::Scanner;
use crate::connect::formats::{self, characters};
use crate::connect::{Cut, Framing, Header, Opening};
use crate::error::codes::formats::{FORMAT_RECORD_SIZE, JSON_DOCUMENT};
use crate::error::{Error, Kind, Result};
use crate::record::Position;

/// Framing of one document.
pub(super) struct DocumentFraming {
    keys: Vec<String>,
    rules: Rules,
    max_record_bytes: usize,
    /// Everything before the first record.
    head: Vec<u8>,
    /// The record is the one object that begins after the head, not the elements of an array.
    single: bool,
    before: Before,
    /// Bytes and lines before the buffer, to say where a fault is.
    bytes: u64,
    lines: u64,
    /// Characters of the buffer's first line before the buffer; unknown after resuming.
    column: Option<usize>,
}

/// What stands before the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    /// The opening bracket.
    Bracket,
    /// A comma: a value must follow.
    Comma,
    /// A value: a comma or the closing bracket must follow.
    Value,
    /// Not known, because reading resumed here.
    Anything,
}

/// What the way along the keys has led to.
enum Found {
    /// After the bracket of an array.
    Array(usize),
    /// At the brace of an object.
    Object(usize),
    /// The bytes end before it.
    More,
}

impl DocumentFraming {
    pub(super) fn new(keys: Vec<String>, rules: Rules, max_record_bytes: usize) -> Self {
        Self {
            keys,
            rules,
            max_record_bytes,
            head: Vec::new(),
            single: false,
            before: Before::Bracket,
            bytes: 0,
            lines: 0,
            column: Some(0),
        }
    }

    /// Follows the keys from the top of the document.
    fn seek(&self, buffer: &[u8], from: usize) -> Result<Found> {
        let mut at = space(buffer, from);
        for key in &self.keys {
            match buffer.get(at) {
                None => return Ok(Found::More),
                Some(b'{') => at = space(buffer, at + 1),
                Some(_) => {
                    return Err(self.broken(buffer, at, format!("`{key}` was looked for and no object stands here")));
                }
            }
            loop {
                let start = at;
                match buffer.get(at) {
                    None => return Ok(Found::More),
                    Some(b'"') => {}
                    Some(_) => return Err(self.broken(buffer, at, format!("the key `{key}` is not there"))),
                }
                let Some(end) = Scanner::default().scan(&buffer[at..], |byte| byte == b':') else {
                    return Ok(Found::More);
                };
                let name = serde_json::from_slice::<Cow<'_, str>>(buffer[start..start + end].trim_ascii_end());
                at = space(buffer, start + end + 1);
                if name.is_ok_and(|name| name == key.as_str()) {
                    break;
                }
                let Some(length) = Scanner::default().element(&buffer[at..]) else { return Ok(Found::More) };
                at += length;
                if buffer[at] != b',' {
                    return Err(self.broken(buffer, at, format!("the key `{key}` is not there")));
                }
                at = space(buffer, at + 1);
            }
        }
        match buffer.get(at) {
            None => Ok(Found::More),
            Some(b'[') => Ok(Found::Array(at + 1)),
            Some(b'{') => Ok(Found::Object(at)),
            Some(_) => Err(self.broken(buffer, at, "neither an array of records nor an object stands here".into())),
        }
    }

    /// The elements in the buffer.
    fn elements(&mut self, buffer: &[u8], eof: bool) -> Result<Cut> {
        let (mut at, mut before) = (0, self.before);
        let mut boundary = None;
        loop {
            at = space(buffer, at);
            match buffer.get(at) {
                None => break,
                Some(b']') => {
                    if before == Before::Comma {
                        return Err(self.broken(buffer, at, "after a comma a record is missing".into()));
                    }
                    if !eof && at > 0 {
                        return Ok(self.cut_at(buffer, at, before));
                    }
                    if !eof {
                        break;
                    }
                    self.surroundings(b"", &buffer[at..], buffer, at)?;
                    let Cut::At { bytes, lines } = self.cut_at(buffer, at, before) else { return Ok(Cut::More) };
                    return Ok(Cut::End { bytes, lines });
                }
                Some(b',') => {
                    if matches!(before, Before::Comma | Before::Bracket) {
                        return Err(self.broken(buffer, at, "before a comma a record is missing".into()));
                    }
                    at += 1;
                    before = Before::Comma;
                    boundary = Some(at);
                }
                Some(b'}') => return Err(self.broken(buffer, at, "the array is not closed before this `}`".into())),
                Some(_) => {
                    if before == Before::Value {
                        return Err(self.broken(buffer, at, "between two records a comma is missing".into()));
                    }
                    let Some(length) = Scanner::default().element(&buffer[at..]) else { break };
                    at += length;
                    before = Before::Value;
                }
            }
        }
        match boundary {
            _ if eof => Err(self.broken(buffer, buffer.len(), "the array of records is not closed".into())),
            Some(boundary) => Ok(self.cut_at(buffer, boundary, Before::Comma)),
            None => self.more(buffer),
        }
    }

    /// The one object in the buffer.
    fn object(&mut self, buffer: &[u8], eof: bool) -> Result<Cut> {
        if !eof {
            return self.more(buffer);
        }
        if buffer.first() != Some(&b'{') {
            return Ok(Cut::End { bytes: 0, lines: 0 });
        }
        let Some(inner) = Scanner::default().scan(&buffer[1..], |byte| byte == b'}') else {
            return Err(self.broken(buffer, buffer.len(), "the object is not closed".into()));
        };
        let end = inner + 2;
        self.surroundings(b"null", &buffer[end..], buffer, end)?;
        Ok(Cut::End { bytes: end, lines: count(&buffer[..end]) })
    }

    fn cut_at(&mut self, buffer: &[u8], bytes: usize, before: Before) -> Cut {
        let lines = count(&buffer[..bytes]);
        self.before = before;
        self.pass(&buffer[..bytes]);
        self.bytes += bytes as u64;
        self.lines += lines;
        Cut::At { bytes, lines }
    }

    /// Keeps count of the column.
    fn pass(&mut self, bytes: &[u8]) {
        self.column = match memchr::memrchr(b'\n', bytes) {
            Some(feed) => Some(characters(&bytes[feed + 1..])),
            None => self.column.map(|column| column + characters(bytes)),
        };
    }

    fn more(&self, buffer: &[u8]) -> Result<Cut> {
        if buffer.len() <= self.max_record_bytes {
            return Ok(Cut::More);
        }
        Err(self.too_large())
    }

    fn too_large(&self) -> Error {
        Error::new(Kind::Failed, &FORMAT_RECORD_SIZE, format!("no record ends within {} bytes", self.max_record_bytes))
            .fact("line", self.lines + 1)
            .fact("byte", self.bytes)
            .hint("if the records lie deeper in the document, say where with `records:`; else raise `max_record_bytes`")
    }

    /// Checks the document with the records taken out.
    fn surroundings(&self, record: &[u8], tail: &[u8], buffer: &[u8], at: usize) -> Result<()> {
        let around = [&self.head, record, tail].concat();
        let rules = Rules { max_depth: self.rules.max_depth.max(self.keys.len() + 1), ..self.rules };
        let kept = self.head.len() + record.len();
        let fault = match std::str::from_utf8(&around) {
            Ok(text) => match check(text, rules) {
                Ok(()) => return Ok(()),
                Err(fault) => (fault.at, fault.cause.to_string()),
            },
            Err(error) => (error.valid_up_to(), "a byte is not UTF-8".into()),
        };
        if fault.0 < kept {
            return Err(Error::new(Kind::Failed, &JSON_DOCUMENT, format!("before the records: {}", fault.1))
                .fact("line", count(&self.head[..fault.0.min(self.head.len())]) + 1)
                .fact("byte", fault.0));
        }
        Err(self.broken(buffer, at + fault.0 - kept, format!("after the records: {}", fault.1)))
    }

    fn broken(&self, buffer: &[u8], at: usize, cause: String) -> Error {
        let before = &buffer[..at.min(buffer.len())];
        let error = Error::new(Kind::Failed, &JSON_DOCUMENT, cause).fact("line", self.lines + count(before) + 1);
        let column = match memchr::memrchr(b'\n', before) {
            Some(feed) => Some(characters(&before[feed + 1..])),
            None => self.column.map(|column| column + characters(before)),
        };
        let error = match column {
            Some(column) => error.fact("column", column + 1),
            None => error,
        };
        error.fact("byte", self.bytes + at as u64)
    }
}

impl Framing for DocumentFraming {
    fn open(&mut self, buffer: &[u8], eof: bool) -> Result<Option<Opening>> {
        let Some(mark) = formats::mark(buffer, eof)? else { return Ok(None) };
        let bytes = match self.seek(buffer, mark)? {
            Found::Array(at) => at,
            Found::Object(at) => {
                self.single = true;
                at
            }
            Found::More if eof => {
                let cause = match space(buffer, mark) == buffer.len() {
                    true => "the document is empty",
                    false => "the document ends before its records",
                };
                return Err(self.broken(buffer, buffer.len(), cause.into()));
            }
            Found::More if buffer.len() > self.max_record_bytes => return Err(self.too_large()),
            Found::More => return Ok(None),
        };
        self.head = buffer[mark..bytes].to_vec();
        self.pass(&buffer[mark..bytes]);
        self.bytes = bytes as u64;
        self.lines = count(&buffer[..bytes]);
        Ok(Some(Opening { bytes, lines: self.lines, header: Header::default() }))
    }

    fn cut(&mut self, buffer: &[u8], eof: bool) -> Result<Cut> {
        if self.single { self.object(buffer, eof) } else { self.elements(buffer, eof) }
    }

    fn resume(&mut self, position: &Position) {
        if position.byte > self.bytes {
            self.before = Before::Anything;
            self.column = None;
        }
        self.bytes = position.byte;
        self.lines = position.line;
    }

    fn can_grow(&self) -> bool {
        false
    }
}

fn space(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count()
}

fn count(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}
