//! `consign connect new NAME`: a pack to begin with, from an OpenAPI document or one answer of a system.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::packs;
use crate::cli::context::Context;
use crate::cli::output::Answer;
use crate::comply::names;
use crate::config::{Source, yaml};
use crate::connect::pack::streams;
use crate::connect::propose;
use crate::error::{Error, Exit, Kind, Result, codes};

/// Writes a commented pack from an OpenAPI 3 document or a sample answer, ready to be edited
#[derive(clap::Args, Debug)]
pub(super) struct New {
    /// The name of the new pack
    name: String,
    /// An OpenAPI 3 document (YAML or JSON), or an answer of the system (JSON)
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Only paths that begin with this; may be repeated
    #[arg(long, value_name = "PATH")]
    only: Vec<String>,
    /// The file to write, which must not be there yet; standard output unless given
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

impl New {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        if !self.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') || self.name.is_empty()
        {
            let cause = format!("`{}` is no name of a pack", self.name);
            return Err(Error::new(Kind::Invalid, &codes::cli::USAGE, cause)
                .hint("lower-case letters, digits and `_`: `acme_crm`"));
        }
        let text = match &self.from {
            None => BLANK.replace("NAME", &self.name),
            Some(file) => {
                let document = read(file)?;
                let made = match document.get("openapi").or_else(|| document.get("swagger")) {
                    Some(_) => propose::from_openapi(&self.name, &document, &self.only, &names::classes),
                    None => propose::from_sample(&self.name, &document, &names::classes),
                };
                made.map_err(|why| {
                    let cause = format!("nothing can be made of `{}`: {why}", file.display());
                    Error::new(Kind::Invalid, &codes::cli::USAGE, cause)
                })?
            }
        };
        let Some(to) = &self.to else {
            context.ui.answer(Answer::new().fact("pack", json!(text)).text(text))?;
            return Ok(Exit::Done);
        };
        let failed = |e| Error::io(format!("writing `{}`", to.display()), e).into_kind(Kind::Invalid);
        let mut file = std::fs::File::create_new(to).map_err(failed)?;
        std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)?;
        let mut findings = Vec::new();
        packs::from_file(to, &mut findings)?;
        let said = format!(
            "{} written, {} lines\nnext: look for `guessed` in it, then: consign connect check {0}\n",
            to.display(),
            text.lines().count()
        );
        context.ui.findings(&findings);
        context.ui.answer(Answer::new().fact("file", json!(to)).fact("findings", json!(findings.len())).text(said))?;
        Ok(Exit::Done)
    }
}

/// A document, YAML or JSON.
fn read(file: &std::path::Path) -> Result<Json> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file)
        .map_err(|e| Error::io(format!("reading `{name}`"), e).into_kind(Kind::Invalid))?;
    if let Ok(document) = serde_json::from_str(&text) {
        return Ok(document);
    }
    let mut findings = Vec::new();
    let source = Source::new(name.clone(), text);
    match yaml::parse(&source, &mut findings) {
        Some(raw) if findings.iter().all(|f| f.severity != crate::error::Severity::Error) => Ok(streams::json(&raw)),
        _ => Err(Error::findings(Kind::Invalid, &codes::config::INVALID, format!("`{name}` cannot be read"), findings)),
    }
}

/// A pack to be filled in by hand.
const BLANK: &str = r#"# Written by `consign connect new`. Every key: docs/reference/pack-format.md
pack: NAME
version: 0.1.0
engine: 1
about: What system it is, in one sentence.
params:
  base:
    about: The address that paths count from.
    default: https://api.example.com/v1
transport:
  base: "{{ params.base }}"
auth:
  needs:
    token: { about: A token of the system., secret: true, required: true }
  ways:
    token: { kind: bearer, token: "{{ secrets.token }}" }
faults:
  - { status: 401, then: denied, say: the token is not valid }
  - { status: 429, then: wait, say: too many requests }
  - { status: [400, 404, 422], then: reject, say: the system refuses it }
  - { status: 5xx, then: retry, say: the system has a fault of its own }
probe:
  path: /me
streams:
  things:
    about: What a record is.
    key: id
    fields:
      id: { type: string, required: true }
      name: string
      updated_at: timestamp
    read:
      path: /things
      records: data
      pages:
        kind: page
        send: { query: page }
        size: 100
        send_size: { query: per_page }
"#;
