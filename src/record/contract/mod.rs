//! What a record has to be: the rules of a JSON Schema, compiled, and the check of a value against
//! them. Pure; `config::json_schema` reads the files and makes the rules.
//!
//! A record is looked at where it lies: nothing is copied, and nothing is allocated before something
//! is wrong. Numbers are compared by their digits, never as doubles.

mod check;
mod drift;
mod formats;
mod number;
mod shape;

pub use check::Broken;
pub use drift::{Known, undeclared};
pub use formats::Format;
pub use number::Bound;
pub use shape::{Clash, Shape};

use regex::Regex;

use super::ClassSet;

/// The rules of one schema and of everything that it refers to.
#[derive(Clone, Debug, Default)]
pub struct Contract {
    /// The schemas; they refer to each other by their index here.
    pub nodes: Vec<Vec<Rule>>,
    /// Data classes that the schemas name, in the same order.
    pub classes: Vec<ClassSet>,
    /// The schema of the record.
    pub root: NodeId,
}

/// Index of a schema in [`Contract::nodes`]. A schema without rules accepts everything.
pub type NodeId = usize;

/// One keyword of a schema with what it asks for.
#[derive(Clone, Debug)]
pub enum Rule {
    /// `false`: nothing is accepted.
    Never,
    /// `type`.
    Types(Types),
    /// `enum`, `const` (with one value).
    OneOf(Vec<Fixed>),
    /// `minimum`; `true`: `exclusiveMinimum`.
    Minimum(Bound, bool),
    /// `maximum`; `true`: `exclusiveMaximum`.
    Maximum(Bound, bool),
    /// `multipleOf`.
    MultipleOf(Bound),
    /// `minLength` and `maxLength`, in characters.
    Length(usize, Option<usize>),
    /// `pattern`.
    Pattern(Pattern),
    /// `format`.
    Format(Format),
    /// `minItems` and `maxItems`.
    Count(usize, Option<usize>),
    /// `uniqueItems: true`.
    Unique,
    /// `prefixItems`, and `items` for those behind them.
    Items(Vec<NodeId>, Option<NodeId>),
    /// `contains`, `minContains` and `maxContains`.
    Contains(NodeId, usize, Option<usize>),
    /// `minProperties` and `maxProperties`.
    Size(usize, Option<usize>),
    /// `required`.
    Required(Vec<String>),
    /// `properties`, `patternProperties` and `additionalProperties`.
    Fields(Fields),
    /// `propertyNames`.
    Names(NodeId),
    /// `dependentRequired`: with the first, the others are required.
    Needs(String, Vec<String>),
    /// `dependentSchemas`: with the field, the whole record meets this.
    With(String, NodeId),
    /// `allOf` and `$ref`.
    All(Vec<NodeId>),
    /// `anyOf`.
    Any(Vec<NodeId>),
    /// `oneOf`.
    One(Vec<NodeId>),
    /// `not`.
    Not(NodeId),
    /// `if`, `then`, `else`.
    If(NodeId, Option<NodeId>, Option<NodeId>),
    /// `unevaluatedProperties`: what fields have to be that no other keyword speaks of.
    OtherFields(NodeId),
    /// `unevaluatedItems`, the same for elements.
    OtherItems(NodeId),
}

impl Rule {
    /// Tells each schema that it leads to.
    pub fn leads_to(&self, tell: &mut dyn FnMut(NodeId)) {
        match self {
            Self::Items(first, rest) => first.iter().chain(rest).for_each(|id| tell(*id)),
            Self::Contains(id, ..)
            | Self::Names(id)
            | Self::With(_, id)
            | Self::Not(id)
            | Self::OtherFields(id)
            | Self::OtherItems(id) => tell(*id),
            Self::Fields(fields) => {
                fields.named.iter().for_each(|(_, id)| tell(*id));
                fields.patterns.iter().for_each(|(_, id)| tell(*id));
                fields.others.iter().for_each(|id| tell(*id));
            }
            Self::All(all) | Self::Any(all) | Self::One(all) => all.iter().for_each(|id| tell(*id)),
            Self::If(condition, then, otherwise) => {
                [Some(*condition), *then, *otherwise].into_iter().flatten().for_each(tell);
            }
            _ => {}
        }
    }

    /// Whether the schemas that it leads to are asked about the same value, not about one inside of it.
    pub fn stays(&self) -> bool {
        matches!(self, Self::With(..) | Self::Not(_) | Self::All(_) | Self::Any(_) | Self::One(_) | Self::If(..))
    }
}

/// The fields of a map.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// By name.
    pub named: Vec<(String, NodeId)>,
    /// By pattern.
    pub patterns: Vec<(Pattern, NodeId)>,
    /// All others; `None`: nothing is said.
    pub others: Option<NodeId>,
}

/// A compiled pattern and its text.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// As the schema has it.
    pub text: String,
    /// As it is run.
    pub regex: Regex,
}

/// A value that stands in a schema.
#[derive(Clone, Debug)]
pub enum Fixed {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A number.
    Number(Bound),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Fixed>),
    /// A map.
    Map(Vec<(String, Fixed)>),
}

/// A set of the types that JSON Schema knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Types(pub u8);

impl Types {
    /// No type at all.
    pub const NONE: Self = Self(0);
    /// Null.
    pub const NULL: Self = Self(1);
    /// A truth value.
    pub const BOOL: Self = Self(2);
    /// A number whose fraction is zero.
    pub const INTEGER: Self = Self(4);
    /// A number, integers included.
    pub const NUMBER: Self = Self(4 | 8);
    /// Text.
    pub const TEXT: Self = Self(16);
    /// A list.
    pub const LIST: Self = Self(32);
    /// A map.
    pub const MAP: Self = Self(64);
    /// Every type.
    pub const ALL: Self = Self(127);

    /// The names of JSON Schema.
    pub const NAMES: &[(&str, Self)] = &[
        ("null", Self::NULL),
        ("boolean", Self::BOOL),
        ("integer", Self::INTEGER),
        ("number", Self::NUMBER),
        ("string", Self::TEXT),
        ("array", Self::LIST),
        ("object", Self::MAP),
    ];

    /// The type of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, types)| *types)
    }

    /// Those of either.
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of both.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all of the other are here.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl std::fmt::Display for Types {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut first = true;
        for (name, types) in Self::NAMES {
            // A number is an integer too.
            if !self.has(*types) || (*types == Self::INTEGER && self.has(Self::NUMBER)) {
                continue;
            }
            if !std::mem::take(&mut first) {
                f.write_str(" or ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}
