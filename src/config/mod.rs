//! What people write: `connectors.yaml` and `mappings/*.yaml`, from text to checked types.
//!
//! Three steps, three types: raw (a tree with spans) → resolved ([`Project`], [`Mapping`]) →
//! plan (made in `sync`). After "resolved" nothing is checked again.
//!
//! [`discover()`] finds the files, [`load()`] reads and checks all of them without stopping at
//! the first fault and without resolving a reference. Plug-ins are known by the [`Catalog`]
//! that is passed in.

mod ambient;
pub mod auditing;
mod canonical;
pub mod check;
pub mod circumstances;
pub mod cron;
pub mod describe;
pub mod discover;
pub mod environment;
mod expression;
pub mod governance;
mod hidden;
pub mod json_schema;
pub mod keys;
pub mod layout;
pub mod load;
mod mapping;
pub mod node;
mod project;
pub mod resolve;
pub mod resolved;
pub mod rewrite;
pub mod schema;
mod secret;
pub mod source;
mod structure;
mod tables;
mod text;
pub mod units;
pub mod yaml;

pub use ambient::Ambient;
pub use auditing::{Alert, AlertPlace, Audit, EventRule, EventTest, SEGMENT};
pub use cron::Cron;
pub use describe::{Carries, Catalog, FormatSpec, OptionKind, OptionSpec, ProtocolSpec, Shelf, StreamSpec};
pub use discover::{Found, discover};
pub use environment::Environment;
pub use governance::{
    Action, Agreement, AtRest, Audience, Consent, ConsentLookup, ConsentSource, Controller, Custody, Detect, Industry,
    OnHit, Processing, Protect, Residency, Role, Rules, Transfer, Waiver,
};
pub use hidden::hide;
pub use load::{FileText, Loaded, load, load_texts, named, routes_named};
pub use resolve::Resolver;
pub use resolved::*;
pub use secret::Secret;
pub use source::Source;
pub use text::TextError;
pub use units::zone;

#[cfg(test)]
mod tests;
