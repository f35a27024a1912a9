//! What may go wrong at a provider that was asked as it should be.

use super::reply::put;
use super::{Answered, Played};
use mortise_connectors::RetryUnit;
use serde_json::json;

/// What a request is met with instead of an answer. It takes no effect.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// An error code where the manifest says that there is one.
    Error {
        /// The code.
        code: String,
        /// The status.
        status: u16,
    },
    /// A finer code, where the manifest says that there is one, beside an error that says nothing.
    Detail {
        /// The finer code.
        code: String,
    },
    /// Fewer requests, please: status 429 with the provider's own header, or `Retry-After`.
    Overloaded {
        /// The wait that is asked for, in seconds.
        wait: i64,
    },
    /// Just this.
    Reply {
        /// The status.
        status: u16,
        /// `Content-Type`.
        content_type: &'static str,
        /// The body.
        body: &'static str,
    },
}

impl Played {
    pub(super) fn troubled(&self, trouble: &Trouble, now: i64) -> Answered {
        match trouble {
            Trouble::Error { code, status } => {
                let mut answered = self.refusal(code, *status, now);
                // Asked for with status 200, it comes so even where nothing else tells success from failure.
                answered.status = if *status == 200 { 200 } else { answered.status };
                answered
            }
            Trouble::Detail { code } => {
                let Some(shape) = self.shape() else { return Answered::empty(400) };
                let mut document = json!({});
                put(&mut document, &shape.error, json!("unexplained"));
                if let Some(detail) = &shape.error_detail {
                    put(&mut document, detail, json!(code));
                }
                if let Some(ok) = &shape.ok {
                    put(&mut document, ok, json!(false));
                }
                Answered::json(400, &document)
            }
            Trouble::Overloaded { wait } => {
                let mut answered = Answered::empty(429);
                answered.headers.push(match self.auth().and_then(|auth| auth.retry_hint.as_ref()) {
                    Some(hint) => {
                        let number = match hint.unit {
                            RetryUnit::Seconds => *wait,
                            RetryUnit::Milliseconds => wait * 1000,
                            RetryUnit::UnixSeconds => now + wait,
                        };
                        (hint.header.to_ascii_lowercase(), number.to_string())
                    }
                    None => ("retry-after".to_owned(), wait.to_string()),
                });
                answered
            }
            Trouble::Reply { status, content_type, body } => Answered::text(*status, content_type, *body),
        }
    }
}
