//! The commit row that a route has in a database it writes to: it names the last group, and goes into
//! the transaction of that group. These are its rules, the same for every database that keeps one: a
//! group goes in once, behind the one before it, by the state that wrote that one, and by nobody who
//! was taken over.
//!
//! Parameters of statements are numbered in the order in which they first stand there: SQLite takes `$1`
//! for a name, and numbers names so.

use serde::{Deserialize, Serialize};

use crate::connect::Found;
use crate::error::codes::connect::{TARGET_CHANGED, TARGET_FENCED, TARGET_FOREIGN};
use crate::error::{Error, Kind, Result};
use crate::record::{Mark, Receipt};

/// The table of commit rows: one per route.
pub(super) const TABLE: &str = "_consign_commits";

/// Takes a mark: `$1` route, `$2` log id, `$3` group, `$4` fence, `$5` records, `$6` what the group
/// came to, `$7` whether a full run starts anew. No row is changed if the mark may not go in.
/// `commits` is the table as SQL writes it.
pub(super) fn take_mark(commits: &str) -> String {
    format!(
        "INSERT INTO {commits} AS c (route, log_id, group_no, fence, records, receipt) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (route) DO UPDATE SET group_no = excluded.group_no, fence = excluded.fence, \
         records = excluded.records, receipt = excluded.receipt \
         WHERE c.log_id = excluded.log_id AND c.fence <= excluded.fence AND ($7 OR c.group_no < excluded.group_no)"
    )
}

/// Raises the fence: `$1` route, `$2` log id, `$3` fence. A run with a lower one, woken after it was
/// taken over, has committed before this or commits nothing more. A row without a group says that
/// somebody began and never wrote: whoever comes takes it.
pub(super) fn raise_fence(commits: &str) -> String {
    format!(
        "INSERT INTO {commits} AS c (route, log_id, group_no, fence, records) VALUES ($1, $2, 0, $3, 0) \
         ON CONFLICT (route) DO UPDATE SET fence = excluded.fence, log_id = excluded.log_id \
         WHERE CASE WHEN c.log_id = excluded.log_id THEN c.fence <= excluded.fence ELSE c.group_no = 0 END"
    )
}

/// Reads what makes a [`CommitRow`], in its order, of route `$1`.
pub(super) fn read_row(commits: &str) -> String {
    format!("SELECT log_id, group_no, fence FROM {commits} WHERE route = $1")
}

/// Reads group and what it came to, of route `$1`.
pub(super) fn read_receipt(commits: &str) -> String {
    format!("SELECT group_no, receipt FROM {commits} WHERE route = $1")
}

/// Makes log id `$1` that of the row of route `$2`.
pub(super) fn adopt(commits: &str) -> String {
    format!("UPDATE {commits} SET log_id = $1 WHERE route = $2")
}

/// A commit row.
pub(super) struct CommitRow {
    pub(super) log_id: String,
    pub(super) group: i64,
    pub(super) fence: i64,
}

impl CommitRow {
    /// The mark it holds.
    pub(super) fn mark(self, route: &str) -> Mark {
        Mark {
            log_id: self.log_id,
            route: route.into(),
            group: self.group.unsigned_abs(),
            fence: self.fence.unsigned_abs(),
            length: None,
            known: None,
        }
    }
}

/// What a group came to, as it is kept with the group's number.
#[derive(Serialize, Deserialize)]
struct Kept {
    group: i64,
    #[serde(flatten)]
    receipt: Receipt,
}

/// What a group came to, as the row keeps it.
pub(super) fn kept(mark: &Mark, receipt: &Receipt) -> Result<String> {
    let kept = Kept { group: signed(mark.group), receipt: receipt.clone() };
    serde_json::to_string(&kept).map_err(|e| Error::bug(e.to_string()))
}

/// What the row says that its group came to; `None`: an earlier version wrote it, and did not say.
pub(super) fn recalled(group: i64, text: Option<&str>) -> Option<Receipt> {
    let kept: Kept = serde_json::from_str(text?).ok()?;
    (kept.group == group).then_some(kept.receipt)
}

/// A number as databases have them.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A run that is about to write, as its commit row sees it.
pub(super) struct Claim {
    pub(super) log_id: String,
    pub(super) route: String,
    /// A full run: what was settled before does not count.
    pub(super) anew: bool,
    /// The fence of the run; 0: none was named.
    pub(super) fence: u64,
    /// What it does, for messages.
    pub(super) doing: String,
}

impl Claim {
    pub(super) fn new((log_id, route): (&str, &str), anew: bool, doing: String) -> Self {
        Self { log_id: log_id.into(), route: route.into(), anew, fence: 0, doing }
    }

    /// Compares what the row says with what this state has settled.
    ///
    /// # Errors
    /// [`Kind::Locked`] if a newer run has taken the target over, [`Kind::Refused`] if one of the two is
    /// not what it was; each names what repairs it.
    pub(super) fn compare(&self, row: Option<CommitRow>, settled: Option<&Mark>, in_doubt: bool) -> Result<Found> {
        if let Some(row) = &row
            && self.fence > 0
            && row.log_id == self.log_id
            && row.fence > signed(self.fence)
        {
            return Err(self.fenced(row.fence, self.fence));
        }
        let group = settled.map_or(0, |mark| signed(mark.group));
        // A row without a group is a fence alone.
        match row.filter(|row| row.group > 0) {
            Some(row) if row.log_id != self.log_id => Err(self.foreign(&row)),
            None if group == 0 || self.anew => Ok(Found::Same),
            None => Err(self
                .changed(format!("the target knows nothing of route `{}`, which has settled groups", self.route))
                .fact("groups settled", group)
                .hint("put the database back, or write everything again with `--full`")),
            Some(_) if self.anew && settled.is_none() => Ok(Found::Same),
            Some(row) if row.group == group || (self.anew && row.group < group) => Ok(Found::Same),
            Some(row) if row.group == group + 1 && in_doubt => Ok(Found::Ahead),
            Some(row) if row.group > group => Err(Error::new(
                Kind::Refused,
                &TARGET_FOREIGN,
                format!("the target holds groups of route `{}` that this state never settled", self.route),
            )
            .doing(&self.doing)
            .fact("group of the target", row.group)
            .fact("groups settled here", group)
            .hint("the state was restored or lost: `consign sync state adopt` takes over what the target knows")),
            Some(row) => Err(self
                .changed(format!("the target misses groups of route `{}`", self.route))
                .fact("group of the target", row.group)
                .fact("groups settled here", group)
                .hint("the database was restored from an older copy: put it back, or write everything again with `--full`")),
        }
    }

    /// Looks at the table itself, beside its commit row: whether it was there, and whether it holds rows.
    /// `emptied_by` is the statement that empties it.
    ///
    /// # Errors
    /// [`Kind::Refused`] if a table that was written to is gone, or if everything would be appended to a
    /// table that holds rows.
    pub(super) fn compare_table(
        &self,
        name: &str,
        holds_rows: Option<bool>,
        settled: Option<&Mark>,
        keyed: bool,
        emptied_by: &str,
    ) -> Result<()> {
        match holds_rows {
            None if !self.anew && settled.is_some_and(|mark| mark.group > 0) => {
                Err(self.changed(format!("table `{name}` is gone")).hint(
                    "put the table back, or write everything again with `--full`: only new records would come otherwise",
                ))
            }
            Some(true) if self.anew && !keyed => Err(self
                .changed(format!("table `{name}` holds rows, and `mode: append` would add every record to it again"))
                .hint(format!("empty it first ({emptied_by}), or use `mode: upsert` with a key"))),
            _ => Ok(()),
        }
    }

    /// Why the row, as it is there, did not take a mark.
    #[cold]
    pub(super) fn not_taken(&self, row: Option<&CommitRow>, mark: &Mark) -> Error {
        match row {
            Some(row) if row.log_id != mark.log_id => self.foreign(row),
            Some(row) if row.fence > signed(mark.fence) => self.fenced(row.fence, mark.fence),
            Some(row) => self
                .changed("the target already holds this group".into())
                .fact("group of the target", row.group)
                .fact("group of this run", mark.group),
            None => self
                .changed("the commit row was deleted while it was being written".into())
                .hint(format!("look who changes `{TABLE}`, then run again")),
        }
    }

    /// Something of the target is not as it was left.
    fn changed(&self, cause: String) -> Error {
        Error::new(Kind::Refused, &TARGET_CHANGED, cause).doing(&self.doing)
    }

    fn fenced(&self, newer: i64, fence: u64) -> Error {
        Error::new(Kind::Locked, &TARGET_FENCED, "a newer run of this route has taken the target over")
            .doing(&self.doing)
            .fact("fencing number of the target", newer)
            .fact("fencing number of this run", fence)
            .hint("look at `consign sync history`; nothing of this group was written")
            .hint("was the state brought back from an older copy? Then `consign sync state adopt` takes over what the target knows")
    }

    fn foreign(&self, row: &CommitRow) -> Error {
        let cause = format!("the target knows route `{}` under another state", self.route);
        Error::new(Kind::Refused, &TARGET_FOREIGN, cause)
            .doing(&self.doing)
            .fact("log id of the target", &row.log_id)
            .fact("log id of this state", &self.log_id)
            .hint("compare the two first; `consign sync state adopt` takes over what the target knows")
    }
}
