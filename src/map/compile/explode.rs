//! The list that records are taken apart by, and the names for its elements.

use super::block::split;
use super::{Compiler, codes};
use crate::config::Mapping;
use crate::error::Finding;
use crate::expr::{Bind, Binding};
use crate::map::explode::{Explode, list_of};
use crate::record::path::Step;
use crate::record::{Path, Type};

impl Compiler<'_> {
    /// Looks the list up; its elements are known as `item`, by their number as `index`, and by the name
    /// that the mapping gives them.
    pub(super) fn explode(&mut self, mapping: &Mapping) -> Option<Explode> {
        let written = mapping.explode.as_ref()?;
        let path = list_of(&written.list.value);
        let depth = path.0.iter().filter(|step| **step == Step::Each).count();
        let mut found = match self.source.type_at(&path) {
            Ok(kind) => kind,
            Err((key, known)) => {
                let cause = format!("`{}` has no field `{key}`", self.source.name);
                let finding = Finding::error(&codes::UNKNOWN_SOURCE, written.list.place.clone(), cause);
                self.findings.push(finding.did_you_mean(&key, known.iter().map(String::as_str)));
                Type::Dyn
            }
        };
        let kind = found.clone();
        for _ in 0..=depth {
            found = match found {
                Type::List(inner) => *inner,
                Type::Dyn => Type::Dyn,
                other => {
                    let cause = format!("`explode` goes through a list, and `{path}` is {other}");
                    let finding = Finding::error(&codes::NOT_A_LIST, written.list.place.clone(), cause);
                    self.findings.push(finding.fix("name a list of the record: `explode: lines[*]`"));
                    Type::Dyn
                }
            };
        }
        let slot = self.projection.slot(&path, kind);
        let (item, index) = (self.cell(None), self.cell(None));
        let elements = Path(path.0.iter().cloned().chain([Step::Each]).collect());
        let (whole, inner) = split(&self.known, &elements);
        let binding = |name: &str| Binding {
            classes: whole,
            field_classes: inner.clone(),
            ..Binding::new(name, found.clone(), Bind::Local(item))
        };
        self.bind(None, binding("item"));
        self.bind(None, Binding::new("index", Type::Int, Bind::Local(index)));
        if let Some(name) = &written.name {
            if self.names.iter().any(|(_, known)| known.name == name.value) {
                let cause = format!("`{}` stands for something else already", name.value);
                let finding = Finding::error(&codes::DUPLICATE_NAME, name.place.clone(), cause);
                self.findings.push(finding.fix("choose another name"));
            } else {
                self.bind(None, binding(&name.value));
            }
        }
        Some(Explode { slot, depth, item, index, name: written.list.value.to_string() })
    }
}
