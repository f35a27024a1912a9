//! The names of the protocol's parameters: those that are sent are all different, and none is given in vain.

use super::super::Findings;
use super::super::extras::is_param_name;
use crate::diagnostic::Code;
use crate::{ClientAuthentication, Grant, Names, OAuth2, Parameter};
use std::collections::{BTreeMap, BTreeSet};
use url::form_urlencoded;

/// A request as the manifest writes it.
struct Written<'a> {
    member: &'static str,
    names: &'a Names,
    inherited: Option<&'a Names>,
    omit: &'a [Parameter],
    /// What the request says, before anything is omitted.
    says: Vec<Parameter>,
    /// What it says under names that cannot be changed.
    fixed: &'static [&'static str],
    extra: (&'static str, &'a BTreeMap<String, String>),
    /// Its URL, where the parameters join what the query has already.
    url: Option<&'a String>,
}

pub(super) fn check(auth: &OAuth2, found: &mut Findings) {
    let requests = match auth.grant {
        Grant::AuthorizationCode => vec![authorization(auth), token(auth), refresh(auth)],
        Grant::ClientCredentials => vec![token(auth)],
        Grant::DeviceCode => vec![token(auth), refresh(auth)],
        Grant::Implicit => vec![authorization(auth)],
        // Their replies may bring a refresh token.
        Grant::Password | Grant::JwtBearer | Grant::Saml2Bearer | Grant::TokenExchange => {
            vec![token(auth), refresh(auth)]
        }
    };
    for request in &requests {
        request.names_and_omissions(found);
        request.repetitions(found);
    }
}

/// What the client is called in every request of the token endpoint, and the grant.
pub(super) fn of_client(auth: &OAuth2) -> Vec<&str> {
    let name =
        |parameter| auth.token_request.names.get(&parameter).map_or(Parameter::as_str(parameter), String::as_str);
    [Parameter::ClientId, Parameter::ClientSecret, Parameter::GrantType].map(name).into()
}

fn authorization(auth: &OAuth2) -> Written<'_> {
    let request = &auth.authorization_request;
    Written {
        member: "authorization_request",
        names: &request.names,
        inherited: None,
        omit: &request.omit,
        says: vec![Parameter::ResponseType, Parameter::ClientId, Parameter::RedirectUri, Parameter::Scope],
        fixed: &["state", "code_challenge", "code_challenge_method", "nonce", "request", "request_uri", "resource"],
        extra: ("authorization_params", &auth.authorization_params),
        url: auth.authorization_url.as_ref(),
    }
}

fn token(auth: &OAuth2) -> Written<'_> {
    let mut says = vec![Parameter::GrantType];
    match auth.grant {
        Grant::AuthorizationCode => {
            says.extend([Parameter::Code, Parameter::RedirectUri]);
            says.extend(auth.pkce_disabled_reason.is_none().then_some(Parameter::CodeVerifier));
        }
        // With `device_code` the scope goes with the request for a user code, under the same name.
        Grant::ClientCredentials | Grant::DeviceCode | Grant::TokenExchange => says.push(Parameter::Scope),
        Grant::Implicit => {}
        Grant::Password => says.extend([Parameter::Username, Parameter::Password, Parameter::Scope]),
        Grant::JwtBearer | Grant::Saml2Bearer => {
            says.push(Parameter::Assertion);
            let in_claim = auth.assertion.as_ref().is_some_and(|assertion| assertion.scope_claim.is_some());
            says.extend((!in_claim).then_some(Parameter::Scope));
        }
    }
    says.extend(client(auth));
    Written {
        member: "token_request",
        names: &auth.token_request.names,
        inherited: None,
        omit: &auth.token_request.omit,
        says,
        fixed: &[],
        extra: ("token_params", &auth.token_params),
        url: Some(&auth.token_url),
    }
}

fn refresh(auth: &OAuth2) -> Written<'_> {
    let mut says = vec![Parameter::GrantType, Parameter::RefreshToken];
    says.extend(client(auth));
    Written {
        member: "refresh_request",
        names: &auth.refresh_request.names,
        inherited: Some(&auth.token_request.names),
        omit: &auth.refresh_request.omit,
        says,
        fixed: &[],
        extra: ("refresh_params", &auth.refresh_params),
        url: auth.refresh_url.as_ref().or(Some(&auth.token_url)),
    }
}

/// What of the client stands among the parameters.
fn client(auth: &OAuth2) -> &'static [Parameter] {
    match auth.client_authentication {
        ClientAuthentication::ClientSecretPost => &[Parameter::ClientId, Parameter::ClientSecret],
        ClientAuthentication::None
        | ClientAuthentication::ClientSecretHeader
        | ClientAuthentication::TlsClientAuth
        | ClientAuthentication::SelfSignedTlsClientAuth => &[Parameter::ClientId],
        ClientAuthentication::PrivateKeyJwt | ClientAuthentication::ClientSecretJwt => {
            &[Parameter::ClientId, Parameter::ClientAssertionType, Parameter::ClientAssertion]
        }
        ClientAuthentication::ClientSecretBasic | ClientAuthentication::ClientSecretAsUser => &[],
    }
}

impl Written<'_> {
    fn names_and_omissions(&self, found: &mut Findings) {
        let member = self.member;
        let rests_on = ["/auth/client_authentication", "/auth/grant", "/auth/pkce_disabled_reason"];
        let mut vain = |path: String, message: String| {
            let finding = found.add(Code::IgnoredMember, path, message).at_name();
            rests_on.iter().for_each(|about| {
                finding.about(*about);
            });
        };
        for (index, parameter) in self.omit.iter().enumerate() {
            let word = parameter.as_str();
            let path = format!("/auth/{member}/omit/{index}");
            if self.omit.iter().take(index).any(|earlier| earlier == parameter) {
                vain(path, format!("`{word}` is listed twice: keep one"));
            } else if !self.says.contains(parameter) {
                vain(path, format!("`{word}` is not sent here anyway: remove it"));
            }
        }
        for (parameter, name) in self.names {
            let word = parameter.as_str();
            let path = format!("/auth/{member}/names/{word}");
            if self.omit.contains(parameter) {
                vain(path, format!("`{word}` is omitted, so it needs no name: remove one of the two"));
            } else if !self.says.contains(parameter) {
                vain(path, format!("`{word}` is not sent here, so it needs no name: remove it"));
            } else if name == word {
                vain(path, format!("that is what `{word}` is called anyway: remove it"));
            }
        }
        for (parameter, name) in self.names.iter().filter(|(_, name)| !is_param_name(name)) {
            let path = format!("/auth/{member}/names/{}", parameter.as_str());
            let message =
                format!("`{}` is no name: use 1 to 100 letters, digits and - _ . ~ : [ ]", name.escape_debug());
            found.add(Code::BadParameter, path, message);
        }
    }

    /// No parameter may stand twice (RFC 6749 sections 3.1 and 3.2).
    fn repetitions(&self, found: &mut Findings) {
        let (list, extra) = self.extra;
        let query = self.url.and_then(|url| url.split_once('?')).map_or("", |(_, query)| query);
        let in_url: BTreeSet<_> = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name.into_owned()).collect();
        let mut sent: BTreeMap<&str, Option<Parameter>> = self.fixed.iter().map(|name| (*name, None)).collect();
        for parameter in self.says.iter().filter(|parameter| !self.omit.contains(parameter)) {
            let given = self.given(*parameter);
            let name = given.map_or(parameter.as_str(), String::as_str);
            let earlier = sent.insert(name, Some(*parameter));
            if earlier.is_some() || (given.is_some() && in_url.contains(name)) {
                self.repeated(name, [Some(*parameter), earlier.flatten()], found);
            } else if given.is_some() && extra.contains_key(name) {
                let message = format!("`{name}` is the name of `{}` here: remove it", parameter.as_str());
                let path = format!("/auth/{list}/{}", super::super::escape(name));
                found.add(Code::ReservedParameter, path, message).at_name();
            }
        }
    }

    /// Blames the name that was given here, or else the one that was given for token requests, but not two of those: they
    /// were blamed there.
    fn repeated(&self, name: &str, who: [Option<Parameter>; 2], found: &mut Findings) {
        let here = who.iter().flatten().find(|parameter| self.names.contains_key(parameter));
        let there: Vec<_> = who.iter().flatten().filter(|parameter| self.given(**parameter).is_some()).collect();
        let (member, parameter) = match (here, there.as_slice()) {
            (Some(parameter), _) => (self.member, parameter),
            (None, [parameter]) => ("token_request", *parameter),
            (None, _) => return,
        };
        let message = format!("`{name}` is sent already, and no parameter may be sent twice: use another name");
        let path = format!("/auth/{member}/names/{}", parameter.as_str());
        found.add(Code::BadParameter, path, message).about(format!("/auth/{member}"));
    }

    fn given(&self, parameter: Parameter) -> Option<&String> {
        self.names.get(&parameter).or_else(|| self.inherited?.get(&parameter))
    }
}
