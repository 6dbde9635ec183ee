//! The resolved configuration: defaults filled, names looked up, every literal checked.
//! References to secrets are kept as references; nothing here holds a secret value.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::Place;
use crate::record::{ClassSet, Field, Path};

/// A value with the place where the user wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// A string leaf: literal text with references in it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Text {
    /// Literal pieces and references in order; one literal piece where there is no reference.
    pub pieces: Vec<Piece>,
}

/// A piece of a string leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As written, `$${` already turned into `${`.
    Literal(String),
    /// `${env:NAME}`.
    Env(String),
    /// `${file:PATH}`.
    File(String),
    /// `${cmd:NAME}`.
    Command(String),
}

/// A value of an option whose description belongs to a protocol or a format: checked against
/// that description, kept as a tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// `null` or nothing after the colon.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as its text.
    Number(String),
    /// A string leaf.
    Text(Text),
    /// A list.
    List(Vec<Spanned<Node>>),
    /// A map, keys in the order of the file.
    Map(Vec<(Spanned<String>, Spanned<Node>)>),
}

/// `connectors.yaml`, resolved for one profile.
#[derive(Clone, Debug)]
pub struct Project {
    /// The folder of `connectors.yaml`; relative paths count from here.
    pub root: PathBuf,
    /// The file itself, as shown to the user.
    pub file: String,
    /// `production` unless said otherwise.
    pub environment: String,
    /// The profile in force, if one was asked for.
    pub profile: Option<String>,
    /// Every connector by name.
    pub connectors: BTreeMap<String, Connector>,
    /// The compliance section.
    pub compliance: Compliance,
    /// The audit section.
    pub audit: Audit,
    /// Who is told how runs end.
    pub heartbeat: Heartbeat,
    /// Where the numbers of the last run go.
    pub metrics_file: Option<Text>,
    /// How long a stopped run may be silent before another takes its route over; `None`: nothing
    /// was said.
    pub lock_deadline: Option<std::time::Duration>,
    /// Days that dead letters are kept where the mapping says nothing.
    pub keep_days: u32,
    /// SHA-256 (hex) of the canonical, secret-free resolved form.
    pub hash: String,
    /// That form: JSON with references kept as written.
    pub canonical: String,
}

/// A system, as the project uses it.
#[derive(Clone, Debug)]
pub struct Connector {
    /// Its name in this project.
    pub name: String,
    /// Where it is defined.
    pub place: Place,
    /// The protocol or pack it uses (`file`, `sqlite`).
    pub uses: Spanned<String>,
    /// Parameters, already checked against the protocol's description.
    pub with: Vec<(Spanned<String>, Spanned<Node>)>,
    /// How to sign in; what is secret in it is a reference.
    pub auth: Vec<(Spanned<String>, Spanned<Node>)>,
    /// Streams declared here, by name.
    pub streams: BTreeMap<String, Stream>,
    /// The tenant it belongs to.
    pub tenant: Option<String>,
    /// The region it stands in.
    pub region: Option<String>,
    /// Standards that apply to it on top of the project's.
    pub standards: Vec<String>,
    /// Agreements that exist for it (`baa`, `dpa`, `pci_service_provider`, `scc`).
    pub agreements: Vec<String>,
    /// Classes it may receive in clear; `None`: nothing was said.
    pub clearance: Option<ClassSet>,
    /// How often a failing call is tried.
    pub retry_tries: u32,
}

/// A stream of a connector.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// Where it is defined.
    pub place: Place,
    /// Options of the protocol (`path`, `table` …), checked against its description.
    pub options: Vec<(Spanned<String>, Spanned<Node>)>,
    /// The format's name (`csv`), for protocols that carry bytes.
    pub format: Option<Spanned<String>>,
    /// Options of the format, checked against its description.
    pub format_options: Vec<(Spanned<String>, Spanned<Node>)>,
    /// Key of a record.
    pub key: Vec<Path>,
    /// Declared fields. Empty: nothing is known.
    pub fields: Vec<Field>,
    /// Whether only declared fields exist (`fields` given without `open: true`).
    pub closed: bool,
    /// The JSON Schema file that it names.
    pub schema_file: Option<Spanned<String>>,
    /// That schema, once it is read; its fields are among `fields`.
    pub schema: Option<super::json_schema::StreamSchema>,
}

/// The compliance section.
#[derive(Clone, Debug, Default)]
pub struct Compliance {
    /// Standards the project is held to.
    pub standards: Vec<String>,
    /// `block`, `warn`: what a violation does.
    pub on_violation: Violation,
}

/// Who is told how runs end.
#[derive(Clone, Debug, Default)]
pub struct Heartbeat {
    /// For the whole command.
    pub whole: Pulse,
    /// For single routes.
    pub routes: BTreeMap<String, Pulse>,
    /// Whether the beginning is told too.
    pub start: bool,
    /// How long to wait for an answer.
    pub timeout: std::time::Duration,
}

/// Where one heartbeat goes.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    /// Asked for with GET.
    pub url: Option<Text>,
    /// Replaced after success.
    pub file: Option<Text>,
}

/// What a violation of a compliance rule does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Violation {
    /// Stops the run before anything moves.
    #[default]
    Block,
    /// Is said and recorded.
    Warn,
}

/// The audit section.
#[derive(Clone, Debug)]
pub struct Audit {
    /// How long events are kept, in days; `None`: for ever.
    pub retention_days: Option<u32>,
    /// Whether events are recorded at all. Switching it off is itself recorded.
    pub enabled: bool,
}

/// A mapping, resolved: one route from a stream to a stream.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// The route's name, unique in the project: the mapping's own, or `mapping@connector.stream`
    /// for each target of a mapping with a list of them.
    pub name: Spanned<String>,
    /// The name of the mapping it was written as: what its targets have in common.
    pub family: String,
    /// The file it stands in, as shown to the user.
    pub file: String,
    /// Where records come from.
    pub from: StreamRef,
    /// Where they go.
    pub to: StreamRef,
    /// How it runs.
    pub sync: SyncOptions,
    /// The gate: records for which it is false are filtered.
    pub when: Option<Expression>,
    /// The field rules, in order.
    pub fields: Vec<FieldRule>,
    /// Its own tests.
    pub tests: Vec<MappingTest>,
    /// Whether all of it could be read. If not, a finding said so, what could not be read is
    /// missing here, and checks that need all of it (keys, tests) keep silent.
    pub whole: bool,
    /// Whether every field rule is here, even if something in it could not be read.
    pub all_rules: bool,
    /// SHA-256 (hex) of the canonical resolved form.
    pub hash: String,
    /// That form, as JSON.
    pub canonical: String,
}

impl Mapping {
    /// Whether a name means this route: its own, or that of the mapping it belongs to.
    pub fn answers_to(&self, name: &str) -> bool {
        self.name.value == name || self.family == name
    }

    /// Whether the mapping has other targets.
    pub fn is_branch(&self) -> bool {
        self.name.value != self.family
    }
}

/// `connector.stream`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamRef {
    /// The connector's name.
    pub connector: String,
    /// The stream's name (may hold points).
    pub stream: String,
    /// Where it is written.
    pub place: Place,
}

/// An expression as written, with the map from its characters to the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// Its text, after YAML.
    pub text: String,
    /// Place of its first character.
    pub place: Place,
    /// The runs of `text` that stand in the file as they are, in order: after an escape, a fold or
    /// the indentation of a line begins the next. Empty where all of it stands at `place`.
    pub runs: Vec<Run>,
}

/// A run of an expression's characters that stand side by side in one line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Byte of the text where it begins.
    pub at: usize,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// The text of that line.
    pub source: String,
}

/// One field rule.
#[derive(Clone, Debug)]
pub struct FieldRule {
    /// Where the rule stands.
    pub place: Place,
    /// Where the result goes in the target record.
    pub target: Spanned<Path>,
    /// What is read; `None`: the transform reads `record` itself or is constant.
    pub source: Option<Spanned<Path>>,
    /// From `value` (and `record`) to the result; `None`: the value as it is.
    pub transform: Option<Expression>,
    /// Stands in where the source is missing or null (and for CSV: empty unquoted).
    pub default: Option<Spanned<Node>>,
    /// Whether a missing or null result rejects the record.
    pub required: bool,
    /// Conditions on the result.
    pub validate: Vec<Expression>,
    /// Classes of the source value on top of what is known.
    pub classes: ClassSet,
    /// The type the result must have, if said.
    pub kind: Option<Spanned<crate::record::Type>>,
}

/// A test inside a mapping.
#[derive(Clone, Debug)]
pub struct MappingTest {
    /// Its name.
    pub name: Spanned<String>,
    /// The record given.
    pub given: Spanned<Node>,
    /// What must come of it.
    pub expect: Expectation,
}

/// What a mapping test expects.
#[derive(Clone, Debug)]
pub enum Expectation {
    /// This target record; fields not named must be absent.
    Record(Spanned<Node>),
    /// The record is filtered by `when`.
    Filtered,
    /// The record is rejected, with this text in the reason.
    Rejected(String),
}

/// How a mapping runs.
#[derive(Clone, Debug)]
pub struct SyncOptions {
    /// How records meet the target.
    pub mode: Mode,
    /// Key in the target record (upsert).
    pub key: Vec<Spanned<Path>>,
    /// When it is due.
    pub schedule: Option<Schedule>,
    /// Most records in one group; `None`: by bytes and time alone.
    pub batch_records: Option<u64>,
    /// What becomes of rejects.
    pub on_error: OnError,
    /// How much a mirror may delete.
    pub deletes: Deletes,
    /// Routes that must have run before this one, in `--all` and `--due`.
    pub after: Vec<Spanned<String>>,
    /// Whether a person has to approve of each run; `None`: nobody has to.
    pub approval: Option<Approval>,
    /// Whether a source may be lost (a guarantee weaker than at-least-once).
    pub accept_loss: bool,
}

/// How a run is approved of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Whether who made the plan cannot be who approves of it.
    pub four_eyes: bool,
}

/// How records meet the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Each record is added.
    Append,
    /// Each record replaces the one with its key.
    Upsert,
    /// Each record changes the one with its key; none is added.
    Update,
    /// The target becomes what the source is: what is gone there is deleted.
    Mirror,
    /// Each record deletes the one with its key.
    Delete,
}

impl Mode {
    /// Every mode.
    pub const ALL: &[Self] = &[Self::Append, Self::Upsert, Self::Update, Self::Mirror, Self::Delete];

    /// The word in a mapping.
    pub fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Upsert => "upsert",
            Self::Update => "update",
            Self::Mirror => "mirror",
            Self::Delete => "delete",
        }
    }

    /// Whether records meet those of the target by key, so that sending one twice is sending it once.
    pub fn keyed(self) -> bool {
        self != Self::Append
    }
}

/// When a route is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Five fields: minute hour day-of-month month day-of-week.
    pub cron: Spanned<String>,
    /// IANA zone the fields are in; `UTC` unless said.
    pub timezone: String,
    /// What becomes of runs that were missed.
    pub missed: Missed,
}

/// What becomes of missed runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// One run stands in for all.
    Once,
    /// They are left out: the next one is the next due time.
    Skip,
}

/// How much a mirror may delete before a person has to agree: the bound that allows more holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletes {
    /// Share of the target's records, in millionths.
    pub share_ppm: u32,
    /// Number of records.
    pub records: u64,
}

/// What becomes of rejected records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnError {
    /// Share of the records read that may be rejected with exit 0, in millionths.
    pub tolerate_ppm: u32,
    /// Number of rejects with exit 0, whichever allows more.
    pub tolerate_records: u64,
    /// Stops the run once the tolerance is passed.
    pub stop: bool,
    /// Days that they are kept; `None` in a mapping that says nothing, never after loading.
    pub keep_days: Option<u32>,
}
