//! The value of one field, borrowed from the bytes it was read from.

use super::{Arena, Date, Decimal, Duration, Timestamp};

/// A value. It is `Copy` and 24 bytes: text, lists and maps are borrowed from the part's
/// bytes or from the part's [`Arena`], so that a value is never freed on its own.
///
/// `Missing` (the field is not there), `Null` (it is there and says nothing) and `""` are
/// three different things; each format says which of them it knows.
///
/// Its tag is a whole word: a value is then copied as three words, and never as a byte and the
/// odd bytes beside it, which stalls the processor when it is read again at once.
#[derive(Clone, Copy, Debug, Default)]
#[repr(u64)]
pub enum Value<'a> {
    /// Not there at all.
    #[default]
    Missing,
    /// There, and null.
    Null,
    /// A truth value.
    Bool(bool),
    /// A signed 64-bit integer.
    Int(i64),
    /// An unsigned 64-bit integer: exists only where asked for.
    Uint(u64),
    /// An exact decimal.
    Decimal(Decimal),
    /// A number as it stood in the data (JSON grammar), not yet computed with: its text is
    /// kept, so that `1.50` leaves as `1.50` and forty digits pass through whole.
    Number(&'a str),
    /// A binary floating-point number: exists only where asked for.
    Double(f64),
    /// Text.
    String(&'a str),
    /// Raw bytes.
    Bytes(&'a [u8]),
    /// A moment, with the offset it was written in.
    Timestamp(Timestamp),
    /// A calendar date.
    Date(Date),
    /// A span of time.
    Duration(Duration),
    /// A list.
    List(&'a [Value<'a>]),
    /// A map with text keys, in the order of the data.
    Map(&'a [(&'a str, Value<'a>)]),
    /// A map whose keys are not all text: made by expressions only.
    Dict(&'a [(Value<'a>, Value<'a>)]),
}

impl<'a> Value<'a> {
    /// The name of its type, as messages say it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Decimal(_) | Self::Number(_) => "decimal",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Timestamp(_) => "timestamp",
            Self::Date(_) => "date",
            Self::Duration(_) => "duration",
            Self::List(_) => "list",
            Self::Map(_) | Self::Dict(_) => "map",
        }
    }

    /// Whether it is missing.
    #[inline]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    /// Whether it says nothing: missing or null.
    #[inline]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Missing | Self::Null)
    }

    /// The field of a map, [`Value::Missing`] if it is not there or this is no map.
    pub fn get(&self, key: &str) -> Value<'a> {
        match self {
            Self::Map(entries) => entries.iter().find(|(k, _)| *k == key).map_or(Value::Missing, |(_, v)| *v),
            Self::Dict(entries) => entries
                .iter()
                .find(|(k, _)| matches!(k, Value::String(k) if *k == key))
                .map_or(Value::Missing, |(_, v)| *v),
            _ => Value::Missing,
        }
    }

    /// The same value copied into another arena, so that it can outlive what it was read from.
    pub fn copy_into<'b>(&self, arena: &'b Arena) -> Value<'b> {
        match self {
            Self::Missing => Value::Missing,
            Self::Null => Value::Null,
            Self::Bool(v) => Value::Bool(*v),
            Self::Int(v) => Value::Int(*v),
            Self::Uint(v) => Value::Uint(*v),
            Self::Decimal(v) => Value::Decimal(*v),
            Self::Number(v) => Value::Number(arena.alloc_str(v)),
            Self::Double(v) => Value::Double(*v),
            Self::String(v) => Value::String(arena.alloc_str(v)),
            Self::Bytes(v) => Value::Bytes(arena.alloc_slice_copy(v)),
            Self::Timestamp(v) => Value::Timestamp(*v),
            Self::Date(v) => Value::Date(*v),
            Self::Duration(v) => Value::Duration(*v),
            Self::List(items) => Value::List(arena.alloc_slice_fill_iter(items.iter().map(|v| v.copy_into(arena)))),
            Self::Map(entries) => Value::Map(
                arena.alloc_slice_fill_iter(entries.iter().map(|(k, v)| (&*arena.alloc_str(k), v.copy_into(arena)))),
            ),
            Self::Dict(entries) => Value::Dict(
                arena.alloc_slice_fill_iter(entries.iter().map(|(k, v)| (k.copy_into(arena), v.copy_into(arena)))),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_24_bytes() {
        assert_eq!(std::mem::size_of::<Value<'_>>(), 24);
        assert_eq!(std::mem::size_of::<Result<Value<'_>, Box<u8>>>(), 24);
    }
}
