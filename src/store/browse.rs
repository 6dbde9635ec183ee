//! Events read back: the one way in which events are asked for, by what they are told apart by, the newest or
//! the oldest first; and one of them by its number or id.
//!
//! What is looked for is first found by number, from the index of its kind or run, then fetched: the
//! last few of anything are found in a log of ten million events without going through it. Whoever asks for
//! many gets them in steps, each read from one moment and handed out after it: an export that takes an hour
//! holds up no writer.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::append::{self, SEQ_BITS};
use super::parts::{Met, Part};
use super::{Store, only, sql};
use crate::audit::{Category, Event, Level, Outcome};
use crate::error::Result;
use crate::error::codes::audit::EVENT_UNKNOWN;

/// How many events are looked for at once while going through the log.
const AT_ONCE: usize = 512;

/// How many rows one step looks at, at most: a step is short, also where hardly an event is let through.
const LOOKED_AT: usize = 16 * AT_ONCE;

/// Of so many kinds each is looked up by itself; with more, the events are gone through in their order.
const FEW: usize = 16;

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
    /// Behind the event of this number, of the log in use alone; without it of all logs.
    pub after: Option<u64>,
    /// The oldest first; else the newest.
    pub oldest_first: bool,
    /// No more than so many. 0: all.
    pub limit: usize,
}

/// An event that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The event; of one that was redacted what is still known.
    pub event: Event,
    /// Its canonical bytes; `None`: they were redacted.
    pub body: Option<Vec<u8>>,
}

impl EventFilter {
    /// Whether the body of an event must be looked at to know.
    fn looks_inside(&self) -> bool {
        self.actor.is_some() || self.resource.is_some() || self.outcome.is_some() || self.least_risk.is_some()
    }

    /// Whether what only the body tells is as asked.
    fn fits(&self, event: &Event) -> bool {
        self.actor.as_ref().is_none_or(|actor| event.actor.as_ref() == Some(actor))
            && self.resource.as_ref().is_none_or(|resource| event.resource.as_ref() == Some(resource))
            && self.outcome.is_none_or(|outcome| event.outcome == outcome)
            && self.least_risk.is_none_or(|least| event.risk >= least)
    }
}

/// Takes an event: where it is, its time, its body if it still has one.
pub(super) type TakeBody<'a> = dyn FnMut(i64, i64, Option<&[u8]>) -> Result<()> + 'a;

/// What a filter comes to in numbers, at one moment.
struct Wanted {
    /// The kinds that it lets through; `None`: all.
    kinds: Option<Vec<i64>>,
    /// The runs that it lets through; `None`: all, and none.
    runs: Option<Vec<i64>>,
    oldest_first: bool,
    most: usize,
}

/// What one step found.
struct Step {
    /// Where they are, in order.
    ats: Vec<i64>,
    /// Where the next step begins.
    next: i64,
}

impl Store {
    /// Events, as the filter asks for them.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn audit_events(&self, filter: &EventFilter) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        self.walk_events(filter, &mut |found| {
            events.push(found.event);
            Ok(true)
        })?;
        Ok(events)
    }

    /// Visits events as the filter asks for them, until `visit` says that it is enough. What is recorded
    /// meanwhile is visited too where it comes in order.
    ///
    /// # Errors
    /// The state cannot be read, or as `visit` says.
    pub fn walk_events(&self, filter: &EventFilter, visit: &mut dyn FnMut(Found) -> Result<bool>) -> Result<()> {
        let doing = "reading the audit log";
        let mut left = if filter.limit == 0 { usize::MAX } else { filter.limit };
        let mut logs = if filter.after.is_some() { vec![self.log.number] } else { self.log_numbers()? };
        if filter.oldest_first {
            logs.reverse();
        }
        for log in logs {
            let after = append::at(log, filter.after.map_or(0, |seq| seq + 1));
            let from = filter.since_ns.map_or(Ok(after), |ns| self.at_time(log, ns))?.max(after);
            let end = filter.until_ns.map_or(Ok(append::at(log + 1, 0)), |ns| self.at_time(log, ns))?;
            let mut cursor = if filter.oldest_first { from } else { end };
            while if filter.oldest_first { cursor < end } else { cursor > from } {
                // Where the body decides, nobody knows how many it takes.
                let most = if filter.looks_inside() { AT_ONCE } else { left.min(AT_ONCE) };
                let (step, found) = self.at_once(doing, || {
                    let wanted = self.wanted(filter, most)?;
                    let range = if filter.oldest_first { (cursor, end) } else { (from, cursor) };
                    self.next_events(log, range, &wanted)
                })?;
                cursor = step;
                for found in found {
                    if !filter.fits(&found.event) {
                        continue;
                    }
                    left -= 1;
                    if !visit(found)? || left == 0 {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// The number of the last event of the log in use.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn last_event(&self) -> Result<u64> {
        Ok(append::read_head(&self.db)?.map_or(0, |(.., stored)| stored.head.size))
    }

    /// The next events in a part of a log, and from where to go on.
    fn next_events(&self, log: i64, (from, end): (i64, i64), wanted: &Wanted) -> Result<(i64, Vec<Found>)> {
        let parts = self.parts(log)?;
        let inside = |part: &&Part| part.from < end && from < part.end;
        let part = if wanted.oldest_first { parts.iter().find(inside) } else { parts.iter().rev().find(inside) };
        let Some(part) = part else { return Ok((if wanted.oldest_first { end } else { from }, Vec::new())) };
        let range = (from.max(part.from), end.min(part.end));
        self.on(part, |db| {
            let step = ats(db, range, wanted)?;
            let found = step.ats.iter().map(|at| self.found_at(db, *at)).collect::<Result<_>>()?;
            Ok((step.next, found))
        })
    }

    fn wanted(&self, filter: &EventFilter, most: usize) -> Result<Wanted> {
        Ok(Wanted {
            kinds: self.kinds_of(filter)?,
            runs: filter.run.as_deref().map(|run| self.runs_of(run)).transpose()?,
            oldest_first: filter.oldest_first,
            most,
        })
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
        // What reads as a number is one where the log has it. A short one is nothing else: there would be
        // some id that happens to end so.
        if let Some(seq) = id.parse::<u64>().ok().filter(|seq| *seq < 1 << SEQ_BITS) {
            let at = append::at(self.log.number, seq);
            if self.event_if_there(at)?.is_some() {
                return Ok(at);
            }
            if id.len() < 8 {
                return only(Vec::new(), id, "event", "audit list", &EVENT_UNKNOWN);
            }
        }
        // An id begins with its time: that narrows it down, unless only its end was given.
        let mut found = Vec::new();
        if let Some((first, end)) = time_window(id) {
            found = self.named(id, Some(first), Some(end))?;
        }
        if found.is_empty() {
            found = self.named(id, None, None)?;
        }
        only(found, id, "event", "audit list", &EVENT_UNKNOWN)
    }

    /// Where the events of a time are whose ids begin or end so.
    fn named(&self, id: &str, since_ns: Option<i64>, until_ns: Option<i64>) -> Result<Vec<i64>> {
        let finder = memchr::memmem::Finder::new(id);
        let mut found = Vec::new();
        for log in self.log_numbers()? {
            let from = since_ns.map_or(Ok(append::at(log, 0)), |ns| self.at_time(log, ns))?;
            let end = until_ns.map_or(Ok(append::at(log + 1, 0)), |ns| self.at_time(log, ns))?;
            self.each_body((from, end), &mut |at, _, body| {
                if let Some(body) = body.filter(|body| finder.find(body).is_some()) {
                    let event = read_body(body)?;
                    if event.id.starts_with(id) || event.id.ends_with(id) {
                        found.push(at);
                    }
                }
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// Every event between two places of one log in order: where it is, its time, and its body if it still has one.
    pub(super) fn each_body(&self, between: (i64, i64), take: &mut TakeBody<'_>) -> Result<()> {
        let doing = "reading the audit log";
        let fail = |e| sql::error(doing, e);
        self.walk_rows(doing, "at, ts_ns, body", between, LOOKED_AT as i64, &mut |met| {
            if let Met::Row(row) = met {
                let body = row.get_ref(2).and_then(|body| Ok(body.as_blob_or_null()?)).map_err(fail)?;
                take(row.get(0).map_err(fail)?, row.get(1).map_err(fail)?, body)?;
            }
            Ok(true)
        })
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
        self.at_once("reading the audit log", || {
            let parts = self.parts(log)?;
            let holds = |part: &&Part| part.segment.as_ref().is_none_or(|segment| segment.last_ns >= ns);
            let Some(part) = parts.iter().find(holds) else { return Ok(append::at(log, 0)) };
            self.on(part, |db| at_time_in(db, part, ns))
        })
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

    /// The kinds of this action.
    pub(super) fn kinds_named(&self, action: &str) -> Result<Vec<i64>> {
        Ok(self.kinds()?.into_iter().filter(|(_, words)| words.action == action).map(|(kind, _)| kind).collect())
    }

    /// How many events of an action are between two places of a log.
    pub(super) fn count_of(&self, action: &str, (from, end): (i64, i64)) -> Result<u64> {
        self.at_once("counting events", || {
            let kinds = self.kinds_named(action)?;
            let mut all = 0;
            for part in self.parts(from >> SEQ_BITS)? {
                let range = (from.max(part.from), end.min(part.end));
                if range.0 < range.1 {
                    all += self.on(&part, |db| super::parts::count(db, &kinds, range))?;
                }
            }
            Ok(all)
        })
    }

    fn event_at(&self, at: i64) -> Result<Event> {
        self.at_once("reading the audit log", || {
            let part = self.part_of(at)?;
            self.on(&part, |db| self.found_at(db, at).map(|found| found.event))
        })
    }

    /// The event there, `None` if it was pruned.
    pub(super) fn event_if_there(&self, at: i64) -> Result<Option<Event>> {
        self.at_once("reading the audit log", || {
            let part = self.part_of(at)?;
            self.on(&part, |db| {
                let there: bool = db
                    .prepare_cached("SELECT EXISTS (SELECT 1 FROM audit_events WHERE at = ?1)")
                    .and_then(|mut statement| statement.query_row([at], |row| row.get(0)))
                    .map_err(|e| sql::error("reading the audit log", e))?;
                if there { self.found_at(db, at).map(|found| Some(found.event)) } else { Ok(None) }
            })
        })
    }

    /// The event there, out of the database that it is in.
    fn found_at(&self, db: &Connection, at: i64) -> Result<Found> {
        let fail = |e| sql::error("reading the audit log", e);
        let body: Option<Vec<u8>> = db
            .prepare_cached("SELECT body FROM audit_events WHERE at = ?1")
            .and_then(|mut statement| statement.query_row([at], |row| row.get(0)))
            .map_err(fail)?;
        let event = match &body {
            Some(body) => read_body(body)?,
            None => self.remains(db, at).map_err(fail)?,
        };
        Ok(Found { event, body })
    }

    /// What is still known of an event whose body was redacted.
    fn remains(&self, db: &Connection, at: i64) -> rusqlite::Result<Event> {
        let (ts_ns, kind, run): (i64, i64, Option<i64>) =
            db.query_row("SELECT ts_ns, kind, run FROM audit_events WHERE at = ?1", [at], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
        let run = match run {
            None => None,
            Some(run) => {
                let text = "SELECT id FROM audit_runs WHERE number = ?1";
                self.db.query_row(text, [run], |row| row.get::<_, String>(0)).optional()?
            }
        };
        let text = "SELECT level, category, action, route FROM audit_kinds WHERE kind = ?1";
        self.db.query_row(text, [kind], |row| {
            let (level, category): (String, String) = (row.get(0)?, row.get(1)?);
            let (seq, action): (_, String) = (sql::count(at & ((1 << SEQ_BITS) - 1)), row.get(2)?);
            Ok(Event {
                level: Level::of(&level).unwrap_or(Level::Info),
                category: Category::of(&category).unwrap_or(Category::System),
                reason: Some("its body was redacted".to_string()),
                run,
                route: row.get(3)?,
                ..Event::bare(seq, ts_ns, &action)
            })
        })
    }
}

/// Where the next events are that are wanted, between two places of one part.
fn ats(db: &Connection, (from, end): (i64, i64), wanted: &Wanted) -> Result<Step> {
    let fail = |e| sql::error("reading the audit log", e);
    let order = if wanted.oldest_first { "ASC" } else { "DESC" };
    let past = if wanted.oldest_first { end } else { from };
    let behind = |at: i64| if wanted.oldest_first { at + 1 } else { at };
    let few = wanted.kinds.as_ref().filter(|kinds| kinds.len() <= FEW);
    let of: Vec<(&str, i64)> = match (&wanted.runs, few) {
        (Some(runs), _) => runs.iter().map(|run| ("run", *run)).collect(),
        (None, Some(kinds)) => kinds.iter().map(|kind| ("kind", *kind)).collect(),
        (None, None) => {
            let text = format!("SELECT at, kind FROM audit_events WHERE at >= ?1 AND at < ?2 ORDER BY at {order}");
            let mut statement = db.prepare_cached(&text).map_err(fail)?;
            let mut rows = statement.query([from, end]).map_err(fail)?;
            let (mut ats, mut seen) = (Vec::new(), 0);
            while let Some(row) = rows.next().map_err(fail)? {
                let at: i64 = row.get(0).map_err(fail)?;
                let kinds = wanted.kinds.as_ref();
                if kinds.is_none_or(|kinds| row.get(1).is_ok_and(|kind| kinds.contains(&kind))) {
                    ats.push(at);
                }
                seen += 1;
                if ats.len() >= wanted.most || seen >= LOOKED_AT {
                    return Ok(Step { ats, next: behind(at) });
                }
            }
            return Ok(Step { ats, next: past });
        }
    };
    let mut ats: Vec<i64> = Vec::new();
    for (column, value) in of {
        let text = format!(
            "SELECT at, kind FROM audit_events WHERE {column} = ?3 AND at >= ?1 AND at < ?2 ORDER BY at {order}"
        );
        let mut statement = db.prepare_cached(&text).map_err(fail)?;
        let mut rows = statement.query(params![from, end, value]).map_err(fail)?;
        let mut here = 0;
        while here < wanted.most
            && let Some(row) = rows.next().map_err(fail)?
        {
            if let Some(kinds) = &wanted.kinds
                && !kinds.contains(&row.get(1).map_err(fail)?)
            {
                continue;
            }
            ats.push(row.get(0).map_err(fail)?);
            here += 1;
        }
    }
    ats.sort_unstable();
    if !wanted.oldest_first {
        ats.reverse();
    }
    let all = ats.len();
    ats.truncate(wanted.most);
    // Fewer than were asked for: there are no more in this part.
    let next = ats.last().filter(|_| all >= wanted.most).map_or(past, |last| behind(*last));
    Ok(Step { ats, next })
}

/// Where the first event of a part is that is of that time or later, or would be.
fn at_time_in(db: &Connection, part: &Part, ns: i64) -> Result<i64> {
    let fail = |e| sql::error("reading the audit log", e);
    let (first, last): (Option<i64>, Option<i64>) = db
        .prepare_cached(
            "SELECT (SELECT min(at) FROM audit_events WHERE at >= ?1 AND at < ?2), (SELECT max(at) FROM audit_events WHERE at >= ?1 AND at < ?2)",
        )
        .and_then(|mut statement| statement.query_row([part.from, part.end], |row| Ok((row.get(0)?, row.get(1)?))))
        .map_err(fail)?;
    let (Some(mut low), Some(last)) = (first, last) else { return Ok(part.from) };
    let mut high = last + 1;
    let mut statement =
        db.prepare_cached("SELECT ts_ns FROM audit_events WHERE at >= ?1 ORDER BY at LIMIT 1").map_err(fail)?;
    while low < high {
        let middle = low + (high - low) / 2;
        let time: i64 = statement.query_row([middle], |row| row.get(0)).map_err(fail)?;
        if time < ns { low = middle + 1 } else { high = middle }
    }
    Ok(low)
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
