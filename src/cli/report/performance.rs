//! `consign report performance`: how fast and how reliably runs were, and what to change.

use super::super::context::{Context, now_ns};
use super::super::moment;
use super::{Whereto, nanoseconds};
use crate::error::{Error, Exit, Kind, Result, codes, nearest};
use crate::report::performance::{self, Asked};

/// Runs of a period: success, durations, throughput, errors, calls, what to change
#[derive(clap::Args, Debug)]
pub(super) struct Performance {
    /// Only this connector or route
    name: Option<String>,
    /// How long the period is, as in `24h` or `7d`; it is compared with the one before
    #[arg(long, value_name = "TIME", default_value = "24h")]
    period: String,
    /// Its end, as `2025-01-31` or `2025-01-31T12:00:00Z`; the newest event on record unless given
    #[arg(long, value_name = "MOMENT")]
    until: Option<String>,
    /// From which length on a run is slow
    #[arg(long, value_name = "TIME", default_value = "30s")]
    slow: String,
    #[command(flatten)]
    whereto: Whereto,
}

impl Performance {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, mappings) = context.project()?;
        let asked = Asked {
            until_ns: self.until.as_deref().map(|text| moment::past(text, now_ns())).transpose()?,
            period_ns: nanoseconds(&self.period)?,
            slow_ns: nanoseconds(&self.slow)?,
            of: self.name,
        };
        let store = context.store_must(&project)?;
        if let Some(name) = &asked.of {
            let routes = store.routes()?;
            let known = || {
                let mapped = mappings.iter().map(|mapping| mapping.name.value.as_str());
                project.connectors.keys().map(String::as_str).chain(mapped).chain(routes.iter().map(String::as_str))
            };
            if !known().any(|known| known == name) {
                let cause = format!("there is no connector and no route `{name}`");
                let error = Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, cause);
                return Err(match nearest(name, known()) {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error.hint("`consign connect list` and `consign sync status` list what there is"),
                });
            }
        }
        let report = performance::gather(&store, &asked)?;
        context.ui.report(&report, &self.whereto)?;
        Ok(Exit::Done)
    }
}
