//! What happens outside of the log and is noticed later: programs that wrote to this state (each event names its
//! program shortly, the first one of each has the whole hash of its file), and tokens that were replaced.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, params};

use super::{Store, sql, tokens};
use crate::audit::{Action, Draft, Session};
use crate::error::Result;

impl Store {
    /// Remembers which program writes from now on. `hash` is asked for only where the file is not known yet.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn know_program(&mut self, file: &str, version: &str, hash: impl FnOnce() -> Option<String>) -> Result<()> {
        let doing = "looking which program this is";
        let known: Option<String> = self
            .db
            .query_row("SELECT sha256 FROM audit_programs WHERE file = ?1 AND version = ?2", [file, version], |row| {
                row.get(0)
            })
            .optional()
            .map_err(|e| sql::error(doing, e))?;
        let fresh = known.is_none();
        let Some(sha256) = known.or_else(hash) else { return Ok(()) };
        let short: String = sha256.chars().take(12).collect();
        let tool = Some(format!("consign {version} {short}"));
        self.log.session = Arc::new(Session { tool, ..(*self.log.session).clone() });
        if !fresh {
            return Ok(());
        }
        self.write(doing, |w| {
            let seen =
                w.db.query_row("SELECT EXISTS (SELECT 1 FROM audit_programs WHERE sha256 = ?1)", [&sha256], |row| {
                    row.get(0)
                })
                .map_err(|e| sql::error(doing, e))?;
            w.db.execute(
                "INSERT OR REPLACE INTO audit_programs (file, version, sha256, seen_ns) VALUES (?1, ?2, ?3, ?4)",
                params![file, version, sha256, w.now_ns],
            )
            .map_err(|e| sql::error(doing, e))?;
            if seen {
                return Ok(());
            }
            let draft = Draft::new(Action::ToolSeen).detail("version", version).detail("sha256", sha256.clone());
            w.record(vec![draft]).map(drop)
        })
    }

    /// Records which connectors' tokens were replaced since this was asked last: whoever replaces them works
    /// outside of the log's lock.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn notice_tokens(&mut self) -> Result<()> {
        let doing = "recording which tokens were replaced";
        let found = tokens::numbers(&self.folder);
        let mut changed = Vec::new();
        for (account, number) in found {
            let known: Option<i64> = self
                .db
                .prepare_cached("SELECT number FROM audit_tokens WHERE account = ?1")
                .and_then(|mut statement| statement.query_row([&account], |row| row.get(0)).optional())
                .map_err(|e| sql::error(doing, e))?;
            if known.map(sql::count) != Some(number) {
                changed.push((account, known.map_or(0, sql::count), number));
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        self.write(doing, |w| {
            let mut drafts = Vec::new();
            for (account, before, number) in &changed {
                w.db.execute(
                    "INSERT OR REPLACE INTO audit_tokens (account, number) VALUES (?1, ?2)",
                    params![account, sql::int(*number)],
                )
                .map_err(|e| sql::error(doing, e))?;
                // A name and sixteen digits that tell its accounts apart.
                let connector = account.rsplit_once('-').map_or(account.as_str(), |(connector, _)| connector);
                let mut draft = Draft::new(Action::TokensRotated).detail("account", account.clone());
                draft.resource = Some(format!("connector {connector}"));
                drafts.push(draft.detail("from", *before).detail("to", *number));
            }
            w.record(drafts).map(drop)
        })
    }

    /// The hashes of programs that wrote, the first that did first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn programs(&self) -> Result<Vec<(String, String)>> {
        self.db
            .prepare_cached("SELECT version, sha256 FROM audit_programs GROUP BY sha256 ORDER BY min(seen_ns)")
            .and_then(|mut statement| statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .map_err(|e| sql::error("reading which programs wrote", e))
    }
}
