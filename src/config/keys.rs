//! Every key of both files, once, as data: the check, the schemas and the reference page are
//! made from these tables, so they cannot disagree.

use super::auditing::AUDIT;
use super::governance::keys::{AGREEMENTS, AT_REST, AUDIENCES, COMPLIANCE, INDUSTRIES, PROCESSING};

/// What stands under a key.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// The number 1.
    Version,
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds, both included.
    Whole(i64, i64),
    /// 0 to 100, with at most four decimals.
    Percent,
    /// 0 to 1.
    Share,
    /// A whole number of days, `400d`.
    Days,
    /// A length of time, `30s`, `5m`, `12h`.
    Length,
    /// A day, `2027-03-31`.
    Date,
    /// Text in which references may stand.
    Filled,
    /// A reference to a secret, and nothing beside it.
    Secret,
    /// Literal text.
    Label,
    /// A name: letters, digits, `_`, `-` (and points where `true`).
    Name(bool),
    /// One of some words.
    Word(&'static [Word]),
    /// Five cron fields.
    Cron,
    /// An IANA time zone.
    TimeZone,
    /// A path into a record.
    RecordPath,
    /// `connector.stream`.
    Stream,
    /// An expression.
    Expression,
    /// A data class or one of its other names.
    Class,
    /// The name of a type (`decimal`, `list<string>`).
    Type,
    /// Anything.
    Value,
    /// A map of anything.
    Record,
    /// A list.
    List(&'static Kind),
    /// One, or a list of them.
    OneOrMany(&'static Kind),
    /// A map with these keys.
    Section(&'static Section),
    /// A map from names of the user's to this.
    Named(&'static Kind),
    /// A map from data classes to this.
    ByClass(&'static Kind),
    /// A map is the second, anything else the first.
    ShortOr(&'static Kind, &'static Kind),
    /// A map whose keys a plug-in describes.
    Foreign,
    /// A map of sign-in parameters: what its name says is secret must be a reference.
    Auth,
    /// The same keys as in this section, all of them optional.
    Overlay(&'static Section),
}

/// A word that can be chosen.
#[derive(Debug)]
pub struct Word {
    /// The word.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
}

/// A map with known keys.
#[derive(Debug)]
pub struct Section {
    /// What it is called in a sentence: "a field rule".
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
    /// Whether other keys belong to a plug-in, which checks them.
    pub foreign: bool,
}

/// A key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Another name that is accepted.
    pub alias: Option<&'static str>,
    /// What stands under it.
    pub kind: Kind,
    /// One sentence.
    pub about: &'static str,
    /// Whether it must be given.
    pub required: bool,
    /// What holds where it is not given, as YAML text.
    pub default: Option<&'static str>,
    /// Whether this version does it.
    pub available: bool,
}

impl Key {
    /// A key that need not be given.
    pub const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, alias: None, kind, about, required: false, default: None, available: true }
    }
    /// It must be given.
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }
    /// What holds where it is not given, as YAML text.
    pub const fn default(self, yaml: &'static str) -> Self {
        Self { default: Some(yaml), ..self }
    }
    /// It has another name.
    pub const fn alias(self, name: &'static str) -> Self {
        Self { alias: Some(name), ..self }
    }
    /// This version does not do it yet.
    pub const fn later(self) -> Self {
        Self { available: false, ..self }
    }
}

impl Section {
    /// The key of that name or other name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name || key.alias == Some(name))
    }
}

/// A word that can be chosen.
pub const fn word(name: &'static str, about: &'static str) -> Word {
    Word { name, about }
}

/// `connectors.yaml`.
pub static PROJECT: Section = Section {
    name: "connectors.yaml",
    about: "The systems of a project, and the rules that hold for all of its routes.",
    foreign: false,
    keys: &[
        Key::new("version", Kind::Version, "The version of the file's form.").required(),
        Key::new("environment", Kind::Label, "What this configuration is for; reports and the audit log carry it.")
            .default("production"),
        Key::new("defaults", Kind::Section(&DEFAULTS), "What holds for every connector that does not say otherwise."),
        Key::new("connectors", Kind::Named(&Kind::Section(&CONNECTOR)), "Every system, by a name of yours.").required(),
        Key::new(
            "profiles",
            Kind::Named(&Kind::Overlay(&PROJECT)),
            "Variants by name, chosen with `--profile`: maps are merged key by key, anything else is replaced.",
        ),
        Key::new(
            "parameters",
            Kind::Named(&Kind::Value),
            "Values for the parameters that mappings declare, by name; a profile can have its own.",
        ),
        Key::new("compliance", Kind::Section(&COMPLIANCE), "The rules data has to obey."),
        Key::new("audit", Kind::Section(&AUDIT), "What is remembered, and for how long."),
        Key::new(
            "heartbeat",
            Kind::Section(&HEARTBEAT),
            "Who is told that `sync run` ran, so that it is noticed when it does not.",
        ),
        Key::new("metrics", Kind::Section(&METRICS), "Where the numbers of the last run go, for Prometheus."),
    ],
};

static DEFAULTS: Section = Section {
    name: "defaults",
    about: "What holds for every connector that does not say otherwise.",
    foreign: false,
    keys: &[
        Key::new("retry", Kind::Section(&RETRY), "How often a failing call is tried."),
        Key::new(
            "lock_deadline",
            Kind::Length,
            "How long a run that is stopped may give no sign of life before another takes its route over; left out, CONSIGN_LOCK_DEADLINE or 60 s.",
        ),
        Key::new("keep_rejected", Kind::Days, "How long dead letters are kept; then they are deleted by the next run.")
            .default("30d"),
    ],
};

static HEARTBEAT: Section = Section {
    name: "heartbeat",
    about: "Who is told how each `sync run` ended, dry runs left out. A heartbeat that cannot be given is a warning and never changes how the run ends. Nothing is told of a run that found its route held by another.",
    foreign: false,
    keys: &[
        Key::new(
            "url",
            Kind::Filled,
            "Asked for with GET after success, with `/fail` added to its path after failure. `{state}` (`run`, `complete`, `fail`) and `{exit}` (the exit code) stand for themselves; with one of them nothing is added.",
        ),
        Key::new("file", Kind::Filled, "Replaced after success; its age says how long ago that was."),
        Key::new("start", Kind::Flag, "Whether the beginning is told too, with `/start` added.").default("false"),
        Key::new("timeout", Kind::Length, "How long to wait for an answer.").default("10s"),
        Key::new("routes", Kind::Named(&Kind::Section(&PULSE)), "The same for single routes, by name."),
    ],
};

static PULSE: Section = Section {
    name: "the heartbeat of a route",
    about: "Who is told how the runs of one route ended.",
    foreign: false,
    keys: &[
        Key::new("url", Kind::Filled, "As for the whole command."),
        Key::new("file", Kind::Filled, "As for the whole command."),
    ],
};

static METRICS: Section = Section {
    name: "metrics",
    about: "Where the numbers of the last run go.",
    foreign: false,
    keys: &[Key::new(
        "file",
        Kind::Filled,
        "A file in the text format of Prometheus, replaced after each `sync run`; node_exporter's textfile collector reads those that end in `.prom`.",
    )],
};

static RETRY: Section = Section {
    name: "retry",
    about: "How often a failing call is tried.",
    foreign: false,
    keys: &[Key::new("tries", Kind::Whole(1, 20), "How often a call is made at most.").default("5")],
};

static LIMITS: Section = Section {
    name: "limits",
    about: "How much may be asked of a system. It holds for systems that are called over a network (`postgres`, `sftp`) and is without effect elsewhere.",
    foreign: false,
    keys: &[Key::new(
        "rate",
        Kind::Whole(1, 1_000_000),
        "Calls in a minute at most, evenly spaced, of all routes that run together: a call is a part that is read (about 512 KiB) or a group that is written (about 8 MiB). Left out: INTEGRATION_RATE_LIMIT, or no limit.",
    )],
};

/// One connector.
pub static CONNECTOR: Section = Section {
    name: "a connector",
    about: "A system, as this project uses it.",
    foreign: false,
    keys: &[
        Key::new("use", Kind::Name(false), "What kind of system it is: `consign connect list` shows the kinds."),
        Key::new("with", Kind::Foreign, "Parameters of that kind."),
        Key::new("auth", Kind::Auth, "How to sign in. Secrets are references."),
        Key::new(
            "streams",
            Kind::Named(&Kind::Section(&STREAM)),
            "What can be read or written there, by a name of yours.",
        ),
        Key::new("tenant", Kind::Label, "The tenant it belongs to: a run of another tenant cannot touch it."),
        Key::new("region", Kind::Label, "The region it stands in: residency rules look here."),
        Key::new(
            "industry",
            INDUSTRIES,
            "The industry it serves, where not what the project says: rules of industries look here.",
        ),
        Key::new("standards", Kind::List(&Kind::Label), "Standards that apply to it on top of the project's."),
        Key::new(
            "environment",
            Kind::Label,
            "What it serves, where not what the project does: live data must not reach a system that serves tests.",
        ),
        Key::new("kind", AUDIENCES, "Who sees what is written to it."),
        Key::new("agreements", AGREEMENTS, "Agreements that exist with its operator: a list, or a map that says more."),
        Key::new("owner", Kind::Label, "Who answers for it."),
        Key::new(
            "purposes",
            Kind::OneOrMany(&Kind::Label),
            "What its data may be used for: the `purpose` of each route that reads it must be among them.",
        ),
        Key::new("retention", Kind::Days, "How long it keeps what is written to it."),
        Key::new("at_rest", AT_REST, "What encrypts what lies there."),
        Key::new("sells", Kind::Flag, "Whether data that goes there counts as sold or shared (CCPA).").default("false"),
        Key::new("rotated", Kind::Date, "When its secrets were last changed."),
        Key::new(
            "clearance",
            Kind::OneOrMany(&Kind::Class),
            "Data classes it may receive in clear; a class covers what lies below it.",
        ),
        Key::new("retry", Kind::Section(&RETRY), "How often a failing call is tried."),
        Key::new("limits", Kind::Section(&LIMITS), "How much may be asked of it."),
        Key::new(
            "definition",
            Kind::ShortOr(&Kind::Label, &Kind::Record),
            "A pack of your own, in place of `use`: a file of this folder, or the pack itself.",
        ),
    ],
};

/// One stream of a connector.
pub static STREAM: Section = Section {
    name: "a stream",
    about: "What can be read or written there as one sequence of records. Further keys belong to the kind of connector.",
    foreign: true,
    keys: &[
        Key::new(
            "format",
            Kind::ShortOr(&Kind::Name(false), &Kind::Section(&FORMAT)),
            "What is in its bytes: a format's name, or a map with `type` and options. Left out, the file's ending decides.",
        ),
        Key::new("key", Kind::OneOrMany(&Kind::RecordPath), "What identifies a record."),
        Key::new(
            "fields",
            Kind::Named(&Kind::ShortOr(&Kind::Type, &Kind::Section(&FIELD))),
            "The fields of a record: a type, or a map that says more.",
        ),
        Key::new("open", Kind::Flag, "Whether there may be other fields than those declared.").default("false"),
        Key::new(
            "schema",
            Kind::Label,
            "A JSON Schema file that records are checked against, by its path from this folder; with `#/$defs/NAME` behind it, a part of it.",
        ),
    ],
};

static FORMAT: Section = Section {
    name: "a format",
    about: "A format with its options.",
    foreign: true,
    keys: &[Key::new("type", Kind::Name(false), "The format's name.").required()],
};

static FIELD: Section = Section {
    name: "a field",
    about: "What is known of a field.",
    foreign: false,
    keys: &[
        Key::new("type", Kind::Type, "Its type.").default("any"),
        Key::new("class", Kind::OneOrMany(&Kind::Class), "What kind of sensitive data it is.").alias("tags"),
        Key::new("required", Kind::Flag, "Whether it is always there.").default("false"),
        Key::new("nullable", Kind::Flag, "Whether it may be null.").default("true"),
    ],
};

/// A file of `mappings/`.
pub static MAPPING: Section = Section {
    name: "a mapping",
    about: "A route from one stream to another, with its rules, its schedule and its tests.",
    foreign: false,
    keys: &[
        Key::new("version", Kind::Version, "The version of the file's form.").required(),
        Key::new(
            "name",
            Kind::Name(true),
            "The route's name, unique in the project: state and audit log know it by this.",
        )
        .required(),
        Key::new("about", Kind::Label, "What it is for.").alias("description"),
        Key::new("revision", Kind::Label, "The version of the mapping itself, in your own counting."),
        Key::new("from", Kind::Stream, "Where records come from: `connector.stream`.").required(),
        Key::new(
            "to",
            Kind::OneOrMany(&Kind::ShortOr(&Kind::Stream, &Kind::Section(&TARGET))),
            "Where they go: `connector.stream`, or a list of several.",
        )
        .required(),
        Key::new("sync", Kind::Section(&SYNC), "How it runs."),
        Key::new(
            "compliance",
            Kind::Section(&PROCESSING),
            "What it does with personal, health or card data, and why it may.",
        ),
        Key::new(
            "parameters",
            PARAMETERS,
            "Values that can be set from outside: `params.name` in expressions. A default, or a map with `type` and `default`.",
        ),
        Key::new(
            "explode",
            Kind::RecordPath,
            "A list of the source record, `lines[*]`: each of its elements becomes a target record of its own, which all rules make; `item` and `index` in expressions. All of them are written or none; a record without elements is filtered.",
        ),
        Key::new("as", Kind::Name(false), "What expressions call an element of `explode`, beside `item`."),
        Key::new(
            "contract",
            Kind::Section(&CONTRACT),
            "What becomes of records that are not what their streams declare.",
        ),
        Key::new("when", Kind::Expression, "Records for which it is false are filtered."),
        Key::new("let", LET, "Names for what several expressions use: each is computed once, and only if needed."),
        Key::new("include", INCLUDES, "Fragments whose rules are added."),
        Key::new("copy", COPIES, "Fields that are taken over under their own names."),
        Key::new(
            "fields",
            Kind::List(&Kind::Section(&RULE)),
            "The field rules: one for each place of the target record.",
        ),
        Key::new("validate", CHECKS, "What must hold of the record made, which is `target` here."),
        Key::new("tests", Kind::List(&Kind::Section(&TEST)), "Records and what must become of them."),
    ],
};

const LET: Kind = Kind::Named(&Kind::Expression);
const INCLUDES: Kind = Kind::OneOrMany(&Kind::ShortOr(&Kind::Label, &Kind::Section(&INCLUDE)));
const COPIES: Kind = Kind::OneOrMany(&Kind::Section(&COPY));
const CHECKS: Kind = Kind::OneOrMany(&Kind::ShortOr(&Kind::Expression, &Kind::Section(&CHECK)));
const PARAMETERS: Kind = Kind::Named(&Kind::ShortOr(&Kind::Value, &Kind::Section(&PARAMETER)));

/// A file that mappings include.
pub static FRAGMENT: Section = Section {
    name: "a fragment",
    about: "Rules that several mappings include.",
    foreign: false,
    keys: &[
        Key::new("version", Kind::Version, "The version of the file's form.").required(),
        Key::new("fragment", Kind::Name(true), "Its name; makes the file a fragment instead of a mapping.").required(),
        Key::new("about", Kind::Label, "What it is for.").alias("description"),
        Key::new("parameters", PARAMETERS, "What whoever includes it can set: `params.name` in its expressions."),
        Key::new("let", LET, "Names for what several of its expressions use."),
        Key::new("include", INCLUDES, "Fragments whose rules are added."),
        Key::new("copy", COPIES, "Fields that are taken over under their own names."),
        Key::new("fields", Kind::List(&Kind::Section(&RULE)), "The field rules."),
    ],
};

static CONTRACT: Section = Section {
    name: "contract",
    about: "What becomes of records that are not what their streams declare. A record that breaks the `schema` of a stream is always rejected.",
    foreign: false,
    keys: &[Key::new(
        "drift",
        Kind::Word(&[
            word("accept_new", "The record goes on; the field is counted, and told once in each run."),
            word("park", "The record goes to the dead letters."),
            word("fail", "The run ends with exit code 2; what was written before stays."),
        ]),
        "What becomes of a field of the source that neither its schema nor its `fields` know; left out, only a closed schema minds it.",
    )],
};

/// One field rule.
pub static RULE: Section = Section {
    name: "a field rule",
    about: "How one place of the target record is filled: by a `source` and a `transform`, by a `switch`, by a constant `value`, or with `fields`, `list` or `for_each` by rules of its own.",
    foreign: false,
    keys: &[
        Key::new("target", Kind::RecordPath, "Where the result goes.").required(),
        Key::new(
            "source",
            Kind::RecordPath,
            "What is read: `value` in the expressions. Inside of `for_each` relative to the element.",
        ),
        Key::new(
            "transform",
            Kind::Expression,
            "From `value` and `record` to the result; left out, the value as it is.",
        ),
        Key::new(
            "switch",
            Kind::ShortOr(&Kind::List(&Kind::Section(&CASE)), &Kind::Section(&SWITCH)),
            "Instead of a transform: a table from values to values, or a list of conditions and results.",
        ),
        Key::new("value", Kind::Value, "A constant, of any type."),
        Key::new("default", Kind::Value, "Stands in where the source is missing or null."),
        Key::new("required", Kind::Flag, "Whether a result that is missing or null rejects the record.")
            .default("false"),
        Key::new(
            "nullable",
            Kind::Flag,
            "`false`: a null result rejects the record, a missing one does not. `true`: null is a value like any other, to `default` and `required` too.",
        ),
        Key::new("validate", CHECKS, "What must hold of the result, which is `value` here."),
        Key::new(
            "class",
            Kind::OneOrMany(&Kind::Class),
            "What kind of sensitive data the source is, on top of what is known.",
        )
        .alias("tags"),
        Key::new("type", Kind::Type, "The type the result must have."),
        Key::new(
            "when",
            Kind::Expression,
            "Where it is false, the rule writes nothing; in `for_each` it chooses elements.",
        ),
        Key::new(
            "fields",
            Kind::List(&Kind::Section(&RULE)),
            "The rules of an object that is written here, or of each element of `for_each`.",
        ),
        Key::new(
            "list",
            Kind::List(&Kind::Section(&ELEMENT)),
            "The objects of a list that is written here, one by one.",
        ),
        Key::new(
            "for_each",
            Kind::Expression,
            "Writes a list, one object for each element: a path (`orders[*]`) or an expression that yields a list. The element is `item`, its number from 0 `index`.",
        ),
        Key::new("as", Kind::Name(false), "Another name for `item`, by which rules further inside can use it."),
        Key::new("let", LET, "With `for_each`: names that are computed once for each element."),
        Key::new(
            "if_missing",
            Kind::Word(&[word("leave_out", "The field is not written."), word("empty", "An empty list is written.")]),
            "With `for_each`: what becomes of a list that is missing or null.",
        )
        .default("leave_out"),
        Key::new(
            "if_empty",
            Kind::Word(&[word("keep", "An empty list is written."), word("leave_out", "The field is not written.")]),
            "With `for_each` or `list`: what becomes of a list without elements.",
        )
        .default("keep"),
        Key::new("include", INCLUDES, "Fragments whose rules are added to `fields`."),
        Key::new("copy", COPIES, "Fields that are taken over into the object under their own names."),
    ],
};

/// One object of a written-out list.
static ELEMENT: Section = Section {
    name: "an element",
    about: "One object of a list.",
    foreign: false,
    keys: &[
        Key::new("when", Kind::Expression, "Where it is false, the element is left out."),
        Key::new("include", INCLUDES, "Fragments whose rules are added."),
        Key::new("copy", COPIES, "Fields that are taken over under their own names."),
        Key::new("fields", Kind::List(&Kind::Section(&RULE)), "Its rules."),
    ],
};

/// A condition with a message.
pub static CHECK: Section = Section {
    name: "a condition",
    about: "What must hold, and what is said where it does not.",
    foreign: false,
    keys: &[
        Key::new("that", Kind::Expression, "The condition.").required(),
        Key::new("message", Kind::Label, "What the reason of the rejected record says.").required(),
    ],
};

/// A table from values to values.
pub static SWITCH: Section = Section {
    name: "a switch",
    about: "A table from values of the source to values of the target.",
    foreign: false,
    keys: &[
        Key::new("cases", Kind::Named(&Kind::Value), "The value written for each value read.").required(),
        Key::new(
            "otherwise",
            Kind::Value,
            "The value written where no case fits; left out, such a record is rejected.",
        ),
    ],
};

/// One line of a list of conditions.
pub static CASE: Section = Section {
    name: "a case",
    about: "A condition and the result where it is the first that holds; or, last, the result where none holds.",
    foreign: false,
    keys: &[
        Key::new("when", Kind::Expression, "The condition."),
        Key::new("then", Kind::Expression, "The result."),
        Key::new(
            "otherwise",
            Kind::Expression,
            "The result where no condition holds; left out, the record is rejected.",
        ),
    ],
};

/// One fragment, included.
static INCLUDE: Section = Section {
    name: "an include",
    about: "A fragment whose rules are added.",
    foreign: false,
    keys: &[
        Key::new("file", Kind::Label, "The fragment's file, relative to this one.").required(),
        Key::new("target", Kind::RecordPath, "Where its targets lie; left out, beside the others."),
        Key::new("source", Kind::RecordPath, "Where its sources lie (`source`, not what expressions read)."),
        Key::new("with", Kind::Named(&Kind::Value), "Its parameters."),
    ],
};

/// Fields taken over.
static COPY: Section = Section {
    name: "a copy",
    about: "Fields that are taken over under their own names: those of `pick`, or the declared ones but those of `omit`.",
    foreign: false,
    keys: &[
        Key::new("from", Kind::RecordPath, "Where they lie; left out, in the record (in `for_each`, the element)."),
        Key::new("pick", Kind::OneOrMany(&Kind::RecordPath), "The fields that are taken."),
        Key::new(
            "omit",
            Kind::OneOrMany(&Kind::RecordPath),
            "The fields that are left; all others that are declared are taken. What is not declared is never taken.",
        ),
    ],
};

/// A parameter.
static PARAMETER: Section = Section {
    name: "a parameter",
    about: "A value that can be set from outside: where a fragment is included, or under `parameters` of connectors.yaml.",
    foreign: false,
    keys: &[
        Key::new("type", Kind::Type, "Its type; left out, that of the default."),
        Key::new("default", Kind::Value, "Its value where nothing else is said; left out, it has to be set."),
        Key::new("about", Kind::Label, "What it is for.").alias("description"),
    ],
};

/// One of several targets.
static TARGET: Section = Section {
    name: "a target",
    about: "A target that is written in its own way: what is not said here is as under `sync`.",
    foreign: false,
    keys: &[
        Key::new("stream", Kind::Stream, "Where records go: `connector.stream`.").required(),
        Key::new("mode", Kind::Word(MODES), "How records meet this target."),
        Key::new("key", Kind::OneOrMany(&Kind::RecordPath), "What identifies a record of this target."),
        Key::new("on_error", Kind::Section(&ON_ERROR), "What becomes of records that are rejected on the way to it."),
        Key::new(
            "continues",
            Kind::Flag,
            "Whether this target goes on under the mapping's own name, which it had while it was the only one.",
        )
        .default("false"),
    ],
};

static SYNC: Section = Section {
    name: "sync",
    about: "How the route runs.",
    foreign: false,
    keys: &[
        Key::new("mode", Kind::Word(MODES), "How records meet the target.").default("append"),
        Key::new(
            "key",
            Kind::OneOrMany(&Kind::RecordPath),
            "What identifies a record of the target; left out, what the target stream declares.",
        ),
        Key::new("schedule", Kind::Section(&SCHEDULE), "When it is due."),
        Key::new("batch", Kind::Section(&BATCH), "How much is settled at once."),
        Key::new("on_error", Kind::Section(&ON_ERROR), "What becomes of records that are rejected."),
        Key::new("deletes", Kind::Section(&DELETES), "How much a mirror may delete before a person has to agree."),
        Key::new(
            "after",
            Kind::OneOrMany(&Kind::Name(true)),
            "Mappings that run before this one, where both are to run.",
        ),
        Key::new("approval", Kind::Section(&APPROVAL), "Whether a person has to approve of each run beforehand."),
        Key::new("accept_loss", Kind::Flag, "Whether a source that can lose records is accepted.").default("false"),
    ],
};

static APPROVAL: Section = Section {
    name: "approval",
    about: "Whether a person has to approve of each run beforehand: of a plan that `sync plan --save` wrote.",
    foreign: false,
    keys: &[
        Key::new("required", Kind::Flag, "Whether nothing runs without an approved plan.").default("true"),
        Key::new("four_eyes", Kind::Flag, "Whether who made the plan cannot be who approves of it.").default("true"),
    ],
};

const MODES: &[Word] = &[
    word("append", "Each record is added."),
    word("upsert", "Each record replaces the one with its key."),
    word("update", "Each record changes the one with its key, none is added."),
    word("mirror", "The target becomes what the source is: what is gone there is deleted."),
    word("delete", "Each record deletes the one with its key."),
];

static SCHEDULE: Section = Section {
    name: "schedule",
    about: "When the route is due, for `sync run --due`.",
    foreign: false,
    keys: &[
        Key::new("cron", Kind::Cron, "Minute, hour, day of month, month, day of week.").required(),
        Key::new("timezone", Kind::TimeZone, "The time zone the fields are in.").default("UTC"),
        Key::new(
            "missed",
            Kind::Word(&[
                word("once", "One run stands in for all that were missed."),
                word("skip", "They are left out."),
            ]),
            "What becomes of runs that were missed.",
        )
        .default("once"),
    ],
};

static BATCH: Section = Section {
    name: "batch",
    about: "How much is settled at once.",
    foreign: false,
    keys: &[Key::new(
        "records",
        Kind::Whole(1, 1_000_000),
        "Most records in one group; left out, bytes and time decide.",
    )],
};

static ON_ERROR: Section = Section {
    name: "on_error",
    about: "What becomes of records that are rejected. No option delivers them anyway.",
    foreign: false,
    keys: &[
        Key::new(
            "to",
            Kind::Word(&[word("dead_letters", "They are kept, sealed, to be looked at and replayed.")]),
            "Where they go.",
        )
        .default("dead_letters"),
        Key::new(
            "tolerate",
            Kind::Section(&TOLERATE),
            "How many are no reason for exit code 5; the bound that allows more holds.",
        ),
        Key::new("stop", Kind::Flag, "Whether the run stops once there are more.").default("false"),
        Key::new("keep", Kind::Days, "How long they are kept; left out, `defaults: { keep_rejected }`."),
    ],
};

static DELETES: Section = Section {
    name: "deletes",
    about: "How much a mirror may delete in one run; the bound that allows more holds. Beyond it nothing is deleted.",
    foreign: false,
    keys: &[
        Key::new("percent", Kind::Percent, "Share of the target's records.").default("10"),
        Key::new("records", Kind::Whole(0, i64::MAX), "Number of records.").default("100"),
    ],
};

static TOLERATE: Section = Section {
    name: "tolerate",
    about: "How many rejected records are no reason for exit code 5.",
    foreign: false,
    keys: &[
        Key::new("percent", Kind::Percent, "Share of the records read.").default("0"),
        Key::new("records", Kind::Whole(0, i64::MAX), "Number of records.").default("0"),
    ],
};

/// One test.
pub static TEST: Section = Section {
    name: "a test",
    about: "A record and what must become of it: `expect`, `expect_filtered`, `expect_rejected` or `expect_withheld`, one of them.",
    foreign: false,
    keys: &[
        Key::new("name", Kind::Label, "What it shows.").required(),
        Key::new("given", Kind::Record, "The record read.").required(),
        Key::new(
            "expect",
            Kind::OneOrMany(&Kind::Record),
            "The target record, or a list of them where records are taken apart; what is not named must not be there.",
        ),
        Key::new("expect_filtered", Kind::Flag, "`true`: `when` holds it back."),
        Key::new("expect_rejected", Kind::Label, "It is rejected, with this text in the reason."),
        Key::new("expect_withheld", Kind::Label, "The rule of this name keeps it back."),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(section: &'static Section, seen: &mut Vec<&'static str>) {
        if seen.contains(&section.name) {
            return;
        }
        seen.push(section.name);
        let mut names = std::collections::BTreeSet::new();
        for key in section.keys {
            assert!(names.insert(key.name) && key.alias.is_none_or(|alias| names.insert(alias)), "{} twice", key.name);
            assert!(key.about.ends_with('.') && key.about.len() > 5, "{}: {}", key.name, key.about);
            assert!(key.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", key.name);
            assert!(!(key.required && key.default.is_some()), "{}: required and with a default", key.name);
            inner(&key.kind, seen);
        }
    }

    fn inner(kind: &'static Kind, seen: &mut Vec<&'static str>) {
        match kind {
            Kind::Section(section) | Kind::Overlay(section) => walk(section, seen),
            Kind::List(kind) | Kind::OneOrMany(kind) | Kind::Named(kind) | Kind::ByClass(kind) => inner(kind, seen),
            Kind::ShortOr(short, long) => {
                inner(short, seen);
                inner(long, seen);
            }
            _ => {}
        }
    }

    #[test]
    fn every_key_is_described() {
        let mut seen = Vec::new();
        walk(&PROJECT, &mut seen);
        walk(&MAPPING, &mut seen);
        walk(&FRAGMENT, &mut seen);
        assert!(seen.len() > 12, "{seen:?}");
    }
}
