//! Personal data leaves the region of its people only on a ground that the law knows.

use super::scene::{Charge, Scene, Weight};
use crate::comply::regions::{self, Adequacy};
use crate::error::codes::comply as codes;
use crate::error::{Findings, Severity};

pub(super) fn judge(scene: &Scene<'_>, findings: &mut Findings) {
    let classes = scene.law.asked("P07", None).both(scene.arriving);
    if scene.mapping.compliance.residency.is_some() {
        // Each record is asked where its person lives; that takes a target of which it is known where it stands.
        if scene.target.region.is_none() {
            let charge = Charge {
                code: &codes::TRANSFER,
                check: "P07",
                broken: scene.law.broken("P07", None, classes),
                weight: Weight::Breach,
            };
            let cause =
                format!("`residency` compares with where `{}` stands, and nothing says where", scene.target.name);
            let finding = scene.of_route(charge, &scene.mapping.to.place, classes, &cause);
            findings.push(finding.fix("say the country in `region` of the connector, such as `de` or `us`"));
        }
        return;
    }
    let Some(region) = scene.target.region.as_deref().filter(|_| !classes.is_empty()) else { return };
    let home = scene.project.compliance.rules.home.as_deref().unwrap_or("eea");
    if !regions::is_protected(home) || regions::is_protected(region) {
        return;
    }
    let place = &scene.mapping.to.place;
    let target = &scene.target.name;
    let charge = || Charge {
        code: &codes::TRANSFER,
        check: "P07",
        broken: scene.law.broken("P07", None, classes),
        weight: Weight::Breach,
    };
    let Some(country) = regions::country(region) else {
        let cause =
            format!("{} goes to `{target}` in `{region}`, and nobody knows where that is", Scene::named(classes));
        let mut finding = scene.of_route(charge(), place, classes, &cause);
        finding.severity = Severity::Warning;
        findings.push(finding.fix("say the country in `region`, such as `de` or `us`"));
        return;
    };
    let adequacy = regions::adequacy(country, scene.today);
    if matches!(adequacy, Adequacy::Decided) || has_ground(scene) {
        return;
    }
    let why = match adequacy {
        Adequacy::Partly(only) => format!("the decision about that country covers only {only}"),
        Adequacy::Ended(until) => format!("the decision about that country ended on {until}"),
        Adequacy::Decided | Adequacy::None => "there is no decision about that country".into(),
    };
    let cause = format!(
        "{} leaves {} for `{target}` in `{region}` without a ground: {why}",
        Scene::named(classes),
        regions::shown(home)
    );
    let finding = scene.of_route(charge(), place, classes, &cause);
    findings.push(finding.fix(
        "say `transfer: { ground: …, reference: … }` in the `compliance` of the mapping, name `scc` or `bcr` among the `agreements` of the target, or choose another region",
    ));
}

/// Whether the route names a ground, or the target an agreement that is one.
fn has_ground(scene: &Scene<'_>) -> bool {
    let agreed = scene.target.agreements.iter().filter(|one| matches!(one.kind.as_str(), "scc" | "bcr"));
    let agreed = agreed.filter(|one| one.until.is_none_or(|until| until >= scene.today)).count() > 0;
    agreed || scene.mapping.compliance.transfer.is_some()
}
