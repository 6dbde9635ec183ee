//! JUnit XML: what CI servers show as tests. Each file is a suite, each finding a failed case.

use std::collections::BTreeMap;

use super::json::severity;
use crate::error::{Finding, Severity};

/// One suite: a file, a mapping.
#[derive(Debug)]
pub(in crate::cli) struct Suite {
    /// Its name.
    pub(in crate::cli) name: String,
    /// Its cases.
    pub(in crate::cli) cases: Vec<Case>,
}

/// One case of a suite.
#[derive(Debug)]
pub(in crate::cli) struct Case {
    /// Its name.
    pub(in crate::cli) name: String,
    /// What came of it.
    pub(in crate::cli) result: Outcome,
}

/// What came of a case.
#[derive(Debug)]
pub(in crate::cli) enum Outcome {
    /// It holds.
    Passed,
    /// It holds, and there is something to say.
    Said(String),
    /// It does not hold: kind, message, and what more there is to say.
    Failed(String, String, String),
}

/// The document of findings. `checked` are the files that were checked, so that a clean one counts as
/// passed.
pub(in crate::cli) fn document(findings: &[Finding], checked: &[String]) -> String {
    let mut by_file: BTreeMap<&str, Vec<&Finding>> = checked.iter().map(|f| (f.as_str(), Vec::new())).collect();
    for finding in findings {
        by_file.entry(finding.place.as_ref().map_or("(project)", |p| p.file.as_str())).or_default().push(finding);
    }
    let suites = by_file.into_iter().map(|(file, found)| {
        let mut cases: Vec<Case> = found.into_iter().map(case).collect();
        if cases.is_empty() {
            cases.push(Case { name: "check".into(), result: Outcome::Passed });
        }
        Suite { name: file.to_string(), cases }
    });
    suites_document(&suites.collect::<Vec<_>>())
}

fn case(finding: &Finding) -> Case {
    let place = finding.place.as_ref();
    let name = format!("{} line {}", finding.code.id, place.map_or(0, |place| place.line));
    let fix = finding.fix.clone().unwrap_or_default();
    let result = match finding.severity {
        Severity::Error => {
            let at = place.map_or_else(String::new, |at| format!("{}:{}:{}\n", at.file, at.line, at.column));
            Outcome::Failed(finding.code.id.to_string(), finding.cause.clone(), format!("{at}{fix}"))
        }
        other => {
            let waived = finding.waived().map_or_else(String::new, |waived| {
                format!(" (waived until {} by {}: {})", waived.until, waived.owner, waived.reason)
            });
            Outcome::Said(format!("{}: {} {fix}{waived}", severity(other), finding.cause))
        }
    };
    Case { name, result }
}

/// The document of suites, as the schema of Jenkins (`junit-10.xsd`) has it, which is the strictest that
/// is in wide use: no attribute is written that it does not know.
pub(in crate::cli) fn suites_document(suites: &[Suite]) -> String {
    let failed = |cases: &[Case]| cases.iter().filter(|c| matches!(c.result, Outcome::Failed(..))).count();
    let tests: usize = suites.iter().map(|suite| suite.cases.len()).sum();
    let failures: usize = suites.iter().map(|suite| failed(&suite.cases)).sum();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = |tests: usize, failures: usize| format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"0\"");
    out.push_str(&format!("<testsuites name=\"consign\" {}>\n", counts(tests, failures)));
    for Suite { name, cases } in suites {
        let name = escape(name);
        out.push_str(&format!("  <testsuite name=\"{name}\" {}>\n", counts(cases.len(), failed(cases))));
        for case in cases {
            out.push_str(&format!("    <testcase classname=\"{name}\" name=\"{}\"", escape(&case.name)));
            match &case.result {
                Outcome::Passed => out.push_str("/>\n"),
                Outcome::Said(text) => {
                    out.push_str(&format!("><system-out>{}</system-out></testcase>\n", escape(text)));
                }
                Outcome::Failed(kind, message, more) => out.push_str(&format!(
                    "><failure type=\"{}\" message=\"{}\">{}</failure></testcase>\n",
                    escape(kind),
                    escape(message),
                    escape(more)
                )),
            }
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// Text in XML 1.0; characters that it cannot hold become U+FFFD.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::codes;

    #[test]
    fn a_finding_is_a_failed_case_and_a_clean_file_a_passed_one() {
        let text = document(&[Finding::error(&codes::BUG, None, "a < b")], &["m.yaml".into()]);
        assert!(text.contains("tests=\"2\" failures=\"1\""), "{text}");
        assert!(text.contains("<failure type=\"bug\" message=\"a &lt; b\">"), "{text}");
        assert!(text.contains("<testcase classname=\"m.yaml\" name=\"check\"/>"), "{text}");
    }
}
