//! The key of a record alone: what a filtered or rejected record still says about which record of the
//! target it is.

use crate::expr::{Frame, Moment};
use crate::record::{Arena, Row, Type, Value};

use super::convert::convert;
use super::route::Route;

impl Route {
    /// The values of the key's columns, in the order of the key, whatever the gate and the other
    /// rules say. `false`: the key cannot be told. Conditions on the key are not asked: a key that the
    /// mapping does not let pass names a record all the same.
    pub fn key_of<'a>(&'a self, row: &Row<'a>, arena: &'a Arena, now: Moment<'_>, out: &mut Vec<Value<'a>>) -> bool {
        out.clear();
        let mut frame = Frame { slots: row.slots, value: Value::Missing, arena, now };
        for rule in self.key.iter().filter_map(|column| self.rules.get(*column)) {
            let mut value = match rule.slot {
                Some(slot) => row.slots.get(slot).copied().unwrap_or_default(),
                None => Value::Missing,
            };
            if value.is_absent()
                && let Some(default) = &rule.default
            {
                value = default.lend(arena);
            }
            if let Some(transform) = &rule.transform {
                frame.value = value;
                match transform.eval(&frame) {
                    Ok(result) => value = result,
                    Err(_) => return false,
                }
            }
            if !matches!(rule.wanted, Type::Dyn) {
                match convert(value, &rule.wanted, rule.reading, arena) {
                    Some(converted) => value = converted,
                    None => return false,
                }
            }
            if value.is_absent() {
                return false;
            }
            out.push(value);
        }
        !out.is_empty()
    }
}
