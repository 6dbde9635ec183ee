//! The reference pages under `docs/reference`: made from the code, stale pages fail the test.
//! `CONSIGN_UPDATE=1 cargo test` writes them anew.

use std::fmt::Write as _;
use std::path::Path;

use clap::CommandFactory as _;

use crate::config::environment;
use crate::config::keys::{self, Kind, Section};
use crate::config::yaml::Raw;
use crate::config::{OptionKind, OptionSpec};
use crate::connect::pack::{self, Pack, catalog, names, params};
use crate::connect::{formats, protocols};
use crate::error::{codes, exit};
use crate::expr::functions;

/// A page: its file and what makes it.
type Page = (&'static str, fn() -> String);

/// Every page.
const PAGES: &[Page] = &[
    ("commands.md", commands),
    ("configuration.md", configuration),
    ("connectors.md", connectors),
    ("environment.md", variables),
    ("exit-codes.md", exit_codes),
    ("error-codes.md", error_codes),
    ("formats.md", format_page),
    ("functions.md", functions_page),
    ("packs.md", packs_page),
    ("pack-format.md", pack_format),
];

#[test]
fn pages_are_fresh() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference");
    let update = std::env::var_os("CONSIGN_UPDATE").is_some();
    let mut stale = Vec::new();
    for (name, make) in PAGES {
        let path = folder.join(name);
        let fresh = format!("{}\n", make().trim_end());
        if std::fs::read_to_string(&path).unwrap_or_default() != fresh {
            if update {
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(&path, fresh).unwrap();
            } else {
                stale.push(*name);
            }
        }
    }
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(PAGES.iter().any(|(page, _)| *page == name), "docs/reference/{name} is made by nothing");
    }
    assert!(
        stale.is_empty(),
        "stale pages in docs/reference: {stale:?}; run CONSIGN_UPDATE=1 cargo test pages_are_fresh"
    );
}

fn commands() -> String {
    let mut out = String::from("# Commands\n\nMade from the program itself: what `--help` prints.\n");
    let mut root = super::Cli::command().term_width(100).color(clap::ColorChoice::Never);
    root.build();
    command("", &root, &mut out);
    out
}

fn command(above: &str, here: &clap::Command, out: &mut String) {
    if here.is_hide_set() {
        return;
    }
    let name = format!("{above}{}", here.get_name());
    let help = here.clone().render_long_help().to_string();
    // The arguments that every verb takes are shown once.
    let help = match help.find("\nEverywhere:\n") {
        Some(end) if !above.is_empty() => help.split_at(end).0.to_string(),
        _ => help,
    };
    let help: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
    let _ = write!(out, "\n## {name}\n\n```text\n{}\n```\n", help.join("\n"));
    for below in here.get_subcommands() {
        command(&format!("{name} "), below, out);
    }
}

fn variables() -> String {
    let mut out = String::from(
        "# Environment\n\nThe variables that consign looks at, beside those that `${env:NAME}` names.\n\n| variable | |\n|---|---|\n",
    );
    for variable in environment::ALL {
        let secret = if variable.secret { " Its value is a secret." } else { "" };
        let _ = writeln!(out, "| `{}` | {}{secret} |", variable.name, variable.about);
    }
    out
}

fn exit_codes() -> String {
    let mut out = String::from(
        "# Exit codes\n\nA contract with schedulers. With several results the worst wins in the order 8 6 4 2 1 3 7 5. A panic is 1.\n\n\
         | code | meaning | a scheduler's reaction |\n|---|---|---|\n",
    );
    for row in exit::TABLE {
        let _ = writeln!(out, "| {} | {} | {} |", row.number, row.meaning, row.reaction);
    }
    out
}

fn error_codes() -> String {
    let mut out = String::from(
        "# Codes of errors and findings\n\nA code is stable: scripts and suppressions may name it. `consign --explain CODE` shows the same text.\n",
    );
    for code in codes::all() {
        let _ = write!(out, "\n## {}\n\n**{}.** {}\n", code.id, code.title, code.explain);
    }
    out
}

fn functions_page() -> String {
    let mut out = String::from(
        "# Functions\n\nThe syntax of expressions is that of CEL, the Common Expression Language. Numbers are exact decimals. \
         `value.round(2)` and `round(value, 2)` are the same where a function can be written as a method.\n",
    );
    for group in functions::GROUPS {
        let names: Vec<String> = group.functions.iter().map(|f| format!("`{}`", f.spec.name)).collect();
        let _ = write!(out, "\n## {}\n\n{}\n\n{}\n", group.name, group.about, names.join(", "));
        for function in group.functions {
            write_function(&function.spec, &mut out);
        }
    }
    out
}

fn write_function(spec: &functions::Spec, out: &mut String) {
    let _ = write!(out, "\n### {}\n\n`{}`\n\n{}\n", spec.name, spec.signature(), spec.about);
    if !spec.aliases.is_empty() {
        let _ = writeln!(out, "Also written `{}`.", spec.aliases.join("`, `"));
    }
    if !spec.method {
        out.push_str("It is no method.\n");
    }
    out.push('\n');
    for parameter in spec.parameters {
        let optional = if parameter.optional { " (may be left out)" } else { "" };
        let _ = writeln!(out, "- `{}`: {}{optional}. {}", parameter.name, parameter.kinds.words(), parameter.about);
    }
    let _ = writeln!(out, "- Gives: {}.", spec.returns.words(spec.parameters));
    let _ = write!(out, "\nData classes: {}.\n\n```text\n", super::map::functions::flow(&spec.flow));
    for example in spec.examples {
        let _ = match example.result {
            Ok(result) => writeln!(out, "{}  is {result}", example.text),
            Err(part) => writeln!(out, "{}  fails: {part}", example.text),
        };
    }
    out.push_str("```\n");
}

fn connectors() -> String {
    let mut out = String::from(
        "# Connectors\n\nWhat may stand after `use:` in `connectors.yaml`. Options of the connector stand under `with:`, those of a \
         stream under its name in `streams:`.\n",
    );
    for protocol in protocols::ALL {
        let spec = protocol.spec();
        let role = match (spec.reads, spec.writes()) {
            (true, true) => "source and target",
            (true, false) => "source",
            _ => "target",
        };
        let _ = write!(out, "\n## {}\n\n{} It can be {role}.\n", spec.name, spec.about);
        if let Some(option) = spec.undeclared_stream {
            let _ = writeln!(out, "A stream need not be declared: its name is then its `{option}`.");
        }
        options("Options of the connector", spec.options, &mut out);
        options("Options of a stream", spec.stream_options, &mut out);
        example(spec.example, &mut out);
    }
    out
}

fn format_page() -> String {
    let mut out = String::from(
        "# Formats\n\nWhat may stand after `format:` in a stream. A format with options is written as a map: \
         `format: { type: csv, delimiter: \";\" }`. Left out, the ending of the file's name decides.\n",
    );
    for format in formats::ALL {
        let spec = format.spec();
        let endings: Vec<String> = spec.extensions.iter().map(|e| format!("`.{e}`")).collect();
        let _ = write!(out, "\n## {}\n\n{} Usual endings: {}.\n", spec.name, spec.about, endings.join(", "));
        if spec.flat {
            out.push_str("Records are flat: each field is one value.\n");
        }
        if spec.text_fields {
            out.push_str("A field whose type is not declared is text.\n");
        }
        options("Options", spec.options, &mut out);
        example(spec.example, &mut out);
    }
    out
}

fn packs_page() -> String {
    let mut out = String::from(
        "# Packs\n\nSystems that consign knows over HTTP: each is one file of the catalog, with tests that are replayed offline \
         (`consign connect test`). How a pack is written: [the vocabulary](pack-format.md).\n\n\
         | pack | what it is | streams | writes | operations | proven against |\n|---|---|---|---|---|---|\n",
    );
    let packs: Vec<_> = catalog::ALL
        .iter()
        .map(|(name, _)| catalog::built_in(name, &mut Vec::new()).unwrap_or_else(|| panic!("{name} is not sound")))
        .collect();
    for pack in &packs {
        let written = pack.streams.iter().filter(|stream| stream.write.is_some()).count();
        let proven: Vec<String> = below(&pack.raw, "proven").filter_map(|raw| word(raw, "against")).collect();
        let proven = if proven.is_empty() { "its own tests alone".into() } else { proven.join("; ") };
        let _ = writeln!(
            out,
            "| [{0}](#{0}) | {1} | {2} | {written} | {3} | {proven} |",
            pack.name,
            pack.about,
            pack.streams.iter().filter(|stream| stream.read.is_some()).count(),
            pack.operations.len()
        );
    }
    for pack in &packs {
        write_pack(pack, &mut out);
    }
    out
}

fn write_pack(pack: &Pack, out: &mut String) {
    let _ = write!(out, "\n## {}\n\n{} Version {}.\n", pack.name, pack.about, pack.version);
    options("Parameters (`with`)", params::options(&pack.params), out);
    options("Sign-in (`auth`)", pack.auth.options(), out);
    if !pack.streams.is_empty() {
        out.push_str("\n| stream | | key | read | written by |\n|---|---|---|---|---|\n");
        for stream in &pack.streams {
            let key: Vec<String> = stream.key.iter().map(|path| format!("`{path}`")).collect();
            let modes: Vec<String> = stream.modes().iter().map(|mode| format!("`{}`", mode.name())).collect();
            let read = if stream.read.is_some() { "yes" } else { "no" };
            let row = format!("{} | {} | {read} | {}", stream.about, key.join(", "), modes.join(", "));
            let _ = writeln!(out, "| `{}` | {row} |", stream.name);
        }
    }
    if !pack.operations.is_empty() {
        out.push_str("\n| operation | | input |\n|---|---|---|\n");
        for operation in &pack.operations {
            let input: Vec<String> = operation
                .input
                .iter()
                .map(|field| format!("`{}`{}", field.name, if field.required { " (required)" } else { "" }))
                .collect();
            let _ = writeln!(out, "| `{}` | {} | {} |", operation.name, operation.about, input.join(", "));
        }
    }
    for raw in below(&pack.raw, "proven") {
        let covers = word(raw, "covers").map_or_else(String::new, |covers| format!(": {covers}"));
        let _ = write!(out, "\nProven against {}{covers}.\n", word(raw, "against").unwrap_or_default());
    }
    let sources: Vec<String> = below(&pack.raw, "sources").filter_map(|raw| word(raw, "url")).collect();
    if !sources.is_empty() {
        let _ = write!(
            out,
            "\nIts facts stand in: {}.\n",
            sources.iter().map(|url| format!("<{url}>")).collect::<Vec<_>>().join(", ")
        );
    }
}

fn below<'r>(raw: &'r Raw, name: &str) -> impl Iterator<Item = &'r Raw> + use<'r> {
    raw.entries().iter().find(|entry| entry.key == name).map_or(&[][..], |entry| entry.value.items()).iter()
}

fn word(raw: &Raw, name: &str) -> Option<String> {
    crate::connect::pack::reader::scalar(&raw.entries().iter().find(|entry| entry.key == name)?.value)
}

fn pack_format() -> String {
    let mut out = String::from(
        "# The vocabulary of packs\n\nA pack is one YAML file that says how a system is read and written over HTTP. The built-in ones are \
         listed [here](packs.md); one of your own stands under `definition:` in `connectors.yaml`, in place or as the path of a file, and \
         `consign connect check` checks it. Unknown keys are errors.\n\n\
         ## Templates\n\nIn texts of requests, `{{ … }}` holds an [expression](functions.md). A text that is one `{{ … }}` alone has the \
         type of its expression, any other is text. In a map an entry whose value is missing is left out; `null` stays. \
         These names have values, each where it makes sense:\n\n| name | |\n|---|---|\n",
    );
    for (_, name, about) in names::ALL {
        let _ = writeln!(out, "| `{name}` | {} |", about.replace('|', "\\|"));
    }
    section(&pack::keys::PACK, &mut Vec::new(), &mut out);
    out.push_str("\n## What an answer is taken for\n\n| class | |\n|---|---|\n");
    for (_, word) in pack::faults::CLASSES {
        let _ = writeln!(out, "| `{}` | {} |", word.name, word.about);
    }
    out
}

fn options(title: &str, list: &[OptionSpec], out: &mut String) {
    if list.is_empty() {
        return;
    }
    let _ = write!(out, "\n**{title}**\n\n| option | holds | unless given | |\n|---|---|---|---|\n");
    for option in list {
        let default = match option.default {
            _ if option.required => "*required*".to_string(),
            Some(yaml) => format!("`{yaml}`"),
            None => String::new(),
        };
        let secret = if option.secret { " A literal here is a finding: use a reference." } else { "" };
        let kind = kind(&option.kind);
        let row =
            format!("| `{}` | {kind} | {} | {}{secret} |", option.name, default.replace('|', "\\|"), option.about);
        let _ = writeln!(out, "{row}");
    }
}

fn kind(kind: &OptionKind) -> String {
    match kind {
        OptionKind::Text => "text".into(),
        OptionKind::FilePath => "path".into(),
        OptionKind::Bool => "`true` or `false`".into(),
        OptionKind::Int { min, max } => format!("{min} to {max}"),
        OptionKind::Choice(words) => words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", "),
        OptionKind::Character => "one character".into(),
        OptionKind::RecordPath => "path in a record".into(),
        OptionKind::List(inner) => format!("list of {}", self::kind(inner)),
    }
}

fn example(yaml: &str, out: &mut String) {
    if !yaml.trim().is_empty() {
        let _ = write!(out, "\n```yaml\n{}\n```\n", yaml.trim_end());
    }
}

fn configuration() -> String {
    let mut out = String::from(
        "# Configuration\n\nEvery key of `connectors.yaml` and of `mappings/*.yaml`. Unknown keys are errors. In texts, `${env:NAME}`, \
         `${file:PATH}` and `${cmd:NAME}` are filled in when a run begins; `$${` stands for `${`. No check resolves them.\n",
    );
    let mut seen = Vec::new();
    section(&keys::PROJECT, &mut seen, &mut out);
    section(&keys::MAPPING, &mut seen, &mut out);
    section(&keys::FRAGMENT, &mut seen, &mut out);
    out
}

fn section(here: &'static Section, seen: &mut Vec<&'static str>, out: &mut String) {
    if seen.contains(&here.name) {
        return;
    }
    seen.push(here.name);
    let _ =
        write!(out, "\n## {}\n\n{}\n\n| key | holds | unless given | |\n|---|---|---|---|\n", here.name, here.about);
    let mut below = Vec::new();
    for key in here.keys.iter().filter(|key| key.available) {
        let default = match key.default {
            _ if key.required => "*required*".to_string(),
            Some(yaml) => format!("`{yaml}`"),
            None => String::new(),
        };
        let alias = key.alias.map_or_else(String::new, |name| format!(" Also `{name}`."));
        let _ =
            writeln!(out, "| `{}` | {} | {default} | {}{alias} |", key.name, held(&key.kind, &mut below), key.about);
    }
    for section in below {
        self::section(section, seen, out);
    }
}

fn held(kind: &'static Kind, below: &mut Vec<&'static Section>) -> String {
    match kind {
        Kind::Version => "`1`".into(),
        Kind::Flag => "`true` or `false`".into(),
        Kind::Whole(min, max) if *max == i64::MAX => format!("{min} or more"),
        Kind::Whole(min, max) => format!("{min} to {max}"),
        Kind::Share => "0 to 1".into(),
        Kind::Percent => "0 to 100".into(),
        Kind::Days => "days, `400d`".into(),
        Kind::Date => "a day, `2027-03-31`".into(),
        Kind::Length => "time, `30s`".into(),
        Kind::Filled => "text, references filled in".into(),
        Kind::Secret => "a reference".into(),
        Kind::Label => "text".into(),
        Kind::Name(_) => "name".into(),
        Kind::Word(words) => words.iter().map(|w| format!("`{}`", w.name)).collect::<Vec<_>>().join(", "),
        Kind::Cron => "five cron fields".into(),
        Kind::TimeZone => "IANA time zone".into(),
        Kind::RecordPath => "path in a record".into(),
        Kind::Stream => "`connector.stream`".into(),
        Kind::Expression => "expression".into(),
        Kind::Class => "data class".into(),
        Kind::Type => "type".into(),
        Kind::Value => "anything".into(),
        Kind::Record => "map".into(),
        Kind::List(inner) => format!("list of {}", held(inner, below)),
        Kind::OneOrMany(inner) => format!("{}, or a list", held(inner, below)),
        Kind::Section(section) => {
            below.push(section);
            format!("[{}](#{})", section.name, section.name.replace(' ', "-").replace('.', ""))
        }
        Kind::Named(inner) => format!("map from names to {}", held(inner, below)),
        Kind::ByClass(inner) => format!("map from data classes to {}", held(inner, below)),
        Kind::ShortOr(short, long) => format!("{}, or {}", held(short, below), held(long, below)),
        Kind::Foreign => "options, see [connectors](connectors.md)".into(),
        Kind::Auth => "map".into(),
        Kind::Overlay(section) => format!("any keys of {}", section.name),
    }
}
