//! How a plug-in describes itself: options, their types and their meaning, as data.
//!
//! From it come the check of what people write, "did you mean", the reference page, the JSON
//! Schema and the examples that run as tests. The lists live with the plug-ins and are passed in.

/// What an option holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OptionKind {
    /// Text; references are allowed.
    Text,
    /// A path in the file system; relative ones count from the project's folder.
    FilePath,
    /// `true` or `false`.
    Bool,
    /// A whole number within bounds, both included.
    Int {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Exactly one character (or one of the words `tab`, `none`).
    Character,
    /// A path in a record.
    RecordPath,
    /// A list of such.
    List(&'static OptionKind),
}

/// One option.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptionSpec {
    /// Its name, `snake_case`.
    pub name: &'static str,
    /// What it holds.
    pub kind: OptionKind,
    /// Whether it must be given.
    pub required: bool,
    /// What holds where it is not given, as YAML text.
    pub default: Option<&'static str>,
    /// One sentence.
    pub about: &'static str,
    /// Whether a literal here is a finding: it belongs into a reference.
    pub secret: bool,
    /// Whether it names what stands in for the system on this machine: nothing of what is signed in with
    /// has to be there then.
    pub stands_in: bool,
}

impl OptionSpec {
    /// An option that need not be given.
    pub const fn new(name: &'static str, kind: OptionKind, about: &'static str) -> Self {
        Self { name, kind, required: false, default: None, about, secret: false, stands_in: false }
    }
    /// It must be given.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }
    /// What holds where it is not given.
    pub const fn default(mut self, yaml: &'static str) -> Self {
        self.default = Some(yaml);
        self
    }
    /// It holds a secret.
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }
    /// It names what stands in for the system.
    pub const fn stands_in(mut self) -> Self {
        self.stands_in = true;
        self
    }
}

/// What a protocol carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// Bytes: a format says what is in them.
    Bytes,
    /// Rows: it has columns of its own.
    Rows,
}

/// A protocol, described.
#[derive(Debug)]
pub struct ProtocolSpec {
    /// The word after `use:`.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// What it carries.
    pub carries: Carries,
    /// Whether it can be a source.
    pub reads: bool,
    /// How its targets can be written to; empty: it cannot be a target.
    pub modes: &'static [super::Mode],
    /// Options under `with:`.
    pub options: &'static [OptionSpec],
    /// Options of one stream.
    pub stream_options: &'static [OptionSpec],
    /// Whether a stream may be used without being declared: its name is then the value of this
    /// stream option (`table` for databases).
    pub undeclared_stream: Option<&'static str>,
    /// A connector entry that passes the check: YAML of the map under the connector's name.
    pub example: &'static str,
    /// What may stand under `auth:`; empty: nothing is known of it.
    pub auth: &'static [OptionSpec],
    /// Streams that exist without being declared, with what is known of them.
    pub streams: &'static [StreamSpec],
    /// What the owner of the description knows its own by: a pack.
    pub plugin: Option<&'static (dyn std::any::Any + Send + Sync)>,
}

/// A stream that a kind of connector brings along.
#[derive(Debug)]
pub struct StreamSpec {
    /// Its name.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// What identifies a record.
    pub key: Vec<crate::record::Path>,
    /// Its fields.
    pub fields: Vec<crate::record::Field>,
    /// Whether there are no other fields.
    pub closed: bool,
    /// Whether it can be read.
    pub reads: bool,
    /// How it can be written to; empty: not at all.
    pub modes: Vec<super::Mode>,
}

/// Where kinds of connectors come from that are data themselves.
pub trait Shelf: Sync {
    /// The names of the built-in ones, sorted.
    fn names(&self) -> Vec<&'static str>;

    /// The built-in one of that name, read and checked now.
    fn take(&self, name: &str) -> Option<&'static ProtocolSpec>;

    /// One of the user's own, read from a tree of a file; `None` if it has errors, which are among
    /// the findings then.
    fn read(
        &self,
        source: &super::Source,
        raw: &super::yaml::Raw,
        findings: &mut Vec<crate::error::Finding>,
    ) -> Option<&'static ProtocolSpec>;
}

impl ProtocolSpec {
    /// What is known of a stream that it brings along.
    pub fn stream(&self, name: &str) -> Option<&'static StreamSpec> {
        self.streams.iter().find(|stream| stream.name == name)
    }

    /// Whether it can be a target.
    pub fn writes(&self) -> bool {
        !self.modes.is_empty()
    }
}

/// A format, described.
#[derive(Debug)]
pub struct FormatSpec {
    /// The word after `format:`.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// Its options.
    pub options: &'static [OptionSpec],
    /// Usual endings of file names, without the point.
    pub extensions: &'static [&'static str],
    /// Whether records are flat: each field a scalar.
    pub flat: bool,
    /// Whether an undeclared field is always text.
    pub text_fields: bool,
    /// Stream options with this format that pass the check, as YAML of the map under `format:`.
    pub example: &'static str,
}

/// The plug-ins a configuration is checked against.
#[derive(Clone, Copy)]
pub struct Catalog {
    /// Every protocol.
    pub protocols: &'static [&'static ProtocolSpec],
    /// Every format.
    pub formats: &'static [&'static FormatSpec],
    /// What else there is; `None`: nothing.
    pub shelf: Option<&'static dyn Shelf>,
}

impl Catalog {
    /// The kind of that name.
    pub fn kind(&self, name: &str) -> Option<&'static ProtocolSpec> {
        let written = self.protocols.iter().copied().find(|spec| spec.name == name);
        written.or_else(|| self.shelf?.take(name))
    }

    /// The names of all kinds.
    pub fn kinds(&self) -> Vec<&'static str> {
        let more = self.shelf.map(Shelf::names).unwrap_or_default();
        self.protocols.iter().map(|spec| spec.name).chain(more).collect()
    }
}
