//! The reading of one sequence of records from where it stands to its end: window by window, part by
//! part of a job, page by page, each page with the position behind it.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use url::Url;

use super::bounds;
use super::desk::{Desk, Vars, shown_whole};
use super::jobs;
use super::pick::Pick;
use super::sheet::{self, Sheet};
use super::stand::{Place, Stand, UnderWay, text};
use super::turn::{self, Next, Watched};
use crate::connect::Header;
use crate::connect::pack::cursor::{Cursor, Order};
use crate::connect::pack::faults::Class;
use crate::connect::pack::pages::{PageKind, Pages};
use crate::connect::pack::spot::Send;
use crate::connect::protocols::Window;
use crate::connect::web::{Answer, Failure};
use crate::error::codes::connect::{CEILING, CURSOR_CHANGED, CURSOR_MISSED, EMPTY_SUSPICIOUS};
use crate::error::codes::sync::DOUBT;
use crate::error::{Error, Kind, Result};

/// How often reading begins anew because the place among the pages was no longer valid.
const STARTS: u32 = 3;
/// Bytes of pages that are asked for ahead, if they are as large as the last one.
const AHEAD_BYTES: usize = 8 << 20;

/// A page that was asked for: its answer, and the address it came from.
type Asked = JoinHandle<Result<(Answer, Url), Box<Failure>>>;

/// A page's worth of records on its way to the road.
pub(super) struct Taken {
    pub bytes: Vec<u8>,
    pub header: Arc<Header>,
    pub records: u64,
    /// Where the stream stands behind it.
    pub stand: Stand,
    /// Whether this is the end.
    pub last: bool,
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
    size: Option<u64>,
    ended: bool,
    /// The last page of an answer: it goes out with the position behind the whole answer.
    held: Option<(Vec<u8>, Arc<Header>, u64)>,
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

/// A stretch of the cursor that is asked for at once.
#[derive(Clone, Debug, Default, PartialEq)]
struct Span {
    from: Option<String>,
    until: Option<String>,
    /// It is the last one: reading ends with it.
    last: bool,
}

/// How the pages of one question ended.
enum Ended {
    /// All of it came.
    Whole,
    /// It holds more than is given at once: it is to be cut in two.
    Cut,
}

impl Reel {
    pub fn new(desk: Arc<Desk>, parent: Json, slice: String, stand: Stand) -> Self {
        let size = desk.read.pages.size;
        Self { desk, parent, slice, stand, only: None, window: None, read: 0, size, ended: false, held: None }
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
    fn age(&self) -> Option<u64> {
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

    fn windowed(&self) -> bool {
        self.desk.read.cursor.as_ref().is_some_and(|cursor| cursor.window.is_some())
    }

    /// The stretches that are asked for, the oldest first.
    fn spans(&self, under_way: Option<&UnderWay>) -> Result<VecDeque<Span>> {
        let desk = &self.desk;
        let Some(cursor) =
            desk.read.cursor.as_ref().filter(|cursor| !desk.whole || self.windowed() || cursor.start.is_some())
        else {
            return Ok(VecDeque::from([Span { last: true, ..Span::default() }]));
        };
        if cursor.next.is_some() {
            return Ok(VecDeque::from([Span { from: self.stand.value(), until: None, last: true }]));
        }
        let given = |text: &str, name: &str| match bounds::fits(cursor.kind, text) {
            true => Ok(text.to_owned()),
            false => Err(Error::new(
                Kind::Invalid,
                &crate::error::codes::connect::CURSOR_UNFIT,
                format!("`{text}` ({name}) is no value of the cursor of `{}`", desk.stream.name),
            )),
        };
        let at = if desk.whole { None } else { self.stand.value() };
        let mut from = match (&self.window, at) {
            (Some(window), _) => window.since.as_deref().map(|text| given(text, "--since")).transpose()?,
            (None, Some(at)) => {
                let overlap = i64::try_from(cursor.overlap).unwrap_or(0);
                match overlap > 0 && desk.keyed && !self.stand.given {
                    true => Some(bounds::shifted(cursor, &at, -overlap).unwrap_or(at)),
                    false => Some(at),
                }
            }
            (None, None) => None,
        };
        if from.is_none()
            && let Some(start) = &cursor.start
        {
            let start = desk.text(start, &Vars { parent: self.parent.clone(), ..Vars::default() })?;
            from = Some(start).filter(|start| !start.is_empty());
        }
        let until = match (&self.window, &self.only) {
            (Some(Window { until: Some(until), .. }), _) => Some(given(until, "--until")?),
            (_, Some(only)) => only.until.clone(),
            _ if cursor.until.is_some() || cursor.window.is_some() || cursor.lag > 0 => {
                bounds::now(cursor, desk.now, cursor.lag, from.as_deref())
            }
            _ => None,
        };
        let Some((length, until)) = cursor.window.zip(until.clone()) else {
            return Ok(VecDeque::from([Span { from, until, last: true }]));
        };
        let Some(mut from) = from else {
            let cause =
                format!("`{}` is read window by window, and nothing says where the first one begins", desk.stream.name);
            return Err(Error::new(Kind::Invalid, &crate::error::codes::connect::CURSOR_UNFIT, cause)
                .hint("the pack says it under `cursor.start`, or a person with `--since`"));
        };
        if let Some(resumed) = under_way.and_then(|under_way| under_way.from.clone()) {
            from = resumed;
        }
        let mut spans = VecDeque::new();
        loop {
            let to = bounds::shifted(cursor, &from, i64::try_from(length).unwrap_or(i64::MAX));
            match to.filter(|to| bounds::compare(cursor.kind, to, &until).is_lt()) {
                Some(to) if spans.len() < 100_000 => {
                    spans.push_back(Span { from: Some(from), until: Some(to.clone()), last: false });
                    from = to;
                }
                _ => {
                    spans.push_back(Span { from: Some(from), until: Some(until), last: true });
                    return Ok(spans);
                }
            }
        }
    }

    fn halved(&self, span: &Span) -> Result<(Span, Span)> {
        let smallest = self.desk.read.ceiling.as_ref().map_or(1, |ceiling| ceiling.smallest);
        let full = || {
            let cause = format!(
                "more records of `{}` lie in the smallest window than are given at once",
                self.desk.stream.name
            );
            Error::new(Kind::Partial, &CEILING, cause)
                .fact("from", span.from.as_deref().unwrap_or_default())
                .fact("until", span.until.as_deref().unwrap_or_default())
        };
        let cursor = self.desk.read.cursor.as_ref();
        let (Some(cursor), Some(from), Some(until)) = (cursor, &span.from, &span.until) else { return Err(full()) };
        let length = bounds::distance(cursor, from, until).unwrap_or(0);
        let half = length / 2;
        if half < i64::try_from(smallest).unwrap_or(i64::MAX).max(1) {
            return Err(full());
        }
        let middle = bounds::shifted(cursor, from, half).ok_or_else(full)?;
        if middle == *from || middle == *until {
            return Err(full());
        }
        Ok((
            Span { from: span.from.clone(), until: Some(middle.clone()), last: false },
            Span { from: Some(middle), until: span.until.clone(), last: span.last },
        ))
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
        let known = if dedupe && !self.stand.given { self.stand.value() } else { None };
        let mut pick = Pick::new(&desk, known, &self.stand.seen, span.until.clone());
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
            self.stand.over = true;
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

    /// Reads the pages of one answer.
    async fn pages(
        &mut self,
        span: &Span,
        vars: &Vars,
        under_way: &mut UnderWay,
        start: Option<Place>,
        (pick, token): (&mut Option<Pick>, &mut Json),
        out: &Out,
    ) -> Result<Ended, Halt> {
        let desk = Arc::clone(&self.desk);
        let pages = &desk.read.pages;
        let mut open = Json::Null;
        if let Some((request, capture)) = &pages.open {
            let answer = desk.call(desk.draft(request, vars, format!("opening `{}`", desk.stream.name))?).await?;
            let seen = Vars { answer: shown_whole(&answer), ..vars.clone() };
            desk.capture(capture.as_ref(), &seen, &mut open)?;
        }
        let mut watched = Watched::default();
        // Where the ceiling made reading go on from the cursor, the question begins anew.
        let (mut vars, mut asked_from, mut floor) = (vars.clone(), span.from.clone(), 0_u64);
        let mut place = start.unwrap_or_else(|| turn::first(pages));
        let mut ahead: VecDeque<(Place, Asked)> = VecDeque::new();
        let mut ahead_most = 0_usize;
        let ended = loop {
            watched.admit(&desk, &place)?;
            if ahead.front().is_none_or(|(front, _)| *front != place) {
                abandon(&mut ahead);
                ahead.push_back((place.clone(), self.ask(&vars, &place, &open, asked_from.as_deref(), span)?));
            }
            while ahead.len() <= ahead_most
                && let Some(following) = ahead.back().and_then(|(last, _)| self.following(last, &watched))
            {
                ahead.push_back((following.clone(), self.ask(&vars, &following, &open, asked_from.as_deref(), span)?));
            }
            let Some((_, asked)) = ahead.pop_front() else { break Ended::Whole };
            let answered = asked.await.map_err(|_| Error::bug("a call was dropped"))?;
            let (answer, url) = match answered {
                Ok(answered) => answered,
                Err(failure) => {
                    abandon(&mut ahead);
                    // A place from before that is no longer known.
                    return Err((*failure).class_or(place.index > 0 && self.read == 0));
                }
            };
            vars.page = turn::shown(pages, &place, self.size, &open);
            let nothing = answer.status >= 400 || answer.status == 204 || answer.status == 304;
            let sheet = match nothing {
                true => Sheet::empty(&answer, sheet::form(desk.read, desk.gone)),
                false => Sheet::new(&desk, &answer, &vars)?,
            };
            self.same_epoch(&sheet, &vars)?;
            if let Some(cursor) = desk.read.cursor.as_ref()
                && let Some(next) = &cursor.next
            {
                let seen = Vars { answer: sheet.answer.clone(), ..vars.clone() };
                let value = desk.value(next, &seen)?;
                if !matches!(&value, Json::Null | Json::Bool(false)) && value.as_str() != Some("") {
                    *token = value;
                }
            }
            if place.index == 0 && self.too_much(&sheet, pages, &vars)? {
                abandon(&mut ahead);
                return Ok(Ended::Cut);
            }
            let picked = match pick {
                Some(pick) => pick.page(&desk, &sheet)?,
                None => super::pick::Picked::default(),
            };
            let size = self.size;
            let next = watched.next(&desk, (&answer, &sheet), &place, (size, picked.known), &vars, &url);
            ahead_most = self.ahead(sheet.bytes());
            let header = Arc::clone(&sheet.header);
            let count = place.count + sheet.came;
            // A sorted reading goes on from a value, and its pages then begin elsewhere.
            let sorted = !desk.whole && desk.read.cursor.as_ref().is_some_and(|cursor| cursor.field.is_some());
            if sorted {
                let taken = |at: &usize| picked.mask.as_ref().is_none_or(|mask| mask[*at]);
                self.stand.summed((0..sheet.len()).filter(taken).map(|at| sheet.record(at)));
            }
            let (bytes, records) = sheet.into_part(picked.mask.as_deref());
            if !sorted {
                self.stand.chained(&bytes);
            }
            self.read += records;
            let going_on = match &next {
                Ok(Next::Page(following)) => Some(following.clone()),
                Ok(Next::End) | Err(_) => None,
            };
            self.step(span, under_way, going_on.as_ref(), pick.as_ref(), token);
            if records > 0 && matches!(next, Ok(Next::End)) {
                self.held = Some((bytes, header, records));
            } else if records > 0 {
                let last = self.only.as_ref().is_some_and(|only| only.chain == self.stand.chain);
                self.emit(bytes, header, records, last, out).await?;
                if self.ended {
                    abandon(&mut ahead);
                    return Ok(Ended::Whole);
                }
            }
            match next? {
                Next::End => break Ended::Whole,
                Next::Page(following) => place = following,
            }
            // Before more is asked for than is given at once.
            if let Some(ceiling) = &desk.read.ceiling
                && count - floor + self.size.unwrap_or(1) > ceiling.records
            {
                if ceiling.split {
                    abandon(&mut ahead);
                    if !desk.keyed {
                        let cause = format!(
                            "`{}` gives no more than {} records of one window",
                            desk.stream.name, ceiling.records
                        );
                        return Err(Error::new(Kind::Partial, &CEILING, cause).into());
                    }
                    return Ok(Ended::Cut);
                }
                let reached = pick.as_ref().and_then(|pick| pick.best.clone());
                if reached.is_none() || reached == asked_from {
                    let cause = format!(
                        "more than {} records of `{}` have one value of the cursor",
                        ceiling.records, desk.stream.name
                    );
                    return Err(Error::new(Kind::Partial, &CEILING, cause)
                        .hint("what came was taken; the rest cannot be asked for")
                        .into());
                }
                abandon(&mut ahead);
                asked_from.clone_from(&reached);
                vars.cursor["value"] = json!(reached);
                vars.window["from"] = json!(reached);
                if let Some(pick) = pick {
                    pick.begin_again();
                }
                watched = Watched::default();
                place = Place { count: 0, ..turn::first(pages) };
                floor = 0;
            }
        };
        abandon(&mut ahead);
        if let Some(close) = &pages.close {
            vars.page = turn::shown(pages, &place, self.size, &open);
            // What came is whole, whatever becomes of this.
            let draft = desk.draft(close, &vars, format!("closing `{}`", desk.stream.name))?;
            if let Err(failure) = desk.call(draft).await {
                desk.note(format!("`{}` could not be closed: {}", desk.stream.name, failure.error.cause()));
            }
        }
        Ok(ended)
    }

    /// Moves the position behind a page, as far as it may move there.
    fn step(&mut self, span: &Span, under_way: &mut UnderWay, next: Option<&Place>, pick: Option<&Pick>, token: &Json) {
        if self.window.is_some() {
            return;
        }
        let desk = &self.desk;
        self.stand.until.clone_from(&span.until);
        if let Some(cursor) = desk.read.cursor.as_ref().filter(|_| !desk.whole)
            && !cursor.at_end
        {
            if cursor.next.is_some() {
                if !token.is_null() {
                    self.stand.at = token.clone();
                    self.stand.kept = desk.now.seconds;
                    self.stand.given = false;
                }
                return;
            }
            let further = pick
                .and_then(|pick| pick.best.as_ref())
                .filter(|best| self.stand.value().is_none_or(|at| bounds::compare(cursor.kind, best, &at).is_ge()));
            if let (Some(best), Some(pick)) = (further, pick) {
                self.stand.at = Json::String(best.clone());
                self.stand.seen.clone_from(&pick.best_seen);
                self.stand.kept = desk.now.seconds;
                self.stand.given = false;
            }
            // Records with this value that are still to come are asked for by their page.
            self.stand.under_way = match next {
                Some(next) if !cursor.inclusive && resumes(desk) => {
                    Some(UnderWay { place: next.clone(), ..under_way.clone() })
                }
                _ => None,
            };
            return;
        }
        if !resumes(desk) {
            return;
        }
        match next {
            Some(next) => under_way.place = next.clone(),
            None => {
                under_way.part += 1;
                under_way.place = turn::first(&desk.read.pages);
            }
        }
        if let Some(pick) = pick {
            under_way.best = pick.best.clone().map_or(Json::Null, Json::String);
            under_way.best_seen.clone_from(&pick.best_seen);
        }
        // The end of the only part is the end: `arrive` says what that means.
        if next.is_some() || desk.read.job.is_some() {
            self.stand.under_way = Some(under_way.clone());
        }
    }

    /// Asks for a page.
    fn ask(&self, vars: &Vars, place: &Place, open: &Json, from: Option<&str>, span: &Span) -> Result<Asked> {
        let desk = Arc::clone(&self.desk);
        let pages = &desk.read.pages;
        let mut vars = vars.clone();
        vars.page = turn::shown(pages, place, self.size, open);
        let what = format!("page {} of `{}`", place.index + 1, self.slice);
        let mut draft = desk.draft(&desk.read.request, &vars, what)?;
        if let Some(sign_in) = &desk.read.sign_in {
            draft.purpose.bare = !desk.holds(sign_in, &vars)?;
        }
        if let Some(cursor) = desk.read.cursor.as_ref() {
            if let (Some(value), false) = (from, place.index > 0 && pages.send == Send::Url) {
                cursor_into(&mut draft, cursor, value)?;
            }
            if let (Some(spot), Some(until)) = (&cursor.until, &span.until) {
                draft.put(spot, Json::String(until.clone()))?;
            }
        }
        turn::put(&desk, &mut draft, place, self.size)?;
        Ok(tokio::spawn(async move {
            let url = draft
                .clone()
                .finish()
                .map(|request| request.url)
                .map_err(|error| Box::new(Failure { class: Class::Fail, error, answer: None, doubt: false }))?;
            desk.call(draft).await.map(|answer| (answer, url))
        }))
    }

    /// The page after one, where that is known before it is there.
    fn following(&self, last: &Place, watched: &Watched) -> Option<Place> {
        let pages = &self.desk.read.pages;
        let size = self.size.filter(|_| pages.foreseen());
        let step = match pages.kind {
            PageKind::Page => 1,
            PageKind::Offset => size?,
            _ => return None,
        };
        // A page that may be the last one has nothing behind it worth asking for.
        if let (Some(total), Some(size)) = (watched.total, size)
            && last.count + size >= total
        {
            return None;
        }
        Some(Place {
            index: last.index + 1,
            number: last.number + step,
            count: last.count + size.unwrap_or(0),
            ..Place::default()
        })
    }

    /// How many pages are asked for ahead, after one of so many bytes.
    fn ahead(&self, bytes: usize) -> usize {
        let pages = &self.desk.read.pages;
        let limit = self.desk.given.pack.limits.in_flight.saturating_sub(1);
        let most = pages.ahead.unwrap_or(limit).min(limit.max(1));
        if pages.foreseen() && self.size.is_some() { most.min(AHEAD_BYTES / bytes.max(1)) } else { 0 }
    }

    /// Whether the answer holds more than is given at once, and that can be told from its first page.
    fn too_much(&self, sheet: &Sheet, pages: &'static Pages, vars: &Vars) -> Result<bool> {
        let Some(ceiling) = self.desk.read.ceiling.as_ref().filter(|ceiling| ceiling.split) else { return Ok(false) };
        if let Some(total) = &pages.total {
            let seen = Vars { answer: sheet.answer.clone(), ..vars.clone() };
            let total = self.desk.value(total, &seen)?;
            if let Ok(total) = text(&total).unwrap_or_default().parse::<u64>() {
                return Ok(total > ceiling.records);
            }
        }
        Ok(pages.kind == PageKind::None && sheet.came >= ceiling.records)
    }

    /// Whether values still belong to the numbering that the position is of.
    fn same_epoch(&mut self, sheet: &Sheet, vars: &Vars) -> Result<(), Halt> {
        let Some(epoch) = self.desk.read.cursor.as_ref().and_then(|cursor| cursor.epoch.as_ref()) else {
            return Ok(());
        };
        let seen = Vars { answer: sheet.answer.clone(), ..vars.clone() };
        let now = self.desk.value(epoch, &seen)?;
        if now.is_null() || self.stand.epoch == now {
            return Ok(());
        }
        if !std::mem::replace(&mut self.stand.epoch, now.clone()).is_null() && !self.stand.at.is_null() {
            let cause = format!("`{}` counts anew since it was read last", self.desk.stream.name);
            return Err(Halt::Cursor(Error::new(Kind::Failed, &CURSOR_CHANGED, cause)));
        }
        Ok(())
    }

    /// Hands out what was read.
    async fn emit(
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
        let taken = Taken { bytes, header, records, stand: self.stand.clone(), last, _room: room };
        out.parts.send(Ok(taken)).await.map_err(|_| Halt::Enough)
    }
}

impl Failure {
    /// What it means for a reading; a call that is refused where an earlier run stood says that its page
    /// is no longer known.
    fn class_or(self, resumed: bool) -> Halt {
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
    let stable = read.pages.keep && read.pages.stable && read.pages.open.is_none();
    match &read.cursor {
        Some(cursor) if cursor.field.is_some() && cursor.order == Order::Ascending && !cursor.at_end => {
            cursor.overlap == 0 || !keyed
        }
        Some(cursor) if cursor.next.is_some() => !cursor.at_end,
        _ => stable,
    }
}

fn cursor_into(draft: &mut crate::connect::web::Draft, cursor: &Cursor, value: &str) -> Result<()> {
    match &cursor.send {
        Send::Spot(spot) => draft.put(spot, Json::String(value.to_owned())),
        Send::Url => {
            draft.url = Some(value.to_owned());
            draft.query.clear();
            Ok(())
        }
        Send::Nowhere => Ok(()),
    }
}

fn abandon(ahead: &mut VecDeque<(Place, Asked)>) {
    ahead.drain(..).for_each(|(_, asked)| asked.abort());
}
