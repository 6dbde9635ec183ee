//! `consign audit add`: a script or a person puts an event into the log, or many of them, one JSON object a line.

use std::io::BufRead;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::list::level;
use crate::audit::risk;
use crate::audit::session::Session;
use crate::audit::{Action, Category, Draft, Outcome};
use crate::cli::context::{Context, who};
use crate::cli::output::Answer;
use crate::cli::output::text::count;
use crate::error::{Error, Exit, Kind, Result, codes};
use crate::record::{ClassId, ClassSet};
use crate::store::Store;

/// How many events go into one transaction.
const TOGETHER: usize = 1000;
/// The longest name of an action.
const LONGEST_NAME: usize = 64;

/// Records an event from a script or a person
#[derive(clap::Args, Debug)]
pub(super) struct Add {
    /// What happened, in words; not needed where `--action` says it
    #[arg(required_unless_present_any = ["action", "ndjson", "quantity"], conflicts_with = "ndjson")]
    note: Option<String>,
    /// What happened, as a name of yours (`stock_counted`): recorded as `custom.stock_counted`
    #[arg(long, value_name = "NAME")]
    action: Option<String>,
    /// What it is about (inventory, user_action, system, security, compliance, integration, performance)
    #[arg(long)]
    category: Option<String>,
    /// What it happened to
    #[arg(long)]
    resource: Option<String>,
    /// Which route it is about
    #[arg(long)]
    route: Option<String>,
    /// In which run it happened
    #[arg(long)]
    run: Option<String>,
    /// How grave it is (debug, info, warning, error, critical)
    #[arg(long, default_value = "info")]
    level: String,
    /// How it ended (success, partial, failure, denied, unknown)
    #[arg(long, default_value = "success")]
    outcome: String,
    /// Who did it, if not whoever runs this; who ran this is recorded too
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// What kind of somebody that is (person, admin, service, pipeline, break_glass)
    #[arg(long, value_name = "KIND")]
    actor_kind: Option<String>,
    /// The address that it came from
    #[arg(long)]
    ip: Option<String>,
    /// For which tenant
    #[arg(long)]
    tenant: Option<String>,
    /// Whose data it is about, as often as there are: recorded as a pseudonym, found by `audit subject`
    #[arg(long = "subject", value_name = "KEY")]
    subjects: Vec<String>,
    /// A class of the data it is about, as often as there are
    #[arg(long = "class", value_name = "CLASS")]
    classes: Vec<String>,
    /// The quantity of the resource now: an inventory event
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    quantity: Option<String>,
    /// The quantity before
    #[arg(long, value_name = "N", requires = "quantity", allow_hyphen_values = true)]
    previous: Option<String>,
    /// No risk below this, 0 to 1
    #[arg(long, value_name = "N")]
    risk: Option<f64>,
    /// Details, as often as there are
    #[arg(long = "detail", value_name = "NAME=VALUE")]
    details: Vec<String>,
    /// Reads events from this file, one JSON object a line; `-` for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["action", "category", "resource", "subjects", "quantity", "details"])]
    ndjson: Option<PathBuf>,
}

/// An event as a script writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Given {
    #[serde(alias = "reason")]
    note: Option<String>,
    action: Option<String>,
    category: Option<String>,
    resource: Option<String>,
    route: Option<String>,
    run: Option<String>,
    level: Option<String>,
    outcome: Option<String>,
    #[serde(alias = "user_id")]
    actor: Option<String>,
    actor_kind: Option<String>,
    #[serde(alias = "ip_address")]
    ip: Option<String>,
    tenant: Option<String>,
    subject: Option<String>,
    subjects: Vec<String>,
    classes: Vec<String>,
    quantity: Option<Value>,
    #[serde(alias = "previous_quantity")]
    previous: Option<Value>,
    risk: Option<f64>,
    details: Map<String, Value>,
}

impl Add {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let (project, _) = context.project()?;
        let mut store = context.store(&project)?;
        if let Some(path) = &self.ndjson {
            return many(path, &mut store, context);
        }
        let draft = self.given()?.draft(&store)?;
        let id = store.record_event(draft)?;
        let text = id
            .as_ref()
            .map_or_else(|| "not recorded: the audit log is switched off\n".into(), |id| format!("recorded as {id}\n"));
        context.ui.answer(Answer::new().fact("id", json!(id)).text(text))?;
        Ok(Exit::Done)
    }

    fn given(self) -> Result<Given> {
        let mut details = Map::new();
        for detail in &self.details {
            let Some((name, value)) = detail.split_once('=') else {
                return Err(usage(format!("`{detail}` is no detail")).hint("write NAME=VALUE"));
            };
            details.insert(name.to_string(), json!(value));
        }
        Ok(Given {
            note: self.note,
            action: self.action,
            category: self.category,
            resource: self.resource,
            route: self.route,
            run: self.run,
            level: Some(self.level),
            outcome: Some(self.outcome),
            actor: self.actor,
            actor_kind: self.actor_kind,
            ip: self.ip,
            tenant: self.tenant,
            subject: None,
            subjects: self.subjects,
            classes: self.classes,
            quantity: self.quantity.as_deref().map(number).transpose()?,
            previous: self.previous.as_deref().map(number).transpose()?,
            risk: self.risk,
            details,
        })
    }
}

/// Records the events of a file, a thousand in a transaction: when one line is wrong, what stands before its
/// thousand is recorded and said.
fn many(path: &std::path::Path, store: &mut Store, context: &Context<'_>) -> Result<Exit> {
    let name = if path.as_os_str() == "-" { "standard input".to_string() } else { path.display().to_string() };
    let failed = |e| Error::io(format!("reading {name}"), e);
    let reader: Box<dyn BufRead> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::io::BufReader::new(std::fs::File::open(path).map_err(failed)?))
    };
    let (mut recorded, mut waiting) = (0, Vec::new());
    for (index, line) in reader.lines().enumerate() {
        let line = line.map_err(failed)?;
        if line.trim().is_empty() {
            continue;
        }
        let at = |error: Error| error.fact("line", index + 1).fact("recorded before", recorded);
        let given: Given =
            serde_json::from_str(&line).map_err(|e| at(usage(format!("a line of {name} is no event: {e}"))))?;
        waiting.push(given.draft(store).map_err(at)?);
        if waiting.len() == TOGETHER {
            recorded += store.record(std::mem::take(&mut waiting))?.len();
        }
    }
    recorded += store.record(waiting)?.len();
    let text = format!("{} recorded\n", count(recorded as u64, "event", "events"));
    context.ui.answer(Answer::new().fact("recorded", json!(recorded)).text(text))?;
    Ok(Exit::Done)
}

impl Given {
    fn draft(self, store: &Store) -> Result<Draft> {
        let counted = self.quantity.is_some();
        let mut draft = Draft::new(if counted { Action::InventoryChanged } else { Action::AuditNote });
        if let Some(name) = self.action {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c);
            if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(fits) {
                return Err(usage(format!("`{name}` is no name of an action"))
                    .hint("write small letters, digits, `_`, `.` and `-`: `stock_counted`"));
            }
            draft.named = Some(name);
        }
        if let Some(word) = &self.category {
            draft.category = Some(Category::of(word).ok_or_else(|| {
                let words: Vec<&str> = Category::ALL.iter().map(|category| category.word()).collect();
                usage(format!("there is no category `{word}`")).hint(format!("choose one of {}", words.join(", ")))
            })?);
        }
        draft.level = self.level.as_deref().map_or(Ok(draft.level), level)?;
        if let Some(word) = &self.outcome {
            draft.outcome = Outcome::of(word).ok_or_else(|| {
                let words: Vec<&str> = Outcome::ALL.iter().map(|outcome| outcome.word()).collect();
                usage(format!("there is no outcome `{word}`")).hint(format!("choose one of {}", words.join(", ")))
            })?;
        }
        if let Some(word) = &self.actor_kind {
            let kind = Session::kind_of(word).ok_or_else(|| {
                usage(format!("there is no kind `{word}`"))
                    .hint("choose one of person, admin, service, pipeline, break_glass")
            })?;
            draft.actor_kind = Some(kind);
        }
        let classes = self
            .classes
            .iter()
            .map(|name| ClassId::named(name).ok_or_else(|| usage(format!("there is no data class `{name}`"))))
            .collect::<Result<ClassSet>>()?;
        draft.classes = classes.iter().map(|id| id.class().name).collect();
        draft.weighed.sensitivity = risk::sensitivity(classes.sensitivity());
        let people = self.subjects.iter().chain(&self.subject);
        draft.about = people.map(|key| store.subject_token(&[key])).collect();
        draft.risk = match self.risk {
            Some(risk) if !(0.0..=1.0).contains(&risk) => return Err(usage(format!("the risk {risk} is not 0 to 1"))),
            risk => risk.unwrap_or(0.0),
        };
        (draft.reason, draft.resource, draft.route, draft.run) = (self.note, self.resource, self.route, self.run);
        (draft.tenant, draft.ip, draft.details) = (self.tenant, self.ip, self.details);
        for (name, quantity) in [("quantity", self.quantity), ("previous_quantity", self.previous)] {
            if let Some(quantity) = quantity {
                draft.details.insert(name.to_string(), quantity);
            }
        }
        draft.actor = match self.actor {
            Some(actor) => {
                // Whoever runs this says so; nobody checked it.
                draft = draft.detail("recorded_by", who());
                Some(actor)
            }
            None => who(),
        };
        Ok(draft)
    }
}

fn number(text: &str) -> Result<Value> {
    match serde_json::from_str::<Value>(text) {
        Ok(value @ Value::Number(_)) => Ok(value),
        _ => Err(usage(format!("`{text}` is no number"))),
    }
}

fn usage(cause: String) -> Error {
    Error::new(Kind::Invalid, &codes::cli::USAGE, cause)
}
