//! `consign map fmt`: mappings in one layout, so that reviews show what changed.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::output::text::count;
use crate::cli::output::{Answer, Rows};
use crate::config::{discover, layout};
use crate::error::{Error, Exit, Kind, Result, Severity, codes};

/// Writes mappings in one layout: order of keys and indentation; comments stay
#[derive(clap::Args, Debug)]
pub(super) struct Fmt {
    /// Files or folders; every mapping of the project unless given
    paths: Vec<PathBuf>,
    /// Changes nothing; exit 10 if something would change
    #[arg(long)]
    check: bool,
}

impl Fmt {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let stand = std::env::current_dir().map_err(|e| Error::io("looking where we stand", e))?;
        let files = if self.paths.is_empty() { context.find()?.mappings } else { self.files()? };
        let mut rows = Rows::new("files", &["file", "changed"]);
        let (mut text, mut changed, mut wrong) = (String::new(), 0_u64, Vec::new());
        for file in &files {
            let name = discover::shown(file, &stand);
            let before = std::fs::read_to_string(file)
                .map_err(|e| Error::io(format!("reading {name}"), e).into_kind(Kind::Invalid))?;
            let after = match layout::format(&name, &before) {
                Ok(after) => after,
                Err(findings) => {
                    wrong.extend(findings);
                    continue;
                }
            };
            let differs = after != before;
            rows.push(vec![json!(name), json!(differs)]);
            if differs {
                changed += 1;
                text.push_str(&format!("{name}\n"));
                if !self.check {
                    replace(file, &after).map_err(|e| Error::io(format!("writing {name}"), e))?;
                }
            }
        }
        if wrong.iter().any(|finding| finding.severity == Severity::Error) {
            let cause = "what cannot be read as a mapping is not formatted";
            return Err(Error::findings(Kind::Invalid, &codes::config::INVALID, cause, wrong));
        }
        let said = if self.check { "would change" } else { "changed" };
        text.push_str(&format!("{}, {changed} {said}\n", count(files.len() as u64, "mapping", "mappings")));
        let answer = Answer::new().fact("ok", json!(!self.check || changed == 0)).fact("changed", json!(changed));
        context.ui.answer(answer.rows(rows).text(text))?;
        Ok(if self.check && changed > 0 { Exit::Differences } else { Exit::Done })
    }

    /// The files named, and those of the folders named.
    fn files(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        let mut ahead: Vec<PathBuf> = self.paths.iter().rev().cloned().collect();
        while let Some(path) = ahead.pop() {
            if !path.is_dir() {
                files.push(path);
                continue;
            }
            let failed = |e| Error::io(format!("reading {}", path.display()), e).into_kind(Kind::Invalid);
            let mut below = Vec::new();
            for entry in std::fs::read_dir(&path).map_err(failed)? {
                let entry = entry.map_err(failed)?.path();
                let yaml = entry.extension().is_some_and(|end| end == "yaml" || end == "yml");
                let connectors =
                    entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with("connectors."));
                if entry.is_dir() || (yaml && !connectors) {
                    below.push(entry);
                }
            }
            below.sort();
            ahead.extend(below.into_iter().rev());
        }
        Ok(files)
    }
}

/// Puts a new text in the place of a file, whole or not at all, with the rights that it had.
pub(super) fn replace(file: &std::path::Path, text: &str) -> std::io::Result<()> {
    let file = file.canonicalize()?;
    let mut beside = file.clone().into_os_string();
    beside.push(".new");
    std::fs::write(&beside, text)?;
    let permissions = std::fs::metadata(&file)?.permissions();
    std::fs::set_permissions(&beside, permissions).and_then(|()| std::fs::rename(&beside, &file))
}
