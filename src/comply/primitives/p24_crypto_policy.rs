//! P24: no broken algorithm protects anything.

use super::reading::{field, object, place_of, texts};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};

pub(super) static CRYPTO_POLICY: Primitive = Primitive {
    id: "P24",
    name: "crypto_policy",
    about: "Nothing sensitive is protected by MD5, SHA-1, DES, RC4, ECB or short keys, and connections allow none of them.",
    moments: &[Moment::Static],
    run,
};

/// Words in parameters that name something broken or too short.
const BROKEN: &[&str] = &[
    "md5", "sha1", "sha-1", "des", "3des", "des3", "rc4", "arcfour", "ecb", "ssl3", "sslv3", "tls1", "export", "null",
];
/// Parameters that name algorithms.
const NAMES: &[&str] =
    &["cipher", "ciphers", "algorithm", "algorithms", "mac", "macs", "kex", "digest", "signature", "hash", "min_tls"];

fn run(subject: &Subject<'_>, _: &Parameters, notes: &mut Notes) {
    let mut looked = 0;
    let mut bad = 0;
    for connector in subject.project.connectors.values() {
        for (key, text, place) in texts(connector) {
            let shown = text.to_string().to_ascii_lowercase();
            let named = NAMES.contains(&key) || NAMES.iter().any(|name| key.ends_with(&format!("_{name}")));
            let weak = shown.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| BROKEN.contains(&word));
            let short = key.ends_with("bits") && shown.parse::<u32>().is_ok_and(|bits| bits < 2048);
            looked += usize::from(named);
            if named && weak || short {
                bad += 1;
                notes
                    .fail(object(connector), format!("`{key}` allows an algorithm that is broken or too short"))
                    .at(place)
                    .fix("use AES-GCM or ChaCha20-Poly1305, SHA-256 or better, RSA of 2048 bits or more, or Ed25519");
            }
        }
    }
    for way in &subject.routes {
        let Some(route) = way.route else { continue };
        for leaf in &route.leaves {
            let weak = leaf
                .flow
                .passages
                .iter()
                .find(|step| matches!(step.through.as_str(), "md5" | "sha1") && step.before.sensitivity() > 0);
            if let Some(step) = weak {
                bad += 1;
                notes
                    .fail(
                        field(way, leaf),
                        format!("`{}` stands where something has to protect the value", step.through),
                    )
                    .at(place_of(leaf))
                    .fix("use `tokenize`, `hmac_sha256` or `encrypt`");
            }
        }
    }
    if bad == 0 {
        let keys = subject.project.compliance.keys.len();
        notes.pass("project", format!("{keys} keys of 256 bits for AES-256 and HMAC-SHA-256, {looked} algorithms named elsewhere, none of them broken"));
    }
}
