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
}

impl OptionSpec {
    /// An option that need not be given.
    pub const fn new(name: &'static str, kind: OptionKind, about: &'static str) -> Self {
        Self { name, kind, required: false, default: None, about, secret: false }
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
}

impl ProtocolSpec {
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
}
