//! How one record is written: its fields in the way's own style, and what stands for it in a batch. Decided
//! once from the columns and the pack; for each record it only appends bytes.

use std::borrow::Cow;

use crate::connect::formats::{json_append, json_text};
use crate::connect::pack::template::MERGED;
use crate::connect::pack::write::{Names, Nulls, Style, Times};
use crate::connect::pack::{Scope, Template, Tree};
use crate::error::codes::connect::PACK_INVALID;
use crate::error::{Error, Kind, Result};
use crate::record::path::Step;
use crate::record::{Arena, Column, Path, Timestamp, Value};

/// Fields by name, objects in objects.
pub(super) struct Layout {
    fields: Vec<Field>,
}

struct Field {
    name: String,
    /// `,"name":`
    text: Vec<u8>,
    slot: Slot,
}

enum Slot {
    Column(usize),
    Object(Vec<Field>),
}

impl Layout {
    /// Of columns, without those below one of the paths `apart`, their names in a style.
    ///
    /// # Errors
    /// If a path has an index, or one column lies inside another.
    pub fn new(columns: &[Column], apart: &[Path], names: Names) -> Result<Self> {
        let mut fields = Vec::new();
        for (index, column) in columns.iter().enumerate() {
            if apart.iter().any(|path| column.path.0.starts_with(&path.0)) {
                continue;
            }
            let unfit = |what: &str| {
                Error::new(Kind::Invalid, &PACK_INVALID, format!("the target column `{}` {what}", column.path))
            };
            let keys = keys(&column.path).ok_or_else(|| unfit("is not a path of names"))?;
            place(&mut fields, &keys, index, names).ok_or_else(|| unfit("stands twice, or inside another column"))?;
        }
        Ok(Self { fields })
    }

    /// Appends the object. Missing fields are left out, and so are objects of nothing else.
    pub fn write(&self, values: &[Value<'_>], style: &Style, out: &mut Vec<u8>) -> Result<(), (usize, &'static str)> {
        object(&self.fields, values, style, out).map(drop)
    }

    /// The record as a value, for templates.
    pub fn value<'a>(&'a self, values: &[Value<'a>], arena: &'a Arena) -> Value<'a> {
        map(&self.fields, values, arena)
    }

    /// The columns in order with their names, for CSV; an object in an object is `a.b`.
    pub fn columns(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        flat(&self.fields, "", &mut found);
        found
    }
}

/// The names of a path; `None` if it has an index.
fn keys(path: &Path) -> Option<Vec<&str>> {
    fn key(step: &Step) -> Option<&str> {
        if let Step::Key(name) = step { Some(name) } else { None }
    }
    path.0.iter().map(key).collect::<Option<Vec<_>>>().filter(|keys| !keys.is_empty())
}

fn place(fields: &mut Vec<Field>, keys: &[&str], column: usize, names: Names) -> Option<()> {
    let (key, rest) = keys.split_first()?;
    let name = named(key, names).into_owned();
    let known = fields.iter().position(|field| field.name == name);
    match (known, rest.is_empty()) {
        (None, leaf) => {
            let slot = if leaf {
                Slot::Column(column)
            } else {
                let mut inner = Vec::new();
                place(&mut inner, rest, column, names)?;
                Slot::Object(inner)
            };
            let mut text = b",".to_vec();
            text.extend_from_slice(serde_json::Value::from(name.as_str()).to_string().as_bytes());
            text.push(b':');
            fields.push(Field { name, text, slot });
        }
        (Some(at), false) => match &mut fields[at].slot {
            Slot::Object(inner) => place(inner, rest, column, names)?,
            Slot::Column(_) => return None,
        },
        (Some(_), true) => return None,
    }
    Some(())
}

fn object(
    fields: &[Field],
    values: &[Value<'_>],
    style: &Style,
    out: &mut Vec<u8>,
) -> Result<bool, (usize, &'static str)> {
    out.push(b'{');
    let begin = out.len();
    for field in fields {
        let before = out.len();
        let name = &field.text[usize::from(before == begin)..];
        match &field.slot {
            Slot::Column(column) => {
                let found = values.get(*column).copied().unwrap_or_default();
                let found = match (found, &style.nulls) {
                    (Value::Missing, _) | (Value::Null, Nulls::Omit) => continue,
                    (Value::Null, Nulls::Text(text)) => Value::String(text),
                    (found, _) => found,
                };
                json_append(name, out);
                styled(&found, style, out).map_err(|cause| (*column, cause))?;
            }
            Slot::Object(inner) => {
                out.extend_from_slice(name);
                if !object(inner, values, style, out)? {
                    out.truncate(before);
                }
            }
        }
    }
    let filled = out.len() > begin;
    out.push(b'}');
    Ok(filled)
}

/// Appends a value as JSON, moments and numbers as the style says, within lists and maps, too.
fn styled(value: &Value<'_>, style: &Style, out: &mut Vec<u8>) -> Result<(), &'static str> {
    match value {
        Value::Timestamp(moment) if style.times != Times::Rfc3339 => time(*moment, true, style.times, out),
        Value::Date(date) if style.times != Times::Rfc3339 => time(date.midnight(), false, style.times, out),
        Value::Int(_) | Value::Uint(_) | Value::Decimal(_) | Value::Number(_) | Value::Double(_)
            if style.numbers_as_text =>
        {
            out.push(b'"');
            json_text(value, out)?;
            out.push(b'"');
        }
        Value::List(items) if style.plain() => json_text(&Value::List(items), out)?,
        Value::List(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                styled(item, style, out)?;
            }
            out.push(b']');
        }
        Value::Map(entries) if !style.plain() => {
            out.push(b'{');
            let begin = out.len();
            for (key, value) in entries.iter().filter(|(_, value)| !value.is_missing()) {
                if out.len() > begin {
                    out.push(b',');
                }
                json_text(&Value::String(key), out)?;
                out.push(b':');
                styled(value, style, out)?;
            }
            out.push(b'}');
        }
        other => json_text(other, out)?,
    }
    Ok(())
}

fn time(moment: Timestamp, of_day: bool, times: Times, out: &mut Vec<u8>) {
    let milliseconds = i128::from(moment.seconds) * 1000 + i128::from(moment.nanos / 1_000_000);
    match times {
        Times::EpochSeconds => out.extend_from_slice(moment.seconds.to_string().as_bytes()),
        Times::EpochMilliseconds => out.extend_from_slice(milliseconds.to_string().as_bytes()),
        Times::ODataV2 => out.extend_from_slice(format!("\"/Date({milliseconds})/\"").as_bytes()),
        Times::Rfc3339 | Times::Plain => {
            let mut text = Vec::new();
            moment.date_at(0).write(&mut text);
            if of_day {
                let second = moment.seconds.rem_euclid(86_400);
                let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
                text.extend_from_slice(format!(" {hour:02}:{minute:02}:{second:02}").as_bytes());
            }
            out.push(b'"');
            out.extend_from_slice(&text);
            out.push(b'"');
        }
    }
}

fn map<'a>(fields: &'a [Field], values: &[Value<'a>], arena: &'a Arena) -> Value<'a> {
    Value::Map(arena.alloc_slice_fill_iter(fields.iter().map(|field| {
        let value = match &field.slot {
            Slot::Column(column) => values.get(*column).copied().unwrap_or_default(),
            Slot::Object(inner) => map(inner, values, arena),
        };
        (field.name.as_str(), value)
    })))
}

fn flat(fields: &[Field], before: &str, found: &mut Vec<(usize, String)>) {
    for field in fields {
        let name = if before.is_empty() { field.name.clone() } else { format!("{before}.{}", field.name) };
        match &field.slot {
            Slot::Column(column) => found.push((*column, name)),
            Slot::Object(inner) => flat(inner, &name, found),
        }
    }
}

/// A name in a style: words end at `_`, `-`, blanks and before capitals.
fn named(name: &str, style: Names) -> Cow<'_, str> {
    if style == Names::AsIs {
        return Cow::Borrowed(name);
    }
    let mut words: Vec<String> = vec![String::new()];
    let mut lower = false;
    for c in name.chars() {
        if c == '_' || c == '-' || c == ' ' {
            words.push(String::new());
        } else {
            if c.is_uppercase() && lower {
                words.push(String::new());
            }
            words.last_mut().into_iter().for_each(|word| word.extend(c.to_lowercase()));
        }
        lower = c.is_lowercase() || c.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    let capital = |word: &String| {
        let mut letters = word.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
    };
    Cow::Owned(match style {
        Names::Snake => words.join("_"),
        Names::Kebab => words.join("-"),
        Names::Pascal => words.iter().map(capital).collect(),
        Names::Camel => {
            let (first, rest) = words.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
            std::iter::once(first.to_owned()).chain(rest.iter().map(capital)).collect()
        }
        Names::AsIs => name.to_owned(),
    })
}

/// Appends a value as a field of CSV (RFC 4180).
pub(super) fn csv(value: &Value<'_>, style: &Style, delimiter: u8, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let mut text = Vec::new();
    match (value, &style.nulls) {
        (Value::Missing, _) | (Value::Null, Nulls::Null | Nulls::Omit) => {}
        (Value::Null, Nulls::Text(null)) => text.extend_from_slice(null.as_bytes()),
        (Value::String(plain), _) => text.extend_from_slice(plain.as_bytes()),
        (other, _) => {
            styled(other, style, &mut text)?;
            // Moments are text in JSON; lists and maps stay JSON.
            if text.first() == Some(&b'"') {
                text = serde_json::from_slice::<String>(&text).unwrap_or_default().into_bytes();
            }
        }
    }
    let quoted = text.iter().any(|byte| matches!(byte, b'"' | b'\n' | b'\r') || *byte == delimiter);
    if !quoted {
        out.extend_from_slice(&text);
        return Ok(());
    }
    out.push(b'"');
    for byte in text {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
    Ok(())
}

/// What stands for one record in a batch.
pub(super) enum Node {
    Fixed(Vec<u8>),
    Fields,
    Value(&'static Template),
    List(Vec<Node>),
    /// Names as `"name":`; without one it is merged in.
    Map(Vec<(Vec<u8>, Node)>),
}

impl Node {
    /// Of a pack's tree.
    pub fn new(tree: &'static Tree) -> Self {
        match tree {
            Tree::Fixed(value) => Self::Fixed(value.to_string().into_bytes()),
            Tree::Template(template) if template.only() == Some("fields") => Self::Fields,
            Tree::Template(template) => Self::Value(template),
            Tree::List(items) => Self::List(items.iter().map(Self::new).collect()),
            Tree::Map(entries) => Self::Map(
                entries
                    .iter()
                    .map(|(key, value)| {
                        let name = match key == MERGED {
                            true => Vec::new(),
                            false => format!("{}:", serde_json::Value::from(key.as_str())).into_bytes(),
                        };
                        (name, Self::new(value))
                    })
                    .collect(),
            ),
        }
    }

    /// Whether something in it is computed of the record.
    pub fn computes(&self) -> bool {
        match self {
            Self::Value(_) => true,
            Self::Fixed(_) | Self::Fields => false,
            Self::List(items) => items.iter().any(Self::computes),
            Self::Map(entries) => entries.iter().any(|(_, node)| node.computes()),
        }
    }

    /// Appends it; says whether there is anything.
    ///
    /// # Errors
    /// If a template has no value, or one that JSON has no form for.
    pub fn write(&self, fields: &[u8], scope: Option<&Scope<'_>>, out: &mut Vec<u8>) -> Result<bool, String> {
        match self {
            Self::Fixed(text) => out.extend_from_slice(text),
            Self::Fields => out.extend_from_slice(fields),
            Self::Value(template) => {
                let Some(scope) = scope else { return Ok(false) };
                let value = template.value(scope).map_err(|error| error.cause().to_owned())?;
                if value.is_missing() {
                    return Ok(false);
                }
                json_text(&value, out)?;
            }
            Self::List(items) => {
                out.push(b'[');
                let begin = out.len();
                for item in items {
                    separated(begin, out, |out| item.write(fields, scope, out))?;
                }
                out.push(b']');
            }
            Self::Map(entries) => {
                out.push(b'{');
                let begin = out.len();
                for (name, node) in entries {
                    separated(begin, out, |out| {
                        out.extend_from_slice(name);
                        if !name.is_empty() {
                            return node.write(fields, scope, out);
                        }
                        let mut inner = Vec::new();
                        let there = node.write(fields, scope, &mut inner)? && inner.len() > 2;
                        if there {
                            out.extend_from_slice(&inner[1..inner.len() - 1]);
                        }
                        Ok(there)
                    })?;
                }
                out.push(b'}');
            }
        }
        Ok(true)
    }
}

/// Writes something with a comma before it, unless it is the first or there is nothing.
fn separated(
    begin: usize,
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<bool, String>,
) -> Result<(), String> {
    let before = out.len();
    if before > begin {
        out.push(b',');
    }
    if !write(out)? {
        out.truncate(before);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Type;

    fn columns(paths: &[&str]) -> Vec<Column> {
        let column = |path: &&str| Column { path: Path::parse(path).unwrap(), kind: Type::Dyn, required: false };
        paths.iter().map(column).collect()
    }

    fn check(paths: &[&str], style: Style, values: &[Value<'_>], expected: &str) {
        let layout = Layout::new(&columns(paths), &[], style.names).unwrap();
        let mut out = Vec::new();
        layout.write(values, &style, &mut out).unwrap();
        assert_eq!(std::str::from_utf8(&out).unwrap(), expected);
    }

    #[test]
    fn values_are_written_in_the_style_of_the_system() {
        let moment = Value::Timestamp(Timestamp { seconds: 1_700_000_000, nanos: 5_000_000, offset: 3600 });
        let paths = ["first_name", "at", "price"];
        let values = [Value::Null, moment, Value::Int(3)];
        check(
            &paths,
            Style::default(),
            &values,
            r#"{"first_name":null,"at":"2023-11-14T23:13:20.005+01:00","price":3}"#,
        );
        let style = Style {
            nulls: Nulls::Text("#N/A".into()),
            names: Names::Pascal,
            times: Times::ODataV2,
            numbers_as_text: true,
        };
        check(&paths, style, &values, r##"{"FirstName":"#N/A","At":"/Date(1700000000005)/","Price":"3"}"##);
        let style = Style { nulls: Nulls::Omit, names: Names::Camel, times: Times::Plain, numbers_as_text: false };
        check(&paths, style, &values, r#"{"at":"2023-11-14 22:13:20","price":3}"#);
        let lists = [Value::List(&[Value::Int(1), Value::Int(2)])];
        check(&["a.b"], Style { numbers_as_text: true, ..Style::default() }, &lists, r#"{"a":{"b":["1","2"]}}"#);
    }

    #[test]
    fn names_are_cut_into_words() {
        for (name, style, expected) in [
            ("first_name", Names::Camel, "firstName"),
            ("firstName", Names::Snake, "first_name"),
            ("FirstName", Names::Kebab, "first-name"),
            ("order-line 2", Names::Pascal, "OrderLine2"),
        ] {
            assert_eq!(named(name, style), expected);
        }
    }

    #[test]
    fn fields_of_csv_are_quoted_where_they_must() {
        let row = |value| {
            let mut out = Vec::new();
            csv(&value, &Style::default(), b',', &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(row(Value::String("a,\"b\"\n")), "\"a,\"\"b\"\"\n\"");
        assert_eq!(
            (row(Value::Null), row(Value::Bool(true)), row(Value::Int(-1))),
            ("".into(), "true".into(), "-1".into())
        );
    }
}
