//! `consign audit`: what was recorded, and whether anybody changed it.

mod add;
mod keys;
mod list;
mod show;
mod verify;

use clap::Subcommand;

use super::context::Context;
use crate::error::{Exit, Result};

/// The tamper-evident log: list, show, verify, add; keys
#[derive(clap::Args, Debug)]
pub(super) struct Audit {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    List(list::List),
    Show(show::Show),
    Verify(verify::Verify),
    Add(add::Add),
    Keys(keys::Keys),
}

impl Audit {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        match self.verb {
            Verb::List(verb) => verb.run(context),
            Verb::Show(verb) => verb.run(context),
            Verb::Verify(verb) => verb.run(context),
            Verb::Add(verb) => verb.run(context),
            Verb::Keys(verb) => verb.run(context),
        }
    }
}
