//! `consign connect list`: which systems there are, how they stand, and which mappings use them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::packs::pack_of;
use crate::cli::context::Context;
use crate::cli::output::text::table;
use crate::cli::output::{Answer, Rows};
use crate::config::{Connector, Mapping, Project, Shelf as _};
use crate::connect::auth;
use crate::connect::pack::SHELF;
use crate::connect::pack::auth::Grant;
use crate::connect::web::stand_in;
use crate::error::{Exit, Result};
use crate::store::{RunFilter, RunState, health};

/// Lists the connectors of the project: how they stand, and what uses them
#[derive(clap::Args, Debug)]
pub(super) struct List {
    /// The built-in packs instead: systems that can be used by their name
    #[arg(long)]
    packs: bool,
}

/// What a person sees of the columns; the rest is in the other shapes and in `show`.
const SEEN: &[&str] = &["name", "uses", "state", "last_success", "health", "source_of", "target_of"];
/// All of them.
const ALL: &[&str] = &[
    "name",
    "uses",
    "state",
    "last_success",
    "token_expires",
    "health",
    "probed",
    "streams",
    "source_of",
    "target_of",
    "clearance",
];

impl List {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        if self.packs {
            return packs(context);
        }
        if context.global.config.is_none() && context.find().is_err() {
            context.ui.note(
                "there is no project here: these are the built-in packs, systems that a connector can use by name",
            );
            return packs(context);
        }
        let (project, mappings) = context.project()?;
        let successes = successes(context, &project, &mappings)?;
        let state = context.state_folder(&project);
        let seen = health::known(&state);
        let now = jiff::Timestamp::now().as_second();
        let mut rows = Rows::new("connectors", ALL);
        for connector in project.connectors.values() {
            // An empty cell is a null, so that a person sees a dash.
            let joined = |names: Vec<&str>| Some(names.join(", ")).filter(|text| !text.is_empty());
            let routes = |reads: bool| -> Vec<&str> {
                mappings
                    .iter()
                    .filter(|m| if reads { &m.from } else { &m.to }.connector == connector.name)
                    .map(|m| m.name.value.as_str())
                    .collect()
            };
            let tokens = match connector.spec.and_then(pack_of) {
                Some(_) => auth::known(&state, &connector.name)?,
                None => None,
            };
            let health = seen.get(&connector.name);
            rows.push(vec![
                json!(connector.name),
                json!(connector.uses.value),
                json!(standing(connector, tokens, now)),
                json!(successes.get(&connector.name).map(|at| moment(at.div_euclid(1_000_000_000)))),
                json!(tokens.and_then(|(_, ends, _)| ends).map(moment)),
                json!(health.map(|seen| seen.state.as_str())),
                json!(health.map(|seen| moment(seen.at))),
                json!(joined(connector.streams.keys().map(String::as_str).collect())),
                json!(joined(routes(true))),
                json!(joined(routes(false))),
                json!(connector.clearance.map(|classes| classes.to_string())),
            ]);
        }
        let text = table(&narrow(&rows));
        context.ui.answer(Answer::new().rows(rows).text(text))?;
        Ok(Exit::Done)
    }
}

/// The rows as a person sees them: without columns in which nothing stands.
fn narrow(rows: &Rows) -> Rows {
    let at: Vec<usize> = (0..rows.columns.len())
        .filter(|at| SEEN.contains(&rows.columns[*at].as_str()))
        .filter(|at| {
            let needed = ["name", "uses", "source_of", "target_of"].contains(&rows.columns[*at].as_str());
            needed || rows.rows.iter().any(|row| !row[*at].is_null())
        })
        .collect();
    let columns: Vec<&str> = at.iter().map(|at| rows.columns[*at].as_str()).collect();
    let mut made = Rows::new("connectors", &columns);
    for row in &rows.rows {
        made.push(at.iter().map(|at| row[*at].clone()).collect::<Vec<Value>>());
    }
    made
}

/// How a connector stands with its system, as far as it is known without asking.
fn standing(connector: &Connector, tokens: Option<(i64, Option<i64>, bool)>, now: i64) -> Option<String> {
    let pack = connector.spec.and_then(pack_of)?.pack;
    if connector.with.iter().any(|(key, _)| key.value == stand_in::OPTION.name) {
        return Some("simulated".into());
    }
    let chosen = connector.auth.iter().find(|(key, _)| key.value == crate::connect::pack::auth::WAY);
    let chosen = chosen.and_then(|(_, node)| match &node.value {
        crate::config::Node::Text(text) => Some(crate::cli::sample::literal(text)),
        _ => None,
    });
    let way = match chosen {
        Some(name) => pack.auth.ways.iter().find(|way| way.name == name),
        // The first one that everything is given for.
        None => {
            let given = |name: &String| connector.auth.iter().any(|(key, _)| key.value == *name);
            let fits = pack.auth.ways.iter().find(|way| !way.needs.is_empty() && way.needs.iter().all(given));
            fits.or_else(|| pack.auth.ways.first())
        }
    }?;
    let person = match &way.kind {
        crate::connect::pack::auth::Kind::OAuth2(oauth) => {
            matches!(oauth.grant, Grant::AuthorizationCode | Grant::DeviceCode)
        }
        _ => false,
    };
    Some(match (tokens, person) {
        (Some((_, Some(ends), renews)), _) => match (ends > now, renews) {
            (true, _) => format!("signed in until {}", moment(ends)),
            (false, true) => "signed in, to be renewed".into(),
            (false, false) if person => "sign-in has ended".into(),
            (false, false) => "ready".into(),
        },
        (Some(_), _) => "signed in".into(),
        (None, true) => "not signed in".into(),
        (None, false) => "ready".into(),
    })
}

/// When a route of each connector last ended well, nanoseconds since 1970.
fn successes(context: &Context<'_>, project: &Project, mappings: &[Mapping]) -> Result<BTreeMap<String, i64>> {
    let mut found = BTreeMap::new();
    let Some(store) = context.store_read(project)? else { return Ok(found) };
    for mapping in mappings {
        let filter = RunFilter { route: Some(mapping.name.value.clone()), limit: 50, ..RunFilter::default() };
        let runs = store.runs(&filter)?;
        let good = |state: RunState| matches!(state, RunState::Done);
        let Some(ended) = runs.iter().filter(|run| good(run.state)).filter_map(|run| run.ended_ns).max() else {
            continue;
        };
        for name in [&mapping.from.connector, &mapping.to.connector] {
            let known = found.entry(name.clone()).or_insert(ended);
            *known = (*known).max(ended);
        }
    }
    Ok(found)
}

/// Seconds since 1970 for a person.
fn moment(seconds: i64) -> String {
    let mut text = Vec::new();
    crate::record::Timestamp { seconds, nanos: 0, offset: 0 }.write(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// The catalog of built-in packs.
fn packs(context: &Context<'_>) -> Result<Exit> {
    let mut rows = Rows::new("packs", &["name", "about", "reads", "writes", "operations", "tests"]);
    for name in SHELF.names() {
        let Some(pack) = SHELF.take(name).and_then(pack_of).map(|protocol| protocol.pack) else {
            continue;
        };
        rows.push(vec![
            json!(name),
            json!(pack.about),
            json!(pack.streams.iter().filter(|stream| stream.read.is_some()).count()),
            json!(pack.streams.iter().filter(|stream| stream.write.is_some()).count()),
            json!(pack.operations.len()),
            json!(pack.exchanges.len()),
        ]);
    }
    context.ui.answer(Answer::new().rows(rows))?;
    Ok(Exit::Done)
}
