//! Shows which configuration a program would use and where it is from, without its secrets.
//!
//! ```console
//! cargo run -p kubeconfig -- [--kubeconfig FILE] [--context NAME] [--cluster NAME] [--user NAME] [--namespace NAME] [--server URL]
//! ```

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use k8s_client::{
    Config, Result,
    config::{ConfigSource, Credentials, KubeconfigOrigin, KubeconfigSource, PemSource, Proxy, TlsConfig},
};

#[derive(Parser)]
struct Arguments {
    /// The kubeconfig file. Default: $KUBECONFIG, ~/.kube/config, then the cluster that this runs in.
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// The context to use instead of the current one.
    #[arg(long, default_value = "")]
    context: String,
    /// The cluster to use instead of the context's.
    #[arg(long, default_value = "")]
    cluster: String,
    /// The user to use instead of the context's.
    #[arg(long, default_value = "")]
    user: String,
    /// The namespace to use instead of the context's.
    #[arg(long, default_value = "")]
    namespace: String,
    /// The server to use instead of the cluster's.
    #[arg(long, default_value = "")]
    server: String,
    /// The time limit of each call: seconds, or a number with its unit, such as 2m.
    #[arg(long, default_value = "")]
    request_timeout: String,
}

fn main() -> ExitCode {
    match load(Arguments::parse()) {
        Ok(config) => {
            show(config);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn show(config: Config) {
    show_source(&config.source);
    let show = |what: &str, value: String| println!("{what:<14}{value}");
    show("server:", config.server.to_string());
    show("trusted by:", trust(&config.tls));
    show("credentials:", credentials(&config));
    if let Some(person) = &config.impersonate {
        show("acting as:", format!("{} (uid {:?}, groups {:?})", person.user, person.uid, person.groups));
    }
    show("namespace:", config.default_namespace);
    show("proxy:", proxy(&config.proxy));
    show("time limit:", config.timeout.map_or("none".to_owned(), |limit| format!("{limit:?}")));
}

fn load(arguments: Arguments) -> Result<Config> {
    let mut loader = Config::loader()
        .context(arguments.context)
        .cluster(arguments.cluster)
        .user(arguments.user)
        .namespace(arguments.namespace)
        .server(arguments.server)
        .timeout(arguments.request_timeout);
    if let Some(path) = arguments.kubeconfig {
        loader = loader.kubeconfig(path);
    }
    loader.load()
}

fn show_source(source: &ConfigSource) {
    let ConfigSource::Kubeconfig(KubeconfigSource { origin, files, context, cluster, user, .. }) = source else {
        println!("source:       {source}, since no kubeconfig says anything");
        return;
    };
    let why = match origin {
        KubeconfigOrigin::Explicit => "named by --kubeconfig",
        KubeconfigOrigin::Variable => "listed by $KUBECONFIG",
        KubeconfigOrigin::Home => "in the home folder, since $KUBECONFIG is not set",
        _ => "given as text",
    };
    for file in files {
        println!("file:         {} ({why})", file.display());
    }
    for (what, name) in [("context:", context), ("cluster:", cluster), ("user:", user)] {
        println!("{what:<14}{}", name.as_deref().unwrap_or("none"));
    }
}

fn trust(tls: &TlsConfig) -> String {
    let whom = match &tls.ca {
        _ if tls.insecure_skip_verify => "nobody: any certificate is accepted".to_owned(),
        Some(ca) => format!("the CA {}", place(ca)),
        None => "the roots of the system".to_owned(),
    };
    match &tls.server_name {
        Some(name) => format!("{whom}, as {name}"),
        None => whom,
    }
}

fn credentials(config: &Config) -> String {
    let sent = match &config.credentials {
        Credentials::Bearer(_) => "a token".to_owned(),
        Credentials::TokenFile { path, .. } => format!("the token in {}", path.display()),
        Credentials::Basic { username, .. } => format!("the password of {username}"),
        Credentials::Exec(plugin) => format!("what {} {} answers", plugin.command, plugin.args.join(" ")),
        Credentials::Oidc(provider) => format!("a token of {}", provider.issuer_url),
        _ => String::new(),
    };
    match &config.tls.identity {
        Some(identity) if sent.is_empty() => format!("the certificate {}", place(&identity.certificate)),
        Some(identity) => format!("{sent}, and the certificate {}", place(&identity.certificate)),
        None if sent.is_empty() => "none".to_owned(),
        None => sent,
    }
}

fn proxy(proxy: &Proxy) -> String {
    match proxy {
        Proxy::Environment => "what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say".to_owned(),
        // Its login is never shown.
        Proxy::Url(url) => format!("{url:?}"),
        _ => "none".to_owned(),
    }
}

fn place(pem: &PemSource) -> String {
    match pem {
        PemSource::File(path) => format!("in {}", path.display()),
        _ => "in the kubeconfig itself".to_owned(),
    }
}
