//! The records of one XML document, cut out of it without reading them: only tags of the record's own
//! name are looked at. What stands around them is checked here as strictly as the decoder would.

use super::around::{Around, Step, record_end};
use super::lexer::{Fault, Lexer, Parsed};
use super::names::Names;
use crate::connect::formats::{self, characters};
use crate::connect::{Cut, Framing, Header, Opening};
use crate::error::codes::formats::{FORMAT_ENCODING, FORMAT_RECORD_SIZE, XML_DOCTYPE, XML_DOCUMENT, XML_SYNTAX};
use crate::error::{Code, Error, Kind, Result};
use crate::record::Position;

/// Longest XML declaration that is waited for.
const DECLARATION_BYTES: usize = 1024;

/// Framing of one document.
pub(super) struct XmlFraming {
    names: Names,
    around: Around,
    max_record_bytes: usize,
    /// Bytes and lines before the buffer, to say where a fault is.
    bytes: u64,
    lines: u64,
    /// Characters of the buffer's first line before the buffer; unknown after resuming.
    column: Option<usize>,
}

impl XmlFraming {
    pub(super) fn new(names: Names, around: Around, max_record_bytes: usize) -> Self {
        Self { names, around, max_record_bytes, bytes: 0, lines: 0, column: Some(0) }
    }

    /// Walks over all that is whole; how many bytes that is.
    fn walk(&mut self, buffer: &[u8], eof: bool) -> Result<usize> {
        let mut done = 0;
        loop {
            // What is no UTF-8 may be inside a record, which is not looked at: the text of what
            // stands around is taken up to there, and again behind the record.
            let text = match std::str::from_utf8(&buffer[done..]) {
                Ok(text) => text,
                Err(error) => std::str::from_utf8(&buffer[done..done + error.valid_up_to()]).unwrap_or_default(),
            };
            let cut_short = done + text.len() < buffer.len();
            let mut lexer = Lexer::new(text, eof && !cut_short);
            let base = done;
            loop {
                match self.around.step(&self.names, &mut lexer) {
                    Ok(Step::Moved) => done = base + lexer.at,
                    Ok(Step::End) => {
                        let end = base + lexer.at;
                        if cut_short && !incomplete(&buffer[base + text.len()..], eof) {
                            return Err(self.not_utf8(buffer, base + text.len()));
                        }
                        if eof {
                            self.around.finish(&lexer).map_err(|fault| self.broken(buffer, base, &fault))?;
                        }
                        return Ok(if eof { end } else { done });
                    }
                    Ok(Step::Record(name)) => {
                        let start = base + lexer.at;
                        let Some(end) = record_end(buffer, start, name.raw.as_bytes()) else {
                            if !eof {
                                return Ok(done);
                            }
                            let cause = format!("the document ends inside of `{}`, which begins here", name.raw);
                            return Err(self.error(&XML_DOCUMENT, buffer, start, cause));
                        };
                        self.around.passed_record();
                        done = end;
                        match end.checked_sub(base).filter(|at| text.is_char_boundary(*at) && *at <= text.len()) {
                            Some(at) => lexer.at = at,
                            None => break,
                        }
                    }
                    Err(fault) if fault.ended && !eof => return Ok(done),
                    Err(_) if cut_short && incomplete(&buffer[base + text.len()..], eof) => return Ok(done),
                    Err(fault) if cut_short && fault.ended => {
                        return Err(self.not_utf8(buffer, base + text.len()));
                    }
                    Err(fault) => return Err(self.broken(buffer, base, &fault)),
                }
            }
        }
    }

    fn passed(&mut self, bytes: &[u8]) -> u64 {
        let lines = memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.column = match memchr::memrchr(b'\n', bytes) {
            Some(feed) => Some(characters(&bytes[feed + 1..])),
            None => self.column.map(|column| column + characters(bytes)),
        };
        self.bytes += bytes.len() as u64;
        self.lines += lines;
        lines
    }

    fn too_large(&self) -> Error {
        Error::new(Kind::Failed, &FORMAT_RECORD_SIZE, format!("no record ends within {} bytes", self.max_record_bytes))
            .fact("line", self.lines + 1)
            .fact("byte", self.bytes)
            .hint("if the records lie deeper in the document, say where with `records:`; else raise `max_record_bytes`")
    }

    fn not_utf8(&self, buffer: &[u8], at: usize) -> Error {
        let cause = "a byte is not UTF-8, and the document says nothing of another encoding".to_string();
        self.error(&FORMAT_ENCODING, buffer, at, cause)
            .hint("say which encoding the file has, for example `encoding: windows-1252`")
    }

    fn broken(&self, buffer: &[u8], base: usize, fault: &Fault) -> Error {
        let error = self.error(fault.code, buffer, base + fault.at, fault.cause.to_string());
        match std::ptr::eq(fault.code, &XML_DOCTYPE) {
            true => error.hint("write the document without a DOCTYPE, entities replaced: `xmllint --noent --dropdtd`"),
            false => error,
        }
    }

    fn error(&self, code: &'static Code, buffer: &[u8], at: usize, cause: String) -> Error {
        let before = &buffer[..at.min(buffer.len())];
        let lines = memchr::memchr_iter(b'\n', before).count() as u64;
        let error = Error::new(Kind::Failed, code, cause).fact("line", self.lines + lines + 1);
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

impl Framing for XmlFraming {
    fn open(&mut self, buffer: &[u8], eof: bool) -> Result<Option<Opening>> {
        let Some(mark) = formats::mark(buffer, eof)? else { return Ok(None) };
        let rest = &buffer[mark..];
        let begins = rest.starts_with(b"<?xml") && rest.get(5).is_none_or(|byte| super::chars::is_space(*byte));
        let undecided = !eof && rest.len() < 6 && b"<?xml".starts_with(&rest[..rest.len().min(5)]);
        if undecided {
            return Ok(None);
        }
        let mut bytes = mark;
        if begins {
            let near = &rest[..rest.len().min(DECLARATION_BYTES)];
            match memchr::memmem::find(near, b"?>") {
                None if !eof && near.len() < DECLARATION_BYTES => return Ok(None),
                None => return Err(self.error(&XML_SYNTAX, buffer, mark, "the XML declaration is not closed".into())),
                Some(length) => {
                    if let Err(fault) = declaration(&rest[..length]) {
                        return Err(self.broken(buffer, mark, &fault));
                    }
                    bytes += length + 2;
                }
            }
        }
        let lines = self.passed(&buffer[..bytes]);
        if let Some(column) = &mut self.column
            && lines == 0
            && mark > 0
        {
            // A mark is no character of the line.
            *column -= 1;
        }
        Ok(Some(Opening { bytes, lines, header: Header::default() }))
    }

    fn cut(&mut self, buffer: &[u8], eof: bool) -> Result<Cut> {
        let bytes = self.walk(buffer, eof)?;
        if bytes == 0 && !eof {
            return if buffer.len() > self.max_record_bytes { Err(self.too_large()) } else { Ok(Cut::More) };
        }
        self.around.settle();
        let lines = self.passed(&buffer[..bytes]);
        Ok(Cut::At { bytes, lines })
    }

    fn context(&self) -> Option<&[String]> {
        Some(self.around.context())
    }

    fn resume(&mut self, position: &Position) {
        if position.byte > self.bytes {
            self.column = None;
        }
        self.bytes = position.byte;
        self.lines = position.line;
        let context: Vec<String> = match position.extra.get("context").and_then(|context| context.as_array()) {
            Some(tags) => tags.iter().filter_map(|tag| tag.as_str().map(String::from)).collect(),
            None => Vec::new(),
        };
        self.around.go_to(&self.names, &context);
    }

    fn can_grow(&self) -> bool {
        false
    }
}

/// Whether the bytes are the beginning of a character whose rest may come.
fn incomplete(bytes: &[u8], eof: bool) -> bool {
    !eof && std::str::from_utf8(bytes).is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
}

/// Checks an XML declaration, without its `?>`, by its grammar (XML 1.0, productions 23 to 26, 32, 80 to 82).
fn declaration(bytes: &[u8]) -> Parsed<()> {
    let text =
        std::str::from_utf8(bytes).or_else(|error| super::lexer::fault(error.valid_up_to(), WRONG).map(|()| ""))?;
    let mut lexer = Lexer::new(text, true);
    lexer.at = 5;
    let mut seen = 0;
    while lexer.at < text.len() {
        let spaced = lexer.space();
        if lexer.at == text.len() {
            break;
        }
        let start = lexer.at;
        let name = lexer.name().map_err(|fault| wrong(fault.at))?;
        lexer.space();
        if lexer.peek() != b'=' || !spaced {
            return Err(wrong(start));
        }
        lexer.at += 1;
        lexer.space();
        let quote = lexer.peek();
        let value_at = lexer.at + 1;
        let rest = text.get(value_at..).unwrap_or_default();
        let end = rest
            .bytes()
            .position(|byte| byte == quote)
            .filter(|_| matches!(quote, b'"' | b'\''))
            .ok_or_else(|| wrong(start))?;
        let value = &rest[..end];
        let (place, good) = match name.raw {
            "version" => {
                let minor = value.strip_prefix("1.").unwrap_or_default();
                (1, !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit()))
            }
            "encoding" => {
                let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
                (2, value.starts_with(|c: char| c.is_ascii_alphabetic()) && value.bytes().all(good))
            }
            "standalone" => (3, matches!(value, "yes" | "no")),
            _ => (0, false),
        };
        if !good || place <= seen || (seen == 0 && place != 1) {
            return Err(wrong(start));
        }
        seen = place;
        lexer.at = value_at + end + 1;
    }
    if seen == 0 { Err(wrong(0)) } else { Ok(()) }
}

const WRONG: &str =
    "the XML declaration is wrong: it has `version`, then perhaps `encoding`, then perhaps `standalone`";

fn wrong(at: usize) -> Box<Fault> {
    Box::new(Fault { code: &XML_SYNTAX, cause: WRONG.into(), field: None, at, ended: false })
}

/// The encoding that a document names in its first bytes, or that they show (XML 1.0, appendix F).
/// `None`: UTF-8.
pub(super) fn declared_encoding(head: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    match head {
        [0xFF, 0xFE, ..] | [b'<', 0, b'?', 0, ..] => return Some(encoding_rs::UTF_16LE),
        [0xFE, 0xFF, ..] | [0, b'<', 0, b'?', ..] => return Some(encoding_rs::UTF_16BE),
        _ => {}
    }
    let head = head.strip_prefix(b"\xEF\xBB\xBF").map_or(head, |_| b"".as_slice());
    let end = memchr::memmem::find(head, b"?>").filter(|_| head.starts_with(b"<?xml"))?;
    let text = std::str::from_utf8(&head[..end]).ok()?;
    let (_, after) = text.split_once("encoding")?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let label = value[1..].split(quote).next()?;
    let found = encoding_rs::Encoding::for_label_no_replacement(label.as_bytes())?;
    // A document that says UTF-16 in single bytes is not.
    let wide = found == encoding_rs::UTF_16LE || found == encoding_rs::UTF_16BE;
    (found != encoding_rs::UTF_8 && !wide).then_some(found)
}
