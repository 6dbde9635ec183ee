//! The evidence for one control over a period, as an archive that a stranger verifies without this program's
//! owner: the assessments, the population (every run and every event of the period), a sample with a
//! proof for each event, the checkpoint and the public key that the proofs lead to, waivers, and what to do.
//!
//! The sample is drawn by rule, not by chance: the gravest events first, then the others evenly along the period, so that
//! somebody else draws the same.

use std::io::{Cursor, Write as _};

use serde_json::json;
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::compliance::Asked;
use super::document::{Block, Cell, Kind, Remark, Report, Section, Table, Tone, fact, named};
use super::provenance::Provenance;
use super::shape::{self, Shape};
use crate::audit::canonical;
use crate::comply::facts::Told;
use crate::comply::{Held, Selection, Status, check_project};
use crate::error::codes::audit::CONTROL_UNKNOWN;
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::record::shown::hex;
use crate::store::{EventFilter, Store};

/// Evidence for a control.
pub static KIND: Kind = Kind {
    name: "evidence",
    about: "everything that shows how one control stood in a period, to be verified offline",
    version: 1,
};

/// Evidence: the report, and the archive with it and what it rests on.
#[derive(Debug)]
pub struct Evidence {
    /// What there is.
    pub report: Report,
    /// The archive (ZIP).
    pub archive: Vec<u8>,
}

/// Gathers the evidence for a control (`3.5.1`, `pci_dss/3.5.1`, or a check: `P17`), with a sample of so many events.
///
/// # Errors
/// No standard in force knows the control, or the state cannot be read.
pub fn gather(
    store: &mut Store,
    asked: &Asked<'_>,
    control: &str,
    most: usize,
    actor: Option<String>,
) -> Result<Evidence> {
    let selection = Selection { only: vec![control.to_string()], skip: Vec::new() };
    let held: Vec<Held> = check_project(asked.now, asked.standards, &selection)
        .into_iter()
        .filter(|one| one.standard.name != "custom" || one.control.ids.iter().any(|id| id == control))
        .collect();
    if held.is_empty() {
        let names: Vec<&str> = asked.standards.iter().map(|standard| standard.name.as_str()).collect();
        return Err(Error::new(ErrorKind::Invalid, &CONTROL_UNKNOWN, format!("no control is called `{control}`"))
            .hint(format!(
                "looked for in {}; `consign audit check --all` lists them, `--standard` names others",
                names.join(", ")
            )));
    }
    let stands = store.log_standing(Some(asked.to_ns))?;
    let kept: Vec<&Told> = asked.now.facts.log.iter().flat_map(|log| &log.kept).collect();
    // Events of a log that was closed are under no checkpoint of this one.
    let provable = |told: &&&Told| told.seq > stands.pruned && told.seq <= stands.size;
    let sample: Vec<u64> = draw(&kept.iter().filter(provable).copied().collect::<Vec<_>>(), most);
    let needed = sample.iter().copied().max().unwrap_or(0);
    let checkpoint = match store.oldest_checkpoint_over(needed.max(1))? {
        Some(checkpoint) => Some(checkpoint),
        None if needed > 0 => Some(store.checkpoint(actor)?),
        None => None,
    };

    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let mut proofs =
        Table::new("sample", &["event", "time", "what", "outcome", "who", "proof"], "No event could be drawn.");
    if let Some(checkpoint) = &checkpoint {
        for seq in &sample {
            let Some(told) = kept.iter().find(|told| told.seq == *seq) else { continue };
            // A body that was redacted meanwhile has no proof to give; the row says so.
            let name = format!("proofs/event-{seq}.tlog-proof");
            let proof = match store.proof(*seq, checkpoint) {
                Ok(proof) => {
                    files.push((name.clone(), proof.text().into_bytes()));
                    Cell::Code(name)
                }
                Err(error) => Cell::State(Tone::Warn, format!("none: {}", error.cause()).into()),
            };
            proofs.push(vec![
                Cell::Count(*seq),
                Cell::Moment(told.time),
                Cell::Code(told.action.clone()),
                Cell::from(told.outcome.as_str()),
                Cell::from(told.actor.clone()),
                proof,
            ]);
        }
        files.push(("checkpoint.txt".into(), checkpoint.note.clone().into_bytes()));
        files.push(("public-key.txt".into(), format!("{}\n", checkpoint.key).into_bytes()));
    }
    let filter = EventFilter { since_ns: Some(asked.from_ns), until_ns: Some(asked.to_ns), ..EventFilter::default() };
    let mut events = store.audit_events(&filter)?;
    events.reverse();
    // Each line is what was hashed into the tree (RFC 8785), so that whoever has a proof can look its event up.
    let mut population = Vec::new();
    for event in &events {
        canonical::write(&json!(event), &mut population);
        population.push(b'\n');
    }
    files.push(("population/events.ndjson".into(), population));
    let runs = asked.now.facts.runs.as_deref().unwrap_or_default();
    let mut run_rows = Table::new(
        "runs",
        &["run", "route", "state", "started", "ended", "read", "written", "rejected", "withheld", "mapping"],
        "No run in the period.",
    );
    for run in runs {
        run_rows.push(vec![
            Cell::Code(run.id.clone()),
            Cell::from(run.route.as_str()),
            Cell::from(run.state.as_str()),
            Cell::Moment(run.started),
            Cell::moment(run.ended),
            Cell::Count(run.totals.read),
            Cell::Count(run.totals.written),
            Cell::Count(run.totals.rejected + run.totals.refused),
            Cell::Count(run.totals.withheld),
            Cell::Code(run.mapping.clone()),
        ]);
    }
    files.push(("population/runs.csv".into(), shape::csv_table(&run_rows).into_bytes()));

    let mut provenance = Provenance::of(store, "the control, its assessments, every event and run of the period")?
        .parameter("control", Cell::Code(control.to_string()))
        .parameter("from", Cell::Moment(asked.from_ns))
        .parameter("to", Cell::Moment(asked.to_ns))
        .parameter("sample", Cell::Count(most as u64))
        .count("events", events.len() as u64)
        .count("runs", runs.len() as u64);
    provenance.events = events.first().zip(events.last()).map(|(first, last)| (first.seq, last.seq));
    provenance.log = Some(stands);
    provenance.configuration = vec![("project".to_string(), asked.now.project.hash.clone())];

    let mut report = Report::new(&KIND, format!("Evidence for {}", cited(&held)), provenance);
    report.cover = true;
    let worst = held.iter().map(|one| one.status).max().unwrap_or(Status::NotApplicable);
    report = report
        .lead(super::compliance::tone(worst), format!("At the end of the period: {}.", super::compliance::said(worst)));
    report.push(asks(&held));
    report.push(assessments(&held));
    report.push(
        Section::new("population", "Population")
            .facts("facts", vec![
                fact("events", events.len() as u64),
                fact("runs", runs.len() as u64),
                named("drawn_from", "events to draw from", kept.len() as u64),
            ])
            .text("Every event of the period is in population/events.ndjson, every run in population/runs.csv. The sample is drawn from the events that do not come with each group or run: first those that failed, were denied, or are of level error or critical, then the others evenly along the period.")
            .table(proofs),
    );
    report.push(Section { title: "Waivers".into(), ..super::compliance::waivers(asked.now, &held) });
    report.push(Section::new("verify", "How to verify it").with(Block::Literal {
        key: "steps".into(),
        language: "text",
        text: STEPS.into(),
    }));

    files.push(("report.html".into(), shape::render(&report, Shape::Html).into_bytes()));
    files.push(("report.json".into(), shape::render(&report, Shape::Json).into_bytes()));
    files.push(("README.txt".into(), format!("{}\n\n{STEPS}", report.title).into_bytes()));
    files.sort();
    let sums: String = files.iter().map(|(name, bytes)| format!("{}  {name}\n", hex(&Sha256::digest(bytes)))).collect();
    // The note's first line is no log's origin: a manifest is never taken for a checkpoint.
    if let Ok(note) = store.sign_note(&format!("consign.dev/evidence-manifest/1\n{sums}")) {
        files.push(("manifest.note".into(), note.into_bytes()));
    }
    files.push(("manifest.sha256".into(), sums.into_bytes()));
    Ok(Evidence { archive: archive(&files)?, report })
}

const STEPS: &str = "\
1. The files are those that were handed over:     sha256sum --check manifest.sha256
2. The list of files was signed by the log's key: manifest.note is a signed note (C2SP); its text behind the
   first line is manifest.sha256, its key is in public-key.txt.
3. The key is the log's: compare public-key.txt with what you were given earlier, by another way than this
   archive; the owner prints it with `consign audit public-key`.
4. Each sampled event is in the log, offline and without a project:
   consign audit verify --proof proofs/event-N.tlog-proof --key \"$(cat public-key.txt)\"
   Any other verifier of tlog-proof (c2sp.org/tlog-proof) does as well. The line `extra` is the event in base64,
   the same bytes as its line of population/events.ndjson; its leaf is the SHA-256 of a zero byte and them.
5. The log still holds what was signed, on the owner's machine:
   consign audit verify --checkpoint checkpoint.txt
6. Draw your own sample from population/events.ndjson and ask for `consign audit prove NUMBER`.
";

fn cited(held: &[Held]) -> String {
    let cites: Vec<String> =
        held.iter().flat_map(|one| one.control.ids.iter().map(|id| one.standard.cite(id))).collect();
    cites.join(", ")
}

fn asks(held: &[Held]) -> Section {
    let mut table = Table::new("controls", &["standard", "controls", "asks", "severity", "checks", "status"], "");
    for one in held {
        table.push(vec![
            Cell::from(one.standard.title.as_str()),
            Cell::from(one.control.ids.join(", ")),
            Cell::from(one.control.title.as_str()),
            Cell::from(one.control.severity.word()),
            Cell::codes(one.control.checks.iter().map(|part| part.check.clone())),
            Cell::State(super::compliance::tone(one.status), super::compliance::said(one.status).into()),
        ]);
    }
    Section::new("control", "The control").table(table)
}

fn assessments(held: &[Held]) -> Section {
    let remarks = held.iter().flat_map(|one| &one.assessments).map(|it| Remark {
        tone: super::compliance::tone(it.counts()),
        code: Some(it.check.id.to_string()),
        what: format!("{}: {}", super::compliance::said(it.counts()), it.evidence),
        at: Some(
            it.place
                .as_ref()
                .map_or(it.object.clone(), |at| format!("{} ({}:{}:{})", it.object, at.file, at.line, at.column)),
        ),
        evidence: None,
        fix: it.fix.clone().filter(|_| it.counts() != Status::Pass),
    });
    Section::new("assessments", "What was looked at").remarks(
        "assessments",
        remarks.collect(),
        "Nothing here is what it is about.",
    )
}

/// The numbers of the events to look at, rising.
fn draw(from: &[&Told], most: usize) -> Vec<u64> {
    let grave = |told: &&Told| {
        matches!(told.outcome.as_str(), "failure" | "denied") || matches!(told.level.as_str(), "error" | "critical")
    };
    let (bad, rest): (Vec<&Told>, Vec<&Told>) = from.iter().copied().partition(|told| grave(told));
    let mut drawn: Vec<u64> = bad.iter().take(most).map(|told| told.seq).collect();
    let left = most - drawn.len();
    let take = left.min(rest.len());
    drawn.extend((0..take).map(|at| rest[at * rest.len() / take].seq));
    drawn.sort_unstable();
    drawn
}

/// The files in an archive that is the same byte for byte: no times, no owners.
fn archive(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>> {
    let broken = |e: &dyn std::fmt::Display| Error::bug(format!("an archive in memory could not be written: {e}"));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer.start_file(name.as_str(), options).map_err(|e| broken(&e))?;
        writer.write_all(bytes).map_err(|e| broken(&e))?;
    }
    Ok(writer.finish().map_err(|e| broken(&e))?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_are_drawn_first_and_the_rest_evenly() {
        let told: Vec<Told> = (1..=100)
            .map(|seq| Told {
                seq,
                outcome: if seq % 40 == 0 { "denied".into() } else { "success".into() },
                ..Told::default()
            })
            .collect();
        let all: Vec<&Told> = told.iter().collect();
        let drawn = draw(&all, 10);
        assert!(drawn.len() <= 10 && drawn.contains(&40) && drawn.contains(&80), "{drawn:?}");
        assert!(drawn.is_sorted() && drawn.iter().any(|seq| *seq > 80), "{drawn:?}");
        assert_eq!(draw(&all, 1), [40]);
        assert_eq!(draw(&[], 10), [0_u64; 0]);
        assert_eq!(draw(&all, 1000).len(), 100);
    }

    #[test]
    fn an_archive_is_the_same_twice() {
        let files = vec![("a.txt".to_string(), b"one".to_vec()), ("b/c.txt".to_string(), b"two".to_vec())];
        let made = archive(&files).unwrap();
        assert_eq!(made, archive(&files).unwrap());
        let mut read = zip::ZipArchive::new(Cursor::new(made)).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(std::io::read_to_string(read.by_name("b/c.txt").unwrap()).unwrap(), "two");
    }
}
