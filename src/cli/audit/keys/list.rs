//! `consign audit keys list` and `show`: which keys there are, and what is due.

use serde_json::{Value, json};

use crate::cli::context::{Context, now_ns};
use crate::cli::moment;
use crate::cli::output::{Answer, Rows};
use crate::config::Project;
use crate::error::{Exit, Result};
use crate::record::KeyState;
use crate::store::protection::{KeyRow, unknown};

const DAY_NS: i64 = 86_400_000_000_000;

/// Lists keys and their versions, with what is due
#[derive(clap::Args, Debug)]
pub(super) struct List {
    /// Only versions that were not destroyed
    #[arg(long)]
    left: bool,
}

impl List {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        let found = match context.store_read(&project)? {
            Some(store) => store.protection_keys()?,
            None => Vec::new(),
        };
        let mut rows = Rows::new("keys", &COLUMNS);
        for row in found.iter().filter(|row| !self.left || row.state != KeyState::Destroyed) {
            rows.push(cells(row, &note(row, &project)));
        }
        for key in &project.compliance.keys {
            if found.iter().all(|row| row.name != key.name) {
                let mut cells = vec![Value::Null; COLUMNS.len()];
                cells[0] = json!(key.name);
                cells[2] = json!("not made");
                cells[3] = json!(key.purpose.word());
                cells[COLUMNS.len() - 1] = json!(format!("consign audit keys create {}", key.name));
                rows.push(cells);
            }
        }
        let mut answer = Answer::new();
        if rows.rows.is_empty() {
            answer = answer.text("no key is declared\n");
        }
        context.ui.answer(answer.rows(rows))?;
        Ok(Exit::Done)
    }
}

/// All versions of one key.
pub(super) fn show(name: &str, context: &Context<'_>) -> Result<Exit> {
    let (project, _) = context.project()?;
    let store = context.store_must(&project)?;
    let found: Vec<KeyRow> = store.protection_keys()?.into_iter().filter(|row| row.name == name).collect();
    if found.is_empty() {
        super::declared(&project, name)?;
        return Err(unknown(name, None));
    }
    let mut rows = Rows::new("versions", &COLUMNS);
    for row in &found {
        rows.push(cells(row, &note(row, &project)));
    }
    context.ui.answer(Answer::new().fact("name", json!(name)).rows(rows))?;
    Ok(Exit::Done)
}

const COLUMNS: [&str; 10] = ["key", "version", "state", "purpose", "id", "made", "used", "seals", "sealed_by", "note"];

fn cells(row: &KeyRow, note: &str) -> Vec<Value> {
    let at = |ns: i64| json!(moment::shown(ns));
    vec![
        json!(row.name),
        json!(row.version),
        json!(row.state.word()),
        json!(row.purpose.word()),
        json!(row.id),
        at(row.made_ns),
        row.used_ns.map_or(Value::Null, at),
        json!(row.seals),
        json!(row.wrapped_by),
        if note.is_empty() { Value::Null } else { json!(note) },
    ]
}

/// What is to be done about a version.
fn note(row: &KeyRow, project: &Project) -> String {
    let Some(key) = project.compliance.keys.iter().find(|key| key.name == row.name) else {
        return "not declared any more".into();
    };
    let age = (now_ns() - row.made_ns) / DAY_NS;
    match row.state {
        KeyState::Active if key.max_age_days.is_some_and(|most| age >= i64::from(most)) => {
            format!("due: {age} days old")
        }
        KeyState::Compromised if row.seals > 0 => "seals entries: reencrypt now".into(),
        KeyState::Compromised => "destroy it once nothing is encrypted under it".into(),
        KeyState::Retired if row.seals > 0 => "seals entries: reencrypt".into(),
        _ => String::new(),
    }
}
