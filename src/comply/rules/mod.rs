//! Rules of a project's own: a condition in the expression language over a connector, a mapping, a
//! flow or a record, with what is done where it holds. One struct and one reader for all of them;
//! packs of rules for industries are the same, shipped as files.
//!
//! Rules over connectors, mappings and flows are looked at before anything moves ([`findings`]) and by
//! `audit check` ([`held`]). Rules over records become part of the mappings they concern
//! ([`attach`]), so that previews, tests, runs and replays all obey them at no further cost. Rules over
//! events are tried over history here; while events are recorded, those of `audit: { rules }` work.

mod attach;
mod condition;
mod held;
mod objects;
mod words;

use serde::Deserialize;
use serde_json::Value as Json;

use super::assess::Gravity;
use crate::config::{Node, Project, Spanned, yaml};
use crate::error::codes::config::RULE_BAD;
use crate::error::{Finding, Findings, Place};

pub use attach::attach;
pub use condition::Condition;
pub use held::{findings, held};

/// The packs of rules that are shipped, by name.
const PACKS: &[(&str, &str)] = &[
    ("dealers", include_str!("dealers.yaml")),
    ("health", include_str!("health.yaml")),
    ("payments", include_str!("payments.yaml")),
    ("accounts", include_str!("accounts.yaml")),
    ("inventory", include_str!("inventory.yaml")),
];

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
    /// The record goes to the dead letters, and the run ends.
    Stop,
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
        /// The name of the key.
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
    #[serde(default)]
    pub action: Option<Action>,
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
    /// Where it stands; a shipped rule stands in none of the project's files.
    #[serde(skip)]
    pub place: Option<Place>,
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

/// A pack of rules.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pack {
    #[expect(dead_code, reason = "said for who reads the file")]
    about: String,
    rules: Vec<Rule>,
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
}

/// The names of the packs that are shipped.
pub fn packs() -> impl Iterator<Item = &'static str> {
    PACKS.iter().map(|(name, _)| *name)
}

/// The rules of a shipped pack.
pub fn pack(name: &str) -> Option<Vec<Rule>> {
    let (_, text) = PACKS.iter().find(|(own, _)| *own == name)?;
    yaml::read::<Pack>(text).ok().map(|pack| pack.rules)
}

/// The rules in force in a project, packs taken apart; and what is wrong with those that cannot be read.
pub fn of(project: &Project) -> (Vec<Rule>, Findings) {
    let (mut rules, mut findings) = (Vec::new(), Findings::new());
    for entry in &project.compliance.rules.custom {
        match one(entry) {
            Ok(read) => rules.extend(read),
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
    (rules, findings)
}

/// What is wrong with a rule that could be read.
fn fault(rule: &Rule) -> Option<String> {
    let compiled = words::expand(rule, None).and_then(|text| Condition::compile(rule.on.word(), &text));
    if let Err(fault) = compiled {
        return Some(format!(": {fault}"));
    }
    let fits = match (&rule.action, rule.on) {
        (None | Some(Action::Warn), _) => true,
        (Some(Action::Block), on) => !matches!(on, On::Record | On::Event),
        (Some(Action::Approve), on) => matches!(on, On::Mapping | On::Flow),
        (Some(_), on) => on == On::Record,
    };
    (!fits).then(|| format!(" is on a {}, about which this action can do nothing", rule.on.word()))
}

fn one(entry: &Spanned<Node>) -> Result<Vec<Rule>, String> {
    let json = json(&entry.value);
    if json.get("use").is_some() {
        let uses: Uses = serde_json::from_value(json).map_err(|error| error.to_string())?;
        let known: Vec<&str> = packs().collect();
        let mut rules = pack(&uses.pack)
            .ok_or_else(|| format!("there is no pack of rules `{}`: there are {}", uses.pack, known.join(", ")))?;
        rules.retain(|rule| !uses.except.contains(&rule.name));
        for rule in &mut rules {
            rule.place = Some(entry.place.clone());
            if !uses.mappings.is_empty() {
                rule.mappings.clone_from(&uses.mappings);
            }
            if let (Some(Action::Tokenize { key, .. }), Some(own)) = (&mut rule.action, &uses.key) {
                key.clone_from(own);
            }
        }
        return Ok(rules);
    }
    let mut rule: Rule = serde_json::from_value(json).map_err(|error| format!("this is no rule: {error}"))?;
    rule.place = Some(match &entry.value {
        Node::Map(entries) => {
            let when = entries.iter().find(|(key, _)| key.value == "when");
            when.map_or_else(|| entry.place.clone(), |(_, node)| node.place.clone())
        }
        _ => entry.place.clone(),
    });
    Ok(vec![rule])
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

    /// Runs its tests; what does not come out as they say.
    pub fn failures(&self) -> Vec<String> {
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
        for (name, text) in PACKS {
            let read = yaml::read::<Pack>(text).unwrap_or_else(|error| panic!("{name}.yaml: {error:?}"));
            for rule in &read.rules {
                assert_eq!(rule.failures(), Vec::<String>::new(), "{name}: {}", rule.name);
                assert!(
                    rule.tests.iter().any(|test| test.fires) && rule.tests.iter().any(|test| !test.fires),
                    "{name}: {} needs both",
                    rule.name
                );
                assert!(rule.about.is_some(), "{name}: {}", rule.name);
            }
            assert!(pack(name).is_some());
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
