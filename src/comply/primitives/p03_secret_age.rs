//! P03: secrets are replaced in time.

use super::reading::{days_between, object, texts, today};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::config::source::secret_name;

pub(super) static SECRET_AGE: Primitive = Primitive {
    id: "P03",
    name: "secret_age",
    about: "Secrets of connectors were replaced within the time allowed.",
    moments: &[Moment::Static],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let most = i64::from(asked.days.unwrap_or(365));
    for connector in subject.project.connectors.values() {
        let secret = |(key, text, _): &(&str, &crate::config::Text, &crate::error::Place)| {
            text.has_reference() && (secret_name(key) || *key == "url")
        };
        if !texts(connector).iter().any(secret) {
            continue;
        }
        match (connector.custody.rotated, today(subject)) {
            (Some(rotated), Some(today)) => {
                let age = days_between(rotated, today);
                notes
                    .judge(
                        age <= most,
                        object(connector),
                        format!("its secrets were replaced {age} days ago, {most} are allowed"),
                    )
                    .at(&connector.place)
                    .fix("replace them, and write the day under `rotated`");
            }
            _ => {
                notes
                    .untested(object(connector), "nobody says when its secrets were replaced")
                    .at(&connector.place)
                    .fix("write the day under `rotated`");
            }
        }
    }
}
