//! Detection as a function of expressions: whether one value shows data of a class.

use std::cell::RefCell;
use std::sync::Arc;

use super::{Context, Hit, Scanner, Selection, THRESHOLD};
use crate::config::Detect;
use crate::expr::keyed::{Looker, Looks};
use crate::record::{ClassId, Value, shown};

/// Every detector, from a score on.
#[derive(Debug)]
pub struct Sight {
    threshold: f32,
}

impl Sight {
    /// At the usual threshold.
    pub fn usual() -> Arc<dyn Looks> {
        Arc::new(Self { threshold: THRESHOLD })
    }

    /// At the threshold that a project asks for.
    pub fn of(asked: Option<&Detect>) -> Arc<dyn Looks> {
        let threshold = asked.map_or(THRESHOLD, |asked| f32::from(asked.threshold) / 1000.0);
        Arc::new(Self { threshold })
    }
}

impl Looks for Sight {
    fn looker(&self, class: Option<ClassId>, field: &str) -> Box<dyn Looker> {
        let context = if field.is_empty() { Context::none() } else { Context::of_field(field) };
        Box::new(Eye { class, context, threshold: self.threshold })
    }
}

/// Looks for one class in values of one field.
#[derive(Debug)]
struct Eye {
    class: Option<ClassId>,
    context: Context,
    threshold: f32,
}

/// What a thread looks with: expressions are shared by all threads, and memory of a scanner is not.
struct Memory {
    scanner: Scanner,
    threshold: f32,
    hits: Vec<Hit>,
}

thread_local! {
    static MEMORY: RefCell<Option<Memory>> = const { RefCell::new(None) };
}

impl Eye {
    fn text(&self, text: &str) -> bool {
        MEMORY.with_borrow_mut(|memory| {
            let memory = match memory {
                Some(known) if known.threshold.to_bits() == self.threshold.to_bits() => known,
                other => other.insert(Memory {
                    scanner: Scanner::new(&Selection::all().threshold(self.threshold)),
                    threshold: self.threshold,
                    hits: Vec::new(),
                }),
            };
            memory.hits.clear();
            memory.scanner.scan(text, &self.context, &mut memory.hits);
            memory.hits.iter().any(|hit| match self.class {
                Some(class) => hit.class.is_within(class),
                None => hit.class.class().sensitivity > 0,
            })
        })
    }
}

impl Looker for Eye {
    fn sees(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Missing | Value::Null | Value::Bool(_) => false,
            Value::String(text) | Value::Number(text) => self.text(text),
            Value::Bytes(bytes) => std::str::from_utf8(bytes).is_ok_and(|text| self.text(text)),
            Value::List(items) => items.iter().any(|item| self.sees(item)),
            Value::Map(entries) => entries.iter().any(|(_, item)| self.sees(item)),
            Value::Dict(entries) => entries.iter().any(|(_, item)| self.sees(item)),
            other => self.text(&shown::text(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_looked_at() {
        let check = |class: Option<&str>, field: &str, value: Value<'_>, expected: bool| {
            let class = class.map(|name| ClassId::named(name).expect("a class"));
            assert_eq!(Sight::usual().looker(class, field).sees(&value), expected, "{class:?} {field} {value:?}");
        };
        let card = Value::String("call 4539 1488 0343 6467 now");
        check(Some("pci.pan"), "note", card, true);
        check(Some("pci"), "note", card, true);
        check(Some("phi"), "note", card, false);
        check(None, "note", card, true);
        check(None, "note", Value::String("call me now"), false);
        check(None, "note", Value::Null, false);
        check(Some("pci.pan"), "", Value::Int(4_539_148_803_436_467), true);
        check(Some("pci"), "", Value::Map(&[("a", Value::List(&[card]))]), true);
        check(Some("pci.sad.cvv"), "cvv", Value::String("123"), true);
        check(Some("pci.sad.cvv"), "floor", Value::String("123"), false);
    }
}
