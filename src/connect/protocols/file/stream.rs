//! The decoded bytes of one file: as they are, out of gzip, out of another encoding. Positions
//! count in this stream.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;

use encoding_rs::{Decoder, DecoderResult, Encoding};
use flate2::bufread::MultiGzDecoder;

use crate::error::codes::connect::{ENCODING_MALFORMED, FILE_TRUNCATED, GZIP_DAMAGED, INFLATION};
use crate::error::{Error, Kind, Result};

/// Bytes of compressed or encoded input read at a time.
const INPUT_BYTES: usize = 64 << 10;
/// So much may come out of any gzip stream before its ratio is looked at.
const INFLATION_FLOOR: u64 = 64 << 20;

/// How the bytes of a file are to be decoded.
#[derive(Clone, Copy)]
pub(super) struct Coding {
    pub(super) gzip: bool,
    /// `None`: UTF-8, which the format checks record by record.
    pub(super) encoding: Option<&'static Encoding>,
    /// How many times its size a gzip file may become.
    pub(super) max_inflation: u64,
}

impl Coding {
    /// Whether positions in the stream are positions in the file.
    pub(super) fn is_plain(&self) -> bool {
        !self.gzip && self.encoding.is_none()
    }
}

/// The stream of one file.
pub(super) struct Stream {
    stage: Stage,
    /// Nothing follows.
    ended: bool,
}

enum Stage {
    Plain(Raw),
    Gzip(Box<Inflated>),
    Encoded(Box<Transcoded>),
}

impl Stream {
    /// The stream of an open file from where it stands. `remaining`: the bytes up to the bound,
    /// `None` for standard input. `grows`: more is known to follow behind the bound.
    pub(super) fn new(file: File, name: &Arc<str>, remaining: Option<u64>, coding: Coding, grows: bool) -> Self {
        let raw = Raw { file, name: name.clone(), remaining, taken: 0 };
        let stage = match (coding.gzip, coding.encoding) {
            (false, None) => Stage::Plain(raw),
            (true, None) => Stage::Gzip(Box::new(Inflated::new(raw, coding))),
            (gzip, Some(encoding)) => {
                let input = if gzip { Input::Gzip(Box::new(Inflated::new(raw, coding))) } else { Input::Plain(raw) };
                Stage::Encoded(Box::new(Transcoded {
                    input,
                    decoder: encoding.new_decoder(),
                    bytes: vec![0; INPUT_BYTES],
                    filled: 0,
                    consumed: 0,
                    text: vec![0; INPUT_BYTES * 3],
                    grows,
                    name: encoding.name(),
                }))
            }
        };
        Self { stage, ended: false }
    }

    /// Reads until the buffer holds `wanted` bytes or the stream ends; returns whether it ended.
    ///
    /// # Errors
    /// A file that shrank, damaged gzip, bytes that are not in the encoding. What was read
    /// before stays in the buffer.
    pub(super) fn fill(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> Result<bool> {
        while !self.ended && buffer.len() < wanted {
            buffer.reserve_exact(self.likely(wanted - buffer.len()));
            let more = match &mut self.stage {
                Stage::Plain(raw) => raw.append(buffer),
                Stage::Gzip(inflated) => inflated.append(buffer, wanted - buffer.len()),
                Stage::Encoded(transcoded) => transcoded.append(buffer),
            };
            // After an error nothing of the stream can be trusted any more.
            self.ended = !*more.as_ref().unwrap_or(&false);
            more?;
        }
        Ok(self.ended)
    }

    /// How many of the wanted bytes are likely to come: a small file needs a small buffer.
    pub(super) fn likely(&self, wanted: usize) -> usize {
        match &self.stage {
            Stage::Plain(Raw { remaining: Some(left), .. }) => wanted.min((*left).try_into().unwrap_or(usize::MAX)),
            _ => wanted,
        }
    }
}

/// The bytes of the file up to the bound.
struct Raw {
    file: File,
    name: Arc<str>,
    remaining: Option<u64>,
    taken: u64,
}

impl Raw {
    /// Appends what one read gives, without clearing memory first; `false` at the bound.
    fn append(&mut self, buffer: &mut Vec<u8>) -> Result<bool> {
        if self.remaining == Some(0) {
            return Ok(false);
        }
        let before = buffer.len();
        let count = loop {
            match rustix::io::read(&self.file, rustix::buffer::spare_capacity(buffer)) {
                Ok(count) => break count as u64,
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(read_failed(&self.name, errno.into())),
            }
        };
        let counted = self.count(count).map_err(|e| read_failed(&self.name, e))?;
        buffer.truncate(before + counted as usize);
        Ok(counted > 0)
    }

    /// Of so many bytes just read, those before the bound.
    fn count(&mut self, count: u64) -> io::Result<u64> {
        let counted = match &mut self.remaining {
            None => count,
            Some(left) if count == 0 && *left > 0 => {
                return Err(io::Error::other(Shrunk { taken: self.taken, missing: *left }));
            }
            Some(left) => {
                let counted = count.min(*left);
                *left -= counted;
                counted
            }
        };
        self.taken += counted;
        Ok(counted)
    }
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.remaining == Some(0) || buffer.is_empty() {
            return Ok(0);
        }
        let count = self.file.read(buffer)? as u64;
        Ok(self.count(count)? as usize)
    }
}

/// The file has fewer bytes than when the run began.
#[derive(Debug)]
struct Shrunk {
    taken: u64,
    missing: u64,
}

impl std::fmt::Display for Shrunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the file became shorter while it was read")
    }
}

impl std::error::Error for Shrunk {}

/// An error of reading as ours.
fn read_failed(name: &str, error: io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Shrunk>()) {
        Some(shrunk) => Error::new(Kind::Failed, &FILE_TRUNCATED, shrunk.to_string())
            .fact("bytes read of it", shrunk.taken)
            .fact("bytes that are gone", shrunk.missing)
            .hint("what was read before is kept; let the writer finish the file, then run again"),
        None => Error::io(format!("reading `{name}`"), error),
    }
}

/// The bytes of a gzip file, all of its members.
struct Inflated {
    decoder: MultiGzDecoder<BufReader<Raw>>,
    made: u64,
    max_inflation: u64,
    empty: bool,
}

impl Inflated {
    fn new(raw: Raw, coding: Coding) -> Self {
        let empty = raw.remaining == Some(0);
        let decoder = MultiGzDecoder::new(BufReader::with_capacity(INPUT_BYTES, raw));
        Self { decoder, made: 0, max_inflation: coding.max_inflation, empty }
    }

    fn append(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> Result<bool> {
        // A file without a byte holds no member, and no record either.
        if self.empty {
            return Ok(false);
        }
        let before = buffer.len();
        let outcome = self.decoder.by_ref().take(wanted as u64).read_to_end(buffer);
        self.counted((buffer.len() - before) as u64, outcome.map(|count| count > 0))
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        if self.empty {
            return Ok(0);
        }
        let outcome = self.decoder.read(into);
        let count = *outcome.as_ref().unwrap_or(&0);
        self.counted(count as u64, outcome.map(|_| true))?;
        Ok(count)
    }

    fn counted(&mut self, count: u64, outcome: io::Result<bool>) -> Result<bool> {
        self.made += count;
        let more = outcome.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                Error::new(Kind::Failed, &GZIP_DAMAGED, "the gzip stream ends before its end")
                    .fact("bytes decompressed", self.made)
                    .hint("the file is not complete, or is still being written: fetch it again")
            }
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                Error::new(Kind::Failed, &GZIP_DAMAGED, format!("the gzip stream is damaged: {error}"))
                    .fact("bytes decompressed", self.made)
                    .hint("fetch the file again; if it is not compressed, set `compression: none`")
            }
            _ => read_failed(&self.decoder.get_ref().get_ref().name, error),
        })?;
        let taken = self.decoder.get_ref().get_ref().taken;
        if self.made > INFLATION_FLOOR && self.made / taken.max(1) > self.max_inflation {
            return Err(Error::new(Kind::Failed, &INFLATION, "the gzip stream inflates beyond the limit")
                .fact("compressed bytes read", taken)
                .fact("bytes decompressed", self.made)
                .hint("if the data is really that repetitive, raise `max_inflation` of the stream"));
        }
        Ok(more)
    }
}

enum Input {
    Plain(Raw),
    Gzip(Box<Inflated>),
}

/// Bytes in some encoding as UTF-8. Nothing is ever replaced.
struct Transcoded {
    input: Input,
    decoder: Decoder,
    bytes: Vec<u8>,
    filled: usize,
    /// Input bytes decoded before `bytes`.
    consumed: u64,
    text: Vec<u8>,
    grows: bool,
    name: &'static str,
}

impl Transcoded {
    fn append(&mut self, buffer: &mut Vec<u8>) -> Result<bool> {
        let room = &mut self.bytes[self.filled..];
        let count = match &mut self.input {
            Input::Plain(raw) => loop {
                match raw.read(room) {
                    Ok(count) => break count,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(read_failed(&raw.name, error)),
                }
            },
            Input::Gzip(inflated) => inflated.read(room)?,
        };
        self.filled += count;
        // A character that is cut by the bound of a growing file is read the next time.
        let last = count == 0 && !self.grows;
        let (result, read, written) =
            self.decoder.decode_to_utf8_without_replacement(&self.bytes[..self.filled], &mut self.text, last);
        buffer.extend_from_slice(&self.text[..written]);
        if let DecoderResult::Malformed(length, after) = result {
            let at = self.consumed + read as u64 - u64::from(length) - u64::from(after);
            return Err(Error::new(
                Kind::Failed,
                &ENCODING_MALFORMED,
                format!("the bytes at offset {at} are not {}", self.name),
            )
            .fact("byte offset", at)
            .hint("name the encoding the file is really in under `encoding`"));
        }
        self.consumed += read as u64;
        self.bytes.copy_within(read..self.filled, 0);
        self.filled -= read;
        Ok(count > 0)
    }
}
