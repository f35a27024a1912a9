use super::*;
use jsonwebtoken::jwk::Jwk as PublicJwk;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::{Value, json};

/// RFC 7515 appendix A.3.1.
const P256: &str = r#"{"kty":"EC","crv":"P-256","kid":"rfc","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
/// RFC 8037 appendix A.1.
const ED25519: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

fn without_private(jwk: &str) -> String {
    let mut jwk: Value = serde_json::from_str(jwk).expect("a JWK");
    for member in ["d", "p", "q", "dp", "dq", "qi"] {
        jwk.as_object_mut().expect("an object").remove(member);
    }
    jwk.to_string()
}

/// The claims, if the signature is good by the public half.
fn verified(token: &str, key: &DecodingKey, algorithm: Algorithm) -> Value {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    jsonwebtoken::decode::<Value>(token, key, &validation).expect("a good signature").claims
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

/// PKCS #8 of new keys, with the public half.
fn generated() -> Vec<(Vec<u8>, DecodingKey, Algorithm)> {
    use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::KeyPair as _;
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
    let rsa_der: Pkcs8V1Der<'static> = rsa.as_der().expect("DER");
    let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key");
    let ed = Ed25519KeyPair::generate().expect("a key");
    vec![
        (rsa_der.as_ref().to_vec(), DecodingKey::from_rsa_der(rsa.public_key().as_ref()), Algorithm::RS256),
        (
            p384.to_pkcs8v1().expect("DER").as_ref().to_vec(),
            DecodingKey::from_ec_der(p384.public_key().as_ref()),
            Algorithm::ES384,
        ),
        (
            ed.to_pkcs8v1().expect("DER").as_ref().to_vec(),
            DecodingKey::from_ed_der(ed.public_key().as_ref()),
            Algorithm::EdDSA,
        ),
    ]
}

#[test]
fn what_a_key_in_pem_signs_its_public_half_accepts() {
    for (der, public, algorithm) in generated() {
        let text = pem("PRIVATE KEY", &der);
        for text in [text.replace('\n', "\\n"), format!("Bag Attributes\n  friendly: yes\n{text}"), text] {
            let key = SigningKey::read(&text, None).expect("a key");
            assert_eq!(key.algorithm(), algorithm);
            let token = key.sign(Some("JWT"), None, &json!({"sub": "somebody"})).expect("a token");
            assert_eq!(verified(&token, &public, algorithm)["sub"], "somebody");
        }
    }
}

#[test]
fn what_a_key_in_json_signs_its_public_half_accepts() {
    for (text, algorithm) in [(P256, Algorithm::ES256), (ED25519, Algorithm::EdDSA)] {
        let public: PublicJwk = serde_json::from_str(&without_private(text)).expect("a public key");
        let key = SigningKey::read(text, None).expect("a key");
        let token = key.sign(None, None, &json!({"sub": "somebody"})).expect("a token");
        let public = DecodingKey::from_jwk(&public).expect("a public key");
        assert_eq!(verified(&token, &public, algorithm)["sub"], "somebody");
        let header = jsonwebtoken::decode_header(token.as_str()).expect("a header");
        assert_eq!((header.kid.as_deref(), header.typ), ((text == P256).then_some("rfc"), None));
    }
}

#[test]
fn a_named_key_id_goes_before_the_keys_own() {
    let key = SigningKey::read(P256, None).expect("a key");
    let token = key.sign(Some("JWT"), Some("mine"), &json!({})).expect("a token");
    assert_eq!(jsonwebtoken::decode_header(token.as_str()).expect("a header").kid.as_deref(), Some("mine"));
}

#[test]
fn an_algorithm_is_taken_only_if_the_key_is_for_it() {
    use SigningAlgorithm::{EdDsa, Es256, Es384, Hs256, Hs512, Ps256, Rs256, Rs512};
    let rsa = pem("PRIVATE KEY", &generated().remove(0).0);
    let taken = |text: &str, algorithm| SigningKey::of(text, algorithm).map(|key| key.algorithm());
    for (algorithm, signs_by) in [(Rs256, Algorithm::RS256), (Rs512, Algorithm::RS512), (Ps256, Algorithm::PS256)] {
        assert_eq!(taken(&rsa, algorithm), Ok(signs_by));
        assert_eq!(taken(P256, algorithm), Err(KeyFault::OtherAlgorithm(algorithm)));
    }
    assert_eq!(taken(P256, Es256), Ok(Algorithm::ES256));
    assert_eq!(taken(P256, Es384), Err(KeyFault::OtherAlgorithm(Es384)));
    assert_eq!(taken(&rsa, EdDsa), Err(KeyFault::OtherAlgorithm(EdDsa)));
    assert_eq!(taken("any secret", Hs512), Ok(Algorithm::HS512));
    assert_eq!(taken("", Hs256), Err(KeyFault::Empty));
    assert_eq!(SigningKey::shared("secret", Some(Rs256)).err(), Some(KeyFault::OtherAlgorithm(Rs256)));
}

#[test]
fn what_is_no_private_key_is_refused_with_what_it_is() {
    let other_x = P256.replace("f83OJ3D2", "g83OJ3D2");
    let (rsa, ..) = generated().remove(0);
    let cut = pem("PRIVATE KEY", &rsa[..rsa.len() - 40]);
    let table = [
        ("", KeyFault::NotAKey),
        ("hunter2", KeyFault::NotAKey),
        ("{}", KeyFault::NotAKey),
        (r#"{"kty":"oct","k":"AAAA"}"#, KeyFault::NotAKey),
        (r#"{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB"}"#, KeyFault::NotAKey),
        (&without_private(P256), KeyFault::Public),
        (&pem("PUBLIC KEY", b"x"), KeyFault::Public),
        (&pem("CERTIFICATE", b"x"), KeyFault::Public),
        (&pem("ENCRYPTED PRIVATE KEY", b"x"), KeyFault::Encrypted),
        (&other_x, KeyFault::Unsound),
        (&cut, KeyFault::Unsound),
        (&pem("RSA PRIVATE KEY", b"x"), KeyFault::Unsound),
        (&pem("EC PRIVATE KEY", b"x"), KeyFault::Unsound),
        ("-----BEGIN PRIVATE KEY-----\nnonsense", KeyFault::NotAKey),
    ];
    for (text, fault) in table {
        assert_eq!(SigningKey::read(text, None).err(), Some(fault), "{text}");
    }
}

#[test]
fn keys_cannot_be_printed() {
    assert_eq!(format!("{:?}", SigningKey::shared("canary", None).expect("a key")), "SigningKey(HS256)");
}
