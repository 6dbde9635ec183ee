//! One call of an HTTP API: from a draft that everybody may still put values into, over the layers
//! (sign-in, limits, retries, faults), to an answer.

pub mod budget;
pub mod caller;
pub mod draft;
mod events;
pub mod failures;
#[cfg(test)]
pub(crate) mod far_side;
pub mod hosts;
pub mod net;
pub mod replay;
pub mod retry;
mod settings;
mod signed;
pub mod stand_in;
pub mod tap;
pub mod told;
pub mod verdict;
pub mod waits;
pub mod wire;

pub use caller::{Call, Caller, Hook, SignIn, is_of_version};
pub use draft::{Content, Draft, Purpose, Spot};
pub use failures::Failure;
pub use replay::Replay;
pub use stand_in::StandIn;
pub use tap::Tap;
pub use wire::{Answer, Flow, Head, Request, Unanswered, Wire};
