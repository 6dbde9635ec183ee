//! The record of processing activities: one row for each route that carries personal data, with what
//! GDPR Art. 30(1) (a) to (g) asks for. What nobody declared is marked as needing input, never guessed.

use super::classes::{names, sensitive};
use super::compliance::data::kept;
use super::document::{Cell, Kind, Report, Section, Table, Tone, named};
use super::provenance::Provenance;
use super::shape::counted;
use crate::comply::Subject;
use crate::comply::assess::Way;
use crate::config::Project;
use crate::expr::Effect;

/// The record of processing activities.
pub static KIND: Kind = Kind {
    name: "ropa",
    about: "the record of processing activities: purposes, people, data, recipients, limits",
    version: 1,
};

/// What nobody declared.
const MISSING: &str = "needs input";

/// Gathers it from the configuration and the mappings.
pub fn gather(subject: &Subject<'_>) -> Report {
    let project = subject.project;
    let mut provenance = Provenance::without_state("configuration and mappings as they stand");
    provenance.configuration = vec![("project".to_string(), project.hash.clone())];
    provenance
        .configuration
        .extend(subject.routes.iter().map(|way| (way.name().to_string(), way.mapping.hash.clone())));

    let columns = [
        "activity",
        "purpose",
        "basis",
        "people",
        "data",
        "recipients",
        "third_country",
        "erased_after_days",
        "measures",
        "owner",
    ];
    let mut table = Table::new("activities", &columns, "No route carries personal data.")
        .label("third_country", "third country and safeguard")
        .label("erased_after_days", "erased after, days");
    let mut open = 0;
    for way in &subject.routes {
        let holds = sensitive(way.holds().union(way.written()));
        if holds.is_empty() {
            continue;
        }
        let row = activity(way, project);
        open += row.iter().filter(|cell| **cell == missing()).count();
        table.push(row);
    }
    let (tone, lead) = match (table.rows.len(), open) {
        (0, _) => (Tone::Plain, "No route carries personal data.".to_string()),
        (routes, open) => {
            let routes = counted(routes as u64, "activity", "activities");
            let missing = match open {
                0 => "nothing is missing".to_string(),
                open => counted(open as u64, "entry needs input", "entries need input"),
            };
            (if open == 0 { Tone::Good } else { Tone::Warn }, format!("{routes}; {missing}."))
        }
    };
    let controller = project.compliance.rules.controller.clone().unwrap_or_default();
    let said = |value: Option<String>| value.map_or_else(missing, Cell::from);
    let facts = vec![
        named("controller", "controller", said(controller.name)),
        named("contact", "contact", said(controller.contact)),
        named("representative", "representative in the Union", Cell::from(controller.representative)),
        named("dpo", "data protection officer", said(controller.dpo)),
    ];
    let mut report = Report::new(&KIND, "Record of processing activities", provenance).lead(tone, lead);
    report.push(Section::new("controller", "Controller").facts("facts", facts));
    report.push(Section::new("activities", "Activities").table(table).text(
        "Declared in `compliance:` of mappings and connectors; data and measures follow from the mappings' rules.",
    ));
    report
}

fn missing() -> Cell {
    Cell::State(Tone::Warn, MISSING.into())
}

fn activity(way: &Way<'_>, project: &Project) -> Vec<Cell> {
    let said = &way.mapping.compliance;
    let texts = |of: &[String]| if of.is_empty() { missing() } else { Cell::codes(of.iter().cloned()) };
    let word = |of: &Option<crate::config::Spanned<String>>| {
        of.as_ref().map_or_else(missing, |of| Cell::from(of.value.as_str()))
    };
    let holds = sensitive(way.holds().union(way.written()));
    let recipients = match (said.recipients.is_empty(), way.target.custody.kind.is_some_and(|kind| kind.external())) {
        (false, _) => texts(&said.recipients),
        (true, true) => Cell::codes([way.target.name.clone()]),
        (true, false) => Cell::from("none outside"),
    };
    let region = way.target.region.as_deref();
    let abroad = match (&said.transfer, region) {
        (Some(transfer), _) => {
            let reference = transfer.reference.as_ref().map_or(String::new(), |reference| format!(" ({reference})"));
            Cell::from(format!("{}: {}{reference}", region.unwrap_or("not said"), transfer.ground))
        }
        (None, Some(region)) if Some(region) == project.compliance.rules.home.as_deref() => Cell::from("none"),
        (None, Some(region)) => Cell::from(region),
        (None, None) => missing(),
    };
    let mut measures: Vec<String> = way
        .route
        .iter()
        .flat_map(|route| &route.leaves)
        .flat_map(|leaf| &leaf.flow.passages)
        .filter(|step| matches!(step.effect, Effect::Protects | Effect::Declassifies) && step.through != "switch")
        .map(|step| step.through.clone())
        .collect();
    let actions = holds.iter().filter_map(|class| said.protection(class, &project.compliance.rules));
    measures.extend(actions.map(|said| said.action.word().to_string()));
    measures.extend(way.target.custody.at_rest.map(|at_rest| format!("at rest: {}", at_rest.word())));
    measures.sort();
    measures.dedup();
    let owner = said.owner.clone().or_else(|| way.target.custody.owner.clone());
    vec![
        Cell::from(way.name()),
        word(&said.purpose),
        word(&said.basis),
        texts(&said.people),
        names(holds),
        recipients,
        abroad,
        kept(way).0.map_or_else(missing, |days| Cell::Count(u64::from(days))),
        if measures.is_empty() { missing() } else { Cell::codes(measures) },
        owner.map_or_else(missing, Cell::from),
    ]
}
