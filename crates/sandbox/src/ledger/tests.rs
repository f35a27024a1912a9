use super::*;
use mortise_domain::SeededEntropy;

const GRACE: i64 = 30_000;
const RULES: Rules = Rules {
    grace: GRACE,
    refresh_window: None,
    idle_limit: None,
    absolute_limit: None,
    mint_rate: None,
    reuse_penalty: false,
};
const LIFETIME: i64 = 60_000;

/// A family with its first refresh token, and the means to go on from there.
struct Bench {
    ledger: Ledger,
    class: RecoveryClass,
    family: FamilyId,
    first: TokenId,
    entropy: SeededEntropy,
    rules: Rules,
}

impl Bench {
    fn new(class: RecoveryClass) -> Self {
        let (mut ledger, entropy) = (Ledger::default(), SeededEntropy::new(7));
        let family = ledger.open(class, "client", Some("alex"), ScopeSet::default(), 0);
        let mint = order(None, true, 0);
        let first = ledger.mint(family, mint, &entropy).unwrap().refresh_id.unwrap();
        Self { ledger, class, family, first, entropy, rules: RULES }
    }

    /// One refresh: the ids of the new refresh token (or the same one) and of the new access token.
    fn refresh(&mut self, token: TokenId, now: i64) -> Result<(TokenId, TokenId), Refused> {
        let family = self.ledger.redeem(token, self.class, "client", &self.rules, now)?;
        let minted = self.ledger.mint(family, order(Some(token), self.class.rotates(), now), &self.entropy).unwrap();
        Ok((minted.refresh_id.unwrap_or(token), minted.access_id))
    }

    fn good(&self, token: TokenId, now: i64) -> bool {
        self.ledger.refresh_is_good(&self.ledger.refresh[&token], &self.rules, now)
    }

    fn reuses(&self) -> u64 {
        self.ledger.families[&self.family].reuse_events
    }

    fn ended(&self) -> Option<Ended> {
        self.ledger.families[&self.family].ended
    }
}

fn order(parent: Option<TokenId>, with_refresh: bool, now: i64) -> Mint {
    Mint {
        parent,
        repeat_access: None,
        with_refresh,
        ends_prior_access: false,
        lifetime: LIFETIME,
        scopes: ScopeSet::default(),
        now,
    }
}

#[test]
fn a_replay_right_after_a_refresh() {
    use RecoveryClass::{F, G, M, N, S, U};
    // class -> (replay accepted, successor good afterwards, reuse events, family ended)
    let table = [
        (N, true, true, 0, None),
        (M, true, true, 0, None),
        (G, true, true, 0, None),
        (U, true, true, 0, None),
        (S, false, true, 1, None),
        (F, false, false, 1, Some(Ended::RefreshTokenReused)),
    ];
    for (class, accepted, successor_good, reuses, ended) in table {
        let mut bench = Bench::new(class);
        let first = bench.first;
        let (second, _) = bench.refresh(first, 0).unwrap();
        assert_eq!(bench.refresh(first, 1).is_ok(), accepted, "{class}");
        assert_eq!(bench.good(second, 1), successor_good, "{class}");
        assert_eq!((bench.reuses(), bench.ended()), (reuses, ended), "{class}");
    }
}

#[test]
fn a_replay_after_the_successor_was_used_and_the_grace_is_over() {
    use RecoveryClass::{F, G, M, N, S, U};
    for (class, accepted) in [(N, true), (M, true), (G, false), (U, false), (S, false), (F, false)] {
        let mut bench = Bench::new(class);
        let first = bench.first;
        let (second, _) = bench.refresh(first, 0).unwrap();
        bench.refresh(second, 1).unwrap();
        assert_eq!(bench.refresh(first, GRACE).is_ok(), accepted, "{class}");
        assert_eq!(bench.ended().is_some(), class == F, "{class}");
    }
}

#[test]
fn in_class_u_using_the_new_access_token_ends_the_old_refresh_token() {
    let mut bench = Bench::new(RecoveryClass::U);
    let first = bench.first;
    let (second, access) = bench.refresh(first, 0).unwrap();
    assert!(bench.good(first, 1));
    assert!(bench.ledger.use_access(access, RecoveryClass::U, &RULES, 1).is_some());
    assert!(!bench.good(first, 1) && bench.good(second, 1));
    assert_eq!(bench.refresh(first, 1).unwrap_err(), Refused { why: RefreshRefusal::Spent, reuse: true });
    assert!(bench.refresh(second, 1).is_ok());
}

#[test]
fn in_class_g_the_grace_counts_from_the_first_use() {
    let mut bench = Bench::new(RecoveryClass::G);
    let first = bench.first;
    bench.refresh(first, 1000).unwrap();
    bench.refresh(first, GRACE).unwrap();
    assert!(bench.good(first, 1000 + GRACE - 1));
    assert!(!bench.good(first, 1000 + GRACE));
}

#[test]
fn an_ended_family_has_no_good_token_and_keeps_its_first_reason() {
    for class in RecoveryClass::ALL {
        let mut bench = Bench::new(class);
        let first = bench.first;
        let (second, access) = bench.refresh(first, 0).unwrap();
        assert!(bench.ledger.end(bench.family, Ended::Revoked, 0));
        assert!(!bench.ledger.end(bench.family, Ended::CodeReused, 0));
        assert!(!bench.good(second, 0) && bench.ledger.use_access(access, class, &RULES, 0).is_none(), "{class}");
        assert_eq!(bench.refresh(second, 0).unwrap_err(), RefreshRefusal::Ended.into());
        assert_eq!(bench.ended(), Some(Ended::Revoked));
    }
}

#[test]
fn tokens_are_good_at_their_class_and_for_their_client_only() {
    let mut bench = Bench::new(RecoveryClass::F);
    let first = bench.first;
    let mut redeem = |class, client| bench.ledger.redeem(first, class, client, &RULES, 0);
    assert_eq!(redeem(RecoveryClass::N, "client"), Err(RefreshRefusal::Unknown.into()));
    assert_eq!(redeem(RecoveryClass::F, "other"), Err(RefreshRefusal::Unknown.into()));
    assert!(redeem(RecoveryClass::F, "client").is_ok());
}

#[test]
fn access_tokens_end_in_time_and_at_the_next_refresh_where_asked() {
    let mut bench = Bench::new(RecoveryClass::S);
    let first = bench.first;
    let (second, access) = bench.refresh(first, 0).unwrap();
    let good = |bench: &Bench, now| bench.ledger.access_is_good(&bench.ledger.access[&access], &RULES, now);
    assert!(good(&bench, LIFETIME - 1) && !good(&bench, LIFETIME));
    let family = bench.ledger.redeem(second, bench.class, "client", &RULES, 1).unwrap();
    let mint = Mint { ends_prior_access: true, ..order(Some(second), true, 1) };
    bench.ledger.mint(family, mint, &bench.entropy).unwrap();
    assert!(!good(&bench, 1));
}

#[test]
fn the_oldest_refresh_tokens_are_forgotten() {
    let mut bench = Bench::new(RecoveryClass::M);
    let first = bench.first;
    for _ in 0..REMEMBERED {
        bench.refresh(bench.ledger.families[&bench.family].refresh_tokens[0], 0).unwrap();
    }
    assert_eq!(bench.refresh(first, 0).unwrap_err(), RefreshRefusal::Unknown.into());
    assert_eq!(bench.ledger.refresh.len(), REMEMBERED);
}

#[test]
fn long_dead_access_tokens_are_swept() {
    let mut bench = Bench::new(RecoveryClass::N);
    let first = bench.first;
    for step in 0..20_000 {
        bench.refresh(first, step * 1000).unwrap();
    }
    assert!(bench.ledger.access.len() < 5000, "{}", bench.ledger.access.len());
}

#[test]
fn a_client_of_its_own_has_one_family_until_it_ends() {
    let mut ledger = Ledger::default();
    let first = ledger.open_service(RecoveryClass::N, "client", 0);
    assert_eq!(ledger.open_service(RecoveryClass::N, "client", 1), first);
    assert_ne!(ledger.open_service(RecoveryClass::N, "other", 1), first);
    ledger.end(first, Ended::Revoked, 1);
    assert_ne!(ledger.open_service(RecoveryClass::N, "client", 2), first);
}
