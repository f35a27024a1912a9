//! The life of a grant that a customer gives on another device (RFC 8628): codes, questions, tokens, renewals, end.

use crate::Step;
use crate::code::{afterwards, granted};
use crate::compare::refused;
use crate::errors::met;
use crate::life::{Failed, Life, Outcome};
use mortise_connectors::{ClientAuthentication, OAuth2};
use mortise_domain::DeviceCode;
use mortise_oauth::{
    ClientRegistration, DeviceAnswer, DeviceAuthorization, FailureClass, device_authorization, device_token,
    request_device_authorization, request_device_token,
};
use mortise_sandbox::play::Trouble;

pub(crate) async fn live(life: &mut Life<'_>, auth: &OAuth2) {
    if auth.client_authentication != ClientAuthentication::None {
        let other = codes(life, &life.wrong_client()).await;
        life.note(Step::Connect, "a wrong client secret is refused", refused(other, FailureClass::AppMisconfigured));
    }
    let got = codes(life, &life.client()).await.map_err(|failed| failed.to_string());
    let Some(codes) = life.note(Step::Connect, "codes are asked for, and the reply read", got) else { return };
    let unknown = ask(life, &DeviceCode::new("nobody-issued-this")).await;
    life.note(Step::Connect, "an unknown device code is refused", refused(unknown, FailureClass::GrantRejected));
    ends(life, &codes).await;
    let pending = expect(life, &codes, |answer| matches!(answer, DeviceAnswer::Pending)).await;
    life.note(Step::Connect, "nobody has decided at first", pending);
    let slower = expect(life, &codes, |answer| matches!(answer, DeviceAnswer::SlowDown(more) if *more > 0)).await;
    life.note(Step::Connect, "a request to slow down is one", slower);
    let answer = match ask(life, &codes.device_code).await {
        Ok(DeviceAnswer::Granted(grant)) => Ok(*grant),
        Ok(other) => Err(Failed::Unbuilt(format!("it is taken for {other:?}"))),
        Err(failed) => Err(failed),
    };
    let Some(grant) = granted(life, Step::Connect, "the customer says yes, and the reply is read", answer) else {
        return;
    };
    afterwards(life, auth, grant).await;
}

/// What ends a flow, told before the customer decides.
async fn ends(life: &mut Life<'_>, codes: &DeviceAuthorization) {
    type Is = fn(&DeviceAnswer) -> bool;
    let table: [(&str, &str, Is); 2] = [
        ("access_denied", "a customer may say no", |answer| matches!(answer, DeviceAnswer::Denied)),
        ("expired_token", "codes end", |answer| matches!(answer, DeviceAnswer::Expired)),
    ];
    for (code, what, is) in table {
        met(life, Trouble::Error { code: code.to_owned(), status: 400 });
        let outcome = expect(life, codes, is).await;
        life.note(Step::Connect, what, outcome);
    }
}

async fn expect(life: &Life<'_>, codes: &DeviceAuthorization, is: impl Fn(&DeviceAnswer) -> bool) -> Outcome<()> {
    match ask(life, &codes.device_code).await {
        Ok(answer) if is(&answer) => Ok(()),
        Ok(answer) => Err(format!("it is taken for {answer:?}")),
        Err(failed) => Err(failed.to_string()),
    }
}

async fn codes(life: &Life<'_>, client: &ClientRegistration<'_>) -> Result<DeviceAuthorization, Failed> {
    let request = device_authorization(&life.cast.provider(), client, &life.cast.scopes)?;
    Ok(request_device_authorization(&life.stage.transport, request).await?)
}

async fn ask(life: &Life<'_>, code: &DeviceCode) -> Result<DeviceAnswer, Failed> {
    let request = device_token(&life.cast.provider(), &life.client(), code)?;
    Ok(request_device_token(&life.stage.transport, request, life.cast.manifest).await?)
}
