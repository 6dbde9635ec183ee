//! What holds for functions with keys: what they make opens where it may and nowhere else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use zeroize::Zeroizing;

use super::vault::{Reference, Standing, Stored, Vault};
use super::{Declared, Ring, Version};
use crate::expr::{Bind, Binding, Environment, Frame, Keys, Locals, compile, equals};
use crate::record::{Arena, ClassId, ClassSet, Date, KeyState, Projection, Purpose, Timestamp, Type, Value};

/// A vault in memory.
#[derive(Debug, Default)]
struct Memory {
    subjects: Mutex<BTreeMap<(String, Reference), Stored>>,
    tokens: Mutex<BTreeMap<(String, [u8; 32]), String>>,
    erased: Mutex<Vec<Reference>>,
}

impl Memory {
    fn erase(&self, id: &str) {
        let reference = self.reference(id.as_bytes());
        self.subjects.lock().unwrap().retain(|(_, subject), _| *subject != reference);
        self.erased.lock().unwrap().push(reference);
    }
}

impl Vault for Memory {
    fn reference(&self, id: &[u8]) -> Reference {
        *blake3::hash(id).as_bytes().first_chunk().unwrap()
    }
    fn subject(&self, name: &str, subject: &Reference) -> Result<Standing, String> {
        if self.erased.lock().unwrap().contains(subject) {
            return Ok(Standing::Erased);
        }
        let known = self.subjects.lock().unwrap().get(&(name.to_owned(), *subject)).cloned();
        Ok(known.map_or(Standing::Unknown, Standing::Known))
    }
    fn keep_subject(&self, name: &str, subject: &Reference, stored: Stored) -> Result<Standing, String> {
        self.subjects.lock().unwrap().entry((name.to_owned(), *subject)).or_insert(stored);
        self.subject(name, subject)
    }
    fn is_erased(&self, subject: &Reference) -> Result<bool, String> {
        Ok(self.erased.lock().unwrap().contains(subject))
    }
    fn token(&self, name: &str, value: &[u8; 32]) -> Result<Option<String>, String> {
        Ok(self.tokens.lock().unwrap().get(&(name.to_owned(), *value)).cloned())
    }
    fn keep_token(&self, name: &str, value: &[u8; 32], token: &str, _: Stored) -> Result<String, String> {
        Ok(self.tokens.lock().unwrap().entry((name.to_owned(), *value)).or_insert_with(|| token.to_owned()).clone())
    }
    fn random(&self, bytes: &mut [u8]) -> Result<(), String> {
        getrandom::fill(bytes).map_err(|e| e.to_string())
    }
}

fn declared(name: &str, purpose: Purpose) -> Declared {
    let classes = ClassSet::one(ClassId::named("pii.email").unwrap());
    Declared { name: name.into(), purpose, classes, decrypt: vec!["test".into()] }
}

fn version(number: u32, state: KeyState) -> Version {
    Version { number, id: format!("id{number}"), state, key: Zeroizing::new([number as u8; 32]) }
}

/// A key of each purpose, named as it, in these versions.
fn keys(vault: &Arc<Memory>, versions: &[(u32, KeyState)], gone: &[&str]) -> Keys {
    let mut ring = Ring::new(Arc::clone(vault) as Arc<dyn Vault>);
    for purpose in Purpose::ALL {
        let versions = versions.iter().map(|(number, state)| version(*number, *state)).collect();
        ring.add(declared(purpose.word(), *purpose), versions, gone.iter().map(ToString::to_string).collect());
    }
    Keys::of(Arc::new(ring)).on_behalf("test")
}

fn first() -> Keys {
    keys(&Arc::default(), &[(1, KeyState::Active)], &[])
}

/// What an expression makes of a value, read where the record stands.
fn apply<'a>(keys: &Keys, text: &str, value: Value<'a>, byte: u64, arena: &'a Arena) -> Result<Value<'a>, String> {
    let environment = Environment {
        bindings: vec![Binding::new("value", Type::Dyn, Bind::Value)],
        keys: keys.clone(),
        ..Environment::default()
    };
    let program = compile(text, &environment, &mut Projection::default())
        .map_err(|faults| faults.iter().map(|f| f.cause.clone()).collect::<Vec<_>>().join("; "))?;
    let mut now: crate::expr::Moment<'_> = Timestamp { seconds: 0, nanos: 0, offset: 0 }.into();
    now.byte = byte;
    // The program is only borrowed from for as long as the arena: what comes back lies there.
    let program = arena.alloc(program);
    let frame = Frame { slots: &[], value, arena, now, locals: Locals::default() };
    program.eval(&frame).map_err(|error| error.cause)
}

fn text(keys: &Keys, expression: &str, value: &str) -> Result<String, String> {
    let arena = Arena::new();
    match apply(keys, expression, Value::String(value), 0, &arena)? {
        Value::String(text) => Ok(text.to_owned()),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn values_come_back_with_their_types() {
    let moment = Timestamp { seconds: 1_711_923_000, nanos: 5_000_000, offset: 7200 };
    let values = [
        Value::String(""),
        Value::String("Zoë 🦀"),
        Value::Bytes(b"\xff\x00"),
        Value::Int(-42),
        Value::Uint(u64::MAX),
        Value::Number("1.50"),
        Value::Number("-12345678901234567890123456789012345.1"),
        Value::Double(0.1),
        Value::Bool(true),
        Value::Date(Date::new(1931, 4, 2).unwrap()),
        Value::Timestamp(moment),
    ];
    let (keys, arena) = (first(), Arena::new());
    for value in values {
        for (seal, open) in [
            ("encrypt(value, \"encrypt\")", "decrypt(value, \"encrypt\")"),
            ("encrypt_joinable(value, \"join\")", "decrypt(value, \"join\")"),
            ("encrypt_for(value, \"subject\", \"anna\")", "decrypt(value, \"subject\")"),
        ] {
            let sealed = apply(&keys, seal, value, 0, &arena).unwrap();
            let opened = apply(&keys, open, sealed, 0, &arena).unwrap();
            assert_eq!(opened.type_name(), value.type_name(), "{seal} {value:?}");
            assert_eq!(format!("{opened:?}"), format!("{value:?}"), "{seal}");
            assert!(equals(&opened, &value));
        }
    }
    for value in [Value::Null, Value::List(&[]), Value::Map(&[])] {
        assert!(apply(&keys, "encrypt(value, \"encrypt\")", value, 0, &arena).is_err(), "{value:?}");
    }
}

#[test]
fn the_same_record_has_the_same_envelope_and_no_other_has() {
    let (keys, arena) = (first(), Arena::new());
    let sealed = |text, byte| match apply(&keys, "encrypt(value, \"encrypt\")", Value::String(text), byte, &arena) {
        Ok(Value::String(sealed)) => sealed.to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(sealed("anna", 7), sealed("anna", 7), "read again, it is the same");
    assert_ne!(sealed("anna", 7), sealed("anna", 8), "equal values of two records are not");
    // Another value at the same place has another nonce.
    let nonce = |text| sealed(text, 7).split(':').nth(3).unwrap()[..32].to_owned();
    assert_ne!(nonce("anna"), nonce("annb"));
    // Two values of one record have two.
    let twice = "encrypt(value, \"encrypt\") == encrypt(value, \"encrypt\")";
    assert!(matches!(apply(&keys, twice, Value::String("anna"), 7, &arena), Ok(Value::Bool(false))));
}

#[test]
fn what_was_altered_or_moved_does_not_open() {
    let keys = first();
    for (seal, open) in [
        ("encrypt(value, \"encrypt\", \"a\")", "decrypt(value, \"encrypt\", \"a\")"),
        ("encrypt_joinable(value, \"join\", \"a\")", "decrypt(value, \"join\", \"a\")"),
        ("encrypt_for(value, \"subject\", \"anna\", \"a\")", "decrypt(value, \"subject\", \"a\")"),
    ] {
        let sealed = text(&keys, seal, "secret").unwrap();
        assert_eq!(text(&keys, open, &sealed).unwrap(), "secret");
        let elsewhere = open.replace("\"a\"", "\"b\"");
        assert!(text(&keys, &elsewhere, &sealed).unwrap_err().contains("another place"), "{seal}");
        for at in 0..sealed.len() {
            let mut altered = sealed.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            // The last letter of base64 may hold bits that stand for nothing: those must be zero.
            let opened = text(&keys, open, &altered);
            assert!(opened.is_err(), "{at} of {sealed}");
            assert!(!opened.unwrap_err().contains("secret"));
            assert!(text(&keys, open, &sealed[..at]).is_err(), "cut at {at}");
        }
    }
}

#[test]
fn keys_serve_one_purpose_and_are_granted_by_name() {
    let keys = first();
    let check = |expression: &str, part: &str| {
        let said = text(&keys, expression, "a").unwrap_err();
        assert!(said.contains(part), "{expression}: {said}");
    };
    check("tokenize(value, \"encrypt\")", "is for `encrypt`, and this needs one for `token`");
    check("encrypt(value, \"tokn\")", "there is no key `tokn`");
    check("decrypt(value, \"token\")", "needs one for `encrypt` or `join` or `subject`");
    check("tokenize(value, value)", "known before there is data");
    let nosy = keys.on_behalf("nosy");
    let said = text(&nosy, "decrypt(value, \"encrypt\")", "a").unwrap_err();
    assert!(said.contains("`nosy` may not decrypt"), "{said}");
    assert!(text(&nosy, "fpe_decrypt(value, \"format\")", "123456").unwrap_err().contains("may not decrypt"));
    assert!(text(&Keys::default(), "tokenize(value, \"token\")", "a").unwrap_err().contains("not at hand"));
}

#[test]
fn versions_open_what_they_sealed() {
    let vault = Arc::default();
    let old = keys(&vault, &[(1, KeyState::Active)], &[]);
    let both = keys(&vault, &[(1, KeyState::Retired), (2, KeyState::Active)], &[]);
    let gone = keys(&vault, &[(2, KeyState::Active)], &["id1"]);
    let (seal, open) = ("encrypt(value, \"encrypt\")", "decrypt(value, \"encrypt\")");
    let sealed = text(&old, seal, "a").unwrap();
    assert_eq!(text(&both, open, &sealed).unwrap(), "a");
    assert!(text(&both, seal, "a").unwrap().starts_with("cs1:x:id2:"));
    assert!(text(&gone, open, &sealed).unwrap_err().contains("was destroyed"));
    // Re-encryption needs no leave to decrypt, and leaves alone what is up to date.
    let renew = "reencrypt(value, \"encrypt\")";
    let renewed = text(&both.on_behalf("anybody"), renew, &sealed).unwrap();
    assert!(renewed.starts_with("cs1:x:id2:"));
    assert_eq!(text(&both, renew, &renewed).unwrap(), renewed);
    assert_eq!(text(&gone, open, &renewed).unwrap(), "a");
    // One version can be named; one that is retired protects no more.
    assert_eq!(text(&both, "decrypt(value, \"encrypt@1\")", &sealed).unwrap(), "a");
    assert!(text(&both, "decrypt(value, \"encrypt@2\")", &sealed).unwrap_err().contains("another key"));
    assert!(text(&both, "encrypt(value, \"encrypt@1\")", "a").unwrap_err().contains("does not protect any more"));
    let form = text(&old, "fpe_encrypt(value, \"format\")", "123456").unwrap();
    assert_eq!(text(&both, "fpe_decrypt(value, \"format@1\")", &form).unwrap(), "123456");
    assert_ne!(text(&both, "fpe_decrypt(value, \"format\")", &form).unwrap(), "123456");
    let none = keys(&vault, &[(1, KeyState::Compromised)], &[]);
    assert!(text(&none, seal, "a").unwrap_err().contains("no version that protects"));
    assert_eq!(text(&none, open, &sealed).unwrap(), "a");
}

#[test]
fn a_subject_that_was_erased_is_gone() {
    let vault: Arc<Memory> = Arc::default();
    let keys = keys(&vault, &[(1, KeyState::Active)], &[]);
    let sealed = |who: &str| text(&keys, &format!("encrypt_for(value, \"subject\", \"{who}\")"), "a").unwrap();
    let (anna, bert) = (sealed("anna"), sealed("bert"));
    assert_ne!(anna.split(':').nth(2), bert.split(':').nth(2));
    let open = |sealed: &str| text(&keys, "decrypt(value, \"subject\")", sealed);
    assert_eq!(open(&anna).unwrap(), "a");
    vault.erase("anna");
    assert!(open(&anna).unwrap_err().contains("was erased"));
    assert_eq!(open(&bert).unwrap(), "a");
    assert!(text(&keys, "encrypt_for(value, \"subject\", \"anna\")", "a").unwrap_err().contains("was erased"));
    let arena = Arena::new();
    let erased = |who| apply(&keys, "is_erased(value)", Value::String(who), 0, &arena);
    assert!(matches!((erased("anna"), erased("bert")), (Ok(Value::Bool(true)), Ok(Value::Bool(false)))));
    // An envelope of one subject under the name of another does not open.
    let (mine, theirs): (Vec<&str>, Vec<&str>) = (bert.split(':').collect(), anna.split(':').collect());
    let swapped = [mine[0], mine[1], mine[2], theirs[3]].join(":");
    assert!(open(&swapped).unwrap_err().contains("does not open"));
}

#[test]
fn random_tokens_are_kept_and_made_of_nothing() {
    let (one, other): (Arc<Memory>, Arc<Memory>) = Default::default();
    let token = |vault: &Arc<Memory>, value| {
        text(&keys(vault, &[(1, KeyState::Active)], &[]), "random_token(value, \"vault\")", value).unwrap()
    };
    assert_eq!(token(&one, "078-05-1120"), token(&one, "078-05-1120"));
    assert_ne!(token(&one, "078-05-1120"), token(&one, "078-05-1121"));
    assert_ne!(token(&one, "078-05-1120"), token(&other, "078-05-1120"), "another vault, another token");
    let later = keys(&one, &[(1, KeyState::Retired), (2, KeyState::Active)], &[]);
    let again = text(&later, "random_token(value, \"vault\")", "078-05-1120").unwrap();
    assert_eq!(again, token(&one, "078-05-1120"), "a rotation forgets no value");
    let lost = keys(&one, &[(2, KeyState::Active)], &["id1"]);
    assert!(text(&lost, "random_token(value, \"vault\")", "a").unwrap_err().contains("is gone"));
}

#[test]
fn stand_ins_say_that_they_are() {
    let ring = Ring::rehearsal([declared("mail", Purpose::Encrypt)]);
    let keys = Keys::of(Arc::new(ring)).on_behalf("test");
    assert!(keys.rehearse() && !first().rehearse() && !Keys::default().rehearse());
    assert!(text(&keys, "encrypt(value, \"mail\")", "a").unwrap().starts_with("cs1:x:rehearsal:"));
}

#[test]
fn what_is_protected_loses_its_class_and_what_is_opened_has_it_again() {
    let classes = |expression: &str, class: &str| {
        let value = Binding {
            classes: ClassSet::one(ClassId::named(class).unwrap()),
            ..Binding::new("value", Type::String, Bind::Value)
        };
        let environment = Environment { bindings: vec![value], keys: first(), ..Environment::default() };
        let program = compile(expression, &environment, &mut Projection::default()).unwrap();
        (program.classes().to_string(), program.control_classes().to_string())
    };
    let data = |expression, class| classes(expression, class).0;
    assert_eq!(data("tokenize(value, \"token\")", "pii.email"), "");
    assert_eq!(data("tokenize(value, \"token\")", "pii.gender"), "pii.gender", "few values are guessed");
    assert_eq!(data("encrypt_joinable(value, \"join\")", "phi.diagnosis"), "phi.diagnosis");
    assert_eq!(data("encrypt(value, \"encrypt\")", "phi.diagnosis"), "");
    for expression in
        ["encrypt(value, \"encrypt\")", "tokenize(value, \"token\")", "encrypt_for(value, \"subject\", \"a\")"]
    {
        assert_eq!(data(expression, "cvv"), "pci.sad.cvv", "nothing makes it storable");
    }
    assert_eq!(data("fpe_encrypt(value, \"format\")", "pan"), "");
    assert_eq!(data("decrypt(value, \"encrypt\")", "confidential"), "pii.contact.email, confidential");
    assert_eq!(data("decrypt(encrypt(value, \"encrypt\"), \"encrypt\")", "pan"), "pii.contact.email");
    assert_eq!(classes("is_erased(value)", "pii.id"), (String::new(), "pii.id".into()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: crate::soak::rounds(64), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_comes_back(value in "\\PC{0,60}") {
        let keys = first();
        let sealed = text(&keys, "encrypt(value, \"encrypt\")", &value).unwrap();
        prop_assert_eq!(text(&keys, "decrypt(value, \"encrypt\")", &sealed).unwrap(), value);
    }

    #[test]
    fn no_text_opens_by_chance(value in "(cs1:[xsp]:(id1|subject[.]AAAA)?:)?[A-Za-z0-9_-]{0,80}") {
        let keys = first();
        for purpose in ["encrypt", "join", "subject"] {
            let opened = text(&keys, &format!("decrypt(value, \"{purpose}\")"), &value);
            prop_assert!(opened.is_err());
        }
    }
}
