//! How sure a detector is: evidence adds up in log-odds, the answer is a number from 0 to 1.

/// What a value's own form says, before anything around it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Many other things look so; only a name can tell.
    Faint,
    /// A common form.
    Weak,
    /// A form with a checksum or a range that chance meets now and then.
    Possible,
    /// A rare form, or a strong checksum.
    Likely,
    /// A form of its own with a checksum.
    Strong,
    /// Nothing else looks so.
    Certain,
}

/// A score from here on is a hit, unless the selection says otherwise.
pub const THRESHOLD: f32 = 0.6;

/// What the field's name adds where it says just this.
pub(super) const NAMED: f32 = 3.0;
/// What the field's name adds where it says the class.
pub(super) const CLASSED: f32 = 2.0;
/// What a word near the value adds.
pub(super) const NEARBY: f32 = 2.2;
/// What a name for numbers of another kind takes away (an order number, a time stamp).
pub(super) const CONTRARY: f32 = -2.5;
/// The most a column's statistics add or take.
pub(super) const COLUMN: f32 = 6.0;

impl Grade {
    /// The log-odds.
    pub(super) const fn odds(self) -> f32 {
        match self {
            Self::Faint => -2.2,
            Self::Weak => -1.2,
            Self::Possible => -0.3,
            Self::Likely => 0.9,
            Self::Strong => 1.8,
            Self::Certain => 3.6,
        }
    }
}

/// The score of log-odds.
pub(super) fn score(odds: f32) -> f32 {
    1.0 / (1.0 + (-odds).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grades_stand_where_they_should() {
        let alone = |grade: Grade| score(grade.odds());
        assert!(alone(Grade::Possible) < THRESHOLD && alone(Grade::Likely) > THRESHOLD);
        assert!(score(Grade::Faint.odds() + NAMED) > THRESHOLD && score(Grade::Faint.odds() + NEARBY) < THRESHOLD);
        assert!(score(Grade::Weak.odds() + NEARBY) > THRESHOLD && score(Grade::Weak.odds() + CLASSED) > THRESHOLD);
        assert!(score(Grade::Strong.odds() + CONTRARY) < THRESHOLD);
        assert!(score(Grade::Certain.odds() + CONTRARY) > THRESHOLD);
        assert!(Grade::Faint < Grade::Certain);
    }
}
