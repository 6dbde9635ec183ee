//! The keys of a project as a run holds them: names, versions, what each may be used for; and who makes
//! of them what a function with a key does.

use std::collections::BTreeMap;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::derive::derive;
use super::encrypt::Encrypt;
use super::envelope::Way;
use super::ff1::{Alphabet, Ff1};
use super::form::{FormatDecrypt, FormatEncrypt};
use super::mac::Keyed;
use super::open::{Decrypt, Reencrypt};
use super::seal::Sealing;
use super::subject::{EncryptFor, IsErased, Subjects};
use super::token::{Digest, Pseudonym, Token};
use super::vault::{RandomToken, Vault};
use crate::config::Project;
use crate::error::nearest;
use crate::expr::keyed::{Ask, Holder, Refused, Task, Tool, Work};
use crate::record::{ClassSet, KeyState, Purpose};

/// What a project says of a key.
#[derive(Clone, Debug)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub purpose: Purpose,
    /// The classes of what is encrypted with it: what decryption brings back.
    pub classes: ClassSet,
    /// The mappings that may decrypt with it.
    pub decrypt: Vec<String>,
}

impl Declared {
    /// The keys that a project declares.
    pub fn all(project: &Project) -> impl Iterator<Item = Self> {
        project.compliance.keys.iter().map(|key| Self {
            name: key.name.clone(),
            purpose: key.purpose,
            classes: key.classes,
            decrypt: key.decrypt.clone(),
        })
    }
}

/// A version of a key, in clear.
#[derive(Clone)]
pub struct Version {
    /// From 1.
    pub number: u32,
    /// Its public id.
    pub id: String,
    /// What may be done with it.
    pub state: KeyState,
    /// The key.
    pub key: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Version({}, {}, {})", self.number, self.id, self.state)
    }
}

#[derive(Debug)]
struct Held {
    declared: Declared,
    versions: Vec<Version>,
    /// Versions that were destroyed, so that what they sealed is told apart from what nobody knows.
    destroyed: Vec<String>,
}

/// Keys by name.
#[derive(Debug)]
pub struct Ring {
    keys: BTreeMap<String, Held>,
    vault: Arc<dyn Vault>,
    rehearses: bool,
}

impl Ring {
    /// Keys to run with.
    pub fn new(vault: Arc<dyn Vault>) -> Self {
        Self { keys: BTreeMap::new(), vault, rehearses: false }
    }

    /// Adds a key with those of its versions that are left, and the ids of those that are not.
    pub fn add(&mut self, declared: Declared, versions: Vec<Version>, destroyed: Vec<String>) {
        self.keys.insert(declared.name.clone(), Held { declared, versions, destroyed });
    }

    /// Whether it holds the key of this name.
    pub fn has(&self, name: &str) -> bool {
        self.keys.contains_key(name)
    }

    /// Stand-ins for the keys that are declared: each is made of its name alone. What they make has the form
    /// of what a run makes, is the same everywhere, and protects nothing.
    pub fn rehearsal(declared: impl IntoIterator<Item = Declared>) -> Self {
        let mut ring = Self { rehearses: true, ..Self::new(Arc::new(super::vault::Rehearsed)) };
        for one in declared {
            let key = derive::<32>(&[0; 32], &["rehearsal", &one.name]);
            let version = Version { number: 1, id: "rehearsal".into(), state: KeyState::Active, key };
            ring.add(one, vec![version], Vec::new());
        }
        ring
    }

    /// The key and the version that a name means: `mail`, or `mail@2` for one version.
    fn named(&self, name: &str) -> Result<(&Held, Option<u32>), Refused> {
        let (bare, version) = match name.rsplit_once('@').map(|(bare, number)| (bare, number.parse())) {
            Some((bare, Ok(number))) => (bare, Some(number)),
            _ => (name, None),
        };
        match self.keys.get(bare) {
            Some(held) => Ok((held, version)),
            None => {
                let near = nearest(bare, self.keys.keys().map(String::as_str));
                Err(Refused {
                    cause: format!("there is no key `{bare}`"),
                    fix: match near {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!(
                            "declare it in connectors.yaml: `compliance: {{ keys: {{ {bare}: {{ purpose: … }} }} }}`"
                        ),
                    },
                })
            }
        }
    }
}

impl Held {
    fn fits(&self, ask: &Ask<'_>) -> Result<(), Refused> {
        let (name, purpose) = (&self.declared.name, self.declared.purpose);
        let wanted = ask.task.purposes();
        if !wanted.contains(&purpose) {
            let words: Vec<String> = wanted.iter().map(|one| format!("`{one}`")).collect();
            return Err(Refused {
                cause: format!("the key `{name}` is for `{purpose}`, and this needs one for {}", words.join(" or ")),
                fix: "a key serves one purpose: declare another one for this".into(),
            });
        }
        if !ask.task.opens() {
            return Ok(());
        }
        if !self.declared.decrypt.iter().any(|route| route == ask.route) {
            let route = ask.route;
            return Err(Refused {
                cause: format!("`{route}` may not decrypt with the key `{name}`"),
                fix: format!("if it may, add it in connectors.yaml: `{name}: {{ decrypt: [{route}] }}`"),
            });
        }
        if self.declared.classes.is_empty() {
            return Err(Refused {
                cause: format!("it is not said what decryption with the key `{name}` brings back"),
                fix: format!("say it in connectors.yaml: `{name}: {{ class: pii.contact.email }}`"),
            });
        }
        Ok(())
    }

    /// The version that protects.
    fn active(&self, version: Option<u32>) -> Result<&Version, Refused> {
        let name = &self.declared.name;
        let active = self.versions.iter().find(|one| one.state == KeyState::Active);
        match (active, version) {
            (Some(active), None) => Ok(active),
            (Some(active), Some(number)) if active.number == number => Ok(active),
            (_, Some(number)) => Err(Refused {
                cause: format!("version {number} of the key `{name}` does not protect any more"),
                fix: format!("leave `@{number}` out: the active version is used"),
            }),
            (None, None) => Err(Refused {
                cause: format!("the key `{name}` has no version that protects"),
                fix: format!("`consign audit keys create {name}` makes one"),
            }),
        }
    }

    /// The versions that open.
    fn opening(&self, version: Option<u32>) -> Result<Vec<&Version>, Refused> {
        let name = &self.declared.name;
        let found: Vec<&Version> =
            self.versions.iter().filter(|one| version.is_none_or(|number| one.number == number)).collect();
        if found.is_empty() {
            return Err(Refused {
                cause: format!("the key `{name}` has no such version that opens"),
                fix: "`consign audit keys list` shows what there is".into(),
            });
        }
        Ok(found)
    }

    fn sealing(&self, way: Way, version: &Version, context: &str) -> Sealing {
        Sealing::new(way, &version.key, &version.id, None, context)
    }
}

impl Holder for Ring {
    fn tool(&self, ask: &Ask<'_>) -> Result<Tool, Refused> {
        if ask.task == Task::IsErased {
            let work = Box::new(IsErased(Arc::clone(&self.vault)));
            return Ok(Tool { work, key_id: None, restores: ClassSet::NONE });
        }
        let (held, number) = self.named(ask.key)?;
        held.fits(ask)?;
        let declared = &held.declared;
        let mut restores = ClassSet::NONE;
        let mut key_id = None;
        let mut protects = || {
            let version = held.active(number)?;
            key_id = Some(version.id.clone());
            Ok::<_, Refused>(version)
        };
        let subjects = || Subjects::new(&declared.name, &held.versions, Arc::clone(&self.vault), ask.context);
        let work: Box<dyn Work> = match ask.task {
            Task::Tokenize => Box::new(Token(Keyed::new(&derive(&protects()?.key, &["token"])))),
            Task::Pseudonymize => Box::new(Pseudonym(Keyed::new(&derive(&protects()?.key, &["pseudonym"])))),
            // Of the key itself, so that whoever else has it makes the same.
            Task::Mac => Box::new(Digest(Keyed::new(&protects()?.key))),
            Task::Encrypt => Box::new(Encrypt(held.sealing(Way::Random, protects()?, ask.context))),
            Task::EncryptJoinable => Box::new(Encrypt(held.sealing(Way::Joinable, protects()?, ask.context))),
            Task::EncryptFor => {
                protects()?;
                Box::new(EncryptFor(subjects()))
            }
            Task::RandomToken => {
                protects()?;
                Box::new(RandomToken::new(&declared.name, &held.versions, Arc::clone(&self.vault))?)
            }
            Task::Reencrypt => {
                let way = if declared.purpose == Purpose::Join { Way::Joinable } else { Way::Random };
                let newest = held.sealing(way, protects()?, ask.context);
                let others = held.opening(None)?;
                let others = others.iter().map(|one| (one.id.clone(), held.sealing(way, one, ask.context))).collect();
                Box::new(Reencrypt::new(newest, others, held.destroyed.clone()))
            }
            Task::Decrypt => {
                restores = declared.classes;
                let way = if declared.purpose == Purpose::Join { Way::Joinable } else { Way::Random };
                let by_id = held
                    .opening(number)?
                    .iter()
                    .map(|one| (one.id.clone(), held.sealing(way, one, ask.context)))
                    .collect();
                let subjects = (declared.purpose == Purpose::Subject).then(subjects);
                Box::new(Decrypt::new(way, by_id, held.destroyed.clone(), subjects))
            }
            Task::FormatEncrypt => Box::new(FormatEncrypt(form(&protects()?.key, ask)?, ask.context.into())),
            Task::FormatDecrypt => {
                restores = declared.classes;
                // Nothing in the value says with what it was made: the active version, or the one that is named.
                let version = match number {
                    Some(_) => held.opening(number)?.first().copied(),
                    None => Some(held.active(None)?),
                };
                let version = version.ok_or_else(|| Refused { cause: String::new(), fix: String::new() })?;
                Box::new(FormatDecrypt(form(&version.key, ask)?, ask.context.into()))
            }
            Task::IsErased => Box::new(IsErased(Arc::clone(&self.vault))),
        };
        Ok(Tool { work, key_id, restores })
    }

    fn rehearses(&self) -> bool {
        self.rehearses
    }
}

fn form(key: &[u8; 32], ask: &Ask<'_>) -> Result<Ff1, Refused> {
    let alphabet = Alphabet::named(ask.alphabet.unwrap_or("digits"));
    alphabet.and_then(|alphabet| Ff1::new(key, alphabet)).map_err(|cause| Refused {
        cause: cause.to_owned(),
        fix: "write `digits`, `alphanumeric` or the letters themselves".into(),
    })
}
