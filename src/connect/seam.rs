//! The seams between the road and the outside: parts come in, batches go out.
//!
//! Reading is three traits so that each protocol works with each format: a [`Source`] yields
//! parts, a [`Framing`] tells it where records end, a [`Decoder`] (one per worker) turns a part
//! into rows. Writing is two: an [`Encoder`] (one per worker) turns target values into bytes, a
//! [`Sink`] (one) makes them durable.

use std::sync::Arc;

use crate::error::codes::connect::DELETES_GUARDED;
use crate::error::{Code, Error, Kind, Result};
use crate::record::{Arena, Mark, Position, Projection, Receipt, Row, SliceId, Trace, Value};
use crate::store::Tenure;

/// About how many bytes a part has: large enough to make its overhead vanish, small enough for
/// the second-level cache.
pub const PART_BYTES: usize = 1 << 19;

/// A run of whole records, as read.
#[derive(Debug)]
pub struct Part {
    /// 0, 1, 2 … in the order of reading, over all slices of a run.
    pub sequence: u64,
    /// The slice (a file, a partition) it belongs to, by its stable id.
    pub slice: SliceId,
    /// The slice as a person names it (a path, a table).
    pub name: Arc<str>,
    /// What stands before the records of this slice and is needed to read them (a CSV header).
    pub header: Arc<Header>,
    /// The bytes: whole records only, in the format's own form.
    pub bytes: Vec<u8>,
    /// Where it begins. `record` is known only if the framing counts; else it is that of the slice's start.
    pub start: Position,
    /// Where to resume once it is settled. Its `record` is filled in by the road.
    pub end: Position,
    /// Whether the slice ends with this part (which may then be empty).
    pub last_of_slice: bool,
}

/// The header of a slice: column names for formats that have them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Column names, unique, in order; or what else of the stream before the part is needed to read
    /// it ([`Framing::context`]). Empty for formats that need nothing.
    pub columns: Vec<String>,
}

/// Yields parts in order. Reads ahead of the workers by as much as the road's queue holds.
pub trait Source: Send {
    /// The next part, `None` at the end of what there was when the run began.
    ///
    /// # Errors
    /// Whatever ended the reading: unreadable, truncated, replaced while being read, a record
    /// larger than the limit. Everything handed out before stays valid.
    fn next(&mut self) -> Result<Option<Part>>;

    /// What is told, while the source is read, of what is settled; `None`: nothing has to be.
    fn acknowledger(&mut self) -> Option<Box<dyn Acknowledge>> {
        None
    }

    /// Tells the source that everything it handed out is settled, once, at the end of a run that settled
    /// all of it: what was kept on the other side until then may go. Says what there is to say.
    fn acknowledge(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// What the source leaves to say at its end: files that were skipped as settled, files that
    /// were replaced.
    fn notes(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// Told of what is settled while its source is still read: what the other side keeps until then may go.
pub trait Acknowledge: Send {
    /// The first so many parts of the run are settled, in the order of [`Part::sequence`]. Does not wait
    /// for the other side; what goes wrong there is said in [`Source::notes`].
    fn settled(&mut self, parts: u64);
}

/// Where a slice starts: after what bytes the records begin, and its header.
#[derive(Debug, PartialEq, Eq)]
pub struct Opening {
    /// Bytes before the first record.
    pub bytes: usize,
    /// Lines among them.
    pub lines: u64,
    /// The header.
    pub header: Header,
}

/// Where a buffer can be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Not one whole record yet.
    More,
    /// The first so many bytes are whole records (with what separates them).
    At {
        /// Bytes that belong to the part.
        bytes: usize,
        /// Line ends among them.
        lines: u64,
    },
    /// So many bytes are whole records and nothing but a closing follows: the rest of the
    /// stream holds no record (the `]` of a JSON array).
    End {
        /// Bytes that belong to the part.
        bytes: usize,
        /// Line ends among them.
        lines: u64,
    },
}

/// Says where records begin and end in a stream of bytes, without reading what is in them.
/// One per slice; keeps what state it needs between buffers.
pub trait Framing: Send {
    /// Looks for the first record. `None`: more bytes are needed; with `eof` there are no more.
    ///
    /// # Errors
    /// If the beginning is not what the format demands.
    fn open(&mut self, buffer: &[u8], eof: bool) -> Result<Option<Opening>>;

    /// Where to cut. Called with the bytes since the last cut; with `eof` no more will come and
    /// all that is left belongs to the last part.
    ///
    /// # Errors
    /// If the stream cannot end here or has what no later byte can mend (an open quote, an
    /// unclosed array).
    fn cut(&mut self, buffer: &[u8], eof: bool) -> Result<Cut>;

    /// What of the stream before the last cut (before the first one: before the opening's end) is
    /// needed to read on from there: the open elements of XML. It becomes the header of the part that
    /// begins there, and stands in the position as `extra.context`. `None`: the opening's header holds
    /// throughout.
    fn context(&self) -> Option<&[String]> {
        None
    }

    /// Tells the framing that reading resumes at a record boundary, after the opening was read.
    fn resume(&mut self, _position: &Position) {}

    /// Whether a stream may grow at its end and be read on from a settled position (lines), or
    /// is whole or nothing (a JSON array).
    fn can_grow(&self) -> bool;
}

/// Why one record cannot be read, with the place inside its part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// The stable code.
    pub code: &'static Code,
    /// One sentence, without the value if it may be sensitive.
    pub cause: String,
    /// The field at fault, if it is one.
    pub field: Option<String>,
    /// The record's number within its part, from 0.
    pub index: u32,
    /// Line within the part, from 0, where the fault is.
    pub line: u32,
    /// Column in characters, from 1; 0 if unknown.
    pub column: u32,
    /// Byte within the part where the fault is.
    pub byte: usize,
    /// The record's bytes within the part.
    pub start: usize,
    /// End of the record's bytes.
    pub end: usize,
}

/// Receives what a decoder finds, in order. Returning `false` stops the decoding of this part.
pub trait Rows<'a> {
    /// A record.
    fn row(&mut self, row: Row<'a>) -> bool;
    /// A record that cannot be read; the decoder goes on with the next one.
    fn bad(&mut self, error: RecordError) -> bool;
}

/// Turns a part into rows. One per worker; holds only scratch space.
pub trait Decoder: Send {
    /// Decodes every record of the part. Values borrow from its bytes or from the arena.
    ///
    /// # Errors
    /// Only what makes the whole part unreadable. What concerns one record goes to
    /// [`Rows::bad`].
    fn decode<'a>(
        &mut self,
        part: &'a Part,
        projection: &Projection,
        arena: &'a Arena,
        rows: &mut dyn Rows<'a>,
    ) -> Result<()>;
}

/// Turns the values of a target record into the sink's bytes. One per worker.
pub trait Encoder: Send {
    /// Appends one record. `values` stand in the order of the target's columns.
    ///
    /// # Errors
    /// If a value has no form in this format (bytes in CSV without a rule, a list in a flat row):
    /// the record is rejected and nothing was appended.
    fn encode(&mut self, values: &[Value<'_>], out: &mut Vec<u8>) -> Result<(), EncodeError>;

    /// The hash of the key of the record that is encoded next, where records have a key: whoever needs one does not
    /// have to make it a second time.
    fn key_of_next(&mut self, _key: u128) {}

    /// Ends a batch, if it holds a record: appends what its sink wants to know of all of them.
    fn close(&mut self, _batch: &mut Vec<u8>) {}

    /// Appends a key that was seen without a record to write: the values of the key columns, in
    /// the order of the key. Only called for mirrors.
    ///
    /// # Errors
    /// As for [`Encoder::encode`]; targets that keep no keys take none.
    fn encode_key(&mut self, _key: &[Value<'_>], _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        Ok(())
    }
}

/// Why one target value cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodeError {
    /// The stable code.
    pub code: &'static Code,
    /// Index of the column.
    pub column: usize,
    /// One sentence, without the value.
    pub cause: String,
}

/// The bytes around and between records of a whole file in some format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// Before the first record of a file (a CSV header line, `[`).
    pub before: Vec<u8>,
    /// Between two records, also across batches. Empty where each record ends itself.
    pub between: Vec<u8>,
    /// After the last record of a file.
    pub after: Vec<u8>,
    /// Where in `before` the number of records is to stand, if the format tells it there: then
    /// `before` is only whole once all records are written.
    pub count_at: Option<usize>,
}

impl Frame {
    /// What stands before so many records.
    pub fn head(&self, records: u64) -> Vec<u8> {
        let Some((start, end)) = self.count_at.and_then(|at| self.before.split_at_checked(at)) else {
            return self.before.clone();
        };
        [start, records.to_string().as_bytes(), end].concat()
    }
}

/// What the mapped records of one part became.
#[derive(Debug, Default)]
pub struct Batch {
    /// The encoded records, [`Frame::between`] between them but not around them.
    pub bytes: Vec<u8>,
    /// How many records they are.
    pub records: u64,
    /// Keys that were read and have no record in `bytes` (filtered, rejected), as the encoder
    /// writes keys: a mirror does not delete what they name. Empty in other modes.
    pub seen: Vec<u8>,
    /// How many keys they are.
    pub seen_records: u64,
}

/// What writing would do to a target: looked up, nothing kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Records that would be added.
    pub created: u64,
    /// Records that would change.
    pub updated: u64,
    /// Records that stand there just so.
    pub unchanged: u64,
    /// Of the unchanged: records that find no record with their key (update, delete).
    pub unmatched: u64,
    /// Records that would be deleted.
    pub deleted: u64,
}

/// How much a mirror may delete before a person has to agree: the bound that allows more holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeleteGuard {
    /// Share of the target's records, in millionths.
    pub share_ppm: u32,
    /// Number of records.
    pub records: u64,
}

impl DeleteGuard {
    /// Lets so many deletes of so many records pass, or says why not.
    ///
    /// # Errors
    /// [`Kind::Refused`] if it is more than either bound allows.
    pub fn check(self, deletes: u64, of: u64) -> Result<()> {
        let share = u128::from(of) * u128::from(self.share_ppm);
        if deletes <= self.records || u128::from(deletes) * 1_000_000 <= share {
            return Ok(());
        }
        let cause = format!("the mirror would delete {deletes} of {of} records, more than its guard allows");
        Err(Error::new(Kind::Refused, &DELETES_GUARDED, cause)
            .fact("allowed", format!("{} % or {} records", f64::from(self.share_ppm) / 10_000.0, self.records))
            .hint("nothing was deleted; look first at what is missing from the source")
            .hint(format!("if they are to go, run the route once with `--allow-deletes {deletes}`, which is recorded")))
    }
}

/// What a sink found of this route when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It stands exactly at the mark the store knows (or both know nothing).
    Same,
    /// What was written after the settled mark was taken back (a file cut to its settled length).
    TakenBack,
    /// The group after the settled one is there, whole: it was written but not settled.
    Ahead,
}

/// Makes batches durable in a target. One per route, driven by one thread in order.
pub trait Sink: Send {
    /// Tells the sink, before [`Sink::open`], under which fence this run will write and by what
    /// right. A run may be stopped at any point, taken over, and woken later: a target with a commit
    /// row raises the fence there when it is opened, so that no run with a lower one commits again;
    /// one without asks [`Tenure::check`] after it has locked what it writes and before it changes
    /// it, and leaves alone what others may have open if the tenure is [`Tenure::contested`].
    fn under(&mut self, _fence: u64, _tenure: &Tenure) {}

    /// Tells the sink, before [`Sink::open`], what a group would look like that was intended and
    /// never settled: bytes beyond the settled ones that look otherwise are somebody else's. Only for
    /// sinks that take bytes back.
    fn doubted(&mut self, _trace: &Trace) {}

    /// Compares the target with the last settled mark (`None`: this route never settled
    /// anything) and takes back what was written after it, if the sink can. `in_doubt` says that
    /// an intent was recorded after that mark: bytes or a group beyond it may be ours.
    ///
    /// # Errors
    /// A target that is further than one group ahead, that is ahead though nothing is in doubt
    /// (somebody else wrote it), or that knows another log id under this route's name
    /// (`Kind::Refused`, hint `sync state adopt`); a locked or unwritable target.
    fn open(&mut self, settled: Option<&Mark>, in_doubt: bool) -> Result<Found>;

    /// Makes the target's account of this route this state's own, whatever state it names now, and
    /// says what it holds. `None`: the target keeps no account. Called instead of
    /// [`Sink::open`], once a person has asked for it.
    ///
    /// # Errors
    /// A locked or unwritable target.
    fn adopt(&mut self) -> Result<Option<Mark>> {
        Ok(None)
    }

    /// What the group that [`Sink::open`] found ahead came to, as the target kept it with the group;
    /// `None`: it does not tell. Called once, after [`Found::Ahead`].
    ///
    /// # Errors
    /// The target cannot be read.
    fn recall(&mut self) -> Result<Option<Receipt>> {
        Ok(None)
    }

    /// What it takes to make the same requests of a group's batches again, whoever does so later: then
    /// the batches are kept with the group's intent, sealed, and a run after a crash hands them to
    /// [`Sink::resolve`], whatever mapping and source have become. `None`: sending the group's records
    /// anew does no harm, and nothing is kept. Asked once, after [`Sink::open`].
    ///
    /// # Errors
    /// If no key can be made.
    fn keeps_requests(&mut self) -> Result<Option<String>> {
        Ok(None)
    }

    /// How many records a group should have at most: what is done again, or in doubt, after a crash.
    fn most_records(&self) -> u64 {
        u64::MAX
    }

    /// Finds out what became of a group that was intended, kept and never settled, by the way that the
    /// target declares: sends it again, looks it up, or leaves it in doubt. When it returns, nothing of
    /// the group is under way any more. `recipe` is what [`Sink::keeps_requests`] gave.
    ///
    /// # Errors
    /// The target cannot be reached, or refuses as a whole: the group stays in doubt.
    fn resolve(&mut self, _recipe: &str, _batches: &[Batch], _mark: &Mark) -> Result<Receipt> {
        Err(Error::bug("a sink that keeps nothing was given something to resolve"))
    }

    /// Tells which group the batches that follow belong to.
    fn group(&mut self, _mark: &Mark) {}

    /// Whether the target, once opened, may refuse single records by rules of its own. Where it cannot,
    /// nobody has to keep what records were read from.
    fn may_refuse(&self) -> bool {
        true
    }

    /// Takes one batch of the group; nothing of it needs to be durable yet.
    ///
    /// # Errors
    /// The group fails as a whole; after that only [`Sink::abandon`] may be called.
    fn write(&mut self, batch: &Batch) -> Result<()>;

    /// The same for a batch that nobody else needs: a sink that holds records until [`Sink::commit`] keeps its
    /// bytes as they are.
    ///
    /// # Errors
    /// As for [`Sink::write`].
    fn take(&mut self, batch: Batch) -> Result<()> {
        self.write(&batch)
    }

    /// Makes the group durable under the mark. When it returns, a power loss keeps the group.
    ///
    /// # Errors
    /// The group fails as a whole, or its fate is unknown.
    fn commit(&mut self, mark: &Mark) -> Result<Receipt>;

    /// Says what [`Sink::write`] would do with this batch, and keeps nothing of it. Only called on a
    /// sink that was opened to rehearse.
    ///
    /// # Errors
    /// As for [`Sink::write`].
    fn foresee(&mut self, batch: &Batch) -> Result<Effects> {
        Ok(Effects { created: batch.records, ..Effects::default() })
    }

    /// Deletes what a mirror's source has no more: every record of the target whose key was not in a
    /// batch since the sink was opened, durable under the mark like a group of its own. Called
    /// once, after the whole source was read and every group settled. With `foresee` it only
    /// counts.
    ///
    /// # Errors
    /// [`Kind::Refused`](crate::error::Kind) if it is more than the guard allows; nothing is
    /// deleted then.
    fn sweep(&mut self, _mark: &Mark, _guard: DeleteGuard, _foresee: bool) -> Result<Receipt> {
        Ok(Receipt::default())
    }

    /// Ends the target well: closing bytes, rename into place, fsync of the folder. Only called
    /// when the whole run was settled.
    ///
    /// # Errors
    /// The data stays where it is and the next run finishes.
    fn finish(&mut self) -> Result<()>;

    /// Gives up the group in hand; settled groups stay.
    fn abandon(&mut self);
}

/// Stands in for a target that cannot be asked what is in it: counts, and opens nothing.
pub struct Counting;

impl Sink for Counting {
    fn open(&mut self, _settled: Option<&Mark>, _in_doubt: bool) -> Result<Found> {
        Ok(Found::Same)
    }

    fn write(&mut self, _batch: &Batch) -> Result<()> {
        Err(Error::bug("a sink that only counts was given something to write"))
    }

    fn commit(&mut self, _mark: &Mark) -> Result<Receipt> {
        Err(Error::bug("a sink that only counts was given something to keep"))
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }

    fn abandon(&mut self) {}
}
