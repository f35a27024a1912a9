//! A login as a conversation: one request after the other, each reply read before the next is written.
//!
//! Invariant: what refuses a request refuses what the customer gave, because nothing else is presented; and what goes wrong
//! after the first request may have happened at the provider all the same.

use super::request::{Known, request};
use super::{REFRESH_TOKEN, two_step};
use crate::outcome::accepted_by;
use crate::refresh::{patience, single_use};
use crate::response::Document;
use crate::{Failure, FailureClass, Given, MintError, ProtocolError, Provider, RefreshFailure, Reply, Transport};
use mortise_connectors::{LoginStep, RecoveryClass, TokenResponse, TwoStep};
use mortise_domain::{PastedSecret, RefreshToken, Timestamp, TokenGrant};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use zeroize::Zeroizing;

/// What is taken out of a reply is no longer than this (bytes).
const LONGEST: usize = 16 * 1024;

/// Asks for a token with what the customer gave.
pub(crate) async fn log_in(
    transport: &dyn Transport,
    provider: &Provider<'_>,
    given: &Given<'_>,
    deadline: Duration,
    sent_at: Timestamp,
) -> Result<TokenGrant, MintError> {
    let auth = two_step(provider).ok_or(ProtocolError::NotOAuth2)?;
    let talk = Talk { transport, provider, auth, spends: RecoveryClass::N, deadline, sent_at };
    talk.through(&auth.steps, Known::from(given.credentials)).await
}

/// Asks for another token with the refresh token, and with what was kept beside the token that it came with.
pub(crate) async fn renew(
    transport: &dyn Transport,
    provider: &Provider<'_>,
    token: &RefreshToken,
    kept: &BTreeMap<String, PastedSecret>,
    deadline: Duration,
    sent_at: Timestamp,
) -> Result<TokenGrant, MintError> {
    let auth = two_step(provider).ok_or(ProtocolError::NotOAuth2)?;
    if auth.refresh.is_empty() {
        let detail = "the connector does not say any more how a refresh token is used";
        return Err(refused(Failure::new(FailureClass::GrantRejected, None, detail)));
    }
    let mut known = Known::from(kept);
    known.learn(REFRESH_TOKEN, token.expose());
    let spends = provider.manifest.auth.recovery_class();
    Talk { transport, provider, auth, spends, deadline, sent_at }.through(&auth.refresh, known).await
}

struct Talk<'a> {
    transport: &'a dyn Transport,
    provider: &'a Provider<'a>,
    auth: &'a TwoStep,
    /// What becomes of a refresh token that is sent; a login sends none.
    spends: RecoveryClass,
    deadline: Duration,
    sent_at: Timestamp,
}

impl Talk<'_> {
    async fn through(&self, requests: &[LoginStep], mut known: Known) -> Result<TokenGrant, MintError> {
        let Some((last, before)) = requests.split_last() else { return Err(ProtocolError::NotOAuth2.into()) };
        // Time is not read here: each request gets its share.
        let share = self.deadline / u32::try_from(requests.len()).unwrap_or(u32::MAX);
        for (index, step) in before.iter().enumerate() {
            // Whether it worked, only the reply with the token says by a member of its own.
            let shape = TokenResponse { ok: None, ..self.auth.reply() };
            let (_, document) = self.ask(step, &known, share, &shape, index == 0).await?;
            take(step, &document, &mut known)?;
        }
        let shape = self.auth.reply();
        let (reply, mut document) = self.ask(last, &known, share, &shape, before.is_empty()).await?;
        take(last, &document, &mut known)?;
        let with_refresh = !self.auth.refresh.is_empty();
        let grant = document.session(self.provider.manifest, &shape, with_refresh, Some(self.sent_at));
        let mut grant =
            grant.map_err(|detail| refused(Failure::new(FailureClass::Ambiguous, Some(reply.status), detail)))?;
        grant.kept = known.only(&self.auth.keeps(self.provider.manifest.api.as_ref()));
        Ok(grant)
    }

    async fn ask(
        &self,
        step: &LoginStep,
        known: &Known,
        deadline: Duration,
        shape: &TokenResponse,
        first: bool,
    ) -> Result<(Reply, Document), MintError> {
        let mut request = request(step, self.provider, known, self.auth.retry_hint.as_ref())?;
        request.deadline = patience(self.spends).min(deadline);
        request.fresh_connection = single_use(self.spends);
        let secrets: Vec<Zeroizing<String>> = std::mem::take(&mut request.secrets);
        let reply = self.transport.send(request).await.map_err(|error| {
            let failure = Failure::from(error);
            // The requests before it were answered, and may have changed something.
            let unsure = !first && failure.class == FailureClass::NotSent;
            refused(if unsure { Failure { class: FailureClass::Ambiguous, ..failure } } else { failure })
        })?;
        match accepted_by(&reply, shape, &secrets, &self.auth.refresh_errors) {
            Ok(document) => Ok((reply, document)),
            Err(failure) => Err(refused(of_login(failure))),
        }
    }
}

fn refused(failure: Failure) -> MintError {
    MintError::Refused(RefreshFailure::from(failure))
}

/// There is no client that could be refused: who says no, says it to what the customer gave.
fn of_login(failure: Failure) -> Failure {
    let class = match (failure.class, failure.status) {
        (FailureClass::AppMisconfigured, _) | (FailureClass::Unknown, Some(200..=299 | 400 | 401 | 403 | 422)) => {
            FailureClass::GrantRejected
        }
        (class, _) => class,
    };
    Failure { class, ..failure }
}

/// What a reply tells for later: texts, and numbers and truth values as they are written.
fn take(step: &LoginStep, document: &Document, known: &mut Known) -> Result<(), MintError> {
    let unfit = |detail| refused(Failure::new(FailureClass::Ambiguous, None, detail));
    for (name, pointer) in &step.take {
        let text = match document.get(pointer) {
            Some(Value::String(text)) => Zeroizing::new(text.clone()),
            Some(Value::Number(number)) => Zeroizing::new(number.to_string()),
            Some(Value::Bool(flag)) => Zeroizing::new(flag.to_string()),
            None | Some(Value::Null | Value::Array(_) | Value::Object(_)) => {
                return Err(unfit("a reply lacks what the next request or a call needs"));
            }
        };
        if text.is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
            return Err(unfit(
                "what a reply tells for the next request or a call is empty, too long or holds control characters",
            ));
        }
        known.learn(name, &text);
    }
    Ok(())
}
