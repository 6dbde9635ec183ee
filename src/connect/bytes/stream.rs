//! The decoded bytes of one file: as they are, out of compression, out of another encoding. Positions
//! count in this stream.

use std::io::{self, Read};
use std::sync::Arc;

use encoding_rs::{Decoder, DecoderResult, Encoding};

use super::compression::{Inflated, Packed};
use super::place::{Input, unwrapped};
use crate::error::codes::connect::{ENCODING_MALFORMED, FILE_TRUNCATED};
use crate::error::{Error, Kind, Result};

/// Bytes of compressed or encoded input read at a time.
pub const INPUT_BYTES: usize = 64 << 10;

/// How the bytes of a file are to be decoded.
#[derive(Clone, Copy)]
pub struct Coding {
    /// How it is compressed; `None`: it is not.
    pub packing: Option<Packed>,
    /// `None`: UTF-8, which the format checks record by record.
    pub encoding: Option<&'static Encoding>,
    /// How many times its size a gzip file may become.
    pub max_inflation: u64,
}

impl Coding {
    /// Whether positions in the stream are positions in the file.
    pub fn is_plain(&self) -> bool {
        self.packing.is_none() && self.encoding.is_none()
    }
}

/// The stream of one file.
pub struct Stream {
    stage: Stage,
    /// Nothing follows.
    ended: bool,
}

enum Stage {
    Plain(Raw),
    Packed(Box<Inflated>),
    Encoded(Box<Transcoded>),
}

impl Stream {
    /// The stream of these bytes. `remaining`: the bytes up to the bound,
    /// `None` for standard input. `grows`: more is known to follow behind the bound.
    ///
    /// # Errors
    /// If there is no memory to decompress it.
    pub fn new(
        input: Box<dyn Input>,
        name: &Arc<str>,
        remaining: Option<u64>,
        coding: Coding,
        grows: bool,
    ) -> Result<Self> {
        let raw = Raw { input, name: name.clone(), remaining, taken: 0 };
        let stage = match (coding.packing, coding.encoding) {
            (None, None) => Stage::Plain(raw),
            (Some(packing), None) => Stage::Packed(Box::new(Inflated::new(raw, packing, coding)?)),
            (packing, Some(encoding)) => {
                let input = match packing {
                    Some(packing) => Inner::Packed(Box::new(Inflated::new(raw, packing, coding)?)),
                    None => Inner::Plain(raw),
                };
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
        Ok(Self { stage, ended: false })
    }

    /// Reads until the buffer holds `wanted` bytes or the stream ends; returns whether it ended.
    ///
    /// # Errors
    /// A file that shrank, damaged compression, bytes that are not in the encoding. What was read
    /// before stays in the buffer.
    pub fn fill(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> Result<bool> {
        while !self.ended && buffer.len() < wanted {
            buffer.reserve_exact(self.likely(wanted - buffer.len()));
            let more = match &mut self.stage {
                Stage::Plain(raw) => raw.append(buffer),
                Stage::Packed(inflated) => inflated.append(buffer, wanted - buffer.len()),
                Stage::Encoded(transcoded) => transcoded.append(buffer),
            };
            // After an error nothing of the stream can be trusted any more.
            self.ended = !*more.as_ref().unwrap_or(&false);
            more?;
        }
        Ok(self.ended)
    }

    /// How many of the wanted bytes are likely to come: a small file needs a small buffer.
    pub fn likely(&self, wanted: usize) -> usize {
        match &self.stage {
            Stage::Plain(Raw { remaining: Some(left), .. }) => wanted.min((*left).try_into().unwrap_or(usize::MAX)),
            _ => wanted,
        }
    }
}

/// The bytes of the file up to the bound.
pub struct Raw {
    input: Box<dyn Input>,
    /// The file, as a person names it.
    pub name: Arc<str>,
    /// Bytes up to the bound, if there is one.
    pub remaining: Option<u64>,
    /// Bytes that were read.
    pub taken: u64,
}

impl Raw {
    /// Appends what one read gives, without clearing memory first; `false` at the bound.
    fn append(&mut self, buffer: &mut Vec<u8>) -> Result<bool> {
        if self.remaining == Some(0) {
            return Ok(false);
        }
        let before = buffer.len();
        let count = self.input.append(buffer).map_err(|e| self.failed(e))? as u64;
        let counted = self.count(count)?;
        buffer.truncate(before + counted as usize);
        Ok(counted > 0)
    }

    /// Of so many bytes just read, those before the bound.
    fn count(&mut self, count: u64) -> Result<u64> {
        let counted = match &mut self.remaining {
            None => count,
            Some(left) if count == 0 && *left > 0 => {
                return Err(Error::new(Kind::Failed, &FILE_TRUNCATED, "the file became shorter while it was read")
                    .fact("bytes read of it", self.taken)
                    .fact("bytes that are gone", *left)
                    .hint("what was read before is kept; let the writer finish the file, then run again"));
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

    /// An error of reading with the name of what was read.
    pub fn failed(&self, error: Error) -> Error {
        error.doing(format!("reading `{}`", self.name))
    }
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.remaining == Some(0) || buffer.is_empty() {
            return Ok(0);
        }
        let count = self.input.read(buffer).map_err(io::Error::other)? as u64;
        Ok(self.count(count).map_err(io::Error::other)? as usize)
    }
}

enum Inner {
    Plain(Raw),
    Packed(Box<Inflated>),
}

/// Bytes in some encoding as UTF-8. Nothing is ever replaced.
struct Transcoded {
    input: Inner,
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
            Inner::Plain(raw) => raw.read(room).map_err(|e| raw.failed(unwrapped(e)))?,
            Inner::Packed(inflated) => inflated.read(room)?,
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
