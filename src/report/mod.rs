//! Reports: what was recorded, told to people. One file each.
//!
//! A report reads the store and nothing else: the configuration kept with the run, not today's
//! files, and no clock. Made twice, it is the same.

pub mod metrics;
pub mod run;
