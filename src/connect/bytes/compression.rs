//! Compression: how files are compressed, and the bytes that come out of them.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use super::place::unwrapped;
use super::stream::{Coding, INPUT_BYTES, Raw};
use crate::error::codes::connect::{GZIP_DAMAGED, INFLATION};
use crate::error::{Error, Kind, Result};

/// So much may come out of any gzip stream before its ratio is looked at.
const INFLATION_FLOOR: u64 = 64 << 20;

/// Whether files are compressed: the option `compression` of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Those whose name ends in `.gz`.
    Auto,
    /// They are not.
    None,
    /// They are gzip.
    Gzip,
}

impl Compression {
    /// Whether a file of this name is gzip.
    pub fn is_gzip(self, name: &str) -> bool {
        match self {
            Self::Auto => {
                std::path::Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz"))
            }
            Self::None => false,
            Self::Gzip => true,
        }
    }
}

/// The bytes of a gzip file, all of its members.
pub struct Inflated {
    decoder: MultiGzDecoder<BufReader<Raw>>,
    made: u64,
    max_inflation: u64,
    empty: bool,
}

impl Inflated {
    /// Those that come out of these.
    pub fn new(raw: Raw, coding: Coding) -> Self {
        let empty = raw.remaining == Some(0);
        let decoder = MultiGzDecoder::new(BufReader::with_capacity(INPUT_BYTES, raw));
        Self { decoder, made: 0, max_inflation: coding.max_inflation, empty }
    }

    /// Appends up to so many bytes; `false` at the end.
    ///
    /// # Errors
    /// A damaged or bottomless stream; what came out before is kept.
    pub fn append(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> Result<bool> {
        // A file without a byte holds no member, and no record either.
        if self.empty {
            return Ok(false);
        }
        let before = buffer.len();
        let outcome = self.decoder.by_ref().take(wanted as u64).read_to_end(buffer);
        self.counted((buffer.len() - before) as u64, outcome.map(|count| count > 0))
    }

    /// The same into a slice.
    ///
    /// # Errors
    /// As for [`Inflated::append`].
    pub fn read(&mut self, into: &mut [u8]) -> Result<usize> {
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
            _ => self.decoder.get_ref().get_ref().failed(unwrapped(error)),
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
