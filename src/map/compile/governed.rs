//! The fields that compliance asks for: found in the source like any other, and read along.

use super::{Compiler, codes};
use crate::config::{Mapping, Spanned};
use crate::error::Finding;
use crate::map::Governed;
use crate::record::{Column, Path, Type};

impl Compiler<'_> {
    /// Where what gates ask for stands.
    pub(super) fn governed(&mut self, mapping: &Mapping) -> Governed {
        let said = &mapping.compliance;
        let mut governed = Governed::default();
        let consent = said.consent.as_ref();
        // With a lookup its fields are those of the row found.
        let own = consent.filter(|consent| consent.lookup.is_none());
        let by = consent.and_then(|consent| consent.lookup.as_ref()).and_then(|lookup| match &lookup.by {
            Some(by) => Some(by),
            None => said.subject.as_ref(),
        });
        governed.subject = self.asked(said.subject.as_ref(), &mut governed.names);
        governed.by = self.asked(by, &mut governed.names);
        governed.consent = self.asked(own.and_then(|consent| consent.field.as_ref()), &mut governed.names);
        governed.purposes = self.asked(own.and_then(|consent| consent.purposes.as_ref()), &mut governed.names);
        governed.given = self.asked(own.and_then(|consent| consent.given.as_ref()), &mut governed.names);
        governed.withdrawn = self.asked(own.and_then(|consent| consent.withdrawn.as_ref()), &mut governed.names);
        let residency = said.residency.as_ref().map(|residency| &residency.field);
        governed.residency = self.asked(residency, &mut governed.names);
        governed.opt_out = self.asked(said.opt_out.as_ref(), &mut governed.names);
        governed.age = self.asked(said.age.as_ref(), &mut governed.names);
        governed.parental = self.asked(said.parental.as_ref(), &mut governed.names);
        governed
    }

    fn asked(&mut self, path: Option<&Spanned<Path>>, names: &mut Vec<(usize, String)>) -> Option<usize> {
        let path = path?;
        let kind = match self.source.type_at(&path.value) {
            Ok(kind) => kind,
            Err((wrong, known)) => {
                let cause = format!("`{}` has no field `{wrong}`", self.source.name);
                self.findings.push(
                    Finding::error(&codes::UNKNOWN_SOURCE, path.place.clone(), cause)
                        .did_you_mean(&wrong, known.iter().map(String::as_str))
                        .fix("name a field of the source that every record has"),
                );
                return None;
            }
        };
        let slot = self.projection.slot(&path.value, kind);
        names.push((slot, path.value.to_string()));
        Some(slot)
    }

    /// The columns whose sums are kept.
    pub(super) fn totals(&mut self, mapping: &Mapping, columns: &[Column]) -> Vec<usize> {
        let mut totals = Vec::new();
        for path in &mapping.compliance.totals {
            let Some(at) = columns.iter().position(|column| column.path == path.value) else {
                let names: Vec<String> = columns.iter().map(|column| column.path.to_string()).collect();
                let cause = format!("no rule writes `{}`, whose sum is asked for", path.value);
                self.findings.push(
                    Finding::error(&codes::UNKNOWN_SOURCE, path.place.clone(), cause)
                        .did_you_mean(&path.value.to_string(), names.iter().map(String::as_str))
                        .fix("name a field of the target record"),
                );
                continue;
            };
            let kind = &columns[at].kind;
            if !matches!(kind, Type::Int | Type::Uint | Type::Decimal | Type::Double | Type::String | Type::Dyn) {
                let cause = format!("`{}` is of type {kind}, of which there is no sum", path.value);
                self.findings.push(
                    Finding::error(&codes::TARGET_TYPE, path.place.clone(), cause).fix("name fields that hold numbers"),
                );
                continue;
            }
            totals.push(at);
        }
        totals
    }
}
