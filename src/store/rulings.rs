//! What compliance rules did to records while they moved, as it is kept: counts and reasons for each run, the
//! latest reason for each record that was kept back, and declared sums.

use std::collections::HashSet;

use rusqlite::params;
use serde_json::{Value, json};

use super::runs::Run;
use super::vault::{Subject, reference};
use super::{LetterState, Store, Writing, keys, sql};
use crate::error::Result;
use crate::record::{Decimal, Ruling, Rulings, Sum};

/// Records that were kept back and are known one by one, for each route: beyond them they are counted only.
const MOST_WITHHELD: i64 = 1_000_000;

/// What a rule did to records of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulingRow {
    /// What: `withheld`, `parked`, `masked`, `warned`.
    pub act: String,
    /// The code of the reason.
    pub code: String,
    /// The field of the target record; `None`: the record as a whole.
    pub field: Option<String>,
    /// The class that was found, if one was.
    pub class: Option<String>,
    /// The rule of the project that says so, if it is one.
    pub rule: Option<String>,
    /// How many records; where one has several such values, each counts.
    pub records: u64,
    /// What was said of the first.
    pub told: String,
}

/// A record that was kept back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithheldRow {
    /// The route.
    pub route: String,
    /// The run that kept it back last.
    pub run: String,
    /// The code of the reason.
    pub code: String,
    /// The rule of the project that says so, if it is one.
    pub rule: Option<String>,
    /// Its number in its slice, from 1.
    pub record: u64,
    /// When, nanoseconds since 1970.
    pub at_ns: i64,
}

/// Who was erased, and how people are referred to.
pub struct Tombstones {
    known: HashSet<Subject>,
    secret: [u8; 32],
}

impl Tombstones {
    /// The references of who was erased.
    pub fn known(&self) -> &HashSet<Subject> {
        &self.known
    }

    /// What a person is known by.
    pub fn reference(&self, id: &[u8]) -> Subject {
        reference(&self.secret, id)
    }
}

impl Drop for Tombstones {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.secret);
    }
}

impl Store {
    /// Who was erased.
    ///
    /// # Errors
    /// The state cannot be read, or its key ring is gone.
    pub fn tombstones(&self) -> Result<Tombstones> {
        let doing = "reading who was erased";
        let mut statement =
            self.db.prepare_cached("SELECT subject FROM erased_subjects").map_err(|e| sql::error(doing, e))?;
        let rows = statement.query_map([], |row| row.get::<_, [u8; 16]>(0)).map_err(|e| sql::error(doing, e))?;
        let known = rows.collect::<rusqlite::Result<_>>().map_err(|e| sql::error(doing, e))?;
        Ok(Tombstones { known, secret: keys::subject_secret(&self.folder)? })
    }

    /// What compliance rules did in a run, the commonest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn rulings(&self, run: &str) -> Result<Vec<RulingRow>> {
        let doing = "reading what compliance rules did";
        let mut statement = self
            .db
            .prepare_cached(
                "SELECT act, code, field, class, records, told, '' AS rule FROM run_rulings WHERE run = ?1
                 UNION ALL SELECT act, code, '', '', records, told, rule FROM run_rules WHERE run = ?1
                 ORDER BY records DESC, act, code, rule, field, class",
            )
            .map_err(|e| sql::error(doing, e))?;
        let said = |text: String| Some(text).filter(|text| !text.is_empty());
        let rows = statement
            .query_map([run], |row| {
                Ok(RulingRow {
                    act: row.get(0)?,
                    code: row.get(1)?,
                    field: said(row.get(2)?),
                    class: said(row.get(3)?),
                    records: sql::count(row.get(4)?),
                    told: row.get(5)?,
                    rule: said(row.get(6)?),
                })
            })
            .map_err(|e| sql::error(doing, e))?;
        rows.collect::<rusqlite::Result<_>>().map_err(|e| sql::error(doing, e))
    }

    /// The declared sums of a run.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn sums(&self, run: &str) -> Result<Vec<Sum>> {
        sums_of(&self.db, run)
    }

    /// Where and why records with this hashed key were kept back last, one for each route, the newest first.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn withheld(&self, key: u128) -> Result<Vec<WithheldRow>> {
        let doing = "reading why a record was kept back";
        let mut statement = self
            .db
            .prepare_cached(
                "SELECT w.route, w.run, w.code, w.record, w.at_ns, r.rule FROM withheld_records w
                 LEFT JOIN withheld_rules r ON r.route = w.route AND r.record_key = w.record_key
                 WHERE w.record_key = ?1 ORDER BY w.at_ns DESC",
            )
            .map_err(|e| sql::error(doing, e))?;
        let rows = statement
            .query_map([key.to_be_bytes()], |row| {
                Ok(WithheldRow {
                    route: row.get(0)?,
                    run: row.get(1)?,
                    code: row.get(2)?,
                    record: sql::count(row.get(3)?),
                    at_ns: row.get(4)?,
                    rule: row.get(5)?,
                })
            })
            .map_err(|e| sql::error(doing, e))?;
        rows.collect::<rusqlite::Result<_>>().map_err(|e| sql::error(doing, e))
    }
}

impl Writing<'_> {
    /// Why a run kept records back: code, rule and how many, for the event that tells of it.
    pub(super) fn withheld_reasons(&self, run: &str) -> Result<Value> {
        let doing = "telling why records were kept back";
        let mut statement = self
            .db
            .prepare_cached(
                "SELECT code, '' AS rule, records FROM run_rulings WHERE run = ?1 AND act = 'withheld'
                 UNION ALL SELECT code, rule, records FROM run_rules WHERE run = ?1 AND act = 'withheld'
                 ORDER BY records DESC, code, rule",
            )
            .map_err(|e| sql::error(doing, e))?;
        let rows = statement
            .query_map([run], |row| {
                let (code, rule): (String, String) = (row.get(0)?, row.get(1)?);
                let rule = Some(rule).filter(|rule| !rule.is_empty());
                Ok(json!({ "code": code, "rule": rule, "records": sql::count(row.get(2)?) }))
            })
            .map_err(|e| sql::error(doing, e))?;
        rows.collect::<rusqlite::Result<_>>().map_err(|e| sql::error(doing, e))
    }

    /// Adds what compliance rules did to records of a group.
    pub(super) fn add_rulings(&self, run: &Run, rulings: &Rulings) -> Result<()> {
        let doing = "keeping what compliance rules did";
        let mut count = self
            .db
            .prepare_cached(
                "INSERT INTO run_rulings (run, act, code, field, class, records, told) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (run, act, code, field, class) DO UPDATE SET records = records + ?6",
            )
            .map_err(|e| sql::error(doing, e))?;
        let mut by_rule = self
            .db
            .prepare_cached(
                "INSERT INTO run_rules (run, act, code, rule, records, told) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (run, act, code, rule) DO UPDATE SET records = records + ?5",
            )
            .map_err(|e| sql::error(doing, e))?;
        for one in &rulings.counted {
            if let Some(rule) = &one.rule {
                by_rule
                    .execute(params![run.id, one.act.word(), one.code, &**rule, sql::int(one.records), one.told])
                    .map_err(|e| sql::error(doing, e))?;
                continue;
            }
            let class = one.class.map_or("", |class| class.class().name);
            count
                .execute(params![run.id, one.act.word(), one.code, one.field, class, sql::int(one.records), one.told])
                .map_err(|e| sql::error(doing, e))?;
        }
        if !rulings.withheld.is_empty() {
            let kept: i64 = self
                .db
                .prepare_cached("SELECT count(*) FROM withheld_records WHERE route = ?1")
                .and_then(|mut statement| statement.query_row([&run.route], |row| row.get(0)))
                .map_err(|e| sql::error(doing, e))?;
            let mut room = usize::try_from(MOST_WITHHELD - kept).unwrap_or(0);
            let mut known = self
                .db
                .prepare_cached(
                    "UPDATE withheld_records SET run = ?3, code = ?4, record = ?5, at_ns = ?6 WHERE route = ?1 AND record_key = ?2",
                )
                .map_err(|e| sql::error(doing, e))?;
            let mut new = self
                .db
                .prepare_cached(
                    "INSERT INTO withheld_records (route, record_key, run, code, record, at_ns) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )
                .map_err(|e| sql::error(doing, e))?;
            let mut unruled = self
                .db
                .prepare_cached("DELETE FROM withheld_rules WHERE route = ?1 AND record_key = ?2")
                .map_err(|e| sql::error(doing, e))?;
            let mut ruled = self
                .db
                .prepare_cached(
                    "INSERT INTO withheld_rules (route, record_key, rule) VALUES (?1, ?2, ?3)
                     ON CONFLICT (route, record_key) DO UPDATE SET rule = ?3",
                )
                .map_err(|e| sql::error(doing, e))?;
            for one in &rulings.withheld {
                let row =
                    params![run.route, one.key.to_be_bytes(), run.id, one.code, sql::int(one.record), self.now_ns];
                let mut is_kept = known.execute(row).map_err(|e| sql::error(doing, e))? > 0;
                if !is_kept && room > 0 {
                    room -= 1;
                    is_kept = true;
                    new.execute(row).map_err(|e| sql::error(doing, e))?;
                }
                match &one.rule {
                    Some(rule) if is_kept => ruled.execute(params![run.route, one.key.to_be_bytes(), &**rule]),
                    _ => unruled.execute(params![run.route, one.key.to_be_bytes()]),
                }
                .map_err(|e| sql::error(doing, e))?;
            }
        }
        if !rulings.sums.is_empty() {
            let mut all = Rulings { sums: sums_of(self.db, &run.id)?, ..Rulings::default() };
            all.add_sums(&rulings.sums);
            let mut keep = self
                .db
                .prepare_cached(
                    "INSERT OR REPLACE INTO run_sums
                       (run, field, read, filtered, rejected, withheld, mapped, superseded, refused, unread)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                )
                .map_err(|e| sql::error(doing, e))?;
            for sum in &all.sums {
                keep.execute(params![
                    run.id,
                    sum.field,
                    sum.read.map_or_else(String::new, |read| read.to_string()),
                    sum.filtered.to_string(),
                    sum.rejected.to_string(),
                    sum.withheld.to_string(),
                    sum.mapped.to_string(),
                    sum.superseded.to_string(),
                    sum.refused.to_string(),
                    sql::int(sum.unread),
                ])
                .map_err(|e| sql::error(doing, e))?;
            }
        }
        Ok(())
    }

    /// Whose record a dead letter is.
    pub(super) fn belongs(&self, letter: &str, subject: &Subject) -> Result<()> {
        self.db
            .prepare_cached("INSERT OR IGNORE INTO letter_subjects (subject, letter) VALUES (?1, ?2)")
            .and_then(|mut statement| statement.execute(params![&subject[..], letter]))
            .map(drop)
            .map_err(|e| sql::error("keeping whose record a dead letter is", e))
    }

    /// Gives up the dead letters of a person that was erased: their content goes with the keys.
    pub(super) fn erase_letters(&mut self, subject: &Subject) -> Result<u64> {
        let doing = "giving up the dead letters of an erased person";
        let changed = self
            .db
            .execute(
                "UPDATE dead_letters SET state = ?2, reason = 'its person was erased', changed_ns = ?3, sealed = NULL, whole = 0,
                   cause = '', record_key = NULL
                 WHERE id IN (SELECT letter FROM letter_subjects WHERE subject = ?1) AND state IN ('open', 'replaying')",
                params![&subject[..], LetterState::Discarded.word(), self.now_ns],
            )
            .map_err(|e| sql::error(doing, e))? as u64;
        self.db
            .execute("DELETE FROM letter_subjects WHERE subject = ?1", [&subject[..]])
            .map_err(|e| sql::error(doing, e))?;
        if changed > 0 {
            self.count_letter_bytes()?;
        }
        Ok(changed)
    }
}

fn sums_of(db: &rusqlite::Connection, run: &str) -> Result<Vec<Sum>> {
    let doing = "reading declared sums";
    let mut statement = db
        .prepare_cached(
            "SELECT field, read, filtered, rejected, withheld, mapped, superseded, refused, unread FROM run_sums
             WHERE run = ?1 ORDER BY field",
        )
        .map_err(|e| sql::error(doing, e))?;
    let rows = statement
        .query_map([run], |row| {
            let number = |at: usize| Ok::<_, rusqlite::Error>(Decimal::parse(&row.get::<_, String>(at)?).ok());
            Ok(Sum {
                field: row.get(0)?,
                read: number(1)?,
                filtered: number(2)?.unwrap_or_default(),
                rejected: number(3)?.unwrap_or_default(),
                withheld: number(4)?.unwrap_or_default(),
                mapped: number(5)?.unwrap_or_default(),
                superseded: number(6)?.unwrap_or_default(),
                refused: number(7)?.unwrap_or_default(),
                unread: sql::count(row.get(8)?),
            })
        })
        .map_err(|e| sql::error(doing, e))?;
    rows.collect::<rusqlite::Result<_>>().map_err(|e| sql::error(doing, e))
}

/// What rules did, for an event: counts and kinds, no more than `most` of them.
pub(super) fn brief(counted: &[Ruling], most: usize) -> Value {
    let one = |ruling: &Ruling| {
        let mut value = json!({ "act": ruling.act.word(), "code": ruling.code, "records": ruling.records });
        if !ruling.field.is_empty() {
            value["field"] = json!(ruling.field);
        }
        if let Some(class) = ruling.class {
            value["class"] = json!(class.class().name);
        }
        value
    };
    counted.iter().take(most).map(one).collect()
}

/// Sums, for an event and for documents.
pub fn sums(sums: &[Sum]) -> Value {
    let one = |sum: &Sum| {
        json!({
            "field": sum.field,
            "read": sum.read.map(|read| read.to_string()),
            "filtered": sum.filtered.to_string(),
            "rejected": sum.rejected.to_string(),
            "withheld": sum.withheld.to_string(),
            "mapped": sum.mapped.to_string(),
            "superseded": sum.superseded.to_string(),
            "refused": sum.refused.to_string(),
            "written": sum.written().map(|written| written.to_string()),
            "unread": sum.unread,
        })
    };
    sums.iter().map(one).collect()
}
