//! A target is taken over: what it knows of a route becomes what the state knows. For a state that
//! was lost, moved or brought back from an older copy; only ever because a person asked for it.

use crate::config::{Mapping, Mode, Project};
use crate::error::Result;
use crate::store::Store;

use super::many::plan;

/// What was taken over.
#[derive(Debug)]
pub struct Adopted {
    /// The target, for a person.
    pub target: String,
    /// The last group the target knows; `None` if it keeps no account.
    pub group: Option<u64>,
    /// Whether records that are read again are added again.
    pub appends: bool,
}

/// Takes over the target of a route. The caller holds the route's lock.
///
/// # Errors
/// If the target or the store cannot be written, or the store knows more than the target.
pub fn adopt(
    project: &Project,
    mapping: &Mapping,
    store: &mut Store,
    reason: &str,
    who: Option<&str>,
) -> Result<Adopted> {
    let plan = plan(project, mapping)?;
    // Whatever dies after this finds the target ours and ahead, and is told to adopt again.
    let known = plan.sink(store.log_id(), false)?.adopt()?;
    store.adopt(plan.name(), known.as_ref(), reason, who)?;
    Ok(Adopted {
        target: plan.to.shown(),
        group: known.map(|mark| mark.group),
        appends: mapping.sync.mode == Mode::Append,
    })
}
