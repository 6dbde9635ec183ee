//! The target table: made from the columns of a mapping, or checked against them, so that no
//! value loses anything on its way in.

use rusqlite::Connection;

use super::failure;
use crate::connect::Column;
use crate::error::codes::connect::TABLE_UNFIT;
use crate::error::{Error, Kind, Result};
use crate::record::Type;
use crate::record::path::Step;

/// A target table with its columns, as the mapping sees them.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    pub(super) kinds: Vec<Type>,
    pub(super) key: Vec<usize>,
    pub(super) upsert: bool,
}

impl Table {
    /// # Errors
    /// A nested target path, two columns that differ in case only, an upsert without a key.
    pub(super) fn new(name: String, columns: &[Column], key: &[usize], upsert: bool) -> Result<Self> {
        let unfit = |cause: String| Error::new(Kind::Invalid, &TABLE_UNFIT, cause);
        let mut names: Vec<String> = Vec::with_capacity(columns.len());
        for column in columns {
            let [Step::Key(column)] = column.path.0.as_slice() else {
                return Err(unfit(format!("`{}` is nested, and the columns of a table are flat", column.path))
                    .hint("give the target a plain name, such as `address_city`"));
            };
            if let Some(other) = names.iter().find(|other| other.eq_ignore_ascii_case(column)) {
                return Err(unfit(format!("`{other}` and `{column}` are one column: SQLite does not tell case apart")));
            }
            names.push(column.clone());
        }
        if names.is_empty() {
            return Err(unfit(format!("the mapping fills no column of `{name}`")));
        }
        if upsert && key.is_empty() {
            return Err(unfit(format!("an upsert into `{name}` needs a key"))
                .hint("name the columns that identify a record under `sync.key`"));
        }
        Ok(Self {
            name,
            columns: names,
            kinds: columns.iter().map(|c| c.kind.clone()).collect(),
            key: key.to_vec(),
            upsert,
        })
    }

    /// Makes the table if it is not there and `create` allows it, else checks it. Returns for
    /// each column whether it would turn digits into a binary floating-point number.
    ///
    /// # Errors
    /// A table that is absent or does not fit.
    pub(super) fn prepare(&self, database: &Connection, create: bool) -> Result<Vec<bool>> {
        let doing = || format!("looking at table `{}`", self.name);
        let found: Option<String> = rusqlite::OptionalExtension::optional(database.query_row(
            "SELECT type FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type IN ('table', 'view')",
            [&self.name],
            |row| row.get(0),
        ))
        .map_err(|e| failure(doing(), e))?;
        match found.as_deref() {
            None if !create => {
                Err(Error::new(Kind::Invalid, &TABLE_UNFIT, format!("there is no table `{}`", self.name))
                    .hint(format!("set `create: true` for the stream, or make it: {}", self.definition())))
            }
            None => {
                database
                    .execute_batch(&self.definition())
                    .map_err(|e| failure(format!("creating table `{}`", self.name), e))?;
                Ok(vec![false; self.columns.len()])
            }
            Some("view") => {
                Err(Error::new(Kind::Invalid, &TABLE_UNFIT, format!("`{}` is a view, not a table", self.name))
                    .hint("name a table under `table`"))
            }
            Some(_) => self.check(database),
        }
    }

    /// Whether the table holds a row; `None` if there is no such table.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(super) fn holds_rows(&self, database: &Connection) -> Result<Option<bool>> {
        use rusqlite::OptionalExtension as _;
        let failed = |e| failure(format!("looking at table `{}`", self.name), e);
        let there: Option<i64> = database
            .query_row("SELECT 1 FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE", [&self.name], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        if there.is_none() {
            return Ok(None);
        }
        let row: Option<i64> = database
            .query_row(&format!("SELECT 1 FROM {} LIMIT 1", quoted(&self.name)), [], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        Ok(Some(row.is_some()))
    }

    /// The statement that makes the table. With a key the rows live in the key's own tree: half
    /// the writing of a table with a separate index.
    pub(super) fn definition(&self) -> String {
        let alone = matches!(self.key.as_slice(), [only] if self.kinds[*only] == Type::Int);
        let columns = self.columns.iter().zip(&self.kinds).enumerate().map(|(index, (name, kind))| {
            let declared = match kind {
                Type::Int | Type::Uint | Type::Bool => " INTEGER",
                Type::Double => " REAL",
                Type::Bytes => " BLOB",
                // No declared type: SQLite then keeps what it is given.
                Type::Dyn | Type::Null | Type::List(_) | Type::Map(_) | Type::Record { .. } => "",
                // A decimal as text keeps every digit; DECIMAL and NUMERIC would make a binary number of it.
                Type::Decimal | Type::String | Type::Timestamp | Type::Date | Type::Duration => " TEXT",
            };
            let rule = match self.key.contains(&index) {
                true if alone => " PRIMARY KEY",
                true => " NOT NULL",
                false => "",
            };
            format!("{}{declared}{rule}", quoted(name))
        });
        let mut parts: Vec<String> = columns.collect();
        let table = quoted(&self.name);
        if self.key.is_empty() || alone {
            return format!("CREATE TABLE {table} ({})", parts.join(", "));
        }
        parts.push(format!("PRIMARY KEY ({})", self.key_names().join(", ")));
        format!("CREATE TABLE {table} ({}) WITHOUT ROWID", parts.join(", "))
    }

    /// The statement that takes one record.
    pub(super) fn insert(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|name| quoted(name)).collect();
        let places = vec!["?"; names.len()].join(", ");
        let mut sql = format!("INSERT INTO {} ({}) VALUES ({places})", quoted(&self.name), names.join(", "));
        if self.upsert {
            let rest: Vec<String> = names
                .iter()
                .enumerate()
                .filter(|(index, _)| !self.key.contains(index))
                .map(|(_, name)| format!("{name} = excluded.{name}"))
                .collect();
            let action = if rest.is_empty() { "NOTHING".into() } else { format!("UPDATE SET {}", rest.join(", ")) };
            sql.push_str(&format!(" ON CONFLICT ({}) DO {action}", self.key_names().join(", ")));
        }
        sql
    }

    fn key_names(&self) -> Vec<String> {
        self.key.iter().filter_map(|index| self.columns.get(*index)).map(|name| quoted(name)).collect()
    }

    /// Checks a table that somebody made.
    fn check(&self, database: &Connection) -> Result<Vec<bool>> {
        let doing = || format!("looking at table `{}`", self.name);
        let unfit = |cause: String| Error::new(Kind::Invalid, &TABLE_UNFIT, cause).doing(doing());
        let mut there: Vec<(String, String)> = Vec::new();
        let mut primary: Vec<(i64, String)> = Vec::new();
        let mut statement =
            database.prepare("SELECT name, type, pk FROM pragma_table_info(?1)").map_err(|e| failure(doing(), e))?;
        let rows = statement
            .query_map([&self.name], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?)))
            .map_err(|e| failure(doing(), e))?;
        for row in rows {
            let (name, declared, pk): (String, String, i64) = row.map_err(|e| failure(doing(), e))?;
            if pk > 0 {
                primary.push((pk, name.to_ascii_lowercase()));
            }
            there.push((name, declared));
        }
        let mut binary = Vec::with_capacity(self.columns.len());
        for (name, kind) in self.columns.iter().zip(&self.kinds) {
            let Some((_, declared)) = there.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)) else {
                let names = there.iter().map(|(n, _)| n.as_str());
                let error = unfit(format!("table `{}` has no column `{name}`", self.name));
                return Err(match crate::error::nearest(name, names) {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error.hint(format!("ALTER TABLE {} ADD COLUMN {}", quoted(&self.name), quoted(name))),
                });
            };
            let risky = makes_binary(declared);
            if risky && *kind == Type::Decimal {
                return Err(unfit(format!(
                    "column `{name}` is declared `{declared}`, which keeps decimals as binary floating-point numbers"
                ))
                .hint("declare the column TEXT, which loses nothing; `round` in the mapping does not help here"));
            }
            binary.push(risky);
        }
        if self.upsert && !self.has_unique_key(database, &primary)? {
            let keys = self.key_names().join(", ");
            return Err(unfit(format!("table `{}` has no unique index over ({keys})", self.name)).hint(format!(
                "CREATE UNIQUE INDEX {} ON {} ({keys})",
                quoted(&format!("{}_key", self.name)),
                quoted(&self.name)
            )));
        }
        Ok(binary)
    }

    /// Whether the primary key or a whole unique index has exactly the key's columns.
    fn has_unique_key(&self, database: &Connection, primary: &[(i64, String)]) -> Result<bool> {
        let doing = || format!("looking at the indexes of `{}`", self.name);
        let mut wanted: Vec<String> = self.key.iter().map(|index| self.columns[*index].to_ascii_lowercase()).collect();
        wanted.sort();
        let same = |mut names: Vec<String>| {
            names.sort();
            names == wanted
        };
        if same(primary.iter().map(|(_, name)| name.clone()).collect()) {
            return Ok(true);
        }
        let mut statement = database
            .prepare(
                "SELECT l.name, lower(i.name) FROM pragma_index_list(?1) l, pragma_index_info(l.name) i \
                 WHERE l.\"unique\" = 1 AND l.partial = 0 ORDER BY l.name, i.seqno",
            )
            .map_err(|e| failure(doing(), e))?;
        let rows = statement
            .query_map([&self.name], |row| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?)))
            .map_err(|e| failure(doing(), e))?;
        let mut indexes = std::collections::BTreeMap::<String, Vec<String>>::new();
        for row in rows {
            let (index, column) = row.map_err(|e| failure(doing(), e))?;
            // An index over an expression has no name there and never matches.
            indexes.entry(index).or_default().push(column.unwrap_or_else(|| "\0".into()));
        }
        Ok(indexes.into_values().any(same))
    }
}

/// A name as SQL writes it, whatever is in it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Whether a declared type gives a column an affinity that makes binary numbers of decimals:
/// INTEGER, REAL and NUMERIC (<https://sqlite.org/datatype3.html>, section 3.1, in its order).
fn makes_binary(declared: &str) -> bool {
    let declared = declared.to_ascii_uppercase();
    let has = |part: &str| declared.contains(part);
    if has("INT") {
        return true;
    }
    !(has("CHAR") || has("CLOB") || has("TEXT") || has("BLOB") || declared.is_empty() || declared == "ANY")
}
