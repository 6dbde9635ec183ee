//! Retention: the oldest events removed, single bodies redacted, and what stops both: limits that are
//! longer, legal holds, and that nothing is removed that no checkpoint elsewhere covers.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use super::append::{self, SEQ_BITS};
use super::parts::Segment;
use super::{Store, Writing, failpoint, sql};
use crate::audit::chain::Hash;
use crate::audit::merkle::{Frontier, TILE};
use crate::audit::redaction::{Digester, Redaction, may_be_redacted};
use crate::audit::verify::Row;
use crate::audit::{Action, Category, Draft, Head, chain};
use crate::error::codes::audit::{EVENT_GONE, HELD};
use crate::error::{Error, Kind, Result};

/// Nanoseconds of a day.
const DAY_NS: i64 = 86_400_000_000_000;

/// How long events are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Days; `None`: for ever, unless a number or a size says otherwise.
    pub days: Option<u32>,
    /// Days of single categories: longer ones win over `days`, shorter ones redact earlier.
    pub by_category: BTreeMap<Category, u32>,
    /// No more events than so many.
    pub most_events: Option<u64>,
    /// No more bytes than so many, about.
    pub most_bytes: Option<u64>,
    /// Nothing younger than so many days is ever removed: the longest of the standards.
    pub least_days: u32,
    /// Who says so: names of standards, for the record.
    pub why: Vec<String>,
}

/// What retention asks for now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prunable {
    /// First event that is there.
    pub first: u64,
    /// The last event to remove; 0: none.
    pub last: u64,
    /// Events beyond it whose bodies have outlived their category's time.
    pub redact: Vec<u64>,
    /// What kept more from being removed.
    pub kept_by: Vec<String>,
}

/// A legal hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its name.
    pub name: String,
    /// From when on nothing is removed, nanoseconds since 1970.
    pub from_ns: i64,
    /// Why.
    pub reason: String,
    /// Who placed it.
    pub actor: Option<String>,
    /// When.
    pub placed_ns: i64,
}

/// Who removes events, and why.
#[derive(Clone, Debug, Default)]
pub struct Authority {
    /// Who does it.
    pub actor: Option<String>,
    /// Who allowed it.
    pub approver: String,
    /// Why.
    pub reason: String,
    /// By which policy, for the record.
    pub policy: String,
}

impl Store {
    /// What this retention would remove from the log in use.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn prunable(&self, retention: &Retention) -> Result<Prunable> {
        let log = self.log.number;
        let Some((.., stored)) = append::read_head(&self.db)? else { return Ok(Prunable::default()) };
        let floor = self.floor(log)?.map_or(0, |floor| floor.size);
        let mut found = Prunable { first: floor + 1, ..Prunable::default() };
        let now = self.now_ns().max(stored.head.last_ns);
        let before = |days: u32| now.saturating_sub(i64::from(days).saturating_mul(DAY_NS));
        // By time: up to the first event of any kind that is within its own time.
        let mut by_time =
            if retention.days.is_some() || !retention.by_category.is_empty() { stored.head.size } else { floor };
        // Where a category stays longer than the rest, the bodies of the rest go and their places stay.
        let lasting = retention.days.is_some_and(|days| retention.by_category.values().any(|own| *own > days));
        let mut outlived: Vec<(i64, i64)> = Vec::new();
        for (kind, words) in self.kinds()? {
            let own = Category::of(&words.category).and_then(|category| retention.by_category.get(&category)).copied();
            let (whole, body) = match (retention.days, own) {
                (Some(days), Some(own)) => (Some(days.max(own)), Some(own)),
                (Some(days), None) => (Some(days), lasting.then_some(days)),
                (None, own) => (None, own),
            };
            let first = match whole {
                None => append::at(log, 0),
                Some(days) => self.at_time(log, before(days.max(retention.least_days)))?,
            };
            if let Some(at) = self.of_kind(kind, (first, append::at(log + 1, 0)), true)?.first().copied() {
                by_time = by_time.min(seq_of(at).saturating_sub(1));
            }
            if let Some(days) = body.filter(|_| may_be_redacted(&words.action)) {
                outlived.push((kind, self.at_time(log, before(days.max(retention.least_days)))?));
            }
        }
        let mut last = by_time;
        if let Some(most) = retention.most_events {
            last = last.max(stored.head.size.saturating_sub(most));
        }
        if let Some(most) = retention.most_bytes {
            last = last.max(stored.head.size.saturating_sub(most / self.bytes_per_event()?));
        }
        let wanted = last;
        let mut limit = |most: u64, why: String| {
            if most < last {
                last = most;
                found.kept_by.push(why);
            }
        };
        if retention.least_days > 0 {
            let young = seq_of(self.at_time(log, before(retention.least_days))?).saturating_sub(1);
            limit(young, format!("{} asks for {} days", retention.why.join(", "), retention.least_days));
        }
        let hold = self.holds()?.into_iter().min_by_key(|hold| hold.from_ns);
        let mut held = u64::MAX;
        if let Some(hold) = &hold {
            held = seq_of(self.at_time(log, hold.from_ns)?);
            limit(held.saturating_sub(1), format!("the legal hold `{}`", hold.name));
        }
        let carried = self.carried_size()?;
        limit(carried, "no checkpoint beyond it was carried anywhere: `consign audit checkpoint --to …`".to_string());
        // The newest events, with the seal of the last epoch and what signs, always stay.
        last = last.min(stored.head.size.saturating_sub(1));
        // Whole tiles of the tree: then every proof above needs nothing below.
        let last = last / TILE * TILE;
        if last > floor {
            found.last = last;
        } else if wanted > floor && found.kept_by.is_empty() {
            found.kept_by.push(format!("events are removed by {TILE} at a time"));
        }
        for (kind, end) in outlived {
            let from = append::at(log, found.last.max(floor) + 1);
            let ats = self.of_kind(kind, (from, end), false)?;
            found.redact.extend(ats.into_iter().map(seq_of).filter(|seq| *seq < held));
        }
        found.redact.sort_unstable();
        Ok(found)
    }

    /// Removes events and bodies as [`Self::prunable`] found them. The log is verified before.
    ///
    /// # Errors
    /// The log does not verify; the state cannot be written. Nothing is removed then.
    pub fn prune(&mut self, what: &Prunable, by: &Authority) -> Result<()> {
        let doing = "pruning the audit log";
        if let Some(error) = self.verify_audit(None)?.error() {
            return Err(error.doing(doing));
        }
        if what.last > 0 {
            self.prune_until(what.first, what.last, by)?;
        }
        if !what.redact.is_empty() {
            self.redact(&what.redact, by)?;
        }
        self.empty_write_ahead_log();
        Ok(())
    }

    /// Removes the bodies of these events; their places in the chain and the tree remain.
    ///
    /// # Errors
    /// One of them is not there, holds the log together, was redacted before or is under a legal hold.
    pub fn redact(&mut self, seqs: &[u64], by: &Authority) -> Result<()> {
        let doing = "redacting the audit log";
        let mut seqs = seqs.to_vec();
        seqs.sort_unstable();
        seqs.dedup();
        let held = self.holds()?.into_iter().min_by_key(|hold| hold.from_ns);
        if let Some(hold) = held
            && let Some(seq) = seqs.last()
            && *seq >= seq_of(self.at_time(self.log.number, hold.from_ns)?)
        {
            return Err(Error::new(
                Kind::Refused,
                &HELD,
                format!("event {seq} is under the legal hold `{}`", hold.name),
            )
            .doing(doing));
        }
        let mut digester = Digester::default();
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        let wanted: BTreeSet<u64> = seqs.iter().copied().collect();
        let (Some(first), Some(last)) = (seqs.first(), seqs.last()) else { return Ok(()) };
        let mut seen = 0;
        let _held = self.upkeep(self.options.wait)?;
        self.each_row(self.log.number, *first, *last, |row| {
            let Some(row) = row else { return Ok(false) };
            let seq = sql::count(row.seq);
            if !wanted.contains(&seq) {
                return Ok(true);
            }
            if row.body.is_none() || !may_be_redacted(row.index.action) {
                let what = if row.body.is_none() { "was redacted before" } else { "holds the log together and stays" };
                return Err(Error::new(Kind::Invalid, &EVENT_GONE, format!("event {seq} {what}")).doing(doing));
            }
            digester.add(&Row { body: None, ..*row });
            seen += 1;
            match ranges.last_mut() {
                Some((_, end)) if *end + 1 == seq => *end = seq,
                _ => ranges.push((seq, seq)),
            }
            Ok(true)
        })?;
        if seen != wanted.len() {
            return Err(Error::new(Kind::Invalid, &EVENT_GONE, "not all of these events are there").doing(doing));
        }
        let redaction = Redaction { ranges, digest: digester.finish() };
        let hit = |segment: &Segment| wanted.range(segment.first..=segment.last).next().is_some();
        let sealed: Vec<Segment> = self.segments()?.into_iter().filter(hit).collect();
        let written = sealed
            .iter()
            .map(|segment| self.rewrite_segment(segment, segment.first, &wanted))
            .collect::<Result<Vec<_>>>()?;
        failpoint::reach("segment_written");
        self.write(doing, |w| {
            let log = w.log.number;
            for written in &written {
                w.name_segment(written)?;
            }
            w.without_tripwires(|w| {
                for (first, last) in &redaction.ranges {
                    w.db.execute(
                        "UPDATE audit_events SET body = NULL WHERE at >= ?1 AND at <= ?2",
                        params![append::at(log, *first), append::at(log, *last)],
                    )
                    .map_err(|e| sql::error(doing, e))?;
                }
                Ok(())
            })?;
            let mut draft = Draft::new(Action::EventsRedacted);
            draft.details = redaction.details();
            w.removal(draft.detail("count", seen), by, 0.5)?;
            failpoint::reach("inside_segment");
            Ok(())
        })?;
        failpoint::reach("segment_replaced");
        self.remove_segments(&sealed.into_iter().map(|segment| segment.file).collect::<Vec<_>>());
        self.empty_write_ahead_log();
        Ok(())
    }

    /// The legal holds that stand.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn holds(&self) -> Result<Vec<Hold>> {
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Hold {
                name: row.get(0)?,
                from_ns: row.get(1)?,
                reason: row.get(2)?,
                actor: row.get(3)?,
                placed_ns: row.get(4)?,
            })
        };
        self.db
            .prepare_cached("SELECT name, from_ns, reason, actor, placed_ns FROM audit_holds ORDER BY name")
            .and_then(|mut statement| statement.query_map([], read)?.collect())
            .map_err(|e| sql::error("reading the legal holds", e))
    }

    /// Places a legal hold: nothing from `from_ns` on is removed until it is released.
    ///
    /// # Errors
    /// There is one of that name, or the state cannot be written.
    pub fn place_hold(&mut self, name: &str, from_ns: i64, reason: &str, actor: Option<String>) -> Result<()> {
        if self.holds()?.iter().any(|hold| hold.name == name) {
            return Err(Error::new(Kind::Invalid, &HELD, format!("there is a legal hold `{name}` already")));
        }
        self.write("placing a legal hold", |w| {
            w.db.execute(
                "INSERT INTO audit_holds (name, from_ns, reason, actor, placed_ns) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![name, from_ns, reason, actor, w.now_ns],
            )
            .map_err(|e| sql::error("placing a legal hold", e))?;
            let mut draft = Draft::new(Action::HoldPlaced).detail("from", from_ns.to_string());
            (draft.resource, draft.reason, draft.actor) =
                (Some(name.to_string()), Some(reason.to_string()), actor.clone());
            append::append(w.db, w.log, w.now_ns, &[draft]).map(drop)
        })
    }

    /// Releases a legal hold.
    ///
    /// # Errors
    /// There is none of that name, or the state cannot be written.
    pub fn release_hold(&mut self, name: &str, reason: &str, actor: Option<String>) -> Result<()> {
        if !self.holds()?.iter().any(|hold| hold.name == name) {
            return Err(Error::new(Kind::Invalid, &HELD, format!("there is no legal hold `{name}`")));
        }
        self.write("releasing a legal hold", |w| {
            w.db.execute("DELETE FROM audit_holds WHERE name = ?1", [name])
                .map_err(|e| sql::error("releasing a legal hold", e))?;
            let mut draft = Draft::new(Action::HoldReleased);
            (draft.resource, draft.reason, draft.actor) =
                (Some(name.to_string()), Some(reason.to_string()), actor.clone());
            append::append(w.db, w.log, w.now_ns, &[draft]).map(drop)
        })
    }

    /// What was removed is gone from the write-ahead log too, as soon as nobody reads from it.
    fn empty_write_ahead_log(&self) {
        let _ = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }

    /// About how many bytes an event takes: of the last thousand.
    fn bytes_per_event(&self) -> Result<u64> {
        self.db
            .query_row(
                "SELECT ifnull(avg(length(body)), 250) FROM (SELECT body FROM audit_events ORDER BY at DESC LIMIT 1000)",
                [],
                |row| row.get::<_, f64>(0),
            )
            // Leaf, code, numbers, index entries and what a page leaves empty.
            .map(|average| average as u64 + 150)
            .map_err(|e| sql::error("looking at what may be pruned", e))
    }
}

impl Store {
    /// Removes the events from `first` to `last`; of a segment that holds newer ones too, a shorter one remains.
    fn prune_until(&mut self, first: u64, last: u64, by: &Authority) -> Result<()> {
        let doing = "pruning the audit log";
        let _held = self.upkeep(self.options.wait)?;
        self.tidy()?;
        let log = self.log.number;
        let mut floor = self.floor_before(log)?;
        if floor.size + 1 != first {
            return Err(Error::bug("the floor of the audit log moved"));
        }
        let since = self.lead_on(log, last, &mut floor)?;
        let below: Vec<Segment> = self.segments()?.into_iter().filter(|segment| segment.first <= last).collect();
        let shorter = below
            .iter()
            .filter(|segment| segment.last > last)
            .map(|segment| self.rewrite_segment(segment, last + 1, &BTreeSet::new()))
            .collect::<Result<Vec<_>>>()?;
        failpoint::reach("segment_written");
        self.write(doing, |w| {
            for written in &shorter {
                w.name_segment(written)?;
            }
            w.db.execute("DELETE FROM audit_segments WHERE log = ?1 AND last <= ?2", params![log, sql::int(last)])
                .map_err(|e| sql::error(doing, e))?;
            w.prune(first, last, since, &floor, by)?;
            failpoint::reach("inside_segment");
            Ok(())
        })?;
        failpoint::reach("segment_replaced");
        self.remove_segments(&below.into_iter().map(|segment| segment.file).collect::<Vec<_>>());
        Ok(())
    }

    /// Where the log begins now, as a head.
    fn floor_before(&self, log: i64) -> Result<Head> {
        let plain: i64 = self
            .db
            .query_row("SELECT plain_until FROM audit_logs WHERE log = ?1", [log], |row| row.get(0))
            .map_err(|e| sql::error("pruning the audit log", e))?;
        let floor = self.floor(log)?;
        Ok(Head { plain_until: sql::count(plain), ..floor.unwrap_or_else(|| Head::empty(0)) })
    }

    /// Leads a head on up to the event `last`; the time of the first event on the way.
    fn lead_on(&self, log: i64, last: u64, head: &mut Head) -> Result<i64> {
        let mut since = None;
        self.each_row(log, head.size + 1, last, |row| {
            let Some(row) = row else { return Ok(false) };
            let (Ok(leaf), Ok(mac)) = (Hash::try_from(row.leaf), Hash::try_from(row.mac)) else { return Ok(false) };
            if head.size == 0 {
                (head.epoch_since_ns, head.last_ns) = (row.ts_ns, row.ts_ns);
            }
            since.get_or_insert(row.ts_ns);
            head.add(row.ts_ns, &leaf, mac, |_, _, _| Ok::<(), Error>(()))?;
            if row.index.action == Action::EpochSealed.word() {
                let next = head.epoch_after(row.ts_ns);
                head.open_epoch(next, row.ts_ns);
            }
            Ok(true)
        })?;
        match since {
            Some(since) if head.size == last => Ok(since),
            _ => Err(append::tampered("events that were to be pruned are missing")),
        }
    }

    /// Where the events of a kind are that still have a body, between two places of the log in use; only the
    /// first of all, with a body or without, if that is all that is asked for.
    fn of_kind(&self, kind: i64, (from, end): (i64, i64), first: bool) -> Result<Vec<i64>> {
        let fail = |e| sql::error("looking at what may be pruned", e);
        let text = if first {
            "SELECT at FROM audit_events WHERE kind = ?1 AND at >= ?2 AND at < ?3 ORDER BY at LIMIT 1"
        } else {
            "SELECT at FROM audit_events WHERE kind = ?1 AND at >= ?2 AND at < ?3 AND body IS NOT NULL ORDER BY at"
        };
        self.at_once("looking at what may be pruned", || {
            let mut found: Vec<i64> = Vec::new();
            for part in self.parts(self.log.number)? {
                let (from, end) = (from.max(part.from), end.min(part.end));
                if from < end && (found.is_empty() || !first) {
                    found.extend(self.on(&part, |db| {
                        db.prepare_cached(text)
                            .and_then(|mut statement| {
                                statement
                                    .query_map([kind, from, end], |row| row.get(0))?
                                    .collect::<rusqlite::Result<Vec<i64>>>()
                            })
                            .map_err(fail)
                    })?);
                }
            }
            Ok(found)
        })
    }
}

impl Writing<'_> {
    /// Removes the events from `first` to `last` and keeps the head as it stood there.
    fn prune(&mut self, first: u64, last: u64, since: i64, floor: &Head, by: &Authority) -> Result<()> {
        let doing = "pruning the audit log";
        let fail = |e| sql::error(doing, e);
        let log = self.log.number;
        self.db
            .execute(
                "INSERT INTO audit_floors (log, size, last, running, frontier, epoch, epoch_since_ns, epoch_events, last_ns)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT (log) DO UPDATE SET size = ?2, last = ?3, running = ?4, frontier = ?5, epoch = ?6,
                   epoch_since_ns = ?7, epoch_events = ?8, last_ns = ?9",
                params![
                    log,
                    sql::int(floor.size),
                    &floor.last[..],
                    &floor.running[..],
                    floor.frontier.as_ref().map(Frontier::bytes),
                    sql::int(floor.epoch),
                    floor.epoch_since_ns,
                    sql::int(floor.epoch_events),
                    floor.last_ns,
                ],
            )
            .map_err(fail)?;
        self.without_tripwires(|w| {
            let (from, to) = (append::at(log, first), append::at(log, last));
            w.db.execute("DELETE FROM audit_touches WHERE at >= ?1 AND at <= ?2", params![from, to]).map_err(fail)?;
            w.db.execute("DELETE FROM audit_hits WHERE at >= ?1 AND at <= ?2", params![from, to]).map_err(fail)?;
            w.db.execute("DELETE FROM audit_events WHERE at >= ?1 AND at <= ?2", params![from, to])
                .map(drop)
                .map_err(fail)
        })?;
        let draft = Draft::new(Action::EventsPruned)
            .detail("first", first)
            .detail("last", last)
            .detail("from", since.to_string())
            .detail("to", floor.last_ns.to_string())
            .detail("root", floor.root().map(|root| chain::hex(&root)).unwrap_or_default())
            .detail("running", chain::hex(&floor.running));
        self.removal(draft, by, 0.5)
    }

    /// Records a removal, whether recording is switched on or not.
    fn removal(&mut self, mut draft: Draft, by: &Authority, risk: f64) -> Result<()> {
        draft = draft.detail("approver", by.approver.clone());
        if !by.policy.is_empty() {
            draft = draft.detail("policy", by.policy.clone());
        }
        (draft.actor, draft.reason, draft.risk) = (by.actor.clone(), Some(by.reason.clone()), risk);
        append::append(self.db, self.log, self.now_ns, &[draft]).map(drop)
    }

    /// Does what the tripwires would take for an accident; they are back afterwards, in the same transaction.
    fn without_tripwires(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let fail = |e| sql::error("lifting the tripwires of the audit log", e);
        let tripwires: Vec<(String, String)> = self
            .db
            .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'audit_events'")
            .and_then(|mut statement| statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .map_err(fail)?;
        for (name, _) in &tripwires {
            self.db.execute_batch(&format!("DROP TRIGGER {name}")).map_err(fail)?;
        }
        work(self)?;
        for (_, text) in &tripwires {
            self.db.execute_batch(text).map_err(fail)?;
        }
        Ok(())
    }
}

fn seq_of(at: i64) -> u64 {
    sql::count(at & ((1 << SEQ_BITS) - 1))
}
