//! The one bridge to asynchronous clients (SSH, PostgreSQL, HTTP): the road itself is synchronous.
//!
//! A connection has tasks of its own that must go on while the road is busy elsewhere: answers to
//! keepalives, new keys of a long transfer, notices of the server. So each runtime has a thread that
//! does nothing but drive it, and callers wait for their futures from wherever they are.

use std::future::Future;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::error::{Error, Result};

/// How long tasks that are still there get to end when a runtime is dropped.
const FAREWELL: Duration = Duration::from_secs(2);

/// A single-threaded runtime with the thread that drives it. Dropping it ends its tasks.
#[derive(Debug)]
pub struct Runtime {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Runtime {
    /// Starts one. `name` is what the thread is called in a debugger (at most 15 characters count).
    ///
    /// # Errors
    /// If the operating system gives no thread or no event queue.
    pub fn start(name: &str) -> Result<Self> {
        let failed = |e| Error::io("starting the network runtime", e);
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                // Ends when the sender is dropped, too.
                let _ = runtime.block_on(stopped);
                runtime.shutdown_timeout(FAREWELL);
            })
            .map_err(failed)?;
        Ok(Self { handle, stop: Some(stop), thread: Some(thread) })
    }

    /// Waits for a future; the runtime's own thread drives what it waits for. Must not be called
    /// from inside a future of any runtime.
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        self.handle.block_on(future)
    }

    /// To spawn tasks that go on by themselves.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of a task was reported where its result was awaited.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_go_on_while_nobody_waits() {
        let runtime = Runtime::start("test").unwrap();
        let (done, seen) = std::sync::mpsc::channel();
        runtime.handle().spawn(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            done.send(()).unwrap();
        });
        // No call of `run` is under way: the thread alone drives the timer.
        seen.recv_timeout(Duration::from_secs(60)).unwrap();
        let text = String::from("borrowed");
        assert_eq!(
            runtime.run(async { tokio::time::timeout(Duration::from_secs(60), async { text.len() }).await }),
            Ok(8)
        );
    }

    #[test]
    fn dropping_it_ends_its_tasks() {
        let runtime = Runtime::start("test").unwrap();
        let (held, ended) = std::sync::mpsc::channel::<()>();
        runtime.handle().spawn(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        drop(runtime);
        assert!(ended.recv().is_err(), "the task and what it held are gone");
    }
}
