//! Compression: how files are compressed, the bytes that come out of them and those that go in.

use std::io::{self, BufReader, Read, Write};

use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::place::unwrapped;
use super::stream::{Coding, INPUT_BYTES, Raw};
use crate::error::codes::connect::{GZIP_DAMAGED, INFLATION, ZSTD_DAMAGED};
use crate::error::{Code, Error, Kind, Result};

/// So much may come out of any compressed stream before its ratio is looked at.
const INFLATION_FLOOR: u64 = 64 << 20;
/// A stream of Zstandard that wants to look back further than this (as a power of two: 32 MiB) is not
/// read: what it looks back on must be held in memory.
const WINDOW_LOG: u32 = 25;
/// The level of Zstandard that files are written with: its own usual one.
const LEVEL: i32 = 3;

/// Whether files are compressed: the option `compression` of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Those whose name ends in `.gz` or `.zst`.
    Auto,
    /// They are not.
    None,
    /// They are.
    Always(Packing),
}

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// gzip (RFC 1952).
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
}

impl Compression {
    /// How a file of this name is compressed; `None`: it is not.
    pub fn packing(self, name: &str) -> Option<Packing> {
        match self {
            Self::Auto => {
                let ending = std::path::Path::new(name).extension()?;
                match () {
                    () if ending.eq_ignore_ascii_case("gz") => Some(Packing::Gzip),
                    () if ending.eq_ignore_ascii_case("zst") => Some(Packing::Zstd),
                    () => None,
                }
            }
            Self::None => None,
            Self::Always(packing) => Some(packing),
        }
    }
}

impl Packing {
    /// Its name, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "Zstandard",
        }
    }

    /// The code of a stream that is not what it should be.
    pub fn damaged(self) -> &'static Code {
        match self {
            Self::Gzip => &GZIP_DAMAGED,
            Self::Zstd => &ZSTD_DAMAGED,
        }
    }

    /// What comes out of these bytes: of all members or frames, one after the other.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn unpacked<'r>(self, bytes: impl Read + 'r) -> Result<Box<dyn Read + 'r>> {
        let bytes = BufReader::with_capacity(INPUT_BYTES, bytes);
        Ok(match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(bytes)),
            Self::Zstd => Box::new(frames(bytes)?),
        })
    }

    /// Bytes as a member or frame of their own.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn packed(self, bytes: &[u8]) -> Result<Vec<u8>> {
        let mut packer = Packer::new(self)?;
        packer.write(bytes)?;
        packer.finish()
    }
}

fn frames<'r, R: io::BufRead + 'r>(bytes: R) -> Result<zstd::stream::read::Decoder<'static, R>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(Error::of_io)?;
    decoder.window_log_max(WINDOW_LOG).map_err(Error::of_io)?;
    Ok(decoder)
}

/// Compresses a member or frame; what came out waits in memory to be taken.
pub struct Packer {
    inner: Frames,
}

enum Frames {
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

impl Packer {
    /// Begins a member or frame.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn new(packing: Packing) -> Result<Self> {
        Ok(Self {
            inner: match packing {
                Packing::Gzip => Frames::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::default())),
                Packing::Zstd => {
                    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), LEVEL).map_err(Error::of_io)?;
                    encoder.include_checksum(true).map_err(Error::of_io)?;
                    Frames::Zstd(encoder)
                }
            },
        })
    }

    /// Puts bytes in.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.inner {
            Frames::Gzip(encoder) => encoder.write_all(bytes),
            Frames::Zstd(encoder) => encoder.write_all(bytes),
        }
        .map_err(Error::of_io)
    }

    /// What came out so far, to be taken and cleared.
    pub fn out(&mut self) -> &mut Vec<u8> {
        match &mut self.inner {
            Frames::Gzip(encoder) => encoder.get_mut(),
            Frames::Zstd(encoder) => encoder.get_mut(),
        }
    }

    /// Ends the member or frame: the rest of what comes out.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn finish(self) -> Result<Vec<u8>> {
        match self.inner {
            Frames::Gzip(encoder) => encoder.finish(),
            Frames::Zstd(encoder) => encoder.finish(),
        }
        .map_err(Error::of_io)
    }
}

/// The bytes of a compressed file, all of its members or frames.
pub struct Inflated {
    decoder: Unpacker,
    packing: Packing,
    made: u64,
    max_inflation: u64,
    empty: bool,
}

enum Unpacker {
    Gzip(MultiGzDecoder<BufReader<Raw>>),
    Zstd(zstd::stream::read::Decoder<'static, BufReader<Raw>>),
}

impl Read for Unpacker {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(into),
            Self::Zstd(decoder) => decoder.read(into),
        }
    }
}

impl Inflated {
    /// Those that come out of these.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn new(raw: Raw, packing: Packing, coding: Coding) -> Result<Self> {
        let empty = raw.remaining == Some(0);
        let bytes = BufReader::with_capacity(INPUT_BYTES, raw);
        let decoder = match packing {
            Packing::Gzip => Unpacker::Gzip(MultiGzDecoder::new(bytes)),
            Packing::Zstd => Unpacker::Zstd(frames(bytes)?),
        };
        Ok(Self { decoder, packing, made: 0, max_inflation: coding.max_inflation, empty })
    }

    fn raw(&self) -> &Raw {
        match &self.decoder {
            Unpacker::Gzip(decoder) => decoder.get_ref().get_ref(),
            Unpacker::Zstd(decoder) => decoder.get_ref().get_ref(),
        }
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
        let (name, code) = (self.packing.name(), self.packing.damaged());
        let more = outcome.map_err(|error| {
            // What the place said travels through the decoder; all else the decoder says itself.
            let ours = error.get_ref().is_some_and(|inner| inner.is::<Error>()) || error.raw_os_error().is_some();
            match error.kind() {
                _ if ours => self.raw().failed(unwrapped(error)),
                io::ErrorKind::UnexpectedEof => {
                    Error::new(Kind::Failed, code, format!("the {name} stream ends before its end"))
                        .fact("bytes decompressed", self.made)
                        .hint("the file is not complete, or is still being written: fetch it again")
                }
                _ => Error::new(Kind::Failed, code, format!("the {name} stream is damaged: {error}"))
                    .fact("bytes decompressed", self.made)
                    .hint("fetch the file again; if it is not compressed, set `compression: none`"),
            }
        })?;
        let taken = self.raw().taken;
        if self.made > INFLATION_FLOOR && self.made / taken.max(1) > self.max_inflation {
            return Err(Error::new(Kind::Failed, &INFLATION, format!("the {name} stream inflates beyond the limit"))
                .fact("compressed bytes read", taken)
                .fact("bytes decompressed", self.made)
                .hint("if the data is really that repetitive, raise `max_inflation` of the stream"));
        }
        Ok(more)
    }
}
