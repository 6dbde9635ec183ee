//! A system that exists on this machine alone, made from its pack: for trying a sync without an account,
//! and for tests from end to end.
//!
//! The pack says how the system is asked; read backwards, it says what was asked ([`pattern`], [`routes`])
//! and where an answer must hold what ([`place`]). Recorded answers of the pack's tests give answers their
//! usual shape. It shares the mistakes of the pack: no pack is proven by it.

#[cfg(test)]
mod contract;
mod data;
mod jobs;
mod keeping;
mod pattern;
mod place;
mod routes;
mod server;
mod serving;
pub mod trouble;
mod webhook;
mod welcome;
mod wording;
mod world;

pub use routes::Asked;
pub use server::{Rate, Server, Told, Ways};
pub use webhook::{Message, Messenger};
pub use wording::Left;
pub use world::{Answered, Setup, World};
