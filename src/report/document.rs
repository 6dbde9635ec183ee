//! What a report says, before it has a shape: a title, sections, and in them texts, names with
//! values, tables, charts, graphs and findings. Values are kept as what they are (a number, a
//! moment, a share), so that each shape writes them its own way and JSON holds the raw ones.
//!
//! A report is built with [`Report::new`] and [`Section`]'s methods and never formats anything
//! itself. Keys (`snake_case`, unit in the name) are a promise to scripts; labels and titles are not.

use std::borrow::Cow;

use serde_json::Value;

use super::provenance::Provenance;

/// A name that is mostly written in the source, sometimes made.
pub type Name = Cow<'static, str>;

/// A kind of report: what the list of reports is made of.
#[derive(Debug)]
pub struct Kind {
    /// Its verb and the middle of its schema's name.
    pub name: &'static str,
    /// What it tells, one sentence without a full stop.
    pub about: &'static str,
    /// The version of its JSON document: grows when a key goes or changes its meaning.
    pub version: u32,
}

impl Kind {
    /// The name of the schema of its JSON document.
    pub fn schema(&self) -> String {
        format!("consign.report.{}/{}", self.name, self.version)
    }
}

/// A report.
#[derive(Clone, Debug)]
pub struct Report {
    /// Which.
    pub kind: &'static Kind,
    /// Its title.
    pub title: String,
    /// The answer in one or two sentences, and how good it is.
    pub lead: Option<(Tone, String)>,
    /// What it was made from.
    pub provenance: Provenance,
    /// Whether the provenance comes first, as auditors want it, and not last.
    pub cover: bool,
    /// Its sections, in order.
    pub sections: Vec<Section>,
    /// Members of the JSON document beside those that follow from the sections.
    pub data: Vec<(&'static str, Value)>,
}

impl Report {
    /// A report without sections.
    pub fn new(kind: &'static Kind, title: impl Into<String>, provenance: Provenance) -> Self {
        Self { kind, title: title.into(), lead: None, provenance, cover: false, sections: Vec::new(), data: Vec::new() }
    }

    /// Sets the answer in one or two sentences.
    #[must_use]
    pub fn lead(mut self, tone: Tone, text: impl Into<String>) -> Self {
        self.lead = Some((tone, text.into()));
        self
    }

    /// Adds a section.
    pub fn push(&mut self, section: Section) {
        self.sections.push(section);
    }

    /// The sections with the provenance among them, in the order of reading.
    pub fn whole(&self) -> Vec<Cow<'_, Section>> {
        let mut all: Vec<Cow<'_, Section>> = self.sections.iter().map(Cow::Borrowed).collect();
        let at = if self.cover { 0 } else { all.len() };
        all.insert(at, Cow::Owned(self.provenance.section()));
        all
    }

    /// Every table, with the id of its section: what `--table` chooses from.
    pub fn tables(&self) -> impl Iterator<Item = (&Section, &Table)> {
        self.sections.iter().flat_map(|section| {
            section.blocks.iter().filter_map(move |block| match block {
                Block::Table(table) => Some((section, table)),
                _ => None,
            })
        })
    }
}

/// A part of a report under a title of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Its key: unique in the report, the member of `sections` in JSON, the anchor in HTML.
    pub id: Name,
    /// Its title.
    pub title: Name,
    /// What stands in it.
    pub blocks: Vec<Block>,
}

impl Section {
    /// A section without content.
    pub fn new(id: impl Into<Name>, title: impl Into<Name>) -> Self {
        Self { id: id.into(), title: title.into(), blocks: Vec::new() }
    }

    /// Adds a block.
    #[must_use]
    pub fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    /// Adds a paragraph.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.with(Block::Text(text.into()))
    }

    /// Adds a paragraph that stands out.
    #[must_use]
    pub fn note(self, tone: Tone, text: impl Into<String>) -> Self {
        self.with(Block::Note(tone, text.into()))
    }

    /// Adds names with values.
    #[must_use]
    pub fn facts(self, key: impl Into<Name>, facts: Vec<Fact>) -> Self {
        self.with(Block::Facts { key: key.into(), facts })
    }

    /// Adds the few numbers that matter most.
    #[must_use]
    pub fn tiles(self, key: impl Into<Name>, tiles: Vec<Tile>) -> Self {
        self.with(Block::Tiles { key: key.into(), tiles })
    }

    /// Adds a table.
    #[must_use]
    pub fn table(self, table: Table) -> Self {
        self.with(Block::Table(table))
    }

    /// Adds a chart.
    #[must_use]
    pub fn chart(self, chart: Chart) -> Self {
        self.with(Block::Chart(chart))
    }

    /// Adds a graph.
    #[must_use]
    pub fn graph(self, graph: Graph) -> Self {
        self.with(Block::Graph(graph))
    }

    /// Adds findings; `none` is said where there are none.
    #[must_use]
    pub fn remarks(self, key: impl Into<Name>, remarks: Vec<Remark>, none: impl Into<Name>) -> Self {
        self.with(Block::Remarks { key: key.into(), remarks, none: none.into() })
    }
}

/// What stands in a section.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A paragraph of plain text.
    Text(String),
    /// A paragraph that stands out.
    Note(Tone, String),
    /// Names with values.
    Facts {
        /// Its key in the section.
        key: Name,
        /// The facts.
        facts: Vec<Fact>,
    },
    /// The few numbers that matter most: large where there is room.
    Tiles {
        /// Its key in the section.
        key: Name,
        /// The tiles.
        tiles: Vec<Tile>,
    },
    /// Rows of equal form.
    Table(Table),
    /// What one would rather look at than read.
    Chart(Chart),
    /// What leads to what.
    Graph(Graph),
    /// Findings, recommendations, exceptions.
    Remarks {
        /// Its key in the section.
        key: Name,
        /// The gravest first.
        remarks: Vec<Remark>,
        /// What is said where there are none.
        none: Name,
    },
    /// Text as it stands: a policy, a command, a note that was signed.
    Literal {
        /// Its key in the section.
        key: Name,
        /// What it is, for a reader of Markdown: `text`, `json`, `mermaid` …
        language: &'static str,
        /// The text.
        text: String,
    },
}

/// A name and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// The key in JSON.
    pub key: Name,
    /// The name people read.
    pub label: Name,
    /// The value.
    pub value: Cell,
}

/// A fact whose label is its key with blanks.
pub fn fact(key: impl Into<Name>, value: impl Into<Cell>) -> Fact {
    let key = key.into();
    let label = Cow::Owned(key.replace('_', " "));
    Fact { key, label, value: value.into() }
}

/// A fact with a label of its own.
pub fn named(key: impl Into<Name>, label: impl Into<Name>, value: impl Into<Cell>) -> Fact {
    Fact { key: key.into(), label: label.into(), value: value.into() }
}

/// A number that matters most.
#[derive(Clone, Debug, PartialEq)]
pub struct Tile {
    /// The key in JSON.
    pub key: Name,
    /// What it is.
    pub label: Name,
    /// The value.
    pub value: Cell,
    /// How good it is.
    pub tone: Tone,
    /// A few words on it.
    pub more: Option<String>,
}

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its key in the section, and what `--table` calls it.
    pub key: Name,
    /// Its title, where the section's does not say it.
    pub title: Option<Name>,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, each as long as there are columns.
    pub rows: Vec<Vec<Cell>>,
    /// What is said where there are no rows.
    pub none: Name,
    /// How many rows were left out, and why the reader need not miss them.
    pub left_out: Option<(u64, String)>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The key in JSON and the head in CSV.
    pub key: Name,
    /// The head people read.
    pub label: Name,
}

impl Table {
    /// A table without rows; columns by key, their labels the keys with blanks. Set a label with
    /// [`Table::label`].
    pub fn new(key: impl Into<Name>, columns: &[&'static str], none: impl Into<Name>) -> Self {
        let column = |key: &&'static str| Column { key: Cow::Borrowed(key), label: Cow::Owned(key.replace('_', " ")) };
        Self {
            key: key.into(),
            title: None,
            columns: columns.iter().map(column).collect(),
            rows: Vec::new(),
            none: none.into(),
            left_out: None,
        }
    }

    /// Sets its title.
    #[must_use]
    pub fn titled(mut self, title: impl Into<Name>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Sets the head of a column.
    #[must_use]
    pub fn label(mut self, key: &str, label: impl Into<Name>) -> Self {
        if let Some(column) = self.columns.iter_mut().find(|column| column.key == key) {
            column.label = label.into();
        }
        self
    }

    /// Whether a column holds numbers: those go to the right.
    pub fn is_of_numbers(&self, column: usize) -> bool {
        let all = self.rows.iter().all(|row| row[column].is_number() || row[column] == Cell::Nothing);
        all && self.rows.iter().any(|row| row[column].is_number())
    }

    /// Adds a row: one cell for each column.
    pub fn push(&mut self, row: Vec<Cell>) {
        debug_assert_eq!(row.len(), self.columns.len());
        self.rows.push(row);
    }
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Not known, or does not apply.
    Nothing,
    /// Words.
    Text(String),
    /// An id, a hash, a name in a file: shown as it stands.
    Code(String),
    /// How many.
    Count(u64),
    /// A number with its unit, or none (`""`).
    Number(f64, &'static str),
    /// A share, from 0 to 1.
    Share(f64),
    /// How a number changed, as a share of what it was: 0.1 is a tenth more.
    Change(f64),
    /// How a share changed, in points of a hundred.
    Points(f64),
    /// Bytes.
    Bytes(u64),
    /// A length of time, nanoseconds.
    Time(i64),
    /// A moment, nanoseconds since 1970.
    Moment(i64),
    /// Yes or no.
    Yes(bool),
    /// A word and how good it is.
    State(Tone, Name),
    /// Several.
    Many(Vec<Cell>),
}

impl Cell {
    /// Code, if there is some.
    pub fn code(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Nothing, |text| Self::Code(text.into()))
    }

    /// Many pieces of code.
    pub fn codes<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::Many(texts.into_iter().map(|text| Self::Code(text.into())).collect())
    }

    /// A moment, if it is known.
    pub fn moment(at: Option<i64>) -> Self {
        at.map_or(Self::Nothing, Self::Moment)
    }

    /// A length of time, if it is known.
    pub fn time(of: Option<i64>) -> Self {
        of.map_or(Self::Nothing, Self::Time)
    }

    /// A share, if there is a whole.
    pub fn share(part: u64, whole: u64) -> Self {
        if whole == 0 { Self::Nothing } else { Self::Share(part as f64 / whole as f64) }
    }

    /// Whether it goes to the right.
    pub fn is_number(&self) -> bool {
        use Cell::{Bytes, Change, Count, Number, Points, Share, Time};
        matches!(self, Count(_) | Number(..) | Share(_) | Change(_) | Points(_) | Bytes(_) | Time(_))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_string())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Cell {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

/// How good something is. Never the only way it is said: colour adds to words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Says nothing of good or bad.
    #[default]
    Plain,
    /// Of less weight: switched off, not known, in the past.
    Quiet,
    /// Worth a look.
    Warn,
    /// Wrong.
    Bad,
}

impl Tone {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Good, Self::Plain, Self::Quiet, Self::Warn, Self::Bad];

    /// The word in JSON and the class in HTML.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Plain => "plain",
            Self::Quiet => "quiet",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// A chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Its key in the section.
    pub key: Name,
    /// What is seen.
    pub title: Name,
    /// How it is drawn.
    pub form: Form,
    /// What stands below or beside each value: a moment, a name.
    pub labels: Vec<Cell>,
    /// What is drawn: each as long as there are labels.
    pub series: Vec<Series>,
}

/// How a chart is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Columns along time, the series one upon the other.
    Columns,
    /// A line for each series along time.
    Lines,
    /// One bar for each label, of the first series.
    Bars,
    /// For each series a strip of fields by tone: a value of 0 is good, 1 to warn, 2 bad, nothing is
    /// nothing known.
    Strips,
}

/// What is drawn in a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name.
    pub name: Name,
    /// How good it is: picks its colour.
    pub tone: Tone,
    /// Its values: numbers ([`Cell::is_number`]) or [`Cell::Nothing`].
    pub values: Vec<Cell>,
}

impl Cell {
    /// The number that a chart draws.
    pub fn drawn(&self) -> Option<f64> {
        let number = match self {
            Self::Count(n) | Self::Bytes(n) => *n as f64,
            Self::Number(n, _) | Self::Share(n) | Self::Change(n) | Self::Points(n) => *n,
            Self::Time(ns) => *ns as f64,
            _ => return None,
        };
        (number.is_finite() && number >= 0.0).then_some(number)
    }
}

/// What leads to what. Nodes stand in columns from left to right, by [`Node::column`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// Its key in the section.
    pub key: Name,
    /// What is seen.
    pub title: Name,
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The edges, by the places of their nodes.
    pub edges: Vec<Edge>,
}

impl Graph {
    /// The edges whose nodes are there.
    pub fn joined(&self) -> impl Iterator<Item = &Edge> {
        self.edges.iter().filter(|edge| edge.from < self.nodes.len() && edge.to < self.nodes.len())
    }
}

/// A node of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is called.
    pub label: String,
    /// A few words below it: classes, a protection.
    pub more: Option<String>,
    /// The box it stands in, if it is one of several: a system, a stream.
    pub group: Option<String>,
    /// How far to the right it stands.
    pub column: usize,
    /// How good it is.
    pub tone: Tone,
}

/// An edge of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// The place of the node it comes from.
    pub from: usize,
    /// The place of the node it leads to.
    pub to: usize,
    /// What it says.
    pub label: Option<String>,
}

/// A finding, a recommendation, an exception.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Remark {
    /// How bad it is.
    pub tone: Tone,
    /// Its code or the id of its control, if it has one.
    pub code: Option<String>,
    /// What it is, one sentence.
    pub what: String,
    /// What it is about: a connector, a mapping with file and line, a run.
    pub at: Option<String>,
    /// How that is known: numbers, events. Never a sensitive value.
    pub evidence: Option<String>,
    /// What to do.
    pub fix: Option<String>,
}

impl Remark {
    /// A remark of that tone.
    pub fn new(tone: Tone, what: impl Into<String>) -> Self {
        Self { tone, what: what.into(), ..Self::default() }
    }

    /// Says what it is about.
    #[must_use]
    pub fn at(mut self, at: impl Into<String>) -> Self {
        self.at = Some(at.into());
        self
    }

    /// Says its code.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Says how it is known.
    #[must_use]
    pub fn evidence(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = Some(evidence.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}
