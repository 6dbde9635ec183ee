//! The detectors, one file each: a description, the places to look at, and a check.
//!
//! Adding one: a file with its `DETECTOR`, its `mod` line and its line in [`ALL`]. The tests at the end
//! hold for every entry; a test in `names` says which class has no name for a field.

mod at_svnr;
mod au_abn;
mod au_tfn;
mod bank_account;
mod be_nn;
mod bg_egn;
mod bic;
mod biometric;
mod birth_date;
mod br_cnpj;
mod br_cpf;
mod ca_sin;
mod card_expiry;
mod card_number;
mod card_track;
mod card_verification;
mod ch_ahv;
mod cn_ric;
mod criminal_record;
mod customer_number;
mod cz_rc;
mod de_idnr;
mod dk_cpr;
mod driving_licence;
mod ee_ik;
mod email;
mod es_nif;
mod ethnicity;
mod fi_hetu;
mod fr_nir;
mod generic_secret;
mod genetic;
mod health;
mod health_plan_member;
mod hr_oib;
mod iban;
mod icd10;
mod ie_pps;
mod imei;
mod in_aadhaar;
mod in_pan;
mod ip_v4;
mod ip_v6;
mod it_codice_fiscale;
mod json_web_token;
mod loinc;
mod mac_address;
mod machine_readable_zone;
mod medical_record_number;
mod mx_curp;
mod ndc;
mod nl_bsn;
mod no_fnr;
mod passport;
mod person_name;
mod phone;
mod pin_block;
mod pl_pesel;
mod political_opinion;
mod postal_address;
mod private_key;
mod procedure_code;
mod pt_nif;
mod religion;
mod ro_cnp;
mod se_personnummer;
mod sexual_orientation;
mod sg_nric;
mod test_card;
mod tr_tckn;
mod uk_nhs;
mod uk_nino;
mod union_membership;
mod url_password;
mod us_dea;
mod us_ein;
mod us_itin;
mod us_mbi;
mod us_npi;
mod us_routing;
mod us_ssn;
mod vendor_token;
mod vin;
mod za_id;

use super::detect::{Digits, Grade, Layout};

/// What is looked for, and how it is known.
#[derive(Debug)]
pub struct Detector {
    /// Its name: `us_ssn`.
    pub name: &'static str,
    /// The data class of what it finds.
    pub class: &'static str,
    /// What it finds, and by what rules: one sentence.
    pub about: &'static str,
    /// Where it looks.
    pub looks: &'static [Looks],
    /// Words, or pairs of words, in a field's name or shortly before a value that speak for it. In small letters.
    pub words: &'static [&'static str],
    /// The share of random values of its form that its check digits let through: what a column is measured
    /// against. 1 where there are none: other things have plausible dates and ranges, too.
    pub null_rate: f64,
    /// What its findings show of themselves.
    pub shows: Shows,
    /// Texts that it finds something in, whatever the field is called.
    pub finds: &'static [&'static str],
    /// Texts that it finds something in where the field is named with its first word, and not without.
    pub finds_if_named: &'static [&'static str],
    /// Look-alikes that it passes over, even where the field is named with its first word.
    pub passes: &'static [&'static str],
}

/// What a finding shows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// Its form; separators are a matter of taste and do not count for its fingerprint.
    Number,
    /// Its form.
    Form,
    /// Nothing: secrets and words.
    Nothing,
}

/// Where a detector looks.
#[derive(Debug)]
pub enum Looks {
    /// At digits in one of these layouts.
    Digits {
        /// The layouts.
        layouts: &'static [Layout],
        /// The check.
        check: fn(&Digits<'_>) -> Option<Grade>,
    },
    /// At four short groups of digits with points between them.
    Quad(fn(&Site<'_>) -> Option<Found>),
    /// At words with letters and digits of so many bytes (or what begins with one).
    Word {
        /// Bytes of the word.
        lengths: &'static [u8],
        /// Whether a value in it can be a hit with nothing around it that says so.
        alone: bool,
        /// The check.
        check: fn(&Site<'_>) -> Option<Found>,
    },
    /// At words of so many capitals.
    Capitals {
        /// Bytes of the word.
        lengths: &'static [u8],
        /// Whether a value in it can be a hit with nothing around it that says so.
        alone: bool,
        /// The check.
        check: fn(&Site<'_>) -> Option<Found>,
    },
    /// At so many digits with something right behind them that is none.
    Lead {
        /// Digits.
        lengths: &'static [u8],
        /// The check.
        check: fn(&Site<'_>) -> Option<Found>,
    },
    /// At a byte.
    Mark {
        /// The byte, one that `detect::bytes` marks.
        byte: u8,
        /// The check. The site's word is the last one before the byte.
        check: fn(&Site<'_>) -> Option<Found>,
    },
    /// At words that begin so.
    Prefix {
        /// Beginnings of at least three bytes.
        prefixes: fn() -> Vec<&'static str>,
        /// The check.
        check: fn(&Site<'_>) -> Option<Found>,
    },
    /// At the whole value, and only in a field whose name speaks for it.
    Whole(fn(&str) -> Option<Grade>),
}

/// A place in a text.
#[derive(Clone, Copy, Debug)]
pub struct Site<'t> {
    /// The text.
    pub text: &'t [u8],
    /// Where the word, or the marked byte, begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// The last word before a marked byte.
    pub word: (usize, usize),
}

impl<'t> Site<'t> {
    /// The word.
    pub fn word(&self) -> &'t [u8] {
        &self.text[self.start..self.end]
    }

    /// All of the word, so graded.
    pub fn found(&self, grade: Grade) -> Option<Found> {
        Some(Found { start: self.start, end: self.end, grade })
    }
}

/// What a check found.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// Where it begins in the text.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// How sure its form makes.
    pub grade: Grade,
}

/// Every detector. Where two find the same with the same score, the earlier one counts.
pub const ALL: &[&Detector] = &[
    &card_number::DETECTOR,
    &test_card::DETECTOR,
    &card_verification::DETECTOR,
    &card_track::DETECTOR,
    &pin_block::DETECTOR,
    &card_expiry::DETECTOR,
    &us_ssn::DETECTOR,
    &us_itin::DETECTOR,
    &us_ein::DETECTOR,
    &us_npi::DETECTOR,
    &us_dea::DETECTOR,
    &us_mbi::DETECTOR,
    &medical_record_number::DETECTOR,
    &health_plan_member::DETECTOR,
    &customer_number::DETECTOR,
    &icd10::DETECTOR,
    &procedure_code::DETECTOR,
    &loinc::DETECTOR,
    &ndc::DETECTOR,
    &iban::DETECTOR,
    &bic::DETECTOR,
    &us_routing::DETECTOR,
    &bank_account::DETECTOR,
    &vin::DETECTOR,
    &imei::DETECTOR,
    &email::DETECTOR,
    &phone::DETECTOR,
    &ip_v4::DETECTOR,
    &ip_v6::DETECTOR,
    &mac_address::DETECTOR,
    &birth_date::DETECTOR,
    &passport::DETECTOR,
    &machine_readable_zone::DETECTOR,
    &driving_licence::DETECTOR,
    &uk_nhs::DETECTOR,
    &uk_nino::DETECTOR,
    &es_nif::DETECTOR,
    &it_codice_fiscale::DETECTOR,
    &fr_nir::DETECTOR,
    &de_idnr::DETECTOR,
    &nl_bsn::DETECTOR,
    &be_nn::DETECTOR,
    &pl_pesel::DETECTOR,
    &se_personnummer::DETECTOR,
    &fi_hetu::DETECTOR,
    &dk_cpr::DETECTOR,
    &pt_nif::DETECTOR,
    &ro_cnp::DETECTOR,
    &bg_egn::DETECTOR,
    &cz_rc::DETECTOR,
    &hr_oib::DETECTOR,
    &ie_pps::DETECTOR,
    &ee_ik::DETECTOR,
    &ch_ahv::DETECTOR,
    &no_fnr::DETECTOR,
    &at_svnr::DETECTOR,
    &tr_tckn::DETECTOR,
    &in_aadhaar::DETECTOR,
    &in_pan::DETECTOR,
    &br_cpf::DETECTOR,
    &br_cnpj::DETECTOR,
    &au_tfn::DETECTOR,
    &au_abn::DETECTOR,
    &ca_sin::DETECTOR,
    &za_id::DETECTOR,
    &sg_nric::DETECTOR,
    &mx_curp::DETECTOR,
    &cn_ric::DETECTOR,
    &private_key::DETECTOR,
    &json_web_token::DETECTOR,
    &vendor_token::DETECTOR,
    &url_password::DETECTOR,
    &generic_secret::DETECTOR,
    &person_name::DETECTOR,
    &postal_address::DETECTOR,
    &health::DETECTOR,
    &religion::DETECTOR,
    &ethnicity::DETECTOR,
    &political_opinion::DETECTOR,
    &union_membership::DETECTOR,
    &sexual_orientation::DETECTOR,
    &biometric::DETECTOR,
    &genetic::DETECTOR,
    &criminal_record::DETECTOR,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comply::detect::{Column, Context, Hit, Scanner, Selection, THRESHOLD};
    use crate::record::ClassId;

    fn scan(scanner: &mut Scanner, text: &str, context: &Context) -> Vec<Hit> {
        let mut found = Vec::new();
        scanner.scan(text, context, &mut found);
        for hit in &found {
            assert!(hit.score >= THRESHOLD && hit.score <= 1.0);
            assert!(text.get(hit.offset..hit.offset + hit.length).is_some(), "{hit:?} in {text}");
        }
        found
    }

    /// The detector alone, so that no other one is surer.
    fn scanner(detector: &Detector) -> Scanner {
        let name = detector.name;
        Scanner::new(&Selection::only(move |other| other.name == name).fingerprints([7; 32]))
    }

    fn each(check: impl Fn(&Detector, &mut Scanner, &Context)) {
        for detector in ALL {
            check(detector, &mut scanner(detector), &Context::of_field(detector.words[0]));
        }
    }

    #[test]
    fn every_file_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/comply/detectors");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        for file in files.filter(|file| file != "mod.rs") {
            let name = file.trim_end_matches(".rs");
            assert!(
                ALL.iter().any(|detector| detector.name == name),
                "add `&{name}::DETECTOR,` to ALL in detectors/mod.rs"
            );
        }
        assert!(ALL.len() < 127, "a set of detectors has 127 places");
    }

    #[test]
    fn descriptions_are_whole() {
        let mut names = std::collections::BTreeSet::new();
        for detector in ALL {
            let Detector { name, class, about, .. } = detector;
            assert!(names.insert(name), "{name} twice");
            assert!(ClassId::named(class).is_some_and(|id| id.class().name == *class), "{name}: no class `{class}`");
            assert!(about.ends_with('.') && about.len() < 260, "{name}: {about}");
            assert!(!detector.looks.is_empty() && !detector.words.is_empty(), "{name}");
            assert!(
                detector.words.iter().all(|word| *word == word.to_lowercase() && !word.contains(['_', '-'])),
                "{name}"
            );
            assert!(
                detector.finds.len() + detector.finds_if_named.len() > 0 && !detector.passes.is_empty(),
                "{name}: examples"
            );
            assert!(detector.null_rate > 0.0 && detector.null_rate <= 1.0, "{name}");
        }
    }

    #[test]
    fn examples_are_found_and_look_alikes_passed() {
        let mut wrong = Vec::new();
        for detector in ALL {
            let (mut scanner, named) = (scanner(detector), Context::of_field(detector.words[0]));
            let mut expect = |text: &str, context: &Context, wanted: bool, said: &str| {
                let found = scan(&mut scanner, text, context);
                if found.is_empty() == wanted {
                    wrong.push(format!("{}: `{text}` {said}: {found:?}", detector.name));
                }
            };
            for text in detector.finds {
                expect(text, &Context::none(), true, "is to be found");
                expect(text, &named, true, "is to be found, named");
            }
            for text in detector.finds_if_named {
                expect(text, &named, true, "is to be found, named");
                expect(text, &Context::none(), false, "is not to be found unnamed");
            }
            for text in detector.passes {
                expect(text, &Context::none(), false, "is to be passed over");
                // Whatever stands in a field that is called password is one.
                if detector.name != "generic_secret" {
                    expect(text, &named, false, "is to be passed over, named");
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn examples_are_found_among_all_detectors() {
        let mut scanner = Scanner::new(&Selection::all());
        for detector in ALL {
            let class = ClassId::named(detector.class).unwrap();
            for text in detector.finds {
                let found = scan(&mut scanner, text, &Context::none());
                assert!(found.iter().any(|hit| hit.class == class), "{}: `{text}` {found:?}", detector.name);
            }
        }
    }

    #[test]
    fn a_preview_never_shows_the_value() {
        each(|detector, scanner, context| {
            for text in detector.finds.iter().chain(detector.finds_if_named) {
                for hit in scan(scanner, text, context) {
                    let value = &text[hit.offset..hit.offset + hit.length];
                    let shown = format!("{hit:?} {}", hit.preview);
                    assert!(!shown.contains(value), "{}: {shown}", detector.name);
                    assert!(
                        hit.preview.as_str().bytes().all(|b| !b.is_ascii_alphanumeric() || matches!(b, b'x' | b'0')),
                        "{}: {}",
                        detector.name,
                        hit.preview
                    );
                    assert!(hit.fingerprint.is_some());
                }
            }
        });
    }

    #[test]
    fn hostile_text_is_survived() {
        let seeds = [
            "",
            "\u{0}",
            "é",
            "\u{200b}",
            "٤١١١",
            "4",
            "-",
            "-----BEGIN ",
            "%B",
            ";=",
            "@",
            "a@",
            "@a",
            "::",
            "+",
            "(",
            "<",
            "eyJ",
            "eyJ.",
            "ghp_",
            "%",
            "&#",
            "\\u",
            "A1",
            "x_",
            "=",
            "password=",
            "P<",
        ];
        let mut texts: Vec<String> = seeds
            .iter()
            .flat_map(|seed| [seed.to_string(), seed.repeat(300), format!("{seed}\u{e9}"), format!("1{seed}1")])
            .collect();
        texts.extend(
            ["9", "A", "a", "0", "4111", "-1", ".1", " 1", "@a.b", "1:", "a:", "F-", "A/", "<A"]
                .iter()
                .map(|seed| seed.repeat(2000)),
        );
        let mut all = Scanner::new(&Selection::all());
        for text in &texts {
            scan(&mut all, text, &Context::none());
        }
        each(|detector, scanner, context| {
            for text in &texts {
                scan(scanner, text, context);
            }
            // Cut anywhere, an example is survived.
            for text in detector.finds.iter().chain(detector.finds_if_named).chain(detector.passes) {
                for (at, _) in text.char_indices() {
                    scan(scanner, &text[at..], context);
                    scan(scanner, &text[..at], context);
                    scan(scanner, &format!("{}\u{e9}{}", &text[..at], &text[at..]), context);
                }
            }
        });
    }

    /// Random values of a detector's form, made from an example by changing each digit and each letter at random:
    /// the share that its check lets through is what its description says.
    #[test]
    fn the_null_rate_is_as_described() {
        let mut random = 0x2545_F491_4F6C_DD1D_u64;
        let mut next = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let mut wrong = Vec::new();
        for (place, detector) in ALL.iter().enumerate() {
            let Some(example) = detector
                .finds_if_named
                .iter()
                .chain(detector.finds)
                .find(|text| !text.contains([' ', ':', '@', '-', '.', '/']))
            else {
                continue;
            };
            if detector.null_rate > 0.5 || detector.shows == Shows::Nothing || detector.name == "test_card" {
                continue;
            }
            let (mut scanner, mut column) = (scanner(detector), Column::new());
            for _ in 0..20_000 {
                let value: String = example
                    .chars()
                    .map(|c| match c {
                        '0'..='9' => char::from(b'0' + next(10) as u8),
                        'A'..='Z' => char::from(b'A' + next(26) as u8),
                        other => other,
                    })
                    .collect();
                scanner.sample(&value, &mut column);
            }
            let Some((rate, shaped)) = column.rate_of(place) else { continue };
            let said = detector.null_rate;
            let few = f64::from(shaped) * said < 20.0;
            if (few && rate > said * 10.0 + 0.002) || (!few && (rate > said * 1.6 || rate < said / 2.5)) {
                wrong.push(format!("{}: {rate:.5} of {shaped}, said {said}", detector.name));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
