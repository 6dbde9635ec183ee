//! The `fhir` pack against a server that holds every resource, bundle and answer against models of FHIR which others
//! wrote, and every sign-in against the rules of SMART backend services: people and findings are written, read page
//! by page, exported in bulk, deleted.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::http::column;
use crate::servers::python::Serving;
use crate::support::{consign, repository, text};

struct Project {
    folder: tempfile::TempDir,
    /// Ends with the project.
    _server: Serving,
}

impl Project {
    /// A connector `ehr` that signs in with a key pair, whose public half the server knows.
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path();
        let connectors = |port: u16| {
            format!(
                r#"version: 1
connectors:
  ehr:
    use: fhir
    with: {{ base: "http://127.0.0.1:{port}/fhir" }}
    auth: {{ client_id: tea-house, private_key: "${{file:client.pem}}" }}
  files:
    use: file
    streams:
      people: {{ path: people.ndjson, format: ndjson, key: id }}
      findings: {{ path: findings.ndjson, format: ndjson, key: id }}
      gone: {{ path: gone.ndjson, format: ndjson, key: id }}
  here: {{ use: sqlite, with: {{ path: here.db }} }}
"#
            )
        };
        std::fs::write(at.join("connectors.yaml"), connectors(1)).expect("written");
        let made = consign(at).args(["connect", "keys", "ehr", "--new", "client.pem"]).output().expect("it runs");
        assert!(made.status.success(), "{}", text(&made.stderr));
        std::fs::write(at.join("keys.json"), made.stdout).expect("written");

        let server = Serving::start("play_fhir.py", "fhir.resources", &[&at.join("keys.json").display().to_string()])?;
        std::fs::write(at.join("connectors.yaml"), connectors(server.port)).expect("written");
        std::fs::create_dir(at.join("mappings")).expect("a folder");
        let tolerant = "mode: upsert, on_error: { to: dead_letters, tolerate: { records: 2 } }";
        for (name, from, to, sync, copied) in [
            ("people", "files.people", "ehr.Patient", tolerant, keys(&examples()).replace("id, ", "") + ", colour"),
            ("findings", "files.findings", "ehr.Observation", "mode: upsert", keys(&[finding(1)]).replace("id, ", "")),
            ("gone", "files.gone", "ehr.Patient", "mode: delete", String::new()),
            ("read", "ehr.Patient", "here.people", "mode: upsert, key: id", "gender".to_owned()),
            ("exported", "ehr.export", "here.resources", "mode: upsert, key: id", "resourceType".to_owned()),
        ] {
            let mapping = format!(
                "version: 1\nname: {name}\nfrom: {from}\nto: {to}\nsync: {{ {sync} }}\ncopy: {{ pick: [{copied}] }}\n\
                 fields: [{{ target: id, source: id, type: string, required: true }}]\n"
            );
            std::fs::write(at.join(format!("mappings/{name}.yaml")), mapping).expect("written");
        }
        Some(Self { folder, _server: server })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, records: &[Value]) {
        let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
        std::fs::write(self.path().join(name), lines).expect("written");
    }

    fn good(&self, words: &[&str]) -> String {
        let output = consign(self.path()).args(words).output().expect("it runs");
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{words:?}: {said}");
        said
    }

    /// The ids in a table, sorted.
    fn ids(&self, table: &str) -> Vec<String> {
        column(self.path(), &format!("SELECT id FROM {table} ORDER BY id"))
    }
}

/// The names of all fields of these.
fn keys(records: &[Value]) -> String {
    let names: BTreeSet<&str> =
        records.iter().flat_map(|one| one.as_object().expect("a resource").keys()).map(String::as_str).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// A finding of somebody.
fn finding(number: u32) -> Value {
    json!({ "resourceType": "Observation", "id": format!("o{number}"), "status": "final", "code": { "text": "tea" },
            "subject": { "reference": "Patient/x01" }, "valueQuantity": { "value": 7.5, "unit": "g" } })
}

/// HL7's own examples.
fn examples() -> Vec<Value> {
    let folder = repository().join("tests/fixtures/fhir-r4");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
        .collect();
    paths.sort();
    paths.iter().map(|path| serde_json::from_slice(&std::fs::read(path).expect("read")).expect("JSON")).collect()
}

#[test]
fn resources_are_written_read_exported_and_deleted_as_the_models_have_them() {
    let Some(project) = Project::new() else { return };
    assert!(project.good(&["connect", "probe", "ehr"]).contains("Held against models 4.0.1"));

    let mut people = examples();
    let invented = (1..=20).map(|n| json!({ "resourceType": "Patient", "id": format!("x{n:02}"), "gender": "female" }));
    people.extend(invented);
    let mut good: Vec<String> = people.iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect();
    good.sort_unstable();
    people.push(json!({ "resourceType": "Patient", "id": "bad1", "birthDate": "1980-13-01" }));
    people.push(json!({ "resourceType": "Patient", "id": "bad2", "colour": "blue" }));
    project.write("people.ndjson", &people);
    let said = project.good(&["sync", "run", "people"]);
    assert!(said.contains("2 dead letters"), "{said}");
    let told = project.good(&["sync", "dlq", "list", "--route", "people"]);
    assert!(told.contains("birthDate") && told.contains("colour"), "{told}");

    project.write("findings.ndjson", &(1..=3).map(finding).collect::<Vec<_>>());
    project.good(&["sync", "run", "findings"]);

    // Pages of ten: the server gives no more at once.
    project.good(&["sync", "run", "read"]);
    assert_eq!(project.ids("people"), good);
    let call = |operation: &str, input: &Value| {
        let said = project.good(&["connect", "call", "ehr", operation, "--input", &input.to_string()]);
        serde_json::from_str::<Value>(&said).expect("JSON")
    };
    assert_eq!(call("read", &json!({ "type": "Observation", "id": "o2" }))["valueQuantity"]["value"], json!(7.5));
    assert_eq!(call("everything", &json!({ "id": "x01" })).as_array().map(Vec::len), Some(4));

    project.good(&["sync", "run", "exported"]);
    let mut all = good.clone();
    all.extend((1..=3).map(|n| format!("o{n}")));
    all.sort_unstable();
    assert_eq!(project.ids("resources"), all);

    project.write("gone.ndjson", &[json!({ "id": "x07" }), json!({ "id": "x08" })]);
    project.good(&["sync", "run", "gone"]);
    std::fs::remove_file(project.path().join("here.db")).expect("removed");
    project.good(&["sync", "run", "read", "--full"]);
    let left: Vec<String> = good.into_iter().filter(|id| id != "x07" && id != "x08").collect();
    assert_eq!(project.ids("people"), left);
}

#[test]
fn a_key_that_the_server_does_not_know_is_told_as_such() {
    let Some(project) = Project::new() else { return };
    std::fs::remove_file(project.path().join("client.pem")).expect("removed");
    project.good(&["connect", "keys", "ehr", "--new", "client.pem"]);
    let output = consign(project.path()).args(["connect", "peek", "ehr", "Patient"]).output().expect("it runs");
    let said = text(&output.stderr);
    assert!(output.status.code() == Some(4) && said.contains("invalid_client"), "{said}");
}
