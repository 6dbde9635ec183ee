//! How much of the machine this process may use: processors and memory, as the container's limits
//! (control groups of Linux, version 2 and 1) say it. Without a limit, what there is.
//!
//! A process that ignores its CPU quota is stopped again and again in the middle of its work; one that
//! ignores its memory limit is killed. So the workers follow the first, and what is under way at one
//! time follows the second.

use std::path::{Path, PathBuf};

/// What the process itself and the caches of the databases take, whatever is under way.
const BASE_BYTES: u64 = 24 << 20;
/// What one more worker has in hand: two parts, decoded, with what they became.
const WORKER_BYTES: u64 = 6 << 20;
/// The largest group, and the smallest that is worth a transaction.
const GROUP_BYTES: (u64, u64) = (256 << 10, 8 << 20);
/// Groups that are there at one time: one is collected, one is written, one may be in a buffer below.
const GROUPS: u64 = 3;
/// Version 1 says "no limit" with the largest number of whole pages there is.
const NO_LIMIT: u64 = 1 << 60;

/// What a part or a batch takes at most, nearly always.
const PIECE_BYTES: usize = 2 << 20;

/// Lets pieces of memory of the size of parts and batches be used again. The allocator of glibc gives such a piece back to
/// the system once it is free, and the next one faults at each of its pages, until a piece of that size was freed once
/// (mallopt(3), `M_MMAP_THRESHOLD`). So one is, untouched. Other allocators think nothing of it.
pub fn keep_pieces() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(PIECE_BYTES)));
}

/// How much of the machine may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Processors, at least 1; a quota of one and a half is 1.
    pub processors: usize,
    /// Whether a quota says so, and not the number of cores.
    pub quota: bool,
    /// Bytes of memory, if they are limited.
    pub memory: Option<u64>,
}

/// All cores, and no limit that is known.
impl Default for Room {
    fn default() -> Self {
        Self::of(Path::new(""), "", cores())
    }
}

impl Room {
    /// This process's.
    pub fn here() -> Self {
        let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self::of(Path::new("/sys/fs/cgroup"), &groups, cores())
    }

    /// That of a process with these `groups` (the text of `/proc/PID/cgroup`) on a machine of so many
    /// cores. `root` is where the control groups are mounted. What cannot be read limits nothing.
    pub fn of(root: &Path, groups: &str, cores: usize) -> Self {
        let (mut quota, mut memory) = (None, None);
        for line in groups.lines() {
            // `number:controllers:path`; version 2 has one line, without controllers.
            let mut fields = line.splitn(3, ':');
            let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
                continue;
            };
            let has = |name: &str| controllers.split(',').any(|one| one == name);
            if controllers.is_empty() {
                for group in upward(root, path) {
                    quota = least(quota, share(&group.join("cpu.max")));
                    memory = least(memory, number(&group.join("memory.max")));
                }
            }
            if has("cpu") {
                for group in upward(&root.join(controllers), path).chain(upward(&root.join("cpu"), path)) {
                    let (allowed, period) =
                        (number(&group.join("cpu.cfs_quota_us")), number(&group.join("cpu.cfs_period_us")));
                    quota = least(quota, allowed.zip(period).and_then(|(allowed, period)| allowed.checked_div(period)));
                }
            }
            if has("memory") {
                for group in upward(&root.join("memory"), path) {
                    memory = least(memory, number(&group.join("memory.limit_in_bytes")));
                }
            }
        }
        let quota = quota.map(|processors| usize::try_from(processors).unwrap_or(usize::MAX).max(1));
        Self {
            processors: quota.map_or(cores, |quota| quota.min(cores)).max(1),
            quota: quota.is_some_and(|quota| quota < cores),
            memory: memory.filter(|bytes| *bytes < NO_LIMIT),
        }
    }

    /// Bytes of one group for the target.
    pub fn group_bytes(&self) -> usize {
        let (least, most) = GROUP_BYTES;
        let bytes = self.free().map_or(most, |free| (free / 2 / GROUPS).clamp(least, most));
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// Workers: as many as processors, unless what they have in hand would not fit.
    pub fn workers(&self) -> usize {
        match self.free() {
            Some(free) => self.processors.min(usize::try_from(free / 2 / WORKER_BYTES).unwrap_or(usize::MAX)).max(1),
            None => self.processors,
        }
    }

    /// What is said of it; `None` where nothing is limited.
    pub fn told(&self) -> Option<String> {
        let mut why: Vec<String> = Vec::new();
        if self.quota {
            why.push(format!("a CPU quota of {}", self.processors));
        }
        why.extend(self.memory.map(|bytes| format!("a memory limit of {} MiB", bytes >> 20)));
        if why.is_empty() {
            return None;
        }
        let workers = match self.workers() {
            1 => "1 worker".to_string(),
            many => format!("{many} workers"),
        };
        Some(format!("{workers}, groups of {} KiB: {}", self.group_bytes() >> 10, why.join(" and ")))
    }

    /// What may be under way. Half of a limit is left to the page cache and to temporary files in
    /// memory, which count as well.
    fn free(&self) -> Option<u64> {
        self.memory.map(|bytes| (bytes / 2).saturating_sub(BASE_BYTES))
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A group and those around it: a limit holds for all that is inside. In a container the path may be
/// the host's, which is not there; then the root is the container's own.
fn upward(root: &Path, path: &str) -> impl Iterator<Item = PathBuf> {
    let own = root.join(path.trim_start_matches('/'));
    let all: Vec<PathBuf> =
        own.ancestors().take_while(|group| group.starts_with(root)).map(Path::to_path_buf).collect();
    all.into_iter()
}

fn least(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    [one, other].into_iter().flatten().min()
}

/// A number; `None` for `max`, for -1, and where there is none.
fn number(file: &Path) -> Option<u64> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// `cpu.max`: microseconds allowed in each period, and the period, or `max` and the period.
fn share(file: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let mut fields = text.split_ascii_whitespace();
    let (allowed, period) = (fields.next()?.parse::<u64>().ok()?, fields.next()?.parse::<u64>().ok()?);
    allowed.checked_div(period)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// What files with these contents and these groups of the process come to, on eight cores.
    fn room(groups: &str, files: &[(&str, &str)]) -> (usize, bool, Option<u64>) {
        let root = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let room = Room::of(root.path(), groups, 8);
        (room.processors, room.quota, room.memory.map(|bytes| bytes / MIB))
    }

    #[test]
    fn limits_of_version_2() {
        let own = "0::/\n";
        assert_eq!(room(own, &[]), (8, false, None));
        assert_eq!(room(own, &[("cpu.max", "max 100000\n"), ("memory.max", "max\n")]), (8, false, None));
        assert_eq!(room(own, &[("cpu.max", "200000 100000\n"), ("memory.max", "134217728\n")]), (2, true, Some(128)));
        // Less than one is one, and more than there are cores is no limit.
        assert_eq!(room(own, &[("cpu.max", "50000 100000\n")]), (1, true, None));
        assert_eq!(room(own, &[("cpu.max", "1600000 100000\n")]), (8, false, None));
        // The narrowest of all around it holds.
        let nested = "0::/pod/box\n";
        let files = [
            ("pod/box/cpu.max", "400000 100000\n"),
            ("pod/cpu.max", "300000 100000\n"),
            ("pod/box/memory.max", "268435456\n"),
            ("pod/memory.max", "max\n"),
        ];
        assert_eq!(room(nested, &files), (3, true, Some(256)));
        // A path of the host inside of a container: the root is the container's own.
        assert_eq!(room("0::/kubepods/pod1/c\n", &[("memory.max", "67108864\n")]), (8, false, Some(64)));
        // Nothing that is written there is trusted.
        for odd in ["", "1", "x y", "100000 0", "-1 100000", "18446744073709551616 1"] {
            assert_eq!(room(own, &[("cpu.max", odd), ("memory.max", "-5")]), (8, false, None), "{odd}");
        }
        for odd in ["", "::", "0", "0::", "0::/../../..", "a:b"] {
            assert_eq!(room(odd, &[]).0, 8, "{odd}");
        }
    }

    #[test]
    fn limits_of_version_1() {
        let groups = "5:cpu,cpuacct:/docker/a\n4:memory:/docker/a\n0::/\n";
        let files = [
            ("cpu,cpuacct/docker/a/cpu.cfs_quota_us", "250000\n"),
            ("cpu,cpuacct/docker/a/cpu.cfs_period_us", "100000\n"),
            ("memory/docker/a/memory.limit_in_bytes", "536870912\n"),
            ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ];
        assert_eq!(room(groups, &files), (2, true, Some(512)));
        let unlimited = [
            ("cpu/cpu.cfs_quota_us", "-1\n"),
            ("cpu/cpu.cfs_period_us", "100000\n"),
            ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ];
        assert_eq!(room("5:cpu:/\n4:memory:/\n", &unlimited), (8, false, None));
    }

    #[test]
    fn what_is_under_way_fits() {
        let check = |processors: usize, mib: Option<u64>, workers: usize, group_kib: usize| {
            let room = Room { processors, quota: true, memory: mib.map(|mib| mib * MIB) };
            assert_eq!((room.workers(), room.group_bytes() >> 10), (workers, group_kib), "{processors} {mib:?}");
        };
        check(64, None, 64, 8192);
        check(64, Some(4096), 64, 8192);
        check(64, Some(256), 8, 8192);
        check(2, Some(128), 2, 6826);
        check(64, Some(64), 1, 1365);
        check(64, Some(16), 1, 256);
        check(1, Some(0), 1, 256);
        assert_eq!(Room::default().told(), None);
        let told = Room { processors: 2, quota: true, memory: Some(64 * MIB) }.told().unwrap();
        assert_eq!(told, "1 worker, groups of 1365 KiB: a CPU quota of 2 and a memory limit of 64 MiB");
    }
}
