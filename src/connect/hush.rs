//! What is remembered of an API between runs and could be used by whoever reads it: addresses that carry
//! their own permission, what a job was answered. At rest they are sealed; in memory they are as they came.

use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::{Value as Json, json};
use url::Url;

use crate::connect::pack::Given;
use crate::error::{Error, Result};
use crate::store::sealed::Seals;

/// A secret as short as that would be found anywhere.
const SHORT: usize = 8;
/// Parameters of an address that are a permission.
const PERMISSIONS: &[&str] = &[
    "access_token",
    "api_key",
    "apikey",
    "auth",
    "authorization",
    "client_secret",
    "hapikey",
    "jwt",
    "key",
    "key-pair-id",
    "password",
    "policy",
    "secret",
    "sig",
    "signature",
    "token",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
    "x-goog-credential",
    "x-goog-signature",
];

/// Seals what is remembered of one connector.
pub(super) struct Hush {
    /// `None`: nothing is remembered.
    state: Option<PathBuf>,
    place: String,
    secrets: Vec<String>,
    seals: OnceLock<Result<Seals>>,
}

impl Hush {
    /// Of a connector; `what` tells places apart that must not be mixed up.
    pub fn new(given: &Given, what: &str) -> Self {
        let secrets = given.pack.auth.needs.iter().filter(|need| need.secret);
        let secrets = secrets.filter_map(|need| given.secrets().get(&need.name)?.as_str());
        Self {
            state: given.connector.state.clone(),
            place: format!("{}\u{0}{what}", given.connector.name),
            secrets: secrets.filter(|secret| secret.len() >= SHORT).map(str::to_owned).collect(),
            seals: OnceLock::new(),
        }
    }

    #[cfg(test)]
    pub fn of(state: &std::path::Path) -> Self {
        Self {
            state: Some(state.into()),
            place: "test".into(),
            secrets: vec!["hunter2hunter2".into()],
            seals: OnceLock::new(),
        }
    }

    fn seals(&self) -> Result<Option<&Seals>> {
        let Some(state) = &self.state else { return Ok(None) };
        let now = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(0);
        self.seals.get_or_init(|| Seals::open(state, now)).as_ref().map(Some).map_err(Error::clone)
    }

    /// A value as it is kept.
    ///
    /// # Errors
    /// If there is no key to seal it with.
    pub fn seal(&self, value: &Json) -> Result<Json> {
        match self.seals()? {
            Some(seals) if !value.is_null() => {
                Ok(json!({ "sealed": seals.seal(value.to_string().as_bytes(), &self.place)? }))
            }
            _ => Ok(value.clone()),
        }
    }

    /// The same for a value that is only sealed if it is a permission, or holds a secret.
    ///
    /// # Errors
    /// As for [`Hush::seal`].
    pub fn hide(&self, value: &mut Json) -> Result<()> {
        if let Json::String(text) = &value
            && (self.secrets.iter().any(|secret| text.contains(secret)) || permits(text))
        {
            *value = self.seal(value)?;
        }
        Ok(())
    }

    /// The value again; `None`: it was sealed under a key that is gone.
    pub fn unseal(&self, value: &Json) -> Option<Json> {
        let sealed = match value.as_object().filter(|map| map.len() == 1).and_then(|map| map.get("sealed")) {
            Some(Json::String(sealed)) => sealed,
            _ => return Some(value.clone()),
        };
        let text = self.seals().ok()??.unseal(sealed, &self.place)?;
        serde_json::from_slice(&text).ok()
    }
}

/// Whether an address is a permission to whoever has it.
fn permits(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let named = |name: &str| PERMISSIONS.iter().any(|known| known.eq_ignore_ascii_case(name));
    url.password().is_some() || url.query_pairs().any(|(name, value)| !value.is_empty() && named(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_permit_are_known() {
        for (text, wanted) in [
            ("https://a.example/x?page=2&$skiptoken=abc", false),
            ("https://a.example/x?access_token=abc&after=2", true),
            ("https://b.s3.amazonaws.com/k?X-Amz-Signature=00&X-Amz-Date=1", true),
            ("https://b.blob.example/k?sv=1&sig=abc", true),
            ("https://u:p@a.example/", true),
            ("https://a.example/?token=", false),
            ("token=abc", false),
        ] {
            assert_eq!(permits(text), wanted, "{text}");
        }
    }
}
