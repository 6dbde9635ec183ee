//! Where a stream stands: kept in [`Position::extra`](crate::record::Position) under `web`, written by
//! one version and read by later ones.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::connect::hush::Hush;
use crate::connect::rows::Bookmark;
use crate::error::codes::connect::CURSOR_CHANGED;
use crate::error::{Error, Kind, Result};
use crate::record::Position;

/// The version that is written.
const VERSION: u32 = 1;

/// How many records with one cursor value are remembered.
pub(super) const MOST_SEEN: usize = 16_384;

/// A point in what a stream gives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Stand {
    pub v: u32,
    /// The stream, and for whom: what was read must be what is read on.
    pub of: String,
    /// The cursor value that reading goes on from, or the token.
    #[serde(skip_serializing_if = "Json::is_null")]
    pub at: Json,
    /// The value was written by a person: begin there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub given: bool,
    /// When it was kept, in seconds since 1970.
    pub kept: i64,
    /// Records with that value that were read, by the hash of what tells them apart (hex).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<String>,
    /// Which numbering the value belongs to.
    #[serde(skip_serializing_if = "Json::is_null")]
    pub epoch: Json,
    /// Everything was read once, and there is no cursor to go on with.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub over: bool,
    /// A reading that is not at its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub under_way: Option<UnderWay>,
    /// The last job that was read whole, by a hash of what it captured.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub job: String,
    /// The upper bound of the reading that led here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Hash over everything that was read up to here.
    pub chain: String,
}

/// A reading that is not at its end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct UnderWay {
    /// The window, if there are windows: what is before it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The page that is next.
    pub place: Place,
    /// The greatest cursor value so far, and the records that have it.
    #[serde(skip_serializing_if = "Json::is_null")]
    pub best: Json,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub best_seen: Vec<String>,
    /// The job, by what it captured, and which of its parts is read.
    #[serde(skip_serializing_if = "Json::is_null")]
    pub job: Json,
    #[serde(skip_serializing_if = "is_zero")]
    pub part: u64,
    /// Of a stream that is read for each of others: how many of them are done, and the key of the last one.
    #[serde(skip_serializing_if = "is_zero")]
    pub parents: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub parent: String,
}

/// Which page of an answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    /// 0, 1, 2 … of this question.
    pub index: u64,
    /// Its number or offset.
    pub number: u64,
    /// Its token or address; nothing: the first page.
    #[serde(skip_serializing_if = "Json::is_null")]
    pub token: Json,
    /// Further values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Json>,
    /// Records of this question before it.
    pub count: u64,
    /// Records of the page itself that were read, if it is one that is read piece by piece.
    #[serde(skip_serializing_if = "is_zero")]
    pub taken: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Stand {
    /// The stand of a position; `None` if it is not one of a pack's stream.
    ///
    /// # Errors
    /// If it was written by a newer version or is damaged.
    pub fn of(position: &Position, hush: &Hush) -> Result<Option<Self>> {
        if let Some(bookmark) = Bookmark::of(position)? {
            // Set by hand: `sync state set … --cursor VALUE`.
            return Ok(bookmark.begins_at().map(|value| Self {
                at: Json::String(value.to_owned()),
                given: true,
                ..Self::default()
            }));
        }
        let Some(json) = position.extra.get("web") else {
            // As people write it, in the tests of a pack.
            let value = position.extra.get("value").or_else(|| position.extra.get("token"));
            return Ok(value.map(|value| Self { at: value.clone(), ..Self::default() }));
        };
        if json.get("v").and_then(Json::as_u64).is_some_and(|v| v > u64::from(VERSION)) {
            return Err(unreadable("the stored position was written by a newer version of consign"));
        }
        let mut stand: Self = serde_json::from_value(json.clone())
            .map_err(|error| unreadable("the stored position cannot be read").caused_by(error))?;
        for hidden in stand.hidden() {
            let open = hush.unseal(hidden);
            *hidden = open.ok_or_else(|| unreadable("the stored position is sealed under a key that is gone"))?;
        }
        Ok(Some(stand))
    }

    /// What may have to be sealed at rest: places and cursors that are addresses, what jobs captured.
    fn hidden(&mut self) -> Vec<&mut Json> {
        let mut all = vec![&mut self.at];
        if let Some(under_way) = &mut self.under_way {
            all.push(&mut under_way.place.token);
            all.extend(&mut under_way.place.also);
            all.push(&mut under_way.job);
        }
        all
    }

    /// As [`Position::extra`].
    ///
    /// # Errors
    /// If something has to be sealed, and there is no key to seal it with.
    pub fn extra(&self, hush: &Hush) -> Result<Json> {
        let mut stored = Self { v: VERSION, ..self.clone() };
        for hidden in stored.hidden() {
            match hidden.is_object() {
                true => *hidden = hush.seal(hidden)?,
                false => hush.hide(hidden)?,
            }
        }
        Ok(serde_json::json!({ "web": serde_json::to_value(stored).unwrap_or_default() }))
    }

    /// The value as text.
    pub fn value(&self) -> Option<String> {
        text(&self.at)
    }

    /// A hash over what was read that does not depend on how it was cut into pages: each record adds its own.
    pub fn summed<'r>(&mut self, records: impl Iterator<Item = &'r [u8]>) {
        let mut sum = u128::from_str_radix(&self.chain, 16).unwrap_or(0);
        for record in records {
            let hash = blake3::hash(record);
            let half = hash.as_bytes().iter().take(16).fold(0_u128, |n, byte| n << 8 | u128::from(*byte));
            sum = sum.wrapping_add(half);
        }
        self.chain = format!("{sum:032x}");
    }

    /// The hash over what was read, one part further.
    pub fn chained(&mut self, part: &blake3::Hash) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.chain.as_bytes());
        hasher.update(part.as_bytes());
        self.chain = crate::record::shown::hex(&hasher.finalize().as_bytes()[..16]);
    }
}

/// A value of a cursor or token as text; `None` for null.
pub(super) fn text(value: &Json) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The hash by which a record is known again.
pub(super) fn fingerprint(values: &[Option<&[u8]>]) -> String {
    let mut hasher = blake3::Hasher::new();
    for value in values {
        hasher.update(&(value.map_or(0, <[u8]>::len) as u64 + 1).to_le_bytes());
        hasher.update(value.unwrap_or_default());
    }
    crate::record::shown::hex(&hasher.finalize().as_bytes()[..8])
}

fn unreadable(cause: &str) -> Error {
    Error::new(Kind::Invalid, &CURSOR_CHANGED, cause)
        .hint("say where to go on: consign sync state set NAME SLICE --cursor VALUE --reason TEXT")
        .hint("or begin again: consign sync state reset NAME --reason TEXT")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who reads the state must not be able to fetch what an address, or a job, permits.
    #[test]
    fn what_permits_is_sealed_at_rest() {
        let folder = tempfile::tempdir().unwrap();
        let hush = Hush::of(folder.path());
        let url = "https://files.example/next?after=2&access_token=abcdef";
        let stand = Stand {
            v: VERSION,
            at: url.into(),
            under_way: Some(UnderWay {
                place: Place { token: url.into(), also: vec!["hunter2hunter2".into(), 7.into()], ..Place::default() },
                job: serde_json::json!({ "url": "https://files.example/?x=abcdef" }),
                ..UnderWay::default()
            }),
            ..Stand::default()
        };
        let extra = stand.extra(&hush).unwrap();
        let text = extra.to_string();
        assert!(!text.contains("abcdef") && !text.contains("hunter2"), "{text}");
        assert!(text.contains(r#"},7]"#), "{text}");
        let position = Position { extra, ..Position::default() };
        assert_eq!(Stand::of(&position, &hush).unwrap(), Some(stand));
        let elsewhere = tempfile::tempdir().unwrap();
        assert!(Stand::of(&position, &Hush::of(elsewhere.path())).unwrap_err().cause().contains("key that is gone"));
    }

    #[test]
    fn stands_come_back() {
        let mut stand = Stand {
            v: VERSION,
            of: "shop.orders".into(),
            at: "2024-01-01T00:00:00Z".into(),
            kept: 7,
            seen: vec!["ab".into()],
            under_way: Some(UnderWay {
                place: Place { index: 3, token: "abc".into(), count: 300, ..Place::default() },
                part: 1,
                ..UnderWay::default()
            }),
            ..Stand::default()
        };
        stand.chained(&blake3::hash(b"x"));
        let folder = tempfile::tempdir().unwrap();
        let hush = Hush::of(folder.path());
        let position = Position { extra: stand.extra(&hush).unwrap(), ..Position::default() };
        assert_eq!(Stand::of(&position, &hush).unwrap(), Some(stand));
        assert_eq!(Stand::of(&Position::default(), &hush).unwrap(), None);
        let by_hand = Position { extra: Bookmark::given("5").extra(), ..Position::default() };
        assert_eq!(Stand::of(&by_hand, &hush).unwrap().and_then(|stand| stand.value()).as_deref(), Some("5"));
        for (damaged, wanted) in [(r#"{"web":{"v":9}}"#, "newer"), (r#"{"web":{"at":1,"kept":"x"}}"#, "cannot be read")]
        {
            let position = Position { extra: serde_json::from_str(damaged).unwrap(), ..Position::default() };
            assert!(Stand::of(&position, &hush).unwrap_err().cause().contains(wanted));
        }
    }
}
