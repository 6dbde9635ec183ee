//! `send`: the one way in which a pack says where in a request a value goes. Pagers, cursors, sign-ins
//! and idempotency keys have values; none of them decides where its value stands.

use crate::config::keys::{Kind, word};
use crate::config::yaml::Raw;
use crate::connect::web::Spot;

use super::reader::Reader;
use super::request::SPOT;

/// A place, or the whole address.
pub const SEND: Kind = Kind::ShortOr(
    &Kind::Word(&[
        word("url", "The value is the whole address of the request, parameters included."),
        word("nowhere", "Templates put it where it goes (`page`, `cursor`)."),
    ]),
    &Kind::Section(&SPOT),
);

/// Where a value goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Send {
    /// Into the request, at a place.
    Spot(Spot),
    /// It is the address: base, path and query of the request are not used.
    Url,
    /// Templates put it where it goes.
    #[default]
    Nowhere,
}

impl Send {
    /// Reads what stands under a key.
    pub fn read(reader: &mut Reader<'_>, raw: &Raw, name: &str) -> Option<Self> {
        let of = reader.get(raw, name)?;
        Some(match of.text() {
            Some("url") => Self::Url,
            Some(_) => Self::Nowhere,
            None => Self::Spot(reader.spot_of(of)?),
        })
    }
}
