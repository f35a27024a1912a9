//! What the callback carries: nothing that belongs to the flow is kept, and a signature covers what it seems to cover.

use super::super::extras::is_param_name;
use super::super::pointers::field_name;
use super::super::{Findings, escape};
use super::{count, is_value};
use crate::diagnostic::Code;
use crate::{CallbackHmac, ClientAuthentication, Manifest, OAuth2, TokenResponse};

const BASE: &str = "/auth/callback";
/// What the flow reads by itself (RFC 6749 section 4.1.2, RFC 9207).
const OF_THE_FLOW: [&str; 5] = ["state", "iss", "error", "error_description", "error_uri"];

pub(super) fn check(manifest: &Manifest, auth: &OAuth2, found: &mut Findings) {
    let callback = &auth.callback;
    if let Some(name) = &callback.code {
        let path = format!("{BASE}/code");
        if name == "code" {
            found.add(Code::IgnoredMember, path, "the code is read from `code` anyway: remove it").at_name();
        } else {
            parameter(path, name, found);
        }
    }
    let code = callback.code_parameter();
    for (field, name) in &callback.keep {
        let path = format!("{BASE}/keep/{}", escape(field));
        field_name(&path, field, found);
        if name == code || name == "code" {
            found.add(Code::ExposesToken, path.as_str(), "an authorization code is never handed out: remove it");
        }
        if holds_token(auth, name) {
            let message = "this holds a token, and tokens are never handed out as a field: remove it";
            found.add(Code::ExposesToken, path.as_str(), message).about("/auth/token_response");
        }
        parameter(path, name, found);
    }
    for (name, value) in &callback.expect {
        let path = format!("{BASE}/expect/{}", escape(name));
        if name == code || !is_param_name(name) || OF_THE_FLOW.contains(&name.as_str()) {
            let message =
                format!("`{}` is checked by the flow itself, or no parameter: remove it", name.escape_debug());
            found.add(Code::BadParameter, path.as_str(), message).at_name();
        }
        if !is_value(value) {
            let message = "give the value to expect, 1 to 2000 bytes without control characters";
            found.add(Code::BadParameter, path.as_str(), message);
        }
        found.template(manifest, &path, value);
    }
    count(&format!("{BASE}/keep"), callback.keep.len(), found);
    count(&format!("{BASE}/expect"), callback.expect.len(), found);
    if let Some(hmac) = &callback.hmac {
        signature(auth, hmac, code, found);
    }
}

/// Whether a parameter is what tokens are called, in the fragment of an implicit grant or by anybody who sends one unasked.
fn holds_token(auth: &OAuth2, name: &str) -> bool {
    let (reply, usual) = (&auth.token_response, TokenResponse::default());
    let tokens = [&reply.access_token, &reply.refresh_token, &usual.access_token, &usual.refresh_token];
    tokens.into_iter().any(|pointer| pointer.strip_prefix('/') == Some(name))
}

fn signature(auth: &OAuth2, hmac: &CallbackHmac, code: &str, found: &mut Findings) {
    let base = format!("{BASE}/hmac");
    let method = auth.client_authentication;
    let key_pair =
        method == ClientAuthentication::PrivateKeyJwt || method.shows_certificate() || auth.client_certificate;
    if method == ClientAuthentication::None || key_pair {
        let message =
            "the signature's key is the client's secret, and this client has none to share: remove one of the two";
        found.add(Code::NoCredentials, base.as_str(), message).about("/auth/client_authentication");
    }
    parameter(format!("{base}/parameter"), &hmac.parameter, found);
    for (index, name) in hmac.except.iter().enumerate() {
        let path = format!("{base}/except/{index}");
        if name == code || name == "state" || auth.callback.keep.values().any(|kept| kept == name) {
            let message = format!("`{name}` is used, so the signature has to cover it: remove it here");
            found.add(Code::BadParameter, path, message);
        } else if *name == hmac.parameter || !is_param_name(name) {
            let message = "list other parameters of the callback, such as signature; its own it never covers";
            found.add(Code::BadParameter, path, message);
        }
    }
    if let Some(name) = &hmac.timestamp {
        let path = format!("{base}/timestamp");
        if *name == hmac.parameter || hmac.except.contains(name) {
            found.add(Code::BadParameter, path, "a time that the signature does not cover can be anybody's: sign it");
        } else {
            parameter(path, name, found);
        }
    }
}

fn parameter(path: String, name: &str, found: &mut Findings) {
    if !is_param_name(name) || OF_THE_FLOW.contains(&name) {
        let message =
            "give a parameter of the callback that is not the flow's own: 1 to 100 letters, digits and - _ . ~ : [ ]";
        found.add(Code::BadParameter, path, message);
    }
}
