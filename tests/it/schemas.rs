//! The JSON Schemas of all files under `docs/schema` are those that the code makes, with every
//! plug-in of this version.

use std::path::Path;

use consign::config::{Catalog, schema};
use consign::connect::{formats, protocols};

#[test]
fn schemas_are_fresh() {
    let protocols: Vec<_> = protocols::ALL.iter().map(|protocol| protocol.spec()).collect();
    let formats: Vec<_> = formats::ALL.iter().map(|format| format.spec()).collect();
    let catalog = Catalog { protocols: protocols.leak(), formats: formats.leak(), shelf: None };
    for (name, text) in [
        ("connectors.schema.json", schema::connectors(&catalog)),
        ("mapping.schema.json", schema::mapping()),
        ("fragment.schema.json", schema::fragment()),
        ("pack.schema.json", schema::of(&consign::connect::pack::keys::PACK)),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema").join(name);
        if std::env::var_os("CONSIGN_UPDATE").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "docs/schema/{name} is stale: run CONSIGN_UPDATE=1 cargo test schemas_are_fresh");
    }
}
