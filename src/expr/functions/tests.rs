//! What holds for every function.

use super::*;
use crate::expr::{Environment, Frame, compile, format_value};
use crate::record::{Arena, ClassId, Projection};

/// The text of the result, or of the message.
fn run(text: &str) -> Result<String, String> {
    let program = compile(text, &Environment::default(), &mut Projection::default())
        .map_err(|faults| faults.iter().map(|f| f.cause.clone()).collect::<Vec<_>>().join("; "))?;
    let arena = Arena::new();
    let now = Timestamp { seconds: 1_700_000_000, nanos: 0, offset: 0 };
    let frame = Frame { slots: &[], value: Value::Missing, arena: &arena, now };
    let value = program.eval(&frame).map_err(|error| error.cause)?;
    let mut out = Vec::new();
    format_value(&value, &mut out);
    Ok(String::from_utf8(out).expect("text"))
}

#[test]
fn every_file_is_listed() {
    let mod_rs = include_str!("mod.rs");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/expr/functions")).expect("folder") {
        let path = entry.expect("entry").path();
        let stem = path.file_stem().and_then(|s| s.to_str()).expect("name");
        if matches!(stem, "mod" | "spec" | "tests") {
            continue;
        }
        let constant = stem.to_uppercase();
        assert!(mod_rs.contains(&format!("\nmod {stem};")), "add to functions/mod.rs: mod {stem};");
        assert!(mod_rs.contains(&format!("&{stem}::{constant},")), "add to ALL: &{stem}::{constant},");
    }
}

#[test]
fn descriptions_are_whole() {
    let mut seen = std::collections::BTreeSet::new();
    for name in names() {
        assert!(seen.insert(name), "`{name}` is listed twice");
    }
    for function in ALL {
        let spec = &function.spec;
        assert!(spec.about.ends_with('.') && spec.about.len() > 10, "{}", spec.name);
        assert!(spec.examples.iter().any(|e| e.result.is_ok()), "{}: no good example", spec.name);
        assert!(spec.examples.iter().any(|e| e.result.is_err()), "{}: no failing example", spec.name);
        let mut optional = false;
        for parameter in spec.parameters {
            assert!(parameter.about.ends_with('.'), "{} {}", spec.name, parameter.name);
            assert!(parameter.optional || !optional, "{}: an optional parameter before a required one", spec.name);
            optional = parameter.optional;
        }
        if let Flow::Protects { from, to } = spec.flow {
            for name in from.iter().chain(&to) {
                assert!(ClassId::named(name).is_some(), "{}: unknown class {name}", spec.name);
            }
        }
    }
}

#[test]
fn examples_hold() {
    let mut wrong = Vec::new();
    for function in ALL {
        for example in function.spec.examples {
            match (run(example.text), example.result) {
                (Ok(found), Ok(expected)) if found == expected => {}
                (Err(found), Err(part)) if found.contains(part) => {}
                (found, expected) => wrong.push(format!("{}: {found:?}, expected {expected:?}", example.text)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
