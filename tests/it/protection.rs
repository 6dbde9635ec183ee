//! Keys and what is protected with them, through the whole program: nothing in clear, everything back
//! where it may come back, and nothing half done when the program is killed.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::support::{consign, files, text};

const ROOT: &str = "a-root-secret-of-some-length-0001";
const OTHER_ROOT: &str = "a-root-secret-of-some-length-0002";

/// Values that must be nowhere in clear.
const PLANTED: &[&str] =
    &["anna.planted@b.example", "078-05-1120", "4111111111111111", "12 Planted Street", "Zoë Planted"];

struct Project {
    folder: tempfile::TempDir,
}

const CONNECTORS: &str = "version: 1
connectors:
  in:
    use: file
    with: { path: in }
    streams:
      people: { path: people.csv, format: csv, fields: { id: int, name: { type: string, class: pii.name }, mail: { type: string, class: pii.email }, ssn: { type: string, class: pii.ssn }, card: { type: string, class: pci.pan }, street: { type: string, class: pii.address } } }
  lake:
    use: file
    with: { path: lake }
    clearance: []
    streams:
      people: { path: people.ndjson, format: ndjson, fields: { id: int, name: string, mail: string, ssn: string, card: string, street: string, joined: string } }
  back:
    use: file
    with: { path: back }
    clearance: [pii, pci.pan]
    streams:
      people: { path: people.ndjson, format: ndjson }
      again: { path: again.ndjson, format: ndjson }
compliance:
  standards: [gdpr, pci_dss]
  keys:
    names: { purpose: token }
    mail: { purpose: encrypt, root: ROOTS, class: pii.email, decrypt: [answers] }
    links: { purpose: join, class: pii.email, decrypt: [answers] }
    cards: { purpose: format, class: pci.pan, decrypt: [answers] }
    ssns: { purpose: vault }
    people: { purpose: subject, class: pii.address, decrypt: [answers] }
";

const PROTECT: &str = "version: 1
name: protect
from: in.people
to: lake.people
when: '!is_erased(record.id)'
fields:
  - { target: id, source: id }
  - { target: name, source: name, transform: 'tokenize(value, \"names\")' }
  - { target: mail, source: mail, transform: 'encrypt(value, \"mail\")' }
  - { target: joined, source: mail, transform: 'encrypt_joinable(value, \"links\")' }
  - { target: ssn, source: ssn, transform: 'random_token(value, \"ssns\")' }
  - { target: card, source: card, transform: 'fpe_encrypt(value, \"cards\")' }
  - { target: street, source: street, transform: 'encrypt_for(value, \"people\", record.id)' }
";

const ANSWERS: &str = "version: 1
name: answers
from: lake.people
to: back.people
fields:
  - { target: id, source: id }
  - { target: mail, source: mail, transform: 'decrypt(value, \"mail\")' }
  - { target: joined, source: joined, transform: 'decrypt(value, \"links\")' }
  - { target: card, source: card, transform: 'fpe_decrypt(value, \"cards\")' }
  - { target: street, source: street, transform: 'decrypt(value, \"people\")' }
";

const NEWEST: &str = "version: 1
name: newest
from: lake.people
to: back.again
fields:
  - { target: id, source: id }
  - { target: mail, source: mail, transform: 'reencrypt(value, \"mail\")' }
";

impl Project {
    fn new() -> Self {
        let made = Self { folder: tempfile::tempdir().expect("a folder") };
        for folder in ["in", "lake", "back", "mappings"] {
            std::fs::create_dir(made.root().join(folder)).expect("a folder");
        }
        made.roots("\"${env:ROOT}\"");
        made.write("mappings/protect.yaml", PROTECT);
        made.write("mappings/answers.yaml", ANSWERS);
        made.write("mappings/newest.yaml", NEWEST);
        made.people(&[(1, PLANTED[0]), (2, "berta@b.example")]);
        made
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.root().join(name), text).expect("written");
    }

    fn roots(&self, roots: &str) {
        self.write("connectors.yaml", &CONNECTORS.replace("ROOTS", roots));
    }

    fn people(&self, people: &[(u32, &str)]) {
        let mut text = "id,name,mail,ssn,card,street\n".to_owned();
        for (id, mail) in people {
            text.push_str(&format!("{id},{},{mail},{},{},{}\n", PLANTED[4], PLANTED[1], PLANTED[2], PLANTED[3]));
        }
        self.write("in/people.csv", &text);
    }

    fn run_with(&self, words: &str, environment: &[(&str, &str)], input: &str) -> Output {
        let mut command = consign(self.root());
        let mut child = command
            .args(words.split_whitespace())
            .env("ROOT", ROOT)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        // A command that reads nothing may have ended already.
        let _ = child.stdin.take().expect("standard input").write_all(input.as_bytes());
        child.wait_with_output().expect("ended")
    }

    #[track_caller]
    fn ok(&self, words: &str) -> String {
        self.ok_with(words, &[], "")
    }

    #[track_caller]
    fn ok_with(&self, words: &str, environment: &[(&str, &str)], input: &str) -> String {
        let output = self.run_with(words, environment, input);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success(), "{words}: {said}");
        said
    }

    /// The exit code and all that was said.
    fn fails(&self, words: &str) -> (i32, String) {
        let output = self.run_with(words, &[], "");
        assert!(!output.status.success(), "{words}");
        (output.status.code().expect("a code"), text(&output.stdout) + &text(&output.stderr))
    }

    fn made(&self) {
        for name in ["names", "mail", "links", "cards", "ssns", "people"] {
            self.ok(&format!("audit keys create {name}"));
        }
    }

    /// Records of a target, by id.
    fn records(&self, file: &str) -> BTreeMap<i64, Value> {
        let text = std::fs::read_to_string(self.root().join(file)).unwrap_or_default();
        let records = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a record"));
        records.map(|record| (record["id"].as_i64().expect("an id"), record)).collect()
    }

    #[track_caller]
    fn nothing_in_clear(&self) {
        for file in files(self.root()) {
            if file.starts_with(self.root().join("in")) || file.starts_with(self.root().join("back")) {
                continue;
            }
            let bytes = std::fs::read(&file).expect("read");
            for planted in PLANTED.iter().chain(&[ROOT, OTHER_ROOT]) {
                let found = bytes.windows(planted.len()).any(|window| window == planted.as_bytes());
                assert!(!found, "{planted} stands in {}", file.display());
            }
        }
    }

    /// Versions of a key with their states.
    fn versions(&self, name: &str) -> Vec<(u64, String, u64)> {
        let output = self.ok(&format!("-o json audit keys show {name}"));
        let document: Value = serde_json::from_str(&output).expect("a document");
        let of = |row: &Value| {
            (
                row["version"].as_u64().expect("a version"),
                row["state"].as_str().expect("a state").to_owned(),
                row["seals"].as_u64().expect("a number"),
            )
        };
        document["versions"].as_array().expect("versions").iter().map(of).collect()
    }
}

#[test]
fn values_leave_protected_and_come_back_where_they_may() {
    let project = Project::new();
    // A check needs no key, no secret and no state.
    let checked = consign(project.root()).args(["map", "check"]).output().expect("checked");
    assert!(checked.status.success(), "{}", text(&checked.stdout) + &text(&checked.stderr));
    assert!(!project.root().join(".consign").exists());
    // Without its keys nothing runs: none is made by itself.
    let (code, said) = project.fails("sync run protect");
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("expr-key") && said.contains("consign audit keys create names"), "{said}");
    project.made();
    assert!(project.ok("sync run protect").contains("2"));
    project.nothing_in_clear();
    let lake = project.records("lake/people.ndjson");
    assert_eq!(lake.len(), 2);
    let field = |id: i64, name: &str| lake[&id][name].as_str().expect("text").to_owned();
    assert_eq!(field(1, "name"), field(2, "name"));
    assert_ne!(field(1, "mail"), field(2, "mail"));
    assert!(field(1, "mail").starts_with("cs1:x:") && field(1, "joined").starts_with("cs1:s:"));
    assert_eq!((field(1, "ssn").len(), field(1, "ssn") == field(2, "ssn")), (24, true));
    assert!(field(1, "card").len() == 16 && field(1, "card").bytes().all(|b| b.is_ascii_digit()));
    assert!(field(1, "street").starts_with("cs1:p:people."));
    assert_ne!(field(1, "street"), field(2, "street"));
    project.ok("sync run answers");
    let back = project.records("back/people.ndjson");
    assert_eq!((back[&1]["mail"].as_str(), back[&1]["joined"].as_str()), (Some(PLANTED[0]), Some(PLANTED[0])));
    assert_eq!((back[&1]["card"].as_str(), back[&1]["street"].as_str()), (Some(PLANTED[2]), Some(PLANTED[3])));
    // The keys of a run are on record, and that it protects what is the same in the same way.
    let events = project.ok("-o json audit list --action run.started --limit 0");
    assert!(events.contains("run.started"), "{events}");
    project.ok("sync run protect --full");
    assert_eq!(project.records("lake/people.ndjson"), lake, "read again, it is the same");
    project.ok("audit verify");
}

#[test]
fn who_may_not_decrypt_is_told_by_a_check() {
    let project = Project::new();
    project.write("mappings/answers.yaml", &ANSWERS.replace("name: answers", "name: nosy"));
    let (code, said) = project.fails("map check");
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("`nosy` may not decrypt with the key `mail`"), "{said}");
    // And where it may, what comes back has its class.
    project.write("mappings/answers.yaml", &ANSWERS.replace("to: back.people", "to: lake.people"));
    let (code, said) = project.fails("map check");
    assert!(code != 0 && said.contains("`pii.contact.email` reaches `lake`"), "{said}");
}

#[test]
fn nothing_falls_back_when_a_root_is_wrong() {
    let project = Project::new();
    project.made();
    let wrong = |environment: &[(&str, &str)]| {
        let output = project.run_with("sync run protect", environment, "");
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
        text(&output.stdout) + &text(&output.stderr)
    };
    assert!(wrong(&[("ROOT", OTHER_ROOT)]).contains("is sealed by another root"));
    assert!(wrong(&[("ROOT", "short")]).contains("at least 16 characters"));
    assert!(wrong(&[("ROOT", "")]).contains("ROOT is empty"));
    // A file that others can read is no place for a key.
    project.write("root.key", ROOT);
    project.roots("\"${file:root.key}\"");
    let (code, said) = project.fails("sync run protect");
    assert!(code == 2 && said.contains("open to others"), "{said}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let closed = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(project.root().join("root.key"), closed).expect("closed");
        project.ok("sync run protect");
    }
    // A literal is a finding, and its line is not shown.
    project.roots(&format!("\"{OTHER_ROOT}\""));
    let (_, said) = project.fails("map check");
    assert!(said.contains("stands here in clear") && !said.contains(OTHER_ROOT), "{said}");
}

#[test]
fn a_root_is_replaced_by_naming_both() {
    let project = Project::new();
    project.made();
    project.ok("sync run protect");
    project.roots("[\"${env:NEW_ROOT}\", \"${env:ROOT}\"]");
    let both = [("NEW_ROOT", OTHER_ROOT)];
    project.ok_with("sync run answers", &both, "");
    assert!(project.ok_with("audit keys reencrypt mail", &both, "").contains("1 version under the root in use"));
    project.roots("\"${env:NEW_ROOT}\"");
    project.ok_with("sync run answers --full", &[("NEW_ROOT", OTHER_ROOT), ("ROOT", "")], "");
    assert_eq!(project.records("back/people.ndjson")[&1]["mail"].as_str(), Some(PLANTED[0]));
}

#[test]
fn a_rotated_key_opens_what_it_sealed_until_it_is_destroyed() {
    let project = Project::new();
    project.made();
    project.ok("sync run protect");
    assert!(project.ok("audit keys rotate mail").contains("version 2"));
    assert_eq!(project.versions("mail"), [(1, "retired".into(), 0), (2, "active".into(), 0)]);
    project.ok("sync run answers");
    assert_eq!(project.records("back/people.ndjson")[&1]["mail"].as_str(), Some(PLANTED[0]));
    // What lies in a target is brought up to date without being seen.
    project.ok("sync run newest");
    let (old, new) = (project.records("lake/people.ndjson"), project.records("back/again.ndjson"));
    let key = |record: &Value| record["mail"].as_str().expect("text").split(':').nth(2).expect("an id").to_owned();
    assert_ne!(key(&old[&1]), key(&new[&1]));
    // The version in use cannot be destroyed, a retired one can, and then nothing of it opens.
    let (code, said) = project.fails("audit keys destroy mail --version 2 --reason test");
    assert!(code == 2 && said.contains("protects"), "{said}");
    project.ok("audit keys destroy mail --version 1 --reason test");
    let (code, said) = project.fails("sync run answers --full");
    assert!(code == 5 && said.contains("was destroyed"), "{code} {said}");
    let (code, said) = project.fails("audit keys destroy people --version 1 --reason test");
    assert!(code == 2, "{said}");
    project.ok("audit keys rotate people");
    let (code, said) = project.fails("audit keys destroy people --version 1 --reason test");
    assert!(code == 2 && said.contains("seals 2 entries"), "{said}");
    assert!(project.ok("audit keys reencrypt people").contains("2 entries under the newest"));
    project.ok("audit keys destroy people --version 1 --reason test");
    // Streets were sealed with keys that only changed their own seal.
    let (_, said) = project.fails("sync run answers --full");
    assert!(!said.contains("street"), "{said}");
    project.ok("audit verify");
}

#[test]
fn a_key_from_outside_makes_what_others_make() {
    let project = Project::new();
    let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    project.ok_with("audit keys create names --from -", &[], &format!("{hex}\n"));
    let (code, said) = project.fails(&format!("audit keys create links --from {hex}"));
    assert!(code == 2 && said.contains("command line"), "{said}");
    let output = project.run_with("audit keys create links --from -", &[], hex);
    assert!(text(&output.stderr).contains("the same key is there already"), "{}", text(&output.stderr));
    project.write(
        "mappings/protect.yaml",
        "version: 1\nname: protect\nfrom: in.people\nto: lake.people\nfields:\n  - { target: id, source: id }\n  - { target: name, source: name, transform: 'hmac_sha256(value, \"names\")' }\n",
    );
    project.ok("sync run protect");
    // By Python: hmac.new(bytes(range(32)), 'Zoë Planted'.encode(), 'sha256').hexdigest()
    let expected = "42c7559c43513e060230f982bdb73bd452c6dcdebb6e6605a568157d49404d67";
    assert_eq!(project.records("lake/people.ndjson")[&1]["name"].as_str(), Some(expected));
}

#[test]
fn an_erased_subject_is_gone_and_stays_away() {
    let project = Project::new();
    project.made();
    project.ok("sync run protect");
    let (code, said) = project.fails("audit keys shred 1 --reason asked");
    assert!(code == 2 && said.contains("command line"), "{said}");
    let said = project.ok_with("audit keys shred - --reason asked", &[], "1\n");
    assert!(said.contains("1 key destroyed"), "{said}");
    // What was encrypted for it opens no more, what was for others does.
    let (code, said) = project.fails("sync run answers");
    assert!(code == 5 && said.contains("the subject was erased"), "{code} {said}");
    let back = project.records("back/people.ndjson");
    assert_eq!(back.keys().collect::<Vec<_>>(), [&2]);
    // A full sync does not bring it back.
    project.ok("sync run protect --full");
    assert_eq!(project.records("lake/people.ndjson").keys().collect::<Vec<_>>(), [&2]);
    // Nor does a mapping that forgets to ask.
    let careless = std::fs::read_to_string(project.root().join("mappings/protect.yaml")).expect("read");
    project.write("mappings/protect.yaml", &careless.replace("when: '!is_erased(record.id)'\n", ""));
    let (code, said) = project.fails("sync run protect --full");
    assert!(code == 5 && said.contains("erased"), "{code} {said}");
    assert_eq!(project.records("lake/people.ndjson").keys().collect::<Vec<_>>(), [&2]);
    let events = project.ok("-o json audit list --action subject.erased --limit 0");
    assert!(events.contains("subject.erased"), "{events}");
    project.ok("audit verify");
}

/// Killed at each step of each change of keys, the state is as before or as after, the chain verifies, and
/// the same command brings it to its end.
#[test]
fn keys_survive_being_killed() {
    let commands: &[(&str, &[&str])] = &[
        ("audit keys rotate people", &["inside_rotate"]),
        ("audit keys reencrypt people", &["inside_reseal", "before_reencrypt", "inside_reencrypt", "after_reencrypt"]),
        ("audit keys reencrypt ssns", &["inside_reseal", "before_reencrypt", "inside_reencrypt", "after_reencrypt"]),
        ("audit keys retire mail --version 1 --reason test", &["inside_key_state"]),
        ("audit keys destroy people --version 1 --reason test", &["inside_key_state", "after_scrub"]),
        ("audit keys shred - --reason test", &["inside_shred", "after_shred", "after_scrub"]),
    ];
    let project = Project::new();
    project.made();
    project.ok("sync run protect");
    project.ok("audit keys rotate ssns");
    for (command, points) in commands {
        for point in *points {
            let failpoint = [("CONSIGN_FAILPOINT", *point)];
            let output = project.run_with(command, &failpoint, "2\n");
            assert_eq!(output.status.code(), None, "{command} at {point}: {}", text(&output.stderr));
            project.ok("audit verify");
            let protecting = |name: &str| project.versions(name).iter().filter(|one| one.1 == "active").count();
            assert_eq!((protecting("people"), protecting("ssns")), (1, 1), "{command} at {point}");
        }
        // What was done when it was killed is no error the second time.
        let output = project.run_with(command, &[], "2\n");
        assert!(output.status.success(), "{command}: {}", text(&output.stderr));
        project.nothing_in_clear();
    }
    assert_eq!(project.versions("people"), [(1, "destroyed".into(), 0), (2, "active".into(), 1)]);
    assert_eq!(project.versions("ssns"), [(1, "retired".into(), 0), (2, "active".into(), 1)]);
    // The other subject's key came through all of it.
    project.ok("audit verify");
    project.write(
        "mappings/answers.yaml",
        "version: 1\nname: answers\nfrom: lake.people\nto: back.people\nfields:\n  - { target: id, source: id }\n  - { target: street, source: street, transform: 'decrypt(value, \"people\")' }\n",
    );
    let (_, said) = project.fails("sync run answers");
    assert!(said.contains("the subject was erased"), "{said}");
    assert_eq!(project.records("back/people.ndjson")[&1]["street"].as_str(), Some(PLANTED[3]));
}

/// Killed while it protects, a run never has sent what it cannot open: the key of each subject is kept
/// before anything sealed with it leaves.
#[test]
fn a_run_that_is_killed_has_sent_nothing_that_cannot_be_opened() {
    for point in ["before_intent", "after_intent", "mid_write", "after_write", "inside_settle", "after_settle"] {
        let project = Project::new();
        project.made();
        let people: Vec<(u32, String)> = (1..=200).map(|id| (id, format!("p{id}@b.example"))).collect();
        let people: Vec<(u32, &str)> = people.iter().map(|(id, mail)| (*id, mail.as_str())).collect();
        project.people(&people);
        let output = project.run_with("sync run protect", &[("CONSIGN_FAILPOINT", point)], "");
        assert_eq!(output.status.code(), None, "{point}: {}", text(&output.stderr));
        project.ok("sync run protect");
        assert_eq!(project.records("lake/people.ndjson").len(), 200, "{point}");
        project.ok("sync run answers");
        let back = project.records("back/people.ndjson");
        for (id, mail) in people {
            assert_eq!(back[&i64::from(id)]["mail"].as_str(), Some(mail), "{point}");
            assert_eq!(back[&i64::from(id)]["street"].as_str(), Some(PLANTED[3]), "{point}");
        }
        project.ok("audit verify");
    }
}
