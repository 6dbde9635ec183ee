//! NDJSON: one JSON object per line. The fastest of the self-describing formats, and the one
//! that can grow at its end.

use memchr::{memchr_iter, memrchr};

use super::json::{DUPLICATE_KEYS, JsonDecoder, JsonEncoder, MAX_DEPTH, MAX_RECORD_BYTES, Rules};
use super::{Format, Options};
use crate::config::{FormatSpec, OptionSpec};
use crate::connect::options::OptionReader;
use crate::connect::{Cut, Decoder, Encoder, Frame, Framing, Header, Opening};
use crate::error::codes::formats::FORMAT_RECORD_SIZE;
use crate::error::{Error, Kind, Result};
use crate::record::{Column, Position};

/// The format `ndjson`.
pub static NDJSON: Ndjson = Ndjson;

/// The format `ndjson`.
pub struct Ndjson;

static SPEC: FormatSpec = FormatSpec {
    name: "ndjson",
    about: "One JSON object per line (also known as JSON Lines); blank lines are passed over.",
    options: OPTIONS,
    extensions: &["ndjson", "jsonl"],
    flat: false,
    text_fields: false,
    example: "duplicate_keys: last\nmax_depth: 32\n",
};

const OPTIONS: &[OptionSpec] = &[DUPLICATE_KEYS, MAX_DEPTH, MAX_RECORD_BYTES];

impl Format for Ndjson {
    fn spec(&self) -> &'static FormatSpec {
        &SPEC
    }

    fn framing(&self, options: &Options) -> Result<Box<dyn Framing>> {
        let max_record_bytes = OptionReader::new(options, OPTIONS).number("max_record_bytes")? as usize;
        Ok(Box::new(Lines::new(max_record_bytes)))
    }

    fn decoder(&self, options: &Options) -> Result<Box<dyn Decoder>> {
        Ok(Box::new(JsonDecoder::new(Rules::new(&OptionReader::new(options, OPTIONS), true)?)))
    }

    fn encoder(&self, _options: &Options, columns: &[Column]) -> Result<Box<dyn Encoder>> {
        Ok(Box::new(JsonEncoder::new(columns, b"\n")?))
    }

    fn frame(&self, _options: &Options, _columns: &[Column]) -> Result<Frame> {
        Ok(Frame::default())
    }
}

/// Cuts at line ends: the framing of every format whose records are lines.
pub(super) struct Lines {
    /// Lines and bytes before the buffer, to say where a record is too large.
    lines: u64,
    bytes: u64,
    max_record_bytes: usize,
}

impl Lines {
    /// A line longer than this ends the reading.
    pub(super) fn new(max_record_bytes: usize) -> Self {
        Self { lines: 0, bytes: 0, max_record_bytes }
    }
}

impl Framing for Lines {
    fn open(&mut self, buffer: &[u8], eof: bool) -> Result<Option<Opening>> {
        let Some(bytes) = super::mark(buffer, eof)? else { return Ok(None) };
        self.bytes = bytes as u64;
        Ok(Some(Opening { bytes, lines: 0, header: Header::default() }))
    }

    fn cut(&mut self, buffer: &[u8], eof: bool) -> Result<Cut> {
        let bytes = match memrchr(b'\n', buffer) {
            _ if eof => buffer.len(),
            Some(end) => end + 1,
            None if buffer.len() > self.max_record_bytes => {
                return Err(Error::new(
                    Kind::Failed,
                    &FORMAT_RECORD_SIZE,
                    format!("no record ends within {} bytes", self.max_record_bytes),
                )
                .fact("line", self.lines + 1)
                .fact("byte", self.bytes)
                .hint("a record is one line here: a JSON document over many lines is read with `format: json`; else raise `max_record_bytes`"));
            }
            None => return Ok(Cut::More),
        };
        let lines = memchr_iter(b'\n', &buffer[..bytes]).count() as u64;
        self.lines += lines;
        self.bytes += bytes as u64;
        Ok(Cut::At { bytes, lines })
    }

    fn resume(&mut self, position: &Position) {
        self.lines = position.line;
        self.bytes = position.byte;
    }

    fn can_grow(&self) -> bool {
        true
    }
}
