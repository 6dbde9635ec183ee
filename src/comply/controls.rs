//! Which regime asks for what: the ids that a finding names. Ids only: the texts of standards
//! are licensed.

use crate::record::ClassId;

/// A standard that a project can be held to, with the regimes of classes that fall under it.
struct Standard {
    names: &'static [&'static str],
    /// Prefixes of regimes; empty: every class.
    regimes: &'static [&'static str],
}

const STANDARDS: &[Standard] = &[
    Standard { names: &["gdpr"], regimes: &["gdpr"] },
    Standard { names: &["ccpa", "cpra"], regimes: &["ccpa"] },
    Standard { names: &["hipaa"], regimes: &["hipaa"] },
    Standard { names: &["pci_dss", "pci"], regimes: &["pci"] },
    Standard { names: &["sox"], regimes: &["sox"] },
];

/// The control that each regime puts on data in clear, the most specific regime first.
const CONTROLS: &[(&str, &str)] = &[
    ("pci.sad", "PCI DSS 3.3.1"),
    ("pci.pan", "PCI DSS 3.5.1"),
    ("pci.chd", "PCI DSS 3.2.1"),
    ("hipaa.phi", "HIPAA 164.312(a)(2)(iv)"),
    ("gdpr.special", "GDPR Art. 9"),
    ("gdpr.criminal", "GDPR Art. 10"),
    ("gdpr.child", "GDPR Art. 8"),
    ("ccpa.spi", "CCPA 1798.121"),
    ("sox.icfr", "SOX 404"),
    ("secret", "ISO 27001 A.5.17"),
    ("gdpr", "GDPR Art. 32(1)(a)"),
    ("ccpa", "CCPA 1798.100(c)"),
    ("hipaa.id", "HIPAA 164.514(b)(2)(i)"),
];

/// Whether a class falls under any of these standards. A standard without regimes of its own
/// (SOC 2, ISO 27001, custom ones) covers every class; so do secrets under any standard.
pub(super) fn covered<'s>(class: ClassId, standards: impl IntoIterator<Item = &'s String>) -> bool {
    standards.into_iter().any(|name| match STANDARDS.iter().find(|s| s.names.contains(&name.as_str())) {
        Some(standard) => class
            .class()
            .regimes
            .iter()
            .any(|regime| *regime == "secret" || standard.regimes.iter().any(|prefix| within(regime, prefix))),
        None => true,
    })
}

/// The control that a class in clear breaks: of the standards in force if there are any that
/// know the class, else the most specific there is.
pub(super) fn control<'s>(
    class: ClassId,
    standards: impl IntoIterator<Item = &'s String> + Clone,
) -> Option<&'static str> {
    let regimes = class.class().regimes;
    let all = || CONTROLS.iter().filter(|(regime, _)| regimes.iter().any(|own| within(own, regime)));
    let in_force = all().find(|(regime, _)| {
        standards.clone().into_iter().any(|name| {
            STANDARDS.iter().any(|s| s.names.contains(&name.as_str()) && s.regimes.iter().any(|p| within(regime, p)))
        })
    });
    in_force.or_else(|| all().next()).map(|(_, control)| *control)
}

fn within(regime: &str, prefix: &str) -> bool {
    regime.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::class::ALL;

    #[test]
    fn every_regime_has_a_control() {
        for class in ALL {
            for regime in class.regimes {
                assert!(CONTROLS.iter().any(|(known, _)| within(regime, known)), "{}: {regime}", class.name);
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
