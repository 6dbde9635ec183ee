//! Protection of values: what may stand where the value itself must not.
//!
//! Below are the ways themselves, on bytes and keys: keyed digests (`mac`), authenticated encryption
//! (`xaes`, `siv`) in an `envelope`, encryption that keeps the form (`ff1`), keys for one use each
//! (`derive`). Above them what functions of the expression language do with values: `token`, `encrypt`,
//! `open`, `form`, `subject`, `vault`. The `ring` holds the keys of a project and hands each function what
//! its key may be used for. `ways` lists what a rule can do about a class. Pure: what the state keeps comes and goes through [`vault::Vault`].

pub mod derive;
mod encrypt;
pub mod envelope;
pub mod ff1;
mod form;
pub mod mac;
mod open;
mod plain;
mod policy;
mod ring;
mod seal;
pub mod siv;
mod subject;
#[cfg(test)]
mod tests;
mod token;
pub mod vault;
pub mod ways;
pub mod xaes;

pub use policy::Policy;
pub use ring::{Declared, Ring, Version};
pub use subject::subject_place;
