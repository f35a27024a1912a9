//! How a record lies in a segment.
//!
//! ```text
//! segment: "mspill1\n" record*
//! record:  mark(4) kind(1) length(4) sequence(8) millis(8) checksum(4) payload(length)      little endian
//! ```
//!
//! The checksum (CRC-32) is over everything of the record but itself. Invariant: the mark is not UTF-8, so no JSON holds
//! one, and a reader that meets damage finds the next whole record behind it. Deliberately absent: any file.

use std::ops::Range;

/// What every segment begins with.
pub(super) const MAGIC: &[u8; 8] = b"mspill1\n";
const MARK: [u8; 4] = [0xf5, b'm', b's', 0xff];
const HEADER: usize = 4 + 1 + 4 + 8 + 8 + 4;
const ENTRY: u8 = 1;
const SETTLED: u8 = 2;

/// A whole record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    /// Something that was put; its payload lies there.
    Entry { sequence: u64, millis: i64, payload: Range<usize> },
    /// The database has the entry of this sequence.
    Settled { sequence: u64, millis: i64 },
}

/// What a segment holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) records: Vec<Record>,
    /// Behind the last whole record: where the next one goes.
    pub(super) end: usize,
    /// Bytes behind that, of a record that was cut off.
    pub(super) torn: usize,
    /// Bytes between whole records that are none.
    pub(super) damaged: usize,
}

pub(super) fn entry(sequence: u64, millis: i64, payload: &[u8]) -> Option<Vec<u8>> {
    record(ENTRY, sequence, millis, payload)
}

pub(super) fn settled(sequence: u64, millis: i64) -> Option<Vec<u8>> {
    record(SETTLED, sequence, millis, &[])
}

/// None where the payload is longer than a length can say.
fn record(kind: u8, sequence: u64, millis: i64, payload: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(payload.len()).ok()?;
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    bytes.extend(MARK);
    bytes.push(kind);
    bytes.extend(length.to_le_bytes());
    bytes.extend(sequence.to_le_bytes());
    bytes.extend(millis.to_le_bytes());
    let sum = checksum(&bytes, payload);
    bytes.extend(sum.to_le_bytes());
    bytes.extend_from_slice(payload);
    Some(bytes)
}

fn checksum(header: &[u8], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(header);
    hasher.update(payload);
    hasher.finalize()
}

/// Finds every whole record. A segment without even its first bytes is empty: a crash came before them.
pub(super) fn scan(bytes: &[u8]) -> Scan {
    let mut found = Scan::default();
    if bytes.starts_with(MAGIC) {
        found.end = MAGIC.len();
    }
    let mut at = found.end;
    while let Some(start) = next_mark(bytes, at) {
        match read(bytes, start) {
            Some((record, end)) => {
                found.damaged += start - found.end;
                found.records.push(record);
                (found.end, at) = (end, end);
            }
            None => at = start + 1,
        }
    }
    found.torn = bytes.len() - found.end;
    // A record as long as it says it is was not cut off: it was changed, and is evidence.
    if next_mark(bytes, found.end).and_then(|start| extent(bytes, start)).is_some() {
        found.damaged += std::mem::take(&mut found.torn);
        found.end = bytes.len();
    }
    found
}

fn next_mark(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(MARK.len()).position(|window| window == MARK).map(|found| from + found)
}

/// Where the payload of the record that begins here lies, if all of it is there.
fn extent(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let length = usize::try_from(u32::from_le_bytes(field(bytes, start + 5)?)).ok()?;
    let payload = start + HEADER..(start + HEADER).checked_add(length)?;
    (payload.end <= bytes.len()).then_some(payload)
}

/// The record that begins here, and where it ends.
fn read(bytes: &[u8], start: usize) -> Option<(Record, usize)> {
    let payload = extent(bytes, start)?;
    let (summed, sum) = bytes.get(start..payload.start)?.split_at(HEADER - 4);
    if checksum(summed, bytes.get(payload.clone())?) != u32::from_le_bytes(field(sum, 0)?) {
        return None;
    }
    let (sequence, millis) = (u64::from_le_bytes(field(summed, 9)?), i64::from_le_bytes(field(summed, 17)?));
    let end = payload.end;
    match *summed.get(4)? {
        ENTRY => Some((Record::Entry { sequence, millis, payload }, end)),
        SETTLED => Some((Record::Settled { sequence, millis }, end)),
        _ => None,
    }
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests;
