//! Replies that need no words of the caller's own.

use actix_web::web::Bytes;
use serde::{Deserialize, Serialize};

/// A reply that no OAuth client can use, with status 200 unless the action says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Canned {
    /// A login page, as a proxy shows it.
    Html,
    /// Bytes that claim to be JSON and are no text at all.
    Garbage,
    /// No body.
    Empty,
}

impl Canned {
    /// Its body.
    pub const fn body(self) -> Bytes {
        Bytes::from_static(match self {
            Self::Html => {
                b"<!doctype html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"
            }
            Self::Garbage => b"{\"access_token\":\"\xff\xfe\x00\x80\",\"refresh_token\":[[[[{",
            Self::Empty => b"",
        })
    }

    /// Its media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Garbage | Self::Empty => "application/json",
        }
    }
}
