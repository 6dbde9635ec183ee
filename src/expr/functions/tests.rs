//! What holds for every function.

use super::*;
use crate::expr::{Bind, Binding, Environment, Frame, Keys, Locals, Table, Tables, compile, format_value};
use crate::record::{Arena, ClassId, Projection, Type};

/// A key of each purpose, as examples name them.
fn keys() -> Keys {
    use crate::comply::protect::{Declared, Ring};
    use crate::record::{ClassSet, Purpose};
    let named = [
        ("customers", Purpose::Token),
        ("mail", Purpose::Encrypt),
        ("links", Purpose::Join),
        ("cards", Purpose::Format),
        ("vault", Purpose::Vault),
        ("people", Purpose::Subject),
    ];
    let classes = ClassSet::one(ClassId::named("pii.id").expect("class"));
    let declared = |(name, purpose): (&str, Purpose)| Declared {
        name: name.into(),
        purpose,
        classes,
        decrypt: vec!["answers".into()],
    };
    let looks = crate::comply::detect::Sight::usual();
    Keys::of(std::sync::Arc::new(Ring::rehearsal(named.map(declared)))).looking(looks).on_behalf("answers")
}

/// The text of the result, or of the message.
fn run(text: &str) -> Result<String, String> {
    let codes = Table::parse("code,name\nde,Germany\n49,Number 49\n").expect("table");
    let tables = Tables::new([("codes.csv".to_string(), Ok(std::sync::Arc::new(codes)))].into());
    let environment = Environment { tables, keys: keys(), ..Environment::default() };
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

/// Whatever the data holds, a function has a result or says why not: it does not panic, and does not take
/// for ever.
#[test]
fn no_value_makes_a_function_panic() {
    let long = "aé1 ".repeat(3000);
    let texts = [
        "",
        " ",
        "é",
        "\u{0}ß\u{1f600}\u{301}",
        "1",
        "-1.5",
        "0.000",
        "2024-03-31",
        "2024-03-31T23:59:60.5+14:00",
        "a@b.example",
        "+49 (0)30 901820",
        "%C3%",
        "a.b[-1]",
        "[",
        "(?i)a|",
        "UTC",
        "kg",
        "lb",
        "DE",
        "us",
        "GB29 NWBK 6016 1331 9268 19",
        "4111111111111111",
        "{\"a\":[1,null]}",
        "de Berg, Anna, Jr.",
        "12é Straße 7é",
        "1é",
        "half_up",
        "desc",
        "::ffff:1.2.3.4",
        "https://u:p@[::1]:1/%?a=&=b#",
        "yyyy-MM-dd",
        "EUR",
        "name",
        &long,
    ];
    let moment = |seconds, offset| Value::Timestamp(Timestamp { seconds, nanos: 999_999_999, offset });
    let pair = [Value::Int(1), Value::String("a")];
    let maps = [
        Value::Map(&[("a", Value::Number("1.50")), ("key", Value::Null), ("value", Value::String("é"))]),
        Value::Map(&[("a", Value::Double(f64::NAN)), ("key", Value::String("k"))]),
    ];
    let dict = [(Value::Int(1), Value::Null), (Value::Bool(true), Value::String("x"))];
    let nested = [Value::List(&pair), Value::Null, Value::Double(-0.0), Value::Missing, Value::Bytes(b"\xff")];
    let mut pool: Vec<Value<'_>> = texts.iter().map(|text| Value::String(text)).collect();
    pool.extend([
        Value::Missing,
        Value::Null,
        Value::Bool(true),
        Value::Int(0),
        Value::Int(3),
        Value::Int(-1),
        Value::Int(28),
        Value::Int(i64::MIN),
        Value::Int(i64::MAX),
        Value::Uint(u64::MAX),
        Value::Number("1e400"),
        Value::Number("-0.10"),
        Value::Number("9999999999999999999999999999"),
        Value::Number("12345678901234567890123456789012345"),
        Value::Double(f64::NAN),
        Value::Double(f64::INFINITY),
        Value::Double(-1.5e300),
        Value::Double(0.1),
        Value::Bytes(b""),
        Value::Bytes(b"\xff\x00a"),
        moment(-62_135_596_800, -50_400),
        moment(253_402_300_799, 50_400),
        moment(0, 0),
        Value::Date(crate::record::Date::new(1, 1, 1).expect("date")),
        Value::Date(crate::record::Date::new(9999, 12, 31).expect("date")),
        Value::Duration(crate::record::Duration::from_nanos(-315_576_000_000_000_000_000).expect("span")),
        Value::List(&[]),
        Value::List(&pair),
        Value::List(&maps),
        Value::List(&nested),
        maps[0],
        Value::Map(&[]),
        Value::Dict(&dict),
    ]);
    let bindings = ["a", "b", "c", "d"].iter().enumerate();
    let bindings = bindings.map(|(slot, name)| Binding::new(*name, Type::Dyn, Bind::Slot(slot))).collect();
    let environment = Environment { bindings, keys: keys(), ..Environment::default() };
    let now = Timestamp { seconds: 1_700_000_000, nanos: 0, offset: 0 };
    let (mut arena, mut evaluated) = (Arena::new(), 0_u32);
    for function in all() {
        let spec = &function.spec;
        for count in spec.least().max(1)..=spec.most().min(4) {
            let text = format!("{}({})", spec.name, ["a", "b", "c", "d"][..count].join(", "));
            // A few want some of their arguments written down.
            let Ok(program) = compile(&text, &environment, &mut Projection::default()) else { continue };
            let combinations = pool.len().pow(count as u32);
            // A step that has no factor in common with the size of the pool meets every value in every place.
            let step = (combinations / 1500).max(1) | 1;
            for number in (0..combinations).step_by(step) {
                let mut rest = number;
                let slots: Vec<Value<'_>> =
                    (0..count).map(|_| (pool[rest % pool.len()], rest /= pool.len()).0).collect();
                let frame = Frame {
                    slots: &slots,
                    value: Value::Missing,
                    arena: &arena,
                    now: now.into(),
                    locals: Locals::default(),
                };
                if let Ok(value) = program.eval(&frame) {
                    let mut out = Vec::new();
                    format_value(&value, &mut out);
                }
                evaluated += 1;
            }
            arena.reset();
        }
    }
    assert!(evaluated > 100_000, "{evaluated}");
}
