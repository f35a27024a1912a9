//! The rules written a second time: no states and no events, but one story from top to bottom, in milliseconds from the
//! claim. Only the instants of an ordinary renewal and of a keep-alive are taken over from the domain, where they have
//! tests of their own.

use super::drive::asked_at;
use super::worlds::{Database, Opened, Reply, World};
use super::*;
use mortise_domain::{EventKind, keep_alive};
use mortise_store::Doubt;

/// What has to come of an attempt.
#[derive(Debug)]
pub(super) struct Story {
    /// What is presented with which client, and when it is sent.
    pub(super) sends: Vec<(Credential, usize, u64)>,
    /// The app is held.
    pub(super) holds: bool,
    /// What is asked of the disk and of the database.
    pub(super) writes: Writes,
    /// How it ends.
    pub(super) end: End,
}

#[derive(Debug)]
pub(super) enum Writes {
    Nothing,
    Failure(Failed),
    GivenUp(StateReason),
    Quarantine,
    Pair(Kept),
}

/// What is written of a failure.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) kind: EventKind,
    pub(super) failures: u32,
    pub(super) suspicions: u32,
    pub(super) suspected_at: Option<i64>,
    pub(super) doubt: Doubt,
    /// The earliest next try and the latest, whatever is drawn.
    pub(super) next: (i64, i64),
}

/// What is stored of a pair, and what becomes of it.
#[derive(Debug)]
pub(super) struct Kept {
    /// How the provider refused, where it gave a refresh token and nothing else.
    pub(super) refused: Option<FailureClass>,
    pub(super) asked_at: i64,
    pub(super) expires_at: Option<i64>,
    /// The earliest next refresh and the latest.
    pub(super) next: Option<(i64, i64)>,
    pub(super) keeps_previous: bool,
    /// How often the database is asked.
    pub(super) commits: usize,
    pub(super) doubled: bool,
    pub(super) sent_back: bool,
}

struct Teller<'a> {
    attempt: &'a Attempt,
    world: &'a World,
    clock: u64,
    story: Story,
}

pub(super) fn tell(attempt: &Attempt, world: &World) -> Story {
    let story = Story { sends: Vec::new(), holds: false, writes: Writes::Nothing, end: End::Interrupted };
    let mut teller = Teller { attempt, world, clock: world.before, story };
    teller.run();
    teller.story
}

/// Milliseconds from the claim.
fn ms(at: Option<Timestamp>) -> Option<i64> {
    at.map(millis)
}

fn long(millis: u64) -> i64 {
    i64::try_from(millis).expect("a time in range")
}

impl Teller<'_> {
    fn run(&mut self) {
        let (rules, standing) = (&self.attempt.rules, &self.attempt.standing);
        let mut credential = Credential::Current;
        if !standing.has_refresh {
            if !standing.by_client {
                return self.give_up(StateReason::NoRefreshToken);
            }
            credential = Credential::Client;
        } else if rules.reuse_penalty && standing.unresolved {
            return match ms(standing.expires_at) {
                Some(end) if end > long(self.clock) => self.hold_back(end),
                _ => self.give_up(StateReason::LostRotation),
            };
        }
        let budget = u64::try_from((self.attempt.send_until - CLAIMED).as_millis()).expect("a budget");
        let mut replies = self.world.replies.iter();
        for (took, opened) in self.world.opened {
            self.clock += took;
            match opened {
                Opened::Well => {}
                Opened::Broken => {
                    self.story.writes = Writes::Quarantine;
                    return self.written(End::Unusable);
                }
                Opened::NoKey | Opened::NoReason => return,
            }
            for client in 0..self.attempt.clients {
                if self.clock >= budget {
                    let refusal =
                        Refusal { class: FailureClass::NotSent, answered: false, retry_after: None, definitive: false };
                    return self.fail(self.clock, &refusal);
                }
                let began = self.clock;
                self.story.sends.push((credential, client, began));
                let (took, reply) = replies.next().expect("a reply for each request");
                self.clock += took;
                match reply {
                    Reply::NoReason => return,
                    Reply::Tokens(granted) => return self.keep(credential, asked_at(granted, began), began),
                    Reply::Alone(refusal, _) => return self.keep_alone(began, refusal),
                    Reply::Without(refusal) => {
                        let other_client =
                            refusal.class == FailureClass::AppMisconfigured && client + 1 < self.attempt.clients;
                        let sibling = refusal.class == FailureClass::GrantRejected
                            && credential == Credential::Current
                            && standing.has_previous;
                        if sibling {
                            credential = Credential::Previous;
                            break;
                        }
                        if !other_client {
                            return self.refuse(began, refusal);
                        }
                    }
                }
            }
        }
        unreachable!("the older token has none before it");
    }

    /// Something is put before the database, once.
    fn written(&mut self, end: End) {
        self.story.end = match self.world.recorded.1 {
            Database::Answers(true) => end,
            Database::Answers(false) => End::Moved,
            Database::Away | Database::NoReason => End::Interrupted,
        };
    }

    fn give_up(&mut self, reason: StateReason) {
        self.story.writes = Writes::GivenUp(reason);
        self.written(End::Unusable);
    }

    fn hold_back(&mut self, end: i64) {
        let standing = &self.attempt.standing;
        self.story.writes = Writes::Failure(Failed {
            kind: EventKind::RefreshFailed,
            failures: standing.failures,
            suspicions: standing.suspicions,
            suspected_at: ms(standing.suspected_at),
            doubt: Doubt::Processed,
            next: (end, end),
        });
        self.written(End::Failed);
    }

    fn refuse(&mut self, sent: u64, refusal: &Refusal) {
        if refusal.class == FailureClass::GrantRejected {
            let standing = &self.attempt.standing;
            let single_use = [RecoveryClass::S, RecoveryClass::F].contains(&self.attempt.rules.class);
            let lost = single_use && standing.unresolved;
            let refusals = standing.suspicions + 1;
            let since = ms(standing.suspected_at).map_or(0, |first| long(self.clock) - first);
            let certain = if refusal.definitive && !self.attempt.probe {
                true
            } else if !self.serves() && !self.attempt.probe {
                refusals >= 2 && since >= 30_000
            } else if lost {
                refusals >= 2 && since >= 3_600_000
            } else {
                refusals >= 3 && since >= 3_600_000
            };
            if certain {
                let reason = if lost { StateReason::LostRotation } else { StateReason::RefreshTokenRejected };
                if self.attempt.probe {
                    return self.give_up(reason);
                }
                self.clock += self.world.held.0;
                match self.world.held.1 {
                    Database::Answers(false) => return self.give_up(reason),
                    Database::Answers(true) => {}
                    Database::Away | Database::NoReason => return,
                }
            }
        }
        self.story.holds = refusal.class == FailureClass::AppMisconfigured;
        self.fail(sent, refusal);
    }

    fn serves(&self) -> bool {
        ms(self.attempt.standing.expires_at).is_none_or(|end| end > long(self.clock))
    }

    /// Until when a request without a reply is waited for.
    fn under_way(&self, sent: u64) -> Doubt {
        match self.attempt.rules.class {
            RecoveryClass::S | RecoveryClass::F => Doubt::UnderWay,
            _ => Doubt::UnderWayUntil(instant(0) + Duration::from_millis(sent + 35_000)),
        }
    }

    fn fail(&mut self, sent: u64, refusal: &Refusal) {
        let standing = &self.attempt.standing;
        let (now, unresolved) = (long(self.clock), standing.unresolved);
        let certain = if unresolved { Doubt::Processed } else { Doubt::None };
        let (kind, counted, suspected, doubt) = match refusal.class {
            FailureClass::Unknown if standing.failures >= 8 => (EventKind::RefreshSuspected, 1, 0, certain),
            FailureClass::NotSent | FailureClass::Unknown => (EventKind::RefreshFailed, 1, 0, certain),
            FailureClass::Throttled if refusal.retry_after.is_none() => (EventKind::RefreshFailed, 1, 0, certain),
            FailureClass::Throttled | FailureClass::AppMisconfigured => (EventKind::RefreshFailed, 0, 0, certain),
            FailureClass::GrantRejected => (EventKind::RefreshSuspected, 1, 1, certain),
            FailureClass::Ambiguous if refusal.answered => (EventKind::RefreshAmbiguous, 1, 0, Doubt::Processed),
            FailureClass::Ambiguous => (EventKind::RefreshAmbiguous, 1, 0, self.under_way(sent)),
        };
        let failures = standing.failures + counted;
        self.story.writes = Writes::Failure(Failed {
            kind,
            failures,
            suspicions: standing.suspicions + suspected,
            suspected_at: ms(standing.suspected_at).or((suspected > 0).then_some(now)),
            doubt,
            next: self.window(sent, refusal, failures),
        });
        self.written(End::Failed);
    }

    /// The earliest next try and the latest.
    fn window(&self, sent: u64, refusal: &Refusal, failures: u32) -> (i64, i64) {
        let (rules, standing, now) = (&self.attempt.rules, &self.attempt.standing, long(self.clock));
        let doubled =
            (0..failures.saturating_sub(1)).try_fold(5_000_i64, |wait, _| (wait < 600_000).then_some(wait * 2));
        let longest = doubled.unwrap_or(600_000).min(600_000);
        let soon = (now + longest / 2, now + longest);
        let told = refusal.retry_after.map(|wait| long(wait.as_secs() * 1_000));
        let window = match refusal.class {
            FailureClass::NotSent => soon,
            FailureClass::Unknown => {
                let end = ms(standing.expires_at).or(ms(standing.refreshed_at)).unwrap_or(millis(standing.granted_at));
                let quarter = ((now - end).abs() / 4).min(DAY * 1_000);
                let seldom = if failures > 8 { (quarter, quarter + quarter / 10 + 1) } else { (0, 0) };
                let told = told.unwrap_or(0);
                (soon.0.max(now + told).max(now + seldom.0), soon.1.max(now + told).max(now + seldom.1))
            }
            FailureClass::AppMisconfigured => (now + 5_000, now + 5_000),
            FailureClass::Throttled => told.map_or(soon, |wait| stretched(now, wait)),
            FailureClass::Ambiguous => match rules.grace {
                Some(grace) if !standing.unresolved => {
                    let half = long(sent + grace.as_secs() * 500);
                    (soon.0.min(half.max(now + 2_500)), soon.1.min(half.max(now + 5_000)))
                }
                _ => soon,
            },
            FailureClass::GrantRejected => match ms(standing.expires_at) {
                None => stretched(now, 1_800_000),
                Some(end) if end <= now => stretched(now, 30_000),
                Some(end) => {
                    let (least, most) = stretched(now, 1_800_000);
                    (least.min(end.max(soon.0)), most.min(end.max(soon.1)))
                }
            },
        };
        let late = ms(standing.expires_at).filter(|_| rules.class == RecoveryClass::F && standing.has_refresh);
        match late.map(|end| end - 60_000) {
            None => window,
            Some(late) if refusal.class == FailureClass::GrantRejected => {
                // Late where that is later than a plain retry would be, and that is drawn.
                match (late > soon.0, late > soon.1) {
                    (true, true) => (late, late),
                    (true, false) => (window.0.min(late), window.1.max(late)),
                    (false, _) => window,
                }
            }
            Some(late) if refusal.class == FailureClass::Ambiguous || standing.unresolved => {
                both(window, |at| at.max(late))
            }
            Some(_) => window,
        }
    }

    fn keep(&mut self, spent: Credential, granted: Granted, began: u64) {
        let rules = &self.attempt.rules;
        let life = granted.lifetime.or(rules.default_lifetime);
        let next = self.renewal(&granted, life).map(millis);
        self.store(Kept {
            refused: None,
            asked_at: long(began),
            expires_at: life.map(|life| millis(granted.asked_at + life)),
            next: next.map(|next| (next, next)),
            keeps_previous: rules.class == RecoveryClass::M && spent == Credential::Current && granted.rotated,
            commits: 0,
            doubled: false,
            sent_back: false,
        });
    }

    /// The access token stays what it was, and the next try is that of the refusal.
    fn keep_alone(&mut self, sent: u64, refusal: &Refusal) {
        let standing = &self.attempt.standing;
        let told = refusal.class == FailureClass::Throttled && refusal.retry_after.is_some();
        let free = told || refusal.class == FailureClass::AppMisconfigured;
        self.store(Kept {
            refused: Some(refusal.class),
            asked_at: ms(standing.refreshed_at).unwrap_or(long(self.clock)),
            expires_at: ms(standing.expires_at),
            next: Some(self.window(sent, refusal, standing.failures + u32::from(!free))),
            keeps_previous: false,
            commits: 0,
            doubled: false,
            sent_back: false,
        });
    }

    fn store(&mut self, mut kept: Kept) {
        self.clock += self.world.spilled.0;
        let patience = self.clock + 15_000;
        loop {
            let answers = &self.world.committed;
            let (took, answer) = answers[kept.commits.min(answers.len() - 1)];
            kept.commits += 1;
            self.clock += took;
            match answer {
                Database::Away if self.clock < patience => self.clock += 250,
                Database::Away | Database::NoReason => break,
                Database::Answers(CommitOutcome::Committed | CommitOutcome::AlreadyCommitted) => {
                    self.story.end = End::Refreshed;
                    break;
                }
                Database::Answers(CommitOutcome::GenerationMoved) => {
                    kept.doubled = true;
                    self.story.end = End::Moved;
                    break;
                }
                Database::Answers(CommitOutcome::FamilyMoved | CommitOutcome::Gone) => {
                    kept.sent_back = true;
                    self.written(End::Moved);
                    break;
                }
            }
        }
        self.story.writes = Writes::Pair(kept);
    }

    fn renewal(&self, granted: &Granted, life: Option<Duration>) -> Option<Timestamp> {
        let (rules, standing, drawn) = (&self.attempt.rules, &self.attempt.standing, self.world.fraction);
        let now = instant(0) + Duration::from_millis(self.clock);
        let kept_alive = |idle: Duration| keep_alive(granted.asked_at, idle, drawn);
        let idle = granted.deadlines.refresh_idle_at.map(|end| (end - granted.asked_at).to_std().expect("ahead"));
        let Some(life) = life else { return idle.map(kept_alive) };
        let usual = rules.timing.refresh_at(granted.asked_at, life, drawn);
        // Nobody may ask before the provider's window opens.
        let quiet = idle.map(kept_alive).map(|at| if rules.timing.window.is_some() && at < usual { usual } else { at });
        let last_use = [Some(standing.granted_at), standing.used_at].into_iter().flatten().max().expect("consent");
        let asleep = now - last_use > chrono::Duration::hours(24);
        let rotates = [RecoveryClass::S, RecoveryClass::F].contains(&rules.class) && standing.has_refresh;
        if granted.unchanged {
            let ending = usual.max(granted.asked_at + life - secs(5));
            let wanted = quiet.map_or(ending, |quiet| quiet.min(ending));
            Some(wanted.max(now + secs(30)))
        } else if rotates && asleep {
            quiet.or_else(|| Some(kept_alive(secs(6 * 86_400)).max(usual)))
        } else if life < secs(15) {
            quiet
        } else {
            Some(quiet.map_or(usual, |quiet| quiet.min(usual)))
        }
    }
}

fn both((least, most): (i64, i64), bound: impl Fn(i64) -> i64) -> (i64, i64) {
    (bound(least), bound(most))
}

/// A wait and up to a tenth more.
fn stretched(now: i64, wait: i64) -> (i64, i64) {
    (now + wait, now + wait + wait / 10)
}
