//! Locks of the operating system: one per route, so that no two runs overlap, and one for every
//! write, taken before SQLite's own, whose waiting starves writers.
//!
//! The operating system frees a lock when its holder ends, however it ends. A holder that is stopped
//! keeps it, and says so by its silence: it promised a sign of life within its deadline. Past that
//! another run may take the route over. The lock of a stopped process cannot be taken away, so the
//! new holder puts a new file, already locked, in the place of the old one: whoever holds a file that
//! is no longer there has lost its [`Tenure`], and learns it before it writes anything.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Clock;
use super::folder::Folder;
pub use super::holder::{Health, Holder, Process};
use crate::error::codes::store::{BUSY, FENCED, ROUTE_LOCKED};
use crate::error::{Error, Kind, Result, Retry};

/// Seconds without a sign of life after which a stopped process may be taken over, unless said.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// A holder gives a sign of life at least so often, and four times within its deadline.
const BEAT: Duration = Duration::from_secs(15);
/// How long to wait for one's place in front of the lock of every write.
const DOOR: Duration = Duration::from_millis(500);
/// Looking at a lock takes it for a moment: one that is not waited for is tried for so long.
const GRACE: Duration = Duration::from_millis(20);
/// Bytes of a lock file: what it says is replaced in one write, so that nobody reads half of it.
const RECORD: usize = 4096;
/// Stopped processes that a lock file remembers.
const REMEMBERED: usize = 16;

/// A lock that is held; it is freed when this is dropped.
#[derive(Debug)]
pub struct Held {
    _file: Arc<File>,
    /// The thread that gives signs of life, and what ends it.
    beat: Option<(SyncSender<()>, JoinHandle<()>)>,
    tenure: Option<Tenure>,
}

impl Held {
    /// The right that comes with the lock of a route; `None` for other locks.
    pub fn tenure(&self) -> Option<&Tenure> {
        self.tenure.as_ref()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.beat.take() {
            drop(end);
            // The thread has the file too: the lock is free once both are gone.
            let _ = thread.join();
        }
    }
}

/// The right of a run to write for its route. It ends when another run takes the route over.
#[derive(Clone, Debug)]
pub struct Tenure {
    route: String,
    path: PathBuf,
    inode: (u64, u64),
    /// Whom the route was taken over from just now.
    took: Option<Holder>,
    /// Whether a process that the route was taken from, now or earlier, may still wake up.
    contested: bool,
}

impl Tenure {
    /// Asks whether the right still holds. Call it before anything is written; between this and the
    /// writing the process may be stopped again, which is what fences in the target are for.
    ///
    /// # Errors
    /// [`Kind::Locked`] if another run took the route over.
    pub fn check(&self) -> Result<()> {
        if self.path.metadata().is_ok_and(|meta| (meta.dev(), meta.ino()) == self.inode) {
            return Ok(());
        }
        let error = Error::new(Kind::Locked, &FENCED, format!("a newer run of `{}` has taken over", self.route)).hint(
            "this process was stopped past its deadline; what it had settled is kept, the newer run goes on from there",
        );
        Err(match File::open(&self.path).ok().and_then(|mut file| read(&mut file)) {
            Some(newer) => error.fact("pid of the newer run", newer.process.pid).fact("host", newer.host),
            None => error.hint("or its lock file was removed: leave the folder `locks` of the state alone"),
        })
    }

    /// Whom the route was taken over from when the lock was taken.
    pub fn took(&self) -> Option<&Holder> {
        self.took.as_ref()
    }

    /// Whether a process may still wake up that the route was taken from: what it has open must
    /// not be written to, and what it may still rename must be gone.
    pub fn contested(&self) -> bool {
        self.contested
    }
}

/// The state of a route's lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody holds it; the last holder, if the file still names one.
    Free(Option<Holder>),
    /// Somebody holds it.
    Held(Option<Holder>, Health),
}

/// How a route's lock is taken.
#[derive(Clone)]
pub struct Terms {
    /// How long to wait for it.
    pub wait: Duration,
    /// Silence after which its holder may be taken over if it is stopped.
    pub deadline: Duration,
    /// The time.
    pub clock: Clock,
}

/// Takes the lock of a route, from a holder that is stopped past its deadline too.
///
/// # Errors
/// [`Kind::Locked`], naming the holder; or the lock file cannot be made.
pub fn route(folder: &Folder, route: &str, terms: &Terms) -> Result<Held> {
    let path = route_path(folder, route);
    let failed = |e| Error::io(format!("locking `{}`", path.display()), e);
    let until = Instant::now() + terms.wait.max(GRACE);
    loop {
        let mut file = open(&path)?;
        let got = take(&file, until.saturating_duration_since(Instant::now())).map_err(failed)?;
        let before = read(&mut file);
        if got {
            // Another run may have put a new file here while this one waited.
            if !is_at(&file, &path).map_err(failed)? {
                continue;
            }
            let overtook = before.map(|holder| living(holder.overtook)).unwrap_or_default();
            let tenure = tenure(&file, route, &path, None, &overtook).map_err(failed)?;
            return hold(file, tenure, overtook, terms);
        }
        if !before.as_ref().is_some_and(|holder| holder.may_be_overtaken((terms.clock)())) {
            return Err(held(before, route, (terms.clock)()));
        }
        if let Some(taken) = take_over(folder, route, &path, terms)? {
            return Ok(taken);
        }
    }
}

/// Puts a new file, already locked, in the place of one that a stopped process holds. `None` if that
/// turned out to be no longer needed. One at a time, so that nobody replaces a fresh file.
fn take_over(folder: &Folder, route: &str, path: &Path, terms: &Terms) -> Result<Option<Held>> {
    let failed = |e| Error::io(format!("taking over `{}`", path.display()), e);
    let guard = open(&folder.locks().join("takeover.lock"))?;
    if !take(&guard, Duration::from_secs(5)).map_err(failed)? {
        return Ok(None);
    }
    let mut old = open(path)?;
    if take(&old, Duration::ZERO).map_err(failed)? {
        return Ok(None);
    }
    let Some(holder) = read(&mut old).filter(|holder| holder.may_be_overtaken((terms.clock)())) else {
        return Ok(None);
    };
    let fresh = path.with_extension("taken");
    let _ = std::fs::remove_file(&fresh);
    let file = open(&fresh)?;
    if !take(&file, Duration::ZERO).map_err(failed)? {
        return Ok(None);
    }
    let mut overtook = living(holder.overtook.clone());
    overtook.push(holder.process.clone());
    let tenure = tenure(&file, route, path, Some(holder), &overtook).map_err(failed)?;
    let held = hold(file, tenure, overtook, terms)?;
    std::fs::rename(&fresh, path).map_err(failed)?;
    Ok(Some(held))
}

/// Signs the file and begins to give signs of life.
fn hold(file: File, tenure: Tenure, mut overtook: Vec<Process>, terms: &Terms) -> Result<Held> {
    let newest = overtook.len().saturating_sub(REMEMBERED);
    overtook.drain(..newest);
    let mut holder = Holder::own((terms.clock)(), terms.deadline, overtook);
    sign(&file, &holder).map_err(|e| Error::io(format!("writing `{}`", tenure.path.display()), e))?;
    let file = Arc::new(file);
    let (end, ended) = sync_channel::<()>(0);
    let (signed, clock) = (Arc::clone(&file), Arc::clone(&terms.clock));
    let pause = BEAT.min(terms.deadline / 4).max(Duration::from_millis(50));
    let thread = std::thread::spawn(move || {
        while ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
            holder.beat_ns = clock();
            // A sign that cannot be given counts as none.
            let _ = sign(&signed, &holder);
        }
    });
    Ok(Held { _file: file, beat: Some((end, thread)), tenure: Some(tenure) })
}

fn tenure(
    file: &File,
    route: &str,
    path: &Path,
    took: Option<Holder>,
    overtook: &[Process],
) -> std::io::Result<Tenure> {
    let meta = file.metadata()?;
    let inode = (meta.dev(), meta.ino());
    Ok(Tenure { route: route.to_string(), path: path.to_path_buf(), inode, took, contested: !overtook.is_empty() })
}

/// Those that may still wake up.
fn living(processes: Vec<Process>) -> Vec<Process> {
    processes.into_iter().filter(|process| process.health() != Health::Gone).collect()
}

fn is_at(file: &File, path: &Path) -> std::io::Result<bool> {
    let own = file.metadata()?;
    Ok(path.metadata().is_ok_and(|there| (there.dev(), there.ino()) == (own.dev(), own.ino())))
}

/// How the lock of a route stands, without keeping it.
///
/// # Errors
/// The lock file cannot be read.
pub fn standing(folder: &Folder, route: &str) -> Result<Standing> {
    let path = route_path(folder, route);
    let doing = || format!("looking at the lock `{}`", path.display());
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Standing::Free(None)),
        Err(error) => return Err(Error::io(doing(), error)),
    };
    let free = match file.try_lock_shared() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(error)) => return Err(Error::io(doing(), error)),
    };
    if free {
        let _ = file.unlock();
    }
    let holder = read(&mut file);
    Ok(if free {
        Standing::Free(holder)
    } else {
        let health = holder.as_ref().map_or(Health::Running, Holder::health);
        Standing::Held(holder, health)
    })
}

/// Empties the lock file of a route that nobody holds.
///
/// # Errors
/// Somebody took it meanwhile, or the file cannot be written.
pub(super) fn clear(folder: &Folder, route: &str, now_ns: i64) -> Result<()> {
    let path = route_path(folder, route);
    let mut file = open(&path)?;
    let doing = || format!("clearing the lock `{}`", path.display());
    if !take(&file, GRACE).map_err(|e| Error::io(doing(), e))? {
        return Err(held(read(&mut file), route, now_ns));
    }
    file.set_len(0).map_err(|e| Error::io(doing(), e))
}

/// Takes the lock that goes before every write.
///
/// # Errors
/// It could not be had before the deadline.
pub(super) fn append(folder: &Folder, wait: Duration, now_ns: i64) -> Result<Held> {
    // Who has just written and wants to write again would always be first, before all those who wait: so whoever
    // wants it stands in front of the door, and one stands there at a time. Whoever cannot come to the door, since
    // somebody is stopped there, goes without.
    let door = open(&folder.locks().join("append.door"))?;
    let _ = take(&door, wait.min(DOOR));
    named(&folder.locks().join("append.lock"), wait, now_ns)
}

/// Takes the lock of whoever moves or removes what was recorded; it is held for longer than one write.
///
/// # Errors
/// It could not be had before the deadline.
pub(super) fn upkeep(folder: &Folder, wait: Duration, now_ns: i64) -> Result<Held> {
    named(&folder.locks().join("upkeep.lock"), wait, now_ns)
}

fn named(path: &Path, wait: Duration, now_ns: i64) -> Result<Held> {
    let mut file = open(path)?;
    let doing = || format!("locking `{}`", path.display());
    if take(&file, wait).map_err(|e| Error::io(doing(), e))? {
        // For the message below, in another process. No more depends on it.
        let _ = sign(&file, &Holder::own(now_ns, Duration::ZERO, Vec::new()));
        return Ok(Held { _file: Arc::new(file), beat: None, tenure: None });
    }
    let cause = format!("the state was busy for more than {} s", wait.as_secs());
    let holder = read(&mut file).map(|holder| (holder.process.pid, holder.health()));
    let error = |cause: String| Error::new(Kind::Environment, &BUSY, cause).doing(doing()).retry(Retry::Later);
    Err(match holder {
        Some((pid, Health::Stopped)) => error(format!("{cause}: process {pid} holds it and is stopped"))
            .fact("pid", pid)
            .hint(format!("let it go on with `kill -CONT {pid}`, or end it with `kill -KILL {pid}`: nothing is lost")),
        Some((pid, _)) => error(format!("{cause}: process {pid} holds it"))
            .fact("pid", pid)
            .hint("see whether the disk hangs, then run again"),
        None => error(cause).hint("see whether a consign process is stopped or the disk hangs, then run again"),
    })
}

fn held(holder: Option<Holder>, route: &str, now_ns: i64) -> Error {
    let error = |cause: String| Error::new(Kind::Locked, &ROUTE_LOCKED, cause).retry(Retry::Later);
    let Some(holder) = holder else {
        return error(format!("another run holds the route `{route}`"));
    };
    let pid = holder.process.pid;
    let health = holder.health();
    let state = match health {
        Health::Stopped => ", which is stopped",
        Health::Elsewhere => " of another container",
        Health::Running | Health::Gone => "",
    };
    let mut error = error(format!("another run holds the route `{route}`: process {pid}{state}"))
        .fact("pid", pid)
        .fact("since", moment(holder.since_ns))
        .fact("command", if holder.command.is_empty() { "unknown" } else { &holder.command })
        .fact("host", &holder.host);
    for hint in hints(&holder, health, now_ns) {
        error = error.hint(hint);
    }
    error
}

/// What can be done about a holder.
pub fn hints(holder: &Holder, health: Health, now_ns: i64) -> Vec<String> {
    let pid = holder.process.pid;
    let later = match (health, holder.left(now_ns)) {
        (Health::Running | Health::Gone, _) | (_, None) => None,
        (_, Some(left)) if left.is_zero() => {
            Some("its deadline is over: the next run takes the route over".to_string())
        }
        (_, Some(left)) => Some(format!(
            "if it stays silent, the next run may take the route over in {} s",
            left.as_secs() + u64::from(left.subsec_nanos() > 0)
        )),
    };
    let now = match health {
        Health::Stopped => {
            format!(
                "`kill -CONT {pid}` lets it go on, `kill -KILL {pid}` frees the route at once: the next run resumes"
            )
        }
        Health::Elsewhere => "look in that container, or end it: the next run resumes".to_string(),
        Health::Running | Health::Gone => {
            format!("wait until it ends, or let it drain with `kill -TERM {pid}`: the next run resumes")
        }
    };
    std::iter::once(now).chain(later).collect()
}

fn moment(nanoseconds: i64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(nanoseconds))
        .map_or_else(|_| nanoseconds.to_string(), |moment| format!("{moment:.3}"))
}

fn route_path(folder: &Folder, route: &str) -> PathBuf {
    let mut name = String::from("route-");
    for byte in route.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            name.push(byte as char);
        } else {
            name.push_str(&format!("%{byte:02x}"));
        }
    }
    folder.locks().join(name + ".lock")
}

fn open(path: &Path) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|e| Error::io(format!("opening the lock `{}`", path.display()), e))
}

/// Tries until the deadline, with short pauses: a write holds the lock for one fsync. Who has waited for longer
/// tries more often, up to where waiting is no longer for a write. A blocking lock could not be given up at the
/// deadline.
fn take(file: &File, wait: Duration) -> std::io::Result<bool> {
    let begun = Instant::now();
    let deadline = begun + wait;
    let never = sync_channel::<()>(0);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        let pause = match begun.elapsed().as_millis() {
            0..5 => 500,
            5..500 => 200,
            _ => 5000,
        };
        let _ = never.1.recv_timeout(Duration::from_micros(pause).min(left));
    }
}

fn sign(file: &File, holder: &Holder) -> std::io::Result<()> {
    let mut text = serde_json::to_vec(holder)?;
    text.resize(RECORD.max(text.len()), b' ');
    file.write_all_at(&text, 0)
}

fn read(file: &mut File) -> Option<Holder> {
    let mut text = Vec::new();
    file.rewind().ok()?;
    file.take(2 * RECORD as u64).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::at(temp.path());
        folder.prepare(true).unwrap();
        (temp, folder)
    }

    fn terms(wait: Duration, now_ns: i64) -> Terms {
        Terms { wait, deadline: DEADLINE, clock: Arc::new(move || now_ns) }
    }

    #[test]
    fn one_run_at_a_time_and_the_holder_is_named() {
        let (_temp, folder) = folder();
        let first = route(&folder, "a/b c", &terms(Duration::ZERO, 5)).unwrap();
        let error = route(&folder, "a/b c", &terms(Duration::from_millis(5), 6)).unwrap_err();
        assert_eq!(error.exit().number(), 7);
        assert!(error.cause().contains(&format!("process {}", std::process::id())), "{error}");
        let facts: Vec<_> = error.facts().iter().map(|(name, _)| *name).collect();
        assert_eq!(facts, ["pid", "since", "command", "host"]);
        assert!(
            matches!(standing(&folder, "a/b c").unwrap(), Standing::Held(Some(h), Health::Running) if h.since_ns == 5)
        );
        let _other = route(&folder, "a-b", &terms(Duration::ZERO, 5)).unwrap();
        first.tenure().unwrap().check().unwrap();
        drop(first);
        assert!(matches!(standing(&folder, "a/b c").unwrap(), Standing::Free(Some(_))));
        route(&folder, "a/b c", &terms(Duration::ZERO, 7)).unwrap();
    }

    #[test]
    fn signs_of_life_are_given_and_one_who_runs_is_never_overtaken() {
        let (_temp, folder) = folder();
        let now = Arc::new(AtomicI64::new(1));
        let clock: Clock = {
            let now = Arc::clone(&now);
            Arc::new(move || now.load(Ordering::Relaxed))
        };
        let short = Terms { wait: Duration::ZERO, deadline: Duration::from_millis(200), clock };
        let held = route(&folder, "r", &short).unwrap();
        now.store(77, Ordering::Relaxed);
        let beat = || match standing(&folder, "r").unwrap() {
            Standing::Held(Some(holder), _) => holder.beat_ns,
            other => panic!("{other:?}"),
        };
        while beat() != 77 {
            std::thread::yield_now();
        }
        // Silent for ever, if the clock is to be believed: it runs all the same.
        let late = Terms { clock: Arc::new(|| i64::MAX), ..short };
        assert_eq!(route(&folder, "r", &late).unwrap_err().exit().number(), 7);
        drop(held);
        route(&folder, "r", &late).unwrap();
    }

    /// A process that has the lock file of route `r` locked, and has signed it.
    fn other(folder: &Folder, beat_ns: i64, stop: bool) -> (std::process::Child, Holder) {
        let path = route_path(folder, "r");
        let mut child = std::process::Command::new("flock")
            .arg(&path)
            .args(["sh", "-c", "echo held; read line"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = [0; 5];
        child.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();
        let process = Process { pid: child.id(), ..Process::default() };
        let holder = Holder { process, since_ns: 1, beat_ns, deadline_secs: 60, ..Holder::default() };
        std::fs::write(&path, serde_json::to_vec(&holder).unwrap()).unwrap();
        if stop {
            signal(&child, "-STOP");
            while holder.health() != Health::Stopped {
                std::thread::yield_now();
            }
        }
        (child, holder)
    }

    fn signal(child: &std::process::Child, name: &str) {
        let done = std::process::Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    fn end(mut child: std::process::Child) {
        signal(&child, "-CONT");
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn a_stopped_holder_is_told_apart_and_a_killed_one_frees_at_once() {
        let (_temp, folder) = folder();
        let (child, holder) = other(&folder, 1_000_000_000, true);
        let error = route(&folder, "r", &terms(Duration::ZERO, 31_000_000_000)).unwrap_err();
        assert!(error.cause().contains(&format!("process {}, which is stopped", holder.process.pid)), "{error}");
        assert!(error.hints()[0].contains("kill -CONT"));
        assert!(error.hints()[1].contains("in 30 s"), "{:?}", error.hints());
        end(child);
        assert_eq!(holder.health(), Health::Gone);
        let held = route(&folder, "r", &terms(Duration::from_secs(5), 3)).unwrap();
        assert!(held.tenure().unwrap().took().is_none() && !held.tenure().unwrap().contested());
    }

    #[test]
    fn past_its_deadline_a_stopped_holder_is_overtaken_and_remembered_until_it_ends() {
        let (_temp, folder) = folder();
        let (child, holder) = other(&folder, 1_000_000_000, true);
        let late = terms(Duration::ZERO, 62_000_000_000);
        let held = route(&folder, "r", &late).unwrap();
        let tenure = held.tenure().unwrap();
        assert_eq!(tenure.took().unwrap().process, holder.process);
        assert!(tenure.contested());
        tenure.check().unwrap();
        assert_eq!(route(&folder, "r", &late).unwrap_err().exit().number(), 7, "held by the new one");
        drop(held);
        // While it lives, whoever comes next is told.
        let held = route(&folder, "r", &late).unwrap();
        assert!(held.tenure().unwrap().took().is_none() && held.tenure().unwrap().contested());
        drop(held);
        end(child);
        let held = route(&folder, "r", &late).unwrap();
        assert!(!held.tenure().unwrap().contested());
    }

    #[test]
    fn who_was_overtaken_has_lost_the_right_to_write() {
        let (_temp, folder) = folder();
        let held = route(&folder, "r", &terms(Duration::ZERO, 1)).unwrap();
        let tenure = held.tenure().unwrap().clone();
        tenure.check().unwrap();
        let path = route_path(&folder, "r");
        std::fs::write(path.with_extension("taken"), "{}").unwrap();
        std::fs::rename(path.with_extension("taken"), &path).unwrap();
        let error = tenure.check().unwrap_err();
        assert_eq!((error.code().id, error.exit().number()), ("store-fenced", 7));
    }
}
