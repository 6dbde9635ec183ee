//! What is said of a key that values are protected with: what it is for, and what may still be done
//! with it. The bytes of keys stand elsewhere.

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal, $says:literal;)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant),* }

        impl $name {
            /// Every one, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word that is written and stored.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// What it means, one sentence.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $says),* }
            }

            /// The one with this word.
            pub fn of(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }
    };
}

words! {
    /// What a key is for. One key serves one purpose, so that no use of it weakens another.
    Purpose {
        /// Keyed tokens, digests and pseudonyms, which do not lead back.
        Token = "token", "Keyed tokens, digests and pseudonyms (HMAC-SHA-256), which do not lead back.";
        /// Encryption of which no two results are alike.
        Encrypt = "encrypt", "Encryption of which no two results are alike (XAES-256-GCM).";
        /// Encryption that keeps equality.
        Join = "join", "Encryption that keeps equality, for fields that are joined on (AES-SIV).";
        /// Encryption that keeps length and alphabet.
        Format = "format", "Encryption that keeps length and alphabet (FF1).";
        /// Random tokens that a vault in the state leads back from.
        Vault = "vault", "Random tokens that only the vault in the state leads back from.";
        /// Encryption under a key of each subject.
        Subject = "subject", "Encryption under a key for each subject, which erasing the subject destroys.";
        /// Fingerprints of what detectors find.
        Fingerprint = "fingerprint", "Fingerprints of what detectors find, which tell finds apart and do not lead back.";
    }
}

words! {
    /// What may still be done with a version of a key.
    KeyState {
        /// It protects and opens.
        Active = "active", "It protects new values and opens those it protected.";
        /// It opens only.
        Retired = "retired", "A newer one protects; it only opens what it protected.";
        /// It opens only, and should not have to.
        Compromised = "compromised", "Somebody else may know it; it only opens, so that values can be re-encrypted.";
        /// It is gone.
        Destroyed = "destroyed", "It is gone, and with it what was encrypted under it.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_back() {
        assert!(Purpose::ALL.iter().all(|one| Purpose::of(one.word()) == Some(*one) && one.about().ends_with('.')));
        assert!(KeyState::ALL.iter().all(|one| KeyState::of(one.word()) == Some(*one) && one.about().ends_with('.')));
        assert_eq!(Purpose::of("tokens"), None);
    }
}
