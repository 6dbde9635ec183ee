//! What reports over a period share: the project as it stands, and the facts of the period and of the one
//! before it.

use crate::audit::{Action, Draft};
use crate::cli::context::{Context, now_ns, who};
use crate::cli::{moment, standards};
use crate::comply::Subject;
use crate::comply::standards::Standard;
use crate::config::Loaded;
use crate::error::codes::cli::USAGE;
use crate::error::codes::config::LITERAL_SECRET;
use crate::error::{Error, Exit, Kind, Result, Severity};
use crate::report::compliance::Asked;
use crate::report::document::Report;
use crate::store::Store;
use crate::sync::check as checks;
use crate::sync::facts::{Depth, gather};

/// The period of a report
#[derive(clap::Args, Debug)]
pub(super) struct Period {
    /// The period's beginning: a date, a moment, or `30d` before its end
    #[arg(long, value_name = "TIME", default_value = "30d")]
    from: String,
    /// The period's end, not included: a date or a moment; now unless given. Given, the report is the same
    /// whenever it is made
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Only these standards, as often as there are; those of the project unless given, all if it names none
    #[arg(long = "standard", value_name = "NAME", value_delimiter = ',')]
    standards: Vec<String>,
}

impl Period {
    /// Gathers what was recorded in the period and hands it to who makes something of it.
    pub(super) fn look<T>(
        &self,
        context: &Context<'_>,
        make: impl FnOnce(&mut Store, &Asked<'_>) -> Result<T>,
    ) -> Result<T> {
        let found = context.find()?;
        let mut loaded = context.load(&found);
        let broken = loaded.findings.iter().any(|f| f.severity == Severity::Error && f.code != &LITERAL_SECRET);
        if broken {
            return Err(unsound(loaded));
        }
        let checked = checks::check(&mut loaded, false);
        let Some(project) = &loaded.project else { return Err(unsound(loaded)) };
        let standards: Vec<&'static Standard> = standards::wanted(project, &found, &self.standards, context)?;
        // Asked for reading first: a report on nothing must not make a state.
        drop(context.store_must(project)?);
        let mut store = context.store(project)?;
        let now = now_ns();
        let to_ns = self.to.as_ref().map_or(Ok(now), |text| moment::past(text, now))?;
        let from_ns = moment::past(&self.from, to_ns)?;
        if from_ns >= to_ns {
            return Err(Error::new(Kind::Invalid, &USAGE, "the period ends before it begins")
                .hint("`--from` is the earlier one: `--from 2026-01-01 --to 2026-04-01`"));
        }
        let facts_of = |from_ns: i64, to_ns: i64, verify: bool| -> Result<_> {
            let depth = Depth { since_ns: Some(from_ns), until_ns: Some(to_ns), verify };
            let mut facts = gather(project, Some(&store), depth)?;
            facts.literal_secrets = loaded.findings.iter().filter(|f| f.code == &LITERAL_SECRET).cloned().collect();
            Ok(facts)
        };
        let (facts, earlier) =
            (facts_of(from_ns, to_ns, true)?, facts_of(from_ns - (to_ns - from_ns), from_ns, false)?);
        let routes = || checked.iter().map(|one| one.route.as_ref());
        let subject = Subject::new(project, &loaded.mappings, routes(), &facts, to_ns);
        let before = Subject::new(project, &loaded.mappings, routes(), &earlier, from_ns);
        let asked = Asked { now: &subject, before: &before, standards: &standards, from_ns, to_ns };
        make(&mut store, &asked)
    }
}

/// Why nothing can be made of a project.
fn unsound(loaded: Loaded) -> Error {
    loaded.sound().err().unwrap_or_else(|| Error::bug("a project has no errors and is not there"))
}

/// Records that a report was made, after it was: a report on the log is a look into the log.
pub(super) fn record(store: &mut Store, report: &Report) -> Result<()> {
    let mut draft = Draft::new(Action::ReportMade).detail("report", report.kind.name);
    (draft.actor, draft.resource) = (who(), Some("audit log".into()));
    store.record_event(draft).map(drop)
}

/// The exit code of what a report shows: tampering stops everything.
pub(super) fn exit(asked: &Asked<'_>) -> Exit {
    match asked.now.facts.log.as_ref().map(|log| &log.verified) {
        Some(Some(Err(_))) => Exit::Tampered,
        _ => Exit::Done,
    }
}
