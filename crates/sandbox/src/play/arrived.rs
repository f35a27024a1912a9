//! A request as it arrived, before anybody believes anything of it.

use url::Url;
use url::form_urlencoded;

/// A request.
pub struct Arrived {
    /// In capitals.
    pub method: String,
    /// Where it was meant to go: the provider's own address, not the one it was led to.
    pub url: Url,
    /// Header lines, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// The body of a request, by what it is announced as.
pub(super) enum Body {
    Nothing,
    Form(Vec<(String, String)>),
    Json(Vec<(String, String)>),
    Unreadable,
}

impl Arrived {
    /// Method, host and path, to be shown. Queries hold secrets at some providers.
    pub(super) fn place(&self) -> String {
        let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!("{} {}{port}{}", self.method, self.url.host_str().unwrap_or_default(), self.url.path())
    }

    /// The value of a header, if it stands there once.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        found.next().filter(|_| found.next().is_none())
    }

    /// The parameters of the query.
    pub(super) fn query(&self) -> Vec<(String, String)> {
        self.url.query_pairs().into_owned().collect()
    }

    /// The parameters of the body, and how they are written.
    pub(super) fn body(&self) -> Body {
        if self.body.is_empty() {
            return Body::Nothing;
        }
        match self.header("content-type") {
            Some("application/x-www-form-urlencoded") => {
                Body::Form(form_urlencoded::parse(&self.body).into_owned().collect())
            }
            Some("application/json") => match serde_json::from_slice::<serde_json::Map<_, _>>(&self.body) {
                Ok(members) => Body::Json(members.into_iter().map(|(name, value)| (name, as_text(&value))).collect()),
                Err(_) => Body::Unreadable,
            },
            Some(_) | None => Body::Unreadable,
        }
    }
}

/// A parameter in JSON is a text; anything else shows as what it is, and so as wrong.
fn as_text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
