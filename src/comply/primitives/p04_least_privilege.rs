//! P04: accounts of systems may do what they are for.

use super::reading::{is_networked, object, texts};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static LEAST_PRIVILEGE: Primitive = Primitive {
    id: "P04",
    name: "least_privilege",
    about: "No connector signs in as an administrator or asks for every right.",
    moments: &[Moment::Static],
    run,
};

/// Accounts that may do everything.
const ALMIGHTY: &[&str] =
    &["root", "postgres", "admin", "administrator", "sa", "sys", "system", "superuser", "sysadmin"];
/// Scopes that give everything.
const EVERYTHING: &[&str] = &["*", "admin", "full", "full_access", "fullaccess", "root", "all"];

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let touched = subject.touched(asked.classes());
    for connector in subject.project.connectors.values().filter(|one| is_networked(one)) {
        if !asked.classes.is_empty() && !touched.contains_key(connector.name.as_str()) {
            continue;
        }
        let mut good = true;
        for (key, text, place) in texts(connector) {
            let shown = text.to_string();
            let user = match key {
                "user" | "username" => Some(shown.as_str()),
                "url" => shown
                    .split_once("://")
                    .and_then(|(_, rest)| rest.split_once('@'))
                    .and_then(|(user, _)| user.split(':').next()),
                _ => None,
            };
            let scope = matches!(key, "scope" | "scopes")
                && shown.split([' ', ',']).any(|one| {
                    EVERYTHING
                        .contains(&one.rsplit(['.', ':', '/']).next().unwrap_or(one).to_ascii_lowercase().as_str())
                });
            if user.is_some_and(|user| ALMIGHTY.contains(&user.to_ascii_lowercase().as_str())) {
                good = false;
                notes
                    .fail(
                        object(connector),
                        format!("it signs in as `{}`, who may do everything", user.unwrap_or_default()),
                    )
                    .at(place)
                    .fix("make an account that may only read, or only write, what the routes need");
            } else if scope {
                good = false;
                notes
                    .fail(object(connector), "it asks for every right")
                    .at(place)
                    .fix("name the scopes that the routes need");
            }
        }
        if good {
            notes.pass(object(connector), "it does not sign in as an administrator").at(&connector.place);
        }
    }
}
