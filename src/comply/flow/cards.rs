//! What may be made of a card number, and what may not, though it looks protected: hashes without a
//! key, truncations that leave too much, and two of them beside each other.
//!
//! Sources: PCI DSS 4.0.1, 3.5.1 and 3.5.1.1; the council's FAQ 1091 on truncation formats.

use super::scene::{Charge, Scene, Weight};
use crate::config::Make;
use crate::error::codes::comply as codes;
use crate::error::{Finding, Findings};
use crate::expr::kept::{Kept, kept};
use crate::map::Leaf;
use crate::record::{ClassId, ClassSet};

/// Functions that anybody can repeat for each of the few possible card numbers, with salt or without.
const UNKEYED: &[&str] = &["sha256", "sha512", "sha1", "md5", "blake3"];
/// All that leave something that is the same for the same number.
const HASHES: &[&str] = &["sha256", "sha512", "sha1", "md5", "blake3", "hmac_sha256"];
/// Functions that leave the last four digits.
const MASKS: &[&str] = &["mask_pan", "mask"];
/// What of a card number of any brand may stay: FAQ 1091.
const FIRST: u32 = 6;
const LAST: u32 = 4;
/// What of a number with 16 digits may stay.
const FIRST_OF_16: u32 = 8;

/// Judges what each card number becomes, and what of it stands beside each other.
pub(super) fn judge(scene: &Scene<'_>, findings: &mut Findings) {
    let Some(pan) = ClassId::named("pci.pan") else { return };
    if !scene.read.contains(pan) {
        return;
    }
    for (leaf, arrives) in scene.leaves() {
        if !arrives.contains(pan) || !judged(scene, pan) {
            continue;
        }
        if let Some(hash) = hashed(leaf, pan, UNKEYED) {
            findings.push(weak_hash(scene, leaf, pan, hash));
        } else if let Some(kept) = cut(leaf)
            && !allowed(kept)
        {
            findings.push(truncation(scene, leaf, pan, kept));
        }
    }
    findings.extend(correlation(scene, pan));
    findings.extend(together(scene, pan));
}

/// Whether this file has said, or will say, what is to be said of a class in a leaf.
pub(super) fn speaks_of(scene: &Scene<'_>, leaf: &Leaf, class: ClassId) -> bool {
    class.class().name == "pci.pan"
        && judged(scene, class)
        && (hashed(leaf, class, UNKEYED).is_some() || cut(leaf).is_some())
}

/// Whether anybody asks what becomes of card numbers.
fn judged(scene: &Scene<'_>, pan: ClassId) -> bool {
    scene.law.asked("P18", Some("keyed")).contains(pan) || !scene.is_cleared(pan)
}

fn hashed<'l>(leaf: &'l Leaf, pan: ClassId, by: &[&str]) -> Option<&'l str> {
    let carried = leaf.flow.passages.iter().filter(|passage| passage.before.contains(pan));
    carried.map(|passage| passage.through.as_str()).find(|through| by.contains(through))
}

/// How much of the number an expression leaves, where that is not all of it.
fn cut(leaf: &Leaf) -> Option<Kept> {
    let Make::Transform(transform) = &leaf.rule.make else { return None };
    kept(&transform.text).filter(|kept| !kept.whole)
}

/// Whether a leaf leaves so little of what it reads that it is no card number any more.
pub(super) fn is_cut_enough(leaf: &Leaf) -> bool {
    cut(leaf).is_some_and(allowed)
}

fn allowed(kept: Kept) -> bool {
    let first = if kept.sixteen { FIRST_OF_16 } else { FIRST };
    kept.first <= first && kept.last <= LAST
}

fn weak_hash<'a>(scene: &Scene<'a>, leaf: &'a Leaf, pan: ClassId, hash: &str) -> Finding {
    let broken = scene.law.broken("P18", Some("keyed"), ClassSet::one(pan));
    let charge = Charge { code: &codes::CARD_HASH, check: "P18", broken, weight: Weight::Breach };
    let cause = format!("`{hash}` of a card number can be undone by trying all numbers, salt or not");
    let key = scene.project.compliance.keys.iter().find(|key| key.purpose == crate::record::Purpose::Token);
    let name = key.map_or("NAME", |key| key.name.as_str());
    scene.of_leaf(charge, leaf, pan, &cause).fix(format!("use a hash with a key: `tokenize(value, \"{name}\")`"))
}

fn truncation<'a>(scene: &Scene<'a>, leaf: &'a Leaf, pan: ClassId, kept: Kept) -> Finding {
    let broken = scene.law.broken("P19", Some("truncation"), ClassSet::one(pan));
    let charge = Charge { code: &codes::CARD_TRUNCATION, check: "P19", broken, weight: Weight::Breach };
    let cause =
        format!("the first {} and the last {} digits of a card number stay, which is too much", kept.first, kept.last);
    scene.of_leaf(charge, leaf, pan, &cause).fix(
        "keep at most the first 6 and the last 4; of numbers with 16 digits the first 8 may stay: `size(value) == 16 ? left(value, 8) + right(value, 4) : left(value, 6) + right(value, 4)`",
    )
}

/// What a leaf shows of a card number: a hash, or digits.
fn shows(leaf: &Leaf, pan: ClassId) -> (Option<&str>, Option<Kept>) {
    let hash = hashed(leaf, pan, HASHES);
    let masked = hashed(leaf, pan, MASKS).map(|_| Kept { first: 0, last: LAST, whole: false, sixteen: false });
    let digits = if hash.is_some() { None } else { masked.or_else(|| cut(leaf)) };
    (hash, digits)
}

/// The leaves that are made of a card number, by what they are made of.
fn of_cards<'a>(scene: &Scene<'a>, pan: ClassId) -> impl Iterator<Item = (&'a Leaf, Option<String>)> {
    let reads = move |leaf: &&'a Leaf| {
        leaf.flow.source.contains(pan) || leaf.flow.passages.iter().any(|passage| passage.before.contains(pan))
    };
    scene.route.leaves.iter().filter(reads).map(move |leaf| {
        let read = leaf.flow.passages.iter().find(|passage| {
            passage.effect == crate::expr::Effect::Reads && passage.after.contains(pan) && passage.through != "value"
        });
        let path = leaf.source.as_ref().map(ToString::to_string);
        let read = read.map(|passage| passage.through.trim_start_matches("record.").to_string());
        (leaf, path.or(read))
    })
}

/// A hash of a number beside digits of the same: together they give the number away.
fn correlation(scene: &Scene<'_>, pan: ClassId) -> Option<Finding> {
    if !judged(scene, pan) {
        return None;
    }
    let made: Vec<_> = of_cards(scene, pan).map(|(leaf, path)| (leaf, path, shows(leaf, pan))).collect();
    let (leaf, path, (hash, _)) = made.iter().find(|(_, path, (hash, _))| {
        hash.is_some() && made.iter().any(|(_, other, (_, digits))| digits.is_some() && other == path)
    })?;
    let (beside, ..) = made.iter().find(|(_, other, (_, digits))| digits.is_some() && other == path)?;
    let broken = scene.law.broken("P19", Some("correlation"), ClassSet::one(pan));
    let charge = Charge { code: &codes::CARD_CORRELATION, check: "P19", broken, weight: Weight::Breach };
    let cause = format!(
        "`{}` of a card number stands beside its digits in `{}`: together they give the number away",
        hash.unwrap_or_default(),
        beside.target
    );
    let finding = scene.of_leaf(charge, leaf, pan, &cause);
    Some(
        finding.fix(
            "write one of them to this target, or a token by a key in place of the hash: `tokenize(value, \"NAME\")`",
        ),
    )
}

/// Several fields that each leave little of a number, and together too much.
fn together(scene: &Scene<'_>, pan: ClassId) -> Option<Finding> {
    if !judged(scene, pan) {
        return None;
    }
    let cuts: Vec<_> = of_cards(scene, pan)
        .filter_map(|(leaf, path)| Some((leaf, path, shows(leaf, pan).1.filter(|kept| allowed(*kept))?)))
        .collect();
    for (at, (leaf, path, kept)) in cuts.iter().enumerate() {
        let others = cuts[..at].iter().filter(|(_, other, _)| other == path);
        let both = others.fold(*kept, |sum, (_, _, other)| Kept {
            first: sum.first.max(other.first),
            last: sum.last.max(other.last),
            whole: false,
            sixteen: sum.sixteen && other.sixteen,
        });
        if !allowed(both) {
            return Some(truncation(scene, leaf, pan, both));
        }
    }
    None
}
