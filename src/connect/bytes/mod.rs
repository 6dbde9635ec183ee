//! What all protocols that carry bytes share: files of some place become parts, batches become a
//! file of some place. What a place is (this machine, a server) stands behind [`Place`].
//!
//! Reading: [`paths`] finds the files, [`source`] decides what is new in each ([`identity`] knows
//! them again; of an [`archive`] its [`members`] are read), [`stream`] undoes [`compression`] and encoding, [`slice`] cuts at record boundaries.
//! Writing: [`target`] decides where to go on, among the files that [`names`] knows; [`sink`] writes,
//! secures and renames; [`counted`] is for targets whose head tells how many records follow.

pub mod archive;
pub mod compression;
pub mod counted;
pub mod identity;
pub mod members;
pub mod names;
pub mod options;
pub mod paths;
pub mod place;
pub mod sink;
pub mod slice;
pub mod source;
pub mod stream;
pub mod target;

pub use place::{About, Edited, Entry, Input, Opened, Place, What};
pub use sink::ByteSink;
pub use source::ByteSource;
