//! Why a call has no good answer, and what a person reads of it: what was called, what the pack and the system
//! say, what can be done. Values and secrets stay out.

use super::budget::now_of;
use super::caller::Caller;
use super::told;
use super::verdict::Verdict;
use super::wire::{Answer, Request, Unanswered};
use crate::connect::pack::faults::Class;
use crate::error::codes::connect::{CALL_DENIED, CALL_FAILED, CALL_QUOTA, CALL_UNANSWERED};
use crate::error::{Error, Kind, Retry as Again};

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

impl Caller {
    /// No answer came.
    pub(super) fn unanswered(&self, what: &str, request: &Request, why: &Unanswered, doubt: bool) -> Box<Failure> {
        let cause = format!("{}: {}", told::place(request), why.cause);
        let mut error = Error::new(Kind::Environment, &CALL_UNANSWERED, cause).doing(what.to_owned());
        error = match why.temporary {
            true => error.retry(Again::Spent),
            false => error,
        };
        if doubt {
            error = error.hint("whether it took effect is not known");
        }
        let class = if why.temporary { Class::Retry } else { Class::Fail };
        Box::new(Failure { class, error, answer: None, doubt })
    }

    /// A budget is spent for longer than anybody waits inside a run.
    pub(super) fn spent(
        &self,
        what: &str,
        at: i64,
        why: Option<(Answer, &Request, Verdict)>,
        doubt: bool,
    ) -> Box<Failure> {
        let now = now_of(&**self.wire());
        let (answer, cause) = match why {
            Some((answer, request, verdict)) => {
                let cause = self.sentence(&answer, request, &verdict);
                (Some(answer), cause)
            }
            None => (None, "the budget of calls is spent".to_owned()),
        };
        let error = Error::new(Kind::Environment, &CALL_QUOTA, cause).doing(what.to_owned());
        let error = if at > now { later(error, at, now) } else { error.retry(Again::Later) };
        Box::new(Failure { class: Class::Quota, error, answer, doubt })
    }

    /// Of an answer that is no good one.
    pub(super) fn failure(
        &self,
        what: &str,
        answer: Answer,
        request: &Request,
        verdict: Verdict,
        doubt: bool,
    ) -> Box<Failure> {
        let (kind, code) = match verdict.class {
            Class::SignIn | Class::Denied => (Kind::Denied, &CALL_DENIED),
            Class::Retry | Class::Wait => (Kind::Environment, &CALL_FAILED),
            _ => (Kind::Failed, &CALL_FAILED),
        };
        let mut error = Error::new(kind, code, self.sentence(&answer, request, &verdict)).doing(what.to_owned());
        if matches!(verdict.class, Class::Retry | Class::Wait) {
            error = error.retry(Again::Spent);
        }
        let told = &verdict.told;
        for (name, value) in [("code", &told.code), ("field", &told.field), ("request", &told.request_id)] {
            if let Some(value) = value {
                error = error.fact(name, told::harmless(value, Some(request), self.given.secrets()));
            }
        }
        if let Some(hint) = &verdict.hint {
            error = error.hint(hint.clone());
        }
        if doubt {
            error = error.hint("whether it took effect is not known");
        }
        Box::new(Failure { class: verdict.class, error, answer: Some(answer), doubt })
    }

    /// What a person reads: what was called, what the pack or the system says of it.
    fn sentence(&self, answer: &Answer, request: &Request, verdict: &Verdict) -> String {
        let place = told::place(request);
        match verdict.say.as_ref().or(verdict.told.message.as_ref()) {
            Some(text) => {
                let text = told::harmless(text, Some(request), self.given.secrets());
                format!("{place} answered {}: {}", answer.status, text.trim_end_matches('.'))
            }
            None => format!("{place} answered {}", answer.status),
        }
    }
}

/// An error of ours, before anything was sent.
pub(super) fn failed(error: Error) -> Box<Failure> {
    Box::new(Failure { class: Class::Fail, error, answer: None, doubt: false })
}

/// Says when to go on.
pub(super) fn later(error: Error, at: i64, now: i64) -> Error {
    let seconds = u64::try_from(at.saturating_sub(now)).unwrap_or(0).div_ceil(1_000_000_000);
    let when = jiff::Timestamp::from_second(at.div_euclid(1_000_000_000) + 1).map(|at| at.to_string());
    error
        .retry(Again::After(seconds))
        .fact("resume at", when.unwrap_or_default())
        .hint("run again then: nothing was lost")
}
