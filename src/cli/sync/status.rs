//! `consign sync status`: how every route stands; with `--max-age`, a watchdog.

use serde_json::{Value, json};

use super::known;
use crate::cli::context::{Context, now_ns};
use crate::cli::moment;
use crate::cli::output::{Answer, Rows};
use crate::error::{Error, Exit, Kind, Result, codes};
use crate::store::folder::Folder;
use crate::store::lock::{self, Health};
use crate::store::{LetterFilter, LetterState, Standing};
use crate::sync::schedule;

/// Shows how routes stand: last success, next run, dead letters
#[derive(clap::Args, Debug)]
pub(super) struct Status {
    /// Only this route
    name: Option<String>,
    /// Ends with exit 5 if the last success of an enabled route is older, as in `36h`
    #[arg(long, value_name = "TIME")]
    max_age: Option<String>,
}

impl Status {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, mappings) = context.project()?;
        if let Some(name) = &self.name {
            known(name, &mappings)?;
        }
        let max_age = self.max_age.as_deref().map(moment::length).transpose()?;
        let store = context.store_read(&project)?;
        let folder = Folder::at(&context.state_folder(&project));
        let now = now_ns();
        let moment_now = jiff::Timestamp::now();
        let columns = [
            "route",
            "state",
            "last_success",
            "age_s",
            "last_run",
            "last_exit",
            "next",
            "due",
            "dead_letters",
            "pid",
            "note",
        ];
        let mut rows = Rows::new("routes", &columns);
        let mut old: Vec<String> = Vec::new();
        for mapping in mappings.iter().filter(|m| self.name.as_ref().is_none_or(|name| m.answers_to(name))) {
            let name = mapping.name.value.as_str();
            let state = store.as_ref().map(|s| s.route(name)).transpose()?;
            let enabled = state.as_ref().is_none_or(|s| s.enabled);
            let success = state.as_ref().and_then(|s| s.last_success_ns);
            let age = success.map(|then| (now - then).max(0) / 1_000_000_000);
            let last = match (&store, state.as_ref().and_then(|s| s.last_run.clone())) {
                (Some(store), Some(id)) => store.run(&id).ok(),
                _ => None,
            };
            let due = match &mapping.sync.schedule {
                Some(plan) if enabled => {
                    let begun = state.as_ref().and_then(|s| s.last_start_ns).map(schedule::moment);
                    Some(schedule::due(plan, begun, moment_now)?)
                }
                _ => None,
            };
            let letters = LetterFilter {
                route: Some(name.to_string()),
                states: vec![LetterState::Open],
                ..LetterFilter::default()
            };
            let letters = store.as_ref().map_or(Ok(0), |s| s.count_dead_letters(&letters))?;
            let holder = match lock::standing(&folder, name)? {
                Standing::Held(holder, health) => Some((holder, health)),
                Standing::Free(_) => None,
            };
            let stopped = matches!(holder, Some((_, Health::Stopped)));
            let word = match (&last, holder.is_some(), enabled) {
                _ if stopped => "stopped",
                (_, true, _) => "running",
                (_, _, false) => "disabled",
                (None, ..) => "never ran",
                (Some(run), ..) => run.state.word(),
            };
            if let (Some(limit), true) = (max_age, enabled)
                && age.is_none_or(|age| age as u64 > limit.as_secs())
            {
                old.push(match age {
                    Some(age) => format!("{name}: {} ago", moment::span(age as f64)),
                    None => format!("{name}: never"),
                });
            }
            let pid = holder.as_ref().and_then(|(holder, _)| holder.as_ref()).map(|holder| holder.process.pid);
            let note = match &state {
                _ if holder.as_ref().is_some_and(|(_, health)| *health == Health::Elsewhere) => {
                    pid.map(|pid| format!("held by process {pid} of another container"))
                }
                _ if holder.is_some() => pid.map(|pid| match stopped {
                    true => format!("held by process {pid}, which is stopped: consign sync unlock {name}"),
                    false => format!("held by process {pid}"),
                }),
                Some(state) if !state.enabled => state.reason.clone(),
                Some(state) if state.intent.is_some() => Some("a group is in doubt".into()),
                _ => last.as_ref().and_then(|run| run.error.as_ref()).map(|(code, _)| code.clone()),
            };
            rows.push(vec![
                json!(name),
                json!(word),
                json!(success.map(moment::shown)),
                json!(age),
                json!(last.as_ref().map(|run| run.id.clone())),
                json!(last.as_ref().and_then(|run| run.exit)),
                due.as_ref().and_then(|d| d.next).map_or(Value::Null, |next| json!(next.to_string())),
                json!(due.as_ref().is_some_and(|d| d.now)),
                json!(letters),
                json!(pid),
                json!(note),
            ]);
        }
        context.ui.answer(Answer::new().fact("ok", json!(old.is_empty())).rows(rows))?;
        if old.is_empty() {
            return Ok(Exit::Done);
        }
        let limit = self.max_age.unwrap_or_default();
        let mut error =
            Error::new(Kind::Partial, &codes::cli::TOO_OLD, format!("the last success is longer ago than {limit}"))
                .hint("consign sync history");
        for route in old {
            error = error.fact("route", route);
        }
        context.ui.talk_error(&error);
        Ok(error.exit())
    }
}
