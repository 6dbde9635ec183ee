//! P32: nobody has changed the log, and nobody else can write it.

use super::reading::log;
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static LOG_INTEGRITY: Primitive = Primitive {
    id: "P32",
    name: "log_integrity",
    about: "The chain, its tree and its last checkpoint verify, and the file cannot be written by others.",
    moments: &[Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, _: &Parameters, notes: &mut Notes) {
    let Some(log) = log(subject, notes) else { return };
    match &log.verified {
        Some(Ok(())) => {
            notes.pass("audit log", format!("all of {} events verify", log.events));
        }
        Some(Err(what)) => {
            notes.fail("audit log", what.clone()).fix("see `consign audit verify`; keep a copy of the state as it is");
        }
        None => {
            notes.untested("audit log", "it was not verified").fix("`consign audit check` without `--no-verify`");
        }
    }
    if let Some(mode) = log.mode {
        let closed = mode & 0o027 == 0;
        notes
            .judge(closed, "state folder", format!("its file has mode {:04o}", mode & 0o7777))
            .fix("chmod 0600: others must neither write nor read it");
    }
}
