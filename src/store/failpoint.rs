//! Points at which a test can kill the process: `CONSIGN_FAILPOINT=name[:count[:stop]]` aborts it
//! when the point is reached for the count-th time (the first, if no count is given), or with
//! `stop` stops it as SIGSTOP does. The name `any` counts all points together. Always compiled, so that what is tested is what is shipped;
//! inert unless the variable is set.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Dies here, as if by `kill -9`, if the test asked for this point.
pub fn reach(name: &str) {
    static WANTED: OnceLock<Option<(String, AtomicU64, bool)>> = OnceLock::new();
    let wanted = WANTED.get_or_init(|| {
        let text = std::env::var_os("CONSIGN_FAILPOINT")?.into_string().ok()?;
        let mut words = text.split(':');
        let (name, count, how) = (words.next()?, words.next().unwrap_or("1"), words.next());
        Some((name.to_string(), AtomicU64::new(count.parse().ok()?), how == Some("stop")))
    });
    if let Some((wanted, left, stop)) = wanted
        && (wanted == name || wanted == "any")
        && left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        if !*stop {
            std::process::abort();
        }
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
        // Another thread may take the signal: this one must not run on before all are stopped.
        std::thread::park_timeout(std::time::Duration::from_millis(100));
    }
}
