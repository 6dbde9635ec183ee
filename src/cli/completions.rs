//! `consign completions SHELL`: a completion script, from the same description as the help.

use clap::CommandFactory as _;

use super::context::Context;
use crate::error::{Exit, Result};

/// Prints the completion script of a shell
#[derive(clap::Args, Debug)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

impl Completions {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::Cli::command(), "consign", &mut script);
        context.ui.raw(&script)?;
        Ok(Exit::Done)
    }
}
