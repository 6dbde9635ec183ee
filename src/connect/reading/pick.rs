//! Which records of a page are new, and how far the cursor has come with them.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::bounds::{compare, fits};
use super::desk::Desk;
use super::sheet::Sheet;
use super::skim;
use super::stand::{MOST_SEEN, fingerprint};
use crate::connect::pack::cursor::{Cursor, Order};
use crate::error::codes::connect::{CURSOR_MISSED, CURSOR_UNFIT};
use crate::error::{Error, Kind, Result};
use crate::record::Path;

/// Follows the cursor field through the records of one reading.
#[derive(Debug)]
pub(super) struct Pick {
    cursor: &'static Cursor,
    field: &'static Path,
    tie: Vec<&'static Path>,
    /// Where the last run ended, and which records with that value it read.
    at: Option<String>,
    seen: HashSet<String>,
    /// Records at or behind this value are for a later reading.
    pub upper: Option<String>,
    /// A group that is read again: its last value, and which records with that value are in it.
    until: Option<(String, HashSet<String>)>,
    /// The greatest value so far, and the records that have it.
    pub best: Option<String>,
    pub best_seen: Vec<String>,
    /// The value of the last record, where they come in order.
    last: Option<String>,
    /// Records of an earlier run that came again.
    pub again: u64,
}

/// What became of a page.
#[derive(Debug, Default)]
pub(super) struct Picked {
    /// Which records are taken; `None`: all.
    pub mask: Option<Vec<bool>>,
    /// A record came that an earlier run has read.
    pub known: bool,
}

impl Pick {
    /// Of a stream with a cursor field; `None` if it has none.
    pub fn new(desk: &Desk, at: Option<String>, seen: &[String], upper: Option<String>) -> Option<Self> {
        let cursor = desk.read.cursor.as_ref()?;
        let field = cursor.field.as_ref()?;
        let tie: Vec<&'static Path> = match cursor.tie.is_empty() {
            true => desk.stream.key.iter().collect(),
            false => cursor.tie.iter().collect(),
        };
        Some(Self {
            cursor,
            field,
            tie,
            at,
            seen: seen.iter().cloned().collect(),
            upper,
            until: None,
            best: None,
            best_seen: Vec::new(),
            last: None,
            again: 0,
        })
    }

    /// Only records up to this value, and of those that have it only these.
    pub fn up_to(&mut self, value: Option<String>, seen: &[String]) {
        self.until = value.map(|value| (value, seen.iter().cloned().collect()));
    }

    /// Looks through a page.
    ///
    /// # Errors
    /// If a value is not of the cursor's type, or the records are not in the order that the pack says.
    pub fn page(&mut self, desk: &Desk, sheet: &Sheet) -> Result<Picked> {
        let kind = self.cursor.kind;
        let mut picked = Picked::default();
        let leave = |mask: &mut Option<Vec<bool>>, at: usize| {
            mask.get_or_insert_with(|| vec![true; sheet.len()])[at] = false;
        };
        // Places of the records that have the greatest value; hashed only once it is known to be that.
        let mut group: Vec<usize> = Vec::new();
        for at in 0..sheet.len() {
            let record = sheet.record(at);
            let Some(value) = skim::at(record, &self.field.0).and_then(skim::scalar) else { continue };
            let fresh = self.last.as_deref() != Some(&*value);
            if fresh && !fits(kind, &value) {
                let cause = format!("a value of `{}` is none of the cursor's type", self.field);
                return Err(self.failed(desk, &CURSOR_UNFIT, cause));
            }
            if let Some(upper) = &self.upper {
                let over = compare(kind, &value, upper);
                if over == Ordering::Greater || over == Ordering::Equal && self.cursor.inclusive {
                    leave(&mut picked.mask, at);
                    continue;
                }
            }
            if let Some((last, among)) = &self.until {
                let over = compare(kind, &value, last);
                if over == Ordering::Greater || over == Ordering::Equal && !among.contains(&self.print(record)) {
                    leave(&mut picked.mask, at);
                    continue;
                }
            }
            if let Some(known) = &self.at {
                match compare(kind, &value, known) {
                    Ordering::Equal if self.seen.contains(&self.print(record)) => {
                        leave(&mut picked.mask, at);
                        picked.known = true;
                        self.again += 1;
                        // It still has that value: the next run has to know it, too.
                        if self.best.is_none() || self.best == self.at {
                            group.push(at);
                        }
                        continue;
                    }
                    Ordering::Less if desk.read.pages.stop.known => {
                        leave(&mut picked.mask, at);
                        picked.known = true;
                        continue;
                    }
                    Ordering::Less if self.cursor.unsent => {
                        leave(&mut picked.mask, at);
                        continue;
                    }
                    _ => {}
                }
            }
            if fresh {
                let order = self.last.as_deref().map(|last| compare(kind, &value, last));
                let wrong = match self.cursor.order {
                    Order::Ascending => order == Some(Ordering::Less),
                    Order::Descending => order == Some(Ordering::Greater),
                    Order::None => false,
                };
                if wrong {
                    let cause = format!("records do not come in the order of `{}`", self.field);
                    let error = self.failed(desk, &CURSOR_MISSED, cause);
                    return Err(error.hint("records may be missed so; the pack's `cursor.order` is wrong, or the request does not ask for it"));
                }
                self.last = Some(value.clone().into_owned());
            }
            match self.best.as_deref().map_or(Ordering::Greater, |best| compare(kind, &value, best)) {
                Ordering::Greater => {
                    let still = self.best.is_none()
                        && self.at.as_deref().is_some_and(|known| compare(kind, &value, known) == Ordering::Equal);
                    if !still {
                        group.clear();
                        self.best_seen.clear();
                    }
                    group.push(at);
                    self.best = Some(value.into_owned());
                }
                Ordering::Equal => group.push(at),
                Ordering::Less => {}
            }
        }
        if self.best.is_none() && !group.is_empty() {
            self.best.clone_from(&self.at);
        }
        for at in group {
            if self.best_seen.len() >= MOST_SEEN {
                break;
            }
            let print = self.print(sheet.record(at));
            self.best_seen.push(print);
        }
        Ok(picked)
    }

    /// The same records may come once more: the question begins anew at the greatest value.
    pub fn begin_again(&mut self) {
        self.at.clone_from(&self.best);
        self.seen = self.best_seen.drain(..).collect();
        self.best = None;
        self.last = None;
    }

    fn print(&self, record: &[u8]) -> String {
        if self.tie.is_empty() {
            return fingerprint(&[Some(record)]);
        }
        let values: Vec<Option<&[u8]>> = self.tie.iter().map(|path| skim::at(record, &path.0)).collect();
        fingerprint(&values)
    }

    fn failed(&self, desk: &Desk, code: &'static crate::error::Code, cause: String) -> Error {
        Error::new(Kind::Failed, code, cause).fact("stream", &desk.stream.name)
    }
}
