//! JSON inside a field of another format: a cell of a database row, of which a mapping asks for
//! some paths.

use super::parse::{Parser, Rules};
use super::project::Node;
use crate::error::Code;
use crate::record::path::Step;
use crate::record::{Arena, Type, Value};

/// What is asked of a JSON text.
#[derive(Debug)]
pub(in crate::connect) struct Within(Node);

/// A slot to be filled from a JSON text, and the way to it.
#[derive(Debug)]
pub(in crate::connect) struct Wish {
    /// The slot.
    pub slot: usize,
    /// Its type.
    pub kind: Type,
    /// The path as people write it.
    pub name: String,
    /// The steps from the text's own top.
    pub steps: Vec<Step>,
}

impl Within {
    /// Everything that is asked of one text.
    pub fn new(wishes: Vec<Wish>) -> Self {
        Self(Node::within(wishes.into_iter().map(|wish| (wish.slot, wish.kind, wish.name, wish.steps))))
    }
}

/// Why a text is no JSON, or not what was asked for.
#[derive(Debug)]
pub(in crate::connect) struct JsonFault {
    /// The stable code.
    pub code: &'static Code,
    /// One sentence.
    pub cause: String,
    /// The field at fault, if it is one.
    pub field: Option<String>,
}

/// Reads JSON texts; one per part.
pub(in crate::connect) struct JsonReader<'a>(Parser<'a>);

impl<'a> JsonReader<'a> {
    /// A reader whose values live as long as the arena. Of equal keys the last counts, as it does
    /// for the databases such texts come from.
    pub fn new(arena: &'a Arena) -> Self {
        Self(Parser::new(Rules { max_depth: 128, last_wins: true, lines: false }, arena))
    }

    /// Fills the slots that are asked for.
    ///
    /// # Errors
    /// If the text is no JSON or a value has another type than was asked for.
    pub fn read(&mut self, text: &'a str, within: &Within, slots: &mut [Value<'a>]) -> Result<(), JsonFault> {
        self.0.turn_to(text, 0);
        self.0.any(&within.0, slots).and_then(|()| self.0.end()).map_err(|fault| JsonFault {
            code: fault.code,
            cause: fault.cause.to_string(),
            field: fault.field,
        })
    }
}
