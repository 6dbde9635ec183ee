//! Consents that are looked up: what rows of a file or stream say of people, kept as a verdict for each.

use std::collections::HashMap;

use super::gates::{identity, standing};
use crate::map::Governed;
use crate::record::{Timestamp, Value};

/// How a person stands to the purpose of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// There is consent.
    Given,
    /// Nothing is known, or it was refused.
    Unknown,
    /// It was withdrawn.
    Withdrawn,
}

/// The fields of a row.
#[derive(Clone, Copy, Debug)]
pub struct Row<'r, 'a> {
    /// Who the person is.
    pub key: Value<'a>,
    /// The values that [`Consents::add`]'s slots name.
    pub slots: &'r [Value<'a>],
}

/// What is known of people: of each one verdict, by a hash of what they are known by.
#[derive(Debug)]
pub struct Consents {
    known: HashMap<[u8; 16], (i64, Standing)>,
    key: [u8; 32],
    purpose: Option<String>,
    now: Timestamp,
}

impl Consents {
    /// None yet. `key` hashes who people are.
    pub fn new(key: [u8; 32], purpose: Option<String>, now: Timestamp) -> Self {
        Self { known: HashMap::new(), key, purpose, now }
    }

    /// Takes a row. Of several of one person the later one holds, by the moments in it; of those of one
    /// moment the stricter one.
    ///
    /// # Errors
    /// The field that cannot be read, and why: then nothing is known of anybody.
    pub fn add(&mut self, slots: &Governed, row: Row<'_, '_>) -> Result<(), (String, &'static str)> {
        let Some(id) = identity(&row.key).map_err(|cause| ("key".to_owned(), cause))? else { return Ok(()) };
        let at = |slot: usize| row.slots.get(slot).copied().unwrap_or_default();
        // A row for another purpose says nothing of this one.
        let told = |(slot, cause): (usize, &'static str)| (slots.name(slot), cause);
        if let (Some(slot), Some(purpose)) = (slots.purposes, &self.purpose)
            && !super::gates::lists(&at(slot), purpose).map_err(|cause| told((slot, cause)))?
        {
            return Ok(());
        }
        let verdict = standing(slots, &at, self.purpose.as_deref(), self.now).map_err(told)?;
        let moment = |slot: Option<usize>| slot.and_then(|slot| super::gates::moment(&at(slot)).ok().flatten());
        // What is yet to come is not known yet.
        let past = |moment: &i64| *moment <= self.now.seconds;
        let when = moment(slots.given).filter(past).max(moment(slots.withdrawn).filter(past)).unwrap_or(i64::MIN);
        let known = self.known.entry(hash(&self.key, &id)).or_insert((when, verdict));
        if when > known.0 || (when == known.0 && verdict > known.1) {
            *known = (when, verdict);
        }
        Ok(())
    }

    /// How many people something is known of.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether nothing is known of anybody.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// How a person stands.
    pub fn of(&self, id: &[u8]) -> Standing {
        self.known.get(&hash(&self.key, id)).map_or(Standing::Unknown, |(_, standing)| *standing)
    }
}

fn hash(key: &[u8; 32], id: &[u8]) -> [u8; 16] {
    blake3::keyed_hash(key, id).as_bytes().first_chunk().copied().unwrap_or_default()
}

/// A yes or a no; `None`: nothing is said.
pub(super) fn opinion(value: &Value<'_>) -> Result<Option<bool>, &'static str> {
    const YES: &[&str] = &["true", "yes", "y", "1", "on", "given", "granted", "opt_in", "opted_in", "opted in"];
    const NO: &[&str] =
        &["false", "no", "n", "0", "off", "denied", "refused", "withdrawn", "opt_out", "opted_out", "opted out"];
    let word = match value {
        Value::Missing | Value::Null => return Ok(None),
        Value::Bool(truth) => return Ok(Some(*truth)),
        Value::Int(1) | Value::Uint(1) => return Ok(Some(true)),
        Value::Int(0) | Value::Uint(0) => return Ok(Some(false)),
        Value::String(text) | Value::Number(text) => text.trim(),
        _ => return Err("it is neither yes nor no"),
    };
    let among = |words: &[&str]| words.iter().any(|one| one.eq_ignore_ascii_case(word));
    match (word.is_empty(), among(YES), among(NO)) {
        (true, _, _) => Ok(None),
        (_, true, _) => Ok(Some(true)),
        (_, _, true) => Ok(Some(false)),
        _ => Err("it is neither yes nor no"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp { seconds: 1_780_272_000, nanos: 0, offset: 0 };

    fn consents(rows: &[[&'static str; 4]]) -> Result<Consents, (String, &'static str)> {
        let slots = Governed {
            purposes: Some(0),
            given: Some(1),
            withdrawn: Some(2),
            names: vec![(0, "purposes".into()), (1, "given".into()), (2, "withdrawn".into())],
            ..Governed::default()
        };
        let mut consents = Consents::new([1; 32], Some("marketing".into()), NOW);
        for row in rows {
            let values: Vec<_> = row[1..].iter().map(|text| Value::String(text)).collect();
            consents.add(&slots, Row { key: Value::String(row[0]), slots: &values })?;
        }
        Ok(consents)
    }

    #[test]
    fn the_later_word_holds() {
        let known = consents(&[
            ["a", "marketing", "2025-01-01", ""],
            ["b", "billing", "2025-01-01", ""],
            ["c", "marketing", "2025-01-01", "2025-02-01"],
            ["d", "marketing", "2025-01-01", "2025-02-01"],
            ["d", "marketing", "2025-03-01", ""],
            ["e", "marketing", "2025-03-01", ""],
            ["e", "marketing", "2025-01-01", "2025-04-01"],
            ["f", "marketing", "2027-01-01", ""],
            ["", "marketing", "2025-01-01", ""],
        ])
        .unwrap();
        let of = |id: &str| known.of(id.as_bytes());
        use Standing::{Given, Unknown, Withdrawn};
        assert_eq!(
            ["a", "b", "c", "d", "e", "f", "x"].map(of),
            [Given, Unknown, Withdrawn, Given, Withdrawn, Unknown, Unknown]
        );
        assert_eq!(known.len(), 5);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert_eq!(consents(&[["a", "marketing", "soon", ""]]).err().unwrap().0, "given");
    }
}
