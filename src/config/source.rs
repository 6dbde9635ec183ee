//! A file of the user's as text, and the places in it that findings point at.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::error::Place;

/// A file's text with the starts of its lines. Offsets are bytes of the text.
#[derive(Debug)]
pub struct Source {
    /// The file as the user would name it.
    pub file: String,
    text: String,
    starts: Vec<usize>,
    /// Lines (from 1) that hold a literal secret: their text is never shown.
    hidden: RefCell<BTreeSet<u32>>,
}

/// Longest line that is shown; a caret under a longer one helps nobody.
const MAX_SHOWN: usize = 1000;

impl Source {
    /// A file whose lines may be shown, but for those that are hidden later.
    pub fn new(file: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1));
        Self { file: file.into(), text, starts, hidden: RefCell::default() }
    }

    /// A file in which secrets may stand: a line that seems to hold one is not shown, even
    /// where the file cannot be read as YAML and nobody can tell for sure.
    pub fn guarded(file: impl Into<String>, text: impl Into<String>) -> Self {
        let source = Self::new(file, text);
        let telling = (1..=source.starts.len()).filter(|line| seems_secret(source.content(*line)));
        let telling: BTreeSet<u32> = telling.map(|line| line as u32).collect();
        source.hidden.replace(telling);
        source
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The place of a range of bytes: of its first line, if it spans several.
    pub fn place(&self, start: usize, end: usize) -> Place {
        let start = self.floor(start);
        let (line, from) = self.line_at(start);
        let content = self.content(line);
        let before = self.text[from..start].chars().count() as u32;
        let line_end = from + content.len();
        let end = self.floor(end).clamp(start, line_end.max(start));
        let width = self.text[start..end].chars().count().max(1) as u32;
        Place {
            file: self.file.clone(),
            line: line as u32,
            column: before + 1,
            width,
            source: self.shown(line as u32).to_owned(),
        }
    }

    /// The place of the file as a whole: its first character.
    pub fn top(&self) -> Place {
        self.place(0, 0)
    }

    /// Line (from 1) and column in characters (from 1) of a byte.
    pub fn line_and_column(&self, at: usize) -> (u32, u32) {
        let at = self.floor(at);
        let (line, from) = self.line_at(at);
        (line as u32, self.text[from..at].chars().count() as u32 + 1)
    }

    /// Never again shows the lines that this range of bytes touches.
    pub fn hide(&self, start: usize, end: usize) {
        let (first, last) = (self.line_at(self.floor(start)).0, self.line_at(self.floor(end.max(start))).0);
        self.hidden.borrow_mut().extend((first as u32)..=(last as u32));
    }

    /// The text of a line (from 1) without its end; empty where it may hold a secret.
    pub fn shown(&self, line: u32) -> &str {
        let content = self.content(line as usize);
        if content.len() > MAX_SHOWN || self.hidden.borrow().contains(&line) { "" } else { content }
    }

    /// The first line (from 1) longer than so many bytes.
    pub fn line_longer_than(&self, bytes: usize) -> Option<(usize, usize)> {
        (1..=self.starts.len()).find(|line| self.content(*line).len() > bytes).map(|line| (line, self.starts[line - 1]))
    }

    fn line_at(&self, at: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= at).max(1);
        (line, self.starts[line - 1])
    }

    fn content(&self, line: usize) -> &str {
        let Some(&from) = self.starts.get(line.wrapping_sub(1)) else { return "" };
        let to = self.starts.get(line).map_or(self.text.len(), |next| next - 1);
        self.text[from..to.max(from)].trim_end_matches('\r').trim_start_matches('\u{feff}')
    }

    fn floor(&self, at: usize) -> usize {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

/// Words in the name of a key whose value is a secret.
const SECRET_WORDS: &[&str] =
    &["password", "passwd", "secret", "token", "api_key", "apikey", "access_key", "private_key", "credential"];

/// Endings of names that only speak about a secret: where it is got, where it is sent.
const ABOUT_SECRETS: &[&str] =
    &["_url", "_uri", "_path", "_header", "_type", "_field", "_name", "_place", "_seconds", "_secs"];

/// Whether a key of that name holds a secret, by its name alone.
pub fn secret_name(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('-', "_");
    SECRET_WORDS.iter().any(|word| key.contains(word)) && !ABOUT_SECRETS.iter().any(|ending| key.ends_with(ending))
}

/// Whether a line seems to hold a literal secret: a telling key with something after its colon
/// that is no reference, or a URL with a password.
fn seems_secret(line: &str) -> bool {
    let lower = line.to_ascii_lowercase().replace('-', "_");
    let telling = SECRET_WORDS.iter().any(|word| {
        lower.match_indices(word).any(|(at, _)| {
            let rest =
                lower[at..].split_once(':').map_or("", |(_, rest)| rest).trim_start().trim_start_matches(['"', '\'']);
            !rest.is_empty() && !rest.starts_with('#') && !rest.starts_with("${") && !rest.starts_with('{')
        })
    });
    telling || password_in_url(line)
}

/// Whether text holds a URL with a password in it (`scheme://user:password@host`).
pub fn password_in_url(text: &str) -> bool {
    text.match_indices("://").any(|(at, _)| {
        let authority = &text[at + 3..];
        let authority = &authority[..authority.find(['/', '?', '#', ' ', '"', '\'']).unwrap_or(authority.len())];
        authority
            .rsplit_once('@')
            .and_then(|(user, _)| user.split_once(':'))
            .is_some_and(|(_, password)| !password.is_empty() && !password.starts_with("${"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_widths_count_characters() {
        let source = Source::new("a.yaml", "größe: 1\r\nname: ключ\n");
        let place = source.place(source.text().find("ключ").unwrap(), source.text().len());
        assert_eq!((place.line, place.column, place.width, place.source.as_str()), (2, 7, 4, "name: ключ"));
        let place = source.place(source.text().find('1').unwrap(), source.text().find('1').unwrap() + 1);
        assert_eq!((place.line, place.column, place.width, place.source.as_str()), (1, 8, 1, "größe: 1"));
        let place = source.place(999, 1000);
        assert_eq!((place.line, place.column, place.width), (3, 1, 1));
    }

    #[test]
    fn lines_that_seem_to_hold_a_secret_are_not_shown() {
        for (line, shown) in [
            ("  access_token: abc", false),
            ("  access_token: ${env:TOKEN}", true),
            ("  access-token: \"${env:TOKEN}\"", true),
            ("  tokens_per_second: 5", false),
            ("  token:", true),
            ("  url: https://me:pw@host/x", false),
            ("  url: https://me@host:80/x", true),
            ("  path: a.csv", true),
        ] {
            assert_eq!(!Source::guarded("c", line).shown(1).is_empty(), shown, "{line}");
        }
        let source = Source::new("c", "a\nb\nc\n");
        source.hide(2, 4);
        assert_eq!([1, 2, 3].map(|line| source.shown(line)), ["a", "", ""]);
    }
}
