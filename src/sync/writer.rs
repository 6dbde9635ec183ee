//! The thread that drives the sink: while one group becomes durable there, the next one is
//! collected. One group at a time: the order of the road holds.

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

use crate::connect::{Batch, DeleteGuard, Sink};
use crate::error::{Error, Result};
use crate::record::{Mark, Receipt};
use crate::store::Tenure;
use crate::store::failpoint::reach;

/// A sink on its own thread.
pub(super) struct Writer {
    work: SyncSender<Work>,
    receipts: Receiver<Result<Receipt>>,
    thread: JoinHandle<Box<dyn Sink>>,
    /// Whether a group is under way.
    busy: bool,
    /// Its receipt, if it is there already.
    done: Option<Result<Receipt>>,
}

/// What the thread is asked for.
enum Work {
    /// A group of records.
    Group(Vec<Batch>, Mark),
    /// What a mirror's source has no more goes.
    Sweep(Mark, DeleteGuard),
}

impl Writer {
    /// Starts the thread for an opened sink. Nothing is written once the right to write is lost.
    pub fn new(sink: Box<dyn Sink>, tenure: Option<Tenure>) -> Self {
        let (work, given) = sync_channel::<Work>(1);
        let (answer, receipts) = sync_channel(1);
        let thread = std::thread::spawn(move || {
            let mut sink = sink;
            while let Ok(work) = given.recv() {
                let receipt = match work {
                    Work::Group(batches, mark) => write(sink.as_mut(), tenure.as_ref(), batches, &mark),
                    Work::Sweep(mark, guard) => {
                        tenure.as_ref().map_or(Ok(()), Tenure::check).and_then(|()| sink.sweep(&mark, guard, false))
                    }
                };
                let receipt = receipt.inspect_err(|_| sink.abandon());
                if answer.send(receipt).is_err() {
                    break;
                }
            }
            sink
        });
        Self { work, receipts, thread, busy: false, done: None }
    }

    /// Hands over a group; the one before must have been waited for.
    ///
    /// # Errors
    /// If the thread has died.
    pub fn send(&mut self, batches: Vec<Batch>, mark: Mark) -> Result<()> {
        self.busy = true;
        self.work.send(Work::Group(batches, mark)).map_err(|_| died())
    }

    /// Whether the next group could be written now.
    pub fn idle(&mut self) -> bool {
        if self.busy && self.done.is_none() {
            match self.receipts.try_recv() {
                Ok(receipt) => self.done = Some(receipt),
                Err(TryRecvError::Empty) => return false,
                // Whoever waits for it is told.
                Err(TryRecvError::Disconnected) => {}
            }
        }
        true
    }

    /// Waits for the group under way; `None` if there is none.
    ///
    /// # Errors
    /// What the sink failed with.
    pub fn wait(&mut self) -> Result<Option<Receipt>> {
        if !std::mem::take(&mut self.busy) {
            return Ok(None);
        }
        match self.done.take() {
            Some(receipt) => receipt.map(Some),
            None => self.receipts.recv().map_err(|_| died())?.map(Some),
        }
    }

    /// Deletes what a mirror's source has no more; the group before must have been waited for.
    ///
    /// # Errors
    /// What the sink failed with.
    pub fn sweep(&mut self, mark: Mark, guard: DeleteGuard) -> Result<Receipt> {
        self.work.send(Work::Sweep(mark, guard)).map_err(|_| died())?;
        self.receipts.recv().map_err(|_| died())?
    }

    /// Ends the thread and gives the sink back.
    ///
    /// # Errors
    /// If the thread has died.
    pub fn end(self) -> Result<Box<dyn Sink>> {
        drop(self.work);
        self.thread.join().map_err(|_| died())
    }
}

fn write(sink: &mut dyn Sink, tenure: Option<&Tenure>, batches: Vec<Batch>, mark: &Mark) -> Result<Receipt> {
    let check = || tenure.map_or(Ok(()), Tenure::check);
    sink.group(mark);
    for batch in batches {
        check()?;
        reach("before_write");
        sink.take(batch)?;
        reach("mid_write");
    }
    check()?;
    reach("before_commit");
    let receipt = sink.commit(mark)?;
    reach("after_write");
    Ok(receipt)
}

fn died() -> Error {
    Error::bug("the thread that writes to the target has died")
}
