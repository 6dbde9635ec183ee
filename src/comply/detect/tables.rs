//! Which detectors a place in a text could be for: made once for a selection, so that a word costs one look.

use super::number::Layout;
use super::set::DetectorSet;
use crate::comply::detect::Digits;
use crate::comply::detect::Grade;
use crate::comply::detectors::{ALL, Found, Looks, Site};
use crate::record::ClassId;

/// How many hashes of keys there are.
const KEYS: usize = 512;

/// Longer words lead nowhere but to prefixes and base64.
const WORD: usize = 48;

type WholeCheck = fn(&str) -> Option<Grade>;
pub(super) type SiteCheck = fn(&Site<'_>) -> Option<Found>;

/// A check to try.
#[derive(Clone, Copy)]
pub(super) struct Try<C> {
    pub(super) place: u8,
    pub(super) check: C,
}

/// Checks for one length of a word: those that may speak for themselves, and those that need support.
pub(super) struct Tries<T> {
    pub(super) alone: Vec<T>,
    pub(super) weak: Vec<T>,
    /// The detectors of `weak`.
    pub(super) set: DetectorSet,
}

impl<T> Tries<T> {
    const EMPTY: Self = Self { alone: Vec::new(), weak: Vec::new(), set: DetectorSet::NONE };

    fn push(&mut self, attempt: T, place: u8, alone: bool) {
        if alone {
            self.alone.push(attempt);
        } else {
            self.weak.push(attempt);
            self.set = self.set.union(DetectorSet::one(usize::from(place)));
        }
    }
}

/// A check of digits to try.
#[derive(Clone, Copy)]
pub(super) struct DigitsTry {
    pub(super) key: u64,
    pub(super) layout: Layout,
    pub(super) place: u8,
    pub(super) check: fn(&Digits<'_>) -> Option<Grade>,
}

pub(super) struct Tables {
    /// By the number of digits, for those without separators.
    pub(super) plain: [Tries<DigitsTry>; 32],
    /// For those with, by the hash of their key, then by key.
    grouped: Vec<DigitsTry>,
    /// Where in it the keys of each hash begin, and where the last end.
    begins: [u16; KEYS + 1],
    pub(super) quads: Vec<Try<SiteCheck>>,
    pub(super) words: [Tries<Try<SiteCheck>>; WORD],
    pub(super) capitals: [Tries<Try<SiteCheck>>; WORD],
    pub(super) leads: [Vec<Try<SiteCheck>>; 32],
    pub(super) marks: [Vec<Try<SiteCheck>>; 128],
    pub(super) prefixes: Vec<Try<SiteCheck>>,
    /// A bit for each hash of two bytes that a prefix begins with.
    openings: [u64; 64],
    pub(super) whole: Vec<Try<WholeCheck>>,
    /// The class of every detector.
    pub(super) classes: Vec<ClassId>,
}

impl Tables {
    pub(super) fn new(places: &[usize]) -> Self {
        let mut tables = Self {
            plain: [const { Tries::EMPTY }; 32],
            grouped: Vec::new(),
            begins: [0; KEYS + 1],
            quads: Vec::new(),
            words: [const { Tries::EMPTY }; WORD],
            capitals: [const { Tries::EMPTY }; WORD],
            leads: [const { Vec::new() }; 32],
            marks: [const { Vec::new() }; 128],
            prefixes: Vec::new(),
            openings: [0; 64],
            whole: Vec::new(),
            classes: ALL.iter().map(|detector| ClassId::named(detector.class).unwrap_or(ClassId(0))).collect(),
        };
        for place in places {
            for looks in ALL[*place].looks {
                tables.add(*place as u8, looks);
            }
        }
        tables.grouped.sort_by_key(|attempt| (hash(attempt.key), attempt.key));
        for (at, begin) in tables.begins.iter_mut().enumerate() {
            *begin = tables.grouped.partition_point(|attempt| hash(attempt.key) < at) as u16;
        }
        tables
    }

    fn add(&mut self, place: u8, looks: &Looks) {
        match looks {
            Looks::Digits { layouts, check } => {
                for layout in *layouts {
                    let key = layout.key();
                    let attempt = DigitsTry { key, layout: *layout, place, check: *check };
                    if key < 32 {
                        self.plain[key as usize].push(attempt, place, layout.alone);
                    } else {
                        self.grouped.push(attempt);
                    }
                }
            }
            Looks::Quad(check) => self.quads.push(Try { place, check: *check }),
            Looks::Word { lengths, alone, check } => {
                let attempt = Try { place, check: *check };
                lengths.iter().for_each(|length| self.words[usize::from(*length)].push(attempt, place, *alone));
            }
            Looks::Capitals { lengths, alone, check } => {
                let attempt = Try { place, check: *check };
                lengths.iter().for_each(|length| self.capitals[usize::from(*length)].push(attempt, place, *alone));
            }
            Looks::Lead { lengths, check } => {
                let attempt = Try { place, check: *check };
                lengths.iter().for_each(|length| self.leads[usize::from(*length)].push(attempt));
            }
            Looks::Mark { byte, check } => {
                self.marks[usize::from(*byte & 127)].push(Try { place, check: *check });
            }
            Looks::Prefix { prefixes, check } => {
                for prefix in prefixes() {
                    let hash = opening(prefix.as_bytes());
                    self.openings[hash / 64] |= 1 << (hash % 64);
                }
                self.prefixes.push(Try { place, check: *check });
            }
            Looks::Whole(check) => self.whole.push(Try { place, check: *check }),
        }
    }

    /// The checks for groups of these lengths.
    #[inline]
    pub(super) fn grouped(&self, key: u64) -> &[DigitsTry] {
        let hash = hash(key);
        let alike = &self.grouped[usize::from(self.begins[hash])..usize::from(self.begins[hash + 1])];
        // Hardly two keys have the same hash.
        let others = alike.iter().take_while(|attempt| attempt.key < key).count();
        let count = alike[others..].iter().take_while(|attempt| attempt.key == key).count();
        &alike[others..others + count]
    }

    /// Whether a prefix could begin here.
    #[inline]
    pub(super) fn opens(&self, text: &[u8]) -> bool {
        let hash = opening(text);
        self.openings[hash / 64] & 1 << (hash % 64) != 0
    }
}

fn hash(key: u64) -> usize {
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 55) as usize
}

/// Twelve bits of the first three bytes.
fn opening(text: &[u8]) -> usize {
    let [first, second, third] = text.first_chunk::<3>().copied().unwrap_or_default();
    let mixed = u32::from(first) | u32::from(second) << 8 | u32::from(third) << 16;
    (mixed.wrapping_mul(0x9E37_79B1) >> 20) as usize
}
