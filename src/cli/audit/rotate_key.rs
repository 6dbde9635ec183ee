//! `consign audit rotate-key`: another key signs the log's checkpoints from now on, and the old one says so.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::context::{Context, who};
use crate::cli::output::Answer;
use crate::error::{Exit, Result};
use crate::store::folder::replace_file_as;

/// Replaces the key that signs checkpoints; the old one signs for the new one
#[derive(clap::Args, Debug)]
pub(super) struct RotateKey {
    /// Why
    #[arg(long, default_value = "rotation")]
    reason: String,
    /// The file for the note by which the old key hands over, for everybody who holds the old public key;
    /// without it standard output
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

impl RotateKey {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        drop(context.store_must(&project)?);
        let mut store = context.store(&project)?;
        let before = store.checkpoint_key()?;
        let (signed, handover) = store.rotate_signer(&self.reason, who())?;
        let answer = Answer::new()
            .fact("key", json!(signed.key))
            .fact("before", json!(before))
            .fact("size", json!(signed.size))
            .fact("note", json!(signed.note))
            .fact("handover", json!(handover));
        let text = match &self.to {
            // The note alone, so that it can be piped to where it is kept.
            None => handover.clone(),
            Some(path) => {
                replace_file_as(path, handover.as_bytes(), 0o644)?;
                format!(
                    "checkpoints are signed by another key from now on: {}\n  whoever holds the old one needs {}: consign audit verify … --key OLD --handover {}\n",
                    signed.key,
                    path.display(),
                    path.display()
                )
            }
        };
        context.ui.answer(answer.text(text))?;
        Ok(Exit::Done)
    }
}
