//! A saved plan: a JSON document (`consign.plan/1`) of what a run would do and of all that this
//! depends on, named by its hash. Before a plan is run the same is foreseen once more: if anything
//! moved, nothing runs.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::config::Mapping;
use crate::connect::Effects;
use crate::connect::protocols::{Guarantee, Window};
use crate::error::{Error, Kind, Result, codes};
use crate::record::Timestamp;
use crate::record::shown::hex;
use crate::store::{RouteState, SavedPlan};

use super::foresee::Foreseen;
use super::middle::Done;
use super::plan::Plan;

/// The name and version of the document.
pub const SCHEMA: &str = "consign.plan/1";

/// A plan, as it was saved.
#[derive(Clone, Debug)]
pub struct Planned {
    /// SHA-256 (hex) over everything else in the document.
    pub hash: String,
    /// The names it was asked for: mappings or routes.
    pub names: Vec<String>,
    /// Who made it.
    pub author: Option<String>,
    /// Whether it reads from the beginning.
    pub full: bool,
    /// Bounds of the cursor, if it reads between such.
    pub window: Option<Window>,
    /// The moment that mappings compute with, nanoseconds since 1970: that of the plan, so that the
    /// run sends what was approved of.
    pub moment_ns: i128,
    /// What is to happen on each route, as [`route`] tells it.
    pub routes: BTreeMap<String, Value>,
}

/// How far a planned run may read.
#[derive(Clone, Debug, Default)]
pub struct Bound {
    /// The plan.
    pub hash: String,
    /// For each route and slice how many records there are to be.
    ends: BTreeMap<String, HashMap<String, u64>>,
    /// For each route how many records somebody has agreed that it deletes, if somebody has.
    deletes: BTreeMap<String, u64>,
}

/// What a plan says of one route.
pub fn route(plan: &Plan, state: &RouteState, seen: &Foreseen) -> Value {
    let place = |end: &crate::config::StreamRef| format!("{}.{}", end.connector, end.stream);
    let stands = |all: &[(crate::record::SliceId, crate::record::Settled)]| -> Value {
        all.iter().map(|(slice, s)| json!({ "slice": &**slice, "position": s.position, "done": s.done })).collect()
    };
    let totals = &seen.totals;
    json!({
        "route": plan.name(),
        "from": place(&plan.mapping.from),
        "to": place(&plan.mapping.to),
        "mode": plan.mapping.sync.mode.name(),
        "guarantee": word(plan.guarantee()),
        "approval": plan.mapping.sync.approval.map(|approval| json!({ "four_eyes": approval.four_eyes })),
        "mapping": plan.mapping.hash,
        "project": plan.project.0,
        "settled": { "group": state.group, "slices": stands(&state.settled) },
        "source": {
            "read": totals.read,
            "bytes": totals.bytes_read,
            "filtered": totals.filtered,
            "rejected": totals.rejected,
            "withheld": totals.withheld,
            "superseded": totals.superseded,
            "produced": totals.produced,
            "content": hex(&seen.content),
            "ends": seen.ends.iter().map(|(slice, s)| json!({
                "slice": &**slice, "byte": s.position.byte, "line": s.position.line, "record": s.position.record, "done": s.done,
            })).collect::<Vec<_>>(),
        },
        "effects": effects(&seen.effects),
    })
}

/// What becomes of the target, as a document tells it.
pub fn effects(effects: &Effects) -> Value {
    json!({
        "created": effects.created,
        "updated": effects.updated,
        "unchanged": effects.unchanged,
        "unmatched": effects.unmatched,
        "deleted": effects.deleted,
    })
}

/// The guarantee as one word.
pub fn word(guarantee: Guarantee) -> &'static str {
    match guarantee {
        Guarantee::ExactlyOnce => "exactly_once",
        Guarantee::KnownRequests => "known_requests",
        Guarantee::ByKey => "by_key",
        Guarantee::LookedUp => "looked_up",
        Guarantee::SetAside => "set_aside",
        Guarantee::AtLeastOnce => "at_least_once",
    }
}

impl Planned {
    /// Makes a plan of what was foreseen of each route.
    pub fn new(
        names: Vec<String>,
        author: Option<String>,
        (full, window): (bool, Option<Window>),
        moment: jiff::Timestamp,
        routes: Vec<Value>,
    ) -> Self {
        let name = |route: &Value| route["route"].as_str().unwrap_or_default().to_string();
        let routes = routes.into_iter().map(|route| (name(&route), route)).collect();
        let moment_ns = moment.as_nanosecond();
        let mut made = Self { hash: String::new(), names, author, full, window, moment_ns, routes };
        made.hash = hash(&made.body());
        made
    }

    /// The document, with its hash.
    pub fn document(&self) -> Value {
        let mut body = self.body();
        body.insert("hash".into(), json!(self.hash));
        Value::Object(body)
    }

    fn body(&self) -> Map<String, Value> {
        let moment = jiff::Timestamp::from_nanosecond(self.moment_ns).unwrap_or_default();
        let body = json!({
            "schema": SCHEMA,
            "names": self.names,
            "author": self.author,
            "made": moment.to_string(),
            "full": self.full,
            "since": self.window.as_ref().and_then(|window| window.since.as_ref()),
            "until": self.window.as_ref().and_then(|window| window.until.as_ref()),
            "routes": self.routes.values().collect::<Vec<_>>(),
        });
        match body {
            Value::Object(body) => body,
            _ => Map::new(),
        }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`Kind::Invalid`] if it is no plan, [`Kind::Refused`] if it is not as it was saved.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let invalid = |cause: String| {
            Error::new(Kind::Invalid, &codes::sync::PLAN_UNREADABLE, cause)
                .hint("a plan is what `consign sync plan NAME --save FILE` wrote")
        };
        let document: Value =
            serde_json::from_slice(bytes).map_err(|e| invalid(format!("the file is no JSON: {e}")))?;
        let Value::Object(mut body) = document else { return Err(invalid("the file is no plan".into())) };
        if body.get("schema").and_then(Value::as_str) != Some(SCHEMA) {
            return Err(invalid(format!("the file is no plan of the form `{SCHEMA}`")));
        }
        let said = body.remove("hash");
        let hash = hash(&body);
        if said.as_ref().and_then(Value::as_str) != Some(hash.as_str()) {
            return Err(Error::new(
                Kind::Refused,
                &codes::sync::PLAN_ALTERED,
                "the plan is not as it was saved: what it says does not have its hash",
            )
            .hint("make it again: consign sync plan NAME --save FILE"));
        }
        let made = body.get("made").and_then(Value::as_str).and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let routes = body.get("routes").and_then(Value::as_array);
        let (Some(made), Some(routes)) = (made, routes) else {
            return Err(invalid("the plan lacks `made` or `routes`".into()));
        };
        let bound = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_string);
        let window = Some(Window { since: bound("since"), until: bound("until") });
        let window = window.filter(|window| window.since.is_some() || window.until.is_some());
        let names = body.get("names").and_then(Value::as_array).into_iter().flatten();
        let read = Self::new(
            names.filter_map(|name| name.as_str().map(str::to_string)).collect(),
            body.get("author").and_then(Value::as_str).map(str::to_string),
            (body.get("full").and_then(Value::as_bool).unwrap_or(false), window),
            made,
            routes.clone(),
        );
        // What else a later version may have put into it counts for the hash as well.
        Ok(Self { hash, ..read })
    }

    /// The moment that mappings compute with.
    pub fn moment(&self) -> Timestamp {
        let moment = jiff::Timestamp::from_nanosecond(self.moment_ns).unwrap_or_default();
        Timestamp { seconds: moment.as_second(), nanos: moment.subsec_nanosecond().unsigned_abs(), offset: 0 }
    }

    /// How far its run may read, and how much of each route it may delete if somebody has `approved` of
    /// the plan: who did has seen the numbers.
    pub fn bound(&self, approved: bool) -> Bound {
        let ends = |route: &Value| {
            let ends = route["source"]["ends"].as_array().into_iter().flatten();
            ends.filter_map(|end| Some((end["slice"].as_str()?.to_string(), end["record"].as_u64()?))).collect()
        };
        let ends = self.routes.iter().map(|(name, route)| (name.clone(), ends(route))).collect();
        let deletes = |(name, route): (&String, &Value)| {
            let records = route["effects"]["deleted"].as_u64().filter(|records| approved && *records > 0);
            records.map(|records| (name.clone(), records))
        };
        Bound { hash: self.hash.clone(), ends, deletes: self.routes.iter().filter_map(deletes).collect() }
    }

    /// Refuses a plan that somebody has to approve of and nobody has, or the wrong person.
    ///
    /// # Errors
    /// [`Kind::Refused`], saying how to go on.
    pub fn approved(&self, mapping: &Mapping, known: &SavedPlan) -> Result<()> {
        let Some(approval) = mapping.sync.approval else { return Ok(()) };
        let Some(given) = &known.approval else {
            let cause = format!(
                "route `{}` runs with an approved plan only, and nobody approved of this one",
                mapping.name.value
            );
            return Err(Error::new(Kind::Refused, &codes::sync::APPROVAL_MISSING, cause)
                .fact("plan", &self.hash)
                .hint("consign sync approve FILE --as NAME --reason TEXT"));
        };
        if approval.four_eyes { four_eyes(known, &given.who) } else { Ok(()) }
    }

    /// Compares what was planned of a route with what is foreseen now.
    ///
    /// # Errors
    /// [`Kind::Refused`], naming everything that moved.
    pub fn still(&self, now: &Value) -> Result<()> {
        let name = now["route"].as_str().unwrap_or_default();
        let Some(then) = self.routes.get(name) else {
            let cause = format!("the plan says nothing of route `{name}`");
            return Err(Error::new(Kind::Refused, &codes::sync::PLAN_MOVED, cause).fact("plan", &self.hash));
        };
        let mut moved: Vec<(&'static str, String)> = Vec::new();
        for (key, what) in [
            ("mapping", "the mapping"),
            ("project", "connectors.yaml"),
            ("settled", "what is settled"),
            ("source", "the source"),
            ("effects", "the expected effects"),
        ] {
            if then[key] != now[key] {
                moved.push((what, difference(&then[key], &now[key])));
            }
        }
        if moved.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = moved.iter().map(|(what, _)| *what).collect();
        let cause = format!("the plan no longer holds for route `{name}`: {} moved", names.join(", "));
        let mut error = Error::new(Kind::Refused, &codes::sync::PLAN_MOVED, cause).fact("plan", &self.hash);
        for (what, difference) in moved {
            error = error.fact(what, difference);
        }
        Err(error.hint(format!("make a new plan: consign sync plan {} --save FILE", self.names.join(" "))))
    }
}

/// Refuses an approver who is the author.
///
/// # Errors
/// [`Kind::Refused`].
pub fn four_eyes(plan: &SavedPlan, approver: &str) -> Result<()> {
    let same = |author: &String| author.trim().eq_ignore_ascii_case(approver.trim());
    if plan.author.as_ref().is_none_or(same) {
        let cause = match &plan.author {
            Some(author) => format!("`{author}` made this plan, and somebody else has to approve of it"),
            None => "nobody is known to have made this plan, so that nobody else can approve of it".to_string(),
        };
        return Err(Error::new(Kind::Refused, &codes::sync::SAME_PERSON, cause)
            .hint("the route asks for four eyes: `sync.approval.four_eyes` of its mapping"));
    }
    Ok(())
}

impl Bound {
    /// How many records somebody has agreed that a mirror deletes; `None`: nobody has.
    pub fn deletes(&self, route: &str) -> Option<u64> {
        self.deletes.get(route).copied()
    }

    /// Refuses a part that goes past what was planned. `before` counts the records of its slice
    /// before it.
    ///
    /// # Errors
    /// [`Kind::Refused`]: the source grew after the plan was compared.
    pub fn admit(&self, route: &str, done: &Done, before: u64) -> Result<()> {
        let ends = self.ends.get(route);
        let planned = ends.and_then(|ends| ends.get(&*done.slice)).copied();
        if done.totals.read == 0 || planned.is_some_and(|planned| before + done.totals.read <= planned) {
            return Ok(());
        }
        Err(Error::new(Kind::Refused, &codes::sync::PLAN_MOVED, "the source has more records than were planned")
            .fact("plan", &self.hash)
            .hint("nothing past the plan was written; make a new plan for the rest"))
    }
}

/// The first numbers that differ, for a person.
fn difference(then: &Value, now: &Value) -> String {
    let (Value::Object(then), Value::Object(now)) = (then, now) else { return "changed".into() };
    let mut told: Vec<String> = Vec::new();
    for (key, value) in now {
        let before = then.get(key).unwrap_or(&Value::Null);
        if before != value && value.is_number() {
            told.push(format!("{key} was {before}, is {value}"));
        }
    }
    if told.is_empty() { "changed".into() } else { told.join("; ") }
}

fn hash(body: &Map<String, Value>) -> String {
    let mut sorted = Value::Object(body.clone());
    sorted.sort_all_objects();
    hex(&Sha256::digest(sorted.to_string().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Planned {
        let route = json!({
            "route": "items", "mapping": "m", "project": "p", "settled": { "group": 3 },
            "source": { "read": 10, "ends": [{ "slice": "a", "record": 10 }] },
            "effects": { "created": 4, "updated": 6 },
        });
        Planned::new(vec!["items".into()], Some("ann".into()), (false, None), jiff::Timestamp::UNIX_EPOCH, vec![route])
    }

    #[test]
    fn a_plan_comes_back_as_it_was_saved() {
        let saved = sample();
        let read = Planned::read(saved.document().to_string().as_bytes()).unwrap();
        assert_eq!(
            (read.hash, read.names, read.author, read.routes),
            (saved.hash, saved.names, saved.author, saved.routes)
        );
    }

    #[test]
    fn what_was_agreed_of_one_route_says_nothing_of_another() {
        let of = |route: &str, deleted: u64| json!({ "route": route, "effects": { "deleted": deleted } });
        let routes = vec![of("a", 900), of("b", 2), of("c", 0)];
        let plan = Planned::new(vec![], None, (false, None), jiff::Timestamp::UNIX_EPOCH, routes);
        let agreed = plan.bound(true);
        assert_eq!(["a", "b", "c", "d"].map(|route| agreed.deletes(route)), [Some(900), Some(2), None, None]);
        assert_eq!(plan.bound(false).deletes("a"), None);
    }

    #[test]
    fn every_altered_byte_is_found() {
        let text = sample().document().to_string();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
            assert!(Planned::read(&bytes).is_err(), "byte {at}");
        }
        for end in 0..text.len() {
            assert!(Planned::read(&text.as_bytes()[..end]).is_err());
        }
    }

    #[test]
    fn what_moved_is_named() {
        let plan = sample();
        let mut now = plan.routes["items"].clone();
        assert!(plan.still(&now).is_ok());
        now["effects"]["created"] = json!(5);
        now["mapping"] = json!("n");
        let error = plan.still(&now).unwrap_err();
        assert_eq!(error.kind(), Kind::Refused);
        assert!(error.cause().contains("the mapping, the expected effects moved"), "{error}");
        assert!(error.facts().iter().any(|(_, fact)| fact == "created was 4, is 5"));
        assert!(plan.still(&json!({ "route": "other" })).is_err());
    }
}
