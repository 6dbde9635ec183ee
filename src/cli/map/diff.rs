//! `consign map diff OLD NEW --input F`: what two versions of a mapping make of the same records.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{one_of, preview};
use crate::cli::context::{Context, now};
use crate::cli::output::text::{count, shown};
use crate::cli::output::{Answer, Rows};
use crate::cli::sample::{self, Found};
use crate::config::{Mapping, Project};
use crate::error::{Error, Exit, Kind, Result, codes};
use crate::map::{self, Made, Route};

/// Compares what two mappings make of the same records: by field, with examples, nothing written
#[derive(clap::Args, Debug)]
pub(super) struct Diff {
    /// The mapping as it was: a name, or a file
    old: String,
    /// The mapping as it is to be: a name, or a file
    new: String,
    /// Reads this file in place of the source; its ending decides the format
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// How many records at most
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    limit: usize,
    /// How many examples of each difference
    #[arg(long, default_value_t = 3, value_name = "N")]
    examples: usize,
    /// Exit 10 if there are differences
    #[arg(long)]
    detailed_exitcode: bool,
}

/// One kind of difference, how often it comes, and where it was seen first.
#[derive(Default)]
struct Seen {
    records: u64,
    examples: Vec<(usize, String, String)>,
}

impl Diff {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, mapping, old) = load(&self.old, context)?;
        let (_, _, new) = load(&self.new, context)?;
        // Both read the records of the old one's source, each in its own way.
        let before = self.records(context, &project, &mapping, &old)?;
        let after = self.records(context, &project, &mapping, &new)?;
        let mut found: BTreeMap<(u8, String), Seen> = BTreeMap::new();
        let mut changed = 0_u64;
        let read = before.len().max(after.len());
        for (number, (one, other)) in before.iter().zip(&after).enumerate() {
            let mut differs = false;
            let mut say = |kind: (u8, String), was: &str, is: &str| {
                differs = true;
                let seen = found.entry(kind).or_default();
                seen.records += 1;
                if seen.examples.len() < self.examples {
                    seen.examples.push((number + 1, was.to_string(), is.to_string()));
                }
            };
            match (one, other) {
                (Some(Made::Record(was)), Some(Made::Record(is))) => {
                    let absent = (String::new(), String::new(), "absent".to_string());
                    let of = |side: &[(String, String, String)], path: &str| {
                        side.iter().find(|(name, ..)| name == path).cloned().unwrap_or_else(|| absent.clone())
                    };
                    let mut paths: Vec<&String> = was.iter().chain(is).map(|(path, ..)| path).collect();
                    paths.sort();
                    paths.dedup();
                    for path in paths {
                        let (a, b) = (of(was, path), of(is, path));
                        if a.1 != b.1 {
                            say((1, path.clone()), &a.2, &b.2);
                        }
                    }
                }
                (Some(was), Some(is)) if was != is => {
                    let told = |made: &Made| match made {
                        Made::Rejected(code, field) if field.is_empty() => (*code).to_string(),
                        Made::Rejected(code, field) => format!("`{field}`: {code}"),
                        other => other.what().to_string(),
                    };
                    say((0, format!("{} → {}", was.what(), is.what())), &told(was), &told(is));
                }
                _ => {}
            }
            changed += u64::from(differs);
        }
        let mut rows = Rows::new("differences", &["kind", "field", "records", "examples"]);
        let mut text = format!("{}, {} differ\n", count(read as u64, "record", "records"), changed);
        for ((kind, name), seen) in &found {
            let what = if *kind == 0 { "verdict" } else { "field" };
            text.push_str(&format!("\n{} {}: {}\n", what, shown(name), count(seen.records, "record", "records")));
            for (number, was, is) in &seen.examples {
                let [was, is] = [was, is].map(|side| preview::fitted(&shown(side), 38));
                text.push_str(&format!("  record {number:<6} {was}  →  {is}\n"));
            }
            let examples: Vec<_> =
                seen.examples.iter().map(|(n, was, is)| json!({ "record": n, "old": was, "new": is })).collect();
            rows.push(vec![json!(what), json!(name), json!(seen.records), json!(examples)]);
        }
        let answer = Answer::new()
            .fact("old", json!(self.old))
            .fact("new", json!(self.new))
            .fact("records", json!(read))
            .fact("different", json!(changed));
        context.ui.answer(answer.rows(rows).text(text))?;
        Ok(if changed > 0 && self.detailed_exitcode { Exit::Differences } else { Exit::Done })
    }

    /// What a route makes of each record; `None` for one that cannot be read.
    fn records(
        &self,
        context: &Context<'_>,
        project: &Project,
        mapping: &Mapping,
        route: &Route,
    ) -> Result<Vec<Option<Made>>> {
        let (root, connector, stream) = preview::source(context, project, mapping, self.input.as_deref())?;
        let mut made = Vec::new();
        // One moment for all: the clock is no difference.
        let moment = now();
        let mut see = |_: &crate::connect::Part, found: Found<'_, '_>| {
            made.push(match found {
                Found::Row(row, arena) => Some(map::made(route, &row, arena, moment)),
                Found::Bad(_) => None,
            });
        };
        sample::first(&root, &connector, &stream, &route.projection, self.limit, &mut see)?;
        Ok(made)
    }
}

/// A mapping of the project by its name, or one that stands in a file.
fn load(named: &str, context: &Context<'_>) -> Result<(Project, Mapping, Route)> {
    let path = Path::new(named);
    let is_file = path.extension().is_some_and(|end| end == "yaml" || end == "yml") && path.is_file();
    let mut found = context.find()?;
    if !is_file {
        return one_of(named, context.load(&found), context);
    }
    found.mappings = vec![found.stand.join(path)];
    let loaded = context.load(&found);
    match loaded.mappings.first().map(|mapping| mapping.name.value.clone()) {
        Some(name) => one_of(&name, loaded, context),
        None => Err(loaded.sound().err().unwrap_or_else(|| {
            Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, format!("`{named}` holds no mapping"))
        })),
    }
}
