//! One page of HTML: style and pictures inside, no script, no network (its own policy forbids both),
//! light and dark as the reader has it, good on a phone and on paper.

use super::super::document::{Block, Cell, Fact, Remark, Report, Section, Table, Tile, Tone};
use super::picture;
use super::said::{cell, clear};

/// How pages look.
const STYLE: &str = include_str!("page.css");

/// The page.
pub(super) fn page(report: &Report) -> String {
    let sections = report.whole();
    let mut out = String::with_capacity(1 << 15);
    out.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    out.push_str("<meta name=\"color-scheme\" content=\"light dark\">\n");
    out.push_str(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
    );
    out.push_str(&format!("<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n", escaped(&report.title)));
    out.push_str(&format!(
        "<header>\n<p class=\"kind\">consign report {}</p>\n<h1>{}</h1>\n",
        escaped(report.kind.name),
        escaped(&report.title)
    ));
    if let Some((tone, text)) = &report.lead {
        out.push_str(&format!("<p class=\"lead {}\">{}</p>\n", tone.word(), spoken(text)));
    }
    out.push_str("</header>\n");
    if sections.len() > 4 {
        out.push_str("<nav aria-label=\"Sections\">");
        for section in &sections {
            out.push_str(&format!("<a href=\"#{}\">{}</a>", anchor(&section.id), escaped(&section.title)));
        }
        out.push_str("</nav>\n");
    }
    out.push_str("<main>\n");
    for section in &sections {
        self::section(section, &mut out);
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn section(of: &Section, out: &mut String) {
    let id = anchor(&of.id);
    out.push_str(&format!("<section id=\"{id}\">\n<h2>{}</h2>\n", escaped(&of.title)));
    for block in &of.blocks {
        match block {
            Block::Text(text) => out.push_str(&format!("<p>{}</p>\n", spoken(text))),
            Block::Note(tone, text) => {
                out.push_str(&format!("<p class=\"note {}\">{}</p>\n", tone.word(), spoken(text)));
            }
            Block::Facts { facts: of, .. } => facts(of, out),
            Block::Tiles { tiles: of, .. } => tiles(of, out),
            Block::Table(of) => table(of, out),
            Block::Chart(of) => picture::chart(of, out),
            Block::Graph(of) => picture::graph(of, out),
            Block::Remarks { remarks, none, .. } if remarks.is_empty() => {
                out.push_str(&format!("<p class=\"none\">{}</p>\n", escaped(none)));
            }
            Block::Remarks { remarks, .. } => {
                out.push_str("<ul class=\"remarks\">\n");
                remarks.iter().for_each(|of| remark(of, out));
                out.push_str("</ul>\n");
            }
            Block::Literal { text, .. } => {
                let text = text.lines().map(escaped).collect::<Vec<_>>().join("\n");
                out.push_str(&format!("<pre>{text}</pre>\n"));
            }
        }
    }
    out.push_str("</section>\n");
}

fn facts(of: &[Fact], out: &mut String) {
    out.push_str("<dl>\n");
    for fact in of {
        out.push_str(&format!("<dt>{}</dt><dd>{}</dd>\n", escaped(&fact.label), value(&fact.value)));
    }
    out.push_str("</dl>\n");
}

fn tiles(of: &[Tile], out: &mut String) {
    out.push_str("<div class=\"tiles\">\n");
    for tile in of {
        let more = tile.more.as_ref().map_or_else(String::new, |more| format!("<small>{}</small>", escaped(more)));
        out.push_str(&format!(
            "<div class=\"{}\"><span>{}</span><b>{}</b>{more}</div>\n",
            tile.tone.word(),
            escaped(&tile.label),
            value(&tile.value),
        ));
    }
    out.push_str("</div>\n");
}

fn table(of: &Table, out: &mut String) {
    if of.rows.is_empty() {
        if let Some(title) = &of.title {
            out.push_str(&format!("<h3>{}</h3>\n", escaped(title)));
        }
        out.push_str(&format!("<p class=\"none\">{}</p>\n", escaped(&of.none)));
        return;
    }
    let right: Vec<bool> = (0..of.columns.len()).map(|i| of.is_of_numbers(i)).collect();
    out.push_str("<div class=\"scroll\"><table>\n");
    if let Some(title) = &of.title {
        out.push_str(&format!("<caption>{}</caption>\n", escaped(title)));
    }
    let class = |i: usize| if right[i] { " class=\"n\"" } else { "" };
    out.push_str("<thead><tr>");
    for (i, column) in of.columns.iter().enumerate() {
        out.push_str(&format!("<th scope=\"col\"{}>{}</th>", class(i), escaped(&column.label)));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &of.rows {
        out.push_str("<tr>");
        for (i, cell) in row.iter().enumerate() {
            out.push_str(&format!("<td{}>{}</td>", class(i), value(cell)));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
    if let Some((rows, why)) = &of.left_out {
        out.push_str(&format!("<p class=\"none\">and {} more: {}</p>\n", cell(&Cell::Count(*rows)), escaped(why)));
    }
}

fn remark(of: &Remark, out: &mut String) {
    out.push_str(&format!("<li class=\"{}\">", of.tone.word()));
    let word = match of.tone {
        Tone::Bad => "bad",
        Tone::Warn => "warn",
        Tone::Good => "good",
        Tone::Plain | Tone::Quiet => "note",
    };
    out.push_str(&format!("<span class=\"tag {}\">{word}</span> ", of.tone.word()));
    if let Some(at) = &of.at {
        out.push_str(&format!("<code>{}</code> ", escaped(at)));
    }
    out.push_str(&spoken(&of.what));
    if let Some(code) = &of.code {
        out.push_str(&format!(" <code class=\"code\">{}</code>", escaped(code)));
    }
    for (name, text) in [("because", &of.evidence), ("fix", &of.fix)] {
        if let Some(text) = text {
            out.push_str(&format!("<p><em>{name}</em> {}</p>", spoken(text)));
        }
    }
    out.push_str("</li>\n");
}

fn value(of: &Cell) -> String {
    match of {
        Cell::Code(text) => {
            // What is short is never broken, an id only on paper, where its table cannot be scrolled.
            let class = match text.len() {
                ..=12 => " class=\"whole\"",
                13..=36 => " class=\"short\"",
                _ => "",
            };
            format!("<code{class}>{}</code>", breakable(text))
        }
        Cell::Text(text) => spoken(text),
        Cell::State(tone, word) => format!("<span class=\"tag {}\">{}</span>", tone.word(), escaped(word)),
        Cell::Moment(ns) => {
            let whole = super::said::moment(*ns);
            // A second is enough for the eye.
            let shown = super::said::when(*ns);
            format!("<time datetime=\"{0}\" title=\"{0}\">{1}</time>", escaped(&whole), escaped(&shown))
        }
        Cell::Many(several) if !several.is_empty() => several.iter().map(value).collect::<Vec<_>>().join(", "),
        other => escaped(&cell(other)),
    }
}

/// A name or a hash, which may be broken behind what parts it.
fn breakable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in clear(text).chars() {
        push_escaped(c, &mut out);
        if matches!(c, '.' | '_' | '/' | ',' | '@' | ':') {
            out.push_str("<wbr>");
        }
    }
    out
}

/// A sentence: what stands between back-quotes is code, as everywhere in what consign says.
fn spoken(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return escaped(text);
    }
    let part = |(index, part): (usize, &&str)| match index % 2 {
        0 => escaped(part),
        _ => format!("<code>{}</code>", breakable(part)),
    };
    parts.iter().enumerate().map(part).collect()
}

/// Text of which nothing is taken for HTML, in content or in an attribute in double quotes.
pub(super) fn escaped(text: &str) -> String {
    let text = clear(text);
    let mut out = String::with_capacity(text.len() + 8);
    text.chars().for_each(|c| push_escaped(c, &mut out));
    out
}

fn push_escaped(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        c => out.push(c),
    }
}

/// An id as an anchor.
fn anchor(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' }).collect()
}
