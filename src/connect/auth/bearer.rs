//! A token that does not change (RFC 6750): `auth.token`.

use serde_json::{Map, Value as Json};

use super::SignInKind;
use super::desk::Desk;
use crate::connect::pack::auth::Kind;
use crate::error::{Error, Result};

pub(super) struct Bearer;

impl SignInKind for Bearer {
    fn word(&self) -> &'static str {
        "bearer"
    }

    fn known(&self, desk: &Desk) -> Result<Map<String, Json>> {
        let Kind::Bearer(token) = &desk.way.kind else { return Err(Error::bug("no bearer sign-in")) };
        let token = desk.text(token, &Map::new())?;
        Ok([("token".to_owned(), Json::String(token))].into_iter().collect())
    }
}
