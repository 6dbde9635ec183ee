//! P07: personal data leaves the area only on a ground for it.

use super::reading::{named, today};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::comply::regions::{self, Adequacy};

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
        let there = regions::country(region);
        let decided = there.zip(today(subject)).map(|(country, today)| regions::adequacy(country, today));
        let note = if !regions::is_protected(home) {
            notes.pass(way.object(), format!("no rule of `{home}` keeps it from going to `{region}`"))
        } else if regions::is_protected(region) {
            notes.pass(way.object(), format!("`{}` stands in `{region}`, where the people are protected", target.name))
        } else if let Some(ground) = ground {
            notes.pass(way.object(), format!("`{}` stands in `{region}`; the ground is `{ground}`", target.name))
        } else {
            match decided {
                Some(Adequacy::Decided) => {
                    notes.pass(way.object(), format!("it was decided that `{region}` protects data well enough"))
                }
                Some(Adequacy::Partly(scope)) => notes.fail(
                    way.object(),
                    format!("what was decided about `{region}` covers only {scope}, and no ground is named"),
                ),
                Some(Adequacy::Ended(day)) => notes.fail(
                    way.object(),
                    format!("what was decided about `{region}` ended on {day}, and no ground is named"),
                ),
                _ => notes.fail(
                    way.object(),
                    format!("{} goes to `{}` in `{region}`, and no ground is named", named(written), target.name),
                ),
            }
        };
        note.at(&way.mapping.to.place).fix("name the ground: `compliance: { transfer: { ground: scc, reference: … } }`, or write to a system in the area");
    }
}
