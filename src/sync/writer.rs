//! The thread that drives the sink: while one group becomes durable there, the next one is
//! collected. One group at a time: the order of the road holds.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::connect::{Batch, Sink};
use crate::error::{Error, Result};
use crate::record::{Mark, Receipt};
use crate::store::failpoint::reach;

/// A sink on its own thread.
pub(super) struct Writer {
    groups: SyncSender<(Vec<Batch>, Mark)>,
    receipts: Receiver<Result<Receipt>>,
    thread: JoinHandle<Box<dyn Sink>>,
    /// Whether a group is under way.
    busy: bool,
}

impl Writer {
    /// Starts the thread for an opened sink.
    pub fn new(sink: Box<dyn Sink>) -> Self {
        let (groups, given) = sync_channel::<(Vec<Batch>, Mark)>(1);
        let (answer, receipts) = sync_channel(1);
        let thread = std::thread::spawn(move || {
            let mut sink = sink;
            while let Ok((batches, mark)) = given.recv() {
                let receipt = write(sink.as_mut(), batches, &mark).inspect_err(|_| sink.abandon());
                if answer.send(receipt).is_err() {
                    break;
                }
            }
            sink
        });
        Self { groups, receipts, thread, busy: false }
    }

    /// Hands over a group; the one before must have been waited for.
    ///
    /// # Errors
    /// If the thread has died.
    pub fn send(&mut self, batches: Vec<Batch>, mark: Mark) -> Result<()> {
        self.busy = true;
        self.groups.send((batches, mark)).map_err(|_| died())
    }

    /// Waits for the group under way; `None` if there is none.
    ///
    /// # Errors
    /// What the sink failed with.
    pub fn wait(&mut self) -> Result<Option<Receipt>> {
        if !std::mem::take(&mut self.busy) {
            return Ok(None);
        }
        self.receipts.recv().map_err(|_| died())?.map(Some)
    }

    /// Ends the thread and gives the sink back.
    ///
    /// # Errors
    /// If the thread has died.
    pub fn end(self) -> Result<Box<dyn Sink>> {
        drop(self.groups);
        self.thread.join().map_err(|_| died())
    }
}

fn write(sink: &mut dyn Sink, batches: Vec<Batch>, mark: &Mark) -> Result<Receipt> {
    for batch in batches {
        sink.write(&batch)?;
        reach("mid_write");
    }
    let receipt = sink.commit(mark)?;
    reach("after_write");
    Ok(receipt)
}

fn died() -> Error {
    Error::bug("the thread that writes to the target has died")
}
