//! Where a project's files are: `connectors.yaml`, looked for upwards, and `mappings/` beside it.

use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result, codes::config as codes};

/// The names of the file, best first.
const NAMES: [&str; 3] = ["connectors.yaml", "connectors.yml", EXAMPLE];
/// What the repository ships; used where nothing else is there.
const EXAMPLE: &str = "connectors.yaml.example";
/// The name of folders below `mappings/` whose files are no mappings: mappings include them.
pub const FRAGMENTS: &str = "fragments";
/// How deep folders below `mappings/` are looked through.
const DEPTH: usize = 8;

/// A project's files, found but not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The folder of `connectors.yaml`.
    pub root: PathBuf,
    /// The file.
    pub file: PathBuf,
    /// Whether it is the example that the repository ships: say so to the user.
    pub is_example: bool,
    /// Every `*.yaml` and `*.yml` below `mappings/`, sorted, but those in folders called `fragments`.
    pub mappings: Vec<PathBuf>,
    /// Where the user stands: names of files are shown relative to it.
    pub stand: PathBuf,
}

/// Finds a project: the file or folder that was named, else the nearest `connectors.yaml` from
/// `start` upwards, up to the root of the repository or of the file system.
///
/// # Errors
/// If there is none, or the one that was named is not there.
pub fn discover(start: &Path, explicit: Option<&Path>) -> Result<Found> {
    let stand = start.to_path_buf();
    if let Some(named) = explicit {
        let named = start.join(named);
        if named.is_dir() {
            return in_folder(&named).map_or_else(
                || Err(none(format!("there is no connectors.yaml in {}", shown(&named, start)))),
                |file| found(file, stand),
            );
        }
        if !named.is_file() {
            return Err(none(format!("there is no file {}", shown(&named, start))).hint(
                "`consign init` writes a project's file; without `--config` and CONSIGN_CONFIG it is looked for",
            ));
        }
        return found(named, stand);
    }
    for folder in start.ancestors() {
        if let Some(file) = in_folder(folder) {
            return found(file, stand);
        }
        if folder.join(".git").exists() {
            break;
        }
    }
    Err(none("no connectors.yaml was found here or in a folder above, up to the root of the repository".into())
        .hint("`consign init` writes one; `--config FILE` or CONSIGN_CONFIG names one elsewhere"))
}

fn none(cause: String) -> Error {
    Error::new(Kind::Invalid, &codes::NO_PROJECT, cause)
}

fn in_folder(folder: &Path) -> Option<PathBuf> {
    NAMES.iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

fn found(file: PathBuf, stand: PathBuf) -> Result<Found> {
    let root = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let is_example = file.file_name().is_some_and(|name| name == EXAMPLE);
    let mut mappings = Vec::new();
    collect(&root.join("mappings"), 0, &mut mappings)
        .map_err(|error| Error::io(format!("looking through {}", root.join("mappings").display()), error))?;
    mappings.sort();
    Ok(Found { root, file, is_example, mappings, stand })
}

fn collect(folder: &Path, depth: usize, out: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        let left = |name: &str| name.starts_with('.') || (name == FRAGMENTS && path.is_dir());
        if path.file_name().is_none_or(|name| left(&name.to_string_lossy())) {
            continue;
        }
        // A link to a folder is not followed: it could lead round in a circle.
        if path.is_dir() && !path.is_symlink() && depth < DEPTH {
            collect(&path, depth + 1, out)?;
        } else if path.is_file() && path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
            out.push(path);
        }
    }
    Ok(())
}

/// A path as the user would name it: relative to where they stand, if it lies below.
pub fn shown(path: &Path, stand: &Path) -> String {
    path.strip_prefix(stand).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_up_to_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let make = |path: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "version: 1\n").unwrap();
        };
        make("connectors.yaml");
        make("repo/.git/HEAD");
        make("repo/a/b/x.txt");
        assert_eq!(discover(&root.join("repo/a/b"), None).unwrap_err().code().id, "config-no-project");
        make("repo/connectors.yaml.example");
        make("repo/mappings/z.yaml");
        make("repo/mappings/sub/a.yml");
        make("repo/mappings/.hidden.yaml");
        make("repo/mappings/fragments/address.yaml");
        make("repo/mappings/readme.md");
        let found = discover(&root.join("repo/a/b"), None).unwrap();
        assert!(found.is_example);
        let names: Vec<_> = found.mappings.iter().map(|path| shown(path, &found.root)).collect();
        assert_eq!(names, ["mappings/sub/a.yml", "mappings/z.yaml"]);
        make("repo/connectors.yaml");
        let found = discover(&root.join("repo"), None).unwrap();
        assert!(!found.is_example);
        assert_eq!(shown(&found.file, &found.stand), "connectors.yaml");
        assert_eq!(discover(root, Some(Path::new("repo"))).unwrap().root, root.join("repo"));
        assert!(discover(root, Some(Path::new("nowhere.yaml"))).is_err());
    }
}
