//! `consign connect keys NAME`: the public part of the key that a connector signs with, as a JWK Set for the
//! vendor's portal; with `--new` a pair is made first.

use std::path::PathBuf;

use serde_json::json;
use zeroize::Zeroizing;

use crate::cli::context::Context;
use crate::connect::auth::{self, jwk::PrivateKey};
use crate::error::codes::connect::SIGN_IN_KEY;
use crate::error::{Error, Exit, Kind, Result};

/// Prints the public key that a connector signs with, as a JWK Set
#[derive(clap::Args, Debug)]
pub(super) struct Keys {
    /// The connector's name
    name: String,
    /// Makes a pair first; the private key goes into this new file, which only its owner can read
    #[arg(long, value_name = "FILE")]
    new: Option<PathBuf>,
    /// Reads the private key from this file, not from the connector
    #[arg(long, value_name = "FILE", conflicts_with = "new")]
    from: Option<PathBuf>,
    /// What is signed with: ES384, ES256, EdDSA; for keys that are there also RS256, RS384, PS256 …
    #[arg(long, value_name = "ALGORITHM")]
    algorithm: Option<String>,
}

impl Keys {
    pub(super) fn run(self, context: &Context<'_>) -> Result<Exit> {
        let text = match (&self.new, &self.from) {
            (Some(path), _) => {
                let pem = PrivateKey::generate(self.algorithm.as_deref().unwrap_or("ES384"))?;
                write_new(path, &pem)?;
                context
                    .ui
                    .note(&format!("the private key is in `{}`; it never has to leave this machine", path.display()));
                context.ui.note(&format!(
                    "say `${{file:{}}}` where `auth` of `{}` wants it",
                    path.display(),
                    self.name
                ));
                pem
            }
            (None, Some(path)) => {
                let read = std::fs::read_to_string(path);
                Zeroizing::new(read.map_err(|e| Error::io(format!("reading `{}`", path.display()), e))?)
            }
            (None, None) => {
                let given = super::login::given(&self.name, context)?;
                auth::signing_key(&given, &auth::system_clock())?.ok_or_else(|| {
                    let cause = format!("the way in which `{}` signs in has no private key", self.name);
                    Error::new(Kind::Invalid, &SIGN_IN_KEY, cause)
                        .hint("`--new FILE` makes a pair, `--from FILE` reads one")
                })?
            }
        };
        let key = PrivateKey::read(&text)?;
        let usual = key.algorithms().first().copied().unwrap_or_default();
        let algorithm = self.algorithm.as_deref().unwrap_or(usual);
        if !key.algorithms().contains(&algorithm) {
            let cause = format!("a key of kind {} does not sign with {algorithm}", key.kind());
            return Err(
                Error::new(Kind::Invalid, &SIGN_IN_KEY, cause).hint(format!("it can {}", key.algorithms().join(", ")))
            );
        }
        let set = json!({ "keys": [key.public(algorithm)] });
        let mut text = serde_json::to_string_pretty(&set).map_err(|e| Error::bug(e.to_string()))?;
        text.push('\n');
        context.ui.raw(text.as_bytes())?;
        Ok(Exit::Done)
    }
}

/// Writes a file that must not be there yet, for its owner alone.
fn write_new(path: &PathBuf, text: &str) -> Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let write = || {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|e| Error::io(format!("writing the private key to `{}`", path.display()), e))
}
