//! `consign audit verify`: the whole log is recomputed from its stored bytes; the first event that
//! does not fit is named, and so is every check that could not be made.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::audit::checkpoint::Proof;
use crate::audit::note::Verifying;
use crate::audit::verify::Made;
use crate::audit::{Action, Draft, Event, Outcome, handover, note};
use crate::cli::context::Context;
use crate::cli::moment;
use crate::cli::output::Answer;
use crate::cli::output::text::{count, grouped, shown};
use crate::config::Project;
use crate::error::codes::audit::{HANDOVER_BAD, KEY_BAD, PROOF_BAD};
use crate::error::{Error, Exit, Kind, Result};
use crate::store::{Evidence, Verification};
use crate::sync::alerts;

/// Verifies that nothing in the log was changed, dropped or put in
#[derive(clap::Args, Debug)]
pub(super) struct Verify {
    /// A file with the log's first key, as it was given away when the log began: proves more
    #[arg(long, value_name = "FILE")]
    first_key: Option<PathBuf>,
    /// A file of checkpoints that was carried away, as often as there are: the log must still hold what they were signed over
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Verifies this proof of an event and nothing else; needs no log and no project, only `--key`
    #[arg(long, value_name = "FILE", requires = "key", conflicts_with_all = ["first_key", "checkpoint"])]
    proof: Option<PathBuf>,
    /// The event that the proof is of, where the proof does not bring it along
    #[arg(long, value_name = "FILE", requires = "proof")]
    event: Option<PathBuf>,
    /// The public key of the log, as often as there are (and of witnesses): its line, or a file with it
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// A note by which a key of the log handed over to a newer one, as often as there are: then that one counts too
    #[arg(long, value_name = "FILE", requires = "key")]
    handover: Vec<PathBuf>,
    /// Verifies this export by the manifest beside it and nothing else; needs no log and no project, only `--key`
    #[arg(long, value_name = "FILE", requires = "key", conflicts_with_all = ["first_key", "checkpoint", "proof"])]
    export: Option<PathBuf>,
    /// Leaves no event that the log was verified
    #[arg(long)]
    no_record: bool,
}

impl Verify {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let keys = self.key.iter().map(|text| public_key(text)).collect::<Result<Vec<_>>>()?;
        let mut handovers = Vec::new();
        for path in &self.handover {
            let wrong = |what: &str| {
                let cause = format!("`{}` hands no key over: {what}", path.display());
                Error::new(Kind::Tampered, &HANDOVER_BAD, cause)
            };
            for note in note::notes(&String::from_utf8_lossy(&read(path)?)) {
                handovers.push(handover::read(note.as_bytes()).map_err(wrong)?);
            }
        }
        let keys = handover::follow(keys, &handovers);
        if let Some(export) = &self.export {
            return super::export::verify(context, export, &keys);
        }
        if let Some(proof) = &self.proof {
            return verify_proof(context, proof, self.event.as_deref(), &keys);
        }
        let (project, _) = context.project()?;
        let first = match &self.first_key {
            None => None,
            Some(path) => {
                let text =
                    std::fs::read_to_string(path).map_err(|e| Error::io(format!("reading `{}`", path.display()), e))?;
                Some(zeroize::Zeroizing::new(text.trim().to_string()))
            }
        };
        let store = context.store_must(&project)?;
        let mut evidence = Evidence::of_key(first.as_ref().map(|key| key.as_str()))?;
        evidence.known = store.own_evidence()?;
        for path in &self.checkpoint {
            let text = read(path)?;
            let text = String::from_utf8_lossy(&text);
            let from = format!("the checkpoint of `{}`", path.display());
            let found = note::notes(&text);
            if found.is_empty() {
                store.known_from(text.as_bytes(), &from, &[])?;
            }
            for note in found {
                evidence.known.push(store.known_from(note.as_bytes(), &from, &keys)?);
            }
        }
        let verified = store.verify_with(&evidence)?;
        drop(store);
        let unrecorded = self.record(context, &project, &verified);
        let mut text = String::new();
        let mut logs: Vec<Value> = Vec::new();
        for (report, closed) in &verified.logs {
            let events = count(report.events, "event", "events");
            text.push_str(&format!("log {}: {events}", report.log_id));
            if let (Some(from), Some(to)) = (report.from_ns, report.to_ns) {
                text.push_str(&format!(", {} to {}", moment::shown(from), moment::shown(to)));
            }
            if report.pruned > 0 {
                text.push_str(&format!(", after {} that were pruned", grouped(report.pruned)));
            }
            if report.redacted > 0 {
                text.push_str(&format!(", {} of them redacted", grouped(report.redacted)));
            }
            text.push_str(if *closed { ", closed because its key was lost\n" } else { "\n" });
            let mut checks: Vec<Value> = Vec::new();
            for check in &report.checks {
                let (word, why) = made(&check.made);
                text.push_str(&format!(
                    "  {word:<9} {}{}\n",
                    check.test.name(),
                    why.as_ref().map_or_else(String::new, |w| format!(": {}", shown(w)))
                ));
                checks.push(json!({ "check": check.test.name(), "result": word, "why": why }));
            }
            let bad = report.bad.as_ref().map(|bad| {
                text.push_str(&format!("  first bad event: {} ({})\n", grouped(bad.seq), shown(&bad.what)));
                text.push_str(&format!("  looks like: {} ({})\n", bad.looks.word(), bad.looks.about()));
                json!({
                    "seq": bad.seq, "id": bad.id, "check": bad.test.name(), "what": bad.what,
                    "looks_like": bad.looks.word(),
                })
            });
            logs.push(json!({
                "log": report.log_id, "events": report.events, "pruned": report.pruned, "redacted": report.redacted,
                "root": report.root.as_ref().map(|root| STANDARD.encode(root)), "closed": closed, "checks": checks, "bad": bad,
            }));
        }
        let good = verified.is_good();
        text.push_str(if good { "nothing was changed\n" } else { "the log does NOT verify\n" });
        context.ui.answer(Answer::new().fact("ok", json!(good)).fact("logs", json!(logs)).text(text))?;
        if let Some(error) = unrecorded {
            context.ui.warn(&format!("that the log was verified could not be recorded: {error}"));
        }
        match verified.error() {
            // The findings are the answer; a document on top of the document would be two.
            Some(error) => {
                context.ui.talk_error(&error);
                Ok(error.exit())
            }
            None => Ok(Exit::Done),
        }
    }
}

impl Verify {
    /// Records that the log was verified, and how that ended; why it could not be.
    fn record(&self, context: &Context<'_>, project: &Project, verified: &Verification) -> Option<Error> {
        if self.no_record {
            return None;
        }
        let good = verified.is_good();
        let mut draft = Draft::new(if good { Action::AuditVerified } else { Action::VerificationFailed });
        let events: u64 = verified.logs.iter().map(|(report, _)| report.events).sum();
        draft = draft
            .detail("events", events)
            .detail("logs", verified.logs.len())
            .detail("first_key", self.first_key.is_some())
            .detail("checkpoints", self.checkpoint.len());
        if let Some(bad) = verified.logs.iter().find_map(|(report, _)| report.bad.as_ref()) {
            draft =
                draft.detail("event", bad.seq).detail("check", bad.test.name()).detail("looks_like", bad.looks.word());
            (draft.outcome, draft.risk) = (Outcome::Failure, 0.9);
        }
        let unrecorded = context.store(project).and_then(|mut store| store.record_event(draft)).err();
        // A log that was tampered with may take no event, and then notes no alert either.
        if let (Some(_), Some(bad)) = (&unrecorded, verified.logs.iter().find_map(|(report, _)| report.bad.as_ref())) {
            let what = format!("event {}, {}", bad.seq, bad.looks.word());
            for error in alerts::integrity(project, &what) {
                context.ui.warn(&error.to_string());
            }
        }
        unrecorded
    }
}

/// What is shown of a proof, whoever holds it.
fn verify_proof(context: &Context<'_>, path: &Path, event: Option<&Path>, keys: &[Verifying]) -> Result<Exit> {
    let bad =
        |what: &str| Error::new(Kind::Tampered, &PROOF_BAD, format!("`{}` proves nothing: {what}", path.display()));
    let proof = Proof::read(&read(path)?).map_err(bad)?;
    let body = match event {
        Some(event) => read(event)?,
        None => proof.body.clone().ok_or_else(|| {
            bad("the event is not in it").hint("give the event's body, byte for byte, with `--event FILE`")
        })?,
    };
    let (checkpoint, signed) = proof.check(&body, keys).map_err(bad)?;
    let event = Event::read(&body).map_err(|what| bad(&what))?;
    let mut text = format!(
        "event {} is in the log {}, among the first {}\n  {} {} {}\n",
        grouped(proof.index + 1),
        shown(&checkpoint.origin),
        count(checkpoint.size, "event", "events"),
        moment::shown(event.time),
        shown(&event.action),
        event.outcome.word()
    );
    for signed in &signed {
        let when =
            signed.time.and_then(|time| i64::try_from(time).ok()).and_then(|time| time.checked_mul(1_000_000_000));
        let when = when.map_or_else(String::new, |time| format!(" at {}", moment::shown(time)));
        text.push_str(&format!("  signed by {}{when}\n", shown(&signed.name)));
    }
    let answer = Answer::new()
        .fact("ok", json!(true))
        .fact("origin", json!(checkpoint.origin))
        .fact("size", json!(checkpoint.size))
        .fact("index", json!(proof.index))
        .fact("signed_by", json!(signed.iter().map(|signed| &signed.name).collect::<Vec<_>>()))
        .fact("event", serde_json::to_value(&event).unwrap_or(Value::Null));
    context.ui.answer(answer.text(text))?;
    Ok(Exit::Done)
}

/// A public key from its line, or from the file that holds the line.
pub(super) fn public_key(text: &str) -> Result<Verifying> {
    let bad = |what| Error::new(Kind::Invalid, &KEY_BAD, format!("`--key` cannot be read: {what}"));
    if text.contains('+') {
        return Verifying::read(text).map_err(bad);
    }
    let path = Path::new(text.strip_prefix('@').unwrap_or(text));
    Verifying::read(&String::from_utf8_lossy(&read(path)?)).map_err(bad)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| Error::io(format!("reading `{}`", path.display()), e))
}

fn made(made: &Made) -> (&'static str, Option<String>) {
    match made {
        Made::Passed => ("good", None),
        Made::Failed => ("BAD", None),
        Made::UntilFault => ("so far", Some("another check failed first".into())),
        Made::NotMade(why) => ("not made", Some((*why).to_string())),
    }
}
