//! Names that governance speaks of and that have to exist: keys, connectors, streams.

use super::{Action, ConsentSource, Processing, Protect};
use crate::config::{Mapping, Project, Spanned};
use crate::error::codes::config as codes;
use crate::error::{Finding, Findings};
use crate::record::Purpose;

/// What is named and does not exist, or is for something else.
pub fn names(project: &Project, mappings: &[Mapping]) -> Findings {
    let mut findings = Findings::new();
    let rules = &project.compliance.rules;
    for protect in rules.protect.iter().chain(mappings.iter().flat_map(|mapping| &mapping.compliance.protect)) {
        findings.extend(key(project, protect));
    }
    for name in rules.destinations.iter().flatten() {
        findings.extend(connector(project, name));
    }
    for mapping in mappings {
        findings.extend(looked_up(project, &mapping.compliance));
    }
    findings
}

/// Whether the key of a protection is declared, and for that.
fn key(project: &Project, protect: &Protect) -> Option<Finding> {
    let name = protect.key.as_ref()?;
    let keys = &project.compliance.keys;
    let Some(key) = keys.iter().find(|key| key.name == name.value) else {
        let cause = format!("there is no key `{}`", name.value);
        let mut finding = Finding::error(&codes::BAD_VALUE, name.place.clone(), cause)
            .did_you_mean(&name.value, keys.iter().map(|key| key.name.as_str()));
        finding.fix.get_or_insert_with(|| "declare it under `compliance: { keys }`".into());
        return Some(finding);
    };
    let wanted = protect.action.purpose()?;
    if key.purpose == wanted {
        return None;
    }
    let cause = format!(
        "the key `{}` is for `{}`, and `{}` needs one for `{}`",
        name.value,
        key.purpose.word(),
        protect.action.word(),
        wanted.word()
    );
    Some(Finding::error(&codes::BAD_VALUE, name.place.clone(), cause).fix("name another key: each serves one purpose"))
}

fn connector(project: &Project, name: &Spanned<String>) -> Option<Finding> {
    if project.connectors.contains_key(&name.value) {
        return None;
    }
    let cause = format!("there is no connector `{}`", name.value);
    let known = project.connectors.keys().map(String::as_str);
    Some(Finding::error(&codes::UNKNOWN_CONNECTOR, name.place.clone(), cause).did_you_mean(&name.value, known))
}

fn looked_up(project: &Project, processing: &Processing) -> Option<Finding> {
    let ConsentSource::Stream(stream) = &processing.consent.as_ref()?.lookup.as_ref()?.from else { return None };
    connector(project, &Spanned { value: stream.connector.clone(), place: stream.place.clone() })
}

impl Action {
    /// What the key of an action is for, where it needs one.
    pub fn purpose(self) -> Option<Purpose> {
        match self {
            Self::Tokenize | Self::Pseudonymize => Some(Purpose::Token),
            Self::Fpe => Some(Purpose::Format),
            Self::Encrypt => Some(Purpose::Encrypt),
            Self::EncryptSiv => Some(Purpose::Join),
            Self::RandomToken => Some(Purpose::Vault),
            Self::Allow | Self::Mask | Self::Truncate | Self::Generalize | Self::Drop | Self::Park | Self::Block => {
                None
            }
        }
    }
}
