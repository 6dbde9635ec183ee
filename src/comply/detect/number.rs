//! Runs of digits with single separators between them, and the layouts that numbers are written in.

use super::bytes::{is_digit, is_word};

/// The most digits of a run that are read; longer ones are no number that anybody looks for.
const DIGITS: usize = 40;
/// The most groups.
const GROUPS: usize = 10;

/// A run of groups of digits: `4111 1111 1111 1111`, `123-45-6789`.
pub(super) struct Run {
    digits: [u8; DIGITS],
    /// Of each group: its first digit's index, its length, where it starts in the text.
    groups: [(u8, u8, usize); GROUPS],
    /// The separator after each group, 0 where none follows.
    separators: [u8; GROUPS],
    count: usize,
}

/// Some groups of a run: what a detector judges.
pub struct Digits<'r> {
    /// The digits, each 0 to 9.
    pub digits: &'r [u8],
    /// Whether separators stand between them.
    pub grouped: bool,
}

impl std::ops::Deref for Digits<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.digits
    }
}

impl Digits<'_> {
    /// The number that some of the digits make; 0 beyond the end.
    pub fn number(&self, from: usize, length: usize) -> u32 {
        self.digits.get(from..from + length).unwrap_or_default().iter().fold(0, |sum, d| sum * 10 + u32::from(*d))
    }

    /// The sum of the digits, each times its weight.
    pub fn weighted(&self, weights: &[u32]) -> u32 {
        self.digits.iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum()
    }

    /// Whether all are the same.
    pub fn is_uniform(&self) -> bool {
        self.digits.iter().all(|digit| *digit == self.digits[0])
    }
}

/// Some groups of a run that stand alone enough to be judged.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub(super) first: usize,
    pub(super) last: usize,
    /// The lengths of the groups, five bits each.
    pub(super) key: u64,
}

/// A way to write a number: the lengths of its groups with what stands between them. `_` is a space or a
/// hyphen, `*` any separator, the same each time; others stand for themselves.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// As in `3_2_4`.
    pub pattern: &'static str,
    /// Whether a value in it can be a hit with nothing around it that says so.
    pub alone: bool,
}

impl Layout {
    /// Speaks for itself.
    pub const fn alone(pattern: &'static str) -> Self {
        Self { pattern, alone: true }
    }

    /// Needs a name or a word near it.
    pub const fn weak(pattern: &'static str) -> Self {
        Self { pattern, alone: false }
    }

    /// Its groups' lengths, five bits each.
    pub(super) fn key(self) -> u64 {
        self.lengths().fold(0, |key, length| key << 5 | length)
    }

    fn lengths(self) -> impl Iterator<Item = u64> {
        self.pattern.split(|c: char| !c.is_ascii_digit()).map(|length| length.parse().unwrap_or(0))
    }

    pub(super) fn fits(self, run: &Run, window: Window) -> bool {
        let mut wanted = self.pattern.bytes().filter(|byte| !byte.is_ascii_digit());
        let first = run.separators[window.first];
        (window.first..window.last).all(|group| match wanted.next() {
            Some(b'_') => run.separators[group] == first && matches!(first, b' ' | b'-'),
            Some(b'*') => run.separators[group] == first,
            other => other == Some(run.separators[group]),
        })
    }
}

impl Run {
    pub(super) const fn new() -> Self {
        Self { digits: [0; DIGITS], groups: [(0, 0, 0); GROUPS], separators: [0; GROUPS], count: 0 }
    }

    /// Reads the run whose first group is the word from `start` to `end`; answers with its end.
    /// No groups are left if it is too long for anything.
    pub(super) fn read(&mut self, text: &[u8], start: usize, end: usize) -> usize {
        let (mut start, mut end) = (start, end);
        let mut held = 0;
        self.count = 0;
        loop {
            let length = end - start;
            if held + length > DIGITS || length > 31 {
                self.count = 0;
                return end;
            }
            for (place, byte) in self.digits[held..].iter_mut().zip(&text[start..end]) {
                *place = byte - b'0';
            }
            self.groups[self.count] = (held as u8, length as u8, start);
            self.separators[self.count] = 0;
            held += length;
            self.count += 1;
            let separator = match text.get(end) {
                Some(byte @ (b' ' | b'-' | b'.' | b'/')) if is_digit(text, end + 1) => *byte,
                _ => return end,
            };
            let next = super::bytes::skip(text, end + 1, |byte| byte.is_ascii_digit());
            self.separators[self.count - 1] = separator;
            if is_word(text, next) || self.count == GROUPS {
                // Letters hang on the next group: it is no part of a number, but it is there.
                return end;
            }
            start = end + 1;
            end = next;
        }
    }

    /// How many groups there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Where a window stands in the text.
    pub(super) fn span(&self, window: Window) -> (usize, usize) {
        let (_, length, last) = self.groups[window.last];
        (self.groups[window.first].2, last + usize::from(length))
    }

    /// The digits of a window.
    pub(super) fn digits(&self, window: Window) -> Digits<'_> {
        let from = usize::from(self.groups[window.first].0);
        let (to, length, _) = self.groups[window.last];
        Digits {
            digits: &self.digits[from..usize::from(to) + usize::from(length)],
            grouped: window.first != window.last,
        }
    }

    /// The window from one group to another, unless it is plainly a part of something longer.
    /// `joined`: something with digits stands right before the run. `key`: that of the window without its last group.
    pub(super) fn window(&self, first: usize, last: usize, key: u64, joined: bool) -> Option<Window> {
        let before = match first {
            0 if joined => b'-',
            0 => 0,
            _ => self.separators[first - 1],
        };
        let after = self.separators[last];
        let inner = if first == last { 0 } else { self.separators[first] };
        let digits = usize::from(self.groups[last].0 + self.groups[last].1 - self.groups[first].0);
        let clear = |outer: u8| match outer {
            0 => true,
            b' ' => inner != b' ' || digits >= 12,
            other => inner != 0 && inner != other,
        };
        (clear(before) && clear(after)).then_some(Window { first, last, key })
    }

    /// The key of a window with one more group.
    pub(super) fn key(&self, key: u64, group: usize) -> u64 {
        key << 5 | u64::from(self.groups[group].1)
    }

    #[cfg(test)]
    fn windows(&self, first: usize, joined: bool) -> impl Iterator<Item = Window> + '_ {
        let mut key = 0;
        (first..self.count).filter_map(move |last| {
            key = self.key(key, last);
            self.window(first, last, key, joined)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(text: &str) -> Vec<String> {
        let mut run = Run::new();
        let end = super::super::bytes::skip(text.as_bytes(), 0, |byte| byte.is_ascii_digit());
        run.read(text.as_bytes(), 0, end);
        (0..run.count())
            .flat_map(|first| run.windows(first, false).collect::<Vec<_>>())
            .map(|window| {
                let (from, to) = run.span(window);
                text[from..to].to_string()
            })
            .collect()
    }

    #[test]
    fn parts_of_longer_numbers_are_left_out() {
        assert_eq!(windows("123456789"), ["123456789"]);
        assert_eq!(windows("123-45-6789"), ["123-45-6789"]);
        assert_eq!(windows("1.23"), ["1.23"]);
        assert_eq!(windows("123-45-6789 12"), ["123-45-6789", "123-45-6789 12", "6789 12", "12"]);
        assert!(windows("4111 1111 1111 1111 123").contains(&"4111 1111 1111 1111".to_string()));
        assert_eq!(windows("12-34-56x"), Vec::<String>::new());
        assert_eq!(windows(&"1".repeat(50)), Vec::<String>::new());
        assert_eq!(windows(&"1-".repeat(50)), Vec::<String>::new());
    }

    #[test]
    fn layouts_name_their_separators() {
        let fits = |pattern, text: &str| {
            let mut run = Run::new();
            let end = super::super::bytes::skip(text.as_bytes(), 0, |byte| byte.is_ascii_digit());
            run.read(text.as_bytes(), 0, end);
            let layout = Layout::alone(pattern);
            run.windows(0, false).any(|window| window.key == layout.key() && layout.fits(&run, window))
        };
        assert!(fits("3_2_4", "123-45-6789") && fits("3_2_4", "123 45 6789"));
        assert!(!fits("3_2_4", "123-45 6789") && !fits("3_2_4", "123.45.6789") && !fits("3_2_4", "123-456-789"));
        assert!(fits("3.3.3-2", "123.456.789-09") && !fits("3.3.3-2", "123.456.789.09"));
        assert!(fits("2*2*4", "31.12.1999") && fits("2*2*4", "31/12/1999") && fits("9", "123456789"));
    }
}
