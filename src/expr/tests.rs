//! Expressions in, values, faults and classes out.

use super::*;
use crate::record::path::Step;
use crate::record::{ClassId, Field, Timestamp};

fn field(name: &str, kind: Type, class: &str) -> Field {
    let classes = ClassId::named(class).map(ClassSet::one).unwrap_or_default();
    Field { name: name.into(), kind, required: false, nullable: true, classes }
}

/// A record with some declared fields; `more` is open.
fn environment() -> Environment {
    let fields = vec![
        field("sku", Type::String, ""),
        field("price", Type::Decimal, ""),
        field("qty", Type::Int, ""),
        field("email", Type::String, "pii.contact.email"),
        field("diagnosis", Type::String, "phi.diagnosis"),
        field("tags", Type::List(Box::new(Type::String)), ""),
        field("more", Type::Record { fields: Vec::new(), open: true }, ""),
        field("gone", Type::Decimal, ""),
        field("nil", Type::Decimal, ""),
    ];
    Environment {
        bindings: vec![
            Binding::new("value", Type::Dyn, Bind::Value),
            Binding::new("record", Type::Record { fields, open: false }, Bind::Record),
        ],
        ..Environment::default()
    }
}

fn slot_value(path: &Path) -> Value<'static> {
    const TAGS: &[Value<'static>] = &[Value::String("a"), Value::String("b")];
    match path.0.first() {
        Some(Step::Key(name)) => match (name.as_str(), path.0.len()) {
            ("sku", 1) => Value::String("T1"),
            ("price", 1) => Value::Number("29.99"),
            ("qty", 1) => Value::Int(3),
            ("email", 1) => Value::String("anna@b.example"),
            ("diagnosis", 1) => Value::String("x"),
            ("tags", 1) => Value::List(TAGS),
            ("nil", 1) => Value::Null,
            _ => Value::Missing,
        },
        _ => Value::Missing,
    }
}

fn evaluate(text: &str, value: Value<'static>, environment: &Environment) -> Result<String, String> {
    let mut projection = Projection::default();
    let program = compile(text, environment, &mut projection).map_err(|faults| {
        let all: Vec<String> = faults.iter().map(describe).collect();
        all.join("; ")
    })?;
    let slots: Vec<Value<'_>> = projection.paths.iter().map(slot_value).collect();
    let arena = Arena::new();
    let now = Timestamp { seconds: 1_700_000_000, nanos: 0, offset: 0 };
    let result = program
        .eval(&Frame { slots: &slots, value, arena: &arena, now: now.into(), locals: Locals::default() })
        .map_err(|e| format!("{}: {} @{}..{}", e.code.id, e.cause, e.start, e.end))?;
    let mut out = result.type_name().as_bytes().to_vec();
    out.push(b' ');
    format_value(&result, &mut out);
    Ok(String::from_utf8(out).expect("text").trim_end().to_string())
}

fn describe(fault: &Fault) -> String {
    let fix = fault.fix.as_ref().map(|fix| format!(" ({fix})")).unwrap_or_default();
    format!("{}: {}{fix} @{}..{}", fault.code.id, fault.cause, fault.start, fault.end)
}

fn check(text: &str, expected: &str) {
    check_with(text, Value::Number("29.99"), expected);
}

fn check_with(text: &str, value: Value<'static>, expected: &str) {
    let found = evaluate(text, value, &environment()).unwrap_or_else(|error| error);
    assert_eq!(found, expected, "{text}");
}

#[test]
fn numbers_are_exact() {
    check("round(value * 1.2, 2)", "decimal 35.99");
    check("0.1 + 0.2 == 0.3", "bool true");
    check("7 / 2", "decimal 3.5");
    check("6 / 2", "int 3");
    check("-7 % 2", "int -1");
    check(
        "9223372036854775807 + 1",
        "expr-number: the result is too large for an int: `decimal(x)` of one side goes on exactly @0..23",
    );
    check("decimal(\"9223372036854775807\") + 1", "decimal 9223372036854775808");
    check("1 / 3", "expr-number: the quotient has no end: say where to cut with `div(a, b, scale, rounding)` @0..5");
    check("value / 0", "expr-number: division by zero @0..9");
    check("record.qty + record.price", "decimal 32.99");
    check("double(\"1.5\") * 2", "double 3");
    check("1 < 1.5 && 2u > 1 && double(\"1.5\") > record.qty - 2", "bool true");
    check("value", "decimal 29.99");
    check("-value", "decimal -29.99");
    check("[1, 2.0, 3][1.0]", "decimal 2.0");
}

#[test]
fn text_is_never_coerced() {
    check_with(
        "value * 2",
        Value::String("1"),
        "expr-type: `*` does not take string and int: convert one of them with `decimal(…)` or `string(…)` @0..9",
    );
    check(
        "record.sku * 2",
        "expr-type: `*` does not take string and int (write `decimal(record.sku)`, or declare `type: decimal` for the field in the stream's `fields`) @0..14",
    );
    check("\"a\" + 1", "expr-type: `+` does not take string and int (write `\"1\"`) @0..7");
    check("\"PROD_\" + record.sku + \"_\" + string(record.qty)", "string PROD_T1_3");
    check("\"A\" + value", "expr-type: `+` does not take string and decimal: write `string(value)` to join it @6..11");
    check("record.sku == 1", "expr-type: `==` does not compare string and int (write `\"1\"`) @0..15");
    check("record.sku < \"T2\"", "bool true");
}

#[test]
fn missing_and_null_are_said() {
    check("record.gone", "missing");
    check("record.gone + 1", "expr-missing: `record.gone` is missing @0..11");
    check("record.nil * 2", "expr-null: `record.nil` is null @0..10");
    check("record.nil == null", "bool true");
    check("has(record.gone) ? 1 : 2", "int 2");
    check("record.?gone.orValue(5) + 1", "int 6");
    check("record.?gone.hasValue()", "bool false");
    check(
        "record.?gone + 1",
        "expr-type: `record.?gone` may be absent, so it cannot be computed with (say what else: `record.?gone.orValue(0)`) @0..12",
    );
    check("coalesce(record.gone, record.nil, 3)", "int 3");
    check("round(record.gone)", "expr-missing: `record.gone` is missing @6..17");
    check("record.more.deep.er", "missing");
    check("record.gone == null", "expr-missing: `record.gone` is missing @0..11");
}

#[test]
fn a_gate_never_absorbs_an_error() {
    check("record.gone > 1 || true", "bool true");
    check("false && 1 / 0 > 1", "bool false");
    let gate = Environment { gate: true, ..environment() };
    let run = |text| evaluate(text, Value::Null, &gate).unwrap_or_else(|error| error);
    assert_eq!(run("record.gone > 1 || true"), "expr-missing: `record.gone` is missing @0..11");
    assert_eq!(run("true || record.gone > 1"), "bool true");
    assert_eq!(run("[1, 2].exists(x, x == 2 || record.gone > x)"), "expr-missing: `record.gone` is missing @27..38");
}

#[test]
fn lists_maps_and_macros() {
    check("record.tags.map(t, t + \"!\").join(\",\")", "string a!,b!");
    check("record.tags.filter(t, t != \"a\")", "list [\"b\"]");
    check("[1, 2, 3].map(x, x > 1, x * 2)", "list [4,6]");
    check("{\"a\": 1, ?\"b\": record.?gone}", "map {\"a\":1}");
    check("\"a\" in record.tags && !(\"x\" in {\"y\": 1})", "bool true");
    check("[1, 2][5]", "expr-index: the index lies outside of the list @0..9");
    check("[1][?5].orValue(7)", "int 7");
    check("{\"a\": {\"b\": 2}}.a.b", "int 2");
    check("[[1, 2], [3]].exists(l, l.exists_one(x, x == 3))", "bool true");
    check(
        "record.tags.map(1, 2)",
        "expr-arguments: `map` wants the name of a variable here (write `list.map(x, …)`) @16..17",
    );
}

#[test]
fn faults_help() {
    check("record.prcie * 2", "expr-unknown-field: unknown field `prcie` (did you mean `price`?) @7..12");
    check("roudn(value, 2)", "expr-unknown-function: unknown function `roudn` (did you mean `round`?) @0..5");
    check("recrod.price", "expr-unknown-name: unknown name `recrod` (did you mean `record`?) @0..6");
    check("sku", "expr-unknown-name: unknown name `sku` (a field of the record is written `record.sku`) @0..3");
    check(
        "round()",
        "expr-arguments: `round` takes 1 to 3 arguments, not 0 (its signature is `round(x[, places[, rounding]])`) @0..5",
    );
    check(
        "upper(1) + lower(2)",
        "expr-type: `upper` wants string as `text`, and `1` is int (write `\"1\"`) @6..7; expr-type: `lower` wants string as `text`, and `2` is int (write `\"2\"`) @17..18",
    );
    check(
        "record.sku.matches(\"(\")",
        "expr-arguments: `matches`: the pattern is not well formed, or too large @0..23",
    );
    check("a = b", "expr-syntax: `=` has no meaning here (equality is written `==`) @2..3");
    check("(1 + 2", "expr-syntax: this is not closed: `)` is missing (close it with `)`) @0..1");
    check("\"abc", "expr-syntax: the text is not closed (close it with `\"`) @0..4");
    check("", "expr-syntax: the expression is empty @0..0");
    check("1 +", "expr-syntax: the expression ends where a value is missing @3..3");
    check(
        "\"\\q\"",
        "expr-syntax: unknown escape after `\\` (write `\\\\` for a backslash, or a raw text r\"…\") @1..2",
    );
    check("true and false", "expr-syntax: `and` is no operator (write `&&`) @5..8");
    check("record.sku ? 1 : 2", "expr-type: `?` wants bool, and `record.sku` is string @0..10");
}

#[test]
fn classes_flow() {
    let of = |text: &str| {
        let program = compile(text, &environment(), &mut Projection::default()).expect("compiles");
        format!("{} | {}", program.classes(), program.control_classes())
    };
    assert_eq!(of("record.email"), "pii.contact.email | ");
    assert_eq!(of("\"x\" + upper(record.email)"), "pii.contact.email | ");
    assert_eq!(of("mask_email(record.email)"), " | ");
    assert_eq!(of("mask_email(record.diagnosis)"), "phi.diagnosis | ");
    assert_eq!(of("sha256(record.email)"), "pii.contact.email | ");
    assert_eq!(of("record.diagnosis == \"x\" ? 1 : 2"), " | phi.diagnosis");
    assert_eq!(of("record.diagnosis == \"x\""), "phi.diagnosis | ");
    assert_eq!(of("size(record.email)"), " | pii.contact.email");
    assert_eq!(of("has(record.email)"), " | pii.contact.email");
    assert_eq!(of("{\"a\": 1}[record.email]"), " | pii.contact.email");
    assert_eq!(of("record"), "pii.contact.email, phi.diagnosis | ");
    assert_eq!(of("[record.email].map(x, x + \"!\")[0]"), "pii.contact.email | pii.contact.email");
    let program = compile("mask_email(record.email)", &environment(), &mut Projection::default()).expect("compiles");
    let steps: Vec<_> = program.flow().iter().map(|s| (s.what.as_str(), s.effect)).collect();
    assert_eq!(steps, [("record.email", Effect::Reads), ("mask_email", Effect::Protects)]);
    assert_eq!(program.reads(), [Path::key("email")]);
}

#[test]
fn hostile_text_is_refused() {
    for text in [
        "(".repeat(10_000),
        "[".repeat(10_000),
        "{1:".repeat(10_000),
        "!".repeat(20_000) + "true",
        "-".repeat(20_000) + "1",
        "1+".repeat(20_000) + "1",
        "a.b".to_string() + &".c".repeat(20_000),
        "x?".repeat(10_000),
        "f(".repeat(10_000),
        "\"".to_string() + &"a".repeat(100_000) + "\"",
        "1".repeat(1000),
        "\u{0}\u{1}".into(),
        "\"\\u12\"".into(),
        "\"\\U00110000\"".into(),
        "b\"\\400\"".into(),
        "`".into(),
        "a[".into(),
        "é".into(),
    ] {
        let faults = compile(&text, &environment(), &mut Projection::default()).expect_err("refused");
        for fault in faults {
            assert!(fault.start <= fault.end && fault.end <= text.len() + 1, "{}", fault.cause);
        }
    }
    // Work that multiplies stops at the limit, and no `||` hides it.
    let tens = "[0,1,2,3,4,5,6,7,8,9]";
    let mut text = "1 / 0 == 1".to_string();
    for level in 0..8 {
        text = format!("{tens}.exists(x{level}, {text})");
    }
    check(&format!("true && ({text} || true)"), "expr-limit: the expression takes more than a million steps @240..284");
    // So does work on one long text over and over, though each step is a single call.
    let long = evaluate(
        &format!("[repeat(\"ab\", 1000000)].map(t, {tens}.map(a, {tens}.map(b, {tens}.map(c, t.contains(\"aa\")))))"),
        Value::Null,
        &environment(),
    );
    assert!(long.is_err_and(|error| error.contains("more than a million steps")));
}

#[test]
fn times() {
    check_with(
        "format_time(timestamp(value), \"%Y-%m-%d\", \"UTC\")",
        Value::String("2024-12-31T23:30:00-01:00"),
        "string 2025-01-01",
    );
    check(
        "timestamp(\"2024-01-01T00:00:00Z\") + duration(\"36h\") - timestamp(\"2024-01-01T00:00:00Z\")",
        "duration 129600s",
    );
    check("date(\"2024-02-28\") + duration(\"24h\")", "date 2024-02-29");
    check("date(\"2024-03-01\") - date(\"2024-02-28\") == duration(\"48h\")", "bool true");
    check(
        "format_time(timestamp(0), \"%a %d %B %Y %H:%M:%S.%L %z %j %%\", \"+05:30\")",
        "string Thu 01 January 1970 05:30:00.000 +0530 001 %",
    );
}

mod random {
    use super::*;
    use proptest::prelude::*;

    fn cases() -> u32 {
        crate::soak::rounds(300)
    }

    fn expression() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("value".to_string()),
            Just("record.price".into()),
            Just("record.sku".into()),
            Just("record.tags".into()),
            Just("record.gone".into()),
            Just("null".into()),
            Just("true".into()),
            Just("{\"a\": 1}".into()),
            Just("timestamp(0)".into()),
            Just("duration(\"1h\")".into()),
            "[0-9]{1,20}(\\.[0-9]{1,10})?",
            "\"[a-zé]{0,5}\"",
        ];
        leaf.prop_recursive(4, 24, 3, |inner| {
            let sign = prop::sample::select(vec!["+", "-", "*", "/", "%", "<", ">=", "==", "!=", "&&", "||", "in"]);
            let names: Vec<&'static str> = functions::names().collect();
            prop_oneof![
                (inner.clone(), sign, inner.clone()).prop_map(|(a, s, b)| format!("({a} {s} {b})")),
                (prop::sample::select(names), prop::collection::vec(inner.clone(), 0..4))
                    .prop_map(|(name, arguments)| format!("{name}({})", arguments.join(", "))),
                (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}].map(x, x)")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("dyn({a})[dyn({b})]")),
                inner.prop_map(|a| format!("-dyn({a})")),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn evaluation_never_panics(text in expression(), cel in any::<bool>()) {
            let dialect = if cel { Dialect::Cel } else { Dialect::Consign };
            for value in [Value::Null, Value::Missing, Value::String("é1"), Value::Number("1e20"), Value::Double(-0.5), Value::Int(i64::MIN)] {
                let _ = evaluate(&text, value, &Environment { dialect, ..environment() });
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = evaluate(&text, Value::Null, &environment());
        }

        #[test]
        fn equality_is_symmetric(a in "-?[0-9]{1,35}(\\.[0-9]{1,9})?(e[0-9]{1,2})?", b in "-?[0-9]{1,35}") {
            let (x, y) = (Value::Number(&a), Value::Number(&b));
            prop_assert!(equals(&x, &x));
            prop_assert_eq!(equals(&x, &y), equals(&y, &x));
        }
    }
}
