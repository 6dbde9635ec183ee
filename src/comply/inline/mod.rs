//! Compliance while data moves: what a route asks of each record beside its mapping. Gates decide whether a
//! record may go on at all, detection looks at what is about to be written, sums are kept of what came and went.
//!
//! A [`Inline`] is made once for a run and shared; each worker has an [`Inspector`] of its own. A route that
//! asks for none of it has neither.

mod consents;
mod detection;
mod gates;
mod hush;
mod residency;
mod sums;

use std::sync::Arc;

pub use consents::{Consents, Row as ConsentRow, Standing};
pub use detection::{Detection, Finding, Memory, Seen};
pub use gates::{Erased, Gates, Judgement, identity, standing};
pub use hush::Hush;
pub use residency::Residency;
pub use sums::{Fate, Sums};

use crate::record::{Arena, ClassSet, Rulings, Value};

/// What a route asks of each record, made for one run.
#[derive(Debug, Default)]
pub struct Inline {
    /// Whether a record may go on.
    pub gates: Option<Gates>,
    /// What is looked for in values.
    pub detection: Option<Detection>,
    /// What is summed.
    pub sums: Option<Sums>,
    /// Whether rules of the project keep records back.
    pub withholds: bool,
}

impl Inline {
    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.gates.is_none() && self.detection.is_none() && self.sums.is_none() && !self.withholds
    }
}

/// One worker's share: the memory that looking at values needs.
pub struct Inspector {
    inline: Arc<Inline>,
    memory: Option<Memory>,
    /// What became of the part's records.
    pub rulings: Rulings,
}

impl Inspector {
    /// For a worker; `None` where nothing is asked.
    pub fn of(inline: Option<&Arc<Inline>>) -> Option<Self> {
        let inline = inline.filter(|inline| !inline.is_empty())?;
        let memory = inline.detection.as_ref().map(Detection::memory);
        let rulings = Rulings { sums: inline.sums.as_ref().map(Sums::none).unwrap_or_default(), ..Rulings::default() };
        Some(Self { inline: Arc::clone(inline), memory, rulings })
    }

    /// What is asked.
    pub fn inline(&self) -> &Arc<Inline> {
        &self.inline
    }

    /// Takes what became of the part's records.
    pub fn take(&mut self) -> Rulings {
        let sums = self.inline.sums.as_ref().map(Sums::none).unwrap_or_default();
        std::mem::replace(&mut self.rulings, Rulings { sums, ..Rulings::default() })
    }

    /// Looks at the values of a target record; masks what is to be masked.
    pub fn look<'a>(&mut self, values: &mut [Value<'a>], arena: &'a Arena) -> Seen {
        match (&self.inline.detection, &mut self.memory) {
            (Some(detection), Some(memory)) => detection.look(memory, values, arena, &mut self.rulings),
            _ => Seen::Clean,
        }
    }

    /// Takes a record that did not become a target record into the sums.
    pub fn lost(&mut self, slots: &[Value<'_>], fate: Fate) {
        let Self { inline, memory, rulings } = self;
        let Some(sums) = &inline.sums else { return };
        sums.lost(&mut rulings.sums, slots, fate, |column, value| match (&inline.detection, &mut *memory) {
            (Some(detection), Some(memory)) => detection.suspects(memory, column, value),
            _ => false,
        });
    }

    /// The classes that the bytes of a record show, announced or not.
    pub fn shows(&mut self, bytes: &[u8]) -> ClassSet {
        match (&self.inline.detection, &mut self.memory) {
            (Some(detection), Some(memory)) => detection.shows(memory, &String::from_utf8_lossy(bytes)),
            _ => ClassSet::NONE,
        }
    }

    /// A sentence for people without what it shows of values that look sensitive.
    pub fn quiet(&mut self, text: String) -> String {
        match (&self.inline.detection, &mut self.memory) {
            (Some(detection), Some(memory)) => detection.quiet(memory, text),
            _ => text,
        }
    }
}
