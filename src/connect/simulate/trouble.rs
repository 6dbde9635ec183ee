//! Faults on a schedule: which request meets which trouble follows from a seed and the request's number,
//! so that a run that failed can be had again.

use std::time::Duration;

use crate::config::units;

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The answer has this status, and nothing was done.
    Status(u16),
    /// The connection ends before anything is done.
    Drop,
    /// It is done, and the connection ends before the answer.
    DropAfterWrite,
    /// It is done, and the answer has this status all the same.
    StatusAfterWrite(u16),
    /// The answer comes so late.
    Stall(Duration),
    /// The body of the answer ends in its middle.
    Cut,
    /// Tokens are no longer valid.
    ExpireToken,
    /// One record of those that are written is refused.
    RejectItem,
}

/// A kind of trouble, and how often it comes.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    trouble: Trouble,
    /// In millionths of the requests it can happen to.
    share_ppm: u32,
}

/// Words of troubles, for help texts.
pub const WORDS: &str = "a status (`429:5%`), `drop`, `drop-after-write`, `500-after-write`, `stall:2s:5%`, `cut`, `expire-token`, `reject-item`";

/// Reads `429:5%,drop-after-write:1%,stall:2s`. A share that is not said is 1 %.
///
/// # Errors
/// One sentence about what cannot be read.
pub fn parse(text: &str) -> Result<Vec<Plan>, String> {
    text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(one).collect()
}

fn one(text: &str) -> Result<Plan, String> {
    let mut parts = text.split(':');
    let name = parts.next().unwrap_or_default();
    let (mut share_ppm, mut length) = (None, None);
    for part in parts {
        match part.strip_suffix('%') {
            Some(percent) => {
                let ppm = units::percent_to_ppm(percent).ok_or_else(|| format!("`{part}` is no share: write `5%`"))?;
                share_ppm = Some(ppm);
            }
            None => length = Some(units::length(part).map_err(|why| format!("`{text}`: {why}"))?),
        }
    }
    let trouble = match name {
        "drop" => Trouble::Drop,
        "drop-after-write" => Trouble::DropAfterWrite,
        "stall" => Trouble::Stall(length.take().ok_or("`stall` needs a length: `stall:2s`")?),
        "cut" => Trouble::Cut,
        "expire-token" => Trouble::ExpireToken,
        "reject-item" => Trouble::RejectItem,
        other => {
            let (number, after) = match other.strip_suffix("-after-write") {
                Some(number) => (number, true),
                None => (other, false),
            };
            match number.parse::<u16>().ok().filter(|status| (400..=599).contains(status)) {
                Some(status) if after => Trouble::StatusAfterWrite(status),
                Some(status) => Trouble::Status(status),
                None => return Err(format!("there is no fault `{name}`: there are {WORDS}")),
            }
        }
    };
    if length.is_some() {
        return Err(format!("`{name}` takes no time: leave the length out"));
    }
    Ok(Plan { trouble, share_ppm: share_ppm.unwrap_or(10_000) })
}

/// The trouble of a request, by its number; `writes`: whether it is one that changes something.
pub fn of(plans: &[Plan], seed: u64, number: u64, writes: bool) -> Option<Trouble> {
    plans.iter().enumerate().find_map(|(at, plan)| {
        let for_writes =
            matches!(plan.trouble, Trouble::DropAfterWrite | Trouble::StatusAfterWrite(_) | Trouble::RejectItem);
        if for_writes && !writes {
            return None;
        }
        let roll = mixed(seed ^ mixed(number) ^ (at as u64) << 56) % 1_000_000;
        (roll < u64::from(plan.share_ppm)).then_some(plan.trouble)
    })
}

/// A number that looks like chance, and is always the same (splitmix64).
pub fn mixed(from: u64) -> u64 {
    let mut z = from.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_read() {
        let plans = parse("429:5%, drop-after-write:1%,stall:2s,503-after-write:0.5%").unwrap();
        assert_eq!(plans[0], Plan { trouble: Trouble::Status(429), share_ppm: 50_000 });
        assert_eq!(plans[2], Plan { trouble: Trouble::Stall(Duration::from_secs(2)), share_ppm: 10_000 });
        assert_eq!(plans[3], Plan { trouble: Trouble::StatusAfterWrite(503), share_ppm: 5_000 });
        for wrong in ["200:5%", "nonsense", "stall", "drop:2s", "429:500%", "429:x%"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_troubles_about_as_often_as_said() {
        let plans = parse("429:5%,drop-after-write:2%").unwrap();
        let all = |seed: u64, writes: bool| -> Vec<Option<Trouble>> {
            (0..10_000).map(|number| of(&plans, seed, number, writes)).collect()
        };
        assert_eq!(all(1, true), all(1, true));
        assert_ne!(all(1, true), all(2, true));
        let count = |of: &[Option<Trouble>], trouble| of.iter().filter(|one| **one == Some(trouble)).count();
        assert!((400..600).contains(&count(&all(1, true), Trouble::Status(429))));
        assert!((130..270).contains(&count(&all(1, true), Trouble::DropAfterWrite)));
        assert_eq!(count(&all(1, false), Trouble::DropAfterWrite), 0);
    }
}
