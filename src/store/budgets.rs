//! Budgets of calls that several processes share: how far into the future the units of an account are
//! handed out already.
//!
//! One small file for each budget. A process takes a slice, some units at once, by moving the mark under
//! a lock; what it does not use is lost, never used twice. So a process that is killed with a slice in
//! hand holds nobody up for longer than the slice lasts, and nothing has to be cleaned up. The file is not
//! synced: after a power loss, budgets begin anew.

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;

use crate::error::{Error, Result};

/// What one file holds: three numbers and their check.
const BYTES: usize = 32;

/// A budget in the state folder.
#[derive(Debug)]
pub struct Budget {
    file: File,
}

/// Units that a process may use: the first from `from` on, one after each `step`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// When it begins, nanoseconds since 1970.
    pub from: i64,
    /// When it ends.
    pub until: i64,
}

/// What is known of a budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mark {
    /// Up to when units are handed out.
    taken: i64,
    /// Before which nobody may call: the system asked to wait.
    paused: i64,
    /// Who took the last slice.
    holder: u32,
}

impl Budget {
    /// The budget of this name; it is made if it is not there.
    ///
    /// # Errors
    /// The state folder cannot be written.
    pub fn open(state: &Path, name: &str) -> Result<Self> {
        let folder = state.join("budgets");
        let failed = |e| Error::io("opening a budget of calls in the state folder", e);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
        let path = folder.join(name);
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        Ok(Self { file: open.map_err(failed)? })
    }

    /// Takes a slice of `length`, beginning as early as `now - credit` where nothing was taken for so
    /// long (what comes at once after a pause). `horizon`: no mark is further away than that, unless the
    /// clock was set back. All in nanoseconds.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn take(&self, now: i64, length: i64, credit: i64, horizon: i64) -> Result<Slice> {
        self.change(|mark| {
            if mark.taken > now.saturating_add(horizon) {
                mark.taken = now;
            }
            let from = mark.taken.max(now.saturating_sub(credit)).max(mark.paused);
            mark.taken = from.saturating_add(length);
            mark.holder = std::process::id();
            Slice { from, until: mark.taken }
        })
    }

    /// Gives back the end of a slice, if nobody took one after it.
    ///
    /// # Errors
    /// As for [`Budget::take`].
    pub fn give_back(&self, slice: Slice, used_until: i64) -> Result<()> {
        self.change(|mark| {
            if mark.taken == slice.until && mark.holder == std::process::id() {
                mark.taken = used_until.clamp(slice.from, slice.until);
            }
        })
    }

    /// Nobody calls before that time (nanoseconds since 1970).
    ///
    /// # Errors
    /// As for [`Budget::take`].
    pub fn pause(&self, until: i64) -> Result<()> {
        self.change(|mark| mark.paused = mark.paused.max(until))
    }

    /// Before when nobody may call.
    ///
    /// # Errors
    /// As for [`Budget::take`].
    pub fn paused(&self) -> Result<i64> {
        self.change(|mark| mark.paused)
    }

    fn change<R>(&self, act: impl FnOnce(&mut Mark) -> R) -> Result<R> {
        let failed = |e| Error::io("changing a budget of calls in the state folder", e);
        self.file.lock().map_err(failed)?;
        let done = (|| {
            let mut bytes = [0; BYTES];
            let known = match self.file.read_exact_at(&mut bytes, 0) {
                Ok(()) => Mark::read(&bytes),
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => None,
                Err(error) => return Err(error),
            };
            let before = known.unwrap_or_default();
            let mut mark = before;
            let made = act(&mut mark);
            if mark != before {
                self.file.write_all_at(&mark.bytes(), 0)?;
            }
            Ok(made)
        })();
        let unlocked = self.file.unlock();
        let made = done.map_err(failed)?;
        unlocked.map_err(failed)?;
        Ok(made)
    }
}

impl Mark {
    /// `None`: it was never written whole.
    fn read(bytes: &[u8; BYTES]) -> Option<Self> {
        let (body, check) = bytes.split_at(24);
        if blake3::hash(body).as_bytes().get(..8) != Some(check) {
            return None;
        }
        let taken = i64::from_le_bytes(body.get(..8)?.try_into().ok()?);
        let paused = i64::from_le_bytes(body.get(8..16)?.try_into().ok()?);
        let holder = u32::from_le_bytes(body.get(16..20)?.try_into().ok()?);
        Some(Self { taken, paused, holder })
    }

    fn bytes(self) -> [u8; BYTES] {
        let mut body = [0; 24];
        body[..8].copy_from_slice(&self.taken.to_le_bytes());
        body[8..16].copy_from_slice(&self.paused.to_le_bytes());
        body[16..20].copy_from_slice(&self.holder.to_le_bytes());
        let mut bytes = [0; BYTES];
        bytes[..24].copy_from_slice(&body);
        bytes[24..].copy_from_slice(&blake3::hash(&body).as_bytes()[..8]);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const S: i64 = 1_000_000_000;

    #[test]
    fn slices_never_overlap_and_nothing_is_handed_out_twice() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (Budget::open(folder.path(), "a").unwrap(), Budget::open(folder.path(), "a").unwrap());
        let first = one.take(100 * S, S, 0, 60 * S).unwrap();
        let second = other.take(100 * S, S, 0, 60 * S).unwrap();
        assert_eq!((first.from, first.until), (100 * S, 101 * S));
        assert_eq!((second.from, second.until), (101 * S, 102 * S));
        // Whoever held them was killed: later nobody waits for them.
        assert_eq!(one.take(200 * S, S, 0, 60 * S).unwrap().from, 200 * S);
        // After a pause some come at once.
        assert_eq!(one.take(300 * S, S, 5 * S, 60 * S).unwrap().from, 295 * S);
        // The clock was set back by a day.
        assert_eq!(one.take(10 * S, S, 0, 60 * S).unwrap().from, 10 * S);
    }

    #[test]
    fn what_was_not_used_is_given_back_unless_somebody_took_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let budget = Budget::open(folder.path(), "a").unwrap();
        let slice = budget.take(0, 10 * S, 0, 60 * S).unwrap();
        budget.give_back(slice, 2 * S).unwrap();
        let next = budget.take(0, S, 0, 60 * S).unwrap();
        assert_eq!(next.from, 2 * S);
        budget.give_back(slice, 0).unwrap();
        assert_eq!(budget.take(0, S, 0, 60 * S).unwrap().from, 3 * S);
    }

    #[test]
    fn a_pause_holds_for_everybody_and_garbage_is_a_fresh_start() {
        let folder = tempfile::tempdir().unwrap();
        let budget = Budget::open(folder.path(), "a").unwrap();
        budget.pause(50 * S).unwrap();
        budget.pause(40 * S).unwrap();
        let other = Budget::open(folder.path(), "a").unwrap();
        assert_eq!(other.paused().unwrap(), 50 * S);
        assert_eq!(other.take(10 * S, S, 0, 60 * S).unwrap().from, 50 * S);
        std::fs::write(folder.path().join("budgets/a"), b"no mark of ours, though it is long enough").unwrap();
        assert_eq!(other.take(10 * S, S, 0, 60 * S).unwrap().from, 10 * S);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if std::env::var_os("CONSIGN_SOAK").is_some() { 2000 } else { 40 }))]
        #[test]
        fn whatever_processes_do_their_slices_are_apart(steps in prop::collection::vec((0..3_i64, 1..50_i64, 0..2_u8), 1..60)) {
            let folder = tempfile::tempdir().unwrap();
            let all = [Budget::open(folder.path(), "p").unwrap(), Budget::open(folder.path(), "p").unwrap()];
            let (mut now, mut last) = (1_000_i64, 0_i64);
            for (pass, length, who) in steps {
                now += pass * 20;
                let slice = all[usize::from(who)].take(now, length, 0, 1_000_000).unwrap();
                prop_assert!(slice.from >= last && slice.from >= now && slice.until - slice.from == length);
                last = slice.until;
            }
        }
    }
}
