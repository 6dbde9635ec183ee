//! P50: that records can be restored was tried.

use super::reading::{days, log};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::comply::facts::DAY_NS;

pub(super) static RESTORE: Primitive = Primitive {
    id: "P50",
    name: "restore",
    about: "A backup was made and a restore tried not long ago.",
    moments: &[Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let Some(log) = log(subject, notes) else { return };
    let most = i64::from(asked.days.unwrap_or(366)) * DAY_NS;
    let tried = log.last("state.restored").max(log.last("custom.restore_tested"));
    let note = match tried.map(|ns| subject.now_ns - ns) {
        Some(since) if since <= most => notes.pass("state", format!("a restore was tried {} ago", days(since))),
        Some(since) => notes.fail("state", format!("a restore was last tried {} ago", days(since))),
        None => notes.fail("state", "nobody ever tried to restore it"),
    };
    note.fix("`consign sync state backup`, restore the copy elsewhere, and say so: `consign audit add --action restore_tested`");
}
