//! Names of fields, in English, German, French and Spanish (special categories in eight languages), and the
//! data class that they give away. The names are in one file, `names.tsv`.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::comply::detect::parts;
use crate::record::{ClassId, ClassSet};

/// The most words of a name in the file.
const WORDS: usize = 5;
/// German words of this many letters are found at the end of compounds.
const COMPOUND: usize = 7;

/// The classes that the keys of a path give away.
pub fn classes(path: &str) -> ClassSet {
    let parts: Vec<String> = parts(path).iter().map(|part| folded(part)).collect();
    let names = &*NAMES;
    let mut found = ClassSet::NONE;
    for from in 0..parts.len() {
        let mut phrase = String::new();
        for part in parts[from..].iter().take(WORDS) {
            if !phrase.is_empty() {
                phrase.push(' ');
            }
            phrase.push_str(part);
            found = names.known.get(&phrase).map_or(found, |classes| found.union(*classes));
        }
        found = names.ending(&parts[from]).map_or(found, |classes| found.union(classes));
    }
    found
}

struct Names {
    known: HashMap<String, ClassSet>,
    compounds: Vec<(String, ClassSet)>,
}

impl Names {
    fn ending(&self, word: &str) -> Option<ClassSet> {
        let compound = |end: &&(String, ClassSet)| word.len() > end.0.len() + 2 && word.ends_with(&end.0);
        if word.len() < COMPOUND + 3 { None } else { self.compounds.iter().find(compound).map(|(_, classes)| *classes) }
    }
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let mut names = Names { known: HashMap::new(), compounds: Vec::new() };
    for (class, language, name) in rows() {
        let Some(class) = ClassId::named(class).map(ClassSet::one) else { continue };
        for spelling in spellings(name) {
            if language == "de" && !spelling.contains(' ') && spelling.len() >= COMPOUND {
                names.compounds.push((spelling.clone(), class));
            }
            let held = names.known.entry(spelling).or_insert(ClassSet::NONE);
            *held = held.union(class);
        }
    }
    names
});

/// Class, language and name of every entry of the file.
fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let lines = include_str!("names.tsv").lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('\t')).flat_map(|(class, rest)| {
        let (language, names) = rest.split_once('\t').unwrap_or((rest, ""));
        names.split(',').map(move |name| (class, language, name))
    })
}

/// The name without accents, and with the two letters that German writes for an umlaut.
fn spellings(name: &str) -> Vec<String> {
    let plain = folded(name);
    let long: String = name.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue");
    let long = folded(&long);
    if long == plain { vec![plain] } else { vec![plain, long] }
}

/// Small letters without accents.
fn folded(text: &str) -> String {
    any_ascii::any_ascii(&text.to_lowercase()).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::class;

    #[track_caller]
    fn check(name: &str, expected: &str) {
        assert_eq!(classes(name).to_string(), expected, "{name}");
    }

    #[test]
    fn every_row_is_sound() {
        for (class, language, name) in rows() {
            assert!(ClassId::named(class).is_some_and(|id| id.class().name == class), "{class}");
            assert!(["en", "de", "fr", "es", "it", "pt", "nl", "pl"].contains(&language), "{class}: {language}");
            assert!(!name.is_empty() && name == name.trim() && name.split(' ').count() <= WORDS, "{class}: `{name}`");
            assert!(name.split(' ').all(|word| word.chars().all(char::is_alphanumeric)), "{class}: `{name}`");
            assert!(classes(name).contains(ClassId::named(class).unwrap()), "{class}: {name}");
        }
    }

    #[test]
    fn every_class_of_a_field_has_names() {
        // Those that no field is called after, and those that only stand for what is below them.
        let none = [
            "pii",
            "pii.contact",
            "pii.id",
            "pci",
            "pci.sad",
            "pci.token",
            "financial",
            "financial.report",
            "special",
            "confidential",
        ];
        for class in class::ALL {
            let has = rows().any(|(name, ..)| name == class.name);
            assert!(has || none.contains(&class.name), "no field name gives `{}` away", class.name);
        }
    }

    #[test]
    fn four_languages_are_read() {
        check("customer.dateOfBirth", "pii.birth_date");
        check("Geburtsdatum", "pii.birth_date");
        check("kunden_geburtsdatum", "pii.birth_date");
        check("Kundengeburtsdatum", "pii.birth_date");
        check("date_de_naissance", "pii.birth_date");
        check("fechaNacimiento", "pii.birth_date");
        check("führerschein", "pii.id.licence");
        check("FUEHRERSCHEIN", "pii.id.licence");
        check("Prénom", "pii.name");
        check("numero_de_tarjeta", "pci.pan");
        check("Kreditkartennummer", "pci.pan");
        check("CVV2", "pci.sad.cvv");
        check("contraseña", "secret.password");
        check("wyznanie", "special.religion");
    }

    #[test]
    fn plain_names_give_nothing_away() {
        for name in [
            "id",
            "qty",
            "unit_price",
            "sku",
            "status",
            "created_at",
            "product_name",
            "currency",
            "company",
            "spin",
            "",
            "_",
            "a.b[0].c",
            "total",
        ] {
            check(name, "");
        }
    }
}
