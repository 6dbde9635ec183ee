//! The conformance cases of CEL, run under its dialect.
//!
//! Each case passes or is listed with its reason in `out_of_scope.txt`; a listed case that passes
//! fails the test too, so that the list can only shrink. `UPDATE=1` rewrites the list.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path as FilePath;

use base64::Engine;
use serde_json::Value as Json;

use super::{Bind, Binding, Dialect, Environment, Frame, Locals, compile, equals};
use crate::record::{Arena, Projection, Timestamp, Type, Value};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/cel-spec");

/// The first line of the list.
const HEADER: &str = "# Cases that are out of scope, each with the reason. `UPDATE=1 cargo test conformance` rewrites the list and keeps reasons.\n";

/// How many cases pass at least: raised with each step, never lowered.
const PASSING: usize = 1_520;

/// The value that a case writes as `{"int": "1"}`; `None` for kinds that consign does not have.
fn value_of<'a>(json: &Json, arena: &'a Arena) -> Option<Value<'a>> {
    let (kind, content) = json.as_object()?.iter().next()?;
    let text = content.as_str().unwrap_or_default();
    Some(match kind.as_str() {
        "null" => Value::Null,
        "bool" => Value::Bool(content.as_bool()?),
        "int" => Value::Int(text.parse().ok()?),
        "uint" => Value::Uint(text.parse().ok()?),
        "double" => Value::Double(match text {
            "Infinity" | "inf" => f64::INFINITY,
            "-Infinity" | "-inf" => f64::NEG_INFINITY,
            text => text.parse().ok()?,
        }),
        "string" => Value::String(arena.alloc_str(text)),
        "bytes" => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
            Value::Bytes(arena.alloc_slice_copy(&bytes))
        }
        "type" => Value::String(super::types::named(text)?),
        "list" => {
            let items: Option<Vec<_>> = content.as_array()?.iter().map(|item| value_of(item, arena)).collect();
            Value::List(arena.alloc_slice_copy(&items?))
        }
        "map" => {
            let entries: Option<Vec<_>> = (content.as_array()?.iter())
                .map(|entry| Some((value_of(entry.get(0)?, arena)?, value_of(entry.get(1)?, arena)?)))
                .collect();
            Value::Dict(arena.alloc_slice_copy(&entries?))
        }
        _ => return None,
    })
}

/// Whether a result is the expected one: of the same type as well, and a NaN is one.
fn same(found: &Value<'_>, expected: &Value<'_>) -> bool {
    match (found, expected) {
        (Value::Double(a), Value::Double(b)) => a == b || (a.is_nan() && b.is_nan()),
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(*b).all(|(a, b)| same(a, b)),
        _ => found.type_name() == expected.type_name() && equals(found, expected),
    }
}

fn run(case: &Json) -> Result<(), String> {
    let arena = Arena::new();
    let mut environment = Environment { dialect: Dialect::Cel, ..Environment::default() };
    let mut slots = Vec::new();
    for (name, json) in case["bindings"].as_object().into_iter().flatten() {
        environment.bindings.push(Binding::new(name.as_str(), Type::Dyn, Bind::Slot(slots.len())));
        slots.push(value_of(json, &arena).ok_or("a binding of a kind that there is not")?);
    }
    let program = compile(case["expr"].as_str().unwrap_or_default(), &environment, &mut Projection::default());
    let program = match program {
        Ok(program) => program,
        Err(_) if case.get("error").is_some() => return Ok(()),
        Err(faults) => return Err(faults.first().map_or(String::new(), |f| f.cause.clone())),
    };
    let frame = Frame {
        slots: &slots,
        value: Value::Missing,
        arena: &arena,
        now: Timestamp { seconds: 0, nanos: 0, offset: 0 }.into(),
        locals: Locals::default(),
    };
    match (program.eval(&frame), case.get("error")) {
        (Err(_), Some(_)) => Ok(()),
        (Err(error), None) => Err(error.cause),
        (Ok(_), Some(_)) => Err("gives a value where an error is expected".into()),
        (Ok(found), None) => {
            let expected = value_of(&case["value"], &arena).ok_or("expects a kind that there is not")?;
            if same(&found, &expected) { Ok(()) } else { Err(format!("gives another {}", found.type_name())) }
        }
    }
}

#[test]
fn every_case_passes_or_is_listed() {
    let (mut passed, mut failed) = (0, Vec::new());
    let mut files: Vec<_> = std::fs::read_dir(FOLDER).expect("folder").map(|e| e.expect("entry").path()).collect();
    files.sort();
    for path in files.iter().filter(|path| path.extension().is_some_and(|e| e == "json")) {
        let stem = path.file_stem().and_then(|s| s.to_str()).expect("name");
        let json: Json = serde_json::from_slice(&std::fs::read(path).expect("file")).expect("JSON");
        for case in json["cases"].as_array().expect("cases") {
            let part = |key: &str| case[key].as_str().unwrap_or_default();
            match run(case) {
                Ok(()) => passed += 1,
                Err(reason) => failed.push((format!("{stem}/{}/{}", part("section"), part("name")), reason)),
            }
        }
    }
    let list = FilePath::new(FOLDER).join("out_of_scope.txt");
    let listed = std::fs::read_to_string(&list).unwrap_or_default();
    let mut text = String::from(HEADER);
    for (name, reason) in &failed {
        // A person has said why: that stays.
        let said = listed.lines().find_map(|line| line.strip_prefix(name.as_str())?.strip_prefix(": "));
        writeln!(text, "{name}: {}", said.unwrap_or(reason)).expect("text");
    }
    #[expect(clippy::disallowed_methods, reason = "a switch for the person who changes the language")]
    let update = std::env::var("UPDATE").is_ok();
    if update {
        std::fs::write(&list, &text).expect("written");
        return;
    }
    let names = |text: &str| -> BTreeSet<String> {
        text.lines().filter(|l| !l.starts_with('#')).filter_map(|l| Some(l.split_once(": ")?.0.to_string())).collect()
    };
    let (before, now) = (names(&listed), names(&text));
    let worse: Vec<_> = now.difference(&before).collect();
    let better: Vec<_> = before.difference(&now).collect();
    assert!(worse.is_empty(), "no longer pass: {worse:#?}");
    assert!(better.is_empty(), "pass now, take them off out_of_scope.txt: {better:#?}");
    let mut reasons = BTreeMap::<&str, usize>::new();
    for (_, reason) in text.lines().filter_map(|line| line.split_once(": ")) {
        *reasons.entry(reason).or_default() += 1;
    }
    let reasons: Vec<String> = reasons.iter().map(|(reason, count)| format!("\n{count:6} {reason}")).collect();
    println!("{passed} cases pass, 0 fail, {} are out of scope:{}", failed.len(), reasons.concat());
    assert!(passed >= PASSING, "{passed} cases pass");
}
