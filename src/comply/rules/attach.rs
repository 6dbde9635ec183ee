//! Rules over records become part of the mappings they concern: a condition on the record, a gate of their
//! own, or a step of a field. Whatever applies the mapping obeys them, and a route that no rule concerns
//! is as it was. Rules over events become rules of the log.

use std::collections::{BTreeMap, BTreeSet};

use super::aliases::called;
use super::protected::{arrives, classes_of, is_protected, protects, reads};
use super::words::{self, Known};
use super::{Action, On, Rule, events, of};
use crate::config::{
    Check, Connector, Copying, Expression, FieldRule, Loaded, Make, Mapping, Obeyed, Project, Which, Withholds,
};
use crate::error::Findings;
use crate::record::path::Step;
use crate::record::{ClassId, ClassSet, Field, Path};

/// Gives every mapping of a loaded project the rules that concern it, and the log those over events; what is
/// wrong with rules is among the findings then.
pub fn attach(loaded: &mut Loaded) {
    let Some(project) = &mut loaded.project else { return };
    let (rules, findings) = of(project, &loaded.mappings);
    let mut added: Findings = findings;
    if added.is_empty() {
        for mapping in &mut loaded.mappings {
            let ends = [&mapping.from, &mapping.to].map(|end| project.connectors.get(&end.connector));
            let [Some(source), Some(target)] = ends else { continue };
            let concerned: Vec<&Rule> =
                rules.iter().filter(|rule| rule.concerns(&mapping.family) && !is_cleared(rule, target)).collect();
            for rule in concerned {
                let rule = &called(rule, mapping, source);
                let acts = match rule.on {
                    On::Record => add(rule, mapping, source, project),
                    On::Mapping | On::Flow => true,
                    On::Connector | On::Event => false,
                };
                if acts {
                    mapping.obeys.push(obeyed(rule, &mapping.family));
                }
            }
        }
        let of_events = rules.iter().filter(|rule| rule.on == On::Event);
        project.audit.rules.extend(of_events.filter_map(|rule| events::compiled(rule).ok()));
    }
    loaded.findings.append(&mut added);
}

/// Whether a rule leaves a target alone that is cleared for what it is about.
pub(super) fn is_cleared(rule: &Rule, target: &Connector) -> bool {
    let classes: ClassSet = rule.unless_cleared.iter().filter_map(|name| ClassId::named(name)).collect();
    !classes.is_empty() && target.clearance.is_some_and(|clearance| classes.beyond(clearance).is_empty())
}

fn obeyed(rule: &Rule, family: &str) -> Obeyed {
    Obeyed {
        rule: rule.name.clone(),
        pack: rule.pack.as_ref().map(|pack| pack.pack.clone()),
        because: rule.pack.as_ref().and_then(|pack| pack.because.get(family).cloned()),
        does: rule.deed(),
    }
}

/// Makes a rule a part of a mapping; `false`: it does not concern it.
fn add(rule: &Rule, mapping: &mut Mapping, source: &Connector, project: &Project) -> bool {
    let (declared, closed) = declared(mapping, source);
    let read = words::fields(&rule.when);
    let has = |name: &String| declared.iter().any(|field| field.name == *name);
    // A rule about fields that none of these records has does not concern them.
    let explicit = !rule.mappings.is_empty();
    if !explicit && (declared.is_empty() || !read.iter().any(has)) {
        return false;
    }
    if closed && !read.is_empty() && !read.iter().any(has) {
        return false;
    }
    let known = known(mapping, declared, closed, project);
    let Ok(condition) = words::expand(rule, Some(&known)) else { return false };
    let place = rule.place.clone().unwrap_or_else(|| mapping.name.place.clone());
    let expression = |text: String| Expression { text, place: place.clone(), runs: Vec::new() };
    let park = [Action::Park];
    let mut acts = false;
    for action in if rule.actions.is_empty() { &park[..] } else { &rule.actions[..] } {
        let mut each = |mapping: &mut Mapping, fields: &[String], made: &dyn Fn(&str) -> String| {
            let step = Doing { rule, condition: &condition, project, declared };
            acts |= step.each(mapping, fields, made, &expression);
        };
        match action {
            Action::Withhold => {
                let (when, told) = (expression(condition.clone()), rule.said());
                mapping.withholds.push(Withholds { rule: rule.name.clone(), when, told });
                acts = true;
            }
            Action::Park | Action::Stop => {
                let that = expression(format!("!({condition})"));
                mapping.validate.push(Check { that, message: Some(rule.said()) });
                if *action == Action::Stop {
                    mapping.sync.on_error.stop = true;
                    (mapping.sync.on_error.tolerate_ppm, mapping.sync.on_error.tolerate_records) = (0, 0);
                }
                acts = true;
            }
            Action::Mask(fields) => each(mapping, fields.all(), &|value| format!("mask({value})")),
            Action::Anonymize(fields) => each(mapping, fields.all(), &|value| format!("initials({value})")),
            Action::Tokenize { field, key } if key.is_empty() => {
                let own = declared.iter().find(|known| known.name == *field).map(|known| known.classes);
                if arrives(field, own, mapping, project) {
                    let that = expression(format!("!({condition})"));
                    mapping.validate.push(Check { that, message: Some(rule.said()) });
                    acts = true;
                }
            }
            Action::Tokenize { field, key } => {
                each(mapping, std::slice::from_ref(field), &|value| format!("tokenize({value}, {key:?})"));
            }
            Action::Drop(fields) => {
                take_apart(mapping, fields.all(), declared);
                for one in &mut mapping.fields {
                    if fields.all().iter().any(|field| reads(one, field)) {
                        let when = one.when.take();
                        let text =
                            when.map_or(format!("!({condition})"), |when| format!("({}) && !({condition})", when.text));
                        one.when = Some(expression(text));
                        acts = true;
                    }
                }
            }
            _ => {}
        }
    }
    acts
}

/// What is known of the names in conditions about a route's records.
fn known(mapping: &Mapping, declared: &[Field], closed: bool, project: &Project) -> Known {
    let tags: BTreeMap<String, Vec<String>> = declared
        .iter()
        .map(|field| (field.name.clone(), field.classes.iter().map(|id| id.class().name.to_owned()).collect()))
        .collect();
    let protected = declared.iter().filter(|field| is_protected(&field.name, field.classes, mapping, project));
    let mut regions: BTreeMap<String, String> =
        project.connectors.values().filter_map(|one| Some((one.name.clone(), one.region.clone()?))).collect();
    for (word, end) in [("source", &mapping.from), ("target", &mapping.to)] {
        let region = project.connectors.get(&end.connector).and_then(|one| one.region.clone());
        regions.insert(word.into(), region.unwrap_or_default());
    }
    Known {
        protected: protected.map(|field| field.name.clone()).collect(),
        consents: consents(mapping),
        fields: closed.then(|| declared.iter().map(|field| field.name.clone()).collect()),
        regions,
        tags,
        ..Known::default()
    }
}

/// A rule that makes something of fields.
struct Doing<'s> {
    rule: &'s Rule,
    condition: &'s str,
    project: &'s Project,
    declared: &'s [Field],
}

impl Doing<'_> {
    /// Where the condition holds, what is made of the fields' values takes their place. A condition that asks only
    /// whether the field is there always holds where there is a value: then nothing is left in clear, and the flow
    /// check can see it. What applies by itself leaves alone what the mapping protects.
    fn each(
        &self,
        mapping: &mut Mapping,
        fields: &[String],
        made: &dyn Fn(&str) -> String,
        expression: &dyn Fn(String) -> Expression,
    ) -> bool {
        take_apart(mapping, fields, self.declared);
        let by_itself = self.rule.by_itself(&mapping.family);
        let mut acts = false;
        for at in 0..mapping.fields.len() {
            let one = &mapping.fields[at];
            let Some(field) = fields.iter().find(|field| reads(one, field)) else { continue };
            let own = self.declared.iter().find(|known| known.name == **field).map(|known| known.classes);
            let classes = classes_of(field, own.unwrap_or_default().union(one.classes));
            if by_itself && protects(one, field, classes, mapping, self.project) {
                continue;
            }
            let one = &mut mapping.fields[at];
            let there = format!("has(record.{field})");
            let always = self.condition.trim() == there;
            let value = match &one.make {
                Make::Value => "value".to_owned(),
                Make::Transform(transform) => format!("({})", transform.text),
                _ => continue,
            };
            if always {
                // Without a value there is nothing to make something of.
                let when = one.when.take();
                let text = when.map_or_else(|| there.clone(), |when| format!("({}) && {there}", when.text));
                one.when = Some(expression(text));
            }
            let text = match always {
                true => made(&value),
                false => format!("({}) && {there} ? {} : {value}", self.condition, made(&value)),
            };
            one.make = Make::Transform(expression(text));
            acts = true;
        }
        acts
    }
}

/// Gives fields that are copied rules of their own, so that something can be done to each.
fn take_apart(mapping: &mut Mapping, fields: &[String], declared: &[Field]) {
    let mut own = Vec::new();
    for copy in &mut mapping.copies {
        for field in fields {
            let Ok(path) = Path::parse(field) else { continue };
            let from = copy.from.as_ref().map(|from| from.value.clone()).unwrap_or_default();
            let Some(rest) = path.0.strip_prefix(from.0.as_slice()).filter(|rest| !rest.is_empty()) else { continue };
            let below = Path(rest.to_vec());
            let place = copy.place.clone();
            let spanned = |value: Path| crate::config::Spanned { value, place: place.clone() };
            match &mut copy.which {
                Which::Pick(picked) => {
                    let before = picked.len();
                    picked.retain(|one| one.value != below);
                    if picked.len() == before {
                        continue;
                    }
                }
                Which::Omit(left_out) => {
                    let known = from.0.is_empty() && declared.iter().any(|known| known.name == *field);
                    if !known || left_out.iter().any(|one| one.value == below) {
                        continue;
                    }
                    left_out.push(spanned(below.clone()));
                }
            }
            let target = Path(copy.target.0.iter().chain(&below.0).cloned().collect());
            own.push(FieldRule::plain(place.clone(), spanned(target), spanned(path), copy.scope));
        }
    }
    mapping.fields.extend(own);
}

/// Whether a copy does not take a field over.
pub(super) fn leaves_out(copy: &Copying, field: &str) -> bool {
    let Ok(path) = Path::parse(field) else { return false };
    let from = copy.from.as_ref().map(|from| from.value.clone()).unwrap_or_default();
    let Some(rest) = path.0.strip_prefix(from.0.as_slice()) else { return true };
    match &copy.which {
        Which::Pick(picked) => picked.iter().all(|one| one.value.0 != rest),
        Which::Omit(left_out) => left_out.iter().any(|one| one.value.0 == rest),
    }
}

/// The declared fields of a mapping's source, and whether there are no others.
pub(super) fn declared<'c>(mapping: &Mapping, source: &'c Connector) -> (&'c [Field], bool) {
    let name = &mapping.from.stream;
    match source.streams.get(name) {
        Some(stream) => (&stream.fields, stream.closed),
        None => source
            .spec
            .and_then(|spec| spec.stream(name))
            .map_or((&[], false), |stream| (&stream.fields, stream.closed)),
    }
}

/// The fields that a mapping's records are known to have: declared, or read.
pub(super) fn fields(mapping: &Mapping, source: &Connector) -> BTreeSet<String> {
    let (declared, _) = declared(mapping, source);
    declared.iter().map(|field| field.name.clone()).chain(read(mapping)).collect()
}

/// The fields that a mapping reads, by their first names.
pub(super) fn read(mapping: &Mapping) -> BTreeSet<String> {
    let first = |path: &Path| match path.0.first() {
        Some(Step::Key(name)) => Some(name.to_string()),
        _ => None,
    };
    let mut found: BTreeSet<String> =
        mapping.fields.iter().filter_map(|rule| first(&rule.source.as_ref()?.value)).collect();
    let picked = mapping.copies.iter().filter(|copy| copy.from.is_none()).filter_map(|copy| match &copy.which {
        Which::Pick(picked) => Some(picked),
        Which::Omit(_) => None,
    });
    found.extend(picked.flatten().filter_map(|one| first(&one.value)));
    let of_rules = mapping.fields.iter().flat_map(|rule| rule.transform().into_iter().chain(&rule.when));
    let lets = mapping.lets.iter().map(|one| &one.expression);
    found.extend(of_rules.chain(&mapping.when).chain(lets).flat_map(|text| words::fields(&text.text)));
    found
}

/// Whether an expression reads a field of the record.
pub(super) fn mentions(text: &str, field: &str) -> bool {
    words::fields(text).iter().any(|read| read == field)
}

/// How records of a mapping say yes, by purpose.
fn consents(mapping: &Mapping) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let said = &mapping.compliance;
    if let Some(consent) = &said.consent
        && consent.lookup.is_none()
        && let (Some(purpose), Some(field)) = (said.consent_purpose(), &consent.field)
    {
        let withdrawn = consent
            .withdrawn
            .as_ref()
            .map_or(String::new(), |path| format!(" && record.?{}.orValue(null) == null", path.value));
        found.insert(purpose.to_owned(), format!("record.?{}.orValue(false) == true{withdrawn}", field.value));
    }
    found
}
