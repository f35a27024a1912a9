//! Crashes: the folder is copied as it lay there, and another process opens the copy.

use super::*;

/// A disk that says that it flushed: what these tests read comes from the same kernel.
struct Quick;

impl Disk for Quick {
    fn flush(&self, _: &fs::File) -> io::Result<()> {
        Ok(())
    }
}

/// A segment of four entries with the second one settled; what was whole after which length.
async fn history(ground: &Ground) -> Vec<(usize, Vec<&'static str>)> {
    let log = ground.process().await;
    let length = || fs::metadata(ground.segment()).unwrap().len() as usize;
    let one = put(&log, "one").await;
    let mut whole = vec![(0, vec![]), (length(), vec!["one"])];
    let two = put(&log, "two").await;
    whole.push((length(), vec!["one", "two"]));
    log.settle(two).await;
    whole.push((length(), vec!["one"]));
    let three = put(&log, "three").await;
    whole.push((length(), vec!["one", "three"]));
    let four = put(&log, "four").await;
    whole.push((length(), vec!["one", "three", "four"]));
    // Still in hand when the machine stops.
    drop((one, three, four, log));
    whole
}

#[tokio::test]
async fn after_a_crash_at_any_byte_every_flushed_entry_is_there_and_nothing_else() {
    let ground = Ground::new();
    let whole = history(&ground).await;
    let all = whole.last().unwrap().0;
    for length in 0..=all {
        let crashed = ground.crashed_at(length);
        let log = crashed.with(Arc::new(Quick)).await;
        let expected = &whole.iter().rfind(|(end, _)| *end <= length).unwrap().1;
        let (found, tickets) = left(&log).await;
        assert_eq!(&found, expected, "cut at {length} of {all}");
        assert_eq!(log.depth(), expected.len());
        // And the folder goes on being one: what is stored now is not found again, what is put now is.
        for ticket in tickets {
            log.settle(ticket).await;
        }
        let last = put(&log, "last").await;
        drop((last, log));
        assert_eq!(waiting(&crashed.with(Arc::new(Quick)).await).await, ["last"], "cut at {length}");
    }
}

#[tokio::test]
async fn a_torn_record_is_cut_off_and_written_over() {
    let ground = Ground::new();
    let whole = history(&ground).await;
    let (all, before) = (whole[5].0, whole[4].0);
    let crashed = ground.crashed_at(all - 1);
    let log = crashed.process().await;
    let (found, tickets) = left(&log).await;
    assert_eq!(found, ["one", "three"]);
    assert_eq!(fs::metadata(crashed.segment()).unwrap().len() as usize, before, "the torn record is gone");
    for ticket in tickets {
        log.settle(ticket).await;
    }
    drop(log);
    let bytes = fs::read(crashed.segment()).unwrap();
    assert_eq!(super::super::record::scan(&bytes).damaged, 0);
    let log = crashed.process().await;
    assert!(waiting(&log).await.is_empty());
    assert_eq!(recent(&log).await, ["one", "two", "three"]);
}

#[tokio::test]
async fn damage_in_the_middle_costs_one_entry_and_is_kept_for_a_look() {
    let ground = Ground::new();
    let whole = history(&ground).await;
    let bytes = fs::read(ground.segment()).unwrap();
    // Every byte of the record of `three`.
    for at in whole[3].0..whole[4].0 {
        let crashed = ground.crashed_at(bytes.len());
        let mut changed = bytes.clone();
        changed[at] ^= 0xff;
        fs::write(crashed.segment(), &changed).unwrap();
        let log = crashed.with(Arc::new(Quick)).await;
        assert_eq!(waiting(&log).await, ["one", "four"], "changed at {at}");
        settle_all(&log).await;
        crashed.clock.advance_seconds(601);
        settle_all(&log).await;
        drop(log);
        let names = crashed.names();
        assert!(names.len() == 1 && names[0].ends_with(".damaged"), "{names:?}");
        assert!(waiting(&crashed.process().await).await.is_empty());
    }
}

#[tokio::test]
async fn a_settlement_that_a_power_failure_forgot_only_answers_the_entry_once_more() {
    let ground = Ground::new();
    let log = ground.process().await;
    let ticket = put(&log, "one").await;
    let flushed = fs::metadata(ground.segment()).unwrap().len() as usize;
    log.settle(ticket).await;
    assert_eq!(waiting(&ground.crashed_at(flushed).process().await).await, ["one"]);
    let written = fs::metadata(ground.segment()).unwrap().len() as usize;
    assert!(waiting(&ground.crashed_at(written).process().await).await.is_empty());
}
