//! Text for a terminal of 100 columns. Colours add to words and never stand for them.

use super::super::document::{Block, Cell, Chart, Fact, Form, Graph, Remark, Report, Section, Table, Tone};
use super::said::{cell, clear, when};

/// Columns that a page takes at the most.
pub(super) const WIDTH: usize = 100;
/// How far the content of a section stands in.
const INDENT: usize = 2;

/// The page.
pub(super) fn page(report: &Report, colour: bool) -> String {
    let paint = Paint(colour);
    let mut out = format!("{}\n", paint.bold(&clear(&report.title)));
    if let Some((tone, text)) = &report.lead {
        for line in wrapped(&clear(text), WIDTH) {
            out.push_str(&paint.tone(*tone, &line));
            out.push('\n');
        }
    }
    for section in report.whole() {
        out.push('\n');
        out.push_str(&paint.bold(&clear(&section.title)));
        out.push('\n');
        self::section(&section, paint, &mut out);
    }
    out
}

fn section(of: &Section, paint: Paint, out: &mut String) {
    let begins = out.len();
    let tables = of.blocks.iter().any(|block| matches!(block, Block::Table(_)));
    // Where a table says the same, it says it better than a graph, or than columns that are too few to show a course.
    let read = |block: &&Block| match block {
        Block::Graph(_) => !tables,
        Block::Chart(chart) => !(tables && chart.form == Form::Columns && chart.labels.len() < 4),
        _ => true,
    };
    for block in of.blocks.iter().filter(read) {
        // A blank line between what is there.
        if out.len() > begins && !out.ends_with("\n\n") {
            out.push('\n');
        }
        match block {
            Block::Text(text) => paragraph(&clear(text), INDENT, Tone::Plain, paint, out),
            Block::Note(tone, text) => paragraph(&clear(text), INDENT, *tone, paint, out),
            Block::Facts { facts: of, .. } => facts(of, paint, out),
            Block::Tiles { tiles, .. } => {
                let width = tiles.iter().map(|tile| width(&tile.label)).max().unwrap_or(0);
                for tile in tiles {
                    let more = tile.more.as_ref().map_or_else(String::new, |more| format!(" ({})", clear(more)));
                    let value = paint.tone(tile.tone, &cell(&tile.value));
                    named_lines(&clear(&tile.label), width, &format!("{value}{more}"), out);
                }
            }
            Block::Table(of) => table(of, paint, out),
            Block::Chart(of) => chart(of, paint, out),
            Block::Graph(of) => graph(of, out),
            Block::Remarks { remarks, none, .. } => {
                if remarks.is_empty() {
                    paragraph(&clear(none), INDENT, Tone::Quiet, paint, out);
                }
                remarks.iter().for_each(|of| remark(of, paint, out));
            }
            Block::Literal { text, .. } => {
                for line in text.lines() {
                    out.push_str(&format!("    {}\n", clear(line)));
                }
            }
        }
    }
}

fn paragraph(text: &str, indent: usize, tone: Tone, paint: Paint, out: &mut String) {
    for line in wrapped(text, WIDTH - indent) {
        out.push_str(&" ".repeat(indent));
        out.push_str(&paint.tone(tone, &line));
        out.push('\n');
    }
}

fn facts(of: &[Fact], paint: Paint, out: &mut String) {
    let widest = of.iter().map(|fact| width(&fact.label)).max().unwrap_or(0);
    for fact in of {
        let value = cell(&fact.value);
        let value = match &fact.value {
            Cell::State(tone, _) => paint.tone(*tone, &value),
            _ => value,
        };
        named_lines(&clear(&fact.label), widest, &value, out);
    }
}

/// `  name   value`, the value going on below itself.
fn named_lines(name: &str, widest: usize, value: &str, out: &mut String) {
    let at = INDENT + widest + 2;
    for (index, line) in wrapped(value, WIDTH.saturating_sub(at).max(20)).into_iter().enumerate() {
        let name = if index == 0 { name } else { "" };
        let pad = " ".repeat(widest.saturating_sub(width(name)));
        out.push_str(format!("{}{name}{pad}  {line}", " ".repeat(INDENT)).trim_end());
        out.push('\n');
    }
}

fn remark(of: &Remark, paint: Paint, out: &mut String) {
    let mark = match of.tone {
        Tone::Bad => "bad ",
        Tone::Warn => "warn",
        Tone::Good => "good",
        Tone::Plain | Tone::Quiet => "note",
    };
    let at = of.at.as_ref().map_or_else(String::new, |at| format!("{}: ", clear(at)));
    let code = of.code.as_ref().map_or_else(String::new, |code| format!(" ({})", clear(code)));
    let text = format!("{at}{}{code}", clear(&of.what));
    for (index, line) in wrapped(&text, WIDTH - INDENT - 6).into_iter().enumerate() {
        let mark = if index == 0 { paint.tone(of.tone, mark) } else { "    ".to_string() };
        out.push_str(&format!("  {mark}  {line}\n"));
    }
    for (name, text) in [("because", &of.evidence), ("fix", &of.fix)] {
        if let Some(text) = text {
            for (index, line) in wrapped(&clear(text), WIDTH - 17).into_iter().enumerate() {
                out.push_str(&format!("        {:7}  {line}\n", if index == 0 { name } else { "" }));
            }
        }
    }
}

/// A table as wide as the page: what is too wide is broken at words, and if that does not help, each
/// row is told as names with values.
fn table(of: &Table, paint: Paint, out: &mut String) {
    if let Some(title) = &of.title {
        out.push_str(&format!("  {}\n", paint.dim(&clear(title))));
    }
    if of.rows.is_empty() {
        paragraph(&clear(&of.none), INDENT, Tone::Quiet, paint, out);
        return;
    }
    let heads: Vec<String> = of.columns.iter().map(|column| clear(&column.label).to_uppercase()).collect();
    let mut cells: Vec<Vec<String>> = of.rows.iter().map(|row| row.iter().map(in_table).collect()).collect();
    let right: Vec<bool> = (0..heads.len()).map(|i| of.is_of_numbers(i)).collect();
    if natural(&heads, &cells).iter().sum::<usize>() > room(heads.len()) {
        cells.iter_mut().flatten().for_each(short_id);
    }
    match widths(&heads, &cells, &right) {
        Some(widths) => {
            let mut lines = |row: &[String], tones: Option<&[Cell]>| {
                let broken: Vec<Vec<String>> = row.iter().zip(&widths).map(|(text, w)| wrapped(text, *w)).collect();
                let high = broken.iter().map(Vec::len).max().unwrap_or(0);
                for line in 0..high {
                    let mut text = " ".repeat(INDENT);
                    for (i, parts) in broken.iter().enumerate() {
                        let part = parts.get(line).map_or("", String::as_str);
                        let pad = " ".repeat(widths[i].saturating_sub(width(part)));
                        let part = match tones.and_then(|row| row.get(i)) {
                            Some(Cell::State(tone, _)) => paint.tone(*tone, part),
                            Some(_) => part.to_string(),
                            None => paint.dim(part),
                        };
                        text.push_str(if i > 0 { "  " } else { "" });
                        text.push_str(&if right[i] { pad + &part } else { part + &pad });
                    }
                    out.push_str(text.trim_end());
                    out.push('\n');
                }
            };
            lines(&heads, None);
            for (row, raw) in cells.iter().zip(&of.rows) {
                lines(row, Some(raw));
            }
        }
        None => {
            let widest = of.columns.iter().map(|column| width(&column.label)).max().unwrap_or(0);
            for (index, row) in cells.iter().enumerate() {
                if index > 0 {
                    out.push('\n');
                }
                for (column, text) in of.columns.iter().zip(row) {
                    named_lines(&clear(&column.label), widest, text, out);
                }
            }
        }
    }
    if let Some((rows, why)) = &of.left_out {
        paragraph(&format!("and {} more: {}", cell(&Cell::Count(*rows)), clear(why)), INDENT, Tone::Quiet, paint, out);
    }
}

/// A value in a table: a moment to the second, which may be broken between day and time.
fn in_table(value: &Cell) -> String {
    match value {
        Cell::Moment(ns) => when(*ns).replace(" UTC", "Z"),
        other => cell(other),
    }
}

/// An id by its beginning, which every command takes for the whole.
fn short_id(text: &mut String) {
    let id = |(at, c): (usize, char)| if matches!(at, 8 | 13 | 18 | 23) { c == '-' } else { c.is_ascii_hexdigit() };
    if text.len() == 36 && text.chars().enumerate().all(id) {
        text.truncate(18);
    }
}

/// How wide each column wants to be.
fn natural(heads: &[String], cells: &[Vec<String>]) -> Vec<usize> {
    let inside = |i: usize| cells.iter().map(|row| width(&row[i])).max().unwrap_or(0);
    heads.iter().enumerate().map(|(i, head)| inside(i).max(width(head)).max(1)).collect()
}

/// What a line has for cells.
fn room(columns: usize) -> usize {
    WIDTH - INDENT - 2 * columns.saturating_sub(1)
}

/// How wide each column is, so that the table fits; `None`: it cannot.
fn widths(heads: &[String], cells: &[Vec<String>], right: &[bool]) -> Option<Vec<usize>> {
    let longest_word = |text: &str| text.split(' ').map(width).max().unwrap_or(0);
    let column = |i: usize| cells.iter().map(move |row| &row[i]);
    // Numbers are never broken; heads at words; other texts at words and, past 24 characters, anywhere.
    let least: Vec<usize> = (0..heads.len())
        .map(|i| {
            let inside = column(i).map(|text| if right[i] { width(text) } else { longest_word(text).min(24) });
            inside.max().unwrap_or(0).max(longest_word(&heads[i]))
        })
        .collect();
    let room = room(heads.len());
    if least.iter().sum::<usize>() > room {
        return None;
    }
    let mut widths = natural(heads, cells);
    // First heads that are wider than all below them are broken, then what stands in the widest column.
    let below: Vec<usize> = (0..heads.len())
        .map(|i| column(i).map(|text| width(text)).max().unwrap_or(0).max(longest_word(&heads[i])))
        .collect();
    for least in [below, least] {
        while widths.iter().sum::<usize>() > room {
            let gives = (0..widths.len()).filter(|i| widths[*i] > least[*i]).max_by_key(|i| (widths[*i], *i));
            let Some(widest) = gives else { break };
            widths[widest] -= 1;
        }
    }
    Some(widths)
}

fn chart(of: &Chart, paint: Paint, out: &mut String) {
    // One line says its name itself.
    if of.form == Form::Bars || !matches!(&of.series[..], [one] if one.name == of.title) {
        out.push_str(&format!("  {}\n", paint.dim(&clear(&of.title))));
    }
    match of.form {
        Form::Bars => {
            let Some(series) = of.series.first() else { return };
            let labels: Vec<String> = of.labels.iter().map(cell).collect();
            let widest = labels.iter().map(|label| width(label)).max().unwrap_or(0).min(40);
            let most = series.values.iter().filter_map(Cell::drawn).fold(0.0, f64::max);
            for (label, value) in labels.iter().zip(&series.values) {
                let share = if most > 0.0 { value.drawn().unwrap_or(0.0) / most } else { 0.0 };
                let label = cut(label, widest);
                let pad = " ".repeat(widest - width(&label));
                out.push_str(&format!("  {label}{pad}  {:30}  {}\n", bar(share, 30), cell(value)));
            }
        }
        Form::Columns | Form::Lines | Form::Strips => {
            let names: Vec<String> = of.series.iter().map(|series| clear(&series.name)).collect();
            let widest = names.iter().map(|name| width(name)).max().unwrap_or(0).min(28);
            let most = match of.form {
                // Of a stack, every part against the highest stack.
                Form::Columns => (0..of.labels.len())
                    .map(|i| of.series.iter().filter_map(|s| s.values.get(i)?.drawn()).sum::<f64>())
                    .fold(0.0, f64::max),
                _ => of.series.iter().flat_map(|s| &s.values).filter_map(Cell::drawn).fold(0.0, f64::max),
            };
            for (series, name) in of.series.iter().zip(&names) {
                let line: String = if of.form == Form::Strips {
                    series.values.iter().map(strip_mark).collect()
                } else {
                    series.values.iter().map(|value| spark(value.drawn(), most)).collect()
                };
                let name = cut(name, widest);
                let pad = " ".repeat(widest - width(&name));
                let last = match of.form {
                    Form::Strips => String::new(),
                    _ => highest(&series.values).map_or_else(String::new, |value| format!("  max {}", cell(value))),
                };
                out.push_str(format!("  {name}{pad}  {}{last}", paint.tone(series.tone, &line)).trim_end());
                out.push('\n');
            }
            if let (Some(first), Some(last)) = (of.labels.first(), of.labels.last()) {
                out.push_str(&format!("  {}  {} to {}\n", " ".repeat(widest), short(first), short(last)));
            }
        }
    }
}

/// A label: a moment to the minute.
pub(super) fn short(label: &Cell) -> String {
    match label {
        Cell::Moment(ns) => when(*ns).chars().take(16).collect(),
        other => cell(other),
    }
}

/// The largest value of a series.
pub(super) fn highest(values: &[Cell]) -> Option<&Cell> {
    let numbers = values.iter().filter(|value| value.drawn().is_some());
    numbers.max_by(|a, b| a.drawn().unwrap_or(0.0).total_cmp(&b.drawn().unwrap_or(0.0)))
}

/// A value of a line of blocks.
pub(super) fn spark(value: Option<f64>, most: f64) -> char {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    match value {
        None => ' ',
        Some(value) if value <= 0.0 || most <= 0.0 => '·',
        Some(value) => BLOCKS[((value / most * 8.0).ceil() as usize).clamp(1, 8) - 1],
    }
}

/// A field of a strip: good, to warn, bad, nothing known.
pub(super) fn strip_mark(value: &Cell) -> char {
    match value.drawn() {
        None => '·',
        Some(value) if value < 0.5 => '■',
        Some(value) if value < 1.5 => '▲',
        Some(_) => '✗',
    }
}

fn bar(share: f64, wide: usize) -> String {
    let whole = (share.clamp(0.0, 1.0) * wide as f64).round() as usize;
    "█".repeat(if share > 0.0 { whole.max(1) } else { 0 })
}

/// A graph as what comes from where: each target with the chain of what leads to it.
fn graph(of: &Graph, out: &mut String) {
    out.push_str(&format!("  {}\n", clear(&of.title)));
    let name = |at: usize| {
        of.nodes.get(at).map_or_else(String::new, |node| {
            let group = node.group.as_ref().map_or_else(String::new, |group| format!("{}.", clear(group)));
            let more = node.more.as_ref().map_or_else(String::new, |more| format!(" [{}]", clear(more)));
            format!("{group}{}{more}", clear(&node.label))
        })
    };
    for edge in of.joined() {
        let label = edge.label.as_ref().map_or_else(String::new, |label| format!(" ({})", clear(label)));
        paragraph_hanging(&format!("{} → {}{label}", name(edge.from), name(edge.to)), out);
    }
}

fn paragraph_hanging(text: &str, out: &mut String) {
    for (index, line) in wrapped(text, WIDTH - 6).into_iter().enumerate() {
        out.push_str(&format!("  {}{line}\n", if index == 0 { "" } else { "    " }));
    }
}

fn cut(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_string();
    }
    let mut kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

/// Columns of a text without colours: one for each character.
fn width(text: &str) -> usize {
    text.chars().count()
}

/// The text broken at blanks into lines of no more columns; a longer word is broken anywhere. Colours
/// take no column.
pub(super) fn wrapped(text: &str, most: usize) -> Vec<String> {
    let most = most.max(1);
    let mut lines = Vec::new();
    let (mut line, mut wide) = (String::new(), 0);
    for word in text.split(' ') {
        let mut word = word;
        let length = seen_width(word);
        if wide > 0 && wide + 1 + length <= most {
            line.push(' ');
            line.push_str(word);
            wide += 1 + length;
            continue;
        }
        if wide > 0 {
            lines.push(std::mem::take(&mut line));
        }
        while seen_width(word) > most && !word.contains('\u{1b}') {
            let end = word.char_indices().nth(most).map_or(word.len(), |(at, _)| at);
            lines.push(word[..end].to_string());
            word = &word[end..];
        }
        line.push_str(word);
        wide = seen_width(word);
    }
    lines.push(line);
    lines
}

/// Columns of a text that may have colours.
fn seen_width(text: &str) -> usize {
    let mut count = 0;
    let mut inside = false;
    for c in text.chars() {
        match c {
            '\u{1b}' => inside = true,
            'm' if inside => inside = false,
            _ if inside => {}
            _ => count += 1,
        }
    }
    count
}

/// Colours, or none.
#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_string() }
    }

    fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    fn tone(self, tone: Tone, text: &str) -> String {
        match tone {
            Tone::Plain => text.to_string(),
            Tone::Good => self.wrap("32", text),
            Tone::Quiet => self.wrap("2", text),
            Tone::Warn => self.wrap("33", text),
            Tone::Bad => self.wrap("31", text),
        }
    }
}
