//! Standing modes: what happens to every request of an endpoint until somebody says otherwise.

use super::{Action, Canned, Fault, ScriptError};
use crate::class::RecoveryClass;
use crate::log::Endpoint;
use crate::settings::Rate;
use crate::state::Call;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// What every request meets. As JSON: a word, or an object with the word as its one member.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing out of the ordinary: takes modes away.
    Off,
    /// `{"status": 503}`: this status, without effect.
    Status(u16),
    /// A login page with status 200, without effect.
    Html,
    /// Refused as if the grant had ended, without effect.
    InvalidGrant,
    /// Refused as if the client's secret were wrong, without effect.
    InvalidClient,
    /// No effect, and no reply for as long as the client waits.
    Hang,
    /// `{"slow": 1500}`: takes effect and is answered after so many milliseconds.
    Slow(u64),
    /// `{"rate_limit": {"requests": 5, "seconds": 1}}`: what is more than that is refused with 429 and `Retry-After`,
    /// without effect; over all clients and grants.
    RateLimit(Rate),
    /// `{"action": {…}}`: as if a script of this action never ran out.
    Action(Box<Action>),
}

/// A mode and the requests that it is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingMode {
    /// The class whose requests are meant; all six if absent.
    #[serde(default)]
    pub class: Option<RecoveryClass>,
    /// The endpoint that is meant; `token` if absent.
    #[serde(default)]
    pub endpoint: Endpoint,
    /// Token endpoint only: requests with another `grant_type` pass by unharmed.
    #[serde(default)]
    pub grant_type: Option<String>,
    /// What they meet.
    pub mode: Mode,
}

#[derive(Debug)]
enum Effect {
    Fault(Arc<Fault>),
    /// When the requests that were let through arrived, in microseconds of the monotonic clock.
    RateLimit(Rate, VecDeque<u64>),
}

#[derive(Debug)]
struct Standing {
    class: RecoveryClass,
    mode: StandingMode,
    effect: Effect,
}

/// The modes in force.
#[derive(Debug, Default)]
pub struct Modes(Vec<Standing>);

impl Modes {
    /// Puts a mode in force, in place of an earlier one for the same requests. [`Mode::Off`] without a `grant_type`
    /// takes away those of all grant types.
    pub fn set(&mut self, mode: StandingMode) -> Result<(), ScriptError> {
        let classes = mode.class.map_or_else(|| RecoveryClass::ALL.to_vec(), |class| vec![class]);
        let mut added = Vec::new();
        for class in classes {
            if let Some(effect) = Effect::of(&mode.mode)? {
                added.push(Standing { class, mode: StandingMode { class: Some(class), ..mode.clone() }, effect });
            }
        }
        let off = added.is_empty();
        self.0.retain(|standing| {
            let same_type = standing.mode.grant_type == mode.grant_type || (off && mode.grant_type.is_none());
            let same_class = mode.class.is_none_or(|class| class == standing.class);
            !(same_class && same_type && standing.mode.endpoint == mode.endpoint)
        });
        self.0.extend(added);
        Ok(())
    }

    /// The modes in force, each for one class.
    pub fn list(&self) -> impl Iterator<Item = &StandingMode> {
        self.0.iter().map(|standing| &standing.mode)
    }

    /// What a request meets that arrives at `now_us`.
    pub fn meet(&mut self, class: RecoveryClass, endpoint: Endpoint, call: &Call, now_us: u64) -> Option<Arc<Fault>> {
        let standing = self.0.iter_mut().find(|standing| {
            let wanted = standing.mode.grant_type.as_ref();
            standing.class == class
                && standing.mode.endpoint == endpoint
                && wanted.is_none_or(|wanted| call.grant_type.as_ref() == Some(wanted))
        })?;
        match &mut standing.effect {
            Effect::Fault(fault) => Some(Arc::clone(fault)),
            Effect::RateLimit(rate, passed) => over(*rate, passed, now_us).map(|wait| Arc::new(Fault::too_often(wait))),
        }
    }
}

impl Effect {
    fn of(mode: &Mode) -> Result<Option<Self>, ScriptError> {
        let action = match mode {
            Mode::Off => return Ok(None),
            Mode::RateLimit(rate) => return Ok(Some(Self::RateLimit(*rate, VecDeque::new()))),
            Mode::Status(status) => Action { status: Some(*status), ..Action::default() },
            Mode::Html => Action { reply: Some(Canned::Html), ..Action::default() },
            Mode::InvalidGrant => Action { error: Some("invalid_grant".to_owned()), ..Action::default() },
            Mode::InvalidClient => Action { error: Some("invalid_client".to_owned()), ..Action::default() },
            Mode::Hang => Action { hang: true, ..Action::default() },
            Mode::Slow(ms) => Action { delay_ms: Some(*ms), ..Action::default() },
            Mode::Action(action) => Action::clone(action),
        };
        Ok(Some(Self::Fault(Arc::new(Fault::try_from(action)?))))
    }
}

/// Counts a request, or tells how long it is too early.
fn over(rate: Rate, passed: &mut VecDeque<u64>, now_us: u64) -> Option<Duration> {
    let span = u64::from(rate.seconds.get()) * 1_000_000;
    while passed.front().is_some_and(|at| at.saturating_add(span) <= now_us) {
        passed.pop_front();
    }
    if passed.len() < rate.requests.get() as usize {
        passed.push_back(now_us);
        return None;
    }
    passed.front().map(|at| Duration::from_micros(at.saturating_add(span).saturating_sub(now_us)))
}

#[cfg(test)]
mod tests;
