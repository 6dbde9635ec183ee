//! What is at stake on a route: the classes that travel on it, how much of them arrives unprotected and how
//! exposed the target is. Every event of a run carries it, and its risk is computed from it.

use jiff::civil::Date;

use crate::audit::risk::{self, Inputs};
use crate::comply::regions::{self, Adequacy};
use crate::config::governance::Audience;
use crate::config::{Connector, Mapping, Project};
use crate::record::ClassSet;

use super::plan::Plan;

/// Agreements that hold somebody else to what is agreed on data.
const CONTRACTS: &[&str] = &["baa", "dpa", "dua", "pci_service_provider", "service_provider", "scc", "bcr"];

/// The classes on a route by name, and what they put at stake.
pub(super) fn of(plan: &Plan) -> (Vec<&'static str>, Inputs) {
    let all = |set: fn(&crate::map::Flow) -> ClassSet| {
        plan.route.flows.iter().fold(ClassSet::NONE, |classes, flow| classes.union(set(flow)))
    };
    let (read, written) = (all(|flow| flow.source), all(|flow| flow.classes));
    let classes = read.union(written);
    let inputs = Inputs {
        sensitivity: risk::sensitivity(classes.sensitivity()),
        unprotected: unprotected(read, written),
        exposure: plan.exposure,
        ..Inputs::default()
    };
    (classes.iter().map(|id| id.class().name).collect(), inputs)
}

/// .4 where nothing sensitive arrives in clear, .7 where some of it does, 1 where all of it does.
fn unprotected(read: ClassSet, written: ClassSet) -> f64 {
    let sensitive = |set: ClassSet| set.iter().filter(|id| id.class().sensitivity > 0).count();
    match (sensitive(read), sensitive(written)) {
        (0, 0) => 1.0,
        (_, 0) => 0.4,
        (read, written) if written < read => 0.7,
        _ => 1.0,
    }
}

/// How exposed what a route writes is. 1.5: anybody sees it. 1: somebody else does whom no agreement in force
/// holds, or it goes where nothing protects it. .5: somebody else, held by an agreement. .25: another
/// environment than it came from. 0: neither. `today`: agreements that ended before it hold nobody; `None`: it
/// is not looked at.
pub(super) fn exposure(
    project: &Project,
    mapping: &Mapping,
    source: &Connector,
    target: &Connector,
    today: Option<Date>,
) -> f64 {
    let elsewhere =
        |connector: &Connector| connector.spec.is_some_and(|spec| spec.plugin.is_some() || spec.name == "sftp");
    let external = match target.custody.kind {
        Some(Audience::Public) => return 1.5,
        Some(kind) => kind.external(),
        // A file and a database are as near as what they are filled from, unless somebody says otherwise.
        None => elsewhere(target),
    };
    let holds = |until: Option<Date>| until.zip(today).is_none_or(|(until, today)| until >= today);
    let agreed = target.agreements.iter().filter(|one| holds(one.until));
    let mut kinds = agreed.map(|one| one.kind.as_str());
    let stays = |of: &Connector| of.custody.environment.clone().unwrap_or_else(|| project.environment.clone());
    if is_unsafe(project, mapping, target, today) || (external && !kinds.any(|kind| CONTRACTS.contains(&kind))) {
        1.0
    } else if external {
        0.5
    } else if stays(source) != stays(target) {
        0.25
    } else {
        0.0
    }
}

/// Whether it goes to a country where nothing protects it, and no ground is named.
fn is_unsafe(project: &Project, mapping: &Mapping, target: &Connector, today: Option<Date>) -> bool {
    let (Some(home), Some(region)) = (project.compliance.rules.home.as_deref(), target.region.as_deref()) else {
        return false;
    };
    let grounds = target.agreements.iter().any(|one| matches!(one.kind.as_str(), "scc" | "bcr"));
    if !regions::is_protected(home) || regions::is_protected(region) || grounds || mapping.compliance.transfer.is_some()
    {
        return false;
    }
    // Without a date a decision is taken to be in force.
    let today = today.unwrap_or(Date::ZERO);
    let decided = regions::country(region).map(|country| regions::adequacy(country, today));
    !matches!(decided, Some(Adequacy::Decided))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Catalog, FileText, FormatSpec, ProtocolSpec, load_texts};
    use crate::connect::{formats, protocols};
    use crate::record::ClassId;

    #[test]
    fn protection_counts_by_what_arrives_in_clear() {
        let set = |names: &[&str]| names.iter().filter_map(|name| ClassId::named(name)).collect::<ClassSet>();
        assert_eq!(unprotected(set(&[]), set(&[])), 1.0);
        assert_eq!(unprotected(set(&["pii.contact.email"]), set(&[])), 0.4);
        assert_eq!(unprotected(set(&["pii.contact.email", "pii.name"]), set(&["pii.name"])), 0.7);
        assert_eq!(unprotected(set(&["pii.name"]), set(&["pii.name"])), 1.0);
    }

    #[test]
    fn a_target_is_as_exposed_as_whoever_sees_it() {
        let check = |said: &str, home: &str, mapping: &str, expected: f64| {
            let project = format!(
                "version: 1\ncompliance: {{ home: {home} }}\nconnectors:\n  shop: {{ use: file, with: {{ path: . }}, streams: {{ a: {{ path: a.csv, format: csv }} }} }}\n  far:\n    use: file\n    with: {{ path: . }}\n    streams: {{ b: {{ path: b.csv, format: csv }} }}\n{said}"
            );
            let mapping = format!(
                "version: 1\nname: m\nfrom: shop.a\nto: far.b\n{mapping}fields:\n  - {{ target: id, source: id }}\n"
            );
            let file = |name: &str, text: String| FileText { name: name.into(), bytes: text.into_bytes() };
            let protocols: Vec<&'static ProtocolSpec> = protocols::ALL.iter().map(|p| p.spec()).collect();
            let formats: Vec<&'static FormatSpec> = formats::ALL.iter().map(|f| f.spec()).collect();
            let catalog = Catalog { protocols: protocols.leak(), formats: formats.leak(), shelf: None };
            let files = (Some(file("connectors.yaml", project)), vec![file("m.yaml", mapping.clone())]);
            let (project, mappings) = load_texts("/p".into(), files.0, files.1, None, &catalog).sound().expect("sound");
            let (from, to) = (&project.connectors["shop"], &project.connectors["far"]);
            let found = exposure(&project, &mappings[0], from, to, Some(jiff::civil::date(2026, 6, 1)));
            assert_eq!(found, expected, "{said}{mapping}");
        };
        check("", "eu", "", 0.0);
        check("    environment: staging\n", "eu", "", 0.25);
        check("    kind: partner\n    agreements: [dpa]\n", "eu", "", 0.5);
        check("    kind: partner\n", "eu", "", 1.0);
        check("    kind: partner\n    agreements: { dpa: { until: 2026-05-31 } }\n", "eu", "", 1.0);
        check("    kind: partner\n    agreements: { dpa: { until: 2026-06-01 } }\n", "eu", "", 0.5);
        check("    kind: public\n    agreements: [dpa]\n", "eu", "", 1.5);
        check("    kind: internal\n    region: cn\n", "eu", "", 1.0);
        check("    kind: internal\n    region: cn\n", "us", "", 0.0);
        check("    kind: internal\n    region: jp\n", "eu", "", 0.0);
        check(
            "    kind: internal\n    region: cn\n",
            "eu",
            "compliance: { transfer: { ground: scc, reference: DC-1 } }\n",
            0.0,
        );
    }
}
