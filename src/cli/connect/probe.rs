//! `consign connect probe [NAME…]`: can systems be reached, signed in at, and used? All side by side.

use std::sync::Arc;

use serde_json::json;

use super::packs::{self, pack_of};
use crate::cli::context::Context;
use crate::cli::output::{Answer, Rows};
use crate::config::{Connector, Project};
use crate::connect::calling::{self, Health, State};
use crate::connect::pack::Given;
use crate::connect::protocols;
use crate::connect::runtime::Runtime;
use crate::connect::web::Caller;
use crate::error::{Error, Exit, Result};
use crate::store::health;

/// Asks systems how they are: reach, sign-in, permissions, clock, quota, response time
#[derive(clap::Args, Debug)]
pub(super) struct Probe {
    /// Connectors; all of the project unless named
    names: Vec<String>,
}

impl Probe {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        let names: Vec<String> = match self.names.is_empty() {
            true => project.connectors.keys().cloned().collect(),
            false => self.names.clone(),
        };
        let mut connectors = Vec::new();
        for name in &names {
            connectors.push(packs::connector(name, context).map(|(_, connector)| connector));
        }
        // Whoever is slow makes nobody wait.
        let found: Vec<Result<Health>> = std::thread::scope(|scope| {
            let threads: Vec<_> = connectors
                .into_iter()
                .map(|connector| {
                    let project = &project;
                    scope.spawn(move || connector.and_then(|connector| one(project, &connector)))
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|_| Err(Error::bug("a probe broke off"))))
                .collect()
        });
        self.keep(&project, &names, &found, context);
        let columns = ["name", "state", "ms", "as", "said", "missing_scopes", "clock_skew_s", "quota_left", "quota_of"];
        let mut rows = Rows::new("connectors", &columns);
        let mut exit = Exit::Done;
        for (name, health) in names.iter().zip(found) {
            let health = match health {
                Ok(health) => health,
                Err(error) => {
                    exit = exit.worst(error.exit());
                    context.ui.talk_error(&error);
                    let state = State::Unhealthy.name();
                    let mut row = vec![json!(name), json!(state), json!(null), json!(null), json!(error.cause())];
                    row.extend([json!(null), json!(null), json!(null), json!(null)]);
                    rows.push(row);
                    continue;
                }
            };
            exit = exit.worst(match (&health.error, health.state) {
                (Some(error), _) => error.exit(),
                (None, State::Unhealthy) if !health.missing.is_empty() => Exit::Denied,
                (None, State::Unhealthy) => Exit::Environment,
                (None, State::Degraded) => Exit::Partial,
                (None, State::Healthy) => Exit::Done,
            });
            if let Some(error) = &health.error {
                context.ui.talk_error(error);
            }
            let said = Some(health.said.join("; ")).filter(|said| !said.is_empty());
            let (left, of) = health.quota.map_or((None, None), |(left, of)| (Some(left), of));
            rows.push(vec![
                json!(name),
                json!(health.state.name()),
                json!(health.took.map(|took| took.as_millis() as u64)),
                json!(health.who),
                json!(said),
                json!(Some(health.missing.join(", ")).filter(|all| !all.is_empty())),
                json!(health.skew),
                json!(left),
                json!(of),
            ]);
        }
        context.ui.answer(Answer::new().fact("ok", json!(exit == Exit::Done)).rows(rows))?;
        Ok(exit)
    }
}

impl Probe {
    /// Keeps what was found for `connect list`; a state that cannot be written is none of a probe's business.
    fn keep(&self, project: &Project, names: &[String], found: &[Result<Health>], context: &Context<'_>) {
        let now = jiff::Timestamp::now().as_second();
        let seen = |health: &Result<Health>| match health {
            Ok(health) => health::Seen {
                state: health.state.name().to_owned(),
                at: now,
                took_ms: health.took.and_then(|took| u64::try_from(took.as_millis()).ok()),
            },
            Err(_) => health::Seen { state: State::Unhealthy.name().to_owned(), at: now, took_ms: None },
        };
        let all = names.iter().zip(found).map(|(name, health)| (name.clone(), seen(health))).collect();
        if let Err(error) = health::keep(&context.state_folder(project), all) {
            context.ui.detail(&format!("what was found is not kept: {error}"));
        }
    }
}

/// How one system is.
fn one(project: &Project, connector: &Connector) -> Result<Health> {
    let nothing = |said: &str| Health {
        state: State::Healthy,
        said: vec![said.to_owned()],
        took: None,
        who: None,
        missing: Vec::new(),
        skew: None,
        quota: None,
        error: None,
    };
    let Some(pack) = connector.spec.and_then(pack_of) else {
        // What is no pack is asked for what it holds, if it can be.
        let protocol = protocols::of(connector)
            .ok_or_else(|| Error::bug(format!("protocol `{}` is not listed", connector.uses.value)))?;
        let start = std::time::Instant::now();
        let found = match protocol.discover(&project.root, connector) {
            // A file that is written to is made by whoever writes first.
            Err(error) if error.code().id == "io-not-found" && protocol.spec().writes() => {
                return Ok(nothing("not there yet: the first run that writes to it makes it"));
            }
            found => found?,
        };
        let said = match &found {
            Some(streams) => format!("{} streams", streams.len()),
            None => "nothing to ask: it is looked at when it is read or written".to_owned(),
        };
        let mut health = nothing(&said);
        health.took = found.map(|_| start.elapsed());
        return Ok(health);
    };
    let caller = Caller::open(Arc::new(Given::new(pack.pack, connector.clone())))?;
    let runtime = Runtime::start("probe")?;
    let health = runtime.run(calling::probe(&caller));
    Ok(health.unwrap_or_else(|| nothing("its pack has no `probe`")))
}
