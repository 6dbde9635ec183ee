//! What is done to a value before it is written, because of the classes in it: a policy says it, and the
//! compiler makes it a part of the rule. So the flow of classes, what is explained and what is previewed
//! show what a run does.

use super::route::{Fault, Route, Rule, one_line_of};
use crate::error::{Code, Place, codes};
use crate::expr::{Frame, Program};
use crate::record::{ClassId, Value};

/// Says what is done to values of a class on a route.
pub trait Protects {
    /// What is done; `None`: nothing.
    fn remedy(&self, class: ClassId) -> Option<Remedy>;
}

/// Nothing is done to any class.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unprotected;

impl Protects for Unprotected {
    fn remedy(&self, _: ClassId) -> Option<Remedy> {
        None
    }
}

/// What is done to values of a class.
#[derive(Clone, Debug)]
pub struct Remedy {
    /// The word for it: `mask`.
    pub action: &'static str,
    /// Where it is said.
    pub place: Place,
    /// How it is done.
    pub how: How,
    /// Of several that one value asks for, the strongest is done first.
    pub strength: u8,
}

/// How a class is kept from where it must not go.
#[derive(Clone, Debug)]
pub enum How {
    /// What an expression makes of `value` takes its place.
    Expression {
        /// The expression.
        text: String,
        /// Whether equal values stay equal: only then a key can be protected so.
        joinable: bool,
    },
    /// The value is left out.
    Drop,
    /// Its record goes to the dead letters.
    Park,
    /// Nothing moves.
    Block,
    /// It cannot be done.
    Unfit {
        /// Why not.
        cause: String,
        /// What to do.
        fix: String,
    },
}

/// What is done to the value of one field, as checks and explanations see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// The class.
    pub class: ClassId,
    /// The word for it: `mask`.
    pub action: &'static str,
    /// The expression, if it is one.
    pub expression: Option<String>,
    /// Where it is said.
    pub place: Place,
}

/// The last step of a rule, compiled.
#[derive(Debug)]
pub(super) enum Finish {
    /// One after the other.
    Make(Vec<Program>),
    Drop,
    /// With what is said of the record.
    Park(String),
}

impl Route {
    /// Protects the value of a rule.
    #[inline(never)]
    pub(super) fn finished<'a>(
        &'a self,
        rule: &Rule,
        finish: &'a Finish,
        value: Value<'a>,
        frame: &mut Frame<'_, 'a>,
    ) -> Result<Value<'a>, Box<Fault>> {
        match finish {
            Finish::Drop => Ok(Value::Missing),
            Finish::Park(cause) => Err(self.reject(&codes::comply::PARKED, Some(rule), cause.clone())),
            Finish::Make(programs) => {
                let mut value = value;
                for program in programs {
                    frame.value = value;
                    value = program
                        .eval(frame)
                        .map_err(|error| self.unprotected(rule, error.code, program, &error.cause))?;
                }
                Ok(value)
            }
        }
    }

    #[cold]
    fn unprotected(&self, rule: &Rule, code: &'static Code, program: &Program, cause: &str) -> Box<Fault> {
        let cause = format!("it cannot be protected with `{}`: {cause}", one_line_of(program.text()));
        self.reject(code, Some(rule), cause)
    }
}
