//! Codes of the area `store`.

use super::Code;

/// The state folder cannot be written.
pub static NOT_WRITABLE: Code = Code::new(
    "store-not-writable",
    "the state folder cannot be written",
    "consign keeps what it did in the folder `.consign` beside connectors.yaml. It must be able to write there, or in the folder named by `--state DIR` or CONSIGN_STATE: choose one that this user may write to. Commands that only read need no writable state.",
);
/// The state folder is on a network file system.
pub static NETWORK: Code = Code::new(
    "store-network",
    "the state folder is on a network file system",
    "Locks and shared memory cannot be trusted on network file systems, so two hosts could write at once and damage the state. Put the state on a local disk with `--state DIR` or CONSIGN_STATE.",
);
/// The database is damaged.
pub static DAMAGED: Code = Code::new(
    "store-damaged",
    "the state is damaged",
    "The file `consign.db` is not a database of consign, was cut short, or holds contradictions. Nothing was written. Keep a copy of the folder as it is, then restore the newest backup (`consign.db.v*.bak` is made before each schema upgrade, `consign sync state backup` at any time).",
);
/// The database was written by a newer program.
pub static NEWER: Code = Code::new(
    "store-newer",
    "the state was written by a newer consign",
    "The schema of the state is newer than this program knows. An older program must not write it. Use the newer program, or the backup that was made before the upgrade.",
);
/// The database is busy for too long.
pub static BUSY: Code = Code::new(
    "store-busy",
    "the state was busy for too long",
    "Another process held the state's write lock past the deadline. Each write takes milliseconds, so the holder is probably stopped or the disk hangs; the message names it.",
);
/// Any other trouble with the database.
pub static FAILED: Code = Code::new(
    "store-failed",
    "the state could not be read or written",
    "The embedded database reported an error. What was settled before is kept; a retry is safe.",
);
/// Another run holds the route.
pub static ROUTE_LOCKED: Code = Code::new(
    "store-route-locked",
    "another run holds the route",
    "Only one run of a route may be under way, so that no record is written twice and no older version over a newer one. The lock is freed by the operating system as soon as its holder ends, however it ends. A holder that is stopped is named by its process id: continue it (`kill -CONT`) or end it.",
);
/// A newer run took the route over.
pub static FENCED: Code = Code::new(
    "store-fenced",
    "a newer run has taken over",
    "This run was overtaken: another one began on the same route, with a higher fencing number. What this run had settled is kept, what it had in hand is left to the newer one.",
);
/// No such run.
pub static RUN_UNKNOWN: Code = Code::new(
    "store-run-unknown",
    "no such run",
    "No run has this id, or several begin with it. Give more of the id; `consign sync history` shows ids.",
);
/// No such dead letter.
pub static LETTER_UNKNOWN: Code = Code::new(
    "store-letter-unknown",
    "no such dead letter",
    "No dead letter has this id, or several begin with it. Give more of the id; `consign sync dlq list` shows ids.",
);
/// A dead letter whose content cannot be had.
pub static LETTER_SEALED: Code = Code::new(
    "store-letter-sealed",
    "the content of the dead letter cannot be read",
    "The content was too large to be kept whole, or the key it was sealed with is no longer in the key ring. Read the record from its source again: the letter names its file, line and byte.",
);
/// The key ring is unreadable.
pub static RING_DAMAGED: Code = Code::new(
    "store-keys-damaged",
    "the key ring is damaged",
    "The file `keys` in the state folder cannot be read as a key ring. Restore it from a backup. If it is lost, move it away: a new one is made, sealed dead letters stay closed, and a new audit log begins with a critical event.",
);

/// A target that knows less than the state.
pub static ADOPT_BEHIND: Code = Code::new(
    "store-adopt-behind",
    "the target knows less of the route than the state",
    "`consign sync state adopt` takes over what a target knows and the state does not. Here the target misses groups that this state has settled: it was restored from an older copy. Put it back, or write everything again with `--full`.",
);

/// A plan nobody saved here.
pub static PLAN_UNKNOWN: Code = Code::new(
    "store-plan-unknown",
    "this state did not make the plan",
    "Plans are approved and used in the state that made them: what is settled, and so what a run would do, is known there alone. The plan was made with another state (`--state`), or the file was written by hand.",
);
/// A plan twice.
pub static PLAN_USED: Code = Code::new(
    "store-plan-used",
    "the plan was used already",
    "A plan is for one run, and so is its approval. `consign sync show RUN` tells what came of it. Make a new plan for what is to be done now.",
);

/// A key that was not made.
pub static KEY_UNKNOWN: Code = Code::new(
    "store-key-unknown",
    "there is no such key",
    "connectors.yaml declares which keys there are and what they are for; `consign audit keys create NAME` makes one. Nothing is made by itself: a key that appears on its own would hide that the state, or the one before it, was lost.",
);
/// A key in a state that does not allow it.
pub static KEY_STATE: Code = Code::new(
    "store-key-state",
    "this cannot be done with the key as it is",
    "A version of a key is active, retired, compromised or destroyed, in this direction. One version protects at most; a rotation makes the next one and retires it. Only what is retired or compromised can be destroyed. A key keeps the purpose it was made for.",
);
/// A key that still seals something.
pub static KEY_IN_USE: Code = Code::new(
    "store-key-in-use",
    "the key still seals something in the state",
    "Keys of subjects and values of the vault are sealed under this version. Destroying it would destroy them. `consign audit keys reencrypt NAME` brings them under the newest version first. What lies encrypted in targets the state does not know: a mapping with `reencrypt(value, \"NAME\")` brings that up to date.",
);
/// The root of a key is not at hand.
pub static ROOT_MISSING: Code = Code::new(
    "store-root-missing",
    "what seals the key is not at hand",
    "A key lies in the state sealed by its root: the secret that `root` names in connectors.yaml, or the key ring of the state's folder. What is there now is another one. Nothing falls back: give the secret it had, or bring the key ring back from a backup. To change the root, name the new one first and the old one behind it, and run `consign audit keys reencrypt NAME`.",
);
/// The root of a key is too short.
pub static ROOT_WEAK: Code = Code::new(
    "store-root-weak",
    "what seals the key is too short",
    "The secret that `root` of a key names must hold at least 16 characters, better 32 random bytes as text: `openssl rand -base64 32` makes one.",
);

/// What was kept of a group in doubt cannot be opened.
pub static KEPT_SEALED: Code = Code::new(
    "store-kept-sealed",
    "what was sent and never answered cannot be opened",
    "A group of records is kept, sealed, from before it is sent until it is settled, so that after a crash the same requests can be made again. The key it was sealed with is not in the key ring of the state, or it was altered. Restore the key ring (the file `keys`) from a backup; or compare the target by hand and drop it with `consign sync state reset`.",
);
/// Tokens were replaced meanwhile.
pub static TOKENS_CHANGED: Code = Code::new(
    "store-tokens-changed",
    "what was obtained by signing in was replaced by somebody else",
    "Two processes signed in to one account at the same time, although each takes the account's lock first: the lock file was removed, or the state folder lies where locks do not hold. Run again; if it comes back, look at the file system.",
);

/// The written-out list.
pub const ALL: &[&Code] = &[
    &KEPT_SEALED,
    &NOT_WRITABLE,
    &NETWORK,
    &DAMAGED,
    &NEWER,
    &BUSY,
    &FAILED,
    &ROUTE_LOCKED,
    &FENCED,
    &RUN_UNKNOWN,
    &LETTER_UNKNOWN,
    &LETTER_SEALED,
    &RING_DAMAGED,
    &ADOPT_BEHIND,
    &PLAN_UNKNOWN,
    &PLAN_USED,
    &KEY_UNKNOWN,
    &KEY_STATE,
    &KEY_IN_USE,
    &ROOT_MISSING,
    &ROOT_WEAK,
    &TOKENS_CHANGED,
];
