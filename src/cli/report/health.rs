//! `consign report health`: how every route and connector is, for people and for cron.

use super::super::context::Context;
use super::{Whereto, at, nanoseconds};
use crate::error::{Exit, Result};
use crate::report::health::{self, Asked};
use crate::store::folder::Folder;

/// Every route and connector: state, last success, uptime, tokens, schedule
///
/// For cron: exit 0 if all is healthy, 5 if something is degraded, 1 if something is unhealthy.
#[derive(clap::Args, Debug)]
pub(super) struct Health {
    /// How far back error rates and uptime go
    #[arg(long, value_name = "TIME", default_value = "7d")]
    period: String,
    /// The moment that is looked at, as `2025-01-31T12:00:00Z`; now unless given
    #[arg(long, value_name = "MOMENT")]
    at: Option<String>,
    #[command(flatten)]
    whereto: Whereto,
}

impl Health {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, mappings) = context.project()?;
        let asked = Asked { at_ns: at(self.at.as_deref())?, period_ns: nanoseconds(&self.period)? };
        let store = context.store_read(&project)?;
        let folder = Folder::at(&context.state_folder(&project));
        let (report, worst) = health::gather(&project, &mappings, store.as_ref(), &folder, &asked)?;
        context.ui.report(&report, &self.whereto)?;
        Ok(match worst {
            health::Health::Healthy => Exit::Done,
            health::Health::Degraded => Exit::Partial,
            health::Health::Unhealthy => Exit::Failed,
        })
    }
}
