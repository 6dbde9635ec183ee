//! `consign map preview NAME`: real records before and after, nothing written.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::one;
use crate::cli::context::{Context, now};
use crate::cli::output::text::shown;
use crate::cli::output::{Answer, Rows};
use crate::cli::sample::{self, Found};
use crate::config::{Node, Spanned, Stream, Text};
use crate::connect::formats;
use crate::error::{Error, Exit, Kind, Result, codes};
use crate::map::{self, Outcome, Shown};

/// Shows real records before and after the mapping; nothing is written
#[derive(clap::Args, Debug)]
pub(super) struct Preview {
    /// The mapping's name
    name: String,
    /// How many records
    #[arg(long, default_value_t = 5, value_name = "N")]
    limit: usize,
    /// Reads this file in place of the source; its ending decides the format
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
}

impl Preview {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, mapping, route) = one(&self.name, context)?;
        let connector = project
            .connectors
            .get(&mapping.from.connector)
            .ok_or_else(|| Error::bug("the source of a checked mapping is not defined"))?;
        let connector = context.fill_in(&project, connector)?;
        let Some(stream) = connector.streams.get(&mapping.from.stream) else {
            return Err(Error::new(
                Kind::Invalid,
                &codes::cli::UNREADABLE,
                format!("`{}.{}` is not declared, so it cannot be read", connector.name, mapping.from.stream),
            ));
        };
        let mut stream = stream.clone();
        let root = match &self.input {
            Some(file) => {
                replace_input(&mut stream, file)?;
                std::env::current_dir().map_err(|e| Error::io("looking where we stand", e))?
            }
            None => project.root.clone(),
        };
        let mut rows =
            Rows::new("records", &["record", "place", "outcome", "before", "after", "code", "cause", "field"]);
        let mut text = String::new();
        let notes = sample::first(&root, &connector, &stream, &route.projection, self.limit, &mut |part, found| {
            let number = rows.rows.len() + 1;
            match found {
                Found::Row(row, arena) => {
                    let seen = map::preview(&route, &row, arena, Some(now()));
                    let place = format!("{}:{}", part.name, part.start.line + u64::from(seen.line) + 1);
                    let before = object(&seen.before);
                    text.push_str(&format!("record {number} ({})\n", shown(&place)));
                    text.push_str(&side("<", &seen.before));
                    let row = match &seen.outcome {
                        Outcome::Mapped(after) => {
                            text.push_str(&side(">", after));
                            [json!("mapped"), before, object(after), Json::Null, Json::Null, Json::Null]
                        }
                        Outcome::Filtered => {
                            text.push_str("  = filtered: `when` is false\n");
                            [json!("filtered"), before, Json::Null, Json::Null, Json::Null, Json::Null]
                        }
                        Outcome::Rejected(fault) => {
                            let field = fault.field.as_ref().map_or_else(String::new, |f| format!("{f}: "));
                            text.push_str(&format!(
                                "  = rejected: {field}{} ({})\n",
                                shown(&fault.cause),
                                fault.code.id
                            ));
                            let (code, cause) = (json!(fault.code.id), json!(fault.cause));
                            [json!("rejected"), before, Json::Null, code, cause, json!(fault.field)]
                        }
                    };
                    rows.push([json!(number), json!(place)].into_iter().chain(row).collect());
                }
                Found::Bad(error) => {
                    let line = part.start.line + u64::from(error.line) + 1;
                    let place = format!("{}:{line}:{}", part.name, error.column);
                    let cause = shown(&error.cause);
                    text.push_str(&format!(
                        "record {number} ({})\n  = unreadable: {cause} ({})\n",
                        shown(&place),
                        error.code.id
                    ));
                    let (code, cause) = (json!(error.code.id), json!(error.cause));
                    let head = [json!(number), json!(place), json!("unreadable"), Json::Null, Json::Null];
                    rows.push(head.into_iter().chain([code, cause, json!(error.field)]).collect());
                }
            }
        })?;
        notes.iter().for_each(|note| context.ui.note(note));
        if rows.rows.is_empty() {
            text.push_str("the source holds no record\n");
        }
        context.ui.answer(Answer::new().fact("mapping", json!(self.name)).rows(rows).text(text))?;
        Ok(Exit::Done)
    }
}

/// Lets the stream read another file; where its ending names another format, in that one.
fn replace_input(stream: &mut Stream, file: &std::path::Path) -> Result<()> {
    let Some((_, path)) = stream.options.iter_mut().find(|(name, _)| name.value == "path") else {
        let cause = "`--input` is for sources that are files".to_string();
        return Err(Error::new(Kind::Invalid, &codes::cli::USAGE, cause));
    };
    path.value = Node::Text(Text::literal(file.display().to_string()));
    let place = path.place.clone();
    let ending = file.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    let named = formats::ALL.iter().find(|format| format.spec().extensions.contains(&ending.as_str()));
    if let Some(format) = named
        && stream.format.as_ref().is_none_or(|now| now.value != format.spec().name)
    {
        stream.format = Some(Spanned { value: format.spec().name.to_string(), place });
        stream.format_options.clear();
    }
    Ok(())
}

fn object(fields: &[Shown]) -> Json {
    Json::Object(fields.iter().map(|f| (f.field.clone(), json!(f.text))).collect())
}

fn side(mark: &str, fields: &[Shown]) -> String {
    let width = fields.iter().map(|f| f.field.chars().count()).max().unwrap_or(0);
    fields.iter().map(|f| format!("  {mark} {:width$}  {}\n", f.field, shown(&f.text))).collect()
}
