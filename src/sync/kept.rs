//! What is kept of a group beside its intent, for targets that cannot tell what they were given: the
//! encoded records, the counts, and what to tell of records that do not make it. With it a group is
//! brought to its end without its source and its mapping.
//!
//! The form is one version's own and is read by later ones: a version, then fields in a fixed order;
//! numbers are little-endian and of 64 bits, texts and bytes have their length before them.

use crate::connect::Batch;
use crate::error::codes;
use crate::record::{ClassId, ClassSet, Reject, Totals};

use super::refused::Origins;

/// The version of the form.
const VERSION: u64 = 3;
/// From which version on the people of records are kept.
const WITH_SUBJECTS: u64 = 3;

/// Whom a group is about.
pub struct Whose<'w> {
    /// Hashed keys of records and people.
    pub about: &'w [u128],
    /// Those of people whose records were kept back, and the codes of the reasons.
    pub kept_back: &'w [(u128, &'static str)],
}

/// A group that was sent and not settled.
pub struct Kept {
    /// How its requests are made ([`crate::connect::Sink::keeps_requests`]).
    pub recipe: String,
    /// The records, encoded.
    pub batches: Vec<Batch>,
    /// The counts, but for what became of the records.
    pub totals: Totals,
    /// Records that the mapping rejected.
    pub rejects: Vec<Reject>,
    /// What the records were read from.
    pub origins: Vec<Origins>,
    /// Keys of records whose older dead letters are superseded.
    pub overtaking: Vec<u128>,
    /// Hashed keys of records and people; a group kept by version 1 knows none.
    pub about: Vec<u128>,
    /// Those of people whose records were kept back, and the codes of the reasons.
    pub kept_back: Vec<(u128, &'static str)>,
}

/// Stores a group.
pub fn store(
    recipe: &str,
    batches: &[Batch],
    totals: &Totals,
    rejects: &[Reject],
    origins: &[Origins],
    overtaking: &[u128],
    whose: &Whose<'_>,
) -> Vec<u8> {
    let size: usize = batches.iter().map(|batch| batch.bytes.len() * 2 + 1024).sum();
    let mut out = Writer(Vec::with_capacity(size));
    out.number(VERSION);
    out.text(recipe);
    out.number(batches.len() as u64);
    for batch in batches {
        out.bytes(&batch.bytes);
        out.number(batch.records);
    }
    out.text(&serde_json::to_string(totals).unwrap_or_default());
    out.number(rejects.len() as u64);
    for reject in rejects {
        out.text(reject.code);
        out.text(&reject.cause);
        out.number(u64::from(reject.field.is_some()));
        out.text(reject.field.as_deref().unwrap_or_default());
        out.text(&reject.source);
        out.text(&reject.slice);
        for number in [reject.byte, reject.line, reject.record, u64::from(reject.column), u64::from(reject.overtaken)] {
            out.number(number);
        }
        out.bytes(&reject.payload);
        out.number(reject.columns.len() as u64);
        reject.columns.iter().for_each(|column| out.text(column));
        out.classes(reject.classes);
        out.key(reject.record_key);
        out.key(reject.subject.map(u128::from_be_bytes));
    }
    out.number(origins.len() as u64);
    origins.iter().for_each(|origins| origins.store(&mut out));
    out.number(overtaking.len() as u64);
    overtaking.iter().for_each(|key| out.key(Some(*key)));
    out.number(whose.about.len() as u64);
    whose.about.iter().for_each(|key| out.key(Some(*key)));
    out.number(whose.kept_back.len() as u64);
    for (person, code) in whose.kept_back {
        out.key(Some(*person));
        out.text(code);
    }
    out.0
}

/// The group again; `None`: it is not whole, or of a later version.
pub fn restore(bytes: &[u8]) -> Option<Kept> {
    let from = &mut Reader(bytes);
    let version = from.number()?;
    if !(1..=VERSION).contains(&version) {
        return None;
    }
    let with_subjects = version >= WITH_SUBJECTS;
    let recipe = from.text()?;
    let mut batches = Vec::new();
    for _ in 0..from.number()? {
        batches.push(Batch { bytes: from.bytes()?.to_vec(), records: from.number()?, ..Batch::default() });
    }
    let totals = serde_json::from_str(&from.text()?).ok()?;
    let mut rejects = Vec::new();
    for _ in 0..from.number()? {
        let code = from.text()?;
        let cause = from.text()?;
        let has_field = from.number()? == 1;
        rejects.push(Reject {
            code: codes::all().find(|known| known.id == code).map_or(codes::sync::PARKED.id, |known| known.id),
            cause,
            field: Some(from.text()?).filter(|_| has_field),
            source: from.text()?,
            slice: from.text()?,
            byte: from.number()?,
            line: from.number()?,
            record: from.number()?,
            column: from.number()? as u32,
            overtaken: from.number()? == 1,
            payload: from.bytes()?.to_vec(),
            columns: (0..from.number()?).map(|_| from.text()).collect::<Option<_>>()?,
            classes: from.classes()?,
            record_key: from.key()?,
            subject: if with_subjects { from.key()?.map(u128::to_be_bytes) } else { None },
        });
    }
    let mut origins = Vec::new();
    for _ in 0..from.number()? {
        origins.push(Origins::restore(from, with_subjects)?);
    }
    let mut overtaking = Vec::new();
    for _ in 0..from.number()? {
        overtaking.push(from.key()??);
    }
    let (mut about, mut kept_back) = (Vec::new(), Vec::new());
    if version > 1 {
        for _ in 0..from.number()? {
            about.push(from.key()??);
        }
        for _ in 0..from.number()? {
            let (person, code) = (from.key()??, from.text()?);
            kept_back.extend(codes::all().find(|known| known.id == code).map(|known| (person, known.id)));
        }
    }
    from.0.is_empty().then_some(Kept { recipe, batches, totals, rejects, origins, overtaking, about, kept_back })
}

/// Writes the fields.
pub struct Writer(Vec<u8>);

impl Writer {
    /// A number.
    pub fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// Bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// Text.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Classes of data, by their names.
    pub fn classes(&mut self, classes: ClassSet) {
        self.text(&classes.to_string());
    }

    /// The hash of a key, if there is one.
    pub fn key(&mut self, key: Option<u128>) {
        self.0.push(u8::from(key.is_some()));
        self.0.extend_from_slice(&key.unwrap_or_default().to_le_bytes());
    }
}

/// Reads the fields; `None`: there is less than there should be.
pub struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number.
    pub fn number(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    /// Bytes.
    pub fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        self.take(length)
    }

    /// Text.
    pub fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
    }

    /// Classes of data.
    pub fn classes(&mut self) -> Option<ClassSet> {
        Some(self.text()?.split(", ").filter_map(ClassId::named).collect())
    }

    /// The hash of a key, if there is one.
    pub fn key(&mut self) -> Option<Option<u128>> {
        let there = self.take(1)? == [1];
        let key = u128::from_le_bytes(self.take(16)?.try_into().ok()?);
        Some(there.then_some(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Part;
    use crate::record::{Position, Receipt, Refusal, Row};
    use std::sync::Arc;

    fn sample() -> Vec<u8> {
        let part = Part {
            sequence: 0,
            slice: "s".into(),
            name: "a.csv".into(),
            header: Arc::default(),
            bytes: b"aabb".to_vec(),
            start: Position { byte: 100, line: 10, ..Position::default() },
            end: Position::default(),
            last_of_slice: false,
        };
        let mut origins = Origins::of(&part, ["pii.email"].iter().filter_map(|name| ClassId::named(name)).collect());
        for (index, key) in [(0, Some(7)), (1, None)] {
            let at = index as usize * 2;
            origins.keep(
                &part,
                &Row { slots: &[], raw: &part.bytes[at..at + 2], index, line: index },
                (key, None),
                at,
                false,
            );
        }
        Origins::share(part, std::iter::once(&mut origins));
        let reject = Reject {
            code: codes::connect::CONSTRAINT.id,
            cause: "no".into(),
            field: None,
            source: "a".into(),
            slice: "s".into(),
            byte: 1,
            line: 2,
            record: 3,
            column: 4,
            payload: b"x".to_vec(),
            columns: vec!["c".into()],
            classes: ClassSet::NONE,
            record_key: Some(u128::MAX),
            overtaken: true,
            subject: Some([9; 16]),
        };
        let batch = Batch { bytes: b"{}".to_vec(), records: 2, ..Batch::default() };
        let totals = Totals { read: 3, mapped: 2, rejected: 1, produced: 2, ..Totals::default() };
        store(
            "{}",
            &[batch],
            &totals,
            &[reject],
            &[origins],
            &[1, 2],
            &Whose { about: &[8], kept_back: &[(9, codes::comply::ERASED.id)] },
        )
    }

    #[test]
    fn a_group_comes_back_as_it_was_kept() {
        let kept = restore(&sample()).unwrap();
        assert_eq!((kept.recipe.as_str(), kept.batches[0].records, &*kept.batches[0].bytes), ("{}", 2, &b"{}"[..]));
        assert_eq!((kept.totals.read, kept.overtaking), (3, vec![1, 2]));
        assert_eq!((kept.about, kept.kept_back), (vec![8], vec![(9, codes::comply::ERASED.id)]));
        assert_eq!(
            (kept.rejects[0].code, kept.rejects[0].record_key),
            (codes::connect::CONSTRAINT.id, Some(u128::MAX))
        );
        let refusal = Refusal { record: 1, cause: "lost".into(), field: None, doubt: true };
        let receipt = Receipt { refusals: vec![refusal], in_doubt: 1, ..Receipt::default() };
        let letters = super::super::refused::letters(&kept.origins, &receipt);
        let told: Vec<_> = letters.iter().map(|l| (l.payload.as_slice(), l.code, l.byte, l.record, l.line)).collect();
        assert_eq!(told, [(&b"bb"[..], codes::sync::PARKED.id, 102, 2, 12)]);
        assert!(!letters[0].classes.is_empty());
    }

    #[test]
    fn what_is_cut_or_altered_is_never_misread_as_whole() {
        let whole = sample();
        for end in 0..whole.len() {
            assert!(restore(&whole[..end]).is_none(), "{end}");
        }
        for at in 0..whole.len() {
            let mut altered = whole.clone();
            altered[at] ^= 0xff;
            // It must not panic or ask for memory that it has no bytes for.
            drop(restore(&altered));
        }
    }
}
