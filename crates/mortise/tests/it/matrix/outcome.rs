//! What has to come of an attempt that was cut off, by the provider's rules.

use super::hands::{soon, uuid_of};
use super::stage::{Made, Stage};
use mortise_sandbox::ClassSettingsPatch;
use mortise_sandbox::RecoveryClass::{self, F, G, S};
use mortise_testkit::Process;
use mortise_testkit::faults::{Flow, Way, freeze};
use serde_json::{Value, json};

impl Stage {
    /// What happens to each class's next refresh.
    pub fn script(&self, classes: &[RecoveryClass], action: Value) {
        for class in classes {
            self.world.provider.script(*class, "refresh_token", 1, action.clone());
        }
    }

    /// From now on what the provider says waits on the wire.
    pub fn hold_replies(&self) {
        self.wire.set(Way::Down, Flow::Hang);
    }

    /// Waits until the provider has dealt with a request for each of these, whose replies are held.
    pub async fn processed(&self, made: &[Made]) {
        for made in made {
            soon("the whole reply", async || {
                self.requests(made).last().is_some_and(|request| request.replied_at_ms.is_some())
            })
            .await;
        }
    }

    /// A worker of this name that stands still with the provider's replies for all of these in its sockets.
    pub async fn stands_with_replies(&self, name: &str, made: &[Made]) -> Process {
        self.hold_replies();
        let mut worker = self.worker(name);
        self.make_due(made).await;
        self.processed(made).await;
        freeze(&mut worker).await;
        let before = self.wire.arrived(Way::Down);
        let whole: u64 = made.iter().flat_map(|made| self.requests(made)).map(|request| request.bytes_delivered).sum();
        self.wire.set(Way::Down, Flow::Pass);
        soon("the replies", async || self.wire.arrived(Way::Down) >= before + whole).await;
        worker
    }

    /// The old token of class G is good for longer than any row takes.
    pub fn long_grace(&self) {
        let grace = ClassSettingsPatch { grace: Some(600), ..ClassSettingsPatch::default() };
        self.world.provider.sandbox.configure(G, grace).unwrap();
    }

    /// A second request for each connection: what the provider had not processed is renewed, and so is what it had processed
    /// where it takes the old token once more. S and F say what they lost.
    pub async fn after_the_attempt(&self, made: &[Made], processed: impl Fn(&Made) -> bool) {
        for made in made {
            soon("a second request", async || self.requests(made).len() == 2).await;
            soon("its answer", async || self.requests(made)[1].outcome != "in_progress").await;
            let requests = self.requests(made);
            let [first, second] = requests.as_slice() else { panic!("{requests:?}") };
            assert_eq!(first.processed_at_ms.is_some(), processed(made), "{first:?}");
            if processed(made) && [S, F].contains(&made.class) {
                assert_eq!(second.outcome, "invalid_grant", "{second:?}");
                self.lost_its_rotation(made).await;
            } else {
                assert_eq!(second.outcome, "issued", "{second:?}");
                self.wait_for_generation(std::slice::from_ref(made), 2).await;
                self.story.served(&self.world.provider, made).await;
            }
        }
    }

    /// The provider spent the token, and nobody has what it gave for it: the customer is asked again, and told why. As long
    /// as the token in store can be served a refusal may be held for a mistake of the provider's, and one alone always may; the
    /// token's end is brought on, and so is the time between two refusals.
    pub async fn lost_its_rotation(&self, made: &Made) {
        let told = |event: &String| ["refresh_suspected", "needs_reauth"].contains(&event.as_str());
        soon("a word about the refusal", async || self.world.api.events(&made.id).await.iter().any(told)).await;
        if self.world.api.connection(&made.id).await["state"] == "active" {
            let end =
                format!("UPDATE connections SET expires_at = 1, suspected_at = 1 WHERE id = '{}'", uuid_of(&made.id));
            self.run(&end).await;
            self.allow_retries().await;
            self.make_due(std::slice::from_ref(made)).await;
        }
        let view = self.world.api.wait_for_state(&made.id, "needs_reauth").await;
        assert_eq!(view["state_reason"], json!("lost_rotation"), "{view}");
    }
}
