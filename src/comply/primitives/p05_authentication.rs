//! P05: nothing is open without signing in.

use super::reading::{is_networked, object, parameter};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::config::Node;

pub(super) static AUTHENTICATION: Primitive = Primitive {
    id: "P05",
    name: "authentication",
    about: "Every system that is reached over a network asks who is there.",
    moments: &[Moment::Static],
    run,
};

/// Parameters that are a sign-in of their own.
const SIGNS_IN: &[&str] = &["password", "key", "key_file", "cert_file", "token", "api_key"];

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let touched = subject.touched(asked.classes());
    for connector in subject.project.connectors.values().filter(|one| is_networked(one)) {
        if !asked.classes.is_empty() && !touched.contains_key(connector.name.as_str()) {
            continue;
        }
        let none = connector.auth.iter().any(|(key, node)| {
            matches!(key.value.as_str(), "way" | "type" | "kind")
                && matches!(&node.value, Node::Text(text) if text.as_literal() == Some("none"))
        });
        let in_url = parameter(connector, "url").is_some_and(|(url, _)| url.contains('@') || url.contains("${"));
        let given = !connector.auth.is_empty()
            || in_url
            || connector.with.iter().any(|(key, _)| SIGNS_IN.contains(&key.value.as_str()));
        notes
            .judge(
                given && !none,
                object(connector),
                if given && !none { "it signs in" } else { "it signs in with nothing" },
            )
            .at(&connector.place)
            .fix("say under `auth` how to sign in, and close the system for anybody else");
    }
}
