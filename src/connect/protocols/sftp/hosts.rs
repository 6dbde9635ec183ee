//! Is this the server we know? Its key is checked at every connection, and never learned by itself.

use std::path::Path;
use std::sync::{Arc, Mutex};

use russh::keys::known_hosts::known_host_keys_path;
use russh::keys::ssh_key::Fingerprint;
use russh::keys::{Algorithm, HashAlg, PublicKey, PublicKeyOrCertificate};

use super::settings::Settings;
use crate::error::codes::connect::{HOST_KEY_CHANGED, HOST_KEY_UNKNOWN, SSH_SIGN_IN};
use crate::error::{Error, Kind, Result};

/// What is known of a server's keys.
pub(super) struct Known {
    keys: Vec<PublicKey>,
    fingerprint: Option<Fingerprint>,
    revoked: Vec<PublicKey>,
    /// Where that stands, for messages.
    origin: String,
    /// The server as a `known_hosts` file names it.
    known_as: String,
}

impl Known {
    /// Gathers what the configuration or the `known_hosts` file knows.
    ///
    /// # Errors
    /// A `host_key` that is none, an unreadable file.
    pub(super) fn of(settings: &Settings) -> Result<Self> {
        let mut known = Self {
            keys: Vec::new(),
            fingerprint: None,
            revoked: Vec::new(),
            origin: "the option `host_key`".into(),
            known_as: settings.known_as(),
        };
        let Some(given) = &settings.host_key else {
            known.origin = format!("`{}`", settings.known_hosts.display());
            known.read(settings)?;
            return Ok(known);
        };
        let given = given.trim();
        if given.starts_with("SHA256:") || given.starts_with("SHA512:") {
            known.fingerprint = given.parse().ok();
        } else {
            known.keys.extend(PublicKey::from_openssh(given).ok());
        }
        if known.keys.is_empty() && known.fingerprint.is_none() {
            return Err(Error::new(Kind::Invalid, &SSH_SIGN_IN, "`host_key` is no public key and no fingerprint")
                .hint("it looks like `ssh-ed25519 AAAA…` or `SHA256:…`; `ssh-keyscan` and `ssh-keygen -lf` tell it"));
        }
        Ok(known)
    }

    fn read(&mut self, settings: &Settings) -> Result<()> {
        let path = settings.known_hosts.as_path();
        let doing = || format!("reading the known host keys in `{}`", path.display());
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(Error::io(doing(), error)),
        };
        // Plain and hashed names; patterns and markers are read here. A key of a kind that is no longer
        // understood (DSA) makes this fail: then the plain ones below are all that is known.
        self.keys = hashed(settings, path).unwrap_or_default();
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            let Some(first) = words.next().filter(|word| !word.starts_with('#')) else { continue };
            let (marker, names) = match first.strip_prefix('@') {
                Some(marker) => (marker, words.next().unwrap_or_default()),
                None => ("", first),
            };
            let text = words.take(2).collect::<Vec<_>>().join(" ");
            let Ok(key) = PublicKey::from_openssh(&text) else { continue };
            match marker {
                "revoked" => self.revoked.push(key),
                "" if is_named(&self.known_as, names) && !self.keys.contains(&key) => self.keys.push(key),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether the algorithm is that of a key we know: it is asked for first, so that a server with
    /// several keys shows the one we can compare.
    pub(super) fn prefers(&self, algorithm: &Algorithm) -> bool {
        self.keys.iter().any(|key| match (key.algorithm(), algorithm) {
            (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }) => true,
            (known, asked) => known == *asked,
        })
    }

    /// Compares what the server showed.
    ///
    /// # Errors
    /// [`Kind::Denied`] if the server is not known, [`Kind::Refused`] if it is known otherwise.
    fn judge(&self, shown: &PublicKey) -> Result<()> {
        let print = shown.fingerprint(HashAlg::Sha256);
        let is_known = match &self.fingerprint {
            Some(known) => shown.fingerprint(known.algorithm()) == *known,
            None => self.keys.iter().any(|key| key.key_data() == shown.key_data()),
        };
        let is_revoked = self.revoked.iter().any(|key| key.key_data() == shown.key_data());
        if is_known && !is_revoked {
            return Ok(());
        }
        let line = PublicKey::from(shown.key_data().clone()).to_openssh().unwrap_or_default();
        if self.fingerprint.is_none() && self.keys.is_empty() && !is_revoked {
            return Err(Error::new(Kind::Denied, &HOST_KEY_UNKNOWN, "the server's host key is not known")
                .fact("fingerprint", print)
                .fact("key", &line)
                .hint(
                    "ask the server's operator, by another way than this connection, whether that fingerprint is right",
                )
                .hint(format!("if it is, add this line to {}: {} {line}", self.origin, self.known_as))
                .hint(format!("or pin it in connectors.yaml: `host_key: \"{line}\"`")));
        }
        let cause = match is_revoked {
            true => "THE SERVER SHOWED A HOST KEY THAT WAS REVOKED",
            false => "THE SERVER'S HOST KEY HAS CHANGED: somebody may stand between this machine and the server",
        };
        let error = Error::new(Kind::Refused, &HOST_KEY_CHANGED, cause)
            .fact("fingerprint shown", print)
            .fact("known from", &self.origin);
        let error = match (&self.fingerprint, self.keys.first()) {
            (Some(known), _) => error.fact("fingerprint known", known),
            (None, Some(known)) => error.fact("fingerprint known", known.fingerprint(HashAlg::Sha256)),
            (None, None) => error,
        };
        Err(error
            .hint("nothing was sent, no password either; ask the server's operator whether the key was replaced")
            .hint(format!("only if it was, put the new one into {}: {line}", self.origin)))
    }
}

/// Keys of lines whose names are plain or hashed.
fn hashed(settings: &Settings, path: &Path) -> std::result::Result<Vec<PublicKey>, russh::keys::Error> {
    Ok(known_host_keys_path(&settings.host, settings.port, path)?.into_iter().map(|(_, key)| key).collect())
}

/// Whether a list of patterns (`*.example,!test.example`) names a server.
fn is_named(server: &str, patterns: &str) -> bool {
    let mut named = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(not) if fits(server.as_bytes(), not.as_bytes()) => return false,
            Some(_) => {}
            None => named |= fits(server.as_bytes(), pattern.as_bytes()),
        }
    }
    named
}

/// Whether a name fits a pattern of `*` and `?`, letters of either case.
fn fits(name: &[u8], pattern: &[u8]) -> bool {
    match (name, pattern) {
        (_, [b'*', rest @ ..]) => (0..=name.len()).any(|from| fits(&name[from..], rest)),
        ([first, name @ ..], [wanted, rest @ ..]) => {
            (*wanted == b'?' || first.eq_ignore_ascii_case(wanted)) && fits(name, rest)
        }
        ([], []) => true,
        _ => false,
    }
}

/// Looks at the server's key while the connection is made.
pub(super) struct Verifier {
    pub(super) known: Arc<Known>,
    /// Why the key was not accepted.
    pub(super) refusal: Arc<Mutex<Option<Error>>>,
}

impl russh::client::Handler for Verifier {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> std::result::Result<bool, russh::Error> {
        // Certificates are not asked for, so none is shown.
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else { return Ok(false) };
        match self.known.judge(key) {
            Ok(()) => Ok(true),
            Err(error) => {
                if let Ok(mut refusal) = self.refusal.lock() {
                    *refusal = Some(error);
                }
                Ok(false)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_servers_fit_patterns() {
        fn check(server: &str, patterns: &str, expected: bool) {
            assert_eq!(is_named(server, patterns), expected, "{server} {patterns}");
        }
        check("files.example", "files.example", true);
        check("files.example", "FILES.example", true);
        check("files.example", "other,files.example", true);
        check("files.example", "*.example", true);
        check("files.example", "*.example,!files.*", false);
        check("files.example", "!other.example,file?.example", true);
        check("files.example", "files", false);
        check("[files.example]:2222", "[*.example]:2222", true);
        check("[files.example]:2222", "files.example", false);
    }

    const ONE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBERERERERERERERERERERERERERERERERERERERERER";
    const TWO: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIi";

    fn known(lines: &str) -> Known {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("known_hosts");
        std::fs::write(&path, lines).unwrap();
        let settings = Settings {
            host: "files.example".into(),
            port: 2222,
            user: "u".into(),
            password: None,
            key: None,
            host_key: None,
            known_hosts: path,
            connect_timeout: std::time::Duration::ZERO,
            timeout: std::time::Duration::ZERO,
            keepalive: None,
            tries: 1,
        };
        Known::of(&settings).unwrap()
    }

    #[test]
    fn a_key_is_known_unknown_changed_or_revoked() {
        fn check(lines: &str, expected: Option<Kind>) {
            let shown = PublicKey::from_openssh(ONE).unwrap();
            assert_eq!(known(lines).judge(&shown).err().map(|e| e.kind()), expected, "{lines}");
        }
        check(&format!("[files.example]:2222 {ONE}\n"), None);
        check(&format!("# a comment\n\n[*.example]:2222\t{ONE} comment\n"), None);
        check(&format!("[files.example]:2222 {TWO}\n[files.example]:2222 {ONE}\n"), None);
        check("", Some(Kind::Denied));
        check(&format!("files.example {ONE}\n"), Some(Kind::Denied));
        check(&format!("[files.example]:2222 {TWO}\n"), Some(Kind::Refused));
        check(&format!("[files.example]:2222 {ONE}\n@revoked * {ONE}\n"), Some(Kind::Refused));
        // A name hashed as `ssh-keygen -H` does it.
        check(&format!("|1|c2FsdHNhbHRzYWx0c2FsdHNhbHQ=|AAAAAAAAAAAAAAAAAAAAAAAAAAA= {TWO}\n"), Some(Kind::Denied));
    }

    #[test]
    fn an_unknown_key_is_told_with_its_fingerprint_and_the_line_to_add() {
        let error = known("").judge(&PublicKey::from_openssh(ONE).unwrap()).unwrap_err();
        let text = format!("{error:?} {:?}", error.hints());
        assert!(text.contains("SHA256:") && text.contains(&format!("[files.example]:2222 {ONE}")), "{text}");
    }
}
