//! `consign audit public-key`: the public key that verifies checkpoints and proofs of this log.

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::output::Answer;
use crate::error::codes::audit::NO_SIGNER;
use crate::error::{Error, Exit, Kind, Result};

/// Prints the public key that verifies checkpoints and proofs
#[derive(clap::Args, Debug)]
pub(super) struct PublicKey {
    /// The notes by which earlier keys handed over to later ones, the oldest first, for whoever holds an earlier one
    #[arg(long)]
    handovers: bool,
}

impl PublicKey {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        let store = context.store_must(&project)?;
        let key = store.checkpoint_key()?.ok_or_else(|| {
            Error::new(Kind::Failed, &NO_SIGNER, "the audit log has no key to sign with yet")
                .hint("record something first: `consign audit add` gives it one")
        })?;
        let handovers = store.handovers()?;
        let text = if self.handovers { handovers.concat() } else { format!("{key}\n") };
        context.ui.answer(Answer::new().fact("key", json!(key)).fact("handovers", json!(handovers)).text(text))?;
        Ok(Exit::Done)
    }
}
