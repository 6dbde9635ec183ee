//! What a verb answers, and its shapes: one file per shape.
//!
//! A verb builds one [`Answer`]; which shape it takes on standard output is the user's choice.

pub(super) mod csv;
pub(super) mod json;
pub(super) mod junit;
pub(super) mod ndjson;
pub(super) mod sarif;
pub(super) mod text;

use serde_json::Value;

use crate::error::{Code, Finding};

/// What a verb has to say on standard output, before it has a shape.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// Members of the JSON document beside its rows, in order.
    pub(super) facts: Vec<(&'static str, Value)>,
    /// The rows, for what comes as a list.
    pub(super) rows: Option<Rows>,
    /// What a person reads in place of a table of the rows.
    pub(super) text: Option<String>,
    /// Markdown, for verbs that are no reports and have it.
    pub(super) markdown: Option<String>,
    /// The findings, for verbs that check: what `junit` and `sarif` are made from.
    pub(super) findings: Option<Vec<Finding>>,
    /// The cases, for verbs that run tests: what `junit` is made from.
    pub(super) suites: Option<Vec<junit::Suite>>,
    /// A SARIF document of the verb's own.
    pub(super) sarif: Option<Value>,
    /// The rules that were looked for, found or not.
    pub(super) rules: Vec<&'static Code>,
    /// The files that were checked, for shapes that show clean ones too.
    pub(super) checked: Vec<String>,
    /// Whether standard output belongs to records, so that this goes to standard error.
    pub(super) aside: bool,
}

/// Rows of equal form.
#[derive(Debug)]
pub(super) struct Rows {
    /// The member of the JSON document that holds them.
    pub(super) name: &'static str,
    /// Column names, `snake_case`.
    pub(super) columns: Vec<String>,
    /// One value per column.
    pub(super) rows: Vec<Vec<Value>>,
}

impl Rows {
    /// Rows with these columns.
    pub(super) fn new(name: &'static str, columns: &[&str]) -> Self {
        Self { name, columns: columns.iter().map(ToString::to_string).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: Vec<Value>) {
        debug_assert_eq!(row.len(), self.columns.len());
        self.rows.push(row);
    }

    /// Each row as a JSON object.
    pub(super) fn objects(&self) -> impl Iterator<Item = Value> + '_ {
        self.rows.iter().map(|row| Value::Object(self.columns.iter().cloned().zip(row.iter().cloned()).collect()))
    }
}

impl Answer {
    /// An empty answer.
    pub(super) fn new() -> Self {
        Self::default()
    }
    /// Adds a member of the document.
    pub(super) fn fact(mut self, name: &'static str, value: Value) -> Self {
        self.facts.push((name, value));
        self
    }
    /// Sets the rows.
    pub(super) fn rows(mut self, rows: Rows) -> Self {
        self.rows = Some(rows);
        self
    }
    /// Sets what a person reads.
    pub(super) fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }
    /// Sets the findings and makes the rows from them.
    pub(super) fn findings(self, findings: Vec<Finding>) -> Self {
        self.findings_in(findings, &|_| None)
    }
    /// The same, with the texts of the files at hand, so that edits say their bytes.
    pub(super) fn findings_in(mut self, findings: Vec<Finding>, texts: &dyn Fn(&str) -> Option<String>) -> Self {
        let columns = [
            "severity", "code", "file", "line", "column", "cause", "fix", "check", "controls", "classes", "way",
            "waiver", "edits",
        ];
        let mut rows = Rows::new("findings", &columns);
        for finding in &findings {
            rows.push(json::finding_row(finding, texts));
        }
        self.rows = Some(rows);
        self.findings = Some(findings);
        self
    }
}
