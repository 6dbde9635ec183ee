//! Dead letters get another chance: the same mapping path as any record, one letter at a time,
//! delivered as groups of a run of its own.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Mapping, Mode, Project};
use crate::connect::{Header, Part};
use crate::error::{Error, Kind, Result, codes};
use crate::record::{Position, Timestamp};
use crate::store::{LetterFilter, LetterState, LetterText, RunEnd, RunState, Store};

use super::begin::{Begun, begin};
use super::delivery::{Delivery, Edge};
use super::many::plan;
use super::middle::Middle;
use super::reasons::{Reason, Reasons};
use super::road::Options;
use super::watch::Watch;

/// What became of the letters.
#[derive(Debug, Default, serde::Serialize)]
pub struct Replayed {
    /// The run that replayed them.
    pub run: String,
    /// Letters that reached the target.
    pub delivered: u64,
    /// Letters for which `when` is false now.
    pub filtered: u64,
    /// Letters whose records a compliance rule keeps back now; their content is deleted.
    pub withheld: u64,
    /// Letters that were rejected again; they stay open.
    pub rejected: u64,
    /// Why, commonest first.
    pub reasons: Vec<Reason>,
    /// What was worth a line on the way.
    pub notes: Vec<String>,
}

/// Replays the open letters of one route that match.
///
/// # Errors
/// If there are none, the route is locked or disabled, or target or store fail; letters that did
/// not get through are open again.
pub fn replay(
    project: &Project,
    mapping: &Mapping,
    store: &mut Store,
    filter: &LetterFilter,
    options: &Options,
    now: Timestamp,
    watch: &mut dyn Watch,
) -> Result<Replayed> {
    let plan = plan(project, mapping)?.prepared(project, Some(&*store), now)?;
    let mut filter = filter.clone();
    filter.route = Some(plan.name().to_string());
    filter.states = vec![LetterState::Open];
    let overtaken = overtaken(store, &filter)?;
    if plan.mapping.sync.mode == Mode::Mirror && !plan.sweeps() {
        let cause = format!("`{}` mirrors into a file, which is written as a whole", plan.name());
        return Err(Error::new(Kind::Invalid, &codes::sync::NOT_REPLAYABLE, cause)
            .hint(format!("mend the mapping or the source, then consign sync run {}", plan.name())));
    }
    if store.count_dead_letters(&filter)? == 0 && overtaken > 0 {
        return Err(superseded(overtaken));
    }
    if store.count_dead_letters(&filter)? == 0 {
        return Err(Error::new(Kind::Invalid, &codes::sync::NOTHING_TO_REPLAY, "no open dead letter matches")
            .hint(format!("consign sync dlq list --route {}", plan.name())));
    }
    let _held = store.lock_route(plan.name(), Duration::ZERO)?;
    let store = RefCell::new(store);
    let secret = store.borrow().record_secret();
    let Begun { edge, mark, settled, resolved, mut notes, .. } = begin(&plan, Some(&store), options, now, watch)?;
    let Edge::Real { store, run, sink, recipe } = edge else { return Err(Error::bug("a replay is never dry")) };
    if overtaken > 0 {
        notes.push(format!("left out: {}", superseded(overtaken)));
    }
    let mut replayed = Replayed { run: run.id.clone(), notes, ..Replayed::default() };
    let letters = store.borrow_mut().claim_letters(&run, &filter)?;
    let mut delivery = Delivery::new(Edge::Real { store, run, sink, recipe }, mark, &settled, &plan.mapping, false)
        .resolved(resolved)
        .accounting(plan.accounts);
    let mut middle = Middle::new(Arc::clone(&plan.route), plan.decoder()?, plan.encoder()?, plan.between()?, now)
        .hashing(secret)
        .keeping(plan.keeps_origins())
        .asking(plan.inline.as_ref())
        .accounting(plan.people);
    let mut reasons = Reasons::default();

    let deliver = || -> Result<()> {
        for text in letters {
            let id = text.letter.id.clone();
            let done = middle.work(part(text))?;
            if let Some(reject) = done.rejects.first() {
                reasons.add(reject);
                replayed.rejected += 1;
                continue;
            }
            replayed.filtered += done.totals.filtered;
            replayed.withheld += done.totals.withheld;
            replayed.delivered += done.totals.mapped;
            delivery.take_letter(id, done, watch)?;
        }
        delivery.close(watch)?;
        delivery.finish()
    };
    let outcome = deliver();
    let state = match (&outcome, replayed.rejected) {
        (Err(_), _) => RunState::Failed,
        (Ok(()), 0) => RunState::Done,
        (Ok(()), _) => RunState::Partial,
    };
    delivery.end(RunEnd {
        state,
        exit: match &outcome {
            Err(error) => error.exit().number(),
            Ok(()) => 0,
        },
        error: outcome.as_ref().err().map(|error| (error.code().id.to_string(), error.to_string())),
        warnings: replayed.notes.clone(),
        calls: plan.calls(),
        settle: None,
    })?;
    outcome?;
    replayed.reasons = reasons.commonest();
    Ok(replayed)
}

/// How many of the letters that are named are superseded; a filter that names none means those that
/// are open.
pub fn overtaken(store: &Store, filter: &LetterFilter) -> Result<u64> {
    if filter.ids.is_empty() {
        return Ok(0);
    }
    store.count_dead_letters(&LetterFilter { states: vec![LetterState::Superseded], ..filter.clone() })
}

/// Says that letters are not replayed since later versions of their records are in the target.
pub fn superseded(letters: u64) -> Error {
    let cause = match letters {
        1 => "the dead letter is superseded: a later version of its record was written".to_string(),
        many => format!("{many} dead letters are superseded: later versions of their records were written"),
    };
    Error::new(Kind::Refused, &codes::sync::SUPERSEDED, cause)
        .hint("`consign sync dlq list --status superseded` shows them; correct the record in its source if it is wrong")
}

/// A letter as the part it was read from: one record.
pub(super) fn part(text: LetterText) -> Part {
    let letter = text.letter;
    let start = Position { byte: letter.byte, line: letter.line.saturating_sub(1), ..Position::default() };
    Part {
        sequence: 0,
        slice: letter.slice.into(),
        name: letter.source.into(),
        header: Arc::new(Header { columns: letter.columns }),
        bytes: text.payload.to_vec(),
        start: start.clone(),
        end: start,
        last_of_slice: false,
    }
}
