//! Requests that sign in, and nothing else: what they capture is all there is, see [`super::steps`].

use super::SignInKind;

pub(super) struct Session;

impl SignInKind for Session {
    fn word(&self) -> &'static str {
        "session"
    }
}
