//! Apps, as far as refreshes know them: active or held.

use super::books::{Books, whole};
use crate::row::short;
use mortise_domain::{AppKey, ConnectorKey, Timestamp};

/// An app.
#[derive(Debug)]
pub(super) struct AppRow {
    pub(super) provider: ConnectorKey,
    hold: Option<Hold>,
}

/// Why its client is not used, and when it is tried next.
#[derive(Debug)]
struct Hold {
    reason: String,
    next_probe_at: Timestamp,
}

impl Books {
    pub(super) fn add_app(&mut self, key: AppKey, provider: ConnectorKey) {
        self.apps.entry(key).or_insert(AppRow { provider, hold: None });
    }

    pub(super) fn held_reason(&self, key: AppKey) -> Option<String> {
        Some(self.apps.get(&key)?.hold.as_ref()?.reason.clone())
    }

    pub(super) fn app_hold(&mut self, key: AppKey, reason: &str, next_probe_at: Timestamp) -> bool {
        let Some(app) = self.apps.get_mut(&key).filter(|app| app.hold.is_none()) else { return false };
        app.hold = Some(Hold { reason: short(reason), next_probe_at: whole(next_probe_at) });
        true
    }

    pub(super) fn app_release(&mut self, key: AppKey) -> bool {
        self.apps.get_mut(&key).is_some_and(|app| app.hold.take().is_some())
    }

    pub(super) fn app_probe_claim(&mut self, key: AppKey, due: Option<Timestamp>, next: Timestamp) -> bool {
        let hold = self.apps.get_mut(&key).and_then(|app| app.hold.as_mut());
        let Some(hold) = hold.filter(|hold| due.map(whole) == Some(hold.next_probe_at)) else { return false };
        hold.next_probe_at = whole(next);
        true
    }

    pub(super) fn apps_held(&self) -> Vec<(AppKey, Option<Timestamp>)> {
        let held = |(key, app): (&AppKey, &AppRow)| Some((*key, Some(app.hold.as_ref()?.next_probe_at)));
        self.apps.iter().filter_map(held).collect()
    }
}
