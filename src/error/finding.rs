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
}

/// The findings of a check, kept in the order of file, line and column.
pub type Findings = Vec<Finding>;

impl Finding {
    /// An error at a place.
    pub fn error(code: &'static Code, place: impl Into<Option<Place>>, cause: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, place: place.into(), cause: cause.into(), fix: None }
    }

    /// A warning at a place.
    pub fn warning(code: &'static Code, place: impl Into<Option<Place>>, cause: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, place, cause) }
    }

    /// A note at a place.
    pub fn note(code: &'static Code, place: impl Into<Option<Place>>, cause: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::error(code, place, cause) }
    }

    /// Adds what to do.
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// Adds "did you mean `x`?" if one of the known names is near.
    pub fn did_you_mean<'n>(mut self, name: &str, known: impl IntoIterator<Item = &'n str>) -> Self {
        if self.fix.is_none() {
            self.fix = nearest(name, known).map(|near| format!("did you mean `{near}`?"));
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
