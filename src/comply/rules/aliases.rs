//! What the fields of a pack's rules are called in the records at hand: every system has words of its own for an
//! item's number or an account holder's name. A field is the one of the pack's own name, or one of the names that the
//! pack lists, or one that was declared with its class; whoever names the pack says it otherwise.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Action, OneOrMany, Rule, attach, words};
use crate::comply::detect::parts;
use crate::config::{Connector, Mapping};
use crate::record::ClassId;

/// What else fields are called, by the pack's own names.
pub type Aliases = BTreeMap<String, Also>;

/// What else a field is called.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Also {
    /// Other names, as words with low lines between: `item_number` is `itemNumber` and `Item-Number`, too.
    names: Vec<String>,
    /// Classes of data: a field that was declared with one of them.
    classes: Vec<String>,
    /// Whether the pack's own name is none of them: somebody said what it is called.
    #[serde(skip)]
    is_said: bool,
}

impl Also {
    /// By these names and no others.
    pub(super) fn only(names: &[String]) -> Self {
        Self { names: names.to_vec(), classes: Vec::new(), is_said: true }
    }
}

/// The fields of the records that a field of a rule is, the likeliest first.
pub(super) fn names(field: &str, also: Option<&Also>, mapping: &Mapping, source: &Connector) -> Vec<String> {
    let known: BTreeSet<String> = attach::fields(mapping, source).into_iter().filter(|name| is_name(name)).collect();
    let Some(also) = also else { return known.get(field).cloned().into_iter().collect() };
    if also.is_said {
        return also.names.iter().filter(|name| is_name(name)).cloned().collect();
    }
    let (declared, _) = attach::declared(mapping, source);
    let classes: Vec<ClassId> = also.classes.iter().filter_map(|name| ClassId::named(name)).collect();
    let within = |id: ClassId| classes.iter().any(|class| id.is_within(*class));
    let of_class = declared.iter().filter(|field| field.classes.iter().any(within)).map(|field| &field.name);
    let alike = |name: &String| {
        let same = |own: &&String| parts(own).join("_") == *name;
        known.iter().filter(same).cloned().collect::<Vec<_>>()
    };
    let mut found: Vec<String> = known.get(field).cloned().into_iter().collect();
    let own = field.to_owned();
    for name in std::iter::once(&own).chain(&also.names).flat_map(alike).chain(of_class.cloned()) {
        if is_name(&name) && !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// A rule with the fields as the records of a mapping call them.
pub(super) fn called(rule: &Rule, mapping: &Mapping, source: &Connector) -> Rule {
    let mut rule = rule.clone();
    for (field, also) in std::mem::take(&mut rule.also) {
        let names = names(&field, Some(&also), mapping, source);
        let Some(first) = names.first() else { continue };
        rule.when = words::renamed(&rule.when, &field, first);
        for action in &mut rule.actions {
            match action {
                Action::Mask(fields) | Action::Drop(fields) | Action::Anonymize(fields) => {
                    let all = fields.all().iter().flat_map(|one| match *one == field {
                        true => names.clone(),
                        false => vec![one.clone()],
                    });
                    *fields = OneOrMany::Many(all.collect());
                }
                Action::Tokenize { field: one, .. } if *one == field => one.clone_from(first),
                _ => {}
            }
        }
    }
    rule
}

/// The fields that a rule is about.
pub(super) fn about(rule: &Rule) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = words::fields(&rule.when).into_iter().collect();
    for action in &rule.actions {
        match action {
            Action::Mask(fields) | Action::Drop(fields) | Action::Anonymize(fields) => {
                found.extend(fields.all().iter().cloned());
            }
            Action::Tokenize { field, .. } => {
                found.insert(field.clone());
            }
            _ => {}
        }
    }
    found
}

/// Names as they are listed to people, each once.
pub(super) fn listed(names: Vec<&str>) -> String {
    names.into_iter().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
}

/// Whether a condition can name a field so.
fn is_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}
