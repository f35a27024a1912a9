//! What the consent page says, worked out before the template writes it down.

use super::super::look::{Avatar, HostPart, When, host_parts, is_label};
use super::super::notice::{Notice, Tone};
use crate::State;
use askama::Template;
use mortise_broker::{AppChoice, ConnectPage, CredentialKind, Fault, Field, Result};
use mortise_domain::AppId;
use std::collections::BTreeMap;
use std::net::IpAddr;
use url::Url;

/// What somebody sent that did not go through.
pub(super) struct Attempted {
    pub(super) app: String,
    pub(super) typed: BTreeMap<String, String>,
    pub(super) faults: Vec<Fault>,
}

#[derive(Template)]
#[template(path = "connect.html")]
pub(super) struct ConnectTemplate {
    asker: String,
    face: Avatar,
    customer: String,
    choices: Vec<ChoiceView>,
    repairs: bool,
    back_to: Option<String>,
    expires: When,
    csrf: String,
    faulty: bool,
}

/// One provider with its form.
struct ChoiceView {
    app: String,
    provider: String,
    face: Avatar,
    description: Option<String>,
    host: Vec<HostPart>,
    scopes: Vec<(String, Option<String>)>,
    fields: Vec<FieldView>,
    redirects: bool,
    enters_code: bool,
    pastes: bool,
    open: bool,
    /// Faults that belong to no field.
    faults: Vec<String>,
}

struct FieldView {
    /// Unique in the page.
    id: String,
    name: String,
    title: String,
    description: Option<String>,
    values: Vec<String>,
    value: String,
    /// Whether it is a credential, and hidden while it is typed.
    pasted: Option<bool>,
    /// Whether it has several lines.
    document: bool,
    example: Option<String>,
    required: bool,
    /// What stands around the value in the host that it becomes part of.
    around: Option<(Vec<HostPart>, Vec<HostPart>)>,
    fault: Option<String>,
}

impl ConnectTemplate {
    pub(super) fn of(page: ConnectPage, csrf: String, attempted: Option<&Attempted>) -> Self {
        let several = page.choices.len() > 1;
        let tried = |app: &str| attempted.filter(|attempted| attempted.app == app);
        let choice = |(index, choice): (usize, AppChoice)| {
            let tried = tried(choice.app.as_str());
            ChoiceView::of(index, choice, tried, !several)
        };
        let choices: Vec<_> = page.choices.into_iter().enumerate().map(choice).collect();
        let host_of = |url: &String| Url::parse(url).ok()?.host_str().map(str::to_owned);
        Self {
            face: Avatar::of(&page.asker),
            asker: page.asker,
            customer: page.customer,
            repairs: page.repairs,
            back_to: page.return_url.as_ref().and_then(host_of),
            expires: When::clock(page.expires_at),
            csrf,
            faulty: attempted.is_some(),
            choices,
        }
    }

    /// The only choice, if it is none.
    fn single(&self) -> Option<&ChoiceView> {
        match self.choices.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }
}

impl ChoiceView {
    fn of(index: usize, choice: AppChoice, tried: Option<&Attempted>, alone: bool) -> Self {
        let mut faults: BTreeMap<&str, &str> = BTreeMap::new();
        for fault in tried.iter().flat_map(|tried| &tried.faults) {
            faults.insert(fault.pointer.trim_start_matches('/'), &fault.detail);
        }
        let field = |(number, field): (usize, Field)| {
            let typed = tried.and_then(|tried| tried.typed.get(&field.name)).cloned();
            let fault = faults.remove(field.name.as_str()).map(sentence);
            FieldView::of(format!("f{index}-{number}"), field, typed, fault)
        };
        let fields: Vec<_> = choice.fields.into_iter().enumerate().map(field).collect();
        let mut host = host_parts(&choice.host);
        for part in &mut host {
            let filled = fields.iter().find(|field| part.gap.as_ref() == Some(&field.name) && is_label(&field.value));
            if let Some(field) = filled {
                part.text.clone_from(&field.value);
            }
        }
        Self {
            app: choice.app.to_string(),
            face: Avatar::of(&choice.provider),
            provider: choice.provider,
            description: choice.description,
            host,
            scopes: choice.scopes,
            fields,
            redirects: choice.redirects,
            enters_code: choice.enters_code,
            pastes: choice.pastes,
            open: alone || tried.is_some(),
            faults: faults.into_values().map(sentence).collect(),
        }
    }
}

impl ChoiceView {
    fn is_faulty(&self) -> bool {
        !self.faults.is_empty() || self.fields.iter().any(|field| field.fault.is_some())
    }
}

impl FieldView {
    /// The ids of what explains it, for whoever cannot see that it stands close by.
    fn described_by(&self) -> String {
        let parts =
            [(self.description.is_some(), "hint"), (self.around.is_some(), "part"), (self.fault.is_some(), "fault")];
        let ids = parts.into_iter().filter(|(there, _)| *there).map(|(_, part)| format!("{}-{part}", self.id));
        ids.collect::<Vec<_>>().join(" ")
    }

    /// How the form calls it.
    fn form_name(&self) -> String {
        let prefix = if self.pasted.is_some() { super::PASTED } else { super::FIELD };
        format!("{prefix}{}", self.name)
    }

    /// What was pasted is never in `typed`, so that no page repeats it.
    fn of(id: String, field: Field, typed: Option<String>, fault: Option<String>) -> Self {
        let gap = format!("{{{}}}", field.name);
        let around = field.becomes.as_deref().and_then(|host| host.split_once(&gap));
        Self {
            id,
            around: around.map(|(before, after)| (host_parts(before), host_parts(after))),
            pasted: field.pasted.map(|kind| kind != CredentialKind::Text),
            document: field.pasted == Some(CredentialKind::Document),
            example: field.example,
            required: field.default.is_none(),
            value: typed.or(field.default).unwrap_or_default(),
            name: field.name,
            title: field.title,
            description: field.description,
            values: field.values,
            fault,
        }
    }
}

/// The sources that the consent page's forms may lead to. Chromium holds `form-action` against the whole chain of
/// redirects that follows a form: the provider, its own way to its sign-in, our callback, and the return URL. So every
/// `https` host is allowed, and the few plain ones that this very page leads to.
pub(super) fn form_sources(page: &ConnectPage) -> String {
    let mut sources = vec!["'self'".to_owned(), "https:".to_owned()];
    for choice in &page.choices {
        sources.extend(plain_origin(&format!("http://{}", choice.host)));
    }
    sources.extend(page.return_url.as_deref().and_then(plain_origin));
    sources.dedup();
    sources.join(" ")
}

/// The same for a form that leads to one of these.
pub(in super::super) fn sources_of(urls: &[String]) -> String {
    let mut sources = vec!["'self'".to_owned(), "https:".to_owned()];
    sources.extend(urls.iter().filter_map(|url| plain_origin(url)));
    sources.dedup();
    sources.join(" ")
}

/// The origin of a plain `http` URL on this machine or in a private network, where alone such a provider may live.
fn plain_origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "http")?;
    let host = url.host_str()?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let local = host == "localhost" || bare.parse::<IpAddr>().is_ok();
    local.then(|| url.origin().ascii_serialization())
}

/// What was typed, without what people paste along with it: space, `https://`, and the rest of the host.
pub(super) async fn tidied(
    state: &State,
    token: &str,
    app: &AppId,
    typed: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>> {
    let mut values: BTreeMap<_, _> =
        typed.iter().map(|(name, value)| (name.clone(), value.trim().to_owned())).collect();
    if values.is_empty() {
        return Ok(values);
    }
    let page = state.broker.connect_page(token).await?;
    let fields = page.choices.into_iter().filter(|choice| choice.app == *app).flat_map(|choice| choice.fields);
    for Field { name, becomes, .. } in fields {
        let (Some(value), Some(host)) = (values.get_mut(&name), becomes) else { continue };
        if let Some((before, after)) = host.split_once(&format!("{{{name}}}")) {
            *value = label_of(value, before, after).to_owned();
        }
    }
    Ok(values)
}

/// `demo` out of `https://demo.acme.example/`. What does not fit is left for the broker to judge.
fn label_of<'a>(typed: &'a str, before: &str, after: &str) -> &'a str {
    let host = typed.trim_start_matches("https://").trim_end_matches('/');
    host.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).filter(|label| is_label(label)).unwrap_or(typed)
}

pub(super) fn nothing_to_connect(asker: &str) -> Notice {
    let message = format!("{asker} sent you here, but has not set up anything to connect yet.");
    Notice::new(Tone::Calm, "There is nothing to connect", &message, "Tell the people who sent you the link.")
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
