//! The compiled form of an expression, and its evaluation.
//!
//! A tree of nodes with names resolved to slots. Nothing is allocated but results, and those
//! in the arena; text of errors is made only when there is an error.

use std::cell::Cell;
use std::cmp::Ordering;

use bumpalo::collections::Vec as List;

mod run;

use super::ast::{Operator, Span};
use super::functions::{Call, Failure, Function, Kinds, Prepared};
use super::{EvalError, Frame, Seed, operators};
use crate::error::codes::expr as codes;
use crate::record::Value;
use run::Run;

/// The most steps of loops in one evaluation.
const MAX_STEPS: u32 = 1_000_000;

#[derive(Debug)]
pub(super) struct Node {
    pub at: Span,
    pub op: Op,
}

/// What a loop over a list or map makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loop {
    All,
    Exists,
    One,
    Filter,
    Map,
    MapEntries,
}

/// The items of a list that is written down, so that nothing has to be built to look into it.
#[derive(Debug)]
pub(super) struct Among {
    /// The texts, sorted.
    texts: Box<[Box<str>]>,
    others: Box<[Value<'static>]>,
}

impl Among {
    /// The items of a list of plain values; `None` if something has to be computed.
    pub fn of(list: &Op) -> Option<Self> {
        let Op::List(items) = list else { return None };
        let (mut texts, mut others) = (Vec::new(), Vec::new());
        for (optional, item) in items {
            match &item.op {
                Op::Text(text) if !optional => texts.push(text.clone()),
                Op::Constant(value) if !optional && !value.is_missing() => others.push(*value),
                _ => return None,
            }
        }
        texts.sort_unstable();
        texts.dedup();
        Some(Self { texts: texts.into(), others: others.into() })
    }

    /// Whether a value is one of them.
    #[inline]
    fn has(&self, value: &Value<'_>) -> bool {
        match value {
            // A few are looked through at once: most differ in length or in the first letter.
            Value::String(found) if self.texts.len() <= 8 => self.texts.iter().any(|text| **text == **found),
            Value::String(found) => self.texts.binary_search_by(|text| (**text).cmp(found)).is_ok(),
            value => self.others.iter().any(|other| operators::equals(value, other)),
        }
    }
}

/// Keys and what stands under them.
pub(super) type Fields = Box<[(Box<str>, Node)]>;

#[derive(Debug)]
pub(super) enum Op {
    Constant(Value<'static>),
    Text(Box<str>),
    Bytes(Box<[u8]>),
    /// `frame.value`.
    Value,
    Slot(usize),
    /// This cell of `frame.locals`.
    Cell(usize),
    /// The variable of the loop so many loops further out.
    Local(usize),
    Select {
        base: Box<Node>,
        key: Box<str>,
        optional: bool,
    },
    Index {
        base: Box<Node>,
        index: Box<Node>,
        optional: bool,
    },
    Has(Box<Node>),
    OrValue(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Negate(Box<Node>),
    Arithmetic(Operator, Box<Node>, Box<Node>),
    Concat(Box<[Node]>),
    Order(Operator, Box<Node>, Box<Node>),
    /// `==`, or `!=` where the flag is false.
    Equal(bool, Box<Node>, Box<Node>),
    In(Box<Node>, Box<Node>),
    /// `in` where the list is written down.
    Among(Box<Node>, Box<Among>),
    /// `&&` (decided by false) or `||` (decided by true).
    Logic {
        decides: bool,
        strict: bool,
        left: Box<Node>,
        right: Box<Node>,
    },
    Conditional(Box<Node>, Box<Node>, Box<Node>),
    List(Box<[(bool, Node)]>),
    Map(Box<[(bool, Node, Node)]>),
    /// A map whose keys are written down and all different: nothing is left to check but the values.
    Record(Fields),
    Loop {
        kind: Loop,
        /// Whether the body sees key (or index) and value.
        two: bool,
        strict: bool,
        range: Box<Node>,
        /// The condition of `map(x, condition, body)` and `transformList(i, v, condition, body)`.
        filter: Option<Box<Node>>,
        body: Box<Node>,
    },
    Call {
        function: &'static Function,
        arguments: Box<[Node]>,
        prepared: Prepared,
    },
}

type Outcome<'a> = Result<Value<'a>, Box<EvalError>>;

/// What holds during one evaluation.
pub(super) struct Context<'f, 'a> {
    frame: &'f Frame<'f, 'a>,
    text: &'a str,
    cel: bool,
    salt: u64,
    steps: Cell<u32>,
    spent: Cell<usize>,
    drawn: Cell<u64>,
    /// Told at each fork which way was taken; only where somebody looks.
    pub passed: Option<&'f dyn Fn((u32, u32), bool)>,
}

/// The variables of the loops around, innermost first.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s, 'a> {
    value: Value<'a>,
    up: Option<&'s Scope<'s, 'a>>,
}

impl<'f, 'a> Context<'f, 'a> {
    pub fn new(frame: &'f Frame<'f, 'a>, text: &'a str, cel: bool, salt: u64) -> Self {
        Self { frame, text, cel, salt, steps: Cell::new(0), spent: Cell::new(0), drawn: Cell::new(0), passed: None }
    }

    #[inline]
    fn took(&self, at: Span, truth: bool) {
        if let Some(passed) = self.passed {
            passed((at.start, at.end), truth);
        }
    }

    #[inline]
    fn call<'c>(&'c self, prepared: &'a Prepared) -> Call<'c, 'a> {
        let now = &self.frame.now;
        let seed = Seed { moment: now, salt: self.salt, drawn: &self.drawn };
        Call { arena: self.frame.arena, now: now.run, seed, prepared, cel: self.cel, spent: &self.spent }
    }

    fn step(&self, at: Span) -> Result<(), Box<EvalError>> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if steps > MAX_STEPS {
            return Err(self.error(at, Failure::new(&codes::LIMIT, "the expression takes more than a million steps")));
        }
        Ok(())
    }

    /// Counts long values as steps: what looks at all of one takes longer the longer it is, and a loop around it
    /// must not run on and on.
    #[inline]
    fn weigh(&self, at: Span, value: &Value<'_>) -> Result<(), Box<EvalError>> {
        let steps = match value {
            Value::String(text) => text.len() >> 8,
            Value::Bytes(bytes) => bytes.len() >> 8,
            Value::List(items) => items.len() >> 4,
            _ => 0,
        };
        if steps == 0 { Ok(()) } else { self.steps_more(at, steps) }
    }

    #[cold]
    fn steps_more(&self, at: Span, steps: usize) -> Result<(), Box<EvalError>> {
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        self.steps.set(self.steps.get().saturating_add(steps).min(u32::MAX - 1));
        self.step(at)
    }

    #[cold]
    fn error(&self, at: Span, failure: Failure) -> Box<EvalError> {
        Box::new(EvalError {
            code: failure.code,
            cause: failure.cause.to_string(),
            start: at.start as usize,
            end: at.end as usize,
        })
    }

    /// The text of a part of the expression, as messages show it.
    fn source(&self, at: Span) -> String {
        excerpt(self.text, at)
    }

    /// Why an operand cannot be used: it is missing or null.
    #[cold]
    fn absent(&self, node: &Node, value: &Value<'_>) -> Option<Box<EvalError>> {
        let text = self.source(node.at);
        Some(self.error(
            node.at,
            match value {
                Value::Missing => Failure::new(&codes::MISSING, format!("`{text}` is missing")),
                Value::Null => Failure::new(&codes::NULL, format!("`{text}` is null")),
                _ => return None,
            },
        ))
    }

    #[cold]
    fn operands(&self, at: Span, sign: &str, operands: &[(&Node, Value<'_>)]) -> Box<EvalError> {
        for (node, value) in operands {
            if let Some(error) = self.absent(node, value) {
                return error;
            }
        }
        let types: Vec<&str> = operands.iter().map(|(_, v)| v.type_name()).collect();
        let mut cause = format!("`{sign}` does not take {}", types.join(" and "));
        if types.contains(&"string") && types.iter().any(|t| matches!(*t, "int" | "decimal")) {
            cause.push_str(": convert one of them with `decimal(…)` or `string(…)`");
        }
        self.error(at, Failure::types(cause))
    }
}

/// A part of the expression, shortened.
pub(super) fn excerpt(text: &str, at: Span) -> String {
    let part = text.get(at.start as usize..at.end as usize).unwrap_or("…");
    match part.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &part[..end]),
        None => part.to_string(),
    }
}

/// A limit is never absorbed: it would turn an attack into a result.
fn absorbable(error: &EvalError) -> bool {
    !std::ptr::eq(error.code, &codes::LIMIT)
}

impl Node {
    /// The value of a node: what is only looked up, at once; the rest by evaluation.
    #[inline(always)]
    fn get<'a>(&'a self, cx: &Context<'_, 'a>, scope: Option<&Scope<'_, 'a>>) -> Outcome<'a> {
        match &self.op {
            Op::Value => Ok(cx.frame.value),
            Op::Constant(value) => Ok(*value),
            Op::Text(text) => Ok(Value::String(text)),
            Op::Slot(slot) => Ok(cx.frame.slots.get(*slot).copied().unwrap_or_default()),
            Op::Local(0) => Ok(scope.map_or(Value::Missing, |scope| scope.value)),
            _ => self.eval(cx, scope),
        }
    }

    pub fn eval<'a>(&'a self, cx: &Context<'_, 'a>, scope: Option<&Scope<'_, 'a>>) -> Outcome<'a> {
        match &self.op {
            Op::Constant(value) => Ok(*value),
            Op::Text(text) => Ok(Value::String(text)),
            Op::Value => Ok(cx.frame.value),
            Op::Slot(slot) => Ok(cx.frame.slots.get(*slot).copied().unwrap_or_default()),
            Op::Cell(cell) => self.cell(*cell, cx),
            Op::Among(left, among) => {
                let value = left.get(cx, scope)?;
                if value.is_missing() {
                    return Err(cx.operands(self.at, "in", &[(left, value)]));
                }
                Ok(Value::Bool(among.has(&value)))
            }
            Op::Call { function, arguments, prepared } => self.call(function, arguments, prepared, cx, scope),
            Op::Arithmetic(operator, left, right) => {
                let (l, r) = (left.get(cx, scope)?, right.get(cx, scope)?);
                if let (Value::Decimal(a), Value::Decimal(b)) = (l, r) {
                    return operators::decimals(*operator, a, b).map_err(|failure| cx.error(self.at, failure));
                }
                match operators::arithmetic(*operator, l, r, &cx.call(&Prepared::None)) {
                    Some(Ok(value)) => Ok(value),
                    Some(Err(failure)) => Err(cx.error(self.at, failure)),
                    None => Err(cx.operands(self.at, operator.sign(), &[(left, l), (right, r)])),
                }
            }
            Op::Concat(pieces) => self.concat(pieces, cx, scope),
            Op::Order(operator, left, right) => {
                let (l, r) = (left.get(cx, scope)?, right.get(cx, scope)?);
                let holds = |ordering: Ordering| match operator {
                    Operator::Less => ordering.is_lt(),
                    Operator::LessEqual => ordering.is_le(),
                    Operator::Greater => ordering.is_gt(),
                    _ => ordering.is_ge(),
                };
                if let (Value::Int(a), Value::Int(b)) = (l, r) {
                    return Ok(Value::Bool(holds(a.cmp(&b))));
                }
                match operators::order(&l, &r) {
                    Some(Ok(ordering)) => Ok(Value::Bool(ordering.is_some_and(holds))),
                    Some(Err(failure)) => Err(cx.error(self.at, failure)),
                    None => Err(cx.operands(self.at, operator.sign(), &[(left, l), (right, r)])),
                }
            }
            Op::Equal(equal, left, right) => {
                let (l, r) = (left.get(cx, scope)?, right.get(cx, scope)?);
                for (node, value) in [(left, &l), (right, &r)] {
                    if value.is_missing() {
                        return Err(cx.operands(node.at, "==", &[(node, *value)]));
                    }
                }
                cx.weigh(self.at, &l)?;
                Ok(Value::Bool(operators::equals(&l, &r) == *equal))
            }
            Op::Logic { decides, strict, left, right } => self.logic(*decides, *strict, [left, right], cx, scope),
            Op::Conditional(condition, yes, no) => match condition.get(cx, scope)? {
                Value::Bool(truth) => {
                    cx.took(condition.at, truth);
                    if truth { yes.eval(cx, scope) } else { no.eval(cx, scope) }
                }
                other => Err(cx.operands(condition.at, "?", &[(condition, other)])),
            },
            Op::Not(inner) => match inner.eval(cx, scope)? {
                Value::Bool(value) => Ok(Value::Bool(!value)),
                other => Err(cx.operands(self.at, "!", &[(inner, other)])),
            },
            Op::Has(inner) => Ok(Value::Bool(!inner.eval(cx, scope)?.is_missing())),
            Op::OrValue(inner, other) => match inner.eval(cx, scope)? {
                Value::Missing => other.eval(cx, scope),
                value => Ok(value),
            },
            Op::Local(out) => {
                let mut found = scope;
                for _ in 0..*out {
                    found = found.and_then(|s| s.up);
                }
                Ok(found.map_or(Value::Missing, |s| s.value))
            }
            Op::Select { base, key, optional } => self.select(base, key, *optional, cx, scope),
            Op::Record(fields) => self.record(fields, cx, scope),
            _ => self.rare(cx, scope),
        }
    }

    /// The value of a cell, computed if it is not there yet.
    #[inline]
    fn cell<'a>(&'a self, cell: usize, cx: &Context<'_, 'a>) -> Outcome<'a> {
        match cx.frame.locals.cells.get(cell).and_then(std::cell::Cell::get) {
            Some(value) => Ok(value),
            None => self.compute(cell, cx),
        }
    }

    #[inline(never)]
    fn compute<'a>(&'a self, cell: usize, cx: &Context<'_, 'a>) -> Outcome<'a> {
        let locals = &cx.frame.locals;
        let (Some(place), Some(Some(program))) = (locals.cells.get(cell), locals.programs.get(cell)) else {
            return Ok(Value::Missing);
        };
        let value = program.eval(cx.frame).map_err(|error| {
            let name = cx.source(self.at);
            cx.error(self.at, Failure::new(error.code, format!("`{name}`: {}", error.cause)))
        })?;
        place.set(Some(value));
        Ok(value)
    }

    /// Kept apart, so that the common cases stay small.
    #[inline(never)]
    fn rare<'a>(&'a self, cx: &Context<'_, 'a>, scope: Option<&Scope<'_, 'a>>) -> Outcome<'a> {
        match &self.op {
            Op::Bytes(bytes) => Ok(Value::Bytes(bytes)),
            Op::Negate(inner) => {
                let value = inner.eval(cx, scope)?;
                match operators::negate(&value, cx.cel) {
                    Some(Ok(value)) => Ok(value),
                    Some(Err(failure)) => Err(cx.error(self.at, failure)),
                    None => Err(cx.operands(self.at, "-", &[(inner, value)])),
                }
            }
            Op::In(left, right) => {
                let (l, r) = (left.eval(cx, scope)?, right.eval(cx, scope)?);
                if l.is_missing() {
                    return Err(cx.operands(self.at, "in", &[(left, l)]));
                }
                cx.weigh(self.at, &r)?;
                match operators::contains(&l, &r) {
                    Some(found) => Ok(Value::Bool(found)),
                    None => Err(cx.operands(self.at, "in", &[(left, l), (right, r)])),
                }
            }
            Op::Index { base, index, optional } => self.index(base, index, *optional, cx, scope),
            Op::List(items) => {
                let mut list = List::with_capacity_in(items.len(), cx.frame.arena);
                for (optional, item) in items {
                    let value = item.eval(cx, scope)?;
                    if !value.is_missing() {
                        list.push(value);
                    } else if !optional {
                        return Err(cx.operands(item.at, "[]", &[(item, value)]));
                    }
                }
                Ok(Value::List(list.into_bump_slice()))
            }
            Op::Map(items) => self.map(items, cx, scope),
            Op::Loop { kind, two, strict, range, filter, body } => {
                let range_value = range.eval(cx, scope)?;
                let run = Run { at: self.at, kind: *kind, two: *two, strict: *strict, filter: filter.as_deref(), body };
                match range_value {
                    Value::List(items) => {
                        let pairs = items.iter().enumerate().map(|(index, item)| (Value::Int(index as i64), *item));
                        run.over(items.len(), pairs, false, cx, scope)
                    }
                    Value::Map(entries) => {
                        let pairs = entries.iter().map(|(key, value)| (Value::String(key), *value));
                        run.over(entries.len(), pairs, true, cx, scope)
                    }
                    Value::Dict(entries) => run.over(entries.len(), entries.iter().copied(), true, cx, scope),
                    other => Err(cx.operands(range.at, "a macro", &[(range, other)])),
                }
            }
            _ => Ok(Value::Missing),
        }
    }

    #[inline]
    fn call<'a>(
        &'a self,
        function: &'static Function,
        arguments: &'a [Node],
        prepared: &'a Prepared,
        cx: &Context<'_, 'a>,
        scope: Option<&Scope<'_, 'a>>,
    ) -> Outcome<'a> {
        let mut few = [Value::Missing; 4];
        let mut many;
        let values: &mut [Value<'a>] = if arguments.len() <= few.len() {
            &mut few[..arguments.len()]
        } else {
            many = List::from_iter_in(arguments.iter().map(|_| Value::Missing), cx.frame.arena);
            &mut many
        };
        for (index, (argument, place)) in arguments.iter().zip(values.iter_mut()).enumerate() {
            let value = argument.get(cx, scope)?;
            // What is of a wanted kind already and needs no conversion: nearly always.
            let wanted = function.spec.parameter(index).map(|parameter| parameter.kinds);
            if wanted.is_some_and(|wanted| wanted.meets(Kinds::of(&value))) && !matches!(value, Value::Number(_)) {
                cx.weigh(argument.at, &value)?;
                *place = value;
                continue;
            }
            *place = match fit(function, index, value, cx.cel) {
                Some(Ok(value)) => value,
                Some(Err(failure)) => return Err(cx.error(argument.at, failure)),
                None => return Err(misfit(function, index, argument, value, cx)),
            };
        }
        (function.call)(&cx.call(prepared), values).map_err(|failure| {
            cx.error(self.at, Failure::new(failure.code, format!("`{}`: {}", function.spec.name, failure.cause)))
        })
    }

    fn concat<'a>(&'a self, pieces: &'a [Node], cx: &Context<'_, 'a>, scope: Option<&Scope<'_, 'a>>) -> Outcome<'a> {
        let mut texts = [""; 8];
        if pieces.len() <= texts.len() {
            for (piece, text) in pieces.iter().zip(&mut texts) {
                *text = match piece.get(cx, scope)? {
                    Value::String(found) => found,
                    other => return Err(self.no_text(piece, other, cx)),
                };
            }
            return operators::concat(&texts[..pieces.len()], &cx.call(&Prepared::None))
                .map_err(|failure| cx.error(self.at, failure));
        }
        let mut texts = List::with_capacity_in(pieces.len(), cx.frame.arena);
        for piece in pieces {
            match piece.eval(cx, scope)? {
                Value::String(found) => texts.push(found),
                other => return Err(self.no_text(piece, other, cx)),
            }
        }
        operators::concat(&texts, &cx.call(&Prepared::None)).map_err(|failure| cx.error(self.at, failure))
    }

    #[cold]
    fn no_text(&self, piece: &Node, value: Value<'_>, cx: &Context<'_, '_>) -> Box<EvalError> {
        cx.absent(piece, &value).unwrap_or_else(|| {
            let source = cx.source(piece.at);
            cx.error(
                piece.at,
                Failure::types(format!(
                    "`+` does not take string and {}: write `string({source})` to join it",
                    value.type_name()
                )),
            )
        })
    }

    fn logic<'a>(
        &'a self,
        decides: bool,
        strict: bool,
        [left, right]: [&'a Node; 2],
        cx: &Context<'_, 'a>,
        scope: Option<&Scope<'_, 'a>>,
    ) -> Outcome<'a> {
        let sign = if decides { "||" } else { "&&" };
        let truth = |node: &'a Node| match node.eval(cx, scope) {
            Ok(Value::Bool(value)) => Ok(value),
            Ok(other) => Err(cx.operands(node.at, sign, &[(node, other)])),
            Err(error) => Err(error),
        };
        let first = truth(left);
        if let Ok(truth) = first {
            cx.took(left.at, truth);
        }
        match first {
            Ok(value) if value == decides => return Ok(Value::Bool(decides)),
            Err(error) if strict || !absorbable(&error) => return Err(error),
            _ => {}
        }
        let second = truth(right);
        match (first, second) {
            (_, Ok(value)) if value == decides => Ok(Value::Bool(decides)),
            (_, Err(error)) if !absorbable(&error) => Err(error),
            (Err(error), _) | (_, Err(error)) => Err(error),
            _ => Ok(Value::Bool(!decides)),
        }
    }

    fn select<'a>(
        &'a self,
        base: &'a Node,
        key: &'a str,
        optional: bool,
        cx: &Context<'_, 'a>,
        scope: Option<&Scope<'_, 'a>>,
    ) -> Outcome<'a> {
        let value = base.get(cx, scope)?;
        match value {
            Value::Map(_) | Value::Dict(_) => {
                let found = value.get(key);
                if found.is_missing() && cx.cel && !optional {
                    return Err(cx.error(self.at, Failure::new(&codes::INDEX, format!("no such key: `{key}`"))));
                }
                Ok(found)
            }
            Value::Missing => Ok(Value::Missing),
            Value::Null if optional || !cx.cel => Ok(Value::Missing),
            other => Err(cx.operands(self.at, ".", &[(base, other)])),
        }
    }

    fn index<'a>(
        &'a self,
        base: &'a Node,
        index: &'a Node,
        optional: bool,
        cx: &Context<'_, 'a>,
        scope: Option<&Scope<'_, 'a>>,
    ) -> Outcome<'a> {
        let (around, key) = (base.eval(cx, scope)?, index.eval(cx, scope)?);
        if optional && around.is_absent() {
            return Ok(Value::Missing);
        }
        if key.is_absent() || around.is_absent() {
            return Err(cx.operands(self.at, "[]", &[(base, around), (index, key)]));
        }
        let found = match around {
            Value::List(items) => {
                let position = match operators::number(&key) {
                    Some(Ok(operators::Number::Int(v))) => usize::try_from(v).ok(),
                    Some(Ok(operators::Number::Uint(v))) => usize::try_from(v).ok(),
                    Some(Ok(operators::Number::Decimal(v))) if v.to_i64().is_some() => {
                        v.to_i64().and_then(|v| usize::try_from(v).ok())
                    }
                    Some(Ok(operators::Number::Double(v))) if v.trunc() == v && v.abs() < 1e15 => {
                        usize::try_from(v as i64).ok()
                    }
                    _ => return Err(cx.operands(self.at, "[]", &[(base, around), (index, key)])),
                };
                position.and_then(|position| items.get(position).copied())
            }
            Value::Map(_) | Value::Dict(_) => operators::look_up(&around, &key),
            _ => return Err(cx.operands(self.at, "[]", &[(base, around), (index, key)])),
        };
        match found {
            Some(value) => Ok(value),
            None if optional => Ok(Value::Missing),
            None if matches!(around, Value::List(_)) => {
                Err(cx.error(self.at, Failure::new(&codes::INDEX, "the index lies outside of the list")))
            }
            None if cx.cel => Err(cx.error(self.at, Failure::new(&codes::INDEX, "the map has no such key"))),
            None => Ok(Value::Missing),
        }
    }

    fn record<'a>(
        &'a self,
        fields: &'a [(Box<str>, Node)],
        cx: &Context<'_, 'a>,
        scope: Option<&Scope<'_, 'a>>,
    ) -> Outcome<'a> {
        let mut entries = List::with_capacity_in(fields.len(), cx.frame.arena);
        for (key, node) in fields {
            let value = node.get(cx, scope)?;
            if value.is_missing() {
                return Err(cx.operands(node.at, "{}", &[(node, value)]));
            }
            entries.push((&**key, value));
        }
        Ok(Value::Map(entries.into_bump_slice()))
    }

    fn map<'a>(
        &'a self,
        items: &'a [(bool, Node, Node)],
        cx: &Context<'_, 'a>,
        scope: Option<&Scope<'_, 'a>>,
    ) -> Outcome<'a> {
        let mut entries: List<'a, (Value<'a>, Value<'a>)> = List::with_capacity_in(items.len(), cx.frame.arena);
        for (optional, key_node, value_node) in items {
            let mut key = key_node.eval(cx, scope)?;
            let value = value_node.eval(cx, scope)?;
            if value.is_missing() {
                if *optional {
                    continue;
                }
                return Err(cx.operands(value_node.at, "{}", &[(value_node, value)]));
            }
            if let Value::Decimal(_) | Value::Number(_) = key
                && let Some(Ok(operators::Number::Decimal(number))) = operators::number(&key)
                && let Some(int) = number.to_i64()
            {
                key = Value::Int(int);
            }
            if !matches!(key, Value::String(_) | Value::Bool(_) | Value::Int(_) | Value::Uint(_)) {
                return Err(cx.operands(key_node.at, "the key of a map", &[(key_node, key)]));
            }
            if entries.iter().any(|(other, _)| operators::equals(other, &key)) {
                return Err(cx.error(key_node.at, Failure::value("the map has a key twice")));
            }
            entries.push((key, value));
        }
        Ok(finish_map(entries, cx))
    }
}

/// A map with text keys where all keys are text.
fn finish_map<'a>(entries: List<'a, (Value<'a>, Value<'a>)>, cx: &Context<'_, 'a>) -> Value<'a> {
    let mut texts = List::with_capacity_in(entries.len(), cx.frame.arena);
    for (key, value) in &entries {
        let Value::String(key) = key else { return Value::Dict(entries.into_bump_slice()) };
        texts.push((*key, *value));
    }
    Value::Map(texts.into_bump_slice())
}

/// The argument in the form the parameter takes; `None` if its type does not fit.
#[inline]
pub(super) fn fit<'a>(
    function: &Function,
    index: usize,
    value: Value<'a>,
    cel: bool,
) -> Option<Result<Value<'a>, Failure>> {
    let wanted = function.spec.parameter(index)?.kinds;
    let kind = Kinds::of(&value);
    if wanted.meets(kind) {
        return match value {
            Value::Number(_) if !wanted.meets(Kinds::RAW) => match operators::number(&value)? {
                Ok(operators::Number::Decimal(v)) => Some(Ok(Value::Decimal(v))),
                Ok(_) => None,
                Err(failure) => Some(Err(failure)),
            },
            _ => Some(Ok(value)),
        };
    }
    if cel || !kind.meets(Kinds::NUMBER) {
        return None;
    }
    let number = match operators::number(&value)? {
        Ok(number) => number,
        Err(failure) => return Some(Err(failure)),
    };
    match number {
        operators::Number::Decimal(v) if wanted.meets(Kinds::INT) => match v.to_i64() {
            Some(v) => Some(Ok(Value::Int(v))),
            None => Some(Err(Failure::types("a whole number is wanted here"))),
        },
        operators::Number::Uint(v) if wanted.meets(Kinds::INT) => i64::try_from(v).ok().map(|v| Ok(Value::Int(v))),
        operators::Number::Int(v) if wanted.meets(Kinds::DECIMAL) => {
            Some(Ok(Value::Decimal(crate::record::Decimal::from_i64(v))))
        }
        _ => None,
    }
}

#[cold]
fn misfit(function: &Function, index: usize, node: &Node, value: Value<'_>, cx: &Context<'_, '_>) -> Box<EvalError> {
    cx.absent(node, &value).unwrap_or_else(|| {
        let (name, wanted) = function.spec.parameter(index).map_or(("", String::new()), |p| (p.name, p.kinds.words()));
        cx.error(
            node.at,
            Failure::types(format!(
                "`{}` wants {wanted} as `{name}`, and `{}` is {}",
                function.spec.name,
                cx.source(node.at),
                value.type_name()
            )),
        )
    })
}
