//! Connectors, mappings and flows as conditions see them: plain trees of what was said.

use serde_json::{Value as Json, json};

use super::words::{Known, around};
use crate::comply::assess::{Subject, Way};
use crate::config::Connector;
use crate::record::ClassSet;

/// Names of classes, with those around them.
fn names(classes: ClassSet) -> Vec<String> {
    let mut all: Vec<String> = classes.iter().flat_map(|id| around(id.class().name)).collect();
    all.sort();
    all.dedup();
    all
}

/// A connector.
pub(super) fn connector(connector: &Connector, subject: &Subject<'_>) -> Json {
    let custody = &connector.custody;
    let external =
        custody.kind.map_or(connector.spec.is_some_and(|spec| spec.plugin.is_some()), |kind| kind.external());
    json!({
        "name": connector.name,
        "use": connector.uses.value,
        "region": connector.region,
        "tenant": connector.tenant,
        "environment": custody.environment.as_deref().unwrap_or(&subject.project.environment),
        "kind": custody.kind.map(|kind| kind.word()),
        "external": external,
        "standards": connector.standards,
        "agreements": connector.agreements.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>(),
        "clearance": connector.clearance.map(names),
        "purposes": custody.purposes,
        "retention_days": custody.retention_days,
        "at_rest": custody.at_rest.map(|at_rest| at_rest.word()),
        "owner": custody.owner,
        "sells": custody.sells,
        "signs_in": !connector.auth.is_empty(),
        "streams": connector.streams.keys().collect::<Vec<_>>(),
    })
}

/// A mapping.
pub(super) fn mapping(way: &Way<'_>) -> Json {
    let (mapping, said) = (way.mapping, &way.mapping.compliance);
    let fields: Vec<Json> = way.route.map_or(Vec::new(), |route| {
        let field = |leaf: &crate::map::Leaf| {
            json!({
                "target": leaf.target.to_string(), "source": leaf.source.as_ref().map(ToString::to_string),
                "read": names(leaf.flow.source), "written": names(leaf.flow.classes),
                "protected": !leaf.flow.source.is_empty() && leaf.flow.classes.is_empty(),
            })
        };
        route.leaves.iter().map(field).collect()
    });
    json!({
        "name": mapping.name.value, "about": mapping.about, "from": format!("{}.{}", mapping.from.connector, mapping.from.stream),
        "to": format!("{}.{}", mapping.to.connector, mapping.to.stream), "mode": mapping.sync.mode.name(),
        "scheduled": mapping.sync.schedule.is_some(), "approval": mapping.sync.approval.is_some(),
        "purpose": said.purpose.as_ref().map(|one| &one.value), "basis": said.basis.as_ref().map(|one| &one.value),
        "condition": said.condition.as_ref().map(|one| &one.value), "consent": said.consent.is_some(),
        "opt_out": said.opt_out.is_some(), "subject": said.subject.as_ref().map(|one| one.value.to_string()),
        "owner": said.owner, "approver": said.approver, "ticket": said.ticket, "retention_days": said.retention_days,
        "recipients": said.recipients, "disclosure": said.disclosure.as_ref().map(|one| &one.value), "fields": fields,
        "read": names(way.read()), "written": names(way.written()), "tests": mapping.tests.len(),
    })
}

/// A mapping with its two ends.
pub(super) fn flow(way: &Way<'_>, subject: &Subject<'_>) -> Json {
    json!({
        "name": way.name(), "source": connector(way.source, subject), "target": connector(way.target, subject),
        "mapping": mapping(way), "read": names(way.read()), "written": names(way.written()),
        "purpose": way.mapping.compliance.purpose.as_ref().map(|one| &one.value),
    })
}

/// What is known of the names in conditions about a route.
pub(super) fn known(way: Option<&Way<'_>>, subject: &Subject<'_>) -> Known {
    let regions = subject.project.connectors.values().filter_map(|one| Some((one.name.clone(), one.region.clone()?)));
    let mut known = Known {
        detected: subject.project.compliance.rules.detect.as_ref().map_or(Vec::new(), |detect| names(detect.classes)),
        regions: regions.collect(),
        ..Known::default()
    };
    let Some(way) = way else { return known };
    for (word, end) in [("source", way.source), ("target", way.target)] {
        known.regions.insert(word.into(), end.region.clone().unwrap_or_default());
    }
    for field in way.declared() {
        known.tags.insert(field.name.clone(), field.classes.iter().map(|id| id.class().name.to_owned()).collect());
    }
    for leaf in way.route.map_or(&[][..], |route| &route.leaves) {
        if let Some(source) = &leaf.source {
            let arrives = way.route.is_some_and(|route| {
                route.leaves.iter().any(|other| other.source == leaf.source && !other.flow.classes.is_empty())
            });
            if !leaf.flow.source.is_empty() && !arrives {
                known.protected.push(source.to_string());
            }
        }
    }
    let said = &way.mapping.compliance;
    if said.consent.is_some() {
        known.gated.extend(said.consent_purpose().map(str::to_owned));
    }
    known
}
