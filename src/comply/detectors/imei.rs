//! Numbers of mobile devices (IMEI).

use super::{Detector, Digits, Grade, Layout, Looks, Shows};
use crate::comply::detect::sums;

pub(super) static DETECTOR: Detector = Detector {
    name: "imei",
    class: "pii.device",
    about: "Numbers of mobile devices (IMEI): fifteen digits that hold by Luhn.",
    looks: &[Looks::Digits { layouts: &[Layout::weak("15"), Layout::weak("2_6_6_1"), Layout::weak("6_2_6_1")], check }],
    words: &["imei", "device id", "meid"],
    null_rate: 0.1,
    shows: Shows::Number,
    finds: &["imei 490154203237518"],
    finds_if_named: &["490154203237518"],
    passes: &["490154203237519"],
};

fn check(digits: &Digits<'_>) -> Option<Grade> {
    sums::luhn(digits).then_some(Grade::Possible)
}
