//! P43: every record is accounted for, and sums agree.

use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static CONTROL_TOTALS: Primitive = Primitive {
    id: "P43",
    name: "control_totals",
    about: "Of each run what was read equals what was written, filtered, rejected and held back, in records and in declared sums.",
    moments: &[Moment::Inline, Moment::Periodic],
    run,
};

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    let Some(runs) = &subject.facts.runs else {
        notes.untested("runs", "no runs are at hand");
        return;
    };
    let concerned = asked.classes();
    let routes: Vec<&str> = subject.carrying(concerned).map(|way| way.name()).collect();
    let of = runs
        .iter()
        .filter(|run| run.ended.is_some() && (asked.classes.is_empty() || routes.contains(&run.route.as_str())));
    let (mut looked, mut bad) = (0_u64, 0_u64);
    for run in of {
        let counts = !asked.wants("sums");
        let sums = !asked.wants("counts");
        if asked.wants("sums") && run.sums.is_empty() {
            continue;
        }
        looked += 1;
        let mut faults = Vec::new();
        if counts && let Err(law) = run.totals.check() {
            faults.push(format!("does not hold: {law}"));
        }
        if counts && run.totals.in_doubt > 0 {
            faults.push(format!("the fate of {} records is not known", run.totals.in_doubt));
        }
        if sums {
            faults.extend(
                run.sums.iter().filter(|sum| !sum.agrees).map(|sum| format!("the sums of `{}` differ", sum.field)),
            );
        }
        for fault in faults {
            bad += 1;
            if bad <= 20 {
                notes
                    .fail(format!("run {}", run.id), fault)
                    .fix(format!("see `consign sync show {}`, and compare source and target", run.id));
            }
        }
    }
    if looked == 0 {
        notes.untested("runs", if asked.wants("sums") { "no run kept sums" } else { "no run has ended" }).fix(
            if asked.wants("sums") { "say `compliance: { totals: [FIELD] }` in the mapping" } else { "run the routes" },
        );
    } else if bad == 0 {
        notes.pass("runs", format!("every record of {looked} runs is accounted for"));
    }
}
