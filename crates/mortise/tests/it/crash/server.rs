//! The server, killed while a customer comes back from the provider.

use super::{KILLS, Made, assert_never_reused, assert_renewable, assert_served, gated};
use crate::world::World;
use crate::world::api::{Session, app_id};
use crate::world::visitor::{Visitor, title_of};
use mortise_sandbox::RecoveryClass::{self, F, G, S};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

/// A customer whose browser is about to open the callback.
pub(super) struct Returning {
    class: RecoveryClass,
    session: Session,
    visitor: Visitor,
    callback: String,
}

impl Returning {
    pub(super) async fn new(world: &World, customer: &str, class: RecoveryClass) -> Self {
        let session = world.api.session(customer, json!({ "apps": [app_id(class)] })).await;
        let mut visitor = Visitor::new();
        let callback = visitor.up_to_the_callback(&session.url, &app_id(class), "allow").await;
        Self { class, session, visitor, callback }
    }

    /// Opens the callback on a task of its own, which panics if no answer comes.
    pub(super) fn goes_on(self) -> GoneOn {
        let Self { class, session, mut visitor, callback } = self;
        let (tasks, url) = (TaskTracker::new(), callback.clone());
        let browser = tasks.spawn(async move { drop(visitor.get(&url).await) });
        GoneOn { class, session, callback, browser }
    }
}

pub(super) struct GoneOn {
    class: RecoveryClass,
    pub(super) session: Session,
    callback: String,
    pub(super) browser: JoinHandle<()>,
}

async fn returning(world: &World, customer: &str, classes: [RecoveryClass; 3]) -> Vec<Returning> {
    let mut all = Vec::new();
    for class in classes {
        all.push(Returning::new(world, customer, class).await);
    }
    all
}

#[tokio::test]
async fn a_server_killed_twenty_times_during_callbacks_loses_no_grant() {
    let classes = [S, F, G];
    let (mut world, mut gate, site) = gated(&classes).await;
    world.server.as_mut().unwrap().kill9();
    world.set("MORTISE_SPILL_DIR", site.spill("server").to_str().unwrap());
    world.serve().await;
    for kill in 1..=KILLS {
        let returning = returning(&world, &format!("customer-{kill}"), classes).await;
        gate.close().await;
        let browsers: Vec<_> = returning.into_iter().map(Returning::goes_on).collect();
        gate.wait_for(3).await;
        // The codes are spent and the tokens are here; no row knows of them.
        assert_eq!(site.spilled("server").len(), 3);
        world.server.as_mut().unwrap().kill9();
        gate.open().await;
        world.serve().await;

        assert!(site.spilled("server").is_empty(), "a server that is ready has stored what it found");
        for GoneOn { class, session, callback, browser } in browsers {
            assert!(browser.await.is_err(), "a dead server answered");
            let made = Made::find(&world, class, world.api.result_of(&session).await).await;
            assert_eq!(world.provider.count(class, "authorization_code"), kill);
            assert_served(&world, &made).await;
            assert_renewable(&world, &made).await;
            // What a browser says that tries the callback again is of no consequence.
            let again = Visitor::new().get(&callback).await;
            assert!((400..500).contains(&again.status), "{}: {}", again.status, title_of(&again.body));
        }
        assert_eq!(gate.taken().await, 0);
    }
    assert_eq!(world.provider.sandbox.totals().live_grants, 3 * KILLS);
    assert_never_reused(&world);
    world.end().await;
}

/// The code is lost with the process, and with it whatever the provider issues for it; the link is not.
#[tokio::test]
async fn a_customer_whose_callback_died_before_the_reply_tries_the_same_link_again() {
    let classes = [S, F, G];
    let (mut world, gate, _site) = gated(&classes).await;
    let returning = returning(&world, "acme", classes).await;
    for class in classes {
        world.provider.script(class, "authorization_code", 1, json!({"delay_ms": 3_600_000}));
    }
    let browsers: Vec<_> = returning.into_iter().map(Returning::goes_on).collect();
    for class in classes {
        world.provider.wait_for(class, "authorization_code", 1).await;
    }
    world.server.as_mut().unwrap().kill9();
    world.serve().await;
    for GoneOn { class, session, browser, .. } in browsers {
        assert!(browser.await.is_err(), "a dead server answered");
        Visitor::new().consent(&session.url, &app_id(class)).await;
        let made = Made::find(&world, class, world.api.result_of(&session).await).await;
        assert_renewable(&world, &made).await;
    }
    assert_eq!(gate.taken().await, 0);
    world.end().await;
}
