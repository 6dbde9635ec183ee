//! The sign-in of a pack as a layer of its caller.

use serde_json::Value as Json;

use super::caller::{Later, SignIn};
use super::draft::Draft;
use super::wire::Request;
use crate::connect::auth;
use crate::error::Result;

impl SignIn for auth::SignIn {
    fn auth(&self) -> Later<'_, Result<Json>> {
        Box::pin(async move { Ok(Json::Object(self.ready().await?.auth.clone())) })
    }

    fn prepare<'a>(&'a self, draft: &'a mut Draft) -> Later<'a, Result<u64>> {
        Box::pin(self.prepare(draft))
    }

    fn sign(&self, request: &mut Request) -> Result<()> {
        self.sign(request)
    }

    fn renew(&self, number: u64) -> Later<'_, Result<bool>> {
        Box::pin(self.renew(number))
    }

    fn close(&self) -> Later<'_, ()> {
        Box::pin(self.close())
    }
}
