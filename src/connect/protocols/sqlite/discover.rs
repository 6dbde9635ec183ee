//! What an SQLite database holds: its tables and views with keys and types. A declared type is only
//! believed if the first rows keep to it, since SQLite itself does not.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::failure;
use super::source::{open_to_read, table_layout};
use super::table::quoted;
use crate::connect::commits;
use crate::connect::protocols::Discovered;
use crate::connect::{Column, rows};
use crate::error::Result;
use crate::record::{Date, Decimal, Path as RecordPath, Type};

/// Rows that are looked at for each table.
const SAMPLE: u32 = 200;

/// Tables and views, by name.
///
/// # Errors
/// A database that cannot be read.
pub(super) fn discover(path: &Path, busy: Duration) -> Result<Vec<Discovered>> {
    let doing = format!("looking at the tables of `{}`", path.display());
    let database = open_to_read(path, busy)?;
    let look = || -> rusqlite::Result<Vec<Discovered>> {
        database.execute_batch("BEGIN")?;
        let mut names = database.prepare(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
             AND name <> ?1 ORDER BY name",
        )?;
        let names: Vec<String> =
            names.query_map([commits::TABLE], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        names.into_iter().map(|name| table(&database, name)).collect()
    };
    look().map_err(|e| failure(doing, e))
}

fn table(database: &Connection, name: String) -> rusqlite::Result<Discovered> {
    let layout = table_layout(database, &name)?;
    let mut statement = database.prepare("SELECT type FROM pragma_table_xinfo(?1) WHERE hidden <> 1")?;
    let declared: Vec<String> = statement.query_map([&name], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut kinds: Vec<Type> = declared.iter().map(|declared| kind(declared)).collect();
    let columns: Vec<String> = layout.columns.iter().map(|column| quoted(column)).collect();
    let mut sample =
        database.prepare(&format!("SELECT {} FROM {} LIMIT {SAMPLE}", columns.join(", "), quoted(&name)))?;
    let mut rows = sample.query([])?;
    while let Some(row) = rows.next()? {
        for (column, kind) in kinds.iter_mut().enumerate() {
            if !fits(row.get_ref(column)?, kind) {
                *kind = Type::Dyn;
            }
        }
    }
    let columns = layout.columns.iter().zip(kinds).map(|(column, kind)| Column {
        path: RecordPath::key(column),
        kind,
        required: !layout.nullable.contains(column),
    });
    Ok(Discovered { columns: columns.collect(), key: layout.primary.clone(), stream: name })
}

/// What a declared type means to a person (<https://sqlite.org/datatype3.html>); SQLite itself only
/// takes it as advice.
fn kind(declared: &str) -> Type {
    let declared = declared.to_ascii_uppercase();
    let has = |part: &str| declared.contains(part);
    if has("BOOL") {
        Type::Bool
    } else if has("INT") {
        Type::Int
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        Type::String
    } else if has("BLOB") || has("BINARY") {
        Type::Bytes
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        Type::Double
    } else if has("TIME") {
        Type::Timestamp
    } else if has("DATE") {
        Type::Date
    } else if has("DEC") || has("NUM") || has("MONEY") {
        Type::Decimal
    } else {
        Type::Dyn
    }
}

/// Whether a value can be read as that type.
fn fits(value: ValueRef<'_>, kind: &Type) -> bool {
    let text = |bytes: &[u8], reads: &dyn Fn(&str) -> bool| std::str::from_utf8(bytes).is_ok_and(reads);
    match (value, kind) {
        (ValueRef::Null, _) | (_, Type::Dyn) => true,
        (ValueRef::Integer(number), Type::Bool) => matches!(number, 0 | 1),
        (ValueRef::Integer(_), Type::Int | Type::Decimal) => true,
        (ValueRef::Integer(number), Type::Double) => number.unsigned_abs() <= 1 << 53,
        (ValueRef::Real(_), Type::Double) => true,
        (ValueRef::Real(number), Type::Decimal) => number.is_finite(),
        (ValueRef::Text(bytes), Type::String) => std::str::from_utf8(bytes).is_ok(),
        (ValueRef::Text(bytes), Type::Decimal) => text(bytes, &|text| Decimal::parse(text).is_ok()),
        (ValueRef::Text(bytes), Type::Timestamp) => text(bytes, &|text| rows::moment::read(text).is_some()),
        (ValueRef::Text(bytes), Type::Date) => text(bytes, &|text| Date::parse(text).is_some()),
        (ValueRef::Blob(_), Type::Bytes) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types_are_believed_if_the_rows_keep_to_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        Connection::open(&path)
            .unwrap()
            .execute_batch(
                "CREATE TABLE items(id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL, price DECIMAL(10,2), ok BOOLEAN,
                   made DATETIME, day DATE, raw BLOB, loose, odd INT, share REAL, stamp TIMESTAMP);
                 INSERT INTO items VALUES (1, 'a', 1.1, 1, '2024-01-01 12:00:00', '2024-01-01', x'00', 5, 'x', 1, 1700000000);
                 CREATE TABLE pairs(a TEXT, b TEXT, PRIMARY KEY (b, a)) WITHOUT ROWID;
                 CREATE VIEW v AS SELECT id FROM items;
                 CREATE TABLE _consign_commits(route TEXT);",
            )
            .unwrap();
        let found = discover(&path, Duration::ZERO).unwrap();
        let told: Vec<String> = found
            .iter()
            .map(|table| {
                let columns: Vec<String> = table
                    .columns
                    .iter()
                    .map(|c| format!("{} {}{}", c.path, c.kind, if c.required { "!" } else { "" }))
                    .collect();
                format!("{} ({}): {}", table.stream, table.key.join(","), columns.join(", "))
            })
            .collect();
        assert_eq!(
            told,
            [
                "items (id): id int!, name string!, price decimal, ok bool, made timestamp, day date, raw bytes, loose any, \
                 odd any, share double, stamp any",
                "pairs (b,a): a string!, b string!",
                "v (): id int",
            ]
        );
    }
}
