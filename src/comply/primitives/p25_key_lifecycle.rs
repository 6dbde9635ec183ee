//! P25: keys and certificates are replaced in time.

use super::reading::days;
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::comply::facts::DAY_NS;

pub(super) static KEY_LIFECYCLE: Primitive = Primitive {
    id: "P25",
    name: "key_lifecycle",
    about: "Keys are younger than their time, retired ones protect nothing new, and no certificate is about to end.",
    moments: &[Moment::Static, Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    if asked.wants("certificates") { certificates(subject, asked, notes) } else { keys(subject, notes) }
}

fn keys(subject: &Subject<'_>, notes: &mut Notes) {
    for key in &subject.project.compliance.keys {
        let object = format!("key {}", key.name);
        let Some(versions) = &subject.facts.keys else {
            notes.untested(object, "what is known of keys is not at hand").at(&key.place);
            continue;
        };
        let mut good = true;
        for version in versions.iter().filter(|version| version.name == key.name) {
            let age = (subject.now_ns - version.made) / DAY_NS;
            match (version.state.as_str(), key.max_age_days) {
                ("active", Some(most)) if age > i64::from(most) => {
                    good = false;
                    notes
                        .fail(
                            object.clone(),
                            format!("version {} is {age} days old, {most} are allowed", version.version),
                        )
                        .at(&key.place)
                        .fix(format!("consign audit keys rotate {}", key.name));
                }
                ("active", None) => {
                    good = false;
                    notes
                        .warn(
                            object.clone(),
                            format!("nobody says how old it may become; version {} is {age} days old", version.version),
                        )
                        .at(&key.place)
                        .fix("say `max_age` of the key");
                }
                ("retired" | "compromised", _)
                    if version.used.zip(version.changed).is_some_and(|(used, changed)| used > changed) =>
                {
                    good = false;
                    notes
                        .fail(
                            object.clone(),
                            format!(
                                "version {} is {} and has protected something since",
                                version.version, version.state
                            ),
                        )
                        .at(&key.place)
                        .fix(format!("consign audit keys reencrypt {}", key.name));
                }
                _ => {}
            }
        }
        if versions.iter().all(|version| version.name != key.name) {
            notes
                .untested(object, "it was not made yet")
                .at(&key.place)
                .fix(format!("consign audit keys create {}", key.name));
        } else if good {
            notes.pass(object, "its versions are used within their time").at(&key.place);
        }
    }
}

fn certificates(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let least = i64::from(asked.days.unwrap_or(30)) * DAY_NS;
    for one in &subject.facts.certificates {
        let object = format!("connector {}", one.connector);
        let note = match one.expires {
            None => notes.fail(object, format!("`{}` cannot be read as a certificate", one.file)),
            Some(expires) if expires <= subject.now_ns => notes.fail(object, format!("`{}` has expired", one.file)),
            Some(expires) if expires - subject.now_ns < least => {
                notes.fail(object, format!("`{}` expires in {}", one.file, days(expires - subject.now_ns)))
            }
            Some(expires) => {
                notes.pass(object, format!("`{}` is good for {}", one.file, days(expires - subject.now_ns)))
            }
        };
        note.fix("have it renewed, and put the new one in its place");
    }
}
