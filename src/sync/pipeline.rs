//! The threads of the road: one reads ahead, as many as there are cores work on whole parts,
//! and the caller's thread receives what they made in the order of reading.
//!
//! A record never crosses a thread. Every queue is bounded: a permit goes with each part from
//! the reader to the consumer, so that memory stays the same however large the input is.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::connect::{Part, Source};
use crate::error::{Error, Result};

/// Parts under way beyond the workers' own: enough to keep them busy while one waits.
const READ_AHEAD: usize = 2;

/// What arrives at the consumer.
pub enum Arrival<T> {
    /// What a worker made of the next part.
    Done(T),
    /// Nothing arrived before the deadline.
    Quiet,
}

/// How the reading ended.
#[derive(Clone)]
pub struct Ending {
    /// The error that ended it early, if one did. Everything before it was delivered.
    pub error: Option<Error>,
    /// Whether it was asked to stop before the end of the source.
    pub stopped: bool,
    /// What the source had to say.
    pub notes: Vec<String>,
    /// Why the run is not whole although all was read, if it is not.
    pub partial: Option<Error>,
}

/// Runs the threads until the source ends, `stop` says so, or something fails.
///
/// `make` gives each worker its own function from part to result. `consume` is called on this
/// thread, in the order of reading; it names the deadline until which it is willing to wait for
/// the next arrival (`None`: for ever).
///
/// # Errors
/// Whatever `consume` or a worker fails with. An error of the source is part of the [`Ending`].
pub fn run<T: Send, W: FnMut(Part) -> Result<T> + Send>(
    source: &mut dyn Source,
    workers: usize,
    stop: &(dyn Fn() -> bool + Sync),
    mut make: impl FnMut() -> Result<W>,
    mut consume: impl FnMut(Arrival<T>) -> Result<Option<Instant>>,
) -> Result<Ending> {
    super::room::keep_pieces();
    let makers = (0..workers.max(1)).map(|_| make()).collect::<Result<Vec<W>>>()?;
    let permits = makers.len() + READ_AHEAD;
    let (permit, permitted) = sync_channel::<()>(permits);
    for _ in 0..permits {
        let _ = permit.send(());
    }
    let (part_out, part_in) = sync_channel::<Part>(permits);
    let part_in = Arc::new(Mutex::new(part_in));
    let (done_out, done_in) = channel::<(u64, Result<T>)>();
    // Set by the consumer when it gives up; the reader and the workers then wind down.
    let halt = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let halted = &halt;
        let reader = scope.spawn(move || read(source, &permitted, part_out, stop, halted));
        for work in makers {
            let (parts, out) = (Arc::clone(&part_in), done_out.clone());
            let halt = &halt;
            scope.spawn(move || labour(work, &parts, &out, halt));
        }
        drop(done_out);
        drop(part_in);
        let consumed = receive(&done_in, &permit, &mut consume);
        if consumed.is_err() {
            halt.store(true, Ordering::Release);
        }
        // The reader may be waiting for a permit: without this end it is told that none comes.
        drop(permit);
        let ending = reader.join().unwrap_or_else(|panic| Ending {
            error: Some(panicked(panic.as_ref())),
            stopped: false,
            notes: Vec::new(),
            partial: None,
        });
        consumed.map(|()| ending)
    })
}

fn read(
    source: &mut dyn Source,
    permitted: &Receiver<()>,
    parts: SyncSender<Part>,
    stop: &(dyn Fn() -> bool + Sync),
    halt: &AtomicBool,
) -> Ending {
    let (mut error, mut stopped) = (None, false);
    while permitted.recv().is_ok() && !halt.load(Ordering::Acquire) {
        if stop() {
            stopped = true;
            break;
        }
        match source.next() {
            Ok(Some(part)) => {
                if parts.send(part).is_err() {
                    break;
                }
            }
            Ok(None) => break,
            Err(cause) => {
                error = Some(cause);
                break;
            }
        }
    }
    Ending { error, stopped, notes: source.notes(), partial: None }
}

fn labour<T, W: FnMut(Part) -> Result<T>>(
    mut work: W,
    parts: &Mutex<Receiver<Part>>,
    out: &Sender<(u64, Result<T>)>,
    halt: &AtomicBool,
) {
    loop {
        // The lock is held while waiting: parts go out one at a time and in order anyway.
        let part = parts.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(part) = part else { return };
        if halt.load(Ordering::Acquire) {
            continue;
        }
        let sequence = part.sequence;
        let made = catch_unwind(AssertUnwindSafe(|| work(part)));
        let (made, broken) = match made {
            Ok(made) => (made, false),
            Err(panic) => (Err(panicked(panic.as_ref())), true),
        };
        if out.send((sequence, made)).is_err() || broken {
            return;
        }
    }
}

fn receive<T>(
    done: &Receiver<(u64, Result<T>)>,
    permit: &SyncSender<()>,
    consume: &mut impl FnMut(Arrival<T>) -> Result<Option<Instant>>,
) -> Result<()> {
    let mut early = BTreeMap::new();
    let (mut next, mut deadline) = (0_u64, None::<Instant>);
    loop {
        let arrived = match deadline {
            None => done.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => done.recv_timeout(at.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))),
        };
        match arrived {
            Ok((sequence, made)) => {
                early.insert(sequence, made);
                while let Some(made) = early.remove(&next) {
                    next += 1;
                    let _ = permit.try_send(());
                    deadline = consume(Arrival::Done(made?))?;
                }
            }
            Err(RecvTimeoutError::Timeout) => deadline = consume(Arrival::Quiet)?,
            Err(RecvTimeoutError::Disconnected) if early.is_empty() => return Ok(()),
            Err(RecvTimeoutError::Disconnected) => return Err(Error::bug("a part was lost between the threads")),
        }
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_string())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    Error::bug(format!("a thread of the run panicked: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Header;
    use crate::record::Position;

    struct Numbers {
        next: u64,
        end: u64,
        fail_at: Option<u64>,
    }

    impl Source for Numbers {
        fn next(&mut self) -> Result<Option<Part>> {
            if Some(self.next) == self.fail_at {
                return Err(Error::bug("the source broke"));
            }
            if self.next == self.end {
                return Ok(None);
            }
            self.next += 1;
            Ok(Some(Part {
                sequence: self.next - 1,
                slice: "s".into(),
                name: "s".into(),
                header: Arc::new(Header::default()),
                bytes: vec![(self.next % 7) as u8],
                start: Position::default(),
                end: Position::default(),
                last_of_slice: self.next == self.end,
            }))
        }
    }

    fn collect(mut source: Numbers, workers: usize) -> (Vec<u64>, Result<Ending>) {
        let mut seen = Vec::new();
        let ending = run(
            &mut source,
            workers,
            &|| false,
            || {
                Ok(|part: Part| {
                    // Uneven work, so that results come out of order.
                    if part.bytes[0] == 3 {
                        std::thread::yield_now();
                        std::hint::black_box((0..20_000).sum::<u64>());
                    }
                    Ok(part.sequence)
                })
            },
            |arrival| {
                if let Arrival::Done(sequence) = arrival {
                    seen.push(sequence);
                }
                Ok(None)
            },
        );
        (seen, ending)
    }

    #[test]
    fn results_arrive_in_the_order_of_reading() {
        for workers in [1, 2, 5] {
            let (seen, ending) = collect(Numbers { next: 0, end: 500, fail_at: None }, workers);
            assert_eq!(seen, (0..500).collect::<Vec<_>>());
            assert!(ending.unwrap().error.is_none());
        }
    }

    #[test]
    fn everything_before_an_error_of_the_source_is_delivered() {
        let (seen, ending) = collect(Numbers { next: 0, end: 500, fail_at: Some(100) }, 3);
        assert_eq!(seen.len(), 100);
        assert!(ending.unwrap().error.is_some());
    }

    #[test]
    fn a_failing_consumer_ends_all_threads() {
        let mut source = Numbers { next: 0, end: u64::MAX, fail_at: None };
        let ended = run(
            &mut source,
            3,
            &|| false,
            || Ok(|part: Part| Ok(part.sequence)),
            |arrival| match arrival {
                Arrival::Done(50) => Err(Error::bug("full")),
                _ => Ok(None),
            },
        );
        assert!(ended.is_err());
    }

    #[test]
    fn a_panic_in_a_worker_is_an_error() {
        let mut source = Numbers { next: 0, end: 50, fail_at: None };
        let ended = run(
            &mut source,
            2,
            &|| false,
            || {
                Ok(|part: Part| {
                    assert!(part.sequence != 20, "on purpose");
                    Ok(part.sequence)
                })
            },
            |_| Ok(None),
        );
        assert!(ended.err().unwrap().to_string().contains("on purpose"));
    }
}
