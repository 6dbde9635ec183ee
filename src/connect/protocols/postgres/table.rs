//! The target table: made from the columns of a mapping, or checked against them, so that no value
//! loses anything on its way in.

use tokio_postgres::Client;

use super::failure::failure;
use super::name::{TableName, literal, quoted};
use crate::config::Mode;
use crate::connect::{Column, columns, commits};
use crate::error::codes::connect::TABLE_UNFIT;
use crate::error::{Error, Kind, Result};
use crate::record::Type;
use crate::record::path::Step;

/// Longer names are cut by the server, and then mean another column.
const MAX_NAME: usize = 63;

/// A target table with its columns, as the mapping sees them.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: TableName,
    pub(super) columns: Vec<String>,
    pub(super) kinds: Vec<Type>,
    pub(super) key: Vec<usize>,
    pub(super) mode: Mode,
}

/// What a table was found to be.
#[derive(Debug, Default)]
pub(super) struct Fitted {
    /// The table, with its schema, as SQL writes it.
    pub(super) table: String,
    /// The table of commit rows, as SQL writes it.
    pub(super) commits: String,
    /// One for each column of the mapping.
    pub(super) columns: Vec<FittedColumn>,
    /// What COPY into it does differs from what INSERT does: it has rules or policies for rows.
    pub(super) ruled: bool,
    /// There is no record in it.
    pub(super) empty: bool,
}

/// A column of the target, as far as the statements need to know it.
#[derive(Clone, Debug, Default)]
pub(super) struct FittedColumn {
    /// The type with all its modifiers, as SQL writes it.
    pub(super) declared: String,
    /// An array: staged as text, for it comes as a JSON list or in the server's own form.
    pub(super) array: bool,
    /// Digits behind the point beyond which the server would round without a word.
    pub(super) scale: Option<u32>,
    /// How two values are told apart.
    pub(super) compare: Compare,
}

/// How two values of a column are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Compare {
    /// By the type's own equality.
    #[default]
    Plain,
    /// Byte by byte: the column's collation takes different texts for equal.
    Bytes,
    /// By their text: the type has no equality, or one that hides changes.
    Text,
}

/// A column as the server describes it.
struct There {
    name: String,
    declared: String,
    /// The name of its type, that of the type below for a domain; elements for an array.
    base: String,
    array: bool,
    is_enum: bool,
    modifier: i32,
    not_null: bool,
    /// Whether the server fills it where a record does not.
    filled: bool,
    identity: bool,
    generated: bool,
    deterministic: bool,
}

impl Table {
    /// # Errors
    /// A nested target path, a name that the server would cut, a mode that lacks its key.
    pub(super) fn new(name: TableName, columns: &[Column], key: &[usize], mode: Mode) -> Result<Self> {
        let unfit = |cause: String| Error::new(Kind::Invalid, &TABLE_UNFIT, cause);
        let (columns, key) = columns::written(&name, columns, key, mode)?;
        let mut names: Vec<String> = Vec::with_capacity(columns.len());
        for column in &columns {
            let [Step::Key(column)] = column.path.0.as_slice() else {
                return Err(unfit(format!("`{}` is nested, and the columns of a table are flat", column.path)).hint(
                    "give the target a plain name, such as `address_city`, or fill a jsonb column with all of it",
                ));
            };
            if column.len() > MAX_NAME || column.is_empty() || column.contains('\0') {
                return Err(unfit(format!(
                    "`{column}` is no name of a column: PostgreSQL takes 1 to {MAX_NAME} bytes"
                )));
            }
            names.push(column.clone());
        }
        columns::check_filled(&name, names.len(), key.len(), mode)?;
        if name.table.len() > MAX_NAME || name.table == commits::TABLE {
            return Err(unfit(format!("`{name}` is no name for a table of records")));
        }
        Ok(Self { name, columns: names, kinds: columns.iter().map(|c| c.kind.clone()).collect(), key, mode })
    }

    /// The statement that makes the table under this name.
    pub(super) fn definition(&self, table: &str) -> String {
        let mut parts: Vec<String> = self
            .columns
            .iter()
            .zip(&self.kinds)
            .map(|(name, kind)| format!("{} {}", quoted(name), declared(kind)))
            .collect();
        if !self.key.is_empty() {
            parts.push(format!("PRIMARY KEY ({})", self.key_names().join(", ")));
        }
        format!("CREATE TABLE {table} ({})", parts.join(", "))
    }

    pub(super) fn key_names(&self) -> Vec<String> {
        self.key.iter().filter_map(|index| self.columns.get(*index)).map(|name| quoted(name)).collect()
    }

    /// Makes the table if it is not there and `create` allows it, else checks it. `temporary`: it is
    /// made for this session alone, for a rehearsal. Says also whether it was there.
    ///
    /// # Errors
    /// A table that is absent or does not fit.
    pub(super) async fn prepare(&self, client: &Client, create: bool, temporary: bool) -> Result<(Fitted, bool)> {
        let doing = || format!("looking at table `{}`", self.name);
        let failed = |e| failure(doing(), e);
        let found = client
            .query_opt(
                "SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text, \
                 c.relhasrules OR row_security_active(c.oid) FROM pg_class c \
                 JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)",
                &[&self.name.sql()],
            )
            .await
            .map_err(failed)?;
        let unfit = |cause: String| Error::new(Kind::Invalid, &TABLE_UNFIT, cause).doing(doing());
        let Some(row) = found else {
            // What changes or deletes records never makes the table that it expects them in.
            if !create || matches!(self.mode, Mode::Update | Mode::Delete) {
                return Err(unfit(format!("there is no table `{}`", self.name))
                    .hint(format!("make it: {}", self.definition(&self.name.sql()))));
            }
            let schema: Option<String> = match &self.name.schema {
                Some(schema) => Some(schema.clone()),
                None => client.query_one("SELECT current_schema()::text", &[]).await.map_err(failed)?.get(0),
            };
            let Some(schema) = schema else {
                return Err(
                    unfit("no schema of the search path is there".into()).hint("name one: `table: schema.table`")
                );
            };
            let (table, statement) = match temporary {
                true => {
                    let table = format!("pg_temp.{}", quoted(&self.name.table));
                    let statement = self.definition(&table);
                    (table, statement)
                }
                false => {
                    let table = format!("{}.{}", quoted(&schema), quoted(&self.name.table));
                    let statement = self.definition(&table);
                    (table, statement)
                }
            };
            client
                .batch_execute(&statement)
                .await
                .map_err(|e| failure(format!("creating table `{}`", self.name), e))?;
            let columns = self.kinds.iter().map(FittedColumn::made).collect();
            let commits = format!("{}.{}", quoted(&schema), quoted(commits::TABLE));
            return Ok((Fitted { table, commits, columns, ruled: false, empty: true }, false));
        };
        let (oid, schema, table, kind): (u32, String, String, String) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        if !matches!(kind.as_str(), "r" | "p") {
            let what = match kind.as_str() {
                "v" | "m" => "a view",
                "f" => "a foreign table",
                _ => "something else",
            };
            return Err(unfit(format!("`{}` is {what}, not a table", self.name)).hint("name a table under `table`"));
        }
        let table = format!("{}.{}", quoted(&schema), quoted(&table));
        let columns = self.check(client, oid).await.map_err(|e| e.doing(doing()))?;
        let empty = match self.mode {
            // Who adds to it or changes it does not ask, and may not be allowed to.
            Mode::Append | Mode::Update | Mode::Delete => false,
            Mode::Upsert | Mode::Mirror => {
                let any = format!("SELECT 1 FROM {table} LIMIT 1");
                client.query_opt(&any, &[]).await.map_err(failed)?.is_none()
            }
        };
        let commits = format!("{}.{}", quoted(&schema), quoted(commits::TABLE));
        let fitted = Fitted { table, commits, columns, ruled: row.get(4), empty };
        Ok((fitted, true))
    }

    /// Checks a table that somebody made.
    async fn check(&self, client: &Client, oid: u32) -> Result<Vec<FittedColumn>> {
        let doing = || format!("looking at table `{}`", self.name);
        let unfit = |cause: String| Error::new(Kind::Invalid, &TABLE_UNFIT, cause);
        let there = describe(client, oid).await.map_err(|e| failure(doing(), e))?;
        let mut columns = Vec::with_capacity(self.columns.len());
        for (name, kind) in self.columns.iter().zip(&self.kinds) {
            let Some(found) = there.iter().find(|other| other.name == *name) else {
                let error = unfit(format!("table `{}` has no column `{name}`", self.name));
                return Err(match crate::error::nearest(name, there.iter().map(|c| c.name.as_str())) {
                    Some(near) => error.hint(format!("did you mean `{near}`? (capitals count)")),
                    None => error.hint(format!(
                        "ALTER TABLE {} ADD COLUMN {} {}",
                        self.name.sql(),
                        quoted(name),
                        declared(kind)
                    )),
                });
            };
            if found.generated || (found.identity && self.mode != Mode::Delete && !self.is_key(name)) {
                return Err(unfit(format!("the server itself computes column `{name}`"))
                    .hint("leave the column out of the mapping"));
            }
            if found.identity && matches!(self.mode, Mode::Append | Mode::Upsert | Mode::Mirror) {
                return Err(unfit(format!(
                    "column `{name}` is GENERATED ALWAYS AS IDENTITY: only the server numbers it"
                ))
                .hint(format!(
                    "ALTER TABLE {} ALTER COLUMN {} SET GENERATED BY DEFAULT, or leave the column out",
                    self.name.sql(),
                    quoted(name)
                )));
            }
            if let Err((why, hint)) = fits(kind, found) {
                return Err(unfit(format!("column `{name}` is `{}`, which {why}", found.declared)).hint(hint));
            }
            columns.push(found.fitted());
        }
        if matches!(self.mode, Mode::Append | Mode::Upsert | Mode::Mirror)
            && let Some(open) = there.iter().find(|c| c.not_null && !c.filled && !self.columns.contains(&c.name))
        {
            return Err(unfit(format!(
                "column `{}` is NOT NULL without a default, and the mapping does not fill it",
                open.name
            ))
            .hint("add a rule for it, or give the column a default"));
        }
        if self.mode.keyed() && !self.has_unique_key(client, oid).await? {
            let keys = self.key_names().join(", ");
            return Err(unfit(format!("table `{}` has no unique index over ({keys})", self.name))
                .hint(format!("CREATE UNIQUE INDEX ON {} ({keys})", self.name.sql())));
        }
        Ok(columns)
    }

    fn is_key(&self, name: &str) -> bool {
        self.key.iter().any(|at| self.columns[*at] == name)
    }

    /// Whether a unique index, whole and checked at once, has exactly the key's columns.
    async fn has_unique_key(&self, client: &Client, oid: u32) -> Result<bool> {
        let rows = client
            .query(
                "SELECT ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(num, place) \
                 LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num \
                 WHERE k.place <= i.indnkeyatts ORDER BY a.attname::text COLLATE \"C\") \
                 FROM pg_index i WHERE i.indrelid = $1 AND i.indisunique AND i.indimmediate AND i.indisvalid \
                 AND i.indpred IS NULL AND i.indexprs IS NULL",
                &[&oid],
            )
            .await
            .map_err(|e| failure(format!("looking at the indexes of `{}`", self.name), e))?;
        let mut wanted: Vec<&str> = self.key.iter().map(|at| self.columns[*at].as_str()).collect();
        wanted.sort_unstable();
        Ok(rows.iter().any(|row| {
            row.get::<_, Vec<Option<String>>>(0).iter().map(Option::as_deref).eq(wanted.iter().map(|w| Some(*w)))
        }))
    }
}

impl FittedColumn {
    /// A column as we make it.
    fn made(kind: &Type) -> Self {
        let declared = declared(kind);
        let array = declared.ends_with("[]");
        Self { declared, array, ..Self::default() }
    }
}

impl There {
    fn fitted(&self) -> FittedColumn {
        let scale = match (self.base.as_str(), self.array, self.modifier) {
            // The modifier of numeric: precision and scale, and four.
            ("numeric", false, modifier @ 4..) => u32::try_from((modifier - 4) & 0x7ff).ok(),
            _ => None,
        };
        let known = KNOWN.contains(&self.base.as_str()) || self.is_enum;
        let compare = match (known, self.deterministic) {
            (false, _) => Compare::Text,
            (true, false) => Compare::Bytes,
            (true, true) => Compare::Plain,
        };
        FittedColumn { declared: self.declared.clone(), array: self.array, scale, compare }
    }
}

/// Types whose own equality tells every change.
const KNOWN: &[&str] = &[
    "bool",
    "int2",
    "int4",
    "int8",
    "numeric",
    "float4",
    "float8",
    "text",
    "varchar",
    "bpchar",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "interval",
    "uuid",
    "jsonb",
    "bytea",
    "inet",
    "cidr",
    "macaddr",
    "oid",
    "name",
    "bit",
    "varbit",
    "money",
];

/// What a column of this type is declared as in a table that we make.
pub(super) fn declared(kind: &Type) -> String {
    match kind {
        Type::Bool => "boolean".into(),
        Type::Int => "bigint".into(),
        Type::Uint => "numeric(20,0)".into(),
        // Without precision: every digit is kept.
        Type::Decimal => "numeric".into(),
        Type::Double => "double precision".into(),
        Type::Bytes => "bytea".into(),
        Type::Timestamp => "timestamptz".into(),
        Type::Date => "date".into(),
        Type::Duration => "interval".into(),
        // Nothing is known of it: text keeps what comes.
        Type::Dyn | Type::Null | Type::String => "text".into(),
        Type::List(inner) => match inner.as_ref() {
            Type::Dyn | Type::Null | Type::List(_) | Type::Map(_) | Type::Record { .. } | Type::Bytes => "jsonb".into(),
            scalar => format!("{}[]", declared(scalar)),
        },
        Type::Map(_) | Type::Record { .. } => "jsonb".into(),
    }
}

/// Whether a column takes every value of a type, whole or not at all; if not, why, and what to do.
fn fits(kind: &Type, found: &There) -> Result<(), (&'static str, &'static str)> {
    const NUMERIC: &str = "declare it numeric, or bigint where there are no fractions";
    let base = if found.array { "array" } else { found.base.as_str() };
    // The server reads text of its own type names; what does not fit it says for each record.
    let text = matches!(base, "text" | "varchar" | "bpchar" | "citext");
    match kind {
        Type::Decimal if matches!(base, "float4" | "float8" | "money") => {
            Err(("keeps decimals as something else than they are", NUMERIC))
        }
        Type::Decimal | Type::Int | Type::Uint if matches!(base, "numeric" | "int2" | "int4" | "int8") || text => {
            Ok(())
        }
        Type::Int | Type::Uint if base == "oid" => Ok(()),
        Type::Decimal | Type::Int | Type::Uint => Err(("is no exact number", NUMERIC)),
        Type::Double if matches!(base, "float8" | "numeric") || text => Ok(()),
        Type::Double => Err(("cannot keep every double", "declare it double precision")),
        Type::Bool if base == "bool" || text => Ok(()),
        Type::Bool => Err(("is no truth value", "declare it boolean")),
        Type::Bytes if base == "bytea" => Ok(()),
        Type::Bytes => Err(("keeps no raw bytes", "declare it bytea, or encode them in the mapping (base64_encode)")),
        Type::String if base == "bytea" => {
            Err(("keeps bytes, and the mapping gives text", "turn it into bytes in the mapping (base64_decode, bytes)"))
        }
        Type::Timestamp if base == "timestamptz" || text => Ok(()),
        Type::Timestamp => Err(("forgets the offset or the time of day of a moment", "declare it timestamptz")),
        Type::Date if matches!(base, "date" | "timestamptz" | "timestamp") || text => Ok(()),
        Type::Date => Err(("is no date", "declare it date")),
        Type::Duration if base == "interval" || text => Ok(()),
        Type::Duration => Err(("is no span of time", "declare it interval")),
        Type::List(_) if base == "array" || matches!(base, "json" | "jsonb") || text => Ok(()),
        Type::List(_) => Err(("takes no list", "declare it jsonb or an array")),
        Type::Map(_) | Type::Record { .. } if matches!(base, "json" | "jsonb") || text => Ok(()),
        Type::Map(_) | Type::Record { .. } => Err(("takes no map", "declare it jsonb")),
        Type::Dyn | Type::Null | Type::String => Ok(()),
    }
}

/// The columns of a relation. Servers from version 12 on know all that is asked.
async fn describe(client: &Client, oid: u32) -> Result<Vec<There>, tokio_postgres::Error> {
    let rows = client
        .query(
            "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), \
             coalesce(elem.typname, base.typname, t.typname)::text, t.typcategory = 'A', \
             coalesce(elem.typtype, t.typtype) = 'e', a.atttypmod, a.attnotnull, \
             a.atthasdef OR a.attidentity <> '', a.attidentity = 'a', a.attgenerated <> '', \
             coalesce(l.collisdeterministic, true) \
             FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
             LEFT JOIN pg_type base ON t.typtype = 'd' AND base.oid = t.typbasetype \
             LEFT JOIN pg_type elem ON t.typcategory = 'A' AND elem.oid = t.typelem \
             LEFT JOIN pg_collation l ON l.oid = a.attcollation \
             WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
            &[&oid],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| There {
            name: row.get(0),
            declared: row.get(1),
            base: row.get(2),
            array: row.get(3),
            is_enum: row.get(4),
            modifier: row.get(5),
            not_null: row.get(6),
            filled: row.get(7),
            identity: row.get(8),
            generated: row.get(9),
            deterministic: row.get(10),
        })
        .collect())
}

/// The statement that makes the table of commit rows.
pub(super) fn commits_definition(commits: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {commits} (route text PRIMARY KEY, log_id text NOT NULL, group_no bigint NOT NULL, \
         fence bigint NOT NULL, records bigint NOT NULL, receipt text)"
    )
}

/// Whether a relation is there, as an expression.
pub(super) fn is_there(sql_name: &str) -> String {
    format!("SELECT to_regclass({}) IS NOT NULL", literal(sql_name))
}

impl Table {
    /// The table of commit rows beside the target, as SQL writes it, if it is there.
    pub(super) async fn commits(&self, client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
        let row = client
            .query_one(
                "SELECT coalesce($2, (SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n \
                 ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1)), current_schema()::text)",
                &[&self.name.sql(), &self.name.schema],
            )
            .await?;
        let Some(schema) = row.get::<_, Option<String>>(0) else { return Ok(None) };
        let commits = format!("{}.{}", quoted(&schema), quoted(commits::TABLE));
        let there: bool = client.query_one(&is_there(&commits), &[]).await?.get(0);
        Ok(there.then_some(commits))
    }
}
