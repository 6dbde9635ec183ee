//! User and password (RFC 7617): `auth.credentials` is what follows `Basic `.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};

use super::SignInKind;
use super::desk::Desk;
use crate::connect::pack::auth::Kind;
use crate::error::{Error, Result};

pub(super) struct Basic;

impl SignInKind for Basic {
    fn word(&self) -> &'static str {
        "basic"
    }

    fn known(&self, desk: &Desk) -> Result<Map<String, Json>> {
        let Kind::Basic { user, password } = &desk.way.kind else { return Err(Error::bug("no basic sign-in")) };
        let nothing = Map::new();
        let user = desk.text(user, &nothing)?;
        let password = desk.maybe(password.as_ref(), &nothing)?.unwrap_or_default();
        let mut auth = Map::new();
        auth.insert("credentials".into(), STANDARD.encode(format!("{user}:{password}")).into());
        auth.insert("user".into(), user.into());
        auth.insert("password".into(), password.into());
        Ok(auth)
    }
}
