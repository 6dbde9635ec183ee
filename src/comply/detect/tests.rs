//! The engine as a whole: what hides, what is near, what the oracles say.

use proptest::prelude::*;

use super::*;
use crate::comply::detectors::ALL;

/// What a text gives: detector, and the part of the text it was found in.
fn found(text: &str, context: &Context) -> Vec<(&'static str, String)> {
    let mut hits = Vec::new();
    Scanner::new(&Selection::all()).scan(text, context, &mut hits);
    let mut found: Vec<_> = hits
        .iter()
        .map(|hit| (hit.offset, (hit.detector().name, text[hit.offset..hit.offset + hit.length].to_string())))
        .collect();
    found.sort();
    found.into_iter().map(|(_, found)| found).collect()
}

#[track_caller]
fn check(text: &str, expected: &[(&str, &str)]) {
    let found = found(text, &Context::none());
    let found: Vec<(&str, &str)> = found.iter().map(|(name, part)| (*name, part.as_str())).collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn a_text_gives_up_what_it_holds() {
    check(
        r#"{"mail":"jane@shop.example","card":"4539 1488 0343 6467","iban":"DE89370400440532013000","n":12}"#,
        &[("email", "jane@shop.example"), ("card_number", "4539 1488 0343 6467"), ("iban", "DE89370400440532013000")],
    );
    check("order 20240115-000123 shipped 2024-01-15, 3 items at 12.50", &[]);
    check("card_4539148803436467_x", &[("card_number", "4539148803436467")]);
    check("550e8400-e29b-41d4-a716-446655440000", &[]);
    check("", &[]);
}

#[test]
fn what_is_encoded_is_found_where_it_stands() {
    check("q=jane%40shop.example&x=1", &[("email", "jane%40shop.example")]);
    check("jane&#64;shop.example &amp; co", &[("email", "jane&#64;shop.example")]);
    check(r#"{\"to\":\"jane\u0040shop.example\"}"#, &[("email", r"jane\u0040shop.example")]);
    // "my card is 4539148803436467" in base64, of either alphabet.
    check("x bXkgY2FyZCBpcyA0NTM5MTQ4ODAzNDM2NDY3 y", &[("card_number", "bXkgY2FyZCBpcyA0NTM5MTQ4ODAzNDM2NDY3")]);
    check("４５３９ １４８８ ０３４３ ６４６７", &[("card_number", "４５３９ １４８８ ０３４３ ６４６７")]);
    check("4539\u{200b}1488\u{200b}0343\u{200b}6467", &[("card_number", "4539\u{200b}1488\u{200b}0343\u{200b}6467")]);
    // Twice: percent signs that are encoded themselves.
    check("jane%2540shop.example", &[("email", "jane%2540shop.example")]);
    // What is found as it stands is not found again.
    check("a@b.example &amp; c", &[("email", "a@b.example")]);
}

#[test]
fn depth_is_bounded() {
    use base64::Engine;
    let mut text = "jane@shop.example and more of it".to_string();
    for depth in 1..=5 {
        text = base64::engine::general_purpose::STANDARD.encode(&text);
        assert_eq!(!found(&text, &Context::none()).is_empty(), depth <= 3, "{depth}");
    }
}

#[test]
fn words_nearby_and_names_count() {
    check("ssn 536904399", &[("us_ssn", "536904399")]);
    check("ticket 536904399", &[]);
    check(&format!("ssn {} 536904399", "x ".repeat(30)), &[]);
    check(r#"{"routingNumber":"111000025"}"#, &[("us_routing", "111000025")]);
    assert_eq!(found("536904399", &Context::of_field("customer.ssn")).len(), 1);
    assert_eq!(found("536904399", &Context::of_field("ticket.ref")).len(), 0);
    // A name for other numbers speaks against.
    assert_eq!(found("4539148803436467", &Context::none()).len(), 1);
    assert_eq!(found("4539148803436467", &Context::of_field("order_id")).len(), 0);
    check("order number 4539148803436467", &[]);
}

#[test]
fn a_card_in_the_record_lifts_its_neighbours() {
    let pan = crate::record::ClassSet::one(crate::record::ClassId::named("pci.pan").unwrap());
    let alone = Context::of_field("validity");
    assert_eq!(found("12/27", &alone).len(), 0);
    assert_eq!(found("12/27", &alone.beside(pan)), [("card_expiry", "12/27".to_string())]);
}

#[test]
fn the_column_decides_what_a_value_cannot() {
    let mut scanner = Scanner::new(&Selection::all());
    let mut column = Column::new();
    for n in 0..300_u64 {
        scanner.sample(&(4_000_123_400_005_600 + n * 7919).to_string(), &mut column);
    }
    assert_eq!(column.values(), 300);
    let context = Context::of_field("ref").with_column(&column);
    // A number that holds by chance is not taken for a card, nor would a card that got lost in there be.
    assert_eq!(found("4539148803436467", &context).len(), 0);
    assert_eq!(found("4539148803436467", &Context::of_field("ref")).len(), 1);
}

#[test]
fn a_selection_selects() {
    let mut scanner = Scanner::new(&Selection::only(|detector| detector.class.starts_with("pci")));
    let mut hits = Vec::new();
    scanner.scan("a@b.example 4539148803436467", &Context::none(), &mut hits);
    assert_eq!(hits.iter().map(|hit| hit.detector().name).collect::<Vec<_>>(), ["card_number"]);
    assert!(hits[0].fingerprint.is_none());
    let mut strict = Scanner::new(&Selection::all().threshold(0.99));
    hits.clear();
    strict.scan("4539148803436467", &Context::none(), &mut hits);
    assert!(hits.is_empty());
}

#[test]
fn equal_values_have_equal_fingerprints() {
    let mut scanner = Scanner::new(&Selection::all().fingerprints([1; 32]));
    let mut hits = Vec::new();
    scanner.scan("4539 1488 0343 6467, 4539-1488-0343-6467 4716610152943000", &Context::none(), &mut hits);
    assert_eq!(hits.len(), 3, "{hits:?}");
    assert_eq!(hits[0].fingerprint, hits[1].fingerprint);
    assert_ne!(hits[0].fingerprint, hits[2].fingerprint);
}

/// Both ways: what python-stdnum calls valid is found where the field says what it is, and what it calls
/// invalid is not.
#[test]
fn python_stdnum_agrees() {
    let rows = include_str!("../../../tests/fixtures/detect/stdnum.tsv").lines().filter(|line| !line.starts_with('#'));
    let mut wrong = Vec::new();
    let mut kinds = std::collections::BTreeMap::new();
    for row in rows {
        let [name, number, verdict] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let detector = ALL.iter().find(|detector| detector.name == name).unwrap_or_else(|| panic!("{name}"));
        let (scanner, context) = kinds.entry(name).or_insert_with(|| {
            (Scanner::new(&Selection::only(|other| other.name == name)), Context::of_field(detector.words[0]))
        });
        let mut hits = Vec::new();
        scanner.scan(number, context, &mut hits);
        if hits.len() != usize::from(verdict == "1")
            && !DIFFERS.iter().any(|(kind, differs, _)| *kind == name && differs(number))
        {
            wrong.push(format!("{row}: {hits:?}"));
        }
    }
    assert!(kinds.len() >= 40, "{}", kinds.len());
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Where we mean to differ: detector, which numbers, why.
type Difference = (&'static str, fn(&str) -> bool, &'static str);
const DIFFERS: &[Difference] = &[
    ("us_itin", |number| number.len() == 9, "50 to 65 are given out since 2011, python-stdnum knows 70 and up"),
    ("iban", |number| number.starts_with("BE"), "the bank's own check digits inside the account number are not asked"),
    ("dk_cpr", |number| number.as_bytes()[6] >= b'4', "python-stdnum knows the day, and refuses births in the future"),
    (
        "fi_hetu",
        |number| number.as_bytes()[7] == b'9',
        "numbers from 900 on are given for a time, to people nonetheless",
    ),
    ("cn_ric", |number| number.starts_with('3'), "which places existed in which years is not asked"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::soak::rounds(200)))]

    /// Whatever the text, hits lie within it and on its characters.
    #[test]
    fn hits_lie_within(text in r"(?s).{0,60}", word in "[0-9A-Z@.:%&;=+/ -]{0,40}") {
        let text = format!("{text}{word}{text}");
        for context in [Context::none(), Context::of_field("card_number"), Context::of_field("notes.password")] {
            let mut hits = Vec::new();
            Scanner::new(&Selection::all().threshold(0.0)).scan(&text, &context, &mut hits);
            for hit in hits {
                prop_assert!(text.get(hit.offset..hit.offset + hit.length).is_some(), "{:?} in {:?}", hit, text);
            }
        }
    }

    /// What is around a card number does not hide it.
    #[test]
    fn a_card_is_found_anywhere(before in "[a-z ,:\"'(]{0,20}", after in "[ ,;)\"']?[a-z ]{0,20}") {
        prop_assume!(!before.ends_with(|c: char| c.is_alphanumeric()) && !after.starts_with(|c: char| c.is_alphanumeric()));
        let text = format!("{before}4539148803436467{after}");
        let mut hits = Vec::new();
        Scanner::new(&Selection::all()).scan(&text, &Context::none(), &mut hits);
        prop_assert!(hits.iter().any(|hit| hit.detector().name == "card_number"), "{text}");
    }
}
