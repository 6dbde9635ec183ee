//! The simulated system: its records, its sign-in, and what it answers. No network and no clock of its own.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::data::{self, Written};
use super::pattern::{Captures, whole};
use super::place::{self, Change, Made, text};
use super::routes::{self, Asked, Part, Route, entries, get, word};
use super::trouble::{Trouble, mixed};
use crate::config::yaml::Raw;
use crate::connect::pack::Pack;
use crate::connect::pack::exchanges::Reply;
use crate::connect::pack::reader::scalar;
use crate::record::Path;

/// How a simulated system begins.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Parameters as a connector would give them: what addresses are made with.
    pub params: Json,
    /// Everything that looks like chance follows from it.
    pub seed: u64,
    /// Records of each stream; `None`: the pack's examples, or 25.
    pub records: Option<usize>,
    /// Records by stream, in place of made-up ones.
    pub data: BTreeMap<String, Vec<Json>>,
    /// How long tokens hold, in seconds.
    pub token_seconds: u64,
}

/// A simulated system.
pub struct World {
    pack: &'static Pack,
    setup: Setup,
    routes: Vec<Route>,
    /// For each route the answer that a test of the pack recorded.
    recorded: Vec<Option<Made>>,
    /// Answers with an error, as tests of the pack recorded them.
    refusals: Vec<Made>,
    tables: BTreeMap<String, Table>,
    /// Grows with every change of a record.
    pub(super) revision: u64,
    made: u64,
    /// Tokens that were given, with the second they end.
    tokens: BTreeMap<String, u64>,
    refreshes: BTreeMap<String, bool>,
}

/// The records of a stream.
pub(super) struct Table {
    pub(super) records: Vec<Kept>,
    pub(super) key: Vec<Path>,
    pub(super) lift: Option<Path>,
    pub(super) cursor: Option<(Path, Written)>,
}

/// A record.
pub(super) struct Kept {
    pub(super) json: Json,
    pub(super) revision: u64,
    pub(super) parent: Option<Json>,
    pub(super) gone: bool,
}

/// What a request came to.
#[derive(Debug)]
pub struct Answered {
    /// What it was for, for a log: `read customers`.
    pub what: String,
    /// The answer.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
    /// Records that were changed: the stream, what was done, the record.
    pub changes: Vec<(String, &'static str, Json)>,
}

impl World {
    /// A system of this pack.
    pub fn new(pack: &'static Pack, setup: Setup) -> Self {
        let routes = routes::all(pack, &setup.params);
        let mut tables = BTreeMap::new();
        for stream in &pack.streams {
            let raw = entries(&pack.raw, "streams").iter().find(|entry| entry.key == stream.name).map(|e| &e.value);
            let read = raw.and_then(|raw| get(raw, "read"));
            let lift = read.and_then(|read| get(read, "shape")).and_then(|shape| get(shape, "lift"));
            let lift = lift.and_then(|raw| scalar(raw).or_else(|| raw.items().first().and_then(scalar)));
            let lift = lift.and_then(|path| Path::parse(&path).ok());
            let cursor = read.and_then(|read| get(read, "cursor"));
            let cursor = cursor.and_then(|raw| {
                let written = match word(raw, "type").as_deref() {
                    Some("unix") => Written::Seconds,
                    Some("unix_ms") => Written::Milliseconds,
                    Some("date") => Written::Day,
                    Some("number") => Written::Count,
                    _ => Written::Text,
                };
                Some((Path::parse(&word(raw, "field")?).ok()?, written))
            });
            let records = match setup.data.get(&stream.name) {
                Some(given) => given.clone(),
                None => data::records(stream, lift.as_ref(), cursor.as_ref(), setup.seed, setup.records),
            };
            let kept = |json: Json| Kept { json, revision: 0, parent: None, gone: false };
            let table =
                Table { records: records.into_iter().map(kept).collect(), key: stream.key.clone(), lift, cursor };
            tables.insert(stream.name.clone(), table);
        }
        let mut world = Self {
            pack,
            recorded: Vec::new(),
            refusals: Vec::new(),
            routes,
            tables,
            revision: 0,
            made: 0,
            tokens: BTreeMap::new(),
            refreshes: BTreeMap::new(),
            setup,
        };
        world.give_parents();
        world.learn();
        world
    }

    /// Children belong to the parents in turn.
    fn give_parents(&mut self) {
        for entry in entries(&self.pack.raw, "streams") {
            let each = get(&entry.value, "read").and_then(|read| get(read, "each"));
            let Some(parent) = each.and_then(|each| word(each, "stream")) else { continue };
            let parents: Vec<Json> = self
                .tables
                .get(&parent)
                .map(|t| t.records.iter().map(|kept| kept.json.clone()).collect())
                .unwrap_or_default();
            let Some(table) = self.tables.get_mut(&entry.key).filter(|_| !parents.is_empty()) else { continue };
            for (at, kept) in table.records.iter_mut().enumerate() {
                kept.parent = Some(parents[at % parents.len()].clone());
            }
        }
    }

    /// What answers look like, from the tests of the pack.
    fn learn(&mut self) {
        self.recorded = vec![None; self.routes.len()];
        for test in &self.pack.exchanges {
            for pair in &test.pairs {
                let Reply::Answer { status, headers, body } = &pair.reply else { continue };
                let mut made = Made::new(*status, body.clone().unwrap_or_default());
                for (name, value) in headers.as_object().into_iter().flatten() {
                    made.header(&name.to_lowercase(), text(value));
                }
                if *status >= 400 {
                    self.refusals.push(made);
                    continue;
                }
                let (path, query) = pair.path.split_once('?').unwrap_or((&pair.path, ""));
                let path = match path.find("://") {
                    Some(at) => path[at + 3..].find('/').map_or("/", |slash| &path[at + 3 + slash..]),
                    None => path,
                };
                let mut asked = Asked {
                    method: pair.method.clone(),
                    path: path.to_owned(),
                    query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
                    ..Asked::default()
                };
                for (name, value) in pair.query.as_object().into_iter().flatten() {
                    asked.query.push((name.clone(), text(value)));
                }
                let tree = pair.form.clone().or_else(|| pair.body.clone()).unwrap_or_default();
                if let Some((at, _)) = self.find(&asked, &tree) {
                    self.recorded[at].get_or_insert(made);
                }
            }
        }
    }

    fn find(&self, asked: &Asked, tree: &Json) -> Option<(usize, Captures)> {
        let mut best: Option<(usize, usize, Captures)> = None;
        for (at, route) in self.routes.iter().enumerate() {
            let Some((score, captures)) = route.read(asked, tree) else { continue };
            if best.as_ref().is_none_or(|(_, known, _)| score > *known) {
                best = Some((at, score, captures));
            }
        }
        best.map(|(at, _, captures)| (at, captures))
    }

    /// Whether a request changes something, for troubles that befall only those.
    pub fn writes(&self, asked: &Asked) -> bool {
        let found = self.find(asked, &asked.tree());
        found.is_some_and(|(at, _)| matches!(self.routes[at].part, Part::Write(..)))
    }

    /// Every token that was given ends now.
    pub fn expire_tokens(&mut self) {
        self.tokens.values_mut().for_each(|end| *end = 0);
    }

    /// The records of a stream, as they are now.
    pub fn records(&self, stream: &str) -> Option<Vec<&Json>> {
        let table = self.tables.get(stream)?;
        Some(table.records.iter().filter(|kept| !kept.gone).map(|kept| &kept.json).collect())
    }

    /// Answers a request. `now`: seconds since 1970.
    pub fn answer(&mut self, asked: &Asked, now: u64, trouble: Option<Trouble>) -> Answered {
        let mut changes = Vec::new();
        let (what, made) = self.made(asked, now, trouble, &mut changes);
        let mut headers = made.headers;
        let body = match made.body {
            Json::Null => Vec::new(),
            Json::String(text) => text.into_bytes(),
            tree => {
                if !headers.iter().any(|(name, _)| name == "content-type") {
                    headers.push(("content-type".into(), "application/json".into()));
                }
                tree.to_string().into_bytes()
            }
        };
        Answered { what, status: made.status, headers, body, changes }
    }

    fn made(
        &mut self,
        asked: &Asked,
        now: u64,
        trouble: Option<Trouble>,
        changes: &mut Vec<(String, &'static str, Json)>,
    ) -> (String, Made) {
        if let Some(name) = asked.path.strip_prefix("/simulator/records/") {
            return match self.records(name) {
                Some(records) => ("show records".into(), Made::new(200, json!(records))),
                None => ("show records".into(), Made::new(404, json!({ "error": "there is no such stream" }))),
            };
        }
        if asked.path == "/simulator/expire" {
            self.expire_tokens();
            return ("expire tokens".into(), Made::new(200, json!({ "expired": self.tokens.len() })));
        }
        if let Some(Trouble::Status(status)) = trouble {
            return (format!("fault {status}"), self.refused(status, "simulated: it fails now and then"));
        }
        let tree = asked.tree();
        let ours = asked.path.strip_prefix("/simulated/").map(str::to_owned);
        let found = match &ours {
            Some(stream) => {
                let part = Part::Read(stream.clone());
                self.routes.iter().position(|route| route.part == part).map(|at| (at, Captures::new()))
            }
            None => self.find(asked, &tree),
        };
        let Some((at, captures)) = found else {
            let what = format!("unknown {} {}", asked.method, asked.path);
            return (what, self.refused(404, "there is nothing of that name: the pack makes no such request"));
        };
        let part = self.routes[at].part.clone();
        if !matches!(part, Part::Token | Part::Authorize | Part::Device | Part::SignIn(..) | Part::SignOut)
            && ours.is_none()
            && let Some(why) = self.unwelcome(asked, now)
        {
            return ("not signed in".into(), self.refused(401, why));
        }
        let raw = self.routes[at].raw.clone();
        let base = self.recorded[at].clone().unwrap_or_else(|| Made::new(200, Json::Null));
        let origin = origin(asked);
        match part {
            Part::Token => ("give a token".into(), self.token(asked, &raw, base, now, &origin)),
            Part::Authorize => ("sign in".into(), self.authorize(asked)),
            Part::Device => (
                "give a device code".into(),
                Made::new(
                    200,
                    json!({
                        "device_code": self.fresh("device"), "user_code": "SIMU-LATE", "verification_uri": format!("{origin}/device"),
                        "expires_in": 600, "interval": 1,
                    }),
                ),
            ),
            Part::SignIn(way, _) => (format!("sign in by {way}"), self.session(&raw, base, now, &origin)),
            Part::SignOut => ("sign out".into(), Made::new(200, json!({}))),
            Part::Discover(name) => (format!("discover {name}"), base),
            Part::Probe => ("probe".into(), self.probe(&raw, base)),
            Part::Read(stream) => {
                let made = self.read(&stream, &raw, base, asked, &tree, &captures, &origin);
                (format!("read {stream}"), made)
            }
            Part::Find(stream) => (format!("find {stream}"), self.look(&stream, &raw, base, &captures)),
            Part::Write(stream, mode) => {
                let reject = trouble == Some(Trouble::RejectItem);
                let made = self.write(&stream, mode, &raw, base, asked, &captures, (now, reject), changes);
                (format!("{} {stream}", mode.name()), made)
            }
            Part::Job(stream, step) => {
                (format!("{step} a job of {stream}"), self.job(&stream, step, &raw, base, &origin))
            }
            Part::Call(name) => (format!("call {name}"), self.call(&raw, base, &captures)),
        }
    }

    fn probe(&self, raw: &Raw, mut base: Made) -> Made {
        if base.body.is_null() {
            base.body = json!({});
        }
        if let Some(condition) = word(raw, "healthy") {
            base.fulfil(&condition, true);
        }
        if let Some(condition) = word(raw, "degraded") {
            base.fulfil(&condition, false);
        }
        if let Some(quota) = get(raw, "quota") {
            for (key, value) in [("left", 900), ("of", 1000)] {
                if let Some(expression) = word(quota, key) {
                    base.put(&expression, Some(json!(value)));
                }
            }
        }
        base
    }

    fn call(&mut self, raw: &Raw, mut base: Made, captures: &Captures) -> Made {
        if base.body.is_null() {
            base.body = json!({ "simulated": true });
            for (expression, value) in captures {
                if let Some(name) = expression.strip_prefix("input.") {
                    base.body[name] = value.clone();
                }
            }
            if let Some(result) = word(raw, "result") {
                base.put(&format!("answer.body.{result}"), Some(json!([])));
            }
        }
        base
    }

    // Sign-in.

    pub(super) fn fresh(&mut self, of: &str) -> String {
        self.made += 1;
        format!("sim-{of}-{}-{:08x}", self.made, mixed(self.setup.seed ^ self.made) >> 32)
    }

    /// Why a request may not be made; `None`: it may.
    fn unwelcome(&self, asked: &Asked, now: u64) -> Option<&'static str> {
        let ways = entries(&self.pack.raw, "auth").iter().find(|entry| entry.key == "ways")?;
        let ways = ways.value.entries();
        let kinds: Vec<String> = ways.iter().filter_map(|way| word(&way.value, "kind")).collect();
        if kinds.is_empty() || kinds.iter().any(|kind| kind == "none") {
            return None;
        }
        let carried = asked.headers.iter().map(|(_, value)| value).chain(asked.query.iter().map(|(_, value)| value));
        for value in carried {
            let token = value.strip_prefix("Bearer ").unwrap_or(value);
            if let Some(end) = self.tokens.get(token) {
                return (now >= *end).then_some("the token has expired");
            }
            if token.starts_with("sim-token-") {
                return Some("the token was never given");
            }
        }
        // What is sent is not known to be right; that nothing is sent is wrong for sure.
        let mut names = vec!["authorization".to_owned(), "cookie".to_owned()];
        for send in ways.iter().filter_map(|way| get(&way.value, "send")) {
            let all: Vec<&Raw> = if send.items().is_empty() { vec![send] } else { send.items().iter().collect() };
            names.extend(
                all.iter().flat_map(|raw| raw.entries()).filter_map(|e| scalar(&e.value)).map(|n| n.to_lowercase()),
            );
        }
        let known = |name: &str| names.iter().any(|known| known == &name.to_lowercase());
        let sent = asked.headers.iter().any(|(name, _)| known(name)) || asked.query.iter().any(|(name, _)| known(name));
        let in_body = ways.iter().any(|way| {
            let send = get(&way.value, "send");
            send.is_some_and(|send| {
                get(send, "body").is_some() || send.items().iter().any(|raw| get(raw, "body").is_some())
            })
        });
        (!sent && !in_body).then_some("no credentials were sent")
    }

    fn give(&mut self, now: u64) -> String {
        let token = self.fresh("token");
        self.tokens.insert(token.clone(), now + self.setup.token_seconds);
        token
    }

    fn token(&mut self, asked: &Asked, raw: &Raw, base: Made, now: u64, origin: &str) -> Made {
        let tree = asked.tree();
        let grant = tree.get("grant_type").map(text).unwrap_or_default();
        if let Some(old) = tree.get("refresh_token").map(text).filter(|_| grant == "refresh_token") {
            match self.refreshes.get_mut(&old) {
                // A refresh token that consign was given by hand is taken once, like the others.
                None if !old.starts_with("sim-") => {
                    self.refreshes.insert(old, true);
                }
                Some(used) if !*used => *used = true,
                _ => {
                    let body =
                        json!({ "error": "invalid_grant", "error_description": "the refresh token was used before" });
                    return Made::new(400, body);
                }
            }
        }
        let token = self.give(now);
        let mut made = base;
        made.status = 200;
        if !made.body.is_object() {
            made.body = json!({});
        }
        made.put("answer.body.access_token", Some(json!(token)));
        made.put("answer.body.token_type", Some(json!("Bearer")));
        made.put("answer.body.expires_in", Some(json!(self.setup.token_seconds)));
        if matches!(grant.as_str(), "refresh_token" | "authorization_code") || grant.ends_with("device_code") {
            let refresh = self.fresh("refresh");
            self.refreshes.insert(refresh.clone(), false);
            made.put("answer.body.refresh_token", Some(json!(refresh)));
        }
        self.captured(raw, &mut made, &token, origin);
        made
    }

    fn authorize(&mut self, asked: &Asked) -> Made {
        let mut made = Made::new(302, Json::Null);
        let back = asked.parameter("redirect_uri").unwrap_or("http://127.0.0.1/").to_owned();
        let code = self.fresh("code");
        if let Ok(mut url) = url::Url::parse(&back) {
            url.query_pairs_mut()
                .append_pair("code", &code)
                .append_pair("state", asked.parameter("state").unwrap_or(""));
            made.header("location", url.to_string());
        }
        made
    }

    fn session(&mut self, raw: &Raw, base: Made, now: u64, origin: &str) -> Made {
        let token = self.give(now);
        let mut made = base;
        if !made.body.is_object() {
            made.body = json!({});
        }
        if let Some(condition) = word(raw, "success") {
            made.fulfil(&condition, true);
        }
        if word(raw, "cookies").as_deref() == Some("true") {
            made.header("set-cookie", format!("simulated-session={token}"));
        }
        self.captured(raw, &mut made, &token, origin);
        made
    }

    /// Puts what is captured of an answer where it is looked for.
    fn captured(&self, raw: &Raw, made: &mut Made, token: &str, origin: &str) {
        for entry in entries(raw, "capture") {
            let Some(expression) = entry.value.text().and_then(whole) else { continue };
            let name = entry.key.to_lowercase();
            let value = match name.as_str() {
                "token" => json!(token),
                "expires_in" => json!(self.setup.token_seconds),
                "refresh_token" | "expires_at" => continue,
                _ if name.contains("url") || name.contains("host") => json!(origin),
                _ => json!(format!("simulated-{name}")),
            };
            made.put(&expression, Some(value));
        }
    }

    // Errors.

    /// An error as the system words it.
    pub(super) fn refused(&self, status: u16, why: &str) -> Made {
        let known = self.refusals.iter().find(|made| made.status == status);
        let mut made = known.cloned().unwrap_or_else(|| Made::new(status, json!({})));
        for fault in get(&self.pack.raw, "faults").map_or(&[][..], Raw::items) {
            let statuses = get(fault, "status");
            let fits = statuses.is_some_and(|raw| {
                let all: Vec<&Raw> = if raw.items().is_empty() { vec![raw] } else { raw.items().iter().collect() };
                all.iter()
                    .filter_map(|raw| scalar(raw))
                    .any(|text| text == status.to_string() || text == format!("{}xx", status / 100))
            });
            if !fits || (get(fault, "when").is_some() && known.is_none() && status != 429) {
                continue;
            }
            if known.is_none() {
                if let Some(condition) = word(fault, "when") {
                    made.fulfil(&condition, true);
                }
                for hole in holes(&word(fault, "say").unwrap_or_default()) {
                    made.put(&hole, Some(json!(why)));
                }
            }
            break;
        }
        if made.body.as_object().is_some_and(serde_json::Map::is_empty) {
            made.body = json!({ "error": { "message": why } });
        }
        if matches!(status, 429 | 503) && !made.headers.iter().any(|(name, _)| name == "retry-after") {
            made.header("retry-after", "1");
        }
        made.status = status;
        made
    }

    // Jobs.

    fn job(&mut self, stream: &str, step: &str, raw: &Raw, base: Made, origin: &str) -> Made {
        let mut made = base;
        if !made.body.is_object() && !made.body.is_array() {
            made.body = json!({});
        }
        let there = format!("{origin}/simulated/{stream}");
        let read = entries(&self.pack.raw, "streams").iter().find(|entry| entry.key == stream);
        let job = read.and_then(|entry| get(&entry.value, "read")).and_then(|read| get(read, "job")).cloned();
        let parts = job.as_ref().and_then(|job| word(job, "parts")).unwrap_or_default();
        if step == "poll" {
            for (key, holds) in [("failed", false), ("empty", false), ("done", true)] {
                if let Some(condition) = word(raw, key) {
                    made.fulfil(&condition, holds);
                }
            }
        }
        for entry in entries(raw, "capture") {
            let Some(expression) = entry.value.text().and_then(whole) else { continue };
            let name = entry.key.to_lowercase();
            let value = match name.as_str() {
                _ if parts.contains(&format!("job.{}", entry.key)) => json!([{ "url": there, "type": stream }]),
                _ if ["url", "file", "location", "link"].iter().any(|word| name.contains(word)) => json!(there),
                _ => json!(format!("simulated-{stream}")),
            };
            made.put(&expression, Some(value));
        }
        made
    }

    // What reading and writing share.

    pub(super) fn table(&mut self, stream: &str) -> Option<&mut Table> {
        self.tables.get_mut(stream)
    }

    pub(super) fn known(&self, stream: &str) -> Option<&Table> {
        self.tables.get(stream)
    }

    pub(super) fn seed(&self) -> u64 {
        self.setup.seed
    }

    /// A record by fields that a request named.
    fn look(&self, stream: &str, raw: &Raw, base: Made, captures: &Captures) -> Made {
        let Some(table) = self.tables.get(stream) else { return base };
        let wanted: Vec<(Path, String)> = captures
            .iter()
            .filter_map(|(expression, value)| {
                let steps = place::reference(expression, "record")?;
                let path = Path(
                    steps
                        .into_iter()
                        .filter_map(|step| {
                            if let place::Step::Name(name) = step {
                                Some(crate::record::path::Step::Key(name))
                            } else {
                                None
                            }
                        })
                        .collect(),
                );
                (!path.0.is_empty()).then(|| (path, text(value)))
            })
            .collect();
        let fits = |kept: &&Kept| {
            !kept.gone
                && wanted.iter().all(|(path, value)| table.field(&kept.json, path).map(text).as_ref() == Some(value))
        };
        let found: Vec<Json> = table.records.iter().filter(fits).map(|kept| kept.json.clone()).collect();
        let mut made = base;
        let place = word(raw, "found").unwrap_or_else(|| "answer.body".into());
        let by_path = place.trim() == "answer.body";
        if by_path {
            return match found.into_iter().next() {
                Some(record) => Made::new(200, record),
                None => self.refused(404, "there is no such record"),
            };
        }
        made.status = 200;
        let list = !place.contains("[0]");
        let place = place.replace("[0]", "").replace("[?0]", "");
        made.put(&place, Some(Json::Array(found)));
        let _ = list;
        made
    }
}

impl Table {
    /// A field of a record, wherever the pack lifts it from.
    pub(super) fn field<'j>(&self, record: &'j Json, path: &Path) -> Option<&'j Json> {
        data::get(record, path).or_else(|| {
            let lift = self.lift.as_ref()?;
            data::get(record, &Path(lift.0.iter().chain(&path.0).cloned().collect()))
        })
    }

    /// Sets a field of a record where it stands, or would stand.
    pub(super) fn set(&self, record: &mut Json, path: &Path, value: Json) {
        let inside = self.lift.as_ref().map(|lift| Path(lift.0.iter().chain(&path.0).cloned().collect()));
        match inside {
            Some(inside) if data::get(record, path).is_none() && !self.key.contains(path) => {
                data::put(record, &inside, value);
            }
            _ => data::put(record, path, value),
        }
    }
}

/// Puts a value into one element of a list of outcomes.
pub(super) fn into_item(item: &mut Json, expression: &str, change: Change) {
    if let Some(steps) = place::reference(expression, "item") {
        match change {
            Change::Set(value) => place::set(item, &steps, Some(value)),
            Change::Remove => place::set(item, &steps, None),
        }
    }
}

/// The origin that a request was meant for: what addresses in answers begin with.
pub(super) fn origin(asked: &Asked) -> String {
    match asked.header(crate::connect::web::stand_in::ORIGIN) {
        Some(origin) => origin.to_owned(),
        None => format!("http://{}", asked.header("host").unwrap_or("127.0.0.1")),
    }
}

/// The expressions of a text.
fn holes(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once("{{") {
        let Some((hole, after)) = behind.split_once("}}") else { break };
        out.push(hole.trim().to_owned());
        rest = after;
    }
    out
}
