//! Runs the tests of a pack: recorded answers through the real reading and writing, offline. What was sent
//! is compared as well as what came of it.

use std::path::Path as FilePath;
use std::sync::Arc;

use serde_json::Value as Json;

use super::calling;
use super::pack::exchanges::{Exchange, Expect, Subject};
use super::pack::given::node;
use super::pack::template::to_json;
use super::pack::{Given, Pack, PackProtocol};
use super::protocols::{Protocol as _, ReadRequest, Window, WriteRequest};
use super::rows::Bookmark;
use super::runtime::Runtime;
use super::web::replay::{Replay, different};
use super::web::stand_in::{self, Lent};
use super::web::{Caller, Wire};
use super::{Batch, Column, Found, RecordError, Rows};
use crate::config::{Connector, Mode, Node, ProtocolSpec, Spanned, Stream, Text};
use crate::error::{Error, Result};
use crate::record::json::from_json;
use crate::record::path::Step;
use crate::record::{Arena, Mark, Path, Position, Projection, Row, Settled, SliceId, Type, Value};

/// Runs one test. What is wrong, one paragraph each; nothing if it passes.
pub fn run(spec: &'static ProtocolSpec, test: &Exchange) -> Vec<String> {
    let Some(protocol) = spec.plugin.and_then(|plugin| plugin.downcast_ref::<PackProtocol>()) else {
        return vec!["it is no pack".into()];
    };
    let replay = Arc::new(Replay::new(test));
    let lent = stand_in::lend(Arc::clone(&replay) as Arc<dyn Wire>);
    let connector = connector(spec, test, &lent);
    let mut failures = Vec::new();
    let done = match &test.subject {
        Subject::Read(stream) => read(protocol, &connector, stream, test, &mut failures),
        Subject::Write(stream, mode) => write(protocol, &connector, stream, *mode, test, &mut failures),
        Subject::Call(operation) => call(protocol.pack, connector, operation, test, &mut failures),
        Subject::Probe => probe(protocol.pack, connector, test, &mut failures),
    };
    match (&done, &test.expect.error) {
        (Ok(()), None) => {}
        (Ok(()), Some(expected)) => failures.push(format!("it should fail with `{expected}`, and did not")),
        (Err(error), Some(expected)) => {
            if error.code().id != expected && !said(error).contains(expected.as_str()) {
                failures.push(format!("it should fail with `{expected}`, and failed with: {}", said(error)));
            }
        }
        (Err(error), None) => failures.push(format!("it failed: {}", said(error))),
    }
    let differences = replay.differences();
    // What went wrong because a request was not as expected is no news.
    if !differences.is_empty() {
        failures.retain(|failure| !failure.contains("the test expects another request"));
    }
    failures.splice(0..0, differences);
    failures
}

fn said(error: &Error) -> String {
    let mut text = format!("{} [{}]", error.cause(), error.code().id);
    for (name, value) in error.facts() {
        text.push_str(&format!(" {name}: {value}"));
    }
    text
}

/// A connector as a test gives it.
fn connector(spec: &'static ProtocolSpec, test: &Exchange, lent: &Lent) -> Connector {
    let spanned = |value: Node| Spanned { value, place: test.place.clone() };
    let options = |tree: &Json| -> Vec<(Spanned<String>, Spanned<Node>)> {
        let entries = tree.as_object().into_iter().flatten();
        entries
            .map(|(key, value)| {
                (Spanned { value: key.clone(), place: test.place.clone() }, spanned(node(value, &test.place)))
            })
            .collect()
    };
    let mut with = options(&test.with);
    let name = Spanned { value: stand_in::OPTION.name.to_owned(), place: test.place.clone() };
    with.push((name, spanned(Node::Text(Text::literal(lent.name())))));
    Connector {
        spec: Some(spec),
        with,
        auth: options(&test.auth),
        retry_tries: 5,
        ..Connector::new(spec.name, spec.name, test.place.clone())
    }
}

fn read(
    protocol: &'static PackProtocol,
    connector: &Connector,
    stream: &str,
    test: &Exchange,
    failures: &mut Vec<String>,
) -> Result<()> {
    let mut stream = find(connector, protocol, stream)?;
    if !test.fields.is_empty() {
        stream.fields.retain(|field| test.fields.contains(&field.name));
    }
    let settled: Vec<(SliceId, Settled)> = given(test);
    let text = |window: &Json, name: &str| {
        window.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let window =
        test.window.as_ref().map(|window| Window { since: text(window, "since"), until: text(window, "until") });
    let request = ReadRequest {
        root: FilePath::new("."),
        connector,
        stream: &stream,
        format: None,
        mode: if test.expect.deleted.is_some() { Mode::Delete } else { Mode::Upsert },
        settled: &settled,
        only: None,
        window: window.as_ref(),
    };
    let mut projection = Projection::default();
    projection.slot(&Path::default(), Type::Dyn);
    let mut records = Vec::new();
    let mut cursors: Vec<(String, Json)> = Vec::new();
    let mut act = || -> Result<Vec<String>> {
        protocol.check_source(&request)?;
        let mut source = protocol.source(&request)?;
        let mut decoder = protocol.decoder(&request)?;
        let mut parts = 0;
        while let Some(part) = source.next()? {
            parts += 1;
            let arena = Arena::new();
            let mut taken = Taken { records: &mut records, bad: Vec::new() };
            decoder.decode(&part, &projection, &arena, &mut taken)?;
            failures.extend(taken.bad);
            let slice = part.slice.to_string();
            cursors.retain(|(known, _)| *known != slice);
            cursors.push((slice, super::reading::shown(&part.end.extra)));
        }
        let mut notes = source.notes();
        if let Some(mut to) = source.acknowledger() {
            to.settled(parts);
            notes.extend(source.acknowledge());
        }
        Ok(notes)
    };
    let notes = act();
    let expect = &test.expect;
    if let Some(wanted) = expect.records.as_ref().or(expect.deleted.as_ref()) {
        if wanted.len() == records.len() {
            for (at, (wanted, got)) in wanted.iter().zip(&records).enumerate() {
                contained(&format!("records[{at}]"), wanted, got, failures);
            }
        } else {
            failures.push(format!("`records`: expected {} elements, got {}", wanted.len(), records.len()));
        }
    }
    if let Some(wanted) = &expect.cursor {
        // Of several slices the last one, unless they are named.
        let all: serde_json::Map<String, Json> = cursors.iter().cloned().collect();
        let at = |cursor: &Json| match cursor.pointer("/web/at") {
            Some(value) => serde_json::json!({ "value": value, "token": value }),
            None => cursor.clone(),
        };
        let last = cursors.last().map(|(_, cursor)| at(cursor)).unwrap_or_default();
        let named = wanted.as_object().is_some_and(|wanted| wanted.keys().all(|key| all.contains_key(key)));
        contained("cursor", wanted, &if named { Json::Object(all) } else { last }, failures);
    }
    let notes = notes?;
    for wanted in &expect.notes {
        if !notes.iter().any(|note| note.contains(wanted.as_str())) {
            failures.push(format!("nothing was said of `{wanted}`; what was said: {}", notes.join("; ")));
        }
    }
    Ok(())
}

/// Where an earlier run left off.
fn given(test: &Exchange) -> Vec<(SliceId, Settled)> {
    let Some(cursor) = &test.cursor else { return Vec::new() };
    let stream = if let Subject::Read(stream) = &test.subject { stream.as_str() } else { "" };
    let one = |slice: &str, extra: &Json| {
        // A value or a token, as `sync state set` would write it; anything else is a position as it is kept.
        let said = extra.get("value").or_else(|| extra.get("token")).and_then(Json::as_str);
        let extra = said.map_or_else(|| extra.clone(), |value| Bookmark::given(value).extra());
        let position = Position { extra, ..Position::default() };
        (SliceId::from(slice), Settled { position, done: true })
    };
    // By slice, if every member is a map by itself.
    match cursor.as_object() {
        Some(members) if !members.is_empty() && members.values().all(Json::is_object) => {
            members.iter().map(|(slice, extra)| one(slice, extra)).collect()
        }
        _ => vec![one(stream, cursor)],
    }
}

struct Taken<'r> {
    records: &'r mut Vec<Json>,
    bad: Vec<String>,
}

impl<'a> Rows<'a> for Taken<'_> {
    fn row(&mut self, row: Row<'a>) -> bool {
        self.records.push(row.slots.first().and_then(to_json).unwrap_or_default());
        true
    }

    fn bad(&mut self, error: RecordError) -> bool {
        self.bad.push(format!("a record cannot be read: {}", error.cause));
        true
    }
}

fn write(
    protocol: &'static PackProtocol,
    connector: &Connector,
    stream: &str,
    mode: Mode,
    test: &Exchange,
    failures: &mut Vec<String>,
) -> Result<()> {
    let stream = find(connector, protocol, stream)?;
    let mut names: Vec<String> = Vec::new();
    for name in test.records.iter().filter_map(Json::as_object).flat_map(|record| record.keys()) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let columns: Vec<Column> =
        names.iter().map(|name| Column { path: Path::key(name), kind: Type::Dyn, required: false }).collect();
    let way =
        protocol.pack.stream(&stream.name).and_then(|stream| stream.write.as_ref()).and_then(|write| write.way(mode));
    let match_on = way.map(|way| way.match_on.clone()).filter(|paths| !paths.is_empty());
    let keys = match_on.unwrap_or_else(|| stream.key.clone());
    let key: Vec<usize> = keys
        .iter()
        .filter_map(|path| match path.0.as_slice() {
            [Step::Key(name)] => names.iter().position(|known| known == name),
            _ => None,
        })
        .collect();
    // Where the test's records do not have the key, each is one of its own.
    let key = if key.is_empty() { (0..names.len()).collect() } else { key };
    let request = WriteRequest {
        root: FilePath::new("."),
        connector,
        stream: &stream,
        format: None,
        columns: &columns,
        key: if mode == Mode::Append { &[] } else { &key },
        mode,
        anew: false,
        rehearse: false,
        log_id: "test",
        route: "test",
    };
    let mut batch = Batch::default();
    let arena = Arena::new();
    let mut encoder = protocol.encoder(&request)?;
    for record in &test.records {
        let values: Vec<Value<'_>> = names
            .iter()
            .map(|name| record.get(name).map_or(Value::Missing, |value| from_json(value, &arena)))
            .collect();
        match encoder.encode(&values, &mut batch.bytes) {
            Ok(()) => batch.records += 1,
            Err(error) => failures.push(format!("a record cannot be written: {}", error.cause)),
        }
    }
    encoder.close(&mut batch.bytes);
    let mut sink = protocol.sink(&request)?;
    let _: Found = sink.open(None, false)?;
    sink.write(&batch)?;
    let mark = Mark { log_id: "test".into(), route: "test".into(), group: 1, fence: 1, ..Mark::default() };
    let receipt = sink.commit(&mark)?;
    sink.finish()?;
    if let Some(wanted) = &test.expect.outcomes {
        let refused = |at: usize| receipt.refusals.iter().find(|refusal| refusal.record == at as u64);
        for (at, wanted) in wanted.iter().enumerate() {
            let (word, part) = match wanted {
                Json::String(word) => (word.as_str(), None),
                Json::Object(one) => {
                    let entry = one.iter().next();
                    (entry.map_or("", |(word, _)| word.as_str()), entry.and_then(|(_, part)| part.as_str()))
                }
                _ => ("", None),
            };
            match (word, refused(at), part) {
                ("rejected", Some(refusal), Some(part)) if !refusal.cause.contains(part) => {
                    failures.push(format!(
                        "record {}: expected to be refused for `{part}`, and was for: {}",
                        at + 1,
                        refusal.cause
                    ));
                }
                ("rejected", None, _) => {
                    failures.push(format!("record {}: expected to be refused, and was not", at + 1))
                }
                ("rejected", ..) => {}
                (word, Some(refusal), _) => {
                    failures.push(format!("record {}: expected {word}, and it was refused: {}", at + 1, refusal.cause));
                }
                _ => {}
            }
        }
        let count = |word: &str| wanted.iter().filter(|one| one.as_str() == Some(word)).count() as u64;
        for (word, seen) in [("written", receipt.written + receipt.deleted), ("unchanged", receipt.unchanged)] {
            if count(word) != seen {
                failures.push(format!("expected {} records {word}, got {seen}", count(word)));
            }
        }
    }
    Ok(())
}

fn call(
    pack: &'static Pack,
    connector: Connector,
    operation: &str,
    test: &Exchange,
    failures: &mut Vec<String>,
) -> Result<()> {
    let Some(operation) = pack.operations.iter().find(|known| known.name == operation) else { return Ok(()) };
    let caller = Caller::open(Arc::new(Given::new(pack, connector)))?;
    let runtime = Runtime::start("pack-test")?;
    let called = runtime.run(calling::call(&caller, operation, &test.input))?;
    if let Some(wanted) = &test.expect.result {
        different("result", wanted, &called.result, failures);
    }
    Ok(())
}

fn probe(pack: &'static Pack, connector: Connector, test: &Exchange, failures: &mut Vec<String>) -> Result<()> {
    let caller = Caller::open(Arc::new(Given::new(pack, connector)))?;
    let runtime = Runtime::start("pack-test")?;
    let Some(health) = runtime.run(calling::probe(&caller)) else {
        failures.push("the pack has no `probe`".into());
        return Ok(());
    };
    let Expect { health: wanted, .. } = &test.expect;
    if let Some(wanted) = wanted.as_ref().filter(|wanted| *wanted != health.state.name()) {
        failures.push(format!("expected it to be {wanted}, it is {}: {}", health.state.name(), health.said.join("; ")));
    }
    match health.error {
        Some(error) if wanted.is_none() => Err(error),
        _ => Ok(()),
    }
}

fn find(connector: &Connector, protocol: &PackProtocol, stream: &str) -> Result<Stream> {
    connector.stream(stream, protocol.spec()).ok_or_else(|| Error::bug(format!("the pack has no stream `{stream}`")))
}

/// Says where something expected is not there; what else is there does not matter.
fn contained(at: &str, wanted: &Json, got: &Json, out: &mut Vec<String>) {
    match (wanted, got) {
        (Json::Object(wanted), Json::Object(got)) => {
            for (name, value) in wanted {
                match got.get(name) {
                    Some(got) => contained(&format!("{at}.{name}"), value, got, out),
                    None => out.push(format!(
                        "`{at}.{name}`: expected {value}, got nothing of it in {}",
                        Json::Object(got.clone())
                    )),
                }
            }
        }
        _ => different(at, wanted, got, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Shelf as _;
    use crate::connect::pack::{SHELF, catalog};

    #[test]
    fn parts_of_a_position_are_enough() {
        let check = |wanted: Json, got: Json, faults: usize| {
            let mut out = Vec::new();
            contained("cursor", &wanted, &got, &mut out);
            assert_eq!(out.len(), faults, "{out:?}");
        };
        check(serde_json::json!({ "a": 1 }), serde_json::json!({ "a": 1, "b": 2 }), 0);
        check(serde_json::json!({ "a": { "c": 1 } }), serde_json::json!({ "a": { "c": 2 } }), 1);
        check(serde_json::json!({ "x": 1 }), serde_json::json!({ "a": 1 }), 1);
    }

    /// Every recorded test of every built-in pack.
    #[test]
    fn the_catalog_does_as_its_tests_say() {
        let mut told = Vec::new();
        for (name, _) in catalog::ALL {
            let Some(spec) = SHELF.take(name) else { panic!("{name} is not sound") };
            let Some(protocol) = spec.plugin.and_then(|plugin| plugin.downcast_ref::<PackProtocol>()) else { continue };
            for test in &protocol.pack.exchanges {
                let failures = run(spec, test);
                if !failures.is_empty() {
                    told.push(format!("{name}: {}\n  {}", test.name, failures.join("\n  ")));
                }
            }
        }
        assert!(told.is_empty(), "{}", told.join("\n"));
    }
}
