//! The sink of a pack's stream.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::{Value as Json, json};

use super::encoder::number_mark;
use super::fates::Fate;
use super::group::Group;
use super::notes::Notes;
use super::request::{Maker, Needs};
use super::sender::{Sender, Task, singly};
use super::shape::Layout;
use crate::config::Mode;
use crate::connect::hush::Hush;
use crate::connect::pack::Given;
use crate::connect::pack::batch::Form;
use crate::connect::pack::doubt::OnUnknown;
use crate::connect::pack::streams::Stream;
use crate::connect::pack::write::{Way, Write};
use crate::connect::protocols::WriteRequest;
use crate::connect::runtime::Runtime;
use crate::connect::web::Caller;
use crate::connect::{Batch, Found, Sink};
use crate::error::{Error, Result};
use crate::record::{Mark, Path, Receipt, Refusal, Timestamp};
use crate::store::Tenure;

/// Requests of a group for each one that may be under way: enough that its end is short …
const ROUNDS: u64 = 64;
/// … and fewer of batches: what a group holds is memory that is touched, and a group is there twice.
const BATCHES: u64 = 4;

/// A pack's stream as a target.
pub(super) struct WebSink {
    given: Arc<Given>,
    stream: &'static Stream,
    way: &'static Way,
    found_ways: Option<(&'static Way, &'static Way)>,
    mode: Mode,
    key: Vec<Path>,
    header: Arc<Vec<String>>,
    notes: Option<Arc<Notes>>,
    tenure: Option<Tenure>,
    seed: String,
    open: Option<Open>,
    group: Group,
    number: u64,
}

struct Open {
    runtime: Runtime,
    caller: Caller,
}

/// How requests of a group were cut, and what they were known by.
struct Recipe {
    seed: String,
    /// [`number_mark`] of the process that encoded the records.
    number: String,
    most: u64,
    made: i64,
    to: String,
}

impl WebSink {
    pub fn new(
        given: Arc<Given>,
        (stream, write, way): (&'static Stream, &'static Write, &'static Way),
        request: &WriteRequest<'_>,
    ) -> Result<Self> {
        let found_ways = match way.find {
            Some(_) => {
                let update = write.way(Mode::Update).unwrap_or(way);
                Some((update, write.way(Mode::Append).unwrap_or(update)))
            }
            None => None,
        };
        let header = match way.batch.form {
            Form::Csv => {
                let layout = Layout::new(request.columns, &way.apart, way.style.names)?;
                layout.columns().into_iter().map(|(_, name)| name).collect()
            }
            _ => Vec::new(),
        };
        let mut seed = [0; 16];
        getrandom::fill(&mut seed).map_err(|e| Error::bug(format!("no random numbers are to be had: {e}")))?;
        let key: Vec<Path> = match (way.match_on.is_empty(), stream.key.is_empty()) {
            (false, _) => way.match_on.clone(),
            (true, false) => stream.key.clone(),
            (true, true) => {
                request.key.iter().filter_map(|at| request.columns.get(*at)).map(|column| column.path.clone()).collect()
            }
        };
        let keeps = keeps(way, request.mode);
        let state = given.connector.state.clone().filter(|_| keeps);
        Ok(Self {
            notes: state.map(|state| Arc::new(Notes::new(&state, request.route, Hush::new(&given, request.route)))),
            given,
            stream,
            way,
            found_ways,
            mode: request.mode,
            key,
            header: Arc::new(header),
            tenure: None,
            seed: data_encoding::HEXLOWER.encode(&seed),
            open: None,
            group: Group::default(),
            number: 0,
        })
    }

    fn in_flight(&self) -> usize {
        self.given.pack.limits.in_flight.max(1)
    }

    /// What names the target: another one must not get what was meant for this.
    fn target(&self) -> String {
        let all = json!([self.given.pack.name, self.given.params(), self.stream.name, self.mode.name()]);
        blake3::hash(all.to_string().as_bytes()).to_hex().as_str()[..16].to_owned()
    }

    /// Sends tasks of the group in hand; what became of its records.
    fn send(
        &mut self,
        recipe: &Recipe,
        known: Vec<(u32, Fate)>,
        tasks: Vec<Task>,
        known_keys: bool,
    ) -> Result<Receipt> {
        let group = Arc::new(std::mem::take(&mut self.group));
        let superseded = group.superseded(self.mode != Mode::Append);
        let now = jiff::Timestamp::now();
        let now = Timestamp { seconds: now.as_second(), nanos: now.subsec_nanosecond().unsigned_abs(), offset: 0 };
        let Some(open) = &self.open else { return Err(Error::bug("the target was never opened")) };
        let mut fates = vec![None; group.len()];
        for (record, fate) in known {
            if let Some(place) = fates.get_mut(record as usize) {
                *place = Some(fate);
            }
        }
        let sender = Arc::new(Sender {
            caller: open.caller.clone(),
            maker: Maker {
                caller: open.caller.clone(),
                way: self.way,
                mode: self.mode,
                stream: self.stream.name.clone(),
                group: Arc::clone(&group),
                number: recipe.number.clone(),
                header: Arc::clone(&self.header),
                now,
                needs: Needs::of(self.way),
            },
            found_ways: self.found_ways,
            key: self.key.clone(),
            seed: recipe.seed.clone(),
            number: self.number,
            notes: self.notes.clone(),
            tenure: self.tenure.clone(),
            known_keys,
            fates: Mutex::new(fates),
            queue: Mutex::new(VecDeque::from(tasks)),
            failed: Mutex::default(),
            stop: AtomicBool::new(false),
            began: Instant::now(),
            asked: AtomicU64::new(0),
        });
        open.runtime.run(sender.run(self.in_flight()))?;
        let fates = std::mem::take(&mut *sender.fates.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        receipt(fates, superseded, self.mode)
    }

    fn recipe(&self) -> Recipe {
        Recipe {
            seed: self.seed.clone(),
            number: number_mark().to_owned(),
            most: u64::MAX,
            made: jiff::Timestamp::now().as_second(),
            to: self.target(),
        }
    }

    /// The records that are to be sent, in requests.
    fn tasks(&self, most: u64) -> Vec<Task> {
        let superseded = self.group.superseded(self.mode != Mode::Append);
        let all = (0..self.group.len() as u32).filter(|at| superseded.binary_search(at).is_err()).collect();
        let cut = self.group.cut(all, &self.way.batch, most);
        cut.into_iter().map(|records| Task { records, ..Task::default() }).collect()
    }
}

/// Whether requests are kept: sending the records anew could double something, or is not wanted.
fn keeps(way: &Way, mode: Mode) -> bool {
    let careful = way.idempotency.is_some() || way.on_unknown != OnUnknown::Resend || way.job.is_some();
    careful || mode == Mode::Append && way.find.is_none()
}

impl Sink for WebSink {
    fn under(&mut self, _fence: u64, tenure: &Tenure) {
        self.tenure = Some(tenure.clone());
    }

    fn open(&mut self, _settled: Option<&Mark>, _in_doubt: bool) -> Result<Found> {
        let runtime = Runtime::start("connect-write")?;
        let caller = Caller::open(Arc::clone(&self.given))?;
        self.open = Some(Open { runtime, caller });
        Ok(Found::Same)
    }

    fn keeps_requests(&mut self) -> Result<Option<String>> {
        if !keeps(self.way, self.mode) {
            return Ok(None);
        }
        let recipe = self.recipe();
        let Recipe { seed, number, made, to, .. } = recipe;
        let most = self.way.batch.records;
        Ok(Some(json!({ "seed": seed, "number": number, "most": most, "made": made, "to": to }).to_string()))
    }

    fn most_records(&self) -> u64 {
        let (each, rounds) = if singly(self.way) { (1, ROUNDS) } else { (self.way.batch.records, BATCHES) };
        each.saturating_mul(self.in_flight() as u64).saturating_mul(rounds)
    }

    fn group(&mut self, mark: &Mark) {
        self.number = mark.group;
        self.group = Group::default();
    }

    fn write(&mut self, batch: &Batch) -> Result<()> {
        self.group.add(batch.bytes.clone())
    }

    fn take(&mut self, batch: Batch) -> Result<()> {
        self.group.add(batch.bytes)
    }

    fn commit(&mut self, _mark: &Mark) -> Result<Receipt> {
        if let Some(notes) = &self.notes {
            notes.begin(&self.seed, self.number)?;
        }
        let recipe = self.recipe();
        let tasks = self.tasks(recipe.most);
        self.send(&recipe, Vec::new(), tasks, true)
    }

    fn resolve(&mut self, recipe: &str, batches: &[Batch], mark: &Mark) -> Result<Receipt> {
        self.group(mark);
        for batch in batches {
            self.group.add(batch.bytes.clone())?;
        }
        let told: Json = serde_json::from_str(recipe).unwrap_or(Json::Null);
        let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        let recipe = Recipe {
            seed: text("seed"),
            number: text("number"),
            most: told["most"].as_u64().unwrap_or(u64::MAX),
            made: told["made"].as_i64().unwrap_or(0),
            to: text("to"),
        };
        let noted = self.notes.as_ref().map(|notes| notes.read(&recipe.seed, mark.group)).unwrap_or_default();
        let age = jiff::Timestamp::now().as_second().saturating_sub(recipe.made);
        let known_keys = self.way.idempotency.as_ref().is_none_or(|key| age < key.keep.as_secs() as i64);
        let mut done: Vec<bool> = vec![false; self.group.len()];
        for (record, _) in &noted.known {
            done.get_mut(*record as usize).into_iter().for_each(|done| *done = true);
        }
        let mut tasks = Vec::new();
        for (key, records, job) in noted.open {
            records.iter().for_each(|at| done.get_mut(*at as usize).into_iter().for_each(|done| *done = true));
            tasks.push(Task { records, key: Some(key), doubt: true, job, ..Task::default() });
        }
        for task in self.tasks(recipe.most) {
            let records: Vec<u32> = task.records.into_iter().filter(|at| !done[*at as usize]).collect();
            if !records.is_empty() {
                tasks.push(Task { records, doubt: !noted.whole, ..Task::default() });
            }
        }
        let mut known = noted.known;
        if recipe.to != self.target() {
            // What was meant for another target goes nowhere: a person has to look.
            let told = super::fates::Told::new("the connector or the mode is another one than when it was sent");
            known.extend(tasks.drain(..).flat_map(|task| task.records).map(|at| (at, Fate::Doubt(told.clone()))));
        }
        if let Some(notes) = &self.notes {
            notes.go_on(&recipe.seed, mark.group, noted.whole)?;
        }
        self.send(&recipe, known, tasks, known_keys)
    }

    fn finish(&mut self) -> Result<()> {
        if let Some(notes) = &self.notes {
            notes.remove();
        }
        self.open = None;
        Ok(())
    }

    fn abandon(&mut self) {
        self.group = Group::default();
    }
}

/// The outcomes of a group's records.
fn receipt(fates: Vec<Option<Fate>>, superseded: &[u32], mode: Mode) -> Result<Receipt> {
    let mut receipt = Receipt { superseded: superseded.len() as u64, ..Receipt::default() };
    for (record, fate) in (0..).zip(fates) {
        match fate {
            _ if superseded.binary_search(&(record as u32)).is_ok() => {}
            Some(Fate::Written) => {
                receipt.written += 1;
                receipt.deleted += u64::from(mode == Mode::Delete);
            }
            Some(Fate::Unchanged) => receipt.unchanged += 1,
            Some(Fate::Unmatched) => {
                receipt.unchanged += 1;
                receipt.unmatched += 1;
            }
            Some(Fate::Refused(told) | Fate::Again(told) | Fate::Alone(told) | Fate::Conflict(told)) => {
                receipt.refused += 1;
                let (cause, field) = told.taken();
                receipt.refusals.push(Refusal { record, cause, field, doubt: false });
            }
            Some(Fate::Doubt(told)) => {
                receipt.in_doubt += 1;
                let (cause, field) = told.taken();
                receipt.refusals.push(Refusal { record, cause, field, doubt: true });
            }
            None => return Err(Error::bug("a record was never sent")),
        }
    }
    Ok(receipt)
}
