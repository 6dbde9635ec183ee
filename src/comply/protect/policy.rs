//! What a project and a mapping say is done to classes of data, as the compiler of mappings asks for it.

use super::ways::{self, Asked, Way};
use crate::config::{Action, Connector, Processing, Protect, Rules};
use crate::map::{How, Protects, Remedy};
use crate::record::{ClassId, ClassSet};

/// The policy of one route.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'p> {
    /// What the mapping says: it holds whatever the target may receive.
    pub processing: &'p Processing,
    /// What the project says: it holds where the target is not cleared for the class.
    pub rules: &'p Rules,
    /// The target.
    pub target: &'p Connector,
}

impl Protects for Policy<'_> {
    fn remedy(&self, class: ClassId) -> Option<Remedy> {
        if class.class().sensitivity == 0 {
            return None;
        }
        let nothing = Rules::default();
        let own = self.processing.protection(class, &nothing);
        let said = own.or_else(|| {
            let cleared = self.target.clearance.is_some_and(|cleared| ClassSet::one(class).beyond(cleared).is_empty());
            self.processing.protection(class, self.rules).filter(|_| !cleared)
        })?;
        let how = match said.action {
            Action::Allow => return None,
            Action::Drop => How::Drop,
            Action::Park => How::Park,
            Action::Block => How::Block,
            action => expression(said, class, way(action)),
        };
        let strength = Action::NAMES.iter().position(|(_, action)| *action == said.action).unwrap_or(0) as u8;
        Some(Remedy { action: said.action.word(), place: said.place.clone(), how, strength })
    }
}

/// The way that an action goes.
fn way(action: Action) -> Option<&'static Way> {
    ways::named(match action {
        Action::Mask => "mask",
        Action::Truncate => "truncate",
        Action::Tokenize => "tokenise",
        Action::Fpe => "format",
        Action::Encrypt => "encrypt",
        Action::EncryptSiv => "encrypt_joinable",
        Action::Pseudonymize => "pseudonymise",
        Action::RandomToken => "random_token",
        Action::Generalize => "generalise",
        Action::Allow | Action::Drop | Action::Park | Action::Block => return None,
    })
}

fn expression(said: &Protect, class: ClassId, way: Option<&'static Way>) -> How {
    let (word, name) = (said.action.word(), class.class().name);
    let key = said.key.as_ref().map(|key| key.value.as_str());
    match way {
        Some(way) if way.purpose.is_some() && key.is_none() => How::Unfit {
            cause: format!("`{word}` needs a key"),
            fix: format!("say which: {{ action: {word}, key: NAME }}"),
        },
        Some(way) => match way.expression(&Asked { class, key, context: None }) {
            Some(text) => How::Expression { text, joinable: way.joinable },
            None => How::Unfit {
                cause: format!("`{word}` has no form for `{name}`"),
                fix: "choose `drop`, `park`, or an action with a key, or say what is done in the transform".into(),
            },
        },
        None => How::Unfit { cause: format!("`{word}` is no way of protecting"), fix: "choose another action".into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comply::protect::{Declared, Ring};
    use crate::config::{Node, Spanned};
    use crate::error::{Place, Severity};
    use crate::expr::Keys;
    use crate::map::tests::{csv, mapping, said};
    use crate::map::{Route, TargetShape, compile_with};
    use crate::record::{Arena, Purpose, Row, Value, shown};
    use std::sync::Arc;

    const DECLARED: &str = "id: string!, mail: string pii.email, card: string pci.pan, born: date pii.birth_date, \
        code: string cvv, faith: string special.religion, both: string";

    fn target(clearance: &[&str]) -> Connector {
        let place = Place { file: "connectors.yaml".into(), line: 1, column: 1, width: 1, source: String::new() };
        let with: Vec<(Spanned<String>, Spanned<Node>)> = Vec::new();
        Connector {
            auth: with.clone(),
            with,
            clearance: Some(clearance.iter().filter_map(|name| ClassId::named(name)).collect()),
            retry_tries: 1,
            ..Connector::new("warehouse", "sqlite", place)
        }
    }

    /// Compiles rules under `protect` of the mapping (`own`) and of the project (`all`).
    fn compiled(own: &str, all: &str, clearance: &[&str], fields: &str) -> (Option<Route>, String) {
        let text = |protect: &str| {
            mapping(&format!(
                "version: 1\nname: m\nfrom: shop.people\nto: warehouse.people\nsync: {{ mode: upsert, key: [id] }}\n\
                 compliance: {{ protect: {{ {protect} }} }}\nfields:\n{fields}"
            ))
        };
        let (written, project) = (text(own), text(all));
        let rules = Rules { protect: project.compliance.protect, ..Rules::default() };
        let target = target(clearance);
        let policy = Policy { processing: &written.compliance, rules: &rules, target: &target };
        let declared = |purpose: &Purpose| Declared {
            name: purpose.word().into(),
            purpose: *purpose,
            classes: ClassSet::NONE,
            decrypt: Vec::new(),
        };
        let keys = Keys::of(Arc::new(Ring::rehearsal(Purpose::ALL.iter().map(declared))));
        let (route, findings) = compile_with(&written, &csv(DECLARED), &TargetShape::default(), &keys, &policy);
        let errors: Vec<_> = findings.into_iter().filter(|one| one.severity == Severity::Error).collect();
        (route, said(&errors))
    }

    /// What one record becomes: the values of its columns.
    fn applied(route: &Route) -> String {
        let arena = Arena::new();
        let slots: Vec<Value<'_>> = route
            .projection
            .paths
            .iter()
            .map(|path| {
                Value::String(match path.to_string().as_str() {
                    "id" => "i1",
                    "mail" => "jane@shop.example",
                    "card" => "4539148803436467",
                    "born" => "1980-05-17",
                    _ => "x",
                })
            })
            .collect();
        let (mut out, row) = (Vec::new(), Row { slots: &slots, raw: b"", index: 0, line: 0 });
        let verdict = route.apply(&row, &arena, crate::map::EXAMPLE_NOW.into(), &mut out);
        let values: Vec<_> = out.iter().map(|v| if v.is_missing() { "-".into() } else { shown::text(v) }).collect();
        match verdict {
            crate::map::Verdict::Rejected(fault) => format!("{}: {}", fault.code.id, fault.cause),
            _ => values.join(" "),
        }
    }

    const ID: &str = "  - { target: id, source: id }\n";

    #[track_caller]
    fn check(own: &str, all: &str, clearance: &[&str], fields: &str, expected: &str) {
        let (route, errors) = compiled(own, all, clearance, &format!("{ID}{fields}"));
        let got = route.map_or(errors, |route| applied(&route));
        assert!(got.contains(expected), "{got}");
    }

    #[test]
    fn values_are_protected_as_it_is_said() {
        let copy = |field: &str| format!("  - {{ target: out, source: {field} }}\n");
        check("pii.email: mask", "", &[], &copy("mail"), "i1 j***@shop.example");
        check("pci.pan: mask", "", &[], &copy("card"), "i1 ************6467");
        check("pci.pan: truncate", "", &[], &copy("card"), "i1 6467");
        check("pci: drop", "", &[], &copy("card"), "i1 -");
        check("pci.pan: park", "", &[], &copy("card"), "comply-parked: it holds a value of `pci.pan`");
        check("pci.pan: { action: encrypt, key: encrypt }", "", &[], &copy("card"), "i1 cs1:x:");
        check("pci.pan: { action: encrypt_siv, key: join }", "", &[], &copy("card"), "i1 cs1:s:");
        // The nearest class around it says.
        check("pii: drop, pii.email: allow", "", &[], &copy("mail"), "i1 jane@shop.example");
        // A value that is protected already is left alone.
        check("pii.email: drop", "", &[], "  - { target: out, source: mail, transform: mask_email(value) }\n", "j***@");
        // What asks for text gets the text of other values.
        let (route, errors) =
            compiled("pii.birth_date: { action: tokenize, key: token }", "", &[], &format!("{ID}{}", copy("born")));
        assert!(route.is_some(), "{errors}");
    }

    #[test]
    fn the_project_speaks_where_the_target_is_not_cleared() {
        let copy = "  - { target: out, source: mail }\n";
        check("", "pii.email: mask", &[], copy, "j***@shop.example");
        check("", "pii.email: mask", &["pii.contact"], copy, "jane@shop.example");
        check("pii.email: drop", "pii.email: mask", &["pii.contact"], copy, "i1 -");
        check("pii.email: allow", "pii.email: mask", &[], copy, "jane@shop.example");
    }

    #[test]
    fn what_cannot_be_protected_is_said_and_never_falls_back() {
        let copy = |field: &str| format!("  - {{ target: out, source: {field} }}\n");
        let unfit = "comply-unprotected";
        check("special.religion: mask", "", &[], &copy("faith"), unfit);
        check("cvv: { action: encrypt, key: encrypt }", "", &[], &copy("code"), unfit);
        check("cvv: drop", "", &[], &copy("code"), "i1 -");
        check("pci.pan: block", "", &[], &copy("card"), "comply-blocked");
        check("pci.pan: drop", "", &[], "  - { target: out, source: card, required: true }\n", "must be there");
        let key = "  - { target: id, source: card, required: true }\n";
        let of = |own: &str| compiled(own, "", &[], key);
        assert!(of("pci.pan: mask").1.contains("a part of the key"), "{}", of("pci.pan: mask").1);
        assert!(of("pci.pan: { action: tokenize, key: token }").0.is_some());
    }

    #[test]
    fn the_flow_of_classes_knows_it() {
        let (route, _) = compiled("pci.pan: mask", "", &[], &format!("{ID}  - {{ target: out, source: card }}\n"));
        let route = route.unwrap();
        let leaf = route.leaf("out").unwrap();
        assert!(leaf.flow.classes.is_empty() && !leaf.flow.source.is_empty());
        assert_eq!(leaf.protected[0].action, "mask");
        assert!(leaf.flow.passages.iter().any(|step| step.through == "mask_pan"), "{:?}", leaf.flow.passages);
    }
}
