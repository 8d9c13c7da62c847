//! Programs in a pod.

use super::*;

/// A pod with a service account, and a kubeconfig in its home folder if there is text for one.
pub(super) fn pod(folder: &TempDir, host: &str, kubeconfig: Option<&str>) -> Environment {
    if let Some(text) = kubeconfig {
        write(folder, ".kube/config", text);
    }
    write(folder, "token", "abc");
    write(folder, "namespace", "web\n");
    write(folder, "ca.crt", &Pem::new().certificate);
    let variables = [
        ("HOME", folder.path().into()),
        ("KUBERNETES_SERVICE_HOST", host.into()),
        ("KUBERNETES_SERVICE_PORT", "443".into()),
    ];
    Environment::of(variables, folder.path().to_owned())
}

#[test]
fn a_pod_uses_its_service_account() {
    for (host, server) in [("10.0.0.1", "https://10.0.0.1:443/"), ("fd00::1", "https://[fd00::1]:443/")] {
        let folder = TempDir::new().unwrap();
        let config = Config::loader().load_from(&pod(&folder, host, None)).unwrap();
        assert_eq!(config.server, server);
        assert_eq!(config.default_namespace, "web");
        assert_eq!(config.source, ConfigSource::InCluster);
        assert!(matches!(config.tls.ca, Some(PemSource::File(_))));
        assert!(matches!(config.credentials, Credentials::TokenFile { .. }));
    }
}

#[test]
fn a_pod_with_a_kubeconfig_uses_that_even_if_it_is_broken() {
    let folder = TempDir::new().unwrap();
    assert_eq!(Config::loader().load_from(&pod(&folder, "h", Some(COMPLETE))).unwrap().default_namespace, "shop");
    for broken in ["clusters: [", "contexts: [{name: x}]", "current-context: x"] {
        let folder = TempDir::new().unwrap();
        assert!(Config::loader().load_from(&pod(&folder, "h", Some(broken))).is_err(), "{broken}");
    }
    for empty in ["", "apiVersion: v1\nkind: Config\nclusters: []\nusers: null\n"] {
        let folder = TempDir::new().unwrap();
        let config = Config::loader().load_from(&pod(&folder, "h", Some(empty))).unwrap();
        assert_eq!(config.source, ConfigSource::InCluster);
    }
    let folder = TempDir::new().unwrap();
    assert!(Config::loader().context("x").load_from(&pod(&folder, "h", None)).is_err(), "a context was asked for");
}

#[test]
fn outside_of_a_pod_the_error_says_what_is_missing() {
    let error =
        in_cluster::load(&outside(Path::new("/nonexistent"), None), &Overrides::default()).unwrap_err().to_string();
    assert!(error.contains("KUBERNETES_SERVICE_HOST"), "{error}");
    let folder = TempDir::new().unwrap();
    let environment = pod(&folder, "h", None);
    fs::remove_file(folder.path().join("token")).unwrap();
    let error = in_cluster::load(&environment, &Overrides::default()).unwrap_err().to_string();
    assert!(error.contains("automountServiceAccountToken"), "{error}");
}

#[test]
fn both_variables_must_be_there() {
    let folder = TempDir::new().unwrap();
    for variable in ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"] {
        let mut environment = pod(&folder, "h", None);
        environment.set(variable, OsString::new());
        let error = in_cluster::load(&environment, &Overrides::default()).unwrap_err().to_string();
        assert!(error.contains("must both be set"), "{error}");
        assert!(Config::loader().load_from(&environment).is_err());
    }
}

#[test]
fn a_bad_ca_of_the_service_account_is_not_the_end() {
    let folder = TempDir::new().unwrap();
    let environment = pod(&folder, "h", None);
    write(&folder, "ca.crt", "no certificate");
    assert!(Config::loader().load_from(&environment).unwrap().tls.ca.is_none());
    // Whoever fills it may come later.
    write(&folder, "ca.crt", "");
    assert!(Config::loader().load_from(&environment).unwrap().tls.ca.is_some());
    fs::remove_file(folder.path().join("ca.crt")).unwrap();
    assert!(Config::loader().load_from(&environment).unwrap().tls.ca.is_none());
}

#[test]
fn the_namespace_is_the_override_then_the_contexts_then_the_pods() {
    let folder = TempDir::new().unwrap();
    let without = "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: 'https://h'}}]";
    let with = &without.replace("cluster: c}}]\nclusters", "cluster: c, namespace: default}}]\nclusters");
    let set = Some("set");
    for (kubeconfig, variable, asked, expected) in [
        (Some(without), None, set, "set"),
        (Some(with.as_str()), Some("pod"), None, "default"),
        (Some(without), Some("pod"), None, "pod"),
        (Some(without), None, None, "web"),
        (None, None, set, "set"),
        (None, Some("pod"), None, "pod"),
        (None, None, None, "web"),
    ] {
        let mut environment = pod(&folder, "h", Some(kubeconfig.unwrap_or_default()));
        environment.set("POD_NAMESPACE", variable.unwrap_or_default().into());
        let loader = Config::loader().namespace(asked.unwrap_or_default());
        let namespace = loader.load_from(&environment).unwrap().default_namespace;
        assert_eq!(namespace, expected, "{kubeconfig:?} {variable:?} {asked:?}");
    }
    write(&folder, ".kube/config", without);
    let mut environment = outside(folder.path(), None);
    environment.set("POD_NAMESPACE", "pod".into());
    assert_eq!(Config::loader().load_from(&environment).unwrap().default_namespace, "default", "outside of a pod");
}

#[test]
fn values_set_on_the_loader_hold_in_a_pod_too() {
    let folder = TempDir::new().unwrap();
    let ca = PemSource::text(Pem::new().certificate);
    let loader =
        Config::loader().token("mine".into()).certificate_authority(ca).timeout("5").tls_server_name("kubernetes");
    let config = loader.load_from(&pod(&folder, "h", None)).unwrap();
    assert_eq!((config.source.clone(), token(&config)), (ConfigSource::InCluster, "mine"));
    assert_eq!((config.timeout, config.tls.server_name.as_deref()), (Some(Duration::from_secs(5)), Some("kubernetes")));
    assert!(matches!(config.tls.ca, Some(PemSource::Text(_))));
}
