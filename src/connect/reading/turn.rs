//! From one page to the next: where its place is found, where it goes, and when there is no other.

use std::collections::HashSet;

use reqwest::header::LINK;
use serde_json::{Value as Json, json};
use url::Url;

use super::desk::{Desk, Vars, unfit};
use super::sheet::Sheet;
use super::stand::Place;
use crate::connect::pack::pages::{PageKind, Pages};
use crate::connect::pack::spot::Send;
use crate::connect::web::{Answer, Draft, Spot};
use crate::error::codes::connect::{PAGES_ENDLESS, PAGES_REPEATED, PAGES_SHORT};
use crate::error::{Error, Kind, Result};
use crate::record::path::Step;

/// What is watched over the pages of one question.
#[derive(Debug, Default)]
pub(super) struct Watched {
    places: HashSet<String>,
    last: Option<[u8; 32]>,
    /// Of the page that is being read: how many records came, in how many bytes, a hash over them.
    came: u64,
    bytes: usize,
    hash: Option<blake3::Hasher>,
    /// How many records there are in all, as the last answer that said it said.
    pub total: Option<u64>,
}

/// What comes after a page.
#[derive(Debug)]
pub(super) enum Next {
    /// Another page.
    Page(Place),
    /// Nothing.
    End,
}

/// The first page of a question.
pub(super) fn first(pages: &Pages) -> Place {
    Place { number: pages.first, ..Place::default() }
}

/// A page as templates see it.
pub(super) fn shown(pages: &Pages, place: &Place, size: Option<u64>, open: &Json) -> Json {
    json!({
        "number": if pages.kind == PageKind::Page { place.number } else { place.index + 1 },
        "offset": if pages.kind == PageKind::Offset { place.number } else { place.count },
        "size": size,
        "token": if pages.send == Send::Url { &Json::Null } else { &place.token },
        "url": if pages.send == Send::Url { &place.token } else { &Json::Null },
        "index": place.index,
        "count": place.count,
        "open": open,
    })
}

/// Puts the place of a page into its request.
pub(super) fn put(desk: &Desk, draft: &mut Draft, place: &Place, size: Option<u64>) -> Result<()> {
    let pages = &desk.read.pages;
    let value = match pages.kind {
        PageKind::None => Json::Null,
        PageKind::Page | PageKind::Offset => Json::from(place.number),
        _ => place.token.clone(),
    };
    if let (Some(spot), Some(size)) = (&pages.send_size, size) {
        draft.put(spot, Json::from(size))?;
    }
    match &pages.send {
        Send::Url => {
            if let Some(url) = super::stand::text(&value) {
                draft.url = Some(url);
                draft.query.clear();
            }
        }
        // The first page has no token; a hole in the path or a field of the body is there all the same.
        Send::Spot(spot) if !value.is_null() || matches!(spot, Spot::Path(_)) => draft.put(spot, value)?,
        Send::Spot(_) | Send::Nowhere => {}
    }
    for ((_, spot), value) in pages.also.iter().zip(&place.also) {
        draft.put(spot, value.clone())?;
    }
    Ok(())
}

impl Watched {
    /// Whether this page may be asked for at all.
    ///
    /// # Errors
    /// If there were more pages than there can be.
    pub fn admit(&mut self, desk: &Desk, place: &Place) -> Result<()> {
        let most = desk.read.pages.most;
        if place.index < most {
            return Ok(());
        }
        let cause = format!("`{}` has more than {most} pages: that looks as if they never ended", desk.stream.name);
        Err(Error::new(Kind::Partial, &PAGES_ENDLESS, cause)
            .hint("if there are so many, the pack says so: `pages.most`"))
    }

    /// Counts a piece of a page. `repeat`: pages may be equal.
    pub fn piece(&mut self, sheet: &Sheet, print: &blake3::Hash, repeat: bool) {
        self.came += sheet.came;
        self.bytes += sheet.bytes();
        if !repeat {
            self.hash.get_or_insert_default().update(print.as_bytes());
        }
    }

    /// Records of the page so far.
    pub fn came(&self) -> u64 {
        self.came
    }

    /// Its bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Another page begins.
    pub fn turn(&mut self) {
        (self.came, self.bytes, self.hash) = (0, 0, None);
    }

    /// Judges a page, all of whose pieces were counted, and says what comes after it; `sheet` is its last piece.
    ///
    /// # Errors
    /// If a page or a place comes again, or fewer records came than there are.
    pub fn next(
        &mut self,
        desk: &Desk,
        (answer, sheet): (&Answer, &Sheet),
        place: &Place,
        (size, known): (Option<u64>, bool),
        vars: &Vars,
        asked: &Url,
    ) -> Result<Next> {
        let pages = &desk.read.pages;
        let came = self.came;
        let count = place.count + came;
        if came > 0
            && let Some(hash) = &self.hash
        {
            let print = *hash.finalize().as_bytes();
            if self.last.replace(print) == Some(print) && place.index > 0 {
                return Err(repeated(desk, "a page came twice, byte for byte"));
            }
        }
        let mut vars = vars.clone();
        vars.answer = sheet.answer.clone();
        vars.page["records"] = Json::from(came);
        vars.page["count"] = Json::from(count);
        vars.page["last"] = sheet.last.clone();
        if let Some(total) = &pages.total
            && let Some(total) = desk.value(total, &vars)?.to_string().trim_matches('"').parse::<u64>().ok()
        {
            self.total = Some(total);
        }
        let over = pages.stop.known && known
            || pages.stop.when.as_ref().map(|when| desk.holds(when, &vars)).transpose()?.unwrap_or(false)
            || pages.stop.empty && came == 0
            || pages.stop.short && size.is_some_and(|size| came < size)
            || pages.stop.total && self.total.is_some_and(|total| count >= total);
        if over || pages.kind == PageKind::None {
            return self.end(desk, count, pages.stop.known && known);
        }
        let token = match pages.kind {
            PageKind::None => Json::Null,
            PageKind::Page => Json::from(place.number + 1),
            PageKind::Offset => {
                let step = if pages.by_size { size.unwrap_or(came) } else { came };
                Json::from(place.number + step)
            }
            PageKind::Token | PageKind::Url | PageKind::Sequence | PageKind::Last => match &pages.next {
                Some(next) => desk.value(next, &vars)?,
                None => Json::Null,
            },
            PageKind::Link => link(answer, &pages.rel).map_or(Json::Null, Json::String),
            PageKind::Relay => relay(desk, &sheet.answer["body"]),
            PageKind::OData => {
                let body = &sheet.answer["body"];
                [&body["@odata.nextLink"], &body["odata.nextLink"], &body["d"]["__next"]]
                    .into_iter()
                    .find(|link| link.is_string())
                    .cloned()
                    .unwrap_or(Json::Null)
            }
        };
        let token = match token {
            Json::Null | Json::Bool(false) => return self.end(desk, count, false),
            Json::String(text) if text.is_empty() => return self.end(desk, count, false),
            Json::String(text) if pages.send == Send::Url => Json::String(absolute(asked, &text)?),
            token @ (Json::String(_) | Json::Number(_)) => token,
            other => {
                let kind = if other.is_array() { "a list" } else { "no text" };
                return Err(unfit(format!("the place of the next page of `{}` is {kind}", desk.stream.name)));
            }
        };
        let numbered = matches!(pages.kind, PageKind::Page | PageKind::Offset);
        let also = pages.also.iter().map(|(next, _)| desk.value(next, &vars)).collect::<Result<Vec<_>>>()?;
        let name = format!("{token} {also:?}");
        if pages.kind == PageKind::Sequence && token == place.token {
            return self.end(desk, count, false);
        }
        if numbered && came == 0 && !pages.by_size && pages.kind == PageKind::Offset {
            return Err(repeated(desk, "an empty page moves no offset: it would be asked for again and again"));
        }
        if !self.places.insert(name) {
            return Err(repeated(desk, "the place of the next page is one that was asked for before"));
        }
        Ok(Next::Page(Place {
            index: place.index + 1,
            number: if numbered { token.as_u64().unwrap_or(0) } else { 0 },
            token: if numbered { Json::Null } else { token },
            also,
            count,
            taken: 0,
        }))
    }

    /// The end, if it can be one.
    fn end(&self, desk: &Desk, count: u64, early: bool) -> Result<Next> {
        match self.total {
            Some(total) if count < total && !early => {
                let cause = format!("`{}` has {total} records as it says itself, and gave {count}", desk.stream.name);
                Err(Error::new(Kind::Partial, &PAGES_SHORT, cause)
                    .hint("what came was taken; run again, and if it stays so, the pack's `pages.stop` ends too early"))
            }
            _ => Ok(Next::End),
        }
    }
}

fn repeated(desk: &Desk, cause: &str) -> Error {
    Error::new(Kind::Partial, &PAGES_REPEATED, format!("reading `{}` goes in circles: {cause}", desk.stream.name))
        .hint("what came before was taken; if pages of this system can be equal, the pack says `pages.repeat: true`")
}

/// The address of a relation in the header `Link` (RFC 8288, section 3).
fn link(answer: &Answer, rel: &str) -> Option<String> {
    for header in answer.headers.get_all(LINK) {
        let mut rest = header.to_str().ok()?;
        while let Some((_, after)) = rest.split_once('<') {
            let (target, after) = after.split_once('>')?;
            // Parameters end at a comma that stands outside of quotes.
            let mut quoted = false;
            let end = after.find(|c: char| {
                quoted ^= c == '"';
                c == ',' && !quoted
            });
            let (parameters, others) = after.split_at(end.unwrap_or(after.len()));
            let is = parameters.split(';').any(|parameter| {
                let Some((name, value)) = parameter.split_once('=') else { return false };
                let named = name.trim().eq_ignore_ascii_case("rel");
                named && value.trim().trim_matches('"').split_whitespace().any(|one| one.eq_ignore_ascii_case(rel))
            });
            if is {
                return Some(target.to_owned());
            }
            rest = others;
        }
    }
    None
}

/// The cursor of a GraphQL connection: beside its `nodes` or `edges`.
fn relay(desk: &Desk, body: &Json) -> Json {
    let Some(path) = desk.read.records.first() else { return Json::Null };
    let mut here = body;
    for (at, step) in path.0.iter().enumerate() {
        let Step::Key(name) = step else { break };
        let ends = !path.0[at + 1..].iter().any(|step| matches!(step, Step::Each));
        if matches!(name.as_str(), "nodes" | "edges") && (ends || matches!(path.0.get(at + 1), Some(Step::Each))) {
            break;
        }
        here = &here[name.as_str()];
    }
    match here["pageInfo"]["hasNextPage"].as_bool() {
        Some(true) => here["pageInfo"]["endCursor"].clone(),
        _ => Json::Null,
    }
}

/// An address that may be given relative to the page it stood in.
fn absolute(asked: &Url, link: &str) -> Result<String> {
    match asked.join(link) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url.into()),
        _ => Err(unfit("the address of the next page is none".into())),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::*;

    #[test]
    fn links_are_found_by_their_relation() {
        let check = |headers: &[&str], rel: &str, wanted: Option<&str>| {
            let mut map = HeaderMap::new();
            headers.iter().for_each(|text| {
                map.append(LINK, HeaderValue::from_str(text).unwrap());
            });
            let answer =
                Answer { status: 200, headers: map, body: bytes::Bytes::new(), took: std::time::Duration::ZERO };
            assert_eq!(link(&answer, rel).as_deref(), wanted, "{headers:?}");
        };
        check(
            &[r#"<https://a/x?page=2>; rel="next", <https://a/x?page=9>; rel="last""#],
            "next",
            Some("https://a/x?page=2"),
        );
        check(
            &[r#"<https://a/x?page=2>; rel="next", <https://a/x?page=9>; rel="last""#],
            "last",
            Some("https://a/x?page=9"),
        );
        check(&[r#"</p?a,b>; title="x, y"; rel="prev next""#], "next", Some("/p?a,b"));
        check(&["<https://a>; rel=prev", "<https://b>; REL=NEXT"], "next", Some("https://b"));
        for none in ["", "<https://a", "<https://a>", "<https://a>; rel=prev", "rel=next"] {
            check(&[none], "next", None);
        }
    }
}
