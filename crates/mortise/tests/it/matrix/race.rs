//! Row 12: many processes want the same rows at the same moment.

use super::stage::{ALL, Stage};
use crate::world::START;
use mortise_sandbox::ClassSettingsPatch;

const PROCESSES: usize = 16;
const ROUNDS: i64 = 6;

/// Every worker looks at each full second, so all of them look at once, at rows that became due in between.
#[tokio::test]
async fn row_12_sixteen_processes_race_for_due_rows() {
    let mut stage = Stage::serving(20, &ALL).await;
    let mut made = Vec::new();
    for class in ALL {
        made.extend(stage.import(class, 4).await);
        // Long enough for a second request, if there were one, to meet the first.
        let patch = ClassSettingsPatch { latency_ms: Some(300), ..ClassSettingsPatch::default() };
        stage.world.provider.sandbox.configure(class, patch).unwrap();
    }
    stage.world.set("MORTISE_DATABASE_CONNECTIONS", "2");
    let mut workers: Vec<_> = (0..PROCESSES).map(|at| stage.worker(&format!("worker-{at}"))).collect();
    for worker in &mut workers {
        crate::site::logged(worker, "working").await;
    }
    for round in 1..=ROUNDS {
        stage.make_due(&made).await;
        stage.wait_for_generation(&made, round + 1).await;
        assert_eq!(stage.asked(&made), made.len() * round as usize, "somebody was asked twice");
    }
    for worker in &mut workers {
        worker.signal("TERM");
    }
    for worker in &mut workers {
        assert!(worker.ended(START).await.success(), "{}", worker.output());
    }
    stage.end().await;
}
