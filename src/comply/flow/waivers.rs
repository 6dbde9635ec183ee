//! Findings that somebody answers for until a day: they stay visible, weigh nothing while the waiver
//! holds, and are findings again after it.

use jiff::civil::Date;

use crate::config::{Project, Waiver};
use crate::error::codes::comply as codes;
use crate::error::{Finding, Findings, Severity, Waived};

/// Lets waivers that hold take the weight off the findings they are about.
pub fn waive(project: &Project, today: Date, findings: &mut [Finding]) {
    for finding in findings {
        let Some(waiver) = project.compliance.rules.waivers.iter().find(|waiver| covers(waiver, finding)) else {
            continue;
        };
        let Some(breach) = &mut finding.breach else { continue };
        let expired = waiver.until < today;
        breach.waived = Some(Waived {
            owner: waiver.owner.clone(),
            reason: waiver.reason.clone(),
            until: waiver.until.to_string(),
            ticket: waiver.ticket.clone(),
            expired,
        });
        if !expired {
            finding.severity = Severity::Note;
        }
    }
}

/// What is to be said of the waivers themselves, once everything was judged: those that ended while their
/// finding is still there, and those that nothing needs.
pub fn judge_waivers(project: &Project, today: Date, findings: &[Finding]) -> Findings {
    let mut said = Findings::new();
    for waiver in &project.compliance.rules.waivers {
        let needed = findings.iter().any(|finding| covers(waiver, finding));
        let what = format!("of `{}` at `{}`", waiver.check, waiver.at);
        if waiver.until < today {
            let cause = format!("the waiver {what} ended on {}; {} answers for it", waiver.until, waiver.owner);
            let fix =
                if needed { "mend what it was about, or decide anew" } else { "remove it: nothing needs it any more" };
            said.push(Finding::warning(&codes::WAIVER_ENDED, waiver.place.clone(), cause).fix(fix));
        } else if !needed && (waiver.check.starts_with("comply-") || is_of_flow(&waiver.check)) {
            let cause = format!("nothing needs the waiver {what}");
            let fix = "remove it, or correct what it is about: a connector, a mapping, or `mapping.field`";
            said.push(Finding::note(&codes::WAIVER_UNUSED, waiver.place.clone(), cause).fix(fix));
        }
    }
    said
}

/// Whether a waiver is about a check that this one makes; others belong to `consign audit check`.
fn is_of_flow(check: &str) -> bool {
    codes::CHECKED.iter().any(|code| code.id == check)
}

/// Whether a waiver is about a finding.
fn covers(waiver: &Waiver, finding: &Finding) -> bool {
    let Some(breach) = &finding.breach else { return false };
    let mapping = breach.object.split_once('.').map_or(breach.object.as_str(), |(mapping, _)| mapping);
    let branch = mapping.split_once('@').map_or(mapping, |(family, _)| family);
    let rest = breach.object.strip_prefix(mapping).unwrap_or_default();
    let at = waiver.at.as_str();
    let object =
        at == breach.object || at == mapping || at == branch || at == breach.target || at == format!("{branch}{rest}");
    // `PCI DSS 3.5.1`, `3.5.1`, and for several in one the first.
    let control = |known: &String| {
        *known == waiver.check || known.strip_suffix(waiver.check.as_str()).is_some_and(|before| before.ends_with(' '))
    };
    let check = waiver.check == finding.code.id || waiver.check == breach.check || breach.controls.iter().any(control);
    object && check
}
