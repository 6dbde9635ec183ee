//! What the structure of a mapping does to records: objects, lists, switches, names, copies.

use super::tests::{json, mapping, said};
use super::*;
use crate::config::{Catalog, FileText, Loaded, Mapping, load_texts};
use crate::error::Severity;

const HEAD: &str = "version: 1\nname: m\nfrom: shop.items\nto: warehouse.stock\n";

/// A record through a mapping of these lines: the target record as JSON, or the verdict.
fn through(lines: &str, record: &str) -> String {
    let mapping = mapping(&format!("{HEAD}{lines}\n"));
    applied(&mapping, &json(""), record)
}

fn applied(mapping: &Mapping, source: &SourceShape, record: &str) -> String {
    let (route, findings) = compile(mapping, source, &TargetShape::default());
    let Some(route) = route else { return said(&findings) };
    assert!(findings.iter().all(|f| f.severity != Severity::Error), "{}", said(&findings));
    outcome(&route, record)
}

/// What becomes of a record, read as JSON by the reader of examples.
pub(super) fn outcome(route: &Route, record: &str) -> String {
    let given =
        format!("{HEAD}fields: [{{ target: a, value: 1 }}]\ntests: [{{ name: t, given: {record}, expect: {{}} }}]\n");
    let test = mapping(&given).tests.remove(0);
    let arena = crate::record::Arena::new();
    match examples::outcome(route, &test.given, &arena) {
        Ok((Verdict::Mapped, out)) => {
            let record = examples::record(route, &out, &arena);
            let mut text = Vec::new();
            crate::expr::format_value(&record, &mut text);
            String::from_utf8(text).unwrap()
        }
        Ok((Verdict::Filtered, _)) => "filtered".into(),
        Ok((Verdict::Withheld(rule), _)) => format!("withheld by {}", route.rule_name(rule)),
        Ok((Verdict::Rejected(fault), _)) => {
            format!("{} {}: {}", fault.code.id, fault.field.as_deref().unwrap_or("-"), fault.cause)
        }
        Err(failure) => format!("{failure:?}"),
    }
}

#[track_caller]
fn check(lines: &str, cases: &[(&str, &str)]) {
    for (record, expected) in cases {
        assert_eq!(through(lines, record), *expected, "{record} through\n{lines}");
    }
}

/// The findings of a mapping of these lines hold this.
#[track_caller]
fn finds(lines: &str, source: &SourceShape, expected: &str) {
    let loaded = loaded(&[("m.yaml", &format!("{HEAD}{lines}\n"))]);
    let mut found = said(&loaded.findings);
    if let Some(mapping) = loaded.mappings.first() {
        found.push('\n');
        found.push_str(&said(&compile(mapping, source, &TargetShape::default()).1));
    }
    assert!(found.contains(expected), "no `{expected}` in:\n{found}");
}

pub(super) fn loaded(files: &[(&str, &str)]) -> Loaded {
    let files = files.iter().map(|(name, text)| FileText { name: (*name).into(), bytes: text.as_bytes().to_vec() });
    load_texts("/".into(), None, files.collect(), None, &Catalog { protocols: &[], formats: &[], shelf: None })
}

#[test]
fn objects_are_rules_of_their_own() {
    let lines = r#"
fields:
  - target: id
    source: id
  - target: address
    fields:
      - { target: city, source: city }
      - target: geo
        fields: [{ target: lat, source: lat }]
  - target: contact
    when: has(record.mail)
    fields:
      - { target: kind, value: mail }
      - { target: at, source: mail }
"#;
    check(
        lines,
        &[
            (
                "{ id: 1, city: Bonn, lat: 7.1, mail: a@b }",
                r#"{"id":1,"address":{"city":"Bonn","geo":{"lat":7.1}},"contact":{"kind":"mail","at":"a@b"}}"#,
            ),
            ("{ id: 1, city: null }", r#"{"id":1,"address":{"city":null,"geo":{"lat":null}},"contact":null}"#),
        ],
    );
}

#[test]
fn lists_are_made_of_lists() {
    let lines = r#"
fields:
  - target: lines
    for_each: orders[*]
    as: order
    when: item.qty > 0
    let: { net: item.price * item.qty }
    fields:
      - { target: number, transform: index + 1 }
      - { target: sku, source: sku, transform: 'record.prefix + value' }
      - { target: price.net, transform: net }
      - { target: price.gross, transform: 'round(net * 1.19, 2)', validate: value < 1000 }
      - target: parts
        for_each: parts
        if_empty: leave_out
        fields:
          - { target: name, source: name, required: true }
          - { target: of, transform: order.sku }
"#;
    check(
        lines,
        &[
            (
                "{ prefix: P-, orders: [{ sku: a, price: 2.5, qty: 2, parts: [{ name: x }, { name: y }] }, { sku: b, price: 1, qty: 0 }, { sku: c, price: 1, qty: 1, parts: [] }] }",
                r#"{"lines":[{"number":1,"sku":"P-a","price":{"net":5.0,"gross":5.95},"parts":[{"name":"x","of":"a"},{"name":"y","of":"a"}]},{"number":3,"sku":"P-c","price":{"net":1,"gross":1.19}}]}"#,
            ),
            ("{ prefix: P- }", r#"{"lines":null}"#),
            ("{ prefix: P-, orders: null }", r#"{"lines":null}"#),
            ("{ prefix: P-, orders: [] }", r#"{"lines":[]}"#),
            (
                "{ prefix: P-, orders: [{ sku: a, price: 1, qty: 1 }, { sku: b, price: 999, qty: 1 }] }",
                "map-invalid lines[1].price.gross: the value does not meet `value < 1000`",
            ),
            (
                "{ prefix: P-, orders: [{ sku: a, price: 1, qty: 1, parts: [{ name: x }, {}] }] }",
                "map-required lines[0].parts[1].name: `name` is missing, and required",
            ),
            ("{ prefix: P-, orders: 5 }", "map-wrong-type lines: `orders[*]` is decimal, not a list"),
            (
                "{ prefix: P-, orders: [{ sku: a, price: x, qty: 1 }] }",
                "expr-type lines[0].price.net: `net` fails: `net`: `*` does not take string and decimal: convert one of them with `decimal(…)` or `string(…)`",
            ),
        ],
    );
}

#[test]
fn a_list_that_is_not_there_is_what_the_rule_says() {
    let rule = |more: &str| {
        format!("fields: [{{ target: l, for_each: 'a[*].b', {more} fields: [{{ target: x, source: x }}] }}]")
    };
    check(&rule("if_missing: empty,"), &[("{}", r#"{"l":[]}"#), ("{ a: null }", r#"{"l":[]}"#)]);
    check(&rule("if_empty: leave_out,"), &[("{ a: [] }", r#"{"l":null}"#), ("{ a: [{ b: [] }] }", r#"{"l":null}"#)]);
    check(&rule("required: true,"), &[("{}", "map-required l: the result is missing, and required")]);
    // Lists in lists are gone through as one.
    check(&rule(""), &[("{ a: [{ b: [{ x: 1 }] }, {}, { b: [{ x: 2 }, { y: 1 }] }] }", r#"{"l":[{"x":1},{"x":2}]}"#)]);
    let filtered = "fields: [{ target: l, for_each: 'record.a.filter(e, e.on)', fields: [{ target: x, source: x }] }]";
    check(filtered, &[("{ a: [{ on: true, x: 1 }, { on: false, x: 2 }] }", r#"{"l":[{"x":1}]}"#)]);
}

#[test]
fn written_out_lists() {
    let lines = r#"
fields:
  - target: telecom
    list:
      - when: has(record.phone)
        fields: [{ target: system, value: phone }, { target: value, source: phone }]
      - fields: [{ target: system, value: email }, { target: value, source: email, required: true }]
"#;
    check(
        lines,
        &[
            (
                "{ phone: '1', email: a }",
                r#"{"telecom":[{"system":"phone","value":"1"},{"system":"email","value":"a"}]}"#,
            ),
            ("{ email: a }", r#"{"telecom":[{"system":"email","value":"a"}]}"#),
            ("{}", "map-required telecom[1].value: `email` is missing, and required"),
        ],
    );
}

#[test]
fn switches_choose() {
    let table =
        "fields: [{ target: s, source: s, switch: { cases: { A: active, '1': one, 'true': yes, 2.50: cheap } } }]";
    check(
        table,
        &[
            ("{ s: A }", r#"{"s":"active"}"#),
            ("{ s: 1 }", r#"{"s":"one"}"#),
            ("{ s: '1' }", r#"{"s":"one"}"#),
            ("{ s: 1.0 }", r#"{"s":"one"}"#),
            ("{ s: true }", r#"{"s":"yes"}"#),
            ("{ s: 2.5 }", r#"{"s":"cheap"}"#),
            ("{ s: null }", r#"{"s":null}"#),
            ("{ s: B }", "map-no-case s: the value is none of the cases of the switch"),
        ],
    );
    let otherwise = "fields: [{ target: s, source: s, switch: { cases: { A: 1, B: null }, otherwise: 0 } }]";
    check(otherwise, &[("{ s: A }", r#"{"s":1}"#), ("{ s: B }", r#"{"s":null}"#), ("{}", r#"{"s":0}"#)]);
    let cases = r#"
fields:
  - target: size
    source: qty
    switch:
      - { when: value > 100, then: '"large"' }
      - { when: record.kind == "x", then: record.kind + "!" }
      - otherwise: '"small"'
"#;
    check(
        cases,
        &[
            ("{ qty: 101, kind: y }", r#"{"size":"large"}"#),
            ("{ qty: 1, kind: x }", r#"{"size":"x!"}"#),
            ("{ qty: 1, kind: y }", r#"{"size":"small"}"#),
            (
                "{ qty: a, kind: y }",
                "expr-type size: `when`: `>` does not take string and int: convert one of them with `decimal(…)` or `string(…)`",
            ),
        ],
    );
    let open = "fields: [{ target: s, switch: [{ when: record.a == 1, then: '2' }] }]";
    check(open, &[("{ a: 1 }", r#"{"s":2}"#), ("{ a: 2 }", "map-no-case s: no case of the switch holds")]);
}

#[test]
fn a_rule_writes_where_its_condition_holds() {
    let lines =
        "fields: [{ target: a, source: a, default: 0, when: value > 1 }, { target: b, value: x, when: record.b }]";
    check(
        lines,
        &[
            ("{ a: 2, b: true }", r#"{"a":2,"b":"x"}"#),
            ("{ b: false }", r#"{"a":null,"b":null}"#),
            ("{ a: 5 }", "map-no-answer b: `record.b` is missing, not true or false"),
        ],
    );
}

#[test]
fn constants_of_every_type() {
    let lines = "fields: [{ target: a, value: x }, { target: b, value: 1.50 }, { target: c, value: [1, { d: true }] }, { target: e, value: null }]";
    check(lines, &[("{}", r#"{"a":"x","b":1.50,"c":[1,{"d":true}],"e":null}"#)]);
}

#[test]
fn names_are_computed_when_needed() {
    let lines = r#"
let:
  net: record.price - record.discount
  gross: round(net * params.vat, 2)
parameters: { vat: { type: decimal, default: 1.19 } }
when: has(record.discount) || record.free
fields:
  - { target: net, transform: 'record.free ? 0 : net' }
  - { target: gross, transform: 'record.free ? 0 : gross' }
validate:
  - target.gross >= target.net
  - { that: target.net < 500, message: too much for this system }
"#;
    check(
        lines,
        &[
            ("{ price: 10, discount: 0.5, free: false }", r#"{"net":9.5,"gross":11.31}"#),
            // What nobody asks for is not computed, and so is no error.
            ("{ free: true }", r#"{"net":0,"gross":0}"#),
            ("{ price: 1000, discount: 1, free: false }", "map-invalid -: too much for this system"),
            (
                "{ price: x, discount: 1, free: false }",
                "expr-type net: `record.free ? 0 : net` fails: `net`: `-` does not take string and decimal: convert one of them with `decimal(…)` or `string(…)`",
            ),
        ],
    );
}

#[test]
fn missing_null_and_default_are_three_things() {
    let all = |more: &str| format!("fields: [{{ target: t, source: s{more} }}]");
    let absent = r#"{"t":null}"#;
    let three = |more: &str| {
        let lines = all(more);
        let kind = |record: &str| {
            let mapping = mapping(&format!("{HEAD}{lines}\n"));
            let (route, _) = compile(&mapping, &json(""), &TargetShape::default());
            let arena = crate::record::Arena::new();
            let given = mapping_given(record);
            match examples::outcome(&route.unwrap(), &given, &arena).unwrap() {
                (Verdict::Mapped, out) => out[0].type_name(),
                (Verdict::Rejected(_), _) => "rejected",
                (Verdict::Filtered, _) => "filtered",
                (Verdict::Withheld(_), _) => "withheld",
            }
        };
        [kind("{}"), kind("{ s: null }"), kind("{ s: x }")]
    };
    assert_eq!(absent.len(), 10);
    assert_eq!(three(""), ["missing", "null", "string"]);
    assert_eq!(three(", default: d"), ["string", "string", "string"]);
    assert_eq!(three(", default: d, nullable: true"), ["string", "null", "string"]);
    assert_eq!(three(", required: true"), ["rejected", "rejected", "string"]);
    assert_eq!(three(", required: true, nullable: true"), ["rejected", "null", "string"]);
    assert_eq!(three(", nullable: false"), ["missing", "rejected", "string"]);
    assert_eq!(three(", nullable: false, default: d"), ["string", "string", "string"]);
}

fn mapping_given(record: &str) -> crate::config::Spanned<crate::config::Node> {
    let yaml =
        format!("{HEAD}fields: [{{ target: a, value: 1 }}]\ntests: [{{ name: t, given: {record}, expect: {{}} }}]\n");
    mapping(&yaml).tests.remove(0).given
}

#[test]
fn copies_take_what_is_named() {
    let source = json("id: int!, name: string, mail: string pii.email, secret: string");
    let lines = "copy: { omit: [secret, mail] }\nfields: [{ target: at, source: mail, transform: mask_email(value) }]";
    let with = mapping(&format!("{HEAD}{lines}\n"));
    assert_eq!(
        applied(&with, &source, "{ id: 1, name: n, mail: a@b.example, secret: s, other: o }"),
        r#"{"id":1,"name":"n","at":"a***@b.example"}"#
    );
    let pick = "copy: [{ pick: [id] }, { from: address, pick: [city, geo.lat] }]\nfields: [{ target: a, copy: { from: address, pick: city } }]";
    check(
        pick,
        &[(
            "{ id: 1, address: { city: c, geo: { lat: 1, lon: 2 } } }",
            r#"{"id":1,"city":"c","geo":{"lat":1},"a":{"city":"c"}}"#,
        )],
    );
    finds("copy: { pick: [id] }\nfields: [{ target: id, source: name }]", &source, "map-duplicate-target");
    finds("copy: { omit: [nam] }", &source, "did you mean `name`");
    finds("copy: { omit: [name] }", &json(""), "nothing is declared of `shop.items`");
    finds("copy: {}", &source, "does not say which fields");
    finds("copy: { pick: [a], omit: [b] }", &source, "two different things");
}

#[test]
fn classes_reach_into_lists() {
    let source = SourceShape {
        fields: {
            let inner = super::tests::fields("sku: string!, mail: string pii.email");
            let mut fields = super::tests::fields("id: int!, people: list");
            fields[1].kind =
                crate::record::Type::List(Box::new(crate::record::Type::Record { fields: inner, open: false }));
            fields
        },
        closed: true,
        ..json("")
    };
    let lines = "let: { first: 'record.people[0].mail' }\nfields:\n  - target: l\n    for_each: people\n    fields:\n      - { target: a, source: mail }\n      - { target: b, source: sku }\n      - { target: c, transform: item.mail + \"!\" }\n      - { target: d, source: mail, transform: mask_email(value) }\n      - { target: e, transform: first }";
    let with = mapping(&format!("{HEAD}{lines}\n"));
    let (route, findings) = compile(&with, &source, &TargetShape::default());
    let route = route.unwrap_or_else(|| panic!("{}", said(&findings)));
    let told: Vec<String> =
        route.leaves.iter().map(|leaf| format!("{} {} {}", leaf.target, leaf.kind, leaf.flow.classes)).collect();
    assert_eq!(
        told,
        [
            "l list<map> ",
            "l[*].a string pii.contact.email",
            "l[*].b string ",
            "l[*].c string pii.contact.email",
            "l[*].d string ",
            "l[*].e string pii.contact.email"
        ]
    );
    assert_eq!(route.flows[0].classes.to_string(), "pii.contact.email");
    assert!(!route.masks.target[0].is_empty());
    assert_eq!(explain(&route, "l[*].a").unwrap().source.as_deref(), Some("people[*].mail"));
    assert_eq!(explain(&route, "l[3].c").unwrap().target, "l[*].c");
    let wrong = "fields:\n  - target: l\n    for_each: people[*]\n    fields:\n      - { target: a, source: mial }";
    finds(
        wrong,
        &source,
        "9:30 map-unknown-source: `people[*] of shop.items` has no field `mial` -- did you mean `mail`?",
    );
    let wrong = "fields:\n  - target: l\n    for_each: people[*]\n    fields:\n      - target: a\n        transform: |\n          item.sku +\n            item.mial";
    finds(wrong, &source, "12:18 expr-unknown-field");
    finds("fields: [{ target: l, for_each: id, fields: [{ target: a, source: b }] }]", &source, "map-not-a-list");
}

#[test]
fn mistakes_are_found_where_they_are() {
    let any = json("");
    finds(
        "fields: [{ target: a, source: b, value: 1 }]",
        &any,
        "5:23 config-bad-value: `source` cannot stand beside `value`",
    );
    finds(
        "fields: [{ target: a, fields: [{ target: b, source: c }], transform: '1' }]",
        &any,
        "`transform` cannot stand beside `fields`",
    );
    finds("fields: [{ target: a, source: b, as: x }]", &any, "`as` belongs to `for_each`");
    finds(
        "fields: [{ target: a, source: b, transform: '1', switch: { cases: { a: 1 } } }]",
        &any,
        "either a `switch` or a `transform`",
    );
    finds("fields: [{ target: a, for_each: b }]", &any, "does not say what an element is made of");
    finds(
        "fields: [{ target: a, switch: [{ otherwise: '1' }, { when: 'true', then: '2' }] }]",
        &any,
        "`otherwise` is the last case",
    );
    finds("fields: [{ target: a, switch: { cases: { x: 1 } } }]", &any, "no value to look for");
    finds("fields: [{ target: a, source: b, switch: { cases: { x: 1 } } }]", &json("b: int"), "never `x`");
    finds(
        "fields: [{ target: a, source: b, switch: { cases: { x: 1 }, otherwise: error } }]",
        &any,
        "writes the text `error`",
    );
    finds("let: { record: '1' }\nfields: [{ target: a, value: 1 }]", &any, "has a meaning of its own");
    finds("let: { x: '1 +' }\nfields: [{ target: a, transform: x }]", &any, "5:15 expr-syntax");
    finds("let: { x: '1' }\nfields: [{ target: a, value: 1 }]", &any, "nothing uses `x`");
    finds("fields: [{ target: a, transform: params.x }]", &any, "the mapping has no parameters");
    finds("parameters: { vat: 1 }\nfields: [{ target: a, transform: params.vta }]", &any, "did you mean `vat`");
    finds(
        "parameters: { vat: { type: decimal } }\nfields: [{ target: a, transform: params.vat }]",
        &any,
        "the parameter `vat` has no value",
    );
    finds(
        "parameters: { vat: { type: int, default: x } }\nfields: [{ target: a, transform: params.vat }]",
        &any,
        "the default of `vat` is no int",
    );
    finds("validate: target.b > 1\nfields: [{ target: a, value: 1 }]", &any, "unknown field `b`");
    finds(
        "fields: [{ target: l, for_each: a, as: x, fields: [{ target: m, for_each: b, as: x, fields: [{ target: c, source: d }] }] }]",
        &any,
        "`x` stands for something else already",
    );
    finds("about: nothing", &any, "a mapping needs `fields`");
}

#[test]
fn fragments_are_included() {
    let main = "version: 1\nname: m\nfrom: shop.items\nto: warehouse.stock\nlet: { x: '1' }\nfields:\n  - { target: x, transform: x }\n  - target: address\n    include: { file: fragments/address.yaml, source: billing, with: { country: DE } }\n  - target: ship\n    for_each: shipments[*]\n    include: fragments/address.yaml\n";
    let fragment = "version: 1\nfragment: address\nparameters: { country: FR }\nlet: { x: params.country + \"!\" }\nfields:\n  - { target: city, source: city, transform: upper(value) }\n  - { target: country, transform: x }\n";
    let all = loaded(&[("mappings/m.yaml", main), ("mappings/fragments/address.yaml", fragment)]);
    assert_eq!(said(&all.findings), "");
    assert_eq!(
        applied(&all.mappings[0], &json(""), "{ billing: { city: bonn }, shipments: [{ city: x }] }"),
        r#"{"x":1,"address":{"city":"BONN","country":"DE!"},"ship":[{"city":"X","country":"FR!"}]}"#
    );
    let wrong = |main: &str, fragment: &str| {
        let main = format!("{HEAD}{main}\n");
        let all = loaded(&[("mappings/m.yaml", &main), ("mappings/fragments/a.yaml", fragment)]);
        let mut found = all.findings.clone();
        found.extend(all.mappings.iter().flat_map(|mapping| compile(mapping, &json(""), &TargetShape::default()).1));
        let file = |f: &crate::error::Finding| f.place.as_ref().map_or(String::new(), |place| place.file.clone());
        found.iter().map(|f| format!("{}:{}", file(f), said(std::slice::from_ref(f)))).collect::<Vec<_>>().join("\n")
    };
    let good = "version: 1\nfragment: a\nfields: [{ target: b, source: c }]\n";
    for (main, fragment, expected) in [
        (
            "include: fragments/b.yaml",
            good,
            "mappings/m.yaml:5:10 config-include: there is no file `mappings/fragments/b.yaml`",
        ),
        ("include: ../../a.yaml", good, "leads out of the project"),
        ("include: /etc/passwd", good, "is no path inside of the project"),
        (
            "include: fragments/a.yaml",
            "version: 1\nfragment: a\ninclude: a.yaml\n",
            "mappings/fragments/a.yaml:3:10 config-include: the fragment includes itself",
        ),
        ("include: { file: fragments/a.yaml, with: { x: 1 } }", good, "has no parameter `x`"),
        (
            "include: fragments/a.yaml",
            "version: 1\nfragment: a\nparameters: { x: { type: int } }\nfields: [{ target: b, transform: params.x }]\n",
            "mappings/m.yaml:5:10 config-parameter: the fragment needs its parameter `x`",
        ),
        (
            "include: fragments/a.yaml",
            "version: 1\nfragment: a\nfields:\n  - target: b\n    transform: |\n      1 +\n        nope\n",
            "mappings/fragments/a.yaml:7:9 expr-unknown-name",
        ),
        ("include: fragments/a.yaml\nfields: [{ target: b, source: d }]", good, "map-duplicate-target"),
    ] {
        let found = wrong(main, fragment);
        assert!(found.contains(expected), "no `{expected}` in:\n{found}");
    }
}

#[test]
fn nothing_grows_without_bound() {
    let mut deep = String::from("{ target: a, source: b }");
    for _ in 0..40 {
        deep = format!("{{ target: a, for_each: b, fields: [{deep}] }}");
    }
    // YAML itself has a bound as well.
    finds(&format!("fields: [{deep}]"), &json(""), "config-");
    let mut deep = String::from("{ target: a, source: b }");
    for _ in 0..20 {
        deep = format!("{{ target: a, for_each: b, fields: [{deep}] }}");
    }
    assert_eq!(through(&format!("fields: [{deep}]"), "{}"), r#"{"a":null}"#);
    // Each list goes through all of the record's once more.
    let again = "fields: [{ target: a, for_each: record.l, fields: [{ target: b, for_each: record.l, fields: [{ target: c, for_each: record.l, fields: [{ target: d, for_each: record.l, fields: [{ target: e, value: 1 }] }] }] }] }]";
    let list = (0..200).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
    let told = through(again, &format!("{{ l: [{list}] }}"));
    assert!(told.starts_with("expr-limit a[0].b["), "{told}");
}

#[test]
fn elements_draw_values_of_their_own() {
    let lines = "fields: [{ target: l, for_each: a, fields: [{ target: id, transform: uuid4() }, { target: m, for_each: b, fields: [{ target: id, transform: uuid4() }] }] }]";
    let told = through(lines, "{ a: [{ b: [1, 2] }, { b: [3] }] }");
    let ids: std::collections::BTreeSet<&str> = told.split('"').filter(|part| part.len() == 36).collect();
    assert_eq!(ids.len(), 5, "{told}");
    assert_eq!(told, through(lines, "{ a: [{ b: [1, 2] }, { b: [3] }] }"));
}

#[test]
fn coverage_knows_the_cases() {
    let lines = "fields:\n  - target: l\n    for_each: a\n    fields:\n      - { target: s, source: s, switch: { cases: { A: 1, B: 2 }, otherwise: 3 } }\ntests:\n  - { name: t, given: { a: [{ s: A }, { s: A }, { s: X }] }, expect: { l: [{ s: 1 }, { s: 1 }, { s: 3 }] } }";
    let with = mapping(&format!("{HEAD}{lines}\n"));
    let (route, findings) = compile(&with, &json(""), &TargetShape::default());
    assert_eq!(said(&findings), "");
    let tested = test(&route.unwrap(), &with);
    let case = &tested.coverage[1];
    assert_eq!((case.target.as_str(), case.with_value), ("l[*].s", 3));
    assert_eq!(case.branches, [("A".to_string(), 2), ("B".to_string(), 0), ("otherwise".to_string(), 1)]);
    assert_eq!(tested.untaken(), 1);
}

#[test]
fn the_canonical_form_holds_it_all() {
    let hash = |lines: &str| mapping(&format!("{HEAD}{lines}\n")).hash;
    let forms = [
        "fields: [{ target: a, source: b }]",
        "fields: [{ target: a, source: b, nullable: true }]",
        "fields: [{ target: a, source: b, when: record.c }]",
        "fields: [{ target: a, source: b, switch: { cases: { x: 1 } } }]",
        "fields: [{ target: a, source: b, switch: { cases: { x: 2 } } }]",
        "fields: [{ target: a, value: 1 }]",
        "fields: [{ target: a, value: 2 }]",
        "fields: [{ target: a, for_each: c, fields: [{ target: a, source: b }] }]",
        "fields: [{ target: a, for_each: c, if_missing: empty, fields: [{ target: a, source: b }] }]",
        "fields: [{ target: a, list: [{ fields: [{ target: a, source: b }] }] }]",
        "let: { x: '1' }\nfields: [{ target: a, source: b }]",
        "parameters: { x: 1 }\nfields: [{ target: a, source: b }]",
        "parameters: { x: 2 }\nfields: [{ target: a, source: b }]",
        "validate: record.b\nfields: [{ target: a, source: b }]",
        "copy: { pick: c }\nfields: [{ target: a, source: b }]",
        "revision: \"2\"\nfields: [{ target: a, source: b }]",
    ];
    let hashes: std::collections::BTreeSet<String> = forms.iter().map(|lines| hash(lines)).collect();
    assert_eq!(hashes.len(), forms.len());
    // What earlier versions have sealed keeps its hash.
    let plain = mapping(&format!("{HEAD}{}\n", forms[0]));
    assert!(!plain.canonical.contains("nullable") && !plain.canonical.contains("scope"), "{}", plain.canonical);
}
