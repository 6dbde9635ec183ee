//! Section 13 of the report on compliance and its appendix C: whether the log can be relied on, and what
//! ties the report to it.

use sha2::{Digest as _, Sha256};

use super::super::document::{Block, Cell, Report, Section, Table, Tone, fact, named};
use super::super::shape;
use super::Asked;
use crate::error::Result;
use crate::record::shown::hex;
use crate::store::Store;

/// 13: the log itself.
pub(super) fn log(store: &Store, asked: &Asked<'_>) -> Result<Section> {
    let facts = &asked.now.facts;
    let Some(log) = &facts.log else {
        return Ok(Section::new("log", "13. The audit log").note(Tone::Warn, "There is no audit log."));
    };
    let stands = store.log_standing(Some(asked.to_ns))?;
    let verified = match &log.verified {
        Some(Ok(())) => Cell::State(Tone::Good, "verified: chain, tree, checkpoints".into()),
        Some(Err(why)) => Cell::State(Tone::Bad, format!("not verified: {why}").into()),
        None => Cell::State(Tone::Quiet, "not looked at".into()),
    };
    let mut list = vec![
        named("log", "audit log", Cell::Code(stands.id.clone())),
        fact("verification", verified),
        named("events", "events at the end of the period", stands.size),
        named("root", "root of the tree over them", Cell::code(stands.root.map(|root| hex(&root)))),
        named("pruned", "oldest events removed", stands.pruned),
        named("in_period", "events of the period", log.events),
        named("incomplete", "events that lack something they must say", log.incomplete.len() as u64),
        named("clock_steps", "backward steps of the clock on record", stands.clock_steps),
        named("untold_steps", "backward steps that no event tells of", log.untold_steps.len() as u64),
        named("carried", "newest checkpoint outside of the state covers until", Cell::moment(log.carried_ns)),
    ];
    if let Some(mode) = log.mode {
        list.push(named("mode", "permissions of the state's file", Cell::Code(format!("{mode:04o}"))));
    }
    let told = [
        "audit.checkpoint",
        "audit.witnessed",
        "audit.verified",
        "audit.pruned",
        "audit.redacted",
        "audit.hold_placed",
        "audit.hold_released",
        "audit.log_started",
        "audit.log_replaced",
        "audit.signer_made",
        "audit.epoch_sealed",
        "audit.key_rewrapped",
        "audit.exported",
        "report.made",
        "standards.checked",
        "clock.step",
    ];
    let mut table =
        Table::new("actions", &["what", "events", "failed_or_denied", "last"], "Nothing was done to the log.")
            .titled("What was done to the log in the period")
            .label("failed_or_denied", "failed or denied");
    for (action, kind) in log.actions.iter().filter(|(action, _)| told.contains(&action.as_str())) {
        table.push(vec![
            Cell::Code(action.clone()),
            Cell::Count(kind.count),
            Cell::Count(kind.bad),
            Cell::Moment(kind.last_ns),
        ]);
    }
    let columns = ["event", "time", "what", "first", "last", "who", "approver", "reason"];
    let mut removed = Table::new("removed", &columns, "Nothing was removed or redacted.").titled("What was removed");
    for told in log.kept.iter().filter(|told| matches!(told.action.as_str(), "audit.pruned" | "audit.redacted")) {
        let detail = |name: &str| told.details.get(name);
        let count = |name: &str| detail(name).and_then(serde_json::Value::as_u64);
        removed.push(vec![
            Cell::Count(told.seq),
            Cell::Moment(told.time),
            Cell::Code(told.action.clone()),
            Cell::from(count("first").or_else(|| count("from"))),
            Cell::from(count("last").or_else(|| count("to"))),
            Cell::from(told.actor.clone()),
            Cell::from(detail("approver").and_then(|of| of.as_str().map(ToString::to_string))),
            Cell::from(told.reason.clone()),
        ]);
    }
    let mut holds = Table::new("holds", &["hold", "from", "reason", "placed_by", "placed"], "There is no legal hold.")
        .titled("Legal holds")
        .label("placed_by", "placed by");
    for hold in store.holds()?.into_iter().filter(|hold| hold.placed_ns < asked.to_ns) {
        holds.push(vec![
            Cell::Code(hold.name),
            Cell::Moment(hold.from_ns),
            Cell::from(hold.reason),
            Cell::from(hold.actor),
            Cell::Moment(hold.placed_ns),
        ]);
    }
    Ok(Section::new("log", "13. The audit log").facts("facts", list).table(table).table(removed).table(holds))
}

/// C: the digests of all sections, and over them a signed note where the log's key is at hand. The key
/// signs notes whose first line is the log's origin; a manifest begins otherwise, so that it is never
/// taken for a checkpoint.
pub(super) fn seal(store: &Store, report: &mut Report) {
    let document = shape::document(report);
    let mut text = String::from("consign.dev/report-manifest/1\n");
    let mut line = |name: &str, value: &serde_json::Value| {
        text.push_str(&format!("sha256 {} {name}\n", hex(&Sha256::digest(value.to_string().as_bytes()))));
    };
    line("provenance", &document["provenance"]);
    for (name, value) in document["sections"].as_object().into_iter().flatten() {
        line(name, value);
    }
    let section = Section::new("manifest", "C. Manifest").text(
        "The SHA-256 of each section as it stands in the JSON shape of this report, its values without blanks between them.",
    );
    let section = match store.sign_note(&text) {
        Ok(note) => section
            .text("Signed with the key of the log's checkpoints, as a signed note (C2SP); `consign audit public-key` prints the public one.")
            .with(Block::Literal { key: "note".into(), language: "text", text: note }),
        Err(_) => section
            .note(Tone::Warn, "Not signed: the key that signs the log's checkpoints is not at hand.")
            .with(Block::Literal { key: "note".into(), language: "text", text }),
    };
    report.push(section);
}
