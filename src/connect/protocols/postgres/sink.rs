//! The one thread that writes: a group goes into the session's stage by COPY, one statement over it
//! changes the target, and the commit row that names the group goes with it into one transaction.

use tokio_postgres::Client;

use super::failure::{Remedy, failure, remedy};
use super::group::Group;
use super::load::{Broken, Load};
use super::session::{Session, Settings};
use super::statements::{Statements, analyze_seen};
use super::table::{Table, commits_definition, is_there};
use crate::config::Mode;
use crate::connect::commits::{self, Claim, CommitRow, signed};
use crate::connect::{Batch, DeleteGuard, Effects, Found, Sink};
use crate::error::{Error, Result};
use crate::record::{Mark, Receipt};
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
    claim: Claim,
    rehearse: bool,
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

impl PostgresSink {
    pub(super) fn new(
        settings: Settings,
        table: Table,
        create: bool,
        ids: (&str, &str),
        anew: bool,
        rehearse: bool,
    ) -> Self {
        let doing = format!("writing `{}` in `{}`", table.name, settings.shown());
        Self {
            settings,
            table,
            create,
            claim: Claim::new(ids, anew, doing),
            rehearse,
            opened: None,
            group: Group::default(),
            twice: false,
            straight: false,
        }
    }

    fn failed(&self, broken: impl Into<Broken>) -> Error {
        match broken.into() {
            Broken::Server(error) => failure(&self.claim.doing, error),
            Broken::Ours(error) => error.doing(&self.claim.doing),
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
        let claim = &self.claim;
        if claim.fence > 0 && !self.rehearse {
            client.execute(&statements.raise_fence, &[&claim.route, &claim.log_id, &signed(claim.fence)]).await?;
        }
        let row = match has_commits || !self.rehearse {
            true => self.commit_row(client, &statements).await?,
            false => None,
        };
        let found = claim.compare(row, settled, in_doubt)?;
        let keyed = self.table.mode.keyed();
        let holds_rows = match was_there {
            true if claim.anew && !keyed => {
                Some(client.query_opt(&format!("SELECT 1 FROM {} LIMIT 1", fitted.table), &[]).await?.is_some())
            }
            // Nobody asks.
            true => Some(false),
            false => None,
        };
        let emptied_by = format!("TRUNCATE {}", fitted.table);
        claim.compare_table(&self.table.name.to_string(), holds_rows, settled, keyed, &emptied_by)?;
        client.batch_execute(&statements.setup).await?;
        // A temporary table that stands in for the target lives as long as the session.
        client.batch_execute("COMMIT").await?;
        let straight = statements.straight.is_some() && (fitted.empty || !keyed);
        Ok((found, statements, straight))
    }

    async fn commit_row(
        &self,
        client: &Client,
        statements: &Statements,
    ) -> Result<Option<CommitRow>, tokio_postgres::Error> {
        let row = client.query_opt(&statements.read_commit, &[&self.claim.route]).await?;
        Ok(row.map(|row| CommitRow { log_id: row.get(0), group: row.get(1), fence: row.get(2) }))
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
        let load = self.load(opened);
        let mut receipt = match (sweep, careful) {
            (Some(guard), _) => load.delete_unseen(guard).await?,
            (None, false) if self.straight => load.straight().await?,
            (None, false) => load.at_once().await?,
            (None, true) => load.piece_by_piece().await?,
        };
        receipt.refusals.sort_by_key(|refusal| refusal.record);
        let kept = commits::kept(mark, &receipt)?;
        let records = signed(receipt.written + receipt.unchanged);
        let taken = client
            .execute(
                &opened.statements.take_mark,
                &[
                    &mark.route,
                    &mark.log_id,
                    &signed(mark.group),
                    &signed(mark.fence),
                    &records,
                    &kept,
                    &self.claim.anew,
                ],
            )
            .await?;
        if taken == 0 {
            let row = self.commit_row(client, &opened.statements).await?;
            return Err(self.claim.not_taken(row.as_ref(), mark).into());
        }
        client.batch_execute("COMMIT").await?;
        Ok(receipt)
    }

    fn load<'l>(&'l self, opened: &'l Opened) -> Load<'l> {
        let (client, statements) = (&opened.session.client, &opened.statements);
        Load { client, statements, table: &self.table, group: &self.group, one_each: self.twice }
    }
}

impl Sink for PostgresSink {
    fn under(&mut self, fence: u64, _tenure: &Tenure) {
        self.claim.fence = fence;
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
        let (client, statement) = (&opened.session.client, &opened.statements.read_receipt);
        let row = opened.session.run(async { client.query_opt(statement, &[&self.claim.route]).await });
        let row = row.map_err(|e| self.failed(e))?;
        Ok(row.and_then(|row| commits::recalled(row.get(0), row.get(1))))
    }

    fn adopt(&mut self) -> Result<Option<Mark>> {
        let session = self.settings.connect()?;
        let client = &session.client;
        let done: Result<Option<Mark>, tokio_postgres::Error> = session.run(async {
            let Some(commits) = self.table.commits(client).await? else { return Ok(None) };
            client.execute(&commits::adopt(&commits), &[&self.claim.log_id, &self.claim.route]).await?;
            let row = client.query_opt(&commits::read_row(&commits), &[&self.claim.route]).await?;
            let row = row.map(|row| CommitRow { log_id: row.get(0), group: row.get(1), fence: row.get(2) });
            Ok(row.map(|row| row.mark(&self.claim.route)))
        });
        done.map_err(|e| self.failed(e))
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
            let done = self.load(opened).look().await;
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
        let unseen: i64 = unseen.map_err(|e| self.failed(e))?.get(0);
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
