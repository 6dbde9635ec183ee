//! What was found when systems were last asked how they are: one small file beside the database, for
//! `connect list`. It decides nothing, so a lost one is no loss.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::folder::{Folder, replace_file};
use crate::error::{Error, Result};

/// How a system was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The word: `healthy`, `degraded`, `unhealthy`.
    pub state: String,
    /// When, seconds since 1970.
    pub at: i64,
    /// How long the answer took, in milliseconds.
    #[serde(default)]
    pub took_ms: Option<u64>,
}

/// What is known, by connector. What cannot be read counts as nothing.
pub fn known(state: &Path) -> BTreeMap<String, Seen> {
    let text = std::fs::read(path(state)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Keeps what was found, beside what is known of others.
///
/// # Errors
/// The state folder cannot be made or written.
pub fn keep(state: &Path, found: BTreeMap<String, Seen>) -> Result<()> {
    Folder::at(state).prepare(false)?;
    let mut all = known(state);
    all.extend(found);
    let text = serde_json::to_vec(&all).map_err(|e| Error::bug(e.to_string()))?;
    replace_file(&path(state), &text)
}

fn path(state: &Path) -> PathBuf {
    Folder::at(state).root.join("health.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_kept_beside_what_is_known() {
        let temp = tempfile::tempdir().unwrap();
        let seen = |state: &str, at| Seen { state: state.into(), at, took_ms: Some(3) };
        keep(temp.path(), BTreeMap::from([("a".into(), seen("healthy", 1)), ("b".into(), seen("healthy", 1))]))
            .unwrap();
        keep(temp.path(), BTreeMap::from([("a".into(), seen("unhealthy", 2))])).unwrap();
        let all = known(temp.path());
        assert_eq!((all["a"].state.as_str(), all["b"].at), ("unhealthy", 1));
        for text in ["", "{", "[]", r#"{"a":{"state":1}}"#] {
            std::fs::write(path(temp.path()), text).unwrap();
            assert!(known(temp.path()).is_empty(), "{text}");
        }
    }
}
