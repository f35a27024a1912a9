//! What was filled in for a connection: the app's own values, and then what the customer or the backend gave.
//!
//! Invariant: nobody but the app's owner says to which whole host the app's secret goes, and an app's host never changes,
//! because the tokens of its connections were issued there.

use crate::loaded::LoadedApp;
use crate::{Fault, Result};
use mortise_connectors::{Manifest, Values, VariableKind, resolve_values};
use mortise_oauth::EgressPolicy;
use mortise_store::AppSettings;
use url::Url;

const NOT_YOURS: &str = "only the app's settings may say this, because its secret is sent there: leave it out";
const MISSING: &str = "the client's secret is sent to this host, so it is the app's to say: give a whole host name, such as \
                       crm.acme.example";
const CLOSED: &str = "this is a host that may not be called: give one of the public internet, or have its network opened for \
                      Mortise (MORTISE_EGRESS_ALLOW)";
const MOVED: &str = "the secret and the tokens of this app belong to the host that it was registered with: register another \
                     app for another host";

/// Values for all variables: the app's win. `base` is where the given ones stood.
pub(crate) fn filled_in(
    egress: &EgressPolicy,
    app: &LoadedApp,
    given: &Values,
    base: &str,
) -> std::result::Result<Values, Vec<Fault>> {
    let (manifest, fixed) = (&app.manifest, &app.app.settings.variables);
    let presumed = given.keys().filter(|name| manifest.only_the_app_fills(name));
    let faults: Vec<_> = presumed.map(|name| fault(base, name, NOT_YOURS)).collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut all = given.clone();
    all.extend(fixed.iter().map(|(name, value)| (name.clone(), value.clone())));
    let values = resolve_values(manifest, &all).map_err(|faults| crate::error::value_faults(base, faults))?;
    let faults = closed_hosts(egress, manifest, &values, base);
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}

/// Whole hosts that may not be called, as far as their names tell. Addresses are judged with each call.
fn closed_hosts(egress: &EgressPolicy, manifest: &Manifest, values: &Values, base: &str) -> Vec<Fault> {
    let whole =
        |name: &String| manifest.variables.get(name).is_some_and(|variable| variable.kind == VariableKind::Host);
    let closed =
        |host: &String| Url::parse(&format!("https://{host}/")).map_or(true, |url| egress.check_told(&url).is_err());
    let found = values.iter().filter(|(name, host)| whole(name) && closed(host));
    found.map(|(name, _)| fault(base, name, CLOSED)).collect()
}

/// What is wrong with the hosts in an app's settings. `before`: what they were, if the app exists.
fn host_faults(
    egress: &EgressPolicy,
    manifest: &Manifest,
    settings: &AppSettings,
    before: Option<&AppSettings>,
) -> Vec<Fault> {
    let mut faults = closed_hosts(egress, manifest, &settings.variables, "/settings/variables");
    for name in manifest.variables.keys().filter(|name| manifest.only_the_app_fills(name)) {
        let then = before.and_then(|settings| settings.variables.get(name));
        match (then, settings.variables.get(name)) {
            (_, None) => faults.push(fault("/settings/variables", name, MISSING)),
            (Some(then), Some(now)) if !then.eq_ignore_ascii_case(now) => {
                faults.push(fault("/settings/variables", name, MOVED));
            }
            (Some(_) | None, Some(_)) => {}
        }
    }
    faults
}

/// The same as an answer.
pub(crate) fn check_hosts(
    egress: &EgressPolicy,
    manifest: &Manifest,
    settings: &AppSettings,
    before: Option<&AppSettings>,
) -> Result<()> {
    let faults = host_faults(egress, manifest, settings, before);
    if faults.is_empty() { Ok(()) } else { Err(crate::Error::Invalid(faults)) }
}

fn fault(base: &str, name: &str, detail: &str) -> Fault {
    Fault { pointer: format!("{base}/{name}"), detail: detail.to_owned() }
}
