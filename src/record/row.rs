//! What a mapping asks of a record, and the answer.

use super::{Path, Type, Value};

/// The paths a mapping reads, each with a slot. A decoder fills only these; all else of a
/// record is skipped over, checked for well-formedness but never built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Projection {
    /// The paths; the slot of a path is its index here.
    pub paths: Vec<Path>,
    /// The declared type at each path. Text formats convert to it while decoding
    /// (`qty: int` in a CSV stream); [`Type::Dyn`] leaves the value as the format has it.
    pub types: Vec<Type>,
}

impl Projection {
    /// The slot of a path, made if it is new.
    pub fn slot(&mut self, path: &Path, kind: Type) -> usize {
        match self.paths.iter().position(|p| p == path) {
            Some(slot) => slot,
            None => {
                self.paths.push(path.clone());
                self.types.push(kind);
                self.paths.len() - 1
            }
        }
    }
}

/// A record as the mapping sees it.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// One value for each path of the projection.
    pub slots: &'a [Value<'a>],
    /// The record's own bytes, as read.
    pub raw: &'a [u8],
    /// The record's number within its part, from 0.
    pub index: u32,
    /// Line of its first byte within its part, from 0.
    pub line: u32,
}
