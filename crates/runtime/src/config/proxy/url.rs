//! The address of a proxy and the login for it: [`ProxyUrl`].

use std::{fmt, str::FromStr};

use http::{HeaderValue, Uri, uri::PathAndQuery};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    config::{basic_credentials, host},
    error::{Error, Result},
};

/// The address of a proxy: `http`, `https`, `socks5` or `socks5h`, perhaps with user name and password.
///
/// ```
/// # fn main() -> Result<(), k8s_client_runtime::Error> {
/// use k8s_client_runtime::config::{Config, Proxy, ProxyUrl};
///
/// let mut config = Config::new("https://10.0.0.1:6443")?;
/// config.proxy = Proxy::Url(ProxyUrl::parse("socks5://me:secret@bastion.example")?);
/// assert_eq!(format!("{:?}", config.proxy), "Url(socks5://bastion.example:1080)");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ProxyUrl {
    scheme: ProxyScheme,
    /// With the port, without user name, password and path.
    address: Uri,
    login: Option<(String, SecretString)>,
}

/// The protocol that a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProxyScheme {
    Http,
    Https,
    Socks5,
}

impl ProxyUrl {
    /// Reads `http://host`, `https://host`, `socks5://host` or `socks5h://host`, each with or without `user:password@`
    /// and `:port`.
    ///
    /// The ports are 80, 443, 1080 and 1080 by default. User name and password are percent-decoded. A path is ignored.
    /// With both `socks5` and `socks5h` it is the proxy that resolves the server's name. All of this is as in Go.
    ///
    /// # Errors
    ///
    /// When it is no such URL. The error does not show the URL, which may hold a password.
    pub fn parse(url: &str) -> Result<Self> {
        Self::read(url).map_err(Error::config)
    }

    /// What [`parse`](Self::parse) does; the error is what is wrong with the URL.
    pub(super) fn read(url: &str) -> Result<Self, String> {
        let Some((name, rest)) = url.trim().split_once("://") else {
            return Err("the proxy must be a URL such as http://HOST:PORT".to_owned());
        };
        let name = name.to_ascii_lowercase();
        let (scheme, default_port) = match name.as_str() {
            "http" => (ProxyScheme::Http, 80),
            "https" => (ProxyScheme::Https, 443),
            "socks5" | "socks5h" => (ProxyScheme::Socks5, 1080),
            _ => return Err(unsupported(&name)),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (login, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let host = host::authority(host).map_err(|what| format!("the URL of the proxy: {what}"))?;
        let port = host.port_u16().unwrap_or(default_port);
        let address = Uri::builder()
            .scheme(name.as_str())
            .authority(format!("{}:{port}", host.host()))
            .path_and_query(PathAndQuery::from_static("/"))
            .build();
        let address = address.map_err(|_| "the URL of the proxy must have a host")?;
        Ok(Self { scheme, address, login: self::login(login)? })
    }

    pub(crate) fn scheme(&self) -> ProxyScheme {
        self.scheme
    }

    /// Where the proxy listens, always with the port.
    pub(crate) fn address(&self) -> &Uri {
        &self.address
    }

    pub(crate) fn login(&self) -> Option<(&str, &SecretString)> {
        self.login.as_ref().map(|(user, password)| (user.as_str(), password))
    }

    /// The login as `Proxy-Authorization`.
    pub(crate) fn authorization(&self) -> Option<HeaderValue> {
        let (user, password) = self.login()?;
        // Base64 is always good for a header.
        let mut value = HeaderValue::try_from(basic_credentials(user, password.expose_secret())).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

impl FromStr for ProxyUrl {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self> {
        Self::parse(url)
    }
}

/// Shows the address, never user name and password.
impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.address.to_string().trim_end_matches('/'))
    }
}

/// Shows the address, never user name and password.
impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn unsupported(scheme: &str) -> String {
    let supported = "a proxy is http, https, socks5 or socks5h";
    // Only what can be nothing but a scheme is shown: no part of a password.
    if scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
    {
        format!("unsupported scheme {scheme:?}; {supported}")
    } else {
        format!("no scheme at the beginning; {supported}")
    }
}

fn login(text: &str) -> Result<Option<(String, SecretString)>, String> {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    if user.is_empty() && password.is_empty() {
        return Ok(None);
    }
    let decode = |text| match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err("user name and password of the proxy must be percent-encoded UTF-8".to_owned()),
    };
    Ok(Some((decode(user)?, SecretString::from(decode(password)?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_with_gos_default_ports() {
        for (url, expected) in [
            ("http://proxy", "http://proxy:80"),
            ("HTTP://Proxy:3128/", "http://Proxy:3128"),
            ("https://proxy", "https://proxy:443"),
            ("socks5://proxy", "socks5://proxy:1080"),
            ("socks5h://proxy", "socks5h://proxy:1080"),
            ("http://proxy:", "http://proxy:80"),
            (" http://10.0.0.1:8080/ignored?too#all ", "http://10.0.0.1:8080"),
            ("http://[fd00::1]", "http://[fd00::1]:80"),
            ("http://[fd00::1]:3128", "http://[fd00::1]:3128"),
            ("http://me:se%63ret@proxy:1", "http://proxy:1"),
            ("http://bücher.example:1", "http://xn--bcher-kva.example:1"),
        ] {
            assert_eq!(ProxyUrl::parse(url).unwrap().to_string(), expected, "{url}");
        }
    }

    #[test]
    fn logins_are_decoded_and_never_shown() {
        for (url, expected) in [
            ("http://me:hunter2@proxy", Some(("me", "hunter2"))),
            ("http://m%40e:hunter2%2F%3a%40@proxy", Some(("m@e", "hunter2/:@"))),
            ("http://me:hunter2@home@proxy", Some(("me", "hunter2@home"))),
            ("http://me@proxy", Some(("me", ""))),
            ("http://me:@proxy", Some(("me", ""))),
            ("http://@proxy", None),
            ("http://proxy", None),
        ] {
            let read = ProxyUrl::parse(url).unwrap();
            assert_eq!(read.login().map(|(user, password)| (user, password.expose_secret())), expected, "{url}");
            assert_eq!(format!("{read} {read:?}"), "http://proxy:80 http://proxy:80");
        }
        let login = ProxyUrl::parse("http://Aladdin:open%20sesame@proxy").unwrap().authorization().unwrap();
        assert_eq!(login, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(login.is_sensitive());
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_showing_the_password() {
        for (url, words) in [
            ("proxy:3128", "must be a URL"),
            ("", "must be a URL"),
            ("ftp://me:hunter2@proxy", "unsupported scheme \"ftp\""),
            ("socks4://me:hunter2@proxy", "unsupported scheme \"socks4\""),
            ("me:hunter2@proxy://", "no scheme"),
            ("http://", "host"),
            ("http://:80", "host"),
            ("http://me:hunter2@", "host"),
            ("http://me:hunter2@pro xy", "host"),
            ("http://me:hunter2", "port"),
            ("http://me:hunter2@proxy:hunter2", "port"),
            ("http://proxy:99999", "port"),
            ("http://proxy:+1", "port"),
            ("http://[10.0.0.1]", "IPv6"),
            ("http://me:%ffhunter2@proxy", "UTF-8"),
        ] {
            let error = ProxyUrl::parse(url).unwrap_err();
            let shown = format!("{error} {error:#?}");
            assert!(shown.contains(words) && !shown.contains("hunter2"), "{url}: {shown}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_a_panic(scheme in "(http|https|socks5|socks5h|.*)", rest in ".*") {
            let _ = ProxyUrl::parse(&format!("{scheme}://{rest}"));
            let _ = ProxyUrl::parse(&rest);
        }
    }
}
