//! Rules over events as they are recorded: in the transaction of the event, so that neither is there without the
//! other. What has to go out (alerts) is only noted here; it is sent once all of it is durable.

use rusqlite::{OptionalExtension as _, params};

use super::append;
use super::{Store, Writing, sql};
use crate::audit::condition::seen;
use crate::audit::rules::{Memory, Rule};
use crate::audit::{Action, Draft, Event};
use crate::error::codes::audit::RULE_FAILED;
use crate::error::{Error, Kind, Result};

/// Pauses before an alert is tried again, in seconds; then it is given up.
const PAUSES: [i64; 7] = [60, 300, 900, 3600, 3 * 3600, 12 * 3600, 24 * 3600];
/// Facts that a rule remembers are looked through for old ones once in so many hits.
const SWEEP: u64 = 64;

/// An alert that is to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// Its number.
    pub number: i64,
    /// The event; `None`: it was pruned meanwhile.
    pub event: Option<Event>,
    /// What it is an occasion of, in words.
    pub why: String,
    /// Who is told, by name.
    pub place: String,
    /// How often that was tried.
    pub tries: u64,
    /// When it is to be tried, nanoseconds since 1970.
    pub due_ns: i64,
}

impl Writing<'_> {
    /// Looks at what was recorded in this transaction.
    pub(super) fn judge(&mut self) -> Result<()> {
        let fresh = std::mem::take(&mut self.log.fresh);
        if fresh.is_empty() {
            return Ok(());
        }
        let watch = std::sync::Arc::clone(&self.log.watch);
        for (at, body) in fresh {
            let Ok(event) = Event::read(&body) else { continue };
            if let Some(took) = watch.slow(&event) {
                let mut draft = Draft::new(Action::SlowOperation)
                    .detail("milliseconds", took)
                    .detail("limit", watch.slow_ms)
                    .detail("event", event.seq);
                (draft.route, draft.run, draft.tenant) = (event.route.clone(), event.run.clone(), event.tenant.clone());
                draft.resource = event.route.clone();
                self.follow(draft)?;
            }
            self.tell(at, &event)?;
            let json = seen(&event);
            let fired = watch.judge(&json, event.seq, event.time, &mut Stored { db: self.db })?;
            for fired in fired {
                let Some(rule) = watch.rules.get(fired.rule) else { continue };
                self.follow(rule.event(&fired, &event))?;
                self.act(rule, &event)?;
            }
        }
        Ok(())
    }

    /// Does what a rule says once it fired.
    fn act(&mut self, rule: &Rule, event: &Event) -> Result<()> {
        let told = append::read_head(self.db)?.map(|(number, _, stored)| append::at(number, stored.head.size));
        if let Some(at) = told.filter(|_| rule.alert || rule.notify) {
            for listener in &self.log.watch.listeners {
                if rule.alert || listener.on.iter().any(|on| on == "rules") {
                    self.wait(at, "rules", &listener.name)?;
                }
            }
        }
        if let Some(route) = event.route.as_ref().filter(|_| rule.freeze) {
            let reason = format!("the rule `{}` fired", rule.name);
            let changed = self
                .db
                .execute(
                    "UPDATE routes SET enabled = 0, reason = ?2 WHERE route = ?1 AND enabled = 1",
                    params![route, reason],
                )
                .map_err(|e| sql::error("disabling a route", e))?;
            if changed > 0 {
                let mut draft = Draft::new(Action::RouteFrozen).detail("rule", rule.name.clone());
                (draft.route, draft.run, draft.reason) = (Some(route.clone()), event.run.clone(), Some(reason));
                self.follow(draft)?;
            }
        }
        if rule.fail {
            self.log.failing = Some((rule.name.clone(), event.run.clone()));
        }
        Ok(())
    }

    /// Records an event that follows from another: no rule looks at it, and whoever listens is told.
    fn follow(&mut self, draft: Draft) -> Result<()> {
        append::append(self.db, self.log, self.now_ns, &[draft])?;
        for (at, body) in std::mem::take(&mut self.log.fresh) {
            if let Ok(event) = Event::read(&body) {
                self.tell(at, &event)?;
            }
        }
        Ok(())
    }

    /// Notes who is to be told of an event; of one that a rule made, the rule says who.
    fn tell(&self, at: i64, event: &Event) -> Result<()> {
        let watch = &self.log.watch;
        if watch.listeners.is_empty() {
            return Ok(());
        }
        let occasions = watch.occasions(event);
        for listener in &watch.listeners {
            let why: Vec<&str> =
                occasions.iter().copied().filter(|occasion| listener.on.iter().any(|on| on == occasion)).collect();
            if !why.is_empty() {
                self.wait(at, &why.join(", "), &listener.name)?;
            }
        }
        Ok(())
    }

    fn wait(&self, at: i64, why: &str, place: &str) -> Result<()> {
        self.db
            .prepare_cached("INSERT INTO audit_alerts (at, why, place, due_ns) VALUES (?1, ?2, ?3, ?4)")
            .and_then(|mut statement| statement.execute(params![at, why, place, self.now_ns]))
            .map(drop)
            .map_err(|e| sql::error("noting an alert", e))
    }
}

/// What rules remember, in the state.
struct Stored<'a> {
    db: &'a rusqlite::Connection,
}

impl Memory for Stored<'_> {
    fn hit(&mut self, rule: &Rule, part: &str, seq: u64, time_ns: i64) -> Result<u64> {
        let fail = |e| sql::error("remembering what a rule saw", e);
        let since = time_ns.saturating_sub(rule.window_ns);
        if rule.threshold <= 1 {
            return Ok(1);
        }
        self.db
            .prepare_cached("INSERT OR IGNORE INTO audit_hits (rule, part, at, ts_ns) VALUES (?1, ?2, ?3, ?4)")
            .and_then(|mut statement| statement.execute(params![rule.name, part, sql::int(seq), time_ns]))
            .map_err(fail)?;
        if seq.is_multiple_of(SWEEP) {
            self.db
                .execute("DELETE FROM audit_hits WHERE rule = ?1 AND ts_ns <= ?2", params![rule.name, since])
                .map_err(fail)?;
        }
        self.db
            .prepare_cached("SELECT count(*) FROM audit_hits WHERE rule = ?1 AND part = ?2 AND ts_ns > ?3")
            .and_then(|mut statement| {
                statement.query_row(params![rule.name, part, since], |row| row.get::<_, i64>(0).map(sql::count))
            })
            .map_err(fail)
    }

    fn fired(&mut self, rule: &Rule, part: &str) -> Result<Option<i64>> {
        self.db
            .prepare_cached("SELECT ts_ns FROM audit_fired WHERE rule = ?1 AND part = ?2")
            .and_then(|mut statement| statement.query_row([&rule.name, part], |row| row.get(0)).optional())
            .map_err(|e| sql::error("looking when a rule fired", e))
    }

    fn fire(&mut self, rule: &Rule, part: &str, time_ns: i64) -> Result<()> {
        self.db
            .prepare_cached("INSERT OR REPLACE INTO audit_fired (rule, part, ts_ns) VALUES (?1, ?2, ?3)")
            .and_then(|mut statement| statement.execute(params![rule.name, part, time_ns]))
            .map(drop)
            .map_err(|e| sql::error("remembering that a rule fired", e))
    }
}

impl Store {
    /// The error of a rule that ends runs, if one fired on an event of this run since this was asked last.
    pub fn failed_by_rule(&mut self, run: &str) -> Option<Error> {
        let of_run = self.log.failing.as_ref().is_some_and(|(_, own)| own.as_deref() == Some(run));
        let (rule, _) = if of_run { self.log.failing.take()? } else { return None };
        Some(
            Error::new(Kind::Refused, &RULE_FAILED, format!("the rule `{rule}` over events ended the run"))
                .hint(format!("consign audit list --action rule.fired --where 'event.details.rule == \"{rule}\"'")),
        )
    }

    /// Alerts that wait and are due.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn alerts_due(&self) -> Result<Vec<Waiting>> {
        let now = self.now_ns();
        Ok(self.alerts()?.into_iter().filter(|alert| alert.due_ns <= now).collect())
    }

    /// Alerts that wait.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn alerts(&self) -> Result<Vec<Waiting>> {
        let rows: Vec<(i64, i64, String, String, i64, i64)> = self
            .db
            .prepare_cached("SELECT number, at, why, place, tries, due_ns FROM audit_alerts ORDER BY number")
            .and_then(|mut statement| {
                let read = |row: &rusqlite::Row<'_>| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
                };
                statement.query_map([], read)?.collect()
            })
            .map_err(|e| sql::error("reading the alerts that wait", e))?;
        rows.into_iter()
            .map(|(number, at, why, place, tries, due_ns)| {
                let event = self.event_if_there(at)?;
                Ok(Waiting { number, event, why, place, tries: sql::count(tries), due_ns })
            })
            .collect()
    }

    /// Notes what became of an alert: sent, it is forgotten; failed, it is tried again later, and in the end given
    /// up. Both are events.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn alert_ended(&mut self, alert: &Waiting, failure: Option<&Error>) -> Result<()> {
        let doing = "noting what became of an alert";
        self.write(doing, |w| {
            let mut draft = Draft::new(if failure.is_some() { Action::AlertFailed } else { Action::AlertSent });
            draft = draft.detail("why", alert.why.clone()).detail("tries", alert.tries + 1);
            draft.resource = Some(format!("alert {}", alert.place));
            if let Some(event) = &alert.event {
                draft = draft.detail("event", event.seq);
                (draft.route, draft.run) = (event.route.clone(), event.run.clone());
            }
            let pause = usize::try_from(alert.tries).ok().and_then(|tries| PAUSES.get(tries));
            match (failure, pause) {
                (Some(_), Some(pause)) => {
                    let due = w.now_ns.saturating_add(pause * 1_000_000_000);
                    w.db.execute(
                        "UPDATE audit_alerts SET tries = tries + 1, due_ns = ?2 WHERE number = ?1",
                        params![alert.number, due],
                    )
                }
                _ => w.db.execute("DELETE FROM audit_alerts WHERE number = ?1", [alert.number]),
            }
            .map_err(|e| sql::error(doing, e))?;
            if let Some(error) = failure {
                draft = draft.detail("code", error.code().id).detail("given_up", pause.is_none());
                draft.outcome = crate::audit::Outcome::Failure;
                draft.reason = Some(crate::config::hide(error.cause()).into_owned());
            }
            w.record(vec![draft]).map(drop)
        })
    }
}
