//! `consign connect schema NAME`: what a system holds as declarations of streams: printed, written into
//! `connectors.yaml`, or compared with what stands there.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::discover::discovered;
use crate::cli::context::Context;
use crate::cli::output::{Answer, Rows};
use crate::config::{Connector, Stream};
use crate::connect::protocols::{self, Discovered};
use crate::error::{Error, Exit, Kind, Result, codes};
use crate::record::path::Step;
use crate::record::{Field, Type};

/// Declares the streams of a system from what it holds
#[derive(clap::Args, Debug)]
pub(super) struct Schema {
    /// The connector's name
    name: String,
    /// Writes those that are not declared yet into connectors.yaml; nothing there is changed
    #[arg(long, conflicts_with = "diff")]
    write: bool,
    /// Compares what is declared with what is there; exits with 10 if they differ
    #[arg(long)]
    diff: bool,
}

impl Schema {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (_, connector, found) = discovered(&self.name, context)?;
        if self.diff {
            return diff(&connector, &found, context);
        }
        let missing: Vec<&Discovered> = found.iter().filter(|stream| declared(&connector, stream).is_none()).collect();
        if !self.write {
            let all: Vec<&Discovered> = found.iter().collect();
            context.ui.answer(answer(&all).text(snippet(&all, 4)))?;
            return Ok(Exit::Done);
        }
        if missing.is_empty() {
            context.ui.answer(answer(&[]).text(format!("{} declares everything that is there\n", self.name)))?;
            return Ok(Exit::Done);
        }
        let file = context.find()?;
        let text = std::fs::read_to_string(&file.file)
            .map_err(|e| Error::io(format!("reading `{}`", file.file.display()), e))?;
        let Some(edited) = inserted(&text, connector.place.line, &missing).filter(|_| !file.is_example) else {
            context.ui.note(&format!(
                "connectors.yaml is left as it is: `{}` is not written there as a block that lines could be added to",
                self.name
            ));
            context.ui.answer(answer(&missing).text(snippet(&missing, 4)))?;
            return Ok(Exit::Done);
        };
        replace(&file.file, &edited)?;
        if context.load(&file).has_errors() {
            // What was there before is known to be sound.
            replace(&file.file, &text)?;
            return Err(Error::bug("what was to be written into connectors.yaml does not pass its check"));
        }
        let names: Vec<&str> = missing.iter().map(|stream| stream.stream.as_str()).collect();
        let told = format!("{}: declared {}\nnext: consign connect check\n", self.name, names.join(", "));
        context.ui.answer(answer(&missing).text(told))?;
        Ok(Exit::Done)
    }
}

fn answer(streams: &[&Discovered]) -> Answer {
    let all: Vec<Json> = streams
        .iter()
        .map(|stream| {
            let fields: serde_json::Map<String, Json> = stream
                .columns
                .iter()
                .filter_map(|column| {
                    Some((
                        name_of(&column.path)?.to_owned(),
                        json!({ "type": column.kind.to_string(), "required": column.required }),
                    ))
                })
                .collect();
            json!({ "stream": stream.stream, "key": stream.key, "fields": fields })
        })
        .collect();
    Answer::new().fact("streams", json!(all))
}

/// The stream that a connector declares for something that was found.
fn declared<'c>(connector: &'c Connector, found: &Discovered) -> Option<&'c Stream> {
    let option = protocols::of(connector).and_then(|p| p.spec().undeclared_stream);
    connector.streams.values().find(|stream| {
        let said = stream.options.iter().find(|(key, _)| Some(key.value.as_str()) == option);
        match said.map(|(_, node)| &node.value) {
            Some(crate::config::Node::Text(text)) => text.as_literal() == Some(&found.stream),
            _ => stream.name == found.stream,
        }
    })
}

fn diff(connector: &Connector, found: &[Discovered], context: &Context<'_>) -> Result<Exit> {
    let mut rows = Rows::new("differences", &["stream", "column", "declared", "found"]);
    let mut pairs = 0;
    for stream in found {
        let Some(known) = declared(connector, stream) else { continue };
        pairs += 1;
        let keys: Vec<String> = known.key.iter().map(ToString::to_string).collect();
        if !keys.is_empty() && !stream.key.is_empty() && keys != stream.key {
            rows.push(vec![json!(known.name), json!("(key)"), json!(keys.join(", ")), json!(stream.key.join(", "))]);
        }
        if known.fields.is_empty() {
            continue;
        }
        for column in &stream.columns {
            let Some(name) = name_of(&column.path) else { continue };
            match known.fields.iter().find(|field| field.name == name) {
                None if known.closed => {
                    rows.push(vec![json!(known.name), json!(name), Json::Null, json!(column.kind.to_string())]);
                }
                Some(Field { kind, .. }) if *kind != column.kind && *kind != Type::Dyn && column.kind != Type::Dyn => {
                    let (said, there) = (kind.to_string(), column.kind.to_string());
                    rows.push(vec![json!(known.name), json!(name), json!(said), json!(there)]);
                }
                _ => {}
            }
        }
        let gone = |field: &&Field| !stream.columns.iter().any(|column| name_of(&column.path) == Some(&field.name));
        for field in known.fields.iter().filter(gone) {
            rows.push(vec![json!(known.name), json!(field.name), json!(field.kind.to_string()), Json::Null]);
        }
    }
    let (exit, text) = match rows.rows.len() {
        0 if pairs == 0 => (Exit::Done, Some("no declared stream is there\n".to_owned())),
        0 => (Exit::Done, Some("what is declared is what is there\n".to_owned())),
        _ => (Exit::Differences, None),
    };
    let answer = Answer::new().fact("exit", json!(exit.number())).rows(rows);
    context.ui.answer(match text {
        Some(text) => answer.text(text),
        None => answer,
    })?;
    Ok(exit)
}

fn name_of(path: &crate::record::Path) -> Option<&str> {
    match path.0.as_slice() {
        [Step::Key(name)] => Some(name),
        _ => None,
    }
}

/// The declarations as YAML, `streams:` first, indented by so many spaces.
fn snippet(streams: &[&Discovered], indent: usize) -> String {
    format!("{:indent$}streams:\n{}", "", entries(streams, indent + 2))
}

fn entries(streams: &[&Discovered], indent: usize) -> String {
    let mut out = String::new();
    for stream in streams {
        out.push_str(&format!("{:indent$}{}:\n", "", scalar(&stream.stream)));
        let inner = indent + 2;
        if !stream.key.is_empty() {
            let keys: Vec<String> =
                stream.key.iter().map(|key| scalar(&crate::record::Path::key(key).to_string())).collect();
            out.push_str(&format!("{:inner$}key: [{}]\n", "", keys.join(", ")));
        }
        out.push_str(&format!("{:inner$}fields:\n", ""));
        for column in &stream.columns {
            let Some(name) = name_of(&column.path) else { continue };
            let kind = match column.required {
                true => format!("{{ type: {}, required: true }}", column.kind),
                false => column.kind.to_string(),
            };
            out.push_str(&format!("{:at$}{}: {kind}\n", "", scalar(name), at = inner + 2));
        }
    }
    out
}

/// A name as YAML: quoted unless it cannot be taken for anything else.
fn scalar(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !matches!(
            name.to_ascii_lowercase().as_str(),
            "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if plain { name.to_owned() } else { format!("'{}'", name.replace('\'', "''")) }
}

/// The text with the streams declared in the block of the connector that begins at a line (from
/// 1). Lines are added, none is touched; `None` if the connector is not written as a block.
fn inserted(text: &str, line: u32, streams: &[&Discovered]) -> Option<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let says = |line: &str| {
        let content = line.trim();
        !content.is_empty() && !content.starts_with('#')
    };
    let opens = |line: &str| line.split(" #").next().is_some_and(|code| code.trim_end().ends_with(':'));
    let head = (line as usize).checked_sub(1)?;
    let own = indent(lines.get(head)?);
    if !opens(lines[head]) {
        return None;
    }
    // The last line that belongs to the block that opens there.
    let end = |head: usize| {
        let own = indent(lines[head]);
        let inside = lines[head + 1..].iter().take_while(|line| !says(line) || indent(line) > own).count();
        (head + 1..=head + inside).rev().find(|at| says(lines[*at]))
    };
    let last = end(head)?;
    let child = indent(lines[(head + 1..=last).find(|at| says(lines[*at]))?]);
    if child <= own {
        return None;
    }
    let declared =
        (head + 1..=last).find(|at| indent(lines[*at]) == child && lines[*at].trim_start().starts_with("streams:"));
    let (after, added) = match declared {
        None => (last, snippet(streams, child)),
        Some(at) if opens(lines[at]) => {
            let last = end(at)?;
            let inner = indent(lines[(at + 1..=last).find(|at| says(lines[*at]))?]);
            (last, entries(streams, inner))
        }
        Some(_) => return None,
    };
    let mut out: String = lines[..=after].concat();
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out.push_str(&added);
    out.push_str(&lines[after + 1..].concat());
    Some(out)
}

/// Puts the text in the place of the file, whole or not at all.
fn replace(file: &Path, text: &str) -> Result<()> {
    let failed = |e| Error::io(format!("writing `{}`", file.display()), e);
    // Through a link to the file itself.
    let file = file.canonicalize().map_err(failed)?;
    let beside = file.with_extension("yaml.new");
    if beside.exists() {
        return Err(Error::new(Kind::Invalid, &codes::cli::EXISTS, format!("`{}` is there already", beside.display()))
            .hint("another command may be writing it, or one was killed: look at it and delete it"));
    }
    std::fs::write(&beside, text).map_err(failed)?;
    let permissions = std::fs::metadata(&file).map_err(failed)?.permissions();
    std::fs::set_permissions(&beside, permissions).and_then(|()| std::fs::rename(&beside, &file)).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Column, Path as RecordPath};

    fn check(text: &str, line: u32, expected: Option<&str>) {
        let column = Column { path: RecordPath::key("a b"), kind: Type::Int, required: true };
        let stream = Discovered { stream: "t".into(), key: vec!["a b".into()], columns: vec![column] };
        assert_eq!(inserted(text, line, &[&stream]).as_deref(), expected, "{text}");
    }

    #[test]
    fn lines_are_added_and_none_is_touched() {
        let added = "    streams:\n      t:\n        key: ['a b']\n        fields:\n          'a b': { type: int, required: true }\n";
        let before = "connectors:\n  x: # the store\n    use: sqlite   # here\n    with: { path: a }\n";
        let rest = "\n  # another\n  y:\n    use: file\n";
        check(&format!("{before}{rest}"), 2, Some(&format!("{before}{added}{rest}")));
        check(&format!("{before}{}", ""), 2, Some(&format!("{before}{added}")));
        check(before.trim_end(), 2, Some(&format!("{before}{added}")));
        let own = "x:\n  streams:  # mine\n    s: { table: s }\n    # end\nother: 1\n";
        let wanted = "x:\n  streams:  # mine\n    s: { table: s }\n    t:\n      key: ['a b']\n      fields:\n        'a b': { type: int, required: true }\n    # end\nother: 1\n";
        check(own, 1, Some(wanted));
        check("x: { use: sqlite }\n", 1, None);
        check("x:\n  streams: { s: { table: s } }\n", 1, None);
        check("x:\n", 1, None);
        check("", 5, None);
    }

    #[test]
    fn names_that_mean_something_are_quoted() {
        assert_eq!(["a", "no", "1a", "a'b", "order"].map(scalar).join(" "), "a 'no' '1a' 'a''b' order");
    }
}
