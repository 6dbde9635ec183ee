//! The one thread that writes: a group goes into the session's stage by COPY, one statement over it
//! changes the target, and the commit row that names the group goes with it into one transaction.

use serde::{Deserialize, Serialize};
use tokio_postgres::Client;

use super::failure::{Remedy, failure, refusal, remedy};
use super::group::{Group, Index, copy, copy_numbered};
use super::session::{Session, Settings};
use super::statements::{Statements, analyze_seen};
use super::table::{Table, commits_definition, is_there};
use crate::config::Mode;
use crate::connect::{Batch, DeleteGuard, Effects, Found, Sink};
use crate::error::codes::connect::{TARGET_CHANGED, TARGET_FENCED, TARGET_FOREIGN};
use crate::error::{Error, Kind, Result};
use crate::record::{Mark, Receipt, Refusal};
use crate::store::Tenure;

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET CONSTRAINTS ALL IMMEDIATE";

/// What a session of a sink needs beyond that of a source: room for the stage in memory, and an end
/// of its transaction if this process is stopped in the middle of it.
const SESSION: &str =
    "SET temp_buffers = '32MB'; SET work_mem = '64MB'; SET idle_in_transaction_session_timeout = '120s'";

/// A table of a PostgreSQL database as a target.
pub(super) struct PostgresSink {
    settings: Settings,
    table: Table,
    create: bool,
    log_id: String,
    route: String,
    anew: bool,
    rehearse: bool,
    /// The fence of the run; 0: none was named.
    fence: u64,
    opened: Option<Opened>,
    group: Group,
    /// A group had two records with one key: look for them first.
    twice: bool,
    /// Nothing was in the target that a record could meet, so far: groups go straight into it.
    straight: bool,
}

struct Opened {
    session: Session,
    statements: Statements,
}

/// What a group came to, as it is kept with the group's number.
#[derive(Serialize, Deserialize)]
struct Kept {
    group: i64,
    #[serde(flatten)]
    receipt: Receipt,
}

/// A commit row.
struct Commit {
    log_id: String,
    group: i64,
    fence: i64,
    receipt: Option<String>,
}

/// Why a transaction did not come through.
enum Broken {
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

impl PostgresSink {
    pub(super) fn new(
        settings: Settings,
        table: Table,
        create: bool,
        (log_id, route): (&str, &str),
        anew: bool,
        rehearse: bool,
    ) -> Self {
        Self {
            settings,
            table,
            create,
            log_id: log_id.into(),
            route: route.into(),
            anew,
            rehearse,
            fence: 0,
            opened: None,
            group: Group::default(),
            twice: false,
            straight: false,
        }
    }

    fn doing(&self) -> String {
        format!("writing `{}` in `{}`", self.table.name, self.settings.shown())
    }

    fn failed(&self, broken: Broken) -> Error {
        match broken {
            Broken::Server(error) => failure(self.doing(), error),
            Broken::Ours(error) => error.doing(self.doing()),
        }
    }

    fn opened(&self) -> Result<&Opened> {
        self.opened.as_ref().ok_or_else(|| Error::bug("the PostgreSQL target is used before it was opened"))
    }

    /// Looks at the target, makes what is missing, and compares it with what is settled.
    async fn take_over(
        &self,
        client: &Client,
        settled: Option<&Mark>,
        in_doubt: bool,
    ) -> Result<(Found, Statements, bool), Broken> {
        client.batch_execute(SESSION).await?;
        client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
        let (fitted, was_there) = self.table.prepare(client, self.create, self.rehearse).await?;
        let statements = Statements::new(&self.table, &fitted, self.rehearse);
        let has_commits: bool = client.query_one(&is_there(&fitted.commits), &[]).await?.get(0);
        if !has_commits && !self.rehearse {
            client.batch_execute(&commits_definition(&fitted.commits)).await?;
        }
        if self.fence > 0 && !self.rehearse {
            // Raised before it is read: a run with a lower fence, woken after it was taken over, has
            // committed before this or commits nothing more.
            client.execute(&statements.raise_fence, &[&self.route, &self.log_id, &signed(self.fence)]).await?;
        }
        let row = match has_commits || !self.rehearse {
            true => self.commit_row(client, &statements).await?,
            false => None,
        };
        if let Some(row) =
            row.as_ref().filter(|row| self.fence > 0 && row.log_id == self.log_id && row.fence > signed(self.fence))
        {
            return Err(self.fenced(row.fence, self.fence).into());
        }
        // A row without a group is a fence alone.
        let found = self.compare(row.filter(|row| row.group > 0), settled, in_doubt)?;
        if !was_there && !self.anew && settled.is_some_and(|mark| mark.group > 0) {
            return Err(self
                .changed(format!("table `{}` is gone", self.table.name))
                .hint("put the table back, or write everything again with `--full`: only new records would come otherwise")
                .into());
        }
        if was_there && self.anew && !self.table.mode.keyed() && !self.rehearse {
            let row = client.query_opt(&format!("SELECT 1 FROM {} LIMIT 1", fitted.table), &[]).await?;
            if row.is_some() {
                let name = &self.table.name;
                return Err(self
                    .changed(format!(
                        "table `{name}` holds rows, and `mode: append` would add every record to it again"
                    ))
                    .hint(format!("empty it first (TRUNCATE {}), or use `mode: upsert` with a key", fitted.table))
                    .into());
            }
        }
        client.batch_execute(&statements.setup).await?;
        // A temporary table that stands in for the target lives as long as the session.
        client.batch_execute("COMMIT").await?;
        let straight = statements.straight.is_some() && (fitted.empty || !self.table.mode.keyed());
        Ok((found, statements, straight))
    }

    /// The commit row of this route.
    async fn commit_row(
        &self,
        client: &Client,
        statements: &Statements,
    ) -> Result<Option<Commit>, tokio_postgres::Error> {
        let row = client.query_opt(&statements.read_commit, &[&self.route]).await?;
        Ok(row.map(|row| Commit { log_id: row.get(0), group: row.get(1), fence: row.get(2), receipt: row.get(3) }))
    }

    /// Sends the group in one transaction, in the quick way unless a record stands in it.
    fn transact(&mut self, mark: &Mark, sweep: Option<DeleteGuard>) -> Result<Receipt> {
        let mut tries = self.settings.tries().max(2);
        let mut careful = false;
        let mut pause = std::time::Duration::from_millis(20);
        loop {
            let opened = self.opened()?;
            let client = &opened.session.client;
            let done = opened.session.run(async {
                let done = self.attempt(opened, mark, sweep, careful).await;
                if done.is_err() {
                    // On a connection that is gone the server does it by itself.
                    let _ = client.batch_execute("ROLLBACK").await;
                }
                done
            });
            let broken = match done {
                Ok(receipt) => {
                    self.group = Group::default();
                    return Ok(receipt);
                }
                Err(broken) => broken,
            };
            let way = match &broken {
                Broken::Server(error) => remedy(error),
                Broken::Ours(_) => Remedy::None,
            };
            match way {
                // A key was there, or came twice; whatever it was, the other ways can tell. From now on
                // they are taken: the server clears away later what a failed COPY left behind.
                Remedy::Record | Remedy::Twice if self.straight && sweep.is_none() => {
                    self.straight = false;
                    careful = !self.table.mode.keyed();
                }
                Remedy::Twice if !self.twice => self.twice = true,
                Remedy::Record | Remedy::Twice if !careful && sweep.is_none() => careful = true,
                Remedy::Again if tries > 1 => {
                    tries -= 1;
                    opened.session.run(async { tokio::time::sleep(pause).await });
                    pause *= 2;
                }
                _ => return Err(self.failed(broken)),
            }
        }
    }

    async fn attempt(
        &self,
        opened: &Opened,
        mark: &Mark,
        sweep: Option<DeleteGuard>,
        careful: bool,
    ) -> Result<Receipt, Broken> {
        let client = &opened.session.client;
        client.batch_execute(BEGIN).await?;
        let mut receipt = match (sweep, careful) {
            (Some(guard), _) => self.delete_unseen(opened, guard).await?,
            (None, false) if self.straight => self.straight(opened).await?,
            (None, false) => self.at_once(opened).await?,
            (None, true) => self.piece_by_piece(opened).await?,
        };
        receipt.refusals.sort_by_key(|refusal| refusal.record);
        let kept = Kept { group: signed(mark.group), receipt: receipt.clone() };
        let kept = serde_json::to_string(&kept).map_err(|e| Error::bug(e.to_string()))?;
        let records = signed(receipt.written + receipt.unchanged);
        let taken = client
            .execute(
                &opened.statements.commit_row,
                &[&mark.route, &mark.log_id, &signed(mark.group), &signed(mark.fence), &records, &kept, &self.anew],
            )
            .await?;
        if taken == 0 {
            return Err(self.why_not_committed(opened, mark).await.into());
        }
        client.batch_execute("COMMIT").await?;
        Ok(receipt)
    }

    /// COPY into the target itself: fails as a whole if a record meets another one.
    async fn straight(&self, opened: &Opened) -> Result<Receipt, Broken> {
        let mut receipt = Receipt::default();
        if let (Some(straight), false) = (&opened.statements.straight, self.group.lines.is_empty()) {
            receipt.written = copy(&opened.session.client, straight, &self.group.lines).await?;
            // A trigger may leave records out.
            receipt.unchanged = self.group.records.saturating_sub(receipt.written);
        }
        Ok(receipt)
    }

    /// One COPY and one statement over all of it: fails as a whole.
    async fn at_once(&self, opened: &Opened) -> Result<Receipt, Broken> {
        let (client, statements) = (&opened.session.client, &opened.statements);
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
        receipt.refusals = self.unfit(client, statements).await?;
        // An upsert says itself that two records have one key. The others would take either of them.
        let one_each = self.table.mode.keyed()
            && match self.table.mode {
                Mode::Update | Mode::Delete => client.query_one(&statements.twice, &[]).await?.get(0),
                _ => self.twice,
            };
        if one_each {
            receipt.superseded = client.execute(&statements.last_wins, &[]).await?;
        }
        let changed = client.execute(&statements.apply, &[]).await?;
        let staged = self.group.records - receipt.superseded - receipt.refusals.len() as u64;
        self.account(client, statements, &mut receipt, staged, changed).await?;
        Ok(receipt)
    }

    /// The same in ever smaller pieces, until the records that the server refuses stand alone: they
    /// are left out, all others are written.
    async fn piece_by_piece(&self, opened: &Opened) -> Result<Receipt, Broken> {
        let (client, statements) = (&opened.session.client, &opened.statements);
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
                    self.back(client, error, &mut pieces, &mut receipt).await?;
                }
            }
        }
        if let Some(see) = &statements.see {
            client.execute(see, &[]).await?;
            self.see_refused(client, statements, &index, &receipt.refusals).await?;
        }
        receipt.refusals.extend(self.unfit(client, statements).await?);
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
                    self.back(client, error, &mut pieces, &mut receipt).await?;
                }
            }
        }
        let refused_now = (receipt.refusals.len() - before) as u64;
        self.account(client, statements, &mut receipt, staged - refused_now, changed).await?;
        client.batch_execute(&statements.unindex).await?;
        Ok(receipt)
    }

    /// Takes a piece back; a record that stands alone is refused.
    async fn back(
        &self,
        client: &Client,
        error: tokio_postgres::Error,
        pieces: &mut Pieces,
        receipt: &mut Receipt,
    ) -> Result<(), Broken> {
        if remedy(&error) != Remedy::Record {
            return Err(error.into());
        }
        client.batch_execute("ROLLBACK TO piece; RELEASE piece").await?;
        if let Some(record) = pieces.failed() {
            let (cause, field) = refusal(&error);
            receipt.refusals.push(Refusal { record: record as u64, cause, field: self.column(field) });
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
    async fn unfit(&self, client: &Client, statements: &Statements) -> Result<Vec<Refusal>, tokio_postgres::Error> {
        let Some(unfit) = &statements.unfit else { return Ok(Vec::new()) };
        let rows = client.query(unfit, &[]).await?;
        let refused = rows.iter().map(|row| Refusal {
            record: row.get::<_, i64>(0).unsigned_abs(),
            cause: "the number has more digits behind the point than the column keeps".into(),
            field: row.get(1),
        });
        Ok(refused.collect())
    }

    /// A mirror has seen the keys of records that the server refused, too: as far as a key can be one
    /// of the target's.
    async fn see_refused(
        &self,
        client: &Client,
        statements: &Statements,
        index: &Index<'_>,
        refused: &[Refusal],
    ) -> Result<(), Broken> {
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
    async fn account(
        &self,
        client: &Client,
        statements: &Statements,
        receipt: &mut Receipt,
        staged: u64,
        changed: u64,
    ) -> Result<(), tokio_postgres::Error> {
        receipt.refused = receipt.refusals.len() as u64;
        receipt.written = changed;
        receipt.unchanged = staged.saturating_sub(changed);
        match self.table.mode {
            Mode::Delete => {
                receipt.deleted = changed;
                receipt.unmatched = receipt.unchanged;
            }
            Mode::Update if receipt.unchanged > 0 => {
                let matched: i64 = client.query_one(&statements.matched, &[]).await?.get(0);
                // A record that was refused has its key in the target: it came to be changed.
                receipt.unmatched =
                    (staged + receipt.refused).saturating_sub(matched.unsigned_abs()).min(receipt.unchanged);
            }
            _ => {}
        }
        Ok(())
    }

    async fn delete_unseen(&self, opened: &Opened, guard: DeleteGuard) -> Result<Receipt, Broken> {
        let (client, statements) = (&opened.session.client, &opened.statements);
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

    async fn look(&self, opened: &Opened) -> Result<Effects, Broken> {
        let (client, statements) = (&opened.session.client, &opened.statements);
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

    /// Says why the commit row did not take the mark.
    #[cold]
    async fn why_not_committed(&self, opened: &Opened, mark: &Mark) -> Error {
        match self.commit_row(&opened.session.client, &opened.statements).await {
            Ok(Some(row)) if row.log_id != mark.log_id => self.foreign(&row),
            Ok(Some(row)) if row.fence > signed(mark.fence) => self.fenced(row.fence, mark.fence),
            Ok(Some(row)) => self
                .changed("the target already holds this group".into())
                .fact("group of the target", row.group)
                .fact("group of this run", mark.group),
            Ok(None) => self
                .changed("the commit row was deleted while it was being written".into())
                .hint("look who changes `_consign_commits`, then run again"),
            Err(error) => failure(self.doing(), error),
        }
    }

    fn fenced(&self, newer: i64, fence: u64) -> Error {
        Error::new(Kind::Locked, &TARGET_FENCED, "a newer run of this route has taken the target over")
            .doing(self.doing())
            .fact("fencing number of the target", newer)
            .fact("fencing number of this run", fence)
            .hint("look at `consign sync history`; nothing of this group was written")
            .hint("was the state brought back from an older copy? Then `consign sync state adopt` takes over what the target knows")
    }

    fn foreign(&self, row: &Commit) -> Error {
        let cause = format!("the target knows route `{}` under another state", self.route);
        Error::new(Kind::Refused, &TARGET_FOREIGN, cause)
            .doing(self.doing())
            .fact("log id of the target", &row.log_id)
            .fact("log id of this state", &self.log_id)
            .hint("compare the two first; `consign sync state adopt` takes over what the target knows")
    }

    fn changed(&self, cause: String) -> Error {
        Error::new(Kind::Refused, &TARGET_CHANGED, cause).doing(self.doing())
    }

    /// What the commit row says against what this state has settled.
    fn compare(&self, row: Option<Commit>, settled: Option<&Mark>, in_doubt: bool) -> Result<Found> {
        let group = settled.map_or(0, |mark| signed(mark.group));
        match row {
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
            .doing(self.doing())
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
}

impl Sink for PostgresSink {
    fn under(&mut self, fence: u64, _tenure: &Tenure) {
        self.fence = fence;
    }

    fn open(&mut self, settled: Option<&Mark>, in_doubt: bool) -> Result<Found> {
        let session = self.settings.connect()?;
        let done = session.run(self.take_over(&session.client, settled, in_doubt));
        let (found, statements, straight) = done.map_err(|broken| self.failed(broken))?;
        self.straight = straight;
        self.opened = Some(Opened { session, statements });
        Ok(found)
    }

    fn recall(&mut self) -> Result<Option<Receipt>> {
        let opened = self.opened()?;
        let row = opened.session.run(self.commit_row(&opened.session.client, &opened.statements));
        let row = row.map_err(|e| failure(self.doing(), e))?;
        Ok(row.and_then(|row| {
            let kept: Kept = serde_json::from_str(&row.receipt?).ok()?;
            (kept.group == row.group).then_some(kept.receipt)
        }))
    }

    fn adopt(&mut self) -> Result<Option<Mark>> {
        let session = self.settings.connect()?;
        let client = &session.client;
        let done: Result<Option<Mark>, tokio_postgres::Error> = session.run(async {
            let Some(commits) = self.table.commits(client).await? else { return Ok(None) };
            let sql = format!("UPDATE {commits} SET log_id = $2 WHERE route = $1 RETURNING group_no, fence");
            let row = client.query_opt(&sql, &[&self.route, &self.log_id]).await?;
            Ok(row.map(|row| Mark {
                log_id: self.log_id.clone(),
                route: self.route.clone(),
                group: row.get::<_, i64>(0).unsigned_abs(),
                fence: row.get::<_, i64>(1).unsigned_abs(),
                length: None,
                known: None,
            }))
        });
        done.map_err(|e| failure(self.doing(), e))
    }

    fn write(&mut self, batch: &Batch) -> Result<()> {
        match self.group.add(&batch.bytes, batch.records, &batch.seen) {
            true => Ok(()),
            false => Err(Error::bug("a batch for PostgreSQL does not hold what its encoder writes")),
        }
    }

    fn commit(&mut self, mark: &Mark) -> Result<Receipt> {
        self.transact(mark, None)
    }

    fn foresee(&mut self, batch: &Batch) -> Result<Effects> {
        if !self.table.mode.keyed() {
            return Ok(Effects { created: batch.records, ..Effects::default() });
        }
        self.write(batch)?;
        let opened = self.opened()?;
        let done = opened.session.run(async {
            let done = self.look(opened).await;
            if done.is_err() {
                let _ = opened.session.client.batch_execute("ROLLBACK").await;
            }
            done
        });
        let done = done.map_err(|broken| self.failed(broken));
        self.group = Group::default();
        done
    }

    fn sweep(&mut self, mark: &Mark, guard: DeleteGuard, foresee: bool) -> Result<Receipt> {
        if self.table.mode != Mode::Mirror {
            return Err(Error::bug("only a mirror deletes what it has not seen"));
        }
        if !foresee {
            return self.transact(mark, Some(guard));
        }
        let opened = self.opened()?;
        let unseen = opened.session.run(async {
            opened.session.client.batch_execute(&analyze_seen()).await?;
            opened.session.client.query_one(&opened.statements.count_unseen, &[]).await
        });
        let unseen: i64 = unseen.map_err(|e| failure(self.doing(), e))?.get(0);
        Ok(Receipt { deleted: unseen.unsigned_abs(), ..Receipt::default() })
    }

    fn finish(&mut self) -> Result<()> {
        self.opened = None;
        Ok(())
    }

    fn abandon(&mut self) {
        self.group = Group::default();
        // The server takes an open transaction back when its session ends.
        self.opened = None;
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

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
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
