//! Compression: how files are compressed, the bytes that come out of them and those that go in.

use std::io::{self, BufReader, Read, Write};

use flate2::Crc;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder};
use flate2::write::GzEncoder;

use super::place::unwrapped;
use super::stream::{Coding, INPUT_BYTES, Raw};
use crate::error::codes::connect::{GZIP_DAMAGED, INFLATION, ZIP_DAMAGED, ZSTD_DAMAGED};
use crate::error::{Code, Error, Kind, Result};

/// So much may come out of any compressed stream before its ratio is looked at.
const INFLATION_FLOOR: u64 = 64 << 20;
/// A stream of Zstandard that wants to look back further than this (as a power of two: 32 MiB) is not
/// read: what it looks back on must be held in memory.
const WINDOW_LOG: u32 = 25;
/// The level of Zstandard that files are written with: its own usual one.
const LEVEL: i32 = 3;

/// The member of a zip archive, as the archive's directory describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Whether it is compressed (RFC 1951), or stored as it is.
    pub deflated: bool,
    /// Bytes that come out of it.
    pub size: u64,
    /// Bytes in the archive.
    pub packed: u64,
    /// The checksum of what comes out.
    pub crc: u32,
}

/// What is to be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packed {
    /// A whole file.
    File(Packing),
    /// A member of an archive.
    Member(Sealed),
}

impl Packed {
    /// Its name, for messages.
    fn name(self) -> &'static str {
        match self {
            Self::File(packing) => packing.name(),
            Self::Member(_) => "zip",
        }
    }

    fn damaged(self) -> &'static Code {
        match self {
            Self::File(packing) => packing.damaged(),
            Self::Member(_) => &ZIP_DAMAGED,
        }
    }
}

/// Whether files are compressed: the option `compression` of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Those whose name ends in `.gz`, `.zst` or `.zip`.
    Auto,
    /// They are not.
    None,
    /// They are.
    Always(Packing),
    /// They are archives.
    Zip,
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
            Self::None | Self::Zip => None,
            Self::Always(packing) => Some(packing),
        }
    }

    /// Whether a file of this name is an archive.
    pub fn is_archive(self, name: &str) -> bool {
        match self {
            Self::Auto => {
                std::path::Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip"))
            }
            Self::Zip => true,
            Self::None | Self::Always(_) => false,
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
    packing: Packed,
    /// Of a member: the checksum of what came out.
    crc: Crc,
    made: u64,
    max_inflation: u64,
    empty: bool,
}

enum Unpacker {
    Gzip(MultiGzDecoder<BufReader<Raw>>),
    Zstd(zstd::stream::read::Decoder<'static, BufReader<Raw>>),
    Deflate(DeflateDecoder<BufReader<Raw>>),
    Stored(BufReader<Raw>),
}

impl Read for Unpacker {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(into),
            Self::Zstd(decoder) => decoder.read(into),
            Self::Deflate(decoder) => decoder.read(into),
            Self::Stored(raw) => raw.read(into),
        }
    }
}

impl Inflated {
    /// Those that come out of these.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn new(raw: Raw, packing: Packed, coding: Coding) -> Result<Self> {
        // A file without a byte holds no member, and no record either.
        let empty = raw.remaining == Some(0) && matches!(packing, Packed::File(_));
        let bytes = BufReader::with_capacity(INPUT_BYTES, raw);
        let decoder = match packing {
            Packed::File(Packing::Gzip) => Unpacker::Gzip(MultiGzDecoder::new(bytes)),
            Packed::File(Packing::Zstd) => Unpacker::Zstd(frames(bytes)?),
            Packed::Member(sealed) if sealed.deflated => Unpacker::Deflate(DeflateDecoder::new(bytes)),
            Packed::Member(_) => Unpacker::Stored(bytes),
        };
        let inflated = Self { decoder, packing, crc: Crc::new(), made: 0, max_inflation: coding.max_inflation, empty };
        match packing {
            // The directory says how large it is: that it is too much is known before.
            Packed::Member(sealed) => inflated.check(sealed.size, sealed.packed).map(|()| inflated),
            Packed::File(_) => Ok(inflated),
        }
    }

    fn raw(&self) -> &Raw {
        match &self.decoder {
            Unpacker::Gzip(decoder) => decoder.get_ref().get_ref(),
            Unpacker::Zstd(decoder) => decoder.get_ref().get_ref(),
            Unpacker::Deflate(decoder) => decoder.get_ref().get_ref(),
            Unpacker::Stored(raw) => raw.get_ref(),
        }
    }

    /// Appends up to so many bytes; `false` at the end.
    ///
    /// # Errors
    /// A damaged or bottomless stream; what came out before is kept.
    pub fn append(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> Result<bool> {
        if self.empty {
            return Ok(false);
        }
        let before = buffer.len();
        let outcome = self.decoder.by_ref().take(wanted as u64).read_to_end(buffer);
        self.sum(&buffer[before..]);
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
        self.sum(&into[..count]);
        self.counted(count as u64, outcome.map(|count| count > 0))?;
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
        self.check(self.made, self.raw().taken)?;
        if let Packed::Member(sealed) = self.packing
            && (self.made > sealed.size || !more && (self.made, self.crc.sum()) != (sealed.size, sealed.crc))
        {
            return Err(Error::new(
                Kind::Failed,
                code,
                "the member is not what the archive's directory says: it is damaged",
            )
            .fact("bytes decompressed", self.made)
            .fact("bytes said", sealed.size)
            .hint("fetch the archive again"));
        }
        Ok(more)
    }

    /// Whether so much may come out of so little.
    fn check(&self, made: u64, taken: u64) -> Result<()> {
        if made <= INFLATION_FLOOR || made / taken.max(1) <= self.max_inflation {
            return Ok(());
        }
        let name = self.packing.name();
        Err(Error::new(Kind::Failed, &INFLATION, format!("the {name} stream inflates beyond the limit"))
            .fact("compressed bytes", taken)
            .fact("bytes decompressed", made)
            .hint("if the data is really that repetitive, raise `max_inflation` of the stream"))
    }

    fn sum(&mut self, bytes: &[u8]) {
        if let Packed::Member(_) = self.packing {
            self.crc.update(bytes);
        }
    }
}
