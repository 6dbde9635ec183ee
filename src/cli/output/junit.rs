//! JUnit XML: what CI servers show as tests. Each file is a suite, each finding a failed case.

use std::collections::BTreeMap;

use super::json::severity;
use crate::error::{Finding, Severity};

/// The document. `checked` are the files that were checked, so that a clean one counts as passed.
pub(in crate::cli) fn document(findings: &[Finding], checked: &[String]) -> String {
    let mut by_file: BTreeMap<&str, Vec<&Finding>> = checked.iter().map(|f| (f.as_str(), Vec::new())).collect();
    for finding in findings {
        by_file.entry(finding.place.as_ref().map_or("(project)", |p| p.file.as_str())).or_default().push(finding);
    }
    let failures = findings.iter().filter(|f| f.severity == Severity::Error).count();
    let tests: usize = by_file.values().map(|found| found.len().max(1)).sum();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&format!("<testsuites name=\"consign\" tests=\"{tests}\" failures=\"{failures}\">\n"));
    for (file, found) in by_file {
        let failed = found.iter().filter(|f| f.severity == Severity::Error).count();
        out.push_str(&format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\">\n",
            escape(file),
            found.len().max(1)
        ));
        if found.is_empty() {
            out.push_str(&format!("    <testcase classname=\"{}\" name=\"check\"/>\n", escape(file)));
        }
        for finding in found {
            let line = finding.place.as_ref().map_or(0, |p| p.line);
            let head = format!(
                "    <testcase classname=\"{}\" name=\"{} line {line}\" file=\"{}\" line=\"{line}\">",
                escape(file),
                finding.code.id,
                escape(file)
            );
            let cause = escape(&finding.cause);
            let fix = escape(finding.fix.as_deref().unwrap_or_default());
            out.push_str(&head);
            if finding.severity == Severity::Error {
                out.push_str(&format!("<failure type=\"{}\" message=\"{cause}\">{fix}</failure>", finding.code.id));
            } else {
                out.push_str(&format!("<system-out>{}: {cause} {fix}</system-out>", severity(finding.severity)));
            }
            out.push_str("</testcase>\n");
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
