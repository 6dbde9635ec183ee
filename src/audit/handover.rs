//! Handing over: the note by which the key that signed the checkpoints of a log so far says which key does from
//! now on. Both sign it: the old one so that whoever trusts it trusts the new one, the new one to show that it
//! is somebody's.

use super::note::{Note, Signing, Verifying};

/// The first line of such a note.
const FIRST: &str = "consign.dev/audit-handover/1";

/// The note by which one key hands over to another.
pub fn note(old: &Signing, new: &Signing) -> String {
    let text = format!("{FIRST}\nfrom {}\nto {}\n", old.public().line(), new.public().line());
    format!("{text}\n{}{}", old.line(&text, 0), new.line(&text, 0))
}

/// Who hands over to whom by this note.
///
/// # Errors
/// What is wrong with it, without a final period.
pub fn read(note: &[u8]) -> Result<(Verifying, Verifying), &'static str> {
    let note = Note::read(note)?;
    let mut lines = note.text.lines();
    if lines.next() != Some(FIRST) {
        return Err("it hands nothing over");
    }
    let mut key = |word: &str| lines.next().and_then(|line| line.strip_prefix(word)).ok_or("it does not name two keys");
    let (old, new) = (Verifying::read(key("from ")?)?, Verifying::read(key("to ")?)?);
    if old.name != new.name || old.purpose != new.purpose {
        return Err("the keys are not of one log");
    }
    for key in [&old, &new] {
        note.check(std::slice::from_ref(key))?;
    }
    Ok((old, new))
}

/// These keys and those that they handed over to, directly or through others.
pub fn follow(mut keys: Vec<Verifying>, handovers: &[(Verifying, Verifying)]) -> Vec<Verifying> {
    let mut before = 0;
    while before < keys.len() {
        before = keys.len();
        for (old, new) in handovers {
            if keys.contains(old) && !keys.contains(new) {
                keys.push(new.clone());
            }
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::note::{Purpose, notes};

    fn key(seed: u8) -> Signing {
        Signing::new("consign/log", Purpose::Note, &[seed; 32])
    }

    #[test]
    fn trust_goes_from_key_to_key_and_to_no_other() {
        let (first, second, third) = (key(1), key(2), key(3));
        let text = format!("{}{}", note(&first, &second), note(&second, &third));
        let notes = notes(&text);
        assert_eq!(notes.len(), 2);
        let handovers: Vec<_> = notes.iter().map(|note| read(note.as_bytes()).unwrap()).collect();
        let public = |key: &Signing| key.public().clone();
        assert_eq!(follow(vec![public(&first)], &handovers), [public(&first), public(&second), public(&third)]);
        assert_eq!(follow(vec![public(&second)], &handovers), [public(&second), public(&third)], "never back");
        assert_eq!(follow(vec![public(&third)], &handovers).len(), 1);
        assert_eq!(follow(vec![public(&key(9))], &handovers).len(), 1);
    }

    #[test]
    fn no_byte_of_a_handover_can_be_changed() {
        let good = note(&key(1), &key(2));
        let (old, new) = read(good.as_bytes()).unwrap();
        assert_eq!((&old, &new), (key(1).public(), key(2).public()));
        for index in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[index] ^= 1;
            assert!(read(&bytes).is_err(), "byte {index}");
        }
        // Only one of the two signed it.
        let lines: Vec<&str> = good.lines().collect();
        for left in [4, 5] {
            let one: Vec<&str> =
                lines.iter().enumerate().filter(|(at, _)| *at != left).map(|(_, line)| *line).collect();
            assert!(read((one.join("\n") + "\n").as_bytes()).is_err());
        }
        let other = Signing::new("consign/other", Purpose::Note, &[2; 32]);
        assert!(read(note(&key(1), &other).as_bytes()).is_err(), "another log");
    }
}
