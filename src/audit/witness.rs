//! What a witness does (c2sp.org/tlog-witness): it keeps the last checkpoint that it saw of each log and
//! cosigns a later one only if that holds the earlier one unchanged. Pure; the caller keeps and carries.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::chain::Hash;
use super::checkpoint::{Checkpoint, number};
use super::merkle;
use super::note::{Note, Signing, Verifying};

/// The most hashes of a request.
const MOST_HASHES: usize = 63;

/// What a log asks of a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The size that the log believes the witness saw last.
    pub old: u64,
    /// That the new tree holds the old one.
    pub proof: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let (top, checkpoint) = text.split_once("\n\n").ok_or("it has no checkpoint")?;
        let mut lines = top.split('\n');
        let old =
            lines.next().and_then(|line| line.strip_prefix("old ")).and_then(number).ok_or("it has no old size")?;
        let hash = |line| STANDARD.decode(line).ok().and_then(|bytes: Vec<u8>| bytes.try_into().ok());
        let proof: Option<Vec<Hash>> = lines.map(hash).collect();
        let proof = proof.filter(|all| all.len() <= MOST_HASHES).ok_or("a hash is not 32 bytes in base64")?;
        Ok(Self { old, proof, checkpoint: checkpoint.to_string() })
    }

    /// The request as it is sent.
    pub fn text(&self) -> String {
        let hashes: String = self.proof.iter().map(|hash| STANDARD.encode(hash) + "\n").collect();
        format!("old {}\n{hashes}\n{}", self.old, self.checkpoint)
    }
}

/// What a witness answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The signature line, and the checkpoint that must be kept before it is sent.
    Cosigned(String, String),
    /// It is no request (400).
    Malformed(&'static str),
    /// The log is not known (404).
    Unknown,
    /// The log's key did not sign it (403).
    NotSigned(&'static str),
    /// Another size was seen last (409).
    Seen(u64),
    /// The new tree does not hold the old one (422).
    Inconsistent(&'static str),
}

impl Verdict {
    /// The status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::Cosigned(..) => 200,
            Self::Malformed(_) => 400,
            Self::Unknown => 404,
            Self::NotSigned(_) => 403,
            Self::Seen(_) => 409,
            Self::Inconsistent(_) => 422,
        }
    }
}

/// Judges a request. `kept` gives the checkpoint that was cosigned last of a log by its origin.
pub fn judge(
    text: &str,
    logs: &[Verifying],
    kept: impl FnOnce(&str) -> Option<String>,
    witness: &Signing,
    time: u64,
) -> Verdict {
    let request = match Request::read(text) {
        Ok(request) => request,
        Err(what) => return Verdict::Malformed(what),
    };
    let note = match Note::read(request.checkpoint.as_bytes()) {
        Ok(note) => note,
        Err(what) => return Verdict::Malformed(what),
    };
    let checkpoint = match Checkpoint::read(&note.text) {
        Ok(checkpoint) => checkpoint,
        Err(what) => return Verdict::Malformed(what),
    };
    let keys: Vec<Verifying> = logs.iter().filter(|key| key.name == checkpoint.origin).cloned().collect();
    if keys.is_empty() {
        return Verdict::Unknown;
    }
    if let Err(what) = note.check(&keys) {
        return Verdict::NotSigned(what);
    }
    if request.old > checkpoint.size {
        return Verdict::Malformed("the old size is more than the new one");
    }
    let last = kept(&checkpoint.origin).and_then(|text| Checkpoint::read(&Note::read(text.as_bytes()).ok()?.text).ok());
    let seen = last.as_ref().map_or(0, |last| last.size);
    if request.old != seen {
        return Verdict::Seen(seen);
    }
    let empty = checkpoint.size == 0 && checkpoint.root != merkle::empty_root();
    let held = match &last {
        _ if empty => Err("a tree without leaves has another root"),
        Some(last) if last.size > 0 => {
            merkle::check_consistency(last.size, checkpoint.size, &last.root, &checkpoint.root, &request.proof)
        }
        _ if request.proof.is_empty() => Ok(()),
        _ => Err("nothing was seen before, and there is a proof"),
    };
    if let Err(what) = held {
        return Verdict::Inconsistent(what);
    }
    let line = witness.line(&note.text, time);
    // Of other signatures only those of the log itself are kept.
    let by_log = note.lines.iter().filter(|line| keys.iter().any(|key| key.name == line.name));
    let lines: String = by_log.map(super::note::Line::text).collect();
    Verdict::Cosigned(line.clone(), format!("{}\n{lines}{line}", note.text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::chain;
    use crate::audit::note::Purpose;

    fn leaves(seed: u8, count: u8) -> Vec<Hash> {
        (0..count).map(|n| chain::leaf(&[seed, n])).collect()
    }

    fn signed(log: &Signing, leaves: &[Hash], size: u64) -> String {
        let root = merkle::root_at(size, leaves).unwrap();
        log.note(&Checkpoint { origin: log.public().name.clone(), size, root, extension: Vec::new() }.text())
    }

    #[test]
    fn a_witness_cosigns_what_grows_and_nothing_else() {
        let log = Signing::new("log.example/1", Purpose::Note, &[1; 32]);
        let other = Signing::new("log.example/1", Purpose::Note, &[2; 32]);
        let witness = Signing::new("w.example/1", Purpose::Cosignature, &[3; 32]);
        let (mine, fork) = (leaves(0, 20), leaves(9, 20));
        let keys = [log.public().clone()];
        let ask = |old: u64, from: &[Hash], by: &Signing, size: u64, kept: Option<&String>| {
            let proof = if old == 0 { Vec::new() } else { merkle::consistency(old, size, from).unwrap() };
            let request = Request { old, proof, checkpoint: signed(by, from, size) };
            assert_eq!(Request::read(&request.text()), Ok(request.clone()));
            judge(&request.text(), &keys, |_| kept.cloned(), &witness, 77)
        };
        let Verdict::Cosigned(line, kept) = ask(0, &mine, &log, 5, None) else { panic!("first") };
        assert!(kept.ends_with(&line));
        let both = [log.public().clone(), witness.public().clone()];
        let (checkpoint, by) = Checkpoint::signed(kept.as_bytes(), &both).unwrap();
        assert_eq!((checkpoint.size, by[1].time), (5, Some(77)));
        let kept = Some(&kept);
        assert!(matches!(ask(5, &mine, &log, 17, kept), Verdict::Cosigned(..)));
        assert!(matches!(ask(5, &mine, &log, 5, kept), Verdict::Cosigned(..)));
        assert_eq!(ask(0, &mine, &log, 17, kept), Verdict::Seen(5));
        assert_eq!(ask(4, &mine, &log, 17, kept), Verdict::Seen(5));
        assert_eq!(ask(5, &fork, &log, 17, kept).status(), 422);
        assert_eq!(ask(5, &fork, &log, 5, kept).status(), 422);
        assert_eq!(ask(5, &mine, &other, 17, kept).status(), 403);
        let stranger = Signing::new("log.example/2", Purpose::Note, &[1; 32]);
        assert_eq!(ask(0, &mine, &stranger, 5, None), Verdict::Unknown);
        assert_eq!(judge("old 5\n\n", &keys, |_| None, &witness, 1).status(), 400);
        assert_eq!(judge("", &keys, |_| None, &witness, 1).status(), 400);
    }
}
