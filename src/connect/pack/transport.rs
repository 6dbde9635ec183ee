//! `transport`: where calls go, and over what.

use std::time::Duration;

use crate::config::keys::{Key, Kind, Section, word};
use crate::config::yaml::Raw;
use crate::record::Type;

use super::params::Param;
use super::reader::{Reader, scalar};
use super::template::{Template, Tree};

/// The section.
pub static TRANSPORT: Section = Section {
    name: "transport",
    about: "Where calls go, and over what.",
    foreign: false,
    keys: &[
        Key::new("base", Kind::Label, "The address that paths count from."),
        Key::new(
            "environments",
            Kind::Named(&Kind::Named(&Kind::Label)),
            "Sets of addresses (and other texts) that belong together: a connector chooses one with the parameter `environment`, templates see it as `environment.NAME`. The first is the default.",
        ),
        Key::new(
            "hosts",
            Kind::List(&Kind::Label),
            "Other hosts of the same system, which the sign-in goes to as well; `*.example.com` stands for all below it, a port may follow.",
        ),
        Key::new(
            "foreign_hosts",
            Kind::List(&Kind::Label),
            "Hosts that answers may lead to (downloads, signed addresses): called without the sign-in, the headers and the cookies of the pack.",
        ),
        Key::new("headers", Kind::Record, "Headers of every call."),
        Key::new("timeouts", Kind::Section(&TIMEOUTS), "How long is waited."),
        Key::new("caps", Kind::Section(&CAPS), "How much an answer may be."),
        Key::new("modern_tls", Kind::Flag, "Whether TLS 1.2 is refused. Certificates are verified in any case.")
            .default("false"),
        Key::new("echo", Kind::Section(&ECHO), "A header by which the system says which version answered."),
        Key::new(
            "redirects",
            Kind::Word(&[
                word("follow", "Redirects of calls that read are followed, to hosts that may be called."),
                word("give", "The redirect is the answer."),
            ]),
            "What is done with a redirect.",
        )
        .default("follow"),
    ],
};

static TIMEOUTS: Section = Section {
    name: "timeouts",
    about: "How long is waited.",
    foreign: false,
    keys: &[
        Key::new("connect", Kind::Length, "For a connection.").default("10s"),
        Key::new(
            "answer",
            Kind::Length,
            "For the beginning of the answer, and for each further piece of it; a connector changes it with the parameter `timeout`.",
        )
        .default("60s"),
        Key::new("whole", Kind::Length, "For the whole answer.").default("10m"),
    ],
};

static CAPS: Section = Section {
    name: "caps",
    about: "How much an answer may be. Beyond it nothing of the answer is used.",
    foreign: false,
    keys: &[
        Key::new("body_mib", Kind::Whole(1, 1024), "MiB of an answer, decompressed.").default("64"),
        Key::new(
            "stream_mib",
            Kind::Whole(1, 16_777_216),
            "MiB of an answer that is read piece by piece: a file, a part of an export.",
        )
        .default("1048576"),
        Key::new(
            "inflation",
            Kind::Whole(1, 1_000_000),
            "How many times its size an answer may become, once more than 1 MiB came out of it.",
        )
        .default("200"),
    ],
};

static ECHO: Section = Section {
    name: "echo",
    about: "A header by which the system says which version answered: another one than expected is a warning.",
    foreign: false,
    keys: &[
        Key::new("header", Kind::Label, "Its name.").required(),
        Key::new("expect", Kind::Label, "What it should be.").required(),
    ],
};

/// The section, read.
#[derive(Debug)]
pub struct Transport {
    /// The address that paths count from.
    pub base: Option<Template>,
    /// Sets of addresses by name.
    pub environments: Vec<(String, Tree)>,
    /// Other hosts of the same system.
    pub hosts: Vec<Template>,
    /// Hosts that are called without sign-in.
    pub foreign_hosts: Vec<Template>,
    /// Headers of every call.
    pub headers: Option<Tree>,
    /// How long is waited.
    pub timeouts: Timeouts,
    /// How much an answer may be.
    pub caps: Caps,
    /// Whether TLS 1.2 is too old.
    pub tls13: bool,
    /// By which header the version that answered is known, and what it should be.
    pub echo: Option<(String, Template)>,
    /// Whether redirects are followed.
    pub follow: bool,
}

/// How long is waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Duration,
    /// For the beginning of the answer and each further piece.
    pub answer: Duration,
    /// For the whole answer.
    pub whole: Duration,
}

/// How much an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Bytes of a whole answer, decompressed.
    pub body: u64,
    /// Bytes of one that is read piece by piece.
    pub stream: u64,
    /// How many times its size it may become.
    pub inflation: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), answer: Duration::from_secs(60), whole: Duration::from_secs(600) }
    }
}

impl Default for Caps {
    fn default() -> Self {
        Self { body: 64 << 20, stream: 1 << 40, inflation: 200 }
    }
}

impl Default for Transport {
    fn default() -> Self {
        Self {
            base: None,
            environments: Vec::new(),
            hosts: Vec::new(),
            foreign_hosts: Vec::new(),
            headers: None,
            timeouts: Timeouts::default(),
            caps: Caps::default(),
            tls13: false,
            echo: None,
            follow: true,
        }
    }
}

impl Transport {
    /// Reads the section of a pack.
    pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Self {
        let Some(raw) = reader.get(pack, "transport") else { return Self::default() };
        let environments = reader.entries(raw, "environments").iter();
        let environments = environments.filter_map(|entry| {
            let tree = Tree::compile(&entry.value, reader.source, &reader.environment, reader.findings)?;
            Some((entry.key.clone(), tree))
        });
        let environments = environments.collect();
        let echo =
            reader.get(raw, "echo").and_then(|of| Some((reader.label(of, "header")?, reader.template(of, "expect")?)));
        Self {
            base: reader.template(raw, "base"),
            environments,
            hosts: templates(reader, raw, "hosts"),
            foreign_hosts: templates(reader, raw, "foreign_hosts"),
            headers: reader.tree(raw, "headers"),
            timeouts: Timeouts::read(reader, raw),
            caps: Caps::read(reader, raw),
            tls13: reader.flag(raw, "modern_tls").unwrap_or(false),
            echo,
            follow: reader.label(raw, "redirects").as_deref() != Some("give"),
        }
    }
}

impl Timeouts {
    fn read(reader: &Reader<'_>, transport: &Raw) -> Self {
        let Some(raw) = reader.get(transport, "timeouts") else { return Self::default() };
        let known = Self::default();
        Self {
            connect: reader.length(raw, "connect").unwrap_or(known.connect),
            answer: reader.length(raw, "answer").unwrap_or(known.answer),
            whole: reader.length(raw, "whole").unwrap_or(known.whole),
        }
    }
}

impl Caps {
    fn read(reader: &Reader<'_>, transport: &Raw) -> Self {
        let Some(raw) = reader.get(transport, "caps") else { return Self::default() };
        let known = Self::default();
        Self {
            body: reader.whole(raw, "body_mib").map_or(known.body, |mib| mib << 20),
            stream: reader.whole(raw, "stream_mib").map_or(known.stream, |mib| mib << 20),
            inflation: reader.whole(raw, "inflation").unwrap_or(known.inflation),
        }
    }
}

fn templates(reader: &mut Reader<'_>, raw: &Raw, name: &str) -> Vec<Template> {
    let items: Vec<&Raw> = reader.items(raw, name).collect();
    items
        .into_iter()
        .filter_map(|of| Template::compile(of, reader.source, &reader.environment, reader.findings))
        .collect()
}

/// Parameters that every pack has, unless it declares one of that name itself.
pub fn common(pack: &Raw) -> Vec<Param> {
    let below = |raw: &Raw, name: &str| raw.entries().iter().find(|e| e.key == name).map(|e| e.value.clone());
    let transport = below(pack, "transport");
    let param = |name: &str, kind: Type, about: &str| Param {
        name: name.into(),
        about: about.into(),
        kind,
        required: false,
        default: None,
        choices: Vec::new(),
        example: None,
    };
    let mut made = Vec::new();
    let environments = transport.as_ref().and_then(|transport| below(transport, "environments"));
    let choices: Vec<String> =
        environments.iter().flat_map(Raw::entries).map(|environment| environment.key.clone()).collect();
    if !choices.is_empty() {
        let about = "Which of the pack's sets of addresses is called.";
        made.push(Param { default: choices.first().cloned(), choices, ..param("environment", Type::String, about) });
    }
    let waits = transport.and_then(|transport| below(&transport, "timeouts"));
    let answer = waits.and_then(|waits| scalar(&below(&waits, "answer")?));
    let answer = answer.and_then(|text| crate::config::units::length(&text).ok()).unwrap_or(Timeouts::default().answer);
    made.push(Param {
        default: Some(answer.as_secs().to_string()),
        ..param("timeout", Type::Int, "How long to wait for an answer, in seconds.")
    });
    made.push(param(
        "ca_file",
        Type::String,
        "A PEM file with certificate authorities that are trusted beside those of the machine: for a server of your own.",
    ));
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::pack::tests::pack;

    #[test]
    fn the_section_is_read_with_its_defaults() {
        let plain = pack("pack: plain\ntransport:\n  base: https://api.example.com\n");
        assert_eq!((plain.transport.timeouts, plain.transport.caps), (Timeouts::default(), Caps::default()));
        assert!(plain.transport.follow && !plain.transport.tls13);
        let names: Vec<&str> = plain.params.iter().map(|param| param.name.as_str()).collect();
        assert_eq!(names, ["timeout", "ca_file"]);
        let full = pack(
            "pack: full
auth:
  needs:
    pem: {}
transport:
  base: '{{ environment.api }}'
  environments:
    live: { api: 'https://api.example.com', login: 'https://login.example.com' }
    test: { api: 'https://sandbox.example.com', login: 'https://login.example.com' }
  hosts: ['*.example.com']
  foreign_hosts: ['files.example.net:8443']
  timeouts: { connect: 2s, answer: 5s, whole: 1m }
  caps: { body_mib: 1, inflation: 10 }
  modern_tls: true
  echo: { header: X-Version, expect: '2026-01' }
  redirects: give
",
        );
        let made = &full.transport;
        assert_eq!(made.timeouts.answer, Duration::from_secs(5));
        assert_eq!(made.caps, Caps { body: 1 << 20, stream: 1 << 40, inflation: 10 });
        assert!(made.tls13 && !made.follow && made.echo.is_some());
        let environment = &full.params[0];
        assert_eq!((environment.name.as_str(), environment.default.as_deref()), ("environment", Some("live")));
        assert_eq!(full.params[1].default.as_deref(), Some("5"));
    }
}
