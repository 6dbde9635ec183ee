//! What is known of one person, for them and for nobody else: where their data went, what was kept back, what was
//! set aside, and nothing of it in clear.

use std::path::Path;

use serde_json::Value;

use crate::support::{consign, text};

#[track_caller]
fn run(root: &Path, words: &[&str], exit: i32) -> String {
    let output = consign(root).args(words).output().expect("consign starts");
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(exit), "{words:?}\n{said}");
    text(&output.stdout)
}

#[track_caller]
fn json(root: &Path, words: &[&str]) -> Value {
    let printed = run(root, &[words, &["-o", "json"]].concat(), 0);
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
}

/// A clinic whose visits go to a registry and to a warehouse of its own. The number of a visit may be that of a
/// patient.
fn clinic(audit: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect(name);
    for inner in ["mappings", "registry", "house"] {
        std::fs::create_dir(folder.path().join(inner)).expect("a folder");
    }
    write(
        "connectors.yaml",
        &format!(
            "version: 1
compliance: {{ on_violation: warn, keys: {{ patients: {{ purpose: token }} }} }}
{audit}connectors:
  clinic:
    use: file
    with: {{ path: . }}
    region: us
    streams:
      visits:
        path: visits.csv
        format: csv
        key: visit
        fields: {{ visit: string, patient: {{ class: phi.mrn }}, name: {{ class: pii.name }}, illness: {{ class: phi.diagnosis }}, agreed: string, cost: string }}
  registry:
    use: file
    with: {{ path: registry }}
    kind: partner
    region: us
    agreements: [baa]
    streams: {{ cases: {{ path: cases.ndjson, format: ndjson }} }}
  house:
    use: file
    with: {{ path: house }}
    streams: {{ visits: {{ path: visits.ndjson, format: ndjson }} }}
"
        ),
    );
    write(
        "mappings/registry.yaml",
        "version: 1
name: registry
from: clinic.visits
to: registry.cases
sync: { on_error: { tolerate: { percent: 90 } } }
compliance:
  subject: patient
  purpose: public_health
  basis: legal_obligation
  recipients: [State Cancer Registry]
  disclosure: accountable
  consent: { field: agreed }
fields:
  - { target: case, source: visit }
  - { target: who, source: patient, transform: 'tokenize(value, \"patients\")' }
  - { target: illness, source: illness }
  - { target: cost, source: cost, type: decimal }
",
    );
    write(
        "mappings/house.yaml",
        "version: 1
name: house
from: clinic.visits
to: house.visits
compliance: { subject: patient, purpose: billing, basis: contract, disclosure: operations }
fields:
  - { target: visit, source: visit }
  - { target: name, source: name }
",
    );
    write(
        "visits.csv",
        "visit,patient,name,illness,agreed,cost\n1,4711,Ada Quimby,C50.9,yes,10\n2,4711,Ada Quimby,C50.8,no,11\n3,4711,Ada Quimby,C50.1,yes,dear\n4711,5822,Bo Vance,J10,yes,12\n",
    );
    folder
}

#[test]
fn a_person_hears_where_their_data_went_and_nobody_sees_it_there() {
    let folder = clinic("");
    let root = folder.path();
    run(root, &["audit", "keys", "create", "patients"], 0);
    run(root, &["sync", "run", "registry"], 0);
    run(root, &["sync", "run", "house"], 0);
    std::fs::write(root.join("key.txt"), "4711\n").expect("a file");
    let report = json(root, &["report", "subject", "@key.txt"]);
    assert_eq!(report["schema"], "consign.report.subject/1");
    let sections = &report["sections"];
    let went = sections["recipients"]["recipients"].as_array().expect("rows");
    let row = |system: &str| went.iter().find(|row| row["system"] == system).unwrap_or_else(|| panic!("{went:?}"));
    let registry = row("registry");
    for (name, value) in
        [("purpose", "public_health"), ("basis", "legal_obligation"), ("kind", "partner"), ("region", "us")]
    {
        assert_eq!(registry[name], value, "{registry}");
    }
    assert_eq!(registry["recipients"], serde_json::json!(["State Cancer Registry"]));
    let spans = sections["recipients"]["spans"].as_array().expect("rows");
    let span = spans.iter().find(|row| row["system"] == "registry").expect("the registry");
    assert!(span["classes"].to_string().contains("phi.diagnosis"), "{span}");
    assert_eq!((&registry["times"], &row("house")["purpose"]), (&1.into(), &"billing".into()));
    // Listed for the patient is the registry, not the house.
    let listed = sections["accounting"]["disclosures"].as_array().expect("rows");
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["recipient"], serde_json::json!(["State Cancer Registry"]));
    assert_eq!(sections["accounting"]["not_listed"][0]["disclosure"], "operations");
    let fields = sections["fields"]["fields"].as_array().expect("rows");
    let who = fields.iter().find(|row| row["field"] == "who").expect("the token");
    assert!(who["protected_by"].to_string().contains("tokenize"), "{who}");
    // One visit had no consent, one could not be read.
    let withheld = sections["withheld"]["withheld"].as_array().expect("rows");
    assert_eq!((withheld.len(), &withheld[0]["route"]), (1, &"registry".into()), "{withheld:?}");
    assert_eq!(withheld[0]["code"], "comply-no-consent", "{withheld:?}");
    let letters = sections["letters"]["letters"].as_array().expect("rows");
    assert_eq!((letters.len(), &letters[0]["field"]), (1, &"cost".into()), "{letters:?}");
    // That somebody asked is recorded, without the key.
    let viewed = json(root, &["audit", "list", "--action", "subject.viewed"]);
    assert!(!viewed.to_string().contains("4711"), "{viewed}");
    // The other patient has a visit with this one's number: it is theirs.
    let moves = |key: &str, more: &[&str]| {
        let report = json(root, &[&["report", "subject", key][..], more].concat());
        report["sections"]["movements"]["movements"].as_array().expect("rows").len()
    };
    assert_eq!((moves("4711", &[]), moves("5822", &[]), moves("4711", &["--as", "record"])), (2, 2, 0));
    assert_eq!(moves("nobody", &[]), 0);

    // Every shape is the same when made again, and shows nobody.
    let to = jiff::Timestamp::now().to_string();
    for shape in ["text", "json", "csv", "markdown", "html"] {
        let words = ["-o", shape, "report", "subject", "4711", "--to", &to];
        let first = run(root, &words, 0);
        assert_eq!(first, run(root, &words, 0), "{shape}");
        for planted in ["4711", "Ada", "Quimby", "C50", "dear"] {
            assert!(!first.contains(planted), "{shape}: {planted}\n{first}");
        }
    }

    // Erased, what was recorded points to nobody, and that is all that is said.
    let mut shred = consign(root);
    shred.args(["audit", "keys", "shred", "-", "--reason", "asked for it"]);
    shred.stdin(std::fs::File::open(root.join("key.txt")).expect("a file"));
    assert!(shred.output().expect("consign starts").status.success());
    let report = json(root, &["report", "subject", "4711"]);
    let facts = &report["sections"]["subject"]["facts"];
    assert_eq!(facts["erased_why"], "asked for it", "{facts}");
    assert!(report["sections"]["movements"]["movements"].as_array().expect("rows").is_empty(), "{report}");
    run(root, &["sync", "run", "registry", "--full"], 0);
    let report = json(root, &["report", "subject", "4711"]);
    assert!(report["sections"]["subject"]["facts"]["pseudonym_person"].is_null(), "who was erased gets no new name");
    assert!(run(root, &["audit", "verify"], 0).contains("nothing was changed"));
}

#[test]
fn account_is_kept_of_records_too_and_of_nobody_where_it_is_switched_off() {
    let folder = clinic("audit: { people: false }\n");
    let root = folder.path();
    run(root, &["audit", "keys", "create", "patients"], 0);
    run(root, &["sync", "run", "house"], 0);
    let report = json(root, &["report", "subject", "4711"]);
    assert!(report["sections"]["movements"]["movements"].as_array().expect("rows").is_empty(), "{report}");
}
