//! Reports that auditors take away: the same when made twice, and proved without the state that they
//! were made from.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::servers::python;
use crate::support::{consign, text};

fn run(root: &Path, words: &[&str]) -> (i32, String, String) {
    let output = consign(root).args(words).output().expect("consign starts");
    (output.status.code().expect("an exit code"), text(&output.stdout), text(&output.stderr))
}

fn must(root: &Path, words: &[&str]) -> String {
    let (code, out, said) = run(root, words);
    assert_eq!(code, 0, "{words:?}\n{out}{said}");
    out
}

/// A shop whose customers go to a partner, with a waiver, a failed run and a key that was rotated.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect(name);
    for inner in ["mappings", "out"] {
        std::fs::create_dir_all(folder.path().join(inner)).expect("a folder");
    }
    write(
        "connectors.yaml",
        "version: 1
compliance:
  standards: [gdpr]
  on_violation: warn
  controller: { name: Example Ltd, contact: privacy@example.com }
  keys:
    customers: { purpose: token }
  waivers:
    - { check: P08, at: partner, owner: dana, reason: the contract is being signed, until: 2099-01-01 }
connectors:
  shop:
    use: file
    with: { path: . }
    region: eu
    streams:
      customers:
        path: customers.csv
        format: csv
        key: id
        fields: { id: string, email: { class: pii.email }, name: { class: pii.name } }
  partner:
    use: file
    with: { path: out }
    kind: partner
    region: eu
    streams:
      people: { path: people.ndjson, format: ndjson }
",
    );
    write(
        "mappings/people.yaml",
        "version: 1
name: people
from: shop.customers
to: partner.people
compliance: { purpose: newsletter, basis: consent, people: [customers], retention: 365d }
fields:
  - { target: id, source: id }
  - { target: who, source: email, transform: 'tokenize(value, \"customers\")' }
  - { target: name, source: name, required: true }
",
    );
    write("customers.csv", "id,email,name\n1,ada@example.com,Ada\n2,bo@example.com,Bo\n");
    folder
}

#[test]
fn a_report_over_a_period_is_the_same_however_often_it_is_made() {
    let folder = project();
    let root = folder.path();
    must(root, &["audit", "keys", "create", "customers"]);
    must(root, &["sync", "run", "people"]);
    must(root, &["audit", "keys", "rotate", "customers"]);
    std::fs::write(root.join("customers.csv"), "id,email\n3,zed@example.com\n").expect("a broken source");
    let (code, ..) = run(root, &["sync", "run", "people", "--full"]);
    assert_eq!(code, 5, "a column is gone");
    // The end of the period is behind everything that was recorded, and before what reports record.
    let to = jiff::Timestamp::now().to_string();
    for shape in ["text", "json", "csv", "markdown", "html"] {
        let words = ["-o", shape, "report", "compliance", "--to", &to, "--from", "7d"];
        let first = must(root, &words);
        assert_eq!(first, must(root, &words), "{shape}");
        assert!(!first.to_lowercase().contains("compliant"), "{shape}");
        for planted in ["ada@example.com", "bo@example.com", "zed@example.com"] {
            assert!(!first.contains(planted), "{shape}: {planted}");
        }
    }
    let text = must(root, &["-o", "json", "report", "compliance", "--to", &to, "--from", "7d"]);
    let report: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(report["schema"], "consign.report.compliance/1");
    let sections = &report["sections"];
    for name in [
        "cover",
        "scope",
        "summary",
        "findings",
        "waivers",
        "inventory",
        "protection",
        "retention",
        "transfers",
        "access",
        "integrity",
        "incidents",
        "log",
        "trend",
        "crosswalk",
        "methods",
        "manifest",
    ] {
        assert!(sections[name].is_object(), "{name}: {sections}");
    }
    assert_eq!(sections["cover"]["facts"]["controller"], "Example Ltd");
    assert_eq!(sections["waivers"]["waivers"][0]["owner"], "dana");
    assert_eq!(sections["waivers"]["waivers"][0]["state"], "in force");
    let fields = sections["protection"]["fields"].as_array().expect("rows");
    let who = fields.iter().find(|row| row["field"] == "who").expect("the token");
    assert_eq!(who["in_clear"], serde_json::json!([]), "{who}");
    assert!(who["protected_by"].to_string().contains("tokenize"), "{who}");
    let name = fields.iter().find(|row| row["field"] == "name").expect("the name");
    assert_eq!(name["in_clear"], serde_json::json!(["pii.name"]), "{name}");
    let keys = sections["protection"]["keys"].as_array().expect("keys");
    assert_eq!(keys.len(), 2, "{keys:?}");
    let routes = sections["integrity"]["routes"].as_array().expect("routes");
    assert_eq!((&routes[0]["runs"], &routes[0]["not_done"]), (&Value::from(2), &Value::from(1)), "{routes:?}");
    assert!(sections["log"]["facts"]["verification"].as_str().expect("words").starts_with("verified"));
    // The manifest says what each section was.
    let note = sections["manifest"]["note"].as_str().expect("a note");
    let digest: String =
        Sha256::digest(sections["cover"].to_string()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(note.contains(&format!("sha256 {digest} cover\n")), "{note}");
    assert!(note.contains("\n\u{2014} consign/"), "it is signed: {note}");
}

#[test]
fn evidence_is_verified_by_a_stranger_offline() {
    let folder = project();
    let root = folder.path();
    must(root, &["audit", "keys", "create", "customers"]);
    must(root, &["sync", "run", "people"]);
    let to = jiff::Timestamp::now().to_string();
    let words =
        |file: &'static str| ["report", "evidence", "--control", "P32", "--to", &to, "--zip", file].map(String::from);
    for file in ["one.zip", "two.zip"] {
        let words = words(file);
        must(root, &words.each_ref().map(String::as_str));
    }
    let bytes = std::fs::read(root.join("one.zip")).expect("an archive");
    assert_eq!(bytes, std::fs::read(root.join("two.zip")).expect("an archive"));

    // Somewhere else, without the state and the project.
    let stranger = tempfile::tempdir().expect("a folder");
    zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("an archive").extract(stranger.path()).expect("files");
    let read = |name: &str| std::fs::read_to_string(stranger.path().join(name)).expect("a file");
    let mut listed = 0;
    for line in read("manifest.sha256").lines() {
        let (sum, name) = line.split_once("  ").expect("two columns");
        let bytes = std::fs::read(stranger.path().join(name)).expect("a file");
        assert_eq!(Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>(), sum, "{name}");
        listed += 1;
    }
    assert!(listed > 6, "{listed}");
    assert!(read("manifest.note").contains(&read("manifest.sha256")));
    assert!(read("README.txt").contains("sha256sum --check"));
    assert!(!read("population/events.ndjson").contains("ada@example.com"));
    let key = read("public-key.txt");
    let mut proofs: Vec<_> =
        std::fs::read_dir(stranger.path().join("proofs")).expect("proofs").map(|e| e.expect("a file").path()).collect();
    proofs.sort();
    assert!(proofs.len() > 2, "{proofs:?}");
    for proof in &proofs {
        let file = proof.to_str().expect("a name");
        must(stranger.path(), &["audit", "verify", "--proof", file, "--key", key.trim()]);
    }
    // One that was changed says so.
    let proof = std::fs::read_to_string(&proofs[0]).expect("a proof");
    let changed = proof.replacen("index 0", "index 1", 1);
    assert_ne!(proof, changed, "the first proof is of the first event");
    std::fs::write(&proofs[0], changed).expect("a proof");
    let (code, ..) =
        run(stranger.path(), &["audit", "verify", "--proof", proofs[0].to_str().expect("a name"), "--key", key.trim()]);
    assert_eq!(code, 8);

    // And once more without this program: Python, openssl, and what is public of the formats.
    let verify = |file: &Path| {
        let script = python::script("verify_evidence.py");
        Command::new("python3").arg(script).arg(file).arg(key.trim()).output().expect("python3 starts")
    };
    let done = verify(&root.join("one.zip"));
    assert!(done.status.success(), "{}", text(&done.stderr));
    // Whatever was changed in the archive, it is told of.
    let mut archive =
        zip::ZipArchive::new(std::fs::File::open(root.join("one.zip")).expect("open")).expect("an archive");
    let names: Vec<String> = archive.file_names().map(|name| name.expect("a name").into_owned()).collect();
    for changed in &names {
        let forged = stranger.path().join("forged.zip");
        let mut writer = zip::ZipWriter::new(std::fs::File::create(&forged).expect("a file"));
        for name in &names {
            let mut bytes = Vec::new();
            archive.by_name(name).expect("a file").read_to_end(&mut bytes).expect("read");
            if name == changed {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            }
            writer.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).expect("begun");
            writer.write_all(&bytes).expect("written");
        }
        writer.finish().expect("written");
        let done = verify(&forged);
        assert!(!done.status.success(), "{changed} was changed: {}", text(&done.stdout));
    }

    let (code, _, said) = run(root, &["report", "evidence", "--control", "99.99"]);
    assert!(code == 2 && said.contains("audit-control-unknown"), "{said}");
}

#[test]
fn the_record_of_processing_says_what_nobody_declared() {
    let folder = project();
    let text = must(folder.path(), &["-o", "json", "report", "ropa"]);
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let row = &report["sections"]["activities"]["activities"][0];
    assert_eq!(
        (&row["activity"], &row["purpose"], &row["basis"]),
        (&"people".into(), &"newsletter".into(), &"consent".into())
    );
    assert_eq!(row["erased_after_days"], 365);
    assert_eq!(row["owner"], "needs input");
    assert!(!folder.path().join(".consign").exists(), "it needs no state");
}
