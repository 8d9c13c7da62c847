//! Renewing a token at its provider: the discovery document, then the token endpoint.

use std::{fmt::Write as _, time::Duration};

use bytes::Bytes;
use http::{
    HeaderValue, Request, Response, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION},
    uri::Scheme,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{
    error,
    redirect::{self, MAX_REDIRECTS},
};
use crate::{
    auth::{Fetch, header::basic},
    config::{Config, OidcConfig, in_ascii},
    error::{Delivery, Error, Result},
    text::non_empty,
};

/// How long one answer of the provider may take; client-go would wait for ever.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// What the provider gave.
pub(super) struct Renewed {
    pub(super) id_token: SecretString,
    /// Nothing if the old one stays in use.
    pub(super) refresh_token: Option<SecretString>,
}

pub(super) async fn refresh(oidc: &OidcConfig, refresh_token: &SecretString, fetch: Fetch) -> Result<Renewed> {
    let endpoint = token_endpoint(oidc, fetch).await?;
    let mut answer = None;
    if let Some(secret) = &oidc.client_secret {
        // Some providers take the secret in the body only, and do not say so but by refusing.
        let login = basic(&encoded(&oidc.client_id), &encoded(secret.expose_secret()))?;
        let request = token_request(oidc, &endpoint, refresh_token, Some(login))?;
        answer = Some(send(oidc, request, fetch).await?).filter(|answer| !answer.status().is_client_error());
    }
    let answer = match answer {
        Some(answer) => answer,
        None => send(oidc, token_request(oidc, &endpoint, refresh_token, None)?, fetch).await?,
    };
    let content: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    if !answer.status().is_success() {
        let status = answer.status();
        let refused = match content["error"].as_str().and_then(|code| REFUSALS.iter().find(|known| *known == &code)) {
            Some(code @ &"invalid_grant") => {
                error(oidc, format_args!("the refresh-token was refused ({status}, {code}); log in again"))
            }
            Some(code) => error(oidc, format_args!("{endpoint} refused to renew the id-token: {status}, {code}")),
            None => error(oidc, format_args!("{endpoint} did not renew the id-token: {status}")),
        };
        return Err(answered(status, refused));
    }
    let token = |name: &str| non_empty(content[name].as_str()).map(SecretString::from);
    let id_token = token("id_token").ok_or_else(|| {
        error(oidc, format_args!(
            "the answer of {endpoint} has no id_token: either the login did not ask for the scope openid, or the provider \
             gives none when it renews tokens"
        ))
    })?;
    Ok(Renewed { id_token, refresh_token: token("refresh_token") })
}

/// What a provider may say of itself in an error, by RFC 6749. Anything else is not shown.
const REFUSALS: [&str; 6] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
];

async fn token_endpoint(oidc: &OidcConfig, fetch: Fetch) -> Result<Uri> {
    let url = format!("{}/.well-known/openid-configuration", oidc.issuer_url.trim_end_matches('/'));
    let mut url: Uri = absolute(&url).ok_or_else(|| error(oidc, format_args!("idp-issuer-url is not a URL")))?;
    let mut answer = get(oidc, &url, fetch).await?;
    for _ in 0..MAX_REDIRECTS {
        let Some(location) = answer.headers().get(LOCATION).filter(|_| answer.status().is_redirection()) else { break };
        url = redirect::target(&url, location).ok_or_else(|| {
            error(
                oidc,
                format_args!(
                    "{url} redirects to {location:?}, which is not followed: only to the same host, or by https"
                ),
            )
        })?;
        answer = get(oidc, &url, fetch).await?;
    }
    if !answer.status().is_success() {
        let refused = error(oidc, format_args!("{url}: {}; check idp-issuer-url", answer.status()));
        return Err(answered(answer.status(), refused));
    }
    let document: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let endpoint = document["token_endpoint"].as_str().and_then(absolute);
    let endpoint = endpoint.ok_or_else(|| error(oidc, format_args!("{url} names no token_endpoint")))?;
    if url.scheme() == Some(&Scheme::HTTPS) && endpoint.scheme() != Some(&Scheme::HTTPS) {
        return Err(error(oidc, format_args!("its token_endpoint {endpoint} is not safe: it must be https")));
    }
    Ok(endpoint)
}

async fn get(oidc: &OidcConfig, url: &Uri, fetch: Fetch) -> Result<Response<Bytes>> {
    let request = Request::get(url).header(ACCEPT, "application/json").body(Bytes::new());
    send(oidc, request.map_err(|cause| error(oidc, format_args!("cannot be asked")).with_source(cause))?, fetch).await
}

pub(super) fn absolute(url: &str) -> Option<Uri> {
    let url: Uri = in_ascii(url).ok()?.parse().ok()?;
    let known = url.scheme() == Some(&Scheme::HTTPS) || url.scheme() == Some(&Scheme::HTTP);
    (known && url.host().is_some_and(|host| !host.is_empty())).then_some(url)
}

/// The client says who it is in the header if there is one, else in the body.
fn token_request(
    oidc: &OidcConfig,
    endpoint: &Uri,
    refresh_token: &SecretString,
    login: Option<HeaderValue>,
) -> Result<Request<Bytes>> {
    let mut form = format!("grant_type=refresh_token&refresh_token={}", encoded(refresh_token.expose_secret()));
    if login.is_none() {
        let _ = write!(form, "&client_id={}", encoded(&oidc.client_id));
        if let Some(secret) = &oidc.client_secret {
            let _ = write!(form, "&client_secret={}", encoded(secret.expose_secret()));
        }
    }
    let request = Request::post(endpoint)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(form));
    let mut request = request.map_err(|cause| error(oidc, format_args!("cannot be asked")).with_source(cause))?;
    request.headers_mut().extend(login.map(|login| (AUTHORIZATION, login)));
    Ok(request)
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// The error of a provider that answered so: it may be in order again a little later.
fn answered(status: StatusCode, error: Error) -> Error {
    if status.is_server_error() { error.with_delivery(Delivery::Unreachable) } else { error }
}

/// Sends a request through the proxy of the environment, as client-go does, whatever the cluster's is.
async fn send(oidc: &OidcConfig, request: Request<Bytes>, fetch: Fetch) -> Result<Response<Bytes>> {
    let url = request.uri().clone();
    let mut config = Config::of_url(url.clone());
    config.tls.ca.clone_from(&oidc.ca);
    match tokio::time::timeout(TIME_LIMIT, fetch(config, request)).await {
        Ok(answer) => answer.map_err(|cause| {
            let delivery = if cause.is_transient() { Delivery::Unreachable } else { Delivery::Unknown };
            error(oidc, format_args!("{url}")).with_delivery(delivery).with_source(cause)
        }),
        Err(_) => {
            Err(error(oidc, format_args!("{url}: no answer within {TIME_LIMIT:?}"))
                .with_delivery(Delivery::Unreachable))
        }
    }
}
