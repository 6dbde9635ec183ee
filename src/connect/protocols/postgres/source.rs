//! Reads a table or a query: one read-only transaction of one snapshot for everything a run asks, so
//! that bound and rows agree. Rows are streamed as fast as the road takes them, and no faster: memory
//! stays the same however many there are.

use std::pin::Pin;

use futures_util::TryStreamExt as _;
use tokio_postgres::types::{Kind as PgKind, ToSql, Type as PgType};
use tokio_postgres::{Client, RowStream};

use super::failure::failure;
use super::name::{TableName, quoted};
use super::session::{Session, Settings};
use crate::connect::commits;
use crate::connect::protocols::Discovered;
use crate::connect::rows::{Database, Key, KeyKind, Layout, Parts, Relation, RowWriter, Scan, Statement, Wanted};
use crate::connect::{Column, Part, Source};
use crate::error::codes::connect::DATABASE;
use crate::error::{Error, Kind, Result, nearest};
use crate::record::{Date, Path, Timestamp, Type};

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A stream of rows.
pub(super) struct PostgresSource {
    settings: Settings,
    wanted: Option<Wanted>,
    /// Until all was read.
    reading: Option<Reading>,
    notes: Vec<String>,
    doing: String,
}

/// The rows go before the session that they come through.
struct Reading {
    rows: Pin<Box<RowStream>>,
    parts: Parts,
    forms: Vec<Form>,
    session: Session,
}

/// The form in which a column is asked for and comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Bool,
    Int,
    Double,
    Bytes,
    /// Exact numbers as text; NaN and the infinities, which are none, stay text.
    Decimal,
    /// Moments; those without a zone are those of UTC. What no moment can hold (infinity, years before 1
    /// and after 9999) stays text.
    Timestamp,
    Date,
    /// JSON, and what has its form: arrays, records.
    Json,
    /// A list, as JSON.
    List,
    Text,
}

/// A column with its form and its type as SQL writes it.
#[derive(Clone, Debug)]
struct Read {
    name: String,
    form: Form,
    declared: String,
}

impl PostgresSource {
    pub(super) fn new(settings: Settings, wanted: Wanted) -> Self {
        let doing = format!("reading `{}` of `{}`", wanted.slice, settings.shown());
        Self { settings, wanted: Some(wanted), reading: None, notes: Vec::new(), doing }
    }

    fn begin(&mut self, wanted: Wanted) -> Result<Option<Reading>> {
        let session = self.settings.connect()?;
        let failed = |e| failure(self.doing.clone(), e);
        session.run(session.client.batch_execute(BEGIN)).map_err(failed)?;
        let (relation, columns, layout) = session.run(look(&session.client, &wanted, &self.doing))?;
        let forms = columns.iter().map(|column| column.form).collect();
        let mut snapshot = Snapshot { session: &session, relation, columns, doing: &self.doing };
        let mut scan = Scan::new(wanted, layout, &mut snapshot)?;
        self.notes.append(&mut scan.notes());
        let Some(statement) = scan.statement(&snapshot) else { return Ok(None) };
        let parameters: Vec<String> = parameters(&statement);
        let rows = session.run(async {
            let prepared = session.client.prepare(&statement.sql).await?;
            session.client.query_raw(&prepared, parameters).await
        });
        let rows = Box::pin(rows.map_err(failed)?);
        Ok(Some(Reading { rows, parts: scan.parts(), forms, session }))
    }
}

impl Source for PostgresSource {
    fn next(&mut self) -> Result<Option<Part>> {
        if let Some(wanted) = self.wanted.take() {
            let begun = self.begin(wanted);
            self.reading = begun.map_err(|e| if e.what().is_some() { e } else { e.doing(self.doing.clone()) })?;
        }
        let Some(Reading { rows, parts, forms, session }) = &mut self.reading else { return Ok(None) };
        let doing = &self.doing;
        let found = session.run(async {
            while let Some(row) = rows.try_next().await.map_err(|e| failure(doing.clone(), e))? {
                let writer = parts.row();
                for (column, form) in forms.iter().enumerate() {
                    write(&row, column, *form, writer).map_err(|e| failure(doing.clone(), e))?;
                }
                if let Some(part) = parts.end_row()? {
                    return Ok(Some((part, false)));
                }
            }
            Ok::<_, Error>(parts.end()?.map(|part| (part, true)))
        })?;
        let ended = found.as_ref().is_none_or(|(_, last)| *last);
        if ended {
            self.reading = None;
        }
        Ok(found.map(|(part, _)| part))
    }

    fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }
}

fn write(
    row: &tokio_postgres::Row,
    column: usize,
    form: Form,
    writer: &mut RowWriter,
) -> Result<(), tokio_postgres::Error> {
    match form {
        Form::Bool => match row.try_get(column)? {
            Some(truth) => writer.bool(truth),
            None => writer.null(),
        },
        Form::Int => match row.try_get(column)? {
            Some(number) => writer.int(number),
            None => writer.null(),
        },
        Form::Double => match row.try_get(column)? {
            Some(number) => writer.double(number),
            None => writer.null(),
        },
        Form::Bytes => match row.try_get::<_, Option<&[u8]>>(column)? {
            Some(bytes) => writer.bytes(bytes),
            None => writer.null(),
        },
        _ => match row.try_get::<_, Option<&str>>(column)? {
            None => writer.null(),
            Some(text) => match form {
                Form::Decimal if text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.')) => {
                    writer.decimal(text);
                }
                Form::Timestamp => match moment(text) {
                    Some(moment) => writer.timestamp(moment),
                    None => writer.text(text.as_bytes()),
                },
                Form::Date => match Date::parse(text) {
                    Some(date) => writer.date(date),
                    None => writer.text(text.as_bytes()),
                },
                Form::Json | Form::List => writer.json(text.as_bytes()),
                _ => writer.text(text.as_bytes()),
            },
        },
    }
    Ok(())
}

/// A moment as a session in UTC writes it: `2024-02-29 12:00:00.5+00`, without the zone where the
/// type has none.
fn moment(text: &str) -> Option<Timestamp> {
    let plain = text.strip_suffix("+00").unwrap_or(text);
    let (date, time) = plain.split_once(' ')?;
    Timestamp::parse_rfc3339(&format!("{date}T{time}Z"))
}

impl Form {
    fn of(kind: &PgType) -> Self {
        match kind.kind() {
            PgKind::Domain(inner) => return Self::of(inner),
            PgKind::Array(_) => return Self::List,
            PgKind::Composite(_) => return Self::Json,
            _ => {}
        }
        match kind.name() {
            "bool" => Self::Bool,
            "int2" | "int4" | "int8" | "oid" => Self::Int,
            "float4" | "float8" => Self::Double,
            "bytea" => Self::Bytes,
            "numeric" | "money" => Self::Decimal,
            "timestamptz" | "timestamp" => Self::Timestamp,
            "date" => Self::Date,
            "json" | "jsonb" => Self::Json,
            _ => Self::Text,
        }
    }

    /// What the mapping sees.
    fn kind(self) -> Type {
        match self {
            Self::Bool => Type::Bool,
            Self::Int => Type::Int,
            Self::Double => Type::Double,
            Self::Bytes => Type::Bytes,
            Self::Decimal => Type::Decimal,
            Self::Timestamp => Type::Timestamp,
            Self::Date => Type::Date,
            Self::Json => Type::Dyn,
            Self::List => Type::List(Box::default()),
            Self::Text => Type::String,
        }
    }

    /// How the column is asked for.
    fn asked(self, column: &str, declared: &str) -> String {
        match self {
            Self::Bool | Self::Bytes => column.to_string(),
            Self::Int => format!("{column}::int8"),
            Self::Double => format!("{column}::float8"),
            Self::Decimal if declared == "money" => format!("{column}::numeric::text"),
            Self::List => format!("to_json({column})::text"),
            Self::Json if !declared.starts_with("json") => format!("to_json({column})::text"),
            _ => format!("{column}::text"),
        }
    }

    /// A value of such a column as a key, from its text.
    fn key(self, text: &str) -> Option<Key> {
        match self {
            Self::Bool => Some(Key::Bool(text == "true" || text == "t")),
            Self::Int => Key::read(text, KeyKind::Int),
            Self::Double => Key::read(text, KeyKind::Double),
            Self::Decimal => Key::read(text, KeyKind::Decimal),
            Self::Timestamp => moment(text).map(Key::Timestamp),
            Self::Date => Key::read(text, KeyKind::Date),
            Self::Text => Some(Key::Text(text.to_owned())),
            Self::Bytes | Self::Json | Self::List => None,
        }
    }
}

/// The database inside its read transaction.
struct Snapshot<'s> {
    session: &'s Session,
    relation: String,
    columns: Vec<Read>,
    doing: &'s str,
}

impl Snapshot<'_> {
    fn find(&self, name: &str) -> Option<&Read> {
        self.columns.iter().find(|column| column.name == name)
    }

    fn ask(&self, statement: &Statement, form: &str) -> Result<Option<tokio_postgres::Row>> {
        let parameters = parameters(statement);
        let given: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|text| text as &(dyn ToSql + Sync)).collect();
        let sql = format!("SELECT x{form} FROM ({}) AS asked(x)", statement.sql);
        let found = self.session.run(self.session.client.query_opt(&sql, &given));
        found.map_err(|e| failure(self.doing, e))
    }
}

impl Database for Snapshot<'_> {
    fn relation(&self) -> String {
        self.relation.clone()
    }

    fn column(&self, name: &str) -> String {
        let column = quoted(name);
        match self.find(name) {
            Some(found) => found.form.asked(&column, &found.declared),
            None => column,
        }
    }

    fn ordered(&self, name: &str) -> String {
        // A collation may call two texts one, or order them in another way tomorrow.
        match self.find(name) {
            Some(Read { declared, .. }) if declared == "text" || declared.starts_with("character") => {
                format!("{} COLLATE \"C\"", quoted(name))
            }
            _ => quoted(name),
        }
    }

    fn parameter(&self, number: usize, column: &str) -> String {
        match self.find(column) {
            Some(found) => format!("CAST(${number}::text AS {})", found.declared),
            None => format!("${number}::text"),
        }
    }

    fn count(&mut self, statement: &Statement) -> Result<u64> {
        let row = self.ask(statement, "::int8")?;
        Ok(row.and_then(|row| row.get::<_, Option<i64>>(0)).unwrap_or(0).unsigned_abs())
    }

    fn value(&mut self, statement: &Statement) -> Result<Option<Key>> {
        let prepared = self.session.run(self.session.client.prepare(&statement.sql));
        let prepared = prepared.map_err(|e| failure(self.doing, e))?;
        let form = prepared.columns().first().map_or(Form::Text, |column| Form::of(column.type_()));
        let Some(text) = self.ask(statement, "::text")?.and_then(|row| row.get::<_, Option<String>>(0)) else {
            return Ok(None);
        };
        form.key(&text).map(Some).ok_or_else(|| {
            Error::new(Kind::Failed, &DATABASE, "the newest cursor value has no place in an order of arrival")
                .doing(self.doing)
                .hint("infinity, bytes and JSON are no cursor values: take such records out, or name another column")
        })
    }

    fn now(&mut self) -> Result<Timestamp> {
        let asked = self.session.client.query_one("SELECT clock_timestamp()::text", &[]);
        let row = self.session.run(asked).map_err(|e| failure(self.doing, e))?;
        moment(row.get(0)).ok_or_else(|| Error::bug("PostgreSQL does not know what time it is"))
    }
}

/// The values of a statement's placeholders: all go as text, and the statement says what they are.
fn parameters(statement: &Statement) -> Vec<String> {
    let text = |key: &Key| match key {
        Key::Bytes(bytes) => format!("\\x{}", crate::record::shown::hex(bytes)),
        other => other.shown(),
    };
    statement.parameters.iter().map(|(_, key)| text(key)).collect()
}

/// What stands after `FROM`, its columns, and what tells its records apart.
async fn look(client: &Client, wanted: &Wanted, doing: &str) -> Result<(String, Vec<Read>, Layout)> {
    let failed = |e| failure(doing, e);
    let (relation, table) = match &wanted.relation {
        Relation::Query(query) => (format!("({query}) AS asked"), None),
        Relation::Table(text) => {
            let name = TableName::parse(text).map_err(|e| e.at(wanted.place.clone()))?;
            let oid: Option<u32> =
                client.query_one("SELECT to_regclass($1)::oid", &[&name.sql()]).await.map_err(failed)?.get(0);
            let Some(oid) = oid else { return Err(absent(client, wanted, text).await) };
            (name.sql(), Some(oid))
        }
    };
    let columns = columns_of(client, &relation).await.map_err(|e| match table {
        Some(_) => failed(e),
        None => failed(e).hint("`query` is one SELECT, as it would stand in parentheses after FROM"),
    })?;
    for (index, column) in columns.iter().enumerate() {
        if columns[..index].iter().any(|other| other.name == column.name) {
            return Err(wanted
                .unfit(format!("two columns of the query are called `{}`", column.name))
                .hint("give each column of the query a name of its own: `SELECT a.id AS order_id, …`"));
        }
    }
    if columns.is_empty() {
        return Err(wanted.unfit(format!("`{}` has no columns", wanted.slice)));
    }
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let layout = match table {
        Some(oid) => layout_of(client, oid, names).await.map_err(failed)?,
        None => Layout { nullable: names.clone(), columns: names, ..Layout::default() },
    };
    Ok((relation, columns, layout))
}

async fn absent(client: &Client, wanted: &Wanted, table: &str) -> Error {
    let error = wanted.unfit(format!("there is no table `{table}`"));
    let names =
        match client.query("SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm')", &[]).await {
            Ok(rows) => rows.iter().map(|row| row.get::<_, String>(0)).collect(),
            Err(_) => Vec::new(),
        };
    match nearest(table, names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`consign connect discover NAME` lists the tables"),
    }
}

async fn columns_of(client: &Client, relation: &str) -> Result<Vec<Read>, tokio_postgres::Error> {
    let prepared = client.prepare(&format!("SELECT * FROM {relation} LIMIT 0")).await?;
    let oids: Vec<u32> = prepared.columns().iter().map(|column| column.type_().oid()).collect();
    let sql = "SELECT format_type(t, NULL) FROM unnest($1::oid[]) WITH ORDINALITY AS o(t, n) ORDER BY n";
    let declared = client.query(sql, &[&oids]).await?;
    let columns = prepared.columns().iter().zip(declared);
    Ok(columns
        .map(|(column, row)| Read {
            name: column.name().to_string(),
            form: Form::of(column.type_()),
            declared: row.get(0),
        })
        .collect())
}

/// Keys of a table, and what may be null.
async fn layout_of(client: &Client, oid: u32, columns: Vec<String>) -> Result<Layout, tokio_postgres::Error> {
    let mut layout = Layout { columns, ..Layout::default() };
    let sql = "SELECT attname::text FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND NOT attnotnull";
    layout.nullable = client.query(sql, &[&oid]).await?.iter().map(|row| row.get(0)).collect();
    let sql = "SELECT i.indisprimary, ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(num, place) \
               JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num \
               WHERE k.place <= i.indnkeyatts ORDER BY k.place) \
               FROM pg_index i WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL \
               ORDER BY i.indexrelid";
    for row in client.query(sql, &[&oid]).await? {
        let names: Vec<String> = row.get(1);
        if row.get(0) {
            layout.primary.clone_from(&names);
        }
        // Nulls are all different to a unique index.
        if !names.iter().any(|name| layout.nullable.contains(name)) {
            layout.unique.push(names);
        }
    }
    Ok(layout)
}

/// Tables and views, by name.
///
/// # Errors
/// A server that cannot be asked.
pub(super) fn discover(settings: &Settings) -> Result<Vec<Discovered>> {
    let doing = format!("looking at the tables of `{}`", settings.shown());
    let session = settings.connect()?;
    let client = &session.client;
    let found: Result<Vec<Discovered>, tokio_postgres::Error> = session.run(async {
        client.batch_execute(BEGIN).await?;
        let tables = client
            .query(
                "SELECT c.oid, n.nspname::text, c.relname::text, n.nspname = current_schema() FROM pg_class c \
                 JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') \
                 AND NOT c.relispartition AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' \
                 AND c.relname <> $1 AND has_table_privilege(c.oid, 'SELECT') ORDER BY 4 DESC NULLS LAST, 2, 3",
                &[&commits::TABLE],
            )
            .await?;
        let mut found = Vec::with_capacity(tables.len());
        for row in tables {
            let (oid, schema, table): (u32, String, String) = (row.get(0), row.get(1), row.get(2));
            let here = row.get::<_, Option<bool>>(3) == Some(true);
            let plain = |name: &str| !name.contains(['.', '"']);
            let shown = |name: &str| if plain(name) { name.to_string() } else { quoted(name) };
            let name = TableName { schema: Some(schema.clone()), table: table.clone() };
            let columns = columns_of(client, &name.sql()).await?;
            let layout = layout_of(client, oid, columns.iter().map(|column| column.name.clone()).collect()).await?;
            found.push(Discovered {
                stream: if here { shown(&table) } else { format!("{}.{}", shown(&schema), shown(&table)) },
                key: layout.primary,
                columns: columns
                    .iter()
                    .map(|column| Column {
                        path: Path::key(&column.name),
                        kind: column.form.kind(),
                        required: !layout.nullable.contains(&column.name),
                    })
                    .collect(),
            });
        }
        Ok(found)
    });
    found.map_err(|e| failure(doing, e))
}
