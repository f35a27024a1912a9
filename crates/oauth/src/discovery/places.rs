//! Where metadata lies: well-known paths (RFC 8615) between host and path.

use url::Url;

/// Where an issuer's metadata may lie, in the order in which it is looked for: RFC 8414 section 3.1, its form for OpenID
/// Connect (section 5), and where OpenID Connect Discovery 1.0 section 4.1 itself puts it.
pub(super) fn of_issuer(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let mut places = vec![
        at(issuer, &format!("/.well-known/oauth-authorization-server{path}")),
        at(issuer, &format!("/.well-known/openid-configuration{path}")),
    ];
    if !path.is_empty() {
        places.push(at(issuer, &format!("{path}/.well-known/openid-configuration")));
    }
    places
}

/// Where a resource's metadata may lie where it does not say so itself (RFC 9728 section 3.1).
pub(super) fn of_resource(resource: &Url) -> Vec<Url> {
    let path = resource.path().trim_end_matches('/');
    let mut own = at(resource, &format!("/.well-known/oauth-protected-resource{path}"));
    own.set_query(resource.query());
    let mut places = vec![own];
    if !path.is_empty() {
        places.push(at(resource, "/.well-known/oauth-protected-resource"));
    }
    places
}

fn at(base: &Url, path: &str) -> Url {
    let mut place = base.clone();
    place.set_path(path);
    place.set_query(None);
    place.set_fragment(None);
    place
}
