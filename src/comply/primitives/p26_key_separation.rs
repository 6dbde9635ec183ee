//! P26: what seals keys lies apart.

use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static KEY_SEPARATION: Primitive = Primitive {
    id: "P26",
    name: "key_separation",
    about: "Keys are sealed by something that lies neither in the configuration nor beside the sealed keys or the data.",
    moments: &[Moment::Static, Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    for key in &subject.project.compliance.keys {
        let object = format!("key {}", key.name);
        let literal = key.roots.iter().any(|root| !root.value.has_reference());
        let note = if literal {
            notes.fail(object, "what seals it is written in the configuration")
        } else if key.roots.is_empty() && asked.wants("sealed") {
            notes.fail(object, "the key ring that seals it lies in the folder of the state, beside what it seals")
        } else if key.roots.is_empty() {
            notes.pass(object, "what seals it lies in the folder of the state, apart from the data")
        } else {
            notes.pass(object, "what seals it is referred to, and lies apart")
        };
        note.at(&key.place).fix("give the key a `root: ${env:…}` or `${file:…}` that lies elsewhere");
    }
    for file in subject.facts.files.iter().filter(|file| file.what == "key") {
        let object = format!("file {}", file.path);
        let beside = file
            .beside
            .as_deref()
            .filter(|place| asked.wants("sealed") || !matches!(*place, "state" | "connectors.yaml"));
        let note = if file.mode & 0o077 != 0 {
            notes.fail(object, format!("a key with mode {:04o}: others can read it", file.mode & 0o7777))
        } else if let Some(beside) = beside {
            notes.fail(object, format!("it lies beside `{beside}`"))
        } else {
            notes.pass(object, "it is closed to others and lies apart")
        };
        note.fix("chmod 0600, and move it to a folder of its own");
    }
}
