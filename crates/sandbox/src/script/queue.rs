//! The scripts that are still to be played.

use super::{Fault, Script, ScriptError};
use crate::class::RecoveryClass;
use crate::log::Endpoint;
use std::collections::VecDeque;
use std::sync::Arc;

#[derive(Debug)]
struct Queued {
    class: RecoveryClass,
    endpoint: Endpoint,
    grant_type: Option<String>,
    left: u32,
    fault: Arc<Fault>,
}

/// The scripts that are still to be played, oldest first.
#[derive(Debug, Default)]
pub struct Scripts(VecDeque<Queued>);

impl Scripts {
    /// Checks a script and puts it last.
    pub fn push(&mut self, script: Script) -> Result<(), ScriptError> {
        if script.times == 0 {
            return Err(ScriptError::Times);
        }
        let Script { class, endpoint, grant_type, times, action } = script;
        let fault = Arc::new(Fault::try_from(action)?);
        self.0.push_back(Queued { class, endpoint, grant_type, left: times, fault });
        Ok(())
    }

    /// The fault for a request that has just arrived.
    pub fn take(&mut self, class: RecoveryClass, endpoint: Endpoint, grant_type: Option<&str>) -> Option<Arc<Fault>> {
        let index = self.0.iter().position(|queued| {
            queued.class == class
                && queued.endpoint == endpoint
                && queued.grant_type.as_deref().is_none_or(|wanted| Some(wanted) == grant_type)
        })?;
        let queued = self.0.get_mut(index)?;
        queued.left -= 1;
        let fault = Arc::clone(&queued.fault);
        if queued.left == 0 {
            self.0.remove(index);
        }
        Some(fault)
    }

    /// How many requests are still to be harmed.
    pub fn left(&self) -> u64 {
        self.0.iter().map(|queued| u64::from(queued.left)).sum()
    }
}
