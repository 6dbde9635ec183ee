//! Keys that values are protected with: made, rotated, retired, destroyed; each lies in the state sealed
//! by its root, and every change of one is in the audit log, in the same transaction.

use rusqlite::{OptionalExtension as _, params};
use zeroize::Zeroizing;

use super::keys::{self, Sealer};
use super::{Store, Writing, sql};
use crate::audit::{Action, Draft, Key, Level};
use crate::error::codes::store::{KEY_IN_USE, KEY_STATE, KEY_UNKNOWN, ROOT_MISSING};
use crate::error::{Error, Kind, Result};
use crate::record::{KeyState, Purpose};

/// What is known of a version of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// The name of the key.
    pub name: String,
    /// The version, from 1.
    pub version: u32,
    /// Its public id.
    pub id: String,
    /// What it is for.
    pub purpose: Purpose,
    /// What may still be done with it.
    pub state: KeyState,
    /// The id of what seals it.
    pub wrapped_by: String,
    /// When it was made, nanoseconds since 1970.
    pub made_ns: i64,
    /// When its state or seal was last changed.
    pub changed_ns: i64,
    /// When a run last began that protects with it.
    pub used_ns: Option<i64>,
    /// Why its state was changed.
    pub reason: Option<String>,
    /// Keys of subjects and tokens of the vault that are sealed under it.
    pub seals: u64,
}

/// A version of a key, in clear.
#[derive(Clone, Debug)]
pub struct OpenKey {
    /// What is known of it.
    pub row: KeyRow,
    /// The key.
    pub key: Key,
}

/// Who changes a key, and why.
#[derive(Clone, Debug, Default)]
pub struct By {
    /// Who.
    pub actor: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// What seals keys: the first seals and opens, the others open only.
#[derive(Debug, Default)]
pub struct Roots(Vec<Sealer>);

const PURPOSE: &str = "consign-protection/1";

impl Roots {
    /// Of secrets from outside of the state.
    ///
    /// # Errors
    /// One is too short.
    pub fn of_secrets<'s>(secrets: impl IntoIterator<Item = &'s [u8]>) -> Result<Self> {
        secrets.into_iter().map(|secret| keys::root_sealer(secret, PURPOSE)).collect::<Result<_>>().map(Self)
    }

    fn sealer(&self) -> Result<&Sealer> {
        self.0.first().ok_or_else(|| Error::bug("no root to seal a key with"))
    }

    fn open(&self, row: &KeyRow, wrapped: &[u8]) -> Result<Key> {
        let place = place(&row.name, row.version, &row.id);
        let mut fitting = self.0.iter().filter(|sealer| sealer.id == row.wrapped_by);
        let plain = fitting.find_map(|sealer| sealer.unseal(wrapped, &place));
        let key = plain.and_then(|plain| Some(Key::new(plain.as_slice().try_into().ok()?)));
        key.filter(|key| key.id() == row.id).ok_or_else(|| {
            let known: Vec<&str> = self.0.iter().map(|sealer| sealer.id.as_str()).collect();
            let what = format!("version {} of the key `{}` is sealed by another root", row.version, row.name);
            Error::new(Kind::Denied, &ROOT_MISSING, what)
                .fact("sealed by", &row.wrapped_by)
                .fact("at hand", if known.is_empty() { "nothing".into() } else { known.join(", ") })
                .hint("give `root` of the key the secret it had; an earlier one may stand behind the one in use")
        })
    }
}

/// Sealed keys as they lie in the state, to be opened one by one.
#[derive(Debug, Default)]
pub struct SealedKeys(Vec<(KeyRow, Option<Vec<u8>>)>);

impl SealedKeys {
    /// The versions of a key.
    pub fn rows<'k>(&'k self, name: &'k str) -> impl Iterator<Item = &'k KeyRow> {
        self.0.iter().map(|(row, _)| row).filter(move |row| row.name == name)
    }

    /// The versions of a key that are left, in clear, in their order.
    ///
    /// # Errors
    /// A root is not at hand.
    pub fn open(&self, name: &str, roots: &Roots) -> Result<Vec<OpenKey>> {
        let of = self.0.iter().filter(|(row, _)| row.name == name);
        of.filter_map(|(row, wrapped)| Some((row, wrapped.as_ref()?)))
            .map(|(row, wrapped)| Ok(OpenKey { row: row.clone(), key: roots.open(row, wrapped)? }))
            .collect()
    }
}

impl Store {
    /// Every version of every key, by name.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn protection_keys(&self) -> Result<Vec<KeyRow>> {
        Ok(self.sealed_keys()?.0.into_iter().map(|(row, _)| row).collect())
    }

    /// The same with the sealed keys.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn sealed_keys(&self) -> Result<SealedKeys> {
        rows(&self.db).map(SealedKeys)
    }

    /// What seals keys of which nothing is said: the key ring in the folder of the state.
    pub fn ring_roots(&self) -> Roots {
        let ring = keys::Ring::load(&self.folder).ok().flatten();
        Roots(ring.map(|ring| ring.protection_sealers(PURPOSE)).unwrap_or_default())
    }

    /// Makes the first version of a key, or of one whose versions all were retired the next; random unless
    /// `given`.
    ///
    /// # Errors
    /// It has a version that protects, or the state cannot be written.
    pub fn create_key(
        &mut self,
        name: &str,
        purpose: Purpose,
        roots: &Roots,
        given: Option<Key>,
        by: &By,
    ) -> Result<KeyRow> {
        let key = given.map_or_else(keys::random_key, Ok)?;
        self.write("making a key", |w| {
            let known = rows(w.db)?;
            let of = || known.iter().map(|(row, _)| row).filter(|row| row.name == name);
            if let Some(active) = of().find(|row| row.state == KeyState::Active) {
                let what = format!("the key `{name}` is there already, in version {}", active.version);
                return Err(Error::new(Kind::Invalid, &KEY_STATE, what)
                    .hint(format!("`consign audit keys rotate {name}` makes the next version")));
            }
            same_purpose(of(), purpose)?;
            w.add_key(name, of().map(|row| row.version).max().unwrap_or(0) + 1, purpose, roots, &key, by)
        })
    }

    /// Makes the next version of a key and retires the one that protects, in one transaction. With
    /// `compromised` that one may be known to others.
    ///
    /// # Errors
    /// There is no version that protects, or the state cannot be written.
    pub fn rotate_key(
        &mut self,
        name: &str,
        roots: &Roots,
        compromised: bool,
        given: Option<Key>,
        by: &By,
    ) -> Result<KeyRow> {
        let key = given.map_or_else(keys::random_key, Ok)?;
        self.write("rotating a key", |w| {
            let known = rows(w.db)?;
            let of = || known.iter().map(|(row, _)| row).filter(|row| row.name == name);
            let Some(active) = of().find(|row| row.state == KeyState::Active) else {
                let what = format!("the key `{name}` has no version that protects");
                return Err(Error::new(Kind::Invalid, &KEY_STATE, what)
                    .hint(format!("`consign audit keys create {name}` makes one")));
            };
            let state = if compromised { KeyState::Compromised } else { KeyState::Retired };
            w.set_state(active, state, by)?;
            super::failpoint::reach("inside_rotate");
            w.add_key(name, of().map(|row| row.version).max().unwrap_or(0) + 1, active.purpose, roots, &key, by)
        })
    }

    /// Changes what may be done with a version of a key. Destroying one deletes it.
    ///
    /// # Errors
    /// There is no such version, it was destroyed, it still protects or seals, or the state cannot be
    /// written.
    pub fn set_key_state(&mut self, name: &str, version: u32, state: KeyState, by: &By) -> Result<KeyRow> {
        let row = self.write("changing a key", |w| {
            let known = rows(w.db)?;
            let row = known.iter().map(|(row, _)| row).find(|row| row.name == name && row.version == version);
            let row = row.ok_or_else(|| unknown(name, Some(version)))?;
            let refuse = |what: String, hint: String| {
                Err(Error::new(Kind::Invalid, if row.seals > 0 { &KEY_IN_USE } else { &KEY_STATE }, what).hint(hint))
            };
            match (row.state, state) {
                (old, new) if old == new => return Ok(row.clone()),
                (KeyState::Destroyed, _) => {
                    return refuse(
                        format!("version {version} of the key `{name}` was destroyed"),
                        "nothing brings it back".into(),
                    );
                }
                (_, KeyState::Active) | (KeyState::Compromised, KeyState::Retired) => {
                    return refuse(
                        format!("version {version} of the key `{name}` is {}", row.state),
                        format!("`consign audit keys rotate {name}` makes a new one"),
                    );
                }
                (KeyState::Active, KeyState::Destroyed) => {
                    return refuse(
                        format!("version {version} of the key `{name}` protects"),
                        format!("retire it first: `consign audit keys rotate {name}`"),
                    );
                }
                (_, KeyState::Destroyed) if row.seals > 0 => {
                    return refuse(
                        format!("version {version} of the key `{name}` seals {} entries of the state", row.seals),
                        format!("`consign audit keys reencrypt {name}` brings them under the newest version"),
                    );
                }
                _ => {}
            }
            super::failpoint::reach("inside_key_state");
            w.set_state(row, state, by)?;
            Ok(KeyRow { state, ..row.clone() })
        })?;
        if state == KeyState::Destroyed {
            self.scrub()?;
        }
        Ok(row)
    }

    /// Seals every version of a key that is left with the root in use; how many were sealed by another.
    ///
    /// # Errors
    /// A root is not at hand, or the state cannot be written.
    pub fn reseal_key(&mut self, name: &str, roots: &Roots, by: &By) -> Result<u64> {
        self.write("sealing a key anew", |w| {
            let sealer = roots.sealer()?;
            let mut count = 0;
            for (row, wrapped) in rows(w.db)?.into_iter().filter(|(row, _)| row.name == name) {
                let Some(wrapped) = wrapped.filter(|_| row.wrapped_by != sealer.id) else { continue };
                let key = roots.open(&row, &wrapped)?;
                let sealed = sealer.seal(keys::random()?, key.reveal(), &place(name, row.version, &row.id))?;
                w.db.execute(
                    "UPDATE protection_keys SET wrapped_by = ?3, wrapped = ?4, changed_ns = ?5 WHERE name = ?1 AND version = ?2",
                    params![name, row.version, sealer.id, sealed, w.now_ns],
                )
                .map_err(|e| sql::error("sealing a key anew", e))?;
                let draft = draft(Action::KeyResealed, &row, by)
                    .detail("from", row.wrapped_by.clone())
                    .detail("to", sealer.id.clone());
                w.record(vec![draft])?;
                count += 1;
            }
            super::failpoint::reach("inside_reseal");
            Ok(count)
        })
    }
}

impl Writing<'_> {
    fn add_key(
        &mut self,
        name: &str,
        version: u32,
        purpose: Purpose,
        roots: &Roots,
        key: &Key,
        by: &By,
    ) -> Result<KeyRow> {
        let sealer = roots.sealer()?;
        let row = KeyRow {
            name: name.to_owned(),
            version,
            id: key.id(),
            purpose,
            state: KeyState::Active,
            wrapped_by: sealer.id.clone(),
            made_ns: self.now_ns,
            changed_ns: self.now_ns,
            used_ns: None,
            reason: by.reason.clone(),
            seals: 0,
        };
        let wrapped = sealer.seal(keys::random()?, key.reveal(), &place(name, version, &row.id))?;
        let taken: Option<String> = self
            .db
            .query_row("SELECT name FROM protection_keys WHERE id = ?1", [&row.id], |row| row.get(0))
            .optional()
            .map_err(|e| sql::error("making a key", e))?;
        if let Some(taken) = taken {
            let what = format!("the same key is there already, as `{taken}`");
            return Err(Error::new(Kind::Invalid, &KEY_STATE, what).hint("a key serves one purpose: make another one"));
        }
        self.db
            .execute(
                "INSERT INTO protection_keys (name, version, id, purpose, state, wrapped_by, wrapped, made_ns, changed_ns, reason)
                 VALUES (?1, ?2, ?3, ?4, 'active', ?5, ?6, ?7, ?7, ?8)",
                params![name, version, row.id, purpose.word(), row.wrapped_by, wrapped, self.now_ns, by.reason],
            )
            .map_err(|e| sql::error("making a key", e))?;
        self.record(vec![draft(Action::KeyMade, &row, by)])?;
        Ok(row)
    }

    fn set_state(&mut self, row: &KeyRow, state: KeyState, by: &By) -> Result<()> {
        let gone = state == KeyState::Destroyed;
        self.db
            .execute(
                "UPDATE protection_keys SET state = ?3, changed_ns = ?4, reason = ?5,
                   wrapped = CASE WHEN ?6 THEN NULL ELSE wrapped END WHERE name = ?1 AND version = ?2",
                params![row.name, row.version, state.word(), self.now_ns, by.reason, gone],
            )
            .map_err(|e| sql::error("changing a key", e))?;
        let action = match state {
            KeyState::Active => return Err(Error::bug("a key is made active by making it")),
            KeyState::Retired => Action::KeyRetired,
            KeyState::Compromised => Action::KeyCompromised,
            KeyState::Destroyed => Action::KeyDestroyed,
        };
        self.record(vec![draft(action, row, by)])?;
        Ok(())
    }

    /// Remembers that a run protects with these keys.
    pub(super) fn use_keys(&mut self, ids: &[(String, String)]) -> Result<()> {
        for (_, id) in ids {
            self.db
                .execute("UPDATE protection_keys SET used_ns = ?2 WHERE id = ?1", params![id, self.now_ns])
                .map_err(|e| sql::error("remembering the keys of a run", e))?;
        }
        Ok(())
    }
}

/// A random key, or one of these bytes.
///
/// # Errors
/// They are not 32.
pub fn given_key(bytes: &Zeroizing<Vec<u8>>) -> Result<Key> {
    match <[u8; 32]>::try_from(bytes.as_slice()) {
        Ok(bytes) if bytes != [0; 32] => Ok(Key::new(bytes)),
        _ => Err(Error::new(
            Kind::Invalid,
            &KEY_STATE,
            "a key is 32 bytes, as base64 or hexadecimal, and not all of them zero",
        )
        .hint("make one with `openssl rand -base64 32`")),
    }
}

/// That there is no such key.
pub fn unknown(name: &str, version: Option<u32>) -> Error {
    let what = match version {
        Some(version) => format!("there is no version {version} of a key `{name}`"),
        None => format!("the key `{name}` was not made yet"),
    };
    let error = Error::new(Kind::Invalid, &KEY_UNKNOWN, what);
    match version {
        Some(_) => error.hint("`consign audit keys list` shows what there is"),
        None => error.hint(format!("`consign audit keys create {name}` makes its first version")),
    }
}

fn same_purpose<'r>(mut known: impl Iterator<Item = &'r KeyRow>, purpose: Purpose) -> Result<()> {
    match known.find(|row| row.purpose != purpose) {
        Some(row) => {
            let what =
                format!("the key `{}` was made for `{}`, and is declared for `{purpose}`", row.name, row.purpose);
            Err(Error::new(Kind::Invalid, &KEY_STATE, what).hint("declare a key of another name for that"))
        }
        None => Ok(()),
    }
}

fn rows(db: &rusqlite::Connection) -> Result<Vec<(KeyRow, Option<Vec<u8>>)>> {
    let doing = "reading the keys";
    let mut statement = db
        .prepare(
            "SELECT k.name, k.version, k.id, k.purpose, k.state, k.wrapped_by, k.made_ns, k.changed_ns, k.used_ns, k.reason, k.wrapped,
                    (SELECT count(*) FROM subject_keys s WHERE s.name = k.name AND s.wrapped_by = k.id)
                    + (SELECT count(*) FROM vault_tokens v WHERE v.name = k.name AND v.sealed_by = k.id)
             FROM protection_keys k ORDER BY k.name, k.version",
        )
        .map_err(|e| sql::error(doing, e))?;
    let found = statement
        .query_map([], |row| {
            let words: (String, String) = (row.get(3)?, row.get(4)?);
            Ok(Purpose::of(&words.0).zip(KeyState::of(&words.1)).map(|(purpose, state)| {
                Ok::<_, rusqlite::Error>((
                    KeyRow {
                        name: row.get(0)?,
                        version: row.get(1)?,
                        id: row.get(2)?,
                        purpose,
                        state,
                        wrapped_by: row.get(5)?,
                        made_ns: row.get(6)?,
                        changed_ns: row.get(7)?,
                        used_ns: row.get(8)?,
                        reason: row.get(9)?,
                        seals: sql::count(row.get(11)?),
                    },
                    row.get(10)?,
                ))
            }))
        })
        .and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>)
        .map_err(|e| sql::error(doing, e))?;
    let whole = found.into_iter().map(|row| match row {
        Some(row) => row.map_err(|e| sql::error(doing, e)),
        None => Err(sql::damaged("a key has a purpose or state that is not known").doing(doing)),
    });
    whole.collect()
}

fn draft(action: Action, row: &KeyRow, by: &By) -> Draft {
    let mut draft = Draft::new(action);
    draft.resource = Some(format!("key {}", row.name));
    draft.actor = by.actor.clone();
    draft.reason = by.reason.clone();
    if draft.level == Level::Critical {
        draft.risk = 0.9;
    }
    draft.detail("version", row.version).detail("key", row.id.clone()).detail("purpose", row.purpose.word())
}

/// Where a sealed key belongs.
fn place(name: &str, version: u32, id: &str) -> Vec<u8> {
    let mut place = b"consign-protection-key/1".to_vec();
    for part in [name.as_bytes(), &version.to_be_bytes(), id.as_bytes()] {
        place.extend_from_slice(&(part.len() as u32).to_be_bytes());
        place.extend_from_slice(part);
    }
    place
}
