//! Requests that belong to a sign-in: each sees what those before it captured.

use serde_json::{Map, Value as Json};

use super::desk::{Desk, plain};
use super::{SignInKind, answer};
use crate::connect::pack::Name;
use crate::connect::pack::auth::Step;
use crate::connect::pack::request::RequestSpec;
use crate::connect::web::{Answer, Draft, Request};
use crate::error::codes::connect::SIGN_IN_REFUSED;
use crate::error::{Error, Kind, Result};

/// The name under which cookies are kept.
pub(super) const COOKIES: &str = "cookies";

/// Makes one step; what it captures joins `auth`.
///
/// # Errors
/// If it is refused, or not answered.
pub(super) async fn make(
    desk: &Desk,
    kind: &dyn SignInKind,
    step: &'static Step,
    auth: &mut Map<String, Json>,
) -> Result<()> {
    if let Some(when) = &step.when
        && !desk.with(auth, &[], |scope| when.holds(scope))?
    {
        return Ok(());
    }
    let request = request(desk, kind, &step.request, step.signed, auth)?;
    let what = format!("`{}`", step.name);
    let got = desk.send(&what, request).await?;
    let told = answer::told(&got);
    let good = match &step.success {
        _ if got.status >= 400 => false,
        Some(success) => desk.with(auth, &[(Name::Answer, &told)], |scope| success.holds(scope))?,
        None => true,
    };
    if !good {
        let error = answer::refused(desk, &what, &got);
        return Err(match got.status {
            // A refusal inside an answer that looks well.
            ..400 => Error::new(Kind::Denied, &SIGN_IN_REFUSED, format!("{what} was answered, and refused"))
                .hint(format!("check what `connectors.yaml` says under `auth` of `{}`", desk.given.connector.name)),
            _ => error,
        });
    }
    let captured = desk.map(step.capture.as_ref(), auth, &[(Name::Answer, &told)])?;
    auth.extend(captured);
    if step.cookies {
        let known = auth.entry(COOKIES).or_insert_with(|| Json::Object(Map::new()));
        if let Json::Object(known) = known {
            known.extend(cookies(&got));
        }
    }
    Ok(())
}

/// Ends a session.
///
/// # Errors
/// If the request is refused, or not answered.
pub(super) async fn logout(desk: &Desk, kind: &dyn SignInKind, auth: &Map<String, Json>) -> Result<()> {
    let Some(spec) = &desk.way.logout else { return Ok(()) };
    let request = request(desk, kind, spec, true, auth)?;
    let got = desk.send("signing out", request).await?;
    // Whoever is not signed in any more is signed out.
    if got.status < 400 || matches!(got.status, 401 | 404 | 410) {
        return Ok(());
    }
    Err(answer::refused(desk, "signing out", &got))
}

fn request(
    desk: &Desk,
    kind: &dyn SignInKind,
    spec: &'static RequestSpec,
    signed: bool,
    auth: &Map<String, Json>,
) -> Result<Request> {
    let transport = &desk.given.pack.transport;
    let base = desk.maybe(transport.base.as_ref(), auth)?.unwrap_or_default();
    let headers: Vec<(String, String)> = match &transport.headers {
        Some(tree) => desk.pairs(Some(tree), auth)?,
        None => Vec::new(),
    };
    let mut draft: Draft = desk.with(auth, &[], |scope| spec.draft(scope, &base, &headers))?;
    draft.purpose.bare = true;
    if let Some(Json::Object(cookies)) = auth.get(COOKIES) {
        draft.cookies.extend(cookies.iter().filter_map(|(name, value)| Some((name.clone(), plain(value)?))));
    }
    let late = crate::connect::pack::auth::keys::signs(kind.word());
    if signed && !late {
        desk.put_known(auth, &mut draft)?;
    }
    let mut request = draft.finish()?;
    if signed && late {
        desk.sign(kind, auth, &mut request)?;
    }
    Ok(request)
}

/// Cookies that an answer sets, attributes left out (RFC 6265, section 4.1.1).
fn cookies(answer: &Answer) -> Vec<(String, Json)> {
    let all = answer.headers.get_all(reqwest::header::SET_COOKIE).iter();
    all.filter_map(|value| {
        let (name, value) = value.to_str().ok()?.split(';').next()?.split_once('=')?;
        Some((name.trim().to_owned(), Json::String(value.trim().to_owned())))
    })
    .collect()
}
