//! `consign audit keys shred`: erases a subject by destroying the keys that are its alone.

use std::path::Path;

use serde_json::json;

use crate::cli::context::Context;
use crate::cli::moment;
use crate::cli::output::Answer;
use crate::cli::output::text::count;
use crate::error::{Error, Exit, Kind, Result, codes};

/// Erases a subject: destroys its keys and leaves a tombstone, so that it does not come back
#[derive(clap::Args, Debug)]
pub(super) struct Shred {
    /// The subject as mappings name it: `@FILE`, or `-` for standard input
    subject: String,
    /// Why; recorded
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Shred {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        let id = super::text_from(&self.subject, "a subject")?;
        if id.is_empty() {
            return Err(Error::new(Kind::Invalid, &codes::cli::USAGE, "the subject is empty")
                .hint("give the id that mappings give to `encrypt_for` and `is_erased`"));
        }
        let done = context.store(&project)?.shred(id.as_bytes(), &super::by(Some(self.reason)))?;
        let mut text = match done.before_ns {
            Some(before) => format!(
                "subject {} was erased before, {}; {} since then and destroyed now\n",
                done.subject,
                moment::shown(before),
                count(done.keys, "key was made", "keys were made")
            ),
            None => format!(
                "subject {} is erased: {} destroyed, a tombstone keeps it away\n",
                done.subject,
                count(done.keys, "key", "keys")
            ),
        };
        if done.letters > 0 {
            text.push_str(&format!(
                "{} given up with it\n",
                count(done.letters, "dead letter was", "dead letters were")
            ));
        }
        text.push_str(&copies(&context.state_folder(&project)));
        let answer = Answer::new()
            .fact("subject", json!(done.subject))
            .fact("keys", json!(done.keys))
            .fact("letters", json!(done.letters))
            .fact("erased_before", json!(done.before_ns.map(moment::shown)))
            .text(text);
        context.ui.answer(answer)?;
        Ok(Exit::Done)
    }
}

/// Copies of the state beside it, from which what was destroyed could be brought back.
pub(super) fn copies(folder: &Path) -> String {
    let Ok(entries) = std::fs::read_dir(folder) else { return String::new() };
    let mut found: Vec<(String, i64)> = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if let (true, Ok(meta)) = (name.contains(".bak"), entry.metadata())
            && let Ok(age) = meta.modified().map(|at| at.elapsed().unwrap_or_default())
        {
            found.push((name, age.as_secs() as i64 / 86_400));
        }
    }
    found.sort();
    let mut text = String::new();
    for (name, days) in found {
        text.push_str(&format!(
            "warning: the copy `{name}` of the state, {days} days old, still holds it: delete it\n"
        ));
    }
    text.push_str("copies of the state elsewhere hold it too, until they are deleted\n");
    text
}
