//! P07: personal data leaves the area only on a ground for it.

use super::reading::named;
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static REGION: Primitive = Primitive {
    id: "P07",
    name: "region",
    about: "Data of people of an area stays there, or a ground is named on which it leaves.",
    moments: &[Moment::Static],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let home = subject.project.compliance.rules.home.as_deref();
    for way in &subject.routes {
        let written = way.written().both(asked.classes());
        if written.is_empty() {
            continue;
        }
        let Some(home) = home else {
            notes
                .untested(way.object(), "nobody says where the people are whose data it is")
                .fix("say it: `compliance: { home: eu }`");
            continue;
        };
        let target = way.target;
        let Some(region) = target.region.as_deref() else {
            let inside = !super::reading::is_external(target);
            let note = if inside {
                notes.warn(way.object(), format!("`{}` does not say where it stands", target.name))
            } else {
                notes.fail(
                    way.object(),
                    format!("`{}` is somebody else's and does not say where it stands", target.name),
                )
            };
            note.at(&target.place).fix("say `region` of the connector");
            continue;
        };
        let agreed = target.agreements.iter().find(|one| matches!(one.kind.as_str(), "scc" | "bcr"));
        let ground = way
            .mapping
            .compliance
            .transfer
            .as_ref()
            .map(|transfer| transfer.ground.as_str())
            .or(agreed.map(|one| one.kind.as_str()));
        let (from, to) = (area(home), area(region));
        let note = if from == to && from != Area::Other {
            notes.pass(way.object(), format!("`{}` stands in `{region}`, where the people are", target.name))
        } else if from == Area::Eea && to == Area::Adequate {
            notes.pass(way.object(), format!("`{region}` is on the list of adequate countries of {ADEQUATE_AS_OF}"))
        } else if let Some(ground) = ground {
            notes.pass(way.object(), format!("`{}` stands in `{region}`; the ground is `{ground}`", target.name))
        } else if from != Area::Eea && from != Area::Adequate {
            notes.pass(way.object(), format!("no rule of `{home}` keeps it from going to `{region}`"))
        } else {
            notes.fail(
                way.object(),
                format!("{} goes to `{}` in `{region}`, and no ground is named", named(written), target.name),
            )
        };
        note.at(&way.mapping.to.place).fix("name the ground: `compliance: { transfer: { ground: scc, reference: … } }`, or write to a system in the area");
    }
}

/// What transfer rules tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Area {
    Eea,
    Adequate,
    States,
    Other,
}

/// When the list of adequate countries was last looked at (the UK's was renewed on 2025-12-19; the one for
/// the US covers only organisations that are certified, so the US are not on it).
const ADEQUATE_AS_OF: &str = "2026-11-21";
const EEA: &[&str] = &[
    "eu", "eea", "europe", "at", "be", "bg", "hr", "cy", "cz", "dk", "ee", "fi", "fr", "de", "gr", "hu", "ie", "it",
    "lv", "lt", "lu", "mt", "nl", "pl", "pt", "ro", "sk", "si", "es", "se", "is", "li", "no",
];
const ADEQUATE: &[&str] = &["ad", "ar", "fo", "gg", "il", "im", "jp", "je", "nz", "kr", "ch", "uk", "gb", "uy", "br"];
/// Regions of clouds whose first word says less than the rest: `eu-west-2` is London.
const CLOUDS: &[(&str, Area)] = &[
    ("eu-west-2", Area::Adequate),
    ("eu-central-2", Area::Adequate),
    ("uksouth", Area::Adequate),
    ("ukwest", Area::Adequate),
    ("switzerland", Area::Adequate),
    ("japan", Area::Adequate),
    ("korea", Area::Adequate),
    ("westeurope", Area::Eea),
    ("northeurope", Area::Eea),
    ("germany", Area::Eea),
    ("france", Area::Eea),
    ("swedencentral", Area::Eea),
    ("europe-west2", Area::Adequate),
    ("europe-west6", Area::Adequate),
    ("europe", Area::Eea),
    ("ap-northeast-1", Area::Adequate),
    ("ap-northeast-2", Area::Adequate),
];

fn area(region: &str) -> Area {
    let region = region.to_ascii_lowercase();
    if let Some((_, area)) = CLOUDS.iter().find(|(begin, _)| region.starts_with(begin)) {
        return *area;
    }
    let first = region.split(['-', '_', ' ']).next().unwrap_or_default();
    match first {
        first if EEA.contains(&first) => Area::Eea,
        first if ADEQUATE.contains(&first) => Area::Adequate,
        "us" | "usa" => Area::States,
        _ => Area::Other,
    }
}
