//! The tests that controls of standards are made of: one file each, none knows which control asks.
//!
//! Adding one: a file with its description and its code, its `mod` line and its line in [`ALL`].

mod p01_transport;
mod p02_literal_secret;
mod p30_log_coverage;
mod p31_log_fields;
mod p32_log_integrity;
mod reading;

use super::assess::Primitive;

/// Every primitive, by id.
pub const ALL: &[&Primitive] = &[
    &p01_transport::TRANSPORT,
    &p02_literal_secret::LITERAL_SECRET,
    &p30_log_coverage::LOG_COVERAGE,
    &p31_log_fields::LOG_FIELDS,
    &p32_log_integrity::LOG_INTEGRITY,
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
