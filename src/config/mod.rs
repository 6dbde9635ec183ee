//! What people write: `connectors.yaml` and `mappings/*.yaml`, from text to checked types.
//!
//! Three steps, three types: raw (a tree with spans) → resolved ([`Project`], [`Mapping`]) →
//! plan (made in `sync`). After "resolved" nothing is checked again.

pub mod describe;
pub mod resolved;

pub use describe::{Carries, Catalog, FormatSpec, OptionKind, OptionSpec, ProtocolSpec};
pub use resolved::*;
