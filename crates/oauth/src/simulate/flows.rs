//! The flows that end without a code: device, implicit, and OAuth 1.0.

use super::{SimulatedClient, SimulatedRequest, Step, shown, visit};
use crate::{
    ClientRegistration, Oauth1Credentials, Once, ProtocolError, Provider, authorization_url, device_authorization,
    device_token, identity, oauth1_authorization_url, refresh, temporary_credentials, token_credentials,
};
use mortise_domain::{
    AccessToken, AuthorizationCode, ClientSecret, DeviceCode, PastedSecret, PkceVerifier, RefreshToken, StateToken,
};

/// What stands where a signature would: it changes with every secret.
const SIGNATURE: &str = "oauth_signature=\"";

pub(super) fn device(
    provider: &Provider<'_>,
    registered: &ClientRegistration<'_>,
    client: &SimulatedClient<'_>,
    fresh: &RefreshToken,
) -> Result<Vec<SimulatedRequest>, ProtocolError> {
    let mut steps = vec![
        shown(Step::Device, &device_authorization(provider, registered, client.scopes)?),
        shown(Step::Token, &device_token(provider, registered, &DeviceCode::new("DEVICE_CODE"))?),
    ];
    let access = AccessToken::new("ACCESS_TOKEN");
    steps.extend(identity(provider, registered, &access)?.map(|request| shown(Step::Identity, &request)));
    steps.push(shown(Step::Refresh, &refresh(provider, registered, fresh)?));
    Ok(steps)
}

pub(super) fn implicit(
    provider: &Provider<'_>,
    registered: &ClientRegistration<'_>,
    client: &SimulatedClient<'_>,
) -> Result<Vec<SimulatedRequest>, ProtocolError> {
    let (state, unused) = (StateToken::new("STATE"), PkceVerifier::new("CODE_VERIFIER"));
    let mut steps = vec![visit(authorization_url(provider, registered, client.scopes, &state, &unused)?)];
    let access = AccessToken::new("ACCESS_TOKEN");
    steps.extend(identity(provider, registered, &access)?.map(|request| shown(Step::Identity, &request)));
    Ok(steps)
}

pub(super) fn oauth1(
    provider: &Provider<'_>,
    client: &SimulatedClient<'_>,
) -> Result<Vec<SimulatedRequest>, ProtocolError> {
    let secret = ClientSecret::new("CLIENT_SECRET");
    let registered = ClientRegistration {
        client_id: client.client_id,
        secret: Some(&secret),
        redirect_uri: client.redirect_uri,
        signer: None,
        dpop_key: None,
    };
    let once = Once { timestamp: "TIMESTAMP".to_owned(), nonce: "NONCE".to_owned() };
    let token = "TEMPORARY_TOKEN";
    let temporary = Oauth1Credentials { token: AccessToken::new(token), secret: PastedSecret::new("TEMPORARY_SECRET") };
    let verifier = AuthorizationCode::new("VERIFIER");
    Ok(vec![
        unsigned(shown(Step::RequestToken, &temporary_credentials(provider, &registered, &once)?)),
        visit(oauth1_authorization_url(provider, token)?),
        unsigned(shown(Step::Token, &token_credentials(provider, &registered, &temporary, &verifier, &once)?)),
    ])
}

fn unsigned(mut request: SimulatedRequest) -> SimulatedRequest {
    for header in &mut request.headers {
        if let Some((before, rest)) = header.value.split_once(SIGNATURE)
            && let Some((_, after)) = rest.split_once('"')
        {
            header.value = format!("{before}{SIGNATURE}SIGNATURE\"{after}");
        }
    }
    request
}
