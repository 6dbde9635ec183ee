//! Several routes in one go: which of them, in which order, and what one failure means for the
//! others.

use std::cell::RefCell;
use std::time::Duration;

use crate::audit::{Action, Draft, Outcome};
use crate::config::{Approval, Environment, Mapping, Project, Resolver, named};
use crate::error::{Error, Exit, Kind, Result, Severity, codes};
use crate::store::{RouteState, Store};

use super::check::{self, check_one, ruled_one};
use super::foresee::{self, Foreseen};
use super::plan::Plan;
use super::planned::{self, Planned};
use super::road::{self, Finished, Options};
use super::schedule;
use super::signals::Stop;
use super::watch::Watch;

/// Which routes to run.
#[derive(Clone, Debug)]
pub enum Selection {
    /// These, by name.
    Named(Vec<String>),
    /// Every enabled one with a schedule that is due.
    Due,
    /// Every enabled one.
    All,
}

/// What became of one route.
pub enum Became {
    /// It ran.
    Ran(Box<Finished>),
    /// It could not begin.
    Failed {
        /// Its name.
        route: String,
        /// Why.
        error: Error,
    },
    /// It was left out.
    Skipped {
        /// Its name.
        route: String,
        /// Why.
        why: String,
    },
}

impl Became {
    /// The exit code it asks for.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Ran(finished) => finished.exit,
            Self::Failed { error, .. } => error.exit(),
            Self::Skipped { .. } => Exit::Done,
        }
    }

    /// The route's name.
    pub fn route(&self) -> &str {
        match self {
            Self::Ran(finished) => &finished.route,
            Self::Failed { route, .. } | Self::Skipped { route, .. } => route,
        }
    }
}

/// Everything a run of routes needs from outside.
pub struct Setting<'s> {
    /// The project.
    pub project: &'s Project,
    /// Its mappings, all of them.
    pub mappings: &'s [Mapping],
    /// How each route is to be run.
    pub options: &'s Options,
    /// The moment the whole command began.
    pub now: jiff::Timestamp,
    /// Whether to stop.
    pub stop: &'s Stop,
    /// How long to wait for a route that another run holds.
    pub wait: Duration,
    /// The saved plan that is run.
    pub plan: Option<&'s Planned>,
}

/// Runs the selected routes one after the other, each after those it waits for. A route whose
/// predecessor failed is left out; all others run. After a signal none begins.
///
/// # Errors
/// If a name is unknown or routes wait for each other in a circle. What happens to single routes
/// is in the answer.
pub fn run(
    setting: &Setting<'_>,
    selection: &Selection,
    mut store: Option<&mut Store>,
    watch: &mut dyn Watch,
) -> Result<Vec<Became>> {
    let shared = check::shared(setting.project, setting.mappings);
    if !shared.is_empty() {
        return Err(Error::findings(Kind::Invalid, &codes::sync::CHECK_FAILED, "two routes write one target", shared));
    }
    if let Some(planned) = setting.plan {
        let chosen = chosen(setting, selection, store.as_deref())?;
        same_routes(planned, &chosen).map_err(|error| recorded(setting, None, store.as_deref_mut(), error))?;
    }
    let mut became: Vec<Became> = Vec::new();
    if let (Selection::All, Some(store)) = (selection, store.as_deref()) {
        for mapping in setting.mappings {
            let state = store.route(&mapping.name.value)?;
            if !state.enabled {
                let why = state.reason.as_deref().unwrap_or("no reason given");
                watch.note(&format!("{}: left out, it is disabled ({why})", mapping.name.value));
            }
        }
    }
    let chosen = chosen(setting, selection, store.as_deref())?;
    // The targets of one mapping stand side by side.
    for together in chosen.chunk_by(|one, next| one.family == next.family) {
        if setting.stop.asked() {
            break;
        }
        let Some(mapping) = together.first() else { continue };
        let failed = mapping.sync.after.iter().find(|before| {
            became.iter().any(|b| family(b.route()) == before.value && !matches!(b.exit(), Exit::Done | Exit::Partial))
        });
        if let Some(before) = failed {
            let why = format!("`{}` did not get through, and this route comes after it", before.value);
            became.extend(together.iter().map(|m| Became::Skipped { route: m.name.value.clone(), why: why.clone() }));
            continue;
        }
        if let Some(store) = store.as_deref().filter(|_| !setting.options.dry()) {
            removed(setting, mapping, store, watch)?;
        }
        became.extend(run_together(setting, together, store.as_deref_mut(), watch));
    }
    Ok(became)
}

/// What the names of a plan mean today are the routes that it was made for.
fn same_routes(planned: &Planned, chosen: &[&Mapping]) -> Result<()> {
    let now: Vec<&str> = chosen.iter().map(|mapping| mapping.name.value.as_str()).collect();
    if now.len() == planned.routes.len() && now.iter().all(|name| planned.routes.contains_key(*name)) {
        return Ok(());
    }
    let then: Vec<&str> = planned.routes.keys().map(String::as_str).collect();
    Err(Error::new(Kind::Refused, &codes::sync::PLAN_MOVED, "the plan was made for other routes")
        .fact("planned", then.join(", "))
        .fact("now", now.join(", "))
        .hint(format!("make a new plan: consign sync plan {} --save FILE", planned.names.join(" "))))
}

/// The mapping that a route's name belongs to.
fn family(route: &str) -> &str {
    route.split_once('@').map_or(route, |(family, _)| family)
}

/// The routes to run, in order.
fn chosen<'s>(setting: &Setting<'s>, selection: &Selection, store: Option<&Store>) -> Result<Vec<&'s Mapping>> {
    let ordered = schedule::order(setting.mappings)?;
    let Selection::Named(names) = selection else {
        let mut chosen = Vec::new();
        for mapping in ordered {
            let state = store.map(|s| s.route(&mapping.name.value)).transpose()?;
            if state.as_ref().is_some_and(|state| !state.enabled) {
                continue;
            }
            let due = match (selection, &mapping.sync.schedule) {
                (Selection::All, _) => true,
                (_, None) => false,
                (_, Some(plan)) => {
                    let begun = state.and_then(|state| state.last_start_ns).map(schedule::moment);
                    schedule::due(plan, begun, setting.now)?.now
                }
            };
            if due {
                chosen.push(mapping);
            }
        }
        return Ok(chosen);
    };
    for name in names {
        named(setting.mappings, name)?;
    }
    Ok(ordered.into_iter().filter(|m| names.iter().any(|name| m.answers_to(name))).collect())
}

/// Runs the chosen targets of one mapping: one that cannot begin keeps no other from it.
fn run_together(
    setting: &Setting<'_>,
    mappings: &[&Mapping],
    mut store: Option<&mut Store>,
    watch: &mut dyn Watch,
) -> Vec<Became> {
    let dry = setting.options.dry();
    let now = setting.plan.map_or_else(|| moment(setting.now), Planned::moment);
    let (mut plans, mut held, mut answers) = (Vec::new(), Vec::new(), Vec::with_capacity(mappings.len()));
    for mapping in mappings {
        let made = plan(setting.project, mapping).and_then(|plan| {
            // A dry run changes nothing that a real one could trip over: it needs no lock.
            let lock = match &store {
                Some(store) if !dry => Some(store.lock_route(plan.name(), setting.wait)?),
                _ => None,
            };
            let plan = plan.prepared(setting.project, store.as_deref(), now)?;
            if let Some(store) = store.as_deref().filter(|_| !dry) {
                let state = store.route(plan.name())?;
                if !state.enabled {
                    return Err(super::begin::disabled(&plan, &state));
                }
                renamed(setting, &plan, store)?;
                allowed(setting, &plan, store)?;
            }
            Ok((plan, lock))
        });
        answers.push(match made {
            Ok((plan, lock)) => {
                plans.push(plan);
                held.push(lock);
                None
            }
            Err(error) => Some(recorded(setting, Some(mapping), store.as_deref_mut(), error)),
        });
    }
    let store = store.map(RefCell::new);
    let mut ran = road::run(&plans, store.as_ref(), setting.options, now, setting.stop, watch).into_iter();
    let answer = |(mapping, refused): (&&Mapping, Option<Error>)| {
        let name = mapping.name.value.as_str();
        let ended = match refused {
            Some(error) => Err(error),
            None => ran.next().unwrap_or_else(|| Err(Error::bug("a route without an answer"))),
        };
        match ended {
            Ok(finished) => {
                let error = finished.error.map(|error| error.fact("route", name));
                Became::Ran(Box::new(Finished { error, ..finished }))
            }
            Err(error) => Became::Failed { route: name.to_string(), error: error.fact("route", name) },
        }
    };
    mappings.iter().zip(answers).map(answer).collect()
}

/// Records that a run was refused, with the reason: what was tried and not allowed is as telling as
/// what was done. Other errors, and dry runs, pass by.
fn recorded(setting: &Setting<'_>, mapping: Option<&Mapping>, store: Option<&mut Store>, error: Error) -> Error {
    let Some(store) = store.filter(|_| error.kind() == Kind::Refused && !setting.options.dry()) else { return error };
    let options = setting.options;
    let draft = Draft {
        outcome: Outcome::Denied,
        reason: Some(error.cause().to_string()),
        actor: options.actor.clone(),
        origin: options.origin.clone(),
        route: mapping.map(|mapping| mapping.name.value.clone()),
        config: mapping.map(|mapping| mapping.hash.clone()),
        ..Draft::new(Action::RunRefused)
    };
    let draft = draft.detail("code", error.code().id).detail("cause", options.cause);
    let draft = match setting.plan {
        Some(plan) => draft.detail("plan", plan.hash.clone()),
        None => draft,
    };
    match store.record_event(draft) {
        Ok(_) => error,
        Err(unrecorded) => error.fact("audit", format!("not recorded: {unrecorded}")),
    }
}

/// Says which targets of a mapping were taken out of it since it ran last.
fn removed(setting: &Setting<'_>, mapping: &Mapping, store: &Store, watch: &mut dyn Watch) -> Result<()> {
    let kin =
        |route: &String| family(route) == mapping.family && setting.mappings.iter().all(|m| m.name.value != *route);
    let ran = |route: &str| Ok::<_, Error>(store.route(route)?.last_start_ns);
    let mut latest = None;
    for route in setting.mappings.iter().filter(|m| m.family == mapping.family) {
        latest = latest.max(ran(&route.name.value)?);
    }
    for route in store.routes()?.into_iter().filter(kin) {
        // It took part in the last run: the routes of one run begin one after the other.
        if ran(&route)?.is_some_and(|began| began + TOGETHER_NS >= latest.unwrap_or(began)) {
            watch.note(&format!(
                "{route} is no target of the mapping any more: its position and its dead letters are kept (consign sync dlq list --route {route})"
            ));
        }
    }
    Ok(())
}

/// Within this time begin the routes of one run.
const TOGETHER_NS: i64 = 10_000_000_000;

/// Stops a route that begins anew only because its name changed when targets were added or taken
/// out: what was delivered would be delivered again.
fn renamed(setting: &Setting<'_>, plan: &Plan, store: &Store) -> Result<()> {
    let (name, of) = (plan.name(), &plan.mapping.family);
    let state = store.route(name)?;
    if state.group > 0 || !state.settled.is_empty() {
        return Ok(());
    }
    let to = format!("{}.{}", plan.mapping.to.connector, plan.mapping.to.stream);
    let earlier = if name == of { format!("{of}@{to}") } else { of.clone() };
    let taken = setting.mappings.iter().any(|mapping| mapping.name.value == earlier);
    let known = store.route(&earlier)?;
    // Which stream it led to then is in the mapping as its last run knew it.
    let led_here = match known.last_run.as_ref().filter(|_| !taken && !known.settled.is_empty()) {
        Some(run) => {
            let kept = store.config(&store.run(run)?.mapping)?.unwrap_or_default();
            let kept: serde_json::Value = serde_json::from_str(&kept).unwrap_or_default();
            kept["to"].as_str() == Some(&to)
        }
        None => false,
    };
    if !led_here {
        return Ok(());
    }
    let cause = format!("`{to}` was written by route `{earlier}`, which would begin again as `{name}`");
    let way = match name == of {
        true => format!("keep its name by keeping the list: `to: [{to}]`"),
        false => format!("say that it goes on: `- {{ stream: {to}, continues: true }}`"),
    };
    Err(Error::new(Kind::Refused, &codes::sync::TARGET_RENAMED, cause).hint(way).hint(format!(
        "or let it begin again, which sends every record once more: consign sync state reset {earlier} --reason TEXT"
    )))
}

/// Whether a route may run now: with the plan that was approved of, if its mapping asks for one, and
/// if it has a plan at all, with one that still holds.
fn allowed(setting: &Setting<'_>, plan: &Plan, store: &Store) -> Result<()> {
    let Some(planned) = setting.plan else {
        if plan.mapping.sync.approval.is_none() {
            return Ok(());
        }
        let because = plan.approval_because.as_ref().map_or_else(String::new, |rule| format!(": {rule}"));
        let cause = format!("route `{}` runs with an approved plan only{because}", plan.name());
        let family = &plan.mapping.family;
        return Err(Error::new(Kind::Refused, &codes::sync::APPROVAL_MISSING, cause)
            .hint(format!("consign sync plan {family} --save FILE; then somebody: consign sync approve FILE --as NAME --reason TEXT"))
            .hint("then: consign sync run --plan FILE"));
    };
    let known = store.plan(&planned.hash)?.ok_or_else(|| crate::store::plans::unknown(&planned.hash))?;
    if let Some((_, run)) = known.uses.iter().find(|(route, _)| route == plan.name()) {
        return Err(crate::store::plans::used(&planned.hash, run));
    }
    planned.approved(&plan.mapping, &known)?;
    let state = store.route(plan.name())?;
    let seen = foresee::foresee(plan, store.log_id(), &state, setting.options, planned.moment(), setting.stop)?;
    planned.still(&planned::route(plan, &state, &seen))
}

/// What a run of routes would do: foreseen, and fit to be saved. Changes nothing.
///
/// # Errors
/// If a name is unknown, or a route cannot be foreseen.
pub fn foreseen(
    setting: &Setting<'_>,
    names: &[String],
    store: Option<&Store>,
    author: Option<String>,
) -> Result<(Planned, Vec<Foreseen>)> {
    let selection = Selection::Named(names.to_vec());
    let reading = (setting.options.full, setting.options.window.clone());
    let (mut routes, mut all) = (Vec::new(), Vec::new());
    for mapping in chosen(setting, &selection, store)? {
        let plan = plan(setting.project, mapping)?.prepared(setting.project, store, moment(setting.now))?;
        let state = match store {
            Some(store) => store.route(plan.name())?,
            None => RouteState { enabled: true, ..RouteState::default() },
        };
        if !state.enabled {
            return Err(super::begin::disabled(&plan, &state));
        }
        let log_id = store.map_or("", Store::log_id);
        let seen = foresee::foresee(&plan, log_id, &state, setting.options, moment(setting.now), setting.stop)?;
        routes.push(planned::route(&plan, &state, &seen));
        all.push(seen);
    }
    Ok((Planned::new(names.to_vec(), author, reading, setting.now, routes), all))
}

fn moment(at: jiff::Timestamp) -> crate::record::Timestamp {
    crate::record::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond().unsigned_abs(), offset: 0 }
}

/// Makes the plan of a route for a run: the mapping compiled, references filled in.
///
/// # Errors
/// If a check of the mapping fails: [`Kind::Refused`] if all that is wrong is where data classes
/// would flow. Or if a reference cannot be filled in.
pub fn plan(project: &Project, mapping: &Mapping) -> Result<Plan> {
    let (route, mut findings) = check_one(project, mapping, false);
    let mut because = None;
    if let Some(route) = &route {
        let (ruled, asks) = ruled_one(project, mapping, route);
        findings.extend(ruled);
        because = asks;
    }
    let route = match route {
        Some(route) if findings.iter().all(|finding| finding.severity != Severity::Error) => route,
        _ => {
            findings.retain(|finding| finding.severity == Severity::Error);
            let refused = !findings.is_empty() && findings.iter().all(|f| codes::comply::CHECKED.contains(&f.code));
            let kind = if refused { Kind::Refused } else { Kind::Invalid };
            return Err(Error::findings(kind, &codes::sync::CHECK_FAILED, "the mapping has errors", findings));
        }
    };
    let mut plan = Plan::new(project, mapping, route, &Resolver::new(&project.root, Environment::process()))?;
    if because.is_some() {
        plan.mapping.sync.approval.get_or_insert(Approval { four_eyes: true });
        plan.approval_because = because;
    }
    Ok(plan)
}
