//! Codes of the area `audit`.

use super::Code;

/// The chain does not verify.
pub static TAMPERED: Code = Code::new(
    "audit-tampered",
    "the audit log fails verification",
    "An event was altered, removed, inserted or moved, or the end of the log was cut off, after it was recorded. The first bad event is named; everything before it is as it was recorded. Keep a copy of the state folder as it is, find out who had access to it, and compare with backups. `consign audit verify --key @FILE` with the log's first key makes every check.",
);
/// A sealed segment of the log is not where it was.
pub static SEGMENT_GONE: Code = Code::new(
    "audit-segment-missing",
    "a sealed segment of the audit log is missing",
    "The oldest events of the log are in files of their own, in the folder `segments` of the state; one of them is not there. Put it back from a backup of the folder: `consign audit verify` then says whether it is the one that was sealed. Without it its events are lost to everybody but those who hold proofs or exports of them.",
);
/// The key that wraps the chain's key is not given.
pub static KEY_MISSING: Code = Code::new(
    "audit-key-missing",
    "the audit key is not set",
    "The current key of the audit chain is wrapped by CONSIGN_AUDIT_KEY, which is not set. Nothing was recorded and nothing moved. Set it to the value it had. If that value is lost, set a new one: the old log is then closed, a new one begins with a critical event that names the old log's last code, and the old log can still be verified with its first key.",
);
/// The key that wraps the chain's key is too short.
pub static KEY_WEAK: Code = Code::new(
    "audit-key-weak",
    "the audit key is too short",
    "CONSIGN_AUDIT_KEY must hold at least 16 characters, better 32 random bytes as text: `openssl rand -base64 32` makes one.",
);
/// A first key that belongs to another log.
pub static KEY_OTHER: Code = Code::new(
    "audit-key-other",
    "the key belongs to another log",
    "The first key that was given is not the one this log began with. Each log has a first key of its own; its public id stands in the log's first event and beside the key where it was shown.",
);
/// No such event.
pub static EVENT_UNKNOWN: Code = Code::new(
    "audit-event-unknown",
    "no such event",
    "No event of the log has this id, or several begin with it. Give more of the id; `consign audit list` shows ids.",
);

/// A rule over events ended a run.
pub static RULE_FAILED: Code = Code::new(
    "audit-rule-failed",
    "a rule over events ended the run",
    "A rule of `audit: { rules }` fired on an event of this run, and `fail` is among its actions. What was settled before stays settled; the run can be started again once the reason is gone. `consign audit list --action rule.fired` shows what it fired on.",
);
/// A rule's own test does not pass.
pub static RULE_TEST: Code = Code::new(
    "audit-rule-test",
    "a test of a rule over events fails",
    "The rule fires where its test says that it does not, or the other way round. Mend the rule or the test; `consign audit rules test` runs them.",
);
/// An alert could not be sent.
pub static ALERT_FAILED: Code = Code::new(
    "audit-alert-failed",
    "an alert could not be sent",
    "Whoever was to be told could not be reached, or refused. The alert is kept and tried again with later commands, after one minute, then after longer pauses up to a day, and is given up after eight tries; each failure is an event. `consign audit alerts list` shows what waits, `consign audit alerts test NAME` sends one now.",
);
/// A place that alerts cannot go to.
pub static ALERT_PLACE: Code = Code::new(
    "audit-alert-place",
    "the place of an alert cannot be used",
    "The address, the mail server or the name of the command is not one that alerts can go to. See `audit: { alerts }` in the reference.",
);
/// Where an export goes is none, or does not take it.
pub static EXPORT_PLACE: Code = Code::new(
    "audit-export-place",
    "the place of an export cannot be used",
    "Exports go to a file, to standard output or, as syslog, to `tcp://HOST:PORT` or `tls://HOST:PORT`. The server could not be reached, is not who its certificate says, or ended the connection.",
);
/// An export is not what its manifest says.
pub static EXPORT_BAD: Code = Code::new(
    "audit-export-bad",
    "the export does not verify",
    "The manifest was not signed by the key that was given, or the file is not the one it was signed over: something was changed, added or left out after the export.",
);
/// An event of which nothing but its place is left, or that must stay.
pub static EVENT_GONE: Code = Code::new(
    "audit-event-gone",
    "the event cannot be proved or redacted",
    "Its body was redacted, it is in a log that was closed, or it is one of those that hold the log together and are never redacted. `consign audit show` tells what is left of it.",
);
/// No signing key yet.
pub static NO_SIGNER: Code = Code::new(
    "audit-no-signer",
    "the audit log has no signing key yet",
    "Logs that an older consign began get their signing key with the next event that is recorded. `consign audit add` records one.",
);
/// A checkpoint that is none of this log's.
pub static CHECKPOINT_BAD: Code = Code::new(
    "audit-checkpoint-bad",
    "the checkpoint is not one of this log",
    "The file is no signed checkpoint, is signed by another key, or belongs to another log. It says nothing of this log, so nothing was verified with it. Give the file as it was carried away, and the key that stood beside it then.",
);
/// A proof that does not hold.
pub static PROOF_BAD: Code = Code::new(
    "audit-proof-bad",
    "the proof does not hold",
    "The event, the path to the root, or the signature of the checkpoint was changed, or the key is not that of the log. What the proof claims is not shown by it.",
);
/// A key that cannot be read.
pub static KEY_BAD: Code = Code::new(
    "audit-key-bad",
    "the key cannot be read",
    "A key that verifies checkpoints is one line: name, id and base64, with `+` between them. `consign audit public-key` prints that of the log; it also stands in the log's first event.",
);
/// A checkpoint that could not be carried away.
pub static CARRY_FAILED: Code = Code::new(
    "audit-carry-failed",
    "a checkpoint could not be carried away",
    "The checkpoint was signed and is kept in the state, but could not be written to one of the places asked for. Run `consign audit checkpoint` again when it can be reached; nothing is lost meanwhile, only what happens until then is not yet witnessed.",
);
/// A note by which no key hands over.
pub static HANDOVER_BAD: Code = Code::new(
    "audit-handover-bad",
    "the note hands no key over",
    "A note by which the key of a log's checkpoints hands over to a newer one names both and is signed by both. This one is none, or was changed: whom it names is not to be trusted because of it. `consign audit public-key --handovers` prints those of the log.",
);
/// A legal hold is in the way.
pub static HELD: Code = Code::new(
    "audit-held",
    "a legal hold is in the way",
    "Nothing from the beginning of a legal hold on is removed until it is released: `consign audit hold list`, `consign audit hold release NAME --reason …`.",
);
/// Nothing says how long events are kept.
pub static NO_RETENTION: Code = Code::new(
    "audit-no-retention",
    "nothing says how long events are kept",
    "Events are kept for ever unless `audit: { retention: 400d }` in connectors.yaml, AUDIT_RETENTION_DAYS, AUDIT_MAX_EVENTS or an option of `consign audit prune` says otherwise. Standards that the project is held to keep events longer where they ask for it.",
);
/// A witness refused.
pub static WITNESS_REFUSED: Code = Code::new(
    "audit-witness-refused",
    "the witness did not cosign",
    "The witness does not know this log or its key, or what it saw of the log before is not the beginning of what it was shown now. The second is what a witness is for: find out who rewrote the log or put an older copy in its place.",
);
/// The file of approvals cannot be read.
pub static APPROVALS_BAD: Code = Code::new(
    "audit-approvals-bad",
    "the file of approvals cannot be read",
    "The file that `compliance: { approvals }` names is a YAML list: each entry has `hash` (of a configuration or mapping, as `consign sync plan` and the log show it), `ticket`, `author`, `approver`, `releaser` and `at` (a moment of RFC 3339). A check that cannot read it would say that nothing was approved of, so it stops.",
);
/// No such standard.
pub static STANDARD_UNKNOWN: Code = Code::new(
    "audit-standard-unknown",
    "there is no such standard",
    "The name is none of the built-in standards (pci_dss, hipaa, gdpr, ccpa, sox, soc2, iso27001) and no file of `compliance: { standards_dir }` has it. Nothing can be said of a standard that nobody wrote down.",
);
/// A control that is asked about is in no standard.
pub static CONTROL_UNKNOWN: Code = Code::new(
    "audit-control-unknown",
    "there is no such control",
    "No standard that was looked in has a control or a check of that id. Evidence is gathered for one control at a time, by its id as the standard writes it (`3.5.1`), with the standard before it where two have the same (`pci_dss/3.5.1`), or by the id of a check (`P17`).",
);
/// A standard of the user's own cannot be read.
pub static STANDARD_BAD: Code = Code::new(
    "audit-standard-bad",
    "a standard of your own cannot be read",
    "A file of `compliance: { standards_dir }` is YAML with `standard`, `title`, `label`, `version`, `source` and `controls`; each control has `ids`, `title`, `severity`, `on`, `mark` and `checks`, each with the id of a check (`P17`) and what is asked of it (`with`). The built-in ones are examples.",
);

/// The written-out list.
pub const ALL: &[&Code] = &[
    &TAMPERED,
    &SEGMENT_GONE,
    &HANDOVER_BAD,
    &KEY_MISSING,
    &KEY_WEAK,
    &KEY_OTHER,
    &EVENT_UNKNOWN,
    &EVENT_GONE,
    &NO_SIGNER,
    &CHECKPOINT_BAD,
    &PROOF_BAD,
    &KEY_BAD,
    &CARRY_FAILED,
    &HELD,
    &NO_RETENTION,
    &WITNESS_REFUSED,
    &APPROVALS_BAD,
    &STANDARD_UNKNOWN,
    &STANDARD_BAD,
    &RULE_FAILED,
    &RULE_TEST,
    &ALERT_FAILED,
    &ALERT_PLACE,
    &EXPORT_PLACE,
    &EXPORT_BAD,
    &CONTROL_UNKNOWN,
];
