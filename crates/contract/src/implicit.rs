//! The life of a token that comes in the callback's fragment (RFC 6749 section 4.2): nothing renews it.

use crate::Step;
use crate::code::{STATE, about, alive, consent, ended, granted};
use crate::life::{Failed, Life};
use mortise_connectors::OAuth2;
use mortise_oauth::{PresentedToken, implicit_grant};
use url::form_urlencoded;

pub(crate) async fn live(life: &mut Life<'_>, auth: &OAuth2) {
    let Some(callback) = consent(life).await else { return };
    let fragment = callback.fragment().unwrap_or_default().to_owned();
    let state = form_urlencoded::parse(fragment.as_bytes()).any(|(name, value)| name == "state" && value == STATE);
    let brought = if state { Ok(()) } else { Err("it is not the one that was sent".to_owned()) };
    life.note(Step::Connect, "the fragment brings the state", brought);
    let read = implicit_grant(life.cast.manifest, &fragment).map_err(Failed::from);
    let Some(grant) = granted(life, Step::Connect, "and the token", read) else { return };
    for (what, fragment) in [
        ("a refusal is no token", "error=access_denied&state=s"),
        ("an empty fragment is no token", ""),
        ("half a fragment is no token", "access_token=&token_type=bearer"),
    ] {
        let outcome = match implicit_grant(life.cast.manifest, fragment) {
            Err(_) => Ok(()),
            Ok(_) => Err("it is taken for one".to_owned()),
        };
        life.note(Step::Errors, what, outcome);
    }
    alive(life, Step::Fetch, &grant.access_token);
    about(life, auth, &grant.access_token).await;
    if auth.revocation_url.is_some() {
        ended(life, PresentedToken::Access(&grant.access_token)).await;
    }
}
