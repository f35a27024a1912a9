//! OAUTH1: RFC 5849.

use super::Loss;
use super::entry::Entry;
use super::fields::Fields;
use super::oauth2::{Parts, api, word};
use super::urls;
use serde_json::{Map, Value};

/// Three addresses, and how requests are signed.
pub(super) fn oauth1(entry: &mut Entry, fields: &mut Fields) -> Result<Parts, Loss> {
    let mut auth = Map::from_iter([word("type", "oauth1")]);
    for (theirs, ours) in
        [("request_url", "request_token_url"), ("authorization_url", "authorization_url"), ("token_url", "token_url")]
    {
        let url = entry.text(theirs).ok_or_else(|| Loss::new(theirs, "the entry has none"))?;
        auth.insert(ours.to_owned(), urls::url(theirs, &url, fields, &mut entry.lost)?.into());
    }
    if let Some(method) = entry.text("signature_method").filter(|method| method != "HMAC-SHA1") {
        auth.extend([word("signature_method", &method)]);
    }
    // There are no scopes to be separated.
    entry.text("scope_separator");
    for (theirs, ours) in [("request_params", "request_token_params"), ("authorization_params", "authorization_params")]
    {
        let mut params = Map::new();
        for (name, value) in entry.pairs(theirs) {
            let value = urls::value(&format!("{theirs}.{name}"), &value, fields, &mut entry.lost)?;
            params.insert(name, Value::from(value));
        }
        if !params.is_empty() {
            auth.insert(ours.to_owned(), params.into());
        }
    }
    Ok((auth, api(entry, fields)))
}
