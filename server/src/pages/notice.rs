//! Short messages: what happened, and what to do next.

use askama::Template;

/// How a message looks. Its words say the same without the colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// It is done.
    Good,
    /// It did not happen, and nobody did anything wrong.
    Calm,
    /// It failed, or was stopped.
    Bad,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Calm => "calm",
            Self::Bad => "bad",
        }
    }
}

/// A page of one message.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "notice.html")]
pub(super) struct Notice {
    pub(super) tone: Tone,
    pub(super) title: String,
    pub(super) message: String,
    pub(super) advice: String,
    /// A word or two for whoever helps: a sanitised error code, or a request's id.
    pub(super) detail: Option<(&'static str, String)>,
    /// Where to go on, and the words on the button.
    pub(super) action: Option<(String, &'static str)>,
}

impl Notice {
    pub(super) fn new(tone: Tone, title: &str, message: &str, advice: &str) -> Self {
        let [title, message, advice] = [title, message, advice].map(str::to_owned);
        Self { tone, title, message, advice, detail: None, action: None }
    }

    pub(super) fn with_detail(mut self, label: &'static str, detail: impl Into<String>) -> Self {
        self.detail = Some((label, detail.into()));
        self
    }

    pub(super) fn with_action(mut self, href: impl Into<String>, label: &'static str) -> Self {
        self.action = Some((href.into(), label));
        self
    }

    pub(super) fn nowhere() -> Self {
        let message = "Nothing is at this address. Perhaps part of it was lost when it was copied.";
        Self::new(Tone::Calm, "There is no such page", message, "Open the link again where you found it.")
    }

    pub(super) fn wrong_method() -> Self {
        let advice = "Open the link again where you found it.";
        Self::new(
            Tone::Calm,
            "That is not how this page works",
            "This page was asked for something it does not do.",
            advice,
        )
    }

    /// A form that no page of ours sent, or whose cookie is gone.
    pub(super) fn unchecked_form() -> Self {
        let message = "We could not make sure that this form came from our own page in this browser, so we stopped. Nothing \
                       was changed.";
        let advice = "Open the page again and make sure that your browser accepts cookies from it.";
        Self::new(Tone::Bad, "This form was not accepted", message, advice)
    }

    /// A form that is too large or not a form.
    pub(super) fn unreadable_form() -> Self {
        let advice = "Open the page again and fill it in once more.";
        Self::new(Tone::Bad, "This form could not be read", "What your browser sent was too long or damaged.", advice)
    }

    /// It worked. `provider` is known when the browser comes straight from there.
    pub(super) fn connected(provider: Option<&str>) -> Self {
        let title = provider.map_or_else(|| "You are connected".to_owned(), |name| format!("{name} is connected"));
        let message = "Everything is set up. There is nothing else to do here.";
        Self::new(Tone::Good, &title, message, "You can close this window.")
    }
}
