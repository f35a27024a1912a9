//! Rows 16, 17 and 19: the database is away, or says no for a while.

use super::hands::{soon, uuid_of};
use super::stage::{ALL, Stage};
use crate::site::logged;
use crate::world::START;
use mortise_sandbox::RecoveryClass::{F, G, N, S};
use mortise_testkit::faults::End;
use tokio::task::JoinSet;

#[tokio::test]
async fn row_16_the_database_is_away_at_the_claim() {
    let mut stage = Stage::serving(60, &ALL).await;
    let made = stage.one_each(&ALL).await;
    let (mut wire, url) = stage.database_wire().await;
    let mut worker = stage.launch("worker").env("MORTISE_DATABASE_URL", url).start();
    logged(&mut worker, "working").await;
    wire.refuse().await;
    wire.cut(End::Reset);
    stage.make_due(&made).await;
    // It noticed, twice, and has nobody to ask what to send.
    soon("two looks in vain", async || worker.stderr().matches("a job snoozes").count() >= 2).await;
    assert_eq!(stage.asked(&made), 0);
    wire.heal().await;
    stage.wait_for_generation(&made, 2).await;
    assert_eq!(stage.asked(&made), 6);
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}

/// Away for longer than every lease, with replies in memory and on disk: of a worker, and of a server whose caller waits.
#[tokio::test]
async fn row_17_the_database_is_away_at_the_commit() {
    let classes = [N, G, S, F];
    let mut stage = Stage::serving(60, &classes).await;
    stage.world.provider.lifetime(F, 1);
    let asked_for = stage.import(F, 1).await.remove(0);
    stage.world.provider.lifetime(F, 3600);
    let ended = async || stage.world.provider.grant(F).alive_access_tokens.is_empty();
    soon("the end of the token", ended).await;
    let mut made = stage.one_each(&classes).await;
    let (mut wire, url) = stage.database_wire().await;
    stage.world.set("MORTISE_DATABASE_URL", &url);
    let (mut server, api) = stage.server("server").await;
    let mut worker = stage.worker("worker");
    let edge = stage.story.through(api);

    stage.gate.close().await;
    stage.make_due(&made).await;
    let (caller, id) = (edge.clone(), asked_for.id.clone());
    let caller = JoinSet::from_iter([async move { caller.fetch(&id).await.status }]);
    stage.gate.wait_for(5).await;
    wire.refuse().await;
    wire.cut(End::Reset);
    soon("the end of every connection", async || wire.open() == 0).await;
    // What stood at the gate is lost, and so is every lease.
    stage.gate.open_but_for(&["worker", "server"]).await;
    made.push(asked_for.clone());
    stage.shorten_leases(&made, 0).await;
    assert_eq!((stage.site.spilled("worker").len(), stage.site.spilled("server").len()), (4, 1));
    assert_eq!(edge.fetch(&asked_for.id).await.status, 503, "nothing is handed out that is not stored");

    wire.heal().await;
    stage.wait_for_generation(&made, 2).await;
    let told = caller.join_all().await;
    assert!([200, 503].contains(&told[0]), "{told:?}");
    assert_eq!(stage.asked(&made), 5, "nobody is asked again");
    for name in ["worker", "server"] {
        stage.site.drained(name).await;
    }
    for made in &made {
        stage.story.served(&stage.world.provider, made).await;
    }
    for process in [&mut worker, &mut server] {
        assert!(process.sigterm(START).await.success(), "{}", process.output());
    }
    stage.end().await;
}

/// PostgreSQL gives up the commit of each pair five times in a row: as a failure to serialise, or as a deadlock.
#[tokio::test]
async fn row_19_five_failures_to_serialise_in_a_row() {
    let mut stage = Stage::serving(60, &ALL).await;
    let made = stage.one_each(&ALL).await;
    // A sequence keeps what the failure of its statement takes back.
    let mut begun = "CREATE TABLE hiccups (id uuid PRIMARY KEY, at serial, state text NOT NULL);".to_owned();
    for (at, made) in made.iter().enumerate() {
        let (uuid, state) = (uuid_of(&made.id), if at % 2 == 0 { "40001" } else { "40P01" });
        begun += &format!("CREATE SEQUENCE hiccup_{at}; INSERT INTO hiccups VALUES ('{uuid}', {at}, '{state}');");
    }
    stage.run(&begun).await;
    stage
        .run(
            "CREATE FUNCTION hiccup() RETURNS trigger LANGUAGE plpgsql AS $$
             DECLARE it hiccups; BEGIN
                SELECT * INTO it FROM hiccups WHERE id = NEW.id;
                IF nextval('hiccup_' || it.at) <= 5 THEN RAISE EXCEPTION 'hiccup' USING ERRCODE = it.state; END IF;
                RETURN NEW; END $$;
             CREATE TRIGGER hiccup BEFORE UPDATE ON connections
                FOR EACH ROW WHEN (NEW.generation <> OLD.generation) EXECUTE FUNCTION hiccup()",
        )
        .await;
    let mut worker = stage.worker("worker");
    stage.make_due(&made).await;
    stage.wait_for_generation(&made, 2).await;
    assert_eq!(stage.asked(&made), 6, "the provider is asked once");
    for (at, made) in made.iter().enumerate() {
        assert_eq!(
            stage.gate.number(&format!("SELECT last_value FROM hiccup_{at}")).await,
            6,
            "five failures, then none"
        );
        stage.story.served(&stage.world.provider, made).await;
    }
    assert!(worker.sigterm(START).await.success(), "{}", worker.output());
    stage.end().await;
}
