//! Protocols: how bytes or rows come in and go out. One file (or folder) each.
//!
//! Adding one: a file here with its [`ProtocolSpec`] and a [`Protocol`], its `mod` line and its
//! place in [`ALL`].

mod file;
mod sqlite;

use std::path::Path;

use crate::config::{Connector, ProtocolSpec, Stream};
use crate::connect::formats::Format;
use crate::connect::{Column, Encoder, Sink, Source};
use crate::error::Result;
use crate::record::{Position, Settled, SliceId};

/// What a protocol gets to open a source.
pub struct ReadRequest<'r> {
    /// The project's folder: relative paths count from here.
    pub root: &'r Path,
    /// The connector, references in its options already filled in.
    pub connector: &'r Connector,
    /// The stream.
    pub stream: &'r Stream,
    /// The format, for protocols that carry bytes.
    pub format: Option<&'static dyn Format>,
    /// The settled position of each slice. Empty: from the beginning.
    pub settled: &'r [(SliceId, Settled)],
    /// Read only what lies between the settled position and this one, of this slice alone: the
    /// group that was written but not settled is read again to know its outcomes.
    pub only: Option<(&'r SliceId, &'r Position)>,
}

/// What a protocol gets to open a target.
pub struct WriteRequest<'r> {
    /// The project's folder: relative paths count from here.
    pub root: &'r Path,
    /// The connector, references in its options already filled in.
    pub connector: &'r Connector,
    /// The stream.
    pub stream: &'r Stream,
    /// The format, for protocols that carry bytes.
    pub format: Option<&'static dyn Format>,
    /// The columns of the target record, in order.
    pub columns: &'r [Column],
    /// Indices of the key columns; empty for append.
    pub key: &'r [usize],
    /// Whether a record replaces the one with its key.
    pub upsert: bool,
    /// The target is to be written anew (`--full` into a file).
    pub anew: bool,
    /// The log id of the state, and the route's name: how a target knows this route again.
    pub log_id: &'r str,
    /// The route's name.
    pub route: &'r str,
}

/// What a target promises about a group whose fate is unknown after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarantee {
    /// The target takes back or knows again what it was given: the effect is exactly once.
    ExactlyOnce,
    /// Groups in doubt are sent again: at least once.
    AtLeastOnce,
}

/// A protocol: a description, a source and a sink.
pub trait Protocol: Sync {
    /// The description.
    fn spec(&self) -> &'static ProtocolSpec;

    /// Opens a source; reads nothing yet.
    ///
    /// # Errors
    /// If it cannot be opened.
    fn source(&self, request: &ReadRequest<'_>) -> Result<Box<dyn Source>>;

    /// What the target promises, for `sync plan`. Opens nothing.
    fn guarantee(&self, request: &WriteRequest<'_>) -> Guarantee;

    /// Makes the encoder of one worker for this target.
    ///
    /// # Errors
    /// If the columns have no form in this target.
    fn encoder(&self, request: &WriteRequest<'_>) -> Result<Box<dyn Encoder>>;

    /// Makes the sink; nothing is opened before [`Sink::open`].
    ///
    /// # Errors
    /// If the request makes no sense for this target (upsert into a file).
    fn sink(&self, request: &WriteRequest<'_>) -> Result<Box<dyn Sink>>;
}

/// Every protocol.
pub const ALL: &[&dyn Protocol] = &[&file::Files, &sqlite::Sqlite];

/// The protocol of that name.
pub fn named(name: &str) -> Option<&'static dyn Protocol> {
    ALL.iter().copied().find(|p| p.spec().name == name)
}
