//! The records of a simulated system: the pack's examples, a file, or made up from the declared fields.
//! Everything follows from a seed.

use serde_json::{Map, Value as Json, json};

use super::trouble::mixed;
use crate::connect::pack::streams::Stream;
use crate::connect::rows::moment::write_like;
use crate::record::path::Step;
use crate::record::{Field, Path, Timestamp, Type};

/// Records of a stream as the system gives them: examples first, then as many more as are wanted.
/// `lift`: maps of the record in which most of its fields stand; `now`: what is the newest changed then.
pub(super) fn records(
    stream: &Stream,
    lift: Option<&Path>,
    cursor: Option<&(Path, Written)>,
    seed: u64,
    count: Option<usize>,
    now: i64,
) -> Vec<Json> {
    let wanted = count.unwrap_or(if stream.examples.is_empty() { 25 } else { stream.examples.len() });
    let begin = now - 60 * i64::try_from(wanted).unwrap_or(0);
    let made = |number: usize| {
        let Some(example) = stream.examples.get(number % stream.examples.len().max(1)) else {
            return made_up(stream, lift, cursor, seed, number, begin);
        };
        let mut record = example.clone();
        if number >= stream.examples.len() {
            renew(stream, &mut record, number);
        }
        if let Some((path, written)) = cursor {
            let inside = lift.map(|lift| Path(lift.0.iter().chain(&path.0).cloned().collect()));
            let path = inside.filter(|inside| get(&record, inside).is_some()).unwrap_or_else(|| path.clone());
            put(&mut record, &path, moment(written, begin, number));
        }
        record
    };
    (0..wanted).map(made).collect()
}

/// A copy of an example as another record: key, moments and addresses of its own.
fn renew(stream: &Stream, record: &mut Json, number: usize) {
    let keys: Vec<String> = stream.key.iter().filter_map(last_name).collect();
    walk(record, "", &mut |name, value| {
        let changed = match value {
            Json::String(text) if keys.iter().any(|key| key == name) => Some(json!(another(text, number))),
            Json::Number(old) if keys.iter().any(|key| key == name) => {
                Some(json!(old.as_i64().unwrap_or(0) + i64::try_from(number).unwrap_or(0)))
            }
            Json::String(text) if text.contains('@') => Some(json!(format!("person{number}@example.com"))),
            Json::String(text) => moment_after(text, number).map(Json::from),
            Json::Number(old) if is_moment(name) => {
                let step = if old.as_i64().unwrap_or(0) > 100_000_000_000 { 60_000 } else { 60 };
                Some(json!(old.as_i64().unwrap_or(0) + step * i64::try_from(number).unwrap_or(0)))
            }
            _ => None,
        };
        if let Some(changed) = changed {
            *value = changed;
        }
    });
}

/// A text like another one: its digits at the end count on, otherwise a number is added. Of a text of
/// hexadecimal digits the length stays.
fn another(text: &str, number: usize) -> String {
    let hexadecimal = text.len() >= 16 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if hexadecimal {
        let suffix = format!("{number:06x}");
        return format!("{}{suffix}", &text[..text.len() - suffix.len().min(text.len())]);
    }
    let stem = text.trim_end_matches(|c: char| c.is_ascii_digit());
    match text[stem.len()..].parse::<u64>() {
        Ok(old) => format!("{stem}{:0width$}", old + number as u64, width = text.len() - stem.len()),
        Err(_) => format!("{text}{number}"),
    }
}

fn moment_after(text: &str, number: usize) -> Option<String> {
    let moment: jiff::Timestamp = text.parse().ok()?;
    let later = moment.checked_add(jiff::SignedDuration::from_secs(60 * i64::try_from(number).ok()?)).ok()?;
    Some(later.to_string())
}

fn is_moment(name: &str) -> bool {
    ["created", "updated", "modified", "changed", "time"].iter().any(|word| name.to_lowercase().contains(word))
}

fn walk(value: &mut Json, name: &str, act: &mut dyn FnMut(&str, &mut Json)) {
    match value {
        Json::Object(members) => members.iter_mut().for_each(|(name, value)| walk(value, name, act)),
        Json::Array(items) => items.iter_mut().for_each(|item| walk(item, name, act)),
        other => act(name, other),
    }
}

fn made_up(
    stream: &Stream,
    lift: Option<&Path>,
    cursor: Option<&(Path, Written)>,
    seed: u64,
    number: usize,
    begin: i64,
) -> Json {
    let mut record = json!({});
    let fallback = [Field {
        name: "id".into(),
        kind: Type::String,
        required: true,
        nullable: false,
        classes: crate::record::ClassSet::NONE,
    }];
    let fields = if stream.fields.is_empty() { &fallback[..] } else { &stream.fields[..] };
    for (at, field) in fields.iter().enumerate() {
        let chance = mixed(seed ^ mixed(number as u64) ^ (at as u64) << 40);
        let is_key = stream.key.iter().any(|key| last_name(key).as_deref() == Some(&field.name));
        let is_cursor = cursor.is_some_and(|(path, _)| last_name(path).as_deref() == Some(&field.name));
        let value = match (is_key, is_cursor, cursor) {
            (true, false, _) => match field.kind {
                Type::Int | Type::Uint | Type::Decimal => json!(number + 1),
                _ => json!(format!("{}{:06}", stem(&stream.name), number + 1)),
            },
            (_, true, Some((_, written))) => moment(written, begin, number),
            _ => value(field, number, chance, begin),
        };
        let path = match lift {
            Some(lift) if !is_key => Path(lift.0.iter().cloned().chain([Step::Key(field.name.clone())]).collect()),
            _ => Path::key(&field.name),
        };
        put(&mut record, &path, value);
    }
    // A cursor may lie deeper than the declared fields.
    if let Some((path, written)) = cursor.filter(|(path, _)| path.0.len() > 1 && get(&record, path).is_none()) {
        put(&mut record, path, moment(written, begin, number));
    }
    record
}

fn stem(stream: &str) -> String {
    let word: String = stream.chars().filter(char::is_ascii_alphanumeric).take(4).collect();
    format!("{}_", word.to_lowercase())
}

/// How a moment is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// RFC 3339.
    Text,
    /// As this one is.
    Like(String),
    /// The day alone.
    Day,
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// It is no moment: a number that counts.
    Count,
}

/// The moment of the record with this number: a minute apart.
pub(super) fn moment(written: &Written, begin: i64, number: usize) -> Json {
    at(written, begin + 60 * i64::try_from(number).unwrap_or(0), number)
}

/// A moment as the system writes it.
pub(super) fn at(written: &Written, seconds: i64, number: usize) -> Json {
    let stamp = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    match written {
        Written::Text => json!(stamp.to_string()),
        Written::Like(like) => {
            json!(write_like(like, Timestamp { seconds, nanos: 0, offset: 0 }).unwrap_or_else(|| stamp.to_string()))
        }
        Written::Day => json!(stamp.to_string().get(..10)),
        Written::Seconds => json!(seconds),
        Written::Milliseconds => json!(seconds * 1000),
        Written::Count => json!(number + 1),
    }
}

fn value(field: &Field, number: usize, chance: u64, begin: i64) -> Json {
    let class = |name: &str| {
        let id = crate::record::class::ClassId::named(name);
        id.is_some_and(|id| field.classes.iter().any(|own| own.is_within(id)))
    };
    let name = field.name.to_lowercase();
    match &field.kind {
        Type::Bool => json!(chance.is_multiple_of(2)),
        Type::Int | Type::Uint if is_moment(&name) => moment(&Written::Seconds, begin, number),
        Type::Int | Type::Uint => json!(chance % 10_000),
        Type::Decimal | Type::Double => json!(format!("{}.{:02}", chance % 1_000, chance % 100).parse::<f64>().ok()),
        Type::Timestamp => moment(&Written::Text, begin, number),
        Type::Date => moment(&Written::Day, begin, number),
        Type::List(_) => json!([]),
        Type::Map(..) | Type::Record { .. } => Json::Object(Map::new()),
        _ if class("pii.contact.email") || name.contains("email") => json!(format!("person{number}@example.com")),
        _ if class("pii.contact.phone") || name.contains("phone") => json!(format!("+1555010{:04}", number % 10_000)),
        _ if is_moment(&name) || name.ends_with("_at") => moment(&Written::Text, begin, number),
        _ if class("pii.name") || name.contains("name") => {
            let first = ["Ann", "Bob", "Cem", "Dana", "Eve", "Finn", "Gül", "Hana"];
            json!(format!("{} Example {number}", first[(chance % 8) as usize]))
        }
        _ if name == "currency" => json!("EUR"),
        _ => json!(format!("{} {}", field.name, number + 1)),
    }
}

/// What stands at a path; nothing if it is not there.
pub(super) fn get<'j>(value: &'j Json, path: &Path) -> Option<&'j Json> {
    let mut here = value;
    for step in &path.0 {
        here = match step {
            Step::Key(name) => here.get(name)?,
            Step::Index(at) => here.get(usize::try_from(*at).ok()?)?,
            Step::Each => return None,
        };
    }
    Some(here)
}

/// Puts a value at a path of a record.
pub(super) fn put(value: &mut Json, path: &Path, new: Json) {
    let steps: Vec<super::place::Step> = path
        .0
        .iter()
        .filter_map(|step| match step {
            Step::Key(name) => Some(super::place::Step::Name(name.clone())),
            Step::Index(at) => usize::try_from(*at).ok().map(super::place::Step::At),
            Step::Each => None,
        })
        .collect();
    super::place::set(value, &steps, Some(new));
}

/// The last name of a path.
pub(super) fn last_name(path: &Path) -> Option<String> {
    path.0.iter().rev().find_map(|step| if let Step::Key(name) = step { Some(name.clone()) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_examples_are_other_records() {
        for (text, number, expected) in [
            ("cus_One", 3, "cus_One3"),
            ("A0009", 2, "A0011"),
            ("7", 1, "8"),
            ("c0ffee00c0ffee00", 5, "c0ffee00c0000005"),
        ] {
            assert_eq!(another(text, number), expected);
        }
        assert_eq!(moment_after("2026-01-01T00:00:00Z", 2).unwrap(), "2026-01-01T00:02:00Z");
    }
}
