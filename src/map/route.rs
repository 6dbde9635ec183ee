//! A compiled mapping and its application to one record: the inner loop of every run.

use std::cell::Cell;
use std::sync::Arc;

use crate::config::{Expression, FieldRule, Mode};
use crate::error::{Code, codes};
use crate::expr::{Effect, EvalError, Frame, KeyUse, Locals, Moment, Program};
use crate::record::path::Step;
use crate::record::{Arena, ClassSet, Column, Path, Projection, Row, Type, Value, shown};

use super::contract::Guard;
use super::convert::{Reading, convert};
use super::explode::Explode;
use super::governed::Governed;
use super::literal::Literal;
use super::nest::{self, Case, ForEach, Part, Shape, Table};
use super::protect::{Finish, Protected};

/// A mapping, compiled against its two streams. It is shared by all workers.
#[derive(Debug)]
pub struct Route {
    /// The paths it reads of a record; a decoder fills one slot for each.
    pub projection: Projection,
    /// The target record, one column for each rule, in their order.
    pub columns: Vec<Column>,
    /// Indices of the key's columns, in the order of the key; empty if there is none.
    pub key: Vec<usize>,
    /// How its records meet the target.
    pub mode: Mode,
    /// What is known of the data classes of each column.
    pub flows: Vec<Flow>,
    /// Classes of each path of the projection, as declared or annotated.
    pub source_classes: Vec<ClassSet>,
    /// Classes of anything in a source record, guesses by name included: decides what is masked
    /// when a record of this route is shown.
    pub payload_classes: ClassSet,
    /// Classes that decide which records pass the gate.
    pub gate_classes: ClassSet,
    /// What is masked when values are shown.
    pub masks: Masks,
    /// Every rule, those inside of lists and objects too, each behind the one around it.
    pub leaves: Vec<Leaf>,
    /// The keys that it protects with, by name and id; in order.
    pub keys: Vec<KeyUse>,
    /// Whether anything in it asks whoever holds the keys.
    pub keyed: bool,
    /// Whether the keys are stand-ins: what it makes is then for looking at, and must not be written.
    pub rehearses: bool,
    /// Where what compliance asks of a record stands.
    pub governed: Governed,
    /// The columns whose sums are kept.
    pub totals: Vec<usize>,
    pub(super) guard: Option<Box<Guard>>,
    pub(super) explode: Option<Explode>,
    pub(super) gate: Option<Condition>,
    pub(super) withholds: Vec<Withholding>,
    pub(super) rules: Vec<Rule>,
    /// How each cell is computed; `None`: it is set.
    pub(super) cells: Vec<Option<Program>>,
    /// Where the target record as a whole goes, and how it is put together; `None`: nobody asks.
    pub(super) whole: Option<(usize, Vec<(String, Shape)>)>,
    pub(super) validate: Vec<Condition>,
    pub(super) text_fields: bool,
    pub(super) flat_target: bool,
}

/// By which classes values are masked when they are shown: those known, and where nothing is
/// known those that the name of a field gives away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Masks {
    /// One for each path of the projection.
    pub source: Vec<ClassSet>,
    /// One for each column.
    pub target: Vec<ClassSet>,
}

/// The data classes that reach one column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Of the source value, before the transform.
    pub source: ClassSet,
    /// Of what is written.
    pub classes: ClassSet,
    /// Of what decides about the value without being in it.
    pub control: ClassSet,
    /// How each class came, in order: one entry for each step.
    pub passages: Vec<Passage>,
}

/// One step of a class through an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// What it passed: `mask_email`, `+`, a path.
    pub through: String,
    /// What it does to them.
    pub effect: Effect,
    /// The classes before.
    pub before: ClassSet,
    /// The classes after.
    pub after: ClassSet,
}

/// What became of one record.
#[derive(Debug)]
#[must_use]
pub enum Verdict {
    /// The target values are in `out`, one for each column.
    Mapped,
    /// `when` was false.
    Filtered,
    /// The record goes to the dead letters.
    Rejected(Box<Fault>),
    /// A rule keeps the record back: its number, see [`Route::withholding`].
    Withheld(usize),
}

/// Why a record is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The stable code.
    pub code: &'static Code,
    /// The target field at fault; `None` for the gate.
    pub field: Option<String>,
    /// One sentence. It shows a value only if the field is known to carry no class.
    pub cause: String,
    /// Classes of the record it came from: decides what is masked when it is shown.
    pub classes: ClassSet,
}

/// A rule of the project that keeps records back.
#[derive(Debug)]
pub struct Withholding {
    /// Its name.
    pub rule: Arc<str>,
    /// What is said of it.
    pub told: String,
    pub(super) condition: Condition,
}

/// One rule of a mapping, those inside of lists and objects too, as reports and checks see it.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Its target in the record: `lines[*].price` for a rule in `for_each`.
    pub target: Path,
    /// The column of the target record that it is a part of.
    pub column: usize,
    /// The rule as written; copies are taken apart.
    pub rule: FieldRule,
    /// The path in the record that it reads, if it reads one: `orders[*].price`.
    pub source: Option<Path>,
    /// The type of what it reads.
    pub source_kind: Option<Type>,
    /// The type of its result.
    pub kind: Type,
    /// What is known of data classes. A rule with rules inside has those of its conditions only.
    pub flow: Flow,
    /// By which classes its value is masked when it is shown.
    pub mask: ClassSet,
    /// Its ways, for coverage: the cases of a switch, or for each condition in its transform that it
    /// held and that it did not.
    pub branches: Vec<String>,
    /// What is done to its value for the sake of its classes, in order.
    pub protected: Vec<Protected>,
}

/// Learns which ways the records of examples take. The runs' own is empty and costs nothing.
pub(super) trait Watch {
    /// The rule (index in [`Route::leaves`]) is asked, with a source value or without one.
    fn rule(&self, _leaf: usize, _with_value: bool) {}
    /// The rule takes this of its branches.
    fn branch(&self, _leaf: usize, _branch: usize) {}
    /// The rule's `when` holds, or does not.
    fn when(&self, _leaf: usize, _holds: bool) {}
    /// The rule rejects the record.
    fn rejects(&self, _leaf: usize) {}
    /// Whether anybody looks: decides what is compiled for the runs.
    const LOOKS: bool = true;
}

/// Nobody looks.
pub(super) struct Unwatched;

impl Watch for Unwatched {
    const LOOKS: bool = false;
}

#[derive(Debug)]
pub(super) struct Rule {
    /// Index in [`Route::leaves`].
    pub(super) leaf: usize,
    pub(super) from: From,
    /// Apart, since few rules have one: the others stay small.
    pub(super) when: Option<Box<Condition>>,
    pub(super) default: Option<Literal>,
    pub(super) make: Make,
    pub(super) validate: Vec<Condition>,
    pub(super) required: bool,
    pub(super) nullable: Option<bool>,
    /// The type asked for; `Dyn` where any will do.
    pub(super) wanted: Type,
    pub(super) reading: Reading,
    /// Whether messages may show the value: its source is declared and carries no class.
    pub(super) open: bool,
    /// The target path as text.
    pub(super) target: String,
    /// The source path, for messages.
    pub(super) source: Option<Path>,
    /// What is done to its value for the sake of its classes.
    pub(super) finish: Option<Box<Finish>>,
}

/// Where a source value comes from.
#[derive(Debug)]
pub(super) enum From {
    Nowhere,
    Slot(usize),
    /// Below the value of a cell: of an element.
    Cell(usize, Vec<Step>),
}

/// How a result is made of the source value.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "the transform is the usual case, and is not looked for elsewhere")]
pub(super) enum Make {
    Value,
    Transform(Program),
    Constant(Literal),
    Table(Table),
    Cases(Vec<Case>),
    Object(Part),
    List(Vec<Part>, bool),
    ForEach(Box<ForEach>),
}

#[derive(Debug)]
pub(super) struct Condition {
    pub(super) program: Program,
    pub(super) written: Expression,
    /// What is said where it does not hold.
    pub(super) message: Option<String>,
}

impl Route {
    /// Applies the mapping to one record. `out` is emptied first; it holds one value for each
    /// column if the verdict is [`Verdict::Mapped`], and so many again for each further target record
    /// where records are taken apart ([`Route::width`]).
    ///
    /// Gate, then for each rule: source, default if it is absent, transform, required, type,
    /// conditions; then the conditions of the record. `now` is the moment of the run, the same for
    /// all its records, and where this one stands.
    #[inline]
    pub fn apply<'a>(&'a self, row: &Row<'a>, arena: &'a Arena, now: Moment<'_>, out: &mut Vec<Value<'a>>) -> Verdict {
        self.watched(row, arena, now, out, &Unwatched)
    }

    /// The same, with somebody who looks.
    #[inline(always)]
    pub(super) fn watched<'a, W: Watch>(
        &'a self,
        row: &Row<'a>,
        arena: &'a Arena,
        now: Moment<'_>,
        out: &mut Vec<Value<'a>>,
        watch: &W,
    ) -> Verdict {
        out.clear();
        if let Some(guard) = &self.guard
            && let Err(fault) = guard.source(self, row.slots, arena)
        {
            return self.kept_back(row, arena, now).unwrap_or(Verdict::Rejected(fault));
        }
        let mut frame = Frame { slots: row.slots, value: Value::Missing, arena, now, locals: self.locals(arena) };
        match &self.explode {
            None => self.one(&mut frame, out, watch),
            Some(explode) => self.exploded(explode, &mut frame, out, watch),
        }
    }

    /// One target record: gate, rules, the conditions of the record, the contract of the target.
    #[inline(always)]
    pub(super) fn one<'a, W: Watch>(
        &'a self,
        frame: &mut Frame<'_, 'a>,
        out: &mut Vec<Value<'a>>,
        watch: &W,
    ) -> Verdict {
        let first = out.len();
        if let Some(gate) = &self.gate {
            match gate.program.eval(frame) {
                Ok(Value::Bool(true)) => {}
                Ok(Value::Bool(false)) => return Verdict::Filtered,
                Ok(other) => return Verdict::Rejected(self.no_answer(None, gate, &other)),
                Err(error) => return Verdict::Rejected(self.failed_gate(&error)),
            }
        }
        if !self.withholds.is_empty()
            && let Some(verdict) = self.withheld(frame)
        {
            return verdict;
        }
        for rule in &self.rules {
            match self.value(rule, frame, watch) {
                Ok(value) => out.push(value),
                Err(fault) => {
                    watch.rejects(rule.leaf);
                    return Verdict::Rejected(fault);
                }
            }
        }
        if let Some((cell, shape)) = &self.whole
            && let Err(fault) = self.judge(*cell, shape, frame, out.get(first..).unwrap_or_default())
        {
            return Verdict::Rejected(fault);
        }
        if let Some(guard) = &self.guard
            && let Err(fault) = guard.target(self, out.get(first..).unwrap_or_default(), frame.arena)
        {
            return Verdict::Rejected(fault);
        }
        Verdict::Mapped
    }

    /// The rules that keep records back.
    pub fn withholding(&self) -> &[Withholding] {
        &self.withholds
    }

    /// The name of a rule that keeps records back.
    pub fn rule_name(&self, number: usize) -> String {
        self.withholds.get(number).map_or_else(String::new, |one| one.rule.to_string())
    }

    /// The names of all rules that keep a record back which `first` does, that one first.
    #[cold]
    pub fn all_withholding<'a>(
        &'a self,
        row: &Row<'a>,
        arena: &'a Arena,
        now: Moment<'_>,
        first: usize,
    ) -> Vec<&'a str> {
        let frame = Frame { slots: row.slots, value: Value::Missing, arena, now, locals: self.locals(arena) };
        let later = self.withholds.iter().skip(first + 1);
        let also = later.filter(|one| matches!(one.condition.program.eval(&frame), Ok(Value::Bool(true))));
        self.withholds.get(first).into_iter().chain(also).map(|one| &*one.rule).collect()
    }

    /// What rules that keep records back say of one; `None`: it goes on.
    #[inline(never)]
    fn withheld<'a>(&'a self, frame: &mut Frame<'_, 'a>) -> Option<Verdict> {
        for (number, one) in self.withholds.iter().enumerate() {
            match one.condition.program.eval(frame) {
                Ok(Value::Bool(false)) => {}
                Ok(Value::Bool(true)) => return Some(Verdict::Withheld(number)),
                Ok(other) => return Some(Verdict::Rejected(self.no_answer(None, &one.condition, &other))),
                Err(error) => return Some(Verdict::Rejected(self.failed_rule(one, &error))),
            }
        }
        None
    }

    /// Also of a record that its contract rejects: what must be kept back is not kept as a dead letter.
    #[cold]
    fn kept_back<'a>(&'a self, row: &Row<'a>, arena: &'a Arena, now: Moment<'_>) -> Option<Verdict> {
        let mut frame = Frame { slots: row.slots, value: Value::Missing, arena, now, locals: self.locals(arena) };
        self.withheld(&mut frame).filter(|verdict| matches!(verdict, Verdict::Withheld(_)))
    }

    /// The cells of one record, all of them empty.
    #[inline(always)]
    pub(super) fn locals<'a>(&'a self, arena: &'a Arena) -> Locals<'a, 'a> {
        if self.cells.is_empty() {
            return Locals::default();
        }
        Locals { cells: arena.alloc_slice_fill_with(self.cells.len(), |_| Cell::new(None)), programs: &self.cells }
    }

    /// The result of one rule, whatever its conditions on it say.
    pub(super) fn unjudged<'a>(&'a self, rule: &'a Rule, frame: &mut Frame<'_, 'a>) -> Result<Value<'a>, Box<Fault>> {
        self.result(rule, frame, &Unwatched)
    }

    /// The result of one rule.
    #[inline(always)]
    pub(super) fn value<'a, W: Watch>(
        &'a self,
        rule: &'a Rule,
        frame: &mut Frame<'_, 'a>,
        watch: &W,
    ) -> Result<Value<'a>, Box<Fault>> {
        let value = self.result(rule, frame, watch)?;
        for condition in &rule.validate {
            frame.value = value;
            match condition.program.eval(frame) {
                Ok(Value::Bool(true)) => {}
                Ok(Value::Bool(false)) => return Err(self.refused(rule, condition, &value)),
                Ok(other) => return Err(self.no_answer(Some(rule), condition, &other)),
                Err(error) => return Err(self.failed_condition(rule, condition, &error, &value)),
            }
        }
        match &rule.finish {
            // Nothing is in an empty text that could be protected.
            Some(finish) if !value.is_absent() && !matches!(value, Value::String("")) => {
                self.finished(rule, finish, value, frame)
            }
            _ => Ok(value),
        }
    }

    #[inline(always)]
    fn result<'a, W: Watch>(
        &'a self,
        rule: &'a Rule,
        frame: &mut Frame<'_, 'a>,
        watch: &W,
    ) -> Result<Value<'a>, Box<Fault>> {
        let mut value = match &rule.from {
            // Copied whole: put together of its parts, it could not be read again as one for some cycles.
            From::Slot(slot) => *frame.slots.get(*slot).unwrap_or(&Value::Missing),
            From::Nowhere => Value::Missing,
            From::Cell(cell, steps) => self.element(*cell, steps, frame),
        };
        let given = matches!(rule.from, From::Nowhere) || !value.is_absent();
        if value.is_absent()
            && let Some(default) = &rule.default
            && (value.is_missing() || rule.nullable != Some(true))
        {
            value = default.lend(frame.arena);
        }
        if let Some(when) = &rule.when {
            frame.value = value;
            let holds = self.holds(Some(rule), "when", when, frame)?;
            watch.when(rule.leaf, holds);
            if !holds {
                return Ok(Value::Missing);
            }
        }
        if !matches!(rule.make, Make::ForEach(_)) {
            watch.rule(rule.leaf, given);
        }
        match &rule.make {
            Make::Value => {}
            Make::Transform(transform) => {
                frame.value = value;
                let result = if W::LOOKS {
                    // The ways of a transform: each condition held, or did not.
                    transform.eval_watched(frame, &|fork, truth| {
                        watch.branch(rule.leaf, 2 * fork + usize::from(!truth));
                    })
                } else {
                    transform.eval(frame)
                };
                match result {
                    Ok(result) => value = result,
                    Err(error) => return Err(self.failed_transform(rule, transform, &error, frame)),
                }
            }
            _ => value = self.made(rule, value, frame, watch)?,
        }
        if value.is_absent() && (rule.required || rule.nullable == Some(false)) {
            self.may_be_absent(rule, &value)?;
        }
        if !matches!(rule.wanted, Type::Dyn) {
            match convert(value, &rule.wanted, rule.reading, frame.arena) {
                Some(converted) => value = converted,
                None => return Err(self.wrong_type(rule, &value)),
            }
        }
        Ok(value)
    }

    /// The innermost rule that writes a field, whose elements of lists are named by number:
    /// `lines[2].price`.
    pub fn leaf(&self, field: &str) -> Option<&Leaf> {
        let path = Path::parse(field).ok()?;
        let around = (1..=path.0.len()).rev().map(|length| Path(path.0[..length].to_vec()));
        around.into_iter().find_map(|path| self.leaf_at(&path))
    }

    /// The rule that writes just this place.
    pub(super) fn leaf_at(&self, path: &Path) -> Option<&Leaf> {
        let same = |(a, b): (&Step, &Step)| a == b || matches!((a, b), (Step::Each, Step::Index(_)));
        let fits = |target: &Path| target.0.len() == path.0.len() && target.0.iter().zip(&path.0).all(same);
        self.leaves.iter().find(|leaf| fits(&leaf.target))
    }

    /// Whether a condition of a rule (not one on its result) holds.
    #[inline(never)]
    pub(super) fn holds<'a>(
        &'a self,
        rule: Option<&Rule>,
        name: &str,
        condition: &'a Condition,
        frame: &Frame<'_, 'a>,
    ) -> Result<bool, Box<Fault>> {
        match condition.program.eval(frame) {
            Ok(Value::Bool(truth)) => Ok(truth),
            Ok(other) => Err(self.no_answer(rule, condition, &other)),
            Err(error) => Err(self.reject(error.code, rule, format!("`{name}`: {}", error.cause))),
        }
    }

    /// The names of the target columns, as messages and reports write them.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.target.as_str())
    }

    /// Asks the conditions on the whole target record.
    #[inline(never)]
    fn judge<'a>(
        &'a self,
        cell: usize,
        shape: &'a [(String, Shape)],
        frame: &mut Frame<'_, 'a>,
        out: &[Value<'a>],
    ) -> Result<(), Box<Fault>> {
        let record = nest::object(shape, out, frame.arena).unwrap_or(Value::Map(&[]));
        if let Some(place) = frame.locals.cells.get(cell) {
            place.set(Some(record));
        }
        // All that it breaks is said: whoever mends it wants to mend it once.
        let mut causes: Vec<String> = Vec::new();
        for condition in &self.validate {
            match self.holds(None, "validate", condition, frame) {
                Ok(true) => {}
                Ok(false) => {
                    let written = || format!("the record does not meet `{}`", one_line(&condition.written));
                    causes.push(condition.message.clone().unwrap_or_else(written));
                }
                Err(fault) if causes.is_empty() => return Err(fault),
                Err(fault) => causes.push(fault.cause.clone()),
            }
        }
        match causes.is_empty() {
            true => Ok(()),
            false => Err(self.reject(&codes::map::INVALID, None, causes.join("; "))),
        }
    }

    #[cold]
    pub(super) fn reject(&self, code: &'static Code, rule: Option<&Rule>, cause: String) -> Box<Fault> {
        let field = rule.map(|rule| rule.target.clone());
        Box::new(Fault { code, field, cause, classes: self.payload_classes })
    }

    #[cold]
    fn failed_rule(&self, one: &Withholding, error: &EvalError) -> Box<Fault> {
        self.reject(error.code, None, format!("the rule `{}` cannot be told: {}", one.rule, error.cause))
    }

    #[cold]
    fn failed_gate(&self, error: &EvalError) -> Box<Fault> {
        let gate = self.gate.as_ref().map(|gate| short_line(&gate.written.text)).unwrap_or_default();
        self.reject(error.code, None, format!("`when` (`{gate}`) fails: {}", error.cause))
    }

    /// Shows the expression, and where nothing of it is sensitive the values it was computed from.
    #[cold]
    pub(super) fn failed_transform(
        &self,
        rule: &Rule,
        program: &Program,
        error: &EvalError,
        frame: &Frame<'_, '_>,
    ) -> Box<Fault> {
        let mut values = Vec::new();
        let mut show = |name: String, value: &Value<'_>| {
            if value.is_absent() {
                values.push(format!("{name} is {}", value.type_name()));
            } else if rule.open {
                values.push(format!("{name} is {}", shown::short(value)));
            }
        };
        if let Some(source) = &rule.source {
            show(format!("`{source}`"), &frame.value);
        }
        let paths = self.projection.paths.iter().zip(frame.slots);
        for (path, value) in paths.filter(|(path, _)| program.reads().contains(path)).take(4) {
            show(format!("`record.{path}`"), value);
        }
        let place = if values.is_empty() { String::new() } else { format!(" where {}", values.join(", ")) };
        let cause = format!("`{}` fails{place}: {}", short_line(program.text()), error.cause);
        self.reject(error.code, Some(rule), cause)
    }

    #[cold]
    fn failed_condition(&self, rule: &Rule, condition: &Condition, error: &EvalError, value: &Value<'_>) -> Box<Fault> {
        let value = if rule.open || value.is_absent() { shown::short(value) } else { "the value".into() };
        self.reject(
            error.code,
            Some(rule),
            format!("{value} cannot meet `{}`: {}", one_line(&condition.written), error.cause),
        )
    }

    /// Whether a result that is missing or null is one: what `required` and `nullable` say.
    #[cold]
    fn may_be_absent(&self, rule: &Rule, value: &Value<'_>) -> Result<(), Box<Fault>> {
        let allowed = match (value, rule.nullable) {
            (Value::Null, Some(nullable)) => nullable,
            _ => !rule.required,
        };
        if allowed {
            return Ok(());
        }
        let (what, why) = (value.type_name(), if rule.required { "required" } else { "not nullable" });
        let cause = match &rule.source {
            Some(source) if matches!(rule.make, Make::Value) => format!("`{source}` is {what}, and {why}"),
            _ => format!("the result is {what}, and {why}"),
        };
        Err(self.reject(&codes::map::REQUIRED, Some(rule), cause))
    }

    #[cold]
    fn wrong_type(&self, rule: &Rule, value: &Value<'_>) -> Box<Fault> {
        let cause = if rule.open {
            format!("{} ({}) is no {}", shown::short(value), value.type_name(), rule.wanted)
        } else {
            format!("the value ({}) is no {}", value.type_name(), rule.wanted)
        };
        self.reject(&codes::map::WRONG_TYPE, Some(rule), cause)
    }

    #[cold]
    fn refused(&self, rule: &Rule, condition: &Condition, value: &Value<'_>) -> Box<Fault> {
        if let Some(message) = &condition.message {
            return self.reject(&codes::map::INVALID, Some(rule), message.clone());
        }
        let value = if rule.open || value.is_absent() { shown::short(value) } else { "the value".into() };
        let cause = format!("{value} does not meet `{}`", one_line(&condition.written));
        self.reject(&codes::map::INVALID, Some(rule), cause)
    }

    #[cold]
    fn no_answer(&self, rule: Option<&Rule>, condition: &Condition, got: &Value<'_>) -> Box<Fault> {
        let cause = format!("`{}` is {}, not true or false", one_line(&condition.written), got.type_name());
        self.reject(&codes::map::NO_ANSWER, rule, cause)
    }
}

/// An expression in one line, shortened where it is long.
fn short_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

pub(super) fn one_line(expression: &Expression) -> String {
    one_line_of(&expression.text)
}

pub(super) fn one_line_of(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
