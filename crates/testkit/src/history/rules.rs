//! The rules, one function each.

mod caller;
mod death;
mod provider;
mod timeline;

use super::account::Account;
use super::{History, Rule, Violation};

/// What a rule found.
type Found = Vec<Violation>;

/// Holds a history against every rule.
pub(super) fn check(history: &History) -> Found {
    let accounts = Account::all(history);
    let mut found = provider::overlap(history);
    found.extend(provider::strangers(history));
    for account in &accounts {
        found.extend(provider::unissued(account));
        found.extend(provider::stale(history, account));
        found.extend(timeline::chain(account));
        found.extend(provider::parent(account));
        found.extend(timeline::intent(history, account));
        found.extend(timeline::sent_after_end(history, account));
        found.extend(timeline::lost(history, account));
        found.extend(caller::published(history, account));
        found.extend(caller::monotonic(account));
        found.extend(death::false_death(account));
        found.extend(death::dead_though_alive(history, account));
    }
    found
}

fn against(rule: Rule, what: String) -> Violation {
    Violation { rule, what }
}
