//! Field names that obviously denote sensitive data. They decide only what is *shown* of
//! fields that nobody classified: a flow check never rests on a guess.

use super::path::Step;
use super::{ClassId, ClassSet, Path};

/// Words of a field's name and the class they give away. A name is cut into words at
/// everything that is no letter or digit and where capitals begin; a hint of several words
/// asks that they follow one another.
const WORDS: &[(&str, &str)] = &[
    ("password", "secret.password"),
    ("passwd", "secret.password"),
    ("passphrase", "secret.password"),
    ("pwd", "secret.password"),
    ("secret", "secret"),
    ("token", "secret.token"),
    ("apikey", "secret.token"),
    ("api key", "secret.token"),
    ("authorization", "secret.token"),
    ("credential", "secret"),
    ("credentials", "secret"),
    ("private key", "secret.key"),
    ("cookie", "secret.token"),
    ("session id", "secret.token"),
    ("otp", "secret.token"),
    ("cvv", "pci.sad.cvv"),
    ("cvv2", "pci.sad.cvv"),
    ("cvc", "pci.sad.cvv"),
    ("cvc2", "pci.sad.cvv"),
    ("pin", "pci.sad.pin"),
    ("pin block", "pci.sad.pin"),
    ("pan", "pci.pan"),
    ("card", "pci.pan"),
    ("cardnumber", "pci.pan"),
    ("creditcard", "pci.pan"),
    ("iban", "financial.iban"),
    ("account number", "financial.account"),
    ("bank account", "financial.account"),
    ("salary", "financial.income"),
    ("income", "financial.income"),
    ("ssn", "pii.id.national"),
    ("social security", "pii.id.national"),
    ("national id", "pii.id.national"),
    ("tax id", "pii.id.national"),
    ("passport", "pii.id.passport"),
    ("email", "pii.contact.email"),
    ("e mail", "pii.contact.email"),
    ("mail", "pii.contact.email"),
    ("phone", "pii.contact.phone"),
    ("telephone", "pii.contact.phone"),
    ("mobile", "pii.contact.phone"),
    ("fax", "pii.contact.phone"),
    ("address", "pii.contact.address"),
    ("street", "pii.contact.address"),
    ("birthdate", "pii.birth_date"),
    ("birthday", "pii.birth_date"),
    ("birth date", "pii.birth_date"),
    ("date of birth", "pii.birth_date"),
    ("dob", "pii.birth_date"),
    ("first name", "pii.name"),
    ("firstname", "pii.name"),
    ("last name", "pii.name"),
    ("lastname", "pii.name"),
    ("surname", "pii.name"),
    ("full name", "pii.name"),
    ("contact name", "pii.name"),
    ("ip address", "pii.device.ip"),
    ("diagnosis", "phi.diagnosis"),
    ("mrn", "phi.mrn"),
    ("medication", "phi.medication"),
];

/// What the name of a field gives away; empty where it gives away nothing.
pub fn by_name(name: &str) -> ClassSet {
    let words = words(name);
    let mut found = ClassSet::NONE;
    for (hint, class) in WORDS {
        let length = hint.split(' ').count();
        if words.windows(length).any(|w| w.iter().map(String::as_str).eq(hint.split(' '))) {
            found = ClassId::named(class).map_or(found, |id| found.union(ClassSet::one(id)));
        }
    }
    found
}

/// What any key of a path gives away.
pub fn by_path(path: &Path) -> ClassSet {
    path.0.iter().fold(ClassSet::NONE, |found, step| match step {
        Step::Key(name) => found.union(by_name(name)),
        Step::Index(_) | Step::Each => found,
    })
}

fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        let begins = c.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit());
        if (begins || !c.is_alphanumeric()) && words.last().is_some_and(|w| !w.is_empty()) {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_exists() {
        for (word, class) in WORDS {
            assert!(ClassId::named(class).is_some(), "{word}: {class}");
        }
    }

    #[test]
    fn names_give_themselves_away() {
        let check = |name: &str, expected: &str| assert_eq!(by_name(name).to_string(), expected, "{name}");
        check("email", "pii.contact.email");
        check("customerEmail", "pii.contact.email");
        check("E-Mail", "pii.contact.email");
        check("card_number", "pci.pan");
        check("CVV", "pci.sad.cvv");
        check("api_key", "secret.token");
        check("apiKey", "secret.token");
        check("HomePhone", "pii.contact.phone");
        check("ContactName", "pii.name");
        check("user_password_hash", "secret.password");
        for harmless in
            ["unit_price", "company", "spin", "pinned", "cardinality", "product_name", "description", "discard", "sku"]
        {
            check(harmless, "");
        }
        assert_eq!(by_path(&Path::parse("supplier.email").unwrap()).to_string(), "pii.contact.email");
    }
}
