//! What many values of one field say together: how many have a detector's form, and how many of those
//! hold its check. Chance alone lets a tenth of all numbers through most checks; a column of real ones
//! passes whole.

use super::score;
use crate::comply::detectors::ALL;

/// The share of real values that hold their check; the others are typing errors.
const REAL: f64 = 0.98;
/// Fewer values than this say nothing.
const LEAST: u32 = 4;

/// Counts over the values of one field. Filled by `Scanner::sample`.
#[derive(Clone, Debug)]
pub struct Column {
    pub(super) values: u32,
    pub(super) tallies: Vec<Tally>,
}

/// The counts of one detector.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// Values that have its form from end to end.
    pub(super) shaped: u32,
    /// Those that hold its check.
    pub(super) passed: u32,
}

impl Default for Column {
    fn default() -> Self {
        Self::new()
    }
}

impl Column {
    /// Of no values.
    pub fn new() -> Self {
        Self { values: 0, tallies: vec![Tally::default(); ALL.len()] }
    }

    /// How many values that are not empty were seen.
    pub fn values(&self) -> u32 {
        self.values
    }

    /// What it adds to the odds of a detector: the logarithm of how much likelier the count of those that
    /// passed is among real values than among random ones.
    pub(super) fn odds(&self, place: usize) -> f32 {
        let Tally { shaped, passed } = self.tallies[place];
        let random = ALL[place].null_rate;
        // A check that chance mostly passes cannot tell.
        if shaped < LEAST || random > 0.5 {
            return 0.0;
        }
        let (passed, failed) = (f64::from(passed), f64::from(shaped - passed));
        let random = random.max(1e-6);
        let ratio = passed * (REAL / random).ln() + failed * ((1.0 - REAL) / (1.0 - random)).ln();
        ratio.clamp(f64::from(-score::COLUMN), f64::from(score::COLUMN)) as f32
    }

    #[cfg(test)]
    pub(in crate::comply) fn rate_of(&self, place: usize) -> Option<(f64, u32)> {
        self.pass_rate(place)
    }

    /// Of the values with a detector's form, the share that passed; `None` if there were none.
    pub(super) fn pass_rate(&self, place: usize) -> Option<(f64, u32)> {
        let Tally { shaped, passed } = self.tallies[place];
        (shaped > 0).then(|| (f64::from(passed) / f64::from(shaped), shaped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_told_from_chance() {
        let place = ALL.iter().position(|detector| detector.name == "us_routing").unwrap();
        let odds = |shaped, passed| {
            let mut column = Column::new();
            column.tallies[place] = Tally { shaped, passed };
            column.odds(place)
        };
        assert!(odds(20, 20) > 5.0 && odds(20, 2) < -5.0);
        assert!(odds(1000, 950) > 5.0, "some typing errors");
        assert_eq!(odds(3, 3), 0.0, "too few to tell");
        assert!(odds(1_000_000, 100_000).is_finite());
    }
}
