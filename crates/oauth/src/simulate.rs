//! The requests that a manifest leads to, as values to look at: built by the code that builds the real ones, and not sent.
//!
//! Invariant: no secret can be in one, because stand-ins are all that goes in: a word in capitals stands where the real
//! value would. A stand-in needs no escape in any form that a request is written in, so the rest is to the byte what is sent.

mod flows;
mod show;

use crate::pasted::call_of_api;
use crate::sending::for_show;
use crate::{
    ClientRegistration, Credentials, Given, Method, NewClient, Outbound, PresentedToken, ProtocolError, Provider,
    authorization_url, client_credentials, code_exchange, grant_request, identity, introspection, long_lived_exchange,
    pushed_authorization, pushed_authorization_url, refresh, registration, revocation, signed_jwt, two_step,
    verification, verification_of_token,
};
use mortise_connectors::{Auth, ClientAuthentication, Grant, OAuth2, SignedJwt, TwoStep};
use mortise_domain::{
    AccessToken, AuthorizationCode, ClientSecret, PastedSecret, PkceVerifier, RefreshToken, ScopeSet, StateToken,
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use url::Url;

/// What is known of the client; what is not, has stand-ins.
#[derive(Debug, Clone, Copy)]
pub struct SimulatedClient<'a> {
    /// RFC 6749 section 2.2.
    pub client_id: &'a str,
    /// Section 3.1.2.
    pub redirect_uri: &'a str,
    /// What the app asks for, beside the manifest's own.
    pub scopes: &'a ScopeSet,
}

/// A step in the life of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The app registers its client by itself.
    Register,
    /// The authorization request is left with the provider.
    Push,
    /// A user code is asked for.
    Device,
    /// Temporary credentials are asked for.
    RequestToken,
    /// The customer's browser is sent to the provider.
    Authorize,
    /// The first token is asked for.
    Token,
    /// The token is changed for a long-lived one.
    LongLived,
    /// The provider is asked whose grant it is.
    Identity,
    /// What was pasted is tried out.
    Verify,
    /// A call of the API, which whoever fetches a token makes.
    Call,
    /// The token is renewed.
    Refresh,
    /// The provider is asked about a token.
    Introspect,
    /// A token is ended.
    Revoke,
}

/// A request that would be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SimulatedRequest {
    /// When.
    pub step: Step,
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Where to, with its query.
    pub url: String,
    /// Header lines in the order of sending.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<SimulatedHeader>,
    /// Whether the client shows its certificate (RFC 8705).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub client_certificate: bool,
    /// What is signed, by the words that stand for it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub signed: BTreeMap<String, Map<String, Value>>,
    /// The body, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// A header line that would be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SimulatedHeader {
    /// Its name, in lower case.
    pub name: String,
    /// Its value.
    pub value: String,
    /// What is encoded in the value, where that is HTTP Basic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoded: Option<String>,
}

/// Every request of a connection's life, in its order.
///
/// # Errors
/// A manifest that does not expand or sets a parameter of the protocol.
pub fn simulate(provider: &Provider<'_>, client: &SimulatedClient<'_>) -> Result<Vec<SimulatedRequest>, ProtocolError> {
    match &provider.manifest.auth {
        Auth::Oauth2(auth) => of_oauth2(provider, auth, client),
        Auth::Oauth1(_) => flows::oauth1(provider, client),
        Auth::ApiKey(_) | Auth::Basic(_) => of_pasted(provider),
        Auth::TwoStep(auth) => of_two_step(provider, auth),
        Auth::SignedJwt(auth) => of_signed_jwt(provider, auth),
    }
}

fn of_pasted(provider: &Provider<'_>) -> Result<Vec<SimulatedRequest>, ProtocolError> {
    let call = verification(provider, &stand_ins(provider))?;
    Ok(call.iter().map(|request| shown(Step::Verify, request)).collect())
}

fn of_two_step(provider: &Provider<'_>, auth: &TwoStep) -> Result<Vec<SimulatedRequest>, ProtocolError> {
    let requests = two_step::simulated(provider, auth)?;
    let step = |kind| match kind {
        two_step::Kind::Token => Step::Token,
        two_step::Kind::Refresh => Step::Refresh,
        two_step::Kind::Revoke => Step::Revoke,
    };
    Ok(requests.iter().map(|(kind, request)| shown(step(*kind), request)).collect())
}

/// Nothing is sent for a token that is signed here: what calls carry is shown, and what is signed beside it.
fn of_signed_jwt(provider: &Provider<'_>, auth: &SignedJwt) -> Result<Vec<SimulatedRequest>, ProtocolError> {
    const STANDS_AS: &str = "ACCESS_TOKEN";
    let (token, given) = (AccessToken::new(STANDS_AS), stand_ins(provider));
    let (step, request) = match verification_of_token(provider, &token, &given)? {
        Some(request) => (Step::Verify, Some(request)),
        None => (Step::Call, call_of_api(provider, &token, &given)?),
    };
    let Some(request) = request else { return Ok(Vec::new()) };
    let [header, claims] = signed_jwt::for_show(provider, auth, &given)?;
    let signed = BTreeMap::from([(STANDS_AS.to_owned(), claims), (format!("the header of {STANDS_AS}"), header)]);
    Ok(vec![SimulatedRequest { signed, ..shown(step, &request) }])
}

/// What the customer would paste.
fn stand_ins(provider: &Provider<'_>) -> Credentials {
    let asked = provider.manifest.auth.asks().into_iter().flatten();
    asked.map(|(name, _)| (name.clone(), PastedSecret::new(name.to_ascii_uppercase()))).collect()
}

fn of_oauth2(
    provider: &Provider<'_>,
    auth: &OAuth2,
    client: &SimulatedClient<'_>,
) -> Result<Vec<SimulatedRequest>, ProtocolError> {
    let secret = ClientSecret::new("CLIENT_SECRET");
    let secret = (auth.client_authentication != ClientAuthentication::None).then_some(&secret);
    let registered = ClientRegistration {
        client_id: client.client_id,
        secret,
        redirect_uri: client.redirect_uri,
        signer: None,
        dpop_key: None,
    };
    let (access, fresh) = (AccessToken::new("ACCESS_TOKEN"), RefreshToken::new(refresh_stand_in(auth)));
    let mut steps = Vec::new();
    if let Some(request) = registration(provider, &new_client(client)).or_else(unless_by_hand)? {
        steps.push(shown(Step::Register, &request));
    }
    match auth.grant {
        Grant::AuthorizationCode => {
            let (state, verifier) = (StateToken::new("STATE"), PkceVerifier::new("CODE_VERIFIER"));
            let url = match pushed_authorization(provider, &registered, client.scopes, &state, &verifier)? {
                Some(request) => {
                    steps.push(shown(Step::Push, &request));
                    pushed_authorization_url(provider, &registered, "REQUEST_URI")?
                }
                None => authorization_url(provider, &registered, client.scopes, &state, &verifier)?,
            };
            steps.push(visit(url));
            let code = AuthorizationCode::new("AUTHORIZATION_CODE");
            steps.push(shown(Step::Token, &code_exchange(provider, &registered, &code, &verifier)?));
            let long_lived = long_lived_exchange(provider, &registered, &access)?;
            steps.extend(long_lived.map(|request| shown(Step::LongLived, &request)));
            steps.extend(identity(provider, &registered, &access)?.map(|request| shown(Step::Identity, &request)));
            steps.push(shown(Step::Refresh, &refresh(provider, &registered, &fresh)?));
            steps.extend(flows::further_refreshes(provider, &registered, auth)?);
        }
        Grant::ClientCredentials => {
            steps.push(shown(Step::Token, &client_credentials(provider, &registered, client.scopes)?));
        }
        Grant::DeviceCode => steps.extend(flows::device(provider, &registered, client, &fresh)?),
        Grant::Implicit => steps.extend(flows::implicit(provider, &registered, client)?),
        Grant::Password | Grant::JwtBearer | Grant::Saml2Bearer | Grant::TokenExchange => {
            let credentials = stand_ins(provider);
            let given = Given { credentials: &credentials, scopes: client.scopes };
            steps.push(shown(Step::Token, &grant_request(provider, &registered, &given)?));
            // A reply may bring a refresh token, which then takes the place of what was given.
            steps.push(shown(Step::Refresh, &refresh(provider, &registered, &fresh)?));
        }
    }
    let token = match auth.grant {
        Grant::AuthorizationCode | Grant::DeviceCode => PresentedToken::Refresh(&fresh),
        Grant::ClientCredentials
        | Grant::Implicit
        | Grant::Password
        | Grant::JwtBearer
        | Grant::Saml2Bearer
        | Grant::TokenExchange => PresentedToken::Access(&access),
    };
    let asked = introspection(provider, &registered, PresentedToken::Access(&access))?;
    steps.extend(asked.map(|request| shown(Step::Introspect, &request)));
    steps.extend(revocation(provider, &registered, token)?.map(|request| shown(Step::Revoke, &request)));
    steps.extend(flows::further_ends(provider, &registered, auth)?);
    Ok(steps)
}

fn new_client<'a>(client: &SimulatedClient<'a>) -> NewClient<'a> {
    NewClient { name: "APP", redirect_uri: client.redirect_uri, scopes: client.scopes, initial_access_token: None }
}

/// Who cannot register by itself is entered by hand.
fn unless_by_hand(error: ProtocolError) -> Result<Option<Outbound>, ProtocolError> {
    match error {
        ProtocolError::NotRegistrable => Ok(None),
        other => Err(other),
    }
}

/// Where the reply keeps both tokens in one member, a refresh shows the access token.
fn refresh_stand_in(auth: &OAuth2) -> &'static str {
    let reply = &auth.token_response;
    if reply.refresh_token == reply.access_token { "ACCESS_TOKEN" } else { "REFRESH_TOKEN" }
}

fn visit(url: Url) -> SimulatedRequest {
    SimulatedRequest {
        step: Step::Authorize,
        method: "GET",
        url: url.into(),
        headers: Vec::new(),
        client_certificate: false,
        signed: BTreeMap::new(),
        body: None,
    }
}

fn shown(step: Step, request: &Outbound) -> SimulatedRequest {
    let Some(unsigned) = &request.unsigned else { return as_sent(step, request) };
    let (request, parts) = for_show(unsigned, request);
    let signed = parts.into_iter().map(|part| (part.stands_as, part.claims)).collect();
    SimulatedRequest { signed, ..as_sent(step, &request) }
}

fn as_sent(step: Step, request: &Outbound) -> SimulatedRequest {
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
    };
    let headers = request.headers.iter().map(|header| SimulatedHeader {
        name: header.name.clone(),
        value: header.value.to_string(),
        decoded: show::basic(&header.value),
    });
    let body = (!request.body.is_empty()).then(|| String::from_utf8_lossy(&request.body).into_owned());
    SimulatedRequest {
        step,
        method,
        url: request.url.as_str().to_owned(),
        headers: headers.collect(),
        client_certificate: request.client_identity.is_some(),
        signed: BTreeMap::new(),
        body,
    }
}

#[cfg(test)]
mod tests;
