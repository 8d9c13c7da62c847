//! OpenID Connect: tokens that are renewed at their provider.

mod redirect;
mod refresh;
mod token;

use std::sync::Arc;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use super::{
    Fetch,
    fetched::{Fetched, Fresh},
    header::bearer,
    same_pem, same_secret,
};
use crate::{
    config::{KubeconfigEditor, OidcConfig, OidcOrigin, SharedCredentials},
    error::{Error, ErrorKind, Result},
    text::{Keep, printable},
};

/// A provider and the token that it gave last.
pub(super) struct Provider {
    /// Without what is shared, which holds this.
    oidc: Arc<OidcConfig>,
    tokens: Fetched<Tokens>,
    fetch: Fetch,
    save: Option<Save>,
}

/// Keeps renewed tokens for the next start of the program.
type Save = Arc<dyn Fn(&SecretString, Option<&SecretString>) -> Result<()> + Send + Sync>;

#[derive(Clone)]
struct Tokens {
    authorization: HeaderValue,
    refresh_token: Option<SecretString>,
}

impl Provider {
    /// The provider that the clients of this configuration share.
    pub(super) fn shared(oidc: &OidcConfig, fetch: Fetch) -> Result<Arc<Self>> {
        let save = oidc
            .origin
            .clone()
            .map(|origin| -> Save { Arc::new(move |id_token, refresh_token| save(&origin, id_token, refresh_token)) });
        if oidc.issuer_url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://")) {
            tracing::warn!(issuer = ?oidc.issuer_url, "the provider gets client secret and refresh token in clear");
        }
        // Made for nothing where there is one already, but so its errors come first.
        let made = Self::new(oidc, fetch, save)?;
        Ok(oidc.shared.get_or_insert(|kept: &Self| same(&kept.oidc, oidc), || made))
    }

    fn new(oidc: &OidcConfig, fetch: Fetch, save: Option<Save>) -> Result<Self> {
        let configured = oidc.id_token.as_ref().map(|id_token| Tokens::fresh(id_token, oidc.refresh_token.clone()));
        let configured = configured.transpose().map_err(|what| error(oidc, format_args!("the id-token {what}")))?;
        let oidc = Arc::new(OidcConfig { shared: SharedCredentials::default(), ..oidc.clone() });
        Ok(Self { oidc, tokens: Fetched::new(configured), fetch, save })
    }

    /// The header of the token, renewed if need be.
    pub(super) async fn header(&self) -> Result<HeaderValue> {
        let (tokens, _) = self.tokens.get(|last| renew(self.oidc.clone(), last, self.fetch, self.save.clone())).await?;
        Ok(tokens.authorization)
    }
}

async fn renew(oidc: Arc<OidcConfig>, last: Option<Tokens>, fetch: Fetch, save: Option<Save>) -> Result<Fresh<Tokens>> {
    let refresh_token = match last {
        Some(tokens) => tokens.refresh_token,
        None => oidc.refresh_token.clone(),
    };
    let Some(refresh_token) = refresh_token else {
        let what = "there is no id-token that is still good, and no refresh-token to get one with; log in again";
        return Err(error(&oidc, format_args!("{what}")));
    };
    tracing::debug!(issuer = ?oidc.issuer_url, "renewing the id-token");
    let renewed = refresh::refresh(&oidc, &refresh_token, fetch).await?;
    let kept = renewed.refresh_token.clone().unwrap_or(refresh_token);
    let fresh = Tokens::fresh(&renewed.id_token, Some(kept))
        .map_err(|what| error(&oidc, format_args!("the id-token that the provider answered {what}")))?;
    if let Some(save) = save {
        write_back(save, renewed).await;
    }
    Ok(fresh)
}

/// Writes renewed tokens to their kubeconfig, as client-go does. The refresh token stays if there is no new one.
///
/// This blocks its thread, for some seconds if another program holds the lock of the file.
fn save(origin: &OidcOrigin, id_token: &SecretString, refresh_token: Option<&SecretString>) -> Result<()> {
    let mut editor = KubeconfigEditor::file(&origin.file).set_auth_provider_value(&origin.user, "id-token", id_token);
    if let Some(refresh_token) = refresh_token {
        editor = editor.set_auth_provider_value(&origin.user, "refresh-token", refresh_token);
    }
    editor.save()
}

/// The tokens are good whether or not they could be written, so a failure does not stop the request.
async fn write_back(save: Save, tokens: refresh::Renewed) {
    let written = tokio::task::spawn_blocking(move || save(&tokens.id_token, tokens.refresh_token.as_ref())).await;
    if let Ok(Err(error)) = written {
        tracing::warn!(%error, "the renewed tokens could not be written to the kubeconfig");
    }
}

impl Tokens {
    fn fresh(id_token: &SecretString, refresh_token: Option<SecretString>) -> Result<Fresh<Self>, &'static str> {
        let id_token = id_token.expose_secret().trim();
        let expires = token::good_until(id_token)?;
        let authorization = bearer(id_token).map_err(|_| "holds characters that no HTTP header can carry")?;
        Ok(Fresh { value: Self { authorization, refresh_token }, expires: Some(expires) })
    }
}

fn error(oidc: &OidcConfig, what: std::fmt::Arguments<'_>) -> Error {
    Error::new(ErrorKind::Auth, format!("oidc {}: {what}", printable(&oidc.issuer_url, Keep::Nothing)))
}

fn same(one: &OidcConfig, other: &OidcConfig) -> bool {
    let OidcConfig { issuer_url, client_id, client_secret, id_token, refresh_token, ca, origin, shared: _ } = one;
    let same_ca = match (ca, &other.ca) {
        (Some(ca), Some(other)) => same_pem(ca, other),
        (ca, other) => ca.is_none() && other.is_none(),
    };
    same_ca
        && *issuer_url == other.issuer_url
        && *client_id == other.client_id
        && same_secret(client_secret.as_ref(), other.client_secret.as_ref())
        && same_secret(id_token.as_ref(), other.id_token.as_ref())
        && same_secret(refresh_token.as_ref(), other.refresh_token.as_ref())
        && *origin == other.origin
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Mutex,
        time::{Duration, SystemTime, UNIX_EPOCH},
    };

    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use bytes::Bytes;
    use http::Response;
    use serde_json::json;

    use super::*;

    fn token(since_1970: Duration) -> String {
        let claims = json!({ "exp": since_1970.as_secs() }).to_string();
        format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims))
    }

    /// A provider that always has another token for an hour.
    const FETCH: Fetch = |_, request| {
        let hour = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(3600);
        let answer = match request.uri().path() {
            "/token" => json!({ "id_token": token(hour), "refresh_token": "second" }),
            _ => json!({ "token_endpoint": "https://issuer.example/token" }),
        };
        Box::pin(async move { Ok(Response::new(Bytes::from(answer.to_string()))) })
    };

    fn oidc() -> OidcConfig {
        let mut oidc = OidcConfig::new("https://issuer.example", "client");
        oidc.refresh_token = Some("first".into());
        oidc
    }

    #[tokio::test]
    async fn renewed_tokens_are_written_back_once() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let log = written.clone();
        let save: Save = Arc::new(move |id_token, refresh_token| {
            let text = |token: &SecretString| token.expose_secret().to_owned();
            log.lock().unwrap().push((text(id_token), refresh_token.map(text)));
            Ok(())
        });
        let provider = Provider::new(&oidc(), FETCH, Some(save)).unwrap();
        let header = provider.header().await.unwrap();
        assert_eq!(provider.header().await.unwrap(), header);
        let id_token = header.to_str().unwrap().trim_start_matches("Bearer ").to_owned();
        assert_eq!(*written.lock().unwrap(), [(id_token, Some("second".to_owned()))]);
    }

    #[tokio::test]
    async fn renewed_tokens_are_written_to_the_entry_that_they_are_from() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        let user = |tokens: &str| {
            format!("users:\n- name: 1234\n  user:\n    auth-provider:\n      name: oidc\n      config:\n{tokens}")
        };
        std::fs::write(&file, user("        id-token: old\n        refresh-token: first\n")).unwrap();
        let mut oidc = oidc();
        oidc.origin = Some(OidcOrigin { file: file.clone(), user: "1234".to_owned() });
        let header = Provider::shared(&oidc, FETCH).unwrap().header().await.unwrap();
        let token = header.to_str().unwrap().trim_start_matches("Bearer ");
        let expected = user(&format!("        id-token: {token}\n        refresh-token: second\n"));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
    }

    #[tokio::test]
    async fn the_document_of_a_provider_may_be_behind_redirects() {
        const REDIRECTING: Fetch = |config, request| {
            let redirect = |status, to: &'static str| {
                let answer = Response::builder().status(status).header("location", to).body(Bytes::new());
                Box::pin(async move { Ok(answer.unwrap()) })
            };
            match request.uri().to_string().as_str() {
                "https://issuer.example/.well-known/openid-configuration" => redirect(301, "/elsewhere"),
                "https://issuer.example/elsewhere" => redirect(307, "https://other.example/doc"),
                "https://loop.example/.well-known/openid-configuration" => redirect(302, "openid-configuration"),
                "https://unsafe.example/.well-known/openid-configuration" => redirect(302, "http://unsafe.example/"),
                "https://lost.example/.well-known/openid-configuration" => {
                    Box::pin(async { Ok(Response::builder().status(302).body(Bytes::new()).unwrap()) })
                }
                _ => FETCH(config, request),
            }
        };
        let header = async |host: &str| {
            let mut oidc = OidcConfig::new(format!("https://{host}.example"), "client");
            oidc.refresh_token = Some("first".into());
            Provider::new(&oidc, REDIRECTING, None).unwrap().header().await
        };
        assert!(header("issuer").await.unwrap().to_str().unwrap().starts_with("Bearer e30."));
        for (host, words) in [
            ("loop", "https://loop.example/.well-known/openid-configuration: 302 Found"),
            ("unsafe", "redirects to \"http://unsafe.example/\", which is not followed"),
            ("lost", "302 Found; check idp-issuer-url"),
        ] {
            let error = header(host).await.unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[tokio::test]
    async fn tokens_that_cannot_be_written_back_are_used_all_the_same() {
        let save: Save = Arc::new(|_, _| Err(Error::config("the disk is full")));
        let provider = Provider::new(&oidc(), FETCH, Some(save)).unwrap();
        assert!(provider.header().await.unwrap().to_str().unwrap().starts_with("Bearer e30."));
    }

    #[test]
    fn clients_of_a_configuration_share_a_provider_and_free_it() {
        let oidc = oidc();
        let one = Provider::shared(&oidc, FETCH).unwrap();
        assert!(Arc::ptr_eq(&one, &Provider::shared(&oidc.clone(), FETCH).unwrap()));
        let mut changed = oidc.clone();
        changed.client_id = "another".to_owned();
        assert!(!Arc::ptr_eq(&one, &Provider::shared(&changed, FETCH).unwrap()));
        let weak = Arc::downgrade(&one);
        drop((one, oidc, changed));
        assert!(weak.upgrade().is_none());
    }
}
