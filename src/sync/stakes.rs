//! What is at stake on a route: the classes that travel on it, how much of them arrives unprotected and how
//! exposed the target is. Every event of a run carries it, and its risk is computed from it.

use crate::audit::risk::{self, Inputs};
use crate::config::Connector;
use crate::record::ClassSet;

use super::plan::Plan;

/// The classes on a route by name, and what they put at stake.
pub(super) fn of(plan: &Plan) -> (Vec<&'static str>, Inputs) {
    let all = |set: fn(&crate::map::Flow) -> ClassSet| {
        plan.route.flows.iter().fold(ClassSet::NONE, |classes, flow| classes.union(set(flow)))
    };
    let (read, written) = (all(|flow| flow.source), all(|flow| flow.classes));
    let classes = read.union(written);
    let inputs = Inputs {
        sensitivity: risk::sensitivity(classes.sensitivity()),
        unprotected: unprotected(read, written),
        exposure: exposure(&plan.to.connector),
        ..Inputs::default()
    };
    (classes.iter().map(|id| id.class().name).collect(), inputs)
}

/// .4 where nothing sensitive arrives in clear, .7 where some of it does, 1 where all of it does.
fn unprotected(read: ClassSet, written: ClassSet) -> f64 {
    let sensitive = |set: ClassSet| set.iter().filter(|id| id.class().sensitivity > 0).count();
    match (sensitive(read), sensitive(written)) {
        (0, 0) => 1.0,
        (_, 0) => 0.4,
        (read, written) if written < read => 0.7,
        _ => 1.0,
    }
}

/// How exposed what is written there is: a file and a database here are as exposed as what it comes from; somebody
/// else's system is more so, and most where no agreement is named.
fn exposure(target: &Connector) -> f64 {
    let third_party = target.spec.is_some_and(|spec| spec.plugin.is_some() || spec.name == "sftp");
    match (third_party, target.agreements.is_empty()) {
        (false, _) => 0.0,
        (true, false) => 0.5,
        (true, true) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ClassId;

    #[test]
    fn protection_counts_by_what_arrives_in_clear() {
        let set = |names: &[&str]| names.iter().filter_map(|name| ClassId::named(name)).collect::<ClassSet>();
        assert_eq!(unprotected(set(&[]), set(&[])), 1.0);
        assert_eq!(unprotected(set(&["pii.contact.email"]), set(&[])), 0.4);
        assert_eq!(unprotected(set(&["pii.contact.email", "pii.name"]), set(&["pii.name"])), 0.7);
        assert_eq!(unprotected(set(&["pii.name"]), set(&["pii.name"])), 1.0);
    }
}
