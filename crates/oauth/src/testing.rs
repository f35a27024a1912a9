//! A transport that plays a script and keeps what it was given, for tests of whoever sends requests.

use crate::{Outbound, Reply, SendError, Transport};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

type Step = Box<dyn FnOnce(&Outbound) -> Result<Reply, SendError> + Send>;

/// Answers requests from a queue, in order.
#[derive(Default)]
pub struct ScriptedTransport {
    steps: Mutex<VecDeque<Step>>,
    requests: Mutex<Vec<Outbound>>,
}

impl ScriptedTransport {
    /// A transport with nothing to say yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Queues an answer that may look at the request.
    pub fn then(&self, step: impl FnOnce(&Outbound) -> Result<Reply, SendError> + Send + 'static) -> &Self {
        locked(&self.steps).push_back(Box::new(step));
        self
    }

    /// Queues a reply.
    pub fn reply(&self, reply: Reply) -> &Self {
        self.then(move |_| Ok(reply))
    }

    /// Queues a JSON reply.
    pub fn json(&self, status: u16, body: &serde_json::Value) -> &Self {
        self.reply(Reply::new(status, Some("application/json"), body.to_string()))
    }

    /// Queues a failure to get a reply.
    pub fn fail(&self, error: SendError) -> &Self {
        self.then(move |_| Err(error))
    }

    /// How many answers are still queued.
    pub fn remaining(&self) -> usize {
        locked(&self.steps).len()
    }

    /// The requests since the last call, in order.
    pub fn take_requests(&self) -> Vec<Outbound> {
        std::mem::take(&mut *locked(&self.requests))
    }
}

#[async_trait::async_trait]
impl Transport for ScriptedTransport {
    /// # Panics
    /// A request that the script does not foresee is a fault of the test or of what it tests.
    async fn send(&self, request: Outbound) -> Result<Reply, SendError> {
        let step = locked(&self.steps).pop_front();
        assert!(step.is_some(), "the script has no answer left for {request:?}");
        let answer = step.map_or(Err(SendError::Broken), |step| step(&request));
        locked(&self.requests).push(request);
        answer
    }
}

/// The parameters of a form or JSON body by name.
pub fn body_params(request: &Outbound) -> BTreeMap<String, String> {
    match serde_json::from_slice(&request.body) {
        Ok(params) => params,
        Err(_) => url::form_urlencoded::parse(&request.body).into_owned().collect(),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
