//! The loops of macros over lists and maps.

use bumpalo::collections::Vec as List;

use super::{Context, Loop, Node, Outcome, Scope, absorbable, finish_map};
use crate::expr::EvalError;
use crate::expr::ast::Span;
use crate::expr::functions::Prepared;
use crate::record::Value;

/// A loop about to run.
pub(super) struct Run<'n> {
    pub at: Span,
    pub kind: Loop,
    pub two: bool,
    pub strict: bool,
    pub filter: Option<&'n Node>,
    pub body: &'n Node,
}

impl<'a> Run<'a> {
    pub fn over(
        &self,
        length: usize,
        items: impl Iterator<Item = (Value<'a>, Value<'a>)>,
        keyed: bool,
        cx: &Context<'_, 'a>,
        scope: Option<&Scope<'_, 'a>>,
    ) -> Outcome<'a> {
        let arena = cx.frame.arena;
        let collects = matches!(self.kind, Loop::Filter | Loop::Map);
        let mut list = List::with_capacity_in(if collects { length } else { 0 }, arena);
        let mut entries = List::new_in(arena);
        let mut count = 0_u32;
        let mut held: Option<Box<EvalError>> = None;
        for (key, value) in items {
            cx.step(self.at)?;
            cx.call(&Prepared::None).spend(24).map_err(|failure| cx.error(self.at, failure))?;
            // With one variable it is the item of a list, or the key of a map.
            let outer = Scope { value: key, up: scope };
            let inner = if self.two {
                Scope { value, up: Some(&outer) }
            } else {
                Scope { value: if keyed { key } else { value }, up: scope }
            };
            if let Some(filter) = self.filter {
                match filter.eval(cx, Some(&inner))? {
                    Value::Bool(true) => {}
                    Value::Bool(false) => continue,
                    other => return Err(cx.operands(filter.at, "a condition", &[(filter, other)])),
                }
            }
            let result = self.body.eval(cx, Some(&inner));
            match self.kind {
                Loop::Map | Loop::MapEntries => {
                    let result = result?;
                    if result.is_missing() {
                        return Err(cx.operands(self.body.at, "map", &[(self.body, result)]));
                    }
                    if self.kind == Loop::Map {
                        list.push(result)
                    } else {
                        entries.push((key, result))
                    }
                    continue;
                }
                _ => {}
            }
            let truth = match result {
                Ok(Value::Bool(truth)) => truth,
                Ok(other) => {
                    held.get_or_insert(cx.operands(self.body.at, "a condition", &[(self.body, other)]));
                    if self.strict || matches!(self.kind, Loop::Filter | Loop::One) {
                        break;
                    }
                    continue;
                }
                Err(error) if self.strict || !absorbable(&error) || matches!(self.kind, Loop::Filter | Loop::One) => {
                    return Err(error);
                }
                Err(error) => {
                    held.get_or_insert(error);
                    continue;
                }
            };
            match self.kind {
                Loop::All if !truth => return Ok(Value::Bool(false)),
                Loop::Exists if truth => return Ok(Value::Bool(true)),
                Loop::One => count += u32::from(truth),
                Loop::Filter if truth => list.push(inner.value),
                _ => {}
            }
        }
        if let Some(error) = held {
            return Err(error);
        }
        Ok(match self.kind {
            Loop::All => Value::Bool(true),
            Loop::Exists => Value::Bool(false),
            Loop::One => Value::Bool(count == 1),
            Loop::Filter | Loop::Map => Value::List(list.into_bump_slice()),
            Loop::MapEntries => finish_map(entries, cx),
        })
    }
}
