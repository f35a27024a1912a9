//! Values to show a manifest with: what was given, defaults, and stand-ins for the rest.
//!
//! Invariant: a stand-in passes the check of its variable, and reads as the name of the variable wherever it turns up.

use crate::template::is_host_label;
use crate::{Manifest, ValueError, Values, Variable, VariableKind, resolve_values};

/// Values for all variables of `manifest`, of which some are `given`.
///
/// # Errors
/// What is wrong with the given ones, all at once.
pub fn sample_values(manifest: &Manifest, given: &Values) -> Result<Values, Vec<ValueError>> {
    let mut values = given.clone();
    for (name, variable) in &manifest.variables {
        if variable.default.is_none() && !values.contains_key(name) {
            values.insert(name.clone(), stand_in(name, variable));
        }
    }
    resolve_values(manifest, &values)
}

fn stand_in(name: &str, variable: &Variable) -> String {
    let hyphenated = name.replace('_', "-");
    let label = if is_host_label(&hyphenated) { hyphenated } else { "value".to_owned() };
    match variable.kind {
        VariableKind::Enum => variable.values.first().cloned().unwrap_or_default(),
        VariableKind::Domain => format!("{label}.{}", variable.suffix.as_deref().unwrap_or_default()),
        VariableKind::Host => format!("{label}.example"),
        VariableKind::HostLabel | VariableKind::PathSegment | VariableKind::Text => label,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    #[test]
    fn every_kind_has_a_stand_in_that_passes_and_what_is_given_wins() {
        let manifest = parse(
            "id: a\nname: A\nauth: {type: oauth2, grant: client_credentials, \
             token_url: 'https://{shop_name}.a.example/{tenant}/{region}', token_headers: {x: '{_}', host-name: '{host}', own: '{own}'}}\n\
             variables:\n  shop_name: {type: host_label, title: t}\n  tenant: {type: path_segment, title: t, default: common}\n  \
             region: {type: enum, title: t, values: [eu, us]}\n  _: {type: text, title: t}\n  \
             host: {type: domain, title: t, suffix: my.a.example}\n  own: {type: host, title: t}\n",
        );
        let manifest = manifest.unwrap_or_else(|found| panic!("{found:#?}"));
        let shown = |given: &[(&str, &str)]| {
            let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            sample_values(&manifest, &given)
        };
        let values = shown(&[("tenant", "acme")]).expect("values");
        let values: Vec<_> = values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = [
            ("_", "value"),
            ("host", "host.my.a.example"),
            ("own", "own.example"),
            ("region", "eu"),
            ("shop_name", "shop-name"),
            ("tenant", "acme"),
        ];
        assert_eq!(values, expected);
        assert_eq!(shown(&[("region", "mars"), ("nobody", "x")]).expect_err("two faults").len(), 2);
    }
}
