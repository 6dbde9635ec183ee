//! Each keyword in both drafts, schemas that are wrong, schemas that are meant to hang somebody.

use std::collections::HashMap;

use super::*;
use crate::error::Severity;
use crate::record::json::from_json;
use crate::record::{Arena, Type, Value};

const TWENTY: &str = "https://json-schema.org/draft/2020-12/schema";
const SEVEN: &str = "http://json-schema.org/draft-07/schema#";

fn loaded(files: &[(&str, &str)]) -> (Option<StreamSchema>, Vec<String>) {
    let files: HashMap<String, String> = files.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
    let read = |path: &str| match files.get(path) {
        Some(text) => Ok(FileText { name: path.to_owned(), bytes: text.clone().into_bytes() }),
        None => Err("it is not there".to_owned()),
    };
    let place = Place { file: "connectors.yaml".into(), line: 1, column: 1, width: 1, source: String::new() };
    let mut findings = Findings::new();
    let made = Schemas::new(&read).load("s.json", &place, &mut findings);
    let told = findings.iter().map(|finding| {
        let place = finding.place.as_ref().map_or(String::new(), |p| format!("{}:{}:{}", p.file, p.line, p.column));
        let fix = finding.fix.as_ref().map_or(String::new(), |fix| format!(" ({fix})"));
        let weight = match finding.severity {
            Severity::Error => "",
            Severity::Warning => "warning: ",
            Severity::Note => "note: ",
        };
        format!("{place}: {weight}{}{fix}", finding.cause)
    });
    (made, told.collect())
}

/// What becomes of records under a schema: `ok`, or `path keyword`.
#[track_caller]
fn one(draft: &str, rules: &str, cases: &[(&str, &str)]) {
    let text = format!("{{\"$schema\": \"{draft}\", {rules}}}");
    let (made, findings) = loaded(&[("s.json", &text)]);
    let made = made.unwrap_or_else(|| panic!("{rules}: {findings:?}"));
    for (json, expected) in cases {
        let arena = Arena::new();
        let record = from_json(&serde_json::from_str(json).unwrap(), &arena);
        let got = match made.contract.check(record, false) {
            Ok(()) => "ok".to_owned(),
            Err(broken) => format!("{} {}", broken.path, broken.keyword).trim().to_owned(),
        };
        assert_eq!(got, *expected, "{rules} of {json}");
    }
}

#[track_caller]
fn both(rules: &str, cases: &[(&str, &str)]) {
    one(TWENTY, rules, cases);
    one(SEVEN, rules, cases);
}

/// The same for the field `a`.
#[track_caller]
fn field(rules: &str, cases: &[(&str, &str)]) {
    let rules = format!("\"properties\": {{\"a\": {{{rules}}}}}");
    let cases: Vec<(String, String)> = cases
        .iter()
        .map(|(json, expected)| {
            let expected = match *expected {
                "ok" => "ok".to_owned(),
                other if other.starts_with('[') || other.starts_with('.') => format!("a{other}"),
                other => format!("a {other}"),
            };
            (format!("{{\"a\": {json}}}"), expected)
        })
        .collect();
    let cases: Vec<(&str, &str)> = cases.iter().map(|(json, expected)| (json.as_str(), expected.as_str())).collect();
    both(&rules, &cases);
}

#[test]
fn types() {
    field(
        r#""type": "integer""#,
        &[("1", "ok"), ("1.0", "ok"), ("1e2", "ok"), ("1.5", "type"), (r#""1""#, "type"), ("null", "type")],
    );
    field(r#""type": "number""#, &[("1", "ok"), ("1.5", "ok"), ("true", "type")]);
    field(r#""type": "string""#, &[(r#""""#, "ok"), ("1", "type")]);
    field(r#""type": "boolean""#, &[("true", "ok"), ("0", "type")]);
    field(r#""type": "array""#, &[("[]", "ok"), ("{}", "type")]);
    field(r#""type": "object""#, &[("{}", "ok"), ("[]", "type")]);
    field(r#""type": "null""#, &[("null", "ok"), ("0", "type")]);
    field(r#""type": ["string", "null"]"#, &[("null", "ok"), (r#""x""#, "ok"), ("1", "type")]);
}

#[test]
fn values() {
    field(
        r#""enum": ["a", 1, null, {"x": [1]}]"#,
        &[
            (r#""a""#, "ok"),
            ("1.0", "ok"),
            ("null", "ok"),
            (r#"{"x": [1.0]}"#, "ok"),
            (r#"{"x": [1], "y": 1}"#, "enum"),
            (r#""b""#, "enum"),
            ("2", "enum"),
            ("[]", "enum"),
            ("true", "enum"),
        ],
    );
    field(r#""const": 100.00"#, &[("1e2", "ok"), ("100", "ok"), ("100.01", "const")]);
    field(r#""const": false"#, &[("false", "ok"), ("0", "const")]);
}

#[test]
fn numbers_are_exact() {
    field(
        r#""minimum": 1.5"#,
        &[("1.5", "ok"), ("1.49999999999999999999999999999999999999", "minimum"), (r#""x""#, "ok")],
    );
    field(r#""maximum": 0.1"#, &[("0.1", "ok"), ("0.10000000000000000000000000001", "maximum")]);
    field(r#""exclusiveMinimum": 0"#, &[("0", "exclusiveMinimum"), ("1e-300", "ok"), ("-1", "exclusiveMinimum")]);
    field(r#""exclusiveMaximum": 10"#, &[("10.0", "exclusiveMaximum"), ("9.9999", "ok")]);
    field(
        r#""multipleOf": 0.01"#,
        &[("19.99", "ok"), ("19.995", "multipleOf"), ("4.35", "ok"), ("123456789012345678901234567890.12", "ok")],
    );
    field(r#""minimum": 9007199254740993"#, &[("9007199254740992", "minimum"), ("9007199254740993", "ok")]);
}

#[test]
fn texts() {
    field(
        r#""minLength": 2, "maxLength": 3"#,
        &[(r#""ä""#, "minLength"), (r#""äö""#, "ok"), (r#""äöüß""#, "maxLength"), ("1", "ok"), (r#""💥💥💥""#, "ok")],
    );
    field(r#""pattern": "^[A-Z]+\\d$""#, &[(r#""AB1""#, "ok"), (r#""ab1""#, "pattern"), ("1", "ok")]);
    field(r#""format": "date""#, &[(r#""2024-02-29""#, "ok"), (r#""2023-02-29""#, "format"), ("1", "ok")]);
    field(r#""format": "date-time""#, &[(r#""2024-02-29T10:00:00Z""#, "ok"), (r#""2024-02-29""#, "format")]);
    field(r#""format": "email""#, &[(r#""a@b.example""#, "ok"), (r#""a b""#, "format")]);
    field(r#""format": "uuid""#, &[(r#""2eb8aa08-aa98-11ea-b4aa-73b441d16380""#, "ok"), (r#""2eb8""#, "format")]);
}

#[test]
fn lists() {
    field(
        r#""minItems": 1, "maxItems": 2"#,
        &[("[]", "minItems"), ("[1]", "ok"), ("[1,2,3]", "maxItems"), ("1", "ok")],
    );
    field(
        r#""uniqueItems": true"#,
        &[
            ("[1,2]", "ok"),
            ("[1,1.0]", "uniqueItems"),
            (r#"[1,"1"]"#, "ok"),
            ("[[1],[1.0]]", "uniqueItems"),
            (r#"[{"a":1,"b":2},{"b":2,"a":1}]"#, "uniqueItems"),
        ],
    );
    let many: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    let doubled = format!("[{},7.0]", many.join(","));
    field(r#""uniqueItems": true"#, &[(&format!("[{}]", many.join(",")), "ok"), (&doubled, "uniqueItems")]);
    field(r#""items": {"type": "integer"}"#, &[("[1,2]", "ok"), (r#"[1,"x"]"#, "[1] type")]);
    field(r#""contains": {"type": "string"}"#, &[("[1]", "contains"), (r#"[1,"x"]"#, "ok"), ("[]", "contains")]);
    let tuple = |first: &str, rest: &str| {
        format!(r#""properties": {{"a": {{"{first}": [{{"type": "integer"}}], "{rest}": {{"type": "string"}}}}}}"#)
    };
    let cases = [(r#"{"a": [1,"x"]}"#, "ok"), (r#"{"a": ["x"]}"#, "a[0] type"), (r#"{"a": [1,2]}"#, "a[1] type")];
    one(TWENTY, &tuple("prefixItems", "items"), &cases);
    one(SEVEN, &tuple("items", "additionalItems"), &cases);
    one(
        TWENTY,
        r#""properties": {"a": {"contains": {"const": 1}, "minContains": 0, "maxContains": 1}}"#,
        &[(r#"{"a": []}"#, "ok"), (r#"{"a": [1]}"#, "ok"), (r#"{"a": [1,1]}"#, "a maxContains")],
    );
    one(
        TWENTY,
        r#""properties": {"a": {"contains": {"const": 1}, "minContains": 2}}"#,
        &[(r#"{"a": [1]}"#, "a contains"), (r#"{"a": [1,1]}"#, "ok")],
    );
    one(
        TWENTY,
        r#""properties": {"a": {"prefixItems": [true], "unevaluatedItems": false}}"#,
        &[(r#"{"a": [1]}"#, "ok"), (r#"{"a": [1,2]}"#, "a[1] unevaluatedItems")],
    );
}

#[test]
fn maps() {
    both(
        r#""minProperties": 1, "maxProperties": 2"#,
        &[("{}", "minProperties"), (r#"{"a":1}"#, "ok"), (r#"{"a":1,"b":2,"c":3}"#, "maxProperties")],
    );
    both(r#""required": ["a", "b"]"#, &[(r#"{"b":1,"a":null}"#, "ok"), (r#"{"a":1}"#, "b required")]);
    both(
        r#""properties": {"a": {"properties": {"b": {"required": ["c"]}}}}"#,
        &[(r#"{"a":{"b":{}}}"#, "a.b.c required")],
    );
    both(
        r#""properties": {"a": true}, "additionalProperties": false"#,
        &[(r#"{"a":1}"#, "ok"), (r#"{"a":1,"x":2}"#, "x additionalProperties")],
    );
    both(r#""properties": {"a": false}"#, &[("{}", "ok"), (r#"{"a":1}"#, "a false")]);
    both(
        r#""patternProperties": {"^n_": {"type": "integer"}}, "additionalProperties": {"type": "string"}"#,
        &[(r#"{"n_a":1,"b":"x"}"#, "ok"), (r#"{"n_a":"x"}"#, "n_a type"), (r#"{"b":1}"#, "b type")],
    );
    both(r#""propertyNames": {"maxLength": 2}"#, &[(r#"{"ab":1}"#, "ok"), (r#"{"abc":1}"#, "abc maxLength")]);
    one(
        TWENTY,
        r#""dependentRequired": {"a": ["b"]}"#,
        &[(r#"{"a":1}"#, "b dependentRequired"), (r#"{"a":1,"b":1}"#, "ok"), ("{}", "ok")],
    );
    one(TWENTY, r#""dependentSchemas": {"a": {"required": ["b"]}}"#, &[(r#"{"a":1}"#, "b required"), ("{}", "ok")]);
    one(
        SEVEN,
        r#""dependencies": {"a": ["b"], "c": {"required": ["d"]}}"#,
        &[(r#"{"a":1}"#, "b dependentRequired"), (r#"{"c":1}"#, "d required"), (r#"{"c":1,"d":1}"#, "ok")],
    );
}

#[test]
fn several_at_once() {
    field(r#""allOf": [{"minimum": 1}, {"maximum": 3}]"#, &[("2", "ok"), ("0", "minimum"), ("4", "maximum")]);
    field(r#""anyOf": [{"type": "string"}, {"minimum": 3}]"#, &[(r#""x""#, "ok"), ("3", "ok"), ("2", "anyOf")]);
    field(r#""oneOf": [{"multipleOf": 2}, {"multipleOf": 3}]"#, &[("2", "ok"), ("6", "oneOf"), ("5", "oneOf")]);
    field(r#""not": {"type": "string"}"#, &[("1", "ok"), (r#""x""#, "not")]);
    field(
        r#""if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 5}"#,
        &[(r#""x""#, "minLength"), (r#""xy""#, "ok"), ("4", "minimum"), ("5", "ok")],
    );
}

#[test]
fn what_nobody_speaks_of() {
    let rules = r#""allOf": [{"properties": {"a": true}}], "anyOf": [{"properties": {"b": {"const": 1}}, "required": ["b"]}, {"properties": {"c": true}, "required": ["c"]}], "unevaluatedProperties": false"#;
    one(
        TWENTY,
        rules,
        &[
            (r#"{"a":1,"b":1}"#, "ok"),
            (r#"{"b":1,"c":1}"#, "ok"),
            (r#"{"b":2,"c":1}"#, "b unevaluatedProperties"),
            (r#"{"c":1,"d":1}"#, "d unevaluatedProperties"),
        ],
    );
    let rules = r#""if": {"properties": {"k": {"const": "x"}}, "required": ["k"]}, "then": {"properties": {"x": true}}, "else": {"properties": {"y": true}}, "unevaluatedProperties": false"#;
    one(
        TWENTY,
        rules,
        &[(r#"{"k":"x","x":1}"#, "ok"), (r#"{"y":1}"#, "ok"), (r#"{"x":1}"#, "x unevaluatedProperties")],
    );
}

#[test]
fn references() {
    both(
        r##""properties": {"a": {"$ref": "#/definitions/p~1q%20r"}}, "definitions": {"p/q r": {"type": "integer"}}"##,
        &[(r#"{"a":1}"#, "ok"), (r#"{"a":"x"}"#, "a type")],
    );
    both(
        r##""properties": {"n": {"$ref": "#"}, "v": {"type": "integer"}}"##,
        &[(r#"{"n":{"n":{"v":1}}}"#, "ok"), (r#"{"n":{"n":{"v":"x"}}}"#, "n.n.v type")],
    );
    one(
        TWENTY,
        r##""properties": {"a": {"$ref": "#pos", "maximum": 5}}, "$defs": {"p": {"$anchor": "pos", "minimum": 1}}"##,
        &[(r#"{"a":0}"#, "a minimum"), (r#"{"a":6}"#, "a maximum"), (r#"{"a":5}"#, "ok")],
    );
    one(
        SEVEN,
        r##""properties": {"a": {"$ref": "#pos"}}, "definitions": {"p": {"$id": "#pos", "minimum": 1}}"##,
        &[(r#"{"a":0}"#, "a minimum")],
    );
    one(
        TWENTY,
        r##""$id": "https://x.example/s/order.json", "properties": {"a": {"$ref": "line.json"}, "b": {"$ref": "https://x.example/s/line.json#/$defs/q"}}, "$defs": {"l": {"$id": "line.json", "minimum": 1, "$defs": {"q": {"maximum": 1}}}}"##,
        &[(r#"{"a":0}"#, "a minimum"), (r#"{"b":2}"#, "b maximum")],
    );
    let files = [
        ("s.json", r#"{"properties": {"lines": {"items": {"$ref": "parts/line.yaml#/$defs/line"}}}}"#),
        ("parts/line.yaml", "$defs:\n  line:\n    type: object\n    properties:\n      sku: { $ref: ../sku.json }\n"),
        ("sku.json", r#"{"type": "string", "minLength": 3}"#),
    ];
    let (made, findings) = loaded(&files);
    assert_eq!(findings, [""; 0]);
    let arena = Arena::new();
    let record = from_json(&serde_json::json!({ "lines": [{ "sku": "abc" }, { "sku": "x" }] }), &arena);
    let broken = made.unwrap().contract.check(record, false).unwrap_err();
    assert_eq!((broken.path.to_string().as_str(), broken.wants.as_str()), ("lines[1].sku", "at least 3 characters"));
}

/// The fields that are known beforehand.
#[track_caller]
fn shape(rules: &str, expected: &str) {
    let (made, findings) = loaded(&[("s.json", &format!("{{{rules}}}"))]);
    let made = made.unwrap_or_else(|| panic!("{findings:?}"));
    fn told(fields: &[crate::record::Field], closed: bool) -> String {
        let all: Vec<String> = fields
            .iter()
            .map(|field| {
                let mut kind = &field.kind;
                let mut around = 0;
                while let Type::List(inner) = kind {
                    (kind, around) = (inner, around + 1);
                }
                let inner = match kind {
                    Type::Record { fields, open } => format!("{{{}}}", told(fields, !open)),
                    other => other.to_string(),
                };
                let class = if field.classes.is_empty() { String::new() } else { format!(" [{}]", field.classes) };
                format!(
                    "{}{}: {}{inner}{}{}{class}",
                    field.name,
                    if field.required { "" } else { "?" },
                    "list<".repeat(around),
                    ">".repeat(around),
                    if field.nullable { " or null" } else { "" }
                )
            })
            .collect();
        format!("{}{}", all.join(", "), if closed { "" } else { ", …" })
    }
    assert_eq!(told(&made.shape.fields, made.shape.closed), expected, "{rules}");
}

#[test]
fn schemas_become_types() {
    shape(
        r#""required": ["id"], "additionalProperties": false, "properties": {"id": {"type": "integer"}, "price": {"type": "number"}, "day": {"type": "string", "format": "date"}, "at": {"type": ["string", "null"], "format": "date-time"}, "ok": {"type": "boolean"}, "mail": {"type": "string", "format": "email", "x-class": "pii.email"}}"#,
        "id: int, price?: decimal, day?: date, at?: timestamp or null, ok?: bool, mail?: string [pii.contact.email]",
    );
    shape(
        r#""properties": {"lines": {"type": "array", "items": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}}}, "tags": {"type": "array", "items": {"type": "string"}}, "any": {}, "two": {"type": ["string", "integer"]}}"#,
        "lines?: list<{sku: string, …}>, tags?: list<string>, any?: any or null, two?: any, …",
    );
    shape(
        r##""allOf": [{"$ref": "#/$defs/base"}, {"required": ["b"]}], "properties": {"b": {"enum": ["x", "y"]}}, "$defs": {"base": {"properties": {"a": {"const": 1}}, "required": ["a"]}}"##,
        "b: string, a: int, …",
    );
    shape(
        r#""properties": {"a": {"anyOf": [{"type": "integer"}, {"type": "null"}]}, "b": {"oneOf": [{"type": "string"}, {"type": "object"}]}, "c": {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date"}]}}"#,
        "a?: int or null, b?: any, c?: date, …",
    );
    shape(
        r#""properties": {"m": {"type": "object", "additionalProperties": {"type": "number"}}, "f": {"type": "object"}, "t": {"type": "array", "prefixItems": [{"type": "string"}]}}"#,
        "m?: map<decimal>, f?: map, t?: list<any>, …",
    );
    shape(
        r##""properties": {"v": {"type": "integer"}, "n": {"type": "object", "properties": {"up": {"$ref": "#"}}}}"##,
        "v?: int, n?: {up?: any or null, …}, …",
    );
    // What only some records have keeps its class.
    shape(
        r#""oneOf": [{"properties": {"mail": {"type": "string", "x-class": "pii.email"}}}, {"properties": {"n": {"type": "integer"}}}]"#,
        "mail?: any or null [pii.contact.email], n?: any or null, …",
    );
    shape(r#""required": ["x"], "unevaluatedProperties": false, "properties": {"x": true}"#, "x: any or null");
}

#[track_caller]
fn wrong(text: &str, expected: &[&str]) {
    let (_, findings) = loaded(&[("s.json", text), ("other.json", "{\"$defs\": {\"line\": {}}}")]);
    assert_eq!(findings, expected, "{text}");
}

#[test]
fn what_is_wrong_is_told_at_its_place() {
    wrong(
        "{\n  \"properties\": {\n    \"a\": { \"type\": \"strin\" } } }",
        &["s.json:3:21: there is no type `strin` (did you mean `string`?)"],
    );
    wrong(
        r#"{"propertys": {}}"#,
        &[
            "s.json:1:3: warning: `propertys` is no keyword that is known: it does not hold (did you mean `properties`?)",
        ],
    );
    wrong(
        r#"{"properties": {"a": {"type": "string", "nullable": true}}}"#,
        &[
            "s.json:1:42: warning: `nullable` is of OpenAPI, and does not hold in JSON Schema (say it with the type: `type: [string, \"null\"]`)",
        ],
    );
    wrong(
        r#"{"properties": {"a": {"minimum": 5, "maximum": 3}}}"#,
        &["s.json:1:22: no number lies between 5 and 3: nothing can meet both bounds (correct one of the two)"],
    );
    wrong(
        r#"{"properties": {"a": {"minLength": 5, "maxLength": 3}}}"#,
        &["s.json:1:22: `minLength` is 5 and `maxLength` is 3: nothing can meet both (correct one of the two)"],
    );
    wrong(
        r#"{"properties": {"a": {"type": "string", "enum": [1, 2]}}}"#,
        &[
            "s.json:1:49: no value that is listed is of type string: nothing can meet both (correct the type or the values)",
        ],
    );
    wrong(
        r#"{"properties": {"a": {"allOf": [{"type": "string"}, {"type": "integer"}]}}}"#,
        &[
            "s.json:1:53: nothing can meet this: what it says of the type excludes each other (correct one of the two, or remove it)",
        ],
    );
    wrong(
        r#"{"required": ["b"], "properties": {"a": {}}, "additionalProperties": false}"#,
        &["s.json:1:1: `b` is required, and no field of that name is allowed (correct one of the two, or remove it)"],
    );
    wrong(
        r#"{"type": "array"}"#,
        &["s.json:1:1: a record is an object, and this describes array (correct one of the two, or remove it)"],
    );
    wrong(
        r#"{"properties": {"a": {"pattern": "(?=x)"}}}"#,
        &[
            "s.json:1:35: the pattern looks around (`(?=`, `(?!`), which takes no bounded time (say it with what the `regex` syntax of RE2 has)",
        ],
    );
    wrong(
        r##"{"properties": {"a": {"$ref": "#/$defs/lin"}}, "$defs": {"line": {}}}"##,
        &["s.json:1:32: `#/$defs/lin` leads nowhere (did you mean `#/$defs/line`?)"],
    );
    wrong(
        r##"{"properties": {"a": {"$ref": "other.json#/$defs/lime"}}}"##,
        &["s.json:1:32: `other.json#/$defs/lime` leads nowhere (did you mean `other.json#/$defs/line`?)"],
    );
    wrong(
        r#"{"properties": {"a": {"$ref": "gone.json"}}}"#,
        &["s.json:1:32: `gone.json` cannot be read: it is not there"],
    );
    wrong(
        r#"{"properties": {"a": {"$ref": "../../etc/passwd"}}}"#,
        &["s.json:1:32: the path leads out of the project's folder (keep schemas in the project's folder)"],
    );
    wrong(
        r#"{"properties": {"a": {"$ref": "https://x.example/a.json"}}}"#,
        &[
            "s.json:1:32: `https://x.example/a.json` is not here, and nothing is fetched (put the file into the project and refer to it by its relative path)",
        ],
    );
    wrong(
        r##"{"allOf": [{"$ref": "#"}]}"##,
        &[
            "s.json:1:12: the schema refers to itself without going into the record (refer to itself only below `properties` or `items`)",
        ],
    );
    wrong(
        r#"{"properties": {"a": {"format": "dat"}}}"#,
        &["s.json:1:34: warning: there is no format `dat`: it is not checked (did you mean `date`?)"],
    );
    wrong(
        r#"{"properties": {"a": {"exclusiveMinimum": true}}}"#,
        &["s.json:1:43: `exclusiveMinimum` is a number (true and false are of draft-04: write the number itself here)"],
    );
    wrong(
        r#"{"properties": {"a": {"items": [{}]}}}"#,
        &["s.json:1:32: `items` is one schema for all elements (a list of schemas is `prefixItems` since 2020-12)"],
    );
    wrong(
        r#"{"$schema": "http://json-schema.org/draft-07/schema#", "prefixItems": []}"#,
        &[
            "s.json:1:57: warning: draft-07 has no keyword `prefixItems`: it does not hold (remove it, or name it `x-…` if it is your own)",
        ],
    );
    wrong(r#"{"properties": {"a": {"x-class": "pii.emial"}}}"#, &["s.json:1:35: there is no data class `pii.emial`"]);
    wrong("{\"a\": ", &["s.json:1:1: `{` is not closed (close it)"]);
    wrong("[]", &["s.json:1:1: a schema is a map, true or false, and this is a list"]);
}

#[test]
fn hostile_schemas_end() {
    let started = |text: &str| loaded(&[("s.json", text)]);
    // Nesting.
    let deep = format!("{}{}", "{\"not\": ".repeat(10_000), "}".repeat(10_000));
    assert!(started(&deep).0.is_none());
    // A chain of references.
    let mut chain = String::from("{\"$ref\": \"#/$defs/n0\", \"$defs\": {");
    for n in 0..5000 {
        chain.push_str(&format!("\n\"n{n}\": {{\"$ref\": \"#/$defs/n{}\"}},", n + 1));
    }
    chain.push_str("\n\"n5000\": {}}}");
    let (made, findings) = started(&chain);
    assert!(made.is_none() && findings.len() == 1, "{findings:?}");
    // Doubling, in types and in checks.
    let mut doubling = String::from("{\"$ref\": \"#/$defs/n0\", \"$defs\": {");
    for n in 0..40 {
        let next = n + 1;
        doubling.push_str(&format!(
            "\n\"n{n}\": {{\"properties\": {{\"a\": {{\"$ref\": \"#/$defs/n{next}\"}}, \"b\": {{\"$ref\": \"#/$defs/n{next}\"}}}}, \"anyOf\": [{{\"$ref\": \"#/$defs/n{next}\"}}, {{\"$ref\": \"#/$defs/n{next}\"}}]}},"
        ));
    }
    doubling.push_str("\n\"n40\": {\"type\": \"string\"}}}");
    if let (Some(made), _) = started(&doubling) {
        let arena = Arena::new();
        let broken = made.contract.check(from_json(&serde_json::json!({ "a": 1 }), &arena), false).unwrap_err();
        assert_eq!(broken.keyword, "limit");
    }
    // A pattern of a megabyte, and many schemas.
    assert!(started(&format!("{{\"pattern\": \"{}\"}}", "(a|b)*".repeat(9_000))).0.is_none());
    let many: Vec<String> = (0..25_000).map(|n| format!("\n\"f{n}\": {{}}")).collect();
    let (made, findings) = started(&format!("{{\"properties\": {{{}}}}}", many.join(",")));
    assert!(made.is_none() && findings.len() == 1, "{findings:?}");
}

#[test]
fn a_record_deeper_than_any_contract_is_refused_not_followed() {
    let (made, _) = loaded(&[("s.json", r##"{"properties": {"n": {"$ref": "#"}}}"##)]);
    let arena = Arena::new();
    let mut deep = Value::Int(1);
    for _ in 0..5_000 {
        deep = Value::Map(arena.alloc_slice_copy(&[("n", deep)]));
    }
    assert_eq!(made.unwrap().contract.check(deep, false).unwrap_err().keyword, "limit");
}
