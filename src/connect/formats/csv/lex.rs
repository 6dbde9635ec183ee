//! One record of CSV, field by field: the grammar that framing and decoder share.
//!
//! A quote opens a quoted field only as the field's first character; elsewhere it is text.
//! Records end with LF, CRLF or CR.

use memchr::{memchr, memchr2, memchr3};

use super::Dialect;

/// A field: its text without the quotes around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// First byte.
    pub start: usize,
    /// After the last byte.
    pub end: usize,
    /// Whether quotes stood around it.
    pub quoted: bool,
    /// Whether escapes are in it.
    pub escaped: bool,
}

/// What is wrong with the quotes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// The quote that opened here never closes.
    Open(usize),
    /// After a closing quote something else stands here.
    After(usize),
}

/// Where a record ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lexed {
    /// After its last byte, without the line end.
    pub end: usize,
    /// Where the next one begins.
    pub next: usize,
    /// The first thing wrong with it.
    pub flaw: Option<Flaw>,
}

/// Reads the record that begins at `start`; its fields are appended to `fields`.
pub(super) fn record(dialect: &Dialect, bytes: &[u8], start: usize, fields: &mut Vec<Span>) -> Lexed {
    let (mut at, mut flaw) = (start, None);
    loop {
        let begin = at;
        let mut field = Span { start: begin, end: begin, quoted: false, escaped: false };
        if dialect.quote.is_some() && bytes.get(at) == dialect.quote.as_ref() {
            let (close, escaped) = closing(dialect, bytes, at + 1);
            field = Span { start: at + 1, end: close.unwrap_or(bytes.len()), quoted: true, escaped };
            match close {
                None => {
                    fields.push(field);
                    return Lexed { end: bytes.len(), next: bytes.len(), flaw: flaw.or(Some(Flaw::Open(begin))) };
                }
                Some(close) => at = close + 1,
            }
        }
        let after = at;
        at = memchr3(dialect.delimiter, b'\n', b'\r', &bytes[at..]).map_or(bytes.len(), |found| after + found);
        if !field.quoted {
            field.end = at;
        } else if at > after {
            flaw = flaw.or(Some(Flaw::After(after)));
        }
        fields.push(field);
        match bytes.get(at) {
            Some(byte) if *byte == dialect.delimiter => at += 1,
            Some(b'\r') if bytes.get(at + 1) == Some(&b'\n') => return Lexed { end: at, next: at + 2, flaw },
            Some(_) => return Lexed { end: at, next: at + 1, flaw },
            None => return Lexed { end: at, next: at, flaw },
        }
    }
}

/// The quote that closes a field whose text begins at `from`, and whether escapes stand before it.
pub(super) fn closing(dialect: &Dialect, bytes: &[u8], from: usize) -> (Option<usize>, bool) {
    let Some(quote) = dialect.quote else { return (None, false) };
    let (mut at, mut escaped) = (from, false);
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let found = if dialect.backslash { memchr2(quote, b'\\', rest) } else { memchr(quote, rest) };
        let Some(found) = found.map(|found| at + found) else { return (None, escaped) };
        if bytes[found] != quote || bytes.get(found + 1) == Some(&quote) {
            escaped = true;
            at = found + 2;
        } else {
            return (Some(found), escaped);
        }
    }
}

/// Gives out the text of a quoted field without its escapes, piece by piece.
pub(super) fn unescape(dialect: &Dialect, text: &str, mut out: impl FnMut(&str)) {
    let quote = dialect.quote.unwrap_or(b'"');
    let mut rest = text;
    loop {
        let bytes = rest.as_bytes();
        let found = if dialect.backslash { memchr2(quote, b'\\', bytes) } else { memchr(quote, bytes) };
        // What follows the escape stands for itself, whatever it is.
        let Some(found) = found.filter(|found| found + 1 < bytes.len()) else { break };
        out(&rest[..found]);
        let kept = rest[found + 1..].chars().next().map_or(0, char::len_utf8);
        out(&rest[found + 1..found + 1 + kept]);
        rest = &rest[found + 1 + kept..];
    }
    out(rest);
}

/// How many lines end in these bytes: at LF, CRLF or CR.
pub(super) fn line_ends(bytes: &[u8]) -> u64 {
    (memchr::memchr_iter(b'\n', bytes).count() + lone_returns(bytes)) as u64
}

/// How many CR there are that no LF follows.
pub(super) fn lone_returns(bytes: &[u8]) -> usize {
    let Some(first) = memchr(b'\r', bytes) else { return 0 };
    let bytes = &bytes[first..];
    // Without a branch, so that the compiler takes many bytes at once.
    let lone = |(byte, next): (&u8, &u8)| u8::from(*byte == b'\r') & u8::from(*next != b'\n');
    let inner: usize = bytes
        .chunks(255)
        .zip(bytes[1..].chunks(255))
        .map(|(here, next)| usize::from(here.iter().zip(next).map(lone).sum::<u8>()))
        .sum();
    inner + usize::from(bytes.last() == Some(&b'\r'))
}
