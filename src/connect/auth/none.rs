//! Nothing is sent; a client certificate may still be shown.

use super::SignInKind;

pub(super) struct None;

impl SignInKind for None {
    fn word(&self) -> &'static str {
        "none"
    }
}
