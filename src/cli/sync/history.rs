//! `consign sync history`: the runs there were, the newest first.

use super::{RUN_COLUMNS, known, run_row};
use crate::cli::context::{Context, now_ns};
use crate::cli::moment;
use crate::cli::output::{Answer, Rows};
use crate::error::{Exit, Result};
use crate::store::RunFilter;

/// Lists the runs there were, the newest first
#[derive(clap::Args, Debug)]
pub(super) struct History {
    /// Only this route's
    name: Option<String>,
    /// Only those begun since: a date, a moment, or `36h` for the last 36 hours
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// How many at most; 0 for all
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
}

impl History {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, mappings) = context.project()?;
        let since_ns = self.since.map(|text| moment::past(&text, now_ns())).transpose()?;
        let mut rows = Rows::new("runs", RUN_COLUMNS);
        if let Some(store) = context.store_read(&project)? {
            for run in store.runs(&RunFilter { route: self.name.clone(), since_ns, limit: self.limit })? {
                rows.push(run_row(&run));
            }
        }
        let mut answer = Answer::new();
        // A route whose mapping is gone has a history still.
        if let (true, Some(name)) = (rows.rows.is_empty(), &self.name) {
            known(name, &mappings)?;
        }
        if rows.rows.is_empty() {
            answer = answer.text("no run yet; next: consign sync run --all\n");
        }
        context.ui.answer(answer.rows(rows))?;
        Ok(Exit::Done)
    }
}
