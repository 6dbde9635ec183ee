//! What a stream says about how its rows are to be read: the same options for every database.

use super::bookmark::Way;
use crate::config::{Mode, OptionKind, OptionSpec, Stream};
use crate::connect::options::OptionReader;
use crate::connect::protocols::{ReadRequest, Resumption, Window};
use crate::error::codes::connect::CURSOR_UNFIT;
use crate::error::{Error, Kind, Place, Result};
use crate::record::path::Step;
use crate::record::{Decimal, Duration, Position, Settled, SliceId};

/// The option `query`.
pub const QUERY: OptionSpec = OptionSpec::new(
    "query",
    OptionKind::Text,
    "A SELECT whose rows are read instead of a table's; its columns need names, each its own.",
);
/// The option `cursor`.
pub const CURSOR: OptionSpec = OptionSpec::new(
    "cursor",
    OptionKind::Text,
    "The column that tells what is new: it grows with every new or changed record. Without it everything is read on every run, or once by a route that appends.",
);
/// The option `tie`.
pub const TIE: OptionSpec = OptionSpec::new(
    "tie",
    OptionKind::List(&OptionKind::Text),
    "The columns that tell records with one cursor value apart; the stream's key unless given, else the primary key.",
);
/// The option `lag`.
pub const LAG: OptionSpec = OptionSpec::new(
    "lag",
    OptionKind::Text,
    "How far a run stays behind the newest: records may be committed that much late. A time (`30s`, `5m`) behind the database's clock, or a number where the cursor is one.",
);
/// The option `overlap`.
pub const OVERLAP: OptionSpec = OptionSpec::new(
    "overlap",
    OptionKind::Text,
    "How far each run goes back behind where the last one ended; for modes with a key only. A time, or a number where the cursor is one.",
);
/// The option `sorted`.
pub const SORTED: OptionSpec = OptionSpec::new(
    "sorted",
    OptionKind::Bool,
    "Whether rows are read in the order of the cursor. Otherwise the position moves at the end of a run only, and a run that was killed reads everything since the last one again.",
)
.default("true");
/// The option `without_cursor`.
pub const WITHOUT_CURSOR: OptionSpec = OptionSpec::new(
    "without_cursor",
    OptionKind::Choice(&["refuse", "skip"]),
    "What records whose cursor or tie column is null do: end the run, or be left out and counted.",
)
.default("refuse");

/// What is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// A table or view, as the stream names it.
    Table(String),
    /// The rows of a SELECT.
    Query(String),
}

/// A distance in a cursor's own measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distance {
    /// In time.
    Time(Duration),
    /// In numbers.
    Number(Decimal),
}

/// What a run asks of a stream.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What is read.
    pub relation: Relation,
    /// The slice's stable name, which is also what a person calls it.
    pub slice: SliceId,
    /// The cursor's column.
    pub cursor: Option<String>,
    /// The tie columns, if the stream names any.
    pub tie: Vec<String>,
    /// How far to stay behind the newest.
    pub lag: Option<Distance>,
    /// How far to go back.
    pub overlap: Option<Distance>,
    /// How it is read.
    pub way: Way,
    /// Whether records without a cursor value are left out.
    pub skip_nulls: bool,
    /// Whether records meet the target by key.
    pub keyed: bool,
    /// Where the slices of the route stand.
    pub settled: Vec<(SliceId, Settled)>,
    /// A group that is read again: up to this position.
    pub only: Option<Position>,
    /// What a person asked for instead of what is new.
    pub window: Option<Window>,
    /// Where the stream is declared, for errors.
    pub place: Place,
}

impl Wanted {
    /// Reads the options of a stream; `specs` is the description they were checked against.
    ///
    /// # Errors
    /// [`Kind::Invalid`] if options contradict each other or the mode.
    pub fn of(request: &ReadRequest<'_>, specs: &'static [OptionSpec]) -> Result<Self> {
        let stream = request.stream;
        let options = OptionReader::new(&stream.options, specs);
        let text = |name| options.text(name).map(|text| text.filter(|text| !text.trim().is_empty()));
        let unfit = |cause: &str| Error::new(Kind::Invalid, &CURSOR_UNFIT, cause).at(stream.place.clone());
        let relation = match (text("table")?, text("query")?) {
            (Some(_), Some(_)) => return Err(unfit("a stream is a `table` or a `query`, not both")),
            (Some(table), None) => Relation::Table(table),
            (None, Some(query)) => Relation::Query(query.trim().trim_end_matches(';').to_owned()),
            (None, None) => Relation::Table(stream.name.clone()),
        };
        let cursor = text("cursor")?;
        let way = match (&cursor, request.mode) {
            (_, Mode::Mirror) => Way::Whole,
            (Some(_), _) if options.flag("sorted")? => Way::Sorted,
            (Some(_), _) => Way::Unsorted,
            (None, Mode::Append) => Way::Once,
            (None, _) => Way::Whole,
        };
        let keyed = request.mode.keyed();
        let (lag, overlap) = (distance(&options, "lag")?, distance(&options, "overlap")?);
        if cursor.is_none() && (lag.is_some() || overlap.is_some()) {
            return Err(unfit("`lag` and `overlap` are measured on a cursor, and the stream names none")
                .hint("name the column that tells what is new under `cursor`"));
        }
        if overlap.is_some() && !keyed {
            return Err(unfit("`overlap` reads records again, and a route that appends would add them again")
                .hint("use a `lag` instead, or `mode: upsert` with a key"));
        }
        if request.window.is_some() {
            if cursor.is_none() {
                return Err(unfit(&format!("stream `{}` has no cursor that could be bounded", stream.name)).hint(
                    "name the column that tells what is new under `cursor`, or leave out `--since` and `--until`",
                ));
            }
            if !keyed || request.mode == Mode::Mirror {
                return Err(unfit(match request.mode {
                    Mode::Mirror => "a mirror needs the whole source: what lies outside of the bounds would be deleted",
                    _ => "a route that appends would add the records between the bounds again",
                })
                .hint("`--since` and `--until` are for routes that upsert, update or delete by key"));
            }
        }
        let slice = match &relation {
            Relation::Table(table) => table.as_str(),
            Relation::Query(_) => stream.name.as_str(),
        };
        Ok(Self {
            slice: slice.into(),
            relation,
            cursor: if way == Way::Whole && request.window.is_none() { None } else { cursor },
            tie: match options.list("tie")? {
                none if none.is_empty() => stream_key(stream),
                tie => tie,
            },
            lag,
            overlap,
            way,
            skip_nulls: text("without_cursor")?.as_deref() == Some("skip"),
            keyed,
            settled: request.settled.to_vec(),
            only: request.only.map(|(_, position)| position.clone()),
            window: request.window.cloned(),
            place: stream.place.clone(),
        })
    }

    /// What the positions of this stream belong to.
    pub(super) fn identity(&self) -> String {
        match &self.relation {
            Relation::Table(table) => format!("table {table}"),
            Relation::Query(query) => {
                // White space is no change of a query.
                let words = query.split_whitespace().collect::<Vec<_>>().join(" ");
                format!("query {}", crate::record::shown::hex(&blake3::hash(words.as_bytes()).as_bytes()[..8]))
            }
        }
    }

    /// An error about the stream, at its place.
    pub fn unfit(&self, cause: impl Into<String>) -> Error {
        Error::new(Kind::Invalid, &CURSOR_UNFIT, cause).at(self.place.clone())
    }
}

/// How a stream of rows comes back to where it was.
pub fn resumption(request: &ReadRequest<'_>, specs: &'static [OptionSpec]) -> Resumption {
    match Wanted::of(request, specs).map(|wanted| wanted.way) {
        Ok(Way::Sorted | Way::Once) => Resumption::Exact,
        Ok(Way::Unsorted | Way::Whole) | Err(_) => Resumption::SliceStart,
    }
}

/// Whether a stream of rows has a cursor.
pub fn has_cursor(stream: &Stream, specs: &'static [OptionSpec]) -> bool {
    OptionReader::new(&stream.options, specs).text("cursor").is_ok_and(|text| text.is_some_and(|t| !t.is_empty()))
}

/// The key that the stream declares, as far as it is made of columns.
fn stream_key(stream: &Stream) -> Vec<String> {
    let column = |path: &crate::record::Path| match path.0.as_slice() {
        [Step::Key(name)] => Some(name.clone()),
        _ => None,
    };
    stream.key.iter().map(column).collect::<Option<_>>().unwrap_or_default()
}

fn distance(options: &OptionReader<'_>, name: &str) -> Result<Option<Distance>> {
    let Some(text) = options.text(name)?.filter(|text| !text.is_empty()) else { return Ok(None) };
    let found = match Decimal::parse(&text) {
        Ok(number) => Some(Distance::Number(number)),
        Err(_) => days_or_less(&text).map(Distance::Time),
    };
    let negative = match &found {
        Some(Distance::Number(_)) => text.starts_with('-'),
        Some(Distance::Time(span)) => span.total() < 0,
        None => false,
    };
    match found {
        Some(Distance::Number(number)) if number.to_i64() == Some(0) => Ok(None),
        Some(found) if !negative => Ok(Some(found)),
        _ => Err(options.wrong(name, "is neither a time such as `30s`, `5m`, `2h`, `1d` nor a number from 0")),
    }
}

/// `30s`, `1h30m`, `2d`.
fn days_or_less(text: &str) -> Option<Duration> {
    match text.strip_suffix('d').map(str::parse::<i64>) {
        Some(Ok(days)) => Duration::from_nanos(i128::from(days) * 86_400_000_000_000),
        _ => Duration::parse(text),
    }
}
