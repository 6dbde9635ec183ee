//! One call of an HTTP API: from a draft that everybody may still put values into, over the layers
//! (sign-in, limits, retries, faults), to an answer.

pub mod caller;
pub mod draft;
pub mod replay;
pub mod stand_in;
pub mod wire;

pub use caller::{Caller, Failure};
pub use draft::{Content, Draft, Purpose, Spot};
pub use replay::Replay;
pub use stand_in::StandIn;
pub use wire::{Answer, Request, Unanswered, Wire};
