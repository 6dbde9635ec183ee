//! How one target field comes about: its source, its steps, and the way of each data class.

use super::route::{Flow, Route};
use crate::config::Mapping;
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
}

/// Explains a target field; `Err` has the names of those that exist.
///
/// # Errors
/// If no rule writes the field.
pub fn explain<'r>(route: &'r Route, mapping: &Mapping, field: &str) -> Result<Explained, Vec<&'r str>> {
    let Some(index) = route.targets().position(|target| target == field) else {
        return Err(route.targets().collect());
    };
    let (rule, written) = (&route.rules[index], &mapping.fields[index]);
    Ok(Explained {
        target: rule.target.clone(),
        place: written.place.clone(),
        source: rule.source.as_ref().map(ToString::to_string),
        source_kind: rule.slot.map(|slot| route.projection.types[slot].to_string()),
        has_default: rule.default.is_some(),
        transform: written.transform.as_ref().map(|transform| transform.text.clone()),
        required: rule.required,
        validate: written.validate.iter().map(|condition| condition.text.clone()).collect(),
        kind: route.columns[index].kind.to_string(),
        flow: route.flows[index].clone(),
    })
}
