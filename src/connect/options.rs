//! Reads the options of a plug-in from the checked configuration, with the defaults of its
//! description: one way for all protocols, so that a default is written once, as data.

use crate::config::{Node, OptionSpec, Piece, Spanned};
use crate::error::{Error, Result};

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
        match self.given.iter().find(|(key, _)| key.value == name).map(|(_, node)| &node.value) {
            None | Some(Node::Null) => Ok(spec.default.map(str::to_owned)),
            Some(Node::Bool(value)) => Ok(Some(value.to_string())),
            Some(Node::Number(value)) => Ok(Some(value.clone())),
            Some(Node::Text(text)) => {
                let mut joined = String::new();
                for piece in &text.pieces {
                    match piece {
                        Piece::Literal(literal) => joined.push_str(literal),
                        _ => return Err(Error::bug(format!("the reference in option `{name}` was not filled in"))),
                    }
                }
                Ok(Some(joined))
            }
            Some(Node::List(_) | Node::Map(_)) => Err(Error::bug(format!("option `{name}` is no scalar"))),
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
}
