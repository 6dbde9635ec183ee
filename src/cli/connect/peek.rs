//! `consign connect peek NAME STREAM`: the first records of a stream, classified fields masked.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::audit::Action;
use crate::cli::context::{Context, Looked};
use crate::cli::output::{Answer, Rows};
use crate::cli::sample::{self, Found};
use crate::config::{Connector, Project, Stream};
use crate::connect::protocols;
use crate::error::{Error, Exit, Kind, Result, codes, nearest};

/// Shows the first records of a stream; fields with a data class are masked
#[derive(clap::Args, Debug)]
pub(super) struct Peek {
    /// The connector's name
    name: String,
    /// The stream's name
    stream: String,
    /// How many records; 5 unless given
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Shows what the fields seem to be, by their names and by what stands in the first 200 records (or --limit),
    /// in place of the records
    #[arg(long)]
    classify: bool,
    /// Says on standard error which requests are sent
    #[arg(long)]
    show_requests: bool,
}

impl Peek {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        let (connector, stream) = self.find(&project)?;
        let connector = context.fill_in(&project, connector)?;
        let stream = connector.streams.get(&stream.name).cloned().unwrap_or(stream);
        // What is lent lives as long as the reading.
        let tap = match connector.spec.and_then(super::packs::pack_of).filter(|_| self.show_requests) {
            Some(protocol) => Some(super::capture::tapped(protocol.pack, &connector)?),
            None => None,
        };
        let connector = tap.as_ref().map_or(connector, |(tapped, _, _)| tapped.clone());
        let projection = sample::projection(&stream);
        let mut records = Vec::new();
        let mut unreadable = 0_u64;
        let mut columns = BTreeMap::new();
        let limit = self.limit.unwrap_or(if self.classify { SAMPLE } else { 5 });
        let read =
            sample::first(&project.root, &connector, &stream, &projection, limit, &mut |part, found| match found {
                Found::Row(row, _) if self.classify => sample::collect(&stream, &row, &mut columns),
                Found::Row(row, _) => records.push(sample::masked(&stream, &row)),
                Found::Bad(error) => {
                    unreadable += 1;
                    let line = part.start.line + u64::from(error.line) + 1;
                    context.ui.warn(&format!("{}:{line}:{}: {}", part.name, error.column, error.cause));
                }
            });
        for kept in tap.iter().flat_map(|(_, tap, _)| tap.kept()) {
            let answered = match &kept.answer {
                Ok(answer) => {
                    format!("{} after {} ms, {} bytes", answer.status, answer.took.as_millis(), answer.body.len())
                }
                Err(unanswered) => unanswered.cause.clone(),
            };
            // Names of parameters alone: values may be secrets.
            let names: Vec<String> = kept.request.url.query_pairs().map(|(name, _)| name.into_owned()).collect();
            let query = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
            context.ui.note(&format!("{}{query}: {answered}", crate::connect::web::told::place(&kept.request)));
        }
        let notes = read?;
        notes.iter().for_each(|note| context.ui.note(note));
        let looked =
            Looked { action: Action::DataViewed, connector: &self.name, stream: Some(&self.stream), clear: false };
        context.looked(&project, &looked, stream.fields.iter().map(|field| field.classes), records.len())?;
        let answer =
            if self.classify { classified(&stream, &columns, unreadable) } else { answer(&records, unreadable) };
        context.ui.answer(answer)?;
        Ok(Exit::Done)
    }

    fn find<'p>(&self, project: &'p Project) -> Result<(&'p Connector, Stream)> {
        let none = |cause: String, name: &str, known: Vec<&str>| {
            let error = Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, cause);
            match nearest(name, known.iter().copied()) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None if known.is_empty() => error.hint("`consign connect list` lists connectors and streams"),
                None => error.hint(format!("there are: {}", known.join(", "))),
            }
        };
        let connector = project.connectors.get(&self.name).ok_or_else(|| {
            let cause = format!("there is no connector `{}` in {}", self.name, project.file);
            none(cause, &self.name, project.connectors.keys().map(String::as_str).collect())
        })?;
        if protocols::of(connector).is_some_and(|protocol| !protocol.spec().reads) {
            let cause = format!("`{}` cannot be read from: it uses `{}`", self.name, connector.uses.value);
            return Err(Error::new(Kind::Invalid, &codes::cli::UNREADABLE, cause)
                .hint("look at the source of its routes: `consign connect list`"));
        }
        let protocol = protocols::of(connector)
            .ok_or_else(|| Error::bug(format!("protocol `{}` is not listed", connector.uses.value)))?;
        let stream = connector.stream(&self.stream, protocol.spec()).ok_or_else(|| {
            let cause = format!("`{}` declares no stream `{}`", self.name, self.stream);
            none(cause, &self.stream, connector.streams.keys().map(String::as_str).collect())
        })?;
        Ok((connector, stream))
    }
}

/// How many records are looked at to tell what fields are.
pub(in crate::cli) const SAMPLE: usize = 200;

/// What the fields seem to be, with what is said of them already.
fn classified(stream: &Stream, columns: &BTreeMap<String, Vec<String>>, unreadable: u64) -> Answer {
    let mut rows = Rows::new("fields", &["field", "class", "declared", "share", "score", "reasons"]);
    for proposal in sample::classify(columns) {
        let first = proposal.path.split(['.', '[']).next().unwrap_or_default();
        let declared = stream.fields.iter().find(|field| field.name == first).map(|field| field.classes.to_string());
        rows.push(vec![
            json!(proposal.path),
            json!(proposal.class.class().name),
            json!(declared.filter(|classes| !classes.is_empty())),
            json!((proposal.share * 1000.0).round() / 1000.0),
            json!((f64::from(proposal.score) * 100.0).round() / 100.0),
            json!(proposal.reasons.join("; ")),
        ]);
    }
    let looked = columns.values().map(Vec::len).max().unwrap_or(0);
    let answer = Answer::new().fact("records", json!(looked)).fact("unreadable", json!(unreadable));
    if rows.rows.is_empty() {
        return answer.rows(rows).text("no field seems to be sensitive\n");
    }
    answer.rows(rows)
}

/// Rows with a column for each field; for people one field a line, as records are wide.
fn answer(records: &[Vec<(String, Json)>], unreadable: u64) -> Answer {
    let mut columns: Vec<&str> = Vec::new();
    for (name, _) in records.iter().flatten() {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    let mut rows = Rows::new("records", &columns);
    let mut text = String::new();
    for (index, record) in records.iter().enumerate() {
        let members: Map<String, Json> = record.iter().cloned().collect();
        rows.push(columns.iter().map(|name| members.get(*name).cloned().unwrap_or_default()).collect());
        text.push_str(&format!("record {}\n", index + 1));
        let width = record.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, value) in record {
            let value = crate::cli::output::text::cell(value);
            text.push_str(&format!("  {name:width$}  {value}\n"));
        }
    }
    if records.is_empty() && unreadable == 0 {
        text.push_str("the stream holds no record\n");
    }
    Answer::new().rows(rows).text(text).fact("unreadable", json!(unreadable))
}
