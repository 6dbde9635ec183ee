//! US social security numbers.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "us_ssn",
    class: "pii.id.national",
    about: "US social security numbers: nine digits, no area of 000, 666 or 900 to 999, no group of 00, no serial of 0000, none of those that were printed in advertisements.",
    looks: &[Looks::Digits { layouts: &[Layout::alone("3_2_4"), Layout::weak("9")], check }],
    words: &["ssn", "social security", "socialsecurity", "social security number", "soc sec", "ss number"],
    null_rate: 1.0,
    shows: Shows::Number,
    finds: &["536-90-4399", "my ssn is 536904399"],
    finds_if_named: &["536904399"],
    passes: &[
        "000-12-3456",
        "666-12-3456",
        "900-12-3456",
        "123-00-4567",
        "123-45-0000",
        "078-05-1120",
        "219-09-9999",
        "536-90-43990",
        "1536-90-4399",
        "536-90-4399-1",
    ],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    let (area, group, serial) = (digits.number(0, 3), digits.number(3, 2), digits.number(5, 4));
    let printed = matches!((area, group, serial), (78, 5, 1120) | (219, 9, 9999) | (457, 55, 5462));
    let holds = !matches!(area, 0 | 666 | 900..) && group != 0 && serial != 0 && !printed;
    holds.then_some(if digits.grouped { Grade::Strong } else { Grade::Weak })
}
