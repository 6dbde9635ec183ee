//! One route as the judges see it: its two ends, what is declared of it, and which classes arrive.

use jiff::civil::Date;

use super::law::{Broken, Law};
use crate::comply::protect::Policy;
use crate::config::{Connector, Mapping, Project, Violation};
use crate::error::{Breach, Code, Finding, Place, Severity};
use crate::expr::Effect;
use crate::map::{How, Leaf, Protects as _, Route};
use crate::record::{ClassId, ClassSet};

/// A route that is judged.
pub(super) struct Scene<'a> {
    pub(super) project: &'a Project,
    pub(super) mapping: &'a Mapping,
    pub(super) route: &'a Route,
    pub(super) source: &'a Connector,
    pub(super) target: &'a Connector,
    pub(super) today: Date,
    pub(super) law: Law,
    /// What arrives in each leaf, after what the run does about classes.
    pub(super) arrives: Vec<ClassSet>,
    /// All of it.
    pub(super) arriving: ClassSet,
    /// What any leaf is made of, before every protection.
    pub(super) read: ClassSet,
}

/// How much a finding weighs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    /// Data goes where it must not: what the project says a violation does.
    Breach,
    /// Something is not declared, or could be better.
    Gap,
}

/// What a finding is made of, but for its place and its sentence.
pub(super) struct Charge {
    pub(super) code: &'static Code,
    /// The primitive: `P17`.
    pub(super) check: &'static str,
    pub(super) broken: Broken,
    pub(super) weight: Weight,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        (project, mapping, route): (&'a Project, &'a Mapping, &'a Route),
        (source, target): (&'a Connector, &'a Connector),
        today: Date,
    ) -> Self {
        let named = project.compliance.standards.iter().chain(&target.standards).chain(&source.standards);
        let mut scene = Self {
            project,
            mapping,
            route,
            source,
            target,
            today,
            law: Law::of(named),
            arrives: Vec::with_capacity(route.leaves.len()),
            arriving: ClassSet::NONE,
            read: ClassSet::NONE,
        };
        for leaf in &route.leaves {
            let left: ClassSet = leaf.flow.classes.iter().filter(|class| !scene.is_protected(*class)).collect();
            // What may stay of a card number is none.
            let pan = ClassId::named("pci.pan").filter(|pan| left.contains(*pan) && super::cards::is_cut_enough(leaf));
            let left = pan.map_or(left, |pan| left.without(ClassSet::one(pan)));
            // A class that is none of anybody's business.
            let left: ClassSet = left.iter().filter(|class| class.class().sensitivity > 0).collect();
            scene.arriving = scene.arriving.union(left);
            scene.read = scene.read.union(leaf.flow.source).union(left);
            for passage in &leaf.flow.passages {
                scene.read = scene.read.union(passage.before);
            }
            scene.arrives.push(left);
        }
        scene
    }

    /// The leaves, each with what arrives in it.
    pub(super) fn leaves(&self) -> impl Iterator<Item = (&'a Leaf, ClassSet)> {
        self.route.leaves.iter().zip(self.arrives.iter().copied())
    }

    /// Whether the run does something about a class that keeps it from arriving in clear: what the mapping
    /// says holds always, what the project says where the target is not cleared for the class.
    fn is_protected(&self, class: ClassId) -> bool {
        let (processing, rules) = (&self.mapping.compliance, &self.project.compliance.rules);
        let policy = Policy { processing, rules, target: self.target };
        policy.remedy(class).is_some_and(|remedy| !matches!(remedy.how, How::Unfit { .. }))
    }

    /// Whether the target may have a class in clear; where nothing was said, it may.
    pub(super) fn is_cleared(&self, class: ClassId) -> bool {
        if class.class().sensitivity == 0 {
            return true;
        }
        match self.target.clearance {
            Some(cleared) => ClassSet::one(class).beyond(cleared).is_empty(),
            None => !self.law.covers(class),
        }
    }

    /// Whether others than the organisation itself see what is written: as it is said, else whether the
    /// target is a service of a vendor.
    pub(super) fn is_external(&self) -> bool {
        match self.target.custody.kind {
            Some(kind) => kind.external(),
            None => self.target.spec.is_some_and(|spec| spec.plugin.is_some()),
        }
    }

    /// Where a class comes into a leaf: its source, or the expression that reads it.
    pub(super) fn place(&self, leaf: &'a Leaf, class: ClassId) -> &'a Place {
        let rule = &leaf.rule;
        match (&rule.source, rule.transform()) {
            (Some(source), None) => &source.place,
            (Some(source), _) if leaf.flow.source.contains(class) => &source.place,
            (_, Some(transform)) => &transform.place,
            _ => &rule.target.place,
        }
    }

    /// The way of a class through a leaf: `supplier.email`, `mask_email`, `warehouse.stock.contact`.
    pub(super) fn way(&self, leaf: &Leaf, class: ClassId) -> Vec<String> {
        let rule = &leaf.rule;
        let source = leaf.source.as_ref().or(rule.source.as_ref().map(|path| &path.value));
        let own = leaf.flow.source.contains(class) || leaf.flow.passages.is_empty();
        let mut steps: Vec<String> = source.filter(|_| own).map(ToString::to_string).into_iter().collect();
        for passage in &leaf.flow.passages {
            // `value` is the source, which stands there already.
            if passage.effect == Effect::Reads && passage.through == "value" && rule.source.is_some() {
                continue;
            }
            let carries = passage.before.contains(class) || passage.after.contains(class);
            // What is read twice stands there once.
            let known = passage.effect == Effect::Reads && steps.contains(&passage.through);
            if carries && !known && steps.last() != Some(&passage.through) {
                steps.push(passage.through.clone());
            }
        }
        let to = &self.mapping.to;
        steps.push(format!("{}.{}.{}", to.connector, to.stream, leaf.target));
        steps
    }

    /// The leaf through which one of these classes arrives first, with the class.
    pub(super) fn first(&self, classes: ClassSet) -> Option<(&'a Leaf, ClassId)> {
        self.leaves().find_map(|(leaf, arrives)| Some((leaf, arrives.both(classes).iter().next()?)))
    }

    /// A finding about one class in one leaf.
    pub(super) fn of_leaf(&self, charge: Charge, leaf: &'a Leaf, class: ClassId, cause: &str) -> Finding {
        let way = self.way(leaf, class);
        let shown = drawn(&way);
        let place = self.place(leaf, class).clone();
        let mut finding = self.finding(charge, place, &format!("{cause}: {shown}"));
        if let Some(breach) = &mut finding.breach {
            breach.classes = vec![class.class().name.to_string()];
            breach.way = way;
            breach.object = format!("{}.{}", self.mapping.name.value, leaf.target);
        }
        finding
    }

    /// A finding about the route as a whole, because these classes arrive: it shows the way of the first.
    pub(super) fn of_route(&self, charge: Charge, place: &Place, classes: ClassSet, cause: &str) -> Finding {
        let first = self.first(classes);
        let shown = first.map_or_else(String::new, |(leaf, class)| format!(": {}", drawn(&self.way(leaf, class))));
        let others = self.leaves().filter(|(_, arrives)| !arrives.both(classes).is_empty()).count().saturating_sub(1);
        let more = match others {
            0 => String::new(),
            1 => ", and 1 field more".into(),
            many => format!(", and {many} fields more"),
        };
        let mut finding = self.finding(charge, place.clone(), &format!("{cause}{shown}{more}"));
        if let Some(breach) = &mut finding.breach {
            breach.classes = classes.iter().map(|id| id.class().name.to_string()).collect();
            breach.way = first.map(|(leaf, class)| self.way(leaf, class)).unwrap_or_default();
        }
        finding
    }

    /// A finding with what it breaks.
    pub(super) fn finding(&self, charge: Charge, place: Place, cause: &str) -> Finding {
        let Charge { code, check, broken, weight } = charge;
        let controls = match broken.controls.as_slice() {
            [] => format!(" ({check})"),
            some => format!(" ({check}: {})", some.join(", ")),
        };
        let mut finding = Finding::error(code, place, format!("{cause}{controls}"));
        finding.severity = match (weight, self.project.compliance.on_violation) {
            (Weight::Breach, Violation::Block) => Severity::Error,
            _ => Severity::Warning,
        };
        finding.breach = Some(Box::new(Breach {
            check,
            controls: broken.controls,
            object: self.mapping.name.value.clone(),
            target: self.target.name.clone(),
            ..Breach::default()
        }));
        finding
    }

    /// What every sentence about a class begins with: "`pii.name`", "`pii.name` and 2 more".
    pub(super) fn named(classes: ClassSet) -> String {
        let names: Vec<&str> = classes.iter().map(|id| id.class().name).collect();
        match names.as_slice() {
            [] => String::new(),
            [one] => format!("`{one}`"),
            [one, other] => format!("`{one}` and `{other}`"),
            [one, other, rest @ ..] => format!("`{one}`, `{other}` and {} more", rest.len()),
        }
    }
}

/// A way as it is shown: `a` → `b` → `c`.
pub(super) fn drawn(way: &[String]) -> String {
    way.iter().map(|step| format!("`{step}`")).collect::<Vec<_>>().join(" → ")
}
