//! What to ask a database for, so that a run reads what is new, all of it, and nothing twice.

use std::sync::Arc;

use super::bookmark::{Bookmark, Way};
use super::key::{Key, KeyKind};
use super::parts::{Group, Parts, Until, doubt};
use super::sql::{Sql, Statement};
use super::wanted::{Distance, Relation, Wanted};
use crate::connect::Header;
use crate::error::codes::connect::{CURSOR_CHANGED, CURSOR_MISSED, CURSOR_NULL, CURSOR_UNFIT};
use crate::error::{Error, Kind, Result, nearest};
use crate::record::{Decimal, Position, Timestamp};

/// What a database was found to have.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// The columns, in order.
    pub columns: Vec<String>,
    /// The columns of the primary key, if there is one.
    pub primary: Vec<String>,
    /// Sets of columns that no two records share: primary key and unique indexes whose columns
    /// cannot be null. Nothing is known of a query.
    pub unique: Vec<Vec<String>>,
    /// Columns that may be null. For a query: all of them.
    pub nullable: Vec<String>,
}

/// One database, asked inside the snapshot that the rows are read in.
pub trait Database {
    /// What stands after `FROM`: a quoted name, or a query in parentheses with a name.
    fn relation(&self) -> String;

    /// A column as it stands in a list of columns.
    fn column(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// A column as it is compared and ordered: with a collation where the column's own would not
    /// tell all texts apart.
    fn ordered(&self, name: &str) -> String {
        self.column(name)
    }

    /// A placeholder, from 1 on, for a value that is compared with a column.
    fn parameter(&self, number: usize, column: &str) -> String;

    /// The one number that a statement yields.
    ///
    /// # Errors
    /// Whatever the database says.
    fn count(&mut self, statement: &Statement) -> Result<u64>;

    /// The one value that a statement yields, `None` for null.
    ///
    /// # Errors
    /// Whatever the database says; a value that can be no [`Key`].
    fn value(&mut self, statement: &Statement) -> Result<Option<Key>>;

    /// The database's clock.
    ///
    /// # Errors
    /// Whatever the database says.
    fn now(&mut self) -> Result<Timestamp>;

    /// How many records have a cursor value of another type than this: they have no place in its
    /// order. Only for databases whose columns hold values of any type.
    ///
    /// # Errors
    /// Whatever the database says.
    fn strangers(&mut self, _cursor: &str, _kind: KeyKind) -> Result<u64> {
        Ok(0)
    }
}

/// What one run reads.
#[derive(Debug)]
pub struct Scan {
    wanted: Wanted,
    layout: Layout,
    tie: Vec<String>,
    exact: bool,
    kind: Option<KeyKind>,
    lower: Lower,
    upper: Option<Upper>,
    /// Where the slice stands.
    start: Position,
    bookmark: Bookmark,
    until: Option<Bookmark>,
    nothing: bool,
    notes: Vec<String>,
}

#[derive(Debug)]
enum Lower {
    None,
    /// From this cursor value on, it included.
    From(Key),
    /// Behind this point of cursor value and tie key.
    After(Option<Key>, Vec<Key>),
}

#[derive(Debug)]
enum Upper {
    /// Up to this cursor value, it included.
    Through(Key),
    /// Up to this cursor value, it excluded.
    Below(Key),
    /// Up to this point, it included.
    Point(Option<Key>, Vec<Key>),
}

impl Scan {
    /// Plans the run: where it begins and ends. Asks the database for what that depends on.
    ///
    /// # Errors
    /// [`Kind::Invalid`] if the stream does not fit the table or the stored position; a record that
    /// has no place in the order.
    pub fn new(wanted: Wanted, layout: Layout, database: &mut dyn Database) -> Result<Self> {
        let mut scan = Self {
            tie: Vec::new(),
            exact: false,
            kind: None,
            lower: Lower::None,
            upper: None,
            start: Position::default(),
            bookmark: Bookmark {
                of: wanted.identity(),
                way: wanted.way,
                cursor: wanted.cursor.clone(),
                given: None,
                ..Bookmark::given("")
            },
            until: None,
            nothing: false,
            notes: Vec::new(),
            wanted,
            layout,
        };
        scan.choose_columns()?;
        scan.bookmark.tie = scan.tie.clone();
        scan.find_position()?;
        match scan.wanted.only.take() {
            Some(end) => scan.read_again(&end)?,
            None => scan.read_on(database)?,
        }
        Ok(scan)
    }

    /// What there was to say.
    pub fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// The statement that reads the rows: one column for each of the layout. `None`: nothing is
    /// there to be read.
    pub fn statement(&self, database: &dyn Database) -> Option<Statement> {
        if self.nothing {
            return None;
        }
        let columns: Vec<String> = self.layout.columns.iter().map(|name| database.column(name)).collect();
        let mut sql = Sql::new(database, format!("SELECT {} FROM {}", columns.join(", "), database.relation()));
        let cursor = self.wanted.cursor.as_deref();
        match &self.lower {
            Lower::None => {}
            Lower::From(key) => sql.compare(cursor, ">=", key),
            Lower::After(at, tie) => sql.point(cursor, &self.tie, ">", at.as_ref(), tie),
        }
        match &self.upper {
            None => {}
            Some(Upper::Through(key)) => sql.compare(cursor, "<=", key),
            Some(Upper::Below(key)) => sql.compare(cursor, "<", key),
            Some(Upper::Point(at, tie)) => sql.point(cursor, &self.tie, "<=", at.as_ref(), tie),
        }
        if self.wanted.skip_nulls {
            for name in cursor.into_iter().chain(self.tie.iter().map(String::as_str)) {
                if self.layout.nullable.iter().any(|n| n == name) {
                    sql.and(&format!("{} IS NOT NULL", database.column(name)));
                }
            }
        }
        if matches!(self.wanted.way, Way::Sorted | Way::Once) {
            let order: Vec<String> =
                cursor.into_iter().chain(self.tie.iter().map(String::as_str)).map(|n| database.ordered(n)).collect();
            sql.text.push_str(&format!(" ORDER BY {}", order.join(", ")));
        }
        Some(sql.finish())
    }

    /// What takes the rows.
    pub fn parts(&self) -> Parts {
        let index = |name: &String| self.layout.columns.iter().position(|column| column == name);
        let cell = |bookmark: &Bookmark| bookmark.at.as_ref().map(Key::cell);
        let bound = match (&self.upper, self.wanted.way) {
            (Some(Upper::Through(key)), Way::Unsorted) => Some((key.clone(), key.cell())),
            _ => None,
        };
        let carried = match &bound {
            Some((_, bound)) => cell(&self.bookmark).is_some_and(|at| super::key::same(&at, bound)),
            None => true,
        };
        let mut group = Group::default();
        if carried && self.exact {
            group.cell = cell(&self.bookmark).unwrap_or_default();
            group.count = self.bookmark.count;
            group.seen = self.bookmark.seen.clone();
        }
        let known = match (&self.lower, cell(&self.bookmark)) {
            (Lower::From(_), Some(at)) if self.exact => Some((at, self.bookmark.seen_set())),
            _ => None,
        };
        Parts {
            slice: self.wanted.slice.clone(),
            header: Arc::new(Header { columns: self.layout.columns.clone() }),
            writer: super::cells::RowWriter::default(),
            sequence: 0,
            start: self.start.clone(),
            rows: 0,
            bookmark: self.bookmark.clone(),
            cursor: self.wanted.cursor.as_ref().and_then(index),
            kind: self.kind,
            tie: self.tie.iter().filter_map(index).collect(),
            known,
            until: self.until.clone().map(|bookmark| Until {
                cell: cell(&bookmark).unwrap_or_default(),
                seen: (bookmark.at.is_some() && bookmark.is_whole()).then(|| bookmark.seen_set()),
                bookmark,
            }),
            bound,
            exact: self.exact,
            still: self.wanted.window.is_some(),
            group,
            ended: false,
            scratch: Vec::new(),
        }
    }

    /// Finds the cursor and the columns that tell records apart.
    fn choose_columns(&mut self) -> Result<()> {
        if let Some(cursor) = &self.wanted.cursor {
            self.must_have(cursor)?;
        }
        if self.wanted.way == Way::Whole && self.wanted.cursor.is_none() {
            return Ok(());
        }
        let tie = if self.wanted.tie.is_empty() { &self.layout.primary } else { &self.wanted.tie };
        for column in tie {
            self.must_have(column)?;
        }
        let cursor = self.wanted.cursor.as_ref();
        let told: Vec<&String> = cursor.into_iter().chain(tie).collect();
        let is_query = matches!(self.wanted.relation, Relation::Query(_));
        self.exact = self.layout.unique.iter().any(|set| set.iter().all(|column| told.contains(&column)))
            || is_query && !tie.is_empty();
        self.tie = tie.iter().filter(|column| Some(*column) != cursor).cloned().collect();
        if self.exact {
            return Ok(());
        }
        if self.wanted.keyed {
            // Records at the boundary come again, which changes nothing by key.
            self.tie.clear();
            return Ok(());
        }
        let what = match (&self.wanted.cursor, tie.is_empty()) {
            (_, false) => format!("{} are not unique: they do not tell records apart", list(tie)),
            (Some(cursor), true) => format!("nothing tells records with the same `{cursor}` apart"),
            (None, true) => "the stream has no cursor, and nothing tells its records apart".into(),
        };
        Err(self.wanted.unfit(what).hint("name columns under `tie` that no two records share, such as the primary key"))
    }

    fn must_have(&self, column: &str) -> Result<()> {
        if self.layout.columns.iter().any(|known| known == column) {
            return Ok(());
        }
        let error = self.wanted.unfit(format!("`{}` has no column `{column}`", self.wanted.slice));
        Err(match nearest(column, self.layout.columns.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("there are: {}", self.layout.columns.join(", "))),
        })
    }

    /// Where the route stands, if that is a point in what is to be read.
    fn find_position(&mut self) -> Result<()> {
        if self.wanted.window.is_some() || self.wanted.way == Way::Whole {
            return Ok(());
        }
        let mut others = Vec::new();
        for (slice, settled) in &self.wanted.settled {
            let Some(stored) = Bookmark::of(&settled.position)? else { continue };
            // A whole reading left nothing to go on from; by key it can be begun with any cursor.
            if stored.way == Way::Whole && self.wanted.keyed {
                continue;
            }
            if *slice != self.wanted.slice {
                others.push((slice, format!("it was `{slice}` and is `{}` now", self.wanted.slice)));
                continue;
            }
            // A point set by hand is one of whatever the stream reads now.
            let changed = match stored.given.is_some() && stored.of.is_empty() {
                true => {
                    self.wanted.cursor.is_none().then(|| "it is set for a cursor, and there is none now".to_owned())
                }
                false => self.bookmark.difference(&stored),
            };
            if let Some(what) = changed {
                return Err(self.moved(slice, &what));
            }
            self.start = settled.position.clone();
            match stored.given {
                Some(given) => self.bookmark.given = Some(given),
                None => self.bookmark = Bookmark { way: self.bookmark.way, ..stored },
            }
            // What was read of another table before counts no more.
            return Ok(());
        }
        match others.first() {
            Some((slice, what)) => Err(self.moved(slice, what)),
            None => Ok(()),
        }
    }

    fn moved(&self, slice: &str, what: &str) -> Error {
        let cause = format!("the route stands at a position of another reading: {what}");
        Error::new(Kind::Invalid, &CURSOR_CHANGED, cause)
            .at(self.wanted.place.clone())
            .fact("slice", slice)
            .hint(format!(
                "say where to go on: consign sync state set NAME {} --cursor VALUE --reason TEXT",
                self.wanted.slice
            ))
            .hint("or begin again: consign sync state reset NAME --reason TEXT")
    }

    /// Plans to read what is new.
    fn read_on(&mut self, database: &mut dyn Database) -> Result<()> {
        if self.wanted.way == Way::Whole && self.wanted.cursor.is_none() {
            return Ok(());
        }
        self.count_nulls(database)?;
        let Some(cursor) = self.wanted.cursor.clone() else { return self.read_once(database) };
        let greatest =
            Sql::new(database, format!("SELECT max({}) FROM {}", database.ordered(&cursor), database.relation()))
                .finish();
        let Some(newest) = database.value(&greatest)? else {
            self.nothing = true;
            return Ok(());
        };
        let kind = newest.kind();
        self.kind = Some(kind);
        let strangers = database.strangers(&cursor, kind)?;
        if strangers > 0 {
            let cause = format!("`{cursor}` holds values of type {} and of other types", kind.name());
            return Err(Error::new(Kind::Failed, &CURSOR_CHANGED, cause)
                .fact("table", &*self.wanted.slice)
                .fact("records with values of another type", strangers)
                .hint("values of two types have no order that is that of their arrival: make them one type"));
        }
        if let Some(window) = self.wanted.window.clone() {
            let read = |text: Option<String>, name| text.map(|text| self.given(&text, kind, name)).transpose();
            let (since, until) = (read(window.since, "--since")?, read(window.until, "--until")?);
            self.lower = since.map_or(Lower::None, Lower::From);
            self.upper = Some(until.map_or(Upper::Through(newest), Upper::Below));
            return Ok(());
        }
        self.begin_at(database, kind)?;
        self.check_moments(&newest, database)?;
        self.look_back(&newest);
        let bound = self.bound(newest, database)?;
        self.nothing = bound.is_none();
        self.upper = bound.map(Upper::Through);
        Ok(())
    }

    /// Where reading begins.
    fn begin_at(&mut self, database: &mut dyn Database, kind: KeyKind) -> Result<()> {
        if let Some(given) = self.bookmark.given.clone() {
            let key = self.given(&given, kind, "the stored position")?;
            self.lower = Lower::From(key);
            return Ok(());
        }
        let Some(at) = self.bookmark.at.clone() else { return Ok(()) };
        if !at.kind().goes_with(kind) {
            let cursor = self.wanted.cursor.clone().unwrap_or_default();
            return Err(Error::new(
                Kind::Invalid,
                &CURSOR_CHANGED,
                format!(
                    "`{cursor}` was of type {} when it was read, and is of type {} now",
                    at.kind().name(),
                    kind.name()
                ),
            )
            .fact("table", &*self.wanted.slice)
            .hint("say where to go on: consign sync state set NAME SLICE --cursor VALUE --reason TEXT")
            .hint("or begin again: consign sync state reset NAME --reason TEXT"));
        }
        if let Some(overlap) = self.wanted.overlap {
            // What comes again changes nothing by key.
            let back = self.behind(&at, overlap)?;
            self.bookmark.seen.clear();
            self.bookmark.count = 0;
            self.lower = Lower::From(back);
            return Ok(());
        }
        if !self.exact || self.bookmark.is_whole() {
            self.lower = Lower::From(at);
            return Ok(());
        }
        let behind = {
            let mut sql = Sql::new(database, format!("SELECT count(*) FROM {}", database.relation()));
            sql.compare(self.wanted.cursor.as_deref(), "=", &at);
            if !self.bookmark.key.is_empty() {
                sql.point(None, &self.tie, "<=", None, &self.bookmark.key);
            }
            sql.finish()
        };
        let there = database.count(&behind)?;
        if there <= self.bookmark.count && !self.bookmark.key.is_empty() {
            self.lower = Lower::After(Some(at), self.bookmark.key.clone());
            return Ok(());
        }
        if !self.wanted.keyed {
            return Err(Error::new(
                Kind::Partial,
                &CURSOR_MISSED,
                "records came in with a cursor value that was read already, and nothing tells which of them are new",
            )
            .fact("table", &*self.wanted.slice)
            .fact("records read with that value", self.bookmark.count)
            .fact("records there now", there)
            .hint("look at them; then `consign sync state set NAME SLICE --cursor VALUE` says where to go on")
            .hint("a cursor that grows with every change, or a `lag`, keeps this from happening"));
        }
        self.notes.push(format!(
            "{} has new records with a cursor value that was read already: all records with it are read again",
            self.wanted.slice
        ));
        self.bookmark.count = 0;
        self.bookmark.key.clear();
        self.lower = Lower::From(at);
        Ok(())
    }

    /// Moments that are kept as text are in order only if all are written in one way: `12:00:00Z` stands
    /// behind `12:00:00.5Z`.
    fn check_moments(&self, newest: &Key, database: &mut dyn Database) -> Result<()> {
        let (Key::Text(text), Some(cursor)) = (newest, self.wanted.cursor.as_deref()) else { return Ok(()) };
        let Some((between, ends_itself)) = super::moment::form(text) else { return Ok(()) };
        let column = database.column(cursor);
        let mut sql = Sql::new(database, format!("SELECT count(*) FROM {}", database.relation()));
        // Two ways of writing differ in order within a day of each other.
        if let Lower::From(Key::Text(from)) | Lower::After(Some(Key::Text(from)), _) = &self.lower
            && let Some(day) = super::moment::day_before(from)
        {
            sql.compare(Some(cursor), ">=", &Key::Text(day));
        }
        let length = format!("length({column}) <> {}", text.len());
        sql.and(&match (between, ends_itself) {
            (Some(between), true) => format!("substr({column}, 11, 1) <> '{}'", char::from(between)),
            (Some(between), false) => format!("(substr({column}, 11, 1) <> '{}' OR {length})", char::from(between)),
            (None, _) => length,
        });
        let others = database.count(&sql.finish())?;
        if others == 0 {
            return Ok(());
        }
        let cause = format!(
            "`{cursor}` holds moments as text in several forms, and the order of such texts is not that of time"
        );
        Err(Error::new(Kind::Failed, &CURSOR_UNFIT, cause)
            .fact("table", &*self.wanted.slice)
            .fact("newest", text)
            .fact("records in another form", others)
            .hint("write all of them in one form, fractions and offset included, or use another cursor"))
    }

    /// Says so if the newest record is older than what was read: the table may have been restored.
    fn look_back(&mut self, newest: &Key) {
        let older = match (&self.bookmark.at, newest) {
            (Some(Key::Int(at)), Key::Int(newest)) => newest < at,
            (Some(Key::Timestamp(at)), Key::Timestamp(newest)) => newest < at,
            (Some(Key::Date(at)), Key::Date(newest)) => newest < at,
            _ => false,
        };
        if older && let Some(at) = self.bookmark.shown() {
            self.notes.push(format!(
                "the newest record of `{}` is older than what was read before ({at}): if the table was restored, `consign sync state set` says where to go on",
                self.wanted.slice
            ));
        }
    }

    /// Up to where this run reads; `None` if that is before everything.
    fn bound(&self, newest: Key, database: &mut dyn Database) -> Result<Option<Key>> {
        let Some(lag) = self.wanted.lag else { return Ok(Some(newest)) };
        let bound = match (&newest, lag) {
            (Key::Timestamp(_), Distance::Time(span)) => {
                let until = database.now()?.plus(span.negated());
                match (until, &newest) {
                    (Some(until), Key::Timestamp(newest)) if until < *newest => Key::Timestamp(until),
                    _ => newest,
                }
            }
            (Key::Date(newest), Distance::Time(span)) => match database.now()?.plus(span.negated()) {
                Some(until) if until.date_at(0) < *newest => Key::Date(until.date_at(0)),
                _ => Key::Date(*newest),
            },
            (Key::Text(text), Distance::Time(span)) => {
                let until = database.now()?.plus(span.negated());
                let Some(until) = until.and_then(|until| super::moment::write_like(text, until)) else {
                    return Err(self.unmeasured(&newest, "lag"));
                };
                Key::Text(if until < *text { until } else { text.clone() })
            }
            (_, Distance::Number(_)) => self.behind(&newest, lag)?,
            _ => return Err(self.unmeasured(&newest, "lag")),
        };
        Ok(Some(bound))
    }

    /// A value so far behind another.
    fn behind(&self, key: &Key, distance: Distance) -> Result<Key> {
        let unmeasured = || self.unmeasured(key, "lag` or `overlap");
        Ok(match (key, distance) {
            (Key::Timestamp(moment), Distance::Time(span)) => {
                Key::Timestamp(moment.plus(span.negated()).ok_or_else(unmeasured)?)
            }
            (Key::Date(date), Distance::Time(span)) => {
                // A part of a day counts as a day.
                let days = i32::try_from((span.total() + 86_399_999_999_999) / 86_400_000_000_000).unwrap_or(i32::MAX);
                Key::Date(crate::record::Date { days: date.days.saturating_sub(days).max(-719_162) })
            }
            (Key::Text(text), Distance::Time(span)) => {
                let moment = super::moment::read(text).ok_or_else(unmeasured)?;
                let earlier = moment.plus(span.negated()).ok_or_else(unmeasured)?;
                Key::Text(super::moment::write_like(text, earlier).ok_or_else(unmeasured)?)
            }
            (Key::Int(number), Distance::Number(distance)) => {
                Key::Int(number.saturating_sub(distance.to_i64().ok_or_else(unmeasured)?))
            }
            (Key::Decimal(text), Distance::Number(distance)) => {
                let number = Decimal::parse(text).map_err(|_| unmeasured())?;
                let mut out = Vec::new();
                number.sub(distance).map_err(|_| unmeasured())?.write(&mut out);
                Key::Decimal(String::from_utf8_lossy(&out).into_owned())
            }
            (Key::Double(number), Distance::Number(distance)) => {
                let mut out = Vec::new();
                distance.write(&mut out);
                let distance: f64 = String::from_utf8_lossy(&out).parse().unwrap_or(0.0);
                Key::Double(number - distance)
            }
            _ => return Err(unmeasured()),
        })
    }

    fn unmeasured(&self, key: &Key, option: &str) -> Error {
        let cursor = self.wanted.cursor.clone().unwrap_or_default();
        self.wanted
            .unfit(format!(
                "`{option}` cannot be measured on `{cursor}`, whose values are of type {}",
                key.kind().name()
            ))
            .hint("a time needs a cursor of moments, a number one of numbers")
    }

    /// Plans to read everything once, in the order of the tie key.
    fn read_once(&mut self, database: &mut dyn Database) -> Result<()> {
        let Some((_, settled)) = self.wanted.settled.iter().find(|(slice, _)| *slice == self.wanted.slice) else {
            return Ok(());
        };
        if settled.done && !self.bookmark.key.is_empty() {
            let all = Sql::new(database, format!("SELECT count(*) FROM {}", database.relation())).finish();
            let there = database.count(&all)?;
            let slice = &self.wanted.slice;
            if there > self.bookmark.count {
                return Err(Error::new(
                    Kind::Partial,
                    &CURSOR_MISSED,
                    format!(
                        "`{slice}` has more records than when it was read, and nothing tells which of them are new"
                    ),
                )
                .fact("records read", self.bookmark.count)
                .fact("records there now", there)
                .hint("name the column that tells what is new under `cursor`, or use `mode: upsert` with a key"));
            }
            self.notes.push(format!("`{slice}` was skipped: it was read to its end before, and has no cursor"));
            self.nothing = true;
            return Ok(());
        }
        if !self.bookmark.key.is_empty() {
            self.lower = Lower::After(None, self.bookmark.key.clone());
        }
        Ok(())
    }

    /// Plans to read a group again, exactly.
    fn read_again(&mut self, end: &Position) -> Result<()> {
        let until = Bookmark::of(end)?.ok_or_else(|| doubt("the group in doubt was not read from rows"))?;
        let ordered = self.exact && matches!(self.wanted.way, Way::Sorted | Way::Once);
        if !ordered || self.bookmark.difference(&until).is_some() {
            return Err(doubt("the rows of the group in doubt cannot be read again in the order they came"));
        }
        self.kind = until.at.as_ref().map(Key::kind);
        let given = self.bookmark.given.clone().zip(self.kind);
        self.lower = match (&self.bookmark.at, self.bookmark.key.as_slice()) {
            _ if let Some((given, kind)) = given => Lower::From(self.given(&given, kind, "the stored position")?),
            (None, []) => Lower::None,
            (Some(at), []) => Lower::From(at.clone()),
            (at, key) => Lower::After(at.clone(), key.to_vec()),
        };
        self.upper = Some(match (&until.at, until.key.as_slice()) {
            (Some(at), []) => Upper::Through(at.clone()),
            (at, key) => Upper::Point(at.clone(), key.to_vec()),
        });
        self.until = Some(until);
        Ok(())
    }

    /// Records without a place in the order: refused, or counted.
    fn count_nulls(&mut self, database: &mut dyn Database) -> Result<()> {
        let columns: Vec<&String> =
            self.wanted.cursor.iter().chain(&self.tie).filter(|column| self.layout.nullable.contains(column)).collect();
        if columns.is_empty() {
            return Ok(());
        }
        let conditions: Vec<String> = columns.iter().map(|name| format!("{} IS NULL", database.column(name))).collect();
        let sql = format!("SELECT count(*) FROM {} WHERE {}", database.relation(), conditions.join(" OR "));
        let without = database.count(&Statement { sql, parameters: Vec::new() })?;
        if without == 0 {
            return Ok(());
        }
        let names = list(&columns.into_iter().cloned().collect::<Vec<_>>());
        let records = if without == 1 { "record has".to_string() } else { "records have".into() };
        let cause = format!("{without} {records} no value in {names} of `{}`", self.wanted.slice);
        if self.wanted.skip_nulls {
            self.notes.push(format!("{cause}: left out, as the stream says"));
            return Ok(());
        }
        Err(Error::new(Kind::Failed, &CURSOR_NULL, format!("{cause}, and would never be read"))
            .hint("fill the column, or leave such records out: `without_cursor: skip`"))
    }

    fn given(&self, text: &str, kind: KeyKind, name: &str) -> Result<Key> {
        Key::read(text, kind).ok_or_else(|| {
            let cursor = self.wanted.cursor.clone().unwrap_or_default();
            self.wanted.unfit(format!("`{text}` ({name}) is no value of `{cursor}`, which is of type {}", kind.name()))
        })
    }
}

impl Bookmark {
    /// What tells another bookmark from this one, if they are not of one reading.
    fn difference(&self, other: &Self) -> Option<String> {
        let named = |name: &Option<String>| name.as_ref().map_or_else(|| "none".to_owned(), |n| format!("`{n}`"));
        if self.of != other.of {
            return Some(format!("it was {} and is {} now", other.of, self.of));
        }
        if self.cursor != other.cursor {
            return Some(format!("the cursor was {} and is {} now", named(&other.cursor), named(&self.cursor)));
        }
        if self.tie != other.tie {
            return Some(format!("the tie was {} and is {} now", list(&other.tie), list(&self.tie)));
        }
        None
    }
}

fn list(names: &[String]) -> String {
    match names {
        [] => "none".into(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}
