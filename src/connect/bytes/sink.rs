//! Writes batches into a file of some place, so that after a power loss the settled length is always
//! there: beside the target and renamed at the end, or on from the settled length.

use std::path::PathBuf;

use super::compression::{Packer, Packing};
use super::counted::Counted;
use super::names::{Names, remove};
use super::place::Place;
use super::target::{Form, Past, Stage, Target};
use crate::connect::{Batch, Found, Frame, Sink};
use crate::error::codes::connect::TARGET_UNFIT;
use crate::error::{Error, Kind, Result};
use crate::record::{Known, Mark, Receipt, Trace};
use crate::store::Tenure;

/// A file as a target.
pub struct ByteSink {
    place: Box<dyn Place>,
    path: PathBuf,
    frame: Frame,
    /// If the format's head tells how many records follow.
    counted: Option<Counted>,
    packing: Option<Packing>,
    anew: bool,
    /// The log id of the state, and the route.
    owner: (String, String),
    /// What the group in doubt looks like.
    trace: Option<Trace>,
    names: Option<Names>,
    under: Option<(u64, Tenure)>,
    /// What other runs left half-written and this one replaces.
    stale: Vec<PathBuf>,
    target: Option<Target>,
    /// The member or frame of the group in hand, and what came out of it.
    member: Option<Packer>,
    /// Records of the group in hand.
    records: u64,
}

impl ByteSink {
    /// A target in a place; nothing is opened yet. `anew`: what stands there is replaced.
    pub fn new(place: Box<dyn Place>, path: PathBuf, mut frame: Frame, packing: Option<Packing>, anew: bool) -> Self {
        let counted = Counted::of(&mut frame);
        Self {
            place,
            path,
            frame,
            counted,
            packing,
            anew,
            owner: Default::default(),
            trace: None,
            names: None,
            under: None,
            stale: Vec::new(),
            target: None,
            member: None,
            records: 0,
        }
    }

    /// Names the state and the route whose files these are: those of others are left alone.
    pub fn owned_by(mut self, log_id: &str, route: &str) -> Self {
        self.owner = (log_id.to_owned(), route.to_owned());
        self
    }

    fn doing(&self) -> String {
        format!("writing `{}`", self.path.display())
    }

    fn names(&mut self) -> Result<Names> {
        Names::of(&mut *self.place, &self.path, (&self.owner.0, &self.owner.1))
    }

    fn put(&mut self, batch: &Batch) -> Result<()> {
        let Some(target) = &mut self.target else {
            return Err(Error::bug("the target is used before it was opened"));
        };
        if target.closed {
            target.cut_back()?;
            target.closed = false;
        }
        if let Some(counted) = &mut self.counted {
            counted.take_out(&mut *self.place, target)?;
        }
        let mut before: Vec<u8> = Vec::new();
        if target.unended {
            before.push(b'\n');
            target.unended = false;
        }
        match (target.begun, target.headed) {
            (true, _) => before.extend_from_slice(&self.frame.between),
            (false, false) => before.extend_from_slice(&self.frame.before),
            (false, true) => {}
        }
        target.begun = true;
        let Some(packing) = self.packing else {
            if !before.is_empty() {
                target.write(&before)?;
            }
            return target.write(&batch.bytes);
        };
        let member = match &mut self.member {
            Some(member) => member,
            none => none.insert(Packer::new(packing)?),
        };
        for bytes in [&before, &batch.bytes] {
            member.write(bytes)?;
        }
        let out = member.out();
        target.write(out)?;
        out.clear();
        Ok(())
    }

    /// Ends the group and secures it; returns the length of the file, and by what it is known.
    fn secure(&mut self, mark: &Mark) -> Result<Option<(u64, Known)>> {
        let (Some(target), Some(names)) = (&mut self.target, &self.names) else { return Ok(None) };
        if let Some(untouched) = self.counted.as_ref().and_then(Counted::untouched) {
            return Ok(Some(untouched));
        }
        if let Some(member) = self.member.take() {
            target.write(&member.finish()?)?;
        }
        if self.records > 0 {
            target.file.secure()?;
            target.settle();
        }
        if target.stage == Stage::New {
            if self.records == 0 {
                target.file.secure()?;
            }
            let part = names.part(mark.group);
            self.place.rename(&target.path, &part)?;
            self.place.secure_folder(&names.folder)?;
            target.path = part;
            target.stage = Stage::Part;
        }
        let mut known = target.known();
        if let Some(counted) = &mut self.counted {
            counted.records += self.records;
            known.records = Some(counted.records);
        }
        Ok(Some((target.settled, known)))
    }

    /// Writes the closing and gives the file its name.
    fn close(&mut self) -> Result<()> {
        let (Some(target), Some(names)) = (&mut self.target, &self.names) else { return Ok(()) };
        if target.stage != Stage::InPlace {
            target.check_instead(&mut *self.place, names)?;
        }
        if let Some(counted) = &self.counted {
            return counted.finish(&mut *self.place, names, target);
        }
        if !target.closed {
            let mut closing = if target.begun || target.headed { Vec::new() } else { self.frame.before.clone() };
            closing.extend_from_slice(&self.frame.after);
            if !closing.is_empty() {
                target.cut_back()?;
                match self.packing {
                    Some(packing) => target.write(&packing.packed(&closing)?)?,
                    None => target.write(&closing)?,
                }
            }
            target.file.secure()?;
        }
        if target.stage != Stage::InPlace {
            self.place.rename(&target.path, &target.named)?;
            self.place.secure_folder(&names.folder)?;
        }
        Ok(())
    }
}

impl Sink for ByteSink {
    fn under(&mut self, fence: u64, tenure: &Tenure) {
        self.under = Some((fence, tenure.clone()));
    }

    fn doubted(&mut self, trace: &Trace) {
        self.trace = Some(trace.clone());
    }

    fn adopt(&mut self) -> Result<Option<Mark>> {
        let names = self.names()?;
        names.refuse_halves(&mut *self.place)?;
        if self.counted.is_some() {
            let cause = "a target that begins with a count cannot be taken over";
            return Err(Error::new(Kind::Refused, &TARGET_UNFIT, cause).doing(names.doing()).hint(names.full()));
        }
        Ok(None)
    }

    fn open(&mut self, settled: Option<&Mark>, in_doubt: bool) -> Result<Found> {
        let mut names = self.names()?;
        names.under.clone_from(&self.under);
        let form = Form { frame: &self.frame, packing: self.packing };
        let past = Past { settled, in_doubt, trace: self.trace.as_ref() };
        let (target, found) = match &mut self.counted {
            Some(counted) if !self.anew => {
                names.refuse_foreign(&names.clear(&mut *self.place)?)?;
                counted.open(&mut *self.place, &names, &past)?
            }
            _ => Target::open(&mut *self.place, &names, &form, self.anew, &past)?,
        };
        let halves = names.halves(&mut *self.place)?;
        let stale = halves.parts.into_iter().map(|(_, path)| path).chain(halves.foreign).chain(halves.begun);
        self.stale = stale.filter(|path| *path != target.path).collect();
        self.target = Some(target);
        self.names = Some(names);
        Ok(found)
    }

    fn write(&mut self, batch: &Batch) -> Result<()> {
        if batch.records == 0 {
            return Ok(());
        }
        self.put(batch).map_err(|e| e.doing(self.doing()))?;
        self.records += batch.records;
        Ok(())
    }

    fn commit(&mut self, mark: &Mark) -> Result<Receipt> {
        let (length, known) = self.secure(mark).map_err(|e| e.doing(self.doing()))?.unzip();
        Ok(Receipt { written: std::mem::take(&mut self.records), length, known, ..Receipt::default() })
    }

    fn finish(&mut self) -> Result<()> {
        self.close().map_err(|e| e.doing(self.doing()))?;
        self.target = None;
        if let Some(names) = self.names.take() {
            // What other runs left half-written is replaced by now. Not what a run has begun since: if
            // this one was stopped here, another may have taken over.
            for path in self.stale.drain(..) {
                remove(&mut *self.place, &path)?;
            }
            remove(&mut *self.place, &names.base())?;
        }
        Ok(())
    }

    fn abandon(&mut self) {
        self.records = 0;
        self.member = None;
        if let Some(mut target) = self.target.take() {
            // The next run takes back whatever this leaves, so a failure here costs nothing.
            let _ = match target.stage {
                Stage::New => self.place.remove(&target.path),
                Stage::InPlace if target.closed => Ok(()),
                Stage::InPlace if self.packing.is_none() && target.settled > 0 => {
                    target.cut_back().and_then(|()| target.write(&self.frame.after)).and_then(|()| target.file.secure())
                }
                Stage::InPlace | Stage::Part => target.cut_back(),
            };
        }
    }
}
