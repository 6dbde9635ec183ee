//! The reading of one sequence of records from where it stands to its end: window by window, part by
//! part of a job, page by page, each page with the position behind it.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::bounds;
use super::desk::{Desk, Vars};
use super::jobs;
use super::pick::Pick;
use super::receipts::Owed;
use super::spans::Span;
use super::stand::{Stand, UnderWay, text};
use crate::connect::Header;
use crate::connect::pack::cursor::Order;
use crate::connect::pack::faults::Class;
use crate::connect::protocols::Window;
use crate::connect::web::Failure;
use crate::error::codes::connect::{CURSOR_CHANGED, CURSOR_MISSED, EMPTY_SUSPICIOUS};
use crate::error::codes::sync::DOUBT;
use crate::error::{Error, Kind, Result};

/// How often reading begins anew because the place among the pages was no longer valid.
const STARTS: u32 = 3;
/// A page's worth of records on its way to the road.
pub(super) struct Taken {
    pub bytes: Vec<u8>,
    pub header: Arc<Header>,
    pub records: u64,
    /// Where the stream stands behind it.
    pub stand: Stand,
    /// Whether this is the end.
    pub last: bool,
    /// What is to be acknowledged once it is settled.
    pub owed: Owed,
    /// Held as long as it waits.
    pub _room: Option<OwnedSemaphorePermit>,
}

/// Where pages go.
pub(super) struct Out {
    pub parts: mpsc::Sender<Result<Taken>>,
    /// KiB that may wait.
    pub room: Arc<Semaphore>,
    pub most: u32,
}

/// One sequence of records.
pub(super) struct Reel {
    pub desk: Arc<Desk>,
    /// What it is read for.
    pub parent: Json,
    /// Names this sequence between runs.
    pub slice: String,
    pub stand: Stand,
    /// A group that is read again: up to here.
    pub only: Option<Stand>,
    /// Bounds that a person asked for.
    pub window: Option<Window>,
    /// What was handed out.
    pub read: u64,
    /// The size of pages, made smaller if they were too large.
    pub size: Option<u64>,
    pub ended: bool,
    /// The last page of an answer: it goes out with the position behind the whole answer.
    pub held: Option<(Vec<u8>, Arc<Header>, u64)>,
    /// What is to be acknowledged of what was not handed out yet.
    pub owed: Vec<Json>,
}

/// Why a reading stops where it is.
pub(super) enum Halt {
    /// For good.
    Error(Error),
    /// The place among the pages is no longer valid.
    Pages(Error),
    /// The position is no longer valid.
    Cursor(Error),
    /// Too much at once.
    Split(Error),
    /// This sequence is left out.
    Skip(Error),
    /// Nobody wants more.
    Enough,
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Box<Failure>> for Halt {
    fn from(failure: Box<Failure>) -> Self {
        match failure.class {
            Class::ResetPages => Self::Pages(failure.error),
            Class::ResetCursor => Self::Cursor(failure.error),
            Class::Split => Self::Split(failure.error),
            Class::Skip => Self::Skip(failure.error),
            _ => Self::Error(failure.error),
        }
    }
}

/// How the pages of one question ended.
pub(super) enum Ended {
    /// All of it came.
    Whole,
    /// It holds more than is given at once: it is to be cut in two.
    Cut,
}

impl Reel {
    pub fn new(desk: Arc<Desk>, parent: Json, slice: String, stand: Stand) -> Self {
        let size = desk.read.pages.size;
        Self {
            desk,
            parent,
            slice,
            stand,
            only: None,
            window: None,
            read: 0,
            size,
            ended: false,
            held: None,
            owed: Vec::new(),
        }
    }

    /// Reads everything that there is to read. What comes goes out page by page; an error is the last
    /// thing that does.
    pub async fn run(mut self, out: &Out) -> Self {
        if let Err(halt) = self.all(out).await {
            let error = match halt {
                Halt::Enough => return self,
                Halt::Error(error)
                | Halt::Pages(error)
                | Halt::Cursor(error)
                | Halt::Split(error)
                | Halt::Skip(error) => error,
            };
            let _ = out.parts.send(Err(error)).await;
        }
        self
    }

    async fn all(&mut self, out: &Out) -> Result<(), Halt> {
        let desk = Arc::clone(&self.desk);
        let cursor = desk.read.cursor.as_ref();
        if self.stand.over && !desk.keyed && self.only.is_none() {
            desk.note(format!(
                "`{}` was read once to its end and nothing tells what is new: a route that appends reads it no more (`--full` reads it anew)",
                self.slice
            ));
            return Ok(());
        }
        if let Some(age) = self.age()
            && let Some(valid) = cursor.and_then(|cursor| cursor.expires)
            && age > valid
        {
            let why = format!(
                "the position of `{}` is {} days old, and such positions are valid for {}",
                self.slice,
                age / 86_400,
                valid / 86_400
            );
            self.anew(Error::new(Kind::Failed, &CURSOR_CHANGED, why))?;
        }
        let before = self.stand.clone();
        let mut starts = 0;
        loop {
            match self.attempt(out).await {
                Ok(()) => break,
                Err(Halt::Cursor(error)) if starts < STARTS && !self.stand.at.is_null() => {
                    starts += 1;
                    self.anew(error)?;
                }
                Err(Halt::Pages(error)) if starts < STARTS => {
                    starts += 1;
                    // What was handed out comes again.
                    if self.read > 0 && !desk.keyed {
                        return Err(error
                            .hint("records would come twice: the next run goes on from what is settled")
                            .into());
                    }
                    let sorted = cursor.is_some_and(|cursor| cursor.field.is_some() && !cursor.at_end);
                    if !sorted {
                        let chain = std::mem::take(&mut self.stand.chain);
                        self.stand = Stand { chain, ..before.clone() };
                    }
                    self.stand.under_way = None;
                    desk.note(format!(
                        "the pages of `{}` had to be read from their beginning again: {}",
                        self.slice,
                        error.cause()
                    ));
                }
                Err(Halt::Split(error)) => match self.size {
                    Some(size) if size > 1 && desk.read.pages.send_size.is_some() => self.size = Some(size / 2),
                    _ => return Err(error.into()),
                },
                Err(Halt::Skip(error)) => {
                    desk.note(format!("`{}` was left out: {}", self.slice, error.cause()));
                    break;
                }
                Err(other) => return Err(other),
            }
        }
        if self.only.is_some() && !self.ended {
            let cause = "records of the group in doubt were changed, added or deleted since it was read";
            return Err(Error::new(Kind::Partial, &DOUBT, cause).into());
        }
        if !self.ended {
            self.emit(Vec::new(), Arc::default(), 0, true, out).await?;
        }
        if desk.read.empty_is_suspicious && self.read == 0 && self.only.is_none() && before.under_way.is_none() {
            let cause = format!("nothing came from `{}`, and of this stream something always comes", self.slice);
            return Err(Error::new(Kind::Partial, &EMPTY_SUSPICIOUS, cause).into());
        }
        Ok(())
    }

    /// Seconds since the position was kept.
    pub fn age(&self) -> Option<u64> {
        if self.stand.at.is_null() || self.stand.kept == 0 {
            return None;
        }
        u64::try_from(self.desk.now.seconds - self.stand.kept).ok()
    }

    /// Begins from nothing, and says so.
    fn anew(&mut self, why: Error) -> Result<()> {
        if !self.desk.keyed {
            return Err(Error::new(Kind::Refused, &CURSOR_CHANGED, why.cause())
                .fact("stream", &self.slice)
                .hint("everything would have to be read anew, and a route that appends would add all of it again")
                .hint("to do that: `--full`; to go on from a point: consign sync state set NAME SLICE --cursor VALUE --reason TEXT"));
        }
        self.desk.note(format!(
            "everything of `{}` is read anew: {}; what was deleted meanwhile is known to a mirror only",
            self.slice,
            why.cause()
        ));
        self.stand = Stand { of: self.stand.of.clone(), chain: self.stand.chain.clone(), ..Stand::default() };
        Ok(())
    }

    async fn attempt(&mut self, out: &Out) -> Result<(), Halt> {
        let under_way = self.stand.under_way.clone();
        let mut spans = self.spans(under_way.as_ref())?;
        let mut resume = under_way;
        while let Some(span) = spans.pop_front() {
            let ended = self.question(&span, resume.take(), out).await;
            match ended {
                Ok(Ended::Whole) => {}
                Ok(Ended::Cut) => {
                    let (one, other) = self.halved(&span)?;
                    spans.push_front(other);
                    spans.push_front(one);
                    continue;
                }
                Err(Halt::Split(error)) if span.from.is_some() && self.windowed() => {
                    let Ok((one, other)) = self.halved(&span) else { return Err(Halt::Split(error)) };
                    spans.push_front(other);
                    spans.push_front(one);
                    continue;
                }
                Err(halt) => return Err(halt),
            }
            if self.ended {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads one stretch: orders it if it has to be ordered, reads the pages of each part, and moves the
    /// position behind it.
    async fn question(&mut self, span: &Span, resume: Option<UnderWay>, out: &Out) -> Result<Ended, Halt> {
        let desk = Arc::clone(&self.desk);
        let mut vars = Vars { parent: self.parent.clone(), ..Vars::default() };
        vars.cursor = json!({ "value": span.from, "until": span.until, "age": self.age() });
        vars.window = json!({ "from": span.from, "to": span.until });
        let cursor = desk.read.cursor.as_ref().filter(|_| !desk.whole);
        let dedupe = cursor.is_some_and(|cursor| cursor.overlap == 0 || !desk.keyed) && self.window.is_none();
        // A cursor that no request speaks of is ours to hold: what is older comes again with every reading.
        let ours = cursor.is_some_and(|cursor| cursor.unsent) && self.window.is_none();
        let known = match (dedupe && !self.stand.given, ours) {
            (true, _) => self.stand.value(),
            (false, true) => span.from.clone(),
            _ => None,
        };
        let seen: &[String] = if known == self.stand.value() { &self.stand.seen } else { &[] };
        let mut pick = Pick::new(&desk, known, seen, span.until.clone());
        if let (Some(pick), Some(only)) = (&mut pick, &self.only)
            && cursor.is_some_and(|cursor| cursor.order == Order::Ascending && !cursor.at_end)
        {
            pick.up_to(only.value(), &only.seen);
        }
        if let (Some(pick), Some(resume)) = (&mut pick, &resume) {
            pick.best = text(&resume.best);
            pick.best_seen.clone_from(&resume.best_seen);
        }
        let mut token = Json::Null;
        let (mut job, parts) = jobs::ready(self, &mut vars, span.from.as_deref(), span.until.as_deref()).await?;
        let first = resume.as_ref().map_or(0, |resume| resume.part);
        for (at, part) in parts.iter().enumerate().skip(usize::try_from(first).unwrap_or(0)) {
            if desk.read.job.is_some() {
                vars.job = job.clone();
                vars.job["part"] = part.clone();
            }
            let mut under_way = UnderWay {
                from: span.from.clone().filter(|_| self.windowed()),
                job: job.clone(),
                part: at as u64,
                ..UnderWay::default()
            };
            let start =
                resume.as_ref().filter(|resume| resume.part == at as u64 && resumes(&desk)).map(|r| r.place.clone());
            match self.pages(span, &vars, &mut under_way, start, (&mut pick, &mut token), out).await? {
                Ended::Whole => {}
                Ended::Cut => return Ok(Ended::Cut),
            }
            if self.ended {
                return Ok(Ended::Whole);
            }
            if at + 1 < parts.len() {
                self.release(false, out).await?;
            }
        }
        if !job.is_null() {
            self.stand.job = jobs::print(&job);
            jobs::fetched(self, &mut job);
        }
        self.arrive(span, pick, token)?;
        self.release(span.last, out).await?;
        Ok(Ended::Whole)
    }

    /// Hands out the page that was held back, with the position as it is now.
    async fn release(&mut self, last: bool, out: &Out) -> Result<(), Halt> {
        let Some((bytes, header, records)) = self.held.take() else { return Ok(()) };
        let again = self.only.as_ref().is_some_and(|only| only.chain == self.stand.chain);
        self.emit(bytes, header, records, last && self.only.is_none() || again, out).await
    }

    /// Moves the position behind a stretch that was read whole.
    fn arrive(&mut self, span: &Span, pick: Option<Pick>, token: Json) -> Result<()> {
        let desk = &self.desk;
        self.stand.under_way = None;
        self.stand.until.clone_from(&span.until);
        if self.window.is_some() || desk.whole {
            return Ok(());
        }
        let Some(cursor) = desk.read.cursor.as_ref() else {
            // A queue has no end: each run takes what there is.
            self.stand.over = desk.read.acknowledge.is_none();
            return Ok(());
        };
        self.stand.given = false;
        if cursor.next.is_some() {
            if token.is_null() && self.read == 0 {
                desk.note(format!(
                    "`{}` says neither records nor where the next run goes on: it may not be ready",
                    desk.stream.name
                ));
                return Ok(());
            }
            if token.is_null() {
                let cause = format!("the answers for `{}` do not say where the next run goes on", desk.stream.name);
                return Err(
                    Error::new(Kind::Failed, &CURSOR_MISSED, cause).hint("the pack's `cursor.next` fits none of them")
                );
            }
            self.stand.at = token;
            self.stand.kept = desk.now.seconds;
            return Ok(());
        }
        let Some(pick) = pick else { return Ok(()) };
        if let (false, Some(until)) = (span.last, &span.until) {
            // Records that have the bound itself belong to the next window.
            self.stand.at = Json::String(until.clone());
            self.stand.seen.clear();
            self.stand.kept = desk.now.seconds;
            return Ok(());
        }
        if let Some(best) = pick.best {
            let further = self.stand.value().is_none_or(|at| bounds::compare(cursor.kind, &best, &at).is_ge());
            if further {
                self.stand.at = Json::String(best);
                self.stand.seen = pick.best_seen;
            }
        }
        self.stand.kept = desk.now.seconds;
        Ok(())
    }

    /// Hands out what was read.
    pub async fn emit(
        &mut self,
        bytes: Vec<u8>,
        header: Arc<Header>,
        records: u64,
        last: bool,
        out: &Out,
    ) -> Result<(), Halt> {
        let kib = u32::try_from(bytes.len() / 1024 + 1).unwrap_or(u32::MAX).min(out.most);
        let room = Arc::clone(&out.room).acquire_many_owned(kib).await.ok();
        self.ended = last;
        let owed = Owed { parent: self.parent.clone(), records: std::mem::take(&mut self.owed) };
        let taken = Taken { bytes, header, records, stand: self.stand.clone(), last, owed, _room: room };
        out.parts.send(Ok(taken)).await.map_err(|_| Halt::Enough)
    }
}

impl Failure {
    /// What it means for a reading; a call that is refused where an earlier run stood says that its page
    /// is no longer known.
    pub(super) fn class_or(self, resumed: bool) -> Halt {
        let gone = resumed
            && matches!(self.class, Class::Fail)
            && self.answer.as_ref().is_some_and(|a| matches!(a.status, 400 | 404 | 410));
        if gone { Halt::Pages(self.error) } else { Halt::from(Box::new(self)) }
    }
}

/// Whether a run that was stopped goes on with the page it stood at.
pub(super) fn resumes(desk: &Desk) -> bool {
    let read = desk.read;
    let token_at_end = read.cursor.as_ref().is_some_and(|cursor| cursor.next.is_some() && cursor.at_end);
    read.pages.keep && read.pages.stable && read.pages.open.is_none() && !token_at_end
}

/// Whether what was settled never comes again.
pub(super) fn exact(read: &crate::connect::pack::read::Read, keyed: bool) -> bool {
    let stable = read.pages.keep && read.pages.stable && read.pages.open.is_none() && read.acknowledge.is_none();
    match &read.cursor {
        Some(cursor) if cursor.field.is_some() && cursor.order == Order::Ascending && !cursor.at_end => {
            cursor.overlap == 0 || !keyed
        }
        Some(cursor) if cursor.next.is_some() => !cursor.at_end,
        _ => stable,
    }
}
