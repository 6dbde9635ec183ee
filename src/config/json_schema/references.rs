//! `$ref` and what it can lead to.

use super::{At, Document, Findings, Schemas};
use crate::error::nearest;

impl Schemas<'_> {
    /// Where a reference leads that stands at this place.
    ///
    /// # Errors
    /// Why it leads nowhere, and what to do. `Ok(None)`: findings in the other file say so.
    pub(super) fn resolve(
        &mut self,
        from: &At,
        reference: &str,
        findings: &mut Findings,
    ) -> Result<Option<At>, (String, String)> {
        let document = std::rc::Rc::clone(&self.documents[from.0]);
        let (uri, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        // The schema with an `$id` that it lies in.
        let inside = document.ids.iter().filter(|(_, way)| from.1.starts_with(way)).max_by_key(|(_, way)| way.len());
        let (base, resource) = inside.map_or(("", &[][..]), |(id, way)| (id.as_str(), way.as_slice()));
        let (document, resource) = if uri.is_empty() {
            (from.0, resource.to_vec())
        } else if let Some(found) = self.by_id(&join(base, uri)) {
            found
        } else if has_scheme(uri) {
            let cause = format!("`{uri}` is not here, and nothing is fetched");
            return Err((cause, "put the file into the project and refer to it by its relative path".into()));
        } else {
            let path = below(&document.path, uri)
                .map_err(|cause| (cause.to_owned(), "keep schemas in the project's folder".to_owned()))?;
            match self.document(&path, findings) {
                Ok(Some(found)) => (found, Vec::new()),
                Ok(None) => return Ok(None),
                Err(cause) => return Err((format!("`{uri}` cannot be read: {cause}"), String::new())),
            }
        };
        match self.fragment(document, &resource, fragment) {
            Some(way) => Ok(Some((document, way))),
            None => {
                let known = self.documents[document].definitions();
                let last = fragment.rsplit('/').next().unwrap_or_default();
                let fix = match nearest(last, known.iter().map(|(name, _)| name.as_str())) {
                    Some(near) => {
                        let way = known.iter().find(|(name, _)| name == near).map_or("", |(_, way)| way.as_str());
                        format!("did you mean `{uri}#{way}`?")
                    }
                    None if known.is_empty() => "define it under `$defs`".into(),
                    None => {
                        format!(
                            "there are: {}",
                            known.iter().map(|(_, way)| way.as_str()).collect::<Vec<_>>().join(", ")
                        )
                    }
                };
                Err((format!("`{reference}` leads nowhere"), fix))
            }
        }
    }

    fn by_id(&self, id: &str) -> Option<At> {
        self.documents.iter().enumerate().find_map(|(index, document)| {
            document.ids.iter().find(|(known, _)| known == id).map(|(_, way)| (index, way.clone()))
        })
    }

    /// The way to a fragment of a schema in a document, if it is there.
    pub(super) fn fragment(&self, document: usize, resource: &[String], fragment: &str) -> Option<Vec<String>> {
        let document = self.documents.get(document)?;
        let fragment = unescaped(fragment)?;
        let mut way = resource.to_vec();
        match fragment.strip_prefix('/') {
            Some(pointer) => {
                way.extend(pointer.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")));
            }
            None if fragment.is_empty() => {}
            None => way.clone_from(document.anchors.get(&fragment)?),
        }
        document.find(&way).map(|_| way)
    }
}

impl Document {
    /// Names of definitions and the pointers to them.
    fn definitions(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for place in ["$defs", "definitions"] {
            for entry in super::entry(&self.root, place).map_or(&[][..], super::Raw::entries).iter().take(20) {
                found.push((entry.key.clone(), format!("/{place}/{}", entry.key)));
            }
        }
        found
    }
}

/// `%41` as `A`.
fn unescaped(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let (mut out, mut bytes) = (Vec::with_capacity(text.len()), text.bytes());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            out.push((digit(bytes.next())? * 16 + digit(bytes.next())?) as u8);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

fn has_scheme(uri: &str) -> bool {
    uri.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    })
}

/// A reference made absolute (RFC 3986, 5.2, without queries).
pub(super) fn join(base: &str, reference: &str) -> String {
    if has_scheme(reference) || base.is_empty() {
        return reference.to_owned();
    }
    let (scheme, rest) = base.split_once("://").unwrap_or(("", base));
    let (host, path) = match (scheme.is_empty(), rest.find('/')) {
        (true, _) => ("", rest),
        (false, Some(at)) => (&rest[..at], &rest[at..]),
        (false, None) => (rest, ""),
    };
    let folder = path.rfind('/').map_or("", |at| &path[..at]);
    let whole = if reference.starts_with('/') { reference.to_owned() } else { format!("{folder}/{reference}") };
    let mut names: Vec<&str> = Vec::new();
    for name in whole.split('/').skip(usize::from(whole.starts_with('/'))) {
        match name {
            "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    let path = names.join("/");
    if scheme.is_empty() { path } else { format!("{scheme}://{host}/{path}") }
}

/// A path beside another one, below the project's folder.
///
/// # Errors
/// If it leads out of it.
pub(super) fn below(beside: &str, path: &str) -> Result<String, &'static str> {
    if path.starts_with('/') || path.contains('\\') || path.get(1..2) == Some(":") {
        return Err("the path of a schema is relative, with `/` between names");
    }
    let folder = beside.rfind('/').map_or("", |at| &beside[..at]);
    let mut names: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." if names.is_empty() => return Err("the path leads out of the project's folder"),
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    if names.is_empty() { Err("the path names no file") } else { Ok(names.join("/")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_joined() {
        for (base, reference, expected) in [
            ("", "a.json", "a.json"),
            ("https://x.example/s/order.json", "item.json", "https://x.example/s/item.json"),
            ("https://x.example/s/order.json", "../item.json", "https://x.example/item.json"),
            ("https://x.example/s/order.json", "/t/item.json", "https://x.example/t/item.json"),
            ("https://x.example", "item.json", "https://x.example/item.json"),
            ("https://x.example/a", "urn:isbn:1", "urn:isbn:1"),
            ("s/order.json", "item.json", "s/item.json"),
        ] {
            assert_eq!(join(base, reference), expected);
        }
        for (beside, path, expected) in [
            ("schemas/a.json", "b.json", Some("schemas/b.json")),
            ("schemas/a.json", "../b.json", Some("b.json")),
            ("schemas/a.json", "../../b.json", None),
            ("", "/etc/passwd", None),
            ("", "..", None),
            ("", ".", None),
            ("", "a/./b//c", Some("a/b/c")),
            ("", "C:/x", None),
        ] {
            assert_eq!(below(beside, path).ok().as_deref(), expected, "{path}");
        }
        assert_eq!(unescaped("/a%20b%7E").as_deref(), Some("/a b~"));
        assert_eq!(unescaped("%2"), None);
    }
}
