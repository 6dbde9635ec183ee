//! The static flow check: every class that reaches a target without clearance, with its way
//! there, the control it breaks and what to do.

use super::controls;
use crate::config::{Compliance, Connector, Mapping, Violation};
use crate::error::codes::comply as codes;
use crate::error::{Finding, Findings, Severity};
use crate::map::{Flow, Route};
use crate::record::{ClassId, ClassSet};

/// Checks a compiled mapping against what its target connector may receive.
///
/// It judges only where something was said: the connector has a `clearance`, or it or the
/// project is held to a standard. Card authentication data is an error everywhere.
pub fn flow(mapping: &Mapping, route: &Route, target: &Connector, compliance: &Compliance) -> Findings {
    let judge = Judge { mapping, target, compliance };
    let mut findings = Findings::new();
    for (index, flow) in route.flows.iter().enumerate() {
        for class in flow.classes.iter() {
            findings.extend(judge.written(index, flow, class));
        }
        for class in flow.control.without(flow.classes).iter() {
            findings.extend(judge.decides(class, Some((index, flow))));
        }
    }
    for class in route.gate_classes.iter() {
        findings.extend(judge.decides(class, None));
    }
    findings
}

struct Judge<'m> {
    mapping: &'m Mapping,
    target: &'m Connector,
    compliance: &'m Compliance,
}

impl Judge<'_> {
    fn standards(&self) -> impl Iterator<Item = &String> + Clone {
        self.compliance.standards.iter().chain(&self.target.standards)
    }

    /// Whether the target may have it; where nothing was said, it may.
    fn is_cleared(&self, class: ClassId) -> bool {
        let one = ClassSet::one(class);
        if class.class().sensitivity == 0 {
            return true;
        }
        match self.target.clearance {
            Some(cleared) => one.beyond(cleared).is_empty(),
            None => !controls::covered(class, self.standards()),
        }
    }

    fn severity(&self) -> Severity {
        match self.compliance.on_violation {
            Violation::Block => Severity::Error,
            Violation::Warn => Severity::Warning,
        }
    }

    /// A class that stands in what is written.
    fn written(&self, index: usize, flow: &Flow, class: ClassId) -> Option<Finding> {
        let rule = &self.mapping.fields[index];
        let place = rule.source.as_ref().map_or(&rule.target.place, |source| &source.place).clone();
        let name = class.class().name;
        let way = self.way(index, flow, class);
        if is_authentication(class) {
            return Some(
                Finding::error(
                    &codes::PROHIBITED,
                    place,
                    format!("`{name}` would be written: {way} (breaks PCI DSS 3.3.1)"),
                )
                .fix("leave the field out: such data is never stored after authorisation"),
            );
        }
        if self.is_cleared(class) {
            return None;
        }
        let mut finding = Finding::error(
            &codes::FLOW,
            place,
            format!(
                "`{name}` reaches `{}`, which is not cleared for it: {way}{}",
                self.target.name,
                self.breaks(class)
            ),
        )
        .fix(format!("{}, or {}", protect(class), self.clear(class)));
        finding.severity = self.severity();
        Some(finding)
    }

    /// A class that decides what is written: by the gate, or by a condition of one rule.
    fn decides(&self, class: ClassId, column: Option<(usize, &Flow)>) -> Option<Finding> {
        let grave = is_grave(class);
        if !is_authentication(class) && self.is_cleared(class) {
            return None;
        }
        let name = class.class().name;
        let (place, what) = match column {
            Some((index, flow)) => {
                let rule = &self.mapping.fields[index];
                let place = rule.transform.as_ref().map_or(&rule.target.place, |transform| &transform.place).clone();
                (place, format!("decides about the value of `{}`: {}", rule.target.value, self.way(index, flow, class)))
            }
            None => {
                (self.mapping.when.as_ref()?.place.clone(), "decides which records are written (`when`)".to_string())
            }
        };
        let mut finding = Finding::warning(
            &codes::CONTROL_FLOW,
            place,
            format!(
                "`{name}` {what}; `{}` is not cleared for it, and can tell something from what is there{}",
                self.target.name,
                self.breaks(class)
            ),
        )
        .fix(format!("base the condition on another field, or {}", self.clear(class)));
        if grave {
            finding.severity = self.severity();
        }
        Some(finding)
    }

    /// `supplier.email → mask_email → warehouse.stock.contact`.
    fn way(&self, index: usize, flow: &Flow, class: ClassId) -> String {
        let rule = &self.mapping.fields[index];
        let mut steps: Vec<String> = rule.source.iter().map(|source| format!("`{}`", source.value)).collect();
        for passage in &flow.passages {
            let step = format!("`{}`", passage.through);
            let carries = passage.before.contains(class) || passage.after.contains(class);
            if carries && steps.last() != Some(&step) {
                steps.push(step);
            }
        }
        steps.push(format!("`{}.{}`.`{}`", self.mapping.to.connector, self.mapping.to.stream, rule.target.value));
        steps.join(" → ")
    }

    fn breaks(&self, class: ClassId) -> String {
        let standards: Vec<&String> = self.standards().collect();
        controls::control(class, standards.iter().copied())
            .map_or(String::new(), |control| format!(" (control {control})"))
    }

    fn clear(&self, class: ClassId) -> String {
        let name = class.class().name;
        format!("if `{}` may hold it, add {name} to its `clearance`", self.target.name)
    }
}

/// Card authentication data: never stored, whoever is cleared for what.
fn is_authentication(class: ClassId) -> bool {
    ClassId::named("pci.sad").is_some_and(|sad| class.is_within(sad))
}

/// Classes for which it is grave already that they decide something.
fn is_grave(class: ClassId) -> bool {
    ["phi", "special", "pci.sad"].iter().filter_map(|name| ClassId::named(name)).any(|around| class.is_within(around))
}

fn protect(class: ClassId) -> String {
    match class.class().name {
        "pii.contact.email" => "protect it, for instance with `mask_email(value)`".into(),
        _ => "protect it in the transform, or leave the field out".into(),
    }
}
