//! What compliance rules did to records while they moved: counted, and never with a value.

use std::sync::Arc;

use super::{ClassId, Decimal};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Records were kept back.
    Withheld,
    /// Records went to the dead letters.
    Parked,
    /// A part of a value was masked.
    Masked,
    /// It was only said.
    Warned,
}

impl Act {
    /// Every one with its word.
    pub const NAMES: &[(&str, Self)] =
        &[("withheld", Self::Withheld), ("parked", Self::Parked), ("masked", Self::Masked), ("warned", Self::Warned)];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::NAMES.iter().find(|(_, act)| *act == self).map_or("", |(word, _)| word)
    }
}

/// What was done to some records for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// What.
    pub act: Act,
    /// The code of the reason.
    pub code: &'static str,
    /// The field of the target record; empty where it is the record as a whole.
    pub field: String,
    /// The class that was found, if one was.
    pub class: Option<ClassId>,
    /// The rule of the project that says so, if it is one.
    pub rule: Option<Arc<str>>,
    /// How many records.
    pub records: u64,
    /// What is said of the first of them: kinds, places and forms, never a value.
    pub told: String,
}

/// A record that was kept back: nothing of it is kept but what it is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// A keyed hash of its key.
    pub key: u128,
    /// The code of the reason.
    pub code: &'static str,
    /// The rules of the project that say so, if it is one: their names, a line each.
    pub rule: Option<Arc<str>>,
    /// Its number in its slice, from 1.
    pub record: u64,
}

/// The sums of one field that a route declares: what was read must be what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// The field of the target record.
    pub field: String,
    /// Of the source values of all records that could be read; `None`: the field is not a plain copy of one.
    pub read: Option<Decimal>,
    /// Of those of records that `when` held back.
    pub filtered: Decimal,
    /// Of those of records that became dead letters.
    pub rejected: Decimal,
    /// Of those of records that were kept back.
    pub withheld: Decimal,
    /// Of the values that were made.
    pub mapped: Decimal,
    /// Of the values that later records replaced before they were written.
    pub superseded: Decimal,
    /// Of the values that the target refused, or of which nobody knows.
    pub refused: Decimal,
    /// Records whose value is no number, or whose sum would be past all numbers.
    pub unread: u64,
}

impl Sum {
    /// Adds those of a further group.
    pub fn add(&mut self, other: &Self) {
        let mut lost = 0;
        let mut sum = |one: &mut Decimal, more: Decimal| match one.add(more) {
            Ok(sum) => *one = sum,
            Err(_) => lost += 1,
        };
        if let (Some(read), Some(more)) = (&mut self.read, other.read) {
            sum(read, more);
        }
        sum(&mut self.filtered, other.filtered);
        sum(&mut self.rejected, other.rejected);
        sum(&mut self.withheld, other.withheld);
        sum(&mut self.mapped, other.mapped);
        sum(&mut self.superseded, other.superseded);
        sum(&mut self.refused, other.refused);
        self.unread += other.unread + lost;
    }

    /// What was written: what was made without what was replaced or refused.
    pub fn written(&self) -> Option<Decimal> {
        self.mapped.sub(self.superseded).and_then(|left| left.sub(self.refused)).ok()
    }

    /// What was read without what became of it otherwise, beside what was made of the rest; `None`: they
    /// agree, or the field is not a plain copy.
    pub fn differs(&self) -> Option<(Decimal, Decimal)> {
        let read = self.read?;
        let left = [self.filtered, self.rejected, self.withheld].into_iter().try_fold(read, Decimal::sub).ok()?;
        (left != self.mapped).then_some((left, self.mapped))
    }
}

/// What rules did to the records of a part, a group or a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rulings {
    /// Counted.
    pub counted: Vec<Ruling>,
    /// Those that were kept back, where records have keys.
    pub withheld: Vec<Withheld>,
    /// The declared sums.
    pub sums: Vec<Sum>,
}

impl Rulings {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.counted.is_empty() && self.withheld.is_empty() && self.sums.is_empty()
    }

    /// Counts one record; `told` is asked for the first only.
    pub fn count(
        &mut self,
        act: Act,
        code: &'static str,
        field: &str,
        class: Option<ClassId>,
        told: impl FnOnce() -> String,
    ) {
        let same = |one: &&mut Ruling| {
            one.act == act && one.code == code && one.class == class && one.field == field && one.rule.is_none()
        };
        match self.counted.iter_mut().find(same) {
            Some(known) => known.records += 1,
            None => {
                let field = field.to_owned();
                self.counted.push(Ruling { act, code, field, class, rule: None, records: 1, told: told() });
            }
        }
    }

    /// Counts one record that a rule of the project kept back.
    pub fn count_rule(&mut self, act: Act, code: &'static str, rule: &Arc<str>, told: &str) {
        let same = |one: &&mut Ruling| one.act == act && one.code == code && one.rule.as_ref() == Some(rule);
        match self.counted.iter_mut().find(same) {
            Some(known) => known.records += 1,
            None => self.counted.push(Ruling {
                act,
                code,
                field: String::new(),
                class: None,
                rule: Some(Arc::clone(rule)),
                records: 1,
                told: told.to_owned(),
            }),
        }
    }

    /// Adds those of a further part.
    pub fn add(&mut self, other: Self) {
        for one in other.counted {
            let same = |known: &&mut Ruling| {
                (known.act, known.code, known.class) == (one.act, one.code, one.class)
                    && known.field == one.field
                    && known.rule == one.rule
            };
            match self.counted.iter_mut().find(same) {
                Some(known) => known.records += one.records,
                None => self.counted.push(one),
            }
        }
        self.withheld.extend(other.withheld);
        self.add_sums(&other.sums);
    }

    /// Adds sums to sums.
    pub fn add_sums(&mut self, sums: &[Sum]) {
        for sum in sums {
            match self.sums.iter_mut().find(|known| known.field == sum.field) {
                Some(known) => known.add(sum),
                None => self.sums.push(sum.clone()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn sums_agree_or_both_sides_are_told() {
        let mut sum = Sum {
            field: "amount".into(),
            read: Some(number("10.50")),
            filtered: number("1"),
            rejected: number("2.25"),
            withheld: number("0.25"),
            mapped: number("7.00"),
            ..Sum::default()
        };
        assert_eq!((sum.differs(), sum.written()), (None, Some(number("7"))));
        sum.add(&Sum { read: Some(number("1")), mapped: number("0.99"), refused: number("0.99"), ..sum.clone() });
        assert_eq!(sum.differs(), Some((number("4.50"), number("7.99"))));
    }

    #[test]
    fn equal_reasons_are_counted_together() {
        let mut rulings = Rulings::default();
        for _ in 0..3 {
            rulings.count(Act::Withheld, "comply-no-consent", "", None, || "first".into());
        }
        let mut all = rulings.clone();
        all.add(rulings);
        assert_eq!((all.counted.len(), all.counted[0].records), (1, 6));
    }
}
