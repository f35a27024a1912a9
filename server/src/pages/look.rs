//! How things look that have no picture: initials on a colour, times, hosts with gaps.

use askama::Template;
use askama::filters::HtmlSafe;
use mortise_domain::Timestamp;

/// A name as initials on one of eight colours, always the same one for the same name. Nobody's logo is shown: a page that
/// anybody can register a provider for must not lend it somebody's face.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Avatar {
    pub(super) initials: String,
    pub(super) tone: u32,
}

impl Avatar {
    pub(super) fn of(name: &str) -> Self {
        let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let initials: String =
            words.filter_map(|word| word.chars().next()).take(2).flat_map(char::to_uppercase).collect();
        let initials = if initials.is_empty() { "?".to_owned() } else { initials };
        // FNV-1a: spreads short names over the colours.
        let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        Self { initials, tone: hash % 8 }
    }
}

/// An instant, for a program and for a person without a script.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(ext = "html", source = r#"<time datetime="{{ iso }}" {{ mode }}>{{ text }}</time>"#)]
pub(super) struct When {
    iso: String,
    text: String,
    /// What a script makes of it.
    mode: &'static str,
}

// Its own template has escaped what is in it.
impl HtmlSafe for When {}

impl When {
    /// To the second; a script turns it into "in 4 min".
    pub(super) fn relative(at: Timestamp) -> Self {
        Self::shown(at, "%Y-%m-%d %H:%M:%S UTC", "data-relative")
    }

    /// To the second; a script adds how long ago that is.
    pub(super) fn exact(at: Timestamp) -> Self {
        Self::shown(at, "%Y-%m-%d %H:%M:%S UTC", "data-age")
    }

    /// As a customer would say it; a script turns it into the customer's own time zone.
    pub(super) fn clock(at: Timestamp) -> Self {
        Self::shown(at, "%H:%M UTC", "data-clock")
    }

    fn shown(at: Timestamp, format: &str, mode: &'static str) -> Self {
        let iso = at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        Self { iso, text: at.format(format).to_string(), mode }
    }
}

/// A state in a word, on a colour that says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Template)]
#[template(ext = "html", source = r#"<span class="badge {{ tone }}">{{ word }}</span>"#)]
pub(super) struct Badge {
    pub(super) tone: &'static str,
    pub(super) word: &'static str,
}

impl HtmlSafe for Badge {}

/// A stretch of a host: written out, or a gap that a field fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostPart {
    pub(super) text: String,
    /// The field's name, where this is a gap.
    pub(super) gap: Option<String>,
}

/// `{subdomain}.acme.example` as a gap and a stretch; what is not well formed is taken literally.
pub(super) fn host_parts(host: &str) -> Vec<HostPart> {
    let literal = |text: &str| HostPart { text: text.to_owned(), gap: None };
    let mut parts = Vec::new();
    let mut rest = host;
    while let Some((before, (name, after))) = rest.split_once('{').and_then(|(b, a)| Some((b, a.split_once('}')?))) {
        parts.push(literal(before));
        parts.push(HostPart { text: format!("[{}]", name.replace('_', " ")), gap: Some(name.to_owned()) });
        rest = after;
    }
    parts.push(literal(rest));
    parts.retain(|part| !part.text.is_empty());
    parts
}

/// Whether a text can stand as one label of a host.
pub(super) fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_of_any_name() {
        for (name, initials) in
            [("Acme", "A"), ("Acme CRM Cloud", "AC"), ("größe öl", "GÖ"), ("<b>", "B"), ("…", "?"), ("", "?")]
        {
            assert_eq!(Avatar::of(name).initials, initials, "{name}");
        }
        assert_eq!(Avatar::of("Acme"), Avatar::of("Acme"));
    }

    #[test]
    fn hosts_with_gaps() {
        let shown = |host: &str| {
            host_parts(host)
                .iter()
                .map(|p| format!("{}{}", p.text, if p.gap.is_some() { "?" } else { "" }))
                .collect::<Vec<_>>()
        };
        assert_eq!(shown("acme.example"), ["acme.example"]);
        assert_eq!(shown("{my_shop}.acme.example:8443"), ["[my shop]?", ".acme.example:8443"]);
        assert_eq!(shown("login.{region}.acme.example"), ["login.", "[region]?", ".acme.example"]);
        assert_eq!(shown("{broken.acme"), ["{broken.acme"]);
    }
}
