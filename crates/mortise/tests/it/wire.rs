//! A wire to the sandbox that keeps all that went over it: the only place where a test can read what the program and the
//! provider tell each other.

use mortise_testkit::faults::FaultProxy;
use std::net::SocketAddr;

pub struct Wire(FaultProxy);

impl Wire {
    /// A wire to `target`, up for as long as the value.
    pub async fn to(target: SocketAddr) -> Self {
        let proxy = FaultProxy::to(target).await;
        proxy.keep();
        Self(proxy)
    }

    /// What URLs begin with that lead over this wire.
    pub fn base(&self) -> String {
        self.0.base()
    }

    /// Every value of a form field or of a text member of JSON of this name.
    pub fn values(&self, name: &str) -> Vec<String> {
        let kept = self.0.kept();
        let text = String::from_utf8_lossy(&kept);
        let after = |start: String, ends: &'static [char]| {
            text.split(&start)
                .skip(1)
                .map(|rest| rest.split(ends).next().unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
        };
        let mut found = after(format!("{name}="), &['&', ' ', '\r', '\n', '"']);
        found.extend(after(format!("\"{name}\":\""), &['"']));
        found.sort();
        found.dedup();
        found
    }
}
