//! Card verification codes.

use super::{Detector, Digits, Grade, Layout, Looks, Shows};

pub(super) static DETECTOR: Detector = Detector {
    name: "card_verification",
    class: "pci.sad.cvv",
    about: "Card verification codes: three or four digits that a name says are one, or that stand beside a card.",
    looks: &[Looks::Digits { layouts: &[Layout::weak("3"), Layout::weak("4")], check }],
    words: &[
        "cvv",
        "cvv2",
        "cvc",
        "cvc2",
        "cid",
        "cav",
        "cav2",
        "cvn",
        "csc",
        "card verification",
        "security code",
        "verification code",
        "kartenprüfnummer",
        "sicherheitscode",
        "prüfziffer",
        "cryptogramme",
    ],
    null_rate: 1.0,
    shows: Shows::Number,
    finds: &["cvv: 123", "CVC2 4567"],
    finds_if_named: &["123", "1234"],
    passes: &["12", "12345", "12a"],
};

fn check(_: &Digits<'_>) -> Option<Grade> {
    Some(Grade::Weak)
}
