//! A compiled mapping and its application to one record: the inner loop of every run.

use crate::config::{Expression, Mode};
use crate::error::{Code, codes};
use crate::expr::{Effect, EvalError, Frame, Moment, Program};
use crate::record::{Arena, ClassSet, Column, Path, Projection, Row, Type, Value, shown};

use super::convert::{Reading, convert};
use super::literal::Literal;

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
    pub(super) gate: Option<Condition>,
    pub(super) rules: Vec<Rule>,
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

#[derive(Debug)]
pub(super) struct Rule {
    /// Slot of the source value.
    pub(super) slot: Option<usize>,
    pub(super) default: Option<Literal>,
    pub(super) transform: Option<Program>,
    pub(super) validate: Vec<Condition>,
    pub(super) required: bool,
    /// The type asked for; `Dyn` where any will do.
    pub(super) wanted: Type,
    pub(super) reading: Reading,
    /// Whether messages may show the value: its source is declared and carries no class.
    pub(super) open: bool,
    /// The target path as text.
    pub(super) target: String,
    /// The source path, for messages.
    pub(super) source: Option<Path>,
}

#[derive(Debug)]
pub(super) struct Condition {
    pub(super) program: Program,
    pub(super) written: Expression,
}

impl Route {
    /// Applies the mapping to one record. `out` is emptied first; it holds one value for each
    /// column if the verdict is [`Verdict::Mapped`].
    ///
    /// Gate, then for each rule: source, default if it is absent, transform, required, type,
    /// conditions. `now` is the moment of the run, the same for all its records, and where this one stands.
    #[inline]
    pub fn apply<'a>(&'a self, row: &Row<'a>, arena: &'a Arena, now: Moment<'_>, out: &mut Vec<Value<'a>>) -> Verdict {
        out.clear();
        let mut frame = Frame { slots: row.slots, value: Value::Missing, arena, now };
        if let Some(gate) = &self.gate {
            match gate.program.eval(&frame) {
                Ok(Value::Bool(true)) => {}
                Ok(Value::Bool(false)) => return Verdict::Filtered,
                Ok(other) => return self.no_answer(None, gate, &other),
                Err(error) => return self.failed_gate(&error),
            }
        }
        for rule in &self.rules {
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
                    Err(error) => return self.failed_transform(rule, &error, &frame.value),
                }
            }
            if rule.required && value.is_absent() {
                return self.absent(rule, &value);
            }
            if !matches!(rule.wanted, Type::Dyn) {
                match convert(value, &rule.wanted, rule.reading, arena) {
                    Some(converted) => value = converted,
                    None => return self.wrong_type(rule, &value),
                }
            }
            for condition in &rule.validate {
                frame.value = value;
                match condition.program.eval(&frame) {
                    Ok(Value::Bool(true)) => {}
                    Ok(Value::Bool(false)) => return self.refused(rule, condition, &value),
                    Ok(other) => return self.no_answer(Some(rule), condition, &other),
                    Err(error) => return self.failed_condition(rule, condition, &error, &value),
                }
            }
            out.push(value);
        }
        Verdict::Mapped
    }

    /// The names of the target columns, as messages and reports write them.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.target.as_str())
    }

    #[cold]
    fn reject(&self, code: &'static Code, rule: Option<&Rule>, cause: String) -> Verdict {
        let field = rule.map(|rule| rule.target.clone());
        Verdict::Rejected(Box::new(Fault { code, field, cause, classes: self.payload_classes }))
    }

    #[cold]
    fn failed_gate(&self, error: &EvalError) -> Verdict {
        self.reject(error.code, None, format!("`when`: {}", error.cause))
    }

    #[cold]
    fn failed_transform(&self, rule: &Rule, error: &EvalError, value: &Value<'_>) -> Verdict {
        let cause = match &rule.source {
            Some(source) if value.is_absent() => format!("`{source}` is {}: {}", value.type_name(), error.cause),
            Some(source) if rule.open => format!("`{source}` is {}: {}", shown::short(value), error.cause),
            _ => error.cause.clone(),
        };
        self.reject(error.code, Some(rule), cause)
    }

    #[cold]
    fn failed_condition(&self, rule: &Rule, condition: &Condition, error: &EvalError, value: &Value<'_>) -> Verdict {
        let value = if rule.open || value.is_absent() { shown::short(value) } else { "the value".into() };
        self.reject(
            error.code,
            Some(rule),
            format!("{value} cannot meet `{}`: {}", one_line(&condition.written), error.cause),
        )
    }

    #[cold]
    fn absent(&self, rule: &Rule, value: &Value<'_>) -> Verdict {
        let what = value.type_name();
        let cause = match &rule.source {
            Some(source) if rule.transform.is_none() => format!("`{source}` is {what}, and required"),
            _ => format!("the result is {what}, and required"),
        };
        self.reject(&codes::map::REQUIRED, Some(rule), cause)
    }

    #[cold]
    fn wrong_type(&self, rule: &Rule, value: &Value<'_>) -> Verdict {
        let cause = if rule.open {
            format!("{} ({}) is no {}", shown::short(value), value.type_name(), rule.wanted)
        } else {
            format!("the value ({}) is no {}", value.type_name(), rule.wanted)
        };
        self.reject(&codes::map::WRONG_TYPE, Some(rule), cause)
    }

    #[cold]
    fn refused(&self, rule: &Rule, condition: &Condition, value: &Value<'_>) -> Verdict {
        let value = if rule.open || value.is_absent() { shown::short(value) } else { "the value".into() };
        let cause = format!("{value} does not meet `{}`", one_line(&condition.written));
        self.reject(&codes::map::INVALID, Some(rule), cause)
    }

    #[cold]
    fn no_answer(&self, rule: Option<&Rule>, condition: &Condition, got: &Value<'_>) -> Verdict {
        let cause = format!("`{}` is {}, not true or false", one_line(&condition.written), got.type_name());
        self.reject(&codes::map::NO_ANSWER, rule, cause)
    }
}

fn one_line(expression: &Expression) -> String {
    expression.text.split_whitespace().collect::<Vec<_>>().join(" ")
}
