//! GitHub's Markdown, with Mermaid where there is a graph.

use super::super::document::{Block, Cell, Chart, Form, Remark, Report, Section, Table, Tone};
use super::mermaid::flowchart;
use super::said::{cell, clear};
use super::text::{highest, short, spark, strip_mark};

/// The page.
pub(super) fn page(report: &Report) -> String {
    let mut out = format!("# {}\n", escaped(&report.title));
    if let Some((_, text)) = &report.lead {
        out.push_str(&format!("\n{}\n", escaped(text)));
    }
    for section in report.whole() {
        out.push_str(&format!("\n## {}\n", escaped(&section.title)));
        self::section(&section, &mut out);
    }
    out
}

fn section(of: &Section, out: &mut String) {
    for block in &of.blocks {
        out.push('\n');
        match block {
            Block::Text(text) => out.push_str(&format!("{}\n", escaped(text))),
            Block::Note(tone, text) => {
                let kind = match tone {
                    Tone::Good | Tone::Plain | Tone::Quiet => "NOTE",
                    Tone::Warn => "WARNING",
                    Tone::Bad => "CAUTION",
                };
                out.push_str(&format!("> [!{kind}]\n> {}\n", escaped(text)));
            }
            Block::Facts { facts, .. } => {
                out.push_str("| | |\n|---|---|\n");
                for fact in facts {
                    out.push_str(&format!("| {} | {} |\n", escaped(&fact.label), value(&fact.value)));
                }
            }
            Block::Tiles { tiles, .. } => {
                out.push_str("| | |\n|---|---|\n");
                for tile in tiles {
                    let more = tile.more.as_ref().map_or_else(String::new, |more| format!(" ({})", escaped(more)));
                    out.push_str(&format!("| {} | **{}**{more} |\n", escaped(&tile.label), value(&tile.value)));
                }
            }
            Block::Table(of) => table(of, out),
            Block::Chart(of) => chart(of, out),
            Block::Graph(of) => {
                out.push_str(&format!("{}\n\n", escaped(&of.title)));
                fenced("mermaid", &flowchart(of), out);
            }
            Block::Remarks { remarks, none, .. } => {
                if remarks.is_empty() {
                    out.push_str(&format!("{}\n", escaped(none)));
                }
                remarks.iter().for_each(|of| remark(of, out));
            }
            Block::Literal { language, text, .. } => fenced(language, text, out),
        }
    }
}

fn table(of: &Table, out: &mut String) {
    if let Some(title) = &of.title {
        out.push_str(&format!("**{}**\n\n", escaped(title)));
    }
    if of.rows.is_empty() {
        out.push_str(&format!("{}\n", escaped(&of.none)));
        return;
    }
    let right = |i: usize| of.is_of_numbers(i);
    let (mut heads, mut rule) = (String::from("|"), String::from("|"));
    for (i, column) in of.columns.iter().enumerate() {
        heads.push_str(&format!(" {} |", escaped(&column.label)));
        rule.push_str(if right(i) { "---:|" } else { "---|" });
    }
    out.push_str(&format!("{heads}\n{rule}\n"));
    for row in &of.rows {
        let cells: Vec<String> = row.iter().map(value).collect();
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    if let Some((rows, why)) = &of.left_out {
        out.push_str(&format!("\nand {} more: {}\n", cell(&Cell::Count(*rows)), escaped(why)));
    }
}

/// A chart as lines of blocks, which stand in a fence as they are.
fn chart(of: &Chart, out: &mut String) {
    out.push_str(&format!("**{}**\n\n", escaped(&of.title)));
    let mut lines = String::new();
    if of.form == Form::Bars {
        let Some(series) = of.series.first() else { return };
        out.push_str("| | |\n|---|---:|\n");
        for (label, number) in of.labels.iter().zip(&series.values) {
            out.push_str(&format!("| {} | {} |\n", value(label), value(number)));
        }
        return;
    }
    let most = of.series.iter().flat_map(|s| &s.values).filter_map(Cell::drawn).fold(0.0, f64::max);
    let widest = of.series.iter().map(|s| s.name.chars().count()).max().unwrap_or(0);
    for series in &of.series {
        let line: String = match of.form {
            Form::Strips => series.values.iter().map(strip_mark).collect(),
            _ => series.values.iter().map(|value| spark(value.drawn(), most)).collect(),
        };
        let max = match of.form {
            Form::Strips => String::new(),
            _ => highest(&series.values).map_or_else(String::new, |value| format!("  max {}", cell(value))),
        };
        lines.push_str(format!("{:widest$}  {line}{max}", clear(&series.name)).trim_end());
        lines.push('\n');
    }
    if let (Some(first), Some(last)) = (of.labels.first(), of.labels.last()) {
        lines.push_str(&format!("{:widest$}  {} to {}\n", "", short(first), short(last)));
    }
    fenced("text", &lines, out);
}

fn remark(of: &Remark, out: &mut String) {
    let mark = match of.tone {
        Tone::Bad => "**bad**",
        Tone::Warn => "**warn**",
        Tone::Good => "good",
        Tone::Plain | Tone::Quiet => "note",
    };
    let at = of.at.as_ref().map_or_else(String::new, |at| format!("{}: ", escaped(at)));
    let code = of.code.as_ref().map_or_else(String::new, |code| format!(" ({})", escaped(code)));
    out.push_str(&format!("- {mark} {at}{}{code}\n", escaped(&of.what)));
    for (name, text) in [("because", &of.evidence), ("fix", &of.fix)] {
        if let Some(text) = text {
            out.push_str(&format!("  - {name}: {}\n", escaped(text)));
        }
    }
}

/// A fence that the text cannot end: longer than any run of back-quotes in it.
fn fenced(language: &str, text: &str, out: &mut String) {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    out.push_str(&format!("{fence}{language}\n"));
    for line in text.lines() {
        out.push_str(&clear(line));
        out.push('\n');
    }
    out.push_str(&format!("{fence}\n"));
}

fn value(of: &Cell) -> String {
    escaped(&cell(of))
}

/// Text of which nothing is taken for Markdown or HTML (CommonMark 0.31 section 2.4: any punctuation may
/// have a backslash in front), in a table or out of it.
pub(super) fn escaped(text: &str) -> String {
    let text = clear(text);
    let mut out = String::with_capacity(text.len() + 8);
    for (at, c) in text.char_indices() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '|' | '`' | '*' | '[' | ']' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            // Inside a word an underscore is one; at its edge it would begin emphasis.
            '_' => {
                let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                if !(inside(text[..at].chars().next_back()) && inside(text[at + 1..].chars().next())) {
                    out.push('\\');
                }
                out.push('_');
            }
            // What makes a list, a heading, a quotation at the beginning of a line.
            '#' | '+' | '-' | '>' | '=' if at == 0 => {
                out.push('\\');
                out.push(c);
            }
            '.' | ')'
                if at > 0 && text[..at].bytes().all(|b| b.is_ascii_digit()) && text[at + 1..].starts_with(' ') =>
            {
                out.push('\\');
                out.push(c);
            }
            // An address would become a link, a name a mention.
            ':' if text[at + 1..].starts_with("//") => out.push_str("&#58;"),
            '@' => out.push_str("&#64;"),
            c => out.push(c),
        }
    }
    out
}
