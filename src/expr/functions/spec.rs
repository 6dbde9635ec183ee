//! How a function describes itself, and what it is given when called.

use std::borrow::Cow;

use crate::error::Code;
use crate::error::codes::expr as codes;
use crate::record::{Arena, Timestamp, Type, Value};

use super::super::Seed;
use super::super::zone::{Piece, Zone};

/// A set of kinds of values that a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(pub u32);

impl Kinds {
    /// Truth values.
    pub const BOOL: Self = Self(1);
    /// Signed integers; an integral decimal serves as one.
    pub const INT: Self = Self(1 << 1);
    /// Unsigned integers.
    pub const UINT: Self = Self(1 << 2);
    /// Exact decimals.
    pub const DECIMAL: Self = Self(1 << 3);
    /// Binary floating-point numbers.
    pub const DOUBLE: Self = Self(1 << 4);
    /// Text.
    pub const TEXT: Self = Self(1 << 5);
    /// Bytes.
    pub const BYTES: Self = Self(1 << 6);
    /// Moments.
    pub const TIMESTAMP: Self = Self(1 << 7);
    /// Dates.
    pub const DATE: Self = Self(1 << 8);
    /// Spans of time.
    pub const DURATION: Self = Self(1 << 9);
    /// Lists.
    pub const LIST: Self = Self(1 << 10);
    /// Maps.
    pub const MAP: Self = Self(1 << 11);
    /// Null.
    pub const NULL: Self = Self(1 << 12);
    /// Missing.
    pub const MISSING: Self = Self(1 << 13);
    /// A number of the data keeps its text.
    pub const RAW: Self = Self(1 << 14);
    /// Any number.
    pub const NUMBER: Self = Self::INT.or(Self::UINT).or(Self::DECIMAL).or(Self::DOUBLE);
    /// Any value that says something.
    pub const ANY: Self = Self(0xfff | 1 << 14);

    /// Both.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the two have a kind in common.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The kind of a value.
    #[inline]
    pub fn of(value: &Value<'_>) -> Self {
        match value {
            Value::Missing => Self::MISSING,
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOL,
            Value::Int(_) => Self::INT,
            Value::Uint(_) => Self::UINT,
            Value::Decimal(_) | Value::Number(_) => Self::DECIMAL,
            Value::Double(_) => Self::DOUBLE,
            Value::String(_) => Self::TEXT,
            Value::Bytes(_) => Self::BYTES,
            Value::Timestamp(_) => Self::TIMESTAMP,
            Value::Date(_) => Self::DATE,
            Value::Duration(_) => Self::DURATION,
            Value::List(_) => Self::LIST,
            Value::Map(_) | Value::Dict(_) => Self::MAP,
        }
    }

    /// The kinds that values of a static type can have.
    pub fn of_type(kind: &Type) -> Self {
        match kind {
            Type::Dyn => Self(u32::MAX),
            Type::Null => Self::NULL,
            Type::Bool => Self::BOOL,
            Type::Int => Self::INT,
            Type::Uint => Self::UINT,
            Type::Decimal => Self::DECIMAL.or(Self::INT),
            Type::Double => Self::DOUBLE,
            Type::String => Self::TEXT,
            Type::Bytes => Self::BYTES,
            Type::Timestamp => Self::TIMESTAMP,
            Type::Date => Self::DATE,
            Type::Duration => Self::DURATION,
            Type::List(_) => Self::LIST,
            Type::Map(_) | Type::Record { .. } => Self::MAP,
        }
    }

    /// In words: "text or bytes".
    pub fn words(self) -> String {
        const WORDS: &[(Kinds, &str)] = &[
            (Kinds::BOOL, "bool"),
            (Kinds::INT, "int"),
            (Kinds::UINT, "uint"),
            (Kinds::DECIMAL, "decimal"),
            (Kinds::DOUBLE, "double"),
            (Kinds::TEXT, "string"),
            (Kinds::BYTES, "bytes"),
            (Kinds::TIMESTAMP, "timestamp"),
            (Kinds::DATE, "date"),
            (Kinds::DURATION, "duration"),
            (Kinds::LIST, "list"),
            (Kinds::MAP, "map"),
        ];
        if self.0 & 0xfff == 0xfff {
            return "any value".into();
        }
        let mut words: Vec<&str> = Vec::new();
        let numbers = self.0 & Self::NUMBER.0 == Self::NUMBER.0;
        if numbers {
            words.push("number");
        }
        words.extend(
            WORDS.iter().filter(|(k, _)| self.meets(*k) && !(numbers && Self::NUMBER.meets(*k))).map(|(_, w)| *w),
        );
        match words.split_last() {
            Some((last, [])) => (*last).to_string(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
            None => "nothing".into(),
        }
    }
}

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub kinds: Kinds,
    /// Whether it may be left out; only the last ones can.
    pub optional: bool,
    /// What it means, one sentence.
    pub about: &'static str,
}

impl Parameter {
    /// A parameter that must be given.
    pub const fn new(name: &'static str, kinds: Kinds, about: &'static str) -> Self {
        Self { name, kinds, optional: false, about }
    }
    /// It may be left out.
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }
}

/// The type of a result.
#[derive(Clone, Debug)]
pub enum Returns {
    /// Always this.
    Fixed(Type),
    /// A list of text.
    TextList,
    /// That of the argument with this number, from 0.
    Like(usize),
    /// The type all arguments have in common.
    Common,
    /// In words, and from the types of the arguments.
    Computed(&'static str, fn(&[Type]) -> Type),
}

impl Returns {
    /// In words: "list(string)".
    pub fn words(&self, parameters: &[Parameter]) -> String {
        match self {
            Self::Fixed(Type::Dyn) => "any value".into(),
            Self::Fixed(kind) => kind.to_string(),
            Self::TextList => "list(string)".into(),
            Self::Like(index) => parameters.get(*index).map_or_else(String::new, |p| format!("as `{}`", p.name)),
            Self::Common => "what the arguments have in common".into(),
            Self::Computed(words, _) => (*words).into(),
        }
    }
}

/// What becomes of the data classes of the arguments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flow {
    /// The result holds the data of the arguments.
    Carries,
    /// The result no longer shows data of these classes (and those below them).
    Protects {
        /// Names of classes.
        from: &'static [&'static str],
        /// The class the result has instead.
        to: Option<&'static str>,
    },
    /// The result does not hold the data, though it depends on it.
    Declassifies,
}

/// An example that runs as a test.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// The expression.
    pub text: &'static str,
    /// The canonical text of its result, or a part of the message it fails with.
    pub result: Result<&'static str, &'static str>,
}

impl Example {
    /// It gives this result.
    pub const fn ok(text: &'static str, result: &'static str) -> Self {
        Self { text, result: Ok(result) }
    }
    /// It fails with a message that holds this.
    pub const fn fails(text: &'static str, part: &'static str) -> Self {
        Self { text, result: Err(part) }
    }
}

/// The description of a function.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Its name.
    pub name: &'static str,
    /// Other spellings that are accepted, those of CEL among them.
    pub aliases: &'static [&'static str],
    /// One sentence.
    pub about: &'static str,
    /// The parameters in order.
    pub parameters: &'static [Parameter],
    /// Whether the last parameter may be repeated.
    pub variadic: bool,
    /// Whether it may be written as `x.name(…)` too.
    pub method: bool,
    /// What comes out.
    pub returns: Returns,
    /// What becomes of data classes.
    pub flow: Flow,
    /// Examples, good and failing.
    pub examples: &'static [Example],
}

impl Spec {
    /// The parameter for the argument with this number.
    #[inline]
    pub fn parameter(&self, index: usize) -> Option<&'static Parameter> {
        self.parameters.get(index).or(if self.variadic { self.parameters.last() } else { None })
    }

    /// The fewest arguments it takes.
    pub fn least(&self) -> usize {
        self.parameters.iter().filter(|p| !p.optional).count()
    }

    /// The most arguments it takes.
    pub fn most(&self) -> usize {
        if self.variadic { 64 } else { self.parameters.len() }
    }

    /// With types: `round(x: number, places: int[, rounding: string]) -> decimal`.
    pub fn typed_signature(&self) -> String {
        let mut text = format!("{}(", self.name);
        for (index, parameter) in self.parameters.iter().enumerate() {
            text.push_str(if parameter.optional { "[" } else { "" });
            text.push_str(if index > 0 { ", " } else { "" });
            text.push_str(&format!("{}: {}", parameter.name, parameter.kinds.words()));
        }
        text.push_str(if self.variadic { ", …" } else { "" });
        text.push_str(&"]".repeat(self.parameters.iter().filter(|p| p.optional).count()));
        text.push_str(&format!(") -> {}", self.returns.words(self.parameters)));
        text
    }

    /// As a person would write it: `round(x, places[, rounding])`.
    pub fn signature(&self) -> String {
        let mut text = format!("{}(", self.name);
        for (index, parameter) in self.parameters.iter().enumerate() {
            if parameter.optional {
                text.push('[');
            }
            if index > 0 {
                text.push_str(", ");
            }
            text.push_str(parameter.name);
        }
        if self.variadic {
            text.push_str(", …");
        }
        text.push_str(&"]".repeat(self.parameters.iter().filter(|p| p.optional).count()));
        text.push(')');
        text
    }
}

/// What a function made of its constant arguments when the expression was compiled.
#[derive(Debug, Default)]
pub enum Prepared {
    /// Nothing.
    #[default]
    None,
    /// A pattern.
    Pattern(regex::Regex),
    /// A time zone.
    Zone(Zone),
    /// A format of dates and, if constant as well, a time zone.
    Format(Vec<Piece>, Option<Zone>),
    /// A rounding.
    Rounding(crate::record::decimal::Rounding),
    /// Anything else: the function that made it knows what it is.
    Made(Box<dyn std::any::Any + Send + Sync>),
    /// Where card numbers are looked for.
    Extent(super::protection::mask_pan::Extent),
}

/// Why a function has no result. Holds no data. Boxed, so that the result of a call is no larger
/// than a value and travels in registers.
#[derive(Debug)]
pub struct Failure(Box<Reason>);

/// What a [`Failure`] says.
#[derive(Debug)]
pub struct Reason {
    /// The stable code.
    pub code: &'static Code,
    /// One sentence without a final period.
    pub cause: Cow<'static, str>,
}

impl std::ops::Deref for Failure {
    type Target = Reason;

    fn deref(&self) -> &Reason {
        &self.0
    }
}

impl Failure {
    /// A failure.
    #[cold]
    pub fn new(code: &'static Code, cause: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Reason { code, cause: cause.into() }))
    }
    /// A value that is not in the form the function reads.
    #[cold]
    pub fn value(cause: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&codes::VALUE, cause)
    }
    /// A number without a result.
    #[cold]
    pub fn number(cause: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&codes::NUMBER, cause)
    }
    /// Too large.
    #[cold]
    pub fn limit() -> Self {
        Self::new(&codes::LIMIT, "the result is too large")
    }
    /// Arguments whose kinds do not go together.
    #[cold]
    pub fn types(cause: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&codes::TYPE, cause)
    }
}

impl From<crate::record::decimal::DecimalError> for Failure {
    #[cold]
    fn from(error: crate::record::decimal::DecimalError) -> Self {
        use crate::record::decimal::DecimalError as E;
        Self::number(match error {
            E::Overflow => "the result has more than 28 digits",
            E::DivisionByZero => "division by zero",
            E::Inexact => "the quotient has no end: say where to cut with `div(a, b, scale, rounding)`",
            E::Negative => "a negative number has no square root",
            E::Syntax => return Self::value("the value is not in the form of a number"),
        })
    }
}

/// The result of a function.
pub type Outcome<'a> = Result<Value<'a>, Failure>;

/// The most bytes one evaluation may allocate.
pub(in super::super) const MAX_MEMORY: usize = 64 << 20;

/// What a function is given besides its arguments.
#[derive(Debug)]
pub struct Call<'c, 'a> {
    /// Where results are made.
    pub arena: &'a Arena,
    /// The fixed time of the run.
    pub now: Timestamp,
    /// Where seeded values come from.
    pub seed: Seed<'c>,
    /// What was made of constant arguments.
    pub prepared: &'a Prepared,
    /// Whether the dialect is that of CEL.
    pub cel: bool,
    /// Bytes allocated so far.
    pub spent: &'c std::cell::Cell<usize>,
}

impl<'a> Call<'_, 'a> {
    /// Room for text of at most this many bytes.
    ///
    /// # Errors
    /// If the evaluation takes more memory than it may.
    #[inline]
    pub fn text(&self, bytes: usize) -> Result<bumpalo::collections::String<'a>, Failure> {
        self.spend(bytes)?;
        Ok(bumpalo::collections::String::with_capacity_in(bytes, self.arena))
    }

    /// What the function made of its constant arguments.
    #[inline]
    pub fn made<T: 'static>(&self) -> Option<&'a T> {
        match self.prepared {
            Prepared::Made(made) => made.downcast_ref(),
            _ => None,
        }
    }

    /// Room for a list of at most this many items.
    ///
    /// # Errors
    /// If the evaluation takes more memory than it may.
    pub fn list<T>(&self, items: usize) -> Result<bumpalo::collections::Vec<'a, T>, Failure> {
        self.spend(items.saturating_mul(size_of::<T>()))?;
        Ok(bumpalo::collections::Vec::with_capacity_in(items, self.arena))
    }

    /// Counts memory.
    ///
    /// # Errors
    /// If the evaluation takes more than it may.
    #[inline]
    pub fn spend(&self, bytes: usize) -> Result<(), Failure> {
        let spent = self.spent.get().saturating_add(bytes);
        self.spent.set(spent);
        if spent > MAX_MEMORY { Err(Failure::limit()) } else { Ok(()) }
    }
}

/// Makes something of constant arguments; `None` stands for one that is not constant.
pub type Prepare = fn(&[Option<Value<'_>>]) -> Result<Prepared, Failure>;

/// A function: its description and its code.
#[derive(Debug)]
pub struct Function {
    /// The description.
    pub spec: Spec,
    /// Makes something of constant arguments.
    pub prepare: Option<Prepare>,
    /// The code; arguments are of the kinds the description says.
    pub call: for<'a> fn(&Call<'_, 'a>, &[Value<'a>]) -> Outcome<'a>,
}
