//! Names of people: a guess at their parts, for names as Europe and America write them.

use super::{Call, Failure};

/// Words before a name, without points and in small letters.
const TITLES: &[&str] = &[
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "dr",
    "prof",
    "professor",
    "sir",
    "dame",
    "lord",
    "lady",
    "rev",
    "hon",
    "capt",
    "herr",
    "frau",
    "hr",
    "fru",
    "ing",
    "dipl-ing",
    "mag",
    "mme",
    "mlle",
    "sr",
    "sra",
    "srta",
    "doña",
    "sig",
    "sigra",
    "dott",
    "dottssa",
    "avv",
    "dhr",
    "mevr",
];
/// Words behind a name.
const SUFFIXES: &[&str] = &[
    "jr", "sr", "junior", "senior", "ii", "iii", "iv", "phd", "md", "dds", "esq", "cpa", "rn", "mba", "msc", "bsc",
    "jd", "dvm", "obe", "mbe", "cbe",
];
/// Small words that begin a family name.
const PARTICLES: &[&str] = &[
    "van", "von", "der", "den", "de", "del", "della", "di", "da", "dos", "das", "do", "du", "des", "la", "le", "ten",
    "ter", "zu", "zum", "zur", "vom", "af", "av", "bin", "ibn", "al", "el", "y", "e",
];

/// Prefix, given name, middle names, family name, suffix: each the words of it.
///
/// # Errors
/// If the evaluation takes more memory than it may.
pub(super) fn split<'a>(text: &'a str, call: &Call<'_, '_>) -> Result<[Vec<&'a str>; 5], Failure> {
    call.spend(text.len().saturating_mul(8))?;
    let mut pieces: Vec<Vec<&str>> = text
        .split(',')
        .map(|piece| piece.split_whitespace().collect())
        .filter(|piece: &Vec<&str>| !piece.is_empty())
        .collect();
    let mut suffix = Vec::new();
    // Behind a comma stand suffixes, or else the given names.
    while pieces.len() > 1 && pieces.last().is_some_and(|piece| piece.iter().all(|word| is(SUFFIXES, word))) {
        suffix.splice(0..0, pieces.pop().unwrap_or_default());
    }
    let mut pieces = pieces.into_iter();
    let (mut words, turned) = match (pieces.next(), pieces.next()) {
        (None, _) => return Ok([vec![], vec![], vec![], vec![], suffix]),
        (Some(words), None) => (words, None),
        (Some(family), Some(rest)) => (rest, Some(family)),
    };
    let mut prefix = Vec::new();
    while words.len() > 1 && words.first().is_some_and(|word| is(TITLES, word)) {
        prefix.push(words.remove(0));
    }
    if let Some(mut family) = turned {
        while family.len() > 1 && family.first().is_some_and(|word| is(TITLES, word)) {
            prefix.push(family.remove(0));
        }
        while words.len() > 1 && words.last().is_some_and(|word| is(SUFFIXES, word)) {
            suffix.splice(0..0, words.pop());
        }
        // "Berg, Anna van der": the particles belong to the family name.
        while words.len() > 1 && words.last().is_some_and(|word| is_particle(word)) {
            family.splice(0..0, words.pop());
        }
        let middle = words.split_off(1.min(words.len()));
        return Ok([prefix, words, middle, family, suffix]);
    }
    while words.len() > 2 && words.last().is_some_and(|word| is(SUFFIXES, word)) {
        suffix.splice(0..0, words.pop());
    }
    if words.len() < 2 {
        // After a title one word is a family name: "Dr. Berg".
        return Ok(match prefix.is_empty() {
            true => [prefix, words, vec![], vec![], suffix],
            false => [prefix, vec![], vec![], words, suffix],
        });
    }
    let particle = words.iter().skip(1).position(|word| is_particle(word)).map(|at| at + 1);
    let family_from = particle.filter(|at| at + 1 < words.len()).unwrap_or(words.len() - 1);
    let family = words.split_off(family_from);
    let middle = words.split_off(1);
    Ok([prefix, words, middle, family, suffix])
}

/// Words with single spaces between them.
///
/// # Errors
/// If the evaluation takes more memory than it may.
pub(super) fn joined<'a>(words: &[&'a str], call: &Call<'_, 'a>) -> Result<&'a str, Failure> {
    if let [one] = words {
        return Ok(one);
    }
    let mut out = call.text(words.iter().map(|word| word.len() + 1).sum())?;
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        out.push_str(word);
    }
    Ok(out.into_bump_str())
}

/// Appends a word with its capital; a small word stays small unless it is the first.
pub(super) fn capitalise(word: &str, first: bool, out: &mut bumpalo::collections::String<'_>) {
    let lower = word.to_lowercase();
    if !first && PARTICLES.contains(&lower.as_str()) {
        out.push_str(&lower);
        return;
    }
    let mut capital = true;
    let mut begun = 0;
    for (at, character) in lower.char_indices() {
        let so_far = &lower[begun..at];
        capital |= so_far == "mc" && lower[at..].chars().count() > 2;
        capital |= matches!(so_far, "o'" | "o\u{2019}" | "d'" | "d\u{2019}");
        if capital {
            out.extend(character.to_uppercase());
        } else {
            out.push(character);
        }
        capital = character == '-';
        if capital {
            begun = at + 1;
        }
    }
}

fn is(list: &[&str], word: &str) -> bool {
    let plain: String = word.chars().filter(|character| *character != '.').flat_map(char::to_lowercase).collect();
    list.contains(&plain.as_str())
}

/// A particle is written small, or it is a name: "Van" is one.
fn is_particle(word: &str) -> bool {
    // In a name in capitals "VAN DER" are particles still, and "E" is an initial.
    let shouted = word.len() > 1 && word.chars().all(char::is_uppercase);
    PARTICLES.contains(&word) || (shouted && PARTICLES.contains(&word.to_lowercase().as_str()))
}
