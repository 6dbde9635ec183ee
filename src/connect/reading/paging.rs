//! The pages of one answer, in their order: asked for, ahead where that is possible, looked through,
//! and handed out with the position behind each of them.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value as Json, json};
use tokio::task::JoinHandle;
use url::Url;

use super::bounds;
use super::desk::{Desk, Vars, shown_whole};
use super::joined;
use super::pick::{Pick, Picked};
use super::pieces::{self, Body, Coming, Stop};
use super::reel::{Ended, Halt, Out, Reel, resumes};
use super::sheet::{self, Sheet};
use super::spans::Span;
use super::stand::{Place, UnderWay, text};
use super::turn::{self, Next, Watched};
use crate::connect::pack::cursor::Cursor;
use crate::connect::pack::faults::Class;
use crate::connect::pack::pages::{PageKind, Pages};
use crate::connect::pack::spot::Send;
use crate::connect::web::{Answer, Draft, Failure, Unanswered, retry};
use crate::error::codes::connect::{CALL_UNANSWERED, CEILING, CURSOR_CHANGED, CURSOR_MISSED};
use crate::error::{Error, Kind, Result, Retry};

/// Bytes of pages that are asked for ahead, if they are as large as the last one.
const AHEAD_BYTES: usize = 4 << 20;

/// A page that was asked for: its answer, and the address it came from.
type Asked = JoinHandle<Result<(Body, Url), Box<Failure>>>;

/// How the pieces of a page ended.
enum Read {
    /// All of it was read: what comes next.
    Whole(Next),
    /// It broke off; so many of its records were read.
    Broken(Unanswered, u64),
    /// It holds more than is given at once.
    TooMuch,
    /// Nothing more is wanted.
    Enough,
}

impl Reel {
    /// Reads the pages of one answer.
    pub async fn pages(
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
        let (mut ahead_most, mut broke) = (0_usize, 0_u32);
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
            let (body, url) = match answered {
                Ok(answered) => answered,
                Err(failure) => {
                    abandon(&mut ahead);
                    // A place from before that is no longer known.
                    return Err((*failure).class_or(place.index > 0 && self.read == 0));
                }
            };
            vars.page = turn::shown(pages, &place, self.size, &open);
            let further = match &body {
                Body::Whole(answer) if desk.parts.len() > 1 && answer.status == 200 => {
                    let answer = answer.clone();
                    self.further(&answer, &vars, &place, &open, asked_from.as_deref(), span).await?
                }
                _ => Vec::new(),
            };
            let body = Coming::new(&desk, body)?.with(further);
            let page = (&place, &url, &vars);
            let read = self.page(page, body, span, under_way, &mut watched, (&mut *pick, &mut *token), out).await?;
            let count = place.count + watched.came();
            match read {
                Read::Whole(next) => {
                    ahead_most = self.ahead(watched.bytes());
                    watched.turn();
                    match next {
                        Next::End => break Ended::Whole,
                        Next::Page(following) => place = following,
                    }
                }
                Read::Broken(why, came) => {
                    abandon(&mut ahead);
                    broke += 1;
                    if !why.temporary || broke >= desk.given.pack.retry.tries {
                        return Err(broken(&desk, &place, &why).into());
                    }
                    desk.caller.wire().pause(retry::pause(&desk.given.pack.retry, broke, retry::chance())).await;
                    // What of it was handed out is passed over when it comes again.
                    place.taken = place.taken.max(came);
                    watched.turn();
                    continue;
                }
                Read::TooMuch => {
                    abandon(&mut ahead);
                    return Ok(Ended::Cut);
                }
                Read::Enough => {
                    abandon(&mut ahead);
                    return Ok(Ended::Whole);
                }
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

    /// Reads one page, piece by piece.
    async fn page(
        &mut self,
        (place, url, vars): (&Place, &Url, &Vars),
        mut body: Coming,
        span: &Span,
        under_way: &mut UnderWay,
        watched: &mut Watched,
        (pick, token): (&mut Option<Pick>, &mut Json),
        out: &Out,
    ) -> Result<Read, Halt> {
        let desk = Arc::clone(&self.desk);
        let pages = &desk.read.pages;
        let (mut first, mut known) = (true, false);
        loop {
            let (mut sheet, whole) = match body.next(&desk, vars).await {
                Ok(next) => next,
                Err(Stop::Error(error)) => return Err(error.into()),
                Err(Stop::Broken(why)) => return Ok(Read::Broken(why, watched.came())),
            };
            if std::mem::take(&mut first) {
                self.same_epoch(&sheet, vars)?;
                if place.index == 0 && self.too_much(&sheet, pages, vars)? {
                    return Ok(Read::TooMuch);
                }
            }
            if let Some(cursor) = desk.read.cursor.as_ref()
                && let Some(next) = &cursor.next
            {
                let seen = Vars { answer: sheet.answer.clone(), ..vars.clone() };
                let value = desk.value(next, &seen)?;
                if !matches!(&value, Json::Null | Json::Bool(false)) && value.as_str() != Some("") {
                    *token = value;
                }
            }
            let before = watched.came();
            let print = sheet.print();
            watched.piece(&sheet, &print, pages.repeat);
            if place.taken >= watched.came() && place.taken > 0 {
                // It was handed out before the answer broke off, or by an earlier run.
                if !whole {
                    continue;
                }
                sheet.pass_over();
            } else if place.taken > before && !desk.keyed {
                let cause = format!("`{}` does not fall into the pieces that it was read in before", desk.stream.name);
                return Err(Error::new(Kind::Partial, &CURSOR_MISSED, cause)
                    .hint("records would come twice; `--full` reads everything anew")
                    .into());
            }
            let picked = match pick {
                Some(pick) => pick.page(&desk, &sheet)?,
                None => Picked::default(),
            };
            known |= picked.known;
            let next = match whole {
                true => Some(watched.next(&desk, (&body.head, &sheet), place, (self.size, known), vars, url)),
                false => None,
            };
            self.owed.append(&mut sheet.owed);
            let header = Arc::clone(&sheet.header);
            // A sorted reading goes on from a value, and its pages then begin elsewhere.
            let sorted = !desk.whole && desk.read.cursor.as_ref().is_some_and(|cursor| cursor.field.is_some());
            if sorted {
                let taken = |at: &usize| picked.mask.as_ref().is_none_or(|mask| mask[*at]);
                self.stand.summed((0..sheet.len()).filter(taken).map(|at| sheet.record(at)));
            }
            let came = sheet.came;
            let (bytes, records) = sheet.into_part(picked.mask.as_deref());
            // Most pages go out as they came: what tells them apart is known already.
            if !sorted && records > 0 {
                let as_it_came = picked.mask.is_none() && records == came;
                let print = if as_it_came { print } else { blake3::hash(&bytes) };
                self.stand.chained(&print);
            }
            self.read += records;
            let going_on = match &next {
                None => Some(Place { taken: watched.came(), ..place.clone() }),
                Some(Ok(Next::Page(following))) => Some(following.clone()),
                Some(Ok(Next::End) | Err(_)) => None,
            };
            self.step(span, under_way, going_on.as_ref(), pick.as_ref(), token);
            if records > 0 && matches!(next, Some(Ok(Next::End))) {
                self.held = Some((bytes, header, records));
            } else if records > 0 {
                let last = self.only.as_ref().is_some_and(|only| only.chain == self.stand.chain);
                self.emit(bytes, header, records, last, out).await?;
                if self.ended {
                    return Ok(Read::Enough);
                }
            }
            if let Some(next) = next {
                return Ok(Read::Whole(next?));
            }
        }
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

    /// The request for a page, with a part of the fields.
    fn draft(
        &self,
        vars: &Vars,
        place: &Place,
        open: &Json,
        from: Option<&str>,
        span: &Span,
        part: usize,
    ) -> Result<Draft> {
        let desk = &self.desk;
        let pages = &desk.read.pages;
        let mut vars = vars.clone();
        vars.page = turn::shown(pages, place, self.size, open);
        vars.page["fields"] = json!(desk.parts.get(part));
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
        turn::put(desk, &mut draft, place, self.size)?;
        Ok(draft)
    }

    /// What a page's records have of the other parts of the fields, where a system gives only so many at once.
    async fn further(
        &self,
        answer: &Answer,
        vars: &Vars,
        place: &Place,
        open: &Json,
        from: Option<&str>,
        span: &Span,
    ) -> Result<Vec<Bytes>, Halt> {
        let desk = &self.desk;
        let Some(cut) = &desk.read.cut else { return Ok(Vec::new()) };
        let mut seen = vars.clone();
        seen.page = turn::shown(&desk.read.pages, place, self.size, open);
        if cut.rest.is_some() {
            let records = sheet::trees(desk, answer, &answer.body, &desk.read.records)?;
            if records.is_empty() {
                return Ok(Vec::new());
            }
            let keys = records.iter().map(|record| joined::key(desk, cut, record).cloned());
            seen.page["keys"] = Json::Array(keys.collect::<Result<_>>()?);
        }
        let mut asked: Vec<JoinHandle<_>> = Vec::new();
        for part in 1..desk.parts.len() {
            let draft = match &cut.rest {
                None => self.draft(vars, place, open, from, span, part)?,
                Some((request, _)) => {
                    seen.page["fields"] = json!(desk.parts[part]);
                    desk.draft(request, &seen, format!("further fields of `{}`", self.slice))?
                }
            };
            let desk = Arc::clone(desk);
            asked.push(tokio::spawn(async move { desk.call(draft).await }));
        }
        let mut bodies = Vec::with_capacity(asked.len());
        for asked in asked {
            bodies.push(asked.await.map_err(|_| Error::bug("a call was dropped"))??.body);
        }
        Ok(bodies)
    }

    /// Asks for a page.
    fn ask(&self, vars: &Vars, place: &Place, open: &Json, from: Option<&str>, span: &Span) -> Result<Asked> {
        let desk = Arc::clone(&self.desk);
        let draft = self.draft(vars, place, open, from, span, 0)?;
        let flows = pieces::flows(desk.read);
        Ok(tokio::spawn(async move {
            let url = draft
                .clone()
                .finish()
                .map(|request| request.url)
                .map_err(|error| Box::new(Failure { class: Class::Fail, error, answer: None, doubt: false }))?;
            match flows {
                true => desk.caller.fetch(draft).await.map(|flow| (Body::Flow(flow), url)),
                false => desk.call(draft).await.map(|answer| (Body::Whole(answer), url)),
            }
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
}

fn cursor_into(draft: &mut Draft, cursor: &Cursor, value: &str) -> Result<()> {
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

/// An answer broke off as often as it may.
fn broken(desk: &Desk, place: &Place, why: &Unanswered) -> Error {
    let cause = format!("page {} of `{}`: {}", place.index + 1, desk.stream.name, why.cause);
    let error = Error::new(Kind::Environment, &CALL_UNANSWERED, cause);
    if why.temporary { error.retry(Retry::Spent) } else { error }
}
