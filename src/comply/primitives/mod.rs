//! The tests that controls of standards are made of: one file each, none knows which control asks.
//!
//! Adding one: a file with its description and its code, its `mod` line and its line in [`ALL`].

mod p01_transport;
mod p02_literal_secret;
mod p03_secret_age;
mod p04_least_privilege;
mod p05_authentication;
mod p06_egress;
mod p07_region;
mod p08_contract;
mod p09_environments;
mod p10_inventory;
mod p11_purpose;
mod p12_consent;
mod p13_opt_out;
mod p14_minors;
mod p15_special_categories;
mod p16_minimisation;
mod p17_protected_at_rest;
mod p18_keyed_hash;
mod p19_truncation;
mod p20_forbidden_data;
mod p21_unexpected_data;
mod p22_display_mask;
mod p23_deidentification;
mod p24_crypto_policy;
mod p25_key_lifecycle;
mod p26_key_separation;
mod p27_retention;
mod p28_erasure;
mod p29_test_data;
mod p30_log_coverage;
mod p31_log_fields;
mod p32_log_integrity;
mod p33_log_retention;
mod p34_log_shipping;
mod p35_log_review;
mod p36_clock;
mod p37_control_failure;
mod p38_unique_actor;
mod p39_change_approval;
mod p40_segregation;
mod p41_drift;
mod p42_access_review;
mod p43_control_totals;
mod p44_input_validation;
mod p45_timeliness;
mod p46_disclosure_accounting;
mod p47_processing_record;
mod p48_report_provenance;
mod p49_incident_record;
mod p50_restore;
mod reading;

use super::assess::Primitive;

pub(super) use p01_transport::faults as in_clear;

/// Every primitive, by id.
pub const ALL: &[&Primitive] = &[
    &p01_transport::TRANSPORT,
    &p02_literal_secret::LITERAL_SECRET,
    &p03_secret_age::SECRET_AGE,
    &p04_least_privilege::LEAST_PRIVILEGE,
    &p05_authentication::AUTHENTICATION,
    &p06_egress::EGRESS,
    &p07_region::REGION,
    &p08_contract::CONTRACT,
    &p09_environments::ENVIRONMENTS,
    &p10_inventory::INVENTORY,
    &p11_purpose::PURPOSE,
    &p12_consent::CONSENT,
    &p13_opt_out::OPT_OUT,
    &p14_minors::MINORS,
    &p15_special_categories::SPECIAL_CATEGORIES,
    &p16_minimisation::MINIMISATION,
    &p17_protected_at_rest::PROTECTED_AT_REST,
    &p18_keyed_hash::KEYED_HASH,
    &p19_truncation::TRUNCATION,
    &p20_forbidden_data::FORBIDDEN_DATA,
    &p21_unexpected_data::UNEXPECTED_DATA,
    &p22_display_mask::DISPLAY_MASK,
    &p23_deidentification::DEIDENTIFICATION,
    &p24_crypto_policy::CRYPTO_POLICY,
    &p25_key_lifecycle::KEY_LIFECYCLE,
    &p26_key_separation::KEY_SEPARATION,
    &p27_retention::RETENTION,
    &p28_erasure::ERASURE,
    &p29_test_data::TEST_DATA,
    &p30_log_coverage::LOG_COVERAGE,
    &p31_log_fields::LOG_FIELDS,
    &p32_log_integrity::LOG_INTEGRITY,
    &p33_log_retention::LOG_RETENTION,
    &p34_log_shipping::LOG_SHIPPING,
    &p35_log_review::LOG_REVIEW,
    &p36_clock::CLOCK,
    &p37_control_failure::CONTROL_FAILURE,
    &p38_unique_actor::UNIQUE_ACTOR,
    &p39_change_approval::CHANGE_APPROVAL,
    &p40_segregation::SEGREGATION,
    &p41_drift::DRIFT,
    &p42_access_review::ACCESS_REVIEW,
    &p43_control_totals::CONTROL_TOTALS,
    &p44_input_validation::INPUT_VALIDATION,
    &p45_timeliness::TIMELINESS,
    &p46_disclosure_accounting::DISCLOSURE_ACCOUNTING,
    &p47_processing_record::PROCESSING_RECORD,
    &p48_report_provenance::REPORT_PROVENANCE,
    &p49_incident_record::INCIDENT_RECORD,
    &p50_restore::RESTORE,
];

/// The primitive with that id or name.
pub fn named(name: &str) -> Option<&'static Primitive> {
    ALL.iter().copied().find(|primitive| primitive.id == name || primitive.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed_by_its_id_and_name() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/comply/primitives");
        let mut stems: Vec<String> = std::fs::read_dir(root)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .filter(|stem| stem != "mod" && stem != "reading")
            .collect();
        stems.sort();
        let listed: Vec<String> = ALL.iter().map(|one| format!("{}_{}", one.id.to_lowercase(), one.name)).collect();
        assert_eq!(stems, listed);
        assert!(ALL.iter().all(|one| one.about.ends_with('.') && !one.moments.is_empty()));
    }
}
