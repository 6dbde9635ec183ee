//! consign's own files: what was run, where it stands, what is in hand, what was rejected, and
//! the audit log. Few whole transactions: begin, step (settle and intend), finish, claim, record.
//!
//! Nobody else opens `consign.db`. Every write goes the same way: the append lock, `BEGIN
//! IMMEDIATE`, the statements, the audit events, `COMMIT` with one fsync. So the resume point, the
//! dead letters, the counts and the event that tells of them are all there or none of them.
//!
//! [`Store::open`] makes the state if it is not there and may write; [`Store::open_read`] never
//! changes anything and needs no writable folder.

mod append;
mod browse;
pub mod budgets;
mod checkpoints;
mod events;
pub mod failpoint;
pub mod folder;
mod follow;
pub mod health;
mod history;
mod holder;
mod kept;
mod keys;
mod letters;
mod linking;
pub mod lock;
mod migrate;
mod open;
mod parts;
pub mod plans;
mod programs;
pub mod protection;
mod prune;
mod restore;
mod routes;
mod rulings;
mod runs;
pub mod sealed;
mod segments;
mod signer;
mod signers;
mod sql;
mod statistics;
mod steps;
pub mod subjects;
#[cfg(test)]
mod tests;
pub mod tokens;
mod told;
mod tree;
pub mod vault;
mod verify;
mod watch;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};
use append::Log;
pub use browse::{EventFilter, Found};
pub use checkpoints::Signed;
pub use folder::Folder;
pub use history::{RejectReason, RunFilter, RunRow};
use keys::Sealer;
pub use keys::fill;
pub use letters::{Letter, LetterFilter, LetterState, LetterText};
pub use lock::{Held, Standing, Tenure};
pub use parts::Segment;
pub use plans::{PlanApproval, SavedPlan};
pub use prune::{Authority, Hold, Prunable, Retention};
pub use routes::{Positions, RouteState};
pub use rulings::{RulingRow, Tombstones, WithheldRow, sums as sums_json};
pub use runs::{NewRun, Run, RunEnd, RunState};
pub use statistics::EventStatistics;
pub use steps::{Intent, Settle};
pub use told::{LogStanding, RunCalls, RunNumbers};
pub use verify::{Evidence, Verification};
pub use watch::Waiting;

/// The time, nanoseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The system's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    })
}

/// How a state is opened.
#[derive(Clone)]
pub struct Options {
    /// CONSIGN_AUDIT_KEY (alias AUDIT_SECRET_KEY), if it is set: wraps the chain's current key.
    pub audit_key: Option<Zeroizing<Vec<u8>>>,
    /// Whether a person sees the notices: then the chain's first key is shown in one, else it is
    /// written to a file that the notice names.
    pub show_first_key: bool,
    /// Whether a network file system is accepted, at the user's own risk.
    pub allow_network: bool,
    /// How long a write waits for another process. 10 s unless said.
    pub wait: Duration,
    /// How long a run may give no sign of life before another may take its route over, if it is
    /// stopped. [`lock::DEADLINE`] unless said.
    pub deadline: Duration,
    /// What is kept of dead letters.
    pub letters: LetterLimits,
    /// Where pins are kept: what this user last knew of each log, outside of the state. `None`: nowhere.
    pub pins: Option<std::path::PathBuf>,
    /// Who opens it, from where, with what: what every event carries.
    pub session: Arc<crate::audit::Session>,
    /// What looks at events as they are recorded: rules, and who is told of what.
    pub watch: Arc<crate::audit::rules::Watch>,
    /// The time.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            audit_key: None,
            show_first_key: false,
            allow_network: false,
            wait: Duration::from_secs(10),
            deadline: lock::DEADLINE,
            letters: LetterLimits::default(),
            pins: None,
            session: Arc::default(),
            watch: Arc::default(),
            clock: system_clock(),
        }
    }
}

/// What is kept of dead letters.
#[derive(Clone, Copy, Debug)]
pub struct LetterLimits {
    /// Bytes of one payload. Of a larger one the beginning and the digest are kept: it can be
    /// looked at and not replayed.
    pub payload_bytes: usize,
    /// Bytes of all payloads of one route. Past it letters are kept without payload.
    pub route_bytes: u64,
    /// Days until a letter is deleted.
    pub days: u32,
}

impl Default for LetterLimits {
    fn default() -> Self {
        Self { payload_bytes: 1 << 20, route_bytes: 1 << 30, days: 30 }
    }
}

/// An opened state and what there is to say of it.
pub struct Opened {
    /// The state.
    pub store: Store,
    /// To be shown to the user, once: where the first audit key is, what was put right.
    pub notices: Vec<String>,
}

/// consign's own state. One process may hold several; each write takes the append lock.
pub struct Store {
    folder: Folder,
    db: Connection,
    id: String,
    log: Log,
    letter_sealers: Vec<Sealer>,
    record_secret: [u8; 16],
    options: Options,
    writable: bool,
    /// Whether something was written that the pin does not know yet.
    dirty: bool,
    auditing: bool,
    /// The rights of the routes whose locks were taken here.
    tenures: Mutex<BTreeMap<String, Tenure>>,
    /// Sealed segments that are open, the one used last first.
    open_segments: RefCell<Vec<(String, Connection)>>,
}

impl Store {
    /// The id of this state: what a target knows it by ([`crate::record::Mark::log_id`]). It stays
    /// when a lost key forces a new audit log, see [`Self::audit_log_id`].
    pub fn log_id(&self) -> &str {
        &self.id
    }

    /// The id of the audit log in use.
    pub fn audit_log_id(&self) -> &str {
        &self.log.id
    }

    /// The folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// What keys of records are hashed with, so that nobody can guess them from what is stored.
    pub fn record_secret(&self) -> [u8; 16] {
        self.record_secret
    }

    /// The time as this state sees it, nanoseconds since 1970.
    pub fn now_ns(&self) -> i64 {
        (self.options.clock)()
    }

    /// Takes the lock of a route, waiting no longer than `wait`. Hold it for the whole run.
    ///
    /// # Errors
    /// [`Kind::Locked`], naming the holder.
    pub fn lock_route(&self, route: &str, wait: Duration) -> Result<Held> {
        let terms = lock::Terms { wait, deadline: self.options.deadline, clock: Arc::clone(&self.options.clock) };
        let held = lock::route(&self.folder, route, &terms)?;
        if let Some(tenure) = held.tenure() {
            let mut tenures = self.tenures.lock().unwrap_or_else(PoisonError::into_inner);
            tenures.insert(route.to_string(), tenure.clone());
        }
        Ok(held)
    }

    /// The right to write for a route that came with its lock; `None` if it was not taken here.
    pub fn tenure(&self, route: &str) -> Option<Tenure> {
        self.tenures.lock().unwrap_or_else(PoisonError::into_inner).get(route).cloned()
    }

    /// Makes a copy of the whole database, consistent, while others go on writing.
    ///
    /// # Errors
    /// The copy cannot be written.
    pub fn backup(&mut self, to: &Path) -> Result<()> {
        // Nobody replaces a segment while it is copied.
        let _held = if self.writable { Some(self.upkeep(self.options.wait)?) } else { None };
        migrate::copy(&self.db, to, |copy| self.absorb_segments(copy))?;
        if self.writable {
            let draft =
                crate::audit::Draft::new(crate::audit::Action::StateBackedUp).detail("to", to.display().to_string());
            self.record(vec![draft])?;
        }
        Ok(())
    }

    /// One transaction: append lock, `BEGIN IMMEDIATE`, the work, `COMMIT`.
    fn write<T>(&mut self, doing: &str, work: impl FnOnce(&mut Writing<'_>) -> Result<T>) -> Result<T> {
        if !self.writable {
            return Err(Error::bug(format!("the state was opened for reading only ({doing})")));
        }
        let _held = lock::append(&self.folder, self.options.wait, self.now_ns())?;
        self.db.execute_batch("BEGIN IMMEDIATE").map_err(|e| sql::error(doing, e))?;
        // A newer program may have upgraded the state since it was opened.
        if let Err(error) = migrate::still_known(&self.db) {
            let _ = self.db.execute_batch("ROLLBACK");
            return Err(error);
        }
        let mut writing = Writing {
            db: &self.db,
            log: &mut self.log,
            now_ns: (self.options.clock)(),
            auditing: self.auditing,
            letter_sealer: self.letter_sealers.last(),
            limits: self.options.letters,
            state_id: &self.id,
        };
        let done = work(&mut writing).and_then(|value| {
            writing.judge()?;
            self.db.execute_batch("COMMIT").map_err(|e| sql::error(doing, e))?;
            Ok(value)
        });
        self.dirty |= done.is_ok();
        if done.is_err() {
            // A failing COMMIT may have ended the transaction already.
            let _ = self.db.execute_batch("ROLLBACK");
            self.log.forget();
        }
        done.map_err(|error| open::in_folder(error.doing(doing.to_string()), &self.folder.root))
    }
}

/// What the statements of one transaction work with.
struct Writing<'a> {
    db: &'a Connection,
    log: &'a mut Log,
    now_ns: i64,
    auditing: bool,
    letter_sealer: Option<&'a Sealer>,
    limits: LetterLimits,
    state_id: &'a str,
}

impl Writing<'_> {
    /// The one way into the audit log.
    fn record(&mut self, drafts: Vec<crate::audit::Draft>) -> Result<Vec<String>> {
        let kept: Vec<_> = if self.auditing {
            drafts
        } else {
            // Switched off or not, trouble is recorded.
            drafts.into_iter().filter(|d| d.level >= crate::audit::Level::Error).collect()
        };
        if kept.is_empty() {
            return Ok(Vec::new());
        }
        append::append(self.db, self.log, self.now_ns, &kept)
    }
}

/// The one whose id begins so, of those found; `list` is the command that lists them all.
fn only<T>(mut found: Vec<T>, prefix: &str, what: &str, list: &str, code: &'static crate::error::Code) -> Result<T> {
    match found.len() {
        1 => found.pop().ok_or_else(|| Error::bug("one of one")),
        0 => Err(Error::new(Kind::Invalid, code, format!("there is no {what} `{prefix}`"))
            .hint(format!("`consign {list}` lists what there is"))),
        count => Err(Error::new(Kind::Invalid, code, format!("{count} {what}s begin with `{prefix}`"))
            .hint("give more of the id")),
    }
}
