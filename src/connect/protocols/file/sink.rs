//! Writes batches into a file, so that after a power loss the settled length is always there:
//! beside the target and renamed at the end, or on from the settled length.

use std::io::{Seek, Write};
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::durable::{Disk, Durable};
use super::target::{Form, Names, Stage, Target, cut, remove};
use crate::connect::{Batch, Found, Frame, Sink};
use crate::error::{Error, Result};
use crate::record::{Mark, Receipt};

/// Where the bytes go.
pub(super) enum Place {
    Stdout,
    File(PathBuf),
}

/// A file as a target.
pub(super) struct FileSink {
    place: Place,
    frame: Frame,
    gzip: bool,
    anew: bool,
    disk: Box<dyn Durable>,
    names: Option<Names>,
    target: Option<Target>,
    /// The gzip member of the group in hand.
    member: Option<GzEncoder<std::fs::File>>,
    /// Records of the group in hand.
    records: u64,
    /// Whether standard output has its beginning.
    spoken: bool,
}

impl FileSink {
    pub(super) fn new(place: Place, frame: Frame, gzip: bool, anew: bool) -> Self {
        Self {
            place,
            frame,
            gzip,
            anew,
            disk: Box::new(Disk),
            names: None,
            target: None,
            member: None,
            records: 0,
            spoken: false,
        }
    }

    /// Another way to secure what is written.
    #[cfg(test)]
    pub(super) fn secured_by(&mut self, disk: Box<dyn Durable>) {
        self.disk = disk;
    }

    fn doing(&self) -> String {
        match &self.place {
            Place::Stdout => "writing to standard output".into(),
            Place::File(path) => format!("writing `{}`", path.display()),
        }
    }

    fn say(&mut self, batch: &Batch) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        out.write_all(if self.spoken { &self.frame.between } else { &self.frame.before })?;
        self.spoken = true;
        out.write_all(&batch.bytes)
    }

    fn put(&mut self, batch: &Batch) -> std::io::Result<()> {
        let Some(target) = &mut self.target else { return Ok(()) };
        if target.closed {
            cut(&target.file, target.settled)?;
            target.closed = false;
        }
        if self.gzip && self.member.is_none() {
            self.member = Some(GzEncoder::new(target.file.try_clone()?, Compression::default()));
        }
        let out: &mut dyn Write = match &mut self.member {
            Some(member) => member,
            None => &mut &target.file,
        };
        if target.unended {
            out.write_all(b"\n")?;
            target.unended = false;
        }
        match (target.begun, target.headed) {
            (true, _) => out.write_all(&self.frame.between)?,
            (false, false) => out.write_all(&self.frame.before)?,
            (false, true) => {}
        }
        target.begun = true;
        out.write_all(&batch.bytes)
    }

    /// Ends the group and secures it; returns the length of the file.
    fn secure(&mut self, mark: &Mark) -> std::io::Result<Option<u64>> {
        let (Some(target), Some(names)) = (&mut self.target, &self.names) else { return Ok(None) };
        if let Some(member) = self.member.take() {
            member.finish()?;
        }
        if self.records > 0 {
            self.disk.secure_file(&target.file)?;
            target.settled = (&target.file).stream_position()?;
        }
        if target.stage == Stage::New {
            if self.records == 0 {
                self.disk.secure_file(&target.file)?;
            }
            let part = names.part(mark.group);
            std::fs::rename(&target.path, &part)?;
            self.disk.secure_folder(&names.folder)?;
            target.path = part;
            target.stage = Stage::Part;
        }
        Ok(Some(target.settled))
    }

    /// Writes the closing and gives the file its name.
    fn close(&mut self) -> std::io::Result<()> {
        let (Some(target), Some(names)) = (&mut self.target, &self.names) else { return Ok(()) };
        if !target.closed {
            let mut closing = if target.begun || target.headed { Vec::new() } else { self.frame.before.clone() };
            closing.extend_from_slice(&self.frame.after);
            if !closing.is_empty() {
                cut(&target.file, target.settled)?;
                if self.gzip {
                    let mut member = GzEncoder::new(&target.file, Compression::default());
                    member.write_all(&closing)?;
                    member.finish()?;
                } else {
                    (&target.file).write_all(&closing)?;
                }
            }
            self.disk.secure_file(&target.file)?;
        }
        if target.stage != Stage::InPlace {
            std::fs::rename(&target.path, &target.named)?;
            self.disk.secure_folder(&names.folder)?;
        }
        Ok(())
    }
}

impl Sink for FileSink {
    fn open(&mut self, settled: Option<&Mark>, in_doubt: bool) -> Result<Found> {
        let Place::File(path) = &self.place else { return Ok(Found::Same) };
        let names = Names::of(path)?;
        let form = Form { frame: &self.frame, gzip: self.gzip };
        let (target, found) = Target::open(&names, &form, self.anew, settled, in_doubt, &mut *self.disk)?;
        self.target = Some(target);
        self.names = Some(names);
        Ok(found)
    }

    fn write(&mut self, batch: &Batch) -> Result<()> {
        if batch.records == 0 {
            return Ok(());
        }
        let outcome = match self.place {
            Place::Stdout => self.say(batch),
            Place::File(_) if self.target.is_none() => {
                return Err(Error::bug("the file target is used before it was opened"));
            }
            Place::File(_) => self.put(batch),
        };
        outcome.map_err(|e| Error::io(self.doing(), e))?;
        self.records += batch.records;
        Ok(())
    }

    fn commit(&mut self, mark: &Mark) -> Result<Receipt> {
        let outcome = match self.place {
            Place::Stdout => std::io::stdout().lock().flush().map(|()| None),
            Place::File(_) => self.secure(mark),
        };
        let length = outcome.map_err(|e| Error::io(self.doing(), e))?;
        Ok(Receipt { written: std::mem::take(&mut self.records), length, ..Receipt::default() })
    }

    fn finish(&mut self) -> Result<()> {
        if matches!(self.place, Place::Stdout) {
            let mut out = std::io::stdout().lock();
            let beginning: &[u8] = if self.spoken { &[] } else { &self.frame.before };
            return out
                .write_all(beginning)
                .and_then(|()| out.write_all(&self.frame.after))
                .and_then(|()| out.flush())
                .map_err(|e| Error::io("writing to standard output", e));
        }
        self.close().map_err(|e| Error::io(self.doing(), e))?;
        self.target = None;
        if let Some(names) = self.names.take() {
            // What other runs left half-written is replaced by now.
            for (_, path) in names.parts()? {
                remove(&path)?;
            }
            remove(&names.base())?;
        }
        Ok(())
    }

    fn abandon(&mut self) {
        self.records = 0;
        // Dropping a member would write its end: the file it writes to is cut right after.
        self.member = None;
        if let Some(target) = self.target.take() {
            // The next run takes back whatever this leaves, so a failure here costs nothing.
            let _ = match target.stage {
                Stage::New => std::fs::remove_file(&target.path),
                Stage::InPlace if target.closed => Ok(()),
                Stage::InPlace if !self.gzip && target.settled > 0 => {
                    cut(&target.file, target.settled).and_then(|()| (&target.file).write_all(&self.frame.after))
                }
                Stage::InPlace | Stage::Part => cut(&target.file, target.settled),
            };
        }
    }
}
