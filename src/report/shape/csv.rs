//! CSV (RFC 4180): the whole report, a value in each line; or one of its tables, a row in each line.
//!
//! Spreadsheets run what begins like a formula, whatever the quotes (CWE-1236): text that does so gets
//! an apostrophe in front.

use serde_json::Value;

use super::super::document::{Block, Cell, Report, Section, Table};
use super::json::raw;

/// The whole report: `section,part,row,name,value`.
pub(super) fn lines(report: &Report) -> String {
    let mut out = String::new();
    line(["section", "part", "row", "name", "value"], &mut out);
    let mut say = |section: &str, part: &str, row: &str, name: &str, value: String| {
        line([guarded(section), guarded(part), row.to_string(), guarded(name), value], &mut out);
    };
    say("report", "", "", "schema", report.kind.schema());
    say("report", "", "", "title", guarded(&report.title));
    if let Some((tone, text)) = &report.lead {
        say("report", "summary", "", tone.word(), guarded(text));
    }
    for section in report.whole() {
        self::section(&section, &mut say);
    }
    out
}

fn section(of: &Section, say: &mut impl FnMut(&str, &str, &str, &str, String)) {
    let id: &str = &of.id;
    for block in &of.blocks {
        match block {
            Block::Text(text) => say(id, "text", "", "", guarded(text)),
            Block::Note(tone, text) => say(id, "text", "", tone.word(), guarded(text)),
            Block::Facts { key, facts } => {
                for fact in facts {
                    say(id, key, "", &fact.key, value(&fact.value));
                }
            }
            Block::Tiles { key, tiles } => {
                for tile in tiles {
                    say(id, key, "", &tile.key, value(&tile.value));
                }
            }
            Block::Table(table) => {
                for (index, row) in table.rows.iter().enumerate() {
                    for (column, cell) in table.columns.iter().zip(row) {
                        say(id, &table.key, &(index + 1).to_string(), &column.key, value(cell));
                    }
                }
            }
            Block::Chart(chart) => {
                for series in &chart.series {
                    for (index, cell) in series.values.iter().enumerate() {
                        let label = chart.labels.get(index).map_or_else(String::new, value);
                        say(id, &format!("{}.{}", chart.key, series.name), &label, "value", value(cell));
                    }
                }
            }
            Block::Graph(graph) => {
                let label = |at: usize| graph.nodes.get(at).map_or_else(String::new, |node| node.label.clone());
                for (index, edge) in graph.joined().enumerate() {
                    let row = (index + 1).to_string();
                    say(id, &graph.key, &row, "from", guarded(&label(edge.from)));
                    say(id, &graph.key, &row, "to", guarded(&label(edge.to)));
                    if let Some(text) = &edge.label {
                        say(id, &graph.key, &row, "label", guarded(text));
                    }
                }
            }
            Block::Remarks { key, remarks, .. } => {
                for (index, remark) in remarks.iter().enumerate() {
                    let row = (index + 1).to_string();
                    say(id, key, &row, "tone", remark.tone.word().to_string());
                    say(id, key, &row, "what", guarded(&remark.what));
                    let more = [
                        ("code", &remark.code),
                        ("at", &remark.at),
                        ("evidence", &remark.evidence),
                        ("fix", &remark.fix),
                    ];
                    for (name, text) in more {
                        if let Some(text) = text {
                            say(id, key, &row, name, guarded(text));
                        }
                    }
                }
            }
            Block::Literal { key, text, .. } => say(id, key, "", "", guarded(text)),
        }
    }
}

/// One table: a head line, a line for each row.
pub fn table(of: &Table) -> String {
    let mut out = String::new();
    let heads: Vec<String> = of.columns.iter().map(|column| guarded(&column.key)).collect();
    line(&heads, &mut out);
    for row in &of.rows {
        line(row.iter().map(value), &mut out);
    }
    out
}

fn value(of: &Cell) -> String {
    match raw(of) {
        Value::Null => String::new(),
        Value::String(text) => guarded(&text),
        Value::Array(several) => {
            let texts: Vec<String> =
                several.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_string)).collect();
            guarded(&texts.join("; "))
        }
        plain => plain.to_string(),
    }
}

fn guarded(text: &str) -> String {
    // White space in front does not keep a spreadsheet from it.
    if text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || text.starts_with(['\t', '\r', '\n'])
    {
        format!("'{text}")
    } else {
        text.to_string()
    }
}

/// A line of cells, each quoted where it must be (RFC 4180, section 2).
pub fn line<S: AsRef<str>>(cells: impl IntoIterator<Item = S>, out: &mut String) {
    for (index, cell) in cells.into_iter().enumerate() {
        let cell = cell.as_ref();
        if index > 0 {
            out.push(',');
        }
        if cell.contains(['"', ',', '\n', '\r']) {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(cell);
        }
    }
    out.push_str("\r\n");
}
