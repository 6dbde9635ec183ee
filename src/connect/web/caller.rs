//! Calls an API as its pack says: sign-in, limits, retries and faults around the wire, in one place for
//! whoever reads, writes, signs in or probes.

use std::sync::Arc;

use super::draft::Draft;
use super::wire::{Answer, Wire};
use crate::connect::pack::Given;
use crate::connect::pack::faults::Class;
use crate::error::codes::connect::{CALL_FAILED, CALL_UNANSWERED};
use crate::error::{Error, Kind, Retry};

/// Why a call has no good answer, once everything that the pack allows was tried.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What the pack's faults make of it.
    pub class: Class,
    /// For people, with what to do.
    pub error: Error,
    /// The answer, if there was one.
    pub answer: Option<Answer>,
    /// Whether the request may have taken effect.
    pub doubt: bool,
}

/// Calls one system, for as long as a connector is open. Shared by everything that calls it.
#[derive(Clone)]
pub struct Caller {
    /// The pack with the connector's values.
    pub given: Arc<Given>,
    wire: Arc<dyn Wire>,
}

impl Caller {
    /// Over this wire.
    pub fn new(given: Arc<Given>, wire: Arc<dyn Wire>) -> Self {
        Self { given, wire }
    }

    /// Makes one call: good answers come back, and what the faults of the pack say is good enough
    /// (`empty`). Everything else is a failure with its class.
    ///
    /// # Errors
    /// [`Failure`], after retries.
    pub async fn call(&self, draft: Draft) -> Result<Answer, Box<Failure>> {
        let (what, writes) = (draft.purpose.what.clone(), draft.purpose.writes);
        let invalid = |error: Error| Box::new(Failure { class: Class::Fail, error, answer: None, doubt: false });
        let request = draft.finish().map_err(invalid)?;
        let shown = request.shown();
        match self.wire.send(request).await {
            Ok(answer) if answer.status < 400 => Ok(answer),
            Ok(answer) => {
                let cause = format!("{shown} answered {}", answer.status);
                let error = Error::new(Kind::Failed, &CALL_FAILED, cause).doing(what);
                Err(Box::new(Failure { class: Class::Fail, error, answer: Some(answer), doubt: false }))
            }
            Err(unanswered) => {
                let cause = format!("{shown}: {}", unanswered.cause);
                let error = Error::new(Kind::Environment, &CALL_UNANSWERED, cause).doing(what).retry(Retry::Later);
                Err(Box::new(Failure { class: Class::Retry, error, answer: None, doubt: writes && unanswered.sent }))
            }
        }
    }
}
