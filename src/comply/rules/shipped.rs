//! The packs of rules that are shipped, and to which mappings they apply by themselves: those whose records are what
//! the pack is about, by the industry that was said, the classes of their fields, or names that mean one thing. A
//! guess is no sign: what is not sure applies only where somebody names it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::aliases::{self, Aliases};
use super::{Action, Decided, Rule, attach, fits};
use crate::config::{Connector, Mapping, Project, yaml};
use crate::record::{ClassId, ClassSet, Purpose};

/// Each with its file.
const PACKS: &[(&str, &str)] = &[
    ("dealers", include_str!("dealers.yaml")),
    ("health", include_str!("health.yaml")),
    ("payments", include_str!("payments.yaml")),
    ("accounts", include_str!("accounts.yaml")),
    ("inventory", include_str!("inventory.yaml")),
];

/// The pack that a rule is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applies {
    /// Its name.
    pub pack: String,
    /// The mappings it applies to by itself, each with the reason; none where somebody named it.
    pub because: BTreeMap<String, String>,
}

/// A pack of rules.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pack {
    #[expect(dead_code, reason = "said for who reads the file")]
    about: String,
    /// What says that records are what it is about: one of these.
    applies: Vec<Sign>,
    /// What else the fields are called that its rules are about.
    #[serde(default)]
    fields: Aliases,
    rules: Vec<Rule>,
}

/// What says that records are what a pack is about: all that is there must hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Sign {
    /// The project, the source or the target is of this industry.
    industry: Option<String>,
    /// The mapping or the stream of either end has such a name.
    names: Vec<String>,
    /// The records have one of these fields.
    fields: Vec<String>,
    /// A field that is read has one of these classes.
    classes: Vec<String>,
}

impl Pack {
    /// Each rule knows what else its own fields are called.
    fn with_aliases(mut self) -> Self {
        for rule in &mut self.rules {
            let about = aliases::about(rule);
            let own = self.fields.iter().filter(|(field, _)| about.contains(*field));
            rule.also = own.map(|(field, also)| (field.clone(), also.clone())).collect();
        }
        self
    }
}

static READ: LazyLock<Vec<(&'static str, Option<Pack>)>> = LazyLock::new(|| {
    PACKS.iter().map(|(name, text)| (*name, yaml::read::<Pack>(text).ok().map(Pack::with_aliases))).collect()
});

/// The names of the packs that are shipped.
pub fn packs() -> impl Iterator<Item = &'static str> {
    PACKS.iter().map(|(name, _)| *name)
}

/// The rules of a shipped pack.
pub fn pack(name: &str) -> Option<Vec<Rule>> {
    let (_, pack) = READ.iter().find(|(own, _)| *own == name)?;
    pack.as_ref().map(|pack| pack.rules.clone())
}

/// The rules of the packs that apply by themselves.
pub(super) fn by_themselves(project: &Project, mappings: &[Mapping], decided: &[Decided]) -> Vec<Rule> {
    let mut rules = Vec::new();
    for (name, pack) in READ.iter() {
        let Some(pack) = pack else { continue };
        let mut because = BTreeMap::new();
        for mapping in mappings {
            let about_it = |said: &&Decided| {
                let named = said.mappings.iter().any(|pattern| fits(pattern, &mapping.family));
                said.pack == *name && (said.mappings.is_empty() || named)
            };
            if decided.iter().any(|said| about_it(&said)) || because.contains_key(&mapping.family) {
                continue;
            }
            let ends = [&mapping.from, &mapping.to].map(|end| project.connectors.get(&end.connector));
            let [Some(source), Some(target)] = ends else { continue };
            if let Some(why) =
                pack.applies.iter().find_map(|sign| sign.shows(project, mapping, [source, target], &pack.fields))
            {
                because.insert(mapping.family.clone(), why);
            }
        }
        if because.is_empty() {
            continue;
        }
        let applies = Applies { pack: (*name).to_owned(), because };
        rules.extend(pack.rules.iter().filter(|rule| !rule.only_named).cloned().map(|mut rule| {
            rule.mappings = applies.because.keys().cloned().collect();
            rule.pack = Some(applies.clone());
            keyed(&mut rule, project);
            rule
        }));
    }
    rules
}

/// The key for tokens: the one that the pack names, or the only one there is. Without one what was to become
/// a token is refused: it does not go as it is.
fn keyed(rule: &mut Rule, project: &Project) {
    for action in &mut rule.actions {
        let Action::Tokenize { field, key } = action else { continue };
        let keys: Vec<_> = project.compliance.keys.iter().filter(|one| one.purpose == Purpose::Token).collect();
        match keys.as_slice() {
            keys if keys.iter().any(|one| one.name == *key) => {}
            [only] => key.clone_from(&only.name),
            _ => {
                rule.message = Some(format!("`{field}` is refused: there is no key to make a token of it with"));
                rule.fix = Some(format!(
                    "declare one (`compliance: {{ keys: {{ {key}: {{ purpose: token }} }} }}`), then `consign audit keys create {key}`"
                ));
                key.clear();
            }
        }
    }
}

impl Sign {
    /// Why it says that a mapping is concerned; `None`: it does not.
    fn shows(&self, project: &Project, mapping: &Mapping, ends: [&Connector; 2], also: &Aliases) -> Option<String> {
        let mut why = Vec::new();
        if let Some(industry) = &self.industry {
            let own = ends.iter().find_map(|end| {
                let said = end.custody.industry.is_some_and(|said| said.word() == industry);
                said.then(|| format!("`{}` is {industry}", end.name))
            });
            let whole = || {
                // What a system says of itself holds for it, whatever the project does.
                let unsaid = ends.iter().any(|end| end.custody.industry.is_none());
                let of_project = project.compliance.rules.industry.is_some_and(|said| said.word() == industry);
                (unsaid && of_project).then(|| format!("the project is {industry}"))
            };
            why.push(own.or_else(whole)?);
        }
        if !self.names.is_empty() {
            let names = [&mapping.family, &mapping.from.stream, &mapping.to.stream];
            let mut named = names.iter().filter(|name| {
                let name = name.to_lowercase();
                self.names.iter().any(|pattern| fits(pattern, &name))
            });
            why.push(format!("`{}` is its name", named.next()?));
        }
        if !self.fields.is_empty() {
            let own = |field: &String| aliases::names(field, also.get(field), mapping, ends[0]).into_iter().next();
            why.push(format!("its records have `{}`", self.fields.iter().find_map(own)?));
        }
        if !self.classes.is_empty() {
            let read = classes(mapping, ends[0]);
            let within = |name: &&String| {
                ClassId::named(name).is_some_and(|around| read.iter().any(|class| class.is_within(around)))
            };
            why.push(format!("its records hold `{}`", self.classes.iter().find(within)?));
        }
        (!why.is_empty()).then(|| why.join(" and "))
    }
}

/// The classes of what a mapping reads, as they were declared.
fn classes(mapping: &Mapping, source: &Connector) -> ClassSet {
    let (declared, _) = attach::declared(mapping, source);
    let read: BTreeSet<String> = attach::read(mapping);
    let copies = !mapping.copies.is_empty();
    let of_source = declared.iter().filter(|field| copies || read.contains(&field.name));
    let all = of_source.fold(ClassSet::NONE, |all, field| all.union(field.classes));
    mapping.fields.iter().fold(all, |all, rule| all.union(rule.classes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_name_what_there_is() {
        for (name, pack) in READ.iter() {
            let pack = pack.as_ref().unwrap_or_else(|| panic!("{name}.yaml cannot be read"));
            assert!(!pack.applies.is_empty(), "{name}");
            for sign in &pack.applies {
                let industries = crate::config::governance::Industry::NAMES;
                let known = |word: &String| industries.iter().any(|(name, _)| name == word);
                assert!(sign.industry.as_ref().is_none_or(known), "{name}: {sign:?}");
                assert!(sign.classes.iter().all(|class| ClassId::named(class).is_some()), "{name}: {sign:?}");
                assert!(
                    sign.industry.is_some() || !sign.fields.is_empty() || !sign.classes.is_empty(),
                    "{name}: {sign:?}"
                );
            }
        }
    }
}
