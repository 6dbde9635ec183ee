//! Data classes: what kind of sensitive data a value is.
//!
//! One small dotted tree as data. A class covers everything below it: clearance for
//! `pii.contact` allows `pii.contact.email`. The ids follow the table's order and are not stored;
//! names are.

use std::fmt;

/// One class of the tree.
#[derive(Debug)]
pub struct Class {
    /// Dotted name.
    pub name: &'static str,
    /// What falls under it.
    pub about: &'static str,
    /// 0 (public) to 4 (must never be stored).
    pub sensitivity: u8,
    /// Other names that are accepted.
    pub aliases: &'static [&'static str],
    /// The key of the Fides taxonomy nearest to it, if there is one.
    pub fides: Option<&'static str>,
    /// The regimes it falls under.
    pub regimes: &'static [&'static str],
}

/// The index of a class in [`ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassId(pub u8);

/// A set of classes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ClassSet(u128);

macro_rules! classes {
    ($($name:literal $sensitivity:literal $about:literal $aliases:tt $fides:tt $regimes:tt;)*) => {
        /// Every class, parents before children.
        pub const ALL: &[Class] = &[$(Class {
            name: $name,
            about: $about,
            sensitivity: $sensitivity,
            aliases: &$aliases,
            fides: classes!(@fides $fides),
            regimes: &$regimes,
        }),*];
    };
    (@fides [$key:literal]) => { Some($key) };
    (@fides []) => { None };
}

// Fides keys: ethyca/fideslang `data_categories.csv`; the gaps it has are left empty.
classes! {
    "pii" 1 "Personal data of any kind." ["personal", "pii.personal"] ["user"] ["gdpr", "ccpa"];
    "pii.name" 1 "Names of people." [] ["user.name"] ["gdpr", "ccpa", "hipaa.id.a"];
    "pii.contact" 1 "Ways to reach a person." [] ["user.contact"] ["gdpr", "ccpa"];
    "pii.contact.email" 1 "E-mail addresses." ["pii.email"] ["user.contact.email"] ["gdpr", "ccpa", "hipaa.id.f"];
    "pii.contact.phone" 1 "Telephone and fax numbers." ["pii.phone"] ["user.contact.phone_number"] ["gdpr", "ccpa", "hipaa.id.d", "hipaa.id.e"];
    "pii.contact.address" 1 "Postal addresses." ["pii.address"] ["user.contact.address"] ["gdpr", "ccpa", "hipaa.id.b"];
    "pii.birth_date" 2 "Dates of birth." ["pii.dob", "pii.date_of_birth"] ["user.demographic.date_of_birth"] ["gdpr", "ccpa", "hipaa.id.c"];
    "pii.age" 1 "Ages." [] ["user.demographic.age_range"] ["gdpr", "ccpa", "hipaa.id.c"];
    "pii.gender" 1 "Gender." [] ["user.demographic.gender"] ["gdpr", "ccpa"];
    "pii.location" 2 "Where a person is or was." [] ["user.location"] ["gdpr", "ccpa"];
    "pii.location.precise" 3 "Location to within a few hundred metres." ["pii.geo"] ["user.location.precise"] ["gdpr", "ccpa.spi"];
    "pii.id" 2 "Numbers that identify a person." [] ["user.unique_id"] ["gdpr", "ccpa"];
    "pii.id.national" 3 "National identity, insurance and tax numbers." ["pii.ssn", "pii.national_id"] ["user.government_id.national_identification_number"] ["gdpr", "ccpa.spi", "hipaa.id.g"];
    "pii.id.passport" 3 "Passport numbers." [] ["user.government_id.passport_number"] ["gdpr", "ccpa.spi"];
    "pii.id.licence" 3 "Driving and professional licence numbers." ["pii.driver_license"] ["user.government_id.drivers_license_number"] ["gdpr", "ccpa.spi", "hipaa.id.k"];
    "pii.id.customer" 1 "Customer and account numbers of a person." [] ["user.unique_id"] ["gdpr", "ccpa", "hipaa.id.j"];
    "pii.device" 1 "Device identifiers." [] ["user.device"] ["gdpr", "ccpa", "hipaa.id.m"];
    "pii.device.ip" 1 "IP addresses." ["pii.ip"] ["user.device.ip_address"] ["gdpr", "ccpa", "hipaa.id.o"];
    "pii.vehicle" 1 "Vehicle identifiers and plates." ["pii.vin"] [] ["gdpr", "hipaa.id.l"];
    "pii.photo" 2 "Pictures of a person." [] ["user.biometric"] ["gdpr", "hipaa.id.q"];
    "pii.child" 3 "Data of a child." [] ["user.childrens"] ["gdpr.child", "ccpa.spi"];
    "pii.employment" 1 "Employment data." [] ["user.workplace"] ["gdpr", "ccpa"];
    "pii.behaviour" 1 "What a person does: visits, purchases, clicks." [] ["user.behavior"] ["gdpr", "ccpa"];
    "pii.free_text" 1 "Text in which personal data may stand." [] ["user.content"] ["gdpr"];
    "phi" 3 "Health data of a person." ["phi.health"] ["user.health_and_medical"] ["hipaa.phi", "gdpr.special", "ccpa.spi"];
    "phi.mrn" 3 "Medical record numbers." [] [] ["hipaa.phi", "hipaa.id.h", "gdpr.special"];
    "phi.member_id" 3 "Health plan member numbers." [] [] ["hipaa.phi", "hipaa.id.i"];
    "phi.diagnosis" 3 "Diagnoses." [] [] ["hipaa.phi", "gdpr.special", "ccpa.spi"];
    "phi.medication" 3 "Medication." [] [] ["hipaa.phi", "gdpr.special", "ccpa.spi"];
    "phi.procedure" 3 "Procedures and treatments." [] [] ["hipaa.phi", "gdpr.special", "ccpa.spi"];
    "phi.lab" 3 "Laboratory results." [] [] ["hipaa.phi", "gdpr.special", "ccpa.spi"];
    "phi.appointment" 2 "Appointments with a provider of care." [] [] ["hipaa.phi", "hipaa.id.c"];
    "phi.provider_id" 1 "Numbers of providers of care (NPI, DEA)." ["phi.npi"] [] ["hipaa.phi"];
    "phi.device_serial" 2 "Serial numbers of medical devices." [] [] ["hipaa.phi", "hipaa.id.m"];
    "pci" 3 "Payment card data." [] ["user.financial"] ["pci.chd"];
    "pci.pan" 3 "Primary account numbers (card numbers)." ["pan", "pci.card_number"] ["user.financial.credit_card"] ["pci.pan", "pci.chd", "ccpa.spi"];
    "pci.cardholder" 2 "Cardholder names." [] [] ["pci.chd"];
    "pci.expiry" 2 "Card expiry dates." [] [] ["pci.chd"];
    "pci.service_code" 2 "Card service codes." [] [] ["pci.chd"];
    "pci.sad" 4 "Sensitive authentication data: never stored after authorisation." [] [] ["pci.sad"];
    "pci.sad.cvv" 4 "Card verification codes." ["cvv", "pci.cvv"] [] ["pci.sad"];
    "pci.sad.pin" 4 "PINs and PIN blocks." ["pci.pin"] [] ["pci.sad"];
    "pci.sad.track" 4 "Magnetic stripe or chip data." ["pci.track"] [] ["pci.sad"];
    "pci.token" 0 "Card tokens that lead back only through a vault." [] [] [];
    "financial" 2 "Financial data." [] ["user.financial"] ["gdpr", "ccpa"];
    "financial.account" 2 "Bank account numbers." ["financial.bank_account"] ["user.financial.bank_account"] ["gdpr", "ccpa.spi", "hipaa.id.j"];
    "financial.iban" 2 "IBANs." ["iban"] [] ["gdpr", "ccpa.spi"];
    "financial.balance" 2 "Balances." [] [] ["gdpr", "ccpa"];
    "financial.transaction" 2 "Transactions." [] [] ["gdpr", "ccpa", "sox.icfr"];
    "financial.income" 2 "Income and wealth." [] [] ["gdpr", "ccpa"];
    "financial.report" 2 "Data that flows into financial reporting." [] [] ["sox.icfr"];
    "special" 3 "Special categories of personal data (GDPR Art. 9 and 10)." [] ["user.demographic"] ["gdpr.special", "ccpa.spi"];
    "special.religion" 3 "Religious or philosophical beliefs." [] ["user.demographic.religious_belief"] ["gdpr.special", "ccpa.spi"];
    "special.ethnicity" 3 "Racial or ethnic origin." [] ["user.demographic.race_ethnicity"] ["gdpr.special", "ccpa.spi"];
    "special.politics" 3 "Political opinions." [] ["user.demographic.political_opinion"] ["gdpr.special"];
    "special.union" 3 "Trade union membership." [] [] ["gdpr.special", "ccpa.spi"];
    "special.orientation" 3 "Sex life or sexual orientation." [] ["user.demographic.sexual_orientation"] ["gdpr.special", "ccpa.spi"];
    "special.biometric" 3 "Biometric data." [] ["user.biometric"] ["gdpr.special", "ccpa.spi", "hipaa.id.p"];
    "special.genetic" 3 "Genetic data." [] ["user.health_and_medical.genetic"] ["gdpr.special", "ccpa.spi"];
    "special.criminal" 3 "Criminal convictions and offences." [] ["user.criminal_history"] ["gdpr.criminal"];
    "secret" 4 "Anything that grants access." [] ["user.authorization"] ["secret"];
    "secret.password" 4 "Passwords." [] ["user.authorization.password"] ["secret", "ccpa.spi"];
    "secret.token" 4 "Tokens and API keys." ["secret.api_key"] [] ["secret"];
    "secret.key" 4 "Private keys." [] [] ["secret"];
    "confidential" 2 "Business secrets." [] ["system"] [];
}

impl ClassId {
    /// The class of that name or alias.
    pub fn named(name: &str) -> Option<Self> {
        ALL.iter().position(|c| c.name == name || c.aliases.contains(&name)).map(|index| Self(index as u8))
    }

    /// Its description.
    pub fn class(self) -> &'static Class {
        &ALL[usize::from(self.0) % ALL.len()]
    }

    /// Whether it is card authentication data: never stored after authorisation, not even encrypted (PCI DSS 3.3.1).
    pub fn is_fleeting(self) -> bool {
        is_below(self.class().name, "pci.sad")
    }

    /// Whether `self` is `parent` or lies below it.
    pub fn is_within(self, parent: Self) -> bool {
        is_below(self.class().name, parent.class().name)
    }
}

fn is_below(name: &str, around: &str) -> bool {
    name.strip_prefix(around).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl ClassSet {
    /// No class.
    pub const NONE: Self = Self(0);

    /// The set of one.
    pub fn one(id: ClassId) -> Self {
        Self(1 << id.0)
    }

    /// Both.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are in both.
    pub fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Without those of the other.
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the class itself is in it.
    pub fn contains(self, id: ClassId) -> bool {
        self.0 & (1 << id.0) != 0
    }

    /// Those that a list of cleared classes does not cover.
    pub fn beyond(self, cleared: Self) -> Self {
        self.iter().filter(|id| !cleared.iter().any(|c| id.is_within(c))).map(Self::one).fold(Self::NONE, Self::union)
    }

    /// The classes in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = ClassId> {
        (0..ALL.len() as u8).map(ClassId).filter(move |id| self.contains(*id))
    }

    /// The highest sensitivity in it, 0 if empty.
    pub fn sensitivity(self) -> u8 {
        self.iter().map(|id| id.class().sensitivity).max().unwrap_or(0)
    }
}

impl FromIterator<ClassId> for ClassSet {
    fn from_iter<I: IntoIterator<Item = ClassId>>(ids: I) -> Self {
        ids.into_iter().map(Self::one).fold(Self::NONE, Self::union)
    }
}

impl fmt::Display for ClassSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, id) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            f.write_str(id.class().name)?;
        }
        Ok(())
    }
}
impl fmt::Debug for ClassSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_whole() {
        let mut names = std::collections::BTreeSet::new();
        assert!(ALL.len() <= 128);
        for class in ALL {
            assert!(names.insert(class.name), "{} twice", class.name);
            for alias in class.aliases {
                assert!(names.insert(alias), "{alias} twice");
            }
            if let Some((parent, _)) = class.name.rsplit_once('.') {
                assert!(ALL.iter().any(|c| c.name == parent), "{parent} is missing");
            }
            assert!(class.sensitivity <= 4 && class.about.ends_with('.'));
        }
    }

    #[test]
    fn a_parent_clears_its_children() {
        let set = |names: &[&str]| names.iter().map(|n| ClassId::named(n).unwrap()).collect::<ClassSet>();
        assert!(set(&["pii.email"]).beyond(set(&["pii.contact"])).is_empty());
        assert_eq!(set(&["pii.email", "pci.pan"]).beyond(set(&["pii"])), set(&["pci.pan"]));
        assert_eq!(set(&["pii.contact"]).beyond(set(&["pii.email"])), set(&["pii.contact"]));
    }
}
