//! How one target field comes about: its source, its steps, and the way of each data class.

use super::protect::Protected;
use super::route::{Flow, Route};
use crate::config::{FieldRule, Make, Over};
use crate::error::Place;

/// The story of one target field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Its path.
    pub target: String,
    /// Where the rule stands.
    pub place: Place,
    /// The source path, if it has one.
    pub source: Option<String>,
    /// The source's type, as far as it is known.
    pub source_kind: Option<String>,
    /// Whether a default stands in for an absent source.
    pub has_default: bool,
    /// The transform as written.
    pub transform: Option<String>,
    /// Whether an absent result rejects the record.
    pub required: bool,
    /// The conditions as written.
    pub validate: Vec<String>,
    /// The type of the result, as far as it is known.
    pub kind: String,
    /// What is known of its data classes.
    pub flow: Flow,
    /// What is done to its value for the sake of its classes.
    pub protected: Vec<Protected>,
}

/// Explains a target field; `Err` has the names of those that exist.
///
/// # Errors
/// If no rule writes the field.
pub fn explain(route: &Route, field: &str) -> Result<Explained, Vec<String>> {
    let Some(leaf) = route.leaves.iter().find(|leaf| leaf.target.to_string() == field).or_else(|| route.leaf(field))
    else {
        return Err(route.leaves.iter().map(|leaf| leaf.target.to_string()).collect());
    };
    let written = &leaf.rule;
    Ok(Explained {
        target: leaf.target.to_string(),
        place: written.place.clone(),
        source: leaf.source.as_ref().or(written.source.as_ref().map(|path| &path.value)).map(ToString::to_string),
        source_kind: leaf.source_kind.as_ref().map(ToString::to_string),
        has_default: written.default.is_some(),
        transform: made(written),
        required: written.required,
        validate: written.validate.iter().map(|check| check.that.text.clone()).collect(),
        kind: leaf.kind.to_string(),
        flow: leaf.flow.clone(),
        protected: leaf.protected.clone(),
    })
}

/// How the result is made, as written.
fn made(rule: &FieldRule) -> Option<String> {
    Some(match &rule.make {
        Make::Value => return None,
        Make::Transform(transform) => transform.text.clone(),
        Make::Constant(_) => "a constant".into(),
        Make::Table(table) => format!("switch with {} cases", table.cases.len()),
        Make::Cases(cases) => format!("switch with {} conditions", cases.iter().filter(|c| c.when.is_some()).count()),
        Make::Object(_) => "an object".into(),
        Make::List(list) => format!("a list of {} objects", list.elements.len()),
        Make::ForEach(each) => match &each.over {
            Over::Path(path) => format!("for each of {}", path.value),
            Over::Expression(written) => format!("for each of {}", written.text.trim()),
        },
    })
}
