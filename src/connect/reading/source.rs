//! A pack's stream as a source of the road: what is read ahead on the network's own thread becomes parts,
//! sequence by sequence.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError};

use serde_json::Value as Json;
use tokio::sync::{Semaphore, mpsc};

use super::desk::{Desk, Vars};
use super::kin::Kin;
use super::receipts::{Owed, Receipts};
use super::reel::{Out, Reel, Taken};
use super::stand::{Stand, UnderWay, fingerprint};
use super::{jobs, turn};
use crate::connect::pack::each::Each;
use crate::connect::protocols::Window;
use crate::connect::runtime::Runtime;
use crate::connect::{Acknowledge, Part, Source};
use crate::error::codes::connect::PARTITION_FAILED;
use crate::error::codes::sync::DOUBT;
use crate::error::{Error, Kind, Result};
use crate::record::{Position, Settled, SliceId};

/// KiB of pages that wait to be worked on, over all sequences.
pub(super) const WAITING_KIB: usize = 2 << 10;
/// Pages of one sequence that wait.
const WAITING_PAGES: usize = 16;

/// The source.
pub(super) struct Reading {
    pub desk: Arc<Desk>,
    pub runtime: Runtime,
    pub settled: HashMap<SliceId, Settled>,
    pub only: Option<(SliceId, Stand)>,
    pub window: Option<Window>,
    state: State,
    sequence: u64,
    /// Where each slice stands in bytes and records of this run, for positions.
    positions: HashMap<SliceId, Position>,
    receipts: Arc<Receipts>,
}

enum State {
    Unbegun,
    Going(Box<Going>),
    Over,
}

/// Sequences that are read.
struct Going {
    /// Those under way, in the order in which their records go out.
    tracks: VecDeque<Track>,
    /// Whom to read for.
    parents: Option<Parents>,
    /// Of a stream whose sequences share one slice: where that stands.
    common: Option<Stand>,
    /// What could not be read, though the rest could.
    failed: Vec<(String, Error)>,
}

struct Track {
    slice: SliceId,
    name: String,
    parts: mpsc::Receiver<Result<Taken>>,
    /// Of several that share one slice: its number and key.
    parent: (u64, String),
}

struct Parents {
    from: Kin,
    each: &'static Each,
    /// How many were taken.
    taken: u64,
    /// How many are passed over, since they were read before, and the key of the last of these.
    skip: u64,
    skip_key: String,
    over: bool,
}

impl Reading {
    pub fn new(
        desk: Arc<Desk>,
        runtime: Runtime,
        settled: &[(SliceId, Settled)],
        only: Option<(SliceId, Stand)>,
        window: Option<Window>,
    ) -> Self {
        let settled: HashMap<SliceId, Settled> = settled.iter().cloned().collect();
        let positions = settled.iter().map(|(slice, at)| (slice.clone(), at.position.clone())).collect();
        let receipts = Arc::new(Receipts::new(Arc::clone(&desk), runtime.handle().clone()));
        Self { desk, runtime, settled, only, window, state: State::Unbegun, sequence: 0, positions, receipts }
    }

    /// The name of the slice of a stream that is one sequence.
    fn slice(&self) -> SliceId {
        slice_of(&self.desk)
    }

    fn stand(&self, slice: &str) -> Result<Stand> {
        let of = identity(&self.desk);
        let stored = match self.settled.get(slice) {
            Some(settled) => Stand::of(&settled.position, &self.desk.hush)?,
            None => None,
        };
        let stand = stored.unwrap_or_default();
        if !stand.of.is_empty() && stand.of != of {
            let cause =
                format!("the route stands at a position of another reading: it was {} and is {of} now", stand.of);
            return Err(Error::new(Kind::Invalid, &crate::error::codes::connect::CURSOR_CHANGED, cause)
                .fact("slice", slice)
                .hint("say where to go on: consign sync state set NAME SLICE --cursor VALUE --reason TEXT")
                .hint("or begin again: consign sync state reset NAME --reason TEXT"));
        }
        // A window that a person asks for begins nowhere.
        let stand = if self.window.is_some() { Stand::default() } else { stand };
        // Of a reading of everything only where it stands counts, not that it is over.
        let over = stand.over && !self.desk.keyed;
        let at = if self.desk.read.cursor.is_none() { Json::Null } else { stand.at.clone() };
        Ok(Stand { of, over, at, ..stand })
    }

    fn begin(&mut self) -> Result<Going> {
        let desk = Arc::clone(&self.desk);
        let mut going = Going { tracks: VecDeque::new(), parents: None, common: None, failed: Vec::new() };
        let Some(each) = &desk.read.each else {
            let slice = self.slice();
            let stand = self.stand(&slice)?;
            let track = self.track(Json::Null, slice.clone(), slice.to_string(), stand, (0, String::new()), 1)?;
            going.tracks.push_back(track);
            return Ok(going);
        };
        let (mut skip, mut skip_key) = (0, String::new());
        if desk.read.cursor.is_none() || desk.whole {
            let stand = self.stand(&self.slice())?;
            if let Some(under_way) = &stand.under_way {
                (skip, skip_key) = (under_way.parents, under_way.parent.clone());
            }
            if stand.over && self.only.is_none() {
                desk.note(format!(
                    "`{}` was read once to its end and nothing tells what is new: a route that appends reads it no more (`--full` reads it anew)",
                    desk.stream.name
                ));
                return Ok(going);
            }
            going.common = Some(stand);
        }
        let from = Kin::of(&desk, each, self.runtime.handle(), 0)?;
        going.parents = Some(Parents { from, each, taken: 0, skip, skip_key, over: false });
        Ok(going)
    }

    /// Begins to read one sequence.
    fn track(
        &self,
        parent: Json,
        slice: SliceId,
        name: String,
        stand: Stand,
        number: (u64, String),
        of: usize,
    ) -> Result<Track> {
        let (parts, receiver) = mpsc::channel(WAITING_PAGES);
        let out = out(parts, (WAITING_KIB / of.max(1)).max(64));
        let mut reel = Reel::new(Arc::clone(&self.desk), parent, name.clone(), stand);
        reel.window.clone_from(&self.window);
        if let Some((only, until)) = &self.only
            && *only == slice
            && self.desk.read.each.as_ref().is_none_or(|_| number.1.is_empty())
        {
            reel.only = Some(until.clone());
        }
        self.runtime.handle().spawn(async move { reel.run(&out).await });
        Ok(Track { slice, name, parts: receiver, parent: number })
    }

    /// The next whom to read for.
    fn parent(&self, parents: &mut Parents) -> Result<Option<Json>> {
        loop {
            let next = self.runtime.run(parents.from.next())?;
            let Some(next) = next else { return Ok(None) };
            if let Some(when) = &parents.each.when {
                let vars = Vars { parent: next.clone(), ..Vars::default() };
                if !self.desk.holds(when, &vars)? {
                    continue;
                }
            }
            return Ok(Some(next));
        }
    }

    /// The name of whom is read for: never a secret.
    fn key(&self, each: &'static Each, parent: &Json) -> Result<String> {
        if let Some(key) = &each.key {
            let vars = Vars { parent: parent.clone(), ..Vars::default() };
            return self.desk.text(key, &vars);
        }
        if let Some(stream) = each.stream.as_ref().and_then(|name| self.desk.given.pack.stream(name)) {
            let record = parent.to_string();
            let values: Vec<String> = stream
                .key
                .iter()
                .filter_map(|path| {
                    super::skim::at(record.as_bytes(), &path.0).and_then(super::skim::scalar).map(|v| v.into_owned())
                })
                .collect();
            if !values.is_empty() {
                return Ok(values.join(","));
            }
        }
        Ok(fingerprint(&[Some(parent.to_string().as_bytes())]))
    }

    /// Begins as many sequences as may be read at the same time.
    fn fill(&mut self, going: &mut Going) -> Result<()> {
        let Some(mut parents) = going.parents.take() else { return Ok(()) };
        let result = self.fill_from(going, &mut parents);
        going.parents = Some(parents);
        result
    }

    fn fill_from(&mut self, going: &mut Going, parents: &mut Parents) -> Result<()> {
        while !parents.over && going.tracks.len() < parents.each.parallel {
            let Some(parent) = self.parent(parents)? else {
                parents.over = true;
                if parents.taken < parents.skip {
                    self.desk.note(format!("`{}` has fewer parents than when it was read last", self.desk.stream.name));
                }
                break;
            };
            let key = self.key(parents.each, &parent)?;
            parents.taken += 1;
            if parents.taken <= parents.skip {
                if parents.taken == parents.skip && key != parents.skip_key {
                    let cause = format!("whom `{}` is read for is not in the order it was", self.desk.stream.name);
                    if !self.desk.keyed || self.only.is_some() {
                        return Err(Error::new(Kind::Partial, &DOUBT, cause));
                    }
                    // By key all of it may come again.
                    self.desk.note(format!("{cause}: records may be missing that the next run reads"));
                }
                continue;
            }
            let name = format!("{}/{key}", self.desk.stream.name);
            let of = parents.each.parallel;
            let track = match &going.common {
                Some(_) => self.track(parent, self.slice(), name, Stand::default(), (parents.taken, key), of)?,
                None => {
                    let slice: SliceId = name.as_str().into();
                    if self.only.as_ref().is_some_and(|(only, _)| *only != slice) {
                        continue;
                    }
                    let stand = self.stand(&slice)?;
                    self.track(parent, slice, name, stand, (0, String::new()), of)?
                }
            };
            going.tracks.push_back(track);
        }
        Ok(())
    }

    fn step(&mut self, going: &mut Going) -> Result<Option<Part>> {
        loop {
            self.fill(going)?;
            let Some(track) = going.tracks.front_mut() else { return self.close(going) };
            let arrived = self.runtime.run(track.parts.recv());
            match arrived {
                Some(Ok(taken)) => {
                    let slice = track.slice.clone();
                    let Some(common) = &mut going.common else { return self.part(slice, taken).map(Some) };
                    // Several sequences, one slice: what is settled of it is whom it was read for.
                    if taken.records == 0 && taken.owed.records.is_empty() {
                        continue;
                    }
                    common.chained(&blake3::hash(&taken.bytes));
                    let last = self.only.as_ref().is_some_and(|(_, only)| only.chain == common.chain);
                    let taken = Taken { stand: common.clone(), last: false, ..taken };
                    let part = self.part(slice, taken)?;
                    if last {
                        going.tracks.clear();
                        going.common = None;
                        if let Some(parents) = &mut going.parents {
                            parents.over = true;
                        }
                    }
                    return Ok(Some(part));
                }
                Some(Err(error)) => {
                    let goes_on = self.desk.read.each.as_ref().is_some_and(|each| each.go_on);
                    if !goes_on {
                        return Err(error);
                    }
                    if let Some(track) = going.tracks.pop_front() {
                        self.desk.note(format!("`{}` was not read: {}", track.name, error.cause()));
                        going.failed.push((track.name, error));
                    }
                }
                None => {
                    let Some(track) = going.tracks.pop_front() else { continue };
                    // What failed stays undone, and so does what follows it.
                    if let (Some(common), true) = (&mut going.common, going.failed.is_empty()) {
                        let (parents, parent) = track.parent;
                        common.under_way = Some(UnderWay {
                            parents,
                            parent,
                            place: turn::first(&self.desk.read.pages),
                            ..UnderWay::default()
                        });
                    }
                }
            }
        }
    }

    /// The end: the position of sequences that share one, and what could not be read.
    fn close(&mut self, going: &mut Going) -> Result<Option<Part>> {
        if let Some(mut common) = going.common.take() {
            if self.only.is_some() {
                return Err(Error::new(
                    Kind::Partial,
                    &DOUBT,
                    "records of the group in doubt were changed, added or deleted since it was read",
                ));
            }
            if going.failed.is_empty() {
                common.under_way = None;
                common.over = self.desk.read.acknowledge.is_none();
            }
            let taken = Taken {
                bytes: Vec::new(),
                header: Arc::default(),
                records: 0,
                stand: common,
                last: true,
                owed: Owed::default(),
                _room: None,
            };
            let slice = self.slice();
            return self.part(slice, taken).map(Some);
        }
        match std::mem::take(&mut going.failed) {
            none if none.is_empty() => Ok(None),
            failed => {
                let mut failed = failed.into_iter();
                let Some((name, error)) = failed.next() else { return Ok(None) };
                let others = failed.len();
                let cause = match others {
                    0 => format!("`{name}` could not be read: {}", error.cause()),
                    others => format!("`{name}` and {others} more could not be read; the first: {}", error.cause()),
                };
                let mut told = Error::new(Kind::Partial, &PARTITION_FAILED, cause).hint("all others were read");
                for hint in error.hints() {
                    told = told.hint(hint.clone());
                }
                Err(told)
            }
        }
    }

    fn part(&mut self, slice: SliceId, taken: Taken) -> Result<Part> {
        let at = self.positions.entry(slice.clone()).or_default();
        let start = at.clone();
        at.byte += taken.bytes.len() as u64;
        at.extra = taken.stand.extra(&self.desk.hush)?;
        let sequence = self.sequence;
        self.sequence += 1;
        self.receipts.owe(sequence, taken.owed);
        Ok(Part {
            sequence,
            name: slice.clone(),
            slice,
            header: taken.header,
            bytes: taken.bytes,
            start,
            end: at.clone(),
            last_of_slice: taken.last,
        })
    }
}

impl Source for Reading {
    fn next(&mut self) -> Result<Option<Part>> {
        let mut going = match std::mem::replace(&mut self.state, State::Over) {
            State::Over => return Ok(None),
            State::Going(going) => going,
            State::Unbegun => Box::new(self.begin()?),
        };
        if let Some((slice, until)) = &self.only
            && self.stand(slice)?.chain == until.chain
        {
            return Ok(None);
        }
        let part = self.step(&mut going)?;
        if part.is_some() {
            self.state = State::Going(going);
        }
        Ok(part)
    }

    fn notes(&mut self) -> Vec<String> {
        let mut notes = std::mem::take(&mut *self.desk.notes.lock().unwrap_or_else(PoisonError::into_inner));
        notes.extend(self.desk.caller.warnings());
        notes
    }

    fn acknowledger(&mut self) -> Option<Box<dyn Acknowledge>> {
        self.desk.read.acknowledge.as_ref()?;
        Some(Box::new(Arc::clone(&self.receipts)))
    }

    fn acknowledge(&mut self) -> Vec<String> {
        let done = std::mem::take(&mut *self.desk.fetched.lock().unwrap_or_else(PoisonError::into_inner));
        let desk = Arc::clone(&self.desk);
        self.runtime.run(async {
            self.receipts.wait().await;
            for job in &done {
                jobs::clean(&desk, job).await;
            }
        });
        self.notes()
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let desk = Arc::clone(&self.desk);
        self.runtime.run(async {
            self.receipts.wait().await;
            desk.caller.close().await;
        });
    }
}

/// What a position belongs to.
fn identity(desk: &Desk) -> String {
    let what = if desk.gone { " (gone)" } else { "" };
    format!("{}.{}{what}", desk.given.pack.name, desk.stream.name)
}

/// The name of the slice of a stream that is one sequence.
pub(super) fn slice_of(desk: &Desk) -> SliceId {
    desk.stream.name.as_str().into()
}

/// Where a sequence puts its pages, of which so many KiB may wait.
pub(super) fn out(parts: mpsc::Sender<Result<Taken>>, kib: usize) -> Out {
    Out { parts, room: Arc::new(Semaphore::new(kib)), most: u32::try_from(kib).unwrap_or(u32::MAX) }
}
