//! Which regime asks for what: the ids that a finding names. Ids only: the texts of standards
//! are licensed.

use std::sync::LazyLock;

use super::standards::{self, Standard, within};
use crate::record::ClassId;

/// The control that each regime puts on data in clear, the most specific regime first.
static CONTROLS: LazyLock<Vec<Clear>> = LazyLock::new(|| {
    let of = |standard: &'static Standard| {
        standard.clear.iter().map(move |clear| Clear {
            standard,
            regime: &clear.regime,
            cited: standard.cite(&clear.control),
            in_force_only: clear.in_force_only,
        })
    };
    let mut all: Vec<Clear> = standards::all().iter().flat_map(of).collect();
    all.sort_by_key(|clear| std::cmp::Reverse(clear.regime.matches('.').count()));
    all
});

struct Clear {
    standard: &'static Standard,
    regime: &'static str,
    cited: String,
    in_force_only: bool,
}

/// Whether a class falls under any of these standards. A standard that is not built in covers every
/// class; so do those without regimes of their own (SOC 2, ISO 27001). Secrets fall under all.
pub(super) fn covered<'s>(class: ClassId, standards: impl IntoIterator<Item = &'s String>) -> bool {
    standards.into_iter().any(|name| standards::named(name).is_none_or(|standard| standard.covers(class)))
}

/// The control that a class in clear breaks: of the standards in force if there are any that
/// know the class, else the most specific there is.
pub(super) fn control<'s>(
    class: ClassId,
    standards: impl IntoIterator<Item = &'s String> + Clone,
) -> Option<&'static str> {
    let regimes = class.class().regimes;
    let all = || CONTROLS.iter().filter(|clear| regimes.iter().any(|own| within(own, clear.regime)));
    let in_force = all().find(|clear| standards.clone().into_iter().any(|name| clear.standard.answers_to(name)));
    in_force.or_else(|| all().find(|clear| !clear.in_force_only)).map(|clear| clear.cited.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::class::ALL;

    #[test]
    fn every_regime_has_a_control() {
        for class in ALL {
            for regime in class.regimes {
                assert!(CONTROLS.iter().any(|clear| within(regime, clear.regime)), "{}: {regime}", class.name);
            }
        }
    }

    #[test]
    fn the_standard_in_force_names_the_control() {
        let class = |name| ClassId::named(name).unwrap();
        let check = |name, standards: &[&str], expected| {
            let standards: Vec<String> = standards.iter().map(ToString::to_string).collect();
            assert_eq!(control(class(name), &standards), expected, "{name} {standards:?}");
        };
        check("pii.email", &["gdpr"], Some("GDPR Art. 32(1)(a)"));
        check("pii.email", &["ccpa"], Some("CCPA 1798.100(c)"));
        check("phi.diagnosis", &["gdpr"], Some("GDPR Art. 9"));
        check("phi.diagnosis", &["hipaa"], Some("HIPAA 164.312(a)(2)(iv)"));
        check("pci.pan", &["pci_dss"], Some("PCI DSS 3.5.1"));
        check("pci.sad.cvv", &[], Some("PCI DSS 3.3.1"));
        check("confidential", &["gdpr"], None);
        assert!(covered(class("pii.email"), &["gdpr".to_string()]));
        assert!(!covered(class("pii.email"), &["pci_dss".to_string()]));
        assert!(covered(class("secret.token"), &["pci_dss".to_string()]));
        assert!(covered(class("pii.email"), &["soc2".to_string()]));
    }
}
