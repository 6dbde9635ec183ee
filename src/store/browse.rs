//! Events read back: the newest first, by what they are told apart by, one of them by its number or id.
//!
//! What is looked for is first found by number, from the index of its kind or run, then fetched: the
//! last few of anything are found in a log of ten million events without going through it.

use rusqlite::{OptionalExtension as _, params};

use super::append::{self, SEQ_BITS};
use super::{Store, only, sql};
use crate::audit::{Category, Event, Level, Outcome};
use crate::error::Result;
use crate::error::codes::audit::EVENT_UNKNOWN;

/// How many events are looked for at once while going through the log.
const AT_ONCE: usize = 512;

/// Which events. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Of this action, or of those that begin with it (`run` for `run.started`, `run.finished` …).
    pub action: Option<String>,
    /// Of this level or above.
    pub level: Option<Level>,
    /// Of this category.
    pub category: Option<crate::audit::Category>,
    /// Of the run whose id begins so.
    pub run: Option<String>,
    /// Of this route.
    pub route: Option<String>,
    /// At or after, nanoseconds since 1970.
    pub since_ns: Option<i64>,
    /// Before, nanoseconds since 1970.
    pub until_ns: Option<i64>,
    /// By this actor.
    pub actor: Option<String>,
    /// To this resource.
    pub resource: Option<String>,
    /// That ended so.
    pub outcome: Option<Outcome>,
    /// With at least this risk.
    pub least_risk: Option<f64>,
    /// No more than so many, the newest first. 0: all.
    pub limit: usize,
}

impl EventFilter {
    /// Whether the body of an event must be looked at to know.
    fn looks_inside(&self) -> bool {
        self.actor.is_some() || self.resource.is_some() || self.outcome.is_some() || self.least_risk.is_some()
    }

    /// Whether an event is among those that are meant, without looking anything up.
    pub fn takes(&self, event: &Event) -> bool {
        self.fits(event)
            && self.action.as_ref().is_none_or(|wanted| is_below(&event.action, wanted))
            && self.level.is_none_or(|least| event.level >= least)
            && self.category.is_none_or(|category| event.category == category)
            && self.route.as_ref().is_none_or(|route| event.route.as_ref() == Some(route))
            && self.run.as_ref().is_none_or(|run| event.run.as_ref().is_some_and(|own| own.starts_with(run)))
            && self.since_ns.is_none_or(|since| event.time >= since)
            && self.until_ns.is_none_or(|until| event.time < until)
    }

    /// Whether what only the body tells is as asked.
    fn fits(&self, event: &Event) -> bool {
        self.actor.as_ref().is_none_or(|actor| event.actor.as_ref() == Some(actor))
            && self.resource.as_ref().is_none_or(|resource| event.resource.as_ref() == Some(resource))
            && self.outcome.is_none_or(|outcome| event.outcome == outcome)
            && self.least_risk.is_none_or(|least| event.risk >= least)
    }
}

impl Store {
    /// Events, the newest first. Of one that was redacted what is still known.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn audit_events(&self, filter: &EventFilter) -> Result<Vec<Event>> {
        if filter.looks_inside() {
            return self.audit_events_where(filter, &mut |_| true);
        }
        let most = if filter.limit == 0 { usize::MAX } else { filter.limit };
        let found = self.ats_of(filter, None, most)?;
        found.into_iter().map(|at| self.event_at(at)).collect()
    }

    /// The same, of those that also `holds` is true for.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn audit_events_where(
        &self,
        filter: &EventFilter,
        holds: &mut dyn FnMut(&Event) -> bool,
    ) -> Result<Vec<Event>> {
        let most = if filter.limit == 0 { usize::MAX } else { filter.limit };
        let mut found = Vec::new();
        self.walk_events(filter, &mut |event| {
            if holds(&event) {
                found.push(event);
            }
            Ok(found.len() < most)
        })?;
        Ok(found)
    }

    /// Visits events, the newest first, until `visit` says that it is enough; the filter's limit does not count.
    ///
    /// # Errors
    /// The state cannot be read, or as `visit` says.
    pub fn walk_events(&self, filter: &EventFilter, visit: &mut dyn FnMut(Event) -> Result<bool>) -> Result<()> {
        let mut below = None;
        loop {
            let ats = self.ats_of(filter, below, AT_ONCE)?;
            let Some(last) = ats.last().copied() else { return Ok(()) };
            for at in ats {
                let event = self.event_at(at)?;
                if filter.fits(&event) && !visit(event)? {
                    return Ok(());
                }
            }
            below = Some(last);
        }
    }

    /// Visits events of the log in use in the order in which they were recorded, those above `seq`.
    ///
    /// # Errors
    /// The state cannot be read, or as `visit` says.
    pub fn events_after(&self, seq: u64, visit: &mut dyn FnMut(Event) -> Result<()>) -> Result<()> {
        let fail = |e| sql::error("reading the audit log", e);
        let mut above = append::at(self.log.number, seq);
        loop {
            let ats: Vec<i64> = self
                .db
                .prepare_cached("SELECT at FROM audit_events WHERE at > ?1 AND at < ?2 ORDER BY at LIMIT ?3")
                .and_then(|mut statement| {
                    let end = append::at(self.log.number + 1, 0);
                    statement.query_map(params![above, end, AT_ONCE as i64], |row| row.get(0))?.collect()
                })
                .map_err(fail)?;
            let Some(last) = ats.last().copied() else { return Ok(()) };
            for at in ats {
                visit(self.event_at(at)?)?;
            }
            above = last;
        }
    }

    /// Visits events of the log in use in the order in which they were recorded, those above `seq`, each with its
    /// canonical bytes (`None`: they were redacted), until `visit` says that it is enough.
    ///
    /// # Errors
    /// The state cannot be read, or as `visit` says.
    pub fn bodies_after(&self, seq: u64, mut visit: impl FnMut(&Event, Option<&[u8]>) -> Result<bool>) -> Result<()> {
        let fail = |e| sql::error("reading the audit log", e);
        let mut above = append::at(self.log.number, seq);
        let end = append::at(self.log.number + 1, 0);
        loop {
            // In parts, so that a long export holds up nobody's checkpoint.
            let part: Vec<(i64, Option<Vec<u8>>)> = self
                .db
                .prepare_cached("SELECT at, body FROM audit_events WHERE at > ?1 AND at < ?2 ORDER BY at LIMIT ?3")
                .and_then(|mut statement| {
                    let rows = statement
                        .query_map(params![above, end, AT_ONCE as i64], |row| Ok((row.get(0)?, row.get(1)?)))?;
                    rows.collect()
                })
                .map_err(fail)?;
            let Some((last, _)) = part.last() else { return Ok(()) };
            above = *last;
            for (at, body) in part {
                let event = match &body {
                    Some(body) => read_body(body)?,
                    None => self.remains(at).map_err(fail)?,
                };
                if !visit(&event, body.as_deref())? {
                    return Ok(());
                }
            }
        }
    }

    /// The number of the first event of the log in use that is of that time or later, or would be.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn first_event_since(&self, ns: i64) -> Result<u64> {
        Ok(sql::count(self.at_time(self.log.number, ns)? & ((1 << SEQ_BITS) - 1)))
    }

    /// The number of the last event of the log in use.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn last_event(&self) -> Result<u64> {
        Ok(append::read_head(&self.db)?.map_or(0, |(.., stored)| stored.head.size))
    }

    /// Where the newest events are that a filter lets through by what stands beside their bodies.
    fn ats_of(&self, filter: &EventFilter, below: Option<i64>, most: usize) -> Result<Vec<i64>> {
        let kinds = self.kinds_of(filter)?;
        let runs = filter.run.as_deref().map(|run| self.runs_of(run)).transpose()?;
        let mut found = Vec::new();
        for log in self.log_numbers()? {
            let from = filter.since_ns.map_or(Ok(append::at(log, 0)), |ns| self.at_time(log, ns))?;
            let to = filter.until_ns.map_or(Ok(append::at(log + 1, 0)), |ns| self.at_time(log, ns))?;
            let to = below.map_or(to, |below| to.min(below));
            if from >= to {
                continue;
            }
            let mut here: Vec<i64> = Vec::new();
            match (&runs, &kinds) {
                (Some(runs), kinds) => {
                    for run in runs {
                        here.extend(self.ats("run = ?3 AND", Some(*run), (from, to), most, kinds.as_deref())?);
                    }
                }
                (None, Some(kinds)) => {
                    for kind in kinds {
                        here.extend(self.ats("kind = ?3 AND", Some(*kind), (from, to), most, None)?);
                    }
                }
                (None, None) => here = self.ats("?3 IS NULL AND", None, (from, to), most, None)?,
            }
            here.sort_unstable_by(|a, b| b.cmp(a));
            found.extend(here);
            if found.len() >= most {
                break;
            }
        }
        found.truncate(most);
        Ok(found)
    }

    /// The event with this number in the log in use, or whose id is this or the only one to begin or end with it.
    ///
    /// # Errors
    /// There is none, or several.
    pub fn audit_event(&self, id: &str) -> Result<Event> {
        self.event_at(self.find_event(id)?)
    }

    /// Where the event with this number or id is.
    pub(super) fn find_event(&self, id: &str) -> Result<i64> {
        let fail = |e| sql::error("reading the audit log", e);
        if id.len() < 8
            && let Ok(seq) = id.parse::<u64>()
        {
            let at = append::at(self.log.number, seq);
            let there = self
                .db
                .query_row("SELECT at FROM audit_events WHERE at = ?1", [at], |row| row.get(0))
                .optional()
                .map_err(fail)?;
            if let Some(at) = there {
                return Ok(at);
            }
        }
        let mut found = Vec::new();
        // An id begins with its time: that narrows it down, unless only its end was given.
        let window = time_window(id);
        for log in self.log_numbers()? {
            let (from, to) = match window {
                Some((first, end)) => (self.at_time(log, first)?, self.at_time(log, end)?),
                None => (append::at(log, 0), append::at(log + 1, 0)),
            };
            let mut statement = self
                .db
                .prepare_cached(
                    "SELECT at, body FROM audit_events WHERE at >= ?1 AND at < ?2 AND instr(body, CAST(?3 AS BLOB)) > 0 ORDER BY at",
                )
                .map_err(fail)?;
            let rows = statement
                .query_map(params![from, to, id], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
                .map_err(fail)?;
            for row in rows {
                let (at, body) = row.map_err(fail)?;
                let event = read_body(&body)?;
                if event.id.starts_with(id) || event.id.ends_with(id) {
                    found.push(at);
                }
            }
        }
        if found.is_empty() && window.is_some() {
            return self.find_event_by_end(id);
        }
        only(found, id, "event", "audit list", &EVENT_UNKNOWN)
    }

    fn find_event_by_end(&self, id: &str) -> Result<i64> {
        let fail = |e| sql::error("reading the audit log", e);
        let pattern = format!("{id}\",\"level\":");
        let mut statement = self
            .db
            .prepare_cached("SELECT at FROM audit_events WHERE instr(body, CAST(?1 AS BLOB)) > 0 ORDER BY at")
            .map_err(fail)?;
        let found: Vec<i64> =
            statement.query_map([pattern], |row| row.get(0)).and_then(Iterator::collect).map_err(fail)?;
        only(found, id, "event", "audit list", &EVENT_UNKNOWN)
    }

    /// The numbers of the logs, the newest first.
    pub(super) fn log_numbers(&self) -> Result<Vec<i64>> {
        self.db
            .prepare_cached("SELECT log FROM audit_logs ORDER BY log DESC")
            .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
            .map_err(|e| sql::error("reading the audit log", e))
    }

    /// Where the first event of that time or later is, or would be: times never go back.
    pub(super) fn at_time(&self, log: i64, ns: i64) -> Result<i64> {
        let fail = |e| sql::error("reading the audit log", e);
        let (first, last): (Option<i64>, Option<i64>) = self
            .db
            .query_row(
                "SELECT (SELECT min(at) FROM audit_events WHERE at >= ?1 AND at < ?2), (SELECT max(at) FROM audit_events WHERE at >= ?1 AND at < ?2)",
                params![append::at(log, 0), append::at(log + 1, 0)],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .map_err(fail)?;
        let (Some(mut low), Some(last)) = (first, last) else { return Ok(append::at(log, 0)) };
        let mut high = last + 1;
        let mut statement = self
            .db
            .prepare_cached("SELECT ts_ns FROM audit_events WHERE at >= ?1 ORDER BY at LIMIT 1")
            .map_err(fail)?;
        while low < high {
            let middle = low + (high - low) / 2;
            let time: i64 = statement.query_row([middle], |row| row.get(0)).map_err(fail)?;
            if time < ns { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }

    /// The numbers of the kinds that a filter lets through; `None`: all.
    fn kinds_of(&self, filter: &EventFilter) -> Result<Option<Vec<i64>>> {
        if filter.action.is_none() && filter.level.is_none() && filter.category.is_none() && filter.route.is_none() {
            return Ok(None);
        }
        let mut kinds = Vec::new();
        for (kind, words) in self.kinds()? {
            let action = filter.action.as_ref().is_none_or(|wanted| is_below(&words.action, wanted));
            if action
                && filter.level.is_none_or(|least| Level::of(&words.level).is_some_and(|level| level >= least))
                && filter.category.is_none_or(|category| words.category == category.word())
                && filter.route.as_ref().is_none_or(|route| words.route.as_ref() == Some(route))
            {
                kinds.push(kind);
            }
        }
        Ok(Some(kinds))
    }

    /// Every kind there is.
    pub(super) fn kinds(&self) -> Result<Vec<(i64, Kinds)>> {
        let read = |row: &rusqlite::Row<'_>| {
            let words = Kinds { level: row.get(1)?, category: row.get(2)?, action: row.get(3)?, route: row.get(4)? };
            Ok((row.get(0)?, words))
        };
        self.db
            .prepare_cached("SELECT kind, level, category, action, route FROM audit_kinds ORDER BY kind")
            .and_then(|mut statement| statement.query_map([], read)?.collect())
            .map_err(|e| sql::error("reading the audit log", e))
    }

    /// The numbers of the runs whose ids begin so.
    fn runs_of(&self, prefix: &str) -> Result<Vec<i64>> {
        self.db
            .prepare_cached("SELECT number FROM audit_runs WHERE id >= ?1 AND id < ?1 || char(1114111)")
            .and_then(|mut statement| statement.query_map([prefix], |row| row.get(0))?.collect())
            .map_err(|e| sql::error("reading the audit log", e))
    }

    /// Where the last events of one kind or run are, no more than `most` and of these kinds.
    fn ats(
        &self,
        what: &str,
        value: Option<i64>,
        (from, to): (i64, i64),
        most: usize,
        kinds: Option<&[i64]>,
    ) -> Result<Vec<i64>> {
        let fail = |e| sql::error("reading the audit log", e);
        let mut statement = self
            .db
            .prepare_cached(&format!(
                "SELECT at, kind FROM audit_events WHERE {what} at >= ?1 AND at < ?2 ORDER BY at DESC"
            ))
            .map_err(fail)?;
        let mut rows = statement.query(params![from, to, value]).map_err(fail)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(fail)? {
            if found.len() >= most {
                break;
            }
            if let Some(kinds) = kinds
                && !kinds.contains(&row.get(1).map_err(fail)?)
            {
                continue;
            }
            found.push(row.get(0).map_err(fail)?);
        }
        Ok(found)
    }

    fn event_at(&self, at: i64) -> Result<Event> {
        let fail = |e| sql::error("reading the audit log", e);
        let body: Option<Vec<u8>> = self
            .db
            .prepare_cached("SELECT body FROM audit_events WHERE at = ?1")
            .and_then(|mut statement| statement.query_row([at], |row| row.get(0)))
            .map_err(fail)?;
        match body {
            Some(body) => read_body(&body),
            None => self.remains(at).map_err(fail),
        }
    }

    /// The event there, `None` if it was pruned.
    pub(super) fn event_if_there(&self, at: i64) -> Result<Option<Event>> {
        let there: bool = self
            .db
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM audit_events WHERE at = ?1)")
            .and_then(|mut statement| statement.query_row([at], |row| row.get(0)))
            .map_err(|e| sql::error("reading the audit log", e))?;
        if there { self.event_at(at).map(Some) } else { Ok(None) }
    }

    /// What is still known of an event whose body was redacted.
    fn remains(&self, at: i64) -> rusqlite::Result<Event> {
        self.db.query_row(
            "SELECT e.ts_ns, k.level, k.category, k.action, k.route, r.id FROM audit_events e JOIN audit_kinds k USING (kind)
             LEFT JOIN audit_runs r ON r.number = e.run WHERE e.at = ?1",
            [at],
            |row| {
                let (level, category): (String, String) = (row.get(1)?, row.get(2)?);
                let (seq, action): (_, String) = (sql::count(at & ((1 << SEQ_BITS) - 1)), row.get(3)?);
                Ok(Event {
                    level: Level::of(&level).unwrap_or(Level::Info),
                    category: Category::of(&category).unwrap_or(Category::System),
                    reason: Some("its body was redacted".to_string()),
                    run: row.get(5)?,
                    route: row.get(4)?,
                    ..Event::bare(seq, row.get(0)?, &action)
                })
            },
        )
    }
}

/// Whether an action is this one or one of those that begin with it.
fn is_below(action: &str, wanted: &str) -> bool {
    action.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What a kind stands for.
pub(super) struct Kinds {
    pub level: String,
    pub category: String,
    pub action: String,
    pub route: Option<String>,
}

/// The times of events whose ids begin so, where that can be told: nine digits are four seconds.
fn time_window(id: &str) -> Option<(i64, i64)> {
    let digits: String = id.chars().filter(|c| *c != '-').take(12).collect();
    if digits.len() < 9 || id.as_bytes().get(8) != Some(&b'-') {
        return None;
    }
    let missing = 4 * (12 - digits.len() as u32);
    let first = i64::from_str_radix(&digits, 16).ok()?.checked_shl(missing)?;
    Some((first.checked_mul(1_000_000)?, (first + (1 << missing)).checked_mul(1_000_000)?))
}

pub(super) fn read_body(body: &[u8]) -> Result<Event> {
    Event::read(body).map_err(|what| append::tampered(&format!("an event cannot be read: {what}")))
}
