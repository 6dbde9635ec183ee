//! Sets of detectors, by their place in the list.

/// The place that stands for "a number of another kind".
pub(super) const CONTRARY: usize = 127;

/// A set of detectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::comply) struct DetectorSet(u128);

impl DetectorSet {
    /// None.
    pub(in crate::comply) const NONE: Self = Self(0);

    /// One.
    pub(in crate::comply) const fn one(index: usize) -> Self {
        Self(1 << index)
    }

    /// Both.
    pub(in crate::comply) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are in both.
    pub(in crate::comply) const fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether it is in it.
    pub(in crate::comply) const fn contains(self, index: usize) -> bool {
        self.0 & 1 << index != 0
    }

    /// Whether there is none.
    pub(in crate::comply) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<usize> for DetectorSet {
    fn from_iter<I: IntoIterator<Item = usize>>(places: I) -> Self {
        places.into_iter().fold(Self::NONE, |set, place| set.union(Self::one(place)))
    }
}
