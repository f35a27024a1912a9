//! Many connections and many workers at the provider that ends a grant when a refresh token comes twice: for minutes that
//! are cut down to access tokens of sixteen seconds, each of which is renewed by whichever worker is first, while callers of
//! the server force refreshes of the same connections.

use super::introduced;
use crate::matrix::stage::Made;
use crate::matrix::story::Story;
use crate::site::Site;
use crate::world::api::Api;
use crate::world::visitor::{Visitor, to};
use crate::world::{PATIENCE, START, World};
use mortise_sandbox::{FamilyId, RecoveryClass, TokenId};
use mortise_testkit::{Backend, OidcProvider, Process, wait};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const CONNECTIONS: usize = 200;
/// Each a process of its own.
const WORKERS: usize = 8;
const CALLERS: usize = 4;
/// As short as tokens may be and still be renewed ahead of their end.
const LIFETIME: u32 = 16;
/// So that a second request with the same token would meet the first one at the provider.
const LATENCY: u32 = 20;
/// How often every connection is renewed at the least.
const RENEWALS: i64 = 3;

/// A customer who consented: the connection, and the first token that it handed out.
type Connected = (String, String, String);

/// The way from the link to the page that says that it worked.
async fn connect(api: Api, story: Story, customer: String) -> Connected {
    let session = api.session(&customer, json!({ "apps": ["certified"] })).await;
    let mut visitor = Visitor::new();
    let authorize = to(&visitor.start(&session.url, "certified").await.expect(303));
    let callback = visitor.decide_at_oidc(&authorize, &customer).await;
    visitor.get(&callback).await.expect(303);
    let connection = api.result_of(&session).await;
    let token = story.fetch(&connection).await.expect(200).json()["access_token"].as_str().unwrap().to_owned();
    (customer, connection, token)
}

/// Everybody connects, some at a time; the provider says which grant is whose.
async fn connected(world: &World, story: &Story, provider: &OidcProvider) -> Vec<Made> {
    let (mut all, mut some) = (Vec::new(), JoinSet::new());
    for number in 0..CONNECTIONS {
        if some.len() == 6 {
            all.push(some.join_next().await.unwrap().unwrap());
        }
        some.spawn(connect(world.api.clone(), story.clone(), format!("customer-{number}")));
    }
    all.extend(some.join_all().await);
    let report = provider.history().await;
    let grants = report["grants"].as_array().unwrap().iter();
    let families: BTreeMap<_, _> =
        grants.map(|grant| (grant["account"].as_str().unwrap(), grant["family"].as_u64().unwrap())).collect();
    let made = |(customer, id, token): Connected| {
        let (family, root) = (FamilyId(families[customer.as_str()]), TokenId::of(&token));
        Made { class: RecoveryClass::F, id, family, root }
    };
    all.into_iter().map(made).collect()
}

/// Callers who force a refresh of one connection after the other, and fetch what came of it, until they are told to stop.
/// Answers how many refreshes were done for them.
async fn force(story: Story, api: Api, ids: Vec<String>, from: usize, stop: CancellationToken) -> usize {
    let mut done = 0;
    for id in ids.iter().cycle().skip(from) {
        if stop.is_cancelled() {
            break;
        }
        // A caller may be asked to come back: while another refresh is under way, and while the provider's rate is used up.
        let answer = api.refresh(id).await;
        assert!(
            answer.status == 200 || (answer.status == 503 && !answer.header("retry-after").is_empty()),
            "{answer:?}"
        );
        done += usize::from(answer.status == 200);
        story.fetch(id).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    done
}

async fn number(side: &DatabaseConnection, select: &str) -> i64 {
    let row = side.query_one_raw(Statement::from_string(DbBackend::Postgres, select)).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// What the provider says of itself: every refresh token but the newest of each grant is used up, none came twice, and
/// nothing was ever refused.
async fn assert_never_reused(provider: &OidcProvider) -> u64 {
    let events = provider.events().await;
    assert_eq!((events.reuses, events.grants_revoked, &events.errors), (0, 0, &Vec::new()), "{events:?}");
    assert_eq!(events.refresh_tokens, events.refresh_tokens_consumed + CONNECTIONS as u64, "{events:?}");
    events.refresh_tokens_consumed
}

#[tokio::test]
async fn two_hundred_connections_and_eight_workers_reuse_no_refresh_token() {
    let mut world = World::prepared(Backend::Postgres, "dev").await;
    // Eight processes share a PostgreSQL with other tests, and a slow machine is no reason to give a request up.
    world.set("MORTISE_DATABASE_CONNECTIONS", "6");
    world.set("MORTISE_REFRESH_DEADLINE", "60");
    world.serve().await;
    let provider = introduced(&world, LIFETIME, LATENCY).await;
    let (site, story, side) = (Site::new(), Story::new(world.api.clone()), world.database.connect().await);
    let made = connected(&world, &story, &provider).await;
    story.knows(&made);

    let mut workers: Vec<Process> = (0..WORKERS).map(|at| site.worker(&world, &format!("worker-{at}"))).collect();
    let (stop, mut callers) = (CancellationToken::new(), JoinSet::new());
    let ids: Vec<String> = made.iter().map(|made| made.id.clone()).collect();
    for at in 0..CALLERS {
        let from = at * CONNECTIONS / CALLERS;
        callers.spawn(force(story.clone(), world.api.clone(), ids.clone(), from, stop.clone()));
    }
    let least = "SELECT min(generation) FROM connections";
    let renewed = wait::until(PATIENCE * 3, async || {
        let events = provider.events().await;
        anyhow::ensure!(events.reuses + events.grants_revoked == 0, "{events:?}");
        Ok((number(&side, least).await > RENEWALS).then_some(()))
    });
    renewed.await.unwrap_or_else(|error| panic!("{error}\n{}", workers[0].output()));
    stop.cancel();
    let forced: usize = callers.join_all().await.into_iter().sum();
    for worker in &mut workers {
        assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    }

    let rotations = assert_never_reused(&provider).await;
    assert!(forced > CALLERS, "{forced} of {rotations} rotations were done for callers");
    let active =
        "SELECT count(*) FROM connections WHERE state = 'active' AND lease_until IS NULL AND attempt_id IS NULL";
    assert_eq!(number(&side, active).await, CONNECTIONS as i64);
    // What the provider gave is what is stored: no rotation more, and none less.
    let stored = number(&side, "SELECT sum(generation)::bigint FROM connections").await - CONNECTIONS as i64;
    assert_eq!(stored, i64::try_from(rotations).unwrap());
    let report = provider.history().await;
    let grants: Vec<&Value> = report["grants"].as_array().unwrap().iter().collect();
    let alive = |grant: &&&Value| grant["alive_refresh_tokens"].as_array().unwrap().len() == 1;
    assert_eq!((grants.len(), grants.iter().filter(alive).count()), (CONNECTIONS, CONNECTIONS));
    story.judge_by(report).await;
    world.end().await;
}
