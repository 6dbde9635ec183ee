//! `consign connect`: the systems of a project.

mod check;
mod discover;
mod list;
mod peek;
mod schema;
mod show;

use clap::Subcommand;

use super::context::Context;
use crate::error::{Exit, Result};

/// The systems of the project: list, show, check, look at their records
#[derive(clap::Args, Debug)]
pub(super) struct Connect {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    List(list::List),
    Show(show::Show),
    Check(check::Check),
    Discover(discover::Discover),
    Schema(schema::Schema),
    Peek(peek::Peek),
}

impl Connect {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        match self.verb {
            Verb::List(verb) => verb.run(context),
            Verb::Show(verb) => verb.run(context),
            Verb::Check(verb) => verb.run(context),
            Verb::Discover(verb) => verb.run(context),
            Verb::Schema(verb) => verb.run(context),
            Verb::Peek(verb) => verb.run(context),
        }
    }
}
