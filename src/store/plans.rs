//! Plans: which were saved, who approved of them and why, and which run used them. A plan is known
//! by its hash and is used once.

use rusqlite::{OptionalExtension as _, params};

use super::{Store, Writing, sql};
use crate::audit::{Action, Draft};
use crate::error::codes::store::{PLAN_UNKNOWN, PLAN_USED};
use crate::error::{Error, Kind, Result};

/// What is known of a saved plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedPlan {
    /// Its hash.
    pub hash: String,
    /// The routes it is for.
    pub routes: Vec<String>,
    /// Who made it, as the environment told.
    pub author: Option<String>,
    /// When, nanoseconds since 1970.
    pub saved_ns: i64,
    /// Who approved of it.
    pub approval: Option<PlanApproval>,
    /// The runs that used it, as route and run.
    pub uses: Vec<(String, String)>,
}

/// An approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanApproval {
    /// Who.
    pub who: String,
    /// Why.
    pub reason: String,
    /// When, nanoseconds since 1970.
    pub at_ns: i64,
}

impl Store {
    /// Remembers a plan; recorded. The same plan once more changes nothing.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn save_plan(&mut self, hash: &str, routes: &[String], author: Option<&str>) -> Result<()> {
        self.write("saving a plan", |w| {
            let text = sql::to_json(&routes)?;
            let new =
                w.db.execute(
                    "INSERT INTO plans (hash, routes, author, saved_ns) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (hash) DO NOTHING",
                    params![hash, text, author, w.now_ns],
                )
                .map_err(|e| sql::error("saving a plan", e))?;
            if new == 0 {
                return Ok(());
            }
            w.record(vec![draft(Action::PlanSaved, hash, routes, author)]).map(drop)
        })
    }

    /// Records that somebody approves of a plan; a later approval takes the place of an earlier one.
    ///
    /// # Errors
    /// The plan is unknown or was used, or the state cannot be written.
    pub fn approve_plan(&mut self, hash: &str, who: &str, reason: &str) -> Result<()> {
        let plan = self.plan(hash)?.ok_or_else(|| unknown(hash))?;
        if let Some((_, run)) = plan.uses.first() {
            return Err(used(hash, run));
        }
        self.write("approving a plan", |w| {
            w.db.execute(
                "UPDATE plans SET approver = ?2, reason = ?3, approved_ns = ?4 WHERE hash = ?1",
                params![hash, who, reason, w.now_ns],
            )
            .map_err(|e| sql::error("approving a plan", e))?;
            let mut draft = draft(Action::PlanApproved, hash, &plan.routes, Some(who));
            draft.reason = Some(reason.to_string());
            w.record(vec![draft.detail("author", plan.author.clone())]).map(drop)
        })
    }

    /// What is known of a plan.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn plan(&self, hash: &str) -> Result<Option<SavedPlan>> {
        let doing = "reading a plan";
        let found = self
            .db
            .query_row(
                "SELECT routes, author, saved_ns, approver, reason, approved_ns FROM plans WHERE hash = ?1",
                [hash],
                |row| {
                    let approval: (Option<String>, Option<String>, Option<i64>) =
                        (row.get(3)?, row.get(4)?, row.get(5)?);
                    Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, approval))
                },
            )
            .optional()
            .map_err(|e| sql::error(doing, e))?;
        let Some((routes, author, saved_ns, approval)) = found else { return Ok(None) };
        let mut statement = self
            .db
            .prepare("SELECT route, run FROM plan_uses WHERE hash = ?1 ORDER BY route")
            .map_err(|e| sql::error(doing, e))?;
        let uses = statement
            .query_map([hash], |row| Ok((row.get(0)?, row.get(1)?)))
            .and_then(Iterator::collect)
            .map_err(|e| sql::error(doing, e))?;
        let approval = match approval {
            (Some(who), Some(reason), Some(at_ns)) => Some(PlanApproval { who, reason, at_ns }),
            _ => None,
        };
        let routes = sql::from_json(&routes, "the routes of a plan")?;
        Ok(Some(SavedPlan { hash: hash.to_string(), routes, author, saved_ns, approval, uses }))
    }
}

impl Writing<'_> {
    /// Uses up a plan for a route, in the transaction in which its run begins.
    pub(super) fn use_plan(&self, hash: &str, route: &str, run: &str) -> Result<()> {
        let doing = "using a plan";
        let known: Option<String> = self
            .db
            .query_row("SELECT run FROM plan_uses WHERE hash = ?1 AND route = ?2", [hash, route], |row| row.get(0))
            .optional()
            .map_err(|e| sql::error(doing, e))?;
        if let Some(earlier) = known {
            return Err(used(hash, &earlier));
        }
        self.db
            .execute("INSERT INTO plan_uses (hash, route, run) VALUES (?1, ?2, ?3)", [hash, route, run])
            .map(drop)
            .map_err(|e| sql::error(doing, e))
    }
}

fn draft(action: Action, hash: &str, routes: &[String], who: Option<&str>) -> Draft {
    let mut draft = Draft::new(action).detail("plan", hash).detail("routes", routes.to_vec());
    draft.resource = Some(format!("plan {hash}"));
    draft.actor = who.map(str::to_string);
    if let [one] = routes {
        draft.route = Some(one.clone());
    }
    draft
}

/// A plan that this state has never seen.
pub fn unknown(hash: &str) -> Error {
    Error::new(Kind::Refused, &PLAN_UNKNOWN, "this state did not make the plan, or the file was changed since")
        .fact("plan", hash)
        .hint("make it here: consign sync plan NAME --save FILE")
}

/// A plan that was used.
pub fn used(hash: &str, run: &str) -> Error {
    Error::new(Kind::Refused, &PLAN_USED, "the plan was used already: a plan is for one run")
        .fact("plan", hash)
        .fact("run", run)
        .hint("make a new one: consign sync plan NAME --save FILE")
}
