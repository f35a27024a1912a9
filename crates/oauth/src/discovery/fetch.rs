//! Getting a document: one plain `GET` without credentials, through the one client.

use super::fault::DiscoveryError;
use crate::{Failure, Header, Method, Outbound, Reply, Transport};
use std::time::Duration;
use url::Url;

/// Somebody waits for it.
const DEADLINE: Duration = Duration::from_secs(10);

/// What was found wrong on the way, and whether it may pass.
#[derive(Default)]
pub(super) struct Tried {
    places: Vec<(String, String)>,
    unreachable: bool,
}

impl Tried {
    pub(super) fn note(&mut self, place: &Url, why: impl Into<String>) {
        self.places.push((place.to_string(), why.into()));
    }

    pub(super) fn into_error(self) -> DiscoveryError {
        DiscoveryError { tried: self.places, unreachable: self.unreachable }
    }

    /// The first place that has a document which `read` takes.
    pub(super) async fn first<T>(
        &mut self,
        transport: &dyn Transport,
        places: Vec<Url>,
        read: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Option<T> {
        for place in places {
            let reply = match get(transport, &place, "application/json").await {
                Ok(reply) => reply,
                Err(failure) => {
                    self.unreachable |= !failure.is_ours();
                    self.note(&place, failure.detail);
                    continue;
                }
            };
            match reply.status {
                200 => match read(&reply.body) {
                    Ok(document) => return Some(document),
                    Err(why) => self.note(&place, why),
                },
                status => {
                    self.unreachable |= status == 429 || status >= 500;
                    self.note(&place, format!("it answers with status {status}"));
                }
            }
        }
        None
    }
}

/// A request for what anybody may see.
pub(super) async fn get(transport: &dyn Transport, place: &Url, accept: &str) -> Result<Reply, Failure> {
    let mut request = Outbound::new(Method::Get, place.clone(), DEADLINE);
    request.headers.push(Header::new("accept", accept));
    Ok(transport.send(request).await?)
}
