//! Every bundled manifest lives its life with a provider that is as it says.

use crate::{faults, stage};
use mortise_connectors::{Values, catalog, parse};
use mortise_contract::{Step, live};
use std::collections::BTreeSet;

/// Every fourth entry, so that the four parts take about the same time.
async fn part(number: usize) {
    let stage = stage();
    let (mut wrong, mut steps) = (Vec::new(), BTreeSet::new());
    let ids: Vec<_> = catalog::ids().into_iter().skip(number).step_by(4).collect();
    assert!(ids.len() > 200, "{} entries", ids.len());
    for id in ids {
        let manifest = parse(&catalog::get(&id).unwrap()).unwrap_or_else(|found| panic!("{id}: {found:#?}"));
        let report = live(&manifest, &Values::new(), &stage).await;
        steps.extend(report.checks.iter().map(|check| check.step));
        wrong.extend(faults(&report));
        wrong.extend((report.checks.len() < 2).then(|| format!("{id}: nothing was looked at")));
    }
    stage.close().await;
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
    let all = [Step::Describe, Step::Input, Step::Connect, Step::Fetch, Step::Refresh, Step::Errors, Step::Revoke];
    assert_eq!(steps, BTreeSet::from(all));
}

#[tokio::test]
async fn every_entry_lives_first_part() {
    part(0).await;
}

#[tokio::test]
async fn every_entry_lives_second_part() {
    part(1).await;
}

#[tokio::test]
async fn every_entry_lives_third_part() {
    part(2).await;
}

#[tokio::test]
async fn every_entry_lives_fourth_part() {
    part(3).await;
}
