//! What a person says on a page where access is allowed or denied: the same form on all of them.

use crate::accounts::{Account, account};
use crate::pages;
use crate::params::Params;
use actix_web::dev::Payload;
use actix_web::error::InternalError;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use std::pin::Pin;

/// A form that was sent whole.
pub struct Answer {
    /// Every field of it, also those that say what it is about.
    pub fields: Params,
    /// Who says yes; `None`: it is a no.
    pub allowed: Option<&'static Account>,
}

impl FromRequest for Answer {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, body) = (request.clone(), Bytes::from_request(request, payload));
        Box::pin(async move {
            let body = body.await;
            read(&request, body)
                .map_err(|message| InternalError::from_response(message, pages::refused(message)).into())
        })
    }
}

/// Reads a form, or says what is wrong with it.
fn read(request: &HttpRequest, body: Result<Bytes, actix_web::Error>) -> Result<Answer, &'static str> {
    let fields = body.ok().and_then(|body| Params::from_body(request.headers(), &body).ok());
    let fields = fields.ok_or("The form arrived damaged.")?;
    let allowed = match fields.get("decision") {
        Some("allow") => {
            let chosen = fields.get("account").and_then(account);
            Some(chosen.ok_or("The form named no account that exists here.")?)
        }
        Some("deny") => None,
        _ => return Err("The form said neither yes nor no."),
    };
    Ok(Answer { fields, allowed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_form_says_yes_as_somebody_or_no() {
        let request = TestRequest::default().insert_header(("content-type", "application/x-www-form-urlencoded"));
        let request = request.to_http_request();
        for (body, expected) in [
            ("decision=allow&account=robin&request=r", Some(Some("robin"))),
            ("decision=deny", Some(None)),
            ("decision=deny&account=robin", Some(None)),
            ("decision=deny&account=nobody", Some(None)),
            ("decision=allow", None),
            ("decision=allow&account=nobody", None),
            ("decision=maybe&account=robin", None),
            ("account=robin", None),
            ("decision=deny&decision=allow&account=robin", None),
            ("", None),
        ] {
            let said = read(&request, Ok(Bytes::from_static(body.as_bytes())));
            let said = said.ok().map(|answer| answer.allowed.map(|account| account.id));
            assert_eq!(said, expected, "{body}");
        }
        let whole = read(&request, Ok(Bytes::from_static(b"decision=deny&request=r"))).ok();
        assert_eq!(whole.as_ref().and_then(|answer| answer.fields.get("request")), Some("r"));
    }
}
