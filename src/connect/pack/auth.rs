//! `auth`: how to sign in.

use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::Raw;
use crate::config::{OptionKind, OptionSpec};

use super::reader::Reader;

/// The section.
pub static AUTH: Section = Section {
    name: "auth",
    about: "How to sign in.",
    foreign: false,
    keys: &[Key::new(
        "needs",
        Kind::Named(&Kind::Section(&NEED)),
        "What a connector says under `auth`, by name: `secrets.NAME` in templates.",
    )],
};

/// One thing that is signed in with.
static NEED: Section = Section {
    name: "something to sign in with",
    about: "A value that the connector gives under `auth`.",
    foreign: false,
    keys: &[
        Key::new("about", Kind::Label, "One sentence."),
        Key::new("secret", Kind::Flag, "Whether it must be a reference.").default("true"),
        Key::new("required", Kind::Flag, "Whether it must be given.").default("false"),
    ],
};

/// The section, read.
#[derive(Debug, Default)]
pub struct Auth {
    /// What a connector says under `auth`: name, sentence, secret, required.
    pub needs: Vec<(String, String, bool, bool)>,
}

impl Auth {
    /// Reads the section of a pack.
    pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Self {
        let Some(raw) = reader.get(pack, "auth") else { return Self::default() };
        let needs = reader.entries(raw, "needs").iter().map(|entry| {
            let of = &entry.value;
            (
                entry.key.clone(),
                reader.label(of, "about").unwrap_or_default(),
                reader.flag(of, "secret").unwrap_or(true),
                reader.flag(of, "required").unwrap_or(false),
            )
        });
        Self { needs: needs.collect() }
    }

    /// As options of a kind of connector; they live as long as the process.
    pub fn options(&self) -> &'static [OptionSpec] {
        let leaked = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
        let specs: Vec<OptionSpec> = self
            .needs
            .iter()
            .map(|(name, about, secret, required)| OptionSpec {
                name: leaked(name),
                kind: OptionKind::Text,
                required: *required,
                default: None,
                about: leaked(about),
                secret: *secret,
            })
            .collect();
        Box::leak(specs.into_boxed_slice())
    }
}

/// The names under `needs`, before anything is compiled.
pub fn names(pack: &Raw) -> Vec<String> {
    let below = |raw: &Raw, name: &str| raw.entries().iter().find(|e| e.key == name).map(|e| e.value.clone());
    let needs = below(pack, "auth").and_then(|auth| below(&auth, "needs"));
    needs.iter().flat_map(Raw::entries).map(|entry| entry.key.clone()).collect()
}
