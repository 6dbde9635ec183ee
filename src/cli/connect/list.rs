//! `consign connect list`: which systems there are, and which mappings use them.

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::output::{Answer, Rows};
use crate::config::Shelf as _;
use crate::connect::pack::SHELF;
use crate::error::{Exit, Result};

/// Lists the connectors of the project
#[derive(clap::Args, Debug)]
pub(super) struct List {
    /// The built-in packs instead: systems that can be used by their name
    #[arg(long)]
    packs: bool,
}

impl List {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        if self.packs {
            return packs(context);
        }
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

/// The catalog of built-in packs.
fn packs(context: &Context<'_>) -> Result<Exit> {
    let mut rows = Rows::new("packs", &["name", "about", "reads", "writes", "operations", "tests"]);
    for name in SHELF.names() {
        let Some(pack) = SHELF.take(name).and_then(super::packs::pack_of).map(|protocol| protocol.pack) else {
            continue;
        };
        rows.push(vec![
            json!(name),
            json!(pack.about),
            json!(pack.streams.iter().filter(|stream| stream.read.is_some()).count()),
            json!(pack.streams.iter().filter(|stream| stream.write.is_some()).count()),
            json!(pack.operations.len()),
            json!(pack.exchanges.len()),
        ]);
    }
    context.ui.answer(Answer::new().rows(rows))?;
    Ok(Exit::Done)
}
