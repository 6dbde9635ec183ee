//! Who holds a lock: a process, when it took it, when it last gave a sign of life, and how it is
//! now as far as this host can tell.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much of a command line is kept.
const COMMAND_CHARS: usize = 160;

/// A process, told apart from a later one with the same number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// When it began, in clock ticks since the host did; 0 if unknown.
    #[serde(default)]
    pub start: u64,
    /// The boot and the namespace in which the id means something; empty if unknown.
    #[serde(default)]
    pub space: String,
}

/// Who holds a lock, as its file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    #[serde(flatten)]
    pub process: Process,
    /// Host name.
    pub host: String,
    /// When it took the lock, nanoseconds since 1970.
    pub since_ns: i64,
    /// When it last gave a sign of life; 0 if it gives none.
    #[serde(default)]
    pub beat_ns: i64,
    /// Seconds without a sign of life after which it may be taken over; 0: never.
    #[serde(default)]
    pub deadline_secs: u64,
    /// Its command line.
    #[serde(default)]
    pub command: String,
    /// Processes that this lock was taken from and that may still wake up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overtook: Vec<Process>,
}

/// How a holder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It runs.
    Running,
    /// It is stopped (SIGSTOP, a debugger, a frozen container).
    Stopped,
    /// There is no such process on this host.
    Gone,
    /// It lives where this process cannot look: in another container.
    Elsewhere,
}

impl Process {
    /// This process.
    pub fn own() -> &'static Self {
        static OWN: OnceLock<Process> = OnceLock::new();
        OWN.get_or_init(|| {
            let pid = std::process::id();
            Self { pid, start: stat(pid).map_or(0, |(_, start)| start), space: space() }
        })
    }

    /// How it is. Only Linux can tell a stopped process from a running one.
    pub fn health(&self) -> Health {
        if !self.space.is_empty() && self.space != Self::own().space {
            return Health::Elsewhere;
        }
        match stat(self.pid) {
            Some((_, start)) if self.start != 0 && self.start != start => Health::Gone,
            Some(('T' | 't', _)) => Health::Stopped,
            Some(_) if frozen(self.pid) => Health::Stopped,
            Some(_) => Health::Running,
            None if Path::new("/proc/self").exists() => Health::Gone,
            None => Health::Running,
        }
    }
}

impl Holder {
    /// This process, from now on.
    pub fn own(now_ns: i64, deadline: Duration, overtook: Vec<Process>) -> Self {
        static COMMAND: OnceLock<String> = OnceLock::new();
        static HOST: OnceLock<String> = OnceLock::new();
        let host = || {
            std::fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_string()).unwrap_or_default()
        };
        Self {
            process: Process::own().clone(),
            host: HOST.get_or_init(host).clone(),
            since_ns: now_ns,
            beat_ns: now_ns,
            deadline_secs: deadline.as_secs(),
            command: COMMAND.get_or_init(command).clone(),
            overtook,
        }
    }

    /// How it is.
    pub fn health(&self) -> Health {
        self.process.health()
    }

    /// For how long it gave no sign of life; `None` if it never promised any.
    pub fn silence(&self, now_ns: i64) -> Option<Duration> {
        let silent = u64::try_from(now_ns.saturating_sub(self.beat_ns)).unwrap_or(0);
        (self.beat_ns > 0).then(|| Duration::from_nanos(silent))
    }

    /// How much longer it must be silent before another run may take over; `None`: it never may.
    pub fn left(&self, now_ns: i64) -> Option<Duration> {
        let deadline = Some(self.deadline_secs).filter(|s| *s > 0).map(Duration::from_secs)?;
        self.silence(now_ns).map(|silent| deadline.saturating_sub(silent))
    }

    /// Whether another run may take over: it is silent past its deadline, and stopped as far as
    /// one can tell. One that runs is left alone, however silent: its disk may hang, and it would
    /// go on at any moment.
    pub fn may_be_overtaken(&self, now_ns: i64) -> bool {
        self.left(now_ns).is_some_and(|left| left.is_zero())
            && matches!(self.health(), Health::Stopped | Health::Elsewhere)
    }
}

/// State and start of a process. The state follows the command's name, which stands in brackets and
/// may hold any character; the start is the twentieth field after it (proc_pid_stat(5)).
fn stat(pid: u32) -> Option<(char, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

/// Whether a process is in a cgroup (version 2) that is frozen, as by `docker pause`.
fn frozen(pid: u32) -> bool {
    let group = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let Some(path) = group.lines().find_map(|line| line.strip_prefix("0::")) else { return false };
    std::fs::read_to_string(format!("/sys/fs/cgroup{path}/cgroup.events"))
        .is_ok_and(|events| events.lines().any(|line| line == "frozen 1"))
}

fn space() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = std::fs::read_link("/proc/self/ns/pid").map(|n| n.display().to_string()).unwrap_or_default();
    if boot.is_empty() || namespace.is_empty() { String::new() } else { format!("{} {namespace}", boot.trim()) }
}

fn command() -> String {
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let name = words.first().map(|first| first.rsplit('/').next().unwrap_or(first).to_string());
    let line: Vec<String> = name.into_iter().chain(words.into_iter().skip(1)).collect();
    line.join(" ").chars().map(|c| if c.is_control() { ' ' } else { c }).take(COMMAND_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_itself_and_not_one_with_its_number() {
        let own = Process::own().clone();
        assert!(own.start > 0 && !own.space.is_empty());
        assert_eq!(own.health(), Health::Running);
        assert_eq!(Process { start: own.start + 1, ..own.clone() }.health(), Health::Gone);
        assert_eq!(Process { space: "another container".into(), ..own.clone() }.health(), Health::Elsewhere);
        assert_eq!(Process { pid: 0x7fff_fff0, ..own }.health(), Health::Gone);
    }

    #[test]
    fn silence_is_counted_from_the_last_sign_of_life() {
        let second = 1_000_000_000;
        let holder = Holder { beat_ns: 100 * second, deadline_secs: 60, ..Holder::default() };
        assert_eq!(holder.left(130 * second), Some(Duration::from_secs(30)));
        assert_eq!(holder.left(200 * second), Some(Duration::ZERO));
        // A clock that was set back makes nobody late.
        assert_eq!(holder.left(second), Some(Duration::from_secs(60)));
        assert_eq!(Holder { deadline_secs: 0, ..holder.clone() }.left(200 * second), None);
        // What an older consign wrote promises nothing.
        let old: Holder = serde_json::from_str(r#"{"pid":7,"host":"h","since_ns":5}"#).unwrap();
        assert_eq!((old.process.pid, old.left(i64::MAX), old.may_be_overtaken(i64::MAX)), (7, None, false));
        // This process runs: past the deadline or not, it is not taken over.
        let own = Holder::own(second, Duration::from_secs(1), Vec::new());
        assert!(!own.may_be_overtaken(i64::MAX));
        let away = Process { space: "another container".into(), ..Process::own().clone() };
        let away = Holder { process: away, ..own };
        assert!(away.may_be_overtaken(i64::MAX) && !away.may_be_overtaken(second));
    }
}
