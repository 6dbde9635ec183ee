//! Sends a group: requests side by side, each brought to an end for each of its records. What fails as a
//! whole is split, what is not taken for the moment is sent again, what nobody knows of is resolved by
//! the way that the pack declares.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value as Json};

use super::fates::{Fate, Judge, Told, masked};
use super::notes::Notes;
use super::request::{Maker, With};
use crate::config::Mode;
use crate::connect::pack::batch::Form;
use crate::connect::pack::doubt::{LookUp, OnUnknown};
use crate::connect::pack::faults::Class;
use crate::connect::pack::write::Way;
use crate::connect::pack::{Name, Tree};
use crate::connect::web::{Answer, Caller, Failure, retry};
use crate::error::codes::connect::{CALL_FAILED, CALL_UNANSWERED};
use crate::error::{Error, Kind, Result, Retry};
use crate::record::Path;
use crate::store::Tenure;
use crate::store::failpoint::reach;

/// For so many microseconds the right to write is taken to hold.
const ASKED: u64 = 5_000;

/// How often a record is sent again that was not taken.
const TRIES: u32 = 8;

/// Records that go into one request.
#[derive(Clone, Debug, Default)]
pub(super) struct Task {
    pub records: Vec<u32>,
    /// The key of the request that they were in; `None`: it is made of them.
    pub key: Option<String>,
    /// Whether they may have been sent before.
    pub doubt: bool,
    /// How often they were sent and not taken.
    pub tries: u32,
    /// What their job captured, after how many of its steps.
    pub job: Option<(usize, Map<String, Json>)>,
}

/// What all requests of a group have in common.
pub(super) struct Sender {
    pub caller: Caller,
    pub maker: Maker,
    /// The ways for records that are there and that are not, if records are looked for first.
    pub found_ways: Option<(&'static Way, &'static Way)>,
    pub key: Vec<Path>,
    pub seed: String,
    pub number: u64,
    pub notes: Option<Arc<Notes>>,
    pub tenure: Option<Tenure>,
    /// Whether what is in doubt may be sent again with the key that it had.
    pub known_keys: bool,
    pub fates: Mutex<Vec<Option<Fate>>>,
    pub queue: Mutex<VecDeque<Task>>,
    pub failed: Mutex<Option<Error>>,
    pub stop: AtomicBool,
    /// When the group was begun, and after how many microseconds its right to write was last asked for.
    pub began: Instant,
    pub asked: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sender {
    /// Sends everything in the queue, so many requests at a time. Each record has its fate then, unless
    /// it failed.
    ///
    /// # Errors
    /// What ended it. Requests that were under way were waited for.
    pub async fn run(self: &Arc<Self>, in_flight: usize) -> Result<()> {
        let workers = in_flight.min(lock(&self.queue).len()).max(1);
        let mut set = tokio::task::JoinSet::new();
        for _ in 0..workers {
            let sender = Arc::clone(self);
            set.spawn(async move { sender.work().await });
        }
        while let Some(ended) = set.join_next().await {
            if ended.is_err() {
                return Err(Error::bug("a thread that writes records has died"));
            }
        }
        lock(&self.failed).take().map_or(Ok(()), Err)
    }

    async fn work(&self) {
        loop {
            let Some(task) = lock(&self.queue).pop_front() else { return };
            let mut tasks = vec![task];
            while let Some(task) = tasks.pop() {
                if self.stop.load(Ordering::Acquire) {
                    return;
                }
                match self.send(task).await {
                    Ok(more) => tasks.extend(more),
                    Err(error) => {
                        self.stop.store(true, Ordering::Release);
                        lock(&self.failed).get_or_insert(error);
                        return;
                    }
                }
            }
        }
    }

    /// Whether this run may still write. A process that was stopped finds more time gone by than it took, so
    /// that it is enough to ask now and then.
    fn may_write(&self) -> Result<()> {
        let Some(tenure) = &self.tenure else { return Ok(()) };
        let now = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let asked = self.asked.load(Ordering::Acquire);
        if asked != 0 && now.saturating_sub(asked) < ASKED {
            return Ok(());
        }
        tenure.check()?;
        self.asked.store(now.max(1), Ordering::Release);
        Ok(())
    }

    /// The key of a request for these records: the same whenever it is asked for.
    fn key_of(&self, records: &[u32]) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.seed.as_bytes());
        hasher.update(&self.number.to_le_bytes());
        for record in records {
            hasher.update(&record.to_le_bytes());
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        // RFC 9562, version 8: made by a way of one's own.
        bytes[6] = (bytes[6] & 0x0f) | 0x80;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex = data_encoding::HEXLOWER.encode(&bytes);
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    fn policy(&self) -> OnUnknown {
        self.maker.way.on_unknown
    }

    /// Whether a request may be sent again as it is though it may have taken effect.
    fn repeatable(&self) -> bool {
        let way = self.maker.way;
        way.idempotency.is_some() && self.known_keys
            || way.find.is_none() && self.policy() == OnUnknown::Resend && way.lock.is_none()
    }

    /// One step of a task; what is left to be done.
    async fn send(&self, task: Task) -> Result<Vec<Task>> {
        self.may_write()?;
        if task.tries > 0 {
            let pause = retry::pause(&self.caller.given.pack.retry, task.tries, retry::chance());
            self.caller.wire().pause(pause).await;
        }
        if task.doubt {
            return self.doubted(task, Told::new("the run died before an answer came")).await;
        }
        if self.maker.way.find.is_some() {
            return self.find(task).await;
        }
        if self.maker.way.job.is_some() {
            return self.job(task).await;
        }
        self.write(&self.maker, task, None).await
    }

    /// Writes the records of a task with one request.
    async fn write(&self, maker: &Maker, task: Task, existing: Option<Json>) -> Result<Vec<Task>> {
        let version = match self.version(maker, &task, existing.as_ref()).await? {
            Ok(version) => version,
            Err(told) => return Ok(self.settle(&task, &[(0, Fate::Unmatched)], &told)),
        };
        let key = task.key.clone().unwrap_or_else(|| self.key_of(&task.records));
        let with = With { key: &key, existing: existing.as_ref(), version: version.as_ref(), job: None };
        let mut draft = maker.write(&task.records, with)?;
        draft.purpose.repeatable = self.repeatable();
        if let Some(notes) = &self.notes {
            notes.begun(&key, &task.records);
        }
        reach("before_request");
        let answered = self.caller.call(draft).await;
        reach("after_request");
        let more = match answered {
            Ok(answer) => self.answered(maker, task, &key, &answer).await?,
            Err(failure) => self.failed(maker, task, &key, *failure).await?,
        };
        reach("after_answer");
        Ok(more)
    }

    /// The version that a change is based on: of the record itself, or read now. The inner error: there is
    /// no such record.
    async fn version(
        &self,
        maker: &Maker,
        task: &Task,
        existing: Option<&Json>,
    ) -> Result<std::result::Result<Option<Json>, Told>> {
        let (Some(lock), [at]) = (&maker.way.lock, task.records.as_slice()) else { return Ok(Ok(None)) };
        let Some(read) = &lock.read else {
            return maker.version(&lock.version, *at, existing, None).map(Ok);
        };
        match self.look(maker, read, *at).await? {
            Some((existing, answer)) => maker.version(&lock.version, *at, Some(&existing), Some(&answer)).map(Ok),
            None => Ok(Err(Told::new("there is no such record"))),
        }
    }

    /// Asks for a record.
    async fn look(&self, maker: &Maker, look: &'static LookUp, at: u32) -> Result<Option<(Json, Answer)>> {
        match self.caller.call(maker.ask(look, at)?).await {
            Ok(answer) => Ok(maker.found(look, at, &answer)?.map(|found| (found, answer))),
            Err(failure) if failure.answer.as_ref().is_some_and(|answer| matches!(answer.status, 404 | 410)) => {
                Ok(None)
            }
            Err(failure) if matches!(failure.class, Class::Empty | Class::Skip) => Ok(None),
            Err(failure) => Err(failure.error),
        }
    }

    /// Finds the record first, and takes the way that fits.
    async fn find(&self, task: Task) -> Result<Vec<Task>> {
        let (Some(find), Some((update, create)), [at]) =
            (&self.maker.way.find, self.found_ways, task.records.as_slice())
        else {
            let alone = |record| Task { records: vec![record], ..task.clone() };
            return Ok(task.records.iter().rev().map(|record| alone(*record)).collect());
        };
        match self.look(&self.maker, find, *at).await? {
            Some((existing, _)) => self.write(&self.maker.on(update, Mode::Update), task, Some(existing)).await,
            None if self.maker.mode == Mode::Upsert => {
                self.write(&self.maker.on(create, Mode::Append), task, None).await
            }
            None => Ok(self.settle(&task, &[(0, Fate::Unmatched)], &Told::default())),
        }
    }

    fn judge<'j>(&'j self, maker: &'j Maker, records: &'j [u32]) -> Judge<'j> {
        Judge {
            outcome: &maker.way.outcome,
            group: &maker.group,
            records,
            key: &self.key,
            header: &maker.header,
            delimiter: maker.way.batch.delimiter,
        }
    }

    /// A good answer: each record has its own fate.
    async fn answered(&self, maker: &Maker, task: Task, key: &str, answer: &Answer) -> Result<Vec<Task>> {
        let with = With { key, ..With::default() };
        let judge = self.judge(maker, &task.records);
        let fates = match maker.scoped(&task.records, with, |scope| judge.fates(answer, scope)) {
            Ok(fates) => fates,
            // It said yes in a way that nobody can read.
            Err(error) => return self.doubted(task, Told::new(error.cause())).await,
        };
        let fates = fates.into_iter().map(|fate| fate.unwrap_or_else(|| judge.unmentioned())).collect();
        self.judged(maker, task, key, fates).await
    }

    /// Fates as they are final, and what is left to be done for the others.
    async fn judged(&self, maker: &Maker, task: Task, key: &str, fates: Vec<Fate>) -> Result<Vec<Task>> {
        let mut done = Vec::with_capacity(fates.len());
        let (mut again, mut alone, mut doubt) = (Vec::new(), Vec::new(), Vec::new());
        let mut why = Told::default();
        let conflicts = maker.way.lock.as_ref().is_some_and(|lock| lock.retry);
        for (record, fate) in task.records.iter().zip(fates) {
            match fate {
                Fate::Again(told) if task.tries >= TRIES => done.push((*record, Fate::Refused(told))),
                Fate::Again(_) => again.push(*record),
                Fate::Conflict(_) if conflicts && task.tries < TRIES => again.push(*record),
                Fate::Conflict(told) => done.push((*record, Fate::Refused(told))),
                Fate::Alone(told) if task.records.len() == 1 => done.push((*record, Fate::Refused(told))),
                Fate::Alone(_) => alone.push(*record),
                Fate::Doubt(told) => {
                    doubt.push(*record);
                    why = told;
                }
                fate => done.push((*record, fate)),
            }
        }
        if let (Some(notes), true) = (&self.notes, doubt.is_empty()) {
            notes.answered(key, &done);
        }
        self.record(done);
        let mut more: Vec<Task> =
            alone.into_iter().map(|record| Task { records: vec![record], ..Task::default() }).collect();
        if !again.is_empty() {
            more.push(Task { records: again, tries: task.tries + 1, ..Task::default() });
        }
        if !doubt.is_empty() {
            let task = Task { records: doubt, tries: task.tries, ..Task::default() };
            more.extend(Box::pin(self.doubted(task, why)).await?);
        }
        Ok(more)
    }

    /// One fate for the records of a task.
    fn settle(&self, task: &Task, fates: &[(usize, Fate)], _told: &Told) -> Vec<Task> {
        let Some((_, fate)) = fates.first() else { return Vec::new() };
        let done: Vec<(u32, Fate)> = task.records.iter().map(|record| (*record, fate.clone())).collect();
        if let Some(notes) = &self.notes {
            notes.answered(&task.key.clone().unwrap_or_else(|| self.key_of(&task.records)), &done);
        }
        self.record(done);
        Vec::new()
    }

    fn record(&self, done: Vec<(u32, Fate)>) {
        let mut fates = lock(&self.fates);
        for (record, fate) in done {
            if let Some(place) = fates.get_mut(record as usize) {
                *place = Some(fate);
            }
        }
    }

    /// No good answer.
    async fn failed(&self, maker: &Maker, task: Task, key: &str, failure: Failure) -> Result<Vec<Task>> {
        let status = failure.answer.as_ref().map_or(0, |answer| answer.status);
        // What a server says when it breaks down while it works on something; any other answer is its word on
        // this request.
        let open = status == 0 || status >= 500 || matches!(failure.class, Class::Wait | Class::Quota);
        if matches!(failure.class, Class::Retry) && (400..500).contains(&status) && task.tries < TRIES {
            return Ok(vec![Task { tries: task.tries + 1, ..task }]);
        }
        if failure.doubt && open {
            if self.policy() == OnUnknown::Resend && maker.way.find.is_none() && self.maker.way.find.is_none() {
                // It was sent again as often as the pack allows: the run ends, and the next one goes on.
                return Err(in_doubt(failure.error));
            }
            let told = Told::new(failure.error.cause());
            return self.doubted(Task { tries: task.tries + 1, ..task }, told).await;
        }
        let one = task.records.len() == 1;
        let class = match (failure.class, status) {
            (Class::Fail | Class::Reject, 404 | 410) if maker.mode != Mode::Append => Class::Skip,
            (Class::Fail, 409 | 412) if maker.way.lock.is_some() => Class::Conflict,
            (Class::Fail, 413) => Class::Split,
            (Class::Fail, 400 | 409 | 412 | 422) => Class::Reject,
            (class, _) => class,
        };
        let told = || self.told(maker, &task, &failure);
        Ok(match class {
            Class::Good | Class::Empty => self.settle(&task, &[(0, Fate::Written)], &Told::default()),
            Class::Split | Class::Reject | Class::Skip | Class::Conflict if !one => {
                if let Some(notes) = &self.notes {
                    notes.answered(key, &[]);
                }
                let (front, back) = task.records.split_at(task.records.len() / 2);
                let half = |records: &[u32]| Task { records: records.to_vec(), ..Task::default() };
                vec![half(back), half(front)]
            }
            Class::Skip => self.settle(&task, &[(0, Fate::Unmatched)], &Told::default()),
            Class::Split | Class::Reject => self.settle(&task, &[(0, Fate::Refused(told()))], &Told::default()),
            Class::Conflict => self.judged(maker, task.clone(), key, vec![Fate::Conflict(told())]).await?,
            _ => return Err(failure.error),
        })
    }

    fn told(&self, maker: &Maker, task: &Task, failure: &Failure) -> Told {
        let record = task.records.first().map_or(&b"null"[..], |at| maker.group.record(*at));
        Told::new(masked(failure.error.cause(), record))
    }

    /// Records of which nobody knows whether they took effect.
    async fn doubted(&self, task: Task, told: Told) -> Result<Vec<Task>> {
        let way = self.maker.way;
        if way.job.is_some() && task.job.is_some() {
            // The job is known: it tells what became of its records.
            return Ok(vec![Task { doubt: false, ..task }]);
        }
        let fresh = |records: Vec<u32>, tries: u32| Task { records, tries, ..Task::default() };
        if way.find.is_some() {
            // Looking for them first is their way in any case.
            let tries = task.tries + 1;
            return match tries > TRIES {
                true => Err(in_doubt(unanswered(&told))),
                false => Ok(vec![fresh(task.records, tries)]),
            };
        }
        let policy = match self.policy() {
            OnUnknown::Resend if way.idempotency.is_some() && !self.known_keys => match way.look_up {
                Some(_) => OnUnknown::LookUp,
                None => OnUnknown::Park,
            },
            policy => policy,
        };
        match (policy, &way.look_up) {
            (OnUnknown::Resend, _) if task.tries > TRIES => Err(in_doubt(unanswered(&told))),
            (OnUnknown::Resend, _) => Ok(vec![Task { doubt: false, tries: task.tries + 1, ..task }]),
            (OnUnknown::LookUp, Some(look)) => {
                self.caller.wire().pause(look.after).await;
                let (mut there, mut gone) = (Vec::new(), Vec::new());
                for at in &task.records {
                    match self.look(&self.maker, look, *at).await? {
                        Some(_) => there.push((*at, Fate::Written)),
                        None => gone.push(*at),
                    }
                }
                let key = task.key.clone().unwrap_or_else(|| self.key_of(&task.records));
                if let Some(notes) = &self.notes {
                    notes.answered(&key, &there);
                }
                self.record(there);
                match (gone.is_empty(), task.tries > TRIES) {
                    (true, _) => Ok(Vec::new()),
                    (false, true) => Err(unanswered(&told)),
                    (false, false) => Ok(vec![fresh(gone, task.tries + 1)]),
                }
            }
            _ => Ok(self.settle(&task, &[(0, Fate::Doubt(told))], &Told::default())),
        }
    }

    /// Writes a batch by a job.
    async fn job(&self, task: Task) -> Result<Vec<Task>> {
        let (maker, Some(job)) = (&self.maker, &self.maker.way.job) else { return Ok(Vec::new()) };
        let key = task.key.clone().unwrap_or_else(|| self.key_of(&task.records));
        let (from, mut captured) = task.job.clone().unwrap_or_default();
        if let (Some(notes), 0) = (&self.notes, from) {
            notes.begun(&key, &task.records);
        }
        for (at, step) in job.steps.iter().enumerate().skip(from) {
            let with = With { key: &key, job: Some(&captured), ..With::default() };
            let draft = maker.step(&step.request, &task.records, with, step.bare)?;
            reach("before_request");
            let answer = match self.caller.call(draft).await {
                Ok(answer) => answer,
                Err(failure) if matches!(failure.class, Class::Split) && task.records.len() > 1 => {
                    return self.failed(maker, task, &key, *failure).await;
                }
                Err(failure) => return Err(failure.error),
            };
            reach("after_request");
            capture(maker, step.capture.as_ref(), &answer, &mut captured)?;
            if let Some(notes) = &self.notes {
                notes.stepped(&key, at + 1, &captured);
            }
            reach("after_answer");
        }
        if let Some(poll) = &job.poll {
            let (mut pause, mut waited) = (poll.every, Duration::ZERO);
            loop {
                let with = With { key: &key, job: Some(&captured), ..With::default() };
                let draft = maker.step(&poll.request, &task.records, with, false)?;
                let answer = self.caller.call(draft).await.map_err(|failure| failure.error)?;
                let (done, failed) = maker.scoped(&[], with, |scope| {
                    let scope = scope.with(Name::Answer, super::fates::seen(&answer, scope.arena()));
                    let failed = poll.failed.as_ref().map_or(Ok(false), |failed| failed.holds(&scope))?;
                    Ok::<_, Error>((poll.done.holds(&scope)?, failed))
                })?;
                if done || failed {
                    capture(maker, poll.capture.as_ref(), &answer, &mut captured)?;
                    if failed && job.results.is_empty() {
                        let cause = format!("a job that writes {} records has failed", task.records.len());
                        return Err(Error::new(Kind::Failed, &CALL_FAILED, cause));
                    }
                    break;
                }
                if waited >= poll.at_most {
                    let cause = format!("a job that writes {} records takes too long", task.records.len());
                    return Err(Error::new(Kind::Environment, &CALL_UNANSWERED, cause)
                        .retry(Retry::Later)
                        .hint("the next run asks for it again; `poll.at_most` of the pack is how long one waits"));
                }
                self.caller.wire().pause(pause).await;
                waited += pause;
                pause = (pause + pause / 2).min(poll.every * 10);
            }
        }
        let mut fates: Vec<Option<Fate>> = vec![None; task.records.len()];
        let mut last = Fate::Written;
        for result in &job.results {
            let with = With { key: &key, job: Some(&captured), ..With::default() };
            let draft = maker.step(&result.request, &task.records, with, result.bare)?;
            let answer = self.caller.call(draft).await.map_err(|failure| failure.error)?;
            let judge = Judge { outcome: &result.outcome, ..self.judge(maker, &task.records) };
            let found = maker.scoped(&task.records, with, |scope| judge.fates(&answer, scope))?;
            for (place, fate) in fates.iter_mut().zip(found) {
                if fate.is_some() {
                    *place = fate;
                }
            }
            last = judge.unmentioned();
        }
        let fates = fates.into_iter().map(|fate| fate.unwrap_or_else(|| last.clone())).collect();
        let more = self.judged(maker, Task { job: None, ..task.clone() }, &key, fates).await?;
        if let Some(clean) = &job.clean {
            let with = With { key: &key, job: Some(&captured), ..With::default() };
            // What is left over there goes by itself; the records are written.
            let _ = self.caller.call(maker.step(clean, &[], with, false)?).await;
        }
        Ok(more)
    }
}

fn capture(
    maker: &Maker,
    wanted: Option<&'static Tree>,
    answer: &Answer,
    captured: &mut Map<String, Json>,
) -> Result<()> {
    let Some(wanted) = wanted else { return Ok(()) };
    let known = captured.clone();
    let with = With { job: Some(&known), ..With::default() };
    let made = maker
        .scoped(&[], with, |scope| wanted.json(&scope.with(Name::Answer, super::fates::seen(answer, scope.arena()))))?;
    if let Some(Json::Object(made)) = made {
        captured.extend(made);
    }
    Ok(())
}

fn unanswered(told: &Told) -> Error {
    Error::new(Kind::Environment, &CALL_UNANSWERED, told.cause()).retry(Retry::Later)
}

/// An error after which the group's fate is open.
fn in_doubt(error: Error) -> Error {
    error.hint("nobody knows whether it took effect; the next run resolves that first")
}

/// Whether the records of a way go one by one.
pub(super) fn singly(way: &Way) -> bool {
    way.batch.form == Form::One
}
