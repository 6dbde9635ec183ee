//! `consign map preview NAME`: real records before and after, nothing written.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::one;
use crate::cli::context::{Context, now};
use crate::cli::output::text::shown;
use crate::cli::output::{Answer, Rows};
use crate::cli::sample::{self, Found};
use crate::comply::inline::Hush;
use crate::config::{Connector, Mapping, Node, Project, Spanned, Stream, Text};
use crate::connect::formats;
use crate::error::codes::comply::RULE_WITHHELD;
use crate::error::{Error, Exit, Kind, Result, codes};
use crate::map::{self, Outcome, Shown};

/// Shows real records before and after the mapping; nothing is written
#[derive(clap::Args, Debug)]
pub(super) struct Preview {
    /// The mapping's name
    name: String,
    /// How many records
    #[arg(long, default_value_t = 5, value_name = "N")]
    limit: usize,
    /// Reads this file in place of the source; its ending decides the format
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
}

impl Preview {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, mapping, route) = one(&self.name, context)?;
        let (root, connector, stream) = source(context, &project, &mapping, self.input.as_deref())?;
        let mut rows =
            Rows::new("records", &["record", "place", "outcome", "before", "after", "code", "cause", "field"]);
        let mut text = String::new();
        let hush = Hush::of(project.compliance.rules.detect.as_ref());
        let notes = sample::first(&root, &connector, &stream, &route.projection, self.limit, &mut |part, found| {
            let number = rows.rows.len() + 1;
            match found {
                Found::Row(row, arena) => {
                    let mut seen = map::preview(&route, &row, arena, Some(now()));
                    if let Some(hush) = &hush {
                        quieten(&mut seen, &route, hush);
                    }
                    let place = format!("{}:{}", part.name, part.start.line + u64::from(seen.line) + 1);
                    let before = object(&seen.before);
                    text.push_str(&fitted(&format!("record {number} ({})", shown(&place)), WIDTH));
                    text.push('\n');
                    if !matches!(seen.outcome, Outcome::Mapped(_)) {
                        text.push_str(&beside(&seen.before, &[]));
                    }
                    let row = match &seen.outcome {
                        Outcome::Mapped(after) => {
                            text.push_str(&beside(&seen.before, after));
                            [json!("mapped"), before, object(after), Json::Null, Json::Null, Json::Null]
                        }
                        Outcome::Filtered => {
                            text.push_str("  = filtered: `when` is false\n");
                            [json!("filtered"), before, Json::Null, Json::Null, Json::Null, Json::Null]
                        }
                        Outcome::Withheld(rule) => {
                            text.push_str(&hanging(&format!("= withheld by the rule `{}`", shown(rule))));
                            let cause = json!(format!("rule `{rule}`"));
                            [json!("withheld"), before, Json::Null, json!(RULE_WITHHELD.id), cause, Json::Null]
                        }
                        Outcome::Rejected(fault) => {
                            let field = fault.field.as_ref().map_or_else(String::new, |f| format!("{f}: "));
                            text.push_str(&hanging(&format!(
                                "= rejected: {field}{} ({})",
                                shown(&fault.cause),
                                fault.code.id
                            )));
                            let (code, cause) = (json!(fault.code.id), json!(fault.cause));
                            [json!("rejected"), before, Json::Null, code, cause, json!(fault.field)]
                        }
                    };
                    rows.push([json!(number), json!(place)].into_iter().chain(row).collect());
                }
                Found::Bad(error) => {
                    let line = part.start.line + u64::from(error.line) + 1;
                    let place = format!("{}:{line}:{}", part.name, error.column);
                    let cause = shown(&error.cause);
                    text.push_str(&format!(
                        "record {number} ({})\n  = unreadable: {cause} ({})\n",
                        shown(&place),
                        error.code.id
                    ));
                    let (code, cause) = (json!(error.code.id), json!(error.cause));
                    let head = [json!(number), json!(place), json!("unreadable"), Json::Null, Json::Null];
                    rows.push(head.into_iter().chain([code, cause, json!(error.field)]).collect());
                }
            }
        })?;
        notes.iter().for_each(|note| context.ui.note(note));
        if rows.rows.is_empty() {
            text.push_str("the source holds no record\n");
        }
        context.ui.answer(Answer::new().fact("mapping", json!(self.name)).rows(rows).text(text))?;
        Ok(Exit::Done)
    }
}

/// Where the records of a mapping come from: the folder, the connector with its references filled in, and
/// the stream, or a file that stands in for it.
pub(super) fn source(
    context: &Context<'_>,
    project: &Project,
    mapping: &Mapping,
    input: Option<&std::path::Path>,
) -> Result<(PathBuf, Connector, Stream)> {
    let connector = project
        .connectors
        .get(&mapping.from.connector)
        .ok_or_else(|| Error::bug("the source of a checked mapping is not defined"))?;
    let connector = context.fill_in(project, connector)?;
    let Some(stream) = connector.streams.get(&mapping.from.stream) else {
        return Err(Error::new(
            Kind::Invalid,
            &codes::cli::UNREADABLE,
            format!("`{}.{}` is not declared, so it cannot be read", connector.name, mapping.from.stream),
        ));
    };
    let mut stream = stream.clone();
    let root = match input {
        Some(file) => {
            replace_input(&mut stream, file)?;
            std::env::current_dir().map_err(|e| Error::io("looking where we stand", e))?
        }
        None => project.root.clone(),
    };
    Ok((root, connector, stream))
}

/// Lets the stream read another file; where its ending names another format, in that one.
fn replace_input(stream: &mut Stream, file: &std::path::Path) -> Result<()> {
    let Some((_, path)) = stream.options.iter_mut().find(|(name, _)| name.value == "path") else {
        let cause = "`--input` is for sources that are files".to_string();
        return Err(Error::new(Kind::Invalid, &codes::cli::USAGE, cause));
    };
    path.value = Node::Text(Text::literal(file.display().to_string()));
    let place = path.place.clone();
    let ending = file.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    let named = formats::ALL.iter().find(|format| format.spec().extensions.contains(&ending.as_str()));
    if let Some(format) = named
        && stream.format.as_ref().is_none_or(|now| now.value != format.spec().name)
    {
        stream.format = Some(Spanned { value: format.spec().name.to_string(), place });
        stream.format_options.clear();
    }
    Ok(())
}

fn object(fields: &[Shown]) -> Json {
    Json::Object(fields.iter().map(|f| (f.field.clone(), json!(f.text))).collect())
}

/// The widest line: what fits into a terminal, a review and a mail.
const WIDTH: usize = 100;
/// What stands between the two sides.
const BETWEEN: &str = "  |  ";

/// Both sides of a record beside each other: what is read, and what is made of it. A long value is cut; a
/// list or an object that is made takes a line for each of its parts.
fn beside(before: &[Shown], after: &[Shown]) -> String {
    let names = |side: &[Shown]| side.iter().map(|field| field.field.chars().count()).max().unwrap_or(0).min(26);
    let half = (WIDTH - 2 - BETWEEN.len()) / 2;
    let cells = |side: &[Shown]| -> Vec<String> {
        let width = names(side);
        let cell = |field: &Shown| {
            let name = fitted(&shown(&field.field), width);
            let value = fitted(&shown(&field.text), half.saturating_sub(width + 2));
            format!("{name}{}  {value}", " ".repeat(width.saturating_sub(name.chars().count())))
        };
        side.iter().map(cell).collect()
    };
    let (left, right) = (cells(before), cells(after));
    let mut out = String::new();
    for at in 0..left.len().max(right.len()) {
        let one = left.get(at).map_or("", String::as_str);
        let line = match right.get(at) {
            Some(other) => {
                let pad = " ".repeat(half.saturating_sub(one.chars().count()));
                format!("  {one}{pad}{BETWEEN}{other}")
            }
            None => format!("  {one}"),
        };
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Text cut to so many characters, with a sign that it was.
pub(super) fn fitted(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_string();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// A sentence in lines that fit, the further ones indented.
fn hanging(text: &str) -> String {
    let (mut out, mut used) = (String::from(" "), 1);
    for word in text.split(' ') {
        for piece in pieces(word) {
            let length = piece.chars().count();
            if used + 1 + length > WIDTH {
                out.push_str("\n   ");
                used = 3;
            }
            out.push(' ');
            out.push_str(&piece);
            used += 1 + length;
        }
    }
    out.push('\n');
    out
}

/// A word in parts that fit into a line.
fn pieces(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    if letters.is_empty() {
        return vec![String::new()];
    }
    letters.chunks(WIDTH - 8).map(|part| part.iter().collect()).collect()
}

/// Masks what looks sensitive and has no class. Of what had one the result is shown: it is what is written.
fn quieten(seen: &mut map::Previewed, route: &map::Route, hush: &Hush) {
    let known = |field: &str| route.leaf(field).is_some_and(|leaf| !leaf.flow.source.is_empty());
    let quiet = |shown: &mut Shown| {
        let text = hush.text(&shown.field, &shown.text);
        shown.masked |= text != shown.text;
        shown.text = text;
    };
    seen.before.iter_mut().filter(|shown| !shown.masked).for_each(quiet);
    match &mut seen.outcome {
        Outcome::Mapped(after) => {
            after.iter_mut().filter(|shown| !shown.masked && !known(&shown.field)).for_each(quiet);
        }
        Outcome::Rejected(fault) => fault.cause = hush.text("", &fault.cause),
        Outcome::Filtered | Outcome::Withheld(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_too_wide() {
        let field =
            |name: &str, text: &str| Shown { field: name.into(), kind: "string", text: text.into(), masked: false };
        let long = "ü".repeat(300);
        for (one, other) in [("a", "b"), (long.as_str(), "b"), ("a", long.as_str()), (long.as_str(), long.as_str())] {
            let sides = [vec![], vec![field(one, other)], vec![field(other, one), field("x", "y")]];
            for (before, after) in [(0, 1), (1, 2), (2, 0), (2, 2)] {
                for line in beside(&sides[before], &sides[after]).lines().chain(hanging(one).lines()) {
                    assert!(line.chars().count() <= WIDTH, "{line}");
                }
            }
        }
        assert_eq!(
            beside(&[field("A", "1")], &[field("b", "2")]).trim_end(),
            format!("  A  1{}  |  b  2", " ".repeat(42))
        );
        assert_eq!(hanging("= rejected: no"), "  = rejected: no\n");
    }
}
