//! A wire that keeps what goes over it: for showing requests, and for recording them as a pack's tests.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::wire::{Answer, Request, Unanswered, Wire};

/// What was sent, and what came back.
#[derive(Clone)]
pub struct Kept {
    /// The request, with what it was signed in with: not to be shown as it is.
    pub request: Request,
    /// The answer, or why there is none.
    pub answer: Result<Answer, Unanswered>,
}

/// A wire over another one.
pub struct Tap {
    below: Arc<dyn Wire>,
    kept: Mutex<Vec<Kept>>,
}

impl Tap {
    /// Over this wire.
    pub fn new(below: Arc<dyn Wire>) -> Self {
        Self { below, kept: Mutex::default() }
    }

    /// What went over it so far, in the order of answers.
    pub fn kept(&self) -> Vec<Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Wire for Tap {
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Answer, Unanswered>> + Send + '_>> {
        Box::pin(async move {
            let answer = self.below.send(request.clone()).await;
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(Kept { request, answer: answer.clone() });
            answer
        })
    }

    fn pause(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.below.pause(time)
    }

    fn now(&self) -> jiff::Timestamp {
        self.below.now()
    }
}
