//! The step of a run: settles one group and intends the next, in one transaction with one fsync.

use std::collections::BTreeMap;

use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::letters::Counted;
use super::routes::brief;
use super::runs::Run;
use super::{Store, Writing, failpoint, sql};
use crate::audit::chain::hex;
use crate::audit::{Action, Draft, Level, Outcome};
use crate::error::codes::store::FENCED;
use crate::error::{Error, Kind, Result};
use crate::record::{Mark, Position, Receipt, Reject, Rulings, Settled, SliceId, Totals, Trace};

/// How many slices and reasons an event names before it only counts them.
const NAMED: usize = 20;

/// What is about to be sent: durable before the first byte leaves.
#[derive(Clone, Debug, PartialEq)]
pub struct Intent {
    /// The group: one more than the last settled.
    pub group: u64,
    /// Where each slice it reads from will stand after it.
    pub slices: Vec<(SliceId, Settled)>,
    /// Records read for it.
    pub records: u64,
    /// SHA-256 of what is sent; zeros if the sink does not need it.
    pub content: [u8; 32],
    /// The fence of the run.
    pub fence: u64,
    /// The hash of the mapping it was made with.
    pub mapping: String,
    /// Dead letters (whole ids) that it replays.
    pub replayed: Vec<String>,
    /// The first group of a full run: once it is settled, what was settled before counts no more.
    pub anew: bool,
    /// No records: a mirror deletes what its source has no more.
    pub sweep: bool,
    /// What it would look like in a target of bytes.
    pub trace: Trace,
}

/// What became of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Settle {
    /// Names the group; `group` is one more than the last settled.
    pub mark: Mark,
    /// What the sink reported.
    pub receipt: Receipt,
    /// Where each slice stands now; slices that did not move may be left out.
    pub positions: Vec<(SliceId, Settled)>,
    /// The counts of this group; the count laws are checked.
    pub totals: Totals,
    /// The records that did not make it: become dead letters.
    pub rejects: Vec<Reject>,
    /// Dead letters (whole ids, claimed by this run) that this group replayed.
    pub replayed: Vec<String>,
    /// Hashed keys of records that were written: letters from before this group with such a key
    /// are superseded.
    pub overtaking: Vec<u128>,
    /// What compliance rules did to its records, and its declared sums.
    pub rulings: Rulings,
    /// Hashed keys of whom and what the records are about, where the route keeps account of them.
    pub about: Vec<u128>,
    /// Hashed keys of people whose records were kept back, and the codes of the reasons.
    pub kept_back: Vec<(u128, &'static str)>,
    /// What there is to say; added to the run's.
    pub warnings: Vec<String>,
    /// The first group of a full run: all positions from before it are forgotten. Not sooner: a
    /// full run that dies before it settled anything leaves the route as it was.
    pub anew: bool,
}

impl Store {
    /// Settles a group, intends the next, or both, in one transaction: outcomes, dead letters,
    /// totals, positions, mark, audit event and intent are all there or none of them.
    ///
    /// # Errors
    /// A count law is broken or a group out of order (bugs); a newer run has taken over
    /// ([`Kind::Locked`]); the state cannot be written. Nothing is changed then.
    pub fn step(&mut self, run: &Run, settle: Option<&Settle>, intend: Option<&Intent>) -> Result<()> {
        self.step_keeping(run, settle, intend, None)
    }

    /// The same, with what is kept of the intended group until it is settled: sealed, in the same
    /// transaction, gone with it.
    ///
    /// # Errors
    /// As for [`Store::step`].
    pub fn step_keeping(
        &mut self,
        run: &Run,
        settle: Option<&Settle>,
        intend: Option<&Intent>,
        kept: Option<&[u8]>,
    ) -> Result<()> {
        if let Some(settle) = settle {
            check_counts(settle)?;
        }
        if let Some(error) = self.failed_by_rule(&run.id) {
            return Err(error);
        }
        self.write("settling a group", |w| {
            let group = w.check_fence(run)?;
            let mut settled = group;
            if let Some(settle) = settle {
                w.settle(run, group, settle)?;
                settled = settle.mark.group;
            }
            if let Some(intent) = intend {
                w.intend(run, settled, intent)?;
                if let Some(kept) = kept {
                    w.keep(&run.route, intent.group, kept)?;
                }
            }
            failpoint::reach("inside_settle");
            Ok(())
        })
    }
}

/// The count laws of a group.
pub(super) fn check_counts(settle: &Settle) -> Result<()> {
    let broken = |law: String| Err(Error::bug(format!("a count law is broken: {law}")));
    if let Err(law) = settle.totals.check() {
        return broken(law);
    }
    // One record may have become several that the target refused: it is one dead letter then.
    let letters = settle.rejects.len() as u64;
    let aside = settle.totals.refused + settle.totals.in_doubt;
    if letters < settle.totals.rejected || letters > settle.totals.rejected + aside {
        return broken(format!(
            "dead letters {} between rejected {} and that plus refused and in doubt {}",
            settle.rejects.len(),
            settle.totals.rejected,
            aside
        ));
    }
    Ok(())
}

impl Store {
    /// Takes the intent of a group back that the target has refused: nothing of it is there.
    ///
    /// # Errors
    /// A newer run has taken over, or the state cannot be written.
    pub fn withdraw(&mut self, run: &Run) -> Result<()> {
        self.write("withdrawing a group", |w| {
            w.check_fence(run)?;
            w.forget_kept(&run.route)?;
            w.db.execute("UPDATE routes SET intent = NULL WHERE route = ?1", [&run.route])
                .map(drop)
                .map_err(|e| sql::error("withdrawing a group", e))
        })
    }
}

impl Writing<'_> {
    /// Refuses a run that was overtaken; the last settled group.
    pub(super) fn check_fence(&self, run: &Run) -> Result<u64> {
        let (fence, group) = self.fence_and_group(&run.route)?;
        if fence == run.fence {
            return Ok(group);
        }
        Err(Error::new(Kind::Locked, &FENCED, format!("a newer run of `{}` has taken over", run.route))
            .fact("fence", run.fence)
            .fact("newer fence", fence))
    }

    /// Settles a group: everything but the intent that follows it.
    pub(super) fn settle(&mut self, run: &Run, last: u64, settle: &Settle) -> Result<()> {
        let doing = "settling a group";
        let mark = &settle.mark;
        if mark.group != last + 1 || mark.route != run.route || mark.log_id != self.state_id {
            return Err(Error::bug(format!(
                "group {} of `{}` cannot follow group {last} of `{}`",
                mark.group, mark.route, run.route
            )));
        }
        if settle.anew {
            self.forget_slices(&run.route)?;
        }
        for (slice, settled) in &settle.positions {
            self.settle_slice(&run.route, slice, settled)?;
        }
        let text = sql::to_json(mark)?;
        self.db
            .prepare_cached("UPDATE routes SET settled_group = ?2, settled_mark = ?3, intent = NULL WHERE route = ?1")
            .and_then(|mut s| s.execute(params![run.route, sql::int(mark.group), text]))
            .map_err(|e| sql::error(doing, e))?;
        self.forget_kept(&run.route)?;
        self.add_totals(run, &settle.totals)?;
        // Before this group's own rejects are letters: those may be later than what was written.
        let mut overtaken = self.overtake_letters(run, &settle.overtaking, &[])?;
        let letters = self.add_letters(run, mark.group, &settle.rejects)?;
        if !settle.replayed.is_empty() {
            self.letters_replayed(run, &settle.replayed)?;
            overtaken += self.overtake_letters(run, &[], &settle.replayed)?;
        }
        overtaken += settle.rejects.iter().filter(|reject| reject.overtaken).count() as u64;
        if !settle.rulings.is_empty() {
            self.add_rulings(run, &settle.rulings)?;
        }
        if !settle.warnings.is_empty() {
            self.add_warnings(run, &settle.warnings)?;
        }
        let mut drafts = vec![event(run, settle, &letters)];
        drafts.extend(kept_back(run, settle));
        if overtaken > 0 {
            let draft = run.draft(Action::LettersSuperseded);
            drafts.push(draft.detail("letters", overtaken).detail("group", mark.group));
        }
        self.record(drafts).map(drop)
    }

    /// Makes an intent durable.
    fn intend(&self, run: &Run, settled: u64, intent: &Intent) -> Result<()> {
        if intent.group != settled + 1 || intent.fence != run.fence {
            return Err(Error::bug(format!("group {} cannot be intended after group {settled}", intent.group)));
        }
        let text = sql::to_json(&StoredIntent::from(intent))?;
        self.db
            .prepare_cached("UPDATE routes SET intent = ?2 WHERE route = ?1")
            .and_then(|mut s| s.execute(params![run.route, text]))
            .map(drop)
            .map_err(|e| sql::error("intending a group", e))
    }

    fn add_totals(&self, run: &Run, t: &Totals) -> Result<()> {
        let changed = self
            .db
            .prepare_cached(
                "UPDATE runs SET groups = groups + 1, read = read + ?2, mapped = mapped + ?3, filtered = filtered + ?4,
                   rejected = rejected + ?5, withheld = withheld + ?6, produced = produced + ?7, superseded = superseded + ?8,
                   written = written + ?9, unchanged = unchanged + ?10, refused = refused + ?11, in_doubt = in_doubt + ?12,
                   bytes_read = bytes_read + ?13, bytes_written = bytes_written + ?14,
                   deleted = deleted + ?15, unmatched = unmatched + ?16 WHERE id = ?1",
            )
            .and_then(|mut statement| {
                statement.execute(params![
                    run.id,
                    sql::int(t.read),
                    sql::int(t.mapped),
                    sql::int(t.filtered),
                    sql::int(t.rejected),
                    sql::int(t.withheld),
                    sql::int(t.produced),
                    sql::int(t.superseded),
                    sql::int(t.written),
                    sql::int(t.unchanged),
                    sql::int(t.refused),
                    sql::int(t.in_doubt),
                    sql::int(t.bytes_read),
                    sql::int(t.bytes_written),
                    sql::int(t.deleted),
                    sql::int(t.unmatched),
                ])
            })
            .map_err(|e| sql::error("adding to the counts of a run", e))?;
        if changed == 1 { Ok(()) } else { Err(Error::bug(format!("the run `{}` has no row", run.id))) }
    }
}

/// The event of a settled group: counts, where each slice stands, why records were rejected, and a
/// digest over all of it and over the payloads of the dead letters.
fn event(run: &Run, settle: &Settle, letters: &Counted) -> Draft {
    let mut digest = Sha256::new();
    let mut slices = Vec::new();
    for (index, (slice, settled)) in settle.positions.iter().enumerate() {
        digest.update((slice.len() as u64).to_be_bytes());
        digest.update(slice.as_bytes());
        for number in [settled.position.byte, settled.position.record, u64::from(settled.done)] {
            digest.update(number.to_be_bytes());
        }
        if index < NAMED {
            let mut entry = brief(settled);
            entry["slice"] = json!(&**slice);
            slices.push(entry);
        }
    }
    digest.update(letters.digest);
    let mut draft = run.draft(Action::GroupSettled);
    draft.details = totals(&settle.totals);
    draft.weighed.records = settle.totals.written;
    draft.about.clone_from(&settle.about);
    draft = draft
        .detail("group", settle.mark.group)
        .detail("fence", settle.mark.fence)
        .detail("digest", hex(&digest.finalize()))
        .detail("slices", slices);
    if let Some(length) = settle.mark.length {
        draft = draft.detail("length", length);
    }
    if settle.anew {
        draft = draft.detail("anew", true);
    }
    if settle.positions.len() > NAMED {
        draft = draft.detail("slices_in_all", settle.positions.len());
    }
    if !letters.by_code.is_empty() {
        draft = draft.detail("rejects", reasons(&letters.by_code));
    }
    if !settle.rulings.counted.is_empty() {
        draft = draft.detail("rulings", super::rulings::brief(&settle.rulings.counted, NAMED));
    }
    if !settle.rulings.sums.is_empty() {
        draft = draft.detail("sums", super::rulings::sums(&settle.rulings.sums));
    }
    if !settle.replayed.is_empty() {
        draft = draft.detail("replayed", settle.replayed.len());
    }
    if settle.totals.rejected + settle.totals.refused + settle.totals.in_doubt > 0 {
        draft.outcome = Outcome::Partial;
        draft.level = Level::Warning;
    }
    draft
}

/// An event for each reason why records of known people were kept back: theirs is the right to hear of it.
fn kept_back(run: &Run, settle: &Settle) -> Vec<Draft> {
    let mut by_code: BTreeMap<&str, Vec<u128>> = BTreeMap::new();
    for (person, code) in &settle.kept_back {
        by_code.entry(code).or_default().push(*person);
    }
    let draft = |(code, people): (&str, Vec<u128>)| {
        let title = crate::error::codes::all().find(|known| known.id == code).map(|known| known.title.to_string());
        let mut draft = run.draft(Action::RecordsWithheld).detail("code", code).detail("group", settle.mark.group);
        draft = draft.detail("records", people.len());
        // A gate that does what it is there for is no trouble.
        (draft.level, draft.reason, draft.about) = (Level::Info, title, people);
        draft
    };
    by_code.into_iter().map(draft).collect()
}

/// Counts that are not zero.
pub(super) fn totals(totals: &Totals) -> Map<String, Value> {
    match serde_json::to_value(totals) {
        Ok(Value::Object(map)) => map.into_iter().filter(|(_, v)| v.as_u64() != Some(0)).collect(),
        _ => Map::new(),
    }
}

fn reasons(by_code: &BTreeMap<&str, u64>) -> Value {
    Value::Object(by_code.iter().take(NAMED).map(|(code, n)| ((*code).to_string(), json!(n))).collect())
}

/// An intent as it is stored: text of one version, read by later ones.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredIntent {
    group: u64,
    slices: Vec<(String, Position, bool)>,
    records: u64,
    content: String,
    fence: u64,
    mapping: String,
    #[serde(default)]
    replayed: Vec<String>,
    #[serde(default)]
    anew: bool,
    #[serde(default)]
    sweep: bool,
    #[serde(default)]
    trace: Trace,
}

impl From<&Intent> for StoredIntent {
    fn from(intent: &Intent) -> Self {
        Self {
            group: intent.group,
            slices: intent.slices.iter().map(|(id, s)| (id.to_string(), s.position.clone(), s.done)).collect(),
            records: intent.records,
            content: hex(&intent.content),
            fence: intent.fence,
            mapping: intent.mapping.clone(),
            replayed: intent.replayed.clone(),
            anew: intent.anew,
            sweep: intent.sweep,
            trace: intent.trace.clone(),
        }
    }
}

impl From<StoredIntent> for Intent {
    fn from(stored: StoredIntent) -> Self {
        let mut content = [0u8; 32];
        for (byte, pair) in content.iter_mut().zip(stored.content.as_bytes().chunks_exact(2)) {
            let digit = |c: u8| (c as char).to_digit(16).unwrap_or(0) as u8;
            *byte = digit(pair[0]) << 4 | digit(pair[1]);
        }
        Self {
            group: stored.group,
            slices: stored
                .slices
                .into_iter()
                .map(|(id, position, done)| (SliceId::from(id), Settled { position, done }))
                .collect(),
            records: stored.records,
            content,
            fence: stored.fence,
            mapping: stored.mapping,
            replayed: stored.replayed,
            anew: stored.anew,
            sweep: stored.sweep,
            trace: stored.trace,
        }
    }
}
