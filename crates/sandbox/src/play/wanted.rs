//! What a request has to look like, as the manifest says: its method, where its parameters stand, what they are called.
//!
//! Invariant: read from the manifest's members alone, so that it may disagree with whoever builds requests.

use super::Unplayable;
use mortise_connectors::{
    ClientAuthentication, Names, OAuth2, Parameter, TokenBody, TokenMethod, TokenRequest, Values, expand_text,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// RFC 7523 section 2.2.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A value that is judged only once it is known who asks for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Said {
    ClientId,
    ClientSecret,
    Code,
    Verifier,
    RedirectUri,
    RefreshToken,
    Scope,
    /// A token that is shown: to be asked about, ended, or changed for another.
    Token,
    State,
    Challenge,
    /// RFC 7523 section 2.2.
    ClientAssertion,
    /// RFC 7523 section 2.1, RFC 7522 section 2.1.
    Assertion,
    /// RFC 9449 section 4.
    Proof,
    /// RFC 5849 section 3.5.1.
    Signature,
    Accept,
}

/// What stands in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Want {
    /// Just this.
    Exactly(String),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// Anything that is not empty; what it means is judged later.
    Value(Said),
    /// Made of what a customer pastes: begins and ends so, whoever the customer is, and is this for the one who is known.
    Filled { whole: String, start: String, end: String },
    /// A value that is judged later, between two texts.
    Within { said: Said, start: String, end: String },
}

/// Where the parameters stand.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Place {
    Query,
    Form,
    Json,
    /// The whole body as JSON, objects inside of objects.
    Tree(Value),
    /// The whole body as XML.
    Xml(Want),
}

/// What stands in `Authorization`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Authorization {
    Absent,
    /// It is one of the headers that are described one by one.
    AmongHeaders,
    /// RFC 6749 section 2.3.1: both parts form-encoded.
    Basic,
    /// The secret as the user name, nothing behind the colon.
    SecretAsUser,
    /// RFC 6750 section 2.1.
    Bearer,
    /// RFC 9449 section 7.1.
    Dpop,
}

/// What a request has to look like.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) method: &'static str,
    pub(super) place: Place,
    pub(super) params: Vec<(String, Want)>,
    /// Names in lower case.
    pub(super) headers: Vec<(String, Want)>,
    pub(super) authorization: Authorization,
}

/// How a request to an endpoint of the protocol is written.
pub(super) struct Writing<'a> {
    auth: &'a OAuth2,
    values: &'a Values,
    own: Option<&'a Names>,
    omit: &'a [Parameter],
    for_tokens: bool,
    wanted: Wanted,
}

impl<'a> Writing<'a> {
    /// The code exchange and the request for a token of the client's own.
    pub(super) fn of_token(auth: &'a OAuth2, values: &'a Values) -> Self {
        let own = &auth.token_request;
        Self { for_tokens: true, ..Self::new(auth, values, own.method, auth.token_body, None, &own.omit) }
    }

    /// A refresh: what it does not say of itself, `token_request` says for it, but for what is left out.
    pub(super) fn of_refresh(auth: &'a OAuth2, values: &'a Values) -> Self {
        let TokenRequest { method, names, omit, .. } = &auth.refresh_request;
        let method = method.or(auth.token_request.method);
        Self { for_tokens: true, ..Self::new(auth, values, method, auth.token_body, Some(names), omit) }
    }

    /// The exchange of a short-lived token, which is a form or a query.
    pub(super) fn of_long_lived(auth: &'a OAuth2, values: &'a Values, method: TokenMethod) -> Self {
        Self::new(auth, values, Some(method), TokenBody::Form, None, &[])
    }

    /// RFC 7009 and RFC 7662: a form.
    pub(super) fn of_question(auth: &'a OAuth2, values: &'a Values) -> Self {
        let alone = auth.token_request.omit.contains(&Parameter::ClientAssertionType);
        let omit: &[_] = if alone { &[Parameter::ClientAssertionType] } else { &[] };
        Self::new(auth, values, Some(TokenMethod::Post), TokenBody::Form, None, omit)
    }

    fn new(
        auth: &'a OAuth2,
        values: &'a Values,
        method: Option<TokenMethod>,
        body: TokenBody,
        own: Option<&'a Names>,
        omit: &'a [Parameter],
    ) -> Self {
        let (method, place) = match (method.unwrap_or_default(), body) {
            (TokenMethod::Get, _) => ("GET", Place::Query),
            (TokenMethod::Post, TokenBody::Form) => ("POST", Place::Form),
            (TokenMethod::Post, TokenBody::Json) => ("POST", Place::Json),
            (TokenMethod::Post, TokenBody::Query) => ("POST", Place::Query),
        };
        let wanted =
            Wanted { method, place, params: Vec::new(), headers: Vec::new(), authorization: Authorization::Absent };
        Self { auth, values, own, omit, for_tokens: false, wanted }
    }

    /// A parameter of the protocol, under the name that it has here, unless it is left out.
    pub(super) fn param(mut self, parameter: Parameter, want: Want) -> Self {
        if !self.omit.contains(&parameter) {
            let usual = self.auth.token_request.names.get(&parameter);
            let name = self.own.and_then(|names| names.get(&parameter)).or(usual);
            let name = name.cloned().unwrap_or_else(|| parameter.as_str().to_owned());
            // A pushed authorization request names the client by itself.
            if !self.wanted.params.iter().any(|(known, _)| *known == name) {
                self.wanted.params.push((name, want));
            }
        }
        self
    }

    /// A parameter with a name of its own.
    pub(super) fn named(mut self, name: &str, want: Want) -> Self {
        self.wanted.params.push((name.to_owned(), want));
        self
    }

    /// The manifest's extra parameters.
    pub(super) fn extra(mut self, extra: &BTreeMap<String, String>) -> Result<Self, Unplayable> {
        for (name, template) in extra {
            self.wanted.params.push((name.clone(), Want::Exactly(expand_text(template, self.values)?)));
        }
        Ok(self)
    }

    /// The whole, with the client's proof and the manifest's headers.
    pub(super) fn done(mut self) -> Result<Wanted, Unplayable> {
        let auth = self.auth;
        let (id, secret) = (Want::Value(Said::ClientId), Want::Value(Said::ClientSecret));
        match auth.client_authentication {
            ClientAuthentication::ClientSecretBasic => self.wanted.authorization = Authorization::Basic,
            ClientAuthentication::ClientSecretPost => {
                self = self.param(Parameter::ClientId, id).param(Parameter::ClientSecret, secret);
            }
            ClientAuthentication::None => self = self.param(Parameter::ClientId, id),
            ClientAuthentication::ClientSecretAsUser => self.wanted.authorization = Authorization::SecretAsUser,
            ClientAuthentication::ClientSecretHeader => {
                self = self.param(Parameter::ClientId, id);
                self.wanted.headers.push((lower(auth.client_secret_header.as_deref()), secret));
            }
            ClientAuthentication::PrivateKeyJwt | ClientAuthentication::ClientSecretJwt => {
                self = self
                    .param(Parameter::ClientId, id)
                    .param(Parameter::ClientAssertionType, Want::Exactly(JWT_BEARER.to_owned()))
                    .param(Parameter::ClientAssertion, Want::Value(Said::ClientAssertion));
            }
            ClientAuthentication::TlsClientAuth | ClientAuthentication::SelfSignedTlsClientAuth => {
                let what = "a client that shows a certificate: the sandbox speaks no TLS";
                return Err(Unplayable::Mode(what.to_owned()));
            }
        }
        if self.for_tokens {
            if let Some(resource) = &auth.resource {
                let resource = expand_text(resource, self.values)?;
                self = self.named("resource", Want::Exactly(resource));
            }
            if auth.dpop {
                self.wanted.headers.push(("dpop".to_owned(), Want::Value(Said::Proof)));
            }
        }
        if auth.client_id_header.is_some() {
            let id = Want::Value(Said::ClientId);
            self.wanted.headers.push((lower(auth.client_id_header.as_deref()), id));
        }
        for (name, template) in &auth.token_headers {
            let value = expand_text(template, self.values)?;
            self.wanted.headers.push((name.to_ascii_lowercase(), Want::Exactly(value)));
        }
        if !self.wanted.headers.iter().any(|(name, _)| name == "accept") {
            self.wanted.headers.push(("accept".to_owned(), Want::Exactly("application/json".to_owned())));
        }
        Ok(self.wanted)
    }
}

fn lower(name: Option<&str>) -> String {
    name.unwrap_or_default().to_ascii_lowercase()
}
