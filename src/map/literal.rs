//! Plain values written in a mapping (`default`, `given`, `expect`), owned, so that they can
//! be lent to each record.

use super::convert::{Reading, convert};
use crate::config::{Node, Piece, Spanned};
use crate::error::Place;
use crate::record::{Arena, Decimal, Type, Value};

/// A plain value from a mapping file.
#[derive(Clone, Debug)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    /// A number in the grammar of JSON, as written.
    Number(String),
    Text(String),
    List(Vec<Literal>),
    Map(Vec<(String, Literal)>),
    /// A scalar already converted to the type it stands in for.
    Fixed(Value<'static>),
}

/// Why a node is no plain value.
#[derive(Debug)]
pub(super) struct NotPlain {
    pub(super) place: Place,
    pub(super) cause: &'static str,
}

impl Literal {
    /// Takes a node as a plain value.
    ///
    /// # Errors
    /// [`NotPlain`] for references and for numbers that are none outside YAML (`.inf`).
    pub(super) fn of(node: &Spanned<Node>) -> Result<Self, NotPlain> {
        let fail = |cause| Err(NotPlain { place: node.place.clone(), cause });
        Ok(match &node.value {
            Node::Null => Self::Null,
            Node::Bool(value) => Self::Bool(*value),
            Node::Number(text) if is_number(text) => Self::Number(text.clone()),
            Node::Number(text) => match Decimal::parse(text) {
                Ok(value) => Self::Number(value.to_string()),
                Err(_) => return fail("only plain decimal numbers can stand here"),
            },
            Node::Text(text) => {
                let mut whole = String::new();
                for piece in &text.pieces {
                    match piece {
                        Piece::Literal(literal) => whole.push_str(literal),
                        _ => return fail("a reference cannot stand here: the value must be plain"),
                    }
                }
                Self::Text(whole)
            }
            Node::List(items) => Self::List(items.iter().map(Self::of).collect::<Result<_, _>>()?),
            Node::Map(entries) => Self::Map(
                entries
                    .iter()
                    .map(|(key, value)| Ok((key.value.clone(), Self::of(value)?)))
                    .collect::<Result<_, NotPlain>>()?,
            ),
        })
    }

    /// What the checker knows of it.
    pub(super) fn kind(&self) -> Type {
        match self {
            Self::Null => Type::Null,
            Self::Bool(_) => Type::Bool,
            Self::Number(text) if text.parse::<i64>().is_ok() => Type::Int,
            Self::Number(_) => Type::Decimal,
            Self::Text(_) => Type::String,
            Self::List(_) => Type::List(Box::default()),
            Self::Map(_) => Type::Map(Box::default()),
            Self::Fixed(_) => Type::Dyn,
        }
    }

    /// The same, as the type of the source value that it stands in for. `None`: it has no such
    /// form.
    pub(super) fn fit(self, kind: &Type, text_fields: bool) -> Option<Self> {
        let fixed = {
            let arena = Arena::new();
            let reading = match (&self, kind) {
                // YAML has no moments and dates, and text files have nothing but text.
                (Self::Text(_), Type::Timestamp | Type::Date) => Reading::Text,
                (Self::Number(_) | Self::Bool(_), Type::String) if text_fields => Reading::Text,
                _ => Reading::Exact,
            };
            match convert(self.lend(&arena), kind, reading, &arena)? {
                Value::Int(value) => Some(Self::Fixed(Value::Int(value))),
                Value::Uint(value) => Some(Self::Fixed(Value::Uint(value))),
                Value::Timestamp(value) => Some(Self::Fixed(Value::Timestamp(value))),
                Value::Date(value) => Some(Self::Fixed(Value::Date(value))),
                Value::String(text) => Some(Self::Text(text.to_string())),
                _ => None,
            }
        };
        Some(fixed.unwrap_or(self))
    }

    /// The value, borrowed; only lists and maps need the arena.
    #[inline]
    pub(super) fn lend<'a>(&'a self, arena: &'a Arena) -> Value<'a> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(text) => Value::Number(text),
            Self::Text(text) => Value::String(text),
            Self::Fixed(value) => *value,
            Self::List(items) => Value::List(arena.alloc_slice_fill_iter(items.iter().map(|item| item.lend(arena)))),
            Self::Map(entries) => Value::Map(
                arena.alloc_slice_fill_iter(entries.iter().map(|(key, item)| (key.as_str(), item.lend(arena)))),
            ),
        }
    }
}

/// Whether a text is a number in the grammar of JSON (RFC 8259, section 6).
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_the_grammar_of_json() {
        for text in ["0", "-1", "29.99", "1e5", "1.50E-3", "123456789012345678901234567890"] {
            assert!(is_number(text), "{text}");
        }
        for text in ["", "-", "01", ".5", "5.", "1e", "+1", "0x1F", ".inf", "1_000", "--1", "1.2.3"] {
            assert!(!is_number(text), "{text}");
        }
    }
}
