//! One record into many: each element of a list of the source record becomes a target record of its
//! own, with the rules of the whole mapping. All of them or none: what fails in one element rejects
//! the source record.

use super::route::{Fault, Route, Verdict, Watch};
use crate::error::codes::map as codes;
use crate::expr::{Frame, Moment};
use crate::record::path::Step;
use crate::record::{Arena, Path, Row, Value};

/// Most target records of one source record.
const MOST_RECORDS: usize = 100_000;

/// The list that a record is taken apart by.
#[derive(Debug)]
pub(super) struct Explode {
    /// The slot of the list.
    pub(super) slot: usize,
    /// Lists in lists that are gone through as one.
    pub(super) depth: usize,
    /// The cell of the element.
    pub(super) item: usize,
    /// The cell of its number, from 0.
    pub(super) index: usize,
    /// The list, for messages.
    pub(super) name: String,
}

/// The path of a list, without the `[*]` at its end that says so.
pub(super) fn list_of(path: &Path) -> Path {
    let mut steps = path.0.clone();
    if steps.last() == Some(&Step::Each) {
        steps.pop();
    }
    Path(steps)
}

impl Route {
    /// How many values one target record has: several of them stand in `out` one behind the other
    /// where records are taken apart.
    pub fn width(&self) -> usize {
        self.columns.len().max(1)
    }

    /// Whether one source record may become several target records.
    pub fn explodes(&self) -> bool {
        self.explode.is_some()
    }

    /// The elements of a record; `Err`: there is no list.
    fn elements_of<'a>(
        &self,
        explode: &Explode,
        slots: &[Value<'a>],
        arena: &'a Arena,
    ) -> Result<&'a [Value<'a>], Box<Fault>> {
        let mut found = slots.get(explode.slot).copied().unwrap_or_default();
        for _ in 0..explode.depth {
            found = flat(found, arena);
        }
        match found {
            Value::Missing | Value::Null => Ok(&[]),
            Value::List(items) if items.len() <= MOST_RECORDS => Ok(items),
            Value::List(items) => {
                let cause = format!("`{}` has {} elements, more than {MOST_RECORDS}", explode.name, items.len());
                Err(self.reject(&codes::EXPLODE_LIMIT, None, cause))
            }
            other => {
                let cause = format!("`{}` is {}, not a list", explode.name, other.type_name());
                Err(self.reject(&codes::WRONG_TYPE, None, cause))
            }
        }
    }

    /// Turns to an element: what was computed for the one before is forgotten.
    fn turn<'a>(&self, explode: &Explode, frame: &mut Frame<'_, 'a>, at: usize, item: Value<'a>) {
        for cell in frame.locals.cells {
            cell.set(None);
        }
        if let (Some(place), Some(index)) =
            (frame.locals.cells.get(explode.item), frame.locals.cells.get(explode.index))
        {
            place.set(Some(item));
            index.set(Some(Value::Int(at as i64)));
        }
        frame.now.element = at as u64 + 1;
    }

    /// The target records of one source record, one behind the other. It is filtered if there is none.
    #[inline(never)]
    pub(super) fn exploded<'a, W: Watch>(
        &'a self,
        explode: &'a Explode,
        frame: &mut Frame<'_, 'a>,
        out: &mut Vec<Value<'a>>,
        watch: &W,
    ) -> Verdict {
        let items = match self.elements_of(explode, frame.slots, frame.arena) {
            Ok(items) => items,
            Err(fault) => return Verdict::Rejected(fault),
        };
        for (at, item) in items.iter().enumerate() {
            self.turn(explode, frame, at, *item);
            match self.one(frame, out, watch) {
                Verdict::Rejected(mut fault) => {
                    out.clear();
                    fault.cause = format!("element {} of `{}`: {}", at + 1, explode.name, fault.cause);
                    return Verdict::Rejected(fault);
                }
                Verdict::Withheld(rule) => {
                    out.clear();
                    return Verdict::Withheld(rule);
                }
                Verdict::Mapped | Verdict::Filtered => {}
            }
        }
        if out.is_empty() { Verdict::Filtered } else { Verdict::Mapped }
    }

    /// Tells the key of each target record that a source record becomes or would have become, whatever
    /// the gate says. `false`: one of them cannot be told.
    pub fn keys_of<'a>(
        &'a self,
        row: &Row<'a>,
        arena: &'a Arena,
        now: Moment<'_>,
        key: &mut Vec<Value<'a>>,
        tell: &mut dyn FnMut(&[Value<'a>]) -> bool,
    ) -> bool {
        let Some(explode) = &self.explode else { return self.key_of(row, arena, now, key) && tell(key) };
        let mut frame = Frame { slots: row.slots, value: Value::Missing, arena, now, locals: self.locals(arena) };
        let Ok(items) = self.elements_of(explode, row.slots, arena) else { return false };
        let mut told = true;
        for (at, item) in items.iter().enumerate() {
            self.turn(explode, &mut frame, at, *item);
            told &= self.key_in(&mut frame, key) && tell(key);
        }
        told
    }
}

/// One list of the elements of lists.
fn flat<'a>(found: Value<'a>, arena: &'a Arena) -> Value<'a> {
    let Value::List(lists) = found else { return found };
    let mut all = bumpalo::collections::Vec::new_in(arena);
    for inner in lists {
        match *inner {
            Value::List(items) => all.extend_from_slice(items),
            Value::Missing | Value::Null => {}
            // What is no list stays to be found.
            other => return other,
        }
    }
    Value::List(all.into_bump_slice())
}
