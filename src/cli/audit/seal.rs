//! `consign audit seal`: moves the oldest events of the log to files that nobody writes to any more.

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::output::text::grouped;
use crate::cli::output::{Answer, Rows};
use crate::error::{Exit, Result};

/// Moves the oldest events to read-only files beside the database; everything goes on working over both
#[derive(clap::Args, Debug)]
pub(super) struct Seal {
    /// About so many events for each file; without it what `audit: { segments }` says
    #[arg(long, value_name = "N")]
    events: Option<u64>,
    /// So many of the newest events stay in the database at least; without it as many as a file has
    #[arg(long, value_name = "N")]
    keep: Option<u64>,
}

impl Seal {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        // Asked for reading first: there is nothing to seal where nothing was recorded.
        drop(context.store_must(&project)?);
        let said = if project.audit.segments == 0 { crate::config::SEGMENT } else { project.audit.segments };
        let each = self.events.unwrap_or(said);
        let mut store = context.store(&project)?;
        let made = store.seal_segments(each, self.keep.unwrap_or(each))?;
        let mut rows = Rows::new("segments", &["first", "last", "file"]);
        let mut text = String::new();
        for segment in &made {
            let range = format!("{} to {}", grouped(segment.first), grouped(segment.last));
            text.push_str(&format!("events {range} are in segments/{}\n", segment.file));
            rows.push(vec![json!(segment.first), json!(segment.last), json!(segment.file)]);
        }
        if made.is_empty() {
            text.push_str("nothing is to be sealed yet\n");
        }
        context.ui.answer(Answer::new().fact("sealed", json!(made.len())).rows(rows).text(text))?;
        Ok(Exit::Done)
    }
}
