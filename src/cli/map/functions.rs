//! `consign map functions`: what the expression language can do.

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::output::{Answer, Rows};
use crate::error::{Error, Exit, Kind, Result, codes, nearest};
use crate::expr::functions;

/// Lists the functions of the expression language, or explains one
#[derive(clap::Args, Debug)]
pub(super) struct Functions {
    /// The function's name
    name: Option<String>,
}

impl Functions {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        match &self.name {
            Some(name) => one(name, context),
            None => {
                let mut rows = Rows::new("functions", &["group", "name", "signature", "about"]);
                for group in functions::GROUPS {
                    for function in group.functions {
                        let spec = &function.spec;
                        rows.push(vec![
                            json!(group.name),
                            json!(spec.name),
                            json!(spec.signature()),
                            json!(spec.about),
                        ]);
                    }
                }
                context.ui.answer(Answer::new().rows(rows))?;
                Ok(Exit::Done)
            }
        }
    }
}

fn one(name: &str, context: &Context<'_>) -> Result<Exit> {
    let found = functions::find(name);
    let Some(function) = found else {
        let error = Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, format!("there is no function `{name}`"));
        return Err(match nearest(name, functions::names()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`consign map functions` lists them"),
        });
    };
    let spec = &function.spec;
    let mut text = format!("{}\n\n{}\n", spec.signature(), spec.about);
    if !spec.aliases.is_empty() {
        text.push_str(&format!("\nalso written: {}\n", spec.aliases.join(", ")));
    }
    if spec.method {
        text.push_str(&format!("as a method: value.{}(…)\n", spec.name));
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
    text.push_str(&format!("\n{}", crate::cli::output::text::table(&parameters)));
    text.push_str(&format!("\ndata classes: {}\n", flow(&spec.flow)));
    text.push_str("\nexamples:\n");
    let mut examples = Vec::new();
    for example in spec.examples {
        let (result, fails) = match example.result {
            Ok(result) => (result, false),
            Err(part) => (part, true),
        };
        let arrow = if fails { "fails:" } else { "is" };
        text.push_str(&format!("  {}  {arrow} {result}\n", example.text));
        examples.push(json!({ "expression": example.text, "result": result, "fails": fails }));
    }
    let answer = Answer::new()
        .fact("name", json!(spec.name))
        .fact("aliases", json!(spec.aliases))
        .fact("signature", json!(spec.signature()))
        .fact("about", json!(spec.about))
        .fact("parameters", parameters.objects().collect())
        .fact("classes", json!(flow(&spec.flow)))
        .fact("examples", json!(examples));
    context.ui.answer(answer.text(text))?;
    Ok(Exit::Done)
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
