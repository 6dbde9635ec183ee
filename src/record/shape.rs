//! Static types: what is known of a value before there is one.

use super::{ClassSet, Path};
use std::fmt;

/// The type of a value as the checker sees it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Type {
    /// Nothing is known.
    #[default]
    Dyn,
    /// Only null.
    Null,
    /// A truth value.
    Bool,
    /// A signed 64-bit integer.
    Int,
    /// An unsigned 64-bit integer.
    Uint,
    /// An exact decimal (an integer serves as one).
    Decimal,
    /// A binary floating-point number.
    Double,
    /// Text.
    String,
    /// Raw bytes.
    Bytes,
    /// A moment.
    Timestamp,
    /// A calendar date.
    Date,
    /// A span of time.
    Duration,
    /// A list of one type.
    List(Box<Type>),
    /// A map from text to one type; with [`Type::Dyn`] as value type, any map.
    Map(Box<Type>),
    /// A map whose fields are declared. `open`: others may be there too.
    Record {
        /// The declared fields.
        fields: Vec<Field>,
        /// Whether undeclared fields may be there.
        open: bool,
    },
}

/// A declared field of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name (one key, not a path).
    pub name: String,
    /// Its type.
    pub kind: Type,
    /// Whether it is always there.
    pub required: bool,
    /// Whether it may be null.
    pub nullable: bool,
    /// What kind of sensitive data it is.
    pub classes: ClassSet,
}

/// A target column: where it goes and what may be in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Path in the target record; one key for flat targets.
    pub path: Path,
    /// The type the mapping computes, [`Type::Dyn`] if unknown.
    pub kind: Type,
    /// Whether the mapping always fills it.
    pub required: bool,
}

/// The names of the scalar types as configuration files write them.
pub const NAMES: &[(&str, Type)] = &[
    ("any", Type::Dyn),
    ("bool", Type::Bool),
    ("int", Type::Int),
    ("uint", Type::Uint),
    ("decimal", Type::Decimal),
    ("double", Type::Double),
    ("string", Type::String),
    ("bytes", Type::Bytes),
    ("timestamp", Type::Timestamp),
    ("date", Type::Date),
    ("duration", Type::Duration),
];

impl Type {
    /// Reads `string`, `list<int>`, `map<decimal>` …; `list` and `map` alone hold anything.
    pub fn named(text: &str) -> Option<Self> {
        if let Some((_, found)) = NAMES.iter().find(|(name, _)| *name == text) {
            return Some(found.clone());
        }
        let inner = |prefix: &str| text.strip_prefix(prefix)?.strip_suffix('>').and_then(Self::named);
        match text {
            "list" => Some(Self::List(Box::default())),
            "map" => Some(Self::Map(Box::default())),
            _ => inner("list<")
                .map(|t| Self::List(Box::new(t)))
                .or_else(|| inner("map<").map(|t| Self::Map(Box::new(t)))),
        }
    }

    /// Whether a value of `self` can stand where `wanted` is asked for.
    pub fn fits(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (Self::Dyn, _) | (_, Self::Dyn) => true,
            (Self::Int | Self::Uint, Self::Decimal) | (Self::Decimal, Self::Int | Self::Uint) => true,
            (Self::List(a), Self::List(b)) | (Self::Map(a), Self::Map(b)) => a.fits(b),
            (Self::Record { .. }, Self::Map(_)) | (Self::Map(_), Self::Record { .. }) => true,
            (Self::Record { .. }, Self::Record { .. }) => true,
            (a, b) => a == b,
        }
    }

    /// The type at the end of a path; `Err` names the first key that is not declared, with the
    /// names that are. `Dyn` where nothing is known.
    pub fn at<'t>(&'t self, path: &Path) -> Result<Type, (String, Vec<&'t str>)> {
        use super::path::Step;
        let mut here = self;
        for (index, step) in path.0.iter().enumerate() {
            here = match (here, step) {
                (Self::Record { fields, open }, Step::Key(name)) => match fields.iter().find(|f| f.name == *name) {
                    Some(field) => &field.kind,
                    None if *open => return Ok(Self::Dyn),
                    None => return Err((name.clone(), fields.iter().map(|f| f.name.as_str()).collect())),
                },
                (Self::Map(inner), Step::Key(_)) | (Self::List(inner), Step::Index(_)) => inner,
                (Self::List(inner), Step::Each) => {
                    let rest = Path(path.0[index + 1..].to_vec());
                    return inner.at(&rest).map(|t| Self::List(Box::new(t)));
                }
                (Self::Dyn, _) => return Ok(Self::Dyn),
                (_, Step::Key(name)) => return Err((name.clone(), Vec::new())),
                (_, _) => return Err(("[…]".into(), Vec::new())),
            };
        }
        Ok(here.clone())
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(inner) if **inner == Self::Dyn => f.write_str("list"),
            Self::List(inner) => write!(f, "list<{inner}>"),
            Self::Map(inner) if **inner == Self::Dyn => f.write_str("map"),
            Self::Map(inner) => write!(f, "map<{inner}>"),
            Self::Record { .. } => f.write_str("map"),
            Self::Null => f.write_str("null"),
            scalar => f.write_str(NAMES.iter().find(|(_, t)| t == scalar).map_or("any", |(name, _)| name)),
        }
    }
}
