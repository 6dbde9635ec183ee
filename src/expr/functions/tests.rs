//! What holds for every function.

use super::*;
use crate::expr::{Environment, Frame, Locals, Table, Tables, compile, format_value};
use crate::record::{Arena, ClassId, Projection};

/// The text of the result, or of the message.
fn run(text: &str) -> Result<String, String> {
    let codes = Table::parse("code,name\nde,Germany\n49,Number 49\n").expect("table");
    let tables = Tables::new([("codes.csv".to_string(), Ok(std::sync::Arc::new(codes)))].into());
    let environment = Environment { tables, ..Environment::default() };
    let program = compile(text, &environment, &mut Projection::default())
        .map_err(|faults| faults.iter().map(|f| f.cause.clone()).collect::<Vec<_>>().join("; "))?;
    let arena = Arena::new();
    let now = Timestamp { seconds: 1_700_000_000, nanos: 0, offset: 0 };
    let frame = Frame { slots: &[], value: Value::Missing, arena: &arena, now: now.into(), locals: Locals::default() };
    let value = program.eval(&frame).map_err(|error| error.cause)?;
    let mut out = Vec::new();
    format_value(&value, &mut out);
    Ok(String::from_utf8(out).expect("text"))
}

#[test]
fn every_file_is_listed() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/expr/functions");
    let names_in = |folder: &std::path::Path| -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path());
        entries.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect()
    };
    let top = std::fs::read_to_string(root.join("mod.rs")).expect("mod.rs");
    for group in names_in(&root).into_iter().filter(|name| root.join(name).is_dir()) {
        assert!(top.contains(&format!("\nmod {group};")), "add to functions/mod.rs: mod {group};");
        assert!(top.contains(&format!("&{group}::GROUP,")), "add to GROUPS: &{group}::GROUP,");
        let list = std::fs::read_to_string(root.join(&group).join("mod.rs")).expect("mod.rs");
        for stem in names_in(&root.join(&group)).into_iter().filter(|stem| stem != "mod") {
            let constant = stem.to_uppercase();
            assert!(list.contains(&format!("mod {stem};")), "add to {group}/mod.rs: mod {stem};");
            let listed = [",", "]"].iter().any(|end| list.contains(&format!("&{stem}::{constant}{end}")));
            assert!(listed, "add to {group}/mod.rs: &{stem}::{constant},");
        }
    }
    for group in GROUPS {
        let names: Vec<&str> = group.functions.iter().map(|function| function.spec.name).collect();
        assert!(names.is_sorted(), "{}: keep the list in order: {names:?}", group.name);
    }
}

#[test]
fn descriptions_are_whole() {
    let mut seen = std::collections::BTreeSet::new();
    for name in names() {
        assert!(seen.insert(name), "`{name}` is listed twice");
    }
    for function in all() {
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
    for function in all() {
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
