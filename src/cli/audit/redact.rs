//! `consign audit redact EVENT…`: bodies are removed, their places in the chain remain.

use serde_json::json;

use crate::cli::context::{Context, who};
use crate::cli::output::Answer;
use crate::cli::output::text::count;
use crate::error::{Exit, Result};
use crate::store::Authority;

/// Removes the bodies of events; the log still verifies, and tells that it was done
#[derive(clap::Args, Debug)]
pub(super) struct Redact {
    /// Their numbers, or their ids
    #[arg(required = true, value_name = "EVENT")]
    events: Vec<String>,
    /// Why
    #[arg(long)]
    reason: String,
    /// Who allowed it
    #[arg(long, value_name = "NAME")]
    approver: String,
}

impl Redact {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        let reader = context.store_must(&project)?;
        let seqs = self.events.iter().map(|id| Ok(reader.audit_event(id)?.seq)).collect::<Result<Vec<u64>>>()?;
        drop(reader);
        let by = Authority { actor: who(), approver: self.approver, reason: self.reason, policy: String::new() };
        context.store(&project)?.redact(&seqs, &by)?;
        let text = format!("{} redacted\n", count(seqs.len() as u64, "event is", "events are"));
        context.ui.answer(Answer::new().fact("events", json!(seqs)).text(text))?;
        Ok(Exit::Done)
    }
}
