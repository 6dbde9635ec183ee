//! Which controls a finding breaks: of the standards in force, as their files say it.
//!
//! Every control of every standard is taken apart once; what is asked for each finding is then a
//! walk over a few dozen entries and set operations. Where no standard is in force and nothing is found, their
//! files are not even read: that would be half of what starting up costs.

use std::sync::OnceLock;

use crate::comply::assess::Gravity;
use crate::comply::standards::{self, Standard, within};
use crate::record::{ClassId, ClassSet};

/// The standards in force for one route.
#[derive(Debug)]
pub(super) struct Law {
    standards: Vec<&'static Standard>,
    /// Whether a standard that consign does not know is in force: such a one covers every class.
    unknown: bool,
}

/// One check of one control.
struct Clause {
    standard: &'static Standard,
    check: &'static str,
    part: Option<&'static str>,
    classes: ClassSet,
    any_of: &'static [String],
    cited: Vec<String>,
    gravity: Gravity,
}

/// What a finding breaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Broken {
    /// Ids of controls, with the names of their standards.
    pub(super) controls: Vec<String>,
    /// Whether a standard in force asks for it; else the controls are named for orientation.
    pub(super) in_force: bool,
    /// How grave the worst of it is.
    pub(super) gravity: Gravity,
}

/// At most so many controls are named for orientation where no standard in force has any.
const NAMED: usize = 2;

fn clauses() -> &'static [Clause] {
    static CLAUSES: OnceLock<Vec<Clause>> = OnceLock::new();
    CLAUSES.get_or_init(|| {
        let mut made = Vec::new();
        for standard in standards::all() {
            for control in &standard.controls {
                for part in &control.checks {
                    made.push(Clause {
                        standard,
                        check: &part.check,
                        part: part.with.part.as_deref(),
                        classes: part.with.classes(),
                        any_of: &part.with.any_of,
                        cited: control.ids.iter().map(|id| standard.cite(id)).collect(),
                        gravity: control.severity,
                    });
                }
            }
        }
        made
    })
}

impl Law {
    /// Of the names of standards.
    pub(super) fn of<'s>(names: impl IntoIterator<Item = &'s String>) -> Self {
        let mut law = Self { standards: Vec::new(), unknown: false };
        for name in names {
            match standards::named(name) {
                Some(standard) if law.has(standard) => {}
                Some(standard) => law.standards.push(standard),
                None => law.unknown = true,
            }
        }
        law
    }

    /// Whether nobody asks for anything.
    pub(super) fn is_none(&self) -> bool {
        self.standards.is_empty() && !self.unknown
    }

    fn has(&self, standard: &Standard) -> bool {
        self.standards.iter().any(|known| std::ptr::eq(*known, standard))
    }

    /// Whether a standard of that name is in force.
    pub(super) fn holds(&self, name: &str) -> bool {
        self.standards.iter().any(|standard| standard.answers_to(name))
    }

    /// Whether a class falls under a standard in force.
    pub(super) fn covers(&self, class: ClassId) -> bool {
        self.unknown || self.standards.iter().any(|standard| standard.covers(class))
    }

    /// The control that a class in clear breaks: of the standards in force if one knows the class, else of
    /// the one that knows it most specifically.
    pub(super) fn in_clear(&self, class: ClassId) -> Broken {
        let of = |standard: &Standard, orients: bool| {
            let clear = standard.clear.iter().find(|clear| {
                let meant = class.class().regimes.iter().any(|regime| within(regime, &clear.regime));
                meant && !(orients && clear.in_force_only)
            })?;
            Some((clear.regime.split('.').count(), standard.cite(&clear.control)))
        };
        let controls: Vec<String> = self.standards.iter().filter_map(|one| of(one, false)).map(|(_, id)| id).collect();
        if !controls.is_empty() {
            return Broken { controls, in_force: true, gravity: Gravity::High };
        }
        let best =
            standards::all().iter().filter_map(|one| of(one, true)).min_by_key(|(depth, _)| std::cmp::Reverse(*depth));
        let controls = best.map(|(_, id)| id).into_iter().collect();
        Broken { controls, in_force: self.unknown, gravity: Gravity::High }
    }

    /// What it breaks if a check fails for one of these classes. Without a part, any part of the check.
    pub(super) fn broken(&self, check: &str, part: Option<&str>, classes: ClassSet) -> Broken {
        let meant = |clause: &&Clause| {
            clause.check == check
                && (part.is_none() || clause.part.is_none() || clause.part == part)
                && !clause.classes.both(classes).is_empty()
        };
        let mut broken = Broken::default();
        for clause in clauses().iter().filter(meant).filter(|clause| self.has(clause.standard)) {
            broken.in_force = true;
            broken.gravity = broken.gravity.max(clause.gravity);
            broken.controls.extend(clause.cited.iter().cloned());
        }
        if !broken.in_force {
            let named = clauses().iter().filter(meant).filter_map(|clause| clause.cited.first());
            broken.controls = named.take(NAMED).cloned().collect();
        }
        broken.controls.dedup();
        broken
    }

    /// The classes for which a standard in force asks for a check.
    pub(super) fn asked(&self, check: &str, part: Option<&str>) -> ClassSet {
        if self.standards.is_empty() {
            return ClassSet::NONE;
        }
        let meant = clauses().iter().filter(|clause| clause.check == check && (part.is_none() || clause.part == part));
        meant.filter(|clause| self.has(clause.standard)).fold(ClassSet::NONE, |set, clause| set.union(clause.classes))
    }

    /// Each agreement that standards in force ask for where these classes go to somebody else: what any
    /// of will do, for which classes, and the control.
    pub(super) fn agreements(&self, classes: ClassSet) -> Vec<(&'static [String], ClassSet, String)> {
        if self.standards.is_empty() {
            return Vec::new();
        }
        let meant = clauses().iter().filter(|clause| clause.check == "P08" && clause.part == Some("agreement"));
        meant
            .filter(|clause| self.has(clause.standard) && !clause.classes.both(classes).is_empty())
            .map(|clause| (clause.any_of, clause.classes.both(classes), clause.cited.join(", ")))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn law(names: &[&str]) -> Law {
        Law::of(&names.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn the_standard_in_force_names_the_control() {
        let class = |name| ClassId::named(name).unwrap();
        let check = |name, standards: &[&str], expected: &str| {
            assert_eq!(law(standards).in_clear(class(name)).controls.join("; "), expected, "{name} {standards:?}");
        };
        check("pci.pan", &["pci_dss"], "PCI DSS 3.5.1");
        check("pci.pan", &[], "PCI DSS 3.5.1");
        check("phi.diagnosis", &["hipaa"], "HIPAA 164.312(a)(2)(iv)");
        check("confidential", &["gdpr"], "");
        assert!(law(&["gdpr"]).in_clear(class("pii.email")).controls[0].starts_with("GDPR"));
        assert!(law(&["gdpr"]).covers(class("pii.email")) && !law(&["pci_dss"]).covers(class("pii.email")));
        assert!(law(&["pci"]).covers(class("secret.token")) && law(&["our_own"]).covers(class("pii.email")));
    }

    #[test]
    fn a_check_names_its_controls() {
        let class = |name| ClassSet::one(ClassId::named(name).unwrap());
        let law = law(&["gdpr", "pci_dss"]);
        let basis = law.broken("P11", Some("basis"), class("pii.email"));
        assert_eq!((basis.controls.join("; "), basis.in_force), ("GDPR Art. 6(1)".into(), true));
        assert!(law.broken("P07", None, class("pii.name")).controls.contains(&"GDPR Art. 44".to_string()));
        assert!(!law.broken("P08", Some("agreement"), class("pci.pan")).in_force);
        assert!(law.asked("P18", Some("keyed")).contains(ClassId::named("pci.pan").unwrap()));
    }
}
