//! What a user does with a page. Every action waits for what it needs: a click comes back before the next page does, and
//! a page may go while it is being asked.

use super::Chromium;
use crate::{or_panic, wait};
use anyhow::{Context as _, Result};
use std::time::Duration;
use thirtyfour::error::WebDriverErrorInner;
use thirtyfour::prelude::WebDriverResult;
use thirtyfour::{By, WebElement};

/// How long a page may take.
const WITHIN: Duration = Duration::from_secs(45);

impl Chromium {
    /// The first element that fits, as soon as there is one.
    ///
    /// # Panics
    /// When there is none in time.
    pub async fn element(&self, css: &str) -> WebElement {
        self.patiently(css, async |element| Ok(element)).await
    }

    /// The text of the first element that fits, as soon as there is one.
    ///
    /// # Panics
    /// When there is none in time.
    pub async fn text(&self, css: &str) -> String {
        self.patiently(css, async |element| element.text().await).await
    }

    /// Clicks on what changes the page it stands on.
    ///
    /// # Panics
    /// When it is not there in time, or cannot be clicked on.
    pub async fn click(&self, css: &str) {
        self.patiently(css, async |element| element.click().await).await;
    }

    /// Clicks on what leads to another page, and comes back when the page it stands on is gone.
    ///
    /// # Panics
    /// When it is not there in time, or leads nowhere.
    pub async fn follow(&self, css: &str) {
        self.element(css).await;
        let page = self.element("html").await;
        self.click(css).await;
        let left = wait::until(WITHIN, async || Ok(page.tag_name().await.is_err().then_some(()))).await;
        or_panic(left.with_context(|| format!("{css} leads nowhere")));
    }

    /// Types into a field.
    ///
    /// # Panics
    /// When it is not there in time, or takes no text.
    pub async fn fill(&self, css: &str, text: &str) {
        self.patiently(css, async |element| element.send_keys(text).await).await;
    }

    /// Finds the element and does something with it, again from the start while the page goes away under it.
    async fn patiently<T>(&self, css: &str, mut act: impl AsyncFnMut(WebElement) -> WebDriverResult<T>) -> T {
        let done = wait::until(WITHIN, async || {
            let Ok(found) = self.driver().find(By::Css(css)).await else { return Ok(None) };
            match act(found).await {
                Ok(value) => Ok(Some(value)),
                Err(error) if is_gone(error.as_inner()) => Ok(None),
                Err(error) => Err(error.into()),
            }
        });
        let done: Result<T> = done.await;
        let at = self.driver().current_url().await.map_or_else(|_| "a lost browser".to_owned(), |url| url.to_string());
        or_panic(done.with_context(|| format!("{css} at {at}")))
    }
}

fn is_gone(error: &WebDriverErrorInner) -> bool {
    matches!(error, WebDriverErrorInner::StaleElementReference(_) | WebDriverErrorInner::NoSuchElement(_))
}
