//! P23: de-identified data identifies nobody.

use super::reading::{field, named, place_of};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::record::{ClassId, ClassSet};

pub(super) static DEIDENTIFICATION: Primitive = Primitive {
    id: "P23",
    name: "deidentification",
    about: "What a route that says `safe_harbor` writes has none of the identifiers, places and dates only as coarse as they must be.",
    moments: &[Moment::Static],
    run,
};

const PLACES: &[&str] = &["pii.contact.address", "pii.location"];
const DATES: &[&str] = &["pii.birth_date", "pii.age", "phi.appointment"];

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let part = asked.part.as_deref().unwrap_or("identifiers");
    for way in &subject.routes {
        let Some(route) = way.route else { continue };
        if !way.mapping.compliance.safe_harbor.as_ref().is_some_and(|flag| flag.value) {
            continue;
        }
        let all: ClassSet =
            (0..crate::record::class::ALL.len() as u8).map(ClassId).filter(|id| wanted(part, *id)).collect();
        let mut good = true;
        for leaf in &route.leaves {
            // What truncate_zip leaves is coarse: a place of three digits, or none.
            let coarse = leaf
                .flow
                .passages
                .iter()
                .any(|step| matches!(step.through.as_str(), "truncate_zip" | "safe_harbor_year"));
            let here = leaf.flow.classes.both(all);
            if here.is_empty() || coarse {
                continue;
            }
            good = false;
            notes.fail(field(way, leaf), format!("{} is written", named(here))).at(place_of(leaf)).fix(match part {
                "places" => "use `truncate_zip`, and leave the rest of the address out",
                "dates" => "use `safe_harbor_year`, which groups high ages too",
                _ => "leave it out, or put `random_token` in its place",
            });
        }
        if good {
            notes
                .pass(way.object(), format!("none of its {} fields shows any", route.leaves.len()))
                .at(&way.mapping.name.place);
        }
    }
}

fn wanted(part: &str, id: ClassId) -> bool {
    let under =
        |names: &[&str]| names.iter().filter_map(|name| ClassId::named(name)).any(|around| id.is_within(around));
    match part {
        "places" => under(PLACES),
        "dates" => under(DATES),
        _ => id.class().regimes.iter().any(|regime| regime.starts_with("hipaa.id.")) && !under(PLACES) && !under(DATES),
    }
}
