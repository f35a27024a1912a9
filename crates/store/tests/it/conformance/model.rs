//! Random sequences of calls get the same answers from memory and from a database, and leave the same rows, timelines and
//! queues behind. What the suite's authors did not think of is found here.

mod blur;
mod changes;
mod claims;
mod moves;
mod pair;
mod play;
mod writes;

use blur::Compared;
use mortise_testkit::Backend;
use moves::{Move, moves};
use pair::Pair;
use proptest::test_runner::{Config, TestError, TestRunner};

/// `sequences` random ones of up to forty calls; the shortest that differs is shown.
fn same_on(backend: Backend, sequences: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let world = runtime.block_on(pair::Fixture::new(backend));
    let config = Config { cases: sequences, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let played = TestRunner::new(config).run(&moves(), |moves| runtime.block_on(play(&world, &moves)));
    match played {
        Ok(()) => {}
        Err(TestError::Fail(why, moves)) => panic!("{why}\nafter {moves:#?}"),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

async fn play(world: &pair::Fixture, moves: &[Move]) -> Compared {
    let mut pair = Pair::new(world).await;
    for next in moves {
        pair.play(next).await?;
        pair.compare_rows().await?;
    }
    pair.compare_all().await
}

#[test]
fn memory_answers_as_sqlite_does() {
    same_on(Backend::Sqlite, 200);
}

#[test]
fn memory_answers_as_postgres_does() {
    same_on(Backend::Postgres, 20);
}

#[test]
fn memory_answers_as_maria_db_does() {
    same_on(Backend::MariaDb, 20);
}
