//! The keys of a pack on its first level; each section's own stand in its file.

use super::{auth, discover, exchanges, faults, limits, operations, params, probe, streams, transport, webhook};
use crate::config::keys::{Key, Kind, Section};

/// A pack.
pub static PACK: Section = Section {
    name: "a pack",
    about: "How a system is read and written over HTTP: one file, no program.",
    foreign: false,
    keys: &[
        Key::new("pack", Kind::Name(false), "Its name: the word after `use:`.").required(),
        Key::new("version", Kind::Label, "Its own version: three numbers.").default("0.1.0"),
        Key::new("engine", Kind::Whole(1, 1), "The version of this vocabulary that it needs at least.").default("1"),
        Key::new("about", Kind::Label, "One sentence: what system it is."),
        Key::new("vendor", Kind::Label, "Who runs or makes the system."),
        Key::new("category", Kind::Label, "What kind of system it is: crm, payments, ehr, monitoring."),
        Key::new("sources", Kind::List(&Kind::Section(&SOURCE)), "Public pages that its facts were read in."),
        Key::new("proven", Kind::List(&Kind::Section(&PROVEN)), "What it was tried against, beside its own tests."),
        Key::new(
            "extends",
            Kind::Name(false),
            "A built-in pack that it is based on: maps are merged key by key, and what is null here is left out.",
        ),
        Key::new("params", Kind::Named(&Kind::Section(&params::PARAM)), "Parameters of a connector (`with`)."),
        Key::new("transport", Kind::Section(&transport::TRANSPORT), "Where calls go, and over what."),
        Key::new("auth", Kind::Section(&auth::AUTH), "How to sign in."),
        Key::new("limits", Kind::Section(&limits::LIMITS), "How much may be asked of the system."),
        Key::new(
            "faults",
            Kind::List(&Kind::Section(&faults::FAULT)),
            "What answers mean: the first rule that fits holds.",
        ),
        Key::new(
            "errors",
            Kind::Section(&faults::ERRORS),
            "Where answers say what is wrong, if they do it in a way of their own: the usual forms are known.",
        ),
        Key::new("retry", Kind::Section(&limits::RETRY), "How a failing call is tried again."),
        Key::new("probe", Kind::Section(&probe::PROBE), "How `connect probe` finds out whether the system is well."),
        Key::new(
            "discover",
            Kind::Named(&Kind::Section(&discover::DISCOVERY)),
            "What has to be asked before anything else: `found.NAME` in templates.",
        ),
        Key::new("streams", Kind::Named(&Kind::Section(&streams::STREAM)), "What can be read and written."),
        Key::new("operations", Kind::Named(&Kind::Section(&operations::OPERATION)), "Calls by name."),
        Key::new(
            "webhook",
            Kind::Section(&webhook::WEBHOOK),
            "What the system sends when a record changes, for its simulator.",
        ),
        Key::new("tests", Kind::List(&Kind::Section(&exchanges::EXCHANGE)), "Exchanges that are replayed as tests."),
    ],
};

static SOURCE: Section = Section {
    name: "a source",
    about: "A public page that facts were read in.",
    foreign: false,
    keys: &[
        Key::new("url", Kind::Label, "Its address.").required(),
        Key::new("read", Kind::Label, "The day it was read, `2026-11-21`."),
        Key::new("about", Kind::Label, "What was taken from it."),
    ],
};

static PROVEN: Section = Section {
    name: "a proof",
    about: "Software or vectors of others that the pack was tried against.",
    foreign: false,
    keys: &[
        Key::new(
            "against",
            Kind::Label,
            "What it was: a server, a validating mock of the vendor's description, vectors.",
        )
        .required(),
        Key::new("covers", Kind::Label, "Which part of the pack."),
    ],
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn walk(section: &'static Section, seen: &mut BTreeMap<&'static str, *const Section>) {
        if let Some(known) = seen.insert(section.name, section) {
            assert!(std::ptr::eq(known, section), "two sections are called `{}`", section.name);
            return;
        }
        assert!(section.about.ends_with('.'), "{}", section.name);
        for key in section.keys {
            assert!(key.about.ends_with('.') && key.about.len() > 5, "{}.{}: {}", section.name, key.name, key.about);
            assert!(key.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", key.name);
            assert!(!(key.required && key.default.is_some()), "{}: required and with a default", key.name);
            inner(&key.kind, seen);
        }
    }

    fn inner(kind: &'static Kind, seen: &mut BTreeMap<&'static str, *const Section>) {
        match kind {
            Kind::Section(section) | Kind::Overlay(section) => walk(section, seen),
            Kind::List(kind) | Kind::OneOrMany(kind) | Kind::Named(kind) => inner(kind, seen),
            Kind::ShortOr(short, long) => {
                inner(short, seen);
                inner(long, seen);
            }
            _ => {}
        }
    }

    /// The reference and the JSON Schema know a section by its name.
    #[test]
    fn every_key_is_described_and_every_section_has_a_name_of_its_own() {
        let mut seen = BTreeMap::new();
        walk(&PACK, &mut seen);
        assert!(seen.len() > 12);
    }
}
