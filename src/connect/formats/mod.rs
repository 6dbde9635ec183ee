//! Formats: where records end and what is in them. One file (or folder) each.
//!
//! Adding one: a file here with its [`FormatSpec`] and a [`Format`], its `mod` line and its
//! place in [`ALL`].

mod csv;
mod json;
mod ndjson;
mod xml;

pub(in crate::connect) use json::{JsonReader, Wish, Within, json_append, json_text, select};

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::config::{FormatSpec, Node, Spanned};
use crate::connect::{Column, Decoder, Encoder, Frame, Framing};
use crate::error::codes::formats::FORMAT_ENCODING;
use crate::error::{Error, Kind, Result};

/// Options as the configuration has them, already checked against the description.
pub type Options = [(Spanned<String>, Spanned<Node>)];

/// See [`Format::told_encoding`].
pub type ToldEncoding = fn(&[u8]) -> Option<&'static encoding_rs::Encoding>;

/// A format: a description and the three things made from it and its options.
pub trait Format: Sync {
    /// The description.
    fn spec(&self) -> &'static FormatSpec;

    /// Tells from the first bytes of a stream in which encoding it says it is (`None`: UTF-8), for
    /// formats whose documents say so.
    fn told_encoding(&self) -> Option<ToldEncoding> {
        None
    }

    /// Where records end, for one slice.
    ///
    /// # Errors
    /// If options contradict each other.
    fn framing(&self, options: &Options) -> Result<Box<dyn Framing>>;

    /// What is in them, for one worker.
    ///
    /// # Errors
    /// If options contradict each other.
    fn decoder(&self, options: &Options) -> Result<Box<dyn Decoder>>;

    /// Writes target records with these columns, for one worker.
    ///
    /// # Errors
    /// If options contradict each other, or the columns have no form here (a path with an index).
    fn encoder(&self, options: &Options, columns: &[Column]) -> Result<Box<dyn Encoder>>;

    /// The bytes around and between records of a whole file.
    ///
    /// # Errors
    /// As for [`Format::encoder`].
    fn frame(&self, options: &Options, columns: &[Column]) -> Result<Frame>;
}

/// Every format.
pub const ALL: &[&dyn Format] = &[&csv::CSV, &json::JSON, &ndjson::NDJSON, &xml::XML];

/// The format of that name.
pub fn named(name: &str) -> Option<&'static dyn Format> {
    ALL.iter().copied().find(|f| f.spec().name == name)
}

/// The bytes of a byte order mark at the beginning of a stream; `None` if more are needed to tell.
///
/// # Errors
/// If the mark says that the stream is UTF-16.
fn mark(buffer: &[u8], eof: bool) -> Result<Option<usize>> {
    const UTF_8: &[u8] = b"\xEF\xBB\xBF";
    if buffer.starts_with(b"\xFF\xFE") || buffer.starts_with(b"\xFE\xFF") {
        let name = if buffer[0] == 0xFF { "utf-16le" } else { "utf-16be" };
        return Err(Error::new(Kind::Failed, &FORMAT_ENCODING, "the stream is UTF-16, and is read as UTF-8")
            .fact("byte", 0)
            .hint(format!("say which encoding the file has: `encoding: {name}`")));
    }
    if buffer.starts_with(UTF_8) {
        return Ok(Some(UTF_8.len()));
    }
    Ok((eof || buffer.len() >= UTF_8.len() || !UTF_8.starts_with(buffer)).then_some(0))
}

/// How many characters begin in these bytes; what is no UTF-8 counts by its bytes.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| !(0x80..0xC0).contains(*byte)).count()
}

/// Appends a whole number.
fn integer(mut number: u64, negative: bool, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    if negative {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends a double in the fewest digits that bring it back.
fn double(number: f64, out: &mut Vec<u8>) {
    // Writing into memory cannot fail.
    let _ = write!(out, "{number:?}");
}

/// Appends bytes as base64 (RFC 4648, section 4).
fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or(0);
    out.truncate(start + written);
}

#[cfg(test)]
mod tests;
