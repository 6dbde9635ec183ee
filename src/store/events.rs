//! Events: recorded on their own, and recording switched on and off.

use super::{Store, sql};
use crate::audit::{Action, Draft};
use crate::error::Result;

impl Store {
    /// Records an event on its own; its id.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn record_event(&mut self, draft: Draft) -> Result<Option<String>> {
        self.record(vec![draft]).map(|mut ids| ids.pop())
    }

    /// Records events on their own, in one transaction; their ids.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn record(&mut self, drafts: Vec<Draft>) -> Result<Vec<String>> {
        self.write("recording an event", |w| w.record(drafts))
    }

    /// Switches recording on or off, as the configuration says. The change itself is recorded;
    /// errors and critical events always are.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn set_auditing(&mut self, enabled: bool) -> Result<()> {
        if enabled == self.auditing {
            return Ok(());
        }
        self.auditing = true;
        let done = self.write("switching the audit log", |w| {
            let mut draft = Draft::new(if enabled { Action::AuditEnabled } else { Action::AuditDisabled });
            draft.risk = if enabled { 0.0 } else { 0.8 };
            w.record(vec![draft])?;
            w.db.execute("UPDATE state SET auditing = ?1", [enabled])
                .map(drop)
                .map_err(|e| sql::error("switching the audit log", e))
        });
        self.auditing = if done.is_ok() { enabled } else { !enabled };
        done
    }
}
