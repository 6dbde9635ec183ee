//! One value of a cursor or tie column, as it is asked for, kept in positions, and compared.

use serde::{Deserialize, Serialize};

use super::cells::{Cell, RowWriter};
use crate::record::{Date, Decimal, Timestamp};

/// A value that records are ordered or told apart by. Never null.
#[derive(Clone, Debug, PartialEq)]
pub enum Key {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An exact number, as text.
    Decimal(String),
    /// A binary floating-point number.
    Double(f64),
    /// Text; also what the database writes as text and compares in its own way (a UUID).
    Text(String),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// A moment.
    Timestamp(Timestamp),
    /// A date.
    Date(Date),
}

/// The type of a [`Key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// [`Key::Bool`].
    Bool,
    /// [`Key::Int`].
    Int,
    /// [`Key::Decimal`].
    Decimal,
    /// [`Key::Double`].
    Double,
    /// [`Key::Text`].
    Text,
    /// [`Key::Bytes`].
    Bytes,
    /// [`Key::Timestamp`].
    Timestamp,
    /// [`Key::Date`].
    Date,
}

impl KeyKind {
    /// Its name, as messages say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Decimal => "decimal",
            Self::Double => "double",
            Self::Text => "string",
            Self::Bytes => "bytes",
            Self::Timestamp => "timestamp",
            Self::Date => "date",
        }
    }

    /// Whether values of both stand in one order.
    pub(super) fn goes_with(self, other: Self) -> bool {
        let number = |kind| matches!(kind, Self::Int | Self::Decimal | Self::Double);
        self == other || number(self) && number(other)
    }

    /// The kind of a cell; `None` if it can be no key (null, JSON, a list).
    pub(super) fn of(cell: Cell<'_>) -> Option<Self> {
        Some(match cell {
            Cell::Bool(_) => Self::Bool,
            Cell::Int(_) => Self::Int,
            Cell::Decimal(_) => Self::Decimal,
            Cell::Double(_) => Self::Double,
            Cell::Text(_) => Self::Text,
            Cell::Bytes(_) => Self::Bytes,
            Cell::Timestamp(_) => Self::Timestamp,
            Cell::Date(_) => Self::Date,
            Cell::Null | Cell::Json(_) | Cell::List(_) => return None,
        })
    }
}

impl Key {
    /// Its type.
    pub fn kind(&self) -> KeyKind {
        match self {
            Self::Bool(_) => KeyKind::Bool,
            Self::Int(_) => KeyKind::Int,
            Self::Decimal(_) => KeyKind::Decimal,
            Self::Double(_) => KeyKind::Double,
            Self::Text(_) => KeyKind::Text,
            Self::Bytes(_) => KeyKind::Bytes,
            Self::Timestamp(_) => KeyKind::Timestamp,
            Self::Date(_) => KeyKind::Date,
        }
    }

    /// What a person wrote, as a value of that type; `None` if it is none.
    pub fn read(text: &str, kind: KeyKind) -> Option<Self> {
        Some(match kind {
            KeyKind::Bool => Self::Bool(text.parse().ok()?),
            KeyKind::Int => Self::Int(text.parse().ok()?),
            KeyKind::Decimal => {
                Decimal::parse(text).ok()?;
                Self::Decimal(text.to_owned())
            }
            KeyKind::Double => Self::Double(text.parse().ok().filter(|number: &f64| number.is_finite())?),
            KeyKind::Text => Self::Text(text.to_owned()),
            KeyKind::Bytes => return None,
            KeyKind::Timestamp => Self::Timestamp(match Date::parse(text) {
                Some(date) => date.midnight(),
                None => Timestamp::parse_rfc3339(text)?,
            }),
            KeyKind::Date => Self::Date(Date::parse(text)?),
        })
    }

    /// The value of a cell; `None` if it can be no key.
    pub(super) fn of(cell: Cell<'_>) -> Option<Self> {
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
        Some(match cell {
            Cell::Bool(truth) => Self::Bool(truth),
            Cell::Int(number) => Self::Int(number),
            Cell::Decimal(digits) => Self::Decimal(text(digits)?),
            Cell::Double(number) => Self::Double(number),
            Cell::Text(bytes) => Self::Text(text(bytes)?),
            Cell::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
            Cell::Timestamp(moment) => Self::Timestamp(moment),
            Cell::Date(date) => Self::Date(date),
            Cell::Null | Cell::Json(_) | Cell::List(_) => return None,
        })
    }

    /// The bytes of its cell.
    pub(super) fn cell(&self) -> Vec<u8> {
        let mut writer = RowWriter::default();
        match self {
            Self::Bool(truth) => writer.bool(*truth),
            Self::Int(number) => writer.int(*number),
            Self::Decimal(text) => writer.decimal(text),
            Self::Double(number) => writer.double(*number),
            Self::Text(text) => writer.text(text.as_bytes()),
            Self::Bytes(bytes) => writer.bytes(bytes),
            Self::Timestamp(moment) => writer.timestamp(*moment),
            Self::Date(date) => writer.date(*date),
        }
        writer.take(0)
    }

    /// As a person reads it.
    pub fn shown(&self) -> String {
        let written = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            write(&mut out);
            String::from_utf8_lossy(&out).into_owned()
        };
        match self {
            Self::Bool(truth) => truth.to_string(),
            Self::Int(number) => number.to_string(),
            Self::Double(number) => number.to_string(),
            Self::Decimal(text) | Self::Text(text) => text.clone(),
            Self::Bytes(bytes) => crate::record::shown::hex(bytes),
            Self::Timestamp(moment) => written(&|out| moment.write(out)),
            Self::Date(date) => written(&|out| date.write(out)),
        }
    }
}

/// Whether two cells hold one value, though they may be written in two ways (`1.5` and `1.50`).
#[inline]
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    one == other || same_value(one, other)
}

fn same_value(mut one: &[u8], mut other: &[u8]) -> bool {
    match (Cell::take(&mut one), Cell::take(&mut other)) {
        (Some(Cell::Decimal(a)), Some(Cell::Decimal(b))) => plain(a) == plain(b),
        (Some(Cell::Timestamp(a)), Some(Cell::Timestamp(b))) => a == b,
        (Some(Cell::Double(a)), Some(Cell::Double(b))) => a == b,
        (Some(Cell::Double(a)), Some(Cell::Int(b))) | (Some(Cell::Int(b)), Some(Cell::Double(a))) => a == b as f64,
        _ => false,
    }
}

/// A number without the zeros that say nothing: sign, and digits.
fn plain(number: &[u8]) -> (bool, &[u8]) {
    let (negative, mut digits) = match number.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, number),
    };
    if digits.contains(&b'.') {
        while let Some((b'0', rest)) = digits.split_last() {
            digits = rest;
        }
        if let Some((b'.', rest)) = digits.split_last() {
            digits = rest;
        }
    }
    (negative && digits != b"0", digits)
}

/// A key in a stored position: one version writes it, later ones read it.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum StoredKey {
    Bool(bool),
    Int(i64),
    Decimal(String),
    /// In the fewest digits that bring it back.
    Double(String),
    Text(String),
    /// Hexadecimal.
    Bytes(String),
    Timestamp(String),
    Date(String),
}

impl From<&Key> for StoredKey {
    fn from(key: &Key) -> Self {
        match key {
            Key::Bool(truth) => Self::Bool(*truth),
            Key::Int(number) => Self::Int(*number),
            Key::Decimal(text) => Self::Decimal(text.clone()),
            Key::Double(number) => Self::Double(format!("{number:?}")),
            Key::Text(text) => Self::Text(text.clone()),
            Key::Bytes(_) => Self::Bytes(key.shown()),
            Key::Timestamp(_) => Self::Timestamp(key.shown()),
            Key::Date(_) => Self::Date(key.shown()),
        }
    }
}

impl StoredKey {
    /// The key; `None` if the text was damaged.
    pub(super) fn key(&self) -> Option<Key> {
        Some(match self {
            Self::Bool(truth) => Key::Bool(*truth),
            Self::Int(number) => Key::Int(*number),
            Self::Decimal(text) => Key::Decimal(text.clone()),
            Self::Double(text) => Key::Double(text.parse().ok()?),
            Self::Text(text) => Key::Text(text.clone()),
            Self::Bytes(text) => Key::Bytes(unhex(text)?),
            Self::Timestamp(text) => Key::Timestamp(Timestamp::parse_rfc3339(text)?),
            Self::Date(text) => Key::Date(Date::parse(text)?),
        })
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|d| d as u8);
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    bytes.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_in_two_spellings_are_one() {
        let check = |a: &str, b: &str, wanted: bool| {
            let cell = |text: &str| Key::Decimal(text.into()).cell();
            assert_eq!(same(&cell(a), &cell(b)), wanted, "{a} {b}");
        };
        check("1.5", "1.50", true);
        check("100", "100.00", true);
        check("100", "1", false);
        check("-0.0", "0", true);
        check("-1", "1", false);
        check("0.10", "0.1", true);
    }

    fn any_key() -> impl Strategy<Value = Key> {
        prop_oneof![
            any::<bool>().prop_map(Key::Bool),
            any::<i64>().prop_map(Key::Int),
            "-?[1-9][0-9]{0,40}(\\.[0-9]{1,20})?".prop_map(Key::Decimal),
            any::<f64>().prop_filter("a number", |n| n.is_finite()).prop_map(Key::Double),
            any::<String>().prop_map(Key::Text),
            any::<Vec<u8>>().prop_map(Key::Bytes),
            (-62_000_000_000..253_000_000_000_i64, 0..1_000_000_000_u32)
                .prop_map(|(seconds, nanos)| Key::Timestamp(Timestamp { seconds, nanos, offset: 0 })),
            (-719_162..2_932_896_i32).prop_map(|days| Key::Date(Date { days })),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn keys_come_back_from_cells_and_positions(key in any_key()) {
            let cell = key.cell();
            prop_assert_eq!(Key::of(Cell::take(&mut cell.as_slice()).unwrap()), Some(key.clone()));
            let stored = serde_json::to_string(&StoredKey::from(&key)).unwrap();
            let read: StoredKey = serde_json::from_str(&stored).unwrap();
            prop_assert_eq!(read.key(), Some(key));
        }
    }
}
