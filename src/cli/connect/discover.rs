//! `consign connect discover NAME`: what a system holds: tables, keys, types.

use serde_json::{Value as Json, json};

use crate::cli::context::Context;
use crate::cli::output::text::table;
use crate::cli::output::{Answer, Rows};
use crate::config::{Connector, Project};
use crate::connect::protocols::{self, Discovered};
use crate::error::{Error, Exit, Kind, Result, codes, nearest};

/// Asks a system what there is to read: tables, keys, types
#[derive(clap::Args, Debug)]
pub(super) struct Discover {
    /// The connector's name
    name: String,
}

impl Discover {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (_, _, found) = discovered(&self.name, context)?;
        let columns = ["stream", "column", "type", "required", "key"];
        let mut rows = Rows::new("columns", &columns);
        let mut text = String::new();
        for stream in &found {
            let key = if stream.key.is_empty() { "no key".into() } else { format!("key {}", stream.key.join(", ")) };
            text.push_str(&format!("{} ({key})\n", stream.stream));
            let mut own = Rows::new("columns", &columns[1..4]);
            for column in &stream.columns {
                let name = column.path.to_string();
                let place = stream.key.iter().position(|key| crate::record::Path::key(key) == column.path);
                let cells = vec![json!(name), json!(column.kind.to_string()), json!(column.required)];
                own.push(cells.clone());
                let mut row = vec![json!(stream.stream)];
                row.extend(cells);
                row.push(place.map_or(Json::Null, |place| json!(place + 1)));
                rows.push(row);
            }
            for line in table(&own).lines() {
                text.push_str(&format!("  {line}\n"));
            }
        }
        if found.is_empty() {
            text.push_str("there is nothing to read\n");
        } else {
            text.push_str(&format!("next: consign connect schema {} --write\n", self.name));
        }
        let streams: Vec<Json> =
            found.iter().map(|stream| json!({ "stream": stream.stream, "key": stream.key })).collect();
        context.ui.answer(Answer::new().fact("streams", json!(streams)).rows(rows).text(text))?;
        Ok(Exit::Done)
    }
}

/// The connector of that name, and what its system holds.
///
/// # Errors
/// An unknown name, a system without a catalogue, or one that cannot be asked.
pub(super) fn discovered(name: &str, context: &Context<'_>) -> Result<(Project, Connector, Vec<Discovered>)> {
    let (project, _) = context.project()?;
    let Some(connector) = project.connectors.get(name) else {
        let cause = format!("there is no connector `{name}` in {}", project.file);
        let error = Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, cause);
        return Err(match nearest(name, project.connectors.keys().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`consign connect list` lists them"),
        });
    };
    let protocol = protocols::of(connector)
        .ok_or_else(|| Error::bug(format!("protocol `{}` is not listed", connector.uses.value)))?;
    let found = protocol.discover(&project.root, &context.fill_in(&project, connector)?)?.ok_or_else(|| {
        let cause = format!("`{name}` uses `{}`, which has no list of what it holds", connector.uses.value);
        Error::new(Kind::Invalid, &codes::cli::UNREADABLE, cause)
            .hint("declare its streams by hand; `consign connect peek` shows their records")
    })?;
    let connector = connector.clone();
    Ok((project, connector, found))
}
