//! A finding: what a check has to say about one place in a user's file.

use super::Code;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Works today, will hurt.
    Warning,
    /// Must be fixed; the check fails.
    Error,
}

/// A place in a file: line and column count from 1, the column in characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file as the user would name it (relative to where they stand, if below it).
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// How many characters the thing at fault covers; at least 1.
    pub width: u32,
    /// The text of that line, without its end. Empty where the file is not at hand, or
    /// where the line holds a literal secret.
    pub source: String,
}

impl Place {
    /// The change that puts another name in the place of this one, if it stands here exactly once
    /// and the new one needs no quotes anywhere.
    pub fn rename(&self, name: &str, by: &str) -> Option<Edit> {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let begins = by.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        if name.is_empty() || !begins || !by.chars().all(plain) {
            return None;
        }
        let before = self.column.checked_sub(1)? as usize;
        let here: String = self.source.chars().skip(before).take(self.width as usize).collect();
        let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let mut found = here
            .match_indices(name)
            .filter(|(at, _)| !part(here[..*at].chars().next_back()) && !part(here[at + name.len()..].chars().next()));
        let (at, _) = found.next()?;
        if found.next().is_some() {
            return None;
        }
        let column = self.column + here[..at].chars().count() as u32;
        Some(Edit::at(self.line, column, name.chars().count() as u32, by))
    }

    /// Whether another place begins inside of this one.
    pub fn covers(&self, other: &Self) -> bool {
        self.file == other.file
            && self.line == other.line
            && (self.column..self.column + self.width).contains(&other.column)
    }
}

/// One result of a static check: code, place, cause and fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stable code.
    pub code: &'static Code,
    /// How much it weighs.
    pub severity: Severity,
    /// Where.
    pub place: Option<Place>,
    /// The cause in one sentence without a final period.
    pub cause: String,
    /// What to do, one sentence, if we know.
    pub fix: Option<String>,
    /// The same as a change of the file's text, where there is exactly one.
    pub edit: Option<Edit>,
    /// What it breaks, for findings of compliance.
    pub breach: Option<Box<Breach>>,
}

/// What a finding of compliance breaks, and how the data got there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breach {
    /// The check: `P17`.
    pub check: &'static str,
    /// Ids of controls, each with the name of its standard.
    pub controls: Vec<String>,
    /// The data classes.
    pub classes: Vec<String>,
    /// What was looked at: a mapping, or `mapping.field`.
    pub object: String,
    /// The connector that is written to.
    pub target: String,
    /// The way of the class: its source, what it passes, where it arrives.
    pub way: Vec<String>,
    /// Who answers for it.
    pub waived: Option<Waived>,
}

/// Who answers for a finding, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waived {
    /// Who.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The last day.
    pub until: String,
    /// Where it was decided.
    pub ticket: Option<String>,
    /// Whether that day is over: then it takes no weight off.
    pub expired: bool,
}

/// A change of the text of the file that a finding is about: applied word for word, the finding is
/// gone. Lines and columns count from 1, columns in characters; the end is behind what is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Line and column of the first character that is replaced.
    pub start: (u32, u32),
    /// Line and column behind the last one; the same as the start where text is only put in.
    pub end: (u32, u32),
    /// What stands there afterwards.
    pub text: String,
}

impl Edit {
    /// Puts text in the place of so many characters of one line.
    pub fn at(line: u32, column: u32, width: u32, text: impl Into<String>) -> Self {
        Self { start: (line, column), end: (line, column + width), text: text.into() }
    }

    /// The bytes of the file that it replaces; `None` if the file has no such place.
    pub fn bytes(&self, file: &str) -> Option<(usize, usize)> {
        let mark = if file.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let at = |(line, column): (u32, u32)| {
            let mut from = mark;
            for _ in 1..line {
                from += file.get(from..)?.find('\n')? + 1;
            }
            let content = file.get(from..)?.split('\n').next()?;
            let within = content.char_indices().map(|(at, _)| at).chain([content.len()]);
            within.clone().nth(column.checked_sub(1)? as usize).map(|at| from + at)
        };
        let (start, end) = (at(self.start)?, at(self.end)?);
        (start <= end).then_some((start, end))
    }

    /// The file's text with the change made.
    pub fn apply(&self, file: &str) -> Option<String> {
        let (start, end) = self.bytes(file)?;
        Some([&file[..start], &self.text, &file[end..]].concat())
    }
}

/// The findings of a check, kept in the order of file, line and column.
pub type Findings = Vec<Finding>;

impl Finding {
    /// An error at a place.
    pub fn error(code: &'static Code, place: impl Into<Option<Place>>, cause: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            place: place.into(),
            cause: cause.into(),
            fix: None,
            edit: None,
            breach: None,
        }
    }

    /// A warning at a place.
    pub fn warning(code: &'static Code, place: impl Into<Option<Place>>, cause: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, place, cause) }
    }

    /// A note at a place.
    pub fn note(code: &'static Code, place: impl Into<Option<Place>>, cause: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::error(code, place, cause) }
    }

    /// The waiver that holds for it.
    pub fn waived(&self) -> Option<&Waived> {
        self.breach.as_ref()?.waived.as_ref().filter(|waived| !waived.expired)
    }

    /// Adds what to do.
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// Adds the change of the file that does it.
    pub fn edit(mut self, edit: impl Into<Option<Edit>>) -> Self {
        self.edit = edit.into();
        self
    }

    /// Adds "did you mean `x`?" if one of the known names is near.
    pub fn did_you_mean<'n>(mut self, name: &str, known: impl IntoIterator<Item = &'n str>) -> Self {
        if self.fix.is_none()
            && let Some(near) = nearest(name, known)
        {
            self.fix = Some(format!("did you mean `{near}`?"));
            self.edit = self.place.as_ref().and_then(|place| place.rename(name, near));
        }
        self
    }
}

/// The known name nearest to a mistyped one, if any is near enough to be meant.
pub fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    if name.len() > 100 {
        // Nobody mistypes that much, and comparing it takes long.
        return None;
    }
    let wanted = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_counts_characters_and_lines() {
        let file = "größe: 1\nname: ключ\n";
        let check = |edit: Edit, expected: Option<&str>| assert_eq!(edit.apply(file).as_deref(), expected, "{edit:?}");
        check(Edit::at(2, 7, 4, "x"), Some("größe: 1\nname: x\n"));
        check(Edit::at(2, 11, 0, "!"), Some("größe: 1\nname: ключ!\n"));
        check(Edit { start: (1, 9), end: (2, 1), text: " ".into() }, Some("größe: 1 name: ключ\n"));
        check(Edit::at(3, 1, 0, "z"), Some("größe: 1\nname: ключ\nz"));
        check(Edit::at(2, 12, 0, "!"), None);
        check(Edit::at(4, 1, 0, "!"), None);
        check(Edit::at(0, 0, 0, "!"), None);
        assert_eq!(Edit::at(1, 1, 1, "b").apply("\u{feff}a").as_deref(), Some("\u{feff}b"));
    }

    #[test]
    fn a_name_is_renamed_where_it_stands_once() {
        let place = |column, width| Place {
            file: "m".into(),
            line: 3,
            column,
            width,
            source: "  source: supplier.emial".into(),
        };
        let check = |place: Place, name: &str, by: &str, expected: Option<Edit>| {
            assert_eq!(place.rename(name, by), expected, "{name}");
        };
        check(place(11, 14), "emial", "email", Some(Edit::at(3, 20, 5, "email")));
        check(place(11, 14), "mial", "mail", None);
        check(place(11, 14), "emial", "e mail", None);
        check(place(11, 99), "supplier", "suppliers", Some(Edit::at(3, 11, 8, "suppliers")));
        check(place(90, 9), "emial", "email", None);
    }
}
