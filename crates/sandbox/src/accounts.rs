//! The people who can consent at the sandbox: two, so that landing on the wrong account can be tried.

/// A made-up user.
pub struct Account {
    /// The stable id (`sub`).
    pub id: &'static str,
    /// The name to show.
    pub name: &'static str,
    /// An address that can never be delivered to (RFC 2606).
    pub email: &'static str,
}

/// Everybody; the first is preselected on the consent page.
pub const ACCOUNTS: [Account; 2] = [
    Account { id: "alex", name: "Alex Sand", email: "alex@sandbox.example" },
    Account { id: "robin", name: "Robin Dune", email: "robin@sandbox.example" },
];

/// The account called `id`.
pub fn account(id: &str) -> Option<&'static Account> {
    ACCOUNTS.iter().find(|account| account.id == id)
}
