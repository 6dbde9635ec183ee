//! Options as a plug-in reads them: each by name, with its default from the description, so
//! that a default is written down once.

use crate::config::{Node, OptionSpec, Piece, Spanned, Text};
use crate::error::codes::formats::FORMAT_OPTIONS;
use crate::error::{Error, Kind, Place, Result};

/// The options that were given, and the description that has the defaults.
pub struct Given<'o> {
    options: &'o [(Spanned<String>, Spanned<Node>)],
    specs: &'static [OptionSpec],
}

impl<'o> Given<'o> {
    /// Options beside their description.
    pub fn new(options: &'o [(Spanned<String>, Spanned<Node>)], specs: &'static [OptionSpec]) -> Self {
        Self { options, specs }
    }

    /// The text of an option, `None` if it was not given and has no default.
    ///
    /// # Errors
    /// If it is no scalar, or a reference in it was not filled in.
    pub fn text(&self, name: &str) -> Result<Option<String>> {
        match self.node(name) {
            Some(node) => self.scalar(name, node).map(Some),
            None => Ok(self.default(name).map(unquoted)),
        }
    }

    /// A switch; `false` without a default.
    ///
    /// # Errors
    /// If it is neither `true` nor `false`.
    pub fn bool(&self, name: &str) -> Result<bool> {
        match self.text(name)?.as_deref() {
            Some("true") => Ok(true),
            Some("false") | None => Ok(false),
            Some(_) => Err(self.wrong(name, "is neither `true` nor `false`")),
        }
    }

    /// A whole number; 0 without a default.
    ///
    /// # Errors
    /// If it is no whole number, or negative.
    pub fn size(&self, name: &str) -> Result<usize> {
        match self.text(name)? {
            Some(text) => text.parse().map_err(|_| self.wrong(name, "is not a whole number")),
            None => Ok(0),
        }
    }

    /// One ASCII character, `None` for the word `none` or if not given; `tab` is understood.
    ///
    /// # Errors
    /// If it is another word or not one ASCII character.
    pub fn character(&self, name: &str) -> Result<Option<u8>> {
        match self.text(name)?.as_deref() {
            None | Some("none") => Ok(None),
            Some("tab" | "\\t") => Ok(Some(b'\t')),
            Some(text) => match text.as_bytes() {
                [byte] if byte.is_ascii() => Ok(Some(*byte)),
                _ => Err(self.wrong(name, "is not one ASCII character (or `tab`, `none`)")),
            },
        }
    }

    /// A list of texts; empty if not given.
    ///
    /// # Errors
    /// If it is no list of scalars.
    pub fn list(&self, name: &str) -> Result<Vec<String>> {
        match self.node(name) {
            None => Ok(Vec::new()),
            Some(Node::List(items)) => items.iter().map(|item| self.scalar(name, &item.value)).collect(),
            Some(_) => Err(self.wrong(name, "is not a list")),
        }
    }

    /// An error about an option, at the place where it was written.
    pub fn wrong(&self, name: &str, what: &str) -> Error {
        let error = Error::new(Kind::Invalid, &FORMAT_OPTIONS, format!("the option `{name}` {what}"));
        match self.place(name) {
            Some(place) => error.at(place.clone()),
            None => error,
        }
    }

    fn place(&self, name: &str) -> Option<&Place> {
        self.options.iter().find(|(key, _)| key.value == name).map(|(_, node)| &node.place)
    }

    fn node(&self, name: &str) -> Option<&'o Node> {
        self.options.iter().find(|(key, _)| key.value == name).map(|(_, node)| &node.value)
    }

    fn default(&self, name: &str) -> Option<&'static str> {
        self.specs.iter().find(|spec| spec.name == name).and_then(|spec| spec.default)
    }

    fn scalar(&self, name: &str, node: &Node) -> Result<String> {
        match node {
            Node::Bool(value) => Ok(value.to_string()),
            Node::Number(text) => Ok(text.clone()),
            Node::Text(text) => {
                literal(text).ok_or_else(|| self.wrong(name, "holds a reference that was not filled in"))
            }
            Node::Null => Err(self.wrong(name, "is null: put a text that YAML reads as null into quotes")),
            Node::List(_) | Node::Map(_) => Err(self.wrong(name, "is not a single value")),
        }
    }
}

fn literal(text: &Text) -> Option<String> {
    text.pieces
        .iter()
        .map(|piece| match piece {
            Piece::Literal(text) => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

/// Defaults stand in the description as YAML; those of formats are plain or double-quoted.
fn unquoted(yaml: &str) -> String {
    match yaml.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => yaml.to_string(),
    }
}
