//! The flows that end without a code: device, implicit, and OAuth 1.0.

use super::{SimulatedClient, SimulatedRequest, Step, shown, visit};
use crate::{
    ClientRegistration, Oauth1Credentials, Once, PresentedToken, ProtocolError, Provider, authorization_url,
    device_authorization, device_token, identity, oauth1_authorization_url, refresh, revocation, temporary_credentials,
    token_credentials,
};
use mortise_connectors::OAuth2;
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
    steps.extend(further_refreshes(provider, registered, provider.auth()?)?);
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

/// The refreshes of further tokens that have refresh tokens of their own.
pub(super) fn further_refreshes(
    provider: &Provider<'_>,
    registered: &ClientRegistration<'_>,
    auth: &OAuth2,
) -> Result<Vec<SimulatedRequest>, ProtocolError> {
    let renewable = auth.token_response.further.iter().filter(|(_, place)| place.refresh_token.is_some());
    renewable
        .map(|(name, _)| {
            let token = RefreshToken::new(format!("{}_REFRESH_TOKEN", name.to_ascii_uppercase()));
            Ok(shown(Step::Refresh, &refresh(provider, registered, &token)?))
        })
        .collect()
}

/// The ends of further tokens, by whatever of each ends the most.
pub(super) fn further_ends(
    provider: &Provider<'_>,
    registered: &ClientRegistration<'_>,
    auth: &OAuth2,
) -> Result<Vec<SimulatedRequest>, ProtocolError> {
    let mut steps = Vec::new();
    for (name, place) in &auth.token_response.further {
        let name = name.to_ascii_uppercase();
        let fresh = RefreshToken::new(format!("{name}_REFRESH_TOKEN"));
        let access = AccessToken::new(format!("{name}_ACCESS_TOKEN"));
        let token = match place.refresh_token {
            Some(_) => PresentedToken::Refresh(&fresh),
            None => PresentedToken::Access(&access),
        };
        steps.extend(revocation(provider, registered, token)?.map(|request| shown(Step::Revoke, &request)));
    }
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
