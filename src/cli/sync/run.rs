//! `consign sync run`: routes are run, one after the other, and what came of it is told in ten lines.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use super::round3;
use crate::cli::context::{Context, now_ns, who};
use crate::cli::moment;
use crate::cli::output::text::{count, grouped, shown};
use crate::cli::output::{Answer, Rows};
use crate::cli::ui::{Progress, Ui};
use crate::config::environment::{INTEGRATION_RATE_LIMIT, INTEGRATION_RETRY_COUNT, INTEGRATION_TIMEOUT};
use crate::config::{Environment, Mapping, Mode, Project, Resolver};
use crate::connect::protocols::{self, Guarantee, Protocol};
use crate::error::{Error, Exit, Kind, Result, codes};
use crate::record::{Act, Totals};
use crate::report::metrics::{Ended, metrics};
use crate::store::folder::replace_file_as;
use crate::store::{LetterFilter, LetterState, Store};
use crate::sync::carry::{Destination, sign_and_carry};
use crate::sync::heartbeat::{self, Beat};
use crate::sync::{self, Became, Finished, Options, Room, Selection, Setting, Watch};

/// Runs routes: reads, maps, checks, writes, and records what it did
#[derive(clap::Args, Debug)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["names", "due", "all", "plan"]))]
pub(super) struct Run {
    /// Routes, by name
    names: Vec<String>,
    /// Every enabled route whose schedule says that it is time
    #[arg(long)]
    due: bool,
    /// Every enabled route
    #[arg(long)]
    all: bool,
    /// What a saved plan says, and nothing else
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dry_run", "full", "limit", "since", "until"])]
    plan: Option<PathBuf>,
    /// Reads, maps and checks everything, and writes nothing
    #[arg(long)]
    dry_run: bool,
    /// From the beginning, whatever was settled before
    #[arg(long)]
    full: bool,
    /// Only records whose cursor is at least this value, whatever was read before; positions stay
    #[arg(long, value_name = "VALUE", conflicts_with_all = ["full", "due", "all"])]
    since: Option<String>,
    /// Only records whose cursor is below this value; positions stay
    #[arg(long, value_name = "VALUE", conflicts_with_all = ["full", "due", "all"])]
    until: Option<String>,
    /// Only so many records of each route, as a dry run
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Lets a mirror delete so many records this once, whatever its guard says; recorded
    #[arg(long, value_name = "N", conflicts_with_all = ["dry_run", "limit"])]
    allow_deletes: Option<u64>,
    /// Where the numbers of the run go in the text format of Prometheus; `metrics: { file }` unless given
    #[arg(long, value_name = "FILE")]
    metrics_file: Option<std::path::PathBuf>,
    /// How long to wait for a route that another run holds, as in `30s`
    #[arg(long, default_value = "0s", value_name = "TIME")]
    wait: String,
    /// How long the run may drain after the first SIGTERM or SIGINT; CONSIGN_GRACE or 20s unless given
    #[arg(long, value_name = "TIME")]
    grace: Option<String>,
}

impl Run {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let began = Instant::now();
        // Before anything that may take its time: process 1 hears no signal without this.
        let stop = context.stop(self.grace.as_deref().map(moment::length).transpose()?)?;
        let (mut project, mappings) = context.project()?;
        let dry = self.dry_run || self.limit.is_some();
        let plan = self.plan.as_deref().map(super::approve::read).transpose()?;
        let mut options = Options {
            dry_run: self.dry_run,
            limit: self.limit,
            full: plan.as_ref().map_or(self.full, |plan| plan.full),
            window: match &plan {
                Some(plan) => plan.window.clone(),
                None => super::window(self.since.as_deref(), self.until.as_deref()),
            },
            plan: None,
            allow_deletes: self.allow_deletes,
            cause: if self.due {
                "due"
            } else if self.all {
                "all"
            } else {
                "hand"
            },
            actor: who(),
            room: Room::here(),
            ..Options::default()
        };
        let selection = match (self.due, self.all) {
            (true, _) => Selection::Due,
            (_, true) => Selection::All,
            _ => Selection::Named(plan.as_ref().map_or(self.names, |plan| plan.names.clone())),
        };
        if let (Some(_), Selection::Named(names)) = (self.allow_deletes, &selection)
            && !mappings
                .iter()
                .any(|m| m.sync.mode == Mode::Mirror && (names.contains(&m.name.value) || names.contains(&m.family)))
        {
            return Err(Error::new(
                Kind::Invalid,
                &codes::cli::USAGE,
                "`--allow-deletes` is for mirrors, and none of these is one",
            )
            .hint("leave it out"));
        }
        // A dry run needs no writable state, and makes none.
        let mut store = if dry { context.store_read(&project)? } else { Some(context.store(&project)?) };
        sync::keys::hold(&mut project, &mappings, store.as_ref())?;
        if let (Some(plan), Some(store)) = (&plan, &store) {
            let approved = store.plan(&plan.hash)?.is_some_and(|known| known.approval.is_some());
            options.plan = Some(Arc::new(plan.bound(approved)));
        }
        let setting = Setting {
            project: &project,
            mappings: &mappings,
            options: &options,
            now: jiff::Timestamp::now(),
            stop: &stop,
            wait: moment::length(&self.wait)?,
            plan: plan.as_ref(),
        };
        if let Some(told) = options.room.told() {
            context.ui.detail(&told);
        }
        for note in without_effect(&project, &mappings, &selection) {
            context.ui.note(&note);
        }
        let outside = Outside { project: &project, mappings: &mappings, ui: context.ui, dry };
        outside.begins();
        let mut watch = Watching::new(context.ui);
        let became = sync::run(&setting, &selection, store.as_mut(), &mut watch);
        watch.end();
        let became = became.inspect_err(|error| outside.ended(&[], error.exit()))?;
        let exit = became.iter().fold(Exit::Done, |worst, one| worst.worst(one.exit()));
        let exit = if stop.asked() { stop.exit() } else { exit };
        outside.ended(&became, exit);
        outside.numbers(self.metrics_file.as_deref(), store.as_ref(), exit, began);
        if let Some(store) = store.as_mut().filter(|_| !dry && project.audit.checkpoint_runs && !became.is_empty()) {
            outside.checkpoint(store);
        }
        let each = project.audit.segments;
        if let Some(store) = store.as_mut().filter(|_| !dry && each > 0 && !became.is_empty()) {
            // What cannot be sealed now is with the next run.
            if let Err(error) = store.seal_segments(each, each) {
                outside.warn(&error);
            }
        }
        let told = Told { project: &project, mappings: &mappings, became: &became, store: store.as_ref(), dry, began };
        told.errors(context.ui);
        let mut answer = told.answer(exit)?;
        answer.aside = !dry && told.speaks();
        if context.ui.is_quiet() && exit == Exit::Done && told.is_clean() {
            // What a scheduler would mail every minute; documents are data and stay.
            answer = answer.text("");
        }
        context.ui.answer(answer)?;
        Ok(exit)
    }
}

/// What the environment says and none of the systems of a run can obey.
fn without_effect(project: &Project, mappings: &[Mapping], selection: &Selection) -> Vec<String> {
    let chosen = |mapping: &&Mapping| match selection {
        Selection::Named(names) => names.iter().any(|name| mapping.answers_to(name)),
        Selection::Due | Selection::All => true,
    };
    let mut kinds: Vec<&'static dyn Protocol> = Vec::new();
    for end in mappings.iter().filter(chosen).flat_map(|mapping| [&mapping.from, &mapping.to]) {
        let connector = project.connectors.get(&end.connector);
        if let Some(protocol) = connector.and_then(protocols::of)
            && kinds.iter().all(|known| known.spec().name != protocol.spec().name)
        {
            kinds.push(protocol);
        }
    }
    let environment = Environment::process();
    if kinds.is_empty() || kinds.iter().any(|kind| kind.calls()) {
        return Vec::new();
    }
    let names: Vec<&str> = kinds.iter().map(|kind| kind.spec().name).collect();
    [&INTEGRATION_TIMEOUT, &INTEGRATION_RETRY_COUNT, &INTEGRATION_RATE_LIMIT]
        .into_iter()
        .filter(|variable| environment.is_set(variable))
        .map(|variable| {
            format!(
                "{} is set and changes nothing here: {} makes no calls over a network",
                variable.name,
                names.join(", ")
            )
        })
        .collect()
}

/// Those outside who are told how a run ended. Nothing that fails here changes how it ended.
struct Outside<'o> {
    project: &'o Project,
    mappings: &'o [Mapping],
    ui: &'o Ui,
    dry: bool,
}

impl Outside<'_> {
    fn warn(&self, error: &Error) {
        self.ui.warn(&format!("{error}; the outcome of the run stays as it is"));
    }

    fn begins(&self) {
        let names: Vec<&str> = self.mappings.iter().map(|m| m.name.value.as_str()).collect();
        for name in heartbeat::unknown(&self.project.heartbeat, &names) {
            self.ui.warn(&format!("`heartbeat.routes` names `{name}`, and there is no such route"));
        }
        if !self.dry {
            heartbeat::beat(self.project, None, Beat::Start).iter().for_each(|error| self.warn(error));
        }
    }

    fn ended(&self, became: &[Became], exit: Exit) {
        if self.dry {
            return;
        }
        for one in became.iter().filter(|one| !matches!(one, Became::Skipped { .. })) {
            let beat = heartbeat::beat(self.project, Some(one.route()), Beat::End(one.exit()));
            beat.iter().for_each(|error| self.warn(error));
        }
        heartbeat::beat(self.project, None, Beat::End(exit)).iter().for_each(|error| self.warn(error));
    }

    /// Signs where the log stands after the run, and carries that away.
    fn checkpoint(&self, store: &mut Store) {
        let places: Result<Vec<_>> =
            self.project.audit.checkpoints.iter().map(|text| Destination::read(text)).collect();
        // What goes to standard output belongs to whoever asks for it.
        let places = places
            .map(|places| places.into_iter().filter(|place| !matches!(place, Destination::Stdout)).collect::<Vec<_>>());
        match places.and_then(|places| sign_and_carry(store, &places, &self.project.root, who())) {
            Ok((_, _, failed)) => failed.iter().for_each(|error| self.warn(error)),
            Err(error) => self.warn(&error),
        }
    }

    fn numbers(&self, asked: Option<&Path>, store: Option<&Store>, exit: Exit, began: Instant) {
        let written = || -> Result<()> {
            let path = match (asked, &self.project.metrics_file) {
                (Some(path), _) => path.to_path_buf(),
                (None, Some(text)) => {
                    let resolver = Resolver::new(&self.project.root, Environment::process());
                    self.project.root.join(resolver.text(text)?.reveal())
                }
                (None, None) => return Ok(()),
            };
            let ended = Ended { exit, seconds: began.elapsed().as_secs_f64(), at_ns: now_ns() };
            replace_file_as(&path, metrics(self.mappings, store, &ended)?.as_bytes(), 0o644)
        };
        if !self.dry
            && let Err(error) = written()
        {
            self.warn(&error);
        }
    }
}

/// Shows how far it is while a route runs.
struct Watching<'u> {
    ui: &'u Ui,
    progress: Option<Progress<'u>>,
    began: Instant,
}

impl<'u> Watching<'u> {
    fn new(ui: &'u Ui) -> Self {
        Self { ui, progress: None, began: Instant::now() }
    }

    fn end(&mut self) {
        if let Some(progress) = self.progress.take() {
            progress.finish();
        }
    }
}

impl Watch for Watching<'_> {
    fn started(&mut self, run: &str, route: &str) {
        self.end();
        self.ui.begin_run(run);
        self.ui.detail(&format!("{route}: run {run} began"));
        self.began = Instant::now();
        self.progress = Some(self.ui.progress(route, None));
    }

    fn progress(&mut self, so_far: &Totals) {
        if let Some(progress) = &self.progress {
            let seconds = self.began.elapsed().as_secs_f64().max(0.001);
            progress.at(so_far.read, || {
                let rate = grouped((so_far.read as f64 / seconds) as u64);
                let (read, written) = (grouped(so_far.read), grouped(so_far.written));
                format!("{read} read, {written} written, {} rejected, {rate} records/s", grouped(so_far.rejected))
            });
        }
    }

    fn note(&mut self, text: &str) {
        self.ui.note(text);
    }
}

/// What is told at the end.
struct Told<'t> {
    project: &'t Project,
    mappings: &'t [Mapping],
    became: &'t [Became],
    store: Option<&'t Store>,
    dry: bool,
    began: Instant,
}

/// The commonest reasons that the ten lines have room for.
const REASONS: usize = 3;
/// The most places that a run's `data` line names.
const PLACES: usize = 4;

impl Told<'_> {
    /// What went wrong, route by route, on standard error.
    fn errors(&self, ui: &Ui) {
        for one in self.became {
            match one {
                Became::Ran(finished) => {
                    for note in &finished.notes {
                        ui.note(&format!("{}: {note}", finished.route));
                    }
                    if let Some(error) = &finished.error {
                        ui.talk_error(error);
                    }
                }
                Became::Failed { error, .. } => ui.talk_error(error),
                Became::Skipped { route, why } => ui.warn(&format!("{route} was left out: {why}")),
            }
        }
    }

    /// Whether nothing was rejected.
    fn is_clean(&self) -> bool {
        self.became.iter().all(|one| match one {
            Became::Ran(finished) => finished.totals.rejected == 0,
            Became::Failed { .. } | Became::Skipped { .. } => false,
        })
    }

    fn answer(&self, exit: Exit) -> Result<Answer> {
        let columns = [
            "route",
            "run",
            "outcome",
            "exit",
            "read",
            "written",
            "unchanged",
            "deleted",
            "filtered",
            "rejected",
            "duration_s",
            "error",
        ];
        let mut rows = Rows::new("routes", &columns);
        let mut totals = Totals::default();
        for one in self.became {
            rows.push(match one {
                Became::Ran(finished) => {
                    totals.add(&finished.totals);
                    let t = &finished.totals;
                    vec![
                        json!(finished.route),
                        json!(finished.run),
                        json!("ran"),
                        json!(finished.exit.number()),
                        json!(t.read),
                        json!(t.written),
                        json!(t.unchanged),
                        json!(t.deleted),
                        json!(t.filtered),
                        json!(t.rejected),
                        json!(round3(finished.seconds)),
                        json!(finished.error.as_ref().map(|e| e.code().id)),
                    ]
                }
                Became::Failed { route, error } => unrun(route, "failed", error.exit().number(), error.code().id),
                Became::Skipped { route, why } => unrun(route, "skipped", 0, why),
            });
        }
        let seconds = self.began.elapsed().as_secs_f64();
        let waiting = self.waiting()?;
        let text = self.text(&totals, seconds, waiting, exit)?;
        Ok(Answer::new()
            .fact("exit", json!(exit.number()))
            .fact("dry_run", json!(self.dry))
            .fact("totals", serde_json::to_value(totals).unwrap_or_default())
            .fact("reasons", self.reasons_json())
            .fact("rulings", self.rulings_json())
            .fact("sums", self.sums_json())
            .fact("dead_letters", json!(waiting))
            .fact("duration_s", json!(round3(seconds)))
            .rows(rows)
            .text(text))
    }

    /// The ten lines.
    fn text(&self, totals: &Totals, seconds: f64, waiting: u64, exit: Exit) -> Result<String> {
        if self.became.is_empty() {
            return Ok("no route was due\nnext: consign sync status\n".into());
        }
        let ran: Vec<_> =
            self.became.iter().filter_map(|one| if let Became::Ran(f) = one { Some(f) } else { None }).collect();
        if ran.is_empty() {
            return Ok("no route ran\nnext: consign sync status\n".into());
        }
        let mut out = String::new();
        let mut line = |name: &str, value: &str| out.push_str(&format!("{name:<9} {value}\n"));
        let routes = match self.became.len() - ran.len() {
            0 => count(ran.len() as u64, "route", "routes"),
            out => format!("{} of {} routes", ran.len(), ran.len() + out),
        };
        // What several targets of a mapping were given was read once.
        let read = self.once(|t| t.read);
        let bytes = size(self.once(|t| t.bytes_read));
        let filtered = grouped(self.once(|t| t.filtered));
        line("read", &format!("{} by {routes} ({bytes}), {filtered} filtered", count(read, "record", "records")));
        let (places, guarantee) = self.ends()?;
        let mut more = String::new();
        let here = totals.unchanged.saturating_sub(totals.unmatched);
        for (number, what) in [
            (here, "stood there already"),
            (totals.unmatched, "found no record with their key"),
            (totals.deleted, "deleted"),
            (totals.superseded, "replaced by a later one"),
        ] {
            if number > 0 {
                more.push_str(&format!(", {} {what}", grouped(number)));
            }
        }
        line(
            "written",
            &match self.dry {
                true => format!(
                    "nothing: a dry run; it would have been {}",
                    count(totals.mapped + totals.exploded, "record", "records")
                ),
                false if totals.written + totals.unchanged + totals.deleted == 0 => "0 records".into(),
                false => format!("{}{more}, {guarantee}", count(totals.written, "record", "records")),
            },
        );
        for told in self.each_target() {
            line("", &told);
        }
        let tolerated = match (totals.rejected, exit) {
            (1.., Exit::Done) => ", which the mappings tolerate",
            _ => "",
        };
        let wait = match waiting {
            0 => "no dead letter waits".into(),
            number => format!("{} wait", count(number, "dead letter", "dead letters")),
        };
        line("rejected", &format!("{}{tolerated}; {wait}", count(totals.rejected, "record", "records")));
        let mut reasons: Vec<_> = ran.iter().flat_map(|f| f.reasons.iter().map(move |r| (&f.route, r))).collect();
        reasons.sort_by_key(|(_, reason)| std::cmp::Reverse(reason.records));
        for (index, (route, reason)) in reasons.iter().take(REASONS).enumerate() {
            let field = reason.field.as_ref().map_or_else(String::new, |f| format!(".{f}"));
            let others = match reasons.len() - REASONS.min(reasons.len()) {
                more @ 1.. if index + 1 == REASONS => {
                    format!("; {}", count(more as u64, "more reason", "more reasons"))
                }
                _ => String::new(),
            };
            let (cause, first) = (shown(&reason.cause), shown(&reason.first));
            line("", &format!("{} × {route}{field}: {cause} (first at {first}){others}", grouped(reason.records)));
        }
        for (name, value) in self.ruled() {
            line(name, &value);
        }
        line("data", &places);
        let rate = match read {
            0 => String::new(),
            read => format!(", {} records/s", grouped((read as f64 / seconds.max(0.001)) as u64)),
        };
        line("took", &format!("{}{rate}", moment::span(seconds)));
        let audit = match (self.dry, self.project.audit.enabled, self.store) {
            (true, ..) | (.., None) => "a dry run is not recorded".to_string(),
            (_, false, _) => "switched off in the configuration".into(),
            (.., Some(store)) => format!("recorded in log {}; consign audit verify proves it", store.audit_log_id()),
        };
        line("audit", &audit);
        // A run that broke off is looked at before the records that did not fit.
        let broke = self.became.iter().find(|one| !matches!(one.exit(), Exit::Done | Exit::Partial));
        let next = match (broke, waiting) {
            _ if self.dry && exit == Exit::Done => "the same without --dry-run and --limit".into(),
            (Some(Became::Ran(f)), _) => {
                f.run.as_ref().map_or_else(|| "consign map check".into(), |run| format!("consign sync show {run}"))
            }
            (Some(_), _) => "consign sync status".into(),
            (None, 1..) => "consign sync dlq list".into(),
            (None, 0) if exit == Exit::Done => "consign report run".into(),
            (None, 0) => "consign sync status".into(),
        };
        line("next", &next);
        Ok(out)
    }

    /// What compliance rules did: always told of records that were kept back where a route may keep some.
    fn ruled(&self) -> Vec<(&'static str, String)> {
        let ran: Vec<&Finished> =
            self.became.iter().filter_map(|one| if let Became::Ran(f) = one { Some(&**f) } else { None }).collect();
        let mut lines = Vec::new();
        let gated = |route: &str| {
            self.mappings.iter().find(|m| m.name.value == route).is_some_and(|m| {
                let s = &m.compliance;
                let gates = s.consent.is_some()
                    || s.opt_out.is_some()
                    || s.age.is_some()
                    || s.subject.is_some()
                    || s.residency.is_some();
                gates || !m.withholds.is_empty()
            })
        };
        let withheld: u64 = ran.iter().map(|f| f.totals.withheld).sum();
        if withheld > 0 || ran.iter().any(|f| gated(&f.route)) {
            let mut reasons: Vec<(&str, u64)> = Vec::new();
            for one in ran.iter().flat_map(|f| &f.rulings.counted).filter(|one| one.act == Act::Withheld) {
                let why = match one.rule {
                    Some(_) => one.told.as_str(),
                    None => one.told.split_once(": ").map_or(one.told.as_str(), |(_, why)| why),
                };
                match reasons.iter_mut().find(|(known, _)| *known == why) {
                    Some((_, records)) => *records += one.records,
                    None => reasons.push((why, one.records)),
                }
            }
            let reasons: Vec<_> = reasons.iter().map(|(why, records)| format!("{} {why}", grouped(*records))).collect();
            let why = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) };
            lines.push(("withheld", format!("{}{why}", count(withheld, "record", "records"))));
        }
        for act in [Act::Masked, Act::Warned] {
            let mut found: Vec<String> = Vec::new();
            for finished in &ran {
                for one in finished.rulings.counted.iter().filter(|one| one.act == act) {
                    let class = one.class.map_or("", |class| class.class().name);
                    found.push(format!("{} × {}.{}: {class}", grouped(one.records), finished.route, one.field));
                }
            }
            if !found.is_empty() {
                let more = found.len().saturating_sub(REASONS);
                found.truncate(REASONS);
                let more = if more > 0 { format!("; {more} more") } else { String::new() };
                lines.push((act.word(), format!("{}{more}", found.join("; "))));
            }
        }
        lines
    }

    /// What compliance rules did, as documents have it.
    fn rulings_json(&self) -> Value {
        let ran = self.became.iter().filter_map(|one| if let Became::Ran(f) = one { Some(f) } else { None });
        ran.flat_map(|f| f.rulings.counted.iter().map(move |one| (f, one)))
            .map(|(f, one)| {
                json!({
                    "route": f.route, "act": one.act.word(), "code": one.code, "rule": one.rule.as_deref(), "records": one.records,
                    "field": Some(&one.field).filter(|field| !field.is_empty()),
                    "class": one.class.map(|class| class.class().name), "told": one.told,
                })
            })
            .collect()
    }

    /// The declared sums, as documents have them.
    fn sums_json(&self) -> Value {
        let ran = self.became.iter().filter_map(|one| if let Became::Ran(f) = one { Some(f) } else { None });
        ran.filter(|f| !f.rulings.sums.is_empty())
            .map(|f| json!({ "route": f.route, "sums": crate::store::sums_json(&f.rulings.sums) }))
            .collect()
    }

    /// Adds up over mappings: of several targets of one, what was read for the one that got the most.
    fn once(&self, of: impl Fn(&Totals) -> u64) -> u64 {
        let mut most: Vec<(&str, u64)> = Vec::new();
        for one in self.became {
            let Became::Ran(finished) = one else { continue };
            let (family, number) = (self.family(&finished.route), of(&finished.totals));
            match most.iter_mut().find(|(known, _)| *known == family) {
                Some((_, known)) => *known = number.max(*known),
                None => most.push((family, number)),
            }
        }
        most.into_iter().map(|(_, number)| number).sum()
    }

    fn family<'a>(&'a self, route: &'a str) -> &'a str {
        self.mappings.iter().find(|m| m.name.value == route).map_or(route, |m| &m.family)
    }

    /// A line for each target of a mapping that has several: what it got, and how that ended.
    fn each_target(&self) -> Vec<String> {
        let branch = |one: &&Became| self.family(one.route()) != one.route();
        let told = |one: &Became| match one {
            Became::Ran(finished) => {
                let t = &finished.totals;
                let got = match self.dry {
                    true => format!("{} would be written", grouped(t.mapped + t.exploded)),
                    false => format!("{} written", grouped(t.written)),
                };
                let unchanged = match t.unchanged {
                    0 => String::new(),
                    number => format!(", {} stood there already", grouped(number)),
                };
                let ended = match &finished.error {
                    Some(error) => format!(" ({}, exit {})", error.code().id, finished.exit.number()),
                    None => String::new(),
                };
                format!("{}: {got}{unchanged}, {} rejected{ended}", finished.route, grouped(t.rejected))
            }
            Became::Failed { route, error } => {
                format!("{route}: nothing ({}, exit {})", error.code().id, error.exit().number())
            }
            Became::Skipped { route, .. } => format!("{route}: left out"),
        };
        self.became.iter().filter(branch).map(told).collect()
    }

    /// Where the data is, and the weakest promise of all routes.
    fn ends(&self) -> Result<(String, &'static str)> {
        let mut places: Vec<String> = Vec::new();
        let mut weakest = Guarantee::ExactlyOnce;
        for mapping in self.mappings.iter().filter(|m| self.became.iter().any(|one| one.route() == m.name.value)) {
            let Ok(plan) = sync::many::plan(self.project, mapping) else { continue };
            places.push(plan.to.shown());
            weakest = weakest.max(plan.guarantee());
        }
        places.sort();
        places.dedup();
        Ok((gathered(&places), super::plan::promise(weakest)))
    }

    /// Whether a route wrote its records to standard output.
    fn speaks(&self) -> bool {
        let ran = self.mappings.iter().filter(|m| self.became.iter().any(|one| one.route() == m.name.value));
        ran.filter_map(|mapping| sync::many::plan(self.project, mapping).ok()).any(|plan| plan.speaks())
    }

    /// How many dead letters wait.
    fn waiting(&self) -> Result<u64> {
        let filter = LetterFilter { states: vec![LetterState::Open], ..LetterFilter::default() };
        self.store.map_or(Ok(0), |store| store.count_dead_letters(&filter))
    }

    fn reasons_json(&self) -> Value {
        let ran = self.became.iter().filter_map(|one| if let Became::Ran(f) = one { Some(f) } else { None });
        ran.flat_map(|f| f.reasons.iter().map(move |r| (f, r)))
            .map(|(f, r)| {
                json!({
                    "route": f.route, "code": r.code, "field": r.field, "cause": r.cause, "records": r.records, "first": r.first,
                })
            })
            .collect()
    }
}

fn unrun(route: &str, outcome: &str, exit: u8, why: &str) -> Vec<Value> {
    let mut row = vec![json!(route), Value::Null, json!(outcome), json!(exit)];
    row.extend(std::iter::repeat_n(Value::Null, 7));
    row.push(json!(why));
    row
}

/// "tables a, b of x.db": places of one database together.
fn gathered(places: &[String]) -> String {
    let mut databases: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut others: Vec<String> = Vec::new();
    for place in places {
        match place.strip_prefix("table ").and_then(|rest| rest.split_once(" of ")) {
            Some((table, database)) => match databases.iter_mut().find(|(known, _)| *known == database) {
                Some((_, tables)) => tables.push(table),
                None => databases.push((database, vec![table])),
            },
            None => others.push(place.clone()),
        }
    }
    let tables = databases.into_iter().map(|(database, tables)| {
        let word = if tables.len() == 1 { "table" } else { "tables" };
        format!("{database}, {word} {}", tables.join(", "))
    });
    let mut all: Vec<String> = tables.chain(others).collect();
    if all.len() > PLACES {
        let more = all.split_off(PLACES - 1).len();
        all.push(format!("{more} more"));
    }
    all.join("; ")
}

/// Bytes for a person.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.2} GiB", bytes as f64 / 1_073_741_824.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_one_database_stand_together() {
        let places: Vec<String> =
            ["out.csv", "table a of x.db", "table b of x.db"].iter().map(ToString::to_string).collect();
        assert_eq!(gathered(&places), "x.db, tables a, b; out.csv");
        assert_eq!([size(12), size(2048), size(5 << 20), size(3 << 30)].join(" "), "12 B 2.0 KiB 5.0 MiB 3.00 GiB");
    }
}
