//! The ways of a group into the target: straight, all at once over the stage, or piece by piece where
//! the server refuses records. Each works in the transaction that is open.

use tokio_postgres::Client;

use super::failure::{Remedy, refusal, remedy};
use super::group::{Group, Index, copy, copy_numbered};
use super::statements::{Statements, analyze_seen};
use super::table::Table;
use crate::config::Mode;
use crate::connect::{DeleteGuard, Effects};
use crate::error::Error;
use crate::record::{Receipt, Refusal};

/// Why a transaction did not come through.
pub(super) enum Broken {
    Server(tokio_postgres::Error),
    Ours(Error),
}

impl From<tokio_postgres::Error> for Broken {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Server(error)
    }
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

/// A group on its way into the target, in the transaction of the client.
pub(super) struct Load<'l> {
    pub(super) client: &'l Client,
    pub(super) statements: &'l Statements,
    pub(super) table: &'l Table,
    pub(super) group: &'l Group,
    /// Two records may have one key: the last one counts.
    pub(super) one_each: bool,
}

impl Load<'_> {
    /// COPY into the target itself: fails as a whole if a record meets another one.
    pub(super) async fn straight(&self) -> Result<Receipt, Broken> {
        let mut receipt = Receipt::default();
        if let (Some(straight), false) = (&self.statements.straight, self.group.lines.is_empty()) {
            receipt.written = copy(self.client, straight, &self.group.lines).await?;
            // A trigger may leave records out.
            receipt.unchanged = self.group.records.saturating_sub(receipt.written);
        }
        Ok(receipt)
    }

    /// One COPY and one statement over all of it: fails as a whole.
    pub(super) async fn at_once(&self) -> Result<Receipt, Broken> {
        let (client, statements) = (self.client, self.statements);
        let mut receipt = Receipt::default();
        if self.group.is_empty() {
            return Ok(receipt);
        }
        copy_numbered(client, &statements.copy, &self.group.lines, 0).await?;
        if let Some(see) = &statements.see {
            client.execute(see, &[]).await?;
            if !self.group.seen.is_empty() {
                copy(client, &statements.copy_seen, &self.group.seen).await?;
            }
        }
        receipt.refusals = self.unfit().await?;
        // An upsert says itself that two records have one key. The others would take either of them.
        let one_each = self.table.mode.keyed()
            && match self.table.mode {
                Mode::Update | Mode::Delete => client.query_one(&statements.twice, &[]).await?.get(0),
                _ => self.one_each,
            };
        if one_each {
            receipt.superseded = client.execute(&statements.last_wins, &[]).await?;
        }
        let changed = client.execute(&statements.apply, &[]).await?;
        let staged = self.group.records - receipt.superseded - receipt.refusals.len() as u64;
        self.account(&mut receipt, staged, changed).await?;
        Ok(receipt)
    }

    /// The same in ever smaller pieces, until the records that the server refuses stand alone: they
    /// are left out, all others are written.
    pub(super) async fn piece_by_piece(&self) -> Result<Receipt, Broken> {
        let (client, statements) = (self.client, self.statements);
        let index = self.group.index();
        let mut receipt = Receipt::default();
        let mut pieces = Pieces::new(index.len());
        while let Some(records) = pieces.next() {
            let lines = index.slice(records.clone());
            client.batch_execute("SAVEPOINT piece").await?;
            match copy_numbered(client, &statements.copy, &lines, records.start as u64).await {
                Ok(_) => {
                    client.batch_execute("RELEASE piece").await?;
                    pieces.passed();
                }
                Err(error) => {
                    self.back(error, &mut pieces, &mut receipt).await?;
                }
            }
        }
        if let Some(see) = &statements.see {
            client.execute(see, &[]).await?;
            self.see_refused(&index, &receipt.refusals).await?;
        }
        receipt.refusals.extend(self.unfit().await?);
        if self.table.mode.keyed() {
            receipt.superseded = client.execute(&statements.last_wins, &[]).await?;
        }
        client.batch_execute(&statements.index).await?;
        let staged = self.group.records - receipt.superseded - receipt.refusals.len() as u64;
        let before = receipt.refusals.len();
        let some = client.prepare(&statements.apply_some).await?;
        let mut changed = 0;
        let mut pieces = Pieces::new(index.len());
        while let Some(records) = pieces.next() {
            client.batch_execute("SAVEPOINT piece").await?;
            match client.execute(&some, &[&(records.start as i64), &(records.end as i64)]).await {
                Ok(rows) => {
                    client.batch_execute("RELEASE piece").await?;
                    changed += rows;
                    pieces.passed();
                }
                Err(error) => {
                    self.back(error, &mut pieces, &mut receipt).await?;
                }
            }
        }
        let refused_now = (receipt.refusals.len() - before) as u64;
        self.account(&mut receipt, staged - refused_now, changed).await?;
        client.batch_execute(&statements.unindex).await?;
        Ok(receipt)
    }

    /// Takes a piece back; a record that stands alone is refused.
    async fn back(
        &self,
        error: tokio_postgres::Error,
        pieces: &mut Pieces,
        receipt: &mut Receipt,
    ) -> Result<(), Broken> {
        if remedy(&error) != Remedy::Record {
            return Err(error.into());
        }
        self.client.batch_execute("ROLLBACK TO piece; RELEASE piece").await?;
        if let Some(record) = pieces.failed() {
            let (cause, field) = refusal(&error);
            receipt.refusals.push(Refusal { record: record as u64, cause, field: self.column(field), doubt: false });
        }
        Ok(())
    }

    /// A column as the mapping calls it: the stage has names of its own.
    fn column(&self, named: Option<String>) -> Option<String> {
        let named = named?;
        let staged = named.strip_prefix('c').and_then(|at| self.table.columns.get(at.parse::<usize>().ok()?));
        match staged {
            Some(name) => Some(name.clone()),
            None => self.table.columns.iter().find(|name| **name == named).cloned(),
        }
    }

    /// What the columns would round is refused.
    async fn unfit(&self) -> Result<Vec<Refusal>, tokio_postgres::Error> {
        let Some(unfit) = &self.statements.unfit else { return Ok(Vec::new()) };
        let rows = self.client.query(unfit, &[]).await?;
        let refused = rows.iter().map(|row| Refusal {
            record: row.get::<_, i64>(0).unsigned_abs(),
            cause: "the number has more digits behind the point than the column keeps".into(),
            field: row.get(1),
            doubt: false,
        });
        Ok(refused.collect())
    }

    /// A mirror has seen the keys of records that the server refused, too: as far as a key can be one
    /// of the target's.
    async fn see_refused(&self, index: &Index<'_>, refused: &[Refusal]) -> Result<(), Broken> {
        let keys = refused.iter().map(|refusal| {
            let fields = index.fields(refusal.record as usize);
            let key: Vec<&[u8]> =
                self.table.key.iter().map(|at| fields.get(*at).map_or(&b""[..], |f| &f[..])).collect();
            let mut line = key.join(&b'\t');
            line.push(b'\n');
            bytes::Bytes::from(line)
        });
        let seen = self.group.seen.iter().flat_map(|lines| {
            let ends = memchr::memchr_iter(b'\n', lines).map(|end| end + 1);
            let mut from = 0;
            ends.map(|end| lines.slice(std::mem::replace(&mut from, end)..end)).collect::<Vec<_>>()
        });
        let (client, statements) = (self.client, self.statements);
        for line in keys.chain(seen).collect::<Vec<_>>() {
            client.batch_execute("SAVEPOINT piece").await?;
            match copy(client, &statements.copy_seen, &[line]).await {
                Ok(_) => client.batch_execute("RELEASE piece").await?,
                Err(error) if remedy(&error) == Remedy::Record => {
                    client.batch_execute("ROLLBACK TO piece; RELEASE piece").await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Counts what became of so many staged records, of which so many changed the target.
    async fn account(&self, receipt: &mut Receipt, staged: u64, changed: u64) -> Result<(), tokio_postgres::Error> {
        receipt.refused = receipt.refusals.len() as u64;
        receipt.written = changed;
        receipt.unchanged = staged.saturating_sub(changed);
        match self.table.mode {
            Mode::Delete => {
                receipt.deleted = changed;
                receipt.unmatched = receipt.unchanged;
            }
            Mode::Update if receipt.unchanged > 0 => {
                let matched: i64 = self.client.query_one(&self.statements.matched, &[]).await?.get(0);
                // A record that was refused has its key in the target: it came to be changed.
                receipt.unmatched =
                    (staged + receipt.refused).saturating_sub(matched.unsigned_abs()).min(receipt.unchanged);
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) async fn delete_unseen(&self, guard: DeleteGuard) -> Result<Receipt, Broken> {
        let (client, statements) = (self.client, self.statements);
        client.batch_execute(&analyze_seen()).await?;
        let of: i64 = client.query_one(&statements.count, &[]).await?.get(0);
        let unseen: i64 = client.query_one(&statements.count_unseen, &[]).await?.get(0);
        guard.check(unseen.unsigned_abs(), of.unsigned_abs())?;
        let deleted = match unseen {
            0 => 0,
            _ => client.execute(&statements.delete_unseen, &[]).await?,
        };
        Ok(Receipt { deleted, ..Receipt::default() })
    }

    pub(super) async fn look(&self) -> Result<Effects, Broken> {
        let (client, statements) = (self.client, self.statements);
        client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
        copy_numbered(client, &statements.copy, &self.group.lines, 0).await?;
        let row = client.query_one(&statements.foresee, &[]).await?;
        let [created, changed, unchanged, again, matched] =
            [0, 1, 2, 3, 4].map(|at| row.get::<_, i64>(at).unsigned_abs());
        if let Some(see) = &statements.see {
            client.execute(see, &[]).await?;
        }
        if !self.group.seen.is_empty() {
            copy(client, &statements.copy_seen, &self.group.seen).await?;
        }
        client.batch_execute("COMMIT").await?;
        let records = self.group.records;
        Ok(match self.table.mode {
            // A key that came before in this rehearsal stands there by now.
            Mode::Append | Mode::Upsert | Mode::Mirror => {
                Effects { created, updated: changed + again, unchanged, ..Effects::default() }
            }
            Mode::Update => {
                let unmatched = records.saturating_sub(matched);
                let updated = (changed + again).min(matched);
                Effects { updated, unchanged: records - updated, unmatched, ..Effects::default() }
            }
            // … or is gone.
            Mode::Delete => {
                let deleted = changed + unchanged;
                let rest = records.saturating_sub(deleted);
                Effects { deleted, unchanged: rest, unmatched: rest, ..Effects::default() }
            }
        })
    }
}

/// A run of records, gone through in pieces: halved where one fails, doubled again where one
/// passes, so that a few bad records cost a few pieces.
struct Pieces {
    at: usize,
    size: usize,
    end: usize,
}

impl Pieces {
    fn new(end: usize) -> Self {
        Self { at: 0, size: end.max(1), end }
    }

    fn next(&self) -> Option<std::ops::Range<usize>> {
        (self.at < self.end).then(|| self.at..self.end.min(self.at + self.size))
    }

    fn passed(&mut self) {
        self.at = self.end.min(self.at + self.size);
        self.size *= 2;
    }

    /// The record, if it stood alone.
    fn failed(&mut self) -> Option<usize> {
        let tried = self.size.min(self.end - self.at);
        if tried > 1 {
            self.size = tried / 2;
            return None;
        }
        self.at += 1;
        self.size = 1;
        Some(self.at - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_find_every_bad_record_and_leave_no_other_out() {
        for bad in [vec![], vec![0], vec![99], vec![3, 4, 50], (0..100).collect::<Vec<_>>()] {
            let (mut pieces, mut refused, mut passed, mut tried) = (Pieces::new(100), Vec::new(), 0, 0);
            while let Some(records) = pieces.next() {
                tried += 1;
                if bad.iter().any(|record| records.contains(record)) {
                    refused.extend(pieces.failed());
                } else {
                    passed += records.len();
                    pieces.passed();
                }
            }
            assert_eq!((refused.as_slice(), passed), (bad.as_slice(), 100 - bad.len()));
            assert!(tried <= 1 + 14 * bad.len(), "{tried} tries for {} bad records", bad.len());
        }
        assert_eq!(Pieces::new(0).next(), None);
    }
}
