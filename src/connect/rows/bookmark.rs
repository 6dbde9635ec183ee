//! Where a route stands in a table: kept in [`Position::extra`](crate::record::Position), written
//! by one version and read by later ones.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::key::{Key, StoredKey};
use crate::error::codes::connect::CURSOR_CHANGED;
use crate::error::{Error, Kind, Result};
use crate::record::Position;

/// The version that is written.
const VERSION: u32 = 1;

/// How many records with one cursor value are remembered one by one. Beyond, the tie key of the last
/// one stands for those before it, and how many they are.
pub(super) const MOST_SEEN: usize = 16_384;

/// How a stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// What has a new cursor value, in its order.
    Sorted,
    /// What has a new cursor value, in any order.
    Unsorted,
    /// Everything, on every run.
    Whole,
    /// Everything once, in the order of the tie key.
    Once,
}

/// A point in the order of a stream's records.
#[derive(Clone, Debug, PartialEq)]
pub struct Bookmark {
    /// The table or query: what was read must be what is read on.
    pub(super) of: String,
    pub(super) way: Way,
    pub(super) cursor: Option<String>,
    pub(super) tie: Vec<String>,
    /// The last cursor value.
    pub(super) at: Option<Key>,
    /// A cursor value that a person wrote: begin there, this value included.
    pub(super) given: Option<String>,
    /// The tie key of the last record, where it is needed to go on.
    pub(super) key: Vec<Key>,
    /// How many records with this cursor value were read.
    pub(super) count: u64,
    /// Which ones, by a hash of their tie key.
    pub(super) seen: Vec<u64>,
    /// Hash over everything that was read up to here, part by part.
    pub(super) chain: [u8; 16],
}

#[derive(Serialize, Deserialize)]
struct Stored {
    v: u32,
    of: String,
    way: Way,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tie: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<StoredKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    given: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    key: Vec<StoredKey>,
    #[serde(default)]
    count: u64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    seen: String,
    #[serde(default)]
    chain: String,
}

impl Bookmark {
    /// The bookmark of a position; `None` if the position is not one of rows.
    ///
    /// # Errors
    /// If it was written by a newer version or is damaged.
    pub fn of(position: &Position) -> Result<Option<Self>> {
        let Some(json) = position.extra.get("rows") else { return Ok(None) };
        let newer = json.get("v").and_then(Json::as_u64).is_some_and(|v| v > u64::from(VERSION));
        if newer {
            return Err(unreadable("the stored position was written by a newer version of consign"));
        }
        let damaged = || unreadable("the stored position cannot be read");
        let stored: Stored = serde_json::from_value(json.clone()).map_err(|e| damaged().caused_by(e))?;
        let seen = STANDARD.decode(&stored.seen).map_err(|e| damaged().caused_by(e))?;
        let mut chain = [0; 16];
        for (byte, pair) in chain.iter_mut().zip(stored.chain.as_bytes().chunks_exact(2)) {
            let digit = |c: u8| char::from(c).to_digit(16).unwrap_or(0) as u8;
            *byte = digit(pair[0]) << 4 | digit(pair[1]);
        }
        Ok(Some(Self {
            of: stored.of,
            way: stored.way,
            cursor: stored.cursor,
            tie: stored.tie,
            at: stored.at.map(|key| key.key().ok_or_else(damaged)).transpose()?,
            given: stored.given,
            key: stored.key.iter().map(|key| key.key().ok_or_else(damaged)).collect::<Result<_>>()?,
            count: stored.count,
            seen: seen.chunks_exact(8).map(|chunk| chunk.iter().fold(0, |n, b| n << 8 | u64::from(*b))).collect(),
            chain,
        }))
    }

    /// A bookmark set by hand: reading begins at this cursor value, records that have it included.
    pub fn given(value: impl Into<String>) -> Self {
        Self {
            of: String::new(),
            way: Way::Sorted,
            cursor: None,
            tie: Vec::new(),
            at: None,
            given: Some(value.into()),
            key: Vec::new(),
            count: 0,
            seen: Vec::new(),
            chain: [0; 16],
        }
    }

    /// As [`Position::extra`].
    pub fn extra(&self) -> Json {
        let seen: Vec<u8> = self.seen.iter().flat_map(|hash| hash.to_be_bytes()).collect();
        let stored = Stored {
            v: VERSION,
            of: self.of.clone(),
            way: self.way,
            cursor: self.cursor.clone(),
            tie: self.tie.clone(),
            at: self.at.as_ref().map(StoredKey::from),
            given: self.given.clone(),
            key: self.key.iter().map(StoredKey::from).collect(),
            count: self.count,
            seen: STANDARD.encode(seen),
            chain: crate::record::shown::hex(&self.chain),
        };
        // Text, numbers and lists of them always have a form in JSON.
        serde_json::json!({ "rows": serde_json::to_value(stored).unwrap_or_default() })
    }

    /// The cursor value that a person wrote, if one did: reading begins there.
    pub fn begins_at(&self) -> Option<&str> {
        self.given.as_deref()
    }

    /// The cursor's column and value, for a person; `None` if there is no cursor.
    pub fn shown(&self) -> Option<String> {
        let value = match (&self.at, &self.given) {
            (_, Some(given)) => format!("from {given}"),
            (Some(at), None) => at.shown(),
            (None, None) => return None,
        };
        Some(match &self.cursor {
            Some(cursor) => format!("{cursor} {value}"),
            None => value,
        })
    }

    /// The records with the last cursor value that were read, for quick looks.
    pub(super) fn seen_set(&self) -> HashSet<u64> {
        self.seen.iter().copied().collect()
    }

    /// Whether all records with the last cursor value are remembered one by one.
    pub(super) fn is_whole(&self) -> bool {
        self.seen.len() as u64 == self.count
    }
}

fn unreadable(cause: &str) -> Error {
    Error::new(Kind::Invalid, &CURSOR_CHANGED, cause)
        .hint("say where to go on: consign sync state set NAME SLICE --cursor VALUE --reason TEXT")
        .hint("or begin again: consign sync state reset NAME --reason TEXT")
}

/// The hash by which a record is known again: of the cells of its tie key.
pub(super) fn fingerprint(tie: &[u8]) -> u64 {
    let hash = blake3::hash(tie);
    hash.as_bytes().iter().take(8).fold(0, |n, b| n << 8 | u64::from(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bookmarks_come_back() {
        let bookmark = Bookmark {
            of: "table items".into(),
            cursor: Some("changed".into()),
            tie: vec!["id".into()],
            at: Some(Key::Int(7)),
            given: None,
            key: vec![Key::Text("a".into())],
            count: 2,
            seen: vec![1, u64::MAX],
            chain: [3; 16],
            ..Bookmark::given("")
        };
        let position = Position { extra: bookmark.extra(), ..Position::default() };
        assert_eq!(Bookmark::of(&position).unwrap(), Some(bookmark.clone()));
        assert_eq!(bookmark.shown().unwrap(), "changed 7");
        assert_eq!(Bookmark::given("x").shown().unwrap(), "from x");
        assert_eq!(Bookmark::of(&Position::default()).unwrap(), None);
    }

    #[test]
    fn what_the_first_version_wrote_is_read_and_what_a_newer_one_wrote_is_refused() {
        let position = |json: &str| Position { extra: serde_json::from_str(json).unwrap(), ..Position::default() };
        let old = position(
            r#"{"rows":{"v":1,"of":"table t","way":"sorted","cursor":"c","tie":["id"],"at":{"timestamp":"2024-02-29T12:00:00Z"},
            "count":1,"seen":"AAAAAAAAAAc=","chain":"00000000000000000000000000000001","later":true}}"#,
        );
        let read = Bookmark::of(&old).unwrap().unwrap();
        assert_eq!((read.seen, read.count, read.chain[15]), (vec![7], 1, 1));
        let newer = position(r#"{"rows":{"v":2}}"#);
        assert_eq!(Bookmark::of(&newer).unwrap_err().code().id, "connect-cursor-changed");
        for damaged in [r#"{"rows":5}"#, r#"{"rows":{"v":1,"of":"t","way":"sorted","at":{"date":"x"}}}"#] {
            assert_eq!(Bookmark::of(&position(damaged)).unwrap_err().kind(), Kind::Invalid);
        }
    }
}
