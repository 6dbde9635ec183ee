//! `consign connect list`: which systems there are, and which mappings use them.

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::output::{Answer, Rows};
use crate::error::{Exit, Result};

/// Lists the connectors of the project
#[derive(clap::Args, Debug)]
pub(super) struct List {}

impl List {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, mappings) = context.project()?;
        let mut rows = Rows::new("connectors", &["name", "uses", "streams", "source_of", "target_of", "clearance"]);
        for connector in project.connectors.values() {
            // An empty cell is a null, so that a person sees a dash.
            let joined = |names: Vec<&str>| Some(names.join(", ")).filter(|text| !text.is_empty());
            let routes = |reads: bool| -> Vec<&str> {
                mappings
                    .iter()
                    .filter(|m| if reads { &m.from } else { &m.to }.connector == connector.name)
                    .map(|m| m.name.value.as_str())
                    .collect()
            };
            rows.push(vec![
                json!(connector.name),
                json!(connector.uses.value),
                json!(joined(connector.streams.keys().map(String::as_str).collect())),
                json!(joined(routes(true))),
                json!(joined(routes(false))),
                json!(connector.clearance.map(|classes| classes.to_string())),
            ]);
        }
        context.ui.answer(Answer::new().rows(rows))?;
        Ok(Exit::Done)
    }
}
