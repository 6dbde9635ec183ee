//! The resolved configuration: defaults filled, names looked up, every literal checked.
//! References to secrets are kept as references; nothing here holds a secret value.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::Place;
use crate::record::{ClassSet, Field, Path, Purpose};

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
    pub audit: super::Audit,
    /// Who is told how runs end.
    pub heartbeat: Heartbeat,
    /// Where the numbers of the last run go.
    pub metrics_file: Option<Text>,
    /// How long a stopped run may be silent before another takes its route over; `None`: nothing
    /// was said.
    pub lock_deadline: Option<std::time::Duration>,
    /// Days that dead letters are kept where the mapping says nothing.
    pub keep_days: u32,
    /// Values for parameters of mappings, by name.
    pub parameters: Vec<(Spanned<String>, Spanned<Node>)>,
    /// Who holds the keys that mappings protect with: nobody in what was only read, see
    /// [`crate::expr::keyed`].
    pub keys: crate::expr::Keys,
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
    /// The description of that.
    pub spec: Option<&'static super::ProtocolSpec>,
    /// The folder of consign's own files, for what outlives a run: tokens, budgets. Whoever runs
    /// sets it; it is no part of the canonical form.
    pub state: Option<PathBuf>,
    /// Counts the calls of a run. Whoever runs gives each run its own; it is no part of the canonical form.
    pub meter: crate::record::Meter,
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
    /// Agreements that exist for it.
    pub agreements: Vec<super::Agreement>,
    /// What it is, in the eyes of compliance rules.
    pub custody: super::Custody,
    /// Classes it may receive in clear; `None`: nothing was said.
    pub clearance: Option<ClassSet>,
    /// How often a failing call is tried; 0: as often as its pack says.
    pub retry_tries: u32,
    /// Calls in a minute at most; `None`: no limit.
    pub rate: Option<u32>,
}

impl Connector {
    /// One of which nothing is said but what it uses.
    pub fn new(name: &str, uses: &str, place: Place) -> Self {
        Self {
            name: name.to_owned(),
            uses: Spanned { value: uses.to_owned(), place: place.clone() },
            place,
            spec: None,
            state: None,
            meter: Default::default(),
            with: Vec::new(),
            auth: Vec::new(),
            streams: BTreeMap::new(),
            tenant: None,
            region: None,
            standards: Vec::new(),
            agreements: Vec::new(),
            custody: Default::default(),
            clearance: None,
            retry_tries: 0,
            rate: None,
        }
    }
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

impl Stream {
    /// One of which nothing is said.
    pub fn new(name: &str, place: Place) -> Self {
        Self {
            name: name.to_owned(),
            place,
            options: Vec::new(),
            format: None,
            format_options: Vec::new(),
            key: Vec::new(),
            fields: Vec::new(),
            closed: false,
            schema_file: None,
            schema: None,
        }
    }
}

/// The compliance section.
#[derive(Clone, Debug, Default)]
pub struct Compliance {
    /// Standards the project is held to.
    pub standards: Vec<String>,
    /// `block`, `warn`: what a violation does.
    pub on_violation: Violation,
    /// The keys that values are protected with, by name.
    pub keys: Vec<ProtectionKey>,
    /// What else the project declares.
    pub rules: super::Rules,
}

/// A key that values are protected with, as it is declared.
#[derive(Clone, Debug)]
pub struct ProtectionKey {
    /// Its name.
    pub name: String,
    /// Where it is declared.
    pub place: Place,
    /// What it is for.
    pub purpose: Purpose,
    /// What seals it, the first; the others only open. Empty: the key ring of the state's folder.
    pub roots: Vec<Spanned<Text>>,
    /// What decryption brings back.
    pub classes: ClassSet,
    /// The mappings that may decrypt with it.
    pub decrypt: Vec<String>,
    /// How old the version that protects may become, in days; `None`: nothing was said.
    pub max_age_days: Option<u32>,
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
    /// What it does with personal data, and why it may.
    pub compliance: super::Processing,
    /// What it is for.
    pub about: Option<String>,
    /// The version of the mapping itself, in its author's counting.
    pub revision: Option<String>,
    /// The parameters of the mapping (the first) and of each fragment that it includes, each with
    /// its value.
    pub scopes: Vec<Scope>,
    /// The list whose elements become target records of their own.
    pub explode: Option<Explode>,
    /// What becomes of fields of the source that nobody declared; `None`: nobody looks.
    pub drift: Option<Spanned<Drift>>,
    /// The gate: records for which it is false are filtered.
    pub when: Option<Expression>,
    /// Names for what several expressions use.
    pub lets: Vec<Let>,
    /// The field rules, in order. Objects are taken apart: `address: { fields: [city] }` is a rule
    /// for `address.city`.
    pub fields: Vec<FieldRule>,
    /// Fields that are taken over; they become rules once the source is known.
    pub copies: Vec<Copying>,
    /// Conditions on the target record.
    pub validate: Vec<Check>,
    /// Rules of the project that decide whether its records go on; whoever reads rules fills them in.
    pub withholds: Vec<Withholds>,
    /// Every rule of the project that looks at it, at its flow or at its records; filled in likewise.
    pub obeys: Vec<Obeyed>,
    /// Its own tests.
    pub tests: Vec<MappingTest>,
    /// Whether all of it could be read. If not, a finding said so, what could not be read is
    /// missing here, and checks that need all of it (keys, tests) keep silent.
    pub whole: bool,
    /// Whether every field rule is here, even if something in it could not be read.
    pub all_rules: bool,
    /// The files that its expressions look things up in.
    pub tables: crate::expr::Tables,
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

    /// Where the rule of a target field stands in the file, as `file:line`.
    pub fn place_of_field(&self, field: &str) -> Option<String> {
        let rule = self.fields.iter().find(|rule| rule.target.value.to_string() == field)?;
        Some(format!("{}:{}", rule.place.file, rule.place.line))
    }

    /// Whether the mapping has other targets.
    pub fn is_branch(&self) -> bool {
        self.name.value != self.family
    }
}

/// A rule that a mapping is under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obeyed {
    /// Its name.
    pub rule: String,
    /// The pack it is from, if it is shipped.
    pub pack: Option<String>,
    /// Why the pack applies by itself; `None`: somebody named it.
    pub because: Option<String>,
    /// What it does, in a few words.
    pub does: String,
}

impl Obeyed {
    /// As documents have it.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({ "rule": self.rule, "pack": self.pack, "because": self.because, "does": self.does })
    }
}

impl std::fmt::Display for Obeyed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.rule, self.does)?;
        let why = self.because.as_ref().map_or_else(String::new, |why| format!(", by itself: {why}"));
        self.pack.as_ref().map_or(Ok(()), |pack| write!(f, " (pack {pack}{why})"))
    }
}

/// A rule of the project that keeps records back.
#[derive(Clone, Debug)]
pub struct Withholds {
    /// Its name.
    pub rule: String,
    /// The condition under which a record is kept back.
    pub when: Expression,
    /// What is said of it.
    pub told: String,
}

/// The list that records are taken apart by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explode {
    /// Its path in the source record.
    pub list: Spanned<Path>,
    /// What expressions call an element, beside `item`.
    pub name: Option<Spanned<String>>,
}

/// What becomes of a field that is there and that nobody declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// It is counted and told once.
    AcceptNew,
    /// Its record goes to the dead letters.
    Park,
    /// The run ends.
    Fail,
}

impl Drift {
    /// Each with its word.
    pub const NAMES: &[(&str, Self)] = &[("accept_new", Self::AcceptNew), ("park", Self::Park), ("fail", Self::Fail)];
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
    /// Where the result goes in the target record, or in the element around.
    pub target: Spanned<Path>,
    /// What is read; `None`: the transform reads `record` itself or is constant.
    pub source: Option<Spanned<Path>>,
    /// How the result is made of it.
    pub make: Make,
    /// Where it is false, nothing is written.
    pub when: Option<Expression>,
    /// Stands in where the source is missing or null (and for CSV: empty unquoted).
    pub default: Option<Spanned<Node>>,
    /// Whether a missing or null result rejects the record.
    pub required: bool,
    /// `Some(false)`: null rejects. `Some(true)`: null is a value, to `default` and `required` too.
    pub nullable: Option<bool>,
    /// Conditions on the result.
    pub validate: Vec<Check>,
    /// Classes of the source value on top of what is known.
    pub classes: ClassSet,
    /// The type the result must have, if said.
    pub kind: Option<Spanned<crate::record::Type>>,
    /// Index in [`Mapping::scopes`]: whose parameters and names its expressions see.
    pub scope: usize,
}

impl FieldRule {
    /// A rule that writes what it reads as it is, and asks nothing of it.
    pub fn plain(place: Place, target: Spanned<Path>, source: Spanned<Path>, scope: usize) -> Self {
        Self {
            place,
            target,
            source: Some(source),
            make: Make::Value,
            when: None,
            default: None,
            required: false,
            nullable: None,
            validate: Vec::new(),
            classes: ClassSet::NONE,
            kind: None,
            scope,
        }
    }

    /// The transform, if the result is made by one.
    pub fn transform(&self) -> Option<&Expression> {
        if let Make::Transform(transform) = &self.make { Some(transform) } else { None }
    }

    /// The rules inside, each with what the path of its target begins with: an element of
    /// `for_each` counts as `[*]`, one of `list` as `[0]`.
    pub fn blocks(&self) -> Vec<(Path, &Block)> {
        use crate::record::path::Step;
        let below = |step: Option<Step>| Path(self.target.value.0.iter().cloned().chain(step).collect());
        match &self.make {
            Make::Object(block) => vec![(below(None), block)],
            Make::ForEach(each) => vec![(below(Some(Step::Each)), &each.block)],
            Make::List(list) => {
                let numbered = list.elements.iter().enumerate();
                numbered.map(|(at, element)| (below(Some(Step::Index(at as i64))), &element.block)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// How a rule makes its result.
#[derive(Clone, Debug)]
pub enum Make {
    /// The source value as it is.
    Value,
    /// From `value` (and `record`) to the result.
    Transform(Expression),
    /// Always this.
    Constant(Spanned<Node>),
    /// By a table.
    Table(Table),
    /// The result of the first condition that holds.
    Cases(Vec<Case>),
    /// An object, made only if the rule's `when` holds. Other objects are taken apart.
    Object(Block),
    /// A list of objects, written out.
    List(ListOf),
    /// A list of objects, one for each element of a list.
    ForEach(Box<ForEach>),
}

/// A table from values to values.
#[derive(Clone, Debug)]
pub struct Table {
    /// Where it stands.
    pub place: Place,
    /// The text of the value read, and the value written.
    pub cases: Vec<(Spanned<String>, Spanned<Node>)>,
    /// The value written where no case fits; `None`: the record is rejected.
    pub otherwise: Option<Spanned<Node>>,
}

/// A condition and its result.
#[derive(Clone, Debug)]
pub struct Case {
    /// The condition; `None`: it holds always.
    pub when: Option<Expression>,
    /// The result.
    pub then: Expression,
}

/// A list of objects that is written out.
#[derive(Clone, Debug)]
pub struct ListOf {
    /// The elements, each with its condition.
    pub elements: Vec<Element>,
    /// Whether a list without elements is written.
    pub keep_empty: bool,
}

/// An object of a list that is written out.
#[derive(Clone, Debug)]
pub struct Element {
    /// Where it is false, the element is left out.
    pub when: Option<Expression>,
    /// What it is made of.
    pub block: Block,
}

/// A list made of a list.
#[derive(Clone, Debug)]
pub struct ForEach {
    /// The list.
    pub over: Over,
    /// Another name for `item`.
    pub name: Option<Spanned<String>>,
    /// Elements for which it is false are left out.
    pub when: Option<Expression>,
    /// What each element is made of.
    pub block: Block,
    /// Whether a missing or null list becomes an empty one; else the field is left out.
    pub empty_if_missing: bool,
    /// Whether a list without elements is written.
    pub keep_empty: bool,
}

/// What `for_each` goes through.
#[derive(Clone, Debug)]
pub enum Over {
    /// The list at a path; every `[*]` in it is gone through.
    Path(Spanned<Path>),
    /// A list that is computed.
    Expression(Expression),
}

/// What fills an object.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// Names for what several expressions use.
    pub lets: Vec<Let>,
    /// The rules, targets relative to the object.
    pub rules: Vec<FieldRule>,
    /// Fields that are taken over.
    pub copies: Vec<Copying>,
}

/// A name for what several expressions use.
#[derive(Clone, Debug)]
pub struct Let {
    /// The name.
    pub name: Spanned<String>,
    /// What it stands for.
    pub expression: Expression,
    /// Who sees it.
    pub scope: usize,
}

/// Fields that are taken over under their own names.
#[derive(Clone, Debug)]
pub struct Copying {
    /// Where it stands.
    pub place: Place,
    /// Where the fields lie.
    pub from: Option<Spanned<Path>>,
    /// Where they go: empty, or the object around.
    pub target: Path,
    /// Which fields.
    pub which: Which,
    /// Whose names rules made of it see.
    pub scope: usize,
}

/// Which fields are taken over.
#[derive(Clone, Debug)]
pub enum Which {
    /// These.
    Pick(Vec<Spanned<Path>>),
    /// All that are declared but these.
    Omit(Vec<Spanned<Path>>),
}

/// A condition with what is said where it does not hold.
#[derive(Clone, Debug)]
pub struct Check {
    /// The condition.
    pub that: Expression,
    /// The reason given; `None`: the condition itself.
    pub message: Option<String>,
}

/// What the expressions of one file see from outside.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The fragment's file; `None` for the mapping itself.
    pub fragment: Option<String>,
    /// Its parameters with their values.
    pub parameters: Vec<Parameter>,
}

/// A parameter with its value.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: Spanned<String>,
    /// Its type.
    pub kind: crate::record::Type,
    /// Its value.
    pub value: Spanned<Node>,
    /// Whether somebody else than the mapping or fragment itself has set it.
    pub set: bool,
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
    /// A rule keeps the record back: one with this text in its name or in what it says.
    Withheld(String),
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
