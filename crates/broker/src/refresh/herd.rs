//! Herds taken apart: what everybody missed while a provider, the database or all processes were away comes evenly and not
//! at once, the most urgent first.
//!
//! Invariant: one process at a time spreads a provider's backlog, and whoever comes second finds nothing to do: so anybody
//! may begin, whoever notices first.

use super::{Engine, Seams};
use crate::Result;
use mortise_domain::gate::{GateId, Rate};
use mortise_domain::{AppKey, ConnectorKey, Timestamp, smear};
use mortise_store::Overdue;
use std::collections::BTreeMap;
use std::time::Duration;

/// What has been due for so long was missed by everybody: a worker that is well takes it within seconds.
pub(super) const MISSED_AFTER: Duration = Duration::from_secs(120);
/// How many a second are taken where no rate is known. So many are no herd.
pub(crate) const USUAL_RATE: u64 = 50;

impl Engine {
    /// Has a provider's backlog spread, and does not wait for it.
    pub(super) fn take_apart(&self, provider: ConnectorKey) {
        let seams = self.seams.clone();
        let spreading = async move {
            match spread(&seams, provider).await {
                Ok(0) => {}
                Ok(spread) => tracing::info!(%provider, spread, "overdue refreshes were spread"),
                // Claims leave what was missed alone until somebody has spread it, so the next one has it tried again.
                Err(error) => tracing::error!(%provider, error = ?error, "overdue refreshes could not be spread"),
            }
        };
        self.tasks.spawn_on(spreading, &self.runtime);
    }
}

async fn spread(seams: &Seams, provider: ConnectorKey) -> Result<u64> {
    let held: Vec<AppKey> = seams.ledger.apps_held().await?.into_iter().map(|(app, _)| app).collect();
    let gates = seams.ledger.gates().await?;
    let rates = gates.iter().filter_map(|gate| Some((gate.id, gate.limits.rate?))).collect();
    let mut pace = Pace { provider, rates, placed: BTreeMap::new() };
    let mut place = |overdue: Overdue| pace.place(&overdue, seams.entropy.fraction());
    Ok(seams.ledger.connections_smear(provider, &held, &mut place).await?.unwrap_or_default())
}

/// How fast a backlog is worked off.
struct Pace {
    provider: ConnectorKey,
    rates: BTreeMap<GateId, Rate>,
    /// How many of each app have a time, where the app has a rate of its own.
    placed: BTreeMap<AppKey, u32>,
}

impl Pace {
    /// Each of many gets its own part of the time, so that they come evenly and not as chance has it.
    fn place(&mut self, overdue: &Overdue, fraction: f64) -> Timestamp {
        let at = match self.rates.get(&GateId::Provider(self.provider)) {
            None if overdue.total <= USUAL_RATE => overdue.now,
            rate => placed(overdue, rate.copied(), fraction),
        };
        let Some(own) = self.rates.get(&GateId::App(overdue.app)) else { return at };
        let before = self.placed.entry(overdue.app).or_default();
        let turn = overdue.now + own.interval().saturating_mul(*before);
        *before = before.saturating_add(1);
        at.max(turn)
    }
}

fn placed(overdue: &Overdue, rate: Option<Rate>, fraction: f64) -> Timestamp {
    let drain = match rate {
        Some(rate) => rate.interval().mul_f64(overdue.total as f64),
        None => Duration::from_secs(overdue.total / USUAL_RATE),
    };
    let ends = [overdue.expires_at, overdue.refresh_idle_at, overdue.grant_expires_at];
    let remaining =
        ends.into_iter().flatten().min().map_or(drain, |end| (end - overdue.now).to_std().unwrap_or_default());
    smear(overdue.now, remaining, drain, (overdue.index as f64 + fraction) / overdue.total.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mortise_domain::ConnectionId;
    use uuid::Uuid;

    /// Half an hour of outage with fifty thousand overdue, whose tokens have ended.
    const HERD: u64 = 50_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn overdue(app: u128, index: u64, total: u64, expires_at: Option<Timestamp>) -> Overdue {
        Overdue {
            id: ConnectionId::from_uuid(Uuid::from_u128(index.into())),
            app: AppKey::from_uuid(Uuid::from_u128(app)),
            now: at(0),
            total,
            index,
            expires_at,
            refresh_idle_at: None,
            grant_expires_at: None,
        }
    }

    fn pace(rates: &[(GateId, Rate)]) -> Pace {
        let provider = ConnectorKey::from_uuid(Uuid::from_u128(7));
        Pace { provider, rates: rates.iter().copied().collect(), placed: BTreeMap::new() }
    }

    /// How many fall into each second.
    fn drain(pace: &mut Pace, total: u64, expires_at: Option<Timestamp>) -> Vec<u64> {
        let mut seconds = Vec::new();
        for index in 0..total {
            let row = overdue(index.into(), index, total, expires_at);
            let second = (pace.place(&row, 0.999 * (index % 2) as f64) - row.now).num_seconds() as usize;
            seconds.resize(seconds.len().max(second + 1), 0);
            seconds[second] += 1;
        }
        seconds
    }

    fn is_flat(seconds: &[u64], total: u64) -> bool {
        let mean = total as f64 / seconds.len() as f64;
        let half = seconds.iter().take(seconds.len().div_ceil(2)).sum::<u64>();
        seconds.iter().all(|count| *count as f64 <= 1.5 * mean) && half * 2 >= total
    }

    #[test]
    fn a_herd_comes_evenly_at_the_providers_rate() {
        let rate = Rate { requests: 24_000, seconds: 60 };
        let provider = GateId::Provider(ConnectorKey::from_uuid(Uuid::from_u128(7)));
        let seconds = drain(&mut pace(&[(provider, rate)]), HERD, Some(at(-60)));
        assert!(is_flat(&seconds, HERD), "{seconds:?}");
        assert!(seconds.iter().all(|count| *count <= 400), "more than the provider allows: {seconds:?}");
        assert!((125..=130).contains(&seconds.len()), "{}", seconds.len());
    }

    #[test]
    fn a_herd_comes_evenly_where_no_rate_is_known() {
        let seconds = drain(&mut pace(&[]), HERD, Some(at(-60)));
        assert!(is_flat(&seconds, HERD), "{seconds:?}");
        assert_eq!(seconds.len(), 1_000);
    }

    #[test]
    fn tokens_that_live_are_renewed_over_the_life_they_have_left() {
        let seconds = drain(&mut pace(&[]), HERD, Some(at(7_260)));
        assert!(is_flat(&seconds, HERD), "{seconds:?}");
        assert_eq!(seconds.len(), 7_200);
    }

    #[test]
    fn a_seconds_worth_is_no_herd() {
        assert_eq!(drain(&mut pace(&[]), USUAL_RATE, Some(at(7_260))), [USUAL_RATE]);
    }

    #[test]
    fn an_apps_own_rate_spreads_its_own_further() {
        let slow = GateId::App(AppKey::from_uuid(Uuid::from_u128(1)));
        let mut pace = pace(&[(slow, Rate { requests: 1, seconds: 10 })]);
        let times: Vec<i64> = (0..4)
            .map(|index| (pace.place(&overdue(u128::from(index % 2), index, 4, None), 0.5) - at(0)).num_seconds())
            .collect();
        assert_eq!(times, [0, 0, 0, 10]);
    }
}
