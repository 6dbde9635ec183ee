//! Magnetic stripe data, track 1 and 2 (ISO/IEC 7813).

use super::{Detector, Found, Grade, Looks, Shows, Site};
use crate::comply::detect::{skip, sums};

pub(super) static DETECTOR: Detector = Detector {
    name: "card_track",
    class: "pci.sad.track",
    about: "Magnetic stripe data, track 1 and 2 (ISO/IEC 7813): card number, expiry and service code between sentinels.",
    looks: &[Looks::Mark { byte: b'%', check: first }, Looks::Mark { byte: b';', check: second }],
    words: &["track", "track1", "track2", "magstripe", "swipe"],
    null_rate: 0.0001,
    shows: Shows::Nothing,
    finds: &["%B4539148803436467^DOE/JANE^30121010000000000?", ";4539148803436467=30121010000000?"],
    finds_if_named: &[],
    passes: &[
        "%B4539148803436467",
        "%B123^A^3012",
        "; 4539148803436467=3012",
        ";4539148803436468=30121010000000?",
        ";4539148803436467=30131010000000?",
        "100%B",
    ],
};

fn first(site: &Site<'_>) -> Option<Found> {
    let text = site.text;
    if !matches!(text.get(site.end), Some(b'B' | b'b')) {
        return None;
    }
    let (pan, end) = pan(text, site.end + 1)?;
    // The name, to the next caret.
    let name = end + 1;
    let caret = skip(text, name, |byte| byte != b'^' && byte != b'\n').min(name + 27);
    let is_framed = text.get(end) == Some(&b'^') && text.get(caret) == Some(&b'^') && caret > name;
    (is_framed && is_live(pan) && dated(text, caret + 1)).then(|| Found {
        start: site.start,
        end: close(text, caret),
        grade: Grade::Certain,
    })
}

fn second(site: &Site<'_>) -> Option<Found> {
    let text = site.text;
    let (pan, end) = pan(text, site.end)?;
    let is_framed = text.get(end) == Some(&b'=');
    (is_framed && is_live(pan) && dated(text, end + 1)).then(|| Found {
        start: site.start,
        end: close(text, end),
        grade: Grade::Certain,
    })
}

fn pan(text: &[u8], start: usize) -> Option<(&[u8], usize)> {
    let end = skip(text, start, |byte| byte.is_ascii_digit());
    (12..=19).contains(&(end - start)).then(|| (&text[start..end], end))
}

fn is_live(pan: &[u8]) -> bool {
    let mut digits = [0; 19];
    digits.iter_mut().zip(pan).for_each(|(digit, byte)| *digit = byte - b'0');
    sums::luhn(&digits[..pan.len()])
}

/// Year, month and three digits of the service code.
fn dated(text: &[u8], start: usize) -> bool {
    let Some(digits) = text.get(start..start + 7) else { return false };
    digits.iter().all(u8::is_ascii_digit) && (1..=12).contains(&sums::number(&digits[2..4]))
}

fn close(text: &[u8], from: usize) -> usize {
    let end = skip(text, from, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'^' | b'=' | b' ' | b'/'));
    if text.get(end) == Some(&b'?') { end + 1 } else { end }
}
