//! Detection: sensitive values in text, found by form, checksum, range and what stands around them.
//!
//! One pass over the bytes cuts a text into words, runs of digits and marked bytes; tables that are made once
//! lead from each of them to the few detectors it could be for; their checks confirm or drop it. Evidence adds
//! up in log-odds (`score`): the form, the name of the field (`context`), a word near the value (`words`), and
//! what the field's other values say (`column`). A hit never holds the value.

mod bytes;
pub(super) mod calendar;
mod column;
mod context;
mod decode;
mod glance;
mod hit;
mod number;
mod pass;
mod propose;
mod score;
mod set;
mod sight;
pub(super) mod sums;
mod tables;
#[cfg(test)]
mod tests;
mod words;

pub use column::Column;
pub use context::Context;
pub use hit::{Fingerprint, Hit, Preview};
pub use number::{Digits, Layout};
pub use propose::{Proposal, propose};
pub use score::{Grade, THRESHOLD};
pub use sight::Sight;

pub(super) use bytes::{is_alphanumeric, is_word, skip};
pub(super) use words::parts;

use decode::{DEPTH, Decoded};
use hit::Fingerprints;
use number::Run;
use pass::Pass;
use tables::Tables;

use crate::comply::detectors::{ALL, Detector};

/// Which detectors look, and from which score on they speak.
#[derive(Clone)]
pub struct Selection {
    places: Vec<usize>,
    threshold: f32,
    key: Option<[u8; 32]>,
}

impl Selection {
    /// Every detector, at the usual threshold, without fingerprints.
    pub fn all() -> Self {
        Self { places: (0..ALL.len()).collect(), threshold: THRESHOLD, key: None }
    }

    /// Those that a rule chooses.
    pub fn only(choose: impl Fn(&Detector) -> bool) -> Self {
        Self { places: (0..ALL.len()).filter(|place| choose(ALL[*place])).collect(), ..Self::all() }
    }

    /// With another threshold, 0 to 1.
    #[must_use]
    pub fn threshold(mut self, threshold: f32) -> Self {
        self.threshold = threshold;
        self
    }

    /// With fingerprints under a key.
    #[must_use]
    pub fn fingerprints(mut self, key: [u8; 32]) -> Self {
        self.key = Some(key);
        self
    }
}

impl std::fmt::Debug for Selection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.places.iter().map(|place| ALL[*place].name).collect();
        f.debug_struct("Selection")
            .field("detectors", &names)
            .field("threshold", &self.threshold)
            .finish_non_exhaustive()
    }
}

/// Scans texts. One for each worker: it keeps the memory that decoding needs.
pub struct Scanner {
    tables: Tables,
    threshold: f32,
    fingerprints: Option<Fingerprints>,
    layers: Vec<Decoded>,
    run: Run,
}

impl Scanner {
    /// Prepares the tables of a selection.
    pub fn new(selection: &Selection) -> Self {
        Self {
            tables: Tables::new(&selection.places),
            threshold: selection.threshold,
            fingerprints: selection.key.as_ref().map(Fingerprints::new),
            layers: (0..DEPTH).map(|_| Decoded::default()).collect(),
            run: Run::new(),
        }
    }

    /// Adds what it finds in a text to `found`, in no order. Nothing is allocated where nothing is found,
    /// beyond the memory of decoding, which is kept.
    pub fn scan(&mut self, text: &str, context: &Context, found: &mut Vec<Hit>) {
        let is_plain = glance::is_plain(text.as_bytes());
        if is_plain && context.whole.is_empty() {
            return;
        }
        let Self { tables, threshold, fingerprints, layers, run } = self;
        let mut pass =
            Pass::new(tables, *threshold, fingerprints.as_ref(), context, text.as_bytes(), layers, run, found);
        pass.whole(text);
        if !is_plain {
            pass.run();
        }
    }

    /// The pass alone, without a first look and without the field's name.
    #[cfg(test)]
    fn pass(&mut self, text: &str, context: &Context, found: &mut Vec<Hit>) {
        let Self { tables, threshold, fingerprints, layers, run } = self;
        Pass::new(tables, *threshold, fingerprints.as_ref(), context, text.as_bytes(), layers, run, found).run();
    }

    /// Takes a value into the statistics of its column.
    pub fn sample(&mut self, value: &str, column: &mut Column) {
        let value = value.trim();
        if value.is_empty() {
            return;
        }
        column.values = column.values.saturating_add(1);
        let (context, mut found) = (Context::none(), Vec::new());
        let Self { tables, fingerprints, layers, run, .. } = self;
        // Every check is asked, whatever speaks for it, and no hit is kept.
        let mut pass =
            Pass::new(tables, 2.0, fingerprints.as_ref(), &context, value.as_bytes(), layers, run, &mut found);
        pass.count_into(column);
        pass.run();
    }
}
