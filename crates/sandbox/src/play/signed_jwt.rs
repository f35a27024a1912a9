//! Providers whose customers sign tokens with their own key: what a call has to carry, and whether the token is theirs.

use super::endpoint::{Endpoint, Role};
use super::known::Known;
use super::wanted::{Authorization, Place, Said, Want, Wanted};
use super::{Played, Registered, Unplayable};
use crate::assertion::TrustedKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use mortise_connectors::{
    Auth, KeyEncoding, Manifest, Piece, SignedJwt, Values, VerificationMethod, expand_url, pieces,
};
use serde_json::{Map, Value, json};

/// The call that tries a token out, if there is one.
pub(super) fn endpoints(
    manifest: &Manifest,
    auth: &SignedJwt,
    values: &Values,
    registered: &Registered,
) -> Result<Vec<Endpoint>, Unplayable> {
    let Some(call) = &auth.verification else { return Ok(Vec::new()) };
    let method = match call.method {
        VerificationMethod::Get => "GET",
        VerificationMethod::Post => "POST",
    };
    let known = Known::of(values, registered);
    let (mut headers, mut params) = (Vec::new(), Vec::new());
    if let Some(api) = &manifest.api {
        for (name, template) in &api.headers {
            headers.push((name.to_ascii_lowercase(), carried(template, &known)?));
        }
        for (name, template) in &api.query {
            params.push((name.clone(), carried(template, &known)?));
        }
    }
    if !headers.iter().any(|(name, _)| name == "accept") {
        headers.push(("accept".to_owned(), Want::Exactly("application/json".to_owned())));
    }
    let among = headers.iter().any(|(name, _)| name == "authorization");
    let authorization = if among { Authorization::AmongHeaders } else { Authorization::Absent };
    let wanted = Wanted { method, place: Place::Query, params, headers, authorization };
    Ok(vec![Endpoint { role: Role::Verify, url: expand_url(&call.url, manifest, values)?, wanted }])
}

/// What has to stand where the template stands; the token in it is judged by itself.
fn carried(template: &str, known: &Known) -> Result<Want, Unplayable> {
    let (start, end) = match pieces(template)?.as_slice() {
        [Piece::Literal(start), Piece::Name("access_token"), Piece::Literal(end)] => {
            ((*start).to_owned(), (*end).to_owned())
        }
        pieces if pieces.contains(&Piece::Name("access_token")) => {
            return Err(Unplayable::Mode("a token that shares its place with something else".to_owned()));
        }
        _ => return known.want(template),
    };
    Ok(Want::Within { said: Said::Token, start, end })
}

impl Played {
    /// Whether a token says what the manifest describes and nothing else, signed with the customer's key, and is good at
    /// `now` (unix seconds).
    pub fn signed_by_customer(&self, token: &str, now: i64) -> bool {
        let Auth::SignedJwt(auth) = &self.manifest.auth else { return false };
        let known = Known::of(&self.values, &self.registered);
        let says = |template: &str| known.whole(template).ok();
        let Ok(header) = decode_header(token) else { return false };
        let wanted = (Some("JWT"), auth.jwt.key_id.as_deref().and_then(says));
        if (header.typ.as_deref(), header.kid.clone()) != wanted || json!(header.alg) != json!(auth.jwt.algorithm) {
            return false;
        }
        let Some(key) = self.token_key(auth, &known) else { return false };
        let mut rules = Validation::new(header.alg);
        rules.required_spec_claims.clear();
        (rules.validate_exp, rules.validate_aud) = (false, false);
        let Ok(claims) = decode::<Map<String, Value>>(token, &key, &rules).map(|token| token.claims) else {
            return false;
        };
        let moment = |name: &str| claims.get(name).and_then(Value::as_i64);
        let (Some(from), Some(until)) = (moment("iat"), moment("exp")) else { return false };
        let mut said = Map::from_iter([("iat".to_owned(), json!(from)), ("exp".to_owned(), json!(until))]);
        let own = [("iss", &auth.jwt.issuer), ("sub", &auth.jwt.subject), ("aud", &auth.jwt.audience)];
        let own = own.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?)));
        let claimed = own.chain(auth.jwt.claims.iter().map(|(name, text)| (name.as_str(), text)));
        said.extend(claimed.map(|(name, text)| (name.to_owned(), json!(says(text)))));
        claims == said && until - from == i64::from(auth.jwt.lifetime()) && from <= now && now < until
    }

    /// What signatures are checked with: the public half, or the key that both sides have.
    fn token_key(&self, auth: &SignedJwt, known: &Known) -> Option<DecodingKey> {
        if !auth.jwt.algorithm.is_symmetric() {
            let algorithm = serde_json::from_value(json!(auth.jwt.algorithm)).ok()?;
            let key = self.registered.assertion_key.clone()?;
            return TrustedKey { algorithm, key }.decoding();
        }
        let shared = known.whole(&auth.key()).ok()?;
        let bytes = match auth.jwt.key_encoding {
            KeyEncoding::Text => shared.into_bytes(),
            KeyEncoding::Base64 => STANDARD.decode(shared).ok()?,
            KeyEncoding::Hex => {
                let pair = |at: usize| u8::from_str_radix(shared.get(at..at + 2)?, 16).ok();
                (0..shared.len()).step_by(2).map(pair).collect::<Option<Vec<u8>>>()?
            }
        };
        Some(DecodingKey::from_secret(&bytes))
    }
}
