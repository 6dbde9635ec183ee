//! Mappings as people write them, and what is found in them.

use super::*;
use crate::config::{Catalog, FileText, Mapping, load_texts};
use crate::error::{Finding, Severity};
use crate::record::{Arena, ClassId, ClassSet, Field, Path, Row, Timestamp, Type, Value, shown};

const NOW: Timestamp = EXAMPLE_NOW;

/// A mapping from its YAML; panics with the findings if it cannot be read.
pub(crate) fn mapping(yaml: &str) -> Mapping {
    let file = FileText { name: "m.yaml".into(), bytes: yaml.as_bytes().to_vec() };
    let catalog = Catalog { protocols: &[], formats: &[], shelf: None };
    let mut loaded = load_texts("/".into(), None, vec![file], None, &catalog);
    assert!(!loaded.has_errors(), "{:#?}", loaded.findings);
    loaded.mappings.remove(0)
}

/// Rules (YAML of the list under `fields`) as a whole mapping; `more` stands before `fields`.
pub(crate) fn rules(more: &str, fields: &str) -> Mapping {
    mapping(&format!("version: 1\nname: m\nfrom: shop.items\nto: warehouse.stock\n{more}fields:\n{fields}"))
}

/// Declared fields: `sku: string!, mail: string pii.email` (`!`: required and not null).
pub(crate) fn fields(text: &str) -> Vec<Field> {
    let declare = |part: &str| {
        let (name, rest) = part.trim().split_once(": ").unwrap();
        let (kind, class) = rest.split_once(' ').unwrap_or((rest, ""));
        let required = kind.ends_with('!');
        Field {
            name: name.into(),
            kind: Type::named(kind.trim_end_matches('!')).unwrap(),
            required,
            nullable: !required,
            classes: ClassId::named(class).map(ClassSet::one).unwrap_or_default(),
        }
    };
    text.split(", ").filter(|part| !part.is_empty()).map(declare).collect()
}

pub(crate) fn csv(declared: &str) -> SourceShape {
    let fields = fields(declared);
    SourceShape {
        name: "shop.items".into(),
        closed: !fields.is_empty(),
        fields,
        text_fields: true,
        schema: None,
        strict: false,
    }
}

pub(crate) fn json(declared: &str) -> SourceShape {
    SourceShape { text_fields: false, ..csv(declared) }
}

pub(crate) fn target(declared: &str) -> TargetShape {
    let fields = fields(declared);
    TargetShape {
        name: "warehouse.stock".into(),
        closed: !fields.is_empty(),
        fields,
        flat: true,
        schema: None,
        key: Vec::new(),
    }
}

#[track_caller]
pub(crate) fn route(mapping: &Mapping, source: &SourceShape, target: &TargetShape) -> Route {
    let (route, findings) = compile(mapping, source, target);
    assert!(findings.iter().all(|f| f.severity != Severity::Error), "{}", said(&findings));
    route.expect("a route")
}

pub(crate) fn said(findings: &[Finding]) -> String {
    let line = |f: &Finding| {
        let place = f.place.as_ref().map_or("?".to_string(), |p| format!("{}:{}", p.line, p.column));
        let fix = f.fix.as_ref().map_or(String::new(), |fix| format!(" -- {fix}"));
        format!("{place} {}: {}{fix}", f.code.id, f.cause)
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The findings hold this one: code and a part of its text.
#[track_caller]
fn finds(mapping: &Mapping, source: &SourceShape, target: &TargetShape, code: &str, part: &str) {
    let (_, findings) = compile(mapping, source, target);
    let found = said(&findings);
    let hit = findings.iter().any(|f| f.code.id == code && said(std::slice::from_ref(f)).contains(part));
    assert!(hit, "no `{code}` with `{part}` in:\n{found}");
    assert!(findings.iter().all(|f| f.place.is_some() && f.fix.is_some()), "without place or fix:\n{found}");
}

/// One record (JSON-like pairs as values) through a mapping: the target record, or the verdict.
fn applied(route: &Route, record: &[(&str, Value<'_>)]) -> String {
    let arena = Arena::new();
    let whole = Value::Map(record).copy_into(&arena);
    let slots: Vec<Value<'_>> = route
        .projection
        .paths
        .iter()
        .map(|path| {
            path.0.iter().fold(whole, |value, step| match step {
                crate::record::path::Step::Key(name) => value.get(name),
                _ => Value::Missing,
            })
        })
        .collect();
    let mut out = Vec::new();
    match route.apply(&Row { slots: &slots, raw: b"", index: 0, line: 0 }, &arena, NOW.into(), &mut out) {
        Verdict::Mapped => {
            let pairs = route.targets().zip(&out).filter(|(_, v)| !v.is_missing());
            pairs.map(|(name, value)| format!("{name}={}", shown::text(value))).collect::<Vec<_>>().join(" ")
        }
        Verdict::Filtered => "filtered".into(),
        Verdict::Withheld(rule) => format!("withheld by {}", route.rule_name(rule)),
        Verdict::Rejected(fault) => {
            format!("{} {}: {}", fault.code.id, fault.field.as_deref().unwrap_or("-"), fault.cause)
        }
    }
}

/// The mapping of the design's third section, word for word.
const INVENTORY: &str = r#"version: 1
name: inventory-to-warehouse
from: shop.inventory_items
to: warehouse.stock
sync:
  mode: upsert
  key: [product_id]
  schedule: { cron: "*/15 * * * *", timezone: Europe/Berlin, missed: once }
  batch: { records: 500 }
  on_error: { to: dead_letters, tolerate: { percent: 0.5 } }
when: record.status == "active"
fields:
  - target: product_id
    source: sku
    transform: '"PROD_" + value'
    required: true
  - target: cost
    source: price
    transform: round(value * 1.2, 2)
    validate:
      - value >= 0
  - target: product_type
    source: category
    default: General
  - target: contact
    source: supplier.email
    class: pii.email
    transform: mask_email(value)
tests:
  - name: marks up the price exactly
    given: { sku: TEST001, price: 29.99, status: active, supplier: { email: a@b.example } }
    expect: { product_id: PROD_TEST001, cost: 35.99, product_type: General, contact: a***@b.example }
"#;

#[test]
fn the_mapping_of_the_design_holds() {
    let mapping = mapping(INVENTORY);
    let (route, findings) = compile(&mapping, &json(""), &TargetShape::default());
    assert_eq!(said(&findings), "");
    let route = route.unwrap();
    let tested = test(&route, &mapping);
    assert_eq!((tested.examples.len(), tested.failed(), tested.uncovered()), (1, 0, 1));
    assert_eq!(tested.coverage[2].without_value, 1);
    assert_eq!(route.key, [0]);
    let supplier = [("email", Value::String("jane@b.example"))];
    let record = |status| {
        [
            ("sku", Value::String("A1")),
            ("price", Value::Number("10.005")),
            ("status", Value::String(status)),
            ("supplier", Value::Map(&supplier)),
        ]
    };
    assert_eq!(
        applied(&route, &record("active")),
        "product_id=PROD_A1 cost=12.01 product_type=General contact=j***@b.example"
    );
    assert_eq!(applied(&route, &record("gone")), "filtered");
    let explained = explain(&route, "contact").unwrap();
    assert_eq!(explained.flow.source.to_string(), "pii.contact.email");
    assert_eq!(explained.transform.as_deref(), Some("mask_email(value)"));
    assert!(explain(&route, "nope").is_err());
}

#[test]
fn each_mistake_is_found() {
    let any = TargetShape::default();
    let closed = || csv("sku: string!, price: decimal, qty: int!, mail: string pii.email");
    finds(
        &rules("", "  - { target: a, source: prise }\n"),
        &closed(),
        &any,
        "map-unknown-source",
        "did you mean `price`?",
    );
    finds(
        &rules("", "  - { target: a, source: sku.x }\n"),
        &csv(""),
        &any,
        "map-unknown-source",
        "records of `shop.items` are flat",
    );
    finds(
        &rules("", "  - { target: a, source: other }\n"),
        &json("").strict(true),
        &any,
        "map-unknown-source",
        "`--strict` asks for",
    );
    finds(
        &rules("", "  - { target: a, source: sku }\n  - { target: a, source: price }\n"),
        &closed(),
        &any,
        "map-duplicate-target",
        "rules 1 (line 6) and 2 both write `a`",
    );
    finds(
        &rules("", "  - { target: a.b, source: sku }\n  - { target: a, source: price }\n"),
        &closed(),
        &any,
        "map-nested-target",
        "`a.b` lies inside `a`",
    );
    finds(&rules("", "  - { target: a.b, source: sku }\n"), &closed(), &target(""), "map-target-path", "a_b");
    finds(
        &rules("", "  - { target: a, transform: '[1, 2]' }\n"),
        &closed(),
        &target(""),
        "map-target-type",
        "are flat",
    );
    finds(&rules("", "  - { target: 'a[0]', source: sku }\n"), &closed(), &any, "map-target-path", "element of a list");
    finds(
        &rules("", "  - { target: prize, source: price }\n"),
        &closed(),
        &target("price: decimal"),
        "map-unknown-target",
        "did you mean `price`?",
    );
    finds(
        &rules("", "  - { target: a, source: sku }\n"),
        &closed(),
        &target("a: string, b: string!"),
        "map-missing-target",
        "requires `b`",
    );
    finds(
        &rules("", "  - { target: a, source: price }\n"),
        &closed(),
        &target("a: decimal!"),
        "map-missing-target",
        "may leave it missing",
    );
    finds(
        &rules("", "  - { target: a, source: sku }\n"),
        &closed(),
        &target("a: int"),
        "map-target-type",
        "the result is of type string, but `a` of `warehouse.stock` is declared as int",
    );
    finds(
        &rules("", "  - { target: a, source: price }\n"),
        &closed(),
        &target("a: double"),
        "map-decimal-to-double",
        "type: double",
    );
    finds(
        &rules("sync: { mode: upsert, key: [idd] }\n", "  - { target: id, source: sku, required: true }\n"),
        &closed(),
        &any,
        "map-key-not-filled",
        "did you mean `id`?",
    );
    finds(
        &rules("sync: { mode: upsert, key: [id] }\n", "  - { target: id, source: price }\n"),
        &closed(),
        &any,
        "map-key-not-required",
        "may be missing or null",
    );
    finds(
        &rules("", "  - { target: a, source: sku, default: x }\n"),
        &closed(),
        &any,
        "map-unused-default",
        "always there",
    );
    finds(
        &rules("", "  - { target: a, source: price, default: none }\n"),
        &closed(),
        &any,
        "map-default-type",
        "the default is of type string, but the source field is declared as decimal",
    );
    finds(
        &rules("", "  - { target: a, transform: value + 1 }\n"),
        &closed(),
        &any,
        "map-value-without-source",
        "add `source: field`",
    );
    finds(&rules("", "  - { target: a }\n"), &closed(), &any, "map-empty-rule", "neither a source nor a transform");
    finds(
        &rules("when: record.qty + 1\n", "  - { target: a, source: sku }\n"),
        &closed(),
        &any,
        "map-not-a-condition",
        "this is of type",
    );
    finds(
        &rules("when: '\"record\" == \"x\"'\n", "  - { target: a, source: sku }\n"),
        &closed(),
        &any,
        "map-constant-condition",
        "record.field",
    );
    finds(
        &rules("when: record.sku == \"x\"\n", "  - { target: a, source: sku }\n"),
        &json("sku: string"),
        &any,
        "map-gate-may-miss",
        "has(record.sku)",
    );
    let example = |expect: &str| {
        rules(
            "",
            &format!("  - {{ target: a, source: qty }}\ntests:\n  - {{ name: t, given: {{ qty: 5 }}, {expect} }}\n"),
        )
    };
    let source = || csv("qty: int!");
    finds(
        &example("expect: { a: 6 }"),
        &source(),
        &any,
        "map-example-failed",
        "`a` expected 6, got 5 (its rule: m.yaml:6)",
    );
    finds(&example("expect: { a: 5, b: 1 }"), &source(), &any, "map-example-failed", "`b` expected 1, got missing");
    finds(&example("expect: {}"), &source(), &any, "map-example-failed", "`a` expected absent, got 5");
    finds(&example("expect: { a: 5.0 }"), &source(), &any, "map-example-failed", "the same number, written otherwise");
    finds(&example("expect_filtered: true"), &source(), &any, "map-example-failed", "expected filtered, got a record");
    finds(&example("expect_rejected: nope"), &source(), &any, "map-example-failed", "expected rejected, with `nope`");
    finds(
        &rules("", "  - { target: a, source: qty }\ntests:\n  - { name: t, given: { qty: five }, expect: { a: 5 } }\n"),
        &source(),
        &any,
        "map-example-invalid",
        "`qty` is declared as int",
    );
}

#[test]
fn faults_of_expressions_point_into_the_file() {
    let (route, findings) = compile(
        &rules("", "  - target: a\n    source: sku\n    transform: trimm(value)\n"),
        &csv("sku: string!"),
        &TargetShape::default(),
    );
    assert!(route.is_none());
    assert_eq!(findings.len(), 1, "{}", said(&findings));
    assert!(said(&findings).starts_with("8:16 "), "{}", said(&findings));
    assert!(said(&findings).contains("trim"), "{}", said(&findings));
}

#[test]
fn rules_apply_in_order() {
    let check = |rule: &str, source: &SourceShape, value: Value<'_>, expected: &str| {
        let mapping = rules("", &format!("  - {{ target: out, source: in, {rule} }}\n"));
        let route = route(&mapping, source, &TargetShape::default());
        assert_eq!(applied(&route, &[("in", value)]), expected, "{rule}");
    };
    let number = csv("in: decimal");
    check("required: true", &number, Value::Number("1.50"), "out=1.50");
    check("required: true", &number, Value::Null, "map-required out: `in` is null, and required");
    check("required: true, default: 7", &number, Value::Null, "out=7");
    check("required: false", &number, Value::Null, "out=null");
    check("validate: value >= 0", &number, Value::Number("-5"), "map-invalid out: -5 does not meet `value >= 0`");
    check(
        "validate: value >= 0 && value < 9",
        &number,
        Value::Number("10"),
        "map-invalid out: 10 does not meet `value >= 0 && value < 9`",
    );
    check("type: int", &number, Value::Number("5.0"), "out=5");
    check("type: int", &number, Value::Number("5.5"), "map-wrong-type out: 5.5 (decimal) is no int");
    check("type: string", &number, Value::Number("5.50"), "out=5.50");
    check("transform: value * 2", &number, Value::Number("1.25"), "out=2.50");
    let text = csv("in: string");
    check("type: int", &text, Value::String("12"), "out=12");
    check("type: int", &text, Value::String("a12"), "map-wrong-type out: \"a12\" (string) is no int");
    check("default: x", &text, Value::Null, "out=x");
    check("default: x", &text, Value::String(""), "out=");
    // Nothing is known of the field: the message shows nothing of it.
    let unknown = csv("");
    check("type: int", &unknown, Value::String("a12"), "map-wrong-type out: the value (string) is no int");
    // A class, or a name that gives one away, hides the value as well.
    check("class: pii.id, type: int", &text, Value::String("a12"), "map-wrong-type out: the value (string) is no int");
}

#[test]
fn a_gate_never_absorbs_an_error() {
    let mapping = rules("when: record.status == \"on\"\n", "  - { target: a, source: sku }\n");
    let route = route(&mapping, &json(""), &TargetShape::default());
    let sku = ("sku", Value::String("x"));
    assert_eq!(applied(&route, &[sku, ("status", Value::String("on"))]), "a=x");
    assert_eq!(applied(&route, &[sku, ("status", Value::String("off"))]), "filtered");
    assert!(applied(&route, &[sku]).contains(" -: `when`"), "{}", applied(&route, &[sku]));
}

#[test]
fn missing_is_no_null_and_division_is_exact() {
    let check = |transform: &str, record: &[(&str, Value<'_>)], expected: &str| {
        let mapping = rules("", &format!("  - target: out\n    transform: {transform}\n"));
        let route = route(&mapping, &json(""), &TargetShape::default());
        let got = applied(&route, record);
        assert!(got.contains(expected), "{transform}: {got}");
    };
    let a = [("a", Value::Number("1"))];
    check("has(record.a)", &a, "out=true");
    check("has(record.b)", &a, "out=false");
    check("record.?a.orValue(2)", &a, "out=1");
    check("record.?b.orValue(2)", &a, "out=2");
    check("record.b + 1", &a, " out: ");
    check("record.b == 1", &a, " out: ");
    check("record.a / 4", &a, "out=0.25");
    check("record.a / 3", &a, "div(");
    check("div(record.a, 3, 4, \"half_even\")", &a, "out=0.3333");
}

#[test]
fn a_message_never_holds_a_classified_value() {
    let secret = "4111111111111111";
    let declared = "in: string pci.pan";
    for rule in [
        "type: date",
        "validate: value == \"\"",
        "transform: int(value) + 1, validate: value < 0",
        "transform: timestamp(value)",
    ] {
        let mapping = rules("", &format!("  - {{ target: out, source: in, {rule} }}\n"));
        let route = route(&mapping, &csv(declared), &TargetShape::default());
        let got = applied(&route, &[("in", Value::String(secret))]);
        assert!(got.contains(" out: ") && !got.contains("4111"), "{rule}: {got}");
    }
}

#[test]
fn a_failed_expression_is_shown_with_what_it_was_computed_from() {
    let of = |declared: &str| {
        let mapping = rules("", "  - { target: each, source: total, transform: 'value / record.count' }\n");
        let route = route(&mapping, &csv(declared), &TargetShape::default());
        applied(&route, &[("total", Value::Number("10")), ("count", Value::Number("0"))])
    };
    let shown = of("total: decimal, count: decimal");
    assert!(
        shown
            .ends_with("each: `value / record.count` fails where `total` is 10, `record.count` is 0: division by zero"),
        "{shown}"
    );
    let hidden = of("total: decimal financial.balance, count: decimal");
    assert!(hidden.ends_with("each: `value / record.count` fails: division by zero"), "{hidden}");
}

#[test]
fn previews_are_masked() {
    let mapping = rules(
        "",
        "  - { target: name, source: name }\n  - { target: mail, source: mail }\n  - { target: email, source: mail, transform: mask_email(value) }\n  - { target: phone, source: phone }\n",
    );
    let route = route(&mapping, &csv("name: string, mail: string pii.email, phone: string"), &TargetShape::default());
    let arena = Arena::new();
    let slots: Vec<Value<'_>> = route
        .projection
        .paths
        .iter()
        .map(|path| Value::String(if *path == Path::key("name") { "Chai" } else { "jane@b.example" }))
        .collect();
    let seen = preview(&route, &Row { slots: &slots, raw: b"", index: 0, line: 0 }, &arena, None);
    let line = |shown: &[Shown]| shown.iter().map(|s| format!("{}={}", s.field, s.text)).collect::<Vec<_>>().join(" ");
    assert_eq!(line(&seen.before), "name=Chai mail=***[pii.contact.email] phone=***[pii.contact.phone]");
    let Outcome::Mapped(after) = &seen.outcome else { panic!("{seen:?}") };
    assert!(!line(after).contains("jane@"), "{}", line(after));
    assert!(line(after).starts_with("name=Chai mail=***[pii.contact.email]"), "{}", line(after));
    assert!(line(after).ends_with("phone=***[pii.contact.phone]"), "{}", line(after));
    assert_eq!(route.payload_classes.to_string(), "pii.contact.email, pii.contact.phone");
}

#[test]
fn examples_nest() {
    let mapping = rules(
        "",
        "  - { target: a.b, source: x }\n  - { target: a.c, source: 'lines[0].y' }\n  - { target: all, source: 'lines[*].y' }\n\
         tests:\n  - { name: t, given: { x: 1, lines: [{ y: p }, { y: q }] }, expect: { a: { b: 1, c: p }, all: [p, q] } }\n  \
         - { name: none, given: {}, expect: {} }\n",
    );
    let tree = TargetShape { flat: false, ..TargetShape::default() };
    let (route, findings) = compile(&mapping, &json(""), &tree);
    assert_eq!(said(&findings), "");
    assert_eq!(test(&route.unwrap(), &mapping).failed(), 0);
}

mod random {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = (u8, String)> {
        (0_u8..9, "[-0-9.a-zA-Z@+: ]{0,24}|\\PC{0,8}")
    }

    fn made<'a>((kind, text): &'a (u8, String), arena: &'a Arena) -> Value<'a> {
        match kind {
            0 => Value::Missing,
            1 => Value::Null,
            2 => Value::Bool(text.len() % 2 == 0),
            3 => Value::Int(text.len() as i64 - 12),
            4 if crate::record::Decimal::parse(text).is_ok() => Value::Number(text),
            5 => Value::Double(text.len() as f64 / 3.0),
            6 => Value::List(arena.alloc_slice_copy(&[Value::String(text), Value::Null])),
            7 => Value::Map(arena.alloc_slice_copy(&[("k", Value::String(text))])),
            _ => Value::String(text),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(
            crate::soak::rounds(256)
        ))]

        /// Whatever comes, each record gets exactly one verdict, and a mapped one all its columns.
        #[test]
        fn apply_never_panics(rows in prop::collection::vec(prop::collection::vec(value(), 8), 1..8)) {
            let shapes = [csv(""), json(""), csv("a: decimal, b: string pii.email, c: int!, d: timestamp")];
            let texts = [
                "  - { target: w, source: a, type: decimal, default: 0 }\n  - { target: x, source: b, required: true }\n",
                "  - { target: w, source: c, validate: value != null }\n  - { target: x, source: d, type: string }\n",
                "  - { target: w, source: a, transform: string(value), validate: [size(value) > 0, value != \"-\"] }\n",
            ];
            let (mut read, mut mapped, mut filtered, mut rejected) = (0, 0, 0, 0);
            for (shape, text) in shapes.iter().flat_map(|shape| texts.iter().map(move |text| (shape, text))) {
                let mapping = rules("when: string(record.c) != \"3\"\n", text);
                let (Some(route), _) = compile(&mapping, shape, &TargetShape::default()) else {
                    panic!("{}", said(&compile(&mapping, shape, &TargetShape::default()).1));
                };
                let arena = Arena::new();
                let mut out = Vec::new();
                for row in &rows {
                    let slots = arena.alloc_slice_fill_iter(row.iter().map(|v| made(v, &arena)));
                    let row = Row { slots: &slots[..route.projection.paths.len().min(8)], raw: b"", index: 0, line: 0 };
                    read += 1;
                    match route.apply(&row, &arena, NOW.into(), &mut out) {
                        Verdict::Mapped => {
                            mapped += 1;
                            prop_assert_eq!(out.len(), route.columns.len());
                            for (value, column) in out.iter().zip(&route.columns) {
                                prop_assert!(!column.required || !value.is_absent());
                            }
                        }
                        Verdict::Filtered => filtered += 1,
                        Verdict::Withheld(_) => prop_assert!(false, "no rule is there"),
                        Verdict::Rejected(fault) => {
                            rejected += 1;
                            prop_assert!(!fault.cause.is_empty());
                        }
                    }
                }
            }
            prop_assert_eq!(read, mapped + filtered + rejected);
        }
    }
}
