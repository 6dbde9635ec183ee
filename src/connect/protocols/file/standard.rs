//! Standard input and output: read once, written among nothing else.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;

use super::local::InOrder;
use crate::connect::bytes::Input;
use crate::connect::{Batch, Found, Frame, Sink};
use crate::error::{Error, Result};
use crate::record::{Mark, Receipt};

/// Standard input.
///
/// # Errors
/// If it is closed.
pub(super) fn input() -> Result<Box<dyn Input>> {
    let file = std::io::stdin().as_fd().try_clone_to_owned().map(File::from);
    Ok(Box::new(InOrder(file.map_err(|e| Error::io("reading standard input", e))?)))
}

/// Standard output.
pub(super) struct Output {
    frame: Frame,
    /// Whether it has its beginning.
    spoken: bool,
    /// Records of the group in hand.
    records: u64,
}

impl Output {
    pub(super) fn new(frame: Frame) -> Self {
        Self { frame, spoken: false, records: 0 }
    }

    fn say(&mut self, batch: &Batch) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        out.write_all(if self.spoken { &self.frame.between } else { &self.frame.before })?;
        self.spoken = true;
        out.write_all(&batch.bytes)
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::io("writing to standard output", error)
}

impl Sink for Output {
    fn open(&mut self, _settled: Option<&Mark>, _in_doubt: bool) -> Result<Found> {
        Ok(Found::Same)
    }

    fn write(&mut self, batch: &Batch) -> Result<()> {
        if batch.records == 0 {
            return Ok(());
        }
        self.say(batch).map_err(failed)?;
        self.records += batch.records;
        Ok(())
    }

    fn commit(&mut self, _mark: &Mark) -> Result<Receipt> {
        std::io::stdout().lock().flush().map_err(failed)?;
        Ok(Receipt { written: std::mem::take(&mut self.records), ..Receipt::default() })
    }

    fn finish(&mut self) -> Result<()> {
        let mut out = std::io::stdout().lock();
        let beginning: &[u8] = if self.spoken { &[] } else { &self.frame.before };
        out.write_all(beginning)
            .and_then(|()| out.write_all(&self.frame.after))
            .and_then(|()| out.flush())
            .map_err(failed)
    }

    fn abandon(&mut self) {
        self.records = 0;
    }
}
