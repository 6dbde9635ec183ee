//! The key ring and what is sealed with it: the audit chain's current key and dead letters.
//!
//! Everything is sealed with AES-256-GCM under a key derived for one use, with a random nonce in
//! front and with the place where it belongs as associated data, so that a sealed text cannot be
//! moved to another row.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::folder::{Folder, replace_file};
use crate::audit::Key;
use crate::error::codes::audit::KEY_WEAK;
use crate::error::codes::store::{FAILED, RING_DAMAGED, ROOT_WEAK};
use crate::error::{Error, Kind, Result};

/// The fewest bytes of CONSIGN_AUDIT_KEY.
const WEAK_BELOW: usize = 16;

/// Bytes of a nonce.
const NONCE: usize = 12;

/// A key that seals, with its public name.
pub struct Sealer {
    /// `ring:…` or `env:…`.
    pub id: String,
    cipher: Aes256Gcm,
}

impl Sealer {
    fn new(kind: &str, root: &Key, purpose: &str) -> Self {
        let derived = derive(root, purpose);
        Self { id: format!("{kind}:{}", root.id()), cipher: Aes256Gcm::new((&*derived).into()) }
    }

    /// Nonce and sealed text. `nonce` must be random and used once.
    ///
    /// # Errors
    /// Only if the text is larger than the cipher allows (64 GiB).
    pub fn seal(&self, nonce: [u8; NONCE], plain: &[u8], place: &[u8]) -> Result<Vec<u8>> {
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: place })
            .map_err(|_| Error::bug("a text was too large to be sealed"))?;
        let mut out = Vec::with_capacity(NONCE + sealed.len());
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// The text again; `None`: another key, another place, or altered.
    pub fn unseal(&self, sealed: &[u8], place: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE>()?;
        self.cipher.decrypt(&Nonce::from(*nonce), Payload { msg: text, aad: place }).ok().map(Zeroizing::new)
    }
}

/// The key for one use.
fn derive(root: &Key, purpose: &str) -> Zeroizing<[u8; 32]> {
    use hmac::Mac as _;
    let mut derived = Zeroizing::new([0u8; 32]);
    let mut block = [0u8; 64];
    block[..32].copy_from_slice(root.reveal());
    let mut mac = <hmac::Hmac<sha2::Sha256> as hmac::KeyInit>::new(&block.into());
    block.zeroize();
    mac.update(purpose.as_bytes());
    derived.copy_from_slice(&mac.finalize().into_bytes());
    derived
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealer({})", self.id)
    }
}

/// The file `keys`: key-encryption keys, the last one in use.
#[derive(Debug)]
pub struct Ring {
    keys: Vec<Key>,
}

#[derive(Serialize, Deserialize)]
struct RingFile {
    schema: String,
    keys: Vec<RingKey>,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct RingKey {
    id: String,
    key: String,
}

const RING_SCHEMA: &str = "consign.keys/1";

impl Ring {
    /// The ring of a folder, `None` if it has none.
    ///
    /// # Errors
    /// Unreadable or damaged.
    pub fn load(folder: &Folder) -> Result<Option<Self>> {
        let path = folder.ring();
        let doing = || format!("reading the key ring `{}`", path.display());
        let text = match std::fs::read(&path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(doing(), error)),
        };
        // The parser's own message could quote the file: it is left out.
        let damaged = || {
            Error::new(Kind::Tampered, &RING_DAMAGED, "it is not a key ring, or was cut short")
                .doing(doing())
                .hint("restore it from a backup; if it is lost, move it away and a new one is made")
        };
        let file: RingFile = serde_json::from_slice(&text).map_err(|_| damaged())?;
        let mut keys = Vec::new();
        for entry in &file.keys {
            let bytes = Zeroizing::new(STANDARD.decode(entry.key.as_bytes()).map_err(|_| damaged())?);
            let key = Key::new(bytes.as_slice().try_into().map_err(|_| damaged())?);
            if key.id() != entry.id {
                return Err(damaged());
            }
            keys.push(key);
        }
        if keys.is_empty() || file.schema != RING_SCHEMA {
            return Err(damaged());
        }
        Ok(Some(Self { keys }))
    }

    /// A ring with one new random key, written to the folder.
    ///
    /// # Errors
    /// No randomness, or the file cannot be written.
    pub fn create(folder: &Folder) -> Result<Self> {
        let key = random_key()?;
        let file = RingFile {
            schema: RING_SCHEMA.to_string(),
            keys: vec![RingKey { id: key.id(), key: STANDARD.encode(key.reveal()) }],
        };
        let text = Zeroizing::new(serde_json::to_vec(&file).map_err(|e| Error::bug(e.to_string()))?);
        replace_file(&folder.ring(), &text)?;
        Ok(Self { keys: vec![key] })
    }

    /// Sealers of dead letters, the one in use last.
    pub fn letter_sealers(&self) -> Vec<Sealer> {
        self.keys.iter().map(|key| Sealer::new("ring", key, "consign-dead-letters/1")).collect()
    }

    /// What keys of records are hashed with. Of the first key of the ring: a later one must not make
    /// known keys unknown.
    pub fn record_secret(&self) -> [u8; 16] {
        let mut secret = [0u8; 16];
        if let Some(first) = self.keys.first() {
            secret.copy_from_slice(&derive(first, "consign-record-keys/1")[..16]);
        }
        secret
    }

    /// Sealers of keys that values are protected with, the one in use first.
    pub fn protection_sealers(&self, purpose: &str) -> Vec<Sealer> {
        self.keys.iter().rev().map(|key| Sealer::new("ring", key, purpose)).collect()
    }

    /// Sealers of tokens, the one in use last.
    pub fn token_sealers(&self) -> Vec<Sealer> {
        self.keys.iter().map(|key| Sealer::new("ring", key, "consign-tokens/1")).collect()
    }

    /// Sealers of what is remembered beside the state, the one in use last.
    pub fn note_sealers(&self) -> Vec<Sealer> {
        self.keys.iter().map(|key| Sealer::new("ring", key, "consign-notes/1")).collect()
    }

    /// Sealers of the audit key, the one in use last.
    pub fn audit_sealers(&self) -> Vec<Sealer> {
        self.keys.iter().map(|key| Sealer::new("ring", key, "consign-audit-key/1")).collect()
    }
}

/// The sealer made of CONSIGN_AUDIT_KEY.
///
/// # Errors
/// The key is too short.
pub fn environment_sealer(secret: &[u8]) -> Result<Sealer> {
    if secret.len() < WEAK_BELOW {
        return Err(Error::new(
            Kind::Invalid,
            &KEY_WEAK,
            format!("CONSIGN_AUDIT_KEY must hold at least {WEAK_BELOW} characters"),
        )
        .hint("make one with `openssl rand -base64 32`"));
    }
    use sha2::Digest as _;
    let mut hasher = sha2::Sha256::new();
    hasher.update(b"consign-audit-key/1");
    hasher.update(secret);
    Ok(Sealer::new("env", &Key::new(hasher.finalize().into()), "consign-audit-key/1"))
}

/// The sealer made of a secret that seals keys from outside of the state.
///
/// # Errors
/// The secret is too short.
pub fn root_sealer(secret: &[u8], purpose: &str) -> Result<Sealer> {
    if secret.len() < WEAK_BELOW {
        let what = format!("what seals a key must hold at least {WEAK_BELOW} characters");
        return Err(Error::new(Kind::Invalid, &ROOT_WEAK, what).hint("make one with `openssl rand -base64 32`"));
    }
    let mut root = Zeroizing::new([0; 32]);
    // It fails past 8,160 bytes.
    let _ = hkdf::Hkdf::<sha2::Sha256>::new(Some(b"consign-protection-root/1"), secret).expand(b"root", &mut *root);
    Ok(Sealer::new("root", &Key::new(*root), purpose))
}

/// What subjects are hashed with, so that nobody can guess them from what is stored. Of the first key of
/// the ring: a later one must not make known subjects unknown.
///
/// # Errors
/// The key ring is gone or damaged.
pub fn subject_secret(folder: &Folder) -> Result<[u8; 32]> {
    let ring = Ring::load(folder)?.ok_or_else(|| {
        Error::new(Kind::Tampered, &RING_DAMAGED, "the key ring of the state is gone").hint("restore it from a backup")
    })?;
    Ok(ring.keys.first().map(|first| *derive(first, "consign-subjects/1")).unwrap_or_default())
}

/// A random key.
///
/// # Errors
/// The operating system has no randomness to give.
pub fn random_key() -> Result<Key> {
    Ok(Key::new(random::<32>()?))
}

/// Random bytes.
///
/// # Errors
/// The operating system has no randomness to give.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0u8; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// Fills with random bytes.
///
/// # Errors
/// The operating system has no randomness to give.
pub fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes)
        .map_err(|e| Error::new(Kind::Environment, &FAILED, format!("no random numbers are to be had: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_kept_and_read_again() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::at(temp.path());
        assert!(Ring::load(&folder).unwrap().is_none());
        let made = Ring::create(&folder).unwrap();
        let sealed = made.letter_sealers()[0].seal([1; 12], b"text", b"place").unwrap();
        let read = Ring::load(&folder).unwrap().unwrap();
        let sealer = &read.letter_sealers()[0];
        assert_eq!(sealer.unseal(&sealed, b"place").unwrap().as_slice(), b"text");
        assert!(sealer.unseal(&sealed, b"elsewhere").is_none());
        assert!(read.audit_sealers()[0].unseal(&sealed, b"place").is_none(), "one key per use");
        let mut text = std::fs::read(folder.ring()).unwrap();
        assert!(!String::from_utf8_lossy(&text).is_empty());
        text.truncate(text.len() - 3);
        std::fs::write(folder.ring(), &text).unwrap();
        assert_eq!(Ring::load(&folder).unwrap_err().kind(), Kind::Tampered);
    }

    #[test]
    fn a_short_audit_key_is_refused() {
        assert_eq!(environment_sealer(b"short").unwrap_err().code().id, "audit-key-weak");
        assert!(environment_sealer(&[7; 32]).is_ok());
    }
}
