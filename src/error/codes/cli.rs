//! Codes of the area `cli`.

use super::Code;

/// The arguments make no sense.
pub static USAGE: Code = Code::new(
    "cli-usage",
    "wrong usage",
    "The command line is not one that consign understands, or two of its arguments contradict each other. `consign NOUN VERB --help` shows what a verb takes.",
);
/// `--explain` with a code that does not exist.
pub static UNKNOWN_CODE: Code = Code::new(
    "cli-unknown-code",
    "no such code",
    "`--explain` was given a text that is not the code of any finding or error. The reference page of error codes lists them all.",
);
/// A shape that this verb cannot print.
pub static SHAPE: Code = Code::new(
    "cli-shape",
    "this verb cannot print that shape",
    "Every verb prints text, json, ndjson and csv. junit and sarif hold findings and are for the verbs that check; markdown and html are for reports.",
);
/// A file that `init` or a backup would overwrite.
pub static EXISTS: Code = Code::new(
    "cli-exists",
    "the file is there already",
    "`init` and `sync state backup` never overwrite. Choose another name, or move the file away.",
);
/// A name that was given does not exist.
pub static UNKNOWN_NAME: Code = Code::new(
    "cli-unknown-name",
    "no such name",
    "The command names a connector, a stream, a run or a mapping that the project or its state does not have. The verbs `list` and `status` show which there are.",
);
/// A stream that cannot be looked at.
pub static UNREADABLE: Code = Code::new(
    "cli-unreadable",
    "this stream cannot be read",
    "Records can be shown of streams that can be a source and whose format is known, by `format:` or by the ending of the file's name.",
);
/// There is no state to look at.
pub static NO_STATE: Code = Code::new(
    "cli-no-state",
    "there is no state yet",
    "The verb looks at what earlier runs recorded, and no run has recorded anything in this state folder. It is `.consign` beside connectors.yaml unless `--state` or CONSIGN_STATE names another.",
);
/// A route is held by another process.
pub static HELD: Code = Code::new(
    "cli-held",
    "another run holds the route",
    "Only one run of a route goes on at a time. The lock belongs to the operating system: it is free the moment its process ends, however it ends.",
);
/// A route has not succeeded for too long.
pub static TOO_OLD: Code = Code::new(
    "cli-too-old",
    "the last success is too long ago",
    "`sync status --max-age` found a route whose last run that did everything asked for is older than allowed, or that never had one. Look at `sync history` for what went wrong, or whether it ran at all.",
);

/// The written-out list.
pub const ALL: &[&Code] =
    &[&USAGE, &UNKNOWN_CODE, &SHAPE, &EXISTS, &UNKNOWN_NAME, &UNREADABLE, &NO_STATE, &HELD, &TOO_OLD];
