//! `consign map`: mappings are checked, tested, tried and explained; nothing is written.

mod check;
mod diff;
mod explain;
mod fmt;
pub(in crate::cli) mod functions;
mod new;
mod preview;
mod test;

use clap::Subcommand;

use super::context::Context;
use crate::config::{Loaded, Mapping, Project};
use crate::error::{Error, Exit, Result};
use crate::map::Route;
use crate::sync::check as checks;

/// The mappings of the project: check, test, preview, propose, explain, compare, format
#[derive(clap::Args, Debug)]
pub(super) struct Map {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Check(check::Check),
    Test(test::Test),
    Preview(preview::Preview),
    New(new::New),
    Explain(explain::Explain),
    Diff(diff::Diff),
    Fmt(fmt::Fmt),
    Functions(functions::Functions),
}

impl Map {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        match self.verb {
            Verb::Check(verb) => verb.run(context),
            Verb::Test(verb) => verb.run(context),
            Verb::Preview(verb) => verb.run(context),
            Verb::New(verb) => verb.run(context),
            Verb::Explain(verb) => verb.run(context),
            Verb::Diff(verb) => verb.run(context),
            Verb::Fmt(verb) => verb.run(context),
            Verb::Functions(verb) => verb.run(context),
        }
    }
}

/// The names asked for, or all; each must exist.
fn chosen(names: &[String], loaded: &Loaded) -> Result<Vec<String>> {
    for name in names {
        loaded.mapping(name)?;
    }
    Ok(match names {
        [] => loaded.mappings.iter().map(|m| m.name.value.clone()).collect(),
        some => {
            let meant = loaded.mappings.iter().filter(|m| some.iter().any(|name| m.answers_to(name)));
            meant.map(|m| m.name.value.clone()).collect()
        }
    })
}

/// One mapping, compiled; a finding that keeps it from being compiled is an error.
fn one(name: &str, context: &Context<'_>) -> Result<(Project, Mapping, Route)> {
    one_of(name, context.load(&context.find()?), context)
}

/// The same of files that are loaded already.
fn one_of(name: &str, mut loaded: Loaded, context: &Context<'_>) -> Result<(Project, Mapping, Route)> {
    if loaded.project.is_none() {
        return Err(loaded.sound().err().unwrap_or_else(|| Error::bug("a project without a project")));
    }
    let mapping = loaded.mapping(name)?.clone();
    if mapping.is_branch() && mapping.name.value != name {
        let others: Vec<&str> =
            loaded.mappings.iter().filter(|m| m.family == name).map(|m| m.name.value.as_str()).collect();
        let shown = &mapping.name.value;
        context
            .ui
            .note(&format!("`{name}` has several targets; this is `{shown}`: name another of {}", others.join(", ")));
    }
    let checked = checks::check(&mut loaded, false);
    let index = loaded.mappings.iter().position(|m| m.name.value == mapping.name.value);
    let route = index.and_then(|index| checked.into_iter().nth(index)).and_then(|checked| checked.route);
    match (route, &loaded.project) {
        (Some(route), Some(project)) => Ok((project.clone(), mapping, route)),
        _ => {
            // What is wrong with other mappings does not matter here.
            let others: Vec<&str> =
                loaded.mappings.iter().filter(|m| m.file != mapping.file).map(|m| m.file.as_str()).collect();
            loaded.findings.retain(|f| f.place.as_ref().is_none_or(|place| !others.contains(&place.file.as_str())));
            Err(loaded.sound().err().unwrap_or_else(|| Error::bug(format!("`{name}` cannot be compiled"))))
        }
    }
}
