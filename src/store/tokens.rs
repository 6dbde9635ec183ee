//! What was obtained by signing in: access tokens, refresh tokens, cookies of sessions.
//!
//! One small file for each account, sealed under the key ring, beside the database and not in it: a copy of
//! the state that is put back must not bring back a refresh token that was changed for another since. A file
//! is replaced as a whole (new name, fsync, rename, fsync of the folder), so that a crash leaves the old one
//! or the new one, and only by who holds the account's lock and knows the number of what it replaces. The
//! operating system frees the lock when its holder dies.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hmac::Mac as _;
use zeroize::Zeroizing;

use super::folder::{Folder, replace_file};
use super::keys::{Ring, Sealer, random};
use super::{failpoint, lock};
use crate::error::codes::store::TOKENS_CHANGED;
use crate::error::{Error, Kind, Result};

/// How a file begins.
const MAGIC: &[u8; 16] = b"consign.tokens/1";
/// The ending of a file.
const ENDING: &str = "sealed";

/// The key ring of a state, made if there is none.
///
/// # Errors
/// The state folder cannot be made or written, or its key ring is damaged.
pub(super) fn ring(state: &Path, now_ns: i64) -> Result<Ring> {
    let folder = Folder::at(state);
    folder.prepare(false)?;
    if let Some(ring) = Ring::load(&folder)? {
        return Ok(ring);
    }
    // Two that make one would each hold a key that the other does not know.
    let _held = lock::append(&folder, std::time::Duration::from_secs(10), now_ns)?;
    match Ring::load(&folder)? {
        Some(ring) => Ok(ring),
        None => Ring::create(&folder),
    }
}

/// What is kept for one account.
pub struct Tokens {
    folder: PathBuf,
    stem: String,
    sealers: Vec<Sealer>,
}

/// The right to replace what is kept for an account; given back when it is dropped.
#[derive(Debug)]
pub struct TokensHeld {
    _file: File,
}

/// What is kept.
pub struct KeptTokens {
    /// How often it was replaced.
    pub number: u64,
    /// The text; `None`: it was sealed under a key that is gone.
    pub text: Option<Zeroizing<Vec<u8>>>,
}

impl std::fmt::Debug for KeptTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "tokens {}", self.number)
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "tokens of {}", self.stem)
    }
}

impl Tokens {
    /// Of the account that a connector signs in to. `identity`: what tells its accounts apart; only a keyed
    /// digest of it is stored, as part of a name.
    ///
    /// # Errors
    /// The state folder cannot be made or written, or its key ring is damaged.
    pub fn open(state: &Path, connector: &str, identity: &[u8], now_ns: i64) -> Result<Self> {
        let ring = ring(state, now_ns)?;
        let below = folder_of(&Folder::at(state));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&below)
            .map_err(|e| Error::io(format!("making `{}`", below.display()), e))?;
        let mut mac = <hmac::Hmac<sha2::Sha256> as hmac::KeyInit>::new_from_slice(&ring.record_secret())
            .map_err(|_| Error::bug("a key of sixteen bytes is none"))?;
        mac.update(b"consign-token-names/1");
        mac.update(identity);
        let digest = data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes()[..8]);
        Ok(Self { folder: below, stem: format!("{connector}-{digest}"), sealers: ring.token_sealers() })
    }

    /// What is kept now; `None`: nothing.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn load(&self) -> Result<Option<KeptTokens>> {
        read(&self.path(), &self.stem, &self.sealers)
    }

    /// Takes the account's lock, if nobody holds it.
    ///
    /// # Errors
    /// The lock file cannot be made.
    pub fn try_lock(&self) -> Result<Option<TokensHeld>> {
        let path = self.folder.join(format!("{}.lock", self.stem));
        let failed = |e| Error::io(format!("locking `{}`", path.display()), e);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(TokensHeld { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Replaces what is kept, if it still has the number `known` (0: nothing is kept); its new number. When
    /// this returns, a crash cannot undo it.
    ///
    /// # Errors
    /// [`Kind::Failed`] if somebody else replaced it, or as the operating system says.
    pub fn swap(&self, _held: &TokensHeld, known: u64, text: &[u8]) -> Result<u64> {
        let found = self.load()?.map_or(0, |kept| kept.number);
        if found != known {
            let cause = format!("the tokens `{}` were replaced by somebody else (from {known} to {found})", self.stem);
            return Err(Error::new(Kind::Failed, &TOKENS_CHANGED, cause));
        }
        let number = known + 1;
        let sealer = self.sealers.last().ok_or_else(|| Error::bug("the key ring has no key"))?;
        let sealed = sealer.seal(random()?, text, &place(&self.stem, number))?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&number.to_be_bytes());
        bytes.extend_from_slice(&sealed);
        failpoint::reach("tokens-before");
        replace_file(&self.path(), &bytes)?;
        failpoint::reach("tokens-after");
        Ok(number)
    }

    /// Forgets what is kept.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn forget(&self, _held: &TokensHeld) -> Result<()> {
        let path = self.path();
        match std::fs::remove_file(&path).and_then(|()| File::open(&self.folder)?.sync_all()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io(format!("removing `{}`", path.display()), error))
            }
            _ => Ok(()),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.join(format!("{}.{ENDING}", self.stem))
    }
}

/// Whatever is kept for a connector, one for each of its accounts, the latest first. Changes nothing.
///
/// # Errors
/// The folder cannot be read.
pub fn of_connector(state: &Path, connector: &str) -> Result<Vec<KeptTokens>> {
    let folder = Folder::at(state);
    let Ok(entries) = std::fs::read_dir(folder_of(&folder)) else { return Ok(Vec::new()) };
    let sealers = Ring::load(&folder)?.map(|ring| ring.token_sealers()).unwrap_or_default();
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        let ours = stem.strip_prefix(connector).and_then(|rest| rest.strip_prefix('-'));
        let ours = ours.is_some_and(|digest| digest.len() == 16 && digest.bytes().all(|b| b.is_ascii_hexdigit()));
        if !ours || path.extension().is_none_or(|ending| ending != ENDING) {
            continue;
        }
        let changed = entry.metadata().and_then(|meta| meta.modified()).ok();
        found.extend(read(&path, stem, &sealers)?.map(|kept| (changed, kept)));
    }
    found.sort_by_key(|(changed, _)| std::cmp::Reverse(*changed));
    Ok(found.into_iter().map(|(_, kept)| kept).collect())
}

/// How often what is kept for each account was replaced, by the names of the accounts. Opens nothing.
pub(super) fn numbers(folder: &Folder) -> Vec<(String, u64)> {
    let Ok(entries) = std::fs::read_dir(folder_of(folder)) else { return Vec::new() };
    let number = |entry: std::fs::DirEntry| {
        let path = entry.path();
        let stem = path.file_stem()?.to_str()?.to_string();
        path.extension().filter(|ending| *ending == ENDING)?;
        let mut begin = [0; MAGIC.len() + 8];
        std::io::Read::read_exact(&mut File::open(&path).ok()?, &mut begin).ok()?;
        let number = begin.strip_prefix(MAGIC.as_slice())?.first_chunk::<8>()?;
        Some((stem, u64::from_be_bytes(*number)))
    };
    let mut found: Vec<_> = entries.flatten().filter_map(number).collect();
    found.sort();
    found
}

fn folder_of(folder: &Folder) -> PathBuf {
    folder.root.join("tokens")
}

fn read(path: &Path, stem: &str, sealers: &[Sealer]) -> Result<Option<KeptTokens>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io(format!("reading `{}`", path.display()), error)),
    };
    let parts = bytes.strip_prefix(MAGIC).and_then(|rest| rest.split_first_chunk::<8>());
    // A file that is none of ours can be replaced: there is nothing in it that could be lost.
    let Some((number, sealed)) = parts else { return Ok(Some(KeptTokens { number: 0, text: None })) };
    let number = u64::from_be_bytes(*number);
    let text = sealers.iter().rev().find_map(|sealer| sealer.unseal(sealed, &place(stem, number)));
    Ok(Some(KeptTokens { number, text }))
}

/// Where a sealed text belongs.
fn place(stem: &str, number: u64) -> Vec<u8> {
    let mut place = MAGIC.to_vec();
    place.extend_from_slice(&number.to_be_bytes());
    place.extend_from_slice(stem.as_bytes());
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(state: &Path, identity: &[u8]) -> Tokens {
        Tokens::open(state, "shop", identity, 0).unwrap()
    }

    fn text(tokens: &Tokens) -> Option<(u64, String)> {
        let kept = tokens.load().unwrap()?;
        Some((kept.number, String::from_utf8(kept.text?.to_vec()).unwrap()))
    }

    #[test]
    fn only_who_knows_what_is_there_replaces_it() {
        let temp = tempfile::tempdir().unwrap();
        let one = open(temp.path(), b"a");
        assert_eq!(text(&one), None);
        let held = one.try_lock().unwrap().unwrap();
        assert!(open(temp.path(), b"a").try_lock().unwrap().is_none(), "one holder at a time");
        assert_eq!(one.swap(&held, 0, b"first").unwrap(), 1);
        assert_eq!(one.swap(&held, 1, b"second").unwrap(), 2);
        assert_eq!(one.swap(&held, 1, b"stale").unwrap_err().code().id, "store-tokens-changed");
        assert_eq!(text(&open(temp.path(), b"a")), Some((2, "second".into())));
        assert_eq!(text(&open(temp.path(), b"b")), None, "another account of the same connector");
        assert_eq!(of_connector(temp.path(), "shop").unwrap().len(), 1);
        assert_eq!(of_connector(temp.path(), "sho").unwrap().len(), 0);
        drop(held);
        let held = one.try_lock().unwrap().unwrap();
        one.forget(&held).unwrap();
        one.forget(&held).unwrap();
        assert_eq!(text(&one), None);
    }

    #[test]
    fn what_is_kept_is_sealed_and_bound_to_its_place() {
        let temp = tempfile::tempdir().unwrap();
        let one = open(temp.path(), b"a");
        let held = one.try_lock().unwrap().unwrap();
        one.swap(&held, 0, b"very-secret-token").unwrap();
        let bytes = std::fs::read(one.path()).unwrap();
        assert!(!bytes.windows(6).any(|part| part == b"secret"));
        // The same bytes under the name of another account are nobody's.
        let other = open(temp.path(), b"b");
        std::fs::copy(one.path(), other.path()).unwrap();
        assert!(other.load().unwrap().unwrap().text.is_none());
        // Cut, altered, empty: unreadable, never a panic, and replaceable.
        for cut in [0, 5, 20, bytes.len() - 1] {
            std::fs::write(one.path(), &bytes[..cut]).unwrap();
            assert!(one.load().unwrap().unwrap().text.is_none(), "{cut}");
        }
        let known = one.load().unwrap().unwrap().number;
        one.swap(&held, known, b"new").unwrap();
        assert_eq!(text(&one).unwrap().1, "new");
    }
}
