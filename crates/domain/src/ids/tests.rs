use super::*;
use crate::{ManualClock, SeededEntropy};
use proptest::prelude::*;

#[test]
fn ids_sort_by_time_and_read_back() {
    let clock = ManualClock::at_unix(1_700_000_000);
    let entropy = SeededEntropy::new(1);
    let first = ConnectionId::generate(&clock, &entropy);
    clock.advance_seconds(1);
    let second = ConnectionId::generate(&clock, &entropy);
    assert!(first < second);
    assert_eq!(first.to_string().parse(), Ok(first));
    assert_eq!(first.to_string().len(), 36);
}

#[test]
fn ids_of_one_millisecond_sort_by_its_fraction() {
    let at =
        |nanos| time_ordered(crate::Timestamp::from_timestamp(1_700_000_000, nanos).unwrap(), &SeededEntropy::new(9));
    let ids: Vec<_> = (0..1000).map(|micros| at(5_000_000 + micros * 1000)).collect();
    assert!(ids.is_sorted());
}

#[test]
fn an_id_that_is_moved_sorts_by_its_new_time_and_stays_its_own() {
    let entropy = SeededEntropy::new(7);
    let at = |millis: i64| crate::Timestamp::from_timestamp_millis(1_700_000_000_000 + millis).unwrap();
    let late: Vec<_> = (0..100).map(|_| EventId::generate_at(at(60_000), &entropy)).collect();
    for id in &late {
        let moved = id.moved_to(at(5));
        assert!(EventId::generate_at(at(4), &entropy) < moved && moved < EventId::generate_at(at(6), &entropy));
        assert_eq!((moved.as_uuid().get_version_num(), moved.moved_to(at(60_000))), (7, *id));
    }
    let fine = EventId::generate_at(at(5) + std::time::Duration::from_micros(700), &entropy);
    assert_eq!(fine.moved_to(at(5)), fine, "it was made in that millisecond");
    let moved: std::collections::BTreeSet<_> = late.iter().map(|id| id.moved_to(at(5))).collect();
    assert_eq!(moved.len(), late.len());
}

#[test]
fn an_id_of_another_kind_is_refused() {
    let id = AppKey::generate(&ManualClock::at_unix(0), &SeededEntropy::new(1));
    assert_eq!(id.to_string().parse::<ConnectionId>(), Err(IdError { prefix: "con" }));
}

proptest! {
    #[test]
    fn parsing_never_panics_and_is_the_inverse_of_display(text in "\\PC{0,48}") {
        if let Ok(id) = text.parse::<ConnectionId>() {
            prop_assert_eq!(id.to_string(), text);
        }
    }
}
