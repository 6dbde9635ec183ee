//! P01: data travels encrypted, and the other side is verified.

use super::reading::{host_of, is_here, is_networked, object, parameter, texts};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::config::Connector;

pub(super) static TRANSPORT: Primitive = Primitive {
    id: "P01",
    name: "transport",
    about: "Connections to other machines are encrypted, TLS 1.2 or better, and the other side is verified.",
    moments: &[Moment::Static],
    run,
};

/// Schemes that carry everything in clear.
const CLEAR: &[&str] = &[
    "http",
    "ws",
    "ftp",
    "telnet",
    "mllp",
    "ldap",
    "smtp",
    "amqp",
    "mqtt",
    "redis",
    "nats",
    "tcp",
    "mongodb+tcp",
    "imap",
    "pop3",
];
/// Parameters that switch the verification of the other side, with the words that switch it off.
const VERIFY: &[(&str, &[&str])] = &[
    ("verify", &["false", "no", "none", "off"]),
    ("tls_verify", &["false", "no", "none", "off"]),
    ("insecure", &["true", "yes"]),
    ("tls", &["disable", "allow", "prefer", "require", "false", "off", "no"]),
    ("sslmode", &["disable", "allow", "prefer", "require"]),
    ("min_tls", &["1.0", "1.1", "ssl3"]),
];

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let touched = subject.touched(asked.classes());
    for connector in subject.project.connectors.values() {
        let concerned = asked.classes.is_empty() || touched.contains_key(connector.name.as_str());
        if !concerned || !is_networked(connector) {
            continue;
        }
        let faults = faults(connector);
        for (what, place) in &faults {
            notes.fail(object(connector), what.clone()).at(place).fix(
                "use the encrypted form (`https`, `tls: verify-full`), with the other side's certificate verified",
            );
        }
        if faults.is_empty() {
            notes
                .pass(object(connector), "nothing is sent in clear, and the other side is verified")
                .at(&connector.place);
        }
    }
}

/// What of a connector's parameters lets data travel in clear, or the other side be anybody, with its place.
pub(in crate::comply) fn faults(connector: &Connector) -> Vec<(String, crate::error::Place)> {
    let mut faults = Vec::new();
    for (key, text, place) in texts(connector) {
        // What stands before a reference is enough to tell the scheme.
        let shown = text.to_string();
        let Some((scheme, _)) = shown.split_once("://") else { continue };
        let scheme = scheme.to_ascii_lowercase();
        let host = host_of(&shown).unwrap_or_default();
        if CLEAR.contains(&scheme.as_str()) && !is_here(host) {
            faults.push((format!("`{key}` goes over `{scheme}`, in clear"), place.clone()));
        }
        let query = shown.split_once('?').map_or("", |(_, query)| query);
        for pair in query.split('&') {
            if let Some((name, value)) = pair.split_once('=')
                && off(name, value)
                && !is_here(host)
            {
                faults.push((format!("`{name}={value}` in `{key}` lets the other side be anybody"), place.clone()));
            }
        }
    }
    let host = parameter(connector, "host").map(|(host, _)| host);
    let local = host.as_deref().is_some_and(|host| host.split(',').all(is_here));
    for (name, _) in VERIFY {
        if let Some((value, place)) = parameter(connector, name)
            && off(name, &value)
            && !local
        {
            faults
                .push((format!("`{name}: {value}` lets the other side be anybody, or speaks in clear"), place.clone()));
        }
    }
    faults
}

fn off(name: &str, value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    VERIFY.iter().any(|(known, words)| *known == name && words.contains(&value.as_str()))
}
