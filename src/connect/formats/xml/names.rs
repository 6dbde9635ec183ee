//! Namespaces: what a prefix of the document stands for, and what a name of the configuration means.
//!
//! A name is a namespace and a local part. The configuration gives prefixes to the namespaces it
//! uses; the prefixes of a document are its own business.

use std::borrow::Cow;

use super::lexer::{Attribute, Name, Parsed, Tag, coded, fault};
use crate::error::codes::formats::XML_NAMESPACE;

const XML_URI: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS_URI: &str = "http://www.w3.org/2000/xmlns/";
/// The namespace of `xsi:nil`.
pub(super) const XSI_URI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// A namespace: none, one that the configuration knows by a prefix (several may share one), or another.
pub(super) type Space = u16;
pub(super) const NONE: Space = 0;
const XML: Space = 1;
pub(super) const XSI: Space = 2;
const OTHER: Space = Space::MAX;

/// The prefixes of the configuration.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// Prefix and number of each; the number is the place here, [`NONE`] excepted.
    prefixes: Vec<String>,
    /// What each URI is.
    uris: Vec<(String, Space)>,
    /// What names of elements without a prefix mean.
    pub default: Space,
}

/// A name of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    space: Space,
    /// The URI, where the space is [`OTHER`].
    uri: String,
    pub local: String,
}

impl Names {
    /// From texts `prefix=uri`; `=uri` is what names without a prefix mean.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub fn new(given: &[String]) -> Result<Self, String> {
        let mut names = Self {
            prefixes: vec![String::new(), "xml".into(), "xsi".into()],
            uris: vec![(XML_URI.into(), XML), (XSI_URI.into(), XSI)],
            default: NONE,
        };
        for text in given {
            let Some((prefix, uri)) = text.split_once('=') else {
                return Err(format!("`{text}` is no `prefix=uri`"));
            };
            let (prefix, uri) = (prefix.trim(), uri.trim());
            if !prefix.is_empty() && (!super::chars::is_ncname(prefix) || prefix == "xmlns") {
                return Err(format!("`{prefix}` cannot be a prefix"));
            }
            if uri.is_empty() || uri == XMLNS_URI || (uri == XML_URI) != (prefix == "xml") {
                return Err(format!("`{uri}` cannot be the namespace of `{prefix}`"));
            }
            if let Some((_, known)) = names.uris.iter().find(|(known, _)| known == uri && known != XSI_URI) {
                if names.prefixes[usize::from(*known)] != prefix {
                    return Err(format!("`{uri}` has two prefixes"));
                }
                continue;
            }
            let space = match names.prefixes.iter().skip(1).position(|known| known == prefix) {
                Some(at) => at as Space + 1,
                None => {
                    names.prefixes.push(prefix.to_owned());
                    names.prefixes.len() as Space - 1
                }
            };
            if uri == XSI_URI {
                if space != XSI {
                    return Err(format!("`{uri}` has the prefix `xsi`"));
                }
                continue;
            }
            if prefix.is_empty() {
                names.default = space;
            }
            names.uris.push((uri.to_owned(), space));
        }
        Ok(names)
    }

    fn space_of(&self, uri: &str) -> Space {
        if uri.is_empty() {
            return NONE;
        }
        self.uris.iter().find(|(known, _)| known == uri).map_or(OTHER, |(_, space)| *space)
    }

    /// What a name of the configuration means: `local`, `prefix:local` or `{uri}local`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn wanted(&self, text: &str, attribute: bool) -> Result<Wanted, String> {
        let (space, uri, local) = if let Some(rest) = text.strip_prefix('{') {
            let Some((uri, local)) = rest.split_once('}') else {
                return Err(format!("`{text}` is no name: `}}` is missing"));
            };
            (self.space_of(uri), uri, local)
        } else {
            match text.split_once(':') {
                None => (if attribute { NONE } else { self.default }, "", text),
                Some((prefix, local)) => match self.prefixes.iter().skip(1).position(|known| known == prefix) {
                    Some(at) if !prefix.is_empty() => (at as Space + 1, "", local),
                    _ => {
                        return Err(format!(
                            "the prefix of `{text}` is not declared: add `{prefix}=uri` to `namespaces`"
                        ));
                    }
                },
            }
        };
        if !super::chars::is_ncname(local) {
            return Err(format!("`{text}` is no name of XML"));
        }
        let uri = if space == OTHER { uri.to_owned() } else { String::new() };
        Ok(Wanted { space, uri, local: local.to_owned() })
    }

    /// The URI that a name of the configuration is written with; `None` for none.
    pub fn uri_of(&self, wanted: &Wanted) -> Option<String> {
        match wanted.space {
            NONE => None,
            OTHER => Some(wanted.uri.clone()),
            space => self.uris.iter().find(|(_, known)| *known == space).map(|(uri, _)| uri.clone()),
        }
    }

    /// The prefix that a name is written with; empty for none.
    pub fn prefix_of(&self, wanted: &Wanted) -> &str {
        match wanted.space {
            OTHER => "",
            space => &self.prefixes[usize::from(space)],
        }
    }

    /// A name of a document as the configuration would write it.
    pub fn canonical<'n>(&self, found: Found<'_>, name: &Name<'n>, attribute: bool) -> Cow<'n, str> {
        let local = name.local();
        match found.space {
            OTHER => format!("{{{}}}{local}", found.uri).into(),
            NONE if attribute || self.default == NONE => local.into(),
            NONE => format!("{{}}{local}").into(),
            space => match self.prefixes[usize::from(space)].as_str() {
                // An attribute with a prefix is never one without.
                "" if attribute => format!("{{{}}}{local}", found.uri).into(),
                "" => local.into(),
                prefix if name.prefix() == prefix => name.raw.into(),
                prefix => format!("{prefix}:{local}").into(),
            },
        }
    }
}

/// What the namespace of a name in a document is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'s> {
    pub space: Space,
    pub uri: &'s str,
}

impl Wanted {
    /// Whether this is the name.
    #[inline]
    pub fn is(&self, found: Found<'_>, local: &str) -> bool {
        self.local == local && self.space == found.space && (self.space != OTHER || self.uri == found.uri)
    }

    /// Whether only the namespace differs.
    pub fn is_but_for_space(&self, local: &str) -> bool {
        self.local == local
    }
}

/// The declarations in force at one place of a document.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    bindings: Vec<Binding>,
    /// The one of names without a prefix, by its place in `bindings`.
    default: Option<usize>,
}

#[derive(Clone, Debug)]
struct Binding {
    prefix: Box<str>,
    uri: Box<str>,
    space: Space,
    /// Which one was the default before.
    before: Option<usize>,
}

const NOWHERE: Found<'static> = Found { space: NONE, uri: "" };

impl Scope {
    /// How many declarations there are: to be given to [`Scope::leave`].
    #[inline]
    pub fn mark(&self) -> usize {
        self.bindings.len()
    }

    /// Forgets what was declared since.
    #[inline]
    pub fn leave(&mut self, mark: usize) {
        while self.bindings.len() > mark {
            let Some(last) = self.bindings.pop() else { return };
            if last.prefix.is_empty() {
                self.default = last.before;
            }
        }
    }

    /// Enters an element: takes its declarations and checks its prefixes.
    #[inline]
    pub fn enter(&mut self, names: &Names, tag: &Tag<'_>, attributes: &[Attribute<'_>]) -> Parsed<()> {
        if !tag.declares && !tag.prefixed {
            return Ok(());
        }
        self.enter_named(names, tag, attributes)
    }

    fn enter_named(&mut self, names: &Names, tag: &Tag<'_>, attributes: &[Attribute<'_>]) -> Parsed<()> {
        for attribute in attributes.iter().filter(|attribute| attribute.declares()) {
            self.declare(names, attribute)?;
        }
        let bound = |name: &Name<'_>, at: usize| match name.skip > 0 && self.find(name.prefix()).is_none() {
            false => Ok(()),
            true if name.prefix() == "xmlns" => coded(&XML_NAMESPACE, at, "no element has the prefix `xmlns`"),
            true => coded(&XML_NAMESPACE, at, format!("the prefix of `{}` is not declared", name.raw)),
        };
        bound(&tag.name, tag.at)?;
        let mut seen: Vec<(Found<'_>, &str)> = Vec::new();
        for attribute in attributes.iter().filter(|attribute| attribute.name.skip > 0 && !attribute.declares()) {
            bound(&attribute.name, attribute.at)?;
            let found = self.attribute(&attribute.name);
            let local = attribute.name.local();
            if seen.iter().any(|(other, name)| *name == local && other.uri == found.uri) {
                return fault(
                    attribute.at,
                    format!("the attribute `{}` stands twice, by its namespace", attribute.name.raw),
                );
            }
            if seen.len() > 256 {
                return fault(attribute.at, "more than 256 attributes of one element have a prefix");
            }
            seen.push((found, local));
        }
        Ok(())
    }

    fn declare(&mut self, names: &Names, attribute: &Attribute<'_>) -> Parsed<()> {
        let uri = attribute.normalised();
        let prefix = if attribute.name.skip == 0 { "" } else { attribute.name.local() };
        let wrong = |cause: &'static str| coded(&XML_NAMESPACE, attribute.at, cause);
        match (prefix, &*uri) {
            ("xml", XML_URI) => return Ok(()),
            ("xml", _) => return wrong("the prefix `xml` is bound to another namespace than its own"),
            ("xmlns", _) => return wrong("the prefix `xmlns` is declared"),
            (_, XML_URI | XMLNS_URI) => return wrong("a namespace of XML itself is bound to another prefix"),
            ("", _) => {}
            (_, "") => return wrong("a prefix is declared with an empty namespace"),
            _ => {}
        }
        let space = names.space_of(&uri);
        self.bindings.push(Binding { prefix: prefix.into(), uri: uri.as_ref().into(), space, before: self.default });
        if prefix.is_empty() {
            self.default = (!uri.is_empty()).then_some(self.bindings.len() - 1);
        }
        Ok(())
    }

    fn find(&self, prefix: &str) -> Option<Found<'_>> {
        if prefix == "xml" {
            return Some(Found { space: XML, uri: XML_URI });
        }
        let binding = self.bindings.iter().rev().find(|binding| &*binding.prefix == prefix)?;
        Some(Found { space: binding.space, uri: &binding.uri })
    }

    /// The namespace of an element's name, which was entered.
    #[inline]
    pub fn element(&self, name: &Name<'_>) -> Found<'_> {
        if name.skip > 0 {
            return self.find(name.prefix()).unwrap_or(NOWHERE);
        }
        match self.default {
            None => NOWHERE,
            Some(at) => Found { space: self.bindings[at].space, uri: &self.bindings[at].uri },
        }
    }

    /// The namespace of an attribute's name: without a prefix, none.
    #[inline]
    pub fn attribute(&self, name: &Name<'_>) -> Found<'_> {
        if name.skip == 0 { NOWHERE } else { self.find(name.prefix()).unwrap_or(NOWHERE) }
    }

    /// What was declared since the mark: prefix and URI.
    pub fn since(&self, mark: usize) -> impl Iterator<Item = (&str, &str)> {
        self.bindings[mark..].iter().map(|binding| (&*binding.prefix, &*binding.uri))
    }
}
