//! The proxy on the way to the server, and who chooses it.

mod no_proxy;
mod url;

use std::net::IpAddr;

use http::{Uri, uri::Scheme};

use super::{environment::Environment, host::Authority};
use crate::error::{Error, Result};

pub(crate) use self::url::ProxyScheme;
pub use self::url::ProxyUrl;

/// Which proxy a client goes through.
///
/// The environment is read by Go's rules, when a client is made:
///
/// * `HTTPS_PROXY` or `https_proxy` is for servers whose URL begins with `https://`, `HTTP_PROXY` or `http_proxy` for
///   the others. `ALL_PROXY` is not read. A bare `host:port` means `http://host:port`. What cannot be used is an error.
/// * `NO_PROXY` or `no_proxy` excepts servers: names (`example.com`, with all its subdomains), subdomains only
///   (`.example.com`, `*.example.com`), addresses and networks (`10.0.0.1`, `fd00::/8`), each with `:port` for one port
///   only, separated by commas; `*` excepts all.
/// * `localhost` and loopback addresses are reached without the environment's proxy.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Proxy {
    /// The one that `HTTPS_PROXY` or `HTTP_PROXY` names for the server's scheme, unless `NO_PROXY` excepts the server.
    #[default]
    Environment,
    /// None, whatever the environment says.
    Direct,
    /// This one, for every server.
    Url(ProxyUrl),
}

impl Proxy {
    /// The proxy on the way to this server; nothing if it is reached directly.
    ///
    /// # Errors
    ///
    /// When a variable of the environment names the proxy and cannot be used.
    pub fn for_server(&self, server: &Uri) -> Result<Option<ProxyUrl>> {
        match self {
            Self::Environment => of_environment(server, &Environment::process()),
            Self::Direct => Ok(None),
            Self::Url(url) => Ok(Some(url.clone())),
        }
    }

    /// The one that these variables name, for `fuzzing`.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn of_variables(server: &Uri, proxy: &str, except: &str) -> Result<Option<ProxyUrl>> {
        let variables = [(HTTPS[0], proxy.into()), (HTTP[0], proxy.into()), (EXCEPT[0], except.into())];
        of_environment(server, &Environment::of(variables, std::path::PathBuf::new()))
    }
}

const HTTPS: [&str; 2] = ["HTTPS_PROXY", "https_proxy"];
const HTTP: [&str; 2] = ["HTTP_PROXY", "http_proxy"];
const EXCEPT: [&str; 2] = ["NO_PROXY", "no_proxy"];

fn of_environment(server: &Uri, environment: &Environment) -> Result<Option<ProxyUrl>> {
    let secure = server.scheme() == Some(&Scheme::HTTPS);
    let Some((name, url)) = first(environment, if secure { HTTPS } else { HTTP })? else {
        return Ok(None);
    };
    let Authority { host, port } = Authority::of(server);
    if is_this_machine(&host) {
        return Ok(None);
    }
    if first(environment, EXCEPT)?.is_some_and(|(_, list)| no_proxy::excepts(&list, &host, port)) {
        return Ok(None);
    }
    if !secure && environment.variable("REQUEST_METHOD").is_some() {
        return Err(Error::config(format!(
            "{name}: not used in a CGI program, where whoever sends a request could have set it by a header; \
             set the proxy in the configuration"
        )));
    }
    let url = if url.contains("://") { url } else { format!("http://{url}") };
    ProxyUrl::read(&url).map(Some).map_err(|problem| Error::config(format!("{name}: {problem}")))
}

/// The first of the variables that is set, and its value.
fn first(environment: &Environment, names: [&'static str; 2]) -> Result<Option<(&'static str, String)>> {
    let Some((name, value)) = names.into_iter().find_map(|name| Some((name, environment.variable(name)?))) else {
        return Ok(None);
    };
    match value.into_string() {
        Ok(value) => Ok(Some((name, value))),
        Err(_) => Err(Error::config(format!("{name}: must be text in UTF-8"))),
    }
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsString, path::PathBuf};

    use super::*;

    fn chosen<const N: usize>(server: &str, variables: [(&'static str, &str); N]) -> Result<String> {
        let variables = variables.map(|(name, value)| (name, OsString::from(value)));
        let environment = Environment::of(variables, PathBuf::new());
        let proxy = of_environment(&server.parse().unwrap(), &environment)?;
        Ok(proxy.map_or("direct".to_owned(), |proxy| proxy.to_string()))
    }

    #[test]
    fn the_variable_of_the_servers_scheme_is_read_upper_case_first() {
        let both = [("HTTPS_PROXY", "http://secure:1"), ("HTTP_PROXY", "http://plain:2")];
        assert_eq!(chosen("https://server", both).unwrap(), "http://secure:1");
        assert_eq!(chosen("http://server", both).unwrap(), "http://plain:2");
        for (variables, expected) in [
            ([("HTTPS_PROXY", "http://upper:1"), ("https_proxy", "http://lower:2")], "http://upper:1"),
            ([("HTTPS_PROXY", ""), ("https_proxy", "lower:2")], "http://lower:2"),
            ([("HTTPS_PROXY", "socks5://upper"), ("NO_PROXY", "elsewhere")], "socks5://upper:1080"),
            ([("HTTPS_PROXY", "upper"), ("no_proxy", "elsewhere,.ver")], "http://upper:80"),
            ([("HTTPS_PROXY", "upper"), ("no_proxy", "server:443")], "direct"),
            ([("HTTPS_PROXY", "upper"), ("no_proxy", "server:6443")], "http://upper:80"),
            ([("ALL_PROXY", "http://all:1"), ("HTTP_PROXY", "http://plain:2")], "direct"),
        ] {
            assert_eq!(chosen("https://server", variables).unwrap(), expected, "{variables:?}");
        }
    }

    #[test]
    fn this_machine_is_reached_without_the_environments_proxy_but_through_a_given_one() {
        for host in ["localhost", "LocalHost:6443", "127.0.0.1", "127.8.9.1:80", "[::1]", "[::ffff:127.0.0.1]:6443"] {
            let server = format!("https://{host}/");
            assert_eq!(chosen(&server, [("HTTPS_PROXY", "not a proxy")]).unwrap(), "direct", "{host}");
            let given = Proxy::Url(ProxyUrl::parse("http://given").unwrap());
            assert!(given.for_server(&server.parse().unwrap()).unwrap().is_some(), "{host}");
            assert!(Proxy::Direct.for_server(&server.parse().unwrap()).unwrap().is_none(), "{host}");
        }
    }

    #[test]
    fn an_unusable_proxy_is_an_error_that_names_its_variable() {
        for (url, words) in [
            ("ftp://proxy:21", "unsupported scheme \"ftp\""),
            ("http://me:hunter2@proxy:hunter2", "port"),
            ("me:hunter2@", "host"),
            ("https://", "host"),
        ] {
            let error = chosen("https://server", [("https_proxy", url)]).unwrap_err().to_string();
            assert!(error.contains("https_proxy: ") && error.contains(words), "{url}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStringExt;
            let variables = [("HTTP_PROXY", OsString::from_vec(vec![b'h', 0xff]))];
            let environment = Environment::of(variables, PathBuf::new());
            let error = of_environment(&"http://server".parse().unwrap(), &environment).unwrap_err();
            assert!(error.to_string().contains("HTTP_PROXY: must be text"), "{error}");
        }
    }

    #[test]
    fn a_cgi_program_does_not_take_its_proxy_from_a_header() {
        let variables = [("HTTP_PROXY", "http://evil"), ("REQUEST_METHOD", "GET")];
        let error = chosen("http://server", variables).unwrap_err().to_string();
        assert!(error.contains("HTTP_PROXY") && error.contains("CGI"), "{error}");
        let variables = [("HTTPS_PROXY", "http://good:1"), ("REQUEST_METHOD", "GET")];
        assert_eq!(chosen("https://server", variables).unwrap(), "http://good:1");
    }
}
