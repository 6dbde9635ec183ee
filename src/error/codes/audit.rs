//! Codes of the area `audit`.

use super::Code;

/// The chain does not verify.
pub static TAMPERED: Code = Code::new(
    "audit-tampered",
    "the audit log fails verification",
    "An event was altered, removed, inserted or moved, or the end of the log was cut off, after it was recorded. The first bad event is named; everything before it is as it was recorded. Keep a copy of the state folder as it is, find out who had access to it, and compare with backups. `consign audit verify --key @FILE` with the log's first key makes every check.",
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

/// The written-out list.
pub const ALL: &[&Code] = &[&TAMPERED, &KEY_MISSING, &KEY_WEAK, &KEY_OTHER, &EVENT_UNKNOWN];
