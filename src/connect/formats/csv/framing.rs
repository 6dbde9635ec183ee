//! Where the header ends and where a buffer of CSV can be cut, in one pass at most.

use memchr::{memchr, memrchr2};

use super::lex::{self, Flaw};
use super::{Dialect, repeated};
use crate::connect::{Cut, Framing, Header, Opening, formats};
use crate::error::codes::formats::{CSV_HEADER, CSV_QUOTE, FORMAT_ENCODING, FORMAT_RECORD_SIZE};
use crate::error::{Error, Kind, Result};
use crate::record::Position;

/// Framing of one slice.
pub(super) struct CsvFraming {
    dialect: Dialect,
    /// Lines and bytes before the buffer, to name the place of an open quote.
    lines: u64,
    bytes: u64,
}

impl CsvFraming {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, lines: 0, bytes: 0 }
    }

    /// The start of the first record that is neither blank nor a comment, if it is in the buffer.
    fn first_record(&self, buffer: &[u8], mut at: usize, eof: bool) -> Option<usize> {
        for _ in 0..self.dialect.skip_lines {
            match after_line(buffer, at, eof) {
                Some(next) => at = next,
                None => return eof.then_some(buffer.len()),
            }
        }
        // In a file of one column a blank line is a record that holds null.
        let blank_is_record = !self.dialect.header && self.dialect.columns.len() == 1;
        loop {
            match buffer.get(at) {
                Some(b'\n' | b'\r') if !blank_is_record => at = after_line(buffer, at, eof)?,
                Some(byte) if Some(*byte) == self.dialect.comment => match after_line(buffer, at, eof) {
                    Some(next) => at = next,
                    None => return eof.then_some(buffer.len()),
                },
                Some(_) => return Some(at),
                None => return eof.then_some(at),
            }
        }
    }

    /// Names from the first record, the options, or thin air.
    fn names(&self, buffer: &[u8], fields: &[lex::Span], line: u64) -> Result<Vec<String>> {
        let fail = |cause: String| Error::new(Kind::Invalid, &CSV_HEADER, cause).fact("line", line);
        let given = &self.dialect.columns;
        if !given.is_empty() {
            if given.len() != fields.len() {
                return Err(fail(format!(
                    "`columns` has {} names, the first record {} fields",
                    given.len(),
                    fields.len()
                )));
            }
            return Ok(given.clone());
        }
        if !self.dialect.header {
            return Ok((1..=fields.len()).map(|number| format!("column{number}")).collect());
        }
        let mut names = Vec::with_capacity(fields.len());
        for (index, field) in fields.iter().enumerate() {
            let Ok(text) = std::str::from_utf8(&buffer[field.start..field.end]) else {
                return Err(Error::new(Kind::Failed, &FORMAT_ENCODING, "the header is not UTF-8")
                    .fact("line", line)
                    .fact("column", index + 1)
                    .hint("say which encoding the file has, for example `encoding: windows-1252`"));
            };
            let mut name = String::with_capacity(text.len());
            match field.escaped {
                true => lex::unescape(&self.dialect, text, |piece| name.push_str(piece)),
                false => name.push_str(text),
            }
            if self.dialect.trim && !field.quoted {
                name = name.trim_matches([' ', '\t']).to_string();
            }
            if name.is_empty() {
                name = format!("column{}", index + 1);
            }
            names.push(name);
        }
        if !self.dialect.number_duplicates {
            return match repeated(&names) {
                None => Ok(names),
                Some(twice) => Err(fail(format!("the header has `{twice}` twice")).hint(format!(
                    "with `duplicate_headers: number` the second one becomes `{twice}_2`; or name all with `columns: [...]`"
                ))),
            };
        }
        let mut taken: std::collections::HashSet<String> = names.iter().cloned().collect();
        let mut seen = std::collections::HashSet::new();
        for name in &mut names {
            if seen.insert(name.clone()) {
                continue;
            }
            if let Some(free) = (2_u32..).map(|number| format!("{name}_{number}")).find(|free| !taken.contains(free)) {
                taken.insert(free.clone());
                seen.insert(free.clone());
                *name = free;
            }
        }
        Ok(names)
    }

    fn too_large(&self) -> Error {
        Error::new(
            Kind::Failed,
            &FORMAT_RECORD_SIZE,
            format!("no record ends within {} bytes", self.dialect.max_record_bytes),
        )
        .fact("line", self.lines + 1)
        .fact("byte", self.bytes)
        .hint("check the delimiter, the quotes and the line ends, or raise `max_record_bytes`")
    }

    /// The last record boundary in the buffer, and the quote that is open at its end.
    fn boundary(&self, buffer: &[u8], eof: bool) -> (usize, Option<usize>) {
        let quote = self.dialect.quote.filter(|quote| memchr(*quote, buffer).is_some());
        let Some(quote) = quote else { return (last_line(buffer, 0, buffer.len(), eof).unwrap_or(0), None) };
        let (mut last, mut at, mut outside) = (0, 0, 0);
        // Comments may hold quotes that mean nothing: they are known by the line they begin.
        let comments = self.dialect.comment.filter(|comment| memchr(*comment, buffer).is_some());
        loop {
            let found = match comments {
                None => memchr(quote, &buffer[at..]),
                Some(comment) => memchr::memchr2(quote, comment, &buffer[at..]),
            };
            let Some(found) = found.map(|found| at + found) else { break };
            let before = found.checked_sub(1).map(|before| buffer[before]);
            let line_start = matches!(before, None | Some(b'\n' | b'\r'));
            if buffer[found] != quote {
                at = found + 1;
                if line_start {
                    at = memchr::memchr2(b'\n', b'\r', &buffer[at..]).map_or(buffer.len(), |end| at + end);
                }
                continue;
            }
            if !line_start && before != Some(self.dialect.delimiter) {
                at = found + 1;
                continue;
            }
            last = last_line(buffer, outside, found, true).unwrap_or(last);
            match lex::closing(&self.dialect, buffer, found + 1).0 {
                Some(close) => (at, outside) = (close + 1, close + 1),
                None => return (last, Some(found)),
            }
        }
        (last_line(buffer, outside, buffer.len(), eof).unwrap_or(last), None)
    }
}

impl Framing for CsvFraming {
    fn open(&mut self, buffer: &[u8], eof: bool) -> Result<Option<Opening>> {
        let Some(mark) = formats::mark(buffer, eof)? else { return Ok(None) };
        let whole = self.first_record(buffer, mark, eof).and_then(|start| {
            let mut fields = Vec::new();
            let lexed = lex::record(&self.dialect, buffer, start, &mut fields);
            // A CR at the end of the buffer may be half of a line end.
            let ended = lexed.next < buffer.len() || (lexed.next > lexed.end && buffer[lexed.next - 1] == b'\n');
            (eof || ended).then_some((start, fields, lexed))
        });
        let Some((start, fields, lexed)) = whole else {
            return if buffer.len() > self.dialect.max_record_bytes { Err(self.too_large()) } else { Ok(None) };
        };
        let line = lex::line_ends(&buffer[..start]) + 1;
        if start == buffer.len() {
            self.lines = line - 1;
            let header = Header { columns: self.dialect.columns.clone() };
            return Ok(Some(Opening { bytes: start, lines: line - 1, header }));
        }
        if let Some(flaw) = lexed.flaw {
            let cause = match flaw {
                Flaw::Open(_) => "a quote in the first record is open at the end of the file",
                Flaw::After(_) => "text stands after a closing quote in the first record",
            };
            return Err(Error::new(Kind::Failed, &CSV_QUOTE, cause).fact("line", line));
        }
        let columns = self.names(buffer, &fields, line)?;
        let bytes = if self.dialect.header { lexed.next } else { start };
        let lines = lex::line_ends(&buffer[..bytes]);
        self.lines = lines;
        self.bytes = bytes as u64;
        Ok(Some(Opening { bytes, lines, header: Header { columns } }))
    }

    fn cut(&mut self, buffer: &[u8], eof: bool) -> Result<Cut> {
        let (boundary, open) = self.boundary(buffer, eof);
        if eof {
            if let Some(open) = open {
                let line = self.lines + lex::line_ends(&buffer[..open]) + 1;
                let line_start = memrchr2(b'\n', b'\r', &buffer[..open]).map_or(0, |end| end + 1);
                return Err(Error::new(
                    Kind::Failed,
                    &CSV_QUOTE,
                    format!("open quote: the quote in line {line} is not closed before the end"),
                )
                .fact("line", line)
                .fact("column", formats::characters(&buffer[line_start..open]) + 1)
                .fact("byte", self.bytes + open as u64)
                .hint("close the quote, or set `quote: none` if quotes mean nothing in this file"));
            }
            let lines = lex::line_ends(buffer);
            self.lines += lines;
            self.bytes += buffer.len() as u64;
            return Ok(Cut::At { bytes: buffer.len(), lines });
        }
        if boundary == 0 {
            return if buffer.len() > self.dialect.max_record_bytes { Err(self.too_large()) } else { Ok(Cut::More) };
        }
        let lines = lex::line_ends(&buffer[..boundary]);
        self.lines += lines;
        self.bytes += boundary as u64;
        Ok(Cut::At { bytes: boundary, lines })
    }

    fn resume(&mut self, position: &Position) {
        self.lines = position.line;
        self.bytes = position.byte;
    }

    fn can_grow(&self) -> bool {
        true
    }
}

/// After the line that `at` lies in.
fn after_line(buffer: &[u8], at: usize, eof: bool) -> Option<usize> {
    let end = at + memchr::memchr2(b'\n', b'\r', &buffer[at..])?;
    match (buffer[end], buffer.get(end + 1)) {
        (b'\r', Some(b'\n')) => Some(end + 2),
        (b'\r', None) if !eof => None,
        _ => Some(end + 1),
    }
}

/// After the last line end in `from..to`. A CR as the very last byte counts only if `whole`.
fn last_line(buffer: &[u8], from: usize, to: usize, whole: bool) -> Option<usize> {
    let found = from + memrchr2(b'\n', b'\r', &buffer[from..to])?;
    if buffer[found] == b'\r' && found + 1 == to && !whole {
        return memrchr2(b'\n', b'\r', &buffer[from..found]).map(|earlier| from + earlier + 1);
    }
    Some(found + 1)
}
