//! The static flow check: every class that reaches a target without clearance, with its way
//! there, the control it breaks and what to do.

use super::controls;
use super::protect::ways::{self, Asked};
use crate::config::{Compliance, Connector, Mapping, Violation};
use crate::error::codes::comply as codes;
use crate::error::{Finding, Findings, Severity};
use crate::expr::Effect;
use crate::map::{Leaf, Route};
use crate::record::{ClassId, ClassSet};

/// Checks a compiled mapping against what its target connector may receive.
///
/// It judges only where something was said: the connector has a `clearance`, or it or the
/// project is held to a standard. Card authentication data is an error everywhere.
pub fn flow(mapping: &Mapping, route: &Route, target: &Connector, compliance: &Compliance) -> Findings {
    let judge = Judge { mapping, target, compliance };
    let mut findings = Findings::new();
    for leaf in &route.leaves {
        for class in leaf.flow.classes.iter() {
            findings.extend(judge.written(leaf, class));
        }
        for class in leaf.flow.control.without(leaf.flow.classes).iter() {
            findings.extend(judge.decides(class, Some(leaf)));
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
    fn written(&self, leaf: &Leaf, class: ClassId) -> Option<Finding> {
        let rule = &leaf.rule;
        let place = rule.source.as_ref().map_or(&rule.target.place, |source| &source.place).clone();
        let name = class.class().name;
        let way = self.way(leaf, class);
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
        .fix(format!("{}, or {}", protect(class), self.clear(class)))
        .edit(
            protection(class)
                .filter(|_| matches!(rule.make, crate::config::Make::Value) && rule.source.is_some())
                .and_then(|call| crate::map::add_key(rule, &format!("transform: {call}"))),
        );
        finding.severity = self.severity();
        Some(finding)
    }

    /// A class that decides what is written: by the gate, or by a condition of one rule.
    fn decides(&self, class: ClassId, leaf: Option<&Leaf>) -> Option<Finding> {
        let grave = is_grave(class);
        if !is_authentication(class) && self.is_cleared(class) {
            return None;
        }
        let name = class.class().name;
        let (place, what) = match leaf {
            Some(leaf) => {
                let rule = &leaf.rule;
                let place = rule.transform().map_or(&rule.target.place, |transform| &transform.place).clone();
                (place, format!("decides about the value of `{}`: {}", leaf.target, self.way(leaf, class)))
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
    fn way(&self, leaf: &Leaf, class: ClassId) -> String {
        let rule = &leaf.rule;
        let source = leaf.source.as_ref().or(rule.source.as_ref().map(|path| &path.value));
        let mut steps: Vec<String> = source.iter().map(|source| format!("`{source}`")).collect();
        for passage in &leaf.flow.passages {
            let step = format!("`{}`", passage.through);
            // `value` is the source, which stands there already.
            if passage.effect == Effect::Reads && passage.through == "value" && rule.source.is_some() {
                continue;
            }
            let carries = passage.before.contains(class) || passage.after.contains(class);
            if carries && steps.last() != Some(&step) {
                steps.push(step);
            }
        }
        steps.push(format!("`{}.{}`.`{}`", self.mapping.to.connector, self.mapping.to.stream, leaf.target));
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
    match protection(class) {
        Some(call) => format!("protect it, for instance with `{call}`"),
        None => "protect it in the transform, or leave the field out".into(),
    }
}

/// The transform that protects a value of this class and still lets people recognise it.
fn protection(class: ClassId) -> Option<String> {
    let asked = Asked { class, key: None, context: None };
    ["mask", "generalise"].iter().filter_map(|name| ways::named(name)).find_map(|way| way.expression(&asked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Node, Spanned};
    use crate::error::Place;
    use crate::map::TargetShape;
    use crate::map::tests::{csv, mapping, route, said};

    fn classes(names: &[&str]) -> ClassSet {
        names.iter().map(|name| ClassId::named(name).unwrap()).collect()
    }

    fn connector(clearance: Option<&[&str]>, standards: &[&str]) -> Connector {
        let place = Place { file: "connectors.yaml".into(), line: 1, column: 1, width: 1, source: String::new() };
        let with: Vec<(Spanned<String>, Spanned<Node>)> = Vec::new();
        Connector {
            name: "warehouse".into(),
            place: place.clone(),
            uses: Spanned { value: "sqlite".into(), place },
            auth: with.clone(),
            with,
            streams: Default::default(),
            tenant: None,
            region: None,
            standards: standards.iter().map(ToString::to_string).collect(),
            agreements: Vec::new(),
            custody: Default::default(),
            clearance: clearance.map(classes),
            spec: None,
            state: None,
            retry_tries: 1,
            rate: None,
        }
    }

    /// What is found when `source` (with `class`) is written as it is.
    fn check(rule: &str, target: &Connector, standards: &[&str], on_violation: Violation) -> String {
        let yaml = format!("version: 1\nname: m\nfrom: shop.people\nto: warehouse.people\n{rule}\n");
        let mapping = mapping(&yaml);
        let declared = "id: int!, mail: string pii.email, card: string pci.pan, code: string cvv, token: string pci.token, illness: string phi.diagnosis";
        let route = route(&mapping, &csv(declared), &TargetShape::default());
        let compliance = Compliance {
            standards: standards.iter().map(ToString::to_string).collect(),
            on_violation,
            ..Compliance::default()
        };
        let found = flow(&mapping, &route, target, &compliance);
        let grave = |f: &Finding| if f.severity == Severity::Error { "error " } else { "warning " };
        found.iter().map(|f| format!("{}{}", grave(f), said(std::slice::from_ref(f)))).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn clearance_decides() {
        let copy = |field: &str| format!("fields: [{{ target: out, source: {field} }}]");
        let (block, warn) = (Violation::Block, Violation::Warn);
        // Nothing was said: nothing is judged.
        assert_eq!(check(&copy("mail"), &connector(None, &[]), &[], block), "");
        assert_eq!(check(&copy("mail"), &connector(Some(&["pii.contact"]), &[]), &["gdpr"], block), "");
        let blocked = "error 5:33 comply-flow: `pii.contact.email` reaches `warehouse`, which is not cleared for it: \
            `mail` → `warehouse.people`.`out` (control GDPR Art. 32(1)(a)) -- protect it, for instance with \
            `mask_email(value)`, or if `warehouse` may hold it, add pii.contact.email to its `clearance`";
        assert_eq!(check(&copy("mail"), &connector(Some(&["pii.name"]), &[]), &[], block), blocked);
        assert_eq!(check(&copy("mail"), &connector(None, &[]), &["gdpr"], block), blocked);
        assert_eq!(
            check(&copy("mail"), &connector(None, &["gdpr"]), &[], warn),
            blocked.replacen("error", "warning", 1)
        );
        // The standard knows nothing of e-mail addresses.
        assert_eq!(check(&copy("mail"), &connector(None, &["pci_dss"]), &[], block), "");
        // A token is no card number.
        assert_eq!(check(&copy("token"), &connector(Some(&[]), &[]), &["pci_dss"], block), "");
        assert_eq!(check(&copy("id"), &connector(Some(&[]), &[]), &["pci_dss"], block), "");
        assert!(check(&copy("card"), &connector(None, &["pci_dss"]), &[], block).contains("PCI DSS 3.5.1"));
    }

    #[test]
    fn authentication_data_is_cleared_nowhere() {
        let rule = "fields: [{ target: out, source: code }]";
        for target in [connector(None, &[]), connector(Some(&["pci", "pci.sad"]), &[])] {
            let found = check(rule, &target, &[], Violation::Warn);
            assert!(found.starts_with("error 5:33 comply-prohibited") && found.contains("3.3.1"), "{found}");
        }
    }

    #[test]
    fn a_protecting_function_changes_the_class() {
        let rule = "fields: [{ target: out, source: mail, transform: mask_email(value) }]";
        assert_eq!(check(rule, &connector(Some(&[]), &[]), &["gdpr"], Violation::Block), "");
        let rule = "fields: [{ target: out, source: mail, transform: '\"<\" + value + \">\"' }]";
        assert!(check(rule, &connector(Some(&[]), &[]), &["gdpr"], Violation::Block).contains("comply-flow"));
    }

    #[test]
    fn what_decides_is_a_finding_of_its_own() {
        let target = connector(Some(&[]), &[]);
        let gate = |field: &str| format!("when: record.{field} == \"x\"\nfields: [{{ target: out, source: id }}]");
        let mail = check(&gate("mail"), &target, &[], Violation::Block);
        assert!(
            mail.starts_with("warning 5:7 comply-control-flow: `pii.contact.email` decides which records"),
            "{mail}"
        );
        let illness = check(&gate("illness"), &target, &[], Violation::Block);
        assert!(illness.starts_with("error 5:7 comply-control-flow"), "{illness}");
        let inner = "fields: [{ target: out, source: id, transform: 'record.mail == \"x\" ? 1 : 2' }]";
        let inner = check(inner, &target, &[], Violation::Block);
        assert!(inner.starts_with("warning") && inner.contains("decides about the value of `out`"), "{inner}");
    }
}
