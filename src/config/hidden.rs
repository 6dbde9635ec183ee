//! What a reference was filled in with is never told: wherever consign speaks or records what it
//! said, the reference stands there as it is written.
//!
//! Protocols get plain options and name them in their errors (a path, an address); this is the
//! one net under all of them. It knows every value of this process, since any of them may turn up
//! in the text of an error.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use super::Secret;

/// Shorter values are no secrets, and would be found in innocent words.
const SHORTEST: usize = 6;

/// Values beside the references they were filled in for, the longest first.
static FILLED: Mutex<Vec<(Secret<String>, String)>> = Mutex::new(Vec::new());

/// Remembers what a reference was filled in with.
pub(super) fn remember(value: &str, written: String) {
    if value.len() < SHORTEST {
        return;
    }
    let mut filled = FILLED.lock().unwrap_or_else(PoisonError::into_inner);
    if filled.iter().all(|(known, _)| known.reveal() != value) {
        filled.push((Secret::new(value.to_string()), written));
        filled.sort_by_key(|(value, _)| std::cmp::Reverse(value.reveal().len()));
    }
}

/// The text with every such value replaced by the reference it came from.
pub fn hide(text: &str) -> Cow<'_, str> {
    let filled = FILLED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut hidden = Cow::Borrowed(text);
    for (value, written) in filled.iter().filter(|(value, _)| text.contains(value.reveal().as_str())) {
        hidden = Cow::Owned(hidden.replace(value.reveal().as_str(), written));
    }
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_references_again() {
        remember("hidden-canary-1", "${env:CANARY}".into());
        remember("abc", "${env:SHORT}".into());
        assert_eq!(hide("cannot open /data/hidden-canary-1/abc.csv"), "cannot open /data/${env:CANARY}/abc.csv");
        assert!(matches!(hide("nothing here"), Cow::Borrowed(_)));
    }
}
