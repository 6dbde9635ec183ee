//! The words that say what a value near them is: found while the text is read, by a table that
//! most words fail at the first look.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::bytes::{CLASS, LINE, LOWER, UPPER};
use super::set::{CONTRARY, DetectorSet};
use crate::comply::detectors;

/// Names of numbers that are no person's: where they stand, a number is rather one of these.
const CONTRARY_WORDS: &[&str] = &[
    "order id",
    "order number",
    "order no",
    "orderid",
    "invoice",
    "tracking",
    "shipment",
    "parcel",
    "timestamp",
    "epoch",
    "created at",
    "updated at",
    "uuid",
    "guid",
    "hash",
    "checksum",
    "digest",
    "md5",
    "sha1",
    "sha256",
    "crc",
    "etag",
    "ean",
    "ean13",
    "gtin",
    "upc",
    "barcode",
    "isbn",
    "issn",
    "imei",
    "sku",
    "article",
    "part number",
    "version",
    "build",
    "revision",
    "commit",
    "sequence",
    "offset",
    "bytes",
    "duration",
    "latitude",
    "longitude",
    "bestellnummer",
    "rechnungsnummer",
    "sendungsnummer",
    "artikelnummer",
    "zeitstempel",
    "commande",
    "facture",
    "horodatage",
    "pedido",
    "factura",
    "seguimiento",
];

/// Where a word before a value still counts, in bytes.
pub(super) const REACH: usize = 40;

/// How many values a first look has.
const LOOKS: usize = 1 << 13;

/// Every word that matters, by its bytes.
struct Table {
    /// One bit for each value of the first look.
    maybe: [u64; LOOKS / 64],
    words: HashMap<&'static [u8], u16>,
    /// Where in `sorted` the words of a first look begin.
    begins: Vec<u16>,
    /// The words by their first look.
    sorted: Vec<(u16, &'static [u8], u16)>,
    single: Vec<DetectorSet>,
    pairs: HashMap<(u16, u16), DetectorSet>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table {
        maybe: [0; LOOKS / 64],
        words: HashMap::new(),
        begins: Vec::new(),
        sorted: Vec::new(),
        single: Vec::new(),
        pairs: HashMap::new(),
    };
    for (index, detector) in detectors::ALL.iter().enumerate() {
        for phrase in detector.words {
            table.add(phrase, DetectorSet::one(index));
        }
    }
    for phrase in CONTRARY_WORDS {
        table.add(phrase, DetectorSet::one(CONTRARY));
    }
    table.sorted = table.words.iter().map(|(word, id)| (look(word) as u16, *word, *id)).collect();
    table.sorted.sort();
    let begin = |look: u16| table.sorted.partition_point(|(other, ..)| *other < look) as u16;
    table.begins = (0..LOOKS as u16).map(begin).collect();
    table
});

impl Table {
    fn add(&mut self, phrase: &'static str, set: DetectorSet) {
        let mut parts = phrase.split(' ').map(|word| self.id(word.as_bytes())).collect::<Vec<_>>().into_iter();
        match (parts.next(), parts.next()) {
            (Some(first), Some(second)) => {
                let held = self.pairs.entry((first, second)).or_default();
                *held = held.union(set);
                // Written as one, too. The names live as long as the program; there are some hundreds.
                let joined: &'static str = Box::leak(phrase.replace(' ', "").into_boxed_str());
                let joined = self.id(joined.as_bytes());
                self.single[usize::from(joined)] = self.single[usize::from(joined)].union(set);
            }
            (Some(only), None) => self.single[usize::from(only)] = self.single[usize::from(only)].union(set),
            _ => {}
        }
    }

    /// The id of a word in small letters. Faster than hashing it well: its first look is known to be in the table.
    fn id_of(&self, word: &[u8]) -> Option<u16> {
        let look = look(word);
        let same =
            self.sorted[usize::from(self.begins[look])..].iter().take_while(|(other, ..)| usize::from(*other) == look);
        same.filter(|(_, known, _)| *known == word).map(|(.., id)| *id).next()
    }

    fn id(&mut self, word: &'static [u8]) -> u16 {
        let look = look(word);
        self.maybe[look / 64] |= 1 << (look % 64);
        let next = self.words.len() as u16;
        let id = *self.words.entry(word).or_insert(next);
        if self.single.len() <= usize::from(id) {
            self.single.push(DetectorSet::NONE);
        }
        id
    }
}

/// Thirteen bits of a word, the same whatever the case of its letters.
fn look(word: &[u8]) -> usize {
    let (head, tail) = match (word.first_chunk::<4>(), word.last_chunk::<4>()) {
        (Some(head), Some(tail)) => (u32::from_le_bytes(*head), u32::from_le_bytes(*tail)),
        _ => {
            let short = word.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
            (short, short)
        }
    };
    let mixed = (head | 0x2020_2020) ^ (tail | 0x2020_2020).rotate_left(13) ^ (word.len() as u32) << 27;
    (mixed.wrapping_mul(0x9E37_79B1) >> 19) as usize
}

/// What the words read so far say of what comes next.
#[derive(Clone, Copy, Default)]
pub(super) struct Near {
    /// The word before, if it can begin a pair, and where it ended.
    before: Option<(u16, usize)>,
    /// The last two findings and where they ended.
    latest: [(DetectorSet, usize); 2],
}

/// A prepared view on the table: fetched once per text.
#[derive(Clone, Copy)]
pub(super) struct Words(&'static Table);

impl Words {
    pub(super) fn get() -> Self {
        Self(&TABLE)
    }

    /// Takes note of the word from `start` to `end`. `inner` is the class of its bytes but the first.
    #[inline]
    pub(super) fn note(self, near: &mut Near, text: &[u8], start: usize, end: usize, inner: u8) {
        if inner & LINE != 0 || inner & (UPPER | LOWER) == (UPPER | LOWER) {
            self.split(near, text, start, end);
        } else {
            self.one(near, &text[start..end], end);
        }
    }

    #[inline]
    fn one(self, near: &mut Near, word: &[u8], end: usize) {
        let look = look(word);
        if self.0.maybe[look / 64] & 1 << (look % 64) != 0 {
            self.known(near, word, end);
        }
    }

    fn known(self, near: &mut Near, word: &[u8], end: usize) {
        let mut small = [0; 24];
        let Some(small) = small.get_mut(..word.len()) else { return };
        small.copy_from_slice(word);
        small.make_ascii_lowercase();
        let Some(id) = self.0.id_of(small) else { return };
        let mut found = self.0.single[usize::from(id)];
        if let Some((before, at)) = near.before
            && end - word.len() <= at + 2
            && let Some(pair) = self.0.pairs.get(&(before, id))
        {
            found = found.union(*pair);
        }
        near.before = Some((id, end));
        if !found.is_empty() {
            near.latest = [(found, end), near.latest[0]];
        }
    }

    /// Words inside a name: `accountNumber`, `account_number`.
    fn split(self, near: &mut Near, text: &[u8], start: usize, end: usize) {
        let mut from = start;
        for at in start..end {
            let class = CLASS[usize::from(text[at])];
            let hump =
                class == UPPER && at > start && CLASS[usize::from(text[at - 1])] & (LOWER | super::bytes::DIGIT) != 0;
            if class == LINE || hump {
                if from < at {
                    self.one(near, &text[from..at], at);
                }
                from = if class == LINE { at + 1 } else { at };
            }
        }
        if from < end {
            self.one(near, &text[from..end], end);
        }
        if from > start {
            // `accountnumber` stands for itself, too.
            self.one(near, &text[start..end], end);
        }
    }
}

impl Near {
    /// As if all that was said right before the text.
    pub(super) fn carrying(said: DetectorSet) -> Self {
        Self { latest: [(said, 0), (DetectorSet::NONE, 0)], ..Self::default() }
    }

    /// What was said within reach before a place.
    #[inline]
    pub(super) fn at(&self, start: usize) -> DetectorSet {
        let [(first, at), (second, before)] = self.latest;
        if at + REACH < start || first.is_empty() {
            return DetectorSet::NONE;
        }
        if before + REACH < start { first } else { first.union(second) }
    }
}

/// What the words of a field's name say: each word, and two that follow one another.
pub(super) fn of_name(name: &str) -> DetectorSet {
    let table: &Table = &TABLE;
    let words: Vec<Option<u16>> = parts(name).iter().map(|word| table.words.get(word.as_bytes()).copied()).collect();
    let single = words.iter().flatten().map(|id| table.single[usize::from(*id)]);
    let pairs = words.windows(2).filter_map(|pair| table.pairs.get(&(pair[0]?, pair[1]?)).copied());
    single.chain(pairs).fold(DetectorSet::NONE, DetectorSet::union)
}

/// A name in small letters, cut at whatever is no letter or digit and where capitals begin.
pub(in crate::comply) fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut before = ' ';
    for character in name.chars() {
        let begins = character.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit());
        if (begins || !character.is_alphanumeric()) && parts.last().is_some_and(|part| !part.is_empty()) {
            parts.push(String::new());
        }
        if character.is_alphanumeric()
            && let Some(part) = parts.last_mut()
        {
            part.extend(character.to_lowercase());
        }
        before = character;
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn names(name: &str, expected: &str) {
        let detector = detectors::ALL.iter().position(|d| d.name == expected).unwrap();
        assert!(of_name(name).contains(detector), "{name}: {expected}");
    }

    #[test]
    fn names_are_cut_into_words() {
        names("ssn", "us_ssn");
        names("customer.SSN", "us_ssn");
        names("customerSsn", "us_ssn");
        names("routing_number", "us_routing");
        names("routingNumber", "us_routing");
        names("Routing Number", "us_routing");
        names("card-number", "card_number");
        names("cardnumber", "card_number");
        names("CardNumber", "card_number");
        assert!(of_name("order_id").contains(CONTRARY));
        assert!(of_name("assn").is_empty() && of_name("").is_empty());
    }
}
