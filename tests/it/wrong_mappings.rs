//! What people get wrong in a mapping: `tests/fixtures/wrong-mappings` holds one mistake in each file, with
//! the finding that it must give. Where a finding carries an edit, the edit is applied word for word,
//! and the check must pass.

use std::path::Path;

use quick_xml::events::Event;
use serde_json::Value;

use crate::support::{consign, copy, files, repository, text};

const FOLDER: &str = "tests/fixtures/wrong-mappings";
/// At least so many mistakes, and at least so many that come with their edit.
const MISTAKES: usize = 30;
const EDITS: usize = 20;

/// What a file says of itself: `# finding: LINE:COLUMN CODE [edit]`.
struct Wanted {
    place: String,
    code: String,
    edit: bool,
}

fn wanted(mapping: &str) -> Wanted {
    let said = mapping.lines().find_map(|line| line.strip_prefix("# finding: ")).expect("a file says its finding");
    let words: Vec<&str> = said.split_whitespace().collect();
    Wanted { place: words[0].into(), code: words[1].into(), edit: words.get(2) == Some(&"edit") }
}

fn check(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = consign(folder).args(["map", "check"]).args(arguments).output().expect("it starts");
    (output.status.code().unwrap_or(-1), text(&output.stdout))
}

#[test]
fn each_mistake_gives_its_finding_and_each_edit_mends_it() {
    let folder = tempfile::tempdir().unwrap();
    copy(&repository().join(FOLDER), folder.path());
    let mappings = files(&folder.path().join("mappings"));
    let (mut edits, mut wrong) = (0, Vec::new());
    for file in &mappings {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let path = format!("mappings/{name}");
        let before = std::fs::read_to_string(file).unwrap();
        let wanted = wanted(&before);
        let (exit, printed) = check(folder.path(), &[&path, "-o", "json"]);
        let document: Value = serde_json::from_str(&printed).unwrap_or_else(|e| panic!("{name}: {e}: {printed}"));
        let findings = document["findings"].as_array().unwrap();
        let shown: Vec<String> =
            findings.iter().map(|f| format!("{}:{} {}", f["line"], f["column"], f["code"].as_str().unwrap())).collect();
        let expected = if wanted.code.starts_with("comply-") { 6 } else { 2 };
        if shown != [format!("{} {}", wanted.place, wanted.code)] || exit != expected {
            wrong.push(format!("{name}: wants {} {}, gives {shown:?} and exit {exit}", wanted.place, wanted.code));
            continue;
        }
        let edit = &findings[0]["edits"][0];
        if edit.is_null() || !wanted.edit {
            if !edit.is_null() || wanted.edit {
                wrong.push(format!("{name}: an edit is {}", if wanted.edit { "missing" } else { "not expected" }));
            }
            continue;
        }
        edits += 1;
        let byte = |end: &str| edit[end]["byte"].as_u64().unwrap() as usize;
        let after = [&before[..byte("start")], edit["text"].as_str().unwrap(), &before[byte("end")..]].concat();
        std::fs::write(file, &after).unwrap();
        let (exit, printed) = check(folder.path(), &[&path]);
        if exit != 0 {
            wrong.push(format!("{name}: with its edit\n{after}\n{printed}"));
        }
        std::fs::write(file, before).unwrap();
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), mappings.len(), wrong.join("\n"));
    assert!(mappings.len() >= MISTAKES && edits >= EDITS, "{} mistakes, {edits} edits", mappings.len());
}

#[test]
fn the_whole_folder_gives_one_finding_for_each_file() {
    let folder = repository().join(FOLDER);
    let (exit, printed) = check(&folder, &["-o", "json"]);
    let document: Value = serde_json::from_str(&printed).unwrap();
    let mut found: Vec<&str> =
        document["findings"].as_array().unwrap().iter().map(|f| f["file"].as_str().unwrap()).collect();
    let count = found.len();
    found.dedup();
    assert_eq!((exit, count, found.len()), (6, files(&folder.join("mappings")).len(), count));
}

#[test]
fn sarif_is_valid_against_its_schema() {
    let schema = repository().join("tests/fixtures/sarif/sarif-schema-2.1.0.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    for folder in [FOLDER, "."] {
        let (_, printed) = check(&repository().join(folder), &["-o", "sarif"]);
        let document: Value = serde_json::from_str(&printed).unwrap();
        let mut faults = Vec::new();
        validate(&schema, &schema, &document, "", &mut faults);
        assert!(faults.is_empty(), "{faults:#?}");
        if folder == FOLDER {
            let results = document["runs"][0]["results"].as_array().unwrap();
            let fixes = results.iter().filter(|result| result.get("fixes").is_some()).count();
            assert!(results.len() >= MISTAKES && fixes >= EDITS);
        }
    }
    // The validator does find what is wrong.
    let mut faults = Vec::new();
    let wrong = serde_json::json!({ "version": "2.1.0", "runs": [{ "tool": {}, "odd": 1 }] });
    validate(&schema, &schema, &wrong, "", &mut faults);
    assert_eq!(faults.len(), 2, "{faults:?}");
}

/// The part of JSON Schema draft-07 that the schema of SARIF is written in.
fn validate(root: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let mut fault = |cause: String| faults.push(format!("{at}: {cause}"));
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let target = root.pointer(reference.trim_start_matches('#')).expect("the schema holds what it refers to");
        return validate(root, target, value, at, faults);
    }
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => panic!("{other}"),
    };
    match &schema["type"] {
        Value::String(kind) if !is(kind) => fault(format!("is no {kind}")),
        Value::Array(kinds) if !kinds.iter().any(|kind| is(kind.as_str().unwrap())) => fault("has no such type".into()),
        _ => {}
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array)
        && !words.contains(value)
    {
        fault(format!("{value} is not among {words:?}"));
    }
    if let (Some(least), Some(number)) = (schema.get("minimum").and_then(Value::as_i64), value.as_i64())
        && number < least
    {
        fault(format!("{number} is less than {least}"));
    }
    if let (Some(pattern), Some(text)) = (schema.get("pattern").and_then(Value::as_str), value.as_str())
        && !regex::Regex::new(pattern).unwrap().is_match(text)
    {
        fault(format!("{text} does not match {pattern}"));
    }
    if let (Some("uri" | "uri-reference"), Some(text)) = (schema.get("format").and_then(Value::as_str), value.as_str())
        && !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&b))
    {
        fault(format!("{text} is no reference"));
    }
    if let Some(items) = value.as_array() {
        if items.len() < schema.get("minItems").and_then(Value::as_u64).unwrap_or(0) as usize {
            fault("has too few items".into());
        }
        let same = items.iter().enumerate().any(|(index, item)| items[..index].contains(item));
        if schema.get("uniqueItems") == Some(&Value::Bool(true)) && same {
            fault("has the same item twice".into());
        }
        if let Some(inner) = schema.get("items") {
            for (index, item) in items.iter().enumerate() {
                validate(root, inner, item, &format!("{at}/{index}"), faults);
            }
        }
    }
    if let Some(members) = value.as_object() {
        for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            if !members.contains_key(name.as_str().unwrap()) {
                faults.push(format!("{at}: {name} is missing"));
            }
        }
        for (name, member) in members {
            match (schema.get("properties").and_then(|p| p.get(name)), schema.get("additionalProperties")) {
                (Some(inner), _) | (None, Some(inner @ Value::Object(_))) => {
                    validate(root, inner, member, &format!("{at}/{name}"), faults);
                }
                (None, Some(Value::Bool(false))) => faults.push(format!("{at}: {name} is not known")),
                _ => {}
            }
        }
    }
    for (word, all) in [("anyOf", false), ("oneOf", true)] {
        let Some(choices) = schema.get(word).and_then(Value::as_array) else { continue };
        let fit = choices.iter().filter(|choice| {
            let mut inner = Vec::new();
            validate(root, choice, value, at, &mut inner);
            inner.is_empty()
        });
        let fit = fit.count();
        if fit == 0 || (all && fit > 1) {
            faults.push(format!("{at}: {word}: {fit} fit"));
        }
    }
}

/// Name, children and attributes that may be there, attributes that must.
type Element = (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

/// Which children and attributes an element may have, and which it must have, as `junit-10.xsd` of
/// Jenkins says it.
const JUNIT: &[Element] = &[
    ("testsuites", &["testsuite"], &["name", "time", "tests", "failures", "errors"], &[]),
    (
        "testsuite",
        &["testsuite", "properties", "testcase", "system-out", "system-err"],
        &["name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package"],
        &["name", "tests", "failures", "errors"],
    ),
    (
        "testcase",
        &["skipped", "error", "failure", "system-out", "system-err"],
        &["name", "time", "classname", "group"],
        &["name"],
    ),
    ("failure", &[], &["type", "message"], &[]),
    ("error", &[], &["type", "message"], &[]),
    ("skipped", &[], &["type", "message"], &[]),
    ("system-out", &[], &[], &[]),
    ("system-err", &[], &[], &[]),
];

/// What is wrong with a JUnit document; its numbers of cases and failures are counted after it.
pub fn junit_faults(document: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(document);
    let (mut open, mut faults): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let (mut cases, mut failures, mut said) = (0, 0, (0, 0));
    loop {
        let event = reader.read_event().expect("well-formed XML");
        let (element, ends) = match &event {
            Event::Start(element) => (element, false),
            Event::Empty(element) => (element, true),
            Event::End(_) => {
                open.pop();
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        let name = element.name().as_ref().to_string();
        let Some((_, _, may, must)) = JUNIT.iter().find(|(known, ..)| *known == name) else {
            faults.push(format!("<{name}> is not known"));
            continue;
        };
        let around = open.last().and_then(|outer| JUNIT.iter().find(|(known, ..)| known == outer));
        if around.map_or(name != "testsuites", |(_, children, ..)| !children.contains(&name.as_str())) {
            faults.push(format!("<{name}> in {open:?}"));
        }
        let attributes: Vec<(String, String)> = element
            .attributes()
            .map(|attribute| attribute.expect("well-formed"))
            .map(|attribute| (attribute.key.as_ref().to_string(), attribute.value.to_string()))
            .collect();
        for (attribute, _) in &attributes {
            if !may.contains(&attribute.as_str()) {
                faults.push(format!("<{name} {attribute}>"));
            }
        }
        for wanted in *must {
            if !attributes.iter().any(|(attribute, _)| attribute == wanted) {
                faults.push(format!("<{name}> has no {wanted}"));
            }
        }
        cases += usize::from(name == "testcase");
        failures += usize::from(name == "failure");
        if name == "testsuites" {
            let number = |wanted: &str| {
                attributes
                    .iter()
                    .find(|(name, _)| name == wanted)
                    .and_then(|(_, n)| n.parse().ok())
                    .unwrap_or(usize::MAX)
            };
            said = (number("tests"), number("failures"));
        }
        if !ends {
            open.push(name);
        }
    }
    if said != (cases, failures) {
        faults.push(format!("says {said:?}, holds {cases} cases and {failures} failures"));
    }
    faults
}

#[test]
fn junit_is_valid_against_its_schema() {
    for folder in [FOLDER, "."] {
        let (_, printed) = check(&repository().join(folder), &["-o", "junit"]);
        assert_eq!(junit_faults(&printed), [""; 0], "{printed}");
    }
    let output = consign(repository()).args(["map", "test", "-o", "junit"]).output().unwrap();
    assert_eq!(junit_faults(&text(&output.stdout)), [""; 0]);
    assert_eq!(junit_faults("<testsuites tests='0' failures='1' odd='2'/>").len(), 2);
}
