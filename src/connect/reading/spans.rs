//! The stretches of a cursor that are asked for at once: from where a stream stands to its upper bound, in
//! windows where the pack says so, and in halves of these where a window holds too much.

use std::collections::VecDeque;

use super::bounds;
use super::desk::Vars;
use super::reel::Reel;
use super::stand::UnderWay;
use crate::connect::protocols::Window;
use crate::error::codes::connect::{CEILING, CURSOR_UNFIT};
use crate::error::{Error, Kind, Result};

/// A stretch of the cursor that is asked for at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Span {
    pub from: Option<String>,
    pub until: Option<String>,
    /// It is the last one: reading ends with it.
    pub last: bool,
}

impl Reel {
    pub fn windowed(&self) -> bool {
        self.desk.read.cursor.as_ref().is_some_and(|cursor| cursor.window.is_some())
    }

    /// The stretches that are asked for, the oldest first.
    pub fn spans(&self, under_way: Option<&UnderWay>) -> Result<VecDeque<Span>> {
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
                &CURSOR_UNFIT,
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
            return Err(Error::new(Kind::Invalid, &CURSOR_UNFIT, cause)
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

    pub fn halved(&self, span: &Span) -> Result<(Span, Span)> {
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
}
