//! Which keys the objects seen so far had, place by place and in their order.
//!
//! Records of one stream look alike. A key that stands where it stood before is recognised by
//! comparing it in place: it is neither scanned nor looked up, and it cannot stand twice, since
//! the keys of a place are all different and are passed in one direction only.

use super::project::{Keys, NOTHING};

/// A place that is not kept: below too many others.
pub(super) const NOWHERE: u32 = u32::MAX;
/// The place of the record itself.
pub(super) const ROOT: u32 = 0;

const MOST_PLACES: usize = 1024;
const MOST_KEYS: usize = 64;
const LONGEST_KEY: usize = 64;

/// The places seen so far. A place is reached by one way of keys, so one node of the plan stands
/// for it.
#[derive(Debug)]
pub(super) struct Habits {
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    /// All different, in the order of the objects.
    keys: Vec<Known>,
    /// Where the elements of a list at this place are, once there was one.
    elements: u32,
}

/// A key that was seen, and what is asked of its value.
#[derive(Debug)]
struct Known {
    /// `"key":`
    written: Box<[u8]>,
    /// Its first sixteen bytes, and which bits of them count.
    word: u128,
    mask: u128,
    ahead: Ahead,
}

/// What follows a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead {
    /// The node of the plan, or [`NOTHING`].
    pub node: u16,
    /// The place of the value.
    pub place: u32,
}

impl Habits {
    pub fn new() -> Self {
        Self { places: vec![Place { keys: Vec::new(), elements: NOWHERE }] }
    }

    /// Whether the bytes begin with the expected key and its colon: their length and what follows.
    #[inline(always)]
    pub fn expected(&self, place: u32, index: usize, bytes: &[u8]) -> Option<(usize, Ahead)> {
        let known = self.places.get(place as usize)?.keys.get(index)?;
        let found = (u128::from_le_bytes(*bytes.first_chunk::<16>()?) ^ known.word) & known.mask;
        if found != 0 || (known.written.len() > 16 && !bytes[16..].starts_with(&known.written[16..])) {
            return None;
        }
        Some((known.written.len(), known.ahead))
    }

    /// Where a key that was not the expected one stands further on, or is entered as new. `None`:
    /// it stands before, or is not kept; from then on nothing can be concluded from the order.
    ///
    /// `quoted` is the key as written, `key` what it means: one that is written with escapes is
    /// never kept.
    pub fn find(
        &mut self,
        place: u32,
        index: usize,
        quoted: &[u8],
        key: &str,
        plan: Option<&Keys>,
    ) -> Option<(usize, Ahead)> {
        let full = self.places.len() >= MOST_PLACES;
        let new_place = if full { NOWHERE } else { self.places.len() as u32 };
        if quoted.len() > LONGEST_KEY || quoted.len() != key.len() + 2 {
            return None;
        }
        let keys = &mut self.places.get_mut(place as usize)?.keys;
        let same = |known: &Known| &known.written[..known.written.len() - 1] == quoted;
        if let Some(found) = keys.iter().position(same) {
            return (found >= index).then(|| (found, keys[found].ahead));
        }
        if keys.len() >= MOST_KEYS {
            return None;
        }
        let written = [quoted, b":"].concat();
        let mut word = [0; 16];
        for (to, from) in word.iter_mut().zip(&written) {
            *to = *from;
        }
        let bits = 8 * written.len().min(16) as u32;
        let mask = if bits == 128 { u128::MAX } else { (1 << bits) - 1 };
        let node = plan.map_or(NOTHING, |plan| plan.index(key));
        let ahead = Ahead { node, place: new_place };
        let index = index.min(keys.len());
        keys.insert(index, Known { written: written.into(), word: u128::from_le_bytes(word), mask, ahead });
        if !full {
            self.places.push(Place { keys: Vec::new(), elements: NOWHERE });
        }
        Some((index, ahead))
    }

    /// The place of the elements of a list.
    #[inline]
    pub fn elements(&mut self, place: u32) -> u32 {
        match self.places.get(place as usize) {
            None => NOWHERE,
            Some(found) if found.elements != NOWHERE => found.elements,
            Some(_) => self.new_elements(place),
        }
    }

    #[cold]
    fn new_elements(&mut self, place: u32) -> u32 {
        if self.places.len() >= MOST_PLACES {
            return NOWHERE;
        }
        let new = self.places.len() as u32;
        self.places.push(Place { keys: Vec::new(), elements: NOWHERE });
        if let Some(found) = self.places.get_mut(place as usize) {
            found.elements = new;
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::connect::formats::tests::{options, read_with};

    /// What is said of a record, without where it stood in the stream.
    fn of_one(said: &str) -> String {
        let (head, text) = said.split_once(": ").unwrap();
        if head.starts_with(|c: char| c.is_ascii_digit()) {
            return text.to_string();
        }
        format!("{} {text}", head.split(' ').next().unwrap())
    }

    fn objects() -> impl Strategy<Value = String> {
        let key = prop_oneof![
            10 => "[a-f]".prop_map(|key| format!("\"{key}\"")),
            2 => Just("\"a_key_of_more_than_sixteen_bytes\"".to_string()),
            1 => Just("\"\\u0061\"".to_string()),
            1 => Just("\"a_key_of_more_than_sixteen_BYTES\"".to_string()),
            1 => "[a-z]{70}".prop_map(|key| format!("\"{key}\"")),
            1 => Just("\"\"".to_string()),
        ];
        let leaf =
            prop_oneof![Just("1.50".to_string()), Just("\"x\"".to_string()), Just("[]".into()), Just("x".into())];
        leaf.prop_recursive(3, 24, 5, move |inner| {
            let colon = prop_oneof![6 => Just(":"), 1 => Just(" : "), 1 => Just(": ")];
            let object = prop::collection::vec((key.clone(), colon, inner.clone()), 0..6).prop_map(|members| {
                let members: Vec<String> = members.iter().map(|(k, colon, v)| format!("{k}{colon}{v}")).collect();
                format!("{{{}}}", members.join(","))
            });
            prop_oneof![
                4 => object,
                1 => prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: crate::soak::rounds(256), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_record_reads_the_same_whatever_stood_before_it(records in prop::collection::vec(objects(), 1..12), last in any::<bool>()) {
            let given = options(if last { &[("duplicate_keys", "last")] } else { &[] });
            let paths = ["a", "b.c", "b.d.a", "c[*].a", "c[1].b", "d.a_key_of_more_than_sixteen_bytes", "e.a", "e"];
            let read = |text: &str| read_with("ndjson", &given, &paths, text.as_bytes(), usize::MAX);
            let together: Vec<String> = read(&records.join("\n")).iter().map(|said| of_one(said)).collect();
            let alone: Vec<String> = records.iter().flat_map(|record| read(record)).map(|said| of_one(&said)).collect();
            prop_assert_eq!(together, alone);
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let many: String =
            (0..3000).map(|n| format!("{{\"k{n}\":{{\"x{n}\":[{{\"y\":{n}}}]}},\"z\":{n}}}\n")).collect();
        let said = read_with("ndjson", &options(&[]), &["z", "k2999.x2999[*].y"], many.as_bytes(), usize::MAX);
        assert_eq!(said.len(), 3000);
        assert_eq!((said[0].as_str(), said[2999].as_str()), ("1: #0 -", "3000: #2999 [#2999]"));
    }
}
