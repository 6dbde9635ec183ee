//! How the simulated system takes records: kept, and read back as they are then.

use serde_json::{Map, Value as Json, json};

use super::data;
use super::pattern::{Captures, Want};
use super::place::{self, Change, Made, text};
use super::routes::{Asked, get, unescaped, way_name, word};
use super::serving::at_spot;
use super::trouble::mixed;
use super::world::{Kept, World, into_item};
use crate::config::Mode;
use crate::config::yaml::Raw;
use crate::connect::pack::reader::scalar;
use crate::record::Path;
use crate::record::path::Step;

/// What became of a record.
pub(super) enum Fate {
    /// It is kept as it stands here.
    Kept(Json),
    /// It is gone.
    Gone,
    /// There is none of its key.
    Unmatched,
    /// It is refused.
    Refused(&'static str),
}

/// One record of a request: what is written, and what it is known by.
pub(super) struct Item {
    fields: Map<String, Json>,
    /// Fields of the record that stand elsewhere in the request.
    named: Vec<(Path, Json)>,
    /// By what the answer names it again.
    number: Option<Json>,
}

impl Fate {
    /// Whether it took effect.
    pub(super) fn good(&self) -> bool {
        matches!(self, Self::Kept(_) | Self::Gone)
    }
}

impl World {
    /// Answers a request that writes a stream. `when`: seconds since 1970; and whether one record is to be refused.
    #[expect(clippy::too_many_arguments, reason = "what was asked, in its pieces")]
    pub(super) fn write(
        &mut self,
        stream: &str,
        mode: Mode,
        way: &Raw,
        base: Made,
        asked: &Asked,
        captures: &Captures,
        when: (u64, bool),
        changes: &mut Vec<(String, &'static str, Json)>,
    ) -> Made {
        let form = get(way, "batch").and_then(|batch| word(batch, "as")).unwrap_or_else(|| "json".into());
        // A request that is known by its key is answered as it was, and does nothing more.
        let key = get(way, "idempotency").and_then(|of| get(of, "send"));
        let key = key.and_then(|send| at_spot(send, asked, &asked.tree(), captures)).map(|key| text(&key));
        if let Some(made) = key.as_ref().and_then(|key| self.answered.get(key)) {
            return made.clone();
        }
        let Some(items) = items(way, asked, captures, &form) else {
            return self.refused(400, "the body holds no records");
        };
        let batch = get(way, "batch").is_some();
        let fates = self.keep_all(stream, mode, way, &items, when, changes);
        let outcome = get(way, "outcome").cloned();
        let made = match outcome.as_ref().and_then(|outcome| word(outcome, "items")) {
            // A list of what is wrong, and of nothing else.
            Some(list) if outcome.as_ref().and_then(|of| word(of, "good")).as_deref() == Some("false") => {
                let bad = items.iter().zip(&fates).filter(|(_, fate)| !fate.good());
                let (items, fates): (Vec<&Item>, Vec<&Fate>) = bad.unzip();
                self.many(stream, way, &list, outcome.as_ref(), base, &items, &fates)
            }
            Some(list) => {
                let (items, fates): (Vec<&Item>, Vec<&Fate>) = items.iter().zip(&fates).unzip();
                self.many(stream, way, &list, outcome.as_ref(), base, &items, &fates)
            }
            _ => self.single(outcome.as_ref(), base, mode, &fates, batch),
        };
        if let Some(key) = key {
            self.answered.insert(key, made.clone());
        }
        made
    }

    /// Whether the first of these records is there.
    pub(super) fn holds(&self, stream: &str, mode: Mode, items: &[Item]) -> bool {
        let (Some(table), Some(item)) = (self.known(stream), items.first()) else { return false };
        let whole = Json::Object(item.fields.clone());
        let key: Vec<Option<Json>> = table
            .key
            .iter()
            .map(|path| {
                let named = item.named.iter().find(|(known, _)| known == path).map(|(_, value)| value);
                named.or_else(|| data::get(&whole, path)).cloned()
            })
            .collect();
        let same = |kept: &Kept| {
            let own = table.key.iter().zip(&key);
            own.into_iter().all(|(path, value)| {
                value.as_ref().is_some_and(|value| table.field(&kept.json, path).map(text) == Some(text(value)))
            })
        };
        mode != Mode::Append && !table.key.is_empty() && table.records.iter().any(|kept| !kept.gone && same(kept))
    }

    /// Keeps records one by one; what became of each.
    pub(super) fn keep_all(
        &mut self,
        stream: &str,
        mode: Mode,
        way: &Raw,
        items: &[Item],
        (now, reject): (u64, bool),
        changes: &mut Vec<(String, &'static str, Json)>,
    ) -> Vec<Fate> {
        let bad = reject.then(|| (mixed(self.seed() ^ now) as usize) % items.len().max(1));
        let mut fates = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let fate = match bad == Some(at) {
                true => Fate::Refused("simulated: this record is refused"),
                false => self.keep(stream, mode, way, item, now),
            };
            match &fate {
                Fate::Kept(record) => changes.push((stream.to_owned(), way_name(mode), record.clone())),
                Fate::Gone => changes.push((stream.to_owned(), way_name(mode), Json::Object(item.fields.clone()))),
                _ => {}
            }
            fates.push(fate);
        }
        fates
    }

    /// Keeps one record, or deletes it.
    fn keep(&mut self, stream: &str, mode: Mode, way: &Raw, item: &Item, now: u64) -> Fate {
        let match_on: Vec<Path> = get(way, "match_on")
            .map(|raw| {
                let all = if raw.items().is_empty() { vec![raw] } else { raw.items().iter().collect() };
                all.into_iter().filter_map(|raw| Path::parse(raw.text()?).ok()).collect()
            })
            .unwrap_or_default();
        // `record[params.id_property]` and the like: a parameter names the field that records are known by.
        let chosen = chosen_key(way, &self.setup.params, item);
        self.revision += 1;
        let revision = self.revision;
        let fresh = self.fresh(stream.get(..3).unwrap_or(stream));
        let Some(table) = self.table(stream) else { return Fate::Refused("there is no such stream") };
        let whole = Json::Object(item.fields.clone());
        let said = |path: &Path| {
            item.named.iter().any(|(known, value)| known == path && !value.is_null())
                || data::get(&whole, path).is_some_and(|value| !value.is_null())
        };
        let key = match (match_on.is_empty(), chosen) {
            (false, _) => match_on,
            (true, Some(chosen)) if mode == Mode::Upsert && !table.key.iter().all(said) => vec![chosen],
            _ => table.key.clone(),
        };
        let own = |path: &Path| {
            let named = item.named.iter().find(|(known, _)| known == path).map(|(_, value)| value);
            named.or_else(|| data::get(&whole, path)).or_else(|| table.field(&whole, path)).cloned()
        };
        let wanted: Option<Vec<Json>> = key.iter().map(&own).collect();
        // A path names the record whatever the way matches on.
        let wanted = wanted.filter(|all| !all.is_empty() && all.iter().all(|value| !value.is_null()));
        let found = wanted.as_ref().and_then(|wanted| {
            table.records.iter().position(|kept| {
                !kept.gone
                    && key
                        .iter()
                        .zip(wanted)
                        .all(|(path, value)| table.field(&kept.json, path).map(text) == Some(text(value)))
            })
        });
        let moment = table.cursor.clone().map(|(path, written)| {
            (
                path,
                data::at(&written, i64::try_from(now).unwrap_or(0), usize::try_from(revision).unwrap_or(0) + 1_000_000),
            )
        });
        match (mode, found) {
            (Mode::Delete, Some(at)) => {
                table.records[at].gone = true;
                table.records[at].revision = revision;
                Fate::Gone
            }
            (Mode::Delete | Mode::Update, None) => Fate::Unmatched,
            (Mode::Append, Some(_)) if wanted.is_some() && key == table.key => {
                Fate::Refused("there is a record of this key already")
            }
            (Mode::Append, _) | (_, None) => {
                let mut record = json!({});
                merge(table, &mut record, item);
                for path in table.key.clone() {
                    if table.field(&record, &path).is_none_or(Json::is_null) {
                        let value = own(&path).filter(|value| !value.is_null()).unwrap_or_else(|| json!(fresh));
                        data::put(&mut record, &path, value);
                    }
                }
                if let Some((path, value)) = moment {
                    table.set(&mut record, &path, value);
                }
                table.records.push(Kept { json: record.clone(), revision, parent: None, gone: false });
                Fate::Kept(record)
            }
            (_, Some(at)) => {
                let mut record = table.records[at].json.clone();
                merge(table, &mut record, item);
                if let Some((path, value)) = moment {
                    table.set(&mut record, &path, value);
                }
                table.records[at].json = record.clone();
                table.records[at].revision = revision;
                Fate::Kept(record)
            }
        }
    }

    /// The answer to a request of one record, or to a batch that says nothing of single ones.
    fn single(&self, outcome: Option<&Raw>, base: Made, mode: Mode, fates: &[Fate], batch: bool) -> Made {
        let says = |key: &str| outcome.and_then(|outcome| word(outcome, key));
        if let Some(why) = fates.iter().find_map(|fate| if let Fate::Refused(why) = fate { Some(*why) } else { None }) {
            return self.refused(400, why);
        }
        if fates.iter().any(|fate| matches!(fate, Fate::Unmatched)) && !batch {
            let mut made = self.refused(404, "there is no such record");
            if let Some(condition) = says("unmatched") {
                made.fulfil(&condition, true);
            }
            return made;
        }
        let mut made = base;
        if made.status >= 300 {
            made.status = 200;
        }
        match (fates.first(), batch) {
            (Some(Fate::Kept(record)), false) => {
                let nested = says("id").and_then(|id| place::reference(&id, "answer"));
                // `answer.body.record.id`: the record stands where its id is looked for.
                let around: Vec<place::Step> = match nested.as_deref() {
                    Some([place::Step::Name(body), inner @ ..]) if body == "body" && inner.len() > 1 => {
                        inner[..inner.len() - 1].to_vec()
                    }
                    _ => Vec::new(),
                };
                let plain = made.body.is_null() || around.is_empty();
                if plain && around.is_empty() {
                    made.body = record.clone();
                } else {
                    place::set(&mut made.body, &around, Some(record.clone()));
                }
            }
            (Some(Fate::Gone), false) if made.body.is_object() => {}
            _ if made.body.is_null() && made.status != 204 => made.body = json!({}),
            _ => {}
        }
        if mode != Mode::Delete
            && let (Some(expression), Some(Fate::Kept(record))) = (says("id"), fates.first())
        {
            let id = record.get("id").or_else(|| record.as_object().and_then(|m| m.values().next())).cloned();
            made.put(&expression, id);
        }
        if let Some(condition) = says("good") {
            made.fulfil(&condition, true);
        }
        made
    }

    /// The answer to a batch, with an outcome for each record.
    pub(super) fn many(
        &self,
        stream: &str,
        way: &Raw,
        list: &str,
        outcome: Option<&Raw>,
        base: Made,
        items: &[&Item],
        fates: &[&Fate],
    ) -> Made {
        let form = get(way, "batch").and_then(|batch| word(batch, "as")).unwrap_or_default();
        let says = |key: &str| outcome.and_then(|outcome| word(outcome, key));
        let mut made = base;
        if made.status >= 300 {
            made.status = 200;
        }
        let sample = place::reference(list, "answer").and_then(|steps| {
            let body = steps.split_first().filter(|(root, _)| **root == place::Step::Name("body".into()))?;
            let mut here = &made.body;
            for step in body.1 {
                here = match step {
                    place::Step::Name(name) => here.get(name)?,
                    place::Step::At(at) => here.get(at)?,
                };
            }
            here.as_array()?.first().cloned()
        });
        let key = self.known(stream).map(|table| table.key.clone()).unwrap_or_default();
        let pair = says("pair").unwrap_or_else(|| "position".into());
        let mut all = Vec::with_capacity(fates.len());
        for (at, (item, fate)) in items.iter().zip(fates).enumerate() {
            let mut made = sample.clone().filter(Json::is_object).unwrap_or_else(|| json!({}));
            let record = match fate {
                Fate::Kept(record) => record.clone(),
                _ => Json::Object(item.fields.clone()),
            };
            if pair == "row" {
                made = Json::Object(item.fields.clone());
            }
            if form == "odata" {
                // What stands in a part of the answer is an answer by itself.
                let said = match fate {
                    Fate::Kept(record) => (if mode_creates(way) { 201 } else { 200 }, record.clone()),
                    Fate::Gone => (204, Json::Null),
                    Fate::Unmatched => (404, json!({ "error": { "message": "there is no such record" } })),
                    Fate::Refused(why) => (400, json!({ "error": { "code": "SIMULATED", "message": why } })),
                };
                all.push(json!({ "id": item.number, "status": said.0, "headers": {}, "body": said.1 }));
                continue;
            }
            let good = fate.good();
            if let Some(condition) = says("good") {
                place::fulfil(&condition, good, &mut |reference, change| into_item(&mut made, reference, change));
            }
            if let Some(condition) = says("unmatched") {
                let holds = matches!(fate, Fate::Unmatched);
                place::fulfil(&condition, holds, &mut |reference, change| into_item(&mut made, reference, change));
            }
            let own = key.first().and_then(|path| {
                let named = item.named.iter().find(|(known, _)| known == path).map(|(_, value)| value.clone());
                named.or_else(|| data::get(&record, path).cloned())
            });
            if let Some(expression) = says("by") {
                let value = match pair.as_str() {
                    "index" => Some(json!(at)),
                    "number" => item.number.clone().or(Some(json!(at.to_string()))),
                    _ => own.clone(),
                };
                if let Some(value) = value {
                    into_item(&mut made, &expression, Change::Set(value));
                }
            }
            if let (Some(expression), true) = (says("id"), good) {
                let id = record.get("id").cloned().or(own).unwrap_or_default();
                into_item(&mut made, &expression, Change::Set(id));
            }
            if !good {
                let why = match fate {
                    Fate::Refused(why) => why,
                    _ => "there is no such record",
                };
                for (key, value) in [("code", "SIMULATED"), ("message", why)] {
                    if let Some(expression) = says(key) {
                        into_item(&mut made, &expression, Change::Set(json!(value)));
                    }
                }
            }
            all.push(made);
        }
        let all = match form.as_str() {
            // By the alias of its record.
            "graphql" => Json::Object(
                items
                    .iter()
                    .zip(all)
                    .enumerate()
                    .map(|(at, (item, made))| {
                        let number = item.number.as_ref().map_or_else(|| format!("{at:08}"), text);
                        (format!("r{number}"), made)
                    })
                    .collect(),
            ),
            _ => Json::Array(all),
        };
        // `a + b`: one list holds them all.
        for (at, part) in place::split(list, "+").into_iter().enumerate() {
            made.put(part, (at == 0).then(|| all.clone()));
        }
        if get(way, "job").is_none() {
            super::jobs::written(outcome, get(way, "batch"), &mut made);
        }
        made
    }
}

/// The field that a parameter of the pack names, if a way speaks of it and the record has it.
fn chosen_key(way: &Raw, params: &Json, item: &Item) -> Option<Path> {
    let text = crate::connect::pack::streams::json(way).to_string();
    let names = params.as_object()?.iter().filter(|(name, _)| text.contains(&format!("params.{name}")));
    let mut fields = names.filter_map(|(_, value)| value.as_str()).filter(|name| item.fields.contains_key(*name));
    fields.next().map(Path::key)
}

/// Whether a way adds records.
fn mode_creates(way: &Raw) -> bool {
    get(way, "element").and_then(|element| word(element, "method")).as_deref() == Some("POST")
}

/// The records of a request.
pub(super) fn items(way: &Raw, asked: &Asked, captures: &Captures, form: &str) -> Option<Vec<Item>> {
    let find = |name: &str| captures.iter().find(|(expression, _)| expression == name).map(|(_, value)| value);
    let Some(batch) = get(way, "batch") else { return Some(vec![item(captures)]) };
    let body = || std::str::from_utf8(&asked.body).ok();
    let mut numbers: Option<Vec<String>> = None;
    let list: Vec<Json> = match (form, find("records")) {
        ("ndjson", _) => body()?
            .lines()
            .filter(|line| !line.trim().is_empty())
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect(),
        ("csv", _) => rows(body()?, get(batch, "delimiter").and_then(scalar)),
        ("odata", _) => {
            let (found, list) = requests(body()?).into_iter().unzip();
            numbers = Some(found);
            list
        }
        ("graphql", _) => {
            let (found, list) = variables(batch, &asked.tree()).into_iter().unzip();
            numbers = Some(found);
            list
        }
        (_, Some(Json::Array(list))) => list.clone(),
        (_, None) => match asked.tree() {
            Json::Array(list) => list,
            // `records.map(r, r.id).join(',')`: their keys, one after the other.
            _ => {
                let joined = captures.iter().find_map(|(expression, value)| {
                    let rest = expression.strip_prefix("records.map(")?;
                    let (name, field) = rest.split_once(',')?;
                    let field = field.trim().trim_start_matches("string(").strip_prefix(name.trim())?;
                    let field: String =
                        field.strip_prefix('.')?.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                    Some((Path::key(&field), text(value)))
                });
                let (path, all) = joined?;
                let one = |value: &str| Item {
                    fields: Map::new(),
                    named: vec![(path.clone(), Json::from(value))],
                    number: None,
                };
                return Some(all.split([',', ';']).map(one).collect());
            }
        },
        _ => return None,
    };
    // Rows of CSV are the fields themselves.
    let element = get(way, "element").filter(|_| form != "csv").map(Want::new);
    let made = list.into_iter().enumerate().map(|(at, value)| {
        let mut own = Captures::new();
        match &element {
            Some(element) => drop(element.read(&value, &mut own)),
            None => own.push(("fields".into(), value)),
        }
        let mut made = item(&own);
        if let Some(number) = numbers.as_ref().and_then(|numbers| numbers.get(at)) {
            made.number = Some(Json::from(number.as_str()));
        }
        made
    });
    Some(made.collect())
}

/// The rows of CSV, by the names in its first line.
fn rows(text: &str, delimiter: Option<String>) -> Vec<Json> {
    let delimiter = delimiter.and_then(|text| text.bytes().next()).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let names = reader.headers().cloned().unwrap_or_default();
    let row = |row: csv::StringRecord| {
        names.iter().zip(row.iter()).map(|(name, value)| (name.to_owned(), Json::from(value))).collect()
    };
    reader.records().filter_map(std::result::Result::ok).map(|found| Json::Object(row(found))).collect()
}

/// The requests in the parts of an OData batch, each with the number that its answer gives back.
fn requests(text: &str) -> Vec<(String, Json)> {
    let mut found = Vec::new();
    for part in text.split("Content-Type: application/http").skip(1) {
        let Some((head, request)) = part.split_once("\r\n\r\n") else { continue };
        let number = head.lines().find_map(|line| line.strip_prefix("Content-ID:")).unwrap_or_default();
        let (head, body) = request.split_once("\r\n\r\n").unwrap_or((request, ""));
        let mut lines = head.lines();
        let mut first = lines.next().unwrap_or_default().split(' ');
        let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
        let headers: Map<String, Json> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_owned(), Json::from(value.trim())))
            .collect();
        let length = headers.get("Content-Length").and_then(Json::as_str).and_then(|text| text.parse().ok());
        let body = body.get(..length.unwrap_or(body.len())).unwrap_or_default();
        let body: Json = serde_json::from_str(body).unwrap_or_default();
        found.push((
            number.trim().to_owned(),
            json!({ "method": method, "path": path, "headers": headers, "body": body }),
        ));
    }
    found
}

/// The variables of each alias of a GraphQL mutation, with the number of its record.
fn variables(batch: &Raw, tree: &Json) -> Vec<(String, Json)> {
    let names: Vec<&str> = get(batch, "graphql")
        .and_then(|of| get(of, "variables"))
        .map_or(&[][..], Raw::entries)
        .iter()
        .map(|entry| entry.key.as_str())
        .collect();
    let mut found: std::collections::BTreeMap<String, Json> = std::collections::BTreeMap::new();
    for (name, value) in tree["variables"].as_object().into_iter().flatten() {
        let Some((name, number)) = name.rsplit_once('_').filter(|(name, _)| names.contains(name)) else { continue };
        found.entry(number.to_owned()).or_insert_with(|| json!({}))[name] = value.clone();
    }
    found.into_iter().collect()
}

/// A record, from what the expressions of its request stood for.
fn item(captures: &Captures) -> Item {
    let mut made = Item { fields: Map::new(), named: Vec::new(), number: None };
    for (expression, value) in captures {
        if let (true, Json::Object(fields)) = (is_all(expression), value) {
            made.fields.extend(fields.clone());
        } else if expression == "number" || expression.ends_with(".number") {
            made.number = Some(value.clone());
        } else if let Some(steps) = place::reference(expression, "record").filter(|steps| !steps.is_empty())
            // What is computed of a field is not the field.
            && !(expression.contains(" ? ") && (value.is_array() || value.is_object()))
        {
            let path = steps.into_iter().filter_map(|step| match step {
                place::Step::Name(name) => Some(Step::Key(name)),
                place::Step::At(_) => None,
            });
            if !value.is_null() {
                let value = if expression.contains("url_encode(") { unescaped(value.clone()) } else { value.clone() };
                made.named.push((Path(path.collect()), value));
            }
        }
    }
    made
}

/// Whether an expression stands for the fields of a record, or for those that are left of them.
fn is_all(expression: &str) -> bool {
    let inside = ["compact(", "omit("].iter().find_map(|function| expression.strip_prefix(function));
    let first = inside.map_or(expression, |inside| inside.split([',', ')']).next().unwrap_or_default().trim());
    matches!(first, "fields" | "record")
}

fn merge(table: &super::world::Table, record: &mut Json, item: &Item) {
    for (name, value) in &item.fields {
        let path = Path::key(name);
        // Fields that were sent in the map that the pack lifts them from stand there already.
        match &table.lift {
            Some(lift) if lift.0.first() == path.0.first() => {
                if let (Json::Object(inner), Some(target)) = (value, record.as_object_mut()) {
                    let into = target.entry(name.clone()).or_insert_with(|| json!({}));
                    for (key, value) in inner {
                        into[key.as_str()] = value.clone();
                    }
                }
            }
            _ => table.set(record, &path, value.clone()),
        }
    }
    for (path, value) in &item.named {
        table.set(record, path, value.clone());
    }
}
