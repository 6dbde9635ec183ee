//! Dates inside numbers. No clock: a year counts if people of it can be alive while this program is used.

/// Whether there is such a day, in a year somebody alive can be born in.
pub(in crate::comply) fn is_date(year: u32, month: u32, day: u32) -> bool {
    (1900..2040).contains(&year) && is_day(year, month, day)
}

/// Whether the month of that year has such a day.
pub(in crate::comply) fn is_day(year: u32, month: u32, day: u32) -> bool {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// Whether there is such a day in any century.
pub(in crate::comply) fn is_short_date(year: u32, month: u32, day: u32) -> bool {
    is_day(1900 + year, month, day) || is_day(2000 + year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_their_month() {
        assert!(is_date(2000, 2, 29) && !is_date(1900, 2, 29) && is_date(1999, 12, 31));
        assert!(!is_date(1899, 1, 1) && !is_date(2040, 1, 1) && !is_date(1999, 13, 1) && !is_date(1999, 4, 31));
        assert!(!is_date(1999, 1, 0) && is_short_date(0, 2, 29) && !is_short_date(1, 2, 29));
    }
}
