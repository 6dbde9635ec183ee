//! The seam to the expression language, until it is there: nothing compiles, and a mapping
//! with an expression gets a finding that says so.

use crate::error::{Code, Severity, codes};
use crate::record::{Arena, ClassSet, Path, Projection, Timestamp, Type, Value};

pub(crate) enum Dialect {
    Consign,
}
pub(crate) enum Bind {
    Value,
    Record,
}
#[expect(dead_code, reason = "read by the expression language")]
pub(crate) struct Binding {
    pub(crate) name: String,
    pub(crate) kind: Type,
    pub(crate) classes: ClassSet,
    pub(crate) how: Bind,
    pub(crate) field_classes: Vec<(Path, ClassSet)>,
}
#[expect(dead_code, reason = "read by the expression language")]
pub(crate) struct Environment {
    pub(crate) bindings: Vec<Binding>,
    pub(crate) dialect: Dialect,
    pub(crate) gate: bool,
}
pub(crate) struct Fault {
    pub(crate) code: &'static Code,
    pub(crate) severity: Severity,
    pub(crate) cause: String,
    pub(crate) fix: Option<String>,
    pub(crate) start: usize,
    pub(crate) end: usize,
}
#[derive(Debug)]
pub(crate) enum Program {}
pub(crate) struct FlowStep {
    pub(crate) through: String,
    pub(crate) before: ClassSet,
    pub(crate) after: ClassSet,
}
pub(crate) struct EvalError {
    pub(crate) code: &'static Code,
    pub(crate) cause: String,
}
#[expect(dead_code, reason = "read by the expression language")]
pub(crate) struct Frame<'f, 'a> {
    pub(crate) slots: &'f [Value<'a>],
    pub(crate) value: Value<'a>,
    pub(crate) arena: &'a Arena,
    pub(crate) now: Timestamp,
}

pub(crate) fn compile(text: &str, _: &Environment, _: &mut Projection) -> Result<Program, Vec<Fault>> {
    Err(vec![Fault {
        code: &codes::BUG,
        severity: Severity::Error,
        cause: "expressions cannot be compiled yet".into(),
        fix: Some("use rules without expressions".into()),
        start: 0,
        end: text.len(),
    }])
}

impl Program {
    pub(crate) fn kind(&self) -> &Type {
        match *self {}
    }
    pub(crate) fn classes(&self) -> ClassSet {
        match *self {}
    }
    pub(crate) fn control_classes(&self) -> ClassSet {
        match *self {}
    }
    pub(crate) fn flow(&self) -> &[FlowStep] {
        match *self {}
    }
    pub(crate) fn reads(&self) -> &[Path] {
        match *self {}
    }
    pub(crate) fn warnings(&self) -> &[Fault] {
        match *self {}
    }
    pub(crate) fn eval<'a>(&'a self, _: &Frame<'_, 'a>) -> Result<Value<'a>, EvalError> {
        match *self {}
    }
}
