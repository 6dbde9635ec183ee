//! `consign sync approve`: a person agrees to a saved plan; name and reason enter the log.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::audit::{Action, Draft, Outcome};
use crate::cli::context::{Context, who};
use crate::cli::output::Answer;
use crate::config::routes_named;
use crate::error::{Error, Exit, Kind, Result, codes};
use crate::store::plans::unknown;
use crate::sync::planned::{Planned, four_eyes};

/// Approves of a saved plan, so that it may run; recorded with name and reason
#[derive(clap::Args, Debug)]
pub(super) struct Approve {
    /// The plan, as `sync plan --save` wrote it
    plan: PathBuf,
    /// Who approves; the user of the environment unless given
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    /// Why; recorded
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Approve {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, mappings) = context.project()?;
        let plan = read(&self.plan)?;
        let Some(name) = self.name.or_else(who).filter(|name| !name.trim().is_empty()) else {
            return Err(Error::new(Kind::Invalid, &codes::cli::USAGE, "nobody is known to approve")
                .hint("say who: `--as NAME`"));
        };
        let mut store = context.store(&project)?;
        let known = store.plan(&plan.hash)?.ok_or_else(|| unknown(&plan.hash))?;
        for route in &known.routes {
            // As the mapping says it now, or as a rule asked for it when the plan was made.
            let asks = |approval: &crate::config::Approval| approval.four_eyes;
            let said = routes_named(&mappings, route)?.iter().any(|m| m.sync.approval.as_ref().is_some_and(asks));
            if said || plan.routes.get(route).is_some_and(|planned| planned["approval"]["four_eyes"] == true) {
                four_eyes(&known, &name).map_err(|error| {
                    let draft = Draft {
                        outcome: Outcome::Denied,
                        reason: Some(error.cause().to_string()),
                        resource: Some(plan.hash.clone()),
                        actor: Some(name.clone()),
                        route: Some(route.clone()),
                        ..Draft::new(Action::ApprovalRefused)
                    };
                    match store.record_event(draft.detail("author", known.author.clone())) {
                        Ok(_) => error,
                        Err(unrecorded) => error.fact("audit", format!("not recorded: {unrecorded}")),
                    }
                })?;
            }
        }
        store.approve_plan(&plan.hash, &name, &self.reason)?;
        let file = self.plan.display();
        let text = format!("{name} approves of plan {}\nnext: consign sync run --plan {file}\n", plan.hash);
        let answer = Answer::new()
            .fact("plan", json!(plan.hash))
            .fact("routes", json!(known.routes))
            .fact("author", json!(known.author))
            .fact("approver", json!(name))
            .fact("reason", json!(self.reason));
        context.ui.answer(answer.text(text))?;
        Ok(Exit::Done)
    }
}

/// Reads a saved plan.
///
/// # Errors
/// If the file cannot be read, is no plan, or is not as it was saved.
pub(super) fn read(path: &Path) -> Result<Planned> {
    let doing = || format!("reading the plan {}", path.display());
    let bytes = std::fs::read(path).map_err(|e| Error::io(doing(), e).into_kind(Kind::Invalid))?;
    Planned::read(&bytes).map_err(|error| error.doing(doing()))
}
