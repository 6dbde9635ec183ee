//! Checkpoints (c2sp.org/tlog-checkpoint) and proofs (c2sp.org/tlog-proof): what leaves the log so that
//! others can hold it to its past, or see that an event is in it, with a public key alone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::chain::{self, Hash};
use super::merkle;
use super::note::{Note, Signed, Verifying};

/// The first line of a proof.
const PROOF: &str = "c2sp.org/tlog-proof@v1";

/// The most hashes of a proof: a tree has no more levels.
const LEVELS: usize = 64;

/// What a checkpoint says: which log, how many events, and the root of the tree over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log.
    pub origin: String,
    /// How many events.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
    /// Lines that others may add; none of ours has any.
    pub extension: Vec<String>,
}

/// The origin of one of our logs: the name that stands in its checkpoints and signatures.
pub fn origin(log_id: &str) -> String {
    format!("consign/{log_id}")
}

impl Checkpoint {
    /// Of one of our logs.
    pub fn new(log_id: &str, size: u64, root: Hash) -> Self {
        Self { origin: origin(log_id), size, root, extension: Vec::new() }
    }

    /// Reads the text of a note.
    ///
    /// # Errors
    /// What is wrong with it, without a final period.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let lines = text.strip_suffix('\n').ok_or("its last line has no end")?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err("a checkpoint has three lines: origin, size, root");
        };
        let extension: Vec<String> = lines.map(str::to_string).collect();
        if origin.is_empty() || extension.iter().any(String::is_empty) {
            return Err("a line of it is empty");
        }
        let root = STANDARD.decode(root).ok().and_then(|bytes| bytes.try_into().ok());
        Ok(Self {
            origin: origin.to_string(),
            size: number(size).ok_or("its size is no whole number")?,
            root: root.ok_or("its root is not 32 bytes in base64")?,
            extension,
        })
    }

    /// The text that is signed.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root));
        for line in &self.extension {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Reads a signed checkpoint and verifies it with these keys.
    ///
    /// # Errors
    /// What is wrong with it, without a final period.
    pub fn signed(bytes: &[u8], keys: &[Verifying]) -> Result<(Self, Vec<Signed>), &'static str> {
        let note = Note::read(bytes)?;
        let signed = note.check(keys)?;
        Ok((Self::read(&note.text)?, signed))
    }
}

/// The proof that an event is in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The event's body, where the proof brings it along.
    pub body: Option<Vec<u8>>,
    /// The event's place, counted from 0.
    pub index: u64,
    /// From the leaf's sibling up.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, as it was written.
    pub checkpoint: String,
}

impl Proof {
    /// Reads a proof.
    ///
    /// # Errors
    /// What is wrong with it, without a final period.
    pub fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
        let (top, checkpoint) = text.split_once("\n\n").ok_or("it has no checkpoint")?;
        let mut lines = top.split('\n').peekable();
        if lines.next() != Some(PROOF) {
            return Err("its first line is not `c2sp.org/tlog-proof@v1`");
        }
        let body = match lines.next_if(|line| line.starts_with("extra ")) {
            None => None,
            Some(line) => Some(STANDARD.decode(&line["extra ".len()..]).map_err(|_| "its extra data is not base64")?),
        };
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(number);
        let index = index.ok_or("it does not say the index")?;
        let hash = |line| STANDARD.decode(line).ok().and_then(|bytes: Vec<u8>| bytes.try_into().ok());
        let hashes: Option<Vec<Hash>> = lines.map(hash).collect();
        let hashes = hashes.filter(|all| all.len() <= LEVELS).ok_or("a hash is not 32 bytes in base64")?;
        Ok(Self { body, index, hashes, checkpoint: checkpoint.to_string() })
    }

    /// The proof as it is written.
    pub fn text(&self) -> String {
        let mut text = format!("{PROOF}\n");
        if let Some(body) = &self.body {
            text.push_str(&format!("extra {}\n", STANDARD.encode(body)));
        }
        text.push_str(&format!("index {}\n", self.index));
        for hash in &self.hashes {
            text.push_str(&STANDARD.encode(hash));
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&self.checkpoint);
        text
    }

    /// Verifies that the event with this body is in the log that one of the keys signed for.
    ///
    /// # Errors
    /// What does not fit, without a final period.
    pub fn check(&self, body: &[u8], keys: &[Verifying]) -> Result<(Checkpoint, Vec<Signed>), &'static str> {
        let (checkpoint, signed) = Checkpoint::signed(self.checkpoint.as_bytes(), keys)?;
        merkle::check_inclusion(self.index, checkpoint.size, &chain::leaf(body), &self.hashes, &checkpoint.root)?;
        // Whoever signed must be the log itself: a witness alone says nothing of what is in it.
        if !signed.iter().any(|signed| signed.name == checkpoint.origin && signed.time.is_none()) {
            return Err("the log itself did not sign it");
        }
        Ok((checkpoint, signed))
    }
}

/// Digits without a sign and without zeros in front.
pub(crate) fn number(text: &str) -> Option<u64> {
    let plain = text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::note::{Purpose, Signing};
    use proptest::prelude::*;

    fn made() -> (Proof, Vec<u8>, Verifying) {
        let bodies: Vec<Vec<u8>> = (0..11u8).map(|n| vec![n; 40]).collect();
        let leaves: Vec<Hash> = bodies.iter().map(|body| chain::leaf(body)).collect();
        let root = merkle::root_at(11, &leaves[..]).unwrap();
        let signing = Signing::new(&origin("log"), Purpose::Note, &[5; 32]);
        let checkpoint = signing.note(&Checkpoint::new("log", 11, root).text());
        let hashes = merkle::inclusion(6, 11, &leaves[..]).unwrap();
        let proof = Proof { body: Some(bodies[6].clone()), index: 6, hashes, checkpoint };
        (proof, bodies[6].clone(), signing.public().clone())
    }

    #[test]
    fn a_proof_holds_for_its_event_and_no_other() {
        let (proof, body, key) = made();
        let text = proof.text();
        let read = Proof::read(text.as_bytes()).unwrap();
        assert_eq!((&read, read.text()), (&proof, text.clone()));
        let (checkpoint, _) = read.check(&body, std::slice::from_ref(&key)).unwrap();
        assert_eq!((checkpoint.size, checkpoint.origin.as_str()), (11, "consign/log"));
        assert!(read.check(&body[1..], std::slice::from_ref(&key)).is_err());
        for index in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[index] ^= 1;
            let held = Proof::read(&bytes).is_ok_and(|proof| {
                let body = proof.body.clone().unwrap_or_default();
                proof.check(&body, std::slice::from_ref(&key)).is_ok()
            });
            assert!(!held, "byte {index}");
        }
    }

    #[test]
    fn what_is_no_checkpoint_is_refused() {
        let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
        let good = format!("a\n20852163\n{root}\n");
        assert_eq!(Checkpoint::read(&good).unwrap().text(), good);
        let more = format!("{good}more\n");
        assert_eq!(Checkpoint::read(&more).unwrap().text(), more);
        for wrong in [
            "",
            "a\n",
            "a\n1\n",
            &format!("a\n01\n{root}\n"),
            &format!("a\n+1\n{root}\n"),
            &format!("a\n-1\n{root}\n"),
            &format!("\n1\n{root}\n"),
            &format!("a\n1\n{}\n", &root[4..]),
            &format!("a\n1\n{root}"),
            &format!("{good}\nx\n"),
            &format!("a\n99999999999999999999\n{root}\n"),
        ] {
            assert!(Checkpoint::read(wrong).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::soak::rounds(100)))]
        #[test]
        fn no_garbage_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), lines in prop::collection::vec("(extra |index )?[0-9A-Za-z+/=]{0,44}", 0..6)) {
            let _ = Proof::read(&bytes);
            let text = format!("{PROOF}\n{}\n\nx\n", lines.join("\n"));
            if let Ok(proof) = Proof::read(text.as_bytes()) {
                prop_assert_eq!(Proof::read(proof.text().as_bytes()), Ok(proof));
            }
            let _ = Checkpoint::read(&lines.join("\n"));
        }
    }
}
