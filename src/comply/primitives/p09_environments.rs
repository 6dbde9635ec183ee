//! P09: test and production share no access.

use super::reading::{environment_of, is_test, object, texts};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::config::source::secret_name;
use std::collections::BTreeMap;

pub(super) static ENVIRONMENTS: Primitive = Primitive {
    id: "P09",
    name: "environments",
    about: "No secret opens both a test system and a production system.",
    moments: &[Moment::Static],
    run,
};

fn run(subject: &Subject<'_>, _: &Parameters, notes: &mut Notes) {
    let mut known: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    let (mut tests, mut shared) = (0, 0);
    for connector in subject.project.connectors.values() {
        let here = environment_of(subject, connector);
        tests += usize::from(is_test(here));
        for (key, text, place) in texts(connector) {
            if !(secret_name(key) || key == "url") || !text.has_reference() {
                continue;
            }
            let reference = text.to_string();
            match known.get(&reference) {
                Some((other, there)) if is_test(there) != is_test(here) => {
                    shared += 1;
                    notes
                        .fail(
                            object(connector),
                            format!("`{key}` is the same secret as that of `{other}`, which is `{there}`"),
                        )
                        .at(place)
                        .fix("give each environment an account and a secret of its own");
                }
                Some(_) => {}
                None => {
                    known.insert(reference, (connector.name.as_str(), here));
                }
            }
        }
    }
    if shared == 0 && tests > 0 {
        notes.pass("project", format!("{tests} test systems share no secret with production"));
    }
}
