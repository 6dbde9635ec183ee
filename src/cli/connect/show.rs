//! `consign connect show NAME`: a connector as it is understood, references as they are written.

use serde_json::Value;

use crate::cli::context::Context;
use crate::cli::output::text::{outline, table};
use crate::cli::output::{Answer, Rows};
use crate::error::{Error, Exit, Kind, Result, codes, nearest};

/// Shows a connector: parameters, streams, fields and their classes
#[derive(clap::Args, Debug)]
pub(super) struct Show {
    /// The connector's name; with `--expanded` also that of a built-in pack
    name: String,
    /// Shows every value of its pack, defaults filled in, and where each comes from
    #[arg(long)]
    expanded: bool,
}

impl Show {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        if self.expanded {
            return super::expanded::run(&self.name, context);
        }
        let (project, _) = context.project()?;
        let canonical: Value = serde_json::from_str(&project.canonical)
            .map_err(|e| Error::bug("the canonical form of the project is no JSON").caused_by(e))?;
        let Some(connector) = canonical["connectors"].get(&self.name) else {
            let error = Error::new(
                Kind::Invalid,
                &codes::cli::UNKNOWN_NAME,
                format!("there is no connector `{}` in {}", self.name, project.file),
            );
            return Err(match nearest(&self.name, project.connectors.keys().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("`consign connect list` lists them"),
            });
        };
        let text = person(&self.name, connector);
        let answer = Answer::new().fact("name", self.name.into()).fact("connector", connector.clone());
        context.ui.answer(answer.text(text))?;
        Ok(Exit::Done)
    }
}

/// The connector for a person: its parameters, then each stream with a table of its fields.
fn person(name: &str, connector: &Value) -> String {
    let mut head = connector.clone();
    let streams = head.as_object_mut().and_then(|members| members.remove("streams"));
    let mut out = format!("{name}:\n{}", outline(&head, 1));
    for (name, stream) in streams.iter().filter_map(Value::as_object).flatten() {
        let mut about = stream.clone();
        let fields = about.as_object_mut().and_then(|members| members.remove("fields"));
        out.push_str(&format!("\nstream {name}:\n{}", outline(&about, 1)));
        let columns = ["name", "type", "required", "class"];
        let mut rows = Rows::new("fields", &columns);
        for field in fields.iter().filter_map(Value::as_array).flatten() {
            let classes: Vec<&str> =
                field["class"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            rows.push(vec![
                field["name"].clone(),
                field["type"].clone(),
                field["required"].clone(),
                if classes.is_empty() { Value::Null } else { classes.join(", ").into() },
            ]);
        }
        for line in table(&rows).lines() {
            out.push_str(&format!("  {line}\n"));
        }
    }
    out
}
