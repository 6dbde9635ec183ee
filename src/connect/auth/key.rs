//! Values of the connector, sent as they are: as many as there are, wherever the way says.

use super::SignInKind;

pub(super) struct Key;

impl SignInKind for Key {
    fn word(&self) -> &'static str {
        "key"
    }
}
