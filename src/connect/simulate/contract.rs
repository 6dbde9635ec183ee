//! The contract of every simulator: each stream of each pack of the catalog is read whole by the program's own
//! engine, the next run finds nothing new, and what is written is kept and read back. All in this process.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path as FilePath;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value as Json, json};

use super::{Asked, Setup, World};
use crate::config::{Connector, Mode, ProtocolSpec, Shelf as _, Spanned, Stream};
use crate::connect::auth::jwk::PrivateKey;
use crate::connect::pack::given::node;
use crate::connect::pack::template::to_json;
use crate::connect::pack::{PackProtocol, SHELF, catalog};
use crate::connect::protocols::{Protocol as _, ReadRequest, WriteRequest};
use crate::connect::web::stand_in::{self, Lent};
use crate::connect::web::{Answer, Request, Unanswered, Wire};
use crate::connect::{Batch, Column, RecordError, Rows};
use crate::error::{Place, Result};
use crate::record::json::from_json;
use crate::record::path::Step;
use crate::record::{Arena, Mark, Path, Projection, Row, Settled, SliceId, Type, Value};

/// Where slices were settled.
type Positions = Vec<(SliceId, Settled)>;

/// Records of each stream.
const MANY: usize = 23;

/// A simulator as the wire; time passes only where somebody waits.
struct Wired {
    world: Mutex<World>,
    now: Mutex<jiff::Timestamp>,
}

impl Wired {
    fn world<R>(&self, act: impl FnOnce(&mut World) -> R) -> R {
        act(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Wire for Wired {
    fn send(
        &self,
        request: Request,
    ) -> Pin<Box<dyn Future<Output = std::result::Result<Answer, Unanswered>> + Send + '_>> {
        let mut headers: Vec<(String, String)> = request
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned()))
            .collect();
        headers.push((stand_in::ORIGIN.into(), request.url.origin().ascii_serialization()));
        let asked = Asked {
            method: request.method.to_string(),
            path: request.url.path().to_owned(),
            query: request.url.query_pairs().into_owned().collect(),
            headers,
            body: request.body.to_vec(),
        };
        let second = u64::try_from(self.now().as_second()).unwrap_or(0);
        let answered = self.world(|world| world.answer(&asked, second, None, None));
        let mut map = HeaderMap::new();
        for (name, value) in &answered.headers {
            map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let answer =
            Answer { status: answered.status, headers: map, body: Bytes::from(answered.body), took: Duration::ZERO };
        Box::pin(std::future::ready(Ok(answer)))
    }

    fn pause(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.checked_add(jiff::SignedDuration::try_from(time).unwrap()).unwrap();
        Box::pin(std::future::ready(()))
    }

    fn now(&self) -> jiff::Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A simulated system with a connector to it.
struct Trial {
    protocol: &'static PackProtocol,
    wired: Arc<Wired>,
    connector: Connector,
    _lent: Lent,
}

impl Trial {
    fn of(spec: &'static ProtocolSpec) -> Self {
        let protocol = spec.plugin.and_then(|plugin| plugin.downcast_ref::<PackProtocol>()).unwrap();
        let pack = protocol.pack;
        let mut params = Map::new();
        for param in &pack.params {
            if let Some(value) = param.default.as_ref().or(param.example.as_ref()) {
                let value = match &param.kind {
                    Type::Int => json!(value.parse::<i64>().unwrap_or(0)),
                    Type::Bool => json!(value == "true"),
                    Type::List(_) => json!([value]),
                    _ => json!(value),
                };
                params.insert(param.name.clone(), value);
            }
        }
        let mut auth = Map::new();
        let way = pack.auth.ways.first();
        for need in &pack.auth.needs {
            let of_another = pack.auth.ways.iter().skip(1).any(|way| way.needs.contains(&need.name));
            let ours = way.is_some_and(|way| way.needs.contains(&need.name));
            if need.required || ours || !of_another {
                let key = need.name.contains("private_key");
                let value = if key { PrivateKey::generate("ES384").unwrap().to_string() } else { "made-up".to_owned() };
                auth.insert(need.name.clone(), json!(value));
            }
        }
        let records = pack.streams.iter().map(|stream| (stream.name.clone(), MANY)).collect();
        let setup = Setup {
            params: Json::Object(params.clone()),
            seed: 7,
            records,
            data: BTreeMap::new(),
            now: 1_780_268_400,
            token_seconds: 3600,
        };
        let wired = Arc::new(Wired {
            world: Mutex::new(World::new(pack, setup)),
            now: Mutex::new("2026-06-01T00:00:00Z".parse().unwrap()),
        });
        let lent = stand_in::lend(Arc::clone(&wired) as Arc<dyn Wire>);
        params.insert(stand_in::OPTION.name.into(), json!(lent.name()));
        let place = Place { file: String::new(), line: 1, column: 1, width: 1, source: String::new() };
        let options = |tree: Map<String, Json>| {
            tree.iter()
                .map(|(key, value)| {
                    let key = Spanned { value: key.clone(), place: place.clone() };
                    (key, Spanned { value: node(value, &place), place: place.clone() })
                })
                .collect()
        };
        let connector = Connector {
            spec: Some(spec),
            with: options(params),
            auth: options(auth),
            retry_tries: 2,
            ..crate::connect::pack::tests::connector(&pack.name)
        };
        Self { protocol, wired, connector, _lent: lent }
    }

    fn stream(&self, name: &str) -> Stream {
        self.connector.stream(name, self.protocol.spec()).unwrap()
    }

    /// Reads a stream as a run would; what it gave, and where the next run goes on.
    fn read(&self, name: &str, settled: &[(SliceId, Settled)]) -> Result<(Vec<Json>, Positions)> {
        let stream = self.stream(name);
        let request = ReadRequest {
            root: FilePath::new("."),
            connector: &self.connector,
            stream: &stream,
            format: None,
            mode: Mode::Upsert,
            settled,
            only: None,
            window: None,
        };
        let mut projection = Projection::default();
        projection.slot(&Path::default(), Type::Dyn);
        self.protocol.check_source(&request)?;
        let mut source = self.protocol.source(&request)?;
        let mut decoder = self.protocol.decoder(&request)?;
        let (mut records, mut known) = (Vec::new(), settled.to_vec());
        while let Some(part) = source.next()? {
            let arena = Arena::new();
            decoder.decode(&part, &projection, &arena, &mut Taken(&mut records))?;
            known.retain(|(slice, _)| *slice != part.slice);
            known.push((part.slice.clone(), Settled { position: part.end.clone(), done: part.last_of_slice }));
        }
        Ok((records, known))
    }

    /// Writes records as a run would; those that were refused, and how many took effect.
    fn write(&self, name: &str, mode: Mode, records: &[Json]) -> Result<(Vec<String>, u64)> {
        let stream = self.stream(name);
        let mut names: Vec<String> = Vec::new();
        for name in records.iter().filter_map(Json::as_object).flat_map(|record| record.keys()) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let columns: Vec<Column> =
            names.iter().map(|name| Column { path: Path::key(name), kind: Type::Dyn, required: false }).collect();
        let key: Vec<usize> = self
            .key(name, mode)
            .iter()
            .filter_map(|path| names.iter().position(|known| Path::key(known) == *path))
            .collect();
        let request = WriteRequest {
            root: FilePath::new("."),
            connector: &self.connector,
            stream: &stream,
            format: None,
            columns: &columns,
            key: if mode == Mode::Append { &[] } else { &key },
            mode,
            anew: false,
            rehearse: false,
            log_id: "contract",
            route: "contract",
        };
        let arena = Arena::new();
        let mut batch = Batch::default();
        let mut encoder = self.protocol.encoder(&request)?;
        for record in records {
            let values: Vec<Value<'_>> = names
                .iter()
                .map(|name| record.get(name).map_or(Value::Missing, |value| from_json(value, &arena)))
                .collect();
            encoder.encode(&values, &mut batch.bytes).map_err(|error| crate::error::Error::bug(error.cause))?;
            batch.records += 1;
        }
        encoder.close(&mut batch.bytes);
        let mut sink = self.protocol.sink(&request)?;
        sink.open(None, false)?;
        sink.write(&batch)?;
        let receipt = sink.commit(&Mark { group: 1, fence: 1, ..Mark::default() })?;
        sink.finish()?;
        let refused = receipt.refusals.iter().map(|refusal| refusal.cause.clone()).collect();
        let done = if mode == Mode::Delete { receipt.deleted.max(receipt.written) } else { receipt.written };
        Ok((refused, done + receipt.unchanged))
    }

    /// What a record is known by in a way of writing.
    fn key(&self, name: &str, mode: Mode) -> Vec<Path> {
        let write = self.protocol.pack.stream(name).and_then(|stream| stream.write.as_ref());
        let way = write.and_then(|write| write.way(mode));
        let match_on = way.map(|way| way.match_on.clone()).filter(|paths| !paths.is_empty());
        match_on.unwrap_or_else(|| self.stream(name).key)
    }

    fn kept(&self, name: &str) -> Vec<Json> {
        self.wired.world(|world| world.records(name).unwrap_or_default().into_iter().cloned().collect())
    }
}

struct Taken<'r>(&'r mut Vec<Json>);

impl<'a> Rows<'a> for Taken<'_> {
    fn row(&mut self, row: Row<'a>) -> bool {
        self.0.push(row.slots.first().and_then(to_json).unwrap_or_default());
        true
    }

    fn bad(&mut self, error: RecordError) -> bool {
        self.0.push(json!({ "unreadable": error.cause }));
        true
    }
}

/// Every pack of the catalog that can be a connector's.
fn packs() -> Vec<(&'static str, &'static ProtocolSpec)> {
    let all = catalog::ALL.iter();
    all.map(|(name, _)| (*name, SHELF.take(name).unwrap())).filter(|(_, spec)| spec.plugin.is_some()).collect()
}

fn sorted(records: &[Json]) -> Vec<String> {
    let mut all: Vec<String> = records.iter().map(Json::to_string).collect();
    all.sort();
    all
}

#[test]
fn every_stream_is_read_whole_and_the_next_run_finds_nothing_new() {
    let mut told = Vec::new();
    for (name, spec) in packs() {
        let trial = Trial::of(spec);
        // A queue gives the same messages until they are acknowledged, which a run does, not its reader: whole
        // runs over queues are tests of the program.
        let ends = |stream: &&crate::connect::pack::streams::Stream| {
            stream.read.as_ref().is_some_and(|read| read.acknowledge.is_none())
        };
        for stream in trial.protocol.pack.streams.iter().filter(ends) {
            let at = format!("{name}.{}", stream.name);
            let (first, settled) = match trial.read(&stream.name, &[]) {
                Ok(read) => read,
                Err(error) => {
                    told.push(format!("{at}: {error}"));
                    continue;
                }
            };
            if first.len() != MANY {
                told.push(format!("{at}: {} records of {MANY}, such as {}", first.len(), json!(first.first())));
                continue;
            }
            let mut keys = sorted(&first);
            keys.dedup();
            if keys.len() != first.len() {
                told.push(format!("{at}: {} of {} records are different ones", keys.len(), first.len()));
            }
            let Some(read) = &stream.read else { continue };
            if read.cursor.is_none() {
                continue;
            }
            match trial.read(&stream.name, &settled) {
                Err(error) => told.push(format!("{at}, second run: {error}")),
                Ok((again, _)) => {
                    let new = again.iter().filter(|record| !first.contains(record)).count();
                    let cursor = read.cursor.as_ref();
                    let far = cursor.is_some_and(|cursor| cursor.overlap >= 60 * MANY as u64);
                    if new > 0 || (again.len() >= first.len() && !far) {
                        told.push(format!("{at}, second run: {} records, {new} of them new", again.len()));
                    }
                }
            }
        }
    }
    assert!(told.is_empty(), "{} do not hold:\n{}", told.len(), told.join("\n"));
}

/// A field to be written, with a value that is seen in no other record.
fn changes(trial: &Trial, stream: &str, number: usize) -> Map<String, Json> {
    let all = trial.stream(stream);
    let keys: Vec<Path> = [Mode::Append, Mode::Update, Mode::Upsert, Mode::Delete]
        .iter()
        .flat_map(|mode| trial.key(stream, *mode))
        .chain(all.key.clone())
        .collect();
    let moment = |name: &str| {
        let name = name.to_lowercase();
        ["created", "updated", "modified", "date", "time", "stamp", "_at"].iter().any(|word| name.contains(word))
    };
    // What the pack says of each record itself, and what goes elsewhere in another form.
    let apart = ["resourceType", "host"];
    let fields = all.fields.iter().filter(|field| {
        !apart.contains(&field.name.as_str())
            && matches!(field.kind, Type::String)
            && !keys.contains(&Path::key(&field.name))
            && !moment(&field.name)
    });
    fields.take(2).map(|field| (field.name.clone(), json!(format!("changed {number}")))).collect()
}

#[test]
fn what_is_written_is_kept_and_read_back() {
    let mut told = Vec::new();
    for (name, spec) in packs() {
        let trial = Trial::of(spec);
        for stream in trial.protocol.pack.streams.iter() {
            let Some(write) = &stream.write else { continue };
            for (mode, way) in &write.ways {
                let at = format!("{name}.{} {}", stream.name, mode.name());
                let before = trial.kept(&stream.name);
                let key = trial.key(&stream.name, *mode);
                let mut records: Vec<Json> = Vec::new();
                for number in 0..3 {
                    let mut record = match mode {
                        Mode::Delete => Map::new(),
                        _ => changes(&trial, &stream.name, 100 * records.len() + number),
                    };
                    if matches!(mode, Mode::Update | Mode::Upsert | Mode::Delete) {
                        for path in &key {
                            let [Step::Key(field)] = path.0.as_slice() else { continue };
                            let known = before.get(number).and_then(|record| record.get(field)).cloned();
                            record.insert(field.clone(), known.unwrap_or_else(|| json!(format!("key-{number}"))));
                        }
                    }
                    for field in wanted(trial.protocol.pack, &stream.name, *mode) {
                        record.entry(field).or_insert_with(|| json!(format!("given-{number}")));
                    }
                    records.push(Json::Object(record));
                }
                if *mode == Mode::Upsert && !key.is_empty() && way.find.is_none() {
                    // One that is not there yet.
                    for path in &key {
                        let [Step::Key(field)] = path.0.as_slice() else { continue };
                        records[2][field] = json!("brand-new");
                    }
                }
                match trial.write(&stream.name, *mode, &records) {
                    Err(error) => told.push(format!("{at}: {error} {:?}", error.facts())),
                    Ok((refused, good)) if !refused.is_empty() || good != 3 => {
                        told.push(format!("{at}: {good} of 3 took effect, refused: {refused:?}"));
                    }
                    Ok(_) => {}
                }
                let after = trial.kept(&stream.name);
                if *mode == Mode::Upsert && stream.read.is_some() {
                    // The same once more is the same.
                    if let Err(error) = trial.write(&stream.name, *mode, &records) {
                        told.push(format!("{at}, again: {error}"));
                    }
                    let again = trial.kept(&stream.name).len();
                    if again != after.len() {
                        told.push(format!("{at}: written twice, {again} records are kept in place of {}", after.len()));
                    }
                }
                let expected = match mode {
                    Mode::Append => before.len() + 3,
                    Mode::Delete => before.len() - 3,
                    _ => after.len(),
                };
                if after.len() != expected {
                    told.push(format!("{at}: {} records are kept, {expected} expected", after.len()));
                }
                if *mode == Mode::Delete {
                    continue;
                }
                // What is too new is left to a later run.
                drop(trial.wired.pause(Duration::from_secs(3600)));
                let read = match stream.read.is_some() {
                    true => trial.read(&stream.name, &[]).map(|(read, _)| read).unwrap_or_default(),
                    false => after.clone(),
                };
                for record in &records {
                    let fields = changed(record);
                    if !fields.is_empty()
                        && !read.iter().any(|kept| fields.iter().all(|(name, value)| &kept[name] == *value))
                    {
                        told.push(format!("{at}: not read back: {record}; the last kept: {}", json!(after.last())));
                        break;
                    }
                }
            }
        }
    }
    assert!(told.is_empty(), "{} do not hold:\n{}", told.len(), told.join("\n"));
}

fn changed(record: &Json) -> Vec<(&String, &Json)> {
    let all = record.as_object().into_iter().flatten();
    all.filter(|(_, value)| value.as_str().is_some_and(|text| text.starts_with("changed"))).collect()
}

/// Fields of a record that the request of a way names.
fn wanted(pack: &crate::connect::pack::Pack, stream: &str, mode: Mode) -> Vec<String> {
    let word = match mode {
        Mode::Append => "create",
        Mode::Update => "update",
        Mode::Delete => "delete",
        _ => "upsert",
    };
    let get = super::routes::get;
    let way = get(&pack.raw, "streams").and_then(|all| get(all, stream)).and_then(|of| get(of, "write"));
    let Some(way) = way.and_then(|write| get(write, word)) else { return Vec::new() };
    let mut text = String::new();
    for key in ["path", "url", "query", "body", "element", "find", "look_up"] {
        if let Some(of) = get(way, key) {
            text.push_str(&crate::connect::pack::streams::json(of).to_string());
        }
    }
    let names = regex::Regex::new(r"record\.([a-zA-Z_]+)").unwrap();
    let mut all: Vec<String> = names.captures_iter(&text).map(|found| found[1].to_owned()).collect();
    // A parameter may name the field that records are known by.
    let word = regex::Regex::new("^[A-Za-z][A-Za-z_]*$").unwrap();
    let named = pack.params.iter().filter(|param| text.contains(&format!("params.{}", param.name)));
    all.extend(named.filter_map(|param| param.default.clone()).filter(|value| word.is_match(value)));
    all
}
