use super::*;
use proptest::prelude::*;

/// A segment with these records, and where each one ends.
fn segment(records: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
    let (mut bytes, mut ends) = (MAGIC.to_vec(), Vec::new());
    for record in records {
        bytes.extend(record);
        ends.push(bytes.len());
    }
    (bytes, ends)
}

fn three() -> (Vec<u8>, Vec<usize>) {
    segment(&[entry(0, 5, b"one").unwrap(), settled(0, 6).unwrap(), entry(1, 7, b"{\"two\":2}").unwrap()])
}

fn payloads(bytes: &[u8]) -> Vec<&[u8]> {
    let payload = |record: Record| match record {
        Record::Entry { payload, .. } => Some(&bytes[payload]),
        Record::Settled { .. } => None,
    };
    scan(bytes).records.into_iter().filter_map(payload).collect()
}

#[test]
fn what_is_written_is_read() {
    let (bytes, ends) = three();
    let scan = scan(&bytes);
    assert_eq!((scan.end, scan.torn, scan.damaged), (ends[2], 0, 0));
    assert_eq!(scan.records.len(), 3);
    assert_eq!(scan.records[1], Record::Settled { sequence: 0, millis: 6 });
    assert!(matches!(scan.records[2], Record::Entry { sequence: 1, millis: 7, .. }));
    assert_eq!(payloads(&bytes), [&b"one"[..], b"{\"two\":2}"]);
}

#[test]
fn cut_off_anywhere_the_whole_records_before_are_there_and_nothing_else() {
    let (bytes, ends) = three();
    for length in 0..=bytes.len() {
        let scan = scan(&bytes[..length]);
        let whole = ends.iter().filter(|end| **end <= length).count();
        assert_eq!((scan.records.len(), scan.damaged), (whole, 0), "at {length}");
        let end = if length < MAGIC.len() { 0 } else { ends[..whole].last().copied().unwrap_or(MAGIC.len()) };
        assert_eq!((scan.end, scan.torn), (end, length - end), "at {length}");
    }
}

#[test]
fn a_tail_that_a_power_failure_left_as_zeros_is_torn() {
    let (mut bytes, ends) = three();
    bytes.truncate(ends[2] - 1);
    bytes.resize(bytes.len() + 4096, 0);
    // What is left of the last record is as long as it says it is: it looks changed, not cut off.
    let found = scan(&bytes);
    assert_eq!((found.records.len(), found.end, found.torn), (2, bytes.len(), 0));
    let mut bytes = bytes[..ends[1]].to_vec();
    bytes.resize(bytes.len() + 4096, 0);
    let found = scan(&bytes);
    assert_eq!((found.records.len(), found.end, found.torn, found.damaged), (2, ends[1], 4096, 0));
}

#[test]
fn a_changed_byte_costs_its_own_record_only() {
    let (bytes, ends) = three();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x20;
        let found = scan(&changed);
        let hit = ends.iter().position(|end| at < *end).filter(|_| at >= MAGIC.len());
        let whole = 3 - usize::from(hit.is_some());
        assert_eq!(found.records.len(), whole, "at {at}");
        assert!(found.damaged + found.torn > 0, "at {at} the damage is not seen");
    }
}

#[test]
fn a_mark_inside_of_a_payload_begins_nothing() {
    let inner = entry(9, 9, b"inner").unwrap();
    let (bytes, _) = segment(&[entry(0, 1, &inner).unwrap(), entry(1, 2, &MARK).unwrap()]);
    assert_eq!(payloads(&bytes), [&inner[..], &MARK]);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let found = scan(&bytes);
        prop_assert!(found.end + found.torn == bytes.len());
    }

    #[test]
    fn any_payloads_come_back(payloads_in in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..64), 0..8)) {
        let records: Vec<_> = payloads_in.iter().zip(0..).map(|(payload, n)| entry(n, 0, payload).unwrap()).collect();
        let (bytes, _) = segment(&records);
        let expected: Vec<&[u8]> = payloads_in.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(payloads(&bytes), expected);
    }
}
