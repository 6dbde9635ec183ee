//! The first records of a stream, for looking at them: read as a run reads them, and nothing kept.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::comply::detect::{Proposal, propose};
use crate::config::{Carries, Connector, Mapping, Mode, Project, Stream};
use crate::connect::protocols::ReadRequest;
use crate::connect::{Header, Part, RecordError, Rows, formats, protocols};
use crate::error::{Error, Kind, Result, codes};
use crate::record::{Arena, ClassSet, Path as RecordPath, Position, Projection, Row, Type, Value, shown, suspect};
use crate::store::Letter;

/// A record as it was found, or why it cannot be read.
pub(super) enum Found<'f, 'a> {
    /// A record.
    Row(Row<'a>, &'a Arena),
    /// No record; the place is within the part.
    Bad(&'f RecordError),
}

/// Reads up to `limit` records of a stream and hands each to `see`, with the part it stands in.
/// Returns what the source has to say, such as that no file matches.
///
/// # Errors
/// Whatever ends the reading, or if this stream cannot be read.
pub(super) fn first(
    root: &Path,
    connector: &Connector,
    stream: &Stream,
    projection: &Projection,
    limit: usize,
    see: &mut dyn FnMut(&Part, Found<'_, '_>),
) -> Result<Vec<String>> {
    let unreadable = |cause: String| Error::new(Kind::Invalid, &codes::cli::UNREADABLE, cause);
    let protocol = protocols::of(connector)
        .filter(|protocol| protocol.spec().reads)
        .ok_or_else(|| unreadable(format!("`{}` cannot be read from", connector.name)))?;
    let format = stream.format.as_ref().and_then(|name| formats::named(&name.value));
    if format.is_none() && protocol.spec().carries == Carries::Bytes {
        return Err(unreadable(format!("nothing says what format `{}.{}` has", connector.name, stream.name))
            .hint("give the stream a `format:`"));
    }
    let request = ReadRequest {
        root,
        connector,
        stream,
        format,
        // Nothing is kept of it: what stands in the way of records that come twice need not be there.
        mode: Mode::Mirror,
        settled: &[],
        only: None,
        window: None,
    };
    let mut source = protocol.source(&request)?;
    let mut decoder = protocol.decoder(&request)?;
    let mut left = limit;
    while left > 0 {
        let Some(part) = source.next()? else { break };
        let arena = Arena::new();
        let mut taken = Taken { left, part: &part, arena: &arena, see };
        decoder.decode(&part, projection, &arena, &mut taken)?;
        left = taken.left;
    }
    Ok(source.notes())
}

/// What to ask of a record to show it: declared fields one by one with their types, else the whole.
pub(super) fn projection(stream: &Stream) -> Projection {
    let mut projection = Projection::default();
    for field in &stream.fields {
        projection.slot(&RecordPath::key(&field.name), field.kind.clone());
    }
    if stream.fields.is_empty() || !stream.closed {
        projection.slot(&RecordPath::default(), Type::Dyn);
    }
    projection
}

/// The fields of a record that was read with [`projection`]; what has a data class is masked.
pub(super) fn masked(stream: &Stream, row: &Row<'_>) -> Vec<(String, Json)> {
    let classes = |name: &str| match stream.fields.iter().find(|field| field.name == name) {
        Some(field) if !field.classes.is_empty() => field.classes,
        _ => suspect::by_name(name),
    };
    let mut record: Vec<(String, Json)> = Vec::new();
    for (field, value) in stream.fields.iter().zip(row.slots) {
        if !value.is_missing() {
            record.push((field.name.clone(), safe(value, classes(&field.name))));
        }
    }
    if let Some(Value::Map(entries)) = row.slots.get(stream.fields.len()) {
        let declared = record.len();
        for (name, value) in *entries {
            if !record[..declared].iter().any(|(known, _)| known == name) {
                record.push(((*name).to_string(), safe(value, classes(name))));
            }
        }
    }
    record
}

/// Puts the values of a record that was read with [`projection`] to those of their fields: by the path of each,
/// as text, for detectors. Nothing of it is shown.
pub(super) fn collect(stream: &Stream, row: &Row<'_>, columns: &mut BTreeMap<String, Vec<String>>) {
    fn add(path: &str, value: &Value<'_>, columns: &mut BTreeMap<String, Vec<String>>) {
        match value {
            Value::Missing | Value::Null | Value::Bool(_) => {}
            Value::Map(entries) => {
                entries.iter().for_each(|(name, below)| add(&format!("{path}.{name}"), below, columns));
            }
            Value::List(items) => items.iter().for_each(|item| add(&format!("{path}[*]"), item, columns)),
            other => columns.entry(path.trim_start_matches('.').to_string()).or_default().push(shown::text(other)),
        }
    }
    for (field, value) in stream.fields.iter().zip(row.slots) {
        add(&field.name, value, columns);
    }
    if let Some(Value::Map(entries)) = row.slots.get(stream.fields.len()) {
        for (name, value) in entries.iter().filter(|(name, _)| stream.fields.iter().all(|field| field.name != **name)) {
            add(name, value, columns);
        }
    }
}

/// The classes that the fields of a stream seem to have, by what stands in them.
pub(super) fn classify(columns: &BTreeMap<String, Vec<String>>) -> Vec<Proposal> {
    let of = |(path, values): (&String, &Vec<String>)| propose(path, values.iter().map(String::as_str));
    columns.iter().flat_map(of).filter(|proposal| proposal.score >= SURE).collect()
}

/// How sure a proposal is that is worth telling.
const SURE: f32 = 0.6;

/// The record of a dead letter, read again as its route reads it, what has a data class masked.
/// A record that cannot be read is shown as text only if nothing in it has a class.
pub(super) fn letter(project: &Project, mappings: &[Mapping], letter: &Letter, payload: &[u8]) -> Json {
    let read = || {
        let mapping = mappings.iter().find(|m| m.name.value == letter.route)?;
        let connector = project.connectors.get(&mapping.from.connector)?;
        let protocol = protocols::of(connector)?;
        let stream = &connector.stream(&mapping.from.stream, protocol.spec())?;
        let request = ReadRequest {
            root: &project.root,
            connector,
            stream,
            format: stream.format.as_ref().and_then(|name| formats::named(&name.value)),
            mode: mapping.sync.mode,
            settled: &[],
            only: None,
            window: None,
        };
        let mut decoder = protocol.decoder(&request).ok()?;
        let part = Part {
            sequence: 0,
            slice: letter.slice.as_str().into(),
            name: letter.source.as_str().into(),
            header: Arc::new(Header { columns: letter.columns.clone() }),
            bytes: payload.to_vec(),
            start: Position::default(),
            end: Position::default(),
            last_of_slice: true,
        };
        let mut record = None;
        let mut see = |_: &Part, found: Found<'_, '_>| {
            if let Found::Row(row, _) = found {
                record = Some(masked(stream, &row));
            }
        };
        let arena = Arena::new();
        let mut taken = Taken { left: 1, part: &part, arena: &arena, see: &mut see };
        decoder.decode(&part, &projection(stream), &arena, &mut taken).ok()?;
        record
    };
    match read() {
        Some(record) => Json::Object(record.into_iter().collect()),
        // The cells of a row are no text.
        None if letter.classes.is_empty() && payload.contains(&0) => json!(format!("({} bytes)", payload.len())),
        None if letter.classes.is_empty() => json!(String::from_utf8_lossy(payload).trim_end()),
        None => json!(shown::mask(letter.classes)),
    }
}

/// A text whose references were filled in.
pub(super) fn literal(text: &crate::config::Text) -> String {
    let piece = |piece: &crate::config::Piece| match piece {
        crate::config::Piece::Literal(literal) => literal.clone(),
        _ => String::new(),
    };
    text.pieces.iter().map(piece).collect()
}

struct Taken<'p, 'a, 's> {
    left: usize,
    part: &'p Part,
    arena: &'a Arena,
    see: &'s mut dyn FnMut(&Part, Found<'_, '_>),
}

impl<'a> Rows<'a> for Taken<'_, 'a, '_> {
    fn row(&mut self, row: Row<'a>) -> bool {
        if self.left > 0 {
            self.left -= 1;
            (self.see)(self.part, Found::Row(row, self.arena));
        }
        self.left > 0
    }

    fn bad(&mut self, error: RecordError) -> bool {
        if self.left > 0 {
            self.left -= 1;
            (self.see)(self.part, Found::Bad(&error));
        }
        self.left > 0
    }
}

/// A value for people: masked if it has a class, else as JSON, where a decimal keeps its text.
fn safe(value: &Value<'_>, classes: ClassSet) -> Json {
    match value {
        Value::Missing | Value::Null => Json::Null,
        value if !classes.is_empty() => json!(shown::masked(value, classes)),
        Value::Bool(truth) => json!(truth),
        Value::Int(number) => json!(number),
        // What is no number in JSON is shown as text.
        Value::Double(number) if number.is_finite() => json!(number),
        Value::Number(text) => text.parse().map_or_else(|_| json!(text), Json::Number),
        Value::Decimal(_) => {
            let text = shown::text(value);
            text.parse().map_or_else(|_| json!(text), Json::Number)
        }
        Value::List(items) => items.iter().map(|item| safe(item, ClassSet::NONE)).collect(),
        Value::Map(entries) => Json::Object(
            entries.iter().map(|(name, below)| ((*name).to_string(), safe(below, suspect::by_name(name)))).collect(),
        ),
        other => json!(shown::text(other)),
    }
}
