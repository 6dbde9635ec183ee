//! P02: no secret stands in a configuration.

use super::reading::{object, texts};
use crate::comply::assess::{Moment, Notes, Parameters, Primitive, Subject};
use crate::config::source::secret_name;

pub(super) static LITERAL_SECRET: Primitive = Primitive {
    id: "P02",
    name: "literal_secret",
    about: "Passwords, tokens and keys are references (`${env:…}`, `${file:…}`, `${cmd:…}`), never text.",
    moments: &[Moment::Static],
    run,
};

fn run(subject: &Subject<'_>, _: &Parameters, notes: &mut Notes) {
    // What takes a reference and has text instead never gets as far as the connector.
    for found in &subject.facts.literal_secrets {
        let note = notes.fail("configuration", found.cause.clone());
        if let Some(place) = &found.place {
            note.at(&hidden(place));
        }
        note.fix(found.fix.clone().unwrap_or_default());
    }
    for connector in subject.project.connectors.values() {
        let options =
            connector.spec.map(|spec| spec.options.iter().chain(spec.auth).collect::<Vec<_>>()).unwrap_or_default();
        let mut secrets = 0;
        let mut bad = 0;
        for (key, text, place) in texts(connector) {
            let is_secret = options.iter().any(|option| option.name == key && option.secret) || secret_name(key);
            let literal = text.pieces.iter().all(|piece| matches!(piece, crate::config::Piece::Literal(_)));
            let inside = in_address(&text.to_string());
            secrets += usize::from(is_secret);
            if inside || is_secret && literal && !text.pieces.is_empty() && key != "url" {
                bad += 1;
                let what = if inside { "holds a secret inside of an address" } else { "holds a secret in clear" };
                notes
                    .fail(format!("{}.{key}", object(connector)), format!("`{key}` {what}"))
                    .at(&hidden(place))
                    .fix("put a reference in its place, and replace the secret: it has been seen");
            }
        }
        if bad == 0 && secrets > 0 {
            let all = if secrets == 1 {
                "the one secret is a reference".into()
            } else {
                format!("all {secrets} secrets are references")
            };
            notes.pass(object(connector), all).at(&connector.place);
        }
    }
}

/// The same place without the text of its line.
fn hidden(place: &crate::error::Place) -> crate::error::Place {
    crate::error::Place { source: String::new(), ..place.clone() }
}

/// Whether an address has a literal password, or a token in its query.
fn in_address(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let password = authority.rsplit_once('@').and_then(|(user, _)| user.split_once(':')).map(|(_, password)| password);
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let token = query.split('&').filter_map(|pair| pair.split_once('='));
    password.is_some_and(|password| !password.is_empty() && !password.contains("${"))
        || token.into_iter().any(|(name, value)| secret_name(name) && !value.is_empty() && !value.contains("${"))
}
