//! How a value is said to people, the same in text, Markdown and HTML.

use super::super::document::Cell;

/// A value in words.
pub fn cell(value: &Cell) -> String {
    match value {
        Cell::Nothing => "–".to_string(),
        Cell::Text(text) | Cell::Code(text) => clear(text),
        Cell::Count(count) => grouped(&count.to_string()),
        Cell::Number(number, "") => number_said(*number),
        Cell::Number(number, unit) => format!("{} {unit}", number_said(*number)),
        Cell::Share(share) => percent(*share),
        Cell::Change(change) => changed(change * 100.0, "%"),
        Cell::Points(points) => changed(*points, "points"),
        Cell::Bytes(bytes) => bytes_said(*bytes),
        Cell::Time(ns) => time(*ns),
        Cell::Moment(ns) => moment(*ns),
        Cell::Yes(true) => "yes".to_string(),
        Cell::Yes(false) => "no".to_string(),
        Cell::State(_, word) => clear(word),
        Cell::Many(several) if several.is_empty() => "–".to_string(),
        Cell::Many(several) => several.iter().map(cell).collect::<Vec<_>>().join(", "),
    }
}

/// A number with its sign: how something changed.
fn changed(by: f64, unit: &str) -> String {
    let (sign, size) = (if by < 0.0 { '−' } else { '+' }, by.abs());
    match size {
        _ if !by.is_finite() => "–".to_string(),
        ..0.05 => format!("±0 {unit}"),
        100.0.. => format!("{sign}{} {unit}", grouped(&format!("{size:.0}"))),
        _ => format!("{sign}{size:.1} {unit}"),
    }
}

/// Text in which control characters, marks that turn the direction of a line (Unicode 15, UAX 9) and
/// characters without width are shown, not obeyed.
pub fn clear(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}')
    };
    if !text.contains(hidden) {
        return text.to_string();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' | '\t' | '\r' => out.push(' '),
            c if hidden(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// A moment, nanoseconds since 1970, as RFC 3339 in UTC to the millisecond.
pub fn moment(nanoseconds: i64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(nanoseconds))
        .map_or_else(|_| nanoseconds.to_string(), |m| format!("{m:.3}"))
}

/// The same to the second, for the eye: `2026-01-31 12:00:00 UTC`.
pub fn when(nanoseconds: i64) -> String {
    let whole = moment(nanoseconds);
    match (whole.get(..10), whole.get(11..19)) {
        (Some(day), Some(time)) => format!("{day} {time} UTC"),
        _ => whole,
    }
}

/// A count with its word: `1 run`, `2 runs`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(&count.to_string()), if count == 1 { one } else { many })
}

/// A share as per cent: what is not all is never said to be 100 %, what is something never 0 %.
pub(super) fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "–".to_string();
    }
    let all = share * 100.0;
    if share >= 1.0 || share <= 0.0 {
        format!("{all:.0} %")
    } else if all < 0.01 {
        "<0.01 %".to_string()
    } else if all >= 99.0 {
        // Down, not to the nearest: 99.996 % is no 100 %.
        format!("{:.2} %", (all * 100.0).floor() / 100.0)
    } else if all < 1.0 {
        format!("{all:.2} %")
    } else {
        format!("{all:.1} %")
    }
}

fn number_said(number: f64) -> String {
    if !number.is_finite() {
        return "–".to_string();
    }
    let (size, sign) = (number.abs(), if number < 0.0 { "−" } else { "" });
    if size >= 100.0 || number.fract() == 0.0 {
        grouped(&format!("{number:.0}"))
    } else if size >= 10.0 {
        format!("{sign}{size:.1}")
    } else {
        format!("{sign}{size:.2}")
    }
}

fn bytes_said(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
}

/// A length of time in one or two units.
pub(super) fn time(nanoseconds: i64) -> String {
    if nanoseconds < 0 {
        return format!("−{}", time(nanoseconds.saturating_neg()));
    }
    let seconds = nanoseconds as f64 / 1e9;
    let whole = nanoseconds / 1_000_000_000;
    let two = |big: i64, name: &str, small: i64, less: &str| match small {
        0 => format!("{big} {name}"),
        small => format!("{big} {name} {small} {less}"),
    };
    match whole {
        _ if nanoseconds == 0 => "0 s".to_string(),
        _ if nanoseconds < 1_000 => format!("{nanoseconds} ns"),
        _ if nanoseconds < 1_000_000 => format!("{:.0} µs", nanoseconds as f64 / 1e3),
        0 => format!("{:.0} ms", nanoseconds as f64 / 1e6),
        1..10 => format!("{seconds:.2} s"),
        10..60 => format!("{seconds:.1} s"),
        60..3_600 => two(whole / 60, "min", whole % 60, "s"),
        3_600..86_400 => two(whole / 3_600, "h", whole % 3_600 / 60, "min"),
        _ => two(whole / 86_400, "d", whole % 86_400 / 3_600, "h"),
    }
}

fn grouped(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("−", digits));
    let mut out = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_said_as_people_read_them() {
        let check = |value: Cell, expected: &str| assert_eq!(cell(&value), expected);
        check(Cell::Count(1_234_567), "1,234,567");
        check(Cell::Share(1.0), "100 %");
        check(Cell::Share(0.99999), "99.99 %");
        check(Cell::Share(0.000_001), "<0.01 %");
        check(Cell::Share(0.0), "0 %");
        check(Cell::Share(0.5), "50.0 %");
        check(Cell::Change(-0.125), "−12.5 %");
        check(Cell::Change(3.5), "+350 %");
        check(Cell::Change(f64::NAN), "–");
        check(Cell::Points(1.25), "+1.2 points");
        check(Cell::Points(-12.0), "−12.0 points");
        check(Cell::Points(0.01), "±0 points");
        check(Cell::Points(f64::NAN), "–");
        check(Cell::Bytes(1536), "1.5 KiB");
        check(Cell::Bytes(u64::MAX), "16384.0 PiB");
        check(Cell::Time(999), "999 ns");
        check(Cell::Time(12_345_678), "12 ms");
        check(Cell::Time(1_250_000_000), "1.25 s");
        check(Cell::Time(125_000_000_000), "2 min 5 s");
        check(Cell::Time(3_600_000_000_000), "1 h");
        check(Cell::Time(90_000_000_000_000), "1 d 1 h");
        check(Cell::Time(-1_250_000_000), "−1.25 s");
        check(Cell::Number(12.345, "rows/s"), "12.3 rows/s");
        check(Cell::Time(0), "0 s");
        check(Cell::Number(f64::INFINITY, ""), "–");
        check(Cell::Moment(1_700_000_000_500_000_000), "2023-11-14T22:13:20.500Z");
        check(Cell::Many(vec![]), "–");
        check(Cell::codes(["a", "b"]), "a, b");
        check(Cell::Text("a\u{1b}[31m\u{202e}b\nc".into()), "a\\u{1b}[31m\\u{202e}b c");
    }
}
