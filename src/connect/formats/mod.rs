//! Formats: where records end and what is in them. One file (or folder) each.
//!
//! Adding one: a file here with its [`FormatSpec`] and a [`Format`], its `mod` line and its
//! place in [`ALL`].

mod csv;
mod json;
mod ndjson;

use crate::config::{FormatSpec, Node, Spanned};
use crate::connect::{Column, Decoder, Encoder, Frame, Framing};
use crate::error::Result;

/// Options as the configuration has them, already checked against the description.
pub type Options = [(Spanned<String>, Spanned<Node>)];

/// A format: a description and the three things made from it and its options.
pub trait Format: Sync {
    /// The description.
    fn spec(&self) -> &'static FormatSpec;

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
    /// If options contradict each other, or the columns have no form here (a nested path in CSV).
    fn encoder(&self, options: &Options, columns: &[Column]) -> Result<Box<dyn Encoder>>;

    /// The bytes around and between records of a whole file.
    ///
    /// # Errors
    /// As for [`Format::encoder`].
    fn frame(&self, options: &Options, columns: &[Column]) -> Result<Frame>;
}

/// Every format.
pub const ALL: &[&dyn Format] = &[&csv::CSV, &json::JSON, &ndjson::NDJSON];

/// The format of that name.
pub fn named(name: &str) -> Option<&'static dyn Format> {
    ALL.iter().copied().find(|f| f.spec().name == name)
}

/// How many characters begin in these bytes; what is no UTF-8 counts by its bytes.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| !(0x80..0xC0).contains(*byte)).count()
}

#[cfg(test)]
mod tests;
