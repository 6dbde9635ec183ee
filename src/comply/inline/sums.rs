//! Control totals: sums of declared fields, of what was read beside what became of it.

use crate::config::{FieldRule, Make};
use crate::map::{Leaf, Route};
use crate::record::{Decimal, Sum, Value};

/// What is summed on a route.
#[derive(Debug)]
pub struct Sums {
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    name: String,
    column: usize,
    /// The slot of its source value, where the field is a plain copy of it.
    slot: Option<usize>,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// `when` was false.
    Filtered,
    /// It is a dead letter.
    Rejected,
    /// It was kept back.
    Withheld,
}

impl Sums {
    /// For the fields that a route declares; `None` if there are none.
    pub fn new(route: &Route) -> Option<Self> {
        let fields: Vec<Field> = route
            .totals
            .iter()
            .map(|column| {
                let name = route.columns.get(*column).map(|column| column.path.to_string()).unwrap_or_default();
                let leaf = route.leaves.iter().find(|leaf| leaf.column == *column);
                Field {
                    name,
                    column: *column,
                    slot: leaf.filter(|_| !route.explodes()).and_then(|leaf| copied(leaf, route)),
                }
            })
            .collect();
        (!fields.is_empty()).then_some(Self { fields })
    }

    /// How many fields are summed.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Sums of nothing.
    pub fn none(&self) -> Vec<Sum> {
        let none = |field: &Field| Sum {
            field: field.name.clone(),
            read: field.slot.map(|_| Decimal::default()),
            ..Sum::default()
        };
        self.fields.iter().map(none).collect()
    }

    /// Takes a record that did not become a target record. A sum of few values tells of each: what looks
    /// sensitive (`hides`, by the field's number) is no part of any.
    pub fn lost(
        &self,
        sums: &mut [Sum],
        slots: &[Value<'_>],
        fate: Fate,
        mut hides: impl FnMut(usize, &Value<'_>) -> bool,
    ) {
        for (field, sum) in self.fields.iter().zip(sums) {
            let Some(slot) = field.slot else { continue };
            let value = slots.get(slot).copied().unwrap_or_default();
            let Some(number) = number(&value).filter(|_| !hides(field.column, &value)) else {
                sum.unread += 1;
                continue;
            };
            let into = match fate {
                Fate::Filtered => &mut sum.filtered,
                Fate::Rejected => &mut sum.rejected,
                Fate::Withheld => &mut sum.withheld,
            };
            let added = into.add(number).map(|made| *into = made);
            let read = sum.read.unwrap_or_default().add(number).map(|read| sum.read = Some(read));
            sum.unread += u64::from(added.is_err() || read.is_err());
        }
    }

    /// Takes a record with the target records it became, and adds their numbers to `amounts`, in order.
    pub fn made(
        &self,
        sums: &mut [Sum],
        slots: &[Value<'_>],
        values: &[Value<'_>],
        width: usize,
        amounts: &mut Vec<Decimal>,
    ) {
        for (field, sum) in self.fields.iter().zip(&mut *sums) {
            let source = field.slot.map(|slot| number(&slots.get(slot).copied().unwrap_or_default()));
            match source {
                Some(Some(number)) => match sum.read.unwrap_or_default().add(number) {
                    Ok(read) => sum.read = Some(read),
                    Err(_) => sum.unread += 1,
                },
                // A value that is no number on one side and none on the other agrees.
                Some(None) => sum.unread += 1,
                None => {}
            }
        }
        for record in values.chunks(width.max(1)) {
            for (field, sum) in self.fields.iter().zip(&mut *sums) {
                let made = number(&record.get(field.column).copied().unwrap_or_default());
                let made = made.unwrap_or_default();
                match sum.mapped.add(made) {
                    Ok(mapped) => sum.mapped = mapped,
                    Err(_) => sum.unread += 1,
                }
                amounts.push(made);
            }
        }
    }
}

/// The slot of the source value that a rule takes over as it is.
fn copied(leaf: &Leaf, route: &Route) -> Option<usize> {
    let FieldRule { make, default, when, .. } = &leaf.rule;
    let plain = matches!(make, Make::Value) && default.is_none() && when.is_none() && leaf.protected.is_empty();
    let path = leaf.source.as_ref().filter(|_| plain)?;
    route.projection.paths.iter().position(|known| known == path)
}

/// A number, however it is written; `None`: it is none. Nothing counts as zero.
fn number(value: &Value<'_>) -> Option<Decimal> {
    match value {
        Value::Missing | Value::Null | Value::String("") => Some(Decimal::default()),
        Value::Int(number) => Some(Decimal::from_i64(*number)),
        Value::Uint(number) => Some(Decimal::from_u64(*number)),
        Value::Decimal(number) => Some(*number),
        Value::Number(text) | Value::String(text) => Decimal::parse(text.trim()).ok(),
        Value::Double(number) => Decimal::parse(&number.to_string()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_however_they_are_written() {
        let one = Decimal::parse("0.10").unwrap();
        assert_eq!(number(&Value::String(" 0.10 ")), Some(one));
        assert_eq!(number(&Value::Number("0.1")), Some(one));
        assert_eq!(number(&Value::Double(0.1)), Some(one));
        assert_eq!((number(&Value::Null), number(&Value::String("ten"))), (Some(Decimal::default()), None));
    }
}
