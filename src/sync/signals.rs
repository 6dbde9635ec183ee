//! The first SIGINT or SIGTERM drains a run, the second leaves at once, and so does the end of the
//! grace time, whatever a server or a disk is waited for; either way the next run resumes.

use std::io::Read as _;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::error::{Error, Exit, Result};

/// How long a run may drain unless it is said: whoever asks for the end (systemd, Kubernetes: 30 s)
/// still sees it end by itself.
pub const GRACE: Duration = Duration::from_secs(20);

/// Signals that ask for the end, and the exit of whom they end.
const ASKING: [(i32, Exit); 2] = [(SIGINT, Exit::Interrupted), (SIGTERM, Exit::Terminated)];

/// Whether a signal ends this process at once, where the kernel would not.
static AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

/// Makes signals end the first process of a container too: the kernel gives process 1 none that it
/// has no handler for. Until a [`Stop`] takes over they end it at once, as they end any other.
///
/// # Errors
/// If the operating system refuses the handlers.
pub fn as_first_process() -> Result<()> {
    if std::process::id() != 1 {
        return Ok(());
    }
    for (signal, exit) in ASKING {
        let number = i32::from(exit.number());
        signal_hook::flag::register_conditional_shutdown(signal, number, Arc::clone(&AT_ONCE)).map_err(refused)?;
    }
    Ok(())
}

/// Whether, and by what, the process was asked to stop.
#[derive(Clone, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Stop {
    /// A stop that no signal sets.
    pub fn never() -> Self {
        Self::default()
    }

    /// Installs the handlers. The second signal ends the process with the same exit code that the
    /// drained run would have, and so does the end of `grace` after the first one; `over` is called
    /// just before that, to say so.
    ///
    /// # Errors
    /// If the operating system refuses the handlers.
    pub fn on_signals(grace: Duration, over: impl FnOnce() + Send + 'static) -> Result<Self> {
        let stop = Self::default();
        let (mut woken, waker) = UnixStream::pair().map_err(refused)?;
        for (signal, exit) in ASKING {
            // In this order: the second signal finds the flag that the first one has set.
            signal_hook::flag::register_conditional_shutdown(signal, i32::from(exit.number()), Arc::clone(&stop.asked))
                .map_err(refused)?;
            signal_hook::flag::register(signal, Arc::clone(&stop.asked)).map_err(refused)?;
            signal_hook::flag::register_usize(signal, Arc::clone(&stop.signal), signal as usize).map_err(refused)?;
            let waker = waker.try_clone().map_err(refused)?;
            signal_hook::low_level::pipe::register(signal, waker).map_err(refused)?;
        }
        AT_ONCE.store(false, Ordering::Release);
        let asked = stop.clone();
        let timer = move || {
            // Nothing to read: the process came to its end without a signal.
            if woken.read_exact(&mut [0]).is_err() {
                return;
            }
            let until = Instant::now() + grace;
            while let Some(left) = until.checked_duration_since(Instant::now()) {
                std::thread::park_timeout(left);
            }
            over();
            // Whatever the other threads wait for, they would wait for it in any orderly end too. What
            // is settled is on disk; what is not is found by the next run, as after a power loss.
            signal_hook::low_level::exit(i32::from(asked.exit().number()));
        };
        std::thread::Builder::new().name("grace".into()).spawn(timer).map_err(refused)?;
        Ok(stop)
    }

    /// The flag for the threads.
    pub fn flag(&self) -> &AtomicBool {
        &self.asked
    }

    /// Whether a stop was asked for.
    pub fn asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }

    /// The exit of a run that drained.
    pub fn exit(&self) -> Exit {
        match i32::try_from(self.signal.load(Ordering::Acquire)) {
            Ok(SIGTERM) => Exit::Terminated,
            _ => Exit::Interrupted,
        }
    }
}

fn refused(error: std::io::Error) -> Error {
    Error::io("installing the signal handlers", error)
}
