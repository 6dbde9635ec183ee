//! The target table: made from the columns of a mapping, or checked against them, so that no
//! value loses anything on its way in.

use rusqlite::Connection;

use super::failure;
use crate::config::Mode;
use crate::connect::{Column, columns};
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
    pub(super) mode: Mode,
}

/// What a table was found to be.
#[derive(Debug, Default)]
pub(super) struct Fitted {
    /// For each column whether it would turn digits into a binary floating-point number.
    pub(super) binary: Vec<bool>,
    /// For each column of the key how its values are compared and kept: declared type, collation.
    pub(super) key: Vec<(String, String)>,
    /// Whether something happens in the database when a record goes in.
    pub(super) triggers: bool,
    /// Whether it is just as consign makes it: it then has no rule that a mapped record could break.
    pub(super) plain: bool,
}

impl Table {
    /// # Errors
    /// A nested target path, two columns that differ in case only, a mode that lacks its key.
    pub(super) fn new(name: String, columns: &[Column], key: &[usize], mode: Mode) -> Result<Self> {
        let unfit = |cause: String| Error::new(Kind::Invalid, &TABLE_UNFIT, cause);
        let (columns, key) = columns::written(&name, columns, key, mode)?;
        let mut names: Vec<String> = Vec::with_capacity(columns.len());
        for column in &columns {
            let [Step::Key(column)] = column.path.0.as_slice() else {
                return Err(unfit(format!("`{}` is nested, and the columns of a table are flat", column.path))
                    .hint("give the target a plain name, such as `address_city`"));
            };
            if let Some(other) = names.iter().find(|other| other.eq_ignore_ascii_case(column)) {
                return Err(unfit(format!("`{other}` and `{column}` are one column: SQLite does not tell case apart")));
            }
            names.push(column.clone());
        }
        columns::check_filled(&name, names.len(), key.len(), mode)?;
        Ok(Self { name, columns: names, kinds: columns.iter().map(|c| c.kind.clone()).collect(), key, mode })
    }

    /// Makes the table if it is not there and `create` allows it, else checks it. `temporary`: it is
    /// made beside the database, for a rehearsal.
    ///
    /// # Errors
    /// A table that is absent or does not fit.
    pub(super) fn prepare(&self, database: &Connection, create: bool, temporary: bool) -> Result<Fitted> {
        let doing = || format!("looking at table `{}`", self.name);
        let found: Option<String> = rusqlite::OptionalExtension::optional(database.query_row(
            "SELECT type FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE AND type IN ('table', 'view')",
            [&self.name],
            |row| row.get(0),
        ))
        .map_err(|e| failure(doing(), e))?;
        match found.as_deref() {
            // What changes or deletes records never makes the table that it expects them in.
            None if !create || matches!(self.mode, Mode::Update | Mode::Delete) => {
                Err(Error::new(Kind::Invalid, &TABLE_UNFIT, format!("there is no table `{}`", self.name))
                    .hint(format!("set `create: true` for the stream, or make it: {}", self.definition())))
            }
            None => {
                let definition = self.definition();
                let definition = match temporary {
                    true => definition.replacen("CREATE TABLE", "CREATE TEMP TABLE", 1),
                    false => definition,
                };
                database
                    .execute_batch(&definition)
                    .map_err(|e| failure(format!("creating table `{}`", self.name), e))?;
                let key = self.key.iter().map(|at| (declared(&self.kinds[*at]).to_string(), "BINARY".to_string()));
                Ok(Fitted { binary: vec![false; self.columns.len()], key: key.collect(), triggers: false, plain: true })
            }
            Some("view") => {
                Err(Error::new(Kind::Invalid, &TABLE_UNFIT, format!("`{}` is a view, not a table", self.name))
                    .hint("name a table under `table`"))
            }
            Some(_) => Ok(Fitted { plain: self.is_plain(database)?, ..self.check(database)? }),
        }
    }

    /// Whether the table is as [`Table::definition`] makes it, and nothing was added to it.
    fn is_plain(&self, database: &Connection) -> Result<bool> {
        let sql = "SELECT count(*) = 1 AND max(sql) = ?2 FROM sqlite_schema \
                   WHERE tbl_name = ?1 COLLATE NOCASE AND name NOT LIKE 'sqlite\\_autoindex\\_%' ESCAPE '\\'";
        let plain: Option<bool> = database
            .query_row(sql, [&self.name, &self.definition()], |row| row.get(0))
            .map_err(|e| failure(format!("looking at table `{}`", self.name), e))?;
        Ok(plain == Some(true))
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
            let declared = declared(kind);
            let space = if declared.is_empty() { "" } else { " " };
            let rule = match self.key.contains(&index) {
                true if alone => " PRIMARY KEY",
                true => " NOT NULL",
                false => "",
            };
            format!("{}{space}{declared}{rule}", quoted(name))
        });
        let mut parts: Vec<String> = columns.collect();
        let table = quoted(&self.name);
        if self.key.is_empty() || alone {
            return format!("CREATE TABLE {table} ({})", parts.join(", "));
        }
        parts.push(format!("PRIMARY KEY ({})", self.key_names().join(", ")));
        format!("CREATE TABLE {table} ({}) WITHOUT ROWID", parts.join(", "))
    }

    /// The statement that takes one record: its columns are bound in their order. Where a record
    /// stands there just so, it changes no row.
    pub(super) fn statement(&self) -> String {
        let table = quoted(&self.name);
        let rest = || self.rest().map(|(index, name)| (format!("?{}", index + 1), name));
        match self.mode {
            Mode::Update => {
                let set: Vec<String> = rest().map(|(place, name)| format!("{name} = {place}")).collect();
                format!("UPDATE {table} SET {} WHERE {} AND ({})", set.join(", "), self.by_key(), self.differs())
            }
            Mode::Delete => format!("DELETE FROM {table} WHERE {}", self.by_key()),
            Mode::Append | Mode::Upsert | Mode::Mirror => {
                let names: Vec<String> = self.columns.iter().map(|name| quoted(name)).collect();
                let places = vec!["?"; names.len()].join(", ");
                let mut sql = format!("INSERT INTO {table} ({}) VALUES ({places})", names.join(", "));
                if self.mode.keyed() {
                    let set: Vec<String> = rest().map(|(_, name)| format!("{name} = excluded.{name}")).collect();
                    // Compared byte by byte: a column that ignores case would hide that a letter changed.
                    let differs: Vec<String> = rest()
                        .map(|(_, name)| format!("{table}.{name} IS NOT excluded.{name} COLLATE BINARY"))
                        .collect();
                    let action = match set.is_empty() {
                        true => "NOTHING".into(),
                        false => format!("UPDATE SET {} WHERE {}", set.join(", "), differs.join(" OR ")),
                    };
                    sql.push_str(&format!(" ON CONFLICT ({}) DO {action}", self.key_names().join(", ")));
                }
                sql
            }
        }
    }

    /// Whether the record with this key differs; no row if there is none. Binds as
    /// [`Table::statement`].
    pub(super) fn look(&self) -> String {
        format!("SELECT {} FROM {} WHERE {}", self.differs(), quoted(&self.name), self.by_key())
    }

    /// The keys that were seen, kept beside the database. The columns are compared as those of the
    /// table are, so that each is found by its key.
    pub(super) fn seen(&self, fitted: &Fitted) -> String {
        let columns: Vec<String> = fitted
            .key
            .iter()
            .enumerate()
            .map(|(index, (declared, collation))| format!("k{index} {declared} COLLATE {}", quoted(collation)))
            .collect();
        let names: Vec<String> = (0..columns.len()).map(|index| format!("k{index}")).collect();
        format!("CREATE TEMP TABLE {SEEN} ({}, PRIMARY KEY ({})) WITHOUT ROWID", columns.join(", "), names.join(", "))
    }

    /// The statement that remembers a key; it changes no row if it is known.
    pub(super) fn see(&self) -> String {
        format!("INSERT OR IGNORE INTO temp.{SEEN} VALUES ({})", vec!["?"; self.key.len()].join(", "))
    }

    /// What follows FROM to name the records whose key was not seen.
    pub(super) fn unseen(&self, fitted: &Fitted) -> String {
        let table = quoted(&self.name);
        let same: Vec<String> = self
            .key_names()
            .iter()
            .zip(&fitted.key)
            .enumerate()
            .map(|(index, (name, (_, collation)))| format!("s.k{index} = {table}.{name} COLLATE {}", quoted(collation)))
            .collect();
        format!("{table} WHERE NOT EXISTS (SELECT 1 FROM temp.{SEEN} s WHERE {})", same.join(" AND "))
    }

    /// The columns that are no part of the key, with their index.
    fn rest(&self) -> impl Iterator<Item = (usize, String)> {
        let named = self.columns.iter().enumerate().filter(|(index, _)| !self.key.contains(index));
        named.map(|(index, name)| (index, quoted(name)))
    }

    fn differs(&self) -> String {
        let all: Vec<String> =
            self.rest().map(|(index, name)| format!("{name} IS NOT ?{} COLLATE BINARY", index + 1)).collect();
        if all.is_empty() { "0".into() } else { all.join(" OR ") }
    }

    fn by_key(&self) -> String {
        let names = self.key.iter().zip(self.key_names());
        let all: Vec<String> = names.map(|(index, name)| format!("{name} = ?{}", index + 1)).collect();
        all.join(" AND ")
    }

    fn key_names(&self) -> Vec<String> {
        self.key.iter().filter_map(|index| self.columns.get(*index)).map(|name| quoted(name)).collect()
    }

    /// Checks a table that somebody made.
    fn check(&self, database: &Connection) -> Result<Fitted> {
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
        let triggers: bool = database
            .query_row(
                "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE)",
                [&self.name],
                |row| row.get(0),
            )
            .map_err(|e| failure(doing(), e))?;
        let types: Vec<String> = self.key.iter().map(|at| declared_of(&there, &self.columns[*at])).collect();
        let Some(collations) = self.collations(database, &primary)? else {
            if !self.mode.keyed() {
                return Ok(Fitted { binary, triggers, ..Fitted::default() });
            }
            let keys = self.key_names().join(", ");
            return Err(unfit(format!("table `{}` has no unique index over ({keys})", self.name)).hint(format!(
                "CREATE UNIQUE INDEX {} ON {} ({keys})",
                quoted(&format!("{}_key", self.name)),
                quoted(&self.name)
            )));
        };
        Ok(Fitted { binary, key: types.into_iter().zip(collations).collect(), triggers, plain: false })
    }

    /// How the primary key or a whole unique index over exactly the key's columns compares each of
    /// them; `None`: there is no such index.
    fn collations(&self, database: &Connection, primary: &[(i64, String)]) -> Result<Option<Vec<String>>> {
        let doing = || format!("looking at the indexes of `{}`", self.name);
        let wanted: Vec<String> = self.key.iter().map(|index| self.columns[*index].to_ascii_lowercase()).collect();
        let fits = |names: &[(String, String)]| -> Option<Vec<String>> {
            let all = wanted.iter().map(|name| names.iter().find(|(other, _)| other == name).map(|(_, c)| c.clone()));
            all.collect::<Option<Vec<String>>>().filter(|_| names.len() == wanted.len())
        };
        let mut statement = database
            .prepare(
                "SELECT l.name, lower(i.name), i.coll FROM pragma_index_list(?1) l, pragma_index_xinfo(l.name) i \
                 WHERE l.\"unique\" = 1 AND l.partial = 0 AND i.key = 1 ORDER BY l.name, i.seqno",
            )
            .map_err(|e| failure(doing(), e))?;
        let rows = statement
            .query_map([&self.name], |row| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?, row.get(2)?)))
            .map_err(|e| failure(doing(), e))?;
        let mut indexes = std::collections::BTreeMap::<String, Vec<(String, String)>>::new();
        for row in rows {
            let (index, column, collation): (String, _, Option<String>) = row.map_err(|e| failure(doing(), e))?;
            // An index over an expression has no name there and never matches.
            let column = column.unwrap_or_else(|| "\0".into());
            indexes.entry(index).or_default().push((column, collation.unwrap_or_else(|| "BINARY".into())));
        }
        if let Some(found) = indexes.values().find_map(|names| fits(names)) {
            return Ok(Some(found));
        }
        // A single integer that is the row's own number has no index of its own.
        let alone: Vec<(String, String)> = primary.iter().map(|(_, name)| (name.clone(), "BINARY".into())).collect();
        Ok(fits(&alone))
    }
}

/// The table of keys that were seen.
const SEEN: &str = "_consign_seen";

/// What a column of this type is declared as in a table that we make.
fn declared(kind: &Type) -> &'static str {
    match kind {
        Type::Int | Type::Uint | Type::Bool => "INTEGER",
        Type::Double => "REAL",
        Type::Bytes => "BLOB",
        // No declared type: SQLite then keeps what it is given.
        Type::Dyn | Type::Null | Type::List(_) | Type::Map(_) | Type::Record { .. } => "",
        // A decimal as text keeps every digit; DECIMAL and NUMERIC would make a binary number of it.
        Type::Decimal | Type::String | Type::Timestamp | Type::Date | Type::Duration => "TEXT",
    }
}

/// A declared type with the same affinity as that of a column somebody else declared, in a word that
/// can stand in a statement.
fn declared_of(there: &[(String, String)], column: &str) -> String {
    let found = there.iter().find(|(name, _)| name.eq_ignore_ascii_case(column));
    let declared = found.map(|(_, declared)| declared.to_ascii_uppercase()).unwrap_or_default();
    let has = |part: &str| declared.contains(part);
    // The order of <https://sqlite.org/datatype3.html>, section 3.1.
    let affinity = if has("INT") {
        "INTEGER"
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        "TEXT"
    } else if has("BLOB") || declared.is_empty() || declared == "ANY" {
        "BLOB"
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        "REAL"
    } else {
        "NUMERIC"
    };
    affinity.into()
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
