//! Reads the options of a plug-in from the checked configuration, with the defaults of its
//! description: one way for all protocols and formats, so that a default is written once, as data.

use crate::config::{Node, OptionSpec, Piece, Spanned};
use crate::error::codes::formats::FORMAT_OPTIONS;
use crate::error::{Error, Kind, Result};

/// Options as the configuration has them beside the description they were checked against.
#[derive(Clone, Copy)]
pub struct OptionReader<'o> {
    given: &'o [(Spanned<String>, Spanned<Node>)],
    specs: &'static [OptionSpec],
}

impl<'o> OptionReader<'o> {
    /// Options given for these descriptions.
    pub fn new(given: &'o [(Spanned<String>, Spanned<Node>)], specs: &'static [OptionSpec]) -> Self {
        Self { given, specs }
    }

    /// The text of an option or its default; `None` if it has neither.
    ///
    /// # Errors
    /// An option that is not described, or a value that is no text: both are bugs, the
    /// configuration was checked before.
    pub fn text(&self, name: &str) -> Result<Option<String>> {
        let spec = self
            .specs
            .iter()
            .find(|spec| spec.name == name)
            .ok_or_else(|| Error::bug(format!("option `{name}` is not described")))?;
        match self.node(name).map(|node| &node.value) {
            None | Some(Node::Null) => Ok(spec.default.map(unquoted)),
            Some(node) => scalar(name, node).map(Some),
        }
    }

    /// The truth value of an option or its default; `false` if it has neither.
    ///
    /// # Errors
    /// As for [`OptionReader::text`].
    pub fn flag(&self, name: &str) -> Result<bool> {
        match self.text(name)?.as_deref() {
            Some("true") => Ok(true),
            Some("false") | None => Ok(false),
            Some(_) => Err(Error::bug(format!("option `{name}` is neither `true` nor `false`"))),
        }
    }

    /// The whole number of an option or its default; 0 if it has neither.
    ///
    /// # Errors
    /// As for [`OptionReader::text`].
    pub fn number(&self, name: &str) -> Result<u64> {
        match self.text(name)? {
            None => Ok(0),
            Some(text) => text.parse().map_err(|_| Error::bug(format!("option `{name}` is no whole number"))),
        }
    }

    /// One ASCII character, `None` for the word `none` or if there is none; `tab` is understood.
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
        match self.node(name).map(|node| &node.value) {
            None | Some(Node::Null) => Ok(Vec::new()),
            Some(Node::List(items)) => items.iter().map(|item| scalar(name, &item.value)).collect(),
            Some(_) => Err(self.wrong(name, "is not a list")),
        }
    }

    /// An error about an option's value, at the place where it was written.
    pub fn wrong(&self, name: &str, what: &str) -> Error {
        let error = Error::new(Kind::Invalid, &FORMAT_OPTIONS, format!("the option `{name}` {what}"));
        match self.node(name) {
            Some(node) => error.at(node.place.clone()),
            None => error,
        }
    }

    fn node(&self, name: &str) -> Option<&'o Spanned<Node>> {
        self.given.iter().find(|(key, _)| key.value == name).map(|(_, node)| node)
    }
}

fn scalar(name: &str, node: &Node) -> Result<String> {
    match node {
        Node::Bool(value) => Ok(value.to_string()),
        Node::Number(value) => Ok(value.clone()),
        Node::Text(text) => text
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Literal(literal) => Ok(literal.as_str()),
                _ => Err(Error::bug(format!("the reference in option `{name}` was not filled in"))),
            })
            .collect(),
        Node::Null | Node::List(_) | Node::Map(_) => Err(Error::bug(format!("option `{name}` is no scalar"))),
    }
}

/// Defaults stand in the description as YAML: plain, or in double quotes.
fn unquoted(yaml: &str) -> String {
    match yaml.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => yaml.to_owned(),
    }
}
