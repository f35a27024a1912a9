//! The format of API keys: `mrt_<32 hexadecimal digits>_<43 characters><8 hexadecimal digits>`.
//!
//! The prefix lets secret scanners find a leaked key, the id finds its row, 256 random bits make it unguessable, and the
//! checksum tells a mistyped key from a wrong one without a look at the database.

use mortise_domain::{ApiKeyId, ApiKeySecret, Entropy, random_text};
use zeroize::Zeroizing;

const PREFIX: &str = "mrt_";
const SECRET: usize = 43;

/// A new key for the row `id`. It is shown once; only its digest is stored.
pub fn mint_api_key(id: ApiKeyId, entropy: &dyn Entropy) -> ApiKeySecret {
    let secret: Zeroizing<String> = random_text::<32, _>(entropy);
    let body = Zeroizing::new(format!("{PREFIX}{}_{}", id.as_uuid().simple(), *secret));
    ApiKeySecret::new(format!("{}{:08x}", *body, crc32fast::hash(body.as_bytes())))
}

/// The row that a presented key claims to belong to; `None` where the text is no key at all.
pub fn api_key_id(presented: &str) -> Option<ApiKeyId> {
    let rest = presented.strip_prefix(PREFIX)?;
    let (id, secret) = rest.split_at_checked(32)?;
    let well_formed = secret.len() == 1 + SECRET + 8 && secret.starts_with('_') && secret.is_ascii();
    let (body, checksum) = presented.split_at_checked(presented.len().checked_sub(8)?)?;
    let intact = well_formed && format!("{:08x}", crc32fast::hash(body.as_bytes())) == checksum;
    intact.then(|| format!("{}_{id}", ApiKeyId::PREFIX).parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mortise_domain::{ManualClock, SeededEntropy};
    use proptest::prelude::*;

    #[test]
    fn a_minted_key_names_its_row_and_a_mistyped_one_does_not() {
        let entropy = SeededEntropy::new(3);
        let id = ApiKeyId::generate(&ManualClock::at_unix(1_700_000_000), &entropy);
        let key = mint_api_key(id, &entropy);
        assert_eq!(key.expose().len(), 4 + 32 + 1 + 43 + 8);
        assert_eq!(api_key_id(key.expose()), Some(id));
        let mistyped = key.expose().replacen('a', "b", 1);
        assert_eq!(api_key_id(&mistyped), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(mrt_)?\\PC{0,100}") {
            prop_assert!(api_key_id(&text).is_none());
        }
    }
}
