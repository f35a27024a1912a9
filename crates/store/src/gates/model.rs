//! A row of `gates` as a gate, and back.

use crate::entity::gates::{ActiveModel, Model};
use crate::row::{Reading, impossible, write_json};
use crate::{Result, StoreError, time};
use mortise_domain::gate::{Breaker, Gate, GateId, Limits, Rate, Retries, Wave};
use sea_orm::ActiveValue::Set;
use uuid::Uuid;

/// The table counts in signed integers, of which none is negative.
fn count(row: Uuid, column: &'static str, stored: i32) -> Result<u32> {
    u32::try_from(stored).map_err(|_| impossible("gates", column, row))
}

fn stored(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

impl TryFrom<Model> for Gate {
    type Error = StoreError;

    fn try_from(model: Model) -> Result<Self> {
        let reading = Reading { table: "gates", row: model.id };
        let some_count = |column, value: Option<i32>| value.map(|value| count(model.id, column, value)).transpose();
        let requests = some_count("rate_requests", model.rate_requests)?;
        let seconds = some_count("rate_seconds", model.rate_seconds)?;
        let mints = some_count("mint_requests", model.mint_requests)?;
        let mint_seconds = some_count("mint_seconds", model.mint_seconds)?;
        let rate = |(requests, seconds)| Rate { requests, seconds };
        let limits = Limits {
            rate: requests.zip(seconds).map(rate),
            mint: mints.zip(mint_seconds).map(rate),
            concurrency: some_count("concurrency", model.concurrency)?,
        };
        let wave: Option<Wave> = model.wave.as_deref().map(|text| reading.json("wave", text)).transpose()?;
        Ok(Self {
            id: GateId::new(reading.word("kind", &model.kind)?, model.id),
            limits,
            arrival: model.arrival,
            closed_until: reading.some_time("closed_until", model.closed_until)?,
            breaker: Breaker {
                failures: count(model.id, "failures", model.failures)?,
                failing_since: reading.some_time("failing_since", model.failing_since)?,
                opened_at: reading.some_time("opened_at", model.opened_at)?,
                next_probe_at: reading.some_time("next_probe_at", model.next_probe_at)?,
            },
            retries: Retries {
                credit: count(model.id, "retry_credit", model.retry_credit)?,
                floor_at: reading.some_time("retry_floor_at", model.retry_floor_at)?,
            },
            wave: wave.unwrap_or_default(),
            trouble_at: reading.some_time("trouble_at", model.trouble_at)?,
            spreading_until: reading.some_time("spreading_until", model.spreading_until)?,
        })
    }
}

/// The columns of a gate's limits.
pub(super) fn limits(limits: Limits) -> ActiveModel {
    ActiveModel {
        rate_requests: Set(limits.rate.map(|rate| stored(rate.requests))),
        rate_seconds: Set(limits.rate.map(|rate| stored(rate.seconds))),
        concurrency: Set(limits.concurrency.map(stored)),
        mint_requests: Set(limits.mint.map(|rate| stored(rate.requests))),
        mint_seconds: Set(limits.mint.map(|rate| stored(rate.seconds))),
        ..Default::default()
    }
}

/// The whole row.
pub(super) fn row(gate: &Gate) -> Result<ActiveModel> {
    let wave = if gate.wave.is_still() { None } else { Some(write_json(&gate.wave)?) };
    Ok(ActiveModel {
        id: Set(gate.id.as_uuid()),
        kind: Set(gate.id.kind().as_str().to_owned()),
        arrival: Set(gate.arrival),
        closed_until: Set(gate.closed_until.map(time::to_millis)),
        failures: Set(stored(gate.breaker.failures)),
        failing_since: Set(gate.breaker.failing_since.map(time::to_millis)),
        opened_at: Set(gate.breaker.opened_at.map(time::to_millis)),
        next_probe_at: Set(gate.breaker.next_probe_at.map(time::to_millis)),
        retry_credit: Set(stored(gate.retries.credit)),
        retry_floor_at: Set(gate.retries.floor_at.map(time::to_millis)),
        wave: Set(wave),
        trouble_at: Set(gate.trouble_at.map(time::to_millis)),
        spreading_until: Set(gate.spreading_until.map(time::to_millis)),
        ..limits(gate.limits)
    })
}
