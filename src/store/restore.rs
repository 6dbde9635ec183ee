//! The way back: a copy restored, a target's knowledge adopted, a stale lock cleared. Each is
//! recorded with its reason, so that it is not mistaken for an attack.

use std::path::Path;

use rusqlite::params;

use super::lock::{self, Health, Standing};
use super::{Evidence, Store, append, migrate, sql};
use crate::audit::{Action, Draft, chain};
use crate::error::codes::store::{ADOPT_BEHIND, ROUTE_LOCKED};
use crate::error::{Error, Kind, Result};
use crate::record::Mark;

impl Store {
    /// Puts a copy made by [`Store::backup`] in the place of everything that is known now. What is
    /// there now is kept as `consign.db.before-restore.bak`. One transaction: other processes see
    /// the old state or the new one. Hold the locks of the routes that must not run meanwhile.
    ///
    /// # Errors
    /// The copy is not ours, of a newer schema, or its audit log fails verification; nothing is
    /// changed then.
    pub fn restore(&mut self, from: &Path, reason: &str, who: Option<&str>) -> Result<()> {
        let doing = "restoring the state";
        let fail = |e| sql::error(doing, e);
        if !from.is_file() {
            let error = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(Error::io(format!("restoring `{}`", from.display()), error));
        }
        let copy =
            rusqlite::Connection::open_with_flags(from, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(fail)?;
        let raised = self.folder.root.join("consign.db.restoring");
        let current = match migrate::look(&copy)? {
            migrate::Found::Current => from,
            migrate::Found::Empty => return Err(sql::damaged("the copy is empty").into_kind(Kind::Invalid)),
            // Made by an older consign: the copy stays as it is, a copy of it is brought up to date.
            migrate::Found::Older(version) => {
                migrate::copy(&copy, &raised, |_| Ok(()))?;
                migrate::raise_copy(&rusqlite::Connection::open(&raised).map_err(fail)?, version)?;
                &raised
            }
        };
        drop(copy);
        let _held = self.upkeep(self.options.wait)?;
        migrate::copy(&self.db, &self.folder.root.join("consign.db.before-restore.bak"), |copy| {
            self.absorb_segments(copy)
        })?;
        self.db.execute("ATTACH ?1 AS copy", [current.to_string_lossy()]).map_err(fail)?;
        // Parents and children are replaced one after the other; the copy holds them whole.
        self.db.execute_batch("PRAGMA foreign_keys = OFF").map_err(fail)?;
        let done = self.replace_tables(from, reason, who);
        let _ = self.db.execute_batch("PRAGMA foreign_keys = ON; DETACH copy;");
        let _ = std::fs::remove_file(&raised);
        done?;
        self.id = self.db.query_row("SELECT id FROM state", [], |row| row.get(0)).map_err(fail)?;
        self.auditing = self.db.query_row("SELECT auditing FROM state", [], |row| row.get(0)).map_err(fail)?;
        self.open_segments.borrow_mut().clear();
        self.tidy()?;
        self.pin_anew();
        Ok(())
    }

    fn replace_tables(&mut self, from: &Path, reason: &str, who: Option<&str>) -> Result<()> {
        let doing = "restoring the state";
        let fail = |e| sql::error(doing, e);
        let before = append::read_head(&self.db)?;
        let _held = lock::append(&self.folder, self.options.wait, self.now_ns())?;
        self.db.execute_batch("BEGIN IMMEDIATE").map_err(fail)?;
        let work = (|| {
            let names = |kind: &str, column: &str| -> Result<Vec<String>> {
                self.db
                    .prepare(&format!(
                        "SELECT {column} FROM main.sqlite_schema WHERE type = '{kind}' AND name NOT LIKE 'sqlite_%' ORDER BY name"
                    ))
                    .and_then(|mut s| s.query_map([], |row| row.get(0))?.collect())
                    .map_err(fail)
            };
            // The tripwires would take this for an accident; they are back before the end.
            let tripwires = names("trigger", "sql")?;
            for name in names("trigger", "name")? {
                self.db.execute_batch(&format!("DROP TRIGGER main.{name}")).map_err(fail)?;
            }
            // A target knows the highest fence it has seen: one that goes back would be taken for a run
            // that was overtaken.
            let fences: Vec<(String, i64)> = self
                .db
                .prepare("SELECT route, fence FROM main.routes")
                .and_then(|mut s| s.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
                .map_err(fail)?;
            let restores: i64 =
                self.db.query_row("SELECT restores FROM main.state", [], |row| row.get(0)).map_err(fail)?;
            for table in names("table", "name")? {
                self.db
                    .execute_batch(&format!(
                        "DELETE FROM main.{table}; INSERT INTO main.{table} SELECT * FROM copy.{table};"
                    ))
                    .map_err(fail)?;
            }
            for (route, fence) in fences {
                self.db
                    .execute("UPDATE main.routes SET fence = max(fence, ?2) WHERE route = ?1", params![route, fence])
                    .map_err(fail)?;
            }
            self.db.execute("UPDATE main.state SET restores = ?1 + 1", [restores]).map_err(fail)?;
            for text in tripwires {
                self.db.execute_batch(&text).map_err(fail)?;
            }
            if let Some(error) = self.verify_logs(&Evidence::default())?.error() {
                return Err(error);
            }
            let mut draft = Draft::new(Action::StateRestored).detail("from", from.display().to_string());
            draft.reason = Some(reason.to_string());
            draft.actor = who.map(str::to_string);
            if let Some((_, log_id, stored)) = before {
                draft = draft
                    .detail("replaced_log", log_id)
                    .detail("replaced_size", stored.head.size)
                    .detail("replaced_last", chain::hex(&stored.head.last));
            }
            let now_ns = (self.options.clock)();
            self.log.forget();
            append::append(&self.db, &mut self.log, now_ns, &[draft])?;
            self.db.execute_batch("COMMIT").map_err(fail)
        })();
        if work.is_err() {
            let _ = self.db.execute_batch("ROLLBACK");
            self.log.forget();
        }
        work
    }

    /// Takes over what a target knows of a route that this state does not (a restored or a new
    /// state): groups go on after the target's, and the next run has a higher fence. A target
    /// that keeps no account (a file) has no mark: it is taken as it stands.
    ///
    /// # Errors
    /// The state cannot be written, or knows a later group than the target.
    pub fn adopt(&mut self, route: &str, known: Option<&Mark>, reason: &str, who: Option<&str>) -> Result<()> {
        self.write("adopting a target", |w| {
            w.touch_route(route)?;
            let (known_fence, known_group) = w.fence_and_group(route)?;
            let group = known.map_or(known_group.max(1), |mark| mark.group);
            let fence = known.map_or(known_fence, |mark| mark.fence);
            if group < known_group {
                return Err(Error::new(
                    Kind::Refused,
                    &ADOPT_BEHIND,
                    format!("this state knows more of `{route}` than the target: there is nothing to take over"),
                )
                .fact("group of the target", group)
                .fact("groups settled here", known_group)
                .hint("put the target back, or write everything again with `--full`"));
            }
            let (log_id, route_name) = (w.state_id.to_string(), route.to_string());
            let mark = Mark { log_id, route: route_name, group, fence, length: None, known: None };
            w.db.execute(
                "UPDATE routes SET settled_group = ?2, settled_mark = ?3, fence = ?4, intent = NULL WHERE route = ?1",
                params![route, sql::int(group), sql::to_json(&mark)?, sql::int(known_fence.max(fence))],
            )
            .map_err(|e| sql::error("adopting a target", e))?;
            let mut draft = Draft::new(Action::TargetAdopted)
                .detail("group", group)
                .detail("known_group", known_group)
                .detail("fence", fence);
            draft.route = Some(route.to_string());
            draft.reason = Some(reason.to_string());
            draft.actor = who.map(str::to_string);
            w.record(vec![draft]).map(drop)
        })
    }

    /// Clears what a gone holder left in the lock file of a route. The operating system freed the
    /// lock itself when the holder ended; one that lives keeps it, whatever is asked.
    ///
    /// Returns who held it last, if the file still said so.
    ///
    /// # Errors
    /// [`Kind::Locked`] while the holder lives, naming it and what to do.
    pub fn unlock(&mut self, route: &str, who: Option<&str>) -> Result<Option<lock::Holder>> {
        match lock::standing(&self.folder, route)? {
            Standing::Free(None) => Ok(None),
            Standing::Free(Some(holder)) => {
                lock::clear(&self.folder, route, self.now_ns())?;
                let mut draft = Draft::new(Action::RouteUnlocked)
                    .detail("pid", holder.process.pid)
                    .detail("host", holder.host.clone());
                draft.route = Some(route.to_string());
                draft.actor = who.map(str::to_string);
                self.record(vec![draft])?;
                Ok(Some(holder))
            }
            Standing::Held(holder, health) => {
                let whom = holder.map_or_else(|| "a process".to_string(), |h| format!("process {}", h.process.pid));
                let (state, hint) = match health {
                    Health::Stopped => {
                        ("is stopped and holds", "continue it with `kill -CONT`, or end it with `kill -KILL`")
                    }
                    Health::Running | Health::Gone | Health::Elsewhere => {
                        ("holds", "wait until it ends, or end it: the next run resumes")
                    }
                };
                Err(Error::new(Kind::Locked, &ROUTE_LOCKED, format!("{whom} {state} the lock of `{route}`"))
                    .hint(hint)
                    .hint("a lock is never taken from a living process: two runs at once would write twice"))
            }
        }
    }
}
