//! Rules of a project's own: a condition in the expression language over a connector, a mapping, a
//! flow or a record, with what is done where it holds. One struct and one reader for all of them;
//! packs of rules for industries are the same, shipped as files.
//!
//! Rules over connectors, mappings and flows are looked at before anything moves ([`findings`]) and by
//! `audit check` ([`held`]). Rules over records become part of the mappings they concern
//! ([`attach`]), so that previews, tests, runs and replays all obey them at no further cost. Rules over
//! events become rules of the log ([`attach`] too): one evaluator runs those and tries them over history.
//!
//! A pack applies by itself where records are what it is about ([`shipped`]); whoever names it decides instead.

mod aliases;
mod attach;
mod condition;
mod events;
mod held;
mod objects;
mod protected;
mod shipped;
mod words;

use serde::Deserialize;
use serde_json::Value as Json;

use super::assess::Gravity;
use crate::config::{Mapping, Node, Project, Spanned};
use crate::error::codes::config::RULE_BAD;
use crate::error::{Finding, Findings, Place};
use crate::record::ClassId;

pub use aliases::{Aliases, Also};
pub use attach::attach;
pub use condition::Condition;
pub use held::{asks_approval, findings, held};
pub use shipped::{Applies, pack, packs};

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// Each connector.
    Connector,
    /// Each mapping.
    Mapping,
    /// Each mapping with its two ends.
    Flow,
    /// Each record that is read.
    Record,
    /// Each event of the log.
    Event,
}

impl On {
    /// The name that conditions call it by.
    pub fn word(self) -> &'static str {
        match self {
            Self::Connector => "connector",
            Self::Mapping => "mapping",
            Self::Flow => "flow",
            Self::Record => "record",
            Self::Event => "event",
        }
    }
}

/// What is done where a rule holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is an error: nothing moves (connectors, mappings, flows).
    Block,
    /// It is said and recorded.
    Warn,
    /// Somebody has to approve of each run (mappings, flows).
    Approve,
    /// The record goes to the dead letters.
    Park,
    /// The record is left out.
    Withhold,
    /// The run ends: nothing of the record's group is written, what was settled before stays. For events, the run that
    /// the event came from.
    Stop,
    /// Whoever is told of rules is told (events).
    Notify,
    /// Everybody who is told of anything is told (events).
    Alert,
    /// The route is disabled until somebody enables it again (events).
    Freeze,
    /// Fields of the record are masked.
    Mask(OneOrMany),
    /// Fields of the record are left out.
    Drop(OneOrMany),
    /// Fields of the record are replaced by initials.
    Anonymize(OneOrMany),
    /// A field of the record is replaced by a keyed token.
    Tokenize {
        /// The field.
        field: String,
        /// The name of the key; empty: there is none, and what was to become a token is refused.
        key: String,
    },
}

/// A text, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Many.
    Many(Vec<String>),
}

impl OneOrMany {
    /// All of them.
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// A rule, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name: what waivers, findings and the log call it by.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub about: Option<String>,
    /// What it looks at.
    pub on: On,
    /// The condition under which it is broken.
    pub when: String,
    /// Only mappings of these names (with `*`); none: all.
    #[serde(default)]
    pub mappings: Vec<String>,
    /// How grave it is.
    #[serde(default)]
    pub severity: Gravity,
    /// What is done; nothing: `block` before anything moves, `park` for records, `warn` for events.
    #[serde(default, rename = "action", deserialize_with = "actions")]
    pub actions: Vec<Action>,
    /// Events are counted apart by what this gives; nothing: by action and route.
    #[serde(default)]
    pub group_by: Option<String>,
    /// Classes of data: a target that is cleared for all of them is none of its business.
    #[serde(default)]
    pub unless_cleared: Vec<String>,
    /// What is said.
    #[serde(default)]
    pub message: Option<String>,
    /// What to do about it.
    #[serde(default)]
    pub fix: Option<String>,
    /// The control that it serves.
    #[serde(default)]
    pub control: Option<String>,
    /// Whether it is in force.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Its own tests.
    #[serde(default)]
    pub tests: Vec<Test>,
    /// Whether it holds only where somebody names its pack: elsewhere the flow check says the same.
    #[serde(default)]
    pub only_named: bool,
    /// Where it stands; a shipped rule stands in none of the project's files.
    #[serde(skip)]
    pub place: Option<Place>,
    /// The pack it is from.
    #[serde(skip)]
    pub pack: Option<Applies>,
    /// What else its fields are called.
    #[serde(skip)]
    pub also: Aliases,
}

/// One action, or a list of them.
fn actions<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Action>, D::Error> {
    let json = Json::deserialize(deserializer)?;
    let one = |json: Json| serde_json::from_value(json).map_err(serde::de::Error::custom);
    match json {
        Json::Array(items) => items.into_iter().map(one).collect(),
        other => Ok(vec![one(other)?]),
    }
}

fn yes() -> bool {
    true
}

/// A test of a rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// What it shows.
    pub name: String,
    /// What is looked at.
    pub given: Json,
    /// Classes of fields, for `tag`.
    #[serde(default)]
    pub tags: std::collections::BTreeMap<String, Vec<String>>,
    /// Whether the rule holds for it.
    pub fires: bool,
}

/// An entry of `compliance: { rules }` that is a pack.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Uses {
    #[serde(rename = "use")]
    pack: String,
    #[serde(default)]
    mappings: Vec<String>,
    #[serde(default)]
    except: Vec<String>,
    /// The key that takes the place of the pack's own.
    #[serde(default)]
    key: Option<String>,
    /// What the fields of the pack are called here.
    #[serde(default)]
    fields: std::collections::BTreeMap<String, OneOrMany>,
    /// Whether it applies; `false` switches off what applies by itself.
    #[serde(default = "yes")]
    enabled: bool,
}

/// That somebody said of a pack whether it applies: then it does not by itself.
struct Decided {
    pack: String,
    /// Of these mappings alone; none: of all.
    mappings: Vec<String>,
}

/// The rules in force in a project and over its mappings, packs taken apart, those that apply by themselves
/// among them; and what is wrong with those that cannot be read.
pub fn of(project: &Project, mappings: &[Mapping]) -> (Vec<Rule>, Findings) {
    let (mut rules, mut findings, mut decided) = (Vec::new(), Findings::new(), Vec::new());
    for entry in &project.compliance.rules.custom {
        match one(entry) {
            Ok((read, said)) => {
                rules.extend(read);
                decided.extend(said);
            }
            Err(cause) => findings.push(Finding::error(&RULE_BAD, entry.place.clone(), cause).fix(
                "write `name`, `on` and `when`, or `use` with the name of a pack; docs/guide/standards.md has examples",
            )),
        }
    }
    rules.retain(|rule| match fault(rule) {
        None => rule.enabled,
        Some(fault) => {
            let cause = format!("the rule `{}`{fault}", rule.name);
            findings.push(Finding::error(&RULE_BAD, rule.place.clone(), cause));
            false
        }
    });
    rules.extend(shipped::by_themselves(project, mappings, &decided));
    (rules, findings)
}

/// What is wrong with a rule that could be read.
fn fault(rule: &Rule) -> Option<String> {
    let compiled = match rule.on {
        On::Event => events::compiled(rule).map(drop),
        on => words::expand(rule, None).and_then(|text| Condition::compile(on.word(), &text)).map(drop),
    };
    if let Err(fault) = compiled {
        return Some(format!(": {fault}"));
    }
    let unknown = rule.unless_cleared.iter().find(|name| ClassId::named(name).is_none());
    if let Some(name) = unknown {
        return Some(format!(": there is no class `{name}`"));
    }
    if rule.group_by.is_some() && rule.on != On::Event {
        return Some(": `group_by` counts events apart".into());
    }
    let fits = |action: &Action| match (action, rule.on) {
        (Action::Warn, _) => true,
        (Action::Block, on) => !matches!(on, On::Record | On::Event),
        (Action::Approve, on) => matches!(on, On::Mapping | On::Flow),
        (Action::Notify | Action::Alert | Action::Freeze, on) => on == On::Event,
        (Action::Stop, on) => matches!(on, On::Record | On::Event),
        (_, on) => on == On::Record,
    };
    let lost = !rule.actions.iter().all(fits);
    lost.then(|| format!(" is on a {}, about which this action can do nothing", rule.on.word()))
}

/// The rules of an entry, and of which pack it decides.
fn one(entry: &Spanned<Node>) -> Result<(Vec<Rule>, Vec<Decided>), String> {
    let json = json(&entry.value);
    if json.get("use").is_some() {
        let uses: Uses = serde_json::from_value(json).map_err(|error| error.to_string())?;
        let known: Vec<&str> = packs().collect();
        if uses.pack == "*" && !uses.enabled {
            let decided = |pack: &&str| Decided { pack: (*pack).to_owned(), mappings: uses.mappings.clone() };
            return Ok((Vec::new(), known.iter().map(decided).collect()));
        }
        let mut rules = pack(&uses.pack)
            .ok_or_else(|| format!("there is no pack of rules `{}`: there are {}", uses.pack, known.join(", ")))?;
        if !uses.enabled {
            return Ok((Vec::new(), vec![Decided { pack: uses.pack, mappings: uses.mappings }]));
        }
        if let Some((unknown, _)) =
            uses.fields.iter().find(|(field, _)| !rules.iter().any(|rule| rule.also.contains_key(*field)))
        {
            let known: Vec<&str> = rules.iter().flat_map(|rule| rule.also.keys().map(String::as_str)).collect();
            return Err(match known.is_empty() {
                true => format!("the pack `{}` has no fields with other names", uses.pack),
                false => {
                    format!("the pack `{}` has no field `{unknown}`: there are {}", uses.pack, aliases::listed(known))
                }
            });
        }
        rules.retain(|rule| !uses.except.contains(&rule.name));
        for rule in &mut rules {
            rule.place = Some(entry.place.clone());
            rule.pack = Some(Applies { pack: uses.pack.clone(), because: std::collections::BTreeMap::new() });
            if !uses.mappings.is_empty() {
                rule.mappings.clone_from(&uses.mappings);
            }
            for (field, names) in &uses.fields {
                rule.also.insert(field.clone(), Also::only(names.all()));
            }
            for action in &mut rule.actions {
                if let (Action::Tokenize { key, .. }, Some(own)) = (action, &uses.key) {
                    key.clone_from(own);
                }
            }
        }
        return Ok((rules, vec![Decided { pack: uses.pack, mappings: Vec::new() }]));
    }
    let mut rule: Rule = serde_json::from_value(json).map_err(|error| format!("this is no rule: {error}"))?;
    rule.place = Some(match &entry.value {
        Node::Map(entries) => {
            let when = entries.iter().find(|(key, _)| key.value == "when");
            when.map_or_else(|| entry.place.clone(), |(_, node)| node.place.clone())
        }
        _ => entry.place.clone(),
    });
    Ok((vec![rule], Vec::new()))
}

/// A tree as JSON; references as they are written.
fn json(node: &Node) -> Json {
    match node {
        Node::Null => Json::Null,
        Node::Bool(truth) => Json::Bool(*truth),
        Node::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone())),
        Node::Text(text) => Json::String(text.as_literal().map_or_else(|| text.to_string(), str::to_owned)),
        Node::List(items) => items.iter().map(|item| json(&item.value)).collect(),
        Node::Map(entries) => {
            Json::Object(entries.iter().map(|(key, node)| (key.value.clone(), json(&node.value))).collect())
        }
    }
}

impl Rule {
    /// Whether it concerns a mapping of that name.
    pub fn concerns(&self, mapping: &str) -> bool {
        self.mappings.is_empty() || self.mappings.iter().any(|pattern| fits(pattern, mapping))
    }

    /// What is said of it.
    pub fn said(&self) -> String {
        let what = self.message.as_ref().or(self.about.as_ref()).unwrap_or(&self.when);
        let control = self.control.as_ref().map_or(String::new(), |control| format!(" ({control})"));
        format!("rule `{}`: {}{control}", self.name, what.trim_end_matches('.'))
    }

    /// Whether this is among what is done.
    pub fn does(&self, action: &Action) -> bool {
        self.actions.contains(action)
    }

    /// Whether it applies by itself to mappings of that name.
    pub fn by_itself(&self, mapping: &str) -> bool {
        self.pack.as_ref().is_some_and(|pack| pack.because.contains_key(mapping))
    }

    /// What is done, in a few words.
    pub fn deed(&self) -> String {
        let all = |fields: &OneOrMany| fields.all().join(", ");
        let told = |action: &Action| match action {
            Action::Block => "stops everything before it moves".to_owned(),
            Action::Warn => "says so".into(),
            Action::Approve => "asks for an approval".into(),
            Action::Park => "sets records aside".into(),
            Action::Withhold => "withholds records".into(),
            Action::Stop => "ends the run".into(),
            Action::Notify => "tells whoever is told of rules".into(),
            Action::Alert => "tells everybody".into(),
            Action::Freeze => "disables the route".into(),
            Action::Mask(fields) => format!("masks {}", all(fields)),
            Action::Drop(fields) => format!("leaves out {}", all(fields)),
            Action::Anonymize(fields) => format!("leaves initials of {}", all(fields)),
            Action::Tokenize { field, key } if key.is_empty() => {
                format!("sets records with {field} aside: no key for tokens")
            }
            Action::Tokenize { field, key } => format!("writes tokens for {field} (key {key})"),
        };
        match self.actions.is_empty() {
            false => self.actions.iter().map(told).collect::<Vec<_>>().join(", "),
            true => told(match self.on {
                On::Record => &Action::Park,
                On::Event => &Action::Warn,
                _ => &Action::Block,
            }),
        }
    }

    /// Runs its tests; what does not come out as they say.
    pub fn failures(&self) -> Vec<String> {
        if self.on == On::Event {
            return events::failures(self);
        }
        let run = |test: &Test| -> Result<bool, String> {
            let text = words::expand(self, Some(&words::Known::of_test(test)))?;
            Ok(Condition::compile(self.on.word(), &text)?.holds(&test.given))
        };
        let came = |test: &Test| match run(test) {
            Ok(fires) if fires == test.fires => None,
            Ok(fires) => Some(format!("test `{}`: it {}", test.name, if fires { "holds" } else { "does not hold" })),
            Err(cause) => Some(format!("test `{}`: {cause}", test.name)),
        };
        self.tests.iter().filter_map(came).collect()
    }
}

/// Whether a name fits a pattern with `*`.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((begin, rest)) => name.strip_prefix(begin).is_some_and(|left| {
            rest.is_empty()
                || (0..=left.len()).filter(|at| left.is_char_boundary(*at)).any(|at| fits(rest, &left[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pack_is_read_and_its_tests_hold() {
        for name in packs() {
            let rules = pack(name).unwrap_or_else(|| panic!("{name}.yaml cannot be read"));
            for rule in &rules {
                assert_eq!(fault(rule), None, "{name}: {}", rule.name);
                assert_eq!(rule.failures(), Vec::<String>::new(), "{name}: {}", rule.name);
                assert!(
                    rule.tests.iter().any(|test| test.fires) && rule.tests.iter().any(|test| !test.fires),
                    "{name}: {} needs both",
                    rule.name
                );
                assert!(rule.about.is_some(), "{name}: {}", rule.name);
            }
        }
    }

    #[test]
    fn patterns_fit_names() {
        for (pattern, name, expected) in [
            ("orders", "orders", true),
            ("orders", "orders2", false),
            ("dealer-*", "dealer-customers", true),
            ("*-customers", "dealer-customers", true),
            ("d*c*s", "dealer-customers", true),
            ("*", "", true),
            ("a*", "b", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
