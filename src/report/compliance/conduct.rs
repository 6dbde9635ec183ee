//! Sections 10 to 12 of the report on compliance: who did and changed what, whether runs were whole, and
//! what went wrong.

use std::collections::BTreeMap;

use super::super::document::{Cell, Section, Table, Tone, fact};
use crate::comply::Subject;
use crate::comply::facts::Told;
use crate::record::Totals;

/// Rows of a list that a reader still reads; the log holds all of them.
const MOST: usize = 200;

/// What people change by hand, and what changes by itself under them.
const CHANGES: &[&str] = &[
    "config.seen",
    "plan.approved",
    "plan.approval_refused",
    "run.refused",
    "route.enabled",
    "route.disabled",
    "route.unlocked",
    "position.set",
    "position.reset",
    "dead_letters.discarded",
    "state.restored",
    "state.adopted",
    "audit.disabled",
    "audit.enabled",
    "key.made",
    "key.retired",
    "key.compromised",
    "key.destroyed",
    "connector.signed_in",
    "connector.signed_out",
];

/// Who a person or process is shown as where none is known.
fn who(told: &Told) -> String {
    told.actor.clone().unwrap_or_else(|| "not known".into())
}

/// Cuts a list and says so.
fn cut(table: &mut Table) {
    let over = table.rows.len().saturating_sub(MOST);
    if over > 0 {
        // The newest are the last.
        table.rows.drain(..over);
        table.left_out = Some((over as u64, "older ones; `consign audit export` gives all of them".into()));
    }
}

/// 10: access, changes and who approved of them.
pub(super) fn access(subject: &Subject<'_>) -> Section {
    let mut table =
        Table::new("actors", &["who", "events", "failed_or_denied", "first", "last"], "Nobody did anything by hand.")
            .label("failed_or_denied", "failed or denied");
    let mut actors: BTreeMap<String, (u64, u64, i64, i64)> = BTreeMap::new();
    let kept = subject.facts.log.iter().flat_map(|log| &log.kept);
    for told in kept.clone() {
        let entry = actors.entry(who(told)).or_insert((0, 0, told.time, told.time));
        entry.0 += 1;
        entry.1 += u64::from(is_bad(told));
        entry.3 = told.time;
    }
    for (actor, (events, bad, first, last)) in actors {
        table.push(vec![
            Cell::from(actor),
            Cell::Count(events),
            Cell::Count(bad),
            Cell::Moment(first),
            Cell::Moment(last),
        ]);
    }
    let mut changes = Table::new(
        "changes",
        &["event", "time", "what", "of", "who", "reason", "configuration"],
        "Nothing was changed.",
    )
    .titled("Changes");
    for told in kept.filter(|told| CHANGES.contains(&told.action.as_str())) {
        changes.push(vec![
            Cell::Count(told.seq),
            Cell::Moment(told.time),
            Cell::Code(told.action.clone()),
            Cell::from(told.resource.clone().or_else(|| told.route.clone())),
            Cell::from(who(told)),
            Cell::from(told.reason.clone()),
            Cell::code(told.config.as_ref().map(|hash| hash.chars().take(12).collect::<String>())),
        ]);
    }
    cut(&mut changes);
    let mut approvals = Table::new(
        "approvals",
        &["of", "ticket", "author", "approver", "released_by", "at", "apart"],
        "Nobody approved of anything.",
    )
    .titled("Approvals")
    .label("released_by", "released by")
    .label("apart", "author and approver differ");
    for one in &subject.facts.approvals {
        let apart = one.author.as_ref().zip(one.approver.as_ref()).map(|(author, approver)| author != approver);
        approvals.push(vec![
            Cell::Code(one.hash.chars().take(12).collect()),
            Cell::code(one.ticket.clone()),
            Cell::from(one.author.clone()),
            Cell::from(one.approver.clone()),
            Cell::from(one.releaser.clone()),
            Cell::moment(one.at),
            apart.map_or(Cell::Nothing, Cell::Yes),
        ]);
    }
    let mut roles = Table::new("roles", &["role", "members", "may", "may_not", "reviewed"], "No role is declared.")
        .titled("Roles")
        .label("may_not", "may not");
    for role in &subject.project.compliance.rules.roles {
        roles.push(vec![
            Cell::from(role.name.as_str()),
            Cell::codes(role.members.iter().cloned()),
            Cell::codes(role.can.iter().cloned()),
            Cell::codes(role.cannot.iter().cloned()),
            Cell::code(role.reviewed.map(|date| date.to_string())),
        ]);
    }
    Section::new("access", "10. Access, changes, separation of duties")
        .table(table)
        .table(changes)
        .table(approvals)
        .table(roles)
}

/// 11: whether what came in went out.
pub(super) fn integrity(subject: &Subject<'_>) -> Section {
    let columns = [
        "route",
        "runs",
        "not_done",
        "read",
        "written",
        "unchanged",
        "filtered",
        "rejected",
        "withheld",
        "in_doubt",
        "count_laws",
        "sums",
    ];
    let mut table = Table::new("routes", &columns, "No run in the period.")
        .label("not_done", "runs not done")
        .label("count_laws", "count laws")
        .label("sums", "declared sums");
    let mut routes: BTreeMap<&str, (u64, u64, Totals, u64, u64, u64)> = BTreeMap::new();
    for run in subject.facts.runs.iter().flatten() {
        let entry = routes.entry(run.route.as_str()).or_default();
        entry.0 += 1;
        entry.1 += u64::from(run.state != "done");
        entry.2.add(&run.totals);
        entry.3 += u64::from(run.state != "running" && run.totals.check().is_err());
        entry.4 += run.sums.len() as u64;
        entry.5 += run.sums.iter().filter(|sum| !sum.agrees).count() as u64;
    }
    for (route, (runs, not_done, totals, broken, sums, differ)) in routes {
        table.push(vec![
            Cell::from(route),
            Cell::Count(runs),
            Cell::Count(not_done),
            Cell::Count(totals.read),
            Cell::Count(totals.written),
            Cell::Count(totals.unchanged),
            Cell::Count(totals.filtered),
            Cell::Count(totals.rejected + totals.refused),
            Cell::Count(totals.withheld),
            Cell::Count(totals.in_doubt),
            match broken {
                0 => Cell::State(Tone::Good, "hold".into()),
                runs => Cell::State(Tone::Bad, format!("broken in {runs} runs").into()),
            },
            match (sums, differ) {
                (0, _) => Cell::State(Tone::Quiet, "none declared".into()),
                (_, 0) => Cell::State(Tone::Good, "agree".into()),
                (_, differ) => Cell::State(Tone::Bad, format!("{differ} differ").into()),
            },
        ]);
    }
    Section::new("integrity", "11. Processing integrity").table(table).text(
        "The count laws: read = mapped + filtered + rejected + withheld, and produced = superseded + written + unchanged + unmatched + deleted + refused + in doubt.",
    )
}

fn is_bad(told: &Told) -> bool {
    matches!(told.outcome.as_str(), "failure" | "denied")
}

/// 12: what went wrong, and controls that did.
pub(super) fn incidents(subject: &Subject<'_>) -> Section {
    let columns = ["event", "time", "level", "what", "outcome", "of", "who", "reason", "risk"];
    let mut table = Table::new("events", &columns, "Nothing went wrong.");
    let kept = subject.facts.log.iter().flat_map(|log| &log.kept);
    let partial = |told: &Told| told.action == "run.finished" && told.outcome == "partial";
    let grave = |told: &&Told| is_bad(told) || partial(told) || matches!(told.level.as_str(), "error" | "critical");
    for told in kept.filter(grave) {
        let tone = match told.level.as_str() {
            "critical" | "error" => Tone::Bad,
            _ => Tone::Warn,
        };
        table.push(vec![
            Cell::Count(told.seq),
            Cell::Moment(told.time),
            Cell::State(tone, told.level.clone().into()),
            Cell::Code(told.action.clone()),
            Cell::from(told.outcome.as_str()),
            Cell::from(told.resource.clone().or_else(|| told.route.clone())),
            Cell::from(who(told)),
            Cell::from(told.reason.clone()),
            Cell::Number(told.risk, ""),
        ]);
    }
    cut(&mut table);
    let not_kept = subject.facts.log.as_ref().map_or(0, |log| log.not_kept);
    let section = Section::new("incidents", "12. Incidents and failures of controls").table(table);
    match not_kept {
        0 => section,
        _ => section.facts("facts", vec![fact("events_not_listed", not_kept)]),
    }
}
