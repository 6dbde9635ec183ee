//! Jobs of the simulated system: exports that are ordered, waited for and fetched, and batches of records
//! that are uploaded, closed and asked for what became of them.

use serde_json::{Value as Json, json};

use super::keeping::{self, Fate, Item};
use super::pattern::{Captures, said, whole};
use super::place::{self, Made, text};
use super::routes::{Asked, Stage, entries, get, word};
use super::world::World;
use crate::config::Mode;
use crate::config::yaml::Raw;
use crate::connect::pack::reader::scalar;

/// A batch that is written by several requests.
pub(super) struct Upload {
    /// What it writes, and how: further requests of jobs of several streams may look the same.
    of: (String, Mode),
    items: Vec<Item>,
    /// What became of them; `None`: it is not closed yet.
    fates: Option<Vec<Fate>>,
}

/// A request of a job that writes, as it came.
pub(super) struct Uploaded<'u> {
    pub(super) stream: &'u str,
    pub(super) mode: Mode,
    pub(super) stage: Stage,
    pub(super) raw: &'u Raw,
    pub(super) asked: &'u Asked,
    pub(super) captures: &'u Captures,
    /// The job, if its address says it.
    pub(super) job: Option<String>,
    pub(super) now: u64,
    pub(super) reject: bool,
}

/// The beginning of addresses that are a job's own: `/simulated-job/JOB/NAME`.
pub(super) const OWN: &str = "/simulated-job/";

impl World {
    /// Answers a request of an export.
    pub(super) fn job(
        &mut self,
        stream: &str,
        step: &str,
        raw: &Raw,
        base: Made,
        captures: &Captures,
        now: u64,
        origin: &str,
    ) -> Made {
        // Jobs of several streams may be asked for in the same way: then the name that we gave tells which it is.
        let named = captures.iter().find_map(|(_, value)| {
            let name = value.as_str()?.strip_prefix("simulated-")?;
            self.pack.stream(name).map(|stream| stream.name.as_str())
        });
        let stream = named.filter(|_| step != "submit").unwrap_or(stream);
        let mut made = base;
        if !made.body.is_object() && !made.body.is_array() {
            made.body = json!({});
        }
        if step == "submit" {
            let token = said(captures, "cursor.value").or_else(|| said(captures, "cursor.token")).map(text);
            match token.and_then(|token| self.exports.get(&token).copied()) {
                Some(revision) => drop(self.since.insert(stream.to_owned(), revision)),
                None => drop(self.since.remove(stream)),
            }
        }
        let there = match self.since.get(stream) {
            Some(revision) => format!("{origin}/simulated/{stream}?simulated={revision}.0"),
            None => format!("{origin}/simulated/{stream}"),
        };
        let read = entries(&self.raw, "streams").iter().find(|entry| entry.key == stream);
        let job = read.and_then(|entry| get(&entry.value, "read")).and_then(|read| get(read, "job")).cloned();
        let parts = job.as_ref().and_then(|job| word(job, "parts")).unwrap_or_default();
        if step == "poll" {
            for (key, holds) in [("failed", false), ("empty", false), ("done", true)] {
                if let Some(condition) = word(raw, key) {
                    made.fulfil(&condition, holds);
                }
            }
        }
        let all = job.as_ref().map(|job| crate::connect::pack::streams::json(job).to_string()).unwrap_or_default();
        for entry in entries(raw, "capture") {
            let Some(expression) = entry.value.text().and_then(whole) else { continue };
            let name = entry.key.to_lowercase();
            let value = match name.as_str() {
                // The address of another request of the job.
                _ if all.contains(&format!("\"url\":\"{{{{ job.{} }}}}\"", entry.key)) => {
                    json!(format!("{origin}{OWN}{stream}/{}", entry.key))
                }
                // `[job.url]` and the like: one address. `job.files`: the list of them.
                _ if parts.trim() == format!("job.{}", entry.key) => json!([{ "url": there, "type": stream }]),
                _ if ["url", "file", "location", "link"].iter().any(|word| name.contains(word)) => json!(there),
                _ if name.contains("time") => {
                    let second = i64::try_from(now).unwrap_or(0);
                    let moment = jiff::Timestamp::from_second(second).unwrap_or_default().to_string();
                    self.exports.insert(moment.clone(), self.revision);
                    json!(moment)
                }
                _ if expression.contains("orValue(true)") || expression.contains("orValue(false)") => continue,
                _ => json!(format!("simulated-{stream}")),
            };
            made.put(&expression, Some(value));
        }
        made
    }

    /// Answers a request of a job that writes.
    pub(super) fn upload(
        &mut self,
        of: &Uploaded<'_>,
        base: Made,
        origin: &str,
        changes: &mut Vec<(String, &'static str, Json)>,
    ) -> Made {
        let named = of.captures.iter().filter(|(expression, _)| expression.contains("job."));
        let known = named.map(|(_, value)| text(value)).chain(of.job.clone()).find(|id| self.uploads.contains_key(id));
        let id = match (known, &of.stage) {
            (Some(id), _) => id,
            (None, Stage::Step(_)) => {
                let id = self.fresh("job");
                let of = (of.stream.to_owned(), of.mode);
                self.uploads.insert(id.clone(), Upload { of, items: Vec::new(), fates: None });
                id
            }
            (None, _) => return self.refused(404, "there is no such job"),
        };
        let (stream, mode) = match self.uploads.get(&id) {
            Some(upload) => upload.of.clone(),
            None => (of.stream.to_owned(), of.mode),
        };
        let Some(way) = self.way(&stream, mode).cloned() else { return base };
        let Some(job) = get(&way, "job").cloned() else { return base };
        let mut made = base;
        made.status = if made.status >= 300 { 200 } else { made.status };
        if made.body.is_null() {
            made.body = json!({});
        }
        match &of.stage {
            Stage::Step(at) => {
                let steps = get(&job, "steps").map_or(&[][..], Raw::items);
                if mentions(get(of.raw, "body"), "records") {
                    let form = get(&way, "batch").and_then(|batch| word(batch, "as")).unwrap_or_else(|| "json".into());
                    let Some(items) = keeping::items(&way, of.asked, of.captures, &form) else {
                        return self.refused(400, "the body holds no records");
                    };
                    if let Some(upload) = self.uploads.get_mut(&id) {
                        upload.items = items;
                    }
                }
                if at + 1 == steps.len()
                    && let Some(mut upload) = self.uploads.remove(&id)
                {
                    // What was closed already took effect then.
                    if upload.fates.is_none() {
                        let when = (of.now, of.reject);
                        upload.fates = Some(self.keep_all(&stream, mode, &way, &upload.items, when, changes));
                    }
                    self.uploads.insert(id.clone(), upload);
                }
                self.told(&job, of.raw, &id, origin, &mut made);
            }
            Stage::Poll => {
                for (key, holds) in [("failed", false), ("done", true)] {
                    if let Some(condition) = word(of.raw, key) {
                        made.fulfil(&condition, holds);
                    }
                }
                self.told(&job, of.raw, &id, origin, &mut made);
            }
            Stage::Result(at) => {
                let results = get(&job, "results").map_or(&[][..], Raw::items);
                let bad = |raw: &Raw| {
                    get(raw, "outcome").and_then(|outcome| word(outcome, "good")).as_deref() == Some("false")
                };
                let first_bad = results.iter().position(bad);
                let wanted = |fate: &Fate| match (bad(of.raw), first_bad) {
                    (false, None) => true,
                    (false, Some(_)) => fate.good(),
                    // Those that were refused stand in the first of such lists alone.
                    (true, first) => first == Some(*at) && !fate.good(),
                };
                let Some(upload) = self.uploads.remove(&id) else { return made };
                let pairs = upload.items.iter().zip(upload.fates.iter().flatten()).filter(|(_, fate)| wanted(fate));
                let (items, fates): (Vec<&Item>, Vec<&Fate>) = pairs.unzip();
                let outcome = get(of.raw, "outcome");
                let list = outcome.and_then(|outcome| word(outcome, "items")).unwrap_or_else(|| "answer.body".into());
                made = self.many(&stream, &way, &list, outcome, Made::new(200, Json::Null), &items, &fates);
                if made.body.is_null() {
                    made.body = json!([]);
                }
                written(outcome, get(&way, "batch"), &mut made);
                self.uploads.insert(id, upload);
            }
            Stage::Clean => {
                self.uploads.remove(&id);
            }
        }
        made
    }

    /// Puts what a request of a job captures where it is looked for.
    fn told(&self, job: &Raw, raw: &Raw, id: &str, origin: &str, made: &mut Made) {
        let all = crate::connect::pack::streams::json(job).to_string();
        for entry in entries(raw, "capture") {
            let Some(expression) = entry.value.text().and_then(whole) else { continue };
            // What is an address as a whole later on is one of ours.
            let address = all.contains(&format!("\"url\":\"{{{{ job.{} }}}}\"", entry.key));
            let value = match address {
                true => json!(format!("{origin}{OWN}{id}/{}", entry.key)),
                false => json!(id),
            };
            made.put(&expression, Some(value));
        }
    }
}

/// Whether something in a tree speaks of a name.
fn mentions(raw: Option<&Raw>, name: &str) -> bool {
    raw.is_some_and(|raw| crate::connect::pack::streams::json(raw).to_string().contains(name))
}

/// An answer in the form that its outcomes are read from.
pub(super) fn written(outcome: Option<&Raw>, batch: Option<&Raw>, made: &mut Made) {
    let format = outcome.and_then(|outcome| word(outcome, "format")).unwrap_or_default();
    let Json::Array(rows) = &made.body else { return };
    let text = match format.as_str() {
        "ndjson" => rows.iter().map(|row| format!("{row}\n")).collect(),
        "csv" => {
            let delimiter = batch.and_then(|batch| get(batch, "delimiter")).and_then(scalar);
            let delimiter = delimiter.unwrap_or_else(|| ",".into());
            let mut names: Vec<&String> = Vec::new();
            for name in rows.iter().filter_map(Json::as_object).flat_map(|row| row.keys()) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
            let quoted = |text: String| format!("\"{}\"", text.replace('"', "\"\""));
            let line = |cells: Vec<String>| cells.join(&delimiter) + "\n";
            let mut out = line(names.iter().map(|name| quoted((*name).clone())).collect());
            for row in rows {
                out.push_str(&line(
                    names.iter().map(|name| quoted(place::text(row.get(*name).unwrap_or(&Json::Null)))).collect(),
                ));
            }
            out
        }
        "parts" => {
            let text = parts(rows);
            made.header("content-type", "multipart/mixed; boundary=simulated");
            text
        }
        _ => return,
    };
    made.body = Json::String(text);
}

/// Answers to the requests of an OData batch, each in a part.
fn parts(rows: &[Json]) -> String {
    let mut out = String::new();
    for (at, row) in rows.iter().enumerate() {
        let status = row["status"].as_u64().unwrap_or(200);
        let body = if row["body"].is_null() { String::new() } else { row["body"].to_string() };
        let id = row["id"].as_str().map_or_else(|| format!("{at:08}"), str::to_owned);
        out.push_str(&format!(
            "--simulated\r\nContent-Type: application/http\r\nContent-ID: {id}\r\n\r\nHTTP/1.1 {status} simulated\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}\r\n",
            body.len()
        ));
    }
    out.push_str("--simulated--\r\n");
    out
}
