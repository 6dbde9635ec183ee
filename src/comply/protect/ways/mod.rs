//! The ways in which a value can be protected, one file each: what a rule can do about a class. Each says
//! what stays possible with the result, and which expression makes it of `value`; so a rule, a person and
//! the flow check speak of the same thing.
//!
//! Adding one: a file with its description, its `mod` line and its line in [`ALL`].

mod drop;
mod encrypt;
mod encrypt_joinable;
mod format;
mod generalise;
mod mask;
mod pseudonymise;
mod random_token;
mod tokenise;
mod truncate;

use crate::record::{ClassId, Purpose};

/// A way of protecting values.
#[derive(Debug)]
pub struct Way {
    /// Its name.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// Whether somebody with the key, or the vault, can get back to the value.
    pub reversible: bool,
    /// Whether equal values stay equal.
    pub joinable: bool,
    /// Whether the result looks as the value did: length and letters.
    pub keeps_form: bool,
    /// What the key is for that it needs.
    pub purpose: Option<Purpose>,
    /// The expression that makes the result of `value`; `None` where the class is not to be protected so.
    expression: fn(&Asked<'_>) -> Option<String>,
}

/// What is to be protected, and with what.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// What it is.
    pub class: ClassId,
    /// The name of the key, for ways that need one.
    pub key: Option<&'a str>,
    /// What tells its place apart; `None`: the name of the key.
    pub context: Option<&'a str>,
}

/// Every way, in the order in which they are offered.
pub const ALL: &[&Way] = &[
    &mask::MASK,
    &truncate::TRUNCATE,
    &generalise::GENERALISE,
    &tokenise::TOKENISE,
    &pseudonymise::PSEUDONYMISE,
    &random_token::RANDOM_TOKEN,
    &format::FORMAT,
    &encrypt::ENCRYPT,
    &encrypt_joinable::ENCRYPT_JOINABLE,
    &drop::DROP,
];

/// The way of that name.
pub fn named(name: &str) -> Option<&'static Way> {
    ALL.iter().copied().find(|way| way.name == name)
}

impl Way {
    /// The expression that protects `value` in this way; `None` if the class is not to be protected so, or
    /// the key is missing.
    pub fn expression(&self, asked: &Asked<'_>) -> Option<String> {
        if asked.class.is_fleeting() && self.name != drop::DROP.name {
            return None;
        }
        (self.expression)(asked)
    }
}

impl Asked<'_> {
    /// `function(value, "key")`.
    fn call(&self, function: &str) -> Option<String> {
        Some(format!("{function}(value, {})", quoted(self.key?)))
    }

    /// The same with what tells the place apart behind; `between` stands in front of that.
    fn placed(&self, begin: &str, between: &str) -> Option<String> {
        let key = quoted(self.key?);
        Some(match self.context {
            None => format!("{begin}, {key})"),
            Some(context) => format!("{begin}, {key}{between}, {})", quoted(context)),
        })
    }
}

/// Text as expressions write it.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::comply::protect::{Declared, Ring};
    use crate::expr::{Bind, Binding, Environment, Keys, compile};
    use crate::record::{ClassSet, Projection, Type, class};

    #[test]
    fn every_file_is_listed() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/comply/protect/ways");
        let stems = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
        let mut stems: Vec<String> = stems.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
        stems.retain(|stem| stem != "mod");
        let mut listed: Vec<String> = ALL.iter().map(|way| way.name.to_owned()).collect();
        stems.sort();
        listed.sort();
        assert_eq!(stems, listed);
        assert!(ALL.iter().all(|way| way.about.ends_with('.') && named(way.name).is_some()));
    }

    /// For each class: the expression compiles, and the class is gone or there is none.
    #[test]
    fn what_a_way_promises_the_flow_check_confirms() {
        let declared = |purpose: &Purpose| Declared {
            name: purpose.word().into(),
            purpose: *purpose,
            classes: ClassSet::NONE,
            decrypt: Vec::new(),
        };
        let keys = Keys::of(Arc::new(Ring::rehearsal(Purpose::ALL.iter().map(declared))));
        let (mut protected, sad) = (0, ClassId::named("pci.sad").unwrap());
        for class in (0..class::ALL.len() as u8).map(ClassId) {
            for way in ALL {
                let key = way.purpose.map(Purpose::word);
                for context in [None, Some("a \"place\"")] {
                    let Some(text) = way.expression(&Asked { class, key, context }) else { continue };
                    let value =
                        Binding { classes: ClassSet::one(class), ..Binding::new("value", Type::Dyn, Bind::Value) };
                    let environment =
                        Environment { bindings: vec![value], keys: keys.clone(), ..Environment::default() };
                    let program = compile(&text, &environment, &mut Projection::default()).expect(&text);
                    assert!(!class.is_within(sad) || way.name == "drop", "{text}");
                    // A token of what there are few of is one, and its class says that it still tells.
                    let few = way.purpose.is_some() && (way.joinable || way.keeps_form);
                    let whole = class.class().name == "pci" || class.class().sensitivity == 0;
                    let gone = !program.classes().contains(class);
                    assert!(gone || few || whole, "{}: {text}", class.class().name);
                    protected += usize::from(gone);
                }
            }
        }
        assert!(protected > 200, "{protected}");
        let class = ClassId::named("pii.email").unwrap();
        let asked = Asked { class, key: None, context: None };
        assert_eq!(named("encrypt").unwrap().expression(&asked), None, "no key, no way");
        assert_eq!(named("mask").unwrap().expression(&asked).as_deref(), Some("mask_email(value)"));
    }
}
