//! What can happen to an attempt, made up at random: givens, states, events, and whole worlds that answer a driver.

use super::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// What a driver meets on its way, decided before it sets out. All times are milliseconds.
#[derive(Debug, Clone)]
pub(super) struct World {
    /// The share of randomness of all moments.
    pub(super) fraction: f64,
    /// From the claim to the beginning.
    pub(super) before: u64,
    /// Of the first credential and of the second: how long it takes to open, and what comes of it.
    pub(super) opened: [(u64, Opened); 2],
    /// The provider's answers, each after a while.
    pub(super) replies: Vec<(u64, Reply)>,
    /// Whether the disk takes a pair.
    pub(super) spilled: (u64, bool),
    /// Whether the app is held when that is looked at.
    pub(super) held: (u64, Database<bool>),
    /// The database's answers to a pair; the last holds on.
    pub(super) committed: Vec<(u64, Database<CommitOutcome>)>,
    /// The database's answer to everything else.
    pub(super) recorded: (u64, Database<bool>),
}

/// What comes of opening a seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opened {
    Well,
    Broken,
    NoKey,
    NoReason,
}

/// What comes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    Tokens(Granted),
    Without(Refusal),
    /// No access token, but a new refresh token that may be good until then.
    Alone(Refusal, Deadlines),
    NoReason,
}

/// What comes of asking the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Database<T> {
    Answers(T),
    Away,
    NoReason,
}

/// Whether a driver has something to tell after an effect.
pub(super) fn is_answering(effect: &Effect) -> bool {
    match effect {
        Effect::Open(_) | Effect::Send { .. } | Effect::LookAtApp | Effect::Spill(_) | Effect::Commit(_) => true,
        Effect::RevokePair | Effect::Record(_) | Effect::GiveUp { .. } | Effect::Quarantine => true,
        Effect::Report(_) | Effect::Wait(_) | Effect::SettleSpill | Effect::WarnOfDoubleRefresh => false,
        Effect::HoldApp | Effect::Astray => false,
    }
}

fn fraction() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 0.0..1.0]
}

/// An instant around the claim, to the millisecond: minutes or months away from it.
fn any_instant() -> impl Strategy<Value = Timestamp> {
    let away = prop_oneof![-100_000_i64..1_000_000, -100 * DAY * 1_000..400 * DAY * 1_000];
    away.prop_map(|millis| instant(0) + chrono::Duration::milliseconds(millis))
}

/// A life: moments, hours, or years; where two bounds of a rule meet more often than chance would have it.
fn any_life() -> impl Strategy<Value = Duration> {
    prop_oneof![1_u64..40, 1_u64..10_000, 1_u64..315_360_000, select(vec![14, 15, 16, 60, 3_600])].prop_map(secs)
}

fn any_rules() -> BoxedStrategy<Rules> {
    let timing = (option::of(any_life()), option::weighted(0.2, any_life()), any::<bool>());
    (select(&CLASSES[..]), 1_u64..100_000, prop::bool::weighted(0.2), timing, option::of(any_life()))
        .prop_map(|(class, grace, reuse_penalty, (margin, window, kills_prior_access_token), default_lifetime)| Rules {
            class,
            grace: (class == RecoveryClass::G).then_some(secs(grace)),
            reuse_penalty,
            timing: RefreshRules { margin, window, kills_prior_access_token },
            default_lifetime,
        })
        .boxed()
}

fn any_standing() -> BoxedStrategy<Standing> {
    let counts = (prop_oneof![0_u32..12, 0_u32..=1 << 31], 0_u32..5, option::of(any_instant()));
    let times = (any_instant(), option::of(any_instant()), option::of(any_instant()), option::of(any_instant()));
    let holds = (any::<bool>(), prop::bool::weighted(0.9), any::<bool>(), prop::bool::weighted(0.3));
    (counts, times, holds)
        .prop_map(|((failures, suspicions, suspected_at), times, holds)| {
            let (granted_at, refreshed_at, expires_at, used_at) = times;
            let (unresolved, has_refresh, has_previous, by_client) = holds;
            Standing {
                failures,
                suspicions,
                suspected_at,
                unresolved,
                granted_at,
                refreshed_at,
                expires_at,
                used_at,
                has_refresh,
                has_previous,
                by_client,
            }
        })
        .boxed()
}

pub(super) fn any_attempt() -> BoxedStrategy<Attempt> {
    (any_rules(), any_standing(), 0_u64..150_000, 1_usize..4, prop::bool::weighted(0.1))
        .prop_map(|(rules, standing, left, clients, probe)| Attempt {
            rules,
            standing,
            send_until: CLAIMED + Duration::from_millis(left),
            clients,
            probe,
        })
        .boxed()
}

pub(super) fn any_at() -> impl Strategy<Value = At> {
    (0_u64..200_000, fraction()).prop_map(|(millis, fraction)| after(millis, fraction))
}

/// The moment so many milliseconds after the claim.
pub(super) fn after(millis: u64, fraction: f64) -> At {
    let passed = Duration::from_millis(millis);
    At { now: instant(0) + passed, elapsed: CLAIMED + passed, fraction }
}

fn any_deadlines() -> impl Strategy<Value = Deadlines> {
    let ends = (option::of(any_life()), option::of(any_life()));
    ends.prop_map(|(absolute, idle)| Deadlines::new(instant(0), instant(0), absolute, idle, None))
}

fn any_granted() -> BoxedStrategy<Granted> {
    (option::weighted(0.8, any_life()), any_deadlines(), any::<bool>(), prop::bool::weighted(0.2))
        .prop_map(|(lifetime, deadlines, rotated, unchanged)| Granted {
            others: Others::default(),
            asked_at: instant(0),
            lifetime,
            deadlines,
            rotated,
            unchanged,
        })
        .boxed()
}

fn any_refusal() -> BoxedStrategy<Refusal> {
    // What the protocol's reader makes of `Retry-After` lies between a second and a day.
    let retry_after = option::of(prop_oneof![1_u64..100, 1_u64..=86_400].prop_map(secs));
    (select(&FAILURES[..]), any::<bool>(), retry_after, prop::bool::weighted(0.1))
        .prop_map(|(class, answered, retry_after, definitive)| Refusal { class, answered, retry_after, definitive })
        .boxed()
}

fn any_outcome() -> impl Strategy<Value = CommitOutcome> {
    select(vec![
        CommitOutcome::Committed,
        CommitOutcome::AlreadyCommitted,
        CommitOutcome::GenerationMoved,
        CommitOutcome::FamilyMoved,
        CommitOutcome::Gone,
    ])
}

fn database<T: std::fmt::Debug + Clone>(answer: impl Strategy<Value = T>) -> impl Strategy<Value = Database<T>> {
    prop_oneof![8 => answer.prop_map(Database::Answers), 3 => Just(Database::Away), 1 => Just(Database::NoReason)]
}

pub(super) fn any_event() -> BoxedStrategy<Event> {
    prop_oneof![
        1 => Just(Event::Begin),
        1 => Just(Event::Opened),
        1 => Just(Event::Unreadable),
        4 => any_granted().prop_map(Event::Granted),
        8 => any_refusal().prop_map(Event::Refused),
        2 => (any_refusal(), any_deadlines()).prop_map(|(refusal, ends)| Event::RefusedWithToken(refusal, ends)),
        2 => any::<bool>().prop_map(Event::AppHeld),
        1 => Just(Event::Spilled),
        1 => Just(Event::SpillFailed),
        3 => any_outcome().prop_map(Event::Committed),
        1 => Just(Event::Recorded),
        1 => Just(Event::Outrun),
        1 => Just(Event::DatabaseAway),
        1 => Just(Event::Faulted),
    ]
    .boxed()
}

fn any_credential() -> impl Strategy<Value = Credential> {
    select(vec![Credential::Current, Credential::Previous, Credential::Client])
}

fn any_pair() -> BoxedStrategy<Pair> {
    (any_attempt(), any_credential(), any_granted())
        .prop_map(|(attempt, spent, granted)| {
            let (state, _) = step(&attempt, in_flight(spent), moment(1), Event::Granted(granted));
            let State::Spilling(pair) = state else { panic!("tokens make a pair: {state:?}") };
            pair
        })
        .boxed()
}

pub(super) fn any_state() -> BoxedStrategy<State> {
    let end = || select(vec![End::Refreshed, End::Moved, End::Unusable, End::Failed, End::Interrupted]);
    prop_oneof![
        Just(State::Claimed),
        any_credential().prop_map(State::Opening),
        (any_credential(), 0_usize..4, 0_i64..130).prop_map(|(credential, client, ago)| State::InFlight {
            credential,
            client,
            since: instant(-ago),
        }),
        (any::<bool>(), 0_i64..130, any_refusal()).prop_map(|(lost, ago, refusal)| State::Weighing {
            reason: if lost { StateReason::LostRotation } else { StateReason::RefreshTokenRejected },
            since: instant(-ago),
            refusal,
        }),
        any_pair().prop_map(State::Spilling),
        (any_pair(), 0_u64..200_000)
            .prop_map(|(pair, until)| State::Committing { pair, until: CLAIMED + Duration::from_millis(until) }),
        Just(State::Revoking),
        end().prop_map(State::Recording),
        end().prop_map(State::Ended),
    ]
    .boxed()
}

/// How long something takes: mostly moments, sometimes all the time there is.
fn pause() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0_u64..500, 1 => 0_u64..60_000]
}

pub(super) fn any_world() -> BoxedStrategy<World> {
    let opened = || {
        let outcome = prop_oneof![12 => Just(Opened::Well), 1 => Just(Opened::Broken), 1 => Just(Opened::NoKey), 1 => Just(Opened::NoReason)];
        (pause(), outcome)
    };
    let reply = prop_oneof![
        4 => any_granted().prop_map(Reply::Tokens),
        9 => any_refusal().prop_map(Reply::Without),
        1 => (any_refusal(), any_deadlines()).prop_map(|(refusal, ends)| Reply::Alone(refusal, ends)),
        1 => Just(Reply::NoReason),
    ];
    (
        (fraction(), pause(), [opened(), opened()]),
        // One client of at most three, for each of two credentials.
        vec((pause(), reply), 6),
        (pause(), any::<bool>()),
        (pause(), database(prop::bool::weighted(0.3))),
        vec((pause(), database(any_outcome())), 1..6),
        (pause(), database(prop::bool::weighted(0.8))),
    )
        .prop_map(|((fraction, before, opened), replies, spilled, held, committed, recorded)| World {
            fraction,
            before,
            opened,
            replies,
            spilled,
            held,
            committed,
            recorded,
        })
        .boxed()
}
