//! Parameters of a pack: what a connector says under `with`.

use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::{Raw, RawKind};
use crate::config::{OptionKind, OptionSpec, Source};
use crate::error::Finding;
use crate::error::codes::connect::PACK_INVALID;
use crate::record::Type;

use super::reader::scalar;

/// A parameter.
pub static PARAM: Section = Section {
    name: "a parameter",
    about: "Something that differs from one connector to the next: a host, a tenant, a version.",
    foreign: false,
    keys: &[
        Key::new("about", Kind::Label, "One sentence."),
        Key::new(
            "type",
            Kind::Word(&[
                crate::config::keys::word("string", "Text."),
                crate::config::keys::word("int", "A whole number."),
                crate::config::keys::word("bool", "`true` or `false`."),
                crate::config::keys::word("list", "A list of texts."),
            ]),
            "What it holds.",
        )
        .default("string"),
        Key::new("required", Kind::Flag, "Whether it must be given.").default("false"),
        Key::new("default", Kind::Value, "What holds where it is not given."),
        Key::new("choices", Kind::List(&Kind::Label), "The words that can be chosen."),
        Key::new("example", Kind::Label, "A value, for documentation and the simulator."),
    ],
};

/// A parameter, read.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// What it holds.
    pub kind: Type,
    /// Whether it must be given.
    pub required: bool,
    /// What holds where it is not given.
    pub default: Option<String>,
    /// The words that can be chosen; empty: any.
    pub choices: Vec<String>,
    /// A value that could be given.
    pub example: Option<String>,
}

/// Reads the section.
pub fn read(raw: &Raw, source: &Source, findings: &mut Vec<Finding>) -> Vec<Param> {
    let get = |raw: &Raw, name: &str| raw.entries().iter().find(|entry| entry.key == name).map(|e| e.value.clone());
    let mut made = Vec::new();
    for entry in get(raw, "params").iter().flat_map(Raw::entries) {
        let of = &entry.value;
        let text = |name: &str| get(of, name).as_ref().and_then(scalar);
        let kind = match text("type").as_deref() {
            Some("int") => Type::Int,
            Some("bool") => Type::Bool,
            Some("list") => Type::List(Box::new(Type::String)),
            _ => Type::String,
        };
        let required = matches!(get(of, "required").map(|raw| raw.kind), Some(RawKind::Bool(true)));
        let default = text("default");
        if required && default.is_some() {
            let cause = format!("the parameter `{}` must be given and has a default", entry.key);
            findings.push(Finding::error(&PACK_INVALID, source.place(entry.start, entry.end), cause).fix("remove one"));
        }
        made.push(Param {
            name: entry.key.clone(),
            about: text("about").unwrap_or_default(),
            kind,
            required,
            default,
            choices: get(of, "choices").iter().flat_map(Raw::items).filter_map(scalar).collect(),
            example: text("example"),
        });
    }
    made
}

/// The types that templates see.
pub fn types(params: &[Param]) -> Vec<(String, Type)> {
    params.iter().map(|param| (param.name.clone(), param.kind.clone())).collect()
}

/// As options of a kind of connector; they live as long as the process.
pub fn options(params: &[Param]) -> &'static [OptionSpec] {
    static TEXT: OptionKind = OptionKind::Text;
    let leaked = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
    let specs: Vec<OptionSpec> = params
        .iter()
        .map(|param| OptionSpec {
            name: leaked(&param.name),
            kind: match &param.kind {
                Type::Int => OptionKind::Int { min: i64::MIN, max: i64::MAX },
                Type::Bool => OptionKind::Bool,
                Type::List(_) => OptionKind::List(&TEXT),
                _ if !param.choices.is_empty() => OptionKind::Choice(Box::leak(
                    param.choices.iter().map(|choice| leaked(choice)).collect::<Vec<_>>().into_boxed_slice(),
                )),
                _ => OptionKind::Text,
            },
            required: param.required,
            default: param.default.as_deref().map(|default| match param.kind {
                Type::String => leaked(&format!("{default:?}")),
                _ => leaked(default),
            }),
            about: leaked(&param.about),
            secret: false,
            stands_in: false,
        })
        .collect();
    Box::leak(specs.into_boxed_slice())
}
