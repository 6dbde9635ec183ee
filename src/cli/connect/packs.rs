//! What verbs about packs share: finding the pack that a name stands for, and a connector with its pack.

use std::path::Path;

use crate::cli::context::{Context, catalog};
use crate::config::yaml;
use crate::config::{Connector, Project, ProtocolSpec, Shelf as _, Source};
use crate::connect::pack::{PackProtocol, SHELF};
use crate::error::{Error, Finding, Kind, Result, codes, nearest};

/// The pack behind a description.
pub(super) fn pack_of(spec: &'static ProtocolSpec) -> Option<&'static PackProtocol> {
    spec.plugin.and_then(|plugin| plugin.downcast_ref::<PackProtocol>())
}

/// What a name stands for: a connector of the project, a built-in pack, or the file of a pack.
pub(super) struct Chosen {
    /// The name, as it was given.
    pub(super) name: String,
    /// The description of the pack.
    pub(super) spec: &'static ProtocolSpec,
    /// The connector, if it is one.
    pub(super) connector: Option<Connector>,
}

/// What a name stands for.
///
/// # Errors
/// If there is nothing of that name, or it is no pack.
pub(super) fn chosen(name: &str, context: &Context<'_>) -> Result<Chosen> {
    if is_file(name) {
        let mut findings = Vec::new();
        let spec = from_file(Path::new(name), &mut findings)?;
        return match spec {
            Some(spec) => Ok(Chosen { name: name.to_owned(), spec, connector: None }),
            None => Err(Error::findings(
                Kind::Invalid,
                &codes::config::INVALID,
                format!("the pack {name} has errors"),
                findings,
            )),
        };
    }
    let project = context.find().ok().and_then(|found| context.load(&found).project);
    if let Some(connector) = project.as_ref().and_then(|project| project.connectors.get(name)) {
        let Some(spec) = connector.spec.filter(|spec| pack_of(spec).is_some()) else {
            let cause = format!("`{name}` uses `{}`, which is no pack", connector.uses.value);
            return Err(Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, cause)
                .hint("`consign connect list --packs` shows the built-in packs"));
        };
        return Ok(Chosen { name: name.to_owned(), spec, connector: Some(connector.clone()) });
    }
    if let Some(spec) = SHELF.take(name) {
        return Ok(Chosen { name: name.to_owned(), spec, connector: None });
    }
    let known: Vec<String> = project
        .iter()
        .flat_map(|project| project.connectors.keys().cloned())
        .chain(SHELF.names().into_iter().map(str::to_owned))
        .collect();
    let error =
        Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, format!("there is no connector and no pack `{name}`"));
    Err(match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`consign connect list` lists connectors, with `--packs` the built-in packs"),
    })
}

/// Whether a name is the path of a file.
pub(super) fn is_file(name: &str) -> bool {
    name.contains('/') || name.ends_with(".yaml") || name.ends_with(".yml")
}

/// The pack that stands in a file; `None` if it has errors, which are among the findings then.
///
/// # Errors
/// If the file cannot be read.
pub(super) fn from_file(path: &Path, findings: &mut Vec<Finding>) -> Result<Option<&'static ProtocolSpec>> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|e| Error::io(format!("reading `{name}`"), e).into_kind(Kind::Invalid))?;
    let text = match yaml::text(&name, bytes) {
        Ok(text) => text,
        Err(finding) => {
            findings.push(*finding);
            return Ok(None);
        }
    };
    let source = Source::guarded(name, text);
    let Some(raw) = yaml::parse(&source, findings) else { return Ok(None) };
    Ok(catalog().shelf.and_then(|shelf| shelf.read(&source, &raw, findings)))
}

/// A connector of the project, references filled in.
///
/// # Errors
/// An unknown name, or a reference that leads nowhere.
pub(super) fn connector(name: &str, context: &Context<'_>) -> Result<(Project, Connector)> {
    let (project, _) = context.project()?;
    let Some(connector) = project.connectors.get(name) else {
        let cause = format!("there is no connector `{name}` in {}", project.file);
        let error = Error::new(Kind::Invalid, &codes::cli::UNKNOWN_NAME, cause);
        return Err(match nearest(name, project.connectors.keys().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`consign connect list` lists them"),
        });
    };
    let filled = context.fill_in(&project, connector)?;
    Ok((project, filled))
}
