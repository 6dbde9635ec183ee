//! `consign audit add`: a script or a person puts a note into the log.

use serde_json::json;

use super::list::level;
use crate::audit::{Action, Draft};
use crate::cli::context::{Context, who};
use crate::cli::output::Answer;
use crate::error::{Error, Exit, Kind, Result, codes};

/// Records a note from a script or a person
#[derive(clap::Args, Debug)]
pub(super) struct Add {
    /// What happened
    note: String,
    /// What it is about
    #[arg(long)]
    resource: Option<String>,
    /// Which route it is about
    #[arg(long)]
    route: Option<String>,
    /// How grave it is (debug, info, warning, error, critical)
    #[arg(long, default_value = "info")]
    level: String,
    /// Details, as often as there are
    #[arg(long = "detail", value_name = "NAME=VALUE")]
    details: Vec<String>,
}

impl Add {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        let mut draft = Draft::new(Action::AuditNote);
        draft.level = level(&self.level)?;
        draft.reason = Some(self.note);
        draft.resource = self.resource;
        draft.route = self.route;
        draft.actor = who();
        for detail in &self.details {
            let Some((name, value)) = detail.split_once('=') else {
                let cause = format!("`{detail}` is no detail");
                return Err(Error::new(Kind::Invalid, &codes::cli::USAGE, cause).hint("write NAME=VALUE"));
            };
            draft = draft.detail(name, value);
        }
        let id = context.store(&project)?.record_event(draft)?;
        let text = id
            .as_ref()
            .map_or_else(|| "not recorded: the audit log is switched off\n".into(), |id| format!("recorded as {id}\n"));
        context.ui.answer(Answer::new().fact("id", json!(id)).text(text))?;
        Ok(Exit::Done)
    }
}
