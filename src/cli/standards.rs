//! Which standards a command is about: those that are named, or else those of the project, its own among
//! them. One way for `audit check` and for the reports that follow from it.

use super::context::Context;
use crate::comply::standards::{self, Standard};
use crate::config::{Found, Project};
use crate::error::codes::audit::{STANDARD_BAD, STANDARD_UNKNOWN};
use crate::error::{Error, Kind, Place, Result};

/// The standards of these names; of none: those that the project and its connectors are held to, and
/// where there are none of these either, all.
///
/// # Errors
/// There is no such standard, or a file of the project's own cannot be read.
pub(super) fn wanted(
    project: &Project,
    found: &Found,
    names: &[String],
    context: &Context<'_>,
) -> Result<Vec<&'static Standard>> {
    let own = own(project, found)?;
    let all = || standards::all().iter().chain(own.iter().copied());
    let of_connectors = project.connectors.values().flat_map(|connector| &connector.standards);
    let declared: Vec<&String> = project.compliance.standards.iter().chain(of_connectors).collect();
    let names = if names.is_empty() { declared } else { names.iter().collect() };
    let mut wanted: Vec<&'static Standard> = Vec::new();
    for name in names {
        let Some(standard) = all().find(|standard| standard.answers_to(name)) else {
            let known: Vec<&str> = all().map(|standard| standard.name.as_str()).collect();
            let error = Error::new(Kind::Invalid, &STANDARD_UNKNOWN, format!("there is no standard `{name}`"))
                .hint(format!("there are {}; a file in `standards/` makes one of your own", known.join(", ")));
            return Err(error);
        };
        if !wanted.iter().any(|one| one.name == standard.name) {
            wanted.push(standard);
        }
    }
    if wanted.is_empty() {
        context.ui.note("the project names no standards: all are checked");
        wanted.extend(all());
    }
    Ok(wanted)
}

/// The standards that the project brings along. They live as long as the process.
fn own(project: &Project, found: &Found) -> Result<Vec<&'static Standard>> {
    let folder = match &project.compliance.rules.standards_dir {
        Some(said) => project.root.join(&said.value),
        None => project.root.join("standards"),
    };
    let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(Vec::new()) };
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml"));
    files.sort();
    let mut read = Vec::new();
    for path in files {
        let name = crate::config::discover::shown(&path, &found.stand);
        let text = std::fs::read_to_string(&path).map_err(|e| Error::io(format!("reading `{name}`"), e))?;
        let standard = standards::read(&text).map_err(|(cause, line, column)| {
            let place = Place { file: name.clone(), line, column, width: 1, source: String::new() };
            Error::new(Kind::Invalid, &STANDARD_BAD, format!("the standard cannot be read: {cause}")).at(place)
        })?;
        read.push(&*Box::leak(Box::new(standard)));
    }
    Ok(read)
}
