//! What is known of a value before it is looked at: its field's name, the classes of its neighbours,
//! the statistics of its column. Made once for a field, not for each record.

use std::sync::LazyLock;

use super::column::Column;
use super::hit::Hit;
use super::score;
use super::set::{CONTRARY, DetectorSet};
use super::words;
use crate::comply::detectors::{ALL, Looks, Shows};
use crate::comply::names;
use crate::record::{ClassId, ClassSet};

/// The class of every detector.
static OWN: LazyLock<Vec<ClassId>> =
    LazyLock::new(|| ALL.iter().map(|detector| ClassId::named(detector.class).unwrap_or(ClassId(0))).collect());

/// The detectors that look at whole values.
static WHOLE: LazyLock<DetectorSet> = LazyLock::new(|| {
    let looks_whole = |place: &usize| ALL[*place].looks.iter().any(|look| matches!(look, Looks::Whole(_)));
    (0..ALL.len()).filter(looks_whole).collect()
});

/// What stands around the values of a field.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Detectors that a word of the name speaks for.
    pub(super) named: DetectorSet,
    /// Detectors whose class the name says.
    pub(super) classed: DetectorSet,
    /// Detectors that the record's other fields speak for.
    pub(super) beside: DetectorSet,
    /// Detectors that look at whole values, and that the name speaks for.
    pub(super) whole: DetectorSet,
    /// All that anything speaks for.
    pub(super) supported: DetectorSet,
    /// Detectors whose findings are no news here: they need no fingerprint.
    pub(super) announced: DetectorSet,
    pub(super) is_contrary: bool,
    /// What the column adds to each detector.
    pub(super) column: Option<Box<[f32]>>,
}

impl Context {
    /// Nothing is known: a text on its own.
    pub fn none() -> Self {
        Self::default()
    }

    /// A field, by its path or its name. The last part of a path says more than those before it.
    pub fn of_field(path: &str) -> Self {
        let last = path.rsplit(['.', '/']).find(|part| !part.trim_matches(['[', ']', '*']).is_empty()).unwrap_or(path);
        let found = words::of_name(last);
        let around = words::of_name(path);
        let places = (0..ALL.len()).filter(|place| found.contains(*place) || around.contains(*place));
        let named: DetectorSet = places.collect();
        let classes = names::classes(path);
        let is_within = |place: &usize| {
            let own = OWN[*place];
            classes.iter().any(|class| own.is_within(class) && class.class().name.contains('.'))
        };
        let classed = if classes.is_empty() { DetectorSet::NONE } else { (0..ALL.len()).filter(is_within).collect() };
        Self { named, classed, is_contrary: found.contains(CONTRARY), ..Self::default() }.settled()
    }

    /// The same field, beside others of these classes in its record.
    #[must_use]
    pub fn beside(mut self, classes: ClassSet) -> Self {
        let has_card = ClassId::named("pci.pan").is_some_and(|pan| classes.contains(pan));
        if has_card {
            let next = |place: &usize| matches!(ALL[*place].class, "pci.sad.cvv" | "pci.expiry" | "pci.sad.pin");
            self.beside = (0..ALL.len()).filter(next).collect();
        }
        self.settled()
    }

    /// The classes that the field is known to hold: what is found of them is no news, and gets no fingerprint.
    pub fn announce(&mut self, classes: ClassSet) {
        let is_known = |place: &usize| {
            let own = OWN[*place];
            classes.iter().any(|known| own.is_within(known) || known.is_within(own))
        };
        self.announced = (0..ALL.len()).filter(is_known).collect();
        // What is no news and stands in no other's way need not be looked for.
        let matters = |place: &usize| !self.announced.contains(*place) || ALL[*place].shows != Shows::Nothing;
        self.whole = (0..ALL.len()).filter(|place| self.whole.contains(*place)).filter(matters).collect();
    }

    /// Whether a finding is of a class that the field is known to hold.
    pub fn expects(&self, hit: &Hit) -> bool {
        self.announced.contains(usize::from(hit.detector))
    }

    /// The same field, with what a sample of its values showed.
    #[must_use]
    pub fn with_column(mut self, column: &Column) -> Self {
        self.column = Some((0..ALL.len()).map(|place| column.odds(place)).collect());
        self.settled()
    }

    /// Whether the field's name speaks for anything that looks at few digits.
    pub fn is_named(&self) -> bool {
        !self.named.is_empty() || !self.classed.is_empty() || !self.beside.is_empty()
    }

    /// What the surroundings add to a detector's odds, beside what stands near the value.
    pub(super) fn odds(&self, place: usize, near: DetectorSet) -> f32 {
        let spoken = if self.named.contains(place) {
            score::NAMED
        } else if near.contains(place) || self.beside.contains(place) {
            score::NEARBY
        } else if self.classed.contains(place) {
            score::CLASSED
        } else if self.is_contrary || near.contains(CONTRARY) {
            score::CONTRARY
        } else {
            0.0
        };
        spoken + self.column.as_ref().and_then(|column| column.get(place)).copied().unwrap_or(0.0)
    }

    fn settled(mut self) -> Self {
        let column: DetectorSet = match &self.column {
            Some(odds) => (0..ALL.len()).filter(|place| odds.get(*place).is_some_and(|odds| *odds > 1.0)).collect(),
            None => DetectorSet::NONE,
        };
        self.supported = self.named.union(self.classed).union(self.beside).union(column);
        self.whole = WHOLE.both(self.named.union(self.classed).union(self.beside));
        self
    }
}
