//! The expression language: the syntax of CEL, our own static checker that also follows data
//! classes, and a compiled evaluator. Transforms, `when`, `validate`, templates and rules use it.

mod ast;
mod check;
#[cfg(test)]
mod conformance;
pub mod currency;
pub mod functions;
#[cfg(test)]
mod generated;
pub mod kept;
pub mod keyed;
mod moment;
mod node;
mod operators;
mod parse;
pub mod reading;
pub mod style;
mod table;
mod token;
mod types;
pub mod zone;

#[cfg(test)]
mod tests;

use std::cell::Cell;

use crate::error::codes::expr as codes;
use crate::error::{Code, Severity};
use crate::record::{Arena, ClassSet, Path, Projection, Type, Value};

pub use keyed::{KeyUse, Keys};
pub use moment::{Moment, Seed};
pub use operators::equals;
pub use table::{MAX_TABLE_BYTES, Table, Tables, tables_named};

/// How numerals are typed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Numerals are exact decimals, and an integral one serves as an int. `/` is exact.
    #[default]
    Consign,
    /// As in CEL: `1` is an int, `1u` a uint, `1.0` a double. For its conformance cases.
    Cel,
}

/// Where the value of a name comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bind {
    /// [`Frame::value`].
    Value,
    /// The root of the record: chains of members become slots of the projection.
    Record,
    /// This slot of [`Frame::slots`].
    Slot(usize),
    /// This cell of [`Frame::locals`].
    Local(usize),
}

/// A name that an expression may use.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The name.
    pub name: String,
    /// Its static type.
    pub kind: Type,
    /// The classes of the whole value.
    pub classes: ClassSet,
    /// Where its value comes from.
    pub how: Bind,
    /// The classes known per path below it.
    pub field_classes: Vec<(Path, ClassSet)>,
    /// The classes that decide what it is, without being in it.
    pub control: ClassSet,
}

impl Binding {
    /// A name of a type, without classes.
    pub fn new(name: impl Into<String>, kind: Type, how: Bind) -> Self {
        let none = ClassSet::NONE;
        Self { name: name.into(), kind, classes: none, how, field_classes: Vec::new(), control: none }
    }
}

/// A plain value that is known before anything is evaluated.
#[derive(Clone, Debug, PartialEq)]
pub enum Constant {
    /// Null.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number, as its text.
    Number(String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Constant>),
    /// A map.
    Map(Vec<(String, Constant)>),
}

/// What an expression is compiled against.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The names it may use. Of two that are the same, the later one is meant.
    pub bindings: Vec<Binding>,
    /// What `params.name` stands for: it is as if the value were written there.
    pub parameters: Vec<(String, Type, Constant)>,
    /// How numerals are typed.
    pub dialect: Dialect,
    /// Whether it is a gate (`when`, consent): `&&` and `||` then never absorb an error.
    pub gate: bool,
    /// The tables that it may look things up in.
    pub tables: Tables,
    /// Who holds the keys that it names.
    pub keys: Keys,
    /// Tells the expression apart from others when it draws seeded values.
    pub salt: u64,
}

/// One thing that is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The stable code.
    pub code: &'static Code,
    /// The cause in one sentence without a final period.
    pub cause: String,
    /// What to do, if we know.
    pub fix: Option<String>,
    /// First byte in the text.
    pub start: usize,
    /// Behind the last byte.
    pub end: usize,
    /// How much it weighs.
    pub severity: Severity,
    /// The same as a change of the text, where there is exactly one.
    pub edit: Option<Rewrite>,
}

/// A change of an expression's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// First byte that is replaced.
    pub start: usize,
    /// Behind the last one.
    pub end: usize,
    /// What stands there afterwards.
    pub text: String,
}

/// What a step of the flow does to classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The data was read here.
    Reads,
    /// The data goes through.
    Carries,
    /// The data is protected: some classes are gone.
    Protects,
    /// The data is gone; the result only depends on it.
    Declassifies,
}

/// One step of how classes travel through an expression, in the order of evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowStep {
    /// The function, or the name or path that was read.
    pub what: String,
    /// What it does to them.
    pub effect: Effect,
    /// The classes that come in.
    pub before: ClassSet,
    /// The classes that go on.
    pub after: ClassSet,
    /// First byte in the text.
    pub start: usize,
    /// Behind the last byte.
    pub end: usize,
}

/// A compiled expression.
#[derive(Debug)]
pub struct Program {
    text: String,
    node: node::Node,
    kind: Type,
    classes: ClassSet,
    control: ClassSet,
    flow: Vec<FlowStep>,
    reads: Vec<Path>,
    locals: Vec<usize>,
    forks: Vec<(u32, u32)>,
    warnings: Vec<Fault>,
    keys: Vec<KeyUse>,
    keyed: bool,
    cel: bool,
    salt: u64,
}

/// Values beside the record, one in each cell: given before the evaluation, or computed by the
/// program of the cell when it is first needed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Locals<'f, 'a> {
    /// The values there are.
    pub cells: &'f [Cell<Option<Value<'a>>>],
    /// How the others are computed.
    pub programs: &'a [Option<Program>],
}

/// What an expression is evaluated with.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'f, 'a> {
    /// The slots of the projection.
    pub slots: &'f [Value<'a>],
    /// What `value` stands for.
    pub value: Value<'a>,
    /// Where results are made.
    pub arena: &'a Arena,
    /// The fixed time of the run, and where the record stands.
    pub now: Moment<'f>,
    /// Values beside the record.
    pub locals: Locals<'f, 'a>,
}

/// Why an evaluation has no result. Holds names of types and functions and parts of the
/// expression, never the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvalError {
    /// The stable code.
    pub code: &'static Code,
    /// The cause in one sentence without a final period.
    pub cause: String,
    /// First byte in the text of the expression.
    pub start: usize,
    /// Behind the last byte.
    pub end: usize,
}

impl std::fmt::Display for EvalError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.cause)
    }
}
impl std::error::Error for EvalError {}

/// Compiles an expression; the paths of the record that it reads get slots in the projection.
///
/// # Errors
/// Everything that is wrong with it, in the order of the text.
pub fn compile(text: &str, environment: &Environment, projection: &mut Projection) -> Result<Program, Vec<Fault>> {
    let tree = parse::parse(text).map_err(|wrong| {
        vec![Fault {
            code: if wrong.limit { &codes::LIMIT } else { &codes::SYNTAX },
            cause: wrong.cause,
            fix: wrong.fix,
            start: wrong.at.start as usize,
            end: (wrong.at.end as usize).max(wrong.at.start as usize),
            severity: Severity::Error,
            edit: wrong.edit.map(|(at, text)| Rewrite { start: at.start as usize, end: at.end as usize, text }),
        }]
    })?;
    check::check(text, &tree, environment, projection)
}

impl Program {
    /// The static type of the result; [`Type::Dyn`] if unknown.
    pub fn kind(&self) -> &Type {
        &self.kind
    }
    /// The text it was compiled from.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// The classes whose data reaches the result.
    pub fn classes(&self) -> ClassSet {
        self.classes
    }
    /// The classes that influence it by control only: conditions, keys of lookups.
    pub fn control_classes(&self) -> ClassSet {
        self.control
    }
    /// How classes travel through it.
    pub fn flow(&self) -> &[FlowStep] {
        &self.flow
    }
    /// The paths of the record that it reads.
    pub fn reads(&self) -> &[Path] {
        &self.reads
    }
    /// The cells that it reads, see [`Locals`].
    pub fn locals(&self) -> &[usize] {
        &self.locals
    }
    /// The keys that it protects with.
    pub fn keys(&self) -> &[KeyUse] {
        &self.keys
    }
    /// Whether it asks whoever holds the keys for anything.
    pub fn is_keyed(&self) -> bool {
        self.keyed
    }
    /// What is worth knowing but no error.
    pub fn warnings(&self) -> &[Fault] {
        &self.warnings
    }

    /// The conditions at which evaluation takes one way or another, in the order of the text: those of
    /// `?:`, and the left sides of `&&` and `||`.
    pub fn forks(&self) -> impl Iterator<Item = &str> {
        self.forks.iter().map(|(start, end)| self.text.get(*start as usize..*end as usize).unwrap_or_default())
    }

    /// The same as [`Program::eval`]; `took` is told the number of each fork that was passed, and whether
    /// its condition held.
    ///
    /// # Errors
    /// As for [`Program::eval`].
    pub fn eval_watched<'a>(
        &'a self,
        frame: &Frame<'_, 'a>,
        took: &dyn Fn(usize, bool),
    ) -> Result<Value<'a>, Box<EvalError>> {
        let mut context = node::Context::new(frame, &self.text, self.cel, self.salt);
        let passed = |at: (u32, u32), truth: bool| {
            if let Ok(fork) = self.forks.binary_search(&at) {
                took(fork, truth);
            }
        };
        context.passed = Some(&passed);
        self.node.eval(&context, None)
    }

    /// The result for one record. [`Value::Missing`] if a field that it only passes on is not there.
    ///
    /// # Errors
    /// [`EvalError`] if an operator or function has no result.
    #[inline]
    pub fn eval<'a>(&'a self, frame: &Frame<'_, 'a>) -> Result<Value<'a>, Box<EvalError>> {
        let context = node::Context::new(frame, &self.text, self.cel, self.salt);
        self.node.eval(&context, None)
    }
}

/// Appends the canonical text of a value: scalars as they are written in data, lists and maps as JSON.
/// Missing and null have none.
pub fn format_value(value: &Value<'_>, out: &mut Vec<u8>) {
    types::write(value, out);
}
