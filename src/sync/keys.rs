//! The keys of a project, for a run: what connectors.yaml declares, what the state holds sealed, what
//! opens it, brought together when an expression asks for a key and not before.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use crate::comply::protect::vault::{Reference, Standing, Stored, Vault, rewrap, token_place};
use crate::comply::protect::{Declared, Ring, Version, subject_place};
use crate::config::{Environment, Mapping, Project, ProtectionKey, Resolver};
use crate::error::{Error, Result};
use crate::expr::Keys;
use crate::expr::functions;
use crate::expr::keyed::{Ask, Holder, Refused, Tool};
use crate::record::KeyState;
use crate::store::protection::{By, OpenKey, Roots, SealedKeys, unknown};
use crate::store::vault::{Entry, Sealed, SubjectKey, VaultTables};
use crate::store::{Store, failpoint};

/// How many entries are sealed anew in one transaction.
const GROUP: usize = 500;

/// Gives the keys of a project to those who compile its mappings, if one of them needs any. Without a
/// state there are none yet.
///
/// # Errors
/// The state cannot be read.
pub fn hold(project: &mut Project, mappings: &[Mapping], store: Option<&Store>) -> Result<()> {
    let names: Vec<&str> = functions::names().filter(|name| functions::keyed(name).is_some()).collect();
    let asks = |of: &[crate::config::Protect]| of.iter().any(|one| one.key.is_some());
    let everywhere = asks(&project.compliance.rules.protect);
    let keyed = |mapping: &Mapping| {
        // Rules of the project may have added to what is written in the mapping.
        let of_rules = || mapping.fields.iter().filter_map(crate::config::FieldRule::transform);
        everywhere
            || asks(&mapping.compliance.protect)
            || names.iter().any(|name| mapping.canonical.contains(name))
            || of_rules().any(|transform| names.iter().any(|name| transform.text.contains(name)))
    };
    if !mappings.iter().any(keyed) {
        return Ok(());
    }
    let vault: Arc<dyn Vault> = match store {
        Some(store) => Arc::new(State(store.vault()?)),
        None => Arc::new(Nothing),
    };
    project.keys = Keys::of(Arc::new(Holding {
        resolver: Resolver::new(&project.root, Environment::process()),
        declared: Declared::all(project)
            .zip(project.compliance.keys.iter().cloned())
            .map(|d| (d.1.name.clone(), d))
            .collect(),
        sealed: store.map(Store::sealed_keys).transpose()?.unwrap_or_default(),
        ring_roots: store.map(Store::ring_roots).unwrap_or_default(),
        opened: Mutex::new(Ring::new(vault)),
    }));
    Ok(())
}

/// What seals a key, by its declaration.
///
/// # Errors
/// A reference leads nowhere, its file is open to others, or the secret is too short.
pub fn roots(key: &ProtectionKey, resolver: &Resolver, store: &Store) -> Result<Roots> {
    if key.roots.is_empty() { Ok(store.ring_roots()) } else { secrets(key, resolver) }
}

fn secrets(key: &ProtectionKey, resolver: &Resolver) -> Result<Roots> {
    let doing = |error: Error| error.doing(format!("opening what seals the key `{}`", key.name));
    let secrets = key.roots.iter().map(|root| resolver.key(&root.value).map_err(|e| e.at(root.place.clone())));
    let secrets = secrets.collect::<Result<Vec<_>>>().map_err(doing)?;
    Roots::of_secrets(secrets.iter().map(|secret| secret.reveal().as_bytes())).map_err(doing)
}

/// What was brought under the newest version of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reencrypted {
    /// Versions that another root sealed.
    pub versions: u64,
    /// Keys of subjects and values of the vault that another version sealed.
    pub entries: u64,
}

/// Seals every version of a key with the root in use, and what older versions seal in the state with the
/// newest, group by group: whoever is killed in between goes on where it was.
///
/// # Errors
/// A root is not at hand, an entry was altered, or the state cannot be written.
pub fn reencrypt(key: &ProtectionKey, resolver: &Resolver, store: &mut Store, by: &By) -> Result<Reencrypted> {
    let roots = roots(key, resolver, store)?;
    let versions = store.reseal_key(&key.name, &roots, by)?;
    let open: Vec<Version> = store.sealed_keys()?.open(&key.name, &roots)?.into_iter().map(version).collect();
    let newest = open.iter().find(|one| one.state == KeyState::Active).ok_or_else(|| unknown(&key.name, None))?;
    let random = State(store.vault()?);
    let mut done = Reencrypted { versions, entries: 0 };
    loop {
        let group = store.sealed_by_others(&key.name, &newest.id, GROUP)?;
        if group.is_empty() {
            return Ok(done);
        }
        let mut anew = Vec::with_capacity(group.len());
        for (entry, sealed) in group {
            let place = match &entry {
                Entry::Subject(subject) => subject_place(&key.name, subject),
                Entry::Token(value) => token_place(&key.name, value),
            };
            let failed = |cause: String| {
                Error::new(crate::error::Kind::Tampered, &crate::error::codes::store::DAMAGED, cause)
                    .doing(format!("sealing anew what the key `{}` seals", key.name))
            };
            let from = open.iter().find(|one| one.id == sealed.by);
            let from = from.ok_or_else(|| failed(format!("an entry is sealed by {}, which is gone", sealed.by)))?;
            let stored = Stored { by: sealed.by.clone(), sealed: sealed.bytes.clone() };
            let made = rewrap(from, newest, &random, &stored, &place).map_err(failed)?;
            anew.push((entry, sealed, Sealed { by: made.by, bytes: made.sealed }));
        }
        failpoint::reach("before_reencrypt");
        let moved = store.reseal(&key.name, &anew, by)?;
        done.entries += moved;
        // What others changed meanwhile is looked at again; what nobody can change would be for ever.
        if moved == 0 {
            return Ok(done);
        }
    }
}

fn version(open: OpenKey) -> Version {
    let OpenKey { row, key } = open;
    Version { number: row.version, id: row.id, state: row.state, key: Zeroizing::new(*key.reveal()) }
}

#[derive(Debug)]
struct Holding {
    resolver: Resolver,
    declared: BTreeMap<String, (Declared, ProtectionKey)>,
    sealed: SealedKeys,
    ring_roots: Roots,
    opened: Mutex<Ring>,
}

impl Holding {
    fn open(&self, name: &str, ring: &mut Ring) -> Result<()> {
        let Some((declared, key)) = self.declared.get(name) else { return Ok(()) };
        if ring.has(name) {
            return Ok(());
        }
        let rows: Vec<_> = self.sealed.rows(name).collect();
        if rows.is_empty() {
            return Err(unknown(name, None));
        }
        if let Some(row) = rows.iter().find(|row| row.purpose != key.purpose) {
            let what =
                format!("the key `{name}` was made for `{}`, and is declared for `{}`", row.purpose, key.purpose);
            return Err(Error::new(crate::error::Kind::Invalid, &crate::error::codes::store::KEY_STATE, what)
                .hint("declare a key of another name for that"));
        }
        let gone = rows.iter().filter(|row| row.state == KeyState::Destroyed).map(|row| row.id.clone()).collect();
        let own;
        let roots = if key.roots.is_empty() {
            &self.ring_roots
        } else {
            own = secrets(key, &self.resolver)?;
            &own
        };
        let open = self.sealed.open(name, roots)?;
        ring.add(declared.clone(), open.into_iter().map(version).collect(), gone);
        Ok(())
    }
}

impl Holder for Holding {
    fn tool(&self, ask: &Ask<'_>) -> Result<Tool, Refused> {
        let mut ring = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let name = ask.key.split_once('@').map_or(ask.key, |(name, _)| name);
        self.open(name, &mut ring).map_err(|error| Refused {
            cause: error.to_string(),
            fix: error.hints().first().cloned().unwrap_or_else(|| "see `consign audit keys list`".into()),
        })?;
        ring.tool(ask)
    }

    fn rehearses(&self) -> bool {
        false
    }
}

/// The tables of the state, as protection asks for them.
#[derive(Debug)]
struct State(VaultTables);

fn told(error: &Error) -> String {
    error.to_string()
}

fn standing(found: SubjectKey) -> Standing {
    match found {
        SubjectKey::Known(sealed) => Standing::Known(Stored { by: sealed.by, sealed: sealed.bytes }),
        SubjectKey::Unknown => Standing::Unknown,
        SubjectKey::Erased => Standing::Erased,
    }
}

impl Vault for State {
    fn reference(&self, id: &[u8]) -> Reference {
        self.0.reference(id)
    }
    fn subject(&self, name: &str, subject: &Reference) -> Result<Standing, String> {
        self.0.subject(name, subject).map(standing).map_err(|e| told(&e))
    }
    fn keep_subject(&self, name: &str, subject: &Reference, stored: Stored) -> Result<Standing, String> {
        let sealed = Sealed { by: stored.by, bytes: stored.sealed };
        self.0.keep_subject(name, subject, sealed).map(standing).map_err(|e| told(&e))
    }
    fn is_erased(&self, subject: &Reference) -> Result<bool, String> {
        self.0.is_erased(subject).map_err(|e| told(&e))
    }
    fn token(&self, name: &str, value: &[u8; 32]) -> Result<Option<String>, String> {
        self.0.token(name, value).map_err(|e| told(&e))
    }
    fn keep_token(&self, name: &str, value: &[u8; 32], token: &str, stored: Stored) -> Result<String, String> {
        let sealed = Sealed { by: stored.by, bytes: stored.sealed };
        self.0.keep_token(name, value, token, &sealed).map_err(|e| told(&e))
    }
    fn random(&self, bytes: &mut [u8]) -> Result<(), String> {
        crate::store::fill(bytes).map_err(|e| told(&e))
    }
}

/// Where there is no state yet: nobody was erased, and no key was made.
#[derive(Debug)]
struct Nothing;

const NOTHING: &str = "there is no state yet";

impl Vault for Nothing {
    fn reference(&self, _: &[u8]) -> Reference {
        [0; 16]
    }
    fn subject(&self, _: &str, _: &Reference) -> Result<Standing, String> {
        Err(NOTHING.into())
    }
    fn keep_subject(&self, _: &str, _: &Reference, _: Stored) -> Result<Standing, String> {
        Err(NOTHING.into())
    }
    fn is_erased(&self, _: &Reference) -> Result<bool, String> {
        Ok(false)
    }
    fn token(&self, _: &str, _: &[u8; 32]) -> Result<Option<String>, String> {
        Err(NOTHING.into())
    }
    fn keep_token(&self, _: &str, _: &[u8; 32], _: &str, _: Stored) -> Result<String, String> {
        Err(NOTHING.into())
    }
    fn random(&self, bytes: &mut [u8]) -> Result<(), String> {
        crate::store::fill(bytes).map_err(|e| told(&e))
    }
}
