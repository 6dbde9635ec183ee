//! `consign connect`: the systems of a project.

mod call;
mod capture;
mod check;
mod discover;
mod expanded;
mod keys;
mod list;
mod login;
mod new;
mod packs;
mod peek;
mod probe;
mod schema;
mod show;
mod simulate;
mod test;

use clap::Subcommand;

pub(in crate::cli) use peek::SAMPLE;

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
    New(new::New),
    Test(test::Test),
    Probe(probe::Probe),
    Call(call::Call),
    Capture(capture::Capture),
    Simulate(simulate::Simulate),
    Login(login::Login),
    Logout(login::Logout),
    Keys(keys::Keys),
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
            Verb::New(verb) => verb.run(context),
            Verb::Test(verb) => verb.run(context),
            Verb::Probe(verb) => verb.run(context),
            Verb::Call(verb) => verb.run(context),
            Verb::Capture(verb) => verb.run(context),
            Verb::Simulate(verb) => verb.run(context),
            Verb::Login(verb) => verb.run(context),
            Verb::Logout(verb) => verb.run(context),
            Verb::Keys(verb) => verb.run(context),
        }
    }
}
