//! Digests and signatures by a shared secret, and their comparison in constant time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use mortise_domain::{ClientSecret, PkceVerifier};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// SHA-256. Enough to store 256-bit random tokens: there is nothing to guess.
pub fn sha256(bytes: impl AsRef<[u8]>) -> [u8; 32] {
    Sha256::digest(bytes.as_ref()).into()
}

/// Whether two digests are equal, in time that does not depend on where they differ.
pub fn same(left: &[u8; 32], right: &[u8; 32]) -> bool {
    left.ct_eq(right).into()
}

/// The `S256` code challenge of a verifier (RFC 7636 section 4.2).
pub fn code_challenge(verifier: &PkceVerifier) -> String {
    URL_SAFE_NO_PAD.encode(sha256(verifier.expose()))
}

/// Whether `hex` is the HMAC-SHA256 (RFC 2104) of `message` with a client's secret as the key.
pub fn is_hmac_sha256(key: &ClientSecret, message: &str, hex: &str) -> bool {
    let (Some(told), Ok(mut mac)) = (from_hex(hex), Hmac::<Sha256>::new_from_slice(key.expose().as_bytes())) else {
        return false;
    };
    mac.update(message.as_bytes());
    mac.verify_slice(&told).is_ok()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| Some((digit(*pair.first()?)? << 4) | digit(*pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_by_a_shared_secret() {
        // RFC 4231 section 4.3.
        let hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let (key, message) = (ClientSecret::new("Jefe"), "what do ya want for nothing?");
        assert!(is_hmac_sha256(&key, message, hex) && is_hmac_sha256(&key, message, &hex.to_uppercase()));
        for wrong in ["", "5b", &hex[..62], &hex[1..], &format!("{hex}00"), &hex.replace('5', "6"), &"g".repeat(64)] {
            assert!(!is_hmac_sha256(&key, message, wrong), "{wrong}");
        }
        assert!(!is_hmac_sha256(&key, "another message", hex));
        assert!(!is_hmac_sha256(&ClientSecret::new("jefe"), message, hex));
    }

    #[test]
    fn the_challenge_of_the_rfc() {
        let verifier = PkceVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(code_challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
