//! The road: records go from source to target, in order, counted, and survive being killed.
//!
//! [`many::run`] chooses routes and runs them in order; [`road::run`] is one run on one screen:
//! [`begin`](begin) takes over what a crash left, [`pipeline`] moves parts through the
//! [`middle`] on all cores, [`delivery`] makes groups durable and settles them, and [`verdict`]
//! says how it ended.

mod adopt;
pub mod alerts;
mod begin;
pub mod carry;
mod certificates;
pub mod check;
mod delivery;
pub mod facts;
mod fleeting;
pub mod foresee;
pub mod heartbeat;
pub mod inline;
mod kept;
pub mod keys;
mod lanes;
pub mod many;
pub mod middle;
mod mirror;
pub mod pipeline;
pub mod plan;
pub mod planned;
pub mod reasons;
mod refused;
pub mod replay;
pub mod road;
pub mod room;
pub mod schedule;
pub mod ship;
pub mod signals;
mod stakes;
mod system_log;
#[cfg(test)]
mod tests;
mod verdict;
pub mod watch;
pub mod witness;
mod writer;

pub use adopt::{Adopted, adopt};
pub use check::{Checked, check};
pub use lanes::key_of;
pub use many::{Became, Selection, Setting, run};
pub use plan::Plan;
pub use replay::{Replayed, overtaken, replay, superseded};
pub use road::{Finished, Options};
pub use room::Room;
pub use signals::Stop;
pub use watch::{Silent, Watch};
