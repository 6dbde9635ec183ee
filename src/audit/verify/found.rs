//! What a verification finds: its checks, what became of each, and what the first fault looks like.

use crate::audit::chain::Hash;

/// The checks, in the order in which they are made of each event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// Numbers are 1, 2, 3 …, times never go back.
    Order,
    /// The hash of each body is its leaf; the body can be read and agrees with the columns beside it.
    Bodies,
    /// Epochs follow each other, sealed in time, with the right count and running hash.
    Epochs,
    /// The codes of sealed epochs.
    SealedCodes,
    /// The codes of the open epoch.
    OpenCodes,
    /// Every body that is gone was removed by an event that says so.
    Redactions,
    /// The stored nodes and the frontier of the Merkle tree are those of the leaves.
    Tree,
    /// The checkpoints at hand were signed over this history.
    Checkpoints,
    /// The head names the last event, the size and the running hash.
    Head,
    /// The code of the head, which covers every leaf.
    HeadCode,
    /// The files of sealed segments are there, and those whose hashes the log tells.
    Segments,
}

impl Test {
    /// Every one, in order.
    pub const ALL: [Self; 11] = [
        Self::Order,
        Self::Bodies,
        Self::Epochs,
        Self::SealedCodes,
        Self::OpenCodes,
        Self::Redactions,
        Self::Tree,
        Self::Checkpoints,
        Self::Head,
        Self::HeadCode,
        Self::Segments,
    ];

    /// Its name, as shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Bodies => "bodies",
            Self::Epochs => "epochs",
            Self::SealedCodes => "codes of sealed epochs",
            Self::OpenCodes => "codes of the open epoch",
            Self::Redactions => "redactions",
            Self::Tree => "tree",
            Self::Checkpoints => "checkpoints",
            Self::Head => "head",
            Self::HeadCode => "code of the head",
            Self::Segments => "segments",
        }
    }
}

/// What became of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// It held for every event.
    Passed,
    /// It found the first bad event.
    Failed,
    /// It held as far as it came: another check failed first.
    UntilFault,
    /// It could not be made.
    NotMade(&'static str),
}

/// One check and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Which.
    pub test: Test,
    /// What became of it.
    pub made: Made,
}

/// What kind of tampering a fault looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tampering {
    /// An event was changed after it was recorded.
    Edited,
    /// Events were taken out.
    Removed,
    /// Events were put in, doubled, or moved to another place.
    Moved,
    /// A body was removed without an event that says so.
    Erased,
    /// The end was cut off.
    CutOff,
    /// Events were written, or written again, by somebody without the log's keys.
    Forged,
    /// The file was replaced by an older copy of itself.
    RolledBack,
    /// There is another history than the one a checkpoint was signed over: a copy went its own way,
    /// or somebody with the log's keys wrote the past again.
    Forked,
    /// What is worked out from events, not events themselves, was changed.
    Derived,
}

impl Tampering {
    /// One word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Removed => "removed",
            Self::Moved => "moved",
            Self::Erased => "erased",
            Self::CutOff => "cut-off",
            Self::Forged => "forged",
            Self::RolledBack => "rolled-back",
            Self::Forked => "forked",
            Self::Derived => "derived",
        }
    }

    /// One sentence for it, without a final period.
    pub fn about(self) -> &'static str {
        match self {
            Self::Edited => "an event was changed after it was recorded",
            Self::Removed => "events were taken out",
            Self::Moved => "events were put in, doubled or moved",
            Self::Erased => "a body was removed without a redaction",
            Self::CutOff => "the end of the log was cut off",
            Self::Forged => "events were written by somebody without the log's keys",
            Self::RolledBack => "the log was replaced by an older copy of itself",
            Self::Forked => "a copy of the log went its own way, or its past was rewritten with its own keys",
            Self::Derived => "the head or the tree was changed, or the end of the log was cut off and they with it",
        }
    }
}

/// The first bad event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// Its number; one past the last for what is wrong with the end.
    pub seq: u64,
    /// Its id, if its body can still be read.
    pub id: Option<String>,
    /// Which check found it.
    pub test: Test,
    /// What it looks like.
    pub looks: Tampering,
    /// What is wrong, one sentence without a final period.
    pub what: String,
}

/// What the verification of one log came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The log.
    pub log_id: String,
    /// Events that were read (up to the first bad one).
    pub events: u64,
    /// Of all that there ever were, how many were pruned before the first that is there.
    pub pruned: u64,
    /// Of those that were read, how many have no body any more.
    pub redacted: u64,
    /// The root of the tree over all events, pruned ones included.
    pub root: Option<Hash>,
    /// Time of the first event.
    pub from_ns: Option<i64>,
    /// Time of the last event.
    pub to_ns: Option<i64>,
    /// Every check.
    pub checks: Vec<Check>,
    /// The first bad event; `None`: nothing was found.
    pub bad: Option<Bad>,
}

impl Report {
    /// Whether nothing was found by the checks that could be made.
    pub fn is_good(&self) -> bool {
        self.bad.is_none()
    }
}
