//! What is remembered and how it is proved: events, their canonical bytes, the keyed chain
//! and its verification. Pure: no file, no clock, no randomness; all three come in as values.
//!
//! What the chain promises, and with which keys:
//!
//! | attack | no key | current key | first key |
//! |---|---|---|---|
//! | a row edited, dropped, swapped, doubled | found | found | found |
//! | the same, with every keyless hash made to fit again | – | found | found |
//! | the tail cut off and the head made to fit | – | found | found |
//! | somebody with today's key rewrites a sealed epoch | – | – | found |
//! | somebody with today's key rewrites the epoch that is still open | – | – | – |
//! | the whole file replaced by an older copy | – | – | – (the lag shows) |
//!
//! The last two need a checkpoint that was carried away, for which the head keeps room.

pub mod canonical;
pub mod chain;
pub mod event;
pub mod verify;

pub use chain::{Head, Key};
pub use event::{Action, Category, Draft, Event, Level, Outcome};
pub use verify::{Bad, Check, Keys, Report, Row, Verifier};
