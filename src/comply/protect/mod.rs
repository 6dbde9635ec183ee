//! Protection of values: what may stand where the value itself must not.
//!
//! The ways themselves, on bytes and keys: keyed digests (`mac`), authenticated encryption (`xaes`, `siv`)
//! in an `envelope`, encryption that keeps the form (`ff1`), keys for one use each (`derive`).

pub mod derive;
pub mod envelope;
pub mod ff1;
pub mod mac;
pub mod siv;
pub mod xaes;
