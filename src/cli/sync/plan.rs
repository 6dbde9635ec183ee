//! `consign sync plan`: what a run would do, and what it promises; opens nothing but the state.

use serde_json::json;

use super::known;
use crate::cli::context::Context;
use crate::cli::output::Answer;
use crate::cli::output::text::count;
use crate::config::{Mapping, Mode, Project};
use crate::connect::protocols::{Guarantee, Window};
use crate::connect::rows::Bookmark;
use crate::error::{Exit, Result};
use crate::store::Store;
use crate::sync;

/// Shows what a run of routes would do, and what it promises
#[derive(clap::Args, Debug)]
pub(super) struct Plan {
    /// Routes, by name
    #[arg(required = true)]
    names: Vec<String>,
    /// Of a run with the same `--since`
    #[arg(long, value_name = "VALUE")]
    since: Option<String>,
    /// Of a run with the same `--until`
    #[arg(long, value_name = "VALUE")]
    until: Option<String>,
}

/// The promise in words.
pub(super) fn promise(guarantee: Guarantee) -> &'static str {
    match guarantee {
        Guarantee::ExactlyOnce => "exactly once, also when the process is killed",
        Guarantee::AtLeastOnce => "at least once: after a crash the group in doubt is sent again",
    }
}

impl Plan {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, mappings) = context.project()?;
        for name in &self.names {
            known(name, &mappings)?;
        }
        let store = context.store_read(&project)?;
        let window = super::window(self.since.as_deref(), self.until.as_deref());
        let (mut text, mut plans) = (String::new(), Vec::new());
        for mapping in mappings.iter().filter(|m| self.names.iter().any(|name| m.answers_to(name))) {
            let (said, plan) = one(&project, mapping, store.as_ref(), window.as_ref())?;
            text.push_str(&said);
            plans.push(plan);
        }
        context.ui.answer(Answer::new().fact("plans", json!(plans)).text(text))?;
        Ok(Exit::Done)
    }
}

fn one(
    project: &Project,
    mapping: &Mapping,
    store: Option<&Store>,
    window: Option<&Window>,
) -> Result<(String, serde_json::Value)> {
    let plan = sync::many::plan(project, mapping)?;
    if let Some(window) = window {
        // Refused here as a run would be; reads nothing.
        plan.between_bounds(window)?;
    }
    let state = store.map(|store| store.route(plan.name())).transpose()?;
    let sync = &mapping.sync;
    let key: Vec<String> = plan.route.key.iter().map(|i| plan.route.columns[*i].path.to_string()).collect();
    let mode = match sync.mode {
        Mode::Append => "append".to_string(),
        Mode::Mirror if key.is_empty() => "mirror, the file as a whole".to_string(),
        mode => format!("{} by {}", mode.name(), key.join(", ")),
    };
    let (from, to) = (plan.from.shown(), plan.to.shown());
    let settled = state.as_ref().map_or(0, |s| s.settled.len());
    let resumes = match &state {
        _ if window.is_some() => bounds(window),
        Some(state) if state.intent.is_some() => "a group is in doubt: the target is asked first".to_string(),
        // It has to see everything.
        _ if sync.mode == Mode::Mirror => "at the beginning, as every mirror does".into(),
        Some(state) if settled > 0 => {
            match state.settled.iter().find_map(|(slice, at)| Some((slice, Bookmark::of(&at.position).ok()??))) {
                Some((slice, bookmark)) => match bookmark.shown() {
                    Some(at) => format!("behind what was read of {slice} before ({at})"),
                    None => format!("again with all of {slice}"),
                },
                None => format!("behind what was read before ({})", count(settled as u64, "file", "files")),
            }
        }
        _ => "at the beginning".into(),
    };
    let percent = f64::from(sync.on_error.tolerate_ppm) / 10_000.0;
    let tolerate = match (sync.on_error.tolerate_ppm, sync.on_error.tolerate_records) {
        (0, 0) => "no rejected record".to_string(),
        (0, records) => count(records, "rejected record", "rejected records"),
        (_, 0) => format!("{percent} % of the records rejected"),
        (_, records) => format!("{percent} % or {} rejected", count(records, "record", "records")),
    };
    let schedule = sync.schedule.as_ref().map(|s| format!("{} ({})", s.cron.value, s.timezone));
    let guarantee = promise(plan.guarantee());
    let mut text = format!("{}\n", plan.name());
    let mut line = |name: &str, value: &str| text.push_str(&format!("  {name:<10} {value}\n"));
    line("from", &format!("{} ({from})", dotted(&mapping.from)));
    line("to", &format!("{} ({to})", dotted(&mapping.to)));
    line("mode", &mode);
    line("fields", &format!("{} from {} read", plan.route.columns.len(), plan.route.projection.paths.len()));
    line("begins", &resumes);
    line("tolerates", &tolerate);
    if let Some(schedule) = &schedule {
        line("schedule", schedule);
    }
    if !sync.after.is_empty() {
        line("after", &sync.after.iter().map(|s| s.value.as_str()).collect::<Vec<_>>().join(", "));
    }
    if let Some(state) = state.as_ref().filter(|s| !s.enabled) {
        line("disabled", state.reason.as_deref().unwrap_or("no reason given"));
    }
    line("delivery", guarantee);
    let word = match plan.guarantee() {
        Guarantee::ExactlyOnce => "exactly_once",
        Guarantee::AtLeastOnce => "at_least_once",
    };
    let json = json!({
        "route": plan.name(),
        "from": dotted(&mapping.from), "from_place": from,
        "to": dotted(&mapping.to), "to_place": to,
        "mode": sync.mode.name(),
        "key": key,
        "settled_slices": settled,
        "in_doubt": state.as_ref().and_then(|s| s.intent.as_ref()).map(|i| i.group),
        "enabled": state.as_ref().is_none_or(|s| s.enabled),
        "guarantee": word,
    });
    Ok((text, json))
}

fn bounds(window: Option<&Window>) -> String {
    let since = window.and_then(|w| w.since.as_ref()).map_or_else(String::new, |since| format!(" from {since} on"));
    let until =
        window.and_then(|w| w.until.as_ref()).map_or_else(String::new, |until| format!(" up to {until}, excluded"));
    format!("records{since}{until}; what was read before stays as it is")
}

fn dotted(end: &crate::config::StreamRef) -> String {
    format!("{}.{}", end.connector, end.stream)
}
