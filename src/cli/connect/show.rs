//! `consign connect show NAME`: a connector as it is understood, references as they are written.

use serde_json::Value;

use crate::cli::context::Context;
use crate::cli::output::Answer;
use crate::cli::output::text::outline;
use crate::error::{Error, Exit, Kind, Result, codes, nearest};

/// Shows a connector: parameters, streams, fields and their classes
#[derive(clap::Args, Debug)]
pub(super) struct Show {
    /// The connector's name
    name: String,
}

impl Show {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
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
        let text = format!("{}:\n{}", self.name, outline(connector, 1));
        let answer = Answer::new().fact("name", self.name.into()).fact("connector", connector.clone());
        context.ui.answer(answer.text(text))?;
        Ok(Exit::Done)
    }
}
