//! `consign report subject`: what is known of one person or item, for an access request.

use super::super::context::{Context, now_ns};
use super::Whereto;
use crate::audit::Action;
use crate::cli::audit::subject::given;
use crate::cli::moment;
use crate::error::codes::cli::USAGE;
use crate::error::{Error, Exit, Kind, Result};
use crate::report::lineage;
use crate::report::subject::{Asked, gather};
use crate::store::subjects::Role;
use crate::sync::check;

/// What is known of one person or item: where their data went, for what, what was kept back or erased
///
/// The answer to an access request (GDPR Art. 15) beside the data itself, and the accounting of disclosures
/// (HIPAA 164.528). That it was made is recorded.
#[derive(clap::Args, Debug)]
pub(super) struct Subject {
    /// The key that they are known by, a part for each field of the key; `-` reads it from standard input, `@FILE`
    /// from a file, so that it stays out of the history of the shell
    #[arg(required = true)]
    key: Vec<String>,
    /// Only what is known of it as a person (the `subject` of mappings), or as a record (the key of a stream)
    #[arg(long = "as", value_name = "WHAT", value_parser = ["person", "record"])]
    role: Option<String>,
    /// The period's beginning: a date, a moment, or `90d` before its end; six years unless given, as 164.528 asks
    #[arg(long, value_name = "TIME", default_value = "2192d")]
    from: String,
    /// The period's end, not included; now unless given. Given, the report is the same whenever it is made
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    #[command(flatten)]
    whereto: Whereto,
}

impl Subject {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, mappings) = context.project()?;
        let parts = self.key.iter().map(|part| given(part)).collect::<Result<Vec<_>>>()?;
        let key: Vec<&str> = parts.iter().map(String::as_str).collect();
        let store = context.store_must(&project)?;
        let now = now_ns();
        let to_ns = self.to.as_ref().map_or(Ok(now), |text| moment::past(text, now))?;
        let from_ns = moment::past(&self.from, to_ns)?;
        if from_ns >= to_ns {
            return Err(Error::new(Kind::Invalid, &USAGE, "the period ends before it begins")
                .hint("`--from` is the earlier one: `--from 2026-01-01 --to 2026-04-01`"));
        }
        let compiled: Vec<_> =
            mappings.iter().map(|mapping| (mapping, check::check_one(&project, mapping, false).0)).collect();
        let routes: Vec<lineage::Subject<'_>> =
            compiled.iter().map(|(mapping, route)| lineage::Subject::of(mapping, route.as_ref())).collect();
        let role = self.role.as_deref().map(|word| if word == "person" { Role::Person } else { Role::Record });
        let asked = Asked { key: &key, role, from_ns, to_ns, routes: &routes };
        let (report, pseudonyms) = gather(&store, &asked)?;
        drop(store);
        context.ui.report(&report, &self.whereto)?;
        let found = if pseudonyms.is_empty() { "nobody that is known".to_string() } else { pseudonyms.join(", ") };
        let events = report.provenance.counts.iter().find(|(of, _)| *of == "events").map_or(0, |(_, count)| *count);
        context.viewed(&project, Action::SubjectViewed, &found, usize::try_from(events).unwrap_or(usize::MAX))?;
        Ok(Exit::Done)
    }
}
