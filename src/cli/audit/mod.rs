//! `consign audit`: what was recorded, and whether anybody changed it.

mod add;
mod alerts;
mod check;
mod checkpoint;
mod export;
mod hold;
mod keys;
mod list;
mod prove;
mod prune;
mod public_key;
mod redact;
mod rotate_key;
#[cfg(test)]
mod row_tests;
#[cfg(test)]
mod rule_tests;
mod rules;
mod seal;
mod show;
mod stats;
pub(super) mod subject;
mod verify;
mod why;
mod witness;

use clap::Subcommand;

use super::context::Context;
use crate::error::{Exit, Result};

/// The tamper-evident log: what happened, proved to others, kept as long as it must be
#[derive(clap::Args, Debug)]
pub(super) struct Audit {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    List(list::List),
    Show(show::Show),
    Stats(stats::Stats),
    Subject(subject::Subject),
    Why(why::Why),
    Export(export::Export),
    Rules(rules::Rules),
    Alerts(alerts::Alerts),
    Verify(verify::Verify),
    Check(check::Check),
    Checkpoint(checkpoint::Checkpoint),
    Prove(prove::Prove),
    PublicKey(public_key::PublicKey),
    RotateKey(rotate_key::RotateKey),
    Seal(seal::Seal),
    Add(add::Add),
    Keys(keys::Keys),
    Prune(prune::Prune),
    Redact(redact::Redact),
    Hold(hold::Hold),
    Witness(witness::Witness),
}

impl Audit {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        match self.verb {
            Verb::List(verb) => verb.run(context),
            Verb::Show(verb) => verb.run(context),
            Verb::Stats(verb) => verb.run(context),
            Verb::Subject(verb) => verb.run(context),
            Verb::Why(verb) => verb.run(context),
            Verb::Export(verb) => verb.run(context),
            Verb::Rules(verb) => verb.run(context),
            Verb::Alerts(verb) => verb.run(context),
            Verb::Verify(verb) => verb.run(context),
            Verb::Check(verb) => verb.run(context),
            Verb::Checkpoint(verb) => verb.run(context),
            Verb::Prove(verb) => verb.run(context),
            Verb::PublicKey(verb) => verb.run(context),
            Verb::RotateKey(verb) => verb.run(context),
            Verb::Seal(verb) => verb.run(context),
            Verb::Prune(verb) => verb.run(context),
            Verb::Redact(verb) => verb.run(context),
            Verb::Hold(verb) => verb.run(context),
            Verb::Witness(verb) => verb.run(context),
            Verb::Add(verb) => verb.run(context),
            Verb::Keys(verb) => verb.run(context),
        }
    }
}
