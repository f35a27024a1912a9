//! The challenge of a resource that wants a token (RFC 9110 section 11.6.1, RFC 6750 section 3, RFC 9728 section 5.1).
//!
//! Invariant: pure, and total over any text.

/// No honest header is longer.
const LONGEST: usize = 8 * 1024;

/// What a resource says to whoever brings no token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Challenge {
    /// Where its metadata lies.
    pub resource_metadata: Option<String>,
    /// The scopes that the request needs, separated by spaces.
    pub scope: Option<String>,
}

/// Reads the value of `WWW-Authenticate`, several joined by commas. `None`: no challenge for a bearer or DPoP token.
pub fn read_challenge(header: &str) -> Option<Challenge> {
    let mut found = None;
    let mut rest = header.get(..LONGEST).unwrap_or(header);
    let mut ours = false;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find(|c: char| !is_token(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        if word.is_empty() {
            return found;
        }
        match behind.trim_start_matches([' ', '\t']).strip_prefix('=') {
            Some(behind) => {
                let (value, behind) = value(behind.trim_start_matches([' ', '\t']))?;
                if ours {
                    take(found.get_or_insert_with(Challenge::default), word, value);
                }
                rest = behind;
            }
            None => {
                ours = word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("dpop");
                if ours {
                    found.get_or_insert_with(Challenge::default);
                }
                rest = behind;
            }
        }
    }
}

/// The first of two with the same name counts.
fn take(challenge: &mut Challenge, name: &str, value: String) {
    let place = match name.to_ascii_lowercase().as_str() {
        "resource_metadata" => &mut challenge.resource_metadata,
        "scope" => &mut challenge.scope,
        _ => return,
    };
    place.get_or_insert(value);
}

/// A token or a quoted string, and what stands behind it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        // The padding of a `token68` is no value of ours, and is passed over with the rest.
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        let (value, behind) = text.split_at(end);
        return Some((value.to_owned(), behind));
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (index, c) in quoted.char_indices() {
        match c {
            _ if escaped => {
                value.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((value, quoted.get(index + 1..).unwrap_or_default())),
            _ => value.push(c),
        }
    }
    None
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~/".contains(c)
}
