//! `consign audit prove EVENT`: a file that shows to anybody with the public key that an event is in the log.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::context::{Context, who};
use crate::cli::output::Answer;
use crate::error::Exit;
use crate::error::Result;
use crate::store::folder::replace_file_as;

/// Writes a proof that an event is in the log
#[derive(clap::Args, Debug)]
pub(super) struct Prove {
    /// Its number, or its id or the beginning of it
    event: String,
    /// The file to write; `event-NUMBER.tlog-proof` unless given, `-` for standard output
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Leaves the event itself out: whoever verifies must have it
    #[arg(long)]
    bare: bool,
}

impl Prove {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        // Asked for reading first: a proof of nothing must not make a state.
        drop(context.store_must(&project)?);
        let mut store = context.store(&project)?;
        let (seq, mut proof) = store.prove(&self.event, who())?;
        if self.bare {
            proof.body = None;
        }
        let path = self.to.unwrap_or_else(|| PathBuf::from(format!("event-{seq}.tlog-proof")));
        let key = store.checkpoint_key()?;
        let answer = Answer::new().fact("event", json!(seq)).fact("key", json!(key));
        if path.as_os_str() == "-" {
            context.ui.answer(answer.fact("proof", json!(proof.text())).text(proof.text()))?;
            return Ok(Exit::Done);
        }
        replace_file_as(&path, proof.text().as_bytes(), 0o644)?;
        let text = format!(
            "event {seq} is proved by {path}\n  whoever has it and the key verifies it: consign audit verify --proof {path} --key {}\n",
            key.clone().unwrap_or_default(),
            path = path.display(),
        );
        context.ui.answer(answer.fact("file", json!(path.display().to_string())).text(text))?;
        Ok(Exit::Done)
    }
}
