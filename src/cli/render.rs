//! Errors and findings as a person reads them: cause, place with the source line, facts, fix, code.

use super::output::json::severity;
use super::output::text::{count, shown};
use crate::error::{Error, Finding, Place, Severity};

/// Longest part of a source line that is shown.
const SHOWN_COLUMNS: usize = 120;

/// Colours, or none. Meaning never depends on them.
#[derive(Clone, Copy)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_string() }
    }
    pub(super) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }
    pub(super) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }
    pub(super) fn level(self, level: Severity, text: &str) -> String {
        self.wrap(
            match level {
                Severity::Error => "1;31",
                Severity::Warning => "1;33",
                Severity::Note => "1;36",
            },
            text,
        )
    }
}

/// An error, its findings included.
pub(super) fn error(error: &Error, paint: Paint) -> String {
    let mut out = String::new();
    for found in error.all_findings() {
        out.push_str(&finding(found, paint));
        out.push('\n');
    }
    out.push_str(&format!("{}: {}\n", paint.level(Severity::Error, "error"), paint.bold(&shown(&error.to_string()))));
    if let Some(at) = error.place() {
        out.push_str(&place(at, Severity::Error, paint));
    }
    for (name, value) in error.facts() {
        out.push_str(&format!("  {name}: {}\n", shown(value)));
    }
    for hint in error.hints() {
        out.push_str(&format!("  fix: {}\n", shown(hint)));
    }
    // Each finding has said its own code.
    if error.all_findings().is_empty() {
        out.push_str(&code_line(error.code().id, paint));
    }
    out
}

/// One finding.
pub(super) fn finding(found: &Finding, paint: Paint) -> String {
    let level = found.severity;
    let mut out = format!("{}: {}\n", paint.level(level, severity(level)), paint.bold(&shown(&found.cause)));
    if let Some(at) = &found.place {
        out.push_str(&place(at, level, paint));
    }
    if let Some(fix) = &found.fix {
        out.push_str(&format!("  fix: {}\n", shown(fix)));
    }
    if let Some(waived) = found.waived() {
        let ticket = waived.ticket.as_ref().map_or_else(String::new, |ticket| format!(" ({ticket})"));
        let by = format!("  waived: until {} by {}{ticket}: {}", waived.until, waived.owner, waived.reason);
        out.push_str(&format!("{}\n", shown(&by)));
    }
    out.push_str(&code_line(found.code.id, paint));
    out
}

/// All findings and the last line that counts them.
pub(super) fn findings(found: &[Finding], paint: Paint) -> String {
    let mut out = String::new();
    for one in found {
        out.push_str(&finding(one, paint));
        out.push('\n');
    }
    out.push_str(&summary(found));
    out
}

/// "12 errors, 1 warning in 3 files".
fn summary(found: &[Finding]) -> String {
    let of = |level| found.iter().filter(|f| f.severity == level).count() as u64;
    let mut parts = Vec::new();
    for (level, one, many) in [
        (Severity::Error, "error", "errors"),
        (Severity::Warning, "warning", "warnings"),
        (Severity::Note, "note", "notes"),
    ] {
        if of(level) > 0 {
            parts.push(count(of(level), one, many));
        }
    }
    let mut files: Vec<&str> = found.iter().filter_map(|f| f.place.as_ref()).map(|p| p.file.as_str()).collect();
    files.sort_unstable();
    files.dedup();
    let files =
        if files.is_empty() { String::new() } else { format!(" in {}", count(files.len() as u64, "file", "files")) };
    format!("{}{files}\n", parts.join(", "))
}

fn code_line(id: &str, paint: Paint) -> String {
    format!("  {}\n", paint.dim(&format!("code: {id} (consign --explain {id})")))
}

/// `--> file:line:col`, the source line and a caret under the thing at fault.
fn place(at: &Place, level: Severity, paint: Paint) -> String {
    let mut out = format!("  {} {}:{}:{}\n", paint.dim("-->"), shown(&at.file), at.line, at.column);
    if at.source.trim().is_empty() {
        return out;
    }
    let characters: Vec<char> = at.source.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let column = (at.column.max(1) as usize - 1).min(characters.len());
    // A long line is cut around the fault.
    let first = if characters.len() <= SHOWN_COLUMNS { 0 } else { column.saturating_sub(SHOWN_COLUMNS / 2) };
    let last = (first + SHOWN_COLUMNS).min(characters.len());
    let text: String = characters[first..last].iter().collect();
    let width = (at.width.max(1) as usize).min((last - column).max(1));
    let gutter = at.line.to_string();
    let blank = " ".repeat(gutter.len());
    out.push_str(&format!("{blank} {}\n", paint.dim("|")));
    out.push_str(&format!("{} {} {}\n", paint.dim(&gutter), paint.dim("|"), text.trim_end()));
    let caret = paint.level(level, &"^".repeat(width));
    out.push_str(&format!("{blank} {} {}{caret}\n", paint.dim("|"), " ".repeat(column - first)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::codes;

    fn check(place: Place, expected: &str) {
        let found = Finding::error(&codes::BUG, place, "odd").fix("make it even");
        assert_eq!(finding(&found, Paint(false)), expected);
    }

    #[test]
    fn a_finding_shows_its_place() {
        check(
            Place { file: "m.yaml".into(), line: 12, column: 3, width: 2, source: "a bé c".into() },
            "error: odd\n  --> m.yaml:12:3\n   |\n12 | a bé c\n   |   ^^\n  fix: make it even\n  code: bug (consign --explain bug)\n",
        );
        check(
            Place { file: "m.yaml".into(), line: 1, column: 9, width: 9, source: String::new() },
            "error: odd\n  --> m.yaml:1:9\n  fix: make it even\n  code: bug (consign --explain bug)\n",
        );
    }

    #[test]
    fn a_place_past_the_end_and_a_long_line_are_no_panic() {
        for column in [0, 1, 5, 150, 400, u32::MAX] {
            let place = Place { file: "m".into(), line: 1, column, width: u32::MAX, source: "ä\t".repeat(150) };
            assert!(finding(&Finding::error(&codes::BUG, place, "x"), Paint(true)).contains('^'));
        }
    }

    #[test]
    fn the_last_line_counts() {
        let at = |file: &str| Place { file: file.into(), line: 1, column: 1, width: 1, source: String::new() };
        let found = [
            Finding::error(&codes::BUG, at("a"), "x"),
            Finding::error(&codes::BUG, at("b"), "x"),
            Finding::warning(&codes::BUG, at("b"), "x"),
        ];
        assert_eq!(summary(&found), "2 errors, 1 warning in 2 files\n");
    }
}
