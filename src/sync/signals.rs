//! The first SIGINT or SIGTERM drains a run, the second leaves at once; either way the next run
//! resumes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::error::{Error, Exit, Result};

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

    /// Installs the handlers. The second signal ends the process with the same exit code that
    /// the drained run would have.
    ///
    /// # Errors
    /// If the operating system refuses the handlers.
    pub fn on_signals() -> Result<Self> {
        let stop = Self::default();
        for (signal, exit) in [(SIGINT, Exit::Interrupted), (SIGTERM, Exit::Terminated)] {
            let refused = |e| Error::io("installing the signal handlers", e);
            // In this order: the second signal finds the flag that the first one has set.
            signal_hook::flag::register_conditional_shutdown(signal, i32::from(exit.number()), Arc::clone(&stop.asked))
                .map_err(refused)?;
            signal_hook::flag::register(signal, Arc::clone(&stop.asked)).map_err(refused)?;
            signal_hook::flag::register_usize(signal, Arc::clone(&stop.signal), signal as usize).map_err(refused)?;
        }
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
