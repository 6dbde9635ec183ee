//! The key of a record alone: what a filtered or rejected record still says about which record of the
//! target it is.

use crate::expr::{Frame, Moment};
use crate::record::{Arena, Row, Value, shown};

use super::route::Route;

impl Route {
    /// The values of the key's columns, in the order of the key, whatever the gate and the other
    /// rules say. `false`: the key cannot be told. Conditions on the key are not asked: a key that the
    /// mapping does not let pass names a record all the same.
    pub fn key_of<'a>(&'a self, row: &Row<'a>, arena: &'a Arena, now: Moment<'_>, out: &mut Vec<Value<'a>>) -> bool {
        let mut frame = Frame { slots: row.slots, value: Value::Missing, arena, now, locals: self.locals(arena) };
        self.key_in(&mut frame, out)
    }

    /// The same where the evaluation stands.
    pub(super) fn key_in<'a>(&'a self, frame: &mut Frame<'_, 'a>, out: &mut Vec<Value<'a>>) -> bool {
        out.clear();
        for rule in self.key.iter().filter_map(|column| self.rules.get(*column)) {
            let Ok(value) = self.unjudged(rule, frame) else { return false };
            if value.is_absent() {
                return false;
            }
            out.push(value);
        }
        !out.is_empty()
    }

    /// The key as messages show it, `product_id` 17; none if any of it is or sounds sensitive, or is not declared.
    pub fn shown_key(&self, key: &[Value<'_>]) -> Option<String> {
        let mut shown = Vec::with_capacity(key.len());
        for (rule, value) in self.key.iter().filter_map(|column| self.rules.get(*column)).zip(key) {
            if !rule.open {
                return None;
            }
            shown.push(format!("`{}` {}", rule.target, shown::short(value)));
        }
        (!shown.is_empty()).then(|| shown.join(", "))
    }
}
