//! Stand-ins of a provider's documentation that were copied where a variable was meant: `https://YOUR_SHOP.acme.example`.
//!
//! Invariant: a warning at most, because a provider may really be called so. Deliberately absent: guesses at the end of a
//! host name, which names the provider, and at its parts in lower case that are words of every day.

use super::Findings;
use crate::diagnostic::Code;
use crate::template::is_name;

/// Labels that documentations write in lower case for a part that is each customer's own.
const WORDS: &[&str] = &["mycompany", "my-company", "mydomain", "my-domain", "mytenant", "my-tenant", "subdomain"];
/// The same in capitals, in which providers write words of their own, too.
const IN_CAPITALS: &[&str] =
    &["ACCOUNT", "COMPANY", "DOMAIN", "INSTANCE", "REALM", "REGION", "SHOP", "STORE", "SUBDOMAIN", "TENANT"];

/// Warns of parts of a URL that look like such a stand-in.
pub(super) fn check(path: &str, url: &str, found: &mut Findings) {
    for part in stand_ins(url) {
        let name = name_of(part);
        let message = format!(
            "`{part}` looks like the documentation's stand-in for what is each customer's own: write `{{{name}}}`, and \
             `{name}` under `variables`"
        );
        found.add(Code::StandIn, path, message).warning();
    }
}

/// What was probably meant, where a template or a URL is written as other tools write them.
pub(super) fn meant(text: &str) -> Option<String> {
    let between = |open: &str, close: &str| {
        let (_, rest) = text.split_once(open)?;
        Some(rest.split_once(close)?.0.trim())
    };
    let inner = between("{{", "}}").or_else(|| between("${", "}")).or_else(|| between("<", ">"))?;
    let name = name_of(inner.rsplit('.').next().unwrap_or(inner));
    Some(format!("write `{{{name}}}`, and `{name}` under `variables`"))
}

fn stand_ins(url: &str) -> Vec<&str> {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, segments) = rest.split_once('/').unwrap_or((rest, ""));
    let labels: Vec<_> = authority.split(':').next().unwrap_or_default().split('.').collect();
    let own = labels.len().saturating_sub(2);
    let in_host = labels.iter().enumerate().filter(|(at, label)| {
        if *at < own || labels.len() == 1 { is_word(label) } else { shouts(label) && is_yours(label) }
    });
    let in_path = segments.split('/').filter(|segment| stands_in_path(segment));
    in_host.map(|(_, label)| *label).chain(in_path).collect()
}

fn is_word(label: &str) -> bool {
    let shouted = shouts(label) && (label.contains('_') || is_in_capitals(label));
    shouted || is_yours(label) || WORDS.contains(&label.to_ascii_lowercase().as_str())
}

fn is_yours(label: &str) -> bool {
    label.to_ascii_lowercase().starts_with("your")
}

/// Hosts are written in small letters; one in capitals may still be one.
fn shouts(label: &str) -> bool {
    !label.contains('{') && label.bytes().any(|byte| byte.is_ascii_uppercase()) && label.to_ascii_uppercase() == label
}

fn is_in_capitals(part: &str) -> bool {
    IN_CAPITALS.iter().any(|word| part == *word || part == format!("{word}_ID"))
}

fn stands_in_path(segment: &str) -> bool {
    let yours = ["your_", "your-", "YOUR"].iter().any(|start| segment.starts_with(start));
    let colon = segment.strip_prefix(':').is_some_and(|name| is_name(&name.to_ascii_lowercase()));
    yours || colon || is_in_capitals(segment)
}

/// A variable's name made of what stands there.
fn name_of(part: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let name: String = part.chars().map(plain).collect();
    let name = name.trim_matches('_');
    let name = name.strip_prefix("your").map_or(name, |rest| rest.trim_matches('_'));
    let name: String = name.chars().take(40).collect();
    if is_name(&name) { name } else { "subdomain".to_owned() }
}

#[cfg(test)]
mod tests {
    use crate::lint;

    fn said(url: &str) -> Vec<(&'static str, String)> {
        let text =
            format!("id: acme\nname: Acme\nauth:\n  type: oauth2\n  grant: client_credentials\n  token_url: '{url}'\n");
        lint(&text).into_iter().map(|found| (found.code, found.message)).collect()
    }

    #[test]
    fn a_stand_in_that_was_copied_is_a_warning_with_the_variable_to_write() {
        for (url, part, name) in [
            ("https://YOUR_SHOP.acme.example/token", "YOUR_SHOP", "shop"),
            ("https://your-domain.acme.example/token", "your-domain", "domain"),
            ("https://yourinstance.acme.example/token", "yourinstance", "instance"),
            ("https://SUBDOMAIN.acme.example:8443/token", "SUBDOMAIN", "subdomain"),
            ("https://mycompany.acme.example/token", "mycompany", "mycompany"),
            ("https://YOUR_DOMAIN/token", "YOUR_DOMAIN", "domain"),
            ("https://YOURSHOP.example/token", "YOURSHOP", "shop"),
            ("https://acme.example/TENANT_ID/token", "TENANT_ID", "tenant_id"),
            ("https://acme.example/YOUR_TENANT/token?a=b", "YOUR_TENANT", "tenant"),
            ("https://acme.example/:tenant/token", ":tenant", "tenant"),
        ] {
            let said = said(url);
            assert_eq!(said.len(), 1, "{url}: {said:?}");
            assert_eq!(said[0].0, "stand_in", "{url}");
            let told = format!(
                "`{part}` looks like the documentation's stand-in for what is each customer's own: write `{{{name}}}`, and `{name}` under `variables`"
            );
            assert_eq!(said[0].1, told, "{url}");
        }
    }

    #[test]
    fn names_of_providers_and_words_of_paths_are_none() {
        for url in [
            "https://yourls.example/token",
            "https://api.yourcrm.example/token",
            "https://my.acme.example/token",
            "https://ACME.example/token",
            "https://MCP.Acme-Shop.example/token",
            "https://API.acme.example/token",
            "https://acme.example/REST/API/token",
            "https://acme.example/v1:token",
            "https://acme.example/token?next=YOUR_SHOP",
        ] {
            assert_eq!(said(url), [], "{url}");
        }
    }

    #[test]
    fn variables_as_other_tools_write_them_are_told_how_they_are_written_here() {
        for url in [
            "https://{{shop}}.acme.example/token",
            "https://{{ shop }}.acme.example/token",
            "https://${connectionConfig.shop}.acme.example/token",
            "https://${shop}.acme.example/token",
            "https://<shop>.acme.example/token",
            "https://<your-shop>.acme.example/token",
        ] {
            let said = said(url);
            assert!(
                said.iter().any(|(_, message)| message.contains("write `{shop}`, and `shop` under `variables`")),
                "{url}: {said:?}"
            );
        }
    }
}
