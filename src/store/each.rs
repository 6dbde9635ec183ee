//! Every event once, the oldest first, without all of them in memory at a time: for what looks at the
//! log as a whole.

use rusqlite::params;

use super::browse::read_body;
use super::{Store, append, sql};
use crate::audit::Event;
use crate::error::Result;

impl Store {
    /// Gives every event of every log to somebody, the oldest first; of one that was redacted nothing.
    ///
    /// # Errors
    /// The state cannot be read, or an event cannot.
    pub fn each_event(&self, since_ns: Option<i64>, until_ns: Option<i64>, take: &mut dyn FnMut(Event)) -> Result<()> {
        let fail = |e| sql::error("reading the audit log", e);
        let mut logs = self.log_numbers()?;
        logs.reverse();
        for log in logs {
            let from = since_ns.map_or(Ok(append::at(log, 0)), |ns| self.at_time(log, ns))?;
            let to = until_ns.map_or(Ok(append::at(log + 1, 0)), |ns| self.at_time(log, ns))?;
            let mut statement = self
                .db
                .prepare_cached("SELECT body FROM audit_events WHERE at >= ?1 AND at < ?2 ORDER BY at")
                .map_err(fail)?;
            let mut rows = statement.query(params![from, to]).map_err(fail)?;
            while let Some(row) = rows.next().map_err(fail)? {
                if let Some(body) = row.get::<_, Option<Vec<u8>>>(0).map_err(fail)? {
                    take(read_body(&body)?);
                }
            }
        }
        Ok(())
    }
}
