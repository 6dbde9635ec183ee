//! Codes of the area `sync`: running routes.

use super::Code;

/// More rejects than tolerated.
pub static PAST_TOLERANCE: Code = Code::new(
    "sync-past-tolerance",
    "more records were rejected than the mapping tolerates",
    "Rejected records are kept in the dead letters with their reason; the rest was delivered. `on_error: {tolerate: {percent, records}}` in the mapping says how many may be rejected with exit 0; without it none may. Look at them with `consign sync dlq list`, mend the mapping or the source, and replay them with `consign sync dlq replay`.",
);
/// A source that was never read is empty.
pub static NOTHING_READ: Code = Code::new(
    "sync-nothing-read",
    "a source that was never read before is empty",
    "An empty source is suspicious the first time: a pattern that matches nothing, a wrong folder, an export that failed. A source that was read before and has nothing new is no error.",
);
/// Routes wait for each other.
pub static ORDER_CIRCLE: Code = Code::new(
    "sync-order-circle",
    "routes wait for each other in a circle",
    "`sync.after` names routes that must have run before. Each of the routes named waits, directly or through others, for itself. Take one of the names out.",
);
/// The route is disabled.
pub static DISABLED: Code = Code::new(
    "sync-disabled",
    "the route is disabled",
    "Somebody disabled this route with `consign sync disable`, with a reason that `consign sync status` shows. `consign sync enable NAME --reason TEXT` puts it back to work.",
);
/// A stream that cannot be a source.
pub static SOURCE_UNREADABLE: Code = Code::new(
    "sync-source-unreadable",
    "the stream cannot be a source",
    "The connector of `from:` can only be written to. See `consign connect list` for what each protocol can do.",
);
/// A stream that cannot be a target.
pub static TARGET_UNWRITABLE: Code = Code::new(
    "sync-target-unwritable",
    "the stream cannot be a target",
    "The connector of `to:` can only be read from. See `consign connect list` for what each protocol can do.",
);
/// The checks found errors.
pub static CHECK_FAILED: Code = Code::new(
    "sync-check-failed",
    "the configuration has errors",
    "Nothing runs before every check passes: each finding names its place and its fix. `consign map check` shows the same findings.",
);
/// A replay found nothing to do.
pub static NOTHING_TO_REPLAY: Code = Code::new(
    "sync-nothing-to-replay",
    "no dead letter matches",
    "The filter given to `consign sync dlq replay` matches no open dead letter. `consign sync dlq list` shows those there are.",
);

/// A group in doubt that nothing can tell of.
pub static DOUBT: Code = Code::new(
    "sync-doubt",
    "what became of a group of records cannot be found out",
    "A run died after a group was written and before it was settled. The next run reads the group's records again to know which were written and which were rejected; here the mapping or the source is no longer the same, so that this would be a guess. Put back what was changed and run again; or compare the target and say by hand where to go on, with `consign sync state set` or `consign sync state reset`.",
);
/// A record of which nobody knows whether it took effect.
pub static PARKED: Code = Code::new(
    "sync-parked",
    "nobody knows whether a record took effect, and it was set aside",
    "It was sent, no answer came, and the way of writing says `on_unknown: park` (or the other side's idempotency key has expired since): sending it again could double it. Look in the target whether it is there: if not, `consign sync dlq replay` sends it; if it is, `consign sync dlq discard`.",
);
/// Bounds for a source without a cursor.
pub static NO_WINDOW: Code = Code::new(
    "sync-no-window",
    "the source has no cursor that could be bounded",
    "`--since` and `--until` ask for the records between two values of the source's cursor, and this source has none: a file is read as a whole. Name a `cursor` for the stream, or run the route with `--full`.",
);
/// Two routes into one file.
pub static TARGET_SHARED: Code = Code::new(
    "sync-target-shared",
    "two routes write one file",
    "A file is written by one route: it is cut back to what that route has settled, and replaced as a whole by a full run. Give each route a file of its own, or let one read both sources.",
);

/// A mirror that could not know what to delete.
pub static NOTHING_SWEPT: Code = Code::new(
    "sync-nothing-swept",
    "a mirror deleted nothing, since it could not know what to delete",
    "A mirror deletes what its source has no more, and that takes the key of every record in the source. Here a record could not be read, or its key could not be told (see the dead letters), so that it might have been any: what was read was written, and nothing was deleted. Mend the source or the rules of the key and run again.",
);

/// A mirror and another route on one table.
pub static MIRROR_SHARED: Code = Code::new(
    "sync-mirror-shared",
    "a mirror shares its table with another route",
    "A mirror makes its table what its source is, and deletes everything else: also what another route wrote there. Give the mirror a table of its own, or let one mapping read both sources.",
);

/// Letters that a later record has overtaken.
pub static SUPERSEDED: Code = Code::new(
    "sync-superseded",
    "a later version of the record is in the target",
    "After this record was rejected, a later one with its key was written: replaying the letter would put an older version over a newer one. Such a letter is never replayed; `consign sync dlq show` tells why. If the older version is what you want, correct the record in its source.",
);
/// A file mirror has no single records to replay.
pub static NOT_REPLAYABLE: Code = Code::new(
    "sync-not-replayable",
    "records of a mirrored file are not replayed one by one",
    "A file that mirrors its source is written as a whole by every run: a record that was mended goes into it with the next run. Mend the mapping or the source and run the route again.",
);

/// A route whose name changed.
pub static TARGET_RENAMED: Code = Code::new(
    "sync-target-renamed",
    "a target would begin again under another name",
    "A mapping with one target is a route of the mapping's name; each target of a list is a route `name@connector.stream`. Where the one becomes the other, the route would begin again, and send every record once more. `- { stream: connector.stream, continues: true }` keeps the mapping's name for one target of a list; a list of one target, `to: [connector.stream]`, keeps the longer name. `consign sync state reset` lets it begin again.",
);
/// A plan that cannot be made.
pub static PLAN_IMPOSSIBLE: Code = Code::new(
    "sync-plan-impossible",
    "what a run would do cannot be foreseen",
    "`consign sync plan --save` reads the source and looks every record up in the target, and the run reads the source again. That needs a source that can be read twice, and a look that comes to its end.",
);
/// No plan.
pub static PLAN_UNREADABLE: Code = Code::new(
    "sync-plan-unreadable",
    "the file is no plan",
    "A plan is the JSON document that `consign sync plan NAME --save FILE` wrote, unchanged.",
);
/// A changed plan.
pub static PLAN_ALTERED: Code = Code::new(
    "sync-plan-altered",
    "the plan is not as it was saved",
    "A plan is named by the hash over all that it says; this one does not have its hash. What was approved of is the plan as it was saved: make it again.",
);
/// A plan that no longer holds.
pub static PLAN_MOVED: Code = Code::new(
    "sync-plan-moved",
    "the plan no longer holds",
    "Before a plan is run, what it depends on is looked at once more: connectors.yaml, the mapping, what is settled, the source and what is to become of the target. Something of it is no longer what it was, the message names what. Nothing was written; an approval of the plan is void. Make a new plan with `consign sync plan NAME --save FILE`.",
);
/// A run without an approval.
pub static APPROVAL_MISSING: Code = Code::new(
    "sync-approval-missing",
    "the route runs with an approved plan only",
    "The mapping says `sync: { approval: { required: true } }`. Make a plan with `consign sync plan NAME --save FILE`, have it approved with `consign sync approve FILE --as NAME --reason TEXT`, and run it with `consign sync run --plan FILE`. A plan is used once.",
);
/// Two eyes only.
pub static SAME_PERSON: Code = Code::new(
    "sync-same-person",
    "who made the plan cannot approve of it",
    "The route asks for four eyes (`sync: { approval: { four_eyes: true } }`): the author of a plan, as it was recorded when the plan was saved, and its approver are two persons.",
);

/// A replay of an exploded record adds twice.
pub static EXPLODE_APPENDS: Code = Code::new(
    "sync-explode-appends",
    "a replay would add records again",
    "`explode` makes several target records of one source record, and this target can refuse single ones. The dead letter of a refused one holds its whole source record, so that a replay writes all of its target records: with `append` those that were written are added once more. With a key (`mode: upsert`) they are replaced by themselves.",
);

/// The written-out list.
pub const ALL: &[&Code] = &[
    &PAST_TOLERANCE,
    &NOTHING_READ,
    &ORDER_CIRCLE,
    &DISABLED,
    &SOURCE_UNREADABLE,
    &TARGET_UNWRITABLE,
    &CHECK_FAILED,
    &NOTHING_TO_REPLAY,
    &DOUBT,
    &PARKED,
    &NO_WINDOW,
    &TARGET_SHARED,
    &NOTHING_SWEPT,
    &MIRROR_SHARED,
    &SUPERSEDED,
    &NOT_REPLAYABLE,
    &TARGET_RENAMED,
    &PLAN_IMPOSSIBLE,
    &PLAN_UNREADABLE,
    &PLAN_ALTERED,
    &PLAN_MOVED,
    &APPROVAL_MISSING,
    &SAME_PERSON,
    &EXPLODE_APPENDS,
];
