//! The one function through which events enter the audit log, always inside the caller's
//! transaction and under the append lock.
//!
//! The head is read again each time: another process may have added events, sealed the epoch and
//! replaced the key since.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, LazyLock};

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Statement, params};
use serde_json::json;

use super::keys::{self, Sealer};
use super::linking::{Linked, Linker, Made};
use super::{parts, signer, sql, subjects, tree};
use crate::audit::chain::Hash;
use crate::audit::merkle::Frontier;
use crate::audit::rules::Watch;
use crate::audit::{Action, Category, Draft, Head, Key, Level, Session, chain};
use crate::error::codes::audit::KEY_MISSING;
use crate::error::{Error, Kind, Result};

/// The clock may go back by less than this without a word: threads and time servers do that.
const CLOCK_SLACK_NS: i64 = 1_000_000_000;

/// The audit log in use, as this process knows it.
pub(super) struct Log {
    /// Its number in the database.
    pub number: i64,
    /// Its id.
    pub id: String,
    /// What can wrap and unwrap the chain's key; the last one wraps.
    pub sealers: Vec<Sealer>,
    /// Who writes to it, from where, with what.
    pub session: Arc<Session>,
    /// What looks at events as they are recorded.
    pub watch: Arc<Watch>,
    /// Events of this transaction that were not looked at yet: where they are, and their bodies.
    pub fresh: Vec<(i64, Vec<u8>)>,
    /// The rule that ends runs and fired, and the run it fired on.
    pub failing: Option<(String, Option<String>)>,
    /// The key as it was last unwrapped, and from what.
    cached: Option<(Vec<u8>, Key)>,
    /// Numbers of kinds and of the last run, as long as the state was not restored since.
    numbers: Numbers,
}

/// Numbers that stand for what events are told apart by.
#[derive(Default)]
struct Numbers {
    restores: i64,
    kinds: HashMap<KindKey, i64>,
    /// The kind of the last event: most events are of the kind of the one before.
    kind: Option<(KindKey, i64)>,
    run: Option<(String, i64)>,
}

/// Level, category, action and route: what a kind stands for.
type KindKey = (Level, Category, Cow<'static, str>, Option<String>);

/// The number of the event `seq` of a log: what it is found by.
pub(super) fn at(log: i64, seq: u64) -> i64 {
    (log << SEQ_BITS) + sql::int(seq)
}

/// The bits of [`at`] that hold the number of the event.
pub(super) const SEQ_BITS: u32 = 40;

/// The head as stored.
pub(super) struct StoredHead {
    pub head: Head,
    pub wrapped_by: String,
    pub wrapped: Vec<u8>,
}

impl Log {
    pub(super) fn new(sealers: Vec<Sealer>) -> Self {
        Self {
            number: 0,
            id: String::new(),
            sealers,
            session: Arc::default(),
            watch: Arc::default(),
            fresh: Vec::new(),
            failing: None,
            cached: None,
            numbers: Numbers::default(),
        }
    }

    /// Forgets the unwrapped key and the numbers: after a rollback they may be such that never came to be.
    pub(super) fn forget(&mut self) {
        self.cached = None;
        self.fresh.clear();
        self.numbers = Numbers::default();
    }

    /// The current key out of the head.
    ///
    /// # Errors
    /// No sealer at hand opens it.
    pub(super) fn unwrap(&mut self, stored: &StoredHead) -> Result<Key> {
        if let Some((wrapped, key)) = &self.cached
            && *wrapped == stored.wrapped
        {
            return Ok(key.clone());
        }
        let key = self.open_with(&self.id, stored).ok_or_else(|| key_missing(&stored.wrapped_by))?;
        self.cached = Some((stored.wrapped.clone(), key.clone()));
        Ok(key)
    }

    /// The current key of any log out of its head, if a sealer at hand opens it.
    pub(super) fn open_with(&self, log_id: &str, stored: &StoredHead) -> Option<Key> {
        let place = place(log_id, stored.head.epoch);
        let plain = self
            .sealers
            .iter()
            .filter(|sealer| sealer.id == stored.wrapped_by)
            .find_map(|sealer| sealer.unseal(&stored.wrapped, &place))?;
        Some(Key::new(plain.as_slice().try_into().ok()?))
    }
}

/// Reads the head of the newest log that is open.
pub(super) fn read_head(db: &Connection) -> Result<Option<(i64, String, StoredHead)>> {
    let mut statement = db
        .prepare_cached(
            "SELECT l.log, l.id, h.size, h.last, h.running, h.epoch, h.epoch_since_ns, h.epoch_events, h.last_ns, h.code,
                    h.frontier, l.plain_until, h.wrapped_by, h.wrapped
             FROM audit_logs l JOIN audit_heads h USING (log) WHERE l.closed_ns IS NULL ORDER BY l.log DESC LIMIT 1",
        )
        .map_err(|e| sql::error("reading the head of the audit log", e))?;
    statement
        .query_row([], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                StoredHead { head: head_of(row, 2)?, wrapped_by: row.get(12)?, wrapped: row.get(13)? },
            ))
        })
        .optional()
        .map_err(|e| sql::error("reading the head of the audit log", e))
}

/// Ten columns of a row as a head.
pub(super) fn head_of(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Head> {
    let size = sql::count(row.get(at)?);
    // One that does not fit the size was changed; the code of the head will not be that of one without it.
    let frontier = row.get_ref(at + 8)?.as_blob_or_null()?.and_then(|bytes| Frontier::of(size, bytes));
    Ok(Head {
        size,
        frontier,
        plain_until: sql::count(row.get(at + 9)?),
        last: row.get::<_, Hash>(at + 1)?,
        running: row.get::<_, Hash>(at + 2)?,
        epoch: sql::count(row.get(at + 3)?),
        epoch_since_ns: row.get(at + 4)?,
        epoch_events: sql::count(row.get(at + 5)?),
        last_ns: row.get(at + 6)?,
        code: row.get::<_, Hash>(at + 7)?,
    })
}

/// Begins a log: its row, its first event, its head. Returns the first key, to be shown once.
pub(super) fn begin(db: &Connection, log: &mut Log, now_ns: i64, id: String, replaces: Option<Draft>) -> Result<Key> {
    let doing = "beginning an audit log";
    let key = keys::random_key()?;
    db.execute("INSERT INTO audit_logs (id, born_ns, first_key_id) VALUES (?1, ?2, ?3)", params![id, now_ns, key.id()])
        .map_err(|e| sql::error(doing, e))?;
    log.number = db.last_insert_rowid();
    log.id = id;
    let signing = signer::make(db, log)?;
    let mut first = Draft::new(Action::LogStarted)
        .detail("first_key", key.id())
        .detail("log", log.id.clone())
        .detail("verifier", signing);
    first.resource = Some("audit log".to_string());
    let mut writer = Writer::new(db, log, Head::empty(now_ns), key.clone(), true)?;
    writer.add(&[first], now_ns, now_ns)?;
    if let Some(draft) = replaces {
        writer.add(&[draft], now_ns, now_ns)?;
    }
    writer.finish()?;
    Ok(key)
}

/// Adds events. Returns their ids.
pub(super) fn append(db: &Connection, log: &mut Log, now_ns: i64, drafts: &[Draft]) -> Result<Vec<String>> {
    let doing = "adding to the audit log";
    let Some((number, id, stored)) = read_head(db)? else {
        return Err(sql::damaged("the head of the audit log is gone").doing(doing));
    };
    if number != log.number {
        log.number = number;
        log.id = id;
        log.forget();
    }
    let key = log.unwrap(&stored)?;
    if stored.head.code_under(&key, &log.id) != stored.head.code {
        return Err(tampered("the head of the audit log was altered").doing(doing));
    }
    let (seen, restores): (i64, i64) = db
        .prepare_cached("SELECT clock_ns, restores FROM state")
        .and_then(|mut s| s.query_row([], |row| Ok((row.get(0)?, row.get(1)?))))
        .map_err(|e| sql::error(doing, e))?;
    if restores != log.numbers.restores {
        log.numbers = Numbers { restores, ..Numbers::default() };
    }
    // A page more for each transaction would be a fifth of what one event writes.
    if !(seen..seen.saturating_add(CLOCK_SLACK_NS / 2)).contains(&now_ns) {
        db.prepare_cached("UPDATE state SET clock_ns = ?1")
            .and_then(|mut s| s.execute([now_ns]))
            .map_err(|e| sql::error(doing, e))?;
    }
    let mut head = stored.head;
    let ts_ns = head.last_ns.max(now_ns);
    // An older consign wrote it: it gets its tree now, and what signs the tree.
    let young = head.frontier.is_none();
    if young {
        head.frontier = Some(tree::grow(db, log.number, head.size)?);
    }
    let mut writer = Writer::new(db, log, head, key, false)?;
    if young {
        let made = Draft::new(Action::SignerMade).detail("verifier", signer::make(writer.rows.db, writer.rows.log)?);
        writer.add(&[made], ts_ns, now_ns)?;
    }
    if now_ns < seen.saturating_sub(CLOCK_SLACK_NS) {
        let step = Draft::new(Action::ClockStep)
            .detail("from", seen.to_string())
            .detail("to", now_ns.to_string())
            .detail("seconds", (seen - now_ns) / 1_000_000_000);
        writer.add(&[step], ts_ns, now_ns)?;
    }
    let ids = writer.add(drafts, ts_ns, now_ns)?;
    writer.finish()?;
    Ok(ids)
}

/// Wraps the current key anew with the sealer now in use, if it is another.
pub(super) fn rewrap(db: &Connection, log: &mut Log, now_ns: i64) -> Result<bool> {
    let Some((number, id, stored)) = read_head(db)? else { return Ok(false) };
    log.number = number;
    log.id = id;
    let key = log.unwrap(&stored)?;
    let Some(sealer) = log.sealers.last() else { return Ok(false) };
    if sealer.id == stored.wrapped_by {
        return Ok(false);
    }
    let draft =
        Draft::new(Action::KeyRewrapped).detail("from", stored.wrapped_by.clone()).detail("to", sealer.id.clone());
    let ts_ns = stored.head.last_ns.max(now_ns);
    let mut head = stored.head;
    if head.frontier.is_none() {
        head.frontier = Some(tree::grow(db, log.number, head.size)?);
        signer::make(db, log)?;
    } else {
        signer::rewrap(db, log)?;
    }
    let mut writer = Writer::new(db, log, head, key, true)?;
    writer.add(&[draft], ts_ns, now_ns)?;
    writer.finish()?;
    Ok(true)
}

/// What the log's key is missing.
pub(super) fn key_missing(wrapped_by: &str) -> Error {
    let error =
        Error::new(Kind::Denied, &KEY_MISSING, "the key that opens the audit chain's current key is not at hand")
            .fact("wrapped by", wrapped_by);
    if wrapped_by.starts_with("env:") {
        error.hint("set CONSIGN_AUDIT_KEY to the value it had").hint(
            "if that value is lost, set a new one: the old log is closed and a new one begins with a critical event",
        )
    } else {
        error.hint("restore the file `keys` of the state folder from a backup")
    }
}

/// The chain is not as it was left.
pub(super) fn tampered(what: &str) -> Error {
    Error::new(Kind::Tampered, &crate::error::codes::audit::TAMPERED, what.to_string())
        .hint("keep a copy of the state folder as it is and run `consign audit verify`")
}

/// Adds events: what [`Linker`] makes goes into the database, the head with the last of it.
struct Writer<'a> {
    linker: Linker,
    rows: Rows<'a>,
}

/// What puts events into the database.
struct Rows<'a> {
    db: &'a Connection,
    log: &'a mut Log,
    /// The statement for one: looked up once, not for each.
    insert: CachedStatement<'a>,
}

/// What puts an event into the database.
static INSERT: LazyLock<String> = LazyLock::new(|| parts::insert(1));

/// What puts [`TOGETHER`] of them into it.
static INSERT_TOGETHER: LazyLock<String> = LazyLock::new(|| parts::insert(TOGETHER));

/// So many events are put into the database at once: that costs it a third less than one by one.
const TOGETHER: usize = 16;

/// From so many events on a second thread makes them while this one puts them into the database.
const SHARED: usize = 64;

/// So many the second thread hands over at once.
const HANDED: usize = 32;

/// So often it may be ahead: who waits for the other is woken, which takes as long as a dozen events.
const AHEAD: usize = 64;

impl<'a> Writer<'a> {
    fn new(db: &'a Connection, log: &'a mut Log, head: Head, key: Key, sealed: bool) -> Result<Self> {
        let insert = db.prepare_cached(&INSERT).map_err(|e| sql::error("adding to the audit log", e))?;
        let linker = Linker::new(log.id.clone(), Arc::clone(&log.session), head, key, sealed);
        Ok(Self { linker, rows: Rows { db, log, insert } })
    }

    /// Adds events, sealing their epoch first if it is over. Returns their ids.
    fn add(&mut self, drafts: &[Draft], ts_ns: i64, clock_ns: i64) -> Result<Vec<String>> {
        let Self { linker, rows } = self;
        linker.expect(drafts.len());
        // Whom they are about stands in their bodies by the names that the database has for them.
        let mut named = HashMap::new();
        for (at, draft) in drafts.iter().enumerate().filter(|(_, draft)| !draft.about.is_empty()) {
            named.insert(at, subjects::about(rows.db, draft)?);
        }
        let whole = |at: usize| match named.get(&at) {
            Some((named, about)) => (named, &about[..]),
            None => (&drafts[at], &[][..]),
        };
        let mut link = |from: usize, most: usize| {
            let mut some = (from..drafts.len()).take(most);
            let mut made = Made::room_for(some.len());
            some.try_for_each(|at| linker.link_in_epoch(whole(at).0, ts_ns, clock_ns, &mut made))?;
            Ok(made)
        };
        let mut ids = Vec::with_capacity(drafts.len());
        let mut put = |mut made: Made, ids: &mut Vec<String>| {
            let first = ids.len();
            let given = made.events.iter_mut().filter(|event| event.own.is_none());
            ids.extend(given.map(|event| std::mem::take(&mut event.id)));
            rows.put(&made, (first..ids.len()).map(whole))
        };
        if drafts.len() >= SHARED {
            let link = &mut link;
            std::thread::scope(|scope| {
                let (to, from) = sync_channel(AHEAD);
                let make = move || {
                    for begin in (0..drafts.len()).step_by(HANDED) {
                        let made = link(begin, HANDED);
                        let failed = made.is_err();
                        if to.send(made).is_err() || failed {
                            return;
                        }
                    }
                };
                // Where there is no thread to be had, this one does it all.
                let _ = std::thread::Builder::new().name("consign-audit".into()).spawn_scoped(scope, make);
                from.into_iter().try_for_each(|made: Result<Made>| put(made?, &mut ids))
            })?;
        }
        while ids.len() < drafts.len() {
            put(link(ids.len(), TOGETHER)?, &mut ids)?;
        }
        Ok(ids)
    }

    fn finish(self) -> Result<()> {
        let Self { linker, rows } = self;
        let doing = "writing the head of the audit log";
        let mut head = linker.head;
        head.code = head.code_under(&linker.key, &rows.log.id);
        let frontier = head.frontier.as_ref().map(Frontier::bytes);
        let values = params![
            rows.log.number,
            sql::int(head.size),
            &head.last[..],
            &head.running[..],
            sql::int(head.epoch),
            head.epoch_since_ns,
            sql::int(head.epoch_events),
            head.last_ns,
            &head.code[..],
            frontier,
        ];
        if !linker.sealed {
            rows.db
                .prepare_cached(
                    "UPDATE audit_heads SET size = ?2, last = ?3, running = ?4, epoch = ?5, epoch_since_ns = ?6, epoch_events = ?7,
                            last_ns = ?8, code = ?9, frontier = ?10 WHERE log = ?1",
                )
                .and_then(|mut statement| statement.execute(values))
                .map_err(|e| sql::error(doing, e))?;
            return Ok(());
        }
        let sealer = rows.log.sealers.last().ok_or_else(|| Error::bug("no key to wrap the audit key with"))?;
        let wrapped = sealer.seal(keys::random()?, linker.key.reveal(), &place(&rows.log.id, head.epoch))?;
        let mut all: Vec<&dyn rusqlite::ToSql> = values.to_vec();
        all.push(&sealer.id);
        all.push(&wrapped);
        rows.db
            .prepare_cached(
                "INSERT INTO audit_heads (log, size, last, running, epoch, epoch_since_ns, epoch_events, last_ns, code, frontier,
                   wrapped_by, wrapped)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
                 ON CONFLICT (log) DO UPDATE SET size = ?2, last = ?3, running = ?4, epoch = ?5, epoch_since_ns = ?6,
                   epoch_events = ?7, last_ns = ?8, code = ?9, frontier = ?10, wrapped_by = ?11, wrapped = ?12",
            )
            .and_then(|mut statement| statement.execute(all.as_slice()))
            .map_err(|e| sql::error(doing, e))?;
        rows.log.cached = Some((wrapped, linker.key));
        Ok(())
    }
}

impl Rows<'_> {
    /// Puts events into the database, which were made of these drafts and are about these subjects.
    fn put<'d>(&mut self, made: &Made, mut given: impl Iterator<Item = (&'d Draft, &'d [i64])>) -> Result<()> {
        let fail = |e| sql::error("adding to the audit log", e);
        let number = self.log.number;
        let mut named = Vec::with_capacity(made.events.len());
        for event in &made.events {
            let at = at(number, event.seq);
            let (draft, about) = match &event.own {
                Some(seal) => (seal, &[][..]),
                None => given.next().ok_or_else(|| Error::bug("an event without a draft"))?,
            };
            if self.log.watch.looks_at(draft.action) {
                self.log.fresh.push((at, made.bodies[event.body.clone()].to_vec()));
            }
            for (level, place, hash) in &event.nodes {
                tree::keep(self.db, number, *level, *place, hash)?;
            }
            if !about.is_empty() {
                subjects::touch(self.db, at, about)?;
            }
            let run = draft.run.as_ref().map(|run| self.run(run)).transpose()?;
            named.push((event, at, self.kind(draft)?, run));
        }
        let bind = |statement: &mut Statement<'_>, events: &[(&Linked, i64, i64, Option<i64>)]| {
            events.iter().enumerate().try_for_each(|(place, (event, at, kind, run))| {
                let first = place * parts::VALUES;
                statement.raw_bind_parameter(first + 1, at)?;
                statement.raw_bind_parameter(first + 2, event.ts_ns)?;
                statement.raw_bind_parameter(first + 3, sql::int(event.epoch))?;
                statement.raw_bind_parameter(first + 4, kind)?;
                statement.raw_bind_parameter(first + 5, run)?;
                statement.raw_bind_parameter(first + 6, &event.leaf[..])?;
                statement.raw_bind_parameter(first + 7, &event.mac[..])?;
                statement.raw_bind_parameter(first + 8, &made.bodies[event.body.clone()])
            })
        };
        let (together, single) = named.as_chunks::<TOGETHER>();
        for events in together {
            let mut insert = self.db.prepare_cached(&INSERT_TOGETHER).map_err(fail)?;
            bind(&mut insert, events).and_then(|()| insert.raw_execute()).map_err(fail)?;
        }
        for event in single {
            bind(&mut self.insert, std::slice::from_ref(event)).map_err(fail)?;
            self.insert.raw_execute().map_err(fail)?;
        }
        Ok(())
    }

    /// The number of the draft's level, category, action and route together.
    fn kind(&mut self, draft: &Draft) -> Result<i64> {
        let fail = |e| sql::error("adding to the audit log", e);
        let word = draft.word();
        if let Some(((level, category, action, route), kind)) = &self.log.numbers.kind
            && (*level, *category, action, route) == (draft.level, draft.about_what(), &word, &draft.route)
        {
            return Ok(*kind);
        }
        let key = (draft.level, draft.about_what(), word, draft.route.clone());
        if let Some(kind) = self.log.numbers.kinds.get(&key).copied() {
            self.log.numbers.kind = Some((key, kind));
            return Ok(kind);
        }
        let (level, category, action) = (draft.level.word(), key.1.word(), key.2.as_ref());
        let values = params![level, category, action, draft.route];
        let known = self
            .db
            .prepare_cached(
                "SELECT kind FROM audit_kinds WHERE level = ?1 AND category = ?2 AND action = ?3 AND route IS ?4",
            )
            .and_then(|mut statement| statement.query_row(values, |row| row.get(0)).optional())
            .map_err(fail)?;
        let kind = match known {
            Some(kind) => kind,
            None => {
                let text = "INSERT INTO audit_kinds (level, category, action, route) VALUES (?1, ?2, ?3, ?4)";
                self.db.execute(text, values).map_err(fail)?;
                self.db.last_insert_rowid()
            }
        };
        self.log.numbers.kinds.insert(key.clone(), kind);
        self.log.numbers.kind = Some((key, kind));
        Ok(kind)
    }

    /// The number of a run.
    fn run(&mut self, run: &str) -> Result<i64> {
        if let Some((last, number)) = &self.log.numbers.run
            && last == run
        {
            return Ok(*number);
        }
        let number = self
            .db
            .prepare_cached(
                "INSERT INTO audit_runs (id) VALUES (?1) ON CONFLICT (id) DO UPDATE SET id = id RETURNING number",
            )
            .and_then(|mut statement| statement.query_row([run], |row| row.get(0)))
            .map_err(|e| sql::error("adding to the audit log", e))?;
        self.log.numbers.run = Some((run.to_string(), number));
        Ok(number)
    }
}

/// Where a wrapped key belongs.
fn place(log_id: &str, epoch: u64) -> Vec<u8> {
    let mut place = b"consign-audit-key/1".to_vec();
    place.extend_from_slice(log_id.as_bytes());
    place.extend_from_slice(&epoch.to_be_bytes());
    place
}

/// The critical event with which a log begins whose forerunner's key was lost.
pub(super) fn replacement(old_id: &str, old: &StoredHead) -> Draft {
    let mut draft = Draft::new(Action::LogReplaced);
    draft.level = Level::Critical;
    draft.risk = 0.9;
    draft.reason = Some("the key that wraps the old log's current key is lost".to_string());
    draft.details = [
        ("old_log", json!(old_id)),
        ("old_size", json!(old.head.size)),
        ("old_last", json!(chain::hex(&old.head.last))),
        ("old_running", json!(chain::hex(&old.head.running))),
        ("old_wrapped_by", json!(old.wrapped_by)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_string(), value))
    .collect();
    draft
}
