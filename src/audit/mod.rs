//! What is remembered and how it is proved: events, their canonical bytes, the keyed chain
//! and its verification. Pure: no file, no clock, no randomness; all three come in as values.
//!
//! What is found, and with what in hand (a checkpoint is one that was carried away, or the pin):
//!
//! | attack | no key | current key | first key | a checkpoint |
//! |---|---|---|---|---|
//! | a row edited, dropped, swapped, doubled | found | found | found | found |
//! | the same, with every keyless hash made to fit again | – | found | found | found |
//! | the tail cut off and the head made to fit | – | found | found | found |
//! | somebody with today's keys rewrites a sealed epoch | – | – | found | found |
//! | somebody with today's keys rewrites the epoch that is still open | – | – | – | found, up to it |
//! | the whole file replaced by an older copy | – | – | – | found |
//! | two copies that went separate ways | – | – | – | found |
//!
//! What was never recorded, and what somebody with today's keys records from now on, nobody can find.

pub mod canonical;
pub mod chain;
pub mod checkpoint;
pub mod condition;
pub mod event;
pub mod export;
pub mod handover;
pub mod merkle;
pub mod note;
pub mod redaction;
pub mod risk;
pub mod rules;
pub mod session;
pub mod verify;
pub mod witness;

pub use chain::{Head, Key};
pub use event::{Action, Category, Draft, Event, Level, Outcome};
pub use session::Session;
pub use verify::{Bad, Check, Keys, Report, Row, Setting, Tampering, Verifier};
