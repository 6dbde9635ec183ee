//! `consign audit check`: the project and its log, held against standards, control by control. It
//! says what holds, what does not, and what nobody can tell from here; the judgement is the reader's.

use serde_json::{Map, Value, json};

use crate::audit::{Action, Draft, Level, Outcome};
use crate::cli::context::{Context, now_ns, who};
use crate::cli::moment;
use crate::cli::output::text::shown;
use crate::cli::output::{Answer, Rows, junit};
use crate::comply::standards::Standard;
use crate::comply::{Assessment, Gravity, Held, Selection, Status, Subject, check_project};
use crate::error::codes::config::LITERAL_SECRET;
use crate::error::{Error, Exit, Kind, Result, Severity};
use crate::sync::check as checks;
use crate::sync::facts::{Depth, gather};

/// Holds the project and its log against standards: pass, fail, warn, not applicable, not tested
#[derive(clap::Args, Debug)]
pub(super) struct Check {
    /// Only these standards, as often as there are; those of the project unless given, all if it names none
    #[arg(long = "standard", value_name = "NAME", value_delimiter = ',')]
    standards: Vec<String>,
    /// Only these checks or controls (`P17`, `3.5.1`, `pci_dss/3.5.1`), as often as there are
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,
    /// None of these checks or controls, as often as there are
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    skip: Vec<String>,
    /// From which severity on a failure is exit 6 (low, medium, high, critical, never)
    #[arg(long, value_name = "SEVERITY", default_value = "medium")]
    fail_on: String,
    /// Only what was recorded since then: a date, a moment, or `30d`; everything unless given
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Does not verify the log, which takes a second for each million events
    #[arg(long)]
    no_verify: bool,
    /// Lists every assessment, those that pass too
    #[arg(long)]
    all: bool,
}

impl Check {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let threshold = match self.fail_on.as_str() {
            "never" => None,
            word => Some(Gravity::of(word).ok_or_else(|| {
                Error::new(Kind::Invalid, &crate::error::codes::cli::USAGE, format!("there is no severity `{word}`"))
                    .hint("choose one of low, medium, high, critical, never")
            })?),
        };
        let found = context.find()?;
        let mut loaded = context.load(&found);
        // A literal secret is what one of the checks is about: it does not keep the others from being made.
        let broken = loaded.findings.iter().any(|f| f.severity == Severity::Error && f.code != &LITERAL_SECRET);
        if broken {
            return loaded.sound().map(|_| Exit::Invalid);
        }
        let checked = checks::check(&mut loaded, false);
        let Some(project) = &loaded.project else { return loaded.sound().map(|_| Exit::Invalid) };
        let wanted = crate::cli::standards::wanted(project, &found, &self.standards, context)?;
        let now = now_ns();
        let depth = Depth {
            since_ns: self.since.as_ref().map(|text| moment::past(text, now)).transpose()?,
            until_ns: None,
            verify: !self.no_verify,
        };
        let store = context.store_read(project)?;
        let mut facts = gather(project, store.as_ref(), depth)?;
        facts.literal_secrets = loaded.findings.iter().filter(|f| f.code == &LITERAL_SECRET).cloned().collect();
        let routes = checked.iter().map(|one| one.route.as_ref());
        let subject = Subject::new(project, &loaded.mappings, routes, &facts, now);
        let selection = Selection { only: self.only.clone(), skip: self.skip.clone() };
        let held = check_project(&subject, &wanted, &selection);
        let bad = |one: &Assessment| {
            one.counts() == Status::Fail && threshold.is_some_and(|threshold| one.severity >= threshold)
        };
        let failed = held.iter().flat_map(|one| &one.assessments).filter(|one| bad(one)).count();
        if store.is_some() {
            drop(store);
            context.store(project)?.record_event(event(&wanted, &held, failed))?;
        }
        let tampered = facts.log.as_ref().is_some_and(|log| matches!(log.verified, Some(Err(_))));
        let mut answer = Answer::new()
            .fact("ok", json!(failed == 0))
            .fact("standards", shown_of(&wanted, &held).iter().map(|standard| told(standard, &held)).collect())
            .fact("controls", held.iter().map(control).collect())
            .rows(rows(&held))
            .text(text(&wanted, &held, self.all));
        answer.markdown = Some(markdown(&wanted, &held));
        answer.suites = Some(suites(&wanted, &held));
        answer.sarif = Some(sarif(&held));
        context.ui.answer(answer)?;
        let exit = if failed > 0 { Exit::Refused } else { Exit::Done };
        Ok(if tampered { exit.worst(Exit::Tampered) } else { exit })
    }
}

/// What is recorded: a check of the log is a review of it.
fn event(wanted: &[&Standard], held: &[Held], failed: usize) -> Draft {
    let mut draft = Draft::new(Action::StandardsChecked);
    draft.actor = who();
    draft.resource = Some("audit log".into());
    if failed > 0 {
        (draft.level, draft.outcome) = (Level::Warning, Outcome::Failure);
        draft.reason = Some(format!("{failed} check{} failed", if failed == 1 { "" } else { "s" }));
    }
    let mut counts = Map::new();
    for standard in shown_of(wanted, held) {
        counts.insert(standard.name.clone(), count(standard, held).into());
    }
    draft.detail("standards", counts).detail("failed", failed as u64)
}

/// The standards that were asked for, and the project's own rules where it has any.
fn shown_of<'s>(wanted: &[&'s Standard], held: &[Held]) -> Vec<&'s Standard> {
    let own = held.iter().map(|one| one.standard).find(|standard| standard.name == "custom");
    let own = own.filter(|_| wanted.iter().all(|standard| standard.name != "custom"));
    wanted.iter().copied().chain(own).collect()
}

/// How many controls of a standard stand how.
fn count(standard: &Standard, held: &[Held]) -> Map<String, Value> {
    let of =
        |status: Status| held.iter().filter(|one| one.standard.name == standard.name && one.status == status).count();
    Status::ALL.iter().rev().map(|status| (status.word().to_string(), json!(of(*status)))).collect()
}

fn told(standard: &Standard, held: &[Held]) -> Value {
    json!({
        "standard": standard.name, "title": standard.title, "version": standard.version, "source": standard.source,
        "counts": count(standard, held), "out_of_reach": standard.out_of_reach,
    })
}

fn control(one: &Held) -> Value {
    json!({
        "standard": one.standard.name, "controls": one.control.ids, "title": one.control.title,
        "severity": one.control.severity, "on": one.control.on, "status": one.status, "mark": one.control.mark, "read": one.control.read,
        "checks": one.control.checks.iter().map(|part| part.check.as_str()).collect::<Vec<_>>(),
    })
}

const COLUMNS: [&str; 14] = [
    "standard", "controls", "title", "severity", "check", "name", "status", "object", "file", "line", "column",
    "evidence", "fix", "waiver",
];

fn rows(held: &[Held]) -> Rows {
    let mut rows = Rows::new("assessments", &COLUMNS);
    for one in held {
        let ids = one.control.ids.join(", ");
        let head = [json!(one.standard.name), json!(ids), json!(one.control.title), json!(one.control.severity)];
        if one.assessments.is_empty() {
            let checks: Vec<&str> = one.control.checks.iter().map(|part| part.check.as_str()).collect();
            let rest = [json!(checks.join(", ")), Value::Null, json!(one.status)];
            let none = std::iter::repeat_n(Value::Null, COLUMNS.len() - 7);
            rows.push(head.iter().cloned().chain(rest).chain(none).collect());
        }
        for it in &one.assessments {
            let place = it.place.as_ref();
            let rest = [
                json!(it.check.id),
                json!(it.check.name),
                json!(it.status),
                json!(it.object),
                json!(place.map(|place| &place.file)),
                json!(place.map(|place| place.line)),
                json!(place.map(|place| place.column)),
                json!(it.evidence),
                json!(it.fix),
                json!(it.waiver),
            ];
            rows.push(head.iter().cloned().chain(rest).collect());
        }
    }
    rows
}

/// `3 fail, 1 warn, 20 pass, 4 not tested, 2 not applicable`.
fn summary(standard: &Standard, held: &[Held]) -> String {
    let counts = count(standard, held);
    let said = Status::ALL.iter().rev().filter_map(|status| {
        let number = counts.get(status.word())?.as_u64().filter(|number| *number > 0)?;
        Some(format!("{number} {}", status.word().replace('_', " ")))
    });
    let said: Vec<String> = said.collect();
    if said.is_empty() { "no control was asked for".into() } else { said.join(", ") }
}

fn text(wanted: &[&Standard], held: &[Held], all: bool) -> String {
    let mut out = String::new();
    for standard in shown_of(wanted, held) {
        out.push_str(&format!("{} {}: {}\n", standard.title, standard.version, summary(standard, held)));
        let of = held.iter().filter(|one| one.standard.name == standard.name);
        for one in of.filter(|one| all || matches!(one.status, Status::Fail | Status::Warn | Status::NotTested)) {
            let word = one.status.word().replace('_', " ");
            let ids = one.control.ids.join(", ");
            out.push_str(&format!("  {word:<14} {ids}  {} ({})\n", one.control.title, one.control.severity.word()));
            let worst = |it: &&Assessment| all || it.counts() == one.status || it.status == Status::Fail;
            for it in one.assessments.iter().filter(worst) {
                let at =
                    it.place.as_ref().map_or(String::new(), |at| format!(" ({}:{}:{})", at.file, at.line, at.column));
                let own = if it.counts() == one.status {
                    String::new()
                } else {
                    format!("{}: ", it.status.word().replace('_', " "))
                };
                out.push_str(&format!("    {} {own}{}: {}{at}\n", it.check.id, shown(&it.object), shown(&it.evidence)));
                if let Some(waived) = &it.waiver {
                    let until = if waived.expired { "waiver ended" } else { "waived until" };
                    let ticket = waived.ticket.as_ref().map_or(String::new(), |ticket| format!(", {}", shown(ticket)));
                    let (who, why) = (shown(&waived.owner), shown(&waived.reason));
                    out.push_str(&format!("      {until} {}: {why} ({who}{ticket})\n", waived.until));
                }
                if let Some(fix) = it.fix.as_ref().filter(|_| it.counts() != Status::Pass) {
                    out.push_str(&format!("      fix: {}\n", shown(fix)));
                }
            }
        }
    }
    out.push_str("What nobody can tell from a configuration and a log is listed with `-o json` and `-o markdown`.\n");
    out
}

fn markdown(wanted: &[&Standard], held: &[Held]) -> String {
    let cell = |text: &str| shown(text).replace('|', "\\|");
    let mut out = String::from("# Controls\n");
    for standard in shown_of(wanted, held) {
        out.push_str(&format!("\n## {} {}\n\n{}.\n\n", standard.title, standard.version, summary(standard, held)));
        out.push_str("| Control | What it asks | Severity | Status | Check | What was looked at | Evidence |\n|---|---|---|---|---|---|---|\n");
        for one in held.iter().filter(|one| one.standard.name == standard.name) {
            let head = format!(
                "| {} | {} | {} |",
                cell(&one.control.ids.join(", ")),
                cell(&one.control.title),
                one.control.severity.word()
            );
            if one.assessments.is_empty() {
                out.push_str(&format!("{head} {} | | | |\n", one.status.word().replace('_', " ")));
            }
            for it in &one.assessments {
                let waived = it.waiver.as_ref().map_or(String::new(), |waived| {
                    let word = if waived.expired { "waiver ended" } else { "waived until" };
                    format!("; {word} {} by {}: {}", waived.until, waived.owner, waived.reason)
                });
                out.push_str(&format!(
                    "{head} {} | {} | {} | {} |\n",
                    it.status.word().replace('_', " "),
                    it.check.id,
                    cell(&it.object),
                    cell(&format!("{}{waived}", it.evidence))
                ));
            }
        }
        if standard.out_of_reach.is_empty() {
            continue;
        }
        out.push_str("\nOut of reach:\n\n");
        for one in &standard.out_of_reach {
            out.push_str(&format!("- {}: {}. {}.\n", cell(&one.ids.join(", ")), cell(&one.title), cell(&one.reason)));
        }
        let source = &standard.source;
        out.push_str(&format!(
            "\nIds of controls: {} ({}), held against it on {}.\n",
            source.name, source.date, source.reviewed
        ));
    }
    out
}

fn suites(wanted: &[&Standard], held: &[Held]) -> Vec<junit::Suite> {
    let case = |one: &Held| {
        let say = |it: &Assessment| format!("{} {}: {}", it.check.id, it.object, it.evidence);
        let of = |status: Status| {
            one.assessments.iter().filter(|it| it.counts() == status).map(say).collect::<Vec<_>>().join("\n")
        };
        let result = match one.status {
            Status::Fail => {
                junit::Outcome::Failed(one.control.severity.word().into(), one.control.title.clone(), of(Status::Fail))
            }
            Status::Pass => junit::Outcome::Passed,
            status => junit::Outcome::Said(format!("{}\n{}", status.word().replace('_', " "), of(status))),
        };
        junit::Case { name: format!("{} {}", one.control.ids.join(", "), one.control.title), result }
    };
    let of = |standard: &&Standard| junit::Suite {
        name: standard.title.clone(),
        cases: held.iter().filter(|one| one.standard.name == standard.name).map(case).collect(),
    };
    shown_of(wanted, held).iter().map(of).collect()
}

/// SARIF 2.1.0: every check that was made is a rule, so that one that no longer fails closes; what is waived
/// is there and suppressed.
fn sarif(held: &[Held]) -> Value {
    let mut rules: Vec<Value> = Vec::new();
    let mut results: Vec<Value> = Vec::new();
    for one in held {
        for part in &one.control.checks {
            let id =
                format!("{}/{}/{}", one.standard.name, one.control.ids.first().map_or("", String::as_str), part.check);
            if !rules.iter().any(|rule| rule["id"] == id) {
                rules.push(json!({
                    "id": id, "name": part.check,
                    "shortDescription": { "text": one.control.title },
                    "properties": { "standard": one.standard.title, "controls": one.control.ids, "severity": one.control.severity },
                }));
            }
        }
        for it in &one.assessments {
            let (kind, level) = match it.status {
                Status::Fail if it.severity >= Gravity::High => ("fail", "error"),
                Status::Fail => ("fail", "warning"),
                Status::Warn => ("review", "none"),
                Status::NotTested => ("open", "none"),
                Status::Pass | Status::NotApplicable => continue,
            };
            let id =
                format!("{}/{}/{}", one.standard.name, one.control.ids.first().map_or("", String::as_str), it.check.id);
            let fix = it.fix.as_ref().map_or(String::new(), |fix| format!(". {fix}"));
            let mut result = json!({
                "ruleId": id, "kind": kind, "level": level,
                "message": { "text": format!("{}: {}{fix}", it.object, it.evidence) },
                "partialFingerprints": { "consign/v1": format!("{id}@{}", it.object) },
            });
            if let Some(place) = &it.place {
                result["locations"] = json!([{ "physicalLocation": {
                    "artifactLocation": { "uri": crate::cli::output::sarif::uri(&place.file) },
                    "region": { "startLine": place.line, "startColumn": place.column, "endColumn": place.column + place.width.max(1) },
                }}]);
            }
            if let Some(waived) = it.waiver.as_ref().filter(|waived| !waived.expired) {
                let why = format!("{} ({}, until {})", waived.reason, waived.owner, waived.until);
                result["suppressions"] = json!([{ "kind": "external", "status": "accepted", "justification": why }]);
            }
            results.push(result);
        }
    }
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "consign", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}
