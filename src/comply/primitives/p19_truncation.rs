//! P19: truncated card numbers keep no more than they may, and no second form beside them gives them away.

use super::reading::{calls, field, place_of, taken, transform};
use crate::comply::assess::Way;
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::map::Leaf;
use std::collections::BTreeMap;

pub(super) static TRUNCATION: Primitive = Primitive {
    id: "P19",
    name: "truncation",
    about: "Of a card number no target gets more digits than are allowed, nor an unkeyed hash beside a part of it.",
    moments: &[Moment::Static],
    run,
};

/// What a rule leaves of a card number: first and last digits.
type Kept = (i64, i64);

fn run(subject: &Subject<'_>, asked: &Parameters, notes: &mut Notes) {
    for way in &subject.routes {
        let Some(route) = way.route else { continue };
        let mut of_source: BTreeMap<String, Vec<&Leaf>> = BTreeMap::new();
        for leaf in route.leaves.iter().filter(|leaf| !taken(leaf).both(asked.classes()).is_empty()) {
            let source = leaf.source.as_ref().map_or_else(|| transform(leaf).to_string(), ToString::to_string);
            of_source.entry(source).or_default().push(leaf);
        }
        for leaves in of_source.values() {
            if asked.wants("correlation") { correlation(way, leaves, notes) } else { truncation(way, leaves, notes) }
        }
    }
}

fn truncation(way: &Way<'_>, leaves: &[&Leaf], notes: &mut Notes) {
    for leaf in leaves {
        let Some((first, last)) = kept(leaf) else { continue };
        let good = first <= 6 && last <= 4 || first <= 8 && last <= 4 && long(leaf);
        notes
            .judge(good, field(way, leaf), match good {
                true => format!("it keeps the first {first} and the last {last} digits"),
                false => format!("it keeps the first {first} and the last {last} digits; 6 and 4 may be kept, 8 and 4 of 16 digits"),
            })
            .at(place_of(leaf))
            .fix("keep fewer digits, or `mask_pan`");
    }
}

fn correlation(way: &Way<'_>, leaves: &[&Leaf], notes: &mut Notes) {
    let parts: Vec<(&Leaf, Kept)> = leaves.iter().filter_map(|leaf| Some((*leaf, kept(leaf)?))).collect();
    let hashed = |names: &[&str]| {
        leaves.iter().copied().find(|leaf| leaf.flow.passages.iter().any(|step| names.contains(&step.through.as_str())))
    };
    let plain = hashed(&["md5", "sha1", "sha256", "sha512", "blake3"]);
    let keyed = hashed(&["hmac_sha256", "tokenize", "pseudonymize"]);
    let all = parts.iter().fold((0, 0), |(first, last), (_, kept)| (first.max(kept.0), last.max(kept.1)));
    let Some((at, _)) = parts.first() else { return };
    let note = if let Some(hash) = plain {
        notes.fail(
            way.object(),
            format!(
                "`{}` is a hash and `{}` a part of the same card number: the rest is soon guessed",
                hash.target, at.target
            ),
        )
    } else if all.0 > 6 || all.1 > 4 {
        notes.fail(
            way.object(),
            format!("parts of the same card number together show its first {} and last {} digits", all.0, all.1),
        )
    } else if let Some(token) = keyed {
        notes.warn(
            way.object(),
            format!("only the key keeps `{}` and `{}` of the same card number apart", token.target, at.target),
        )
    } else {
        notes.pass(way.object(), "one protected form of each card number is written")
    };
    note.at(place_of(at)).fix("write one form: a token, or the last four digits");
}

/// What a leaf keeps of what it reads, as far as it is written in plain numbers.
fn kept(leaf: &Leaf) -> Option<Kept> {
    let text = transform(leaf);
    let mut kept: Option<Kept> = None;
    let mut add = |part: Kept| kept = Some(kept.map_or(part, |old| (old.0.max(part.0), old.1.max(part.1))));
    for (name, numbers, _) in calls(text, &["left", "right", "substring", "mask_pan", "mask", "truncate_pan"]) {
        match (name, numbers.as_slice()) {
            ("left", [first, ..]) => add((*first, 0)),
            ("right", [last, ..]) => add((0, *last)),
            ("substring", [0, end]) => add((*end, 0)),
            ("mask_pan", _) => add((0, 4)),
            ("mask", [keep, ..]) => add((0, *keep)),
            ("truncate_pan", [first, last]) => add((*first, *last)),
            _ => {}
        }
    }
    kept
}

/// Whether the rule holds for numbers of sixteen digits alone.
fn long(leaf: &Leaf) -> bool {
    let rule = &leaf.rule;
    let conditions = rule.when.iter().chain(rule.validate.iter().map(|check| &check.that)).map(|one| one.text.as_str());
    conditions.chain([transform(leaf)]).any(|text| {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        text.contains("size()==16") || text.contains("size(value)==16")
    })
}
