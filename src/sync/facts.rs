//! What checks over a project look at beside its configuration, gathered: the log, the runs, the keys,
//! certificates and files. One way for `audit check` and for reports, so that they agree.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::audit::Event;
use crate::comply::facts::{
    ApprovalFact, CertificateFact, Facts, FileFact, KeyFact, LetterFact, LogFacts, RunFact, SumFact, Told,
};
use crate::config::{Node, Piece, Project, Text, yaml};
use crate::error::codes::audit::APPROVALS_BAD;
use crate::error::codes::comply::DETECTED;
use crate::error::{Error, Kind, Place, Result};
use crate::store::{EventFilter, Found, LetterFilter, LetterState, RunFilter, RunRow, Store};

use super::certificates;

/// How much is gathered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Depth {
    /// Only what happened since then, nanoseconds since 1970; `None`: everything.
    pub since_ns: Option<i64>,
    /// Only what happened before then; `None`: until now.
    pub until_ns: Option<i64>,
    /// Whether the log is verified: every event is computed anew.
    pub verify: bool,
}

/// Gathers the facts of a project. Without a state those of files alone.
///
/// # Errors
/// The state cannot be read, or the file of approvals cannot be understood.
pub fn gather(project: &Project, store: Option<&Store>, depth: Depth) -> Result<Facts> {
    let mut facts = Facts {
        certificates: certificates_of(project),
        approvals: approvals(project)?,
        config: Some(project.hash.clone()),
        files: files(project, store),
        ..Facts::default()
    };
    let Some(store) = store else { return Ok(facts) };
    let mut log = LogFacts::default();
    let mut plans = Vec::new();
    let mut followed: BTreeMap<String, String> = BTreeMap::new();
    let filter = EventFilter {
        since_ns: depth.since_ns,
        until_ns: depth.until_ns,
        oldest_first: true,
        ..EventFilter::default()
    };
    store.walk_events(&filter, &mut |Found { event, body }| {
        // Of one that was redacted there is nothing to be told.
        if body.is_none() {
            return Ok(true);
        }
        plans.extend(plan_approval(&event));
        if let (Some(run), Some(plan)) = (&event.run, event.details.get("plan").and_then(|plan| plan.as_str())) {
            followed.insert(run.clone(), plan.to_owned());
        }
        log.take(told(event));
        Ok(true)
    })?;
    if depth.verify {
        let verified = store.verify_audit(None)?;
        log.verified = Some(verified.error().map_or(Ok(()), |error| Err(error.cause().to_owned())));
    }
    log.carried_ns = carried(store)?;
    log.mode = mode_of(&store.folder().database());
    facts.log = Some(log);
    facts.approvals.extend(plans);
    let mut runs = store.runs(&RunFilter { since_ns: depth.since_ns, ..RunFilter::default() })?;
    runs.retain(|row| depth.until_ns.is_none_or(|until| row.started_ns < until));
    let mut told_runs: Vec<RunFact> = runs.into_iter().rev().map(|row| run(row, &mut followed)).collect();
    for run in &mut told_runs {
        let sums = store.sums(&run.id)?;
        run.sums =
            sums.iter().map(|sum| SumFact { field: sum.field.clone(), agrees: sum.differs().is_none() }).collect();
        let found = store.rulings(&run.id)?;
        run.detected = found.iter().filter(|one| one.code == DETECTED.id).map(|one| one.records).sum();
    }
    facts.runs = Some(told_runs);
    let keys = store.protection_keys()?.into_iter().map(|row| KeyFact {
        name: row.name,
        version: row.version,
        state: row.state.word().to_string(),
        purpose: row.purpose.word().to_string(),
        made: row.made_ns,
        changed: Some(row.changed_ns),
        used: row.used_ns,
    });
    facts.keys = Some(keys.collect());
    let waiting = LetterFilter { states: vec![LetterState::Open, LetterState::Replaying], ..LetterFilter::default() };
    let overdue = LetterFilter { expires_before_ns: Some(store.now_ns()), ..waiting.clone() };
    facts.letters = Some(LetterFact {
        count: store.count_dead_letters(&waiting)?,
        overdue: store.count_dead_letters(&overdue)?,
        // What is rejected is sealed before it is stored; there is no way around it.
        sealed: true,
    });
    Ok(facts)
}

fn told(event: Event) -> Told {
    Told {
        seq: event.seq,
        time: event.time,
        clock: event.clock.and_then(|text| text.parse().ok()),
        category: event.category.word().to_string(),
        level: event.level.word().to_string(),
        outcome: event.outcome.word().to_string(),
        action: event.action,
        actor: event.actor,
        origin: event.origin,
        route: event.route,
        run: event.run,
        resource: event.resource,
        config: event.config,
        reason: event.reason,
        classes: event.classes.iter().map(ToString::to_string).collect(),
        details: event.details,
        risk: event.risk,
    }
}

fn run(row: RunRow, plans: &mut BTreeMap<String, String>) -> RunFact {
    RunFact {
        plan: plans.remove(&row.id),
        id: row.id,
        route: row.route,
        state: row.state.word().to_string(),
        started: row.started_ns,
        ended: row.ended_ns,
        due: row.due_ns,
        cause: row.cause,
        actor: row.actor,
        origin: row.origin,
        mapping: row.mapping,
        project: row.project,
        totals: row.totals,
        sums: Vec::new(),
        detected: 0,
    }
}

/// An approval of a plan: the plan is what runs.
fn plan_approval(event: &Event) -> Option<ApprovalFact> {
    if event.action != "plan.approved" {
        return None;
    }
    Some(ApprovalFact {
        hash: event.details.get("plan")?.as_str()?.to_owned(),
        ticket: event.reason.clone(),
        author: event.details.get("author").and_then(|author| author.as_str()).map(str::to_owned),
        approver: event.actor.clone(),
        releaser: None,
        at: Some(event.time),
    })
}

/// When what the newest carried checkpoint covers was last added to.
fn carried(store: &Store) -> Result<Option<i64>> {
    match store.carried_size()? {
        0 => Ok(None),
        size => Ok(store.audit_event(&size.to_string()).ok().map(|event| event.time)),
    }
}

/// The approvals that the project's file holds: a list of maps, see [`ApprovalFact`].
fn approvals(project: &Project) -> Result<Vec<ApprovalFact>> {
    let Some(file) = &project.compliance.rules.approvals else { return Ok(Vec::new()) };
    let path = project.root.join(&file.value);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        // Nobody has approved of anything yet.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io(format!("reading the approvals in `{}`", file.value), error)),
    };
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    yaml::read(&text).map_err(|(cause, line, column)| {
        let place = Place { file: file.value.clone(), line, column, width: 1, source: String::new() };
        Error::new(Kind::Invalid, &APPROVALS_BAD, format!("the approvals cannot be read: {cause}")).at(place)
    })
}

/// The certificates that connectors name.
fn certificates_of(project: &Project) -> Vec<CertificateFact> {
    let mut found = Vec::new();
    for connector in project.connectors.values() {
        for (key, node) in &connector.with {
            let Node::Text(text) = &node.value else { continue };
            if !matches!(key.value.as_str(), "ca_file" | "cert_file") {
                continue;
            }
            let Some(file) = text.as_literal() else { continue };
            let expires = std::fs::read_to_string(project.root.join(file)).ok();
            found.push(CertificateFact {
                connector: connector.name.clone(),
                file: file.to_owned(),
                expires: expires.as_deref().and_then(certificates::expires),
            });
        }
    }
    found
}

/// The files that seal keys: how far they are open, and what they lie beside.
fn files(project: &Project, store: Option<&Store>) -> Vec<FileFact> {
    let mut found = Vec::new();
    let roots = project.compliance.keys.iter().flat_map(|key| &key.roots);
    for path in roots.flat_map(|root| referred(&root.value)) {
        let whole = project.root.join(path);
        let Some(mode) = mode_of(&whole) else { continue };
        found.push(FileFact {
            path: path.to_owned(),
            what: "key".into(),
            mode,
            beside: beside(project, store, &whole),
        });
    }
    found
}

fn referred(text: &Text) -> impl Iterator<Item = &str> {
    text.pieces.iter().filter_map(|piece| if let Piece::File(path) = piece { Some(path.as_str()) } else { None })
}

/// What lies in the same folder as a file.
fn beside(project: &Project, store: Option<&Store>, file: &Path) -> Option<String> {
    let real = |path: &Path| path.canonicalize().ok();
    let here: PathBuf = real(file.parent()?)?;
    if real(&project.root).as_ref() == Some(&here) {
        return Some("connectors.yaml".into());
    }
    if store.is_some_and(|store| real(&store.folder().root).is_some_and(|state| here.starts_with(state))) {
        return Some("state".into());
    }
    let folder = |connector: &crate::config::Connector| {
        let (_, node) = connector.with.iter().find(|(key, _)| key.value == "path")?;
        let Node::Text(text) = &node.value else { return None };
        let whole = project.root.join(text.as_literal()?);
        real(if whole.is_dir() { &whole } else { whole.parent()? })
    };
    let of_files =
        project.connectors.values().filter(|connector| matches!(connector.uses.value.as_str(), "file" | "sqlite"));
    of_files
        .into_iter()
        .find(|connector| folder(connector).as_ref() == Some(&here))
        .map(|connector| connector.name.clone())
}

#[cfg(unix)]
fn mode_of(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(path.metadata().ok()?.permissions().mode() & 0o7777)
}

#[cfg(not(unix))]
fn mode_of(path: &Path) -> Option<u32> {
    path.metadata().ok().map(|_| 0o600)
}
