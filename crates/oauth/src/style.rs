//! How a request is written: its method, where its parameters stand, and what they are called here.
//!
//! Invariant: the one place that knows which member of a manifest speaks for which request.

use crate::Method;
use mortise_connectors::{LongLivedExchange, Names, OAuth2, Parameter, TokenBody, TokenMethod};

/// How one request is written.
#[derive(Clone, Copy)]
pub(crate) struct Style<'a> {
    pub(crate) method: Method,
    pub(crate) body: TokenBody,
    /// The request's own names, before those of the token request.
    own: Option<&'a Names>,
    usual: &'a Names,
    omit: &'a [Parameter],
    /// Whether tokens come back: then the request says for which resource, and proves what they shall be bound to.
    pub(crate) for_tokens: bool,
}

impl<'a> Style<'a> {
    /// The code exchange, and the request for a token of the client's own.
    pub(crate) fn of_token(auth: &'a OAuth2) -> Self {
        let own = &auth.token_request;
        Self { for_tokens: true, ..Self::written(auth, own.method, auth.token_body, None, &own.omit) }
    }

    /// A refresh. What it does not say of itself, the token request says for it.
    pub(crate) fn of_refresh(auth: &'a OAuth2) -> Self {
        let own = &auth.refresh_request;
        let method = own.method.or(auth.token_request.method);
        Self { for_tokens: true, ..Self::written(auth, method, auth.token_body, Some(&own.names), &own.omit) }
    }

    /// The exchange of a short-lived token: what is not in the query is a form.
    pub(crate) fn of_long_lived(auth: &'a OAuth2, exchange: &LongLivedExchange) -> Self {
        Self::written(auth, Some(exchange.method), TokenBody::Form, None, &[])
    }

    /// RFC 7009 and RFC 7662 know forms only; the client shows itself as it does at the token endpoint.
    pub(crate) fn of_question(auth: &'a OAuth2) -> Self {
        // A provider that takes the assertion for a secret wants to hear of no type here either.
        let alone = auth.token_request.omit.contains(&Parameter::ClientAssertionType);
        let omit: &[_] = if alone { &[Parameter::ClientAssertionType] } else { &[] };
        Self::written(auth, None, TokenBody::Form, None, omit)
    }

    /// What a parameter is called here; `None`: it is not sent.
    pub(crate) fn name_of(&self, parameter: Parameter) -> Option<&'a str> {
        if self.omit.contains(&parameter) {
            return None;
        }
        let given = self.own.and_then(|names| names.get(&parameter)).or_else(|| self.usual.get(&parameter));
        Some(given.map_or(parameter.as_str(), String::as_str))
    }

    fn written(
        auth: &'a OAuth2,
        method: Option<TokenMethod>,
        body: TokenBody,
        own: Option<&'a Names>,
        omit: &'a [Parameter],
    ) -> Self {
        let (method, body) = match method.unwrap_or_default() {
            TokenMethod::Post => (Method::Post, body),
            TokenMethod::Get => (Method::Get, TokenBody::Query),
        };
        Self { method, body, own, usual: &auth.token_request.names, omit, for_tokens: false }
    }
}

#[cfg(test)]
mod tests;
