//! The simulated system: its records, its sign-in, and what it answers. No network and no clock of its own.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::data::{self, Written};
use super::jobs::{OWN, Upload, Uploaded};
use super::pattern::Captures;
use super::place::{self, Change, Made, text};
use super::routes::{self, Asked, Part, Route, entries, get, word};
use super::trouble::{Trouble, mixed};
use super::wording::Left;
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
    /// How many records, by stream; where nothing is said, the pack's examples, or 25.
    pub records: BTreeMap<String, usize>,
    /// Records by stream, in place of made-up ones.
    pub data: BTreeMap<String, Vec<Json>>,
    /// When it begins, in seconds since 1970: the newest records are from a minute before.
    pub now: i64,
    /// How long tokens hold, in seconds.
    pub token_seconds: u64,
}

/// A simulated system.
pub struct World {
    pub(super) pack: &'static Pack,
    /// The tree of the pack, names of streams put in.
    pub(super) raw: Raw,
    pub(super) setup: Setup,
    routes: Vec<Route>,
    /// For each route the answer that a test of the pack recorded.
    recorded: Vec<Option<Made>>,
    /// Answers with an error, as tests of the pack recorded them.
    pub(super) refusals: Vec<Made>,
    tables: BTreeMap<String, Table>,
    /// Grows with every change of a record.
    pub(super) revision: u64,
    made: u64,
    /// Tokens that were given, with the second they end.
    pub(super) tokens: BTreeMap<String, u64>,
    pub(super) refreshes: BTreeMap<String, bool>,
    /// Jobs that write, by what they are known by.
    pub(super) uploads: BTreeMap<String, Upload>,
    /// What the moments of exports stand for, and behind which one an export begins, by stream.
    pub(super) exports: BTreeMap<String, u64>,
    pub(super) since: BTreeMap<String, u64>,
    /// Answers to requests that are known by a key.
    pub(super) answered: BTreeMap<String, Made>,
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
        let raw = routes::named(pack);
        let routes = routes::all(&raw, &setup.params);
        let mut tables = BTreeMap::new();
        for stream in &pack.streams {
            let raw = entries(&raw, "streams").iter().find(|entry| entry.key == stream.name).map(|e| &e.value);
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
                    _ => word(raw, "like").map_or(Written::Text, Written::Like),
                };
                Some((Path::parse(&word(raw, "field")?).ok()?, written))
            });
            let records = match setup.data.get(&stream.name) {
                Some(given) => given.clone(),
                None => data::records(
                    stream,
                    lift.as_ref(),
                    cursor.as_ref(),
                    setup.seed,
                    setup.records.get(&stream.name).copied(),
                    setup.now,
                ),
            };
            let kept = |json: Json| Kept { json, revision: 1, parent: None, gone: false };
            let table =
                Table { records: records.into_iter().map(kept).collect(), key: stream.key.clone(), lift, cursor };
            tables.insert(stream.name.clone(), table);
        }
        let mut world = Self {
            pack,
            raw,
            recorded: Vec::new(),
            refusals: Vec::new(),
            routes,
            tables,
            revision: 1,
            made: 0,
            tokens: BTreeMap::new(),
            refreshes: BTreeMap::new(),
            uploads: BTreeMap::new(),
            answered: BTreeMap::new(),
            exports: BTreeMap::new(),
            since: BTreeMap::new(),
            setup,
        };
        world.give_parents();
        world.learn();
        world
    }

    /// Children belong to the parents in turn.
    fn give_parents(&mut self) {
        for entry in entries(&self.raw.clone(), "streams") {
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
        let mut best: Vec<(usize, usize, Captures)> = Vec::new();
        for (at, route) in self.routes.iter().enumerate() {
            let Some((score, captures)) = route.read(asked, tree) else { continue };
            match best.first().map_or(0, |(_, known, _)| *known) {
                known if !best.is_empty() && score < known => {}
                known => {
                    if score > known {
                        best.clear();
                    }
                    best.push((at, score, captures));
                }
            }
        }
        // Requests of several streams may look the same: then it is the one that has the record.
        let known = best.iter().position(|(at, _, captures)| match &self.routes[*at].part {
            Part::Write(stream, mode) if best.len() > 1 => {
                let form = get(&self.routes[*at].raw, "batch").and_then(|batch| word(batch, "as"));
                let form = form.unwrap_or_else(|| "json".into());
                let items = super::keeping::items(&self.routes[*at].raw, asked, captures, &form);
                items.is_some_and(|items| self.holds(stream, *mode, &items))
            }
            _ => false,
        });
        let chosen = known.unwrap_or(0);
        best.into_iter().nth(chosen).map(|(at, _, captures)| (at, captures))
    }

    /// Whether a request changes something, for troubles that befall only those.
    pub fn writes(&self, asked: &Asked) -> bool {
        let found = self.find(asked, &asked.tree());
        found.is_some_and(|(at, _)| matches!(self.routes[at].part, Part::Write(..) | Part::Upload(..)))
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

    /// What a request costs of the budget of the pack.
    pub fn cost(&self, asked: &Asked) -> f64 {
        let found = self.find(asked, &asked.tree());
        found.and_then(|(at, _)| word(&self.routes[at].raw, "cost")?.parse().ok()).unwrap_or(1.0)
    }

    /// Answers a request. `now`: seconds since 1970; `left`: what may still be asked for, if that is limited.
    pub fn answer(&mut self, asked: &Asked, now: u64, trouble: Option<Trouble>, left: Option<&Left>) -> Answered {
        let mut changes = Vec::new();
        let (what, mut made) = self.made(asked, now, trouble, &mut changes);
        if let Some(left) = left {
            self.tell(left, &mut made);
        }
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
        let own = asked.path.strip_prefix(OWN).and_then(|rest| rest.split_once('/'));
        let own = own.map(|(id, name)| (id.to_owned(), format!("{{{{ job.{name} }}}}")));
        let found = match &ours {
            _ if own.is_some() => {
                let address = own.as_ref().map(|(_, address)| address.as_str());
                let stream = own.as_ref().map(|(id, _)| id.as_str());
                let fits = |route: &Route| {
                    let job = match &route.part {
                        Part::Upload(..) => true,
                        Part::Job(known, _) => Some(known.as_str()) == stream,
                        _ => false,
                    };
                    job && route.method == asked.method && word(&route.raw, "url").as_deref() == address
                };
                self.routes.iter().position(fits).map(|at| (at, Captures::new()))
            }
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
            && own.is_none()
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
                (format!("{step} a job of {stream}"), self.job(&stream, step, &raw, base, &captures, now, &origin))
            }
            Part::Upload(stream, mode, stage) => {
                let uploaded = Uploaded {
                    stream: &stream,
                    mode,
                    stage,
                    raw: &raw,
                    asked,
                    captures: &captures,
                    job: own.map(|(id, _)| id),
                    now,
                    reject: trouble == Some(Trouble::RejectItem),
                };
                let made = self.upload(&uploaded, base, &origin, changes);
                (format!("{} {stream} by a job", mode.name()), made)
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

    // What reading and writing share.

    pub(super) fn fresh(&mut self, of: &str) -> String {
        self.made += 1;
        format!("sim-{of}-{}-{:08x}", self.made, mixed(self.setup.seed ^ self.made) >> 32)
    }

    pub(super) fn table(&mut self, stream: &str) -> Option<&mut Table> {
        self.tables.get_mut(stream)
    }

    /// How a stream is written.
    pub(super) fn way(&self, stream: &str, mode: crate::config::Mode) -> Option<&Raw> {
        let write = get(get(get(&self.raw, "streams")?, stream)?, "write")?;
        get(write, routes::way_name(mode))
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
        place::apply(item, &steps, change);
    }
}

/// The origin that a request was meant for: what addresses in answers begin with.
pub(super) fn origin(asked: &Asked) -> String {
    match asked.header(crate::connect::web::stand_in::ORIGIN) {
        Some(origin) => origin.to_owned(),
        None => format!("http://{}", asked.header("host").unwrap_or("127.0.0.1")),
    }
}
