//! `consign audit checkpoint`: signs what is recorded so far and carries it away.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::cli::context::{Context, who};
use crate::cli::output::Answer;
use crate::cli::output::text::count;
use crate::error::{Exit, Result};
use crate::sync::carry::{Destination, sign_and_carry};

/// Signs a checkpoint over everything recorded so far, and carries it away
#[derive(clap::Args, Debug)]
pub(super) struct Checkpoint {
    /// Where to, as often as there are: `stdout`, `file:PATH`, `git:FOLDER`, `https://…`, `syslog`, `unix:/SOCKET`,
    /// `syslog://HOST:514`; without it what `audit: { checkpoints }` says, else standard output
    #[arg(long, value_name = "PLACE")]
    to: Vec<String>,
}

impl Checkpoint {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        let asked = if self.to.is_empty() { &project.audit.checkpoints } else { &self.to };
        let mut places = asked.iter().map(|text| Destination::read(text)).collect::<Result<Vec<_>>>()?;
        if places.is_empty() {
            places.push(Destination::Stdout);
        }
        let mut store = context.store(&project)?;
        let (signed, carried, failed) = sign_and_carry(&mut store, &places, &project.root, who())?;
        let mut text = format!("signed over {}\n", count(signed.size, "event", "events"));
        for place in &carried {
            text.push_str(&format!("  carried to {place}\n"));
        }
        text.push_str(&format!("  verified by {}\n", signed.key));
        if places.iter().any(|place| matches!(place, Destination::Stdout)) {
            // The note alone, so that it can be piped to where it is kept.
            text = signed.note.clone();
        }
        let answer = Answer::new()
            .fact("size", json!(signed.size))
            .fact("root", json!(STANDARD.encode(signed.root)))
            .fact("note", json!(signed.note))
            .fact("key", json!(signed.key))
            .fact("carried", json!(carried));
        context.ui.answer(answer.text(text))?;
        let mut exit = Exit::Done;
        for error in failed {
            context.ui.talk_error(&error);
            exit = exit.worst(error.exit());
        }
        Ok(exit)
    }
}
