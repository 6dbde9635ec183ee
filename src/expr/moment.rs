//! When and where a record is read: what seeded values are made of.

use crate::record::Timestamp;

/// The moment of a run and the place of a record.
///
/// Seeded values (`uuid4()`, `random_int(…)`) are made of the place and the bytes of the record and of
/// nothing that another reading would change. So the record gives the same values when its dead
/// letter is replayed, and when it is read again since a run was killed: a target that was written
/// to already sees the same record, not a second one.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'o> {
    /// The fixed time of the run.
    pub run: Timestamp,
    /// The id of the slice the record is in.
    pub slice: &'o str,
    /// The slice as a person names it: a path, a table.
    pub source: &'o str,
    /// Byte of the record's beginning in its slice.
    pub byte: u64,
    /// Its line there, from 1; 0 if it has none.
    pub line: u64,
    /// Its bytes as read.
    pub raw: &'o [u8],
    /// The secret of the state, so that nobody else can tell a seeded value from a record.
    pub secret: [u8; 16],
    /// Which element of the record is being made, where one record gives many.
    pub element: u64,
}

impl From<Timestamp> for Moment<'static> {
    /// The moment of a run, without a place.
    fn from(run: Timestamp) -> Self {
        Self { run, slice: "", source: "", byte: 0, line: 0, raw: b"", secret: [0; 16], element: 0 }
    }
}

/// Where one evaluation draws its seeded values from.
#[derive(Clone, Copy, Debug)]
pub struct Seed<'c> {
    /// Where the record stands.
    pub moment: &'c Moment<'c>,
    /// Tells the expressions of a mapping apart.
    pub salt: u64,
    /// How many values this evaluation has drawn.
    pub drawn: &'c std::cell::Cell<u64>,
}

impl Seed<'_> {
    /// The next bytes. The same record, expression and count give the same ones.
    pub fn draw(&self) -> [u8; 32] {
        let count = self.drawn.get();
        self.drawn.set(count + 1);
        let mut key = [0; 32];
        key[..16].copy_from_slice(&self.moment.secret);
        let mut hasher = blake3::Hasher::new_keyed(&key);
        hasher.update(&(self.moment.slice.len() as u64).to_le_bytes());
        hasher.update(self.moment.slice.as_bytes());
        for number in [self.moment.byte, self.moment.element, self.salt, count] {
            hasher.update(&number.to_le_bytes());
        }
        hasher.update(self.moment.raw);
        *hasher.finalize().as_bytes()
    }
}
