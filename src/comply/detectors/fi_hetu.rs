//! Finnish personal codes.

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::calendar::is_short_date;
use crate::comply::detect::{is_word, sums};

pub(super) static DETECTOR: Detector = Detector {
    name: "fi_hetu",
    class: "pii.id.national",
    about: "Finnish personal codes: date of birth, a sign for the century, a count, and one of 31 characters.",
    looks: &[
        Looks::Lead { lengths: &[6], check: signed },
        Looks::Word { lengths: &[11], alone: true, check: lettered },
    ],
    words: &["hetu", "henkilötunnus", "henkilotunnus", "personal identity code"],
    null_rate: 0.0005,
    shows: Shows::Number,
    finds: &["131052-308T", "131052A308T"],
    finds_if_named: &[],
    passes: &["131052-308U", "321052-308T", "131052-000T"],
};

fn signed(site: &Site<'_>) -> Option<Found> {
    let end = site.start + 11;
    let whole = site.text.get(site.start..end)?;
    (matches!(whole[6], b'-' | b'+') && !is_word(site.text, end) && holds(whole)).then_some(Found {
        start: site.start,
        end,
        grade: Grade::Strong,
    })
}

fn lettered(site: &Site<'_>) -> Option<Found> {
    let word = site.word();
    (matches!(word[6], b'A'..=b'F' | b'U'..=b'Y') && holds(word)).then(|| site.found(Grade::Strong))?
}

fn holds(whole: &[u8]) -> bool {
    let (Some(date), Some(count)) = (sums::digits::<6>(&whole[..6]), sums::digits::<3>(&whole[7..10])) else {
        return false;
    };
    let number = date.iter().chain(&count).fold(0_usize, |sum, digit| sum * 10 + usize::from(*digit));
    let two = |at: usize| u32::from(date[at]) * 10 + u32::from(date[at + 1]);
    let dated = is_short_date(two(4), two(2), two(0)) && number % 1000 >= 2;
    dated && b"0123456789ABCDEFHJKLMNPRSTUVWXY"[number % 31] == whole[10].to_ascii_uppercase()
}
