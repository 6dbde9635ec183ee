//! Routes: where they stand, whether they may run, and changes to that by hand.

use rusqlite::{OptionalExtension as _, params};

use super::steps::{Intent, StoredIntent};
use super::{Store, Writing, sql};
use crate::audit::{Action, Draft};
use crate::error::{Error, Result};
use crate::record::{Mark, Settled, SliceId};

/// Where a route stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RouteState {
    /// What is settled of each slice.
    pub settled: Positions,
    /// The mark of the last settled group.
    pub mark: Option<Mark>,
    /// The last settled group; 0 before the first.
    pub group: u64,
    /// A group that was intended and not settled: sent or not, nobody knows yet.
    pub intent: Option<Intent>,
    /// The fence of the newest run.
    pub fence: u64,
    /// Whether it may run.
    pub enabled: bool,
    /// Why it may not.
    pub reason: Option<String>,
    /// Its newest run.
    pub last_run: Option<String>,
    /// When that began, nanoseconds since 1970.
    pub last_start_ns: Option<i64>,
    /// The due time the newest scheduled run stood for.
    pub last_due_ns: Option<i64>,
    /// When a run last ended with everything done.
    pub last_success_ns: Option<i64>,
}

/// What is settled, slice by slice.
pub type Positions = Vec<(SliceId, Settled)>;

impl Store {
    /// Where a route stands; a route that never ran is enabled and has nothing.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn route(&self, route: &str) -> Result<RouteState> {
        let doing = "reading where a route stands";
        let found = self
            .db
            .prepare_cached(
                "SELECT settled_mark, settled_group, intent, fence, enabled, reason, last_run, last_start_ns, last_due_ns,
                        last_success_ns FROM routes WHERE route = ?1",
            )
            .and_then(|mut statement| {
                statement
                    .query_row([route], |row| {
                        let texts: (Option<String>, Option<String>) = (row.get(0)?, row.get(2)?);
                        let state = RouteState {
                            settled: Vec::new(),
                            mark: None,
                            group: sql::count(row.get(1)?),
                            intent: None,
                            fence: sql::count(row.get(3)?),
                            enabled: row.get(4)?,
                            reason: row.get(5)?,
                            last_run: row.get(6)?,
                            last_start_ns: row.get(7)?,
                            last_due_ns: row.get(8)?,
                            last_success_ns: row.get(9)?,
                        };
                        Ok((state, texts))
                    })
                    .optional()
            })
            .map_err(|e| sql::error(doing, e))?;
        let Some((mut state, (mark, intent))) = found else {
            return Ok(RouteState { enabled: true, ..RouteState::default() });
        };
        state.mark = mark.map(|text| sql::from_json(&text, "the mark of a route")).transpose()?;
        state.intent = intent
            .map(|text| sql::from_json::<StoredIntent>(&text, "the intent of a route").map(Intent::from))
            .transpose()?;
        state.settled = self.positions(route)?;
        Ok(state)
    }

    /// Every route that ever ran or was set by hand.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn routes(&self) -> Result<Vec<String>> {
        let mut statement = self
            .db
            .prepare("SELECT route FROM routes ORDER BY route")
            .map_err(|e| sql::error("listing the routes", e))?;
        let rows = statement.query_map([], |row| row.get(0)).map_err(|e| sql::error("listing the routes", e))?;
        rows.collect::<rusqlite::Result<_>>().map_err(|e| sql::error("listing the routes", e))
    }

    fn positions(&self, route: &str) -> Result<Positions> {
        let doing = "reading the positions of a route";
        let mut statement = self
            .db
            .prepare_cached("SELECT slice, position, done FROM slices WHERE route = ?1 ORDER BY slice")
            .map_err(|e| sql::error(doing, e))?;
        let rows = statement
            .query_map([route], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get(2)?)))
            .map_err(|e| sql::error(doing, e))?;
        rows.map(|row| {
            let (slice, position, done) = row.map_err(|e| sql::error(doing, e))?;
            let position = sql::from_json(&position, "a position")?;
            Ok((SliceId::from(slice), Settled { position, done }))
        })
        .collect()
    }

    /// Lets a route run or keeps it from running, with a reason; recorded.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn set_enabled(&mut self, route: &str, enabled: bool, reason: Option<&str>, who: Option<&str>) -> Result<()> {
        self.write("changing a route", |w| {
            w.touch_route(route)?;
            w.db.execute(
                "UPDATE routes SET enabled = ?2, reason = ?3 WHERE route = ?1",
                params![route, enabled, reason.filter(|_| !enabled)],
            )
            .map_err(|e| sql::error("changing a route", e))?;
            let mut draft = Draft::new(if enabled { Action::RouteEnabled } else { Action::RouteDisabled });
            draft.route = Some(route.to_string());
            draft.reason = reason.map(str::to_string);
            draft.actor = who.map(str::to_string);
            w.record(vec![draft]).map(drop)
        })
    }

    /// Sets what is settled of one slice by hand; recorded with both values. Hold the route's lock.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn set_position(
        &mut self,
        route: &str,
        slice: &str,
        settled: &Settled,
        reason: &str,
        who: Option<&str>,
    ) -> Result<()> {
        let old = self.positions(route)?.into_iter().find(|(id, _)| **id == *slice).map(|(_, s)| s);
        self.write("setting a position", |w| {
            w.touch_route(route)?;
            w.settle_slice(route, slice, settled)?;
            w.unhand_positions(route)?;
            let mut draft = Draft::new(Action::PositionSet)
                .detail("slice", slice)
                .detail("to", by_hand(settled))
                .detail("from", old.as_ref().map(by_hand));
            draft.route = Some(route.to_string());
            draft.reason = Some(reason.to_string());
            draft.actor = who.map(str::to_string);
            w.record(vec![draft]).map(drop)
        })
    }

    /// Forgets what is settled: the next run reads everything again. Groups go on counting, so that
    /// a target never takes a new group for one it has seen. Hold the route's lock.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn reset_position(&mut self, route: &str, reason: &str, who: Option<&str>) -> Result<()> {
        // What cannot be opened any more will not be resolved by any run.
        let lost = match self.route(route)?.intent {
            Some(intent) => self.kept(route, intent.group).is_err(),
            None => false,
        };
        self.write("forgetting the positions of a route", |w| {
            w.touch_route(route)?;
            if lost {
                w.forget_kept(route)?;
            }
            let slices = w.forget_slices(route)?;
            w.unhand_positions(route)?;
            let mut draft = Draft::new(Action::PositionReset).detail("slices", slices);
            if lost {
                draft = draft.detail("group_dropped", true);
            }
            draft.route = Some(route.to_string());
            draft.reason = Some(reason.to_string());
            draft.actor = who.map(str::to_string);
            w.record(vec![draft]).map(drop)
        })
    }
}

impl Writing<'_> {
    /// Makes the row of a route if it has none.
    pub(super) fn touch_route(&self, route: &str) -> Result<()> {
        self.db
            .prepare_cached("INSERT INTO routes (route) VALUES (?1) ON CONFLICT (route) DO NOTHING")
            .and_then(|mut statement| statement.execute([route]))
            .map(drop)
            .map_err(|e| sql::error("making a route", e))
    }

    /// Forgets what is settled of every slice; of how many.
    pub(super) fn forget_slices(&self, route: &str) -> Result<usize> {
        self.db
            .execute("DELETE FROM slices WHERE route = ?1", [route])
            .map_err(|e| sql::error("forgetting the positions of a route", e))
    }

    /// Takes the positions out of an intent in doubt: they were set by hand now, and finding out
    /// about the group must not move them again.
    fn unhand_positions(&self, route: &str) -> Result<()> {
        let doing = "setting a position";
        let found: Option<String> = self
            .db
            .query_row("SELECT intent FROM routes WHERE route = ?1", [route], |row| row.get(0))
            .map_err(|e| sql::error(doing, e))?;
        let Some(text) = found else { return Ok(()) };
        let mut intent: Intent = sql::from_json::<StoredIntent>(&text, "the intent of a route")?.into();
        intent.slices.clear();
        intent.records = 0;
        intent.replayed.clear();
        intent.anew = false;
        let text = sql::to_json(&StoredIntent::from(&intent))?;
        self.db
            .execute("UPDATE routes SET intent = ?2 WHERE route = ?1", params![route, text])
            .map(drop)
            .map_err(|e| sql::error(doing, e))
    }

    /// Stores what is settled of a slice.
    pub(super) fn settle_slice(&self, route: &str, slice: &str, settled: &Settled) -> Result<()> {
        let position = sql::to_json(&settled.position)?;
        self.db
            .prepare_cached(
                "INSERT INTO slices (route, slice, position, done) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (route, slice) DO UPDATE SET position = ?3, done = ?4",
            )
            .and_then(|mut statement| statement.execute(params![route, slice, position, settled.done]))
            .map(drop)
            .map_err(|e| sql::error("storing a position", e))
    }

    /// The fence and the last settled group of a route.
    pub(super) fn fence_and_group(&self, route: &str) -> Result<(u64, u64)> {
        let found = self
            .db
            .prepare_cached("SELECT fence, settled_group FROM routes WHERE route = ?1")
            .and_then(|mut statement| {
                statement.query_row([route], |row| Ok((sql::count(row.get(0)?), sql::count(row.get(1)?)))).optional()
            })
            .map_err(|e| sql::error("reading a route", e))?;
        found.ok_or_else(|| Error::bug(format!("the route `{route}` has no row")))
    }
}

/// A position that a person sets: with the cursor value it stands for, if it has one.
fn by_hand(settled: &Settled) -> serde_json::Value {
    let mut told = brief(settled);
    let extra = &settled.position.extra;
    if let Some(cursor) = extra.pointer("/rows/given").or_else(|| extra.pointer("/rows/at")) {
        told["cursor"] = cursor.clone();
    }
    told
}

/// A position as an event tells it.
pub(super) fn brief(settled: &Settled) -> serde_json::Value {
    let position = &settled.position;
    serde_json::json!({ "byte": position.byte, "record": position.record, "done": settled.done })
}
