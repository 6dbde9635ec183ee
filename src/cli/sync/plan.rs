//! `consign sync plan`: what a run would do, and what it promises. By itself it opens nothing but the
//! state; to save a plan, the source is read and every record looked up in the target.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::known;
use crate::cli::context::{Context, who};
use crate::cli::output::Answer;
use crate::cli::output::text::{count, grouped};
use crate::config::{Carries, Mapping, Mode, Obeyed, OnHit, Project};
use crate::connect::protocols::{Guarantee, Window};
use crate::connect::rows::Bookmark;
use crate::error::{Error, Exit, Result};
use crate::store::Store;
use crate::sync::{self, Options, Room, Setting};

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
    /// Foresees the run and saves it as a plan, to be approved of and run
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Who makes the plan; the user of the environment unless given
    #[arg(long = "as", value_name = "NAME", requires = "save")]
    author: Option<String>,
    /// From the beginning, whatever was settled before
    #[arg(long)]
    full: bool,
    /// Foresees the run and ends with exit 10 if there is something to do
    #[arg(long)]
    detailed_exitcode: bool,
}

/// The promise in words.
pub(super) fn promise(guarantee: Guarantee) -> &'static str {
    match guarantee {
        Guarantee::ExactlyOnce => "exactly once, also when the process is killed",
        Guarantee::KnownRequests => {
            "once: what is in doubt after a crash is sent again with the same keys, which the target knows"
        }
        Guarantee::ByKey => {
            "the same as once: what is in doubt after a crash is sent again, and replaces itself by its key"
        }
        Guarantee::LookedUp => "once: what is in doubt after a crash is looked up, and sent again if it is not there",
        Guarantee::SetAside => "at most once: what is in doubt after a crash is set aside as dead letters, exit 5",
        Guarantee::AtLeastOnce => "at least once: after a crash the group in doubt is sent again",
    }
}

impl Plan {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (mut project, mappings) = context.project()?;
        for name in &self.names {
            known(name, &mappings)?;
        }
        // A plan that is saved is remembered, and so needs a state.
        let mut store = match self.save {
            Some(_) => Some(context.store(&project)?),
            None => context.store_read(&project)?,
        };
        let looks = self.save.is_some() || self.detailed_exitcode;
        if looks {
            sync::keys::hold(&mut project, &mappings, store.as_ref())?;
        }
        let window = super::window(self.since.as_deref(), self.until.as_deref());
        let options = Options { full: self.full, window: window.clone(), room: Room::here(), ..Options::default() };
        let stop = context.stop(None)?;
        let setting = Setting {
            project: &project,
            mappings: &mappings,
            options: &options,
            now: jiff::Timestamp::now(),
            stop: &stop,
            wait: Duration::ZERO,
            plan: None,
        };
        let author = self.author.or_else(who);
        let foreseen = match looks {
            true => Some(sync::many::foreseen(&setting, &self.names, store.as_ref(), author)?),
            false => None,
        };
        let (mut text, mut plans, mut approval, mut something) = (String::new(), Vec::new(), false, false);
        for mapping in mappings.iter().filter(|m| self.names.iter().any(|name| m.answers_to(name))) {
            let (said, mut plan) = one(&project, mapping, store.as_ref(), window.as_ref(), self.full)?;
            text.push_str(&said);
            approval |= plan["approval"].is_object();
            if let Some(route) = foreseen.as_ref().and_then(|(planned, _)| planned.routes.get(&mapping.name.value)) {
                text.push_str(&format!("  {:<10} {}\n", "expects", expects(route)));
                plan["effects"] = route["effects"].clone();
                plan["source"] = route["source"].clone();
                something |= ["created", "updated", "deleted"].iter().any(|name| route["effects"][*name] != json!(0))
                    || route["source"]["rejected"] != json!(0);
            }
            plans.push(plan);
        }
        let mut answer = Answer::new().fact("plans", json!(plans));
        if let (Some((planned, seen)), Some(file)) = (&foreseen, &self.save) {
            seen.iter().flat_map(|seen| &seen.notes).for_each(|note| context.ui.note(note));
            write(file, &format!("{:#}\n", planned.document()))?;
            let routes: Vec<String> = planned.routes.keys().cloned().collect();
            if let Some(store) = &mut store {
                store.save_plan(&planned.hash, &routes, planned.author.as_deref())?;
            }
            let file = file.display();
            text.push_str(&format!("plan {} is saved in {file}\n", planned.hash));
            text.push_str(&match approval {
                true => format!("next: consign sync approve {file} --as NAME --reason TEXT\n"),
                false => format!("next: consign sync run --plan {file}\n"),
            });
            answer = answer
                .fact("plan", json!(planned.hash))
                .fact("file", json!(file.to_string()))
                .fact("author", json!(planned.author))
                .fact("needs_approval", json!(approval));
        }
        context.ui.answer(answer.text(text))?;
        Ok(if self.detailed_exitcode && something { Exit::Differences } else { Exit::Done })
    }
}

/// What is expected, in one line.
fn expects(route: &serde_json::Value) -> String {
    let (effects, source) = (&route["effects"], &route["source"]);
    let number = |value: &serde_json::Value| grouped(value.as_u64().unwrap_or(0));
    let mut told = format!(
        "{} created, {} updated, {} unchanged, {} deleted",
        number(&effects["created"]),
        number(&effects["updated"]),
        number(&effects["unchanged"]),
        number(&effects["deleted"]),
    );
    for what in ["filtered", "rejected", "withheld"] {
        if source[what] != json!(0) {
            told.push_str(&format!(", {} {what}", number(&source[what])));
        }
    }
    told
}

/// Writes the plan whole or not at all.
fn write(file: &Path, text: &str) -> Result<()> {
    let doing = || format!("writing the plan {}", file.display());
    let mut beside = file.as_os_str().to_owned();
    beside.push(".part");
    std::fs::write(&beside, text).map_err(|e| Error::io(doing(), e))?;
    std::fs::rename(&beside, file).map_err(|e| Error::io(doing(), e))
}

fn one(
    project: &Project,
    mapping: &Mapping,
    store: Option<&Store>,
    window: Option<&Window>,
    full: bool,
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
        _ if full || sync.mode == Mode::Mirror => "at the beginning, whatever was settled".into(),
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
    if sync.mode == Mode::Mirror {
        let percent = f64::from(sync.deletes.share_ppm) / 10_000.0;
        let records = count(sync.deletes.records, "record", "records");
        line("deletes", &format!("what the source has no more, at most {percent} % or {records} unasked"));
    }
    let inline = asked(project, &plan);
    for (name, value) in &inline {
        line(name, value);
    }
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
    if let Some(approval) = plan.mapping.sync.approval {
        let eyes = if approval.four_eyes { ", by somebody else than who made it" } else { "" };
        let because = plan.approval_because.as_ref().map_or_else(String::new, |rule| format!(": {rule}"));
        line("approval", &format!("runs with an approved plan only{eyes}{because}"));
    }
    if full && sync.mode != Mode::Mirror {
        let (carries, spec) = (plan.to.protocol.spec().carries, plan.to.stream.name.as_str());
        let again = match (carries, sync.mode) {
            (Carries::Bytes, _) => format!("{spec} is written anew and takes the place of what is there"),
            (Carries::Rows, Mode::Append) => {
                "refused if the table holds rows: every record would be added to it again".to_string()
            }
            (Carries::Rows, _) => "records that were delivered before are compared again".to_string(),
        };
        line("again", &again);
    }
    let word = sync::planned::word(plan.guarantee());
    let json = json!({
        "route": plan.name(),
        "from": dotted(&mapping.from), "from_place": from,
        "to": dotted(&mapping.to), "to_place": to,
        "mode": sync.mode.name(),
        "whole_file": sync.mode == Mode::Mirror && key.is_empty(),
        "key": key,
        "full": full,
        "since": window.and_then(|window| window.since.as_ref()),
        "until": window.and_then(|window| window.until.as_ref()),
        "deletes": (sync.mode == Mode::Mirror).then(|| json!({ "ppm": sync.deletes.share_ppm, "records": sync.deletes.records })),
        "settled_slices": settled,
        "in_doubt": state.as_ref().and_then(|s| s.intent.as_ref()).map(|i| i.group),
        "begins": resumes,
        "fields": plan.route.columns.len(),
        "fields_read": plan.route.projection.paths.len(),
        "tolerate": { "ppm": sync.on_error.tolerate_ppm, "records": sync.on_error.tolerate_records },
        "obeys": mapping.obeys.iter().map(Obeyed::json).collect::<Vec<_>>(),
        "compliance": inline.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<serde_json::Map<_, _>>(),
        "schedule": sync.schedule.as_ref().map(|s| json!({ "cron": s.cron.value, "timezone": s.timezone })),
        "after": sync.after.iter().map(|s| &s.value).collect::<Vec<_>>(),
        "approval": plan.mapping.sync.approval.map(|approval| json!({ "four_eyes": approval.four_eyes, "because": plan.approval_because })),
        "enabled": state.as_ref().is_none_or(|s| s.enabled),
        "disabled_because": state.as_ref().filter(|s| !s.enabled).and_then(|s| s.reason.clone()),
        "guarantee": word,
    });
    Ok((text, json))
}

/// What compliance asks of the records of a route, a line for each.
fn asked(project: &Project, plan: &sync::Plan) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let protected: Vec<String> = plan
        .route
        .leaves
        .iter()
        .flat_map(|leaf| leaf.protected.iter().map(move |one| format!("{} ({})", leaf.target, one.action)))
        .collect();
    if !protected.is_empty() {
        lines.push(("protects", protected.join(", ")));
    }
    let said = &plan.mapping.compliance;
    let mut gates = Vec::new();
    if let Some(consent) = &said.consent {
        let purpose = said.consent_purpose().map_or_else(String::new, |purpose| format!(" for {purpose}"));
        gates.push(match &consent.lookup {
            Some(_) => format!("consent{purpose}, looked up"),
            None => format!("consent{purpose}"),
        });
    }
    let named = |path: &crate::config::Spanned<crate::record::Path>| path.value.to_string();
    gates.extend(said.opt_out.as_ref().map(|path| format!("no opt-out in {}", named(path))));
    gates.extend(said.residency.as_ref().map(|of| format!("may go there by {}", named(&of.field))));
    gates.extend(said.age.as_ref().map(|path| format!("of age by {}", named(path))));
    gates.extend(said.subject.as_ref().map(|path| format!("not erased by {}", named(path))));
    if !gates.is_empty() {
        lines.push(("asks for", gates.join("; ")));
    }
    if let Some(detect) = project.compliance.rules.detect.as_ref().filter(|detect| !detect.classes.is_empty()) {
        let does = match detect.action {
            OnHit::Block => "the run ends there",
            OnHit::Park => "its record is set aside",
            OnHit::Mask => "it is masked",
            OnHit::Warn => "it is said and written",
        };
        lines.push(("detects", format!("what no class announced: {does}")));
    }
    if !plan.mapping.obeys.is_empty() {
        lines.push(("obeys", plan.mapping.obeys.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")));
    }
    if !said.totals.is_empty() {
        lines.push(("sums", said.totals.iter().map(named).collect::<Vec<_>>().join(", ")));
    }
    lines
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
