//! consign moves records between systems, and can prove it.

pub mod cli;
pub mod config;
pub mod connect;
pub mod error;
pub mod record;
