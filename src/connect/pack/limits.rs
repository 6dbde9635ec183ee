//! `limits` and `retry`: how much may be asked of a system, and how a failing call is tried again.

use crate::config::keys::{Key, Kind, Section};
use crate::config::yaml::Raw;

use super::reader::Reader;

/// The section `limits`.
pub static LIMITS: Section = Section {
    name: "limits",
    about: "How much may be asked of the system.",
    foreign: false,
    keys: &[Key::new("in_flight", Kind::Whole(1, 1024), "Calls at the same time at most.").default("4")],
};

/// The section `retry`.
pub static RETRY: Section = Section {
    name: "retry",
    about: "How a failing call is tried again.",
    foreign: false,
    keys: &[Key::new("tries", Kind::Whole(1, 20), "How often a call is made at most; what the connector says holds.")
        .default("5")],
};

/// `limits`, read.
#[derive(Debug)]
pub struct Limits {
    /// Calls at the same time at most.
    pub in_flight: usize,
}

/// `retry`, read.
#[derive(Debug)]
pub struct Retry {
    /// How often a call is made at most.
    pub tries: u32,
}

impl Limits {
    /// Reads the section of a pack.
    pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Self {
        let raw = reader.get(pack, "limits");
        Self { in_flight: raw.and_then(|raw| reader.whole(raw, "in_flight")).unwrap_or(4) as usize }
    }
}

impl Retry {
    /// Reads the section of a pack.
    pub fn read(reader: &mut Reader<'_>, pack: &Raw) -> Self {
        let raw = reader.get(pack, "retry");
        Self { tries: raw.and_then(|raw| reader.whole(raw, "tries")).unwrap_or(5) as u32 }
    }
}
