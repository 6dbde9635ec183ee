//! Acknowledging: what a source keeps until it is settled goes once it is, part by part, while the run
//! goes on. What cannot be acknowledged comes again; nothing is lost by it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value as Json;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::desk::{Desk, Vars, shown_whole};
use crate::connect::Acknowledge;
use crate::error::Result;
use crate::store::failpoint::reach;

/// What is to be acknowledged of a part.
#[derive(Debug, Default)]
pub(super) struct Owed {
    /// Whom it was read for.
    pub parent: Json,
    /// What stands for each record.
    pub records: Vec<Json>,
}

/// What is to be acknowledged once it is settled, and what is being acknowledged.
pub(super) struct Receipts {
    desk: Arc<Desk>,
    network: Handle,
    owed: Mutex<VecDeque<(u64, Owed)>>,
    under_way: Mutex<Vec<JoinHandle<()>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Receipts {
    pub fn new(desk: Arc<Desk>, network: Handle) -> Self {
        Self { desk, network, owed: Mutex::default(), under_way: Mutex::default() }
    }

    /// Remembers what is to be acknowledged once the part with that number is settled.
    pub fn owe(&self, part: u64, owed: Owed) {
        if !owed.records.is_empty() {
            lock(&self.owed).push_back((part, owed));
        }
    }

    /// Waits until everything that is settled was acknowledged.
    pub async fn wait(&self) {
        let all = std::mem::take(&mut *lock(&self.under_way));
        for one in all {
            let _ = one.await;
        }
    }
}

impl Acknowledge for Arc<Receipts> {
    fn settled(&mut self, parts: u64) {
        let Some(spec) = &self.desk.read.acknowledge else { return };
        let mut due: Vec<Owed> = Vec::new();
        {
            let mut owed = lock(&self.owed);
            while owed.front().is_some_and(|(part, _)| *part < parts) {
                due.extend(owed.pop_front().map(|(_, owed)| owed));
            }
        }
        let mut under_way = lock(&self.under_way);
        under_way.retain(|one| !one.is_finished());
        for Owed { parent, records } in due {
            for chunk in records.chunks(spec.records.max(1)) {
                let vars = Vars { parent: parent.clone(), records: Json::Array(chunk.to_vec()), ..Vars::default() };
                let (desk, count) = (Arc::clone(&self.desk), chunk.len());
                under_way.push(self.network.spawn(async move {
                    if let Some(why) = tell(&desk, &vars).await {
                        desk.note(format!(
                            "settled records of `{}` could not be acknowledged ({count} at once) and come again: {why}",
                            desk.stream.name
                        ));
                    }
                }));
            }
        }
    }
}

/// Why they could not be acknowledged, if they could not.
async fn tell(desk: &Desk, vars: &Vars) -> Option<String> {
    let spec = desk.read.acknowledge.as_ref()?;
    let draft = desk.draft(&spec.request, vars, format!("acknowledging records of `{}`", desk.stream.name));
    let answered = match draft {
        Ok(mut draft) => {
            draft.purpose.writes = true;
            reach("before_acknowledge");
            let answered = desk.call(draft).await.map_err(|failure| failure.error);
            reach("after_acknowledge");
            answered
        }
        Err(error) => Err(error),
    };
    let refused = |answer| -> Result<bool> {
        let seen = Vars { answer: shown_whole(&answer), ..vars.clone() };
        spec.refused.as_ref().map_or(Ok(false), |refused| desk.holds(refused, &seen))
    };
    match answered.and_then(refused) {
        Ok(false) => None,
        Ok(true) => Some("the system did not take all of them".to_owned()),
        Err(error) => Some(error.cause().to_owned()),
    }
}
