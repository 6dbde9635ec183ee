//! `consign map functions`: what the expression language can do.

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::output::{Answer, Rows, text};
use crate::error::{Error, Exit, Kind, Result, codes, nearest};
use crate::expr::functions::{self, Group, Spec};

/// Columns of a line of text.
const WIDTH: usize = 100;
/// The column in which the list says what functions do.
const COLUMN: usize = 38;

/// Lists the functions of the expression language, or explains one or a group
#[derive(clap::Args, Debug)]
pub(super) struct Functions {
    /// The name of a function, or of a group
    name: Option<String>,
}

impl Functions {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let Some(name) = &self.name else { return list(functions::GROUPS, None, context) };
        if let Some(function) = functions::find(name) {
            return one(&function.spec, context);
        }
        match functions::GROUPS.iter().find(|group| group.name.eq_ignore_ascii_case(name)) {
            Some(group) => list(&[*group], Some(group.about), context),
            None => Err(unknown(name)),
        }
    }
}

/// Groups with their functions, the first sentence of each.
fn list(groups: &[&Group], about: Option<&str>, context: &Context<'_>) -> Result<Exit> {
    let mut rows = Rows::new("functions", &["group", "name", "signature", "about"]);
    let mut page = about.map(|about| format!("{}\n", wrapped(about, ""))).unwrap_or_default();
    for group in groups {
        page.push_str(&format!("{}{}\n", if page.is_empty() { "" } else { "\n" }, group.name));
        for function in group.functions {
            let spec = &function.spec;
            rows.push(vec![json!(group.name), json!(spec.name), json!(spec.signature()), json!(spec.about)]);
            let first = spec.about.split_once(". ").map_or(spec.about, |(first, _)| first).trim_end_matches('.');
            let about = wrapped(first, &" ".repeat(COLUMN));
            let signature = format!("  {}", spec.signature());
            // A signature that is too long for its column has a line of its own.
            if signature.chars().count() + 2 > COLUMN {
                page.push_str(&format!("{signature}\n{about}\n"));
            } else {
                page.push_str(&format!("{signature:COLUMN$}{}\n", about.trim_start()));
            }
        }
    }
    if groups.len() > 1 {
        page.push_str("\n`consign map functions NAME` explains a function, with examples, or a group.\n");
    }
    context.ui.answer(Answer::new().rows(rows).text(page))?;
    Ok(Exit::Done)
}

#[cold]
fn unknown(name: &str) -> Error {
    let error = Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, format!("there is no function `{name}`"));
    let near = nearest(name, functions::names());
    let parts = || functions::names().filter(|known| !known.contains('.') && name.len() > 2 && known.contains(name));
    let within: Vec<String> = parts().take(6).map(|known| format!("`{known}`")).collect();
    match (near, within.is_empty()) {
        (Some(near), _) => error.hint(format!("did you mean `{near}`?")),
        (None, false) => error.hint(format!("there are {}", within.join(", "))),
        (None, true) => error.hint("`consign map functions` lists them"),
    }
}

fn one(spec: &Spec, context: &Context<'_>) -> Result<Exit> {
    let mut page = format!("{}\n\n{}\n", signature(spec), wrapped(spec.about, ""));
    if !spec.aliases.is_empty() {
        page.push_str(&format!("\nalso written: {}\n", spec.aliases.join(", ")));
    }
    if spec.method {
        page.push_str(&format!("as a method: value.{}(…)\n", spec.name));
    }
    let mut parameters = Rows::new("parameters", &["name", "takes", "optional", "about"]);
    for parameter in spec.parameters {
        parameters.push(vec![
            json!(parameter.name),
            json!(parameter.kinds.words()),
            json!(parameter.optional),
            json!(parameter.about),
        ]);
    }
    if !spec.parameters.is_empty() {
        page.push('\n');
    }
    for parameter in spec.parameters {
        let optional = if parameter.optional { ", may be left out" } else { "" };
        page.push_str(&format!("  {}: {}{optional}\n", parameter.name, parameter.kinds.words()));
        page.push_str(&format!("{}\n", wrapped(parameter.about, "      ")));
    }
    page.push_str(&format!("\n{}\n", wrapped(&format!("data classes: {}", flow(&spec.flow)), "")));
    page.push_str("\nexamples:\n");
    let mut examples = Vec::new();
    for example in spec.examples {
        let (result, fails) = match example.result {
            Ok(result) => (result, false),
            Err(part) => (part, true),
        };
        let arrow = if fails { "fails:" } else { "is" };
        let shown = text::shown(result);
        // What does not fit in one line has its result below it.
        let long = example.text.chars().count() + arrow.len() + shown.chars().count() + 5 > WIDTH;
        let gap = if long { "\n      " } else { "  " };
        page.push_str(&format!("  {}{gap}{arrow} {shown}\n", example.text));
        examples.push(json!({ "expression": example.text, "result": result, "fails": fails }));
    }
    let answer = Answer::new()
        .fact("name", json!(spec.name))
        .fact("aliases", json!(spec.aliases))
        .fact("signature", json!(spec.signature()))
        .fact("typed_signature", json!(spec.typed_signature()))
        .fact("returns", json!(spec.returns.words(spec.parameters)))
        .fact("about", json!(spec.about))
        .fact("parameters", parameters.objects().collect())
        .fact("classes", json!(flow(&spec.flow)))
        .fact("examples", json!(examples));
    context.ui.answer(answer.text(page))?;
    Ok(Exit::Done)
}

/// The signature with types, a parameter a line where one line is too long.
fn signature(spec: &Spec) -> String {
    let whole = spec.typed_signature();
    if whole.chars().count() <= WIDTH {
        return whole;
    }
    format!("{}\n    -> {}", spec.signature(), spec.returns.words(spec.parameters))
}

/// Text in lines of at most [`WIDTH`] columns, each behind an indent.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = vec![indent.to_string()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        let begun = line.len() > indent.len();
        if begun && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(format!("{indent}{word}"));
            continue;
        }
        line.push_str(if begun { " " } else { "" });
        line.push_str(word);
    }
    lines.join("\n")
}

/// What becomes of data classes, in words.
pub(in crate::cli) fn flow(flow: &functions::Flow) -> String {
    match flow {
        functions::Flow::Carries => "carried: the result holds the data of the arguments".into(),
        functions::Flow::Protects { from, to } => {
            let becomes = to.map_or_else(String::new, |class| format!(", which becomes {class}"));
            format!("protects {}{becomes}", from.join(", "))
        }
        functions::Flow::Declassifies => "the result does not hold the data, though it depends on it".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_between_words() {
        let text = wrapped(&"word ".repeat(60), "    ");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH && line.starts_with("    word")), "{text}");
        assert_eq!(text.matches("word").count(), 60);
    }
}
