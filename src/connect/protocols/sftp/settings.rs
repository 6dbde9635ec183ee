//! What a connector says about its server, made ready: paths expanded, the private key read.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{PrivateKey, decode_secret_key};

use crate::config::{Connector, OptionSpec, Secret};
use crate::connect::options::OptionReader;
use crate::error::codes::connect::{SSH_KEY, SSH_SIGN_IN};
use crate::error::{Error, Kind, Result};

/// Everything needed to connect.
pub(super) struct Settings {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) password: Option<Secret<String>>,
    pub(super) key: Option<Arc<PrivateKey>>,
    pub(super) host_key: Option<String>,
    pub(super) known_hosts: PathBuf,
    pub(super) connect_timeout: Duration,
    pub(super) timeout: Duration,
    pub(super) keepalive: Option<Duration>,
    /// How often connecting is tried.
    pub(super) tries: u32,
}

impl Settings {
    /// Reads the options. Opens the key file, but no connection.
    ///
    /// # Errors
    /// No way to sign in, or a private key that cannot be used.
    pub(super) fn of(root: &Path, connector: &Connector, specs: &'static [OptionSpec]) -> Result<Self> {
        let options = OptionReader::new(&connector.with, specs);
        let secret = |name: &str| -> Result<Option<Secret<String>>> {
            Ok(options.text(name)?.filter(|text| !text.is_empty()).map(Secret::new))
        };
        let seconds = |name: &str| -> Result<Duration> { Ok(Duration::from_secs(options.number(name)?)) };
        let password = secret("password")?;
        let passphrase = secret("passphrase")?;
        let key = match (secret("key")?, options.text("key_file")?) {
            (Some(text), _) => Some(private_key(text.reveal(), passphrase.as_ref(), "the option `key`")?),
            (None, Some(path)) => {
                let path = expanded(root, &path);
                let doing = format!("reading the private key `{}`", path.display());
                let text = std::fs::read_to_string(&path).map(Secret::new).map_err(|e| Error::io(doing, e))?;
                Some(private_key(text.reveal(), passphrase.as_ref(), &format!("`{}`", path.display()))?)
            }
            (None, None) => None,
        };
        if password.is_none() && key.is_none() {
            return Err(Error::new(
                Kind::Invalid,
                &SSH_SIGN_IN,
                format!("connector `{}` has neither a password nor a key", connector.name),
            )
            .at(connector.place.clone())
            .hint("give `key_file`, `key: ${env:…}` or `password: ${env:…}` under `with`"));
        }
        let keepalive = seconds("keepalive")?;
        Ok(Self {
            host: options.text("host")?.unwrap_or_default(),
            port: u16::try_from(options.number("port")?).unwrap_or(22),
            user: options.text("user")?.unwrap_or_default(),
            password,
            key: key.map(Arc::new),
            host_key: options.text("host_key")?.filter(|text| !text.is_empty()),
            known_hosts: expanded(root, &options.text("known_hosts")?.unwrap_or_default()),
            connect_timeout: seconds("connect_timeout")?,
            timeout: seconds("timeout")?,
            keepalive: (!keepalive.is_zero()).then_some(keepalive),
            tries: connector.retry_tries.max(1),
        })
    }

    /// The server as a person names it.
    pub(super) fn server(&self) -> String {
        match self.port {
            22 => self.host.clone(),
            port => format!("{}:{port}", self.host),
        }
    }

    /// The server as a `known_hosts` file names it.
    pub(super) fn known_as(&self) -> String {
        match self.port {
            22 => self.host.clone(),
            port => format!("[{}]:{port}", self.host),
        }
    }
}

/// A path on this machine: `~/` is the home folder, relative ones count from the project.
fn expanded(root: &Path, path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => root.join(path),
    }
}

/// A private key from its text.
fn private_key(text: &str, passphrase: Option<&Secret<String>>, origin: &str) -> Result<PrivateKey> {
    let wrong = |cause: String| Error::new(Kind::Denied, &SSH_KEY, cause);
    let encrypted = text.contains("ENCRYPTED");
    match decode_secret_key(text, passphrase.map(|secret| secret.reveal().as_str())) {
        Ok(key) if key.is_encrypted() => {
            Err(wrong(format!("the private key in {origin} is encrypted")).hint("give its `passphrase`"))
        }
        Ok(key) => Ok(key),
        Err(russh::keys::Error::KeyIsEncrypted) => {
            Err(wrong(format!("the private key in {origin} is encrypted")).hint("give its `passphrase`"))
        }
        Err(_) if passphrase.is_some() => Err(wrong(format!("the private key in {origin} does not open"))
            .hint("the `passphrase` is wrong, or the text is not a whole private key")),
        Err(_) if encrypted => {
            Err(wrong(format!("the private key in {origin} is encrypted")).hint("give its `passphrase`"))
        }
        Err(_) => Err(wrong(format!("the private key in {origin} cannot be read"))
            .hint("OpenSSH, PEM, PKCS#8 and PuTTY keys are understood; RSA, ECDSA and Ed25519")),
    }
}
