//! Trouble: one incident after the other, several at once, until the world has had its share.

use crate::scenario::Season;
use crate::trace::What;
use crate::weather::Sky;
use crate::world::World;
use mortise_sandbox::{Action, Endpoint, Mode, Moment, RecoveryClass, StandingMode};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What can happen.
#[derive(Debug, Clone, Copy)]
enum Incident {
    DatabaseDown,
    MachineCutOff,
    DatabaseFlaky,
    DatabaseSlow,
    DiskFull,
    NetworkFlaky,
    Providers,
    Crash,
    Frailty,
    Freeze,
    ClockSet,
    AllCrash,
}

const INCIDENTS: [Incident; 16] = [
    Incident::DatabaseDown,
    Incident::MachineCutOff,
    Incident::DatabaseFlaky,
    Incident::DatabaseSlow,
    Incident::DiskFull,
    Incident::NetworkFlaky,
    Incident::NetworkFlaky,
    Incident::Providers,
    Incident::Providers,
    Incident::Crash,
    Incident::Crash,
    Incident::Frailty,
    Incident::Frailty,
    Incident::Freeze,
    Incident::ClockSet,
    Incident::AllCrash,
];

/// Makes trouble for as long as the scenario says; then every fault ends.
pub async fn trouble(world: &Arc<World>) {
    while world.clock.elapsed() < world.scenario.trouble {
        tokio::time::sleep(world.dice.seconds(1, world.scenario.incidents_every)).await;
        let (rather, share) = rather(world.scenario.season);
        let rather = if world.dice.chance(share) { rather } else { &INCIDENTS };
        let incident = *world.dice.pick(rather);
        // Most are short; what lasts shows what patience is for.
        let lasts = if rather.len() < INCIDENTS.len() || world.dice.chance(0.2) {
            world.dice.seconds(30, 150)
        } else {
            world.dice.seconds(1, 30)
        };
        world.trace.note(What::Incident { what: format!("{incident:?} for {lasts:?}") });
        strike(world, incident, lasts);
    }
    world.weather.clear_up();
    for class in RecoveryClass::ALL {
        behave(world, class, Mode::Off);
    }
    for machine in &world.machines {
        machine.disk.lock().unwrap().set_full(false);
        if let Some(process) = machine.process() {
            process.life.set_frailty(0.0);
        }
    }
    world.trace.note(What::Incident { what: "peace".to_owned() });
}

/// What happens more than all the rest, and how often.
fn rather(season: Season) -> (&'static [Incident], f64) {
    match season {
        Season::Usual => (&INCIDENTS, 0.0),
        Season::Slow => (&[Incident::Freeze, Incident::NetworkFlaky, Incident::MachineCutOff], 0.7),
    }
}

fn strike(world: &Arc<World>, incident: Incident, lasts: Duration) {
    let machine = world.dice.below(world.machines.len());
    let ponders = if world.scenario.season == Season::Slow { 0.5 } else { 0.0 };
    let share = 0.02 + 0.3 * world.dice.share() * world.dice.share();
    let process = world.machines[machine].process();
    match incident {
        Incident::DatabaseDown => {
            weather(world, lasts, |sky| sky.database_down = true, |sky| sky.database_down = false)
        }
        Incident::MachineCutOff => weather(
            world,
            lasts,
            |sky| sky.cut_off.extend([machine]),
            move |sky| sky.cut_off.retain(|other| *other != machine),
        ),
        Incident::DatabaseFlaky => weather(
            world,
            lasts,
            |sky| (sky.fails_before, sky.fails_after) = (share / 2.0, share / 2.0),
            |sky| (sky.fails_before, sky.fails_after) = (0.0, 0.0),
        ),
        Incident::DatabaseSlow => weather(world, lasts, |sky| sky.database_slow = share, |sky| sky.database_slow = 0.0),
        Incident::NetworkFlaky => weather(
            world,
            lasts * 3,
            |sky| {
                (sky.no_connection, sky.lost_before, sky.lost_after) = (share, share, share * 2.0);
                (sky.gives_up, sky.ponders) = (share / 2.0, ponders + share / 2.0);
            },
            |sky| {
                (sky.no_connection, sky.lost_before, sky.lost_after) = (0.0, 0.0, 0.0);
                (sky.gives_up, sky.ponders) = (0.0, 0.0);
            },
        ),
        Incident::Providers => provider_trouble(world, lasts),
        Incident::DiskFull => {
            world.machines[machine].disk.lock().unwrap().set_full(true);
            later(world, lasts, move |world| world.machines[machine].disk.lock().unwrap().set_full(false));
        }
        Incident::Crash => process.iter().for_each(|process| process.life.end()),
        Incident::AllCrash => {
            let all = world.machines.iter().filter_map(crate::machine::Machine::process);
            all.for_each(|process| process.life.end());
        }
        Incident::Frailty => {
            process.iter().for_each(|process| process.life.set_frailty(share / 4.0));
            later(world, lasts, move |_| process.iter().for_each(|process| process.life.set_frailty(0.0)));
        }
        Incident::Freeze => process.iter().for_each(|process| process.life.freeze_until(Instant::now() + lasts)),
        Incident::ClockSet => {
            let skew = world.dice.below(600_000) as i64 - 300_000;
            world.machines[machine].clock.set_skew(skew);
        }
    }
}

/// Every request of a class meets the same fault for a while.
fn provider_trouble(world: &Arc<World>, lasts: Duration) {
    let classes: Vec<_> = world.providers.apps().map(|(_, class, _)| class).collect();
    let class = *world.dice.pick(&classes);
    let rotates = Action { status: Some(429), process: Some(true), retry_after: Some(7), ..Action::default() };
    let answered_late = Action { delay_ms: Some(4_000), delay: Some(Moment::After), ..Action::default() };
    let truncated = Action { truncate_at: Some(30), ..Action::default() };
    let lost = Action { hang: true, process: Some(true), ..Action::default() };
    let gateway = Action { status: Some(504), process: Some(true), body: Some(String::new()), ..Action::default() };
    let throttled = Action { status: Some(429), retry_after: Some(20), ..Action::default() };
    let modes = [
        Mode::Status(503),
        Mode::Html,
        Mode::InvalidGrant,
        Mode::InvalidClient,
        Mode::Hang,
        Mode::Slow(3_000),
        Mode::Action(Box::new(rotates)),
        Mode::Action(Box::new(answered_late)),
        Mode::Action(Box::new(truncated)),
        Mode::Action(Box::new(lost)),
        Mode::Action(Box::new(gateway)),
        Mode::Action(Box::new(throttled)),
    ];
    let mode = world.dice.pick(&modes).clone();
    world.trace.note(What::Incident { what: format!("class {class}: {mode:?}") });
    behave(world, class, mode);
    later(world, lasts, move |world| behave(world, class, Mode::Off));
}

fn behave(world: &World, class: RecoveryClass, mode: Mode) {
    let standing = StandingMode { class: Some(class), endpoint: Endpoint::Token, grant_type: None, mode };
    world.providers.model.mode(standing).unwrap();
}

fn weather(
    world: &Arc<World>,
    lasts: Duration,
    turn: impl FnOnce(&mut Sky),
    back: impl FnOnce(&mut Sky) + Send + 'static,
) {
    world.weather.change(turn);
    later(world, lasts, move |world| world.weather.change(back));
}

fn later(world: &Arc<World>, after: Duration, what: impl FnOnce(&World) + Send + 'static) {
    let (world, tasks) = (world.clone(), world.tasks.clone());
    tasks.spawn(async move {
        tokio::time::sleep(after).await;
        what(&world);
    });
}
