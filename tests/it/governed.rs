//! What a route asks of records while they move, through the whole program: consent that is looked up, people who
//! were erased, values that stop a run, records that are set aside for their class, sums that are kept.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{consign, text};

struct Project(tempfile::TempDir);

impl Project {
    /// `more`: the mapping's `compliance`; `rules`: the project's.
    fn new(rules: &str, more: &str, people: &str) -> Self {
        let project = Self(tempfile::tempdir().expect("a folder"));
        for folder in ["in", "out", "mappings"] {
            std::fs::create_dir(project.root().join(folder)).expect("a folder");
        }
        project.write(
            "connectors.yaml",
            &format!(
                "version: 1\nconnectors:\n  in:\n    use: file\n    with: {{ path: in }}\n    streams:\n      \
                 people: {{ path: people.csv, format: csv }}\n      consents: {{ path: consents.ndjson, format: ndjson }}\n  \
                 out:\n    use: file\n    with: {{ path: out }}\n    streams: {{ people: {{ path: people.ndjson, format: ndjson }} }}\n{rules}"
            ),
        );
        project.write(
            "mappings/people.yaml",
            &format!(
                "version: 1\nname: people\nfrom: in.people\nto: out.people\nsync: {{ on_error: {{ tolerate: {{ percent: 90 }} }} }}\n{more}\
                 fields:\n  - {{ target: id, source: id }}\n  - {{ target: mail, source: mail, class: pii.email }}\n  \
                 - {{ target: note, source: note }}\n  - {{ target: amount, source: amount, type: decimal }}\n"
            ),
        );
        project.people(people);
        project
    }

    fn root(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.root().join(name), text).expect("written");
    }

    fn people(&self, rows: &str) {
        self.write("in/people.csv", &format!("id,mail,note,amount\n{rows}"));
    }

    fn run(&self, words: &[&str]) -> (i32, String) {
        self.told(words, "")
    }

    fn told(&self, words: &[&str], input: &str) -> (i32, String) {
        let mut child = consign(self.root())
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("consign starts");
        child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("told");
        let output = child.wait_with_output().expect("it ends");
        (output.status.code().expect("an exit code"), format!("{}{}", text(&output.stdout), text(&output.stderr)))
    }

    /// Runs the route; exit code and document.
    fn sync(&self, more: &[&str]) -> (i32, Value) {
        let words = [&["-o", "json", "sync", "run", "people"][..], more].concat();
        let output = consign(self.root()).args(words).stdin(Stdio::null()).output().expect("consign starts");
        let document = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}{}", text(&output.stdout), text(&output.stderr)));
        (output.status.code().expect("an exit code"), document)
    }

    /// The ids that were written.
    fn written(&self) -> Vec<String> {
        let lines = std::fs::read_to_string(self.root().join("out/people.ndjson")).unwrap_or_default();
        let id = |line: &str| serde_json::from_str::<Value>(line).expect("a record")["id"].as_str().map(str::to_owned);
        lines.lines().filter_map(id).collect()
    }
}

const PEOPLE: &str = "a,a@b.example,x,1.50\nb,b@b.example,x,2\nc,c@b.example,x,3\nd,d@b.example,x,4.25\n";

#[test]
fn consent_is_looked_up_in_files_and_streams() {
    for (from, name) in [("file: in/consents.csv", "csv"), ("stream: in.consents", "ndjson")] {
        let project = Project::new(
            "",
            &format!(
                "compliance:\n  purpose: marketing\n  consent: {{ lookup: {{ {from}, key: person, by: id }}, purposes: for, given: at, withdrawn: ended }}\n"
            ),
            PEOPLE,
        );
        let consents = |rows: &[[&str; 4]]| match name {
            "csv" => {
                let lines: String = rows.iter().map(|row| format!("{}\n", row.join(","))).collect();
                project.write("in/consents.csv", &format!("person,for,at,ended\n{lines}"));
            }
            _ => {
                let line = |[person, purpose, at, ended]: &[&str; 4]| {
                    format!("{{\"person\":\"{person}\",\"for\":\"{purpose}\",\"at\":\"{at}\",\"ended\":\"{ended}\"}}\n")
                };
                project.write("in/consents.ndjson", &rows.iter().map(line).collect::<String>());
            }
        };
        let rows = [
            ["a", "marketing", "2025-01-01", ""],
            ["b", "billing", "2025-01-01", ""],
            ["c", "marketing", "2025-01-01", "2025-02-01"],
        ];
        consents(&rows);
        let (exit, document) = project.sync(&[]);
        assert_eq!((exit, &document["totals"]["withheld"]), (0, &Value::from(3)), "{document}");
        assert_eq!(project.written(), ["a"]);
        let (_, said) = project.run(&["sync", "run", "people", "--full"]);
        assert!(said.contains("3 records: 2 there is no consent for the purpose, 1 consent was withdrawn"), "{said}");
        // Who agrees later comes along.
        consents(&[rows[0], rows[1], rows[2], ["c", "marketing", "2025-03-01", ""]]);
        project.sync(&["--full"]);
        assert_eq!(project.written(), ["a", "c"]);
        // What cannot be read stops the route: it is not known who agreed.
        consents(&[rows[0], ["d", "marketing", "lately", ""]]);
        let (exit, said) = project.run(&["sync", "run", "people", "--full"]);
        assert!(exit == 2 && said.contains("comply-gate") && said.contains("neither a date nor a moment"), "{said}");
        assert_eq!(project.written(), ["a", "c"]);
    }
}

#[test]
fn who_was_erased_does_not_come_back_and_leaves_no_letters() {
    let people =
        PEOPLE.replace("b@b.example,x,2", "b@b.example,x,two").replace("d@b.example,x,4.25", "d@b.example,x,four");
    let project = Project::new("", "compliance: { subject: id }\n", &people);
    let (exit, document) = project.sync(&[]);
    assert_eq!((exit, &document["totals"]["rejected"]), (0, &Value::from(2)), "{document}");
    for (person, letters) in [("a", 0), ("b", 1)] {
        let (exit, said) = project.told(&["audit", "keys", "shred", "-", "--reason", "asked"], person);
        assert_eq!(exit, 0, "{said}");
        assert_eq!(said.contains("1 dead letter was given up"), letters == 1, "{said}");
    }
    let (_, said) = project.run(&["sync", "dlq", "list"]);
    assert!(said.contains("people.csv:5") && !said.contains("people.csv:3"), "{said}");
    project.people(PEOPLE);
    let (exit, document) = project.sync(&["--full"]);
    assert_eq!((exit, &document["totals"]["withheld"]), (0, &Value::from(2)), "{document}");
    assert_eq!(project.written(), ["c", "d"]);
    assert_eq!(document["rulings"][0]["code"], "comply-erased");
}

#[test]
fn a_value_that_nobody_announced_stops_the_run_or_its_record() {
    let people = PEOPLE.replace("c@b.example,x", "c@b.example,card 4539 1488 0343 6467");
    let project = Project::new("compliance: { detect: { action: block } }\n", "", &people);
    let (exit, said) = project.run(&["sync", "run", "people"]);
    assert!(exit == 6 && said.contains("comply-blocked") && said.contains("people.csv:4"), "{said}");
    assert!(said.contains("`0000 0000 0000 0000`") && !said.contains("4539"), "{said}");
    assert!(project.written().is_empty());
    let parks = std::fs::read_to_string(project.root().join("connectors.yaml")).expect("read").replace("block", "park");
    project.write("connectors.yaml", &parks);
    let (exit, document) = project.sync(&[]);
    assert_eq!((exit, &document["totals"]["rejected"]), (0, &Value::from(1)), "{document}");
    assert_eq!(project.written(), ["a", "b", "d"]);
    let (_, listed) = project.run(&["-o", "json", "sync", "dlq", "list"]);
    let listed: Value = serde_json::from_str(&listed).expect("a document");
    let (_, said) = project.run(&["sync", "dlq", "show", listed["letters"][0]["id"].as_str().expect("an id")]);
    assert!(said.contains("holds what looks like `pci.pan` (card_number") && said.contains("[pci.pan]"), "{said}");
}

#[test]
fn a_class_is_set_aside_and_sums_are_kept() {
    let project = Project::new(
        "",
        "compliance: { protect: { pii.email: park }, totals: [amount] }\n",
        "a,,x,1.50\nb,b@b.example,x,2\n",
    );
    let (exit, document) = project.sync(&[]);
    assert_eq!((exit, &document["totals"]["rejected"]), (0, &Value::from(1)), "{document}");
    let sum = &document["sums"][0]["sums"][0];
    let told = ["read", "rejected", "written"].map(|name| sum[name].as_str().unwrap_or_default().to_owned());
    assert_eq!(told, ["3.50", "2", "1.50"], "{document}");
    let (_, said) = project.run(&["sync", "run", "people", "--full"]);
    assert!(said.contains("`amount`: 3.50 read = 1.50 written + 2 rejected"), "{said}");
    let (_, plan) = project.run(&["sync", "plan", "people"]);
    assert!(plan.contains("mail (park)") && plan.contains("sums       amount"), "{plan}");
    let (_, explained) = project.run(&["map", "explain", "people", "mail"]);
    assert!(explained.contains("pii.contact.email: park"), "{explained}");
}
