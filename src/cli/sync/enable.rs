//! `consign sync enable` and `disable`: whether a route may run, and why not.

use serde_json::json;

use crate::cli::context::{Context, who};
use crate::cli::output::Answer;
use crate::config::routes_named;
use crate::error::{Exit, Result};

/// Lets a route run again
#[derive(clap::Args, Debug)]
pub(super) struct Enable {
    /// The route's name
    name: String,
    /// Why; recorded
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Keeps a route from running
#[derive(clap::Args, Debug)]
pub(super) struct Disable {
    /// The route's name
    name: String,
    /// Why; recorded, and told whoever tries
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Enable {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        set(&self.name, true, self.reason.as_deref(), context)
    }
}

impl Disable {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        set(&self.name, false, Some(&self.reason), context)
    }
}

fn set(name: &str, enabled: bool, reason: Option<&str>, context: &Context<'_>) -> Result<Exit> {
    let (project, mappings) = context.project()?;
    let routes = routes_named(&mappings, name)?;
    let mut store = context.store(&project)?;
    for route in routes {
        store.set_enabled(&route.name.value, enabled, reason, who().as_deref())?;
    }
    let word = if enabled { "enabled" } else { "disabled" };
    let answer = Answer::new().fact("route", json!(name)).fact("enabled", json!(enabled)).fact("reason", json!(reason));
    context.ui.answer(answer.text(format!("{name} is {word}\n")))?;
    Ok(Exit::Done)
}
