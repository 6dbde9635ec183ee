//! One pass over a text.

use super::bytes::{CLASS, DIGIT, HIGH, LINE, LOWER, MARK, UPPER, WORD, class_at, is_digit, skip};
use super::column::Column;
use super::context::Context;
use super::decode::{self, Decoded};
use super::hit::{Fingerprints, Hit, Preview};
use super::number::{Run, Window};
use super::score;
use super::set::DetectorSet;
use super::tables::{SiteCheck, Tables, Tries, Try};
use super::words::{Near, Words};
use crate::comply::detectors::{ALL, Found, Shows, Site};

/// The shortest word that can be a token of a vendor by itself.
pub(super) const TOKEN: usize = 15;

/// The longest word with digits that may be a name.
const NAME: usize = 8;

pub(super) struct Pass<'p> {
    tables: &'p Tables,
    threshold: f32,
    fingerprints: Option<&'p Fingerprints>,
    context: &'p Context,
    text: &'p [u8],
    /// Memory for decoded texts, one for each level below this one.
    layers: &'p mut Vec<Decoded>,
    found: &'p mut Vec<Hit>,
    /// Where this pass's own hits begin.
    first: usize,
    column: Option<&'p mut Column>,
    near: Near,
    words: Words,
    run: &'p mut Run,
    /// The last word: where it is and what it is made of.
    last: (usize, usize, u8),
    has_escapes: bool,
    has_folds: bool,
}

impl<'p> Pass<'p> {
    pub(super) fn new(
        tables: &'p Tables,
        threshold: f32,
        fingerprints: Option<&'p Fingerprints>,
        context: &'p Context,
        text: &'p [u8],
        layers: &'p mut Vec<Decoded>,
        run: &'p mut Run,
        found: &'p mut Vec<Hit>,
    ) -> Self {
        let first = found.len();
        Self {
            tables,
            threshold,
            fingerprints,
            context,
            text,
            layers,
            found,
            first,
            column: None,
            near: Near::default(),
            words: Words::get(),
            run,
            last: (0, 0, 0),
            has_escapes: false,
            has_folds: false,
        }
    }

    /// Counts instead of finding: how many values have the form of each detector and hold its check.
    pub(super) fn count_into(&mut self, column: &'p mut Column) {
        self.column = Some(column);
    }

    /// Judges the whole value by the name of its field.
    pub(super) fn whole(&mut self, text: &str) {
        if self.context.whole.is_empty() {
            return;
        }
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return;
        }
        let start = text.len() - text.trim_start().len();
        for attempt in &self.tables.whole {
            if self.context.whole.contains(usize::from(attempt.place))
                && let Some(grade) = (attempt.check)(trimmed)
            {
                self.offer(attempt.place, Found { start, end: start + trimmed.len(), grade });
            }
        }
    }

    /// Reads the text from its begin to its end, then what it hides.
    pub(super) fn run(&mut self) {
        let text = self.text;
        let mut at = 0;
        while at < text.len() {
            let class = CLASS[usize::from(text[at])];
            if class & WORD != 0 {
                let start = at;
                let mut inner = 0;
                at += 1;
                while at < text.len() {
                    let next = CLASS[usize::from(text[at])];
                    if next & WORD == 0 {
                        break;
                    }
                    inner |= next;
                    at += 1;
                }
                at = self.word(start, at, class, inner);
            } else {
                if class == MARK {
                    self.mark(at);
                }
                at += 1;
            }
        }
        if self.has_escapes || self.has_folds {
            self.decoded();
        }
    }

    /// Judges a word; answers from where to read on.
    #[inline]
    fn word(&mut self, start: usize, end: usize, outer: u8, inner: u8) -> usize {
        let class = outer | inner;
        let read_on = if class == DIGIT {
            self.number(start, end)
        } else {
            let length = end - start;
            if class & DIGIT == 0 {
                self.words.note(&mut self.near, self.text, start, end, inner);
                if class == UPPER
                    && let Some(tries) = self.tables.capitals.get(length)
                {
                    self.tries(tries, start, end);
                }
            } else {
                if length <= NAME {
                    // `cvv2`, `icd10`.
                    self.words.note(&mut self.near, self.text, start, end, inner);
                }
                self.mixed(start, end, class);
            }
            let follows = self.text.get(end).copied().unwrap_or(0);
            if (length >= TOKEN || matches!(follows, b'-' | b'.' | b'~')) && self.tables.opens(&self.text[start..]) {
                self.prefixed(start, end);
            }
            if class & HIGH != 0 && !self.has_folds {
                self.has_folds = self.text[start..end].iter().any(|byte| decode::may_fold(*byte))
                    && decode::folds(&self.text[start..end]);
            }
            if length >= 10 || matches!(follows, b'+' | b'/') { self.base64(start, end, length) } else { end }
        };
        self.last = (start, end, class);
        read_on
    }

    /// A run of digits: each part of it that can stand alone.
    fn number(&mut self, start: usize, end: usize) -> usize {
        let text = self.text;
        let before = if start == 0 { 0 } else { text[start - 1] };
        if end - start < self.tables.leads.len() && !self.tables.leads[end - start].is_empty() {
            let behind = class_at(text, end);
            if behind == MARK || matches!(text.get(end), Some(b'-' | b'+' | b'.' | b' ')) {
                self.leads(start, end);
            }
        }
        if before == b'+' {
            // What begins so is a telephone number, and read as one from its sign on.
            return end;
        }
        let behind = text.get(end).copied().unwrap_or(0);
        let joined = matches!(before, b'-' | b'.' | b'/') && self.last.1 + 1 == start && {
            let (from, to, class) = self.last;
            class & DIGIT != 0 || text[from..to].iter().all(|byte| byte.is_ascii_hexdigit())
        };
        if !(matches!(behind, b' ' | b'-' | b'.' | b'/') && is_digit(text, end + 1)) {
            // The usual: digits on their own.
            let length = end - start;
            if !joined && length < self.tables.plain.len() {
                let near = self.near.at(start);
                if self.is_worth(length, near) {
                    self.run.read(text, start, end);
                    self.plain(Window { first: 0, last: 0, key: length as u64 }, near);
                }
            }
            return end;
        }
        let stop = self.run.read(text, start, end);
        let near = self.near.at(start);
        for first in 0..self.run.count() {
            let mut key = 0;
            for last in first..self.run.count() {
                key = self.run.key(key, last);
                let Some(window) = self.run.window(first, last, key, joined) else { continue };
                if first < last {
                    self.grouped(window, near);
                } else if self.is_worth(key as usize & 31, near) {
                    self.plain(window, near);
                }
            }
        }
        if !joined && self.run.count() == 4 && !self.tables.quads.is_empty() {
            self.quad(start, stop);
        }
        stop
    }

    /// Whether any check of so many digits could have a say.
    #[inline]
    fn is_worth(&self, length: usize, near: DetectorSet) -> bool {
        let tries = &self.tables.plain[length];
        !tries.alone.is_empty() || self.asks_weak(tries.set, near)
    }

    /// Whether anything speaks for one of these.
    #[inline]
    fn asks_weak(&self, set: DetectorSet, near: DetectorSet) -> bool {
        self.column.is_some() || !set.both(self.context.supported.union(near)).is_empty()
    }

    fn plain(&mut self, window: Window, near: DetectorSet) {
        let tries = &self.tables.plain[window.key as usize & 31];
        for attempt in &tries.alone {
            self.digits(attempt, window, near);
        }
        if self.asks_weak(tries.set, near) {
            for attempt in &tries.weak {
                self.digits(attempt, window, near);
            }
        }
    }

    fn grouped(&mut self, window: Window, near: DetectorSet) {
        let tables = self.tables;
        for attempt in tables.grouped(window.key) {
            if attempt.layout.fits(self.run, window) {
                self.digits(attempt, window, near);
            }
        }
    }

    #[inline]
    fn digits(&mut self, attempt: &super::tables::DigitsTry, window: Window, near: DetectorSet) {
        if self.column.is_some() {
            let (start, end) = self.run.span(window);
            let passed = (attempt.check)(&self.run.digits(window)).is_some();
            self.count(attempt.place, start, end, passed);
        } else if (attempt.layout.alone || self.is_supported(attempt.place, near))
            && let Some(grade) = (attempt.check)(&self.run.digits(window))
        {
            let (start, end) = self.run.span(window);
            self.judge(attempt.place, Found { start, end, grade }, near);
        }
    }

    fn quad(&mut self, start: usize, end: usize) {
        let tables = self.tables;
        for attempt in &tables.quads {
            self.site(attempt.place, attempt.check, start, end);
        }
    }

    /// The checks for a word of this length.
    #[inline]
    fn tries(&mut self, tries: &'p Tries<Try<SiteCheck>>, start: usize, end: usize) {
        for attempt in &tries.alone {
            self.site(attempt.place, attempt.check, start, end);
        }
        if !tries.weak.is_empty() && self.asks_weak(tries.set, self.near.at(start)) {
            let near = self.near.at(start);
            for attempt in &tries.weak {
                if self.column.is_some() || self.is_supported(attempt.place, near) {
                    self.site(attempt.place, attempt.check, start, end);
                }
            }
        }
    }

    fn leads(&mut self, start: usize, end: usize) {
        let tables = self.tables;
        for attempt in &tables.leads[end - start] {
            self.site(attempt.place, attempt.check, start, end);
        }
    }

    /// A word of letters and digits.
    #[inline]
    fn mixed(&mut self, start: usize, end: usize, class: u8) {
        let tables = self.tables;
        let length = end - start;
        if let Some(tries) = tables.words.get(length) {
            self.tries(tries, start, end);
        }
        if class & LINE != 0 && length > 12 {
            self.lined(start, end);
        }
    }

    /// Digits between low lines: `card_4111111111111111`.
    fn lined(&mut self, start: usize, end: usize) {
        let mut at = start;
        while at < end {
            let stop = at + self.text[at..end].iter().position(|byte| *byte == b'_').unwrap_or(end - at);
            let length = stop - at;
            if (12..=19).contains(&length) && self.text[at..stop].iter().all(u8::is_ascii_digit) {
                self.run.read(self.text, at, stop);
                if self.run.count() > 0 {
                    let near = self.near.at(at);
                    self.plain(Window { first: 0, last: 0, key: length as u64 }, near);
                }
            }
            at = stop + 1;
        }
    }

    #[cold]
    fn prefixed(&mut self, start: usize, end: usize) {
        let tables = self.tables;
        for attempt in &tables.prefixes {
            self.site(attempt.place, attempt.check, start, end);
        }
    }

    /// A marked byte.
    #[inline]
    fn mark(&mut self, at: usize) {
        let byte = self.text[at];
        match byte {
            b'%' | b'&' | b'\\' => self.has_escapes = true,
            // Hyphens are everywhere; only two of them begin something.
            b'-' if self.text.get(at + 1) != Some(&b'-') && self.last.1 - self.last.0 != 2 => return,
            _ => {}
        }
        let tables = self.tables;
        for attempt in &tables.marks[usize::from(byte & 127)] {
            self.site(attempt.place, attempt.check, at, at + 1);
        }
    }

    #[inline]
    fn site(&mut self, place: u8, check: SiteCheck, start: usize, end: usize) {
        let site = Site { text: self.text, start, end, word: (self.last.0, self.last.1) };
        let found = check(&site);
        if self.column.is_some() {
            match found {
                Some(found) => self.count(place, found.start, found.end, true),
                None => self.count(place, start, end, false),
            }
        } else if let Some(found) = found {
            let near = self.near.at(found.start);
            self.judge(place, found, near);
        }
    }

    #[inline]
    fn is_supported(&self, place: u8, near: DetectorSet) -> bool {
        self.context.supported.union(near).contains(usize::from(place))
    }

    fn count(&mut self, place: u8, start: usize, end: usize, passed: bool) {
        let whole = start == 0 && end == self.text.len();
        if let (Some(column), true) = (self.column.as_mut(), whole) {
            let tally = &mut column.tallies[usize::from(place)];
            tally.shaped = tally.shaped.saturating_add(1);
            tally.passed = tally.passed.saturating_add(u32::from(passed));
        }
    }

    fn offer(&mut self, place: u8, found: Found) {
        self.judge(place, found, DetectorSet::NONE);
    }

    /// Weighs what was found, and keeps it if it weighs enough and nothing better lies over it.
    fn judge(&mut self, place: u8, found: Found, near: DetectorSet) {
        let index = usize::from(place);
        let score = score::score(found.grade.odds() + self.context.odds(index, near));
        if score < self.threshold {
            return;
        }
        let detector = ALL[index];
        let (start, end) = (found.start, found.end);
        let supported = self.context.supported.union(near).contains(index);
        let value = &self.text[start..end];
        let mut at = self.found.len();
        while at > self.first {
            at -= 1;
            let other = &self.found[at];
            if other.offset < end && start < other.offset + other.length && other.layers == 0 {
                let is_same_kind = detector.shows != Shows::Nothing && other.detector().shows != Shows::Nothing;
                let is_inside = other.offset <= start && end <= other.offset + other.length;
                if is_same_kind && score > other.score || detector.name == other.detector().name && !is_inside {
                    self.found.swap_remove(at);
                } else if is_same_kind || detector.name == other.detector().name {
                    return;
                }
            }
        }
        let is_news = !self.context.announced.contains(index);
        let fingerprint = self.fingerprints.filter(|_| is_news).map(|of| of.of(value, detector.shows == Shows::Number));
        let shows_form = is_news && detector.shows != Shows::Nothing;
        let preview = if shows_form { Preview::of(value) } else { Preview::HIDDEN };
        let class = self.tables.classes[index];
        let length = end - start;
        self.found.push(Hit {
            detector: place,
            class,
            offset: start,
            length,
            score,
            layers: 0,
            supported,
            fingerprint,
            preview,
        });
    }

    /// A word that may be the first of a row of base64; answers with the end of the row.
    fn base64(&mut self, start: usize, end: usize, length: usize) -> usize {
        let text = self.text;
        if self.column.is_some() || self.layers.is_empty() {
            return end;
        }
        // A row of `a-z` and slashes is a path: base64 mixes its letters early.
        let stop = if length >= decode::BASE64 || matches!(text.get(end), Some(b'+' | b'/' | b'-')) {
            skip(text, end, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_'))
        } else {
            end
        };
        if stop - start < decode::BASE64 {
            return end;
        }
        let (mut classes, mut turns, mut before) = (0, 0, 0);
        for byte in &text[start..stop.min(start + 40)] {
            let class = CLASS[usize::from(*byte)];
            turns += usize::from(class != before);
            classes |= class;
            before = class;
        }
        if classes & (UPPER | LOWER) != (UPPER | LOWER) || classes & HIGH != 0 || turns < 8 {
            return end;
        }
        let Some(mut decoded) = self.layers.pop() else { return end };
        let first = self.found.len();
        let is_text = decoded.base64(&text[start..stop]);
        if is_text {
            let near = Near::carrying(self.near.at(start));
            self.below(&decoded, near);
            self.take_over(first, |_, _| (start, stop - start));
        }
        self.layers.push(decoded);
        if is_text { stop } else { end }
    }

    /// What escapes, entities and characters in disguise hide.
    #[cold]
    fn decoded(&mut self) {
        if self.column.is_some() {
            return;
        }
        let Some(mut decoded) = self.layers.pop() else { return };
        for way in [Decoded::unescape, Decoded::fold] {
            let first = self.found.len();
            if way(&mut decoded, self.text) {
                self.below(&decoded, Near::default());
                self.take_over(first, |start, end| decoded.origin(start, end));
            }
        }
        self.layers.push(decoded);
    }

    fn below(&mut self, decoded: &Decoded, near: Near) {
        let mut pass = Pass::new(
            self.tables,
            self.threshold,
            self.fingerprints,
            self.context,
            &decoded.text,
            &mut *self.layers,
            &mut *self.run,
            &mut *self.found,
        );
        pass.near = near;
        pass.run();
    }

    /// Gives the hits from `first` on their places in this pass's text, and drops those it had already.
    fn take_over(&mut self, first: usize, origin: impl Fn(usize, usize) -> (usize, usize)) {
        let mut kept = first;
        for at in first..self.found.len() {
            let mut hit = self.found[at];
            (hit.offset, hit.length) = origin(hit.offset, hit.offset + hit.length);
            hit.layers += 1;
            let is_known = self.found[self.first..first].iter().any(|known| {
                known.offset < hit.offset + hit.length
                    && hit.offset < known.offset + known.length
                    && (known.detector == hit.detector || known.score >= hit.score)
            });
            if !is_known {
                self.found[kept] = hit;
                kept += 1;
            }
        }
        self.found.truncate(kept);
    }
}
