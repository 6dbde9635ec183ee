//! Charts and graphs as SVG inside of a page. Shapes are stretched to the width there is; what is to
//! be read stands outside of the stretched part, so that it is as large on a phone as on paper.

use std::fmt::Write as _;

use super::super::document::{Cell, Chart, Form, Graph, Tone};
use super::html::escaped;
use super::said::cell;
use super::text;

/// Height of the field that a chart is drawn in; its width is 10 for each label.
const HIGH: f64 = 100.0;

/// A chart as a figure.
pub(super) fn chart(of: &Chart, out: &mut String) {
    let _ = writeln!(out, "<figure class=\"chart\">\n<figcaption>{}", escaped(&of.title));
    if of.series.len() > 1 && !matches!(of.form, Form::Bars | Form::Strips) {
        out.push_str("<span class=\"legend\">");
        for (index, series) in of.series.iter().enumerate() {
            let _ =
                write!(out, "<span><i class=\"{}\"></i>{}</span>", paint(series.tone, index), escaped(&series.name));
        }
        out.push_str("</span>");
    }
    out.push_str("</figcaption>\n");
    match of.form {
        Form::Bars => bars(of, out),
        Form::Strips => strips(of, out),
        Form::Columns | Form::Lines => plot(of, out),
    }
    out.push_str("</figure>\n");
}

/// The class that colours a series.
fn paint(tone: Tone, index: usize) -> String {
    match tone {
        Tone::Plain => format!("s{}", index % 4),
        tone => tone.word().to_string(),
    }
}

/// Columns or lines, with the scale at the left and the first and the last label below.
fn plot(of: &Chart, out: &mut String) {
    let count = of.labels.len().max(1);
    let at = |series: usize, index: usize| of.series[series].values.get(index).and_then(Cell::drawn);
    let stack = |index: usize| (0..of.series.len()).filter_map(|s| at(s, index)).sum::<f64>();
    let most = match of.form {
        Form::Columns => (0..count).map(stack).fold(0.0, f64::max),
        _ => of.series.iter().flat_map(|s| &s.values).filter_map(Cell::drawn).fold(0.0, f64::max),
    };
    let like = of.series.iter().flat_map(|s| &s.values).find(|value| value.drawn().is_some());
    let top = ceiling(most, matches!(like, Some(Cell::Count(_))));
    // A few columns are no wider than many.
    let wide = if count < 6 { 3 } else { 8 };
    let scale = |share: f64| like.map_or_else(String::new, |like| cell(&scaled(like, top * share)));
    let _ = write!(
        out,
        "<div class=\"plot\"><div class=\"y\"><span>{}</span><span>{}</span><span>0</span></div>\
         <svg viewBox=\"0 0 {} {HIGH}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">",
        escaped(&scale(1.0)),
        escaped(&scale(0.5)),
        count * 10,
        escaped(&of.title),
    );
    out.push_str("<path class=\"grid\" d=\"");
    for y in [0, 50, 100] {
        let _ = write!(out, "M0 {y}H{}", count * 10);
    }
    out.push_str("\"/>");
    if of.form == Form::Columns {
        for index in 0..count {
            let total = stack(index);
            if total <= 0.0 {
                continue;
            }
            out.push_str("<g><title>");
            out.push_str(&escaped(&of.labels.get(index).map_or_else(String::new, cell)));
            for series in &of.series {
                if let Some(value) = series.values.get(index).filter(|value| value.drawn().is_some_and(|n| n > 0.0)) {
                    let _ = write!(out, "\n{}: {}", escaped(&series.name), escaped(&cell(value)));
                }
            }
            out.push_str("</title>");
            let mut below = 0.0;
            for (s, series) in of.series.iter().enumerate() {
                let Some(value) = at(s, index).filter(|value| *value > 0.0) else { continue };
                // A little of something is seen.
                let high = (value / top * HIGH).max(1.0);
                let y = HIGH - below - high;
                let _ = write!(
                    out,
                    "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{wide}\" height=\"{}\"/>",
                    paint(series.tone, s),
                    short(index as f64 * 10.0 + (10.0 - f64::from(wide)) / 2.0),
                    short(y),
                    short(high)
                );
                below += high;
            }
            out.push_str("</g>");
        }
    } else {
        for (s, series) in of.series.iter().enumerate() {
            let class = paint(series.tone, s);
            let mut path = String::new();
            let mut pen_down = false;
            let mut lone = Vec::new();
            for index in 0..count {
                let Some(value) = at(s, index) else {
                    pen_down = false;
                    continue;
                };
                let (x, y) = (index * 10 + 5, short(HIGH - value / top * HIGH));
                let _ = write!(path, "{}{x} {y}", if pen_down { "L" } else { "M" });
                let joined = pen_down || at(s, index + 1).is_some();
                if !joined {
                    lone.push((x, y));
                }
                pen_down = true;
            }
            let _ = write!(
                out,
                "<path class=\"line {class}\" d=\"{path}\"><title>{}</title></path>",
                escaped(&series.name)
            );
            for (x, y) in lone {
                // A point without neighbours has no line: the round end of one makes it seen.
                let _ = write!(out, "<path class=\"line dot {class}\" d=\"M{x} {y}h0\"/>");
            }
        }
    }
    out.push_str("</svg></div>\n");
    ends(of, out);
}

/// The first and the last label, below; each of them where they are names and few.
fn ends(of: &Chart, out: &mut String) {
    if of.form == Form::Columns && of.labels.len() <= 12 && !of.labels.iter().any(|of| matches!(of, Cell::Moment(_))) {
        out.push_str("<div class=\"x each\">");
        for label in &of.labels {
            let _ = write!(out, "<span>{}</span>", escaped(&cell(label)));
        }
        out.push_str("</div>\n");
        return;
    }
    if let (Some(first), Some(last)) = (of.labels.first(), of.labels.last()) {
        let _ = writeln!(
            out,
            "<div class=\"x\"><span>{}</span><span>{}</span></div>",
            escaped(&text::short(first)),
            escaped(&text::short(last))
        );
    }
}

fn bars(of: &Chart, out: &mut String) {
    let Some(series) = of.series.first() else { return };
    let most = series.values.iter().filter_map(Cell::drawn).fold(0.0, f64::max);
    out.push_str("<div class=\"bars\">");
    for (label, value) in of.labels.iter().zip(&series.values) {
        let share = if most > 0.0 { value.drawn().unwrap_or(0.0) / most * 100.0 } else { 0.0 };
        let _ = write!(
            out,
            "<span>{}</span><svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
             <rect class=\"{}\" width=\"{}\" height=\"10\"/></svg><span class=\"n\">{}</span>",
            escaped(&cell(label)),
            paint(series.tone, 0),
            short(if share > 0.0 { share.max(0.5) } else { 0.0 }),
            escaped(&cell(value)),
        );
    }
    out.push_str("</div>\n");
}

fn strips(of: &Chart, out: &mut String) {
    let count = of.labels.len().max(1);
    out.push_str("<div class=\"strips\">");
    for series in &of.series {
        let _ = write!(
            out,
            "<span>{}</span><svg viewBox=\"0 0 {} 10\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">",
            escaped(&series.name),
            count * 10,
            escaped(&format!("{}: {}", of.title, series.name)),
        );
        for index in 0..count {
            let (class, word) = match series.values.get(index).and_then(Cell::drawn) {
                None => ("none", "nothing known"),
                Some(value) if value < 0.5 => ("good", "good"),
                Some(value) if value < 1.5 => ("warn", "to warn"),
                Some(_) => ("bad", "bad"),
            };
            let label = of.labels.get(index).map_or_else(String::new, cell);
            let _ = write!(
                out,
                "<rect class=\"{class}\" x=\"{}\" width=\"9\" height=\"10\"><title>{}: {word}</title></rect>",
                index * 10,
                escaped(&label)
            );
        }
        out.push_str("</svg>");
    }
    out.push_str("</div>\n");
    ends(of, out);
}

/// The same kind of value with another number.
fn scaled(like: &Cell, number: f64) -> Cell {
    match like {
        Cell::Count(_) if number.fract() == 0.0 => Cell::Count(number as u64),
        Cell::Count(_) => Cell::Number(number, ""),
        Cell::Bytes(_) => Cell::Bytes(number as u64),
        Cell::Time(_) => Cell::Time(number as i64),
        Cell::Share(_) => Cell::Share(number),
        Cell::Change(_) => Cell::Change(number),
        Cell::Points(_) => Cell::Points(number),
        Cell::Number(_, unit) => Cell::Number(number, unit),
        other => other.clone(),
    }
}

/// The end of a scale: the next of 1, 2, 5 times a power of ten. Of what is counted the half is whole, too.
fn ceiling(most: f64, counted: bool) -> f64 {
    if most <= 0.0 || !most.is_finite() {
        return if counted { 2.0 } else { 1.0 };
    }
    let power = 10f64.powf(most.log10().floor());
    let small: &[f64] = if counted && power <= 1.0 { &[2.0, 4.0, 6.0, 10.0] } else { &[1.0, 2.0, 5.0, 10.0] };
    let times = small.iter().find(|times| power * **times >= most * 0.999_999).unwrap_or(&10.0);
    power * times
}

/// A coordinate with no more digits than are seen.
fn short(number: f64) -> String {
    let text = format!("{number:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-0" { "0".to_string() } else { text.to_string() }
}

/// A graph: nodes in columns, edges as curves. It keeps its size; what is too wide is scrolled.
pub(super) fn graph(of: &Graph, out: &mut String) {
    const WIDE: usize = 240;
    const GAP: usize = 90;
    const LINE: usize = 52;
    const HEAD: usize = 26;
    let columns = of.nodes.iter().map(|node| node.column).max().map_or(0, |last| last + 1);
    let mut filled = vec![0; columns];
    let mut last_group: Vec<Option<&str>> = vec![None; columns];
    let mut places = vec![(0, 0); of.nodes.len()];
    let mut heads = String::new();
    // From right to left: what stands between stands beside what it leads to, if there is room.
    let mut order: Vec<usize> = (0..of.nodes.len()).collect();
    order.sort_by_key(|at| (std::cmp::Reverse(of.nodes[*at].column), *at));
    for at in order {
        let node = &of.nodes[at];
        let column = node.column;
        let x = column * (WIDE + GAP);
        let group = node.group.as_deref();
        if group.is_some() && last_group[column] != group {
            filled[column] += if filled[column] > 0 { HEAD } else { HEAD - 8 };
            let _ = write!(
                heads,
                "<text class=\"group\" x=\"{x}\" y=\"{}\">{}</text>",
                filled[column] - 4,
                escaped(&cut(group.unwrap_or_default(), 34))
            );
            last_group[column] = group;
        } else if group.is_none() {
            let target = of.joined().find(|edge| edge.from == at && of.nodes[edge.to].column > column);
            filled[column] = filled[column].max(target.map_or(0, |edge| places[edge.to].1));
        }
        places[at] = (x, filled[column]);
        filled[column] += LINE;
    }
    let high = filled.iter().copied().max().unwrap_or(0);
    let wide = (columns * (WIDE + GAP)).saturating_sub(GAP);
    let _ = write!(
        out,
        "<figure class=\"graph\"><figcaption>{}</figcaption><div class=\"scroll\"><svg width=\"{}\" height=\"{}\" \
         viewBox=\"-1 -1 {} {}\" role=\"img\" aria-label=\"{}\">",
        escaped(&of.title),
        wide + 2,
        high + 2,
        wide + 2,
        high + 2,
        escaped(&of.title)
    );
    for edge in &of.edges {
        let (Some((x0, y0)), Some((x1, y1))) = (places.get(edge.from), places.get(edge.to)) else { continue };
        let (x0, y0, y1) = (x0 + WIDE, y0 + 20, y1 + 20);
        let bend = x0 + GAP / 2;
        let title = edge.label.as_ref().map_or_else(String::new, |l| format!("<title>{}</title>", escaped(l)));
        let _ = write!(
            out,
            "<path class=\"edge\" d=\"M{x0} {y0}C{bend} {y0} {} {y1} {x1} {y1}\">{title}</path>",
            x1.saturating_sub(GAP / 2)
        );
    }
    out.push_str(&heads);
    for (node, (x, y)) in of.nodes.iter().zip(&places) {
        let _ = write!(
            out,
            "<g class=\"{}\"><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{WIDE}\" height=\"40\" rx=\"5\"/>",
            node.tone.word(),
            escaped(&node.more.as_ref().map_or_else(|| node.label.clone(), |more| format!("{}\n{more}", node.label)))
        );
        let label = escaped(&cut(&node.label, 32));
        match &node.more {
            Some(more) => {
                let _ = write!(
                    out,
                    "<text x=\"{0}\" y=\"{1}\">{label}</text><text class=\"more\" x=\"{0}\" y=\"{2}\">{3}</text>",
                    x + 9,
                    y + 17,
                    y + 32,
                    escaped(&cut(more, 38))
                );
            }
            None => {
                let _ = write!(out, "<text x=\"{}\" y=\"{}\">{label}</text>", x + 9, y + 25);
            }
        }
        out.push_str("</g>");
    }
    out.push_str("</svg></div></figure>\n");
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    let mut kept: String = text.chars().take(most - 1).collect();
    kept.push('…');
    kept
}
