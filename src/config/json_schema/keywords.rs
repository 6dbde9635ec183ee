//! The keywords of one schema, each to its rule.

use std::rc::Rc;

use super::{At, Document, Draft, Reading, entry, meant, pattern, rank};
use crate::config::project::classes;
use crate::config::yaml::{Raw, RawKind};
use crate::error::Finding;
use crate::error::codes::config as codes;
use crate::record::ClassId;
use crate::record::contract::{Bound, Fields, Fixed, Format, NodeId, Rule, Types};

/// Keywords of both drafts that ask for something.
const BOTH: &[&str] = &[
    "type",
    "enum",
    "const",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "minItems",
    "maxItems",
    "uniqueItems",
    "items",
    "contains",
    "minProperties",
    "maxProperties",
    "required",
    "properties",
    "patternProperties",
    "additionalProperties",
    "propertyNames",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "$ref",
];
/// Those of 2020-12 alone.
const TWENTY: &[&str] = &[
    "prefixItems",
    "minContains",
    "maxContains",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedProperties",
    "unevaluatedItems",
    "$dynamicRef",
    "$defs",
];
/// Those of draft-07 alone.
const SEVEN: &[&str] = &["additionalItems", "dependencies"];
/// Those that ask for nothing.
const SAID: &[&str] = &[
    "$schema",
    "$id",
    "$anchor",
    "$dynamicAnchor",
    "$comment",
    "$vocabulary",
    "$defs",
    "definitions",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
];

impl Reading<'_, '_> {
    /// Reads one schema into its rules.
    pub(super) fn fill(&mut self, at: &At, id: NodeId) {
        let document = Rc::clone(&self.schemas.documents[at.0]);
        let Some(raw) = document.find(&at.1) else { return };
        let mut rules = match &raw.kind {
            RawKind::Bool(true) => Vec::new(),
            RawKind::Bool(false) => vec![Rule::Never],
            RawKind::Map { .. } => self.keywords(&document, at, raw, id),
            _ => {
                let cause = format!("a schema is a map, true or false, and this is {}", raw.what());
                self.error(&document, raw, cause, "");
                Vec::new()
            }
        };
        rules.sort_by_key(rank);
        self.contract.nodes[id] = rules;
    }

    fn keywords(&mut self, document: &Rc<Document>, at: &At, raw: &Raw, id: NodeId) -> Vec<Rule> {
        let mut rules = Vec::new();
        let seven = document.draft == Draft::Seven;
        if seven && entry(raw, "$ref").is_some() {
            self.reference(document, at, raw, "$ref", &mut rules);
            let others = raw.entries().iter().filter(|e| e.key != "$ref" && BOTH.contains(&e.key.as_str()));
            for entry in others {
                let cause = format!("beside `$ref` draft-07 reads nothing: `{}` does not hold", entry.key);
                let place = document.source.place(entry.start, entry.end);
                let fix = "put both into an `allOf`, or say draft 2020-12 under `$schema`";
                self.findings.push(Finding::warning(&codes::SCHEMA_KEYWORD, place, cause).fix(fix));
            }
            return rules;
        }
        self.unknown(document, raw);
        self.classes(document, raw, id);
        self.values(document, raw, &mut rules);
        self.numbers(document, raw, &mut rules);
        self.texts(document, raw, &mut rules);
        self.lists(document, at, raw, &mut rules);
        self.maps(document, at, raw, &mut rules);
        for name in ["$ref", "$dynamicRef"] {
            if entry(raw, name).is_some() {
                self.reference(document, at, raw, name, &mut rules);
            }
        }
        for (name, rule) in
            [("allOf", Rule::All as fn(Vec<NodeId>) -> Rule), ("anyOf", Rule::Any), ("oneOf", Rule::One)]
        {
            if let Some(all) = self.schemas_in(document, at, raw, name) {
                rules.push(rule(all));
            }
        }
        if let Some(not) = self.below(at, raw, "not") {
            rules.push(Rule::Not(not));
        }
        if let Some(condition) = self.below(at, raw, "if") {
            let (then, otherwise) = (self.below(at, raw, "then"), self.below(at, raw, "else"));
            if then.is_some() || otherwise.is_some() {
                rules.push(Rule::If(condition, then, otherwise));
            }
        }
        rules
    }

    /// Keywords that nobody knows, or not in this draft.
    fn unknown(&mut self, document: &Rc<Document>, raw: &Raw) {
        let seven = document.draft == Draft::Seven;
        let own = if seven { SEVEN } else { TWENTY };
        for entry in raw.entries() {
            let key = entry.key.as_str();
            if [BOTH, own, SAID].iter().any(|list| list.contains(&key)) || key.starts_with("x-") {
                continue;
            }
            let (cause, fix) = match key {
                "nullable" => (
                    "`nullable` is of OpenAPI, and does not hold in JSON Schema".to_owned(),
                    Some("say it with the type: `type: [string, \"null\"]`".to_owned()),
                ),
                "dependencies" => (
                    "`dependencies` is of older drafts, and does not hold in 2020-12".to_owned(),
                    Some("say `dependentRequired` or `dependentSchemas`".to_owned()),
                ),
                _ if TWENTY.contains(&key) || SEVEN.contains(&key) => {
                    let name = if seven { "draft-07" } else { "draft 2020-12" };
                    (format!("{name} has no keyword `{key}`: it does not hold"), None)
                }
                _ => {
                    let known = BOTH.iter().chain(own).copied();
                    (format!("`{key}` is no keyword that is known: it does not hold"), meant(key, known))
                }
            };
            let place = document.source.place(entry.start, entry.end);
            let finding = Finding::warning(&codes::SCHEMA_KEYWORD, place, cause);
            self.findings.push(match fix {
                Some(fix) => finding.fix(fix),
                None => finding.fix("remove it, or name it `x-…` if it is your own"),
            });
        }
    }

    /// `x-class`: what kind of sensitive data stands here.
    fn classes(&mut self, document: &Rc<Document>, raw: &Raw, id: NodeId) {
        let Some(said) = entry(raw, "x-class") else { return };
        let one = [said.clone()];
        let names = if let RawKind::List { items, .. } = &said.kind { items.as_slice() } else { &one };
        for name in names {
            let Some(text) = name.text() else {
                self.error(document, name, "`x-class` is the name of a data class, or a list of them", "");
                continue;
            };
            if ClassId::named(text).is_none() {
                let place = document.source.place(name.start, name.end);
                let cause = format!("there is no data class `{text}`");
                let known = crate::record::class::ALL.iter().map(|class| class.name);
                self.findings.push(Finding::error(&codes::UNKNOWN_CLASS, place, cause).did_you_mean(text, known));
            }
        }
        self.contract.classes[id] = classes(Some(said));
    }

    fn values(&mut self, document: &Rc<Document>, raw: &Raw, rules: &mut Vec<Rule>) {
        let mut types = None;
        if let Some(said) = entry(raw, "type") {
            let one = [said.clone()];
            let names = if let RawKind::List { items, .. } = &said.kind { items.as_slice() } else { &one };
            let mut all = Types::NONE;
            for name in names {
                // Outside of quotes YAML reads the word null as nothing.
                let text = if name.kind == RawKind::Null { Some("null") } else { name.text() };
                match text.and_then(Types::named) {
                    Some(types) => all = all.or(types),
                    None => {
                        let known = Types::NAMES.iter().map(|(name, _)| *name);
                        let text = text.unwrap_or(name.what());
                        let fix = meant(text, known.clone())
                            .unwrap_or_else(|| format!("types are {}", known.collect::<Vec<_>>().join(", ")));
                        self.error(document, name, format!("there is no type `{text}`"), &fix);
                        all = Types::ALL;
                    }
                }
            }
            if names.is_empty() {
                self.error(document, said, "`type` names no type: nothing can meet it", "name one or more");
            }
            types = Some(all);
            rules.push(Rule::Types(all));
        }
        let mut allowed = Vec::new();
        if let Some(said) = entry(raw, "enum") {
            match &said.kind {
                RawKind::List { items, .. } if items.is_empty() => {
                    self.error(document, said, "`enum` allows no value: nothing can meet it", "list what is allowed");
                }
                RawKind::List { items, .. } => {
                    allowed.push((said, items.iter().filter_map(|i| self.fixed(document, i)).collect()))
                }
                _ => self.error(document, said, "`enum` is a list of values", ""),
            }
        }
        if let Some(said) = entry(raw, "const") {
            allowed.push((said, self.fixed(document, said).into_iter().collect::<Vec<_>>()));
        }
        for (said, values) in allowed {
            if let Some(types) = types
                && !values.is_empty()
                && values.iter().all(|value: &Fixed| !types.has(value.types()))
            {
                let cause = format!("no value that is listed is of type {types}: nothing can meet both");
                self.error(document, said, cause, "correct the type or the values");
            }
            rules.push(Rule::OneOf(values));
        }
    }

    fn fixed(&mut self, document: &Rc<Document>, raw: &Raw) -> Option<Fixed> {
        Some(match &raw.kind {
            RawKind::Null => Fixed::Null,
            RawKind::Bool(truth) => Fixed::Bool(*truth),
            RawKind::Number(text) => match Bound::new(text) {
                Some(number) => Fixed::Number(number),
                None => {
                    self.error(document, raw, "JSON has no such number", "");
                    return None;
                }
            },
            RawKind::Text { text, .. } => Fixed::Text(text.clone()),
            RawKind::List { items, .. } => {
                Fixed::List(items.iter().filter_map(|item| self.fixed(document, item)).collect())
            }
            RawKind::Map { entries, .. } => Fixed::Map(
                entries.iter().filter_map(|e| Some((e.key.clone(), self.fixed(document, &e.value)?))).collect(),
            ),
        })
    }

    fn bound(&mut self, document: &Rc<Document>, raw: &Raw, name: &str) -> Option<Bound> {
        let said = entry(raw, name)?;
        let made = if let RawKind::Number(text) = &said.kind { Bound::new(text) } else { None };
        if made.is_none() {
            let fix = match (&said.kind, name) {
                (RawKind::Bool(_), "exclusiveMinimum" | "exclusiveMaximum") => {
                    "true and false are of draft-04: write the number itself here"
                }
                _ => "",
            };
            self.error(document, said, format!("`{name}` is a number"), fix);
        }
        made
    }

    fn numbers(&mut self, document: &Rc<Document>, raw: &Raw, rules: &mut Vec<Rule>) {
        let mut least: Option<(Bound, bool)> = None;
        let mut most: Option<(Bound, bool)> = None;
        for (name, exclusive) in [("minimum", false), ("exclusiveMinimum", true)] {
            if let Some(bound) = self.bound(document, raw, name) {
                let above = least.as_ref().is_none_or(|(known, _)| bound.order(known).is_ge());
                rules.push(Rule::Minimum(bound.clone(), exclusive));
                least = if above { Some((bound, exclusive)) } else { least };
            }
        }
        for (name, exclusive) in [("maximum", false), ("exclusiveMaximum", true)] {
            if let Some(bound) = self.bound(document, raw, name) {
                let below = most.as_ref().is_none_or(|(known, _)| bound.order(known).is_le());
                rules.push(Rule::Maximum(bound.clone(), exclusive));
                most = if below { Some((bound, exclusive)) } else { most };
            }
        }
        if let (Some((least, above)), Some((most, below))) = (&least, &most) {
            let order = least.order(most);
            if order.is_gt() || (order.is_eq() && (*above || *below)) {
                let cause =
                    format!("no number lies between {} and {}: nothing can meet both bounds", least.text, most.text);
                self.error(document, raw, cause, "correct one of the two");
            }
        }
        if let Some(step) = self.bound(document, raw, "multipleOf")
            && let Some(said) = entry(raw, "multipleOf")
        {
            if step.is_positive() && step.text.len() <= 40 {
                rules.push(Rule::MultipleOf(step));
            } else {
                self.error(document, said, "`multipleOf` is a number above 0, of at most 28 digits", "");
            }
        }
    }

    fn size(&mut self, document: &Rc<Document>, raw: &Raw, name: &str) -> Option<usize> {
        let said = entry(raw, name)?;
        let made = match &said.kind {
            RawKind::Number(text) => {
                let whole = text.split_once('.').filter(|(_, rest)| rest.bytes().all(|b| b == b'0'));
                whole.map_or(text.as_str(), |(whole, _)| whole).parse::<usize>().ok()
            }
            _ => None,
        };
        if made.is_none() {
            self.error(document, said, format!("`{name}` is a whole number, 0 or more"), "");
        }
        made
    }

    /// A pair of bounds of a size; `None` if neither is given.
    fn sizes(&mut self, document: &Rc<Document>, raw: &Raw, names: [&str; 2]) -> Option<(usize, Option<usize>)> {
        let [least, most] = names.map(|name| self.size(document, raw, name));
        if let (Some(least), Some(most)) = (least, most)
            && least > most
        {
            let cause = format!("`{}` is {least} and `{}` is {most}: nothing can meet both", names[0], names[1]);
            self.error(document, raw, cause, "correct one of the two");
        }
        (least.is_some() || most.is_some()).then(|| (least.unwrap_or(0), most))
    }

    fn texts(&mut self, document: &Rc<Document>, raw: &Raw, rules: &mut Vec<Rule>) {
        if let Some((least, most)) = self.sizes(document, raw, ["minLength", "maxLength"]) {
            rules.push(Rule::Length(least, most));
        }
        if let Some(said) = entry(raw, "pattern") {
            match said.text().map(pattern::compile) {
                Some(Ok(pattern)) => rules.push(Rule::Pattern(pattern)),
                Some(Err(cause)) => self.error(document, said, cause, "say it with what the `regex` syntax of RE2 has"),
                None => self.error(document, said, "`pattern` is text", ""),
            }
        }
        if let Some(said) = entry(raw, "format") {
            let Some(name) = said.text() else {
                self.error(document, said, "`format` is text", "");
                return;
            };
            match Format::named(name) {
                Some(format) => rules.push(Rule::Format(format)),
                None => {
                    let place = document.source.place(said.start, said.end);
                    let known = Format::UNCHECKED.contains(&name);
                    let cause = match known {
                        true => format!("the format `{name}` is not checked"),
                        false => format!("there is no format `{name}`: it is not checked"),
                    };
                    let finding = match known {
                        true => Finding::note(&codes::SCHEMA_KEYWORD, place, cause),
                        false => Finding::warning(&codes::SCHEMA_KEYWORD, place, cause),
                    };
                    let names = Format::NAMES.iter().map(|(name, _)| *name);
                    let fix = meant(name, names.clone()).filter(|_| !known).unwrap_or_else(|| {
                        format!("say it with a `pattern`; checked are {}", names.collect::<Vec<_>>().join(", "))
                    });
                    self.findings.push(finding.fix(fix));
                }
            }
        }
    }

    fn lists(&mut self, document: &Rc<Document>, at: &At, raw: &Raw, rules: &mut Vec<Rule>) {
        let seven = document.draft == Draft::Seven;
        if let Some((least, most)) = self.sizes(document, raw, ["minItems", "maxItems"]) {
            rules.push(Rule::Count(least, most));
        }
        match entry(raw, "uniqueItems").map(|said| (said, &said.kind)) {
            Some((_, RawKind::Bool(true))) => rules.push(Rule::Unique),
            Some((_, RawKind::Bool(false))) | None => {}
            Some((said, _)) => self.error(document, said, "`uniqueItems` is true or false", ""),
        }
        let first_name = if seven { "items" } else { "prefixItems" };
        let rest_name = if seven { "additionalItems" } else { "items" };
        let tuple = entry(raw, first_name).is_some_and(|said| matches!(said.kind, RawKind::List { .. }));
        if let Some(said) = entry(raw, "items").filter(|said| !seven && matches!(said.kind, RawKind::List { .. })) {
            self.error(
                document,
                said,
                "`items` is one schema for all elements",
                "a list of schemas is `prefixItems` since 2020-12",
            );
        } else if seven && !tuple {
            if let Some(rest) = self.below(at, raw, "items") {
                rules.push(Rule::Items(Vec::new(), Some(rest)));
            }
        } else {
            let first = if tuple { self.schemas_in(document, at, raw, first_name) } else { None };
            let rest = self.below(at, raw, rest_name);
            if first.is_some() || rest.is_some() {
                rules.push(Rule::Items(first.unwrap_or_default(), rest));
            }
        }
        if let Some(id) = self.below(at, raw, "contains") {
            let bounds = if seven { None } else { self.sizes(document, raw, ["minContains", "maxContains"]) };
            let least = match entry(raw, "minContains").filter(|_| !seven) {
                Some(_) => bounds.map_or(1, |(least, _)| least),
                None => 1,
            };
            rules.push(Rule::Contains(id, least, bounds.and_then(|(_, most)| most)));
        }
        if let Some(rest) = self.below(at, raw, "unevaluatedItems").filter(|_| !seven) {
            rules.push(Rule::OtherItems(rest));
        }
    }

    fn maps(&mut self, document: &Rc<Document>, at: &At, raw: &Raw, rules: &mut Vec<Rule>) {
        let seven = document.draft == Draft::Seven;
        if let Some((least, most)) = self.sizes(document, raw, ["minProperties", "maxProperties"]) {
            rules.push(Rule::Size(least, most));
        }
        if let Some(said) = entry(raw, "required") {
            let names = self.words(document, said, "required");
            if !names.is_empty() {
                rules.push(Rule::Required(names));
            }
        }
        let named = self.named(document, at, raw, "properties");
        let mut patterns = Vec::new();
        for (text, id, key) in self.named(document, at, raw, "patternProperties").unwrap_or_default() {
            match pattern::compile(&text) {
                Ok(pattern) => patterns.push((pattern, id)),
                Err(cause) => {
                    let place = document.source.place(key.0, key.1);
                    self.findings.push(Finding::error(&codes::SCHEMA_INVALID, place, cause));
                }
            }
        }
        let others = self.below(at, raw, "additionalProperties");
        if named.is_some() || !patterns.is_empty() || others.is_some() {
            let named = named.unwrap_or_default().into_iter().map(|(name, id, _)| (name, id)).collect();
            rules.push(Rule::Fields(Fields { named, patterns, others }));
        }
        if let Some(id) = self.below(at, raw, "propertyNames") {
            rules.push(Rule::Names(id));
        }
        if seven {
            self.dependencies(document, at, raw, rules);
            return;
        }
        for entry in entry(raw, "dependentRequired").map_or(&[][..], Raw::entries) {
            rules.push(Rule::Needs(entry.key.clone(), self.words(document, &entry.value, "dependentRequired")));
        }
        for (name, id, _) in self.named(document, at, raw, "dependentSchemas").unwrap_or_default() {
            rules.push(Rule::With(name, id));
        }
        if let Some(rest) = self.below(at, raw, "unevaluatedProperties") {
            rules.push(Rule::OtherFields(rest));
        }
    }

    /// `dependencies` of draft-07: names, or a schema.
    fn dependencies(&mut self, document: &Rc<Document>, at: &At, raw: &Raw, rules: &mut Vec<Rule>) {
        for entry in entry(raw, "dependencies").map_or(&[][..], Raw::entries) {
            if matches!(entry.value.kind, RawKind::List { .. }) {
                rules.push(Rule::Needs(entry.key.clone(), self.words(document, &entry.value, "dependencies")));
            } else {
                let id = self.node(way(at, &["dependencies", &entry.key]));
                rules.push(Rule::With(entry.key.clone(), id));
            }
        }
    }

    fn words(&mut self, document: &Rc<Document>, raw: &Raw, name: &str) -> Vec<String> {
        let words: Vec<String> = raw.items().iter().filter_map(|item| item.text().map(str::to_owned)).collect();
        if words.len() != raw.items().len() || !matches!(raw.kind, RawKind::List { .. }) {
            let fix = if matches!(raw.kind, RawKind::Bool(_)) {
                "true and false are of draft-03: list the names on the schema around it"
            } else {
                ""
            };
            self.error(document, raw, format!("`{name}` is a list of names"), fix);
        }
        words
    }

    /// The schema under a key.
    fn below(&mut self, at: &At, raw: &Raw, name: &str) -> Option<NodeId> {
        entry(raw, name).map(|_| self.node(way(at, &[name])))
    }

    /// The schemas of a list under a key.
    fn schemas_in(&mut self, document: &Rc<Document>, at: &At, raw: &Raw, name: &str) -> Option<Vec<NodeId>> {
        let said = entry(raw, name)?;
        match &said.kind {
            RawKind::List { items, .. } if !items.is_empty() => {
                Some((0..items.len()).map(|index| self.node(way(at, &[name, &index.to_string()]))).collect())
            }
            _ => {
                self.error(document, said, format!("`{name}` is a list of schemas, at least one"), "");
                None
            }
        }
    }

    /// The schemas of a map under a key, each with its name and where that stands.
    #[expect(clippy::type_complexity, reason = "three things of one entry, read at once by both callers")]
    fn named(
        &mut self,
        document: &Rc<Document>,
        at: &At,
        raw: &Raw,
        name: &str,
    ) -> Option<Vec<(String, NodeId, (usize, usize))>> {
        let said = entry(raw, name)?;
        if !matches!(said.kind, RawKind::Map { .. }) {
            self.error(document, said, format!("`{name}` is a map of schemas by name"), "");
            return None;
        }
        if self.overfull(said.entries().len()) {
            return None;
        }
        let entries = said.entries().iter();
        Some(entries.map(|e| (e.key.clone(), self.node(way(at, &[name, &e.key])), (e.start, e.end))).collect())
    }

    fn reference(&mut self, document: &Rc<Document>, at: &At, raw: &Raw, name: &str, rules: &mut Vec<Rule>) {
        let Some(said) = entry(raw, name) else { return };
        let Some(text) = said.text() else {
            self.error(document, said, format!("`{name}` is text"), "");
            return;
        };
        match self.schemas.resolve(at, text, self.findings) {
            Ok(Some(there)) => rules.push(Rule::All(vec![self.node(there)])),
            Ok(None) => {}
            Err((cause, fix)) => {
                let place = document.source.place(said.start, said.end);
                let finding = Finding::error(&codes::SCHEMA_REFERENCE, place, cause);
                self.findings.push(if fix.is_empty() { finding } else { finding.fix(fix) });
            }
        }
    }
}

fn way(at: &At, more: &[&str]) -> At {
    (at.0, at.1.iter().cloned().chain(more.iter().map(|token| (*token).to_owned())).collect())
}
