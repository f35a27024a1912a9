//! The device flow (RFC 8628): codes, and what becomes of them.

use super::book::Rules;
use super::endpoint::scoped;
use super::fit::Fit;
use super::wanted::{Said, Want, Wanted, Writing};
use super::{Answered, Issued, Played, Registered, Unplayable};
use mortise_connectors::{ClientAuthentication, OAuth2, Parameter, Values};
use serde_json::json;

/// A device code, and how often it was asked about.
pub(super) struct Device {
    code: String,
    asked: u32,
}

/// The request for codes (section 3.1).
pub(super) fn codes(auth: &OAuth2, values: &Values, registered: &Registered) -> Result<Wanted, Unplayable> {
    let mut writing = scoped(Writing::of_question(auth, values), auth, registered).extra(&auth.authorization_params)?;
    if matches!(
        auth.client_authentication,
        ClientAuthentication::ClientSecretBasic | ClientAuthentication::ClientSecretAsUser
    ) {
        // Section 3.1: the id is a parameter, whatever else proves the client.
        writing = writing.param(Parameter::ClientId, Want::Value(Said::ClientId));
    }
    writing.done()
}

/// The question what became of one (section 3.4).
pub(super) fn question(auth: &OAuth2, values: &Values) -> Result<Wanted, Unplayable> {
    let usual = "urn:ietf:params:oauth:grant-type:device_code";
    let word = auth.token_request.grant_type.as_deref().unwrap_or(usual);
    Writing::of_token(auth, values)
        .param(Parameter::GrantType, Want::Exactly(word.to_owned()))
        .named("device_code", Want::Value(Said::Code))
        .extra(&auth.token_params)?
        .done()
}

impl Played {
    /// Codes for a customer.
    pub(super) fn device_codes(&mut self) -> Answered {
        let (code, user) = (self.book.draw("device"), "PLAY-ED12");
        let reply = json!({
            "device_code": code, "user_code": user, "verification_uri": "https://acme.example/device",
            "verification_uri_complete": format!("https://acme.example/device?code={user}"), "expires_in": 600, "interval": 5,
        });
        self.devices.push(Device { code, asked: 0 });
        Answered::json(200, &reply)
    }

    /// The customer says yes after the second question.
    pub(super) fn device_answer(&mut self, fit: &Fit, rules: Rules, now: i64) -> Result<Issued, &'static str> {
        let Some(auth) = self.auth().cloned() else { return Err("invalid_grant") };
        let Some(at) = self.devices.iter().position(|device| Some(device.code.as_str()) == fit.said(Said::Code)) else {
            return Err("invalid_grant");
        };
        self.devices[at].asked += 1;
        match self.devices[at].asked {
            1 => Err("authorization_pending"),
            2 => Err("slow_down"),
            _ => {
                self.devices.remove(at);
                let scopes = auth.default_scopes.union(&self.registered.scopes);
                Ok(self.book.grant(scopes, true, rules, now))
            }
        }
    }
}
