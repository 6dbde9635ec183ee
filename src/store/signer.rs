//! What signs the checkpoints of a log: an Ed25519 key, wrapped like the chain's.

use rusqlite::{Connection, params};
use zeroize::Zeroizing;

use super::append::{Log, key_missing};
use super::{keys, sql};
use crate::audit::checkpoint;
use crate::audit::note::{Purpose, Signing};
use crate::error::{Error, Result};

/// Makes the signing key of the log in use, in the place of one that it may have had. Returns the
/// public key's line.
pub(super) fn make(db: &Connection, log: &Log) -> Result<String> {
    let (signing, seed) = fresh(&log.id)?;
    wrap(db, log, &seed, signing.public().bytes())?;
    Ok(signing.public().line())
}

/// A new key for a log, and what it is made of.
pub(super) fn fresh(log_id: &str) -> Result<(Signing, Zeroizing<[u8; 32]>)> {
    let seed = Zeroizing::new(keys::random::<32>()?);
    Ok((Signing::new(&checkpoint::origin(log_id), Purpose::Note, &seed), seed))
}

/// The signing key of the log in use; `None`: it has none yet.
///
/// # Errors
/// No sealer at hand opens it.
pub(super) fn load(db: &Connection, log: &Log) -> Result<Option<Signing>> {
    let Some(seed) = unwrap(db, log)? else { return Ok(None) };
    Ok(Some(Signing::new(&checkpoint::origin(&log.id), Purpose::Note, &seed)))
}

/// Wraps the key anew with the sealer now in use.
pub(super) fn rewrap(db: &Connection, log: &Log) -> Result<()> {
    let Some(seed) = unwrap(db, log)? else { return Ok(()) };
    let signing = Signing::new(&checkpoint::origin(&log.id), Purpose::Note, &seed);
    wrap(db, log, &seed, signing.public().bytes())
}

/// Keeps a key as the one that signs, wrapped with the sealer now in use.
pub(super) fn wrap(db: &Connection, log: &Log, seed: &[u8; 32], public: &[u8; 32]) -> Result<()> {
    let sealer = log.sealers.last().ok_or_else(|| Error::bug("no key to wrap the signing key with"))?;
    let wrapped = sealer.seal(keys::random()?, seed, &place(&log.id))?;
    db.execute(
        "UPDATE audit_logs SET signer = ?2, signer_wrapped_by = ?3, signer_wrapped = ?4 WHERE log = ?1",
        params![log.number, &public[..], sealer.id, wrapped],
    )
    .map(drop)
    .map_err(|e| sql::error("keeping the key that signs checkpoints", e))
}

fn unwrap(db: &Connection, log: &Log) -> Result<Option<Zeroizing<[u8; 32]>>> {
    let (by, wrapped): (Option<String>, Option<Vec<u8>>) = db
        .query_row("SELECT signer_wrapped_by, signer_wrapped FROM audit_logs WHERE log = ?1", [log.number], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .map_err(|e| sql::error("reading the key that signs checkpoints", e))?;
    let (Some(by), Some(wrapped)) = (by, wrapped) else { return Ok(None) };
    let seed = log.sealers.iter().filter(|sealer| sealer.id == by).find_map(|s| s.unseal(&wrapped, &place(&log.id)));
    let seed = seed.and_then(|seed| <[u8; 32]>::try_from(seed.as_slice()).ok()).map(Zeroizing::new);
    seed.map(Some).ok_or_else(|| key_missing(&by))
}

/// Where a wrapped signing key belongs.
fn place(log_id: &str) -> Vec<u8> {
    [b"consign-audit-signer/1", log_id.as_bytes()].concat()
}
