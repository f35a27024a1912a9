//! The life of what a customer pastes: it is tried out, and carried by calls.

use crate::Step;
use crate::compare::refused;
use crate::errors::met;
use crate::life::{Failed, Life};
use mortise_connectors::Pasted;
use mortise_domain::PastedSecret;
use mortise_oauth::{Credentials, FailureClass, carried, request_verification, verification};
use mortise_sandbox::play::Trouble;
use std::collections::BTreeMap;

pub(crate) async fn live(life: &mut Life<'_>) {
    let manifest = life.cast.manifest;
    let Some(pasted) = manifest.auth.pasted() else { return };
    let theirs = pasted_as(&life.cast.credentials);
    let call = carried(&life.cast.provider(), &theirs).map_err(|error| error.to_string());
    let call = call.and_then(|call| call.ok_or_else(|| "it carries nothing".to_owned()));
    let Some(call) = life.note(Step::Fetch, "a call can carry what was pasted", call) else { return };
    let everything: Vec<_> = call.headers.values().chain(call.query.values()).map(PastedSecret::expose).collect();
    let lost = if everything.is_empty() { Err("neither a header nor a parameter does".to_owned()) } else { Ok(()) };
    life.note(Step::Fetch, "something of a call carries it", lost);
    if pasted.verification.is_none() {
        return;
    }
    let tried = tried(life, &pasted, &theirs).await.map_err(|failed| failed.to_string());
    life.note(Step::Connect, "what the customer has is accepted", tried);
    for name in pasted.credentials.keys() {
        let mut others = life.cast.credentials.clone();
        if let Some(value) = others.get_mut(name) {
            value.push('x');
        }
        let outcome = refused(self::tried(life, &pasted, &pasted_as(&others)).await, FailureClass::GrantRejected);
        life.note(Step::Connect, format!("another `{name}` is refused"), outcome);
    }
    for (what, status, class) in [
        ("a failure says nothing about what was pasted", 503, FailureClass::Ambiguous),
        ("nor does a request to wait", 429, FailureClass::Throttled),
    ] {
        met(life, Trouble::Reply { status, content_type: "text/plain", body: "busy" });
        let outcome = refused(self::tried(life, &pasted, &theirs).await, class);
        life.note(Step::Errors, what, outcome);
    }
}

async fn tried(life: &Life<'_>, pasted: &Pasted<'_>, credentials: &Credentials) -> Result<(), Failed> {
    let none = || Failed::Unbuilt("none is made".to_owned());
    let request = verification(&life.cast.provider(), credentials)?.ok_or_else(none)?;
    let call = pasted.verification.ok_or_else(none)?;
    Ok(request_verification(&life.stage.transport, request, call).await?)
}

fn pasted_as(values: &BTreeMap<String, String>) -> Credentials {
    values.iter().map(|(name, value)| (name.clone(), PastedSecret::new(value.as_str()))).collect()
}
