//! Signed notes (c2sp.org/signed-note): a text, and who signed it. Keys are Ed25519 (type 1), and for
//! witnesses Ed25519 with a time (type 4, c2sp.org/tlog-cosignature). Signatures by other keys and of
//! other types stand beside them and are left alone: room for a post-quantum line.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::chain::hex;

/// The most bytes of a note that is read: sixteen post-quantum signatures and a text.
pub const LONGEST: usize = 1 << 17;

/// What begins a signature line.
const MARK: &str = "\u{2014} ";

/// What a key signs: notes, or checkpoints as a witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Plain Ed25519 over the text.
    Note,
    /// A cosignature over a checkpoint, with its time.
    Cosignature,
}

impl Purpose {
    /// The byte that stands for it in key ids and in keys.
    fn byte(self) -> u8 {
        match self {
            Self::Note => 1,
            Self::Cosignature => 4,
        }
    }

    /// The bytes that are signed.
    fn message(self, text: &str, time: u64) -> Vec<u8> {
        match self {
            Self::Note => text.as_bytes().to_vec(),
            Self::Cosignature => format!("cosignature/v1\ntime {time}\n{text}").into_bytes(),
        }
    }
}

/// A public key with its name, as `name+id+key` in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifying {
    /// The name, which stands in signature lines.
    pub name: String,
    /// What it signs.
    pub purpose: Purpose,
    id: [u8; 4],
    key: VerifyingKey,
}

impl Verifying {
    fn new(name: &str, purpose: Purpose, key: VerifyingKey) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(name.as_bytes());
        hasher.update([b'\n', purpose.byte()]);
        hasher.update(key.as_bytes());
        let mut id = [0; 4];
        id.copy_from_slice(&hasher.finalize()[..4]);
        Self { name: name.to_string(), purpose, id, key }
    }

    /// The key of a log's notes, from its 32 bytes; `None` if they are no key.
    pub fn of_bytes(name: &str, bytes: &[u8; 32]) -> Option<Self> {
        Some(Self::new(name, Purpose::Note, VerifyingKey::from_bytes(bytes).ok()?))
    }

    /// Reads a key from its line.
    ///
    /// # Errors
    /// What is wrong with it, without a final period.
    pub fn read(line: &str) -> Result<Self, &'static str> {
        let line = line.trim();
        let mut parts = line.splitn(if line.contains('\n') { 1 } else { 3 }, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("a key has three parts with `+` between them");
        };
        if !is_name(name) {
            return Err("its name is empty or has white space in it");
        }
        let bytes = STANDARD.decode(key).map_err(|_| "its last part is not base64")?;
        let (purpose, key) = match bytes.split_first() {
            Some((1, key)) => (Purpose::Note, key),
            Some((4, key)) => (Purpose::Cosignature, key),
            _ => return Err("it is of another kind than Ed25519"),
        };
        let key = key.try_into().map_err(|_| "it does not have 32 bytes")?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| "it is no point of the curve")?;
        let made = Self::new(name, purpose, key);
        if hex(&made.id) == id { Ok(made) } else { Err("its id does not fit its name and bytes") }
    }

    /// The key as a line, without a line break.
    pub fn line(&self) -> String {
        let mut bytes = vec![self.purpose.byte()];
        bytes.extend_from_slice(self.key.as_bytes());
        format!("{}+{}+{}", self.name, hex(&self.id), STANDARD.encode(bytes))
    }

    /// The 32 bytes of the key itself.
    pub fn bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether this key made that signature line.
    fn is_named_by(&self, line: &Line) -> bool {
        line.id == self.id && line.name == self.name
    }

    fn check(&self, text: &str, signature: &[u8]) -> Option<u64> {
        let (time, signature) = match self.purpose {
            Purpose::Note => (0, signature),
            Purpose::Cosignature => {
                let (time, rest) = signature.split_first_chunk::<8>()?;
                (u64::from_be_bytes(*time), rest)
            }
        };
        let signature = Signature::from_bytes(signature.try_into().ok()?);
        self.key.verify_strict(&self.purpose.message(text, time), &signature).ok()?;
        Some(time)
    }
}

/// A private key with its name. Wiped from memory when dropped, never printed.
pub struct Signing {
    public: Verifying,
    key: SigningKey,
}

impl Signing {
    /// The key of these 32 random bytes.
    pub fn new(name: &str, purpose: Purpose, seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        Self { public: Verifying::new(name, purpose, key.verifying_key()), key }
    }

    /// Its public key.
    pub fn public(&self) -> &Verifying {
        &self.public
    }

    /// The signature line for a text, with its line break. `time` (seconds since 1970) is signed
    /// along in a cosignature and means nothing in a note.
    pub fn line(&self, text: &str, time: u64) -> String {
        let purpose = self.public.purpose;
        let mut bytes = self.public.id.to_vec();
        if purpose == Purpose::Cosignature {
            bytes.extend_from_slice(&time.to_be_bytes());
        }
        bytes.extend_from_slice(&self.key.sign(&purpose.message(text, time)).to_bytes());
        format!("{MARK}{} {}\n", self.public.name, STANDARD.encode(bytes))
    }

    /// A note of that text, signed by this key alone.
    pub fn note(&self, text: &str) -> String {
        format!("{text}\n{}", self.line(text, 0))
    }
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signing({})", self.public.name)
    }
}

/// A signature line as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whose it claims to be.
    pub name: String,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl Line {
    /// Reads one line without its line break.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(line: &str) -> Result<Self, &'static str> {
        let rest = line.strip_prefix(MARK).ok_or("a signature line begins with a long dash")?;
        let (name, bytes) = rest.split_once(' ').ok_or("a signature line has a name and a signature")?;
        if !is_name(name) {
            return Err("the name in a signature line is empty or has white space in it");
        }
        let bytes = STANDARD.decode(bytes).map_err(|_| "a signature is not base64")?;
        match bytes.split_first_chunk::<4>() {
            Some((id, signature)) if !signature.is_empty() => {
                Ok(Self { name: name.to_string(), id: *id, signature: signature.to_vec() })
            }
            _ => Err("a signature is too short"),
        }
    }

    /// The line again, with its line break.
    pub fn text(&self) -> String {
        let bytes = [&self.id[..], &self.signature].concat();
        format!("{MARK}{} {}\n", self.name, STANDARD.encode(bytes))
    }
}

/// A note as it was read: nothing of it is to be believed before [`Note::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What was signed, with its final line break.
    pub text: String,
    /// Who claims to have signed it.
    pub lines: Vec<Line>,
}

/// Who signed a note, of those who were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The name of the key.
    pub name: String,
    /// When, for a cosignature: seconds since 1970.
    pub time: Option<u64>,
}

impl Note {
    /// Reads a note.
    ///
    /// # Errors
    /// What is wrong with it, without a final period.
    pub fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.len() > LONGEST {
            return Err("it is too long");
        }
        let all = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
        if all.bytes().any(|byte| byte < 32 && byte != b'\n') {
            return Err("it has control characters in it");
        }
        let (text, lines) = all.rsplit_once("\n\n").ok_or("there is no empty line before signatures")?;
        let lines = lines.strip_suffix('\n').ok_or("its last line has no end")?;
        let lines = lines.split('\n').map(Line::read).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { text: format!("{text}\n"), lines })
    }

    /// Verifies the signatures of these keys; those of others are left alone. Returns who signed.
    ///
    /// # Errors
    /// A signature that names one of the keys is not by it, or none of them signed.
    pub fn check(&self, keys: &[Verifying]) -> Result<Vec<Signed>, &'static str> {
        let mut signed = Vec::new();
        for key in keys {
            for line in self.lines.iter().filter(|line| key.is_named_by(line)) {
                let time = key.check(&self.text, &line.signature).ok_or("a signature does not fit the text")?;
                let time = (key.purpose == Purpose::Cosignature).then_some(time);
                signed.push(Signed { name: key.name.clone(), time });
            }
        }
        let named = |line: &Line| keys.iter().any(|key| key.name == line.name);
        match signed.is_empty() {
            false => Ok(signed),
            true if self.lines.iter().any(named) => {
                Err("none of the known keys signed it, but another one of the same log: the key may have been replaced")
            }
            true => Err("none of the known keys signed it"),
        }
    }

    /// The note as it is written.
    pub fn whole(&self) -> String {
        let lines: String = self.lines.iter().map(Line::text).collect();
        format!("{}\n{lines}", self.text)
    }
}

/// The notes of a text that they were added to one after the other: each ends with its signatures.
pub fn notes(text: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = String::new();
    for line in text.split_inclusive('\n') {
        let signature = line.starts_with(MARK);
        if !signature && note.lines().last().is_some_and(|last| last.starts_with(MARK)) {
            notes.push(std::mem::take(&mut note));
        }
        note.push_str(line);
    }
    if !note.is_empty() {
        notes.push(note);
    }
    notes
}

/// Whether this may be the name of a key.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example of c2sp.org/signed-note.
    const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    #[test]
    fn the_example_of_the_specification_holds() {
        let key = Verifying::read(KEY).unwrap();
        assert_eq!(key.line(), KEY);
        let note = Note::read(NOTE.as_bytes()).unwrap();
        assert_eq!(note.whole(), NOTE);
        assert_eq!(note.check(std::slice::from_ref(&key)).unwrap()[0].name, "example.com/foo");
        let other = Signing::new("example.com/foo", Purpose::Note, &[3; 32]);
        assert!(note.check(&[other.public().clone()]).is_err(), "the same name, another key");
        for index in 0..NOTE.len() {
            let mut bytes = NOTE.as_bytes().to_vec();
            bytes[index] ^= 1;
            let held = Note::read(&bytes).is_ok_and(|note| note.check(std::slice::from_ref(&key)).is_ok());
            assert!(!held, "byte {index}");
        }
    }

    #[test]
    fn the_vectors_of_rfc_8032_hold() {
        // Section 7.1: secret key, public key, message, signature.
        let vectors = [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
                "72",
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            ),
        ];
        for (secret, public, message, signature) in vectors {
            let bytes = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
            let key = SigningKey::from_bytes(bytes(secret).as_slice().try_into().unwrap());
            assert_eq!(hex(key.verifying_key().as_bytes()), public);
            assert_eq!(hex(&key.sign(&bytes(message)).to_bytes()), signature);
        }
    }

    #[test]
    fn a_cosignature_signs_its_time() {
        let witness = Signing::new("witness.example/w1", Purpose::Cosignature, &[8; 32]);
        let log = Signing::new("log.example/1", Purpose::Note, &[9; 32]);
        let text = "log.example/1\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
        let mut note = Note::read(log.note(text).as_bytes()).unwrap();
        note.lines.push(Line::read(witness.line(text, 1_679_315_147).trim_end()).unwrap());
        let keys = [log.public().clone(), Verifying::read(&witness.public().line()).unwrap()];
        let signed = note.check(&keys).unwrap();
        assert_eq!((signed[0].time, signed[1].time), (None, Some(1_679_315_147)));
        note.lines[1].signature[7] ^= 1;
        assert!(note.check(&keys).is_err(), "another time");
        assert!(note.check(&keys[..1]).is_ok(), "whom we do not know is left alone");
    }

    #[test]
    fn what_is_no_key_or_note_is_refused() {
        for wrong in [
            "",
            "a",
            "a+b",
            "+530d903a+AekyeRrm",
            "a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
            "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        ] {
            assert!(Verifying::read(wrong).is_err(), "{wrong}");
        }
        for wrong in [
            "",
            "a\n",
            "a\n\n",
            "a\n\nb\n",
            "a\n\n\u{2014} k \n",
            "a\n\n\u{2014} k AAAA\n",
            "a\tb\n\n\u{2014} k AAAAAAAA\n",
            "a\n\n\u{2014} k AAAAAAAA",
        ] {
            assert!(Note::read(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
        assert_eq!(format!("{:?}", Signing::new("n", Purpose::Note, &[1; 32])), "Signing(n)");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::soak::rounds(100)))]
        #[test]
        fn no_garbage_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "(a|\n|\u{2014}| |\\+|AAAAAAAA|=){0,20}") {
            let _ = Note::read(&bytes).map(|note| note.whole());
            let _ = Verifying::read(&text);
            if let Ok(note) = Note::read(text.as_bytes()) {
                prop_assert_eq!(Note::read(note.whole().as_bytes()), Ok(note));
            }
        }
    }
}
