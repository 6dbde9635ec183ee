//! Text with `{{ … }}` in it, and trees of such texts: what requests are made of.
//!
//! A text that is one `{{ … }}` alone has the type of its expression; any other is text. In a map, an
//! entry whose value is missing is left out; `null` stays. An expression ends at the first `}}` that
//! stands outside of its quotes and braces. Packs live as long as the process, and so do their templates.

use std::borrow::Cow;

use crate::config::Expression;
use crate::config::Source;
use crate::config::yaml::{Raw, RawKind};
use crate::error::codes::connect::{PACK_TEMPLATE, TEMPLATE_FAILED};
use crate::error::{Error, Finding, Kind, Place, Result};
use crate::expr::{self, Environment, Program};
use crate::record::{Projection, Value};

use super::names::Scope;

/// A text with expressions in it.
#[derive(Debug)]
pub struct Template {
    pieces: Vec<Piece>,
    place: Place,
    /// As it is written.
    text: String,
}

/// Makes text fit for where it goes.
pub type Escape<'e> = &'e dyn for<'t> Fn(&'t str) -> Cow<'t, str>;

#[derive(Debug)]
enum Piece {
    Literal(String),
    Program(Box<Program>),
}

/// A tree of templates: a body, a map of headers.
#[derive(Debug)]
pub enum Tree {
    /// As it is written.
    Fixed(serde_json::Value),
    /// Computed.
    Template(Template),
    /// A list.
    List(Vec<Tree>),
    /// A map, in its order.
    Map(Vec<(String, Tree)>),
}

impl Template {
    /// Compiles the text of a scalar. What is wrong with it goes to the findings.
    pub fn compile(raw: &Raw, source: &Source, environment: &Environment, findings: &mut Vec<Finding>) -> Option<Self> {
        let written = Expression::of(raw, source)?;
        let text = written.text.clone();
        let mut pieces = Vec::new();
        let mut at = 0;
        let mut sound = true;
        while let Some(open) = text.get(at..).and_then(|rest| rest.find("{{")).map(|found| at + found) {
            if open > at {
                pieces.push(Piece::Literal(text[at..open].to_owned()));
            }
            let start = open + 2;
            let Some(length) = closing(&text[start..]) else {
                let place = written.place_at(open, text.len());
                findings.push(
                    Finding::error(&PACK_TEMPLATE, place, "`{{` is not closed by `}}`")
                        .fix("close it; for the characters themselves write {{ '{{' }}"),
                );
                return None;
            };
            let inside = &text[start..start + length];
            let skipped = inside.len() - inside.trim_start().len();
            match expr::compile(inside.trim(), environment, &mut Projection::default()) {
                Ok(program) => pieces.push(Piece::Program(Box::new(program))),
                Err(faults) => {
                    sound = false;
                    for fault in faults {
                        let from = start + skipped;
                        let finding = Finding::error(
                            fault.code,
                            written.place_at(from + fault.start, from + fault.end.max(fault.start + 1)),
                            fault.cause,
                        );
                        findings.push(match fault.fix {
                            Some(fix) => finding.fix(fix),
                            None => finding,
                        });
                    }
                }
            }
            at = start + length + 2;
        }
        if at < text.len() {
            pieces.push(Piece::Literal(text[at..].to_owned()));
        }
        sound.then_some(Self { pieces, place: written.place, text })
    }

    /// Compiles a text that is an expression as a whole, without braces (a condition).
    pub fn expression(
        raw: &Raw,
        source: &Source,
        environment: &Environment,
        findings: &mut Vec<Finding>,
    ) -> Option<Self> {
        let written = Expression::of(raw, source)?;
        match expr::compile(&written.text, environment, &mut Projection::default()) {
            Ok(program) => {
                Some(Self { pieces: vec![Piece::Program(Box::new(program))], place: written.place, text: written.text })
            }
            Err(faults) => {
                for fault in faults {
                    let place = written.place_at(fault.start, fault.end.max(fault.start + 1));
                    let finding = Finding::error(fault.code, place, fault.cause);
                    findings.push(match fault.fix {
                        Some(fix) => finding.fix(fix),
                        None => finding,
                    });
                }
                None
            }
        }
    }

    /// Where it stands.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// As it is written.
    pub fn written(&self) -> &str {
        &self.text
    }

    /// The name, if it is one alone: `{{ records }}`.
    pub fn only(&self) -> Option<&str> {
        let inside = self.text.strip_prefix("{{")?.strip_suffix("}}")?.trim();
        inside.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then_some(inside)
    }

    /// The text, if nothing in it is computed.
    pub fn literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The value.
    ///
    /// # Errors
    /// If an expression has no result; the error names the template, never the data.
    pub fn value<'a>(&'static self, scope: &Scope<'a>) -> Result<Value<'a>> {
        match self.pieces.as_slice() {
            [Piece::Program(program)] => self.eval(program, scope),
            [Piece::Literal(text)] => Ok(Value::String(text)),
            _ => Ok(Value::String(scope.arena().alloc_str(&self.text(scope)?))),
        }
    }

    /// The value as text: nothing for what is missing or null.
    ///
    /// # Errors
    /// As for [`Template::value`].
    pub fn text(&'static self, scope: &Scope<'_>) -> Result<String> {
        let mut out = Vec::new();
        self.render(scope, &mut out, &|text| Cow::Borrowed(text))?;
        String::from_utf8(out).map_err(|_| Error::bug("a template gave no text"))
    }

    /// The same with each computed piece passed through `escape` (a segment of a path).
    ///
    /// # Errors
    /// As for [`Template::value`].
    pub fn escaped(&'static self, scope: &Scope<'_>, escape: Escape<'_>) -> Result<String> {
        let mut out = Vec::new();
        self.render(scope, &mut out, escape)?;
        String::from_utf8(out).map_err(|_| Error::bug("a template gave no text"))
    }

    /// Whether a condition holds: `true`; anything but a truth value is an error.
    ///
    /// # Errors
    /// As for [`Template::value`].
    pub fn holds(&'static self, scope: &Scope<'_>) -> Result<bool> {
        match self.value(scope)? {
            Value::Bool(truth) => Ok(truth),
            Value::Missing | Value::Null => Ok(false),
            other => Err(self.failed(&format!("the condition is {}, not a truth value", other.type_name()))),
        }
    }

    fn render(&'static self, scope: &Scope<'_>, out: &mut Vec<u8>, escape: Escape<'_>) -> Result<()> {
        let mut scratch = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Program(program) => scope.framed(|frame| {
                    let value = program.eval(frame).map_err(|error| self.failed(&error.cause))?;
                    scratch.clear();
                    expr::format_value(&value, &mut scratch);
                    let text = std::str::from_utf8(&scratch).unwrap_or_default();
                    out.extend_from_slice(escape(text).as_bytes());
                    Ok::<(), Error>(())
                })?,
            }
        }
        Ok(())
    }

    fn eval<'a>(&self, program: &'static Program, scope: &Scope<'a>) -> Result<Value<'a>> {
        scope.framed(|frame| program.eval(frame)).map_err(|error| self.failed(&error.cause))
    }

    #[cold]
    fn failed(&self, cause: &str) -> Error {
        Error::new(Kind::Failed, &TEMPLATE_FAILED, format!("a template of the pack has no value: {cause}"))
            .at(self.place.clone())
    }
}

impl Tree {
    /// Compiles a tree of a file.
    pub fn compile(raw: &Raw, source: &Source, environment: &Environment, findings: &mut Vec<Finding>) -> Option<Self> {
        use serde_json::Value as Json;
        Some(match &raw.kind {
            RawKind::Null => Self::Fixed(Json::Null),
            RawKind::Bool(value) => Self::Fixed(Json::Bool(*value)),
            RawKind::Number(text) => Self::Fixed(serde_json::from_str(text).unwrap_or(Json::Null)),
            RawKind::Text { text, .. } if !text.contains("{{") => Self::Fixed(Json::String(text.clone())),
            RawKind::Text { .. } => Self::Template(Template::compile(raw, source, environment, findings)?),
            RawKind::List { items, .. } => {
                Self::List(items.iter().filter_map(|item| Self::compile(item, source, environment, findings)).collect())
            }
            RawKind::Map { entries, .. } => Self::Map(
                entries
                    .iter()
                    .filter_map(|entry| {
                        Some((entry.key.clone(), Self::compile(&entry.value, source, environment, findings)?))
                    })
                    .collect(),
            ),
        })
    }

    /// What it comes to; `None`: nothing.
    ///
    /// # Errors
    /// As for [`Template::value`].
    pub fn json(&'static self, scope: &Scope<'_>) -> Result<Option<serde_json::Value>> {
        use serde_json::Value as Json;
        Ok(match self {
            Self::Fixed(value) => Some(value.clone()),
            Self::Template(template) => match template.pieces.as_slice() {
                [Piece::Program(program)] => scope.framed(|frame| {
                    let value = program.eval(frame).map_err(|error| template.failed(&error.cause))?;
                    Ok::<_, Error>(to_json(&value))
                })?,
                _ => Some(Json::String(template.text(scope)?)),
            },
            Self::List(items) => {
                let mut made = Vec::with_capacity(items.len());
                for item in items {
                    made.extend(item.json(scope)?);
                }
                Some(Json::Array(made))
            }
            Self::Map(entries) => {
                let mut made = serde_json::Map::new();
                for (key, value) in entries {
                    match (value.json(scope)?, key == MERGED) {
                        // What stands there already is meant.
                        (Some(Json::Object(more)), true) => {
                            for (key, value) in more {
                                made.entry(key).or_insert(value);
                            }
                        }
                        (Some(value), false) => drop(made.insert(key.clone(), value)),
                        _ => {}
                    }
                }
                Some(Json::Object(made))
            }
        })
    }
}

/// The key whose map is merged into the one it stands in.
pub const MERGED: &str = "...";

/// A value as JSON; `None` for what is missing.
pub fn to_json(value: &Value<'_>) -> Option<serde_json::Value> {
    use serde_json::Value as Json;
    Some(match value {
        Value::Missing => return None,
        Value::Null => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Number(text) => serde_json::from_str(text).unwrap_or(Json::Null),
        Value::Int(number) => Json::from(*number),
        Value::Uint(number) => Json::from(*number),
        Value::Decimal(number) => serde_json::from_str(&number.to_string()).unwrap_or(Json::Null),
        Value::List(items) => Json::Array(items.iter().map(|item| to_json(item).unwrap_or(Json::Null)).collect()),
        Value::Map(entries) => {
            Json::Object(entries.iter().filter_map(|(key, value)| Some(((*key).to_owned(), to_json(value)?))).collect())
        }
        other => {
            let mut out = Vec::new();
            expr::format_value(other, &mut out);
            Json::String(String::from_utf8_lossy(&out).into_owned())
        }
    })
}

/// Bytes before the `}}` that closes an expression.
fn closing(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => {
                at += 1;
                while let Some(inner) = bytes.get(at).filter(|inner| *inner != byte) {
                    at += if *inner == b'\\' { 2 } else { 1 };
                }
            }
            b'{' => depth += 1,
            b'}' if depth == 0 => return (bytes.get(at + 1) == Some(&b'}')).then_some(at),
            b'}' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    None
}
