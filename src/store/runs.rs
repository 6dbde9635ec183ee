//! Runs: how one begins and ends, and what is known of those that were.

use std::collections::BTreeMap;

use rusqlite::params;
use serde_json::json;

use super::history::totals_of;
use super::steps::{self, Settle};
use super::{EventFilter, Store, Writing, keys, sql};
use crate::audit::risk::{self, Inputs};
use crate::audit::{Action, Draft, Level, Outcome, event};
use crate::config::hide;
use crate::error::{Error, Result};
use crate::record::{Calls, Totals};

/// A run that is about to begin.
#[derive(Clone, Debug, Default)]
pub struct NewRun {
    /// The route (the mapping's name).
    pub route: String,
    /// Hash and canonical form of the project.
    pub project: (String, String),
    /// Hash and canonical form of the mapping.
    pub mapping: (String, String),
    /// What made it run: `hand`, `due`, `all`, `replay` …
    pub cause: String,
    /// How: `full`, `limit=10` …
    pub flags: Vec<String>,
    /// For a scheduled run the due time it stands for, nanoseconds since 1970.
    pub due_ns: Option<i64>,
    /// Who.
    pub actor: Option<String>,
    /// From where (terminal, cron, CI).
    pub origin: Option<String>,
    /// For which tenant.
    pub tenant: Option<String>,
    /// The hash of the plan that it follows, which it uses up.
    pub plan: Option<String>,
    /// The keys that it protects with, by name and id.
    pub keys: Vec<(String, String)>,
    /// Days that its dead letters are kept; `None`: as the state was opened with.
    pub keep_days: Option<u32>,
    /// The classes that travel on the route.
    pub classes: Vec<&'static str>,
    /// What is at stake on it.
    pub stakes: Inputs,
}

/// A run under way.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its id: sorts by time.
    pub id: String,
    /// The route.
    pub route: String,
    /// Grows with every run of the route; a run with a smaller one is refused.
    pub fence: u64,
    /// The group that was settled last when it began; the first of this run is one more.
    pub group: u64,
    /// When it began, nanoseconds since 1970.
    pub started_ns: i64,
    /// The hash of the mapping.
    pub mapping: String,
    /// Who.
    pub actor: Option<String>,
    /// From where.
    pub origin: Option<String>,
    /// For which tenant.
    pub tenant: Option<String>,
    /// Days that its dead letters are kept.
    pub keep_days: u32,
    /// The classes that travel on the route.
    pub classes: Vec<&'static str>,
    /// What is at stake on it.
    pub stakes: Inputs,
}

impl Run {
    /// An event of this run.
    pub fn draft(&self, action: Action) -> Draft {
        let mut draft = Draft::new(action);
        draft.run = Some(self.id.clone());
        draft.route = Some(self.route.clone());
        draft.actor.clone_from(&self.actor);
        draft.origin.clone_from(&self.origin);
        draft.tenant.clone_from(&self.tenant);
        draft.config = Some(self.mapping.clone());
        draft.weighed = self.stakes;
        draft
    }
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// Under way, or its process died and no later run noticed yet.
    Running,
    /// Everything asked for was done.
    Done,
    /// Ended, not whole.
    Partial,
    /// Failed.
    Failed,
    /// Drained after a signal.
    Interrupted,
    /// Its process died; noticed by the next run.
    Died,
}

impl RunState {
    /// The word that is stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Died => "died",
        }
    }

    pub(super) fn of(word: &str) -> Self {
        [Self::Running, Self::Done, Self::Partial, Self::Interrupted, Self::Died]
            .into_iter()
            .find(|state| state.word() == word)
            .unwrap_or(Self::Failed)
    }
}

/// How a run ends.
#[derive(Clone, Debug)]
pub struct RunEnd {
    /// How.
    pub state: RunState,
    /// The exit code.
    pub exit: u8,
    /// Code and cause of the error, if one ended it.
    pub error: Option<(String, String)>,
    /// What there is to say; added to what the groups said.
    pub warnings: Vec<String>,
    /// The calls it made, by connector; of each that made some.
    pub calls: Vec<(String, Calls)>,
    /// The last group, if it is not settled yet: saves a small run an fsync.
    pub settle: Option<Settle>,
}
impl Store {
    /// Begins a run. Hold the route's lock.
    ///
    /// Runs of the route that never said how they ended are marked as died, dead letters they had
    /// claimed are open again, and letters past their time to live are deleted.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn begin_run(&mut self, new: &NewRun) -> Result<Run> {
        let took = self.tenure(&new.route).and_then(|tenure| tenure.took().cloned());
        let context = self.context(new)?;
        self.write("beginning a run", |w| {
            w.touch_route(&new.route)?;
            let mut drafts = Vec::new();
            for (kind, (hash, document)) in [("project", &new.project), ("mapping", &new.mapping)] {
                if w.keep_config(kind, hash, document)? {
                    let mut draft = Draft::new(Action::ConfigSeen).detail("kind", kind);
                    draft.route = Some(new.route.clone());
                    draft.config = Some(hash.clone());
                    drafts.push(draft);
                }
            }
            let (fence, group) = w.fence_and_group(&new.route)?;
            let run = Run {
                id: event::id(w.now_ns, keys::random()?),
                route: new.route.clone(),
                fence: fence + 1,
                group,
                started_ns: w.now_ns,
                mapping: new.mapping.0.clone(),
                actor: new.actor.clone(),
                origin: new.origin.clone(),
                tenant: new.tenant.clone(),
                keep_days: new.keep_days.unwrap_or(w.limits.days),
                classes: new.classes.clone(),
                stakes: Inputs { context, ..new.stakes },
            };
            if let Some(old) = &took {
                let pid = old.process.pid;
                drafts.push(run.draft(Action::RouteTakenOver).detail("pid", pid).detail("host", old.host.clone()));
            }
            drafts.extend(w.bury_dead_runs(&run)?);
            drafts.extend(w.purge_letters()?);
            w.insert_run(&run, new)?;
            if let Some(plan) = &new.plan {
                w.use_plan(plan, &run.route, &run.id)?;
            }
            let started = run
                .draft(Action::RunStarted)
                .detail("fence", run.fence)
                .detail("group", run.group)
                .detail("cause", new.cause.clone())
                .detail("flags", new.flags.clone())
                .detail("project", new.project.0.clone());
            let started = match &new.plan {
                Some(plan) => started.detail("plan", plan.clone()),
                None => started,
            };
            let started = if new.keys.is_empty() {
                started
            } else {
                w.use_keys(&new.keys)?;
                let keys = new.keys.iter().map(|(name, id)| (name.clone(), id.clone().into()));
                started.detail("keys", keys.collect::<serde_json::Map<_, _>>())
            };
            drafts.push(Draft { classes: run.classes.clone(), ..started });
            w.record(drafts)?;
            Ok(run)
        })
    }

    /// What is out of the ordinary about where a run goes and where it runs.
    fn context(&self, new: &NewRun) -> Result<f64> {
        /// A host that none of so many runs ran on is new.
        const LOOKED_AT: usize = 20;
        let Some(last) = self.route(&new.route)?.last_run else { return Ok(risk::NEW_DESTINATION) };
        let last = self.run(&last)?;
        let destination = |(mapping, project): (&str, &str)| -> Option<serde_json::Value> {
            let (mapping, project): (serde_json::Value, serde_json::Value) =
                (serde_json::from_str(mapping).ok()?, serde_json::from_str(project).ok()?);
            let to = mapping["to"].as_str()?;
            let target = &project["connectors"][to.split_once('.').map_or(to, |(name, _)| name)];
            Some(json!([to, target["use"], target["with"]]))
        };
        let mut context = 0.0;
        if (&last.mapping, &last.project) != (&new.mapping.0, &new.project.0) {
            let before = self.config(&last.mapping)?.zip(self.config(&last.project)?);
            let before = before.and_then(|(mapping, project)| destination((&mapping, &project)));
            if before != destination((&new.mapping.1, &new.project.1)) {
                context += risk::NEW_DESTINATION;
            }
        }
        if let Some(host) = &self.options.session.host {
            let began = EventFilter {
                action: Some(Action::RunStarted.word().into()),
                route: Some(new.route.clone()),
                limit: LOOKED_AT,
                ..EventFilter::default()
            };
            let hosts: Vec<Option<String>> = self.audit_events(&began)?.into_iter().map(|event| event.host).collect();
            if !hosts.is_empty() && !hosts.iter().flatten().any(|known| known == host) {
                context += risk::NEW_HOST;
            }
        }
        Ok(context)
    }

    /// Ends a run, with its last group if that is not settled yet. One transaction.
    ///
    /// # Errors
    /// As for [`Store::step`].
    pub fn finish_run(&mut self, run: &Run, end: &RunEnd) -> Result<()> {
        if let Some(settle) = &end.settle {
            steps::check_counts(settle)?;
        }
        // What is recorded was written for a person: it names references, never their values.
        let told = RunEnd {
            state: end.state,
            exit: end.exit,
            error: end.error.as_ref().map(|(code, cause)| (code.clone(), hide(cause).into_owned())),
            warnings: end.warnings.iter().map(|warning| hide(warning).into_owned()).collect(),
            calls: end.calls.clone(),
            settle: None,
        };
        self.write("ending a run", |w| {
            let group = w.check_fence(run)?;
            if let Some(settle) = &end.settle {
                w.settle(run, group, settle)?;
                super::failpoint::reach("inside_settle");
            }
            if !told.warnings.is_empty() {
                w.add_warnings(run, &told.warnings)?;
            }
            w.release_claims(&run.route)?;
            w.finish(run, &told)
        })
    }
}

impl Writing<'_> {
    /// Keeps a configuration; whether it is new.
    fn keep_config(&self, kind: &str, hash: &str, document: &str) -> Result<bool> {
        self.db
            .prepare_cached(
                "INSERT INTO configs (hash, kind, document, seen_ns) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (hash) DO NOTHING",
            )
            .and_then(|mut statement| statement.execute(params![hash, kind, document, self.now_ns]))
            .map(|changed| changed > 0)
            .map_err(|e| sql::error("keeping a configuration", e))
    }

    fn bury_dead_runs(&self, run: &Run) -> Result<Vec<Draft>> {
        let doing = "looking for runs that died";
        let mut statement = self
            .db
            .prepare_cached("SELECT id, fence FROM runs WHERE route = ?1 AND state = 'running'")
            .map_err(|e| sql::error(doing, e))?;
        let found: Vec<(String, i64)> = statement
            .query_map([&run.route], |row| Ok((row.get(0)?, row.get(1)?)))
            .and_then(Iterator::collect)
            .map_err(|e| sql::error(doing, e))?;
        let mut drafts = Vec::with_capacity(found.len());
        for (id, fence) in found {
            self.db.execute("UPDATE runs SET state = 'died' WHERE id = ?1", [&id]).map_err(|e| sql::error(doing, e))?;
            self.note_numbers(&id, &[])?;
            let mut draft = run.draft(Action::RunDied).detail("fence", fence).detail("noticed_by", run.id.clone());
            draft.run = Some(id);
            draft.outcome = Outcome::Failure;
            drafts.push(draft);
        }
        self.release_claims(&run.route)?;
        Ok(drafts)
    }

    fn insert_run(&self, run: &Run, new: &NewRun) -> Result<()> {
        let doing = "beginning a run";
        self.db
            .prepare_cached(
                "INSERT INTO runs (id, route, fence, state, started_ns, due_ns, cause, flags, actor, origin, tenant, project, mapping)
                 VALUES (?1, ?2, ?3, 'running', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    run.id,
                    run.route,
                    sql::int(run.fence),
                    run.started_ns,
                    new.due_ns,
                    new.cause,
                    json!(new.flags).to_string(),
                    new.actor,
                    new.origin,
                    new.tenant,
                    new.project.0,
                    new.mapping.0,
                ])
            })
            .map_err(|e| sql::error(doing, e))?;
        self.db
            .prepare_cached(
                "UPDATE routes SET fence = ?2, last_run = ?3, last_start_ns = ?4, last_due_ns = coalesce(?5, last_due_ns)
                 WHERE route = ?1",
            )
            .and_then(|mut statement| {
                statement.execute(params![run.route, sql::int(run.fence), run.id, run.started_ns, new.due_ns])
            })
            .map(drop)
            .map_err(|e| sql::error(doing, e))
    }

    fn finish(&mut self, run: &Run, end: &RunEnd) -> Result<()> {
        let doing = "ending a run";
        let (code, cause) = end.error.clone().unzip();
        self.db
            .prepare_cached(
                "UPDATE runs SET state = ?2, ended_ns = ?3, exit = ?4, error_code = ?5, error_cause = ?6 WHERE id = ?1",
            )
            .and_then(|mut statement| {
                statement.execute(params![run.id, end.state.word(), self.now_ns, end.exit, code, cause])
            })
            .map_err(|e| sql::error(doing, e))?;
        if end.state == RunState::Done {
            self.db
                .execute("UPDATE routes SET last_success_ns = ?2 WHERE route = ?1", params![run.route, self.now_ns])
                .map_err(|e| sql::error(doing, e))?;
        }
        self.note_numbers(&run.id, &end.calls)?;
        let (totals, groups) = self.run_totals(run)?;
        let mut draft = run.draft(Action::RunFinished);
        draft.details = steps::totals(&totals);
        draft.classes.clone_from(&run.classes);
        draft.weighed.records = totals.written;
        let (mut amounts, days) = self.amounts(run)?;
        let anomaly = risk::anomaly_of_amount(totals.written, &mut amounts, days);
        (draft.weighed.anomaly, draft.weighed.learning) = (anomaly.unwrap_or_default(), anomaly.is_none());
        draft = draft
            .detail("state", end.state.word())
            .detail("exit", end.exit)
            .detail("groups", groups)
            .detail("milliseconds", (self.now_ns - run.started_ns).max(0) / 1_000_000);
        if let Some((code, cause)) = &end.error {
            draft = draft.detail("code", code.clone());
            draft.reason = Some(cause.clone());
        }
        (draft.level, draft.outcome) = match end.state {
            RunState::Done => (Level::Info, Outcome::Success),
            RunState::Partial | RunState::Interrupted => (Level::Warning, Outcome::Partial),
            RunState::Running | RunState::Failed | RunState::Died => (Level::Error, Outcome::Failure),
        };
        let mut drafts = Vec::with_capacity(2);
        if totals.withheld > 0 {
            let mut withheld = run.draft(Action::RecordsWithheld).detail("records", totals.withheld);
            withheld.details.insert("reasons".into(), self.withheld_reasons(&run.id)?);
            withheld.classes.clone_from(&run.classes);
            drafts.push(withheld);
        }
        drafts.push(draft);
        self.record(drafts).map(drop)
    }

    /// How much the runs of this route wrote in the 30 days before this one, and how many days ago the first of all
    /// of them began.
    fn amounts(&self, run: &Run) -> Result<(Vec<u64>, i64)> {
        /// More tell no more.
        const ENOUGH: i64 = 500;
        const DAY_NS: i64 = 86_400_000_000_000;
        let fail = |e| sql::error("looking at earlier runs", e);
        let since = run.started_ns.saturating_sub(30 * DAY_NS);
        let first: i64 = self
            .db
            .prepare_cached("SELECT started_ns FROM runs WHERE route = ?1 ORDER BY number LIMIT 1")
            .and_then(|mut statement| statement.query_row([&run.route], |row| row.get(0)))
            .map_err(fail)?;
        let amounts = self
            .db
            .prepare_cached(
                "SELECT written FROM runs WHERE route = ?1 AND id <> ?2 AND started_ns >= ?3 AND ended_ns IS NOT NULL
                 ORDER BY number DESC LIMIT ?4",
            )
            .and_then(|mut statement| {
                let rows =
                    statement.query_map(params![run.route, run.id, since, ENOUGH], |row| row.get::<_, i64>(0))?;
                rows.map(|amount| amount.map(sql::count)).collect()
            })
            .map_err(fail)?;
        Ok((amounts, (run.started_ns - first) / DAY_NS))
    }

    fn run_totals(&self, run: &Run) -> Result<(Totals, u64)> {
        self.db
            .prepare_cached(
                "SELECT read, mapped, filtered, rejected, withheld, produced, superseded, written, unchanged, refused,
                        in_doubt, bytes_read, bytes_written, deleted, unmatched, groups FROM runs WHERE id = ?1",
            )
            .and_then(|mut s| s.query_row([&run.id], |row| Ok((totals_of(row, 0)?, sql::count(row.get(15)?)))))
            .map_err(|e| sql::error("reading the counts of a run", e))
    }

    /// Adds to the warnings of a run.
    pub(super) fn add_warnings(&self, run: &Run, warnings: &[String]) -> Result<()> {
        let doing = "adding to the warnings of a run";
        for warning in warnings {
            self.db
                .prepare_cached("UPDATE runs SET warnings = json_insert(warnings, '$[#]', ?2) WHERE id = ?1")
                .and_then(|mut statement| statement.execute(params![run.id, warning]))
                .map_err(|e| sql::error(doing, e))?;
        }
        Ok(())
    }

    /// Adds to the reasons why records of a run were rejected.
    pub(super) fn add_reasons(
        &self,
        run: &Run,
        reasons: &BTreeMap<(&str, &str), (u64, &crate::record::Reject)>,
    ) -> Result<()> {
        for ((code, field), (records, first)) in reasons {
            self.db
                .prepare_cached(
                    "INSERT INTO run_rejects (run, code, field, records, cause, source, line) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                     ON CONFLICT (run, code, field) DO UPDATE SET records = records + ?4",
                )
                .and_then(|mut statement| {
                    statement.execute(params![
                        run.id,
                        code,
                        field,
                        sql::int(*records),
                        first.cause,
                        first.source,
                        sql::int(first.line)
                    ])
                })
                .map_err(|e| sql::error("keeping why records were rejected", e))?;
        }
        Ok(())
    }
}

/// The error of a run as it is kept.
impl From<&Error> for RunEnd {
    fn from(error: &Error) -> Self {
        let state = match error.kind() {
            crate::error::Kind::Interrupted => RunState::Interrupted,
            crate::error::Kind::Partial => RunState::Partial,
            _ => RunState::Failed,
        };
        Self {
            state,
            exit: error.exit().number(),
            error: Some((error.code().id.to_string(), error.to_string())),
            warnings: Vec::new(),
            calls: Vec::new(),
            settle: None,
        }
    }
}
