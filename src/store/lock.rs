//! Locks of the operating system: one per route, so that no two runs overlap, and one for every
//! write, taken before SQLite's own, whose waiting starves writers.
//!
//! The operating system frees a lock when its holder ends, however it ends. The file also says
//! who holds it, so that a stopped process can be named.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::folder::Folder;
use crate::error::codes::store::{BUSY, ROUTE_LOCKED};
use crate::error::{Error, Kind, Result, Retry};

/// A lock that is held; it is freed when this is dropped.
#[derive(Debug)]
pub struct Held {
    _file: File,
}

/// Who holds a lock, as its file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Host name.
    pub host: String,
    /// When it took the lock, nanoseconds since 1970.
    pub since_ns: i64,
}

/// How a holder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It runs.
    Running,
    /// It is stopped (SIGSTOP, a debugger).
    Stopped,
    /// There is no such process on this host.
    Gone,
}

/// The state of a route's lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody holds it; the last holder, if the file still names one.
    Free(Option<Holder>),
    /// Somebody holds it.
    Held(Option<Holder>, Health),
}

/// Takes the lock of a route, waiting no longer than `wait`.
///
/// # Errors
/// [`Kind::Locked`], naming the holder; or the lock file cannot be made.
pub fn route(folder: &Folder, route: &str, wait: Duration, now_ns: i64) -> Result<Held> {
    let path = route_path(folder, route);
    let mut file = open(&path)?;
    if !take(&file, wait).map_err(|e| Error::io(format!("locking `{}`", path.display()), e))? {
        return Err(held(&mut file, route));
    }
    sign(&mut file, now_ns).map_err(|e| Error::io(format!("writing `{}`", path.display()), e))?;
    Ok(Held { _file: file })
}

/// How the lock of a route stands, without taking it.
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
    let holder = read(&mut file);
    Ok(if free {
        Standing::Free(holder)
    } else {
        let health = holder.as_ref().map_or(Health::Running, health);
        Standing::Held(holder, health)
    })
}

/// Empties the lock file of a route that nobody holds.
///
/// # Errors
/// Somebody took it meanwhile, or the file cannot be written.
pub(super) fn clear(folder: &Folder, route: &str) -> Result<()> {
    let path = route_path(folder, route);
    let mut file = open(&path)?;
    let doing = || format!("clearing the lock `{}`", path.display());
    if !take(&file, Duration::ZERO).map_err(|e| Error::io(doing(), e))? {
        return Err(held(&mut file, route));
    }
    file.set_len(0).map_err(|e| Error::io(doing(), e))
}

/// Takes the lock that goes before every write.
///
/// # Errors
/// It could not be had before the deadline.
pub(super) fn append(folder: &Folder, wait: Duration) -> Result<Held> {
    let path = folder.locks().join("append.lock");
    let mut file = open(&path)?;
    let doing = || format!("locking `{}`", path.display());
    if take(&file, wait).map_err(|e| Error::io(doing(), e))? {
        return Ok(Held { _file: file });
    }
    let _ = read(&mut file);
    Err(Error::new(Kind::Environment, &BUSY, format!("the state was busy for more than {} s", wait.as_secs()))
        .doing(doing())
        .hint("see whether a consign process is stopped or the disk hangs, then run again")
        .retry(Retry::Later))
}

fn held(file: &mut File, route: &str) -> Error {
    let holder = read(file);
    let error = |cause: String| Error::new(Kind::Locked, &ROUTE_LOCKED, cause).retry(Retry::Later);
    let Some(holder) = holder else {
        return error(format!("another run holds the route `{route}`"));
    };
    let pid = holder.pid;
    let health = health(&holder);
    let (state, hint) = match health {
        Health::Stopped => (
            ", which is stopped",
            format!("continue it with `kill -CONT {pid}`, or end it with `kill -KILL {pid}`: the next run resumes"),
        ),
        _ => ("", "wait until it ends, or see what it does with `consign sync status`".to_string()),
    };
    error(format!("another run holds the route `{route}`: process {pid}{state}"))
        .fact("pid", pid)
        .fact("host", holder.host)
        .hint(hint)
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

/// Tries until the deadline, with pauses from a fifth of a millisecond to five: a write holds the
/// lock for one fsync. A blocking lock could not be given up at the deadline.
fn take(file: &File, wait: Duration) -> std::io::Result<bool> {
    let deadline = Instant::now() + wait;
    let mut pause = Duration::from_micros(200);
    let never = std::sync::mpsc::sync_channel::<()>(0);
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
        let _ = never.1.recv_timeout(pause.min(left));
        pause = (pause * 3 / 2).min(Duration::from_millis(5));
    }
}

fn sign(file: &mut File, now_ns: i64) -> std::io::Result<()> {
    let host = host_name();
    let holder = Holder { pid: std::process::id(), host, since_ns: now_ns };
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&serde_json::to_vec(&holder)?)
}

fn read(file: &mut File) -> Option<Holder> {
    let mut text = Vec::new();
    file.rewind().ok()?;
    file.take(4096).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// How the process of a holder is. Only Linux can tell a stopped one from a running one.
fn health(holder: &Holder) -> Health {
    let Ok(text) = std::fs::read_to_string(format!("/proc/{}/stat", holder.pid)) else {
        return if Path::new("/proc/self").exists() { Health::Gone } else { Health::Running };
    };
    // The state follows the command's name, which stands in brackets and may hold any character.
    match text.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next()) {
        Some('T' | 't') => Health::Stopped,
        _ => Health::Running,
    }
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::at(temp.path());
        folder.prepare(true).unwrap();
        (temp, folder)
    }

    #[test]
    fn one_run_at_a_time_and_the_holder_is_named() {
        let (_temp, folder) = folder();
        let first = route(&folder, "a/b c", Duration::ZERO, 5).unwrap();
        let error = route(&folder, "a/b c", Duration::from_millis(5), 6).unwrap_err();
        assert_eq!(error.exit().number(), 7);
        assert!(error.cause().contains(&format!("process {}", std::process::id())), "{error}");
        assert!(
            matches!(standing(&folder, "a/b c").unwrap(), Standing::Held(Some(h), Health::Running) if h.since_ns == 5)
        );
        let _other = route(&folder, "a-b", Duration::ZERO, 5).unwrap();
        drop(first);
        assert!(matches!(standing(&folder, "a/b c").unwrap(), Standing::Free(Some(_))));
        route(&folder, "a/b c", Duration::ZERO, 7).unwrap();
    }

    #[test]
    fn a_stopped_holder_is_told_apart_and_a_killed_one_frees_at_once() {
        let (_temp, folder) = folder();
        let path = route_path(&folder, "r");
        let mut child = std::process::Command::new("flock")
            .arg(&path)
            .args(["sh", "-c", "echo held; read line"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = [0; 5];
        child.stdout.as_mut().unwrap().read_exact(&mut said).unwrap();
        let holder = Holder { pid: child.id(), host: String::new(), since_ns: 1 };
        std::fs::write(&path, serde_json::to_vec(&holder).unwrap()).unwrap();
        let signal = |name: &str| {
            let done = std::process::Command::new("kill").args([name, &holder.pid.to_string()]).status().unwrap();
            assert!(done.success());
        };
        signal("-STOP");
        let stopped = || health(&holder) == Health::Stopped;
        while !stopped() {
            std::thread::yield_now();
        }
        let error = route(&folder, "r", Duration::ZERO, 2).unwrap_err();
        assert!(error.cause().contains(&format!("process {}, which is stopped", holder.pid)), "{error}");
        assert!(error.hints()[0].contains("kill -CONT"));
        signal("-CONT");
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(health(&holder), Health::Gone);
        route(&folder, "r", Duration::from_secs(5), 3).unwrap();
    }
}
