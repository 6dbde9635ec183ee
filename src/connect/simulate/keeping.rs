//! How the simulated system takes records: kept, and read back as they are then.

use serde_json::{Map, Value as Json, json};

use super::data;
use super::pattern::{Captures, Want};
use super::place::{self, Change, Made, text};
use super::routes::{Asked, get, word};
use super::trouble::mixed;
use super::world::{Kept, World, into_item};
use crate::config::Mode;
use crate::config::yaml::Raw;
use crate::record::Path;
use crate::record::path::Step;

/// What became of a record.
enum Fate {
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
struct Item {
    fields: Map<String, Json>,
    /// Fields of the record that stand elsewhere in the request.
    named: Vec<(Path, Json)>,
    /// By what the answer names it again.
    number: Option<Json>,
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
        if matches!(form.as_str(), "graphql" | "odata") || get(way, "job").is_some() {
            return Made::new(
                501,
                json!({ "error": { "message": "the simulator does not play this form of batches" } }),
            );
        }
        let Some(items) = items(way, asked, captures, &form) else {
            return self.refused(400, "the body holds no records");
        };
        let batch = get(way, "batch").is_some();
        let (now, reject) = when;
        let bad = reject.then(|| (mixed(self.seed() ^ now) as usize) % items.len().max(1));
        let mut fates = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let fate = match bad == Some(at) {
                true => Fate::Refused("simulated: this record is refused"),
                false => self.keep(stream, mode, way, item, now),
            };
            let done = match mode {
                Mode::Append => "create",
                Mode::Update => "update",
                Mode::Delete => "delete",
                _ => "upsert",
            };
            match &fate {
                Fate::Kept(record) => changes.push((stream.to_owned(), done, record.clone())),
                Fate::Gone => changes.push((stream.to_owned(), done, Json::Object(item.fields.clone()))),
                _ => {}
            }
            fates.push(fate);
        }
        let outcome = get(way, "outcome").cloned();
        match outcome.as_ref().and_then(|outcome| word(outcome, "items")) {
            Some(list) if batch => self.many(stream, &list, outcome.as_ref(), base, &items, &fates),
            _ => self.single(outcome.as_ref(), base, mode, &fates, batch),
        }
    }

    /// Keeps one record, or deletes it.
    fn keep(&mut self, stream: &str, mode: Mode, way: &Raw, item: &Item, now: u64) -> Fate {
        let match_on: Vec<Path> = get(way, "match_on")
            .map(|raw| {
                let all = if raw.items().is_empty() { vec![raw] } else { raw.items().iter().collect() };
                all.into_iter().filter_map(|raw| Path::parse(raw.text()?).ok()).collect()
            })
            .unwrap_or_default();
        self.revision += 1;
        let revision = self.revision;
        let fresh = self.fresh(stream.get(..3).unwrap_or(stream));
        let Some(table) = self.table(stream) else { return Fate::Refused("there is no such stream") };
        let key = if match_on.is_empty() { table.key.clone() } else { match_on };
        let whole = Json::Object(item.fields.clone());
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
                data::at(written, i64::try_from(now).unwrap_or(0), usize::try_from(revision).unwrap_or(0) + 1_000_000),
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
    fn many(
        &self,
        stream: &str,
        list: &str,
        outcome: Option<&Raw>,
        base: Made,
        items: &[Item],
        fates: &[Fate],
    ) -> Made {
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
                made = record.clone();
            }
            let good = matches!(fate, Fate::Kept(_) | Fate::Gone);
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
        made.put(list, Some(Json::Array(all)));
        made
    }
}

/// The records of a request.
fn items(way: &Raw, asked: &Asked, captures: &Captures, form: &str) -> Option<Vec<Item>> {
    let find = |name: &str| captures.iter().find(|(expression, _)| expression == name).map(|(_, value)| value);
    if get(way, "batch").is_none() {
        return Some(vec![item(captures)]);
    }
    let list: Vec<Json> = match (form, find("records")) {
        ("json", Some(Json::Array(list))) => list.clone(),
        ("json", None) => match asked.tree() {
            Json::Array(list) => list,
            _ => return None,
        },
        ("ndjson", _) => std::str::from_utf8(&asked.body)
            .ok()?
            .lines()
            .filter(|line| !line.trim().is_empty())
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect(),
        _ => return None,
    };
    let element = get(way, "element").map(Want::new);
    let made = list.into_iter().map(|value| {
        let mut own = Captures::new();
        match &element {
            Some(element) => drop(element.read(&value, &mut own)),
            None => own.push(("fields".into(), value)),
        }
        item(&own)
    });
    Some(made.collect())
}

/// A record, from what the expressions of its request stood for.
fn item(captures: &Captures) -> Item {
    let mut made = Item { fields: Map::new(), named: Vec::new(), number: None };
    for (expression, value) in captures {
        if let ("fields" | "record", Json::Object(fields)) = (expression.as_str(), value) {
            made.fields.extend(fields.clone());
        } else if expression == "number" || expression.ends_with(".number") {
            made.number = Some(value.clone());
        } else if let Some(steps) = place::reference(expression, "record").filter(|steps| !steps.is_empty()) {
            let path = steps.into_iter().filter_map(|step| match step {
                place::Step::Name(name) => Some(Step::Key(name)),
                place::Step::At(_) => None,
            });
            if !value.is_null() {
                made.named.push((Path(path.collect()), value.clone()));
            }
        }
    }
    made
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
