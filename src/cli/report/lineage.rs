//! `consign report lineage`: where the values of target fields come from.

use super::super::context::Context;
use super::Whereto;
use crate::error::{Error, Exit, Kind, Result, codes, nearest};
use crate::report::lineage::{self, Subject};
use crate::sync::check;

/// Field by field from source through functions to target, with data classes and protection
#[derive(clap::Args, Debug)]
pub(super) struct Lineage {
    /// Only these routes; every one unless given
    names: Vec<String>,
    /// Prints the lineage as events of OpenLineage
    #[arg(long)]
    openlineage: bool,
    #[command(flatten)]
    whereto: Whereto,
}

impl Lineage {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, mappings) = context.project()?;
        for name in &self.names {
            if !mappings.iter().any(|mapping| mapping.answers_to(name)) {
                let cause = format!("there is no route `{name}`");
                let error = Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, cause);
                return Err(match nearest(name, mappings.iter().map(|mapping| mapping.name.value.as_str())) {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error.hint("`consign sync status` lists what there is"),
                });
            }
        }
        let store = context.store_read(&project)?;
        let asked = |name: &crate::config::Mapping| {
            self.names.is_empty() || self.names.iter().any(|wanted| name.answers_to(wanted))
        };
        let compiled: Vec<_> = mappings
            .iter()
            .filter(|mapping| asked(mapping))
            .map(|mapping| (mapping, check::check_one(&project, mapping, false).0))
            .collect();
        let subjects: Vec<Subject<'_>> =
            compiled.iter().map(|(mapping, route)| Subject::of(mapping, route.as_ref())).collect();
        let report = lineage::gather(store.as_ref(), &subjects, &project.hash)?;
        if self.openlineage {
            let events = report.data.iter().find(|(name, _)| *name == "openlineage").map(|(_, events)| events);
            for event in events.and_then(|events| events.as_array()).into_iter().flatten() {
                context.ui.raw(format!("{event}\n").as_bytes())?;
            }
            return Ok(Exit::Done);
        }
        context.ui.report(&report, &self.whereto)?;
        Ok(Exit::Done)
    }
}
