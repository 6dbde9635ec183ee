//! What the road tells whoever watches it: progress and notes, never anything that decides.

use crate::record::Totals;

/// Looks on while a run goes its way. Everything has a default of silence.
pub trait Watch {
    /// A run begins.
    fn started(&mut self, _run: &str, _route: &str) {}

    /// A group was settled, or some time has passed: the counts so far.
    fn progress(&mut self, _so_far: &Totals) {}

    /// Something worth a line: a file that was replaced, a group that was taken back.
    fn note(&mut self, _text: &str) {}
}

/// Watches nothing.
pub struct Silent;

impl Watch for Silent {}
