use super::*;
use crate::Field;
use mortise_domain::{EnvironmentKey, ManualClock, SeededEntropy};
use proptest::prelude::*;
use uuid::Uuid;

fn key(seed: u64) -> DataKey {
    let entropy = SeededEntropy::new(seed);
    DataKey::generate(DataKeyId::generate(&ManualClock::at_unix(1), &entropy), &entropy)
}

fn place() -> SealContext {
    SealContext {
        environment: EnvironmentKey::from_uuid(Uuid::from_u128(1)),
        record: [2; 16],
        field: Field::AccessToken,
        generation: 3,
    }
}

#[test]
fn opens_for_the_same_place_only() {
    let key = key(1);
    let sealed = key.seal(&SeededEntropy::new(2), &place(), b"canary").unwrap();
    assert_eq!(key.open(&place(), &sealed).unwrap().as_slice(), b"canary");
    let elsewhere = [
        SealContext { environment: EnvironmentKey::from_uuid(Uuid::from_u128(9)), ..place() },
        SealContext { record: [9; 16], ..place() },
        SealContext { field: Field::RefreshToken, ..place() },
        SealContext { generation: 2, ..place() },
    ];
    for context in elsewhere {
        assert_eq!(key.open(&context, &sealed).unwrap_err(), VaultError::NotAuthentic, "{context:?}");
    }
}

#[test]
fn another_key_is_told_apart_from_changed_bytes() {
    let sealed = key(1).seal(&SeededEntropy::new(2), &place(), b"canary").unwrap();
    assert_eq!(key(2).open(&place(), &sealed).unwrap_err(), VaultError::OtherDataKey);
    for index in 17..sealed.as_bytes().len() {
        let mut bytes = sealed.as_bytes().to_vec();
        bytes[index] ^= 1;
        assert_eq!(key(1).open(&place(), &Sealed::from_bytes(bytes)).unwrap_err(), VaultError::NotAuthentic);
    }
}

#[test]
fn neither_plaintext_nor_key_shows_and_no_two_ciphertexts_are_equal() {
    let (key, entropy) = (key(1), SeededEntropy::new(2));
    let all: std::collections::HashSet<_> =
        (0..10_000).map(|_| key.seal(&entropy, &place(), b"canary").unwrap().into_bytes()).collect();
    assert_eq!(all.len(), 10_000);
    assert!(all.iter().all(|bytes| !bytes.windows(6).any(|window| window == b"canary")));
    assert!(format!("{key:?}").starts_with("DataKey(dek_"));
}

proptest! {
    #[test]
    fn whatever_a_row_holds_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(key(1).open(&place(), &Sealed::from_bytes(bytes)).is_err());
    }

    #[test]
    fn what_went_in_comes_out(plain in proptest::collection::vec(any::<u8>(), 0..2000), seed in any::<u64>()) {
        let key = key(1);
        let sealed = key.seal(&SeededEntropy::new(seed), &place(), &plain).unwrap();
        let opened = key.open(&place(), &sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), plain.as_slice());
    }
}
