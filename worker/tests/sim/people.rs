//! Customers, who consent, leave and come back; and the code of integrations, which wants tokens.

use crate::machine::Process;
use crate::trace::What;
use crate::world::World;
use mortise_broker::{Ended, Place, Reason};
use mortise_domain::{
    AppKey, Clock as _, ConnectionId, ConnectionState, CustomerKey, EventId, EventKind, ScopeSet, StateReason,
};
use mortise_sandbox::{FamilyId, SeededGrant, TokenId};
use mortise_store::{Connection, Ending, Ledger as _, NewEvent, NewGrant, StoreError};
use mortise_vault::Field;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The first customers connect, before anything goes wrong.
pub async fn settle_in(world: &World) {
    let apps: Vec<AppKey> = world.providers.apps().map(|(app, _, _)| app).collect();
    for number in 0..world.scenario.connections {
        let id = ConnectionId::generate(&*world.clock, &world.dice);
        let customer = CustomerKey::generate(&*world.clock, &world.dice);
        world.books.add_customer(customer);
        let poisoned = world.scenario.poisoned && number == 0;
        let grant = connect(world, id, customer, apps[number % apps.len()], None, poisoned);
        world.books.connection_store_grant(&grant.row, grant.event, None).await.unwrap();
        world.trace.note(grant.what);
    }
}

/// From now on they come and go until the trouble ends.
pub fn go_about(world: &Arc<World>) {
    let until = world.scenario.trouble;
    let (callers, customers) = (world.clone(), world.clone());
    world.tasks.spawn(async move {
        while callers.clock.elapsed() < until {
            tokio::time::sleep(callers.dice.seconds(1, callers.scenario.callers_every)).await;
            let row = call(&callers);
            if let Some(row) = row.filter(|_| callers.scenario.hasty && callers.dice.chance(0.3)) {
                tokio::time::sleep(callers.dice.time(Duration::from_millis(20), Duration::from_millis(900))).await;
                upset(&callers, row.id).await;
            }
        }
    });
    world.tasks.spawn(async move {
        while customers.clock.elapsed() < until {
            tokio::time::sleep(customers.dice.seconds(10, 300)).await;
            change_of_mind(&customers).await;
        }
    });
}

/// A consent on its way into the books.
struct Consent {
    row: NewGrant,
    event: NewEvent,
    what: What,
}

fn connect(
    world: &World,
    id: ConnectionId,
    customer: CustomerKey,
    app: AppKey,
    replaces: Option<&Connection>,
    poisoned: bool,
) -> Consent {
    let SeededGrant { family, access_token, refresh_token, expires_in } = world.providers.consent(app, id);
    let (refresh, now) = (refresh_token.unwrap(), world.clock.now());
    let generation = replaces.map_or(1, |row| row.generation + 1);
    let place = Place { environment: world.providers.environment, connection: id, generation };
    let elsewhere = Place { generation: generation + u64::from(poisoned) as i64, ..place };
    let life = Duration::from_secs(expires_in.into());
    let row = NewGrant {
        id,
        environment: place.environment,
        customer,
        app,
        connector_version: 1,
        reason: StateReason::Consented,
        replaces_family: replaces.map(|row| row.family),
        generation,
        access: world.boxed.seal(place, Field::AccessToken, access_token.expose()).unwrap(),
        refresh: Some(world.boxed.seal(elsewhere, Field::RefreshToken, refresh.expose()).unwrap()),
        granted_at: now,
        expires_at: Some(now + life),
        next_refresh_at: Some(now + life.mul_f64(0.1 + 0.75 * world.dice.share())),
        granted_scopes: None,
        requested_scopes: ScopeSet::default(),
        variables: BTreeMap::new(),
        grant_expires_at: None,
        refresh_idle_at: None,
    };
    let (kind, family_number) = match replaces {
        Some(row) => (EventKind::Reconnected, row.family + 1),
        None => (EventKind::Connected, 1),
    };
    let detail = json!({"generation": generation});
    let event = NewEvent { id: EventId::generate(&*world.clock, &world.dice), kind, at: now, detail };
    let what = What::Consented {
        connection: id,
        family: family_number,
        generation,
        grant: family.0,
        refresh: TokenId::of(refresh.expose()),
    };
    Consent { row, event, what }
}

fn any_row(world: &World) -> Option<Connection> {
    let rows: Vec<_> = world.books.rows().into_iter().filter(|row| row.state != ConnectionState::Revoked).collect();
    (!rows.is_empty()).then(|| world.dice.pick(&rows).clone())
}

/// A customer disconnects, connects anew, or withdraws the consent at the provider.
async fn change_of_mind(world: &World) {
    let Some(row) = any_row(world) else { return };
    match world.dice.below(4) {
        0 => disconnect(world, &row).await,
        1 => withdraw(world, &row),
        _ => reconnect(world, &row).await,
    }
}

/// The customer of a connection that is being refreshed connects anew, or disconnects.
async fn upset(world: &World, id: ConnectionId) {
    let row = world.books.connection_get(world.providers.environment, id).await.unwrap();
    let Some(row) = row.filter(|row| row.state != ConnectionState::Revoked) else { return };
    if world.dice.chance(0.2) { disconnect(world, &row).await } else { reconnect(world, &row).await }
}

async fn disconnect(world: &World, row: &Connection) {
    let now = world.clock.now();
    let event = NewEvent {
        id: EventId::generate(&*world.clock, &world.dice),
        kind: EventKind::Revoked,
        at: now,
        detail: json!({}),
    };
    let (environment, connection) = (row.environment, row.id);
    let (family, generation) = (row.family, row.generation);
    let ending = Ending { environment, connection, family, generation, revocations: Vec::new(), event };
    if world.books.connection_revoke(&ending, StateReason::Disconnected, now).await.unwrap() {
        world.trace.note(What::Disconnected { connection });
        end_grant(world, row);
    }
}

fn withdraw(world: &World, row: &Connection) {
    if let Some(grant) = end_grant(world, row) {
        world.trace.note(What::Withdrawn { connection: row.id, grant: grant.0 });
    }
}

async fn reconnect(world: &World, row: &Connection) {
    let consent = connect(world, row.id, row.customer, row.app, Some(row), false);
    // The consent page takes its time, and the row may move meanwhile: then the customer clicks again.
    match world.books.connection_store_grant(&consent.row, consent.event, None).await {
        Ok(()) => {
            world.trace.note(consent.what);
            if world.dice.chance(0.5) {
                end_grant(world, row);
            }
        }
        Err(StoreError::Stale(_)) => {}
        Err(error) => panic!("a grant was not stored: {error}"),
    }
}

/// Ends the grant of a row at its provider.
fn end_grant(world: &World, row: &Connection) -> Option<FamilyId> {
    let token = world.refresh_of(row)?;
    let grant = world.providers.model.check(token.expose()).family?;
    world.providers.model.end_grant(grant).unwrap().then_some(grant)
}

/// Some callers want the same connection's token, of any process.
fn call(world: &Arc<World>) -> Option<Connection> {
    let row = any_row(world)?;
    let callers = if world.dice.chance(0.3) { 2 + world.dice.below(6) } else { 1 };
    let reason = *world.dice.pick(&[Reason::Fetch, Reason::Fetch, Reason::Forced, Reason::Unauthorized]);
    for _ in 0..callers {
        let process = world.any_process()?;
        let (world, id) = (world.clone(), row.id);
        let tasks = world.tasks.clone();
        tasks.spawn(async move {
            let Some(how) = fetch(&world, &process, id, reason).await else { return };
            world.trace.note(What::Answered { process: process.life.number, connection: id, how });
        });
    }
    Some(row)
}

/// What the token endpoint does, as far as the engine is asked.
async fn fetch(world: &World, process: &Process, id: ConnectionId, reason: Reason) -> Option<String> {
    let environment = world.providers.environment;
    let row = process.ledger.connection_token_row(environment, id).await.ok().flatten()?;
    if row.state == ConnectionState::Revoked || (row.state != ConnectionState::Active && reason == Reason::Fetch) {
        return None;
    }
    let fresh = row.expires_at.is_some_and(|end| end > row.now + Duration::from_secs(30));
    let backs_off = row.failures > 0 && row.next_refresh_at.is_some_and(|next| next > row.now);
    if reason == Reason::Fetch && (fresh || backs_off) {
        return None;
    }
    let answer = process.engine.refresh_now(environment, id, row.generation, reason).await;
    if matches!(answer, Ok(Ended::Refreshed)) {
        let stored = world.books.connection_get(environment, id).await.ok().flatten()?.generation;
        let (process, connection, seen) = (process.life.number, id, row.generation);
        world.trace.note(What::Published { process, connection, seen, stored });
    }
    Some(match answer {
        Ok(ended) => format!("{ended:?}"),
        Err(error) => format!("{error}"),
    })
}
