//! What became of records: the counts of a run, the laws they obey, and the rejected ones.

use serde::{Deserialize, Serialize};

use super::{ClassSet, Receipt};

/// The counts of a group, a run or a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Records read from the source, unreadable ones included.
    pub read: u64,
    /// Records that became target records.
    pub mapped: u64,
    /// Records for which `when` was false.
    pub filtered: u64,
    /// Records that went to the dead letters.
    pub rejected: u64,
    /// Records that a compliance rule kept back.
    pub withheld: u64,
    /// Target records that records became beyond one for each of them; only told where there are such.
    #[serde(skip_serializing_if = "is_zero")]
    pub exploded: u64,
    /// Target records after explode and last-wins.
    pub produced: u64,
    /// Target records that a later one with the same key in the same batch replaced.
    pub superseded: u64,
    /// Target records written.
    pub written: u64,
    /// Target records that stood there already.
    pub unchanged: u64,
    /// Of the unchanged: records that found no record with their key (update, delete).
    pub unmatched: u64,
    /// Records of the target that were deleted, by a record that asked for it or because a mirror's
    /// source has them no more.
    pub deleted: u64,
    /// Target records that the target refused.
    pub refused: u64,
    /// Target records whose fate is unknown.
    pub in_doubt: u64,
    /// Bytes read from the source.
    pub bytes_read: u64,
    /// Bytes given to the target.
    pub bytes_written: u64,
}

impl Totals {
    /// Adds the counts of a further group.
    pub fn add(&mut self, other: &Self) {
        self.read += other.read;
        self.mapped += other.mapped;
        self.filtered += other.filtered;
        self.rejected += other.rejected;
        self.withheld += other.withheld;
        self.exploded += other.exploded;
        self.produced += other.produced;
        self.superseded += other.superseded;
        self.written += other.written;
        self.unchanged += other.unchanged;
        self.unmatched += other.unmatched;
        self.deleted += other.deleted;
        self.refused += other.refused;
        self.in_doubt += other.in_doubt;
        self.bytes_read += other.bytes_read;
        self.bytes_written += other.bytes_written;
    }

    /// Adds what a target made of the records that were produced.
    pub fn took(&mut self, receipt: &Receipt) {
        self.written += receipt.written;
        self.unchanged += receipt.unchanged;
        self.unmatched += receipt.unmatched;
        self.deleted += receipt.deleted;
        self.refused += receipt.refused;
        self.in_doubt += receipt.in_doubt;
        self.superseded += receipt.superseded;
        self.produced -= receipt.superseded;
    }

    /// The count laws: nothing that was read is unaccounted for, nothing that was produced either.
    ///
    /// # Errors
    /// The law that does not hold, with its numbers.
    pub fn check(&self) -> Result<(), String> {
        let accounted = self.mapped + self.filtered + self.rejected + self.withheld;
        if self.read != accounted {
            return Err(format!(
                "read {} = mapped {} + filtered {} + rejected {} + withheld {}",
                self.read, self.mapped, self.filtered, self.rejected, self.withheld
            ));
        }
        let settled = self.written + self.unchanged + self.refused + self.in_doubt;
        if self.produced != settled {
            return Err(format!(
                "produced {} = written {} + unchanged {} + refused {} + in doubt {}",
                self.produced, self.written, self.unchanged, self.refused, self.in_doubt
            ));
        }
        if self.mapped + self.exploded != self.produced + self.superseded {
            return Err(format!(
                "mapped {} + exploded {} = produced {} + superseded {}",
                self.mapped, self.exploded, self.produced, self.superseded
            ));
        }
        Ok(())
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A record that did not make it, with all that is needed to explain and to replay it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The stable code of the reason.
    pub code: &'static str,
    /// The reason in one sentence; holds a value only if it carries no class.
    pub cause: String,
    /// The target field (or source path) at fault, if it is one.
    pub field: Option<String>,
    /// The slice's name as a person knows it.
    pub source: String,
    /// The slice's id.
    pub slice: String,
    /// Byte of the record's beginning in the decoded stream.
    pub byte: u64,
    /// Line of the record's beginning, from 1.
    pub line: u64,
    /// The record's number in its slice, from 1.
    pub record: u64,
    /// Column of the fault, from 1; 0 if unknown.
    pub column: u32,
    /// The record's bytes as read; sealed before they are stored.
    pub payload: Vec<u8>,
    /// What is needed to read the payload again (a CSV header): column names.
    pub columns: Vec<String>,
    /// Classes of data in it, as far as known: decides what is masked when it is shown.
    pub classes: ClassSet,
    /// A keyed hash of the record's key, where the mapping could still tell it.
    pub record_key: Option<u128>,
    /// A later record with its key was written in the same group.
    pub overtaken: bool,
    /// A keyed hash of its person, where the mapping says who that is: what is erased with the person.
    pub subject: Option<[u8; 16]>,
}
