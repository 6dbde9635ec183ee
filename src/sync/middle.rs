//! The middle of the road: one part in, one [`Done`] out. A pure function over one part, run by
//! one worker thread: decode, map, comply, encode. Nothing here knows what comes before or after.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;
use std::sync::Arc;

use crate::comply::inline::{self, Fate, Finding, Inline, Inspector, Judgement, Seen};
use crate::config::Mode;
use crate::connect::{Batch, Decoder, Encoder, Part, RecordError, Rows};
use crate::error::codes::comply::{BLOCKED, DETECTED, ERASED, GATE, RULE_WITHHELD};
use crate::error::codes::map::{DRIFT, EXPLODE_LIMIT};
use crate::error::{Code, Error, Kind, Result};
use crate::expr::Moment;
use crate::map::{Drifted, Fault, Route, Verdict};
use crate::record::{
    Act, Arena, ClassSet, Decimal, Position, Reject, Row, Rulings, SliceId, Timestamp, Totals, Value, Withheld,
};

use super::fleeting;
use super::lanes::{Hashed, KeyHash};
use super::refused::Origins;

/// Most bytes of the target records of one source record.
const MOST_EXPLODED: usize = 64 << 20;

/// What a worker made of a part.
pub struct Done {
    /// The slice it belongs to.
    pub slice: SliceId,
    /// Where to resume once it is settled; `record` counts from the part's beginning.
    pub end: Position,
    /// Whether the slice ends here.
    pub last_of_slice: bool,
    /// The encoded target records.
    pub batch: Batch,
    /// BLAKE3 of the encoded bytes.
    pub digest: [u8; 32],
    /// The counts; `written` is not known yet.
    pub totals: Totals,
    /// Records that did not make it; `record` counts from the part's beginning.
    pub rejects: Vec<Reject>,
    /// The hashed keys of the records that became target records, in the order of reading, those
    /// that a later one replaced included. Empty where records have no key.
    pub keys: Vec<u128>,
    /// For each of them the record's number within the part, from 0.
    pub indices: Vec<u32>,
    /// Records whose key cannot be told: a mirror that saw one deletes nothing.
    pub unkeyed: u64,
    /// What the records of the batch were read from, for a target that may refuse some of them.
    pub origins: Option<Origins>,
    /// Fields that nobody declared, where the mapping accepts them, with the records they were in.
    pub drifted: Drifted,
    /// What compliance rules did to its records, and the declared sums.
    pub rulings: Rulings,
    /// Of each target record, in order, the numbers that are summed.
    pub amounts: Vec<Decimal>,
    /// Whose records became target records, hashed; empty where nobody keeps account of them.
    pub people: Vec<u128>,
    /// Whose records were kept back, and the code of the reason.
    pub kept_back: Vec<(u128, &'static str)>,
}

/// One worker: its decoder, its encoder and its scratch space.
pub struct Middle {
    route: Arc<Route>,
    decoder: Box<dyn Decoder>,
    encoder: Box<dyn Encoder>,
    /// [`crate::connect::Frame::between`] of the target.
    between: Arc<[u8]>,
    /// The run's fixed time.
    now: Timestamp,
    arena: Arena,
    /// How many more records are wanted; `None`: all.
    wanted: Option<u64>,
    hash: KeyHash,
    /// The keys of a part, emptied: parts are alike.
    seen: HashMap<u128, Range<usize>, Hashed>,
    /// The secret of the state.
    secret: [u8; 16],
    /// Whether what records were read from is kept.
    keeping: bool,
    /// What is asked of each record beside the mapping.
    inspector: Option<Inspector>,
    /// Where a record says whose it is; `None`: nobody keeps account of it.
    subject: Option<usize>,
    /// How many bytes were written for a thousand that were read, as the last part showed it.
    yielded: usize,
}

impl Middle {
    /// A worker for this route.
    pub fn new(
        route: Arc<Route>,
        decoder: Box<dyn Decoder>,
        encoder: Box<dyn Encoder>,
        between: Arc<[u8]>,
        now: Timestamp,
    ) -> Self {
        let hash = KeyHash::new([0; 16]);
        Self {
            route,
            decoder,
            encoder,
            between,
            now,
            arena: Arena::new(),
            wanted: None,
            hash,
            seen: HashMap::default(),
            secret: [0; 16],
            keeping: false,
            inspector: None,
            subject: None,
            yielded: 2000,
        }
    }

    /// Asks of each record what its route asks for beside the mapping, if it does.
    pub fn asking(mut self, inline: Option<&Arc<Inline>>) -> Self {
        self.inspector = Inspector::of(inline);
        self
    }

    /// Keeps account of whose records they are, where the route says it.
    pub fn accounting(mut self, people: bool) -> Self {
        self.subject = self.route.governed.subject.filter(|_| people);
        self
    }

    /// Keeps what records were read from: the target may refuse some of them.
    pub fn keeping(mut self, keeping: bool) -> Self {
        self.keeping = keeping;
        self
    }

    /// Hashes keys of records under the secret of a state.
    pub fn hashing(mut self, secret: [u8; 16]) -> Self {
        self.hash = KeyHash::new(secret);
        self.secret = secret;
        self
    }

    /// Stops after so many records.
    pub fn limited(mut self, wanted: Option<u64>) -> Self {
        self.wanted = wanted;
        self
    }

    /// What a part of so many bytes will become, by the one before it and an eighth.
    fn room(&self, bytes: usize) -> usize {
        (bytes / 1000 + 1).saturating_mul(self.yielded.clamp(100, 4000) * 9 / 8)
    }

    /// Does the work on one part.
    ///
    /// # Errors
    /// If the part as a whole cannot be read.
    pub fn work(&mut self, part: Part) -> Result<Done> {
        let mut done = self.look(&part)?;
        Origins::share(part, done.origins.iter_mut());
        Ok(done)
    }

    /// The same for a part that others look at, too. Whoever has it gives its bytes to [`Origins::share`] when
    /// all have.
    ///
    /// # Errors
    /// As for [`Middle::work`].
    pub fn look(&mut self, part: &Part) -> Result<Done> {
        if self.route.rehearses {
            return Err(Error::bug("a route would run with keys that only stand in"));
        }
        self.arena.reset();
        let room = self.room(part.bytes.len());
        let mut rows = Mapped {
            route: &self.route,
            encoder: self.encoder.as_mut(),
            between: &self.between,
            now: self.now,
            secret: self.secret,
            arena: &self.arena,
            part,
            values: Vec::with_capacity(self.route.columns.len()),
            batch: Batch { bytes: Vec::with_capacity(room), records: 0, ..Batch::default() },
            totals: Totals { bytes_read: part.bytes.len() as u64, ..Totals::default() },
            rejects: Vec::new(),
            wanted: self.wanted.unwrap_or(u64::MAX),
            keys: Keys { seen: std::mem::take(&mut self.seen), ..Keys::default() },
            keyed: self.route.mode.keyed() && !self.route.key.is_empty(),
            hash: &mut self.hash,
            key: Vec::new(),
            unkeyed: 0,
            drifted: Drifted::default(),
            ended: None,
            origins: self.keeping.then(|| Origins::of(part, self.route.payload_classes)),
            may_be_fleeting: self.keeping && fleeting::any(self.route.payload_classes),
            inspector: self.inspector.as_mut(),
            amounts: Amounts::default(),
            subject: self.subject,
            people: Vec::new(),
            kept_back: Vec::new(),
        };
        self.decoder.decode(part, &self.route.projection, &self.arena, &mut rows)?;
        if let Some(error) = rows.ended.take() {
            return Err(error);
        }
        let drifted = std::mem::take(&mut rows.drifted);
        let Mapped {
            mut batch,
            mut totals,
            rejects,
            mut keys,
            unkeyed,
            mut origins,
            mut amounts,
            people,
            kept_back,
            ..
        } = rows;
        self.wanted = self.wanted.map(|wanted| wanted - totals.read);
        totals.superseded = keys.drop_superseded(&mut batch.bytes, self.between.len());
        let mut rulings = self.inspector.as_mut().map(Inspector::take).unwrap_or_default();
        amounts.drop_superseded(&keys.superseded, &mut rulings);
        batch.records -= totals.superseded;
        if let Some(origins) = &mut origins {
            origins.drop_encoded(&keys.superseded.iter().map(|range| range.start).collect::<Vec<_>>());
        }
        totals.produced = batch.records;
        totals.bytes_written = batch.bytes.len() as u64;
        if batch.records > 0 {
            self.encoder.close(&mut batch.bytes);
        }
        self.yielded = batch.bytes.len().saturating_mul(1000) / part.bytes.len().max(1);
        // What it took too much of is wanted for the next part, while this one waits for its group. A little more is
        // left: whoever asks for more memory each time than he gives back gets pages nobody touched, one by one.
        if batch.bytes.capacity() > batch.bytes.len() / 4 * 5 {
            batch.bytes.shrink_to_fit();
        }
        let digest = *blake3::hash(&batch.bytes).as_bytes();
        let end = Position { record: totals.read, ..part.end.clone() };
        let (slice, last_of_slice) = (part.slice.clone(), part.last_of_slice);
        let Keys { keys, indices, mut seen, .. } = keys;
        seen.clear();
        self.seen = seen;
        Ok(Done {
            slice,
            end,
            last_of_slice,
            batch,
            digest,
            totals,
            rejects,
            keys,
            indices,
            unkeyed,
            origins,
            drifted,
            rulings,
            amounts: amounts.numbers,
            people,
            kept_back,
        })
    }
}

/// Receives the rows of one part.
struct Mapped<'w, 'a> {
    route: &'a Route,
    encoder: &'w mut dyn Encoder,
    between: &'w [u8],
    now: Timestamp,
    secret: [u8; 16],
    arena: &'a Arena,
    part: &'a Part,
    values: Vec<Value<'a>>,
    batch: Batch,
    totals: Totals,
    rejects: Vec<Reject>,
    /// How many records are still wanted.
    wanted: u64,
    keys: Keys,
    /// Whether records have a key that counts.
    keyed: bool,
    hash: &'w mut KeyHash,
    /// The key of a record that is not written.
    key: Vec<Value<'a>>,
    unkeyed: u64,
    origins: Option<Origins>,
    /// Whether records may hold what must never be stored.
    may_be_fleeting: bool,
    drifted: Drifted,
    /// Why the run ends here.
    ended: Option<Error>,
    /// What is asked of each record beside the mapping; `None`: nothing.
    inspector: Option<&'w mut Inspector>,
    amounts: Amounts,
    subject: Option<usize>,
    people: Vec<u128>,
    kept_back: Vec<(u128, &'static str)>,
}

/// The hash of a target record's key, told to the encoder, which gets the record next.
#[inline]
fn key_of(route: &Route, values: &[Value<'_>], hash: &mut KeyHash, encoder: &mut dyn Encoder) -> u128 {
    let key = hash.of(route.key.iter().map(|at| &values[*at]));
    encoder.key_of_next(key);
    key
}

/// The numbers of the target records that are summed, as many for each as fields are.
#[derive(Default)]
struct Amounts {
    numbers: Vec<Decimal>,
    /// Where each of the records begins in the batch.
    begins: Vec<usize>,
}

impl<'a> Rows<'a> for Mapped<'_, 'a> {
    fn row(&mut self, row: Row<'a>) -> bool {
        if self.totals.read == self.wanted {
            return false;
        }
        self.totals.read += 1;
        self.route.count_drift(row.slots, &mut self.drifted);
        let mut verdict = self.route.apply(&row, self.arena, self.moment(&row), &mut self.values);
        if self.inspector.is_some() {
            match self.comply(&row, verdict) {
                Some(left) => verdict = left,
                None => return self.ended.is_none(),
            }
        }
        match verdict {
            Verdict::Mapped if self.route.explodes() => self.encode_many(&row),
            Verdict::Mapped => self.encode(&row),
            Verdict::Filtered => {
                self.totals.filtered += 1;
                if self.keyed && self.route.mode == Mode::Mirror {
                    self.key_alone(&row);
                }
            }
            // Only where an inspector is: it has dealt with it.
            Verdict::Withheld(_) => {}
            Verdict::Rejected(fault) if fault.code == &DRIFT && self.route.drift_fails() => {
                self.ended = Some(self.drift_ends(&row, *fault));
                return false;
            }
            Verdict::Rejected(fault) => {
                self.reject(&row, fault.code.id, fault.cause, fault.field);
            }
        }
        true
    }

    fn bad(&mut self, error: RecordError) -> bool {
        if self.totals.read == self.wanted {
            return false;
        }
        self.totals.read += 1;
        self.totals.rejected += 1;
        self.unkeyed += 1;
        let cause = self.quiet(error.cause);
        let raw = self.part.bytes.get(error.start..error.end).unwrap_or_default();
        let shown = self.shows(raw);
        // Nobody knows which of its fields is which: what may hold such data is not kept.
        let is_fleeting = fleeting::any(shown) || fleeting::in_bytes(self.route, &self.part.header.columns, raw);
        self.rejects.push(Reject {
            code: error.code.id,
            cause,
            field: error.field,
            source: self.part.name.to_string(),
            slice: self.part.slice.to_string(),
            byte: self.part.start.byte + error.byte as u64,
            line: self.part.start.line + u64::from(error.line) + 1,
            record: u64::from(error.index) + 1,
            column: error.column,
            payload: if is_fleeting { Vec::new() } else { raw.to_vec() },
            columns: self.part.header.columns.clone(),
            classes: self.route.payload_classes.union(shown),
            record_key: None,
            overtaken: false,
            subject: None,
        });
        true
    }
}

impl<'a> Mapped<'_, 'a> {
    /// The byte of its slice at which a record begins.
    #[inline]
    fn byte(&self, row: &Row<'a>) -> u64 {
        // The raw bytes are a slice of the part's: their place in it is their address.
        let offset = (row.raw.as_ptr() as usize).saturating_sub(self.part.bytes.as_ptr() as usize);
        self.part.start.byte + offset as u64
    }

    #[inline]
    fn moment(&self, row: &Row<'a>) -> Moment<'a> {
        Moment {
            run: self.now,
            slice: &self.part.slice,
            source: &self.part.name,
            byte: self.byte(row),
            line: self.part.start.line + u64::from(row.line) + 1,
            raw: row.raw,
            secret: self.secret,
            element: 0,
        }
    }

    /// What gates, detection and sums make of a record; `None`: it goes no further.
    #[inline(never)]
    fn comply(&mut self, row: &Row<'a>, verdict: Verdict) -> Option<Verdict> {
        let inspector = self.inspector.as_deref_mut()?;
        if let Verdict::Filtered = verdict {
            inspector.lost(row.slots, Fate::Filtered);
            return Some(verdict);
        }
        // Also of a record that the mapping rejects: what must be kept back is not kept as a dead letter.
        let gated = inspector.inline().gates.is_some().then(|| Arc::clone(inspector.inline()));
        if let Some(gates) = gated.as_ref().and_then(|inline| inline.gates.as_ref()) {
            match gates.judge(row.slots, self.now) {
                Judgement::Passes => {}
                Judgement::Withheld(code) => {
                    self.withhold(row, code, None);
                    return None;
                }
                Judgement::Failed { field, cause } => {
                    if let Verdict::Mapped = verdict {
                        self.lose(row);
                        self.reject(row, GATE.id, format!("`{field}`: {cause}"), Some(field));
                        return None;
                    }
                }
            }
        }
        if let Verdict::Withheld(rule) = verdict {
            self.withhold(row, &RULE_WITHHELD, Some(rule));
            return None;
        }
        if let Verdict::Rejected(_) = verdict {
            self.lose(row);
            return Some(verdict);
        }
        let inspector = self.inspector.as_deref_mut()?;
        match inspector.look(&mut self.values, self.arena) {
            Seen::Clean => Some(verdict),
            Seen::Park(finding) => {
                self.lose(row);
                self.park(row, *finding);
                None
            }
            Seen::Block(finding) => {
                self.ended = Some(self.block(row, *finding));
                None
            }
        }
    }

    /// Counts a record that becomes a dead letter among the sums.
    fn lose(&mut self, row: &Row<'a>) {
        if let Some(inspector) = self.inspector.as_deref_mut() {
            inspector.lost(row.slots, Fate::Rejected);
        }
    }

    /// Whose record it is, hashed, where account of that is kept and the record says it.
    #[inline]
    fn person(&self, row: &Row<'a>) -> Option<u128> {
        let value = row.slots.get(self.subject?)?;
        let id = inline::identity(value).ok().flatten()?;
        Some(self.hash.person(&id))
    }

    /// Keeps a record back: nothing of it stays but what it is known by.
    fn withhold(&mut self, row: &Row<'a>, code: &'static Code, rule: Option<usize>) {
        self.totals.withheld += 1;
        // Who was erased gets no pseudonym again.
        if !std::ptr::eq(code, &ERASED)
            && let Some(person) = self.person(row)
        {
            self.kept_back.push((person, code.id));
        }
        // A mirror leaves what it has of records that are there, and lets go of who was erased.
        let key = match (self.keyed, std::ptr::eq(code, &ERASED)) {
            (true, false) => self.key_alone(row),
            (_, true) => None,
            // Without a key it is known by where it stands.
            (false, false) => {
                let line = self.part.start.line + u64::from(row.line) + 1;
                Some(self.hash.of(std::iter::once(&Value::String(&format!("{}:{line}", self.part.name)))))
            }
        };
        // It is counted under the first rule, and known by all.
        let rules = rule.map(|first| self.route.all_withholding(row, self.arena, self.moment(row), first).join("\n"));
        let Some(inspector) = self.inspector.as_deref_mut() else { return };
        let rulings = &mut inspector.rulings;
        match rule.and_then(|first| self.route.withholding().get(first)) {
            Some(rule) => rulings.count_rule(Act::Withheld, code.id, &rule.rule, &rule.told),
            None => rulings.count(Act::Withheld, code.id, "", None, || code.title.to_owned()),
        }
        if let Some(key) = key {
            let rule = rules.map(Arc::from);
            rulings.withheld.push(Withheld { key, code: code.id, rule, record: u64::from(row.index) + 1 });
        }
        inspector.lost(row.slots, Fate::Withheld);
    }

    /// Sets a record aside since one of its values shows what no class announced.
    #[cold]
    fn park(&mut self, row: &Row<'a>, finding: Finding) {
        self.reject(row, DETECTED.id, finding.cause, Some(finding.field));
        if let Some(reject) = self.rejects.last_mut() {
            reject.classes = reject.classes.union(crate::record::ClassSet::one(finding.class));
            if finding.is_fleeting {
                // What must never be stored is not stored, sealed or not.
                reject.payload.clear();
            }
        }
    }

    #[cold]
    fn block(&self, row: &Row<'a>, finding: Finding) -> Error {
        let line = self.part.start.line + u64::from(row.line) + 1;
        Error::new(Kind::Refused, &BLOCKED, finding.cause)
            .fact("record", format!("{}:{line}", self.part.name))
            .fact("class", finding.class.class().name)
            .hint("give the source field its class and map it accordingly, or correct the data in its source")
            .hint("`detect: { action: park }` sets such records aside, and the others go on")
    }

    /// A sentence without values that look sensitive.
    fn quiet(&mut self, text: String) -> String {
        match self.inspector.as_deref_mut() {
            Some(inspector) => inspector.quiet(text),
            None => text,
        }
    }

    /// What the bytes of a record look like, where values are looked at: sealed or not, its dead letter says so.
    #[cold]
    fn shows(&mut self, raw: &[u8]) -> ClassSet {
        self.inspector.as_deref_mut().map_or(ClassSet::NONE, |inspector| inspector.shows(raw))
    }

    /// Sums what a record became, once it is encoded; `begins`: where each target record does in the batch.
    #[inline(never)]
    fn sum(&mut self, row: &Row<'a>, begins: impl Iterator<Item = usize>) {
        let Some(inspector) = self.inspector.as_deref_mut().filter(|inspector| inspector.inline().sums.is_some())
        else {
            return;
        };
        let inline = Arc::clone(inspector.inline());
        let Some(sums) = &inline.sums else { return };
        let width = self.route.width();
        sums.made(&mut inspector.rulings.sums, row.slots, &self.values, width, &mut self.amounts.numbers);
        self.amounts.begins.extend(begins);
    }

    fn encode(&mut self, row: &Row<'a>) {
        let start = self.batch.bytes.len();
        if start > 0 {
            self.batch.bytes.extend_from_slice(self.between);
        }
        let hashed = self.keyed.then(|| key_of(self.route, &self.values, self.hash, self.encoder));
        match self.encoder.encode(&self.values, &mut self.batch.bytes) {
            Ok(()) => {
                self.totals.mapped += 1;
                self.batch.records += 1;
                if self.subject.is_some() {
                    self.people.extend(self.person(row));
                }
                if let Some(key) = hashed {
                    self.keys.saw(key, row.index, start..self.batch.bytes.len());
                }
                if let Some(origins) = &mut self.origins {
                    let subject = subject(self.inspector.as_deref(), row);
                    origins.keep(
                        self.part,
                        row,
                        (hashed, subject),
                        start,
                        self.may_be_fleeting && fleeting::in_record(self.route, row.slots),
                    );
                }
                if self.inspector.is_some() {
                    self.sum(row, std::iter::once(start));
                }
            }
            Err(error) => {
                self.batch.bytes.truncate(start);
                let field = self.route.columns.get(error.column).map(|c| c.path.to_string());
                self.lose(row);
                self.reject(row, error.code.id, error.cause, field);
            }
        }
    }

    /// Encodes the target records that one record was taken apart into: all of them or none.
    fn encode_many(&mut self, row: &Row<'a>) {
        let start = self.batch.bytes.len();
        let mut ranges: Vec<(Option<u128>, Range<usize>)> = Vec::with_capacity(self.values.len() / self.route.width());
        for values in self.values.chunks(self.route.width()) {
            let from = self.batch.bytes.len();
            if from > 0 {
                self.batch.bytes.extend_from_slice(self.between);
            }
            let key = self.keyed.then(|| key_of(self.route, values, self.hash, self.encoder));
            let failed = match self.encoder.encode(values, &mut self.batch.bytes) {
                Ok(()) if self.batch.bytes.len() - start <= MOST_EXPLODED => None,
                Ok(()) => {
                    let cause = format!("its target records are more than {} MiB", MOST_EXPLODED >> 20);
                    Some((EXPLODE_LIMIT.id, cause, None))
                }
                Err(error) => {
                    let field = self.route.columns.get(error.column).map(|c| c.path.to_string());
                    let cause = format!("element {}: {}", ranges.len() + 1, error.cause);
                    Some((error.code.id, cause, field))
                }
            };
            if let Some((code, cause, field)) = failed {
                self.batch.bytes.truncate(start);
                self.lose(row);
                self.reject(row, code, cause, field);
                return;
            }
            ranges.push((key, from..self.batch.bytes.len()));
        }
        if self.inspector.is_some() {
            self.sum(row, ranges.iter().map(|(_, range)| range.start).collect::<Vec<_>>().into_iter());
        }
        self.totals.mapped += 1;
        if self.subject.is_some() {
            self.people.extend(self.person(row));
        }
        self.totals.exploded += (ranges.len() as u64).saturating_sub(1);
        self.batch.records += ranges.len() as u64;
        if self.route.mode == Mode::Mirror && self.keyed {
            // Elements that `when` holds back are there all the same.
            self.key_alone(row);
        }
        // In its lane a record is known by the key of its first element: a later version of it, too.
        if let Some((Some(first), _)) = ranges.first() {
            self.keys.lane(*first, row.index);
        }
        for (key, range) in ranges {
            if let Some(origins) = &mut self.origins {
                let subject = subject(self.inspector.as_deref(), row);
                origins.keep(
                    self.part,
                    row,
                    (key, subject),
                    range.start,
                    self.may_be_fleeting && fleeting::in_record(self.route, row.slots),
                );
            }
            if let Some(key) = key {
                self.keys.replaces(key, range);
            }
        }
    }

    #[cold]
    fn drift_ends(&self, row: &Row<'a>, fault: Fault) -> Error {
        let line = self.part.start.line + u64::from(row.line) + 1;
        let cause = format!("a field came that nobody declared: {}", fault.cause);
        Error::new(Kind::Invalid, &DRIFT, cause).fact("record", format!("{}:{line}", self.part.name)).hint(
            "declare it in the schema or the `fields` of the stream, then run again; `drift: accept_new` lets it pass",
        )
    }

    /// The key of a record that is not written, hashed, if it can be told. A mirror remembers that it
    /// was seen.
    fn key_alone(&mut self, row: &Row<'a>) -> Option<u128> {
        let mirror = self.route.mode == Mode::Mirror;
        let (moment, mut key, mut first) = (self.moment(row), std::mem::take(&mut self.key), None);
        let route = self.route;
        let told = route.keys_of(row, self.arena, moment, &mut key, &mut |key| {
            first.get_or_insert_with(|| self.hash.of(key.iter()));
            let seen = !mirror || self.encoder.encode_key(key, &mut self.batch.seen).is_ok();
            self.batch.seen_records += u64::from(mirror && seen);
            seen
        });
        self.key = key;
        if !told {
            self.unkeyed += 1;
            return None;
        }
        first
    }

    fn reject(&mut self, row: &Row<'a>, code: &'static str, mut cause: String, field: Option<String>) {
        self.totals.rejected += 1;
        let record_key = if self.keyed { self.key_alone(row) } else { None };
        if record_key.is_some()
            && let Some(key) = self.route.shown_key(&self.key)
        {
            cause.push_str(", for ");
            cause.push_str(&key);
        }
        let shown = self.shows(row.raw);
        let is_fleeting = fleeting::any(shown) || fleeting::in_record(self.route, row.slots);
        let mut subject = None;
        if let Some(inspector) = self.inspector.as_deref_mut() {
            cause = inspector.quiet(cause);
            subject = inspector.inline().gates.as_ref().and_then(|gates| gates.reference(row.slots));
        }
        self.rejects.push(Reject {
            code,
            cause,
            field,
            source: self.part.name.to_string(),
            slice: self.part.slice.to_string(),
            byte: self.byte(row),
            line: self.part.start.line + u64::from(row.line) + 1,
            record: u64::from(row.index) + 1,
            column: 0,
            payload: if is_fleeting { Vec::new() } else { row.raw.to_vec() },
            columns: self.part.header.columns.clone(),
            classes: self.route.payload_classes.union(shown),
            record_key,
            overtaken: false,
            subject,
        });
    }
}

/// What the person of a record is known by in the state, where the route says who that is.
fn subject(inspector: Option<&Inspector>, row: &Row<'_>) -> Option<[u8; 16]> {
    inspector.and_then(|inspector| inspector.inline().gates.as_ref()?.reference(row.slots))
}

impl Amounts {
    /// Takes out the numbers of records that later ones replaced, and counts them as that.
    fn drop_superseded(&mut self, superseded: &[Range<usize>], rulings: &mut Rulings) {
        let width = rulings.sums.len();
        if superseded.is_empty() || width == 0 {
            return;
        }
        let mut kept = Vec::with_capacity(self.numbers.len());
        for (begin, numbers) in self.begins.iter().zip(self.numbers.chunks(width)) {
            if superseded.iter().any(|range| range.start == *begin) {
                for (sum, number) in rulings.sums.iter_mut().zip(numbers) {
                    match sum.superseded.add(*number) {
                        Ok(made) => sum.superseded = made,
                        Err(_) => sum.unread += 1,
                    }
                }
            } else {
                kept.extend_from_slice(numbers);
            }
        }
        self.numbers = kept;
    }
}

/// The keys written in one part: of two records with one key the last wins.
#[derive(Default)]
struct Keys {
    seen: HashMap<u128, Range<usize>, Hashed>,
    superseded: Vec<Range<usize>>,
    keys: Vec<u128>,
    indices: Vec<u32>,
}

impl Keys {
    fn saw(&mut self, key: u128, index: u32, bytes: Range<usize>) {
        self.lane(key, index);
        self.replaces(key, bytes);
    }

    /// A record came by in its lane.
    fn lane(&mut self, key: u128, index: u32) {
        self.keys.push(key);
        self.indices.push(index);
    }

    /// A target record takes the place of the one before it with its key.
    fn replaces(&mut self, key: u128, bytes: Range<usize>) {
        match self.seen.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(bytes);
            }
            Entry::Occupied(mut entry) => self.superseded.push(entry.insert(bytes)),
        }
    }

    /// Takes the superseded records out of the batch; says how many. `between` is the length of
    /// what separates two records.
    fn drop_superseded(&mut self, bytes: &mut Vec<u8>, between: usize) -> u64 {
        if self.superseded.is_empty() {
            return 0;
        }
        self.superseded.sort_by_key(|range| range.start);
        let mut kept = Vec::with_capacity(bytes.len());
        let mut from = 0;
        for range in &self.superseded {
            kept.extend_from_slice(&bytes[from..range.start]);
            from = range.end;
        }
        kept.extend_from_slice(&bytes[from..]);
        // A record's range begins with what separates it from the one before: without the first
        // record that is left over.
        if self.superseded[0].start == 0 {
            kept.drain(..between);
        }
        *bytes = kept;
        self.superseded.len() as u64
    }
}
