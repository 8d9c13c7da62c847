//! Which files are read, and which entry of them counts.

use super::*;

#[test]
fn the_current_context_is_used_or_the_one_asked_for() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "config", COMPLETE);
    let config = Config::from_kubeconfig(&path).unwrap();
    assert_eq!(config.server, "https://prod.example:6443/prefix");
    assert_eq!(config.default_namespace, "shop");
    assert_eq!(config.tls.server_name.as_deref(), Some("api.internal"));
    assert_eq!(token(&config), "sesame");
    let expected = KubeconfigSource {
        origin: KubeconfigOrigin::Explicit,
        files: vec![path.clone()],
        context: Some("prod".to_owned()),
        cluster: Some("prod".to_owned()),
        user: Some("me".to_owned()),
    };
    assert_eq!(config.source, ConfigSource::Kubeconfig(expected));
    assert_eq!(config.source.to_string(), format!("context \"prod\" of {}", path.display()));
    assert_eq!(config.connect_timeout, Duration::from_secs(30));
    assert_eq!(config.timeout, None);

    let config = Config::loader().kubeconfig(&path).context("admin").load().unwrap();
    assert_eq!(config.default_namespace, "default");
    assert!(matches!(&config.credentials, Credentials::Basic { username, .. } if username == "admin"));

    let error = Config::loader().kubeconfig(&path).context("nope").load().unwrap_err().to_string();
    let expected =
        format!("context \"nope\" does not exist in {}; it has: \"admin\", \"local\", \"prod\"", path.display());
    assert_eq!(error, expected);
}

#[test]
fn the_files_of_the_list_are_merged_and_the_first_one_wins() {
    let folder = TempDir::new().unwrap();
    let first = "users: [{name: me, user: {token: first}}]\ncontexts: null\ncurrent-context: ''\n";
    let first = write(&folder, "first", first);
    let second = write(&folder, "second", COMPLETE);
    let third =
        write(&folder, "third", "current-context: local\nclusters: [{name: prod, cluster: {server: 'https://third'}}]");
    let (empty, missing) = (write(&folder, "empty", ""), folder.path().join("missing"));
    let paths = [&first, &missing, Path::new(""), &empty, &second, &first, &third].map(AsRef::as_ref);
    let config = Config::loader().load_from(&outside(Path::new("/nonexistent"), Some(list(&paths)))).unwrap();
    assert_eq!(config.server, "https://prod.example:6443/prefix");
    assert_eq!(token(&config), "first");
    let ConfigSource::Kubeconfig(source) = config.source else { panic!("{:?}", config.source) };
    assert_eq!((source.origin, source.context.as_deref()), (KubeconfigOrigin::Variable, Some("prod")));
    assert_eq!(source.files, [first, empty, second, third]);
}

#[test]
fn the_home_folder_is_looked_into_only_without_a_list() {
    let folder = TempDir::new().unwrap();
    write(&folder, ".kube/config", COMPLETE);
    let missing = folder.path().join("missing");
    assert!(Config::loader().load_from(&outside(folder.path(), None)).is_ok());
    let error = Config::loader().load_from(&outside(folder.path(), Some(list(&[&missing])))).unwrap_err().to_string();
    let expected = format!("no configuration has been provided: of KUBECONFIG, {} does not exist", missing.display());
    assert!(error.starts_with(&expected), "{error}");
    let empty = write(&folder, "empty", "# nothing");
    let environment = outside(folder.path(), Some(list(&[&missing, &empty])));
    let error = Config::loader().load_from(&environment).unwrap_err().to_string();
    let expected = format!("{} does not exist, {} is empty", missing.display(), empty.display());
    assert!(error.contains(&expected), "{error}");
}

#[test]
fn an_explicit_file_must_exist() {
    let error = Config::from_kubeconfig("/nonexistent/config").unwrap_err().to_string();
    assert_eq!(error, "/nonexistent/config: the kubeconfig does not exist");
    let error = Config::from_kubeconfig("").unwrap_err().to_string();
    assert_eq!(error, "the path of the kubeconfig is empty");
}

#[test]
fn a_kubeconfig_of_several_megabytes_is_read() {
    let data = BASE64_STANDARD.encode(Pem::new().certificate.repeat(4));
    let clusters = (0..3000).map(|n| {
        format!("- {{name: c{n}, cluster: {{server: 'https://h{n}', certificate-authority-data: {data}}}}}\n")
    });
    let text = format!(
        "current-context: x\ncontexts: [{{name: x, context: {{cluster: c7}}}}]\nclusters:\n{}",
        clusters.collect::<String>()
    );
    assert!(text.len() > 4 << 20);
    assert_eq!(loaded(&text).server, "https://h7/");
}

#[test]
fn a_list_of_nothing_but_missing_files_is_no_configuration_and_no_error_of_reading() {
    let folder = TempDir::new().unwrap();
    for listed in
        [OsString::from(":"), OsString::from("::"), list(&[&folder.path().join("a"), &folder.path().join("b")])]
    {
        let environment = outside(folder.path(), Some(listed.clone()));
        let error = Config::loader().load_from(&environment).unwrap_err().to_string();
        assert!(error.starts_with("no configuration has been provided"), "{listed:?}: {error}");
        // In a pod the service account is meant then.
        let mut in_pod = pods::pod(&folder, "h", None);
        in_pod.set("KUBECONFIG", listed);
        assert_eq!(Config::loader().load_from(&in_pod).unwrap().source, ConfigSource::InCluster);
    }
}

#[test]
fn an_unreadable_file_of_the_list_is_an_error_whatever_the_others_say() {
    let folder = TempDir::new().unwrap();
    let good = write(&folder, "good", COMPLETE);
    for bad in [write(&folder, "bad", "clusters: ["), folder.path().to_owned()] {
        let environment = outside(folder.path(), Some(list(&[&good, &bad])));
        let error = Config::loader().load_from(&environment).unwrap_err().to_string();
        assert!(error.contains(&*bad.to_string_lossy()), "{error}");
    }
}

#[test]
fn paths_are_relative_to_the_file_that_they_stand_in() {
    let folder = TempDir::new().unwrap();
    let Pem { certificate, key } = Pem::new();
    for name in ["a/ca.crt", "b/me.crt"] {
        write(&folder, name, &certificate);
    }
    write(&folder, "b/me.key", &key);
    let first = "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n\
                 clusters: [{name: c, cluster: {server: 'https://h', certificate-authority: ca.crt}}]\n";
    let first = write(&folder, "a/config", first);
    let exec = "{apiVersion: client.authentication.k8s.io/v1beta1, command: COMMAND}";
    let user = "client-certificate: me.crt, client-key: ../b/me.key";
    let second = write(
        &folder,
        "b/config",
        &format!("users: [{{name: u, user: {{{user}}}}}, {{name: e, user: {{exec: {exec}}}}}]"),
    );
    let environment = outside(folder.path(), Some(list(&[&first, &second])));
    let config = Config::loader().load_from(&environment).unwrap();
    assert!(matches!(config.tls.ca, Some(PemSource::File(path)) if path == folder.path().join("a/ca.crt")));
    let identity = config.tls.identity.unwrap();
    assert!(matches!(identity.certificate, PemSource::File(path) if path == folder.path().join("b/me.crt")));

    for (command, expected) in [
        ("aws", "aws".to_owned()),
        ("./aws", folder.path().join("b/./aws").display().to_string()),
        ("bin/aws", folder.path().join("b/bin/aws").display().to_string()),
        ("/bin/aws", "/bin/aws".to_owned()),
    ] {
        fs::write(&second, format!("users: [{{name: e, user: {{exec: {}}}}}]", exec.replace("COMMAND", command)))
            .unwrap();
        let config = Config::loader().user("e").load_from(&environment).unwrap();
        assert!(matches!(config.credentials, Credentials::Exec(exec) if exec.command == expected), "{command}");
    }
}

#[cfg(unix)]
#[test]
fn only_regular_files_are_read() {
    let folder = TempDir::new().unwrap();
    let zero = Path::new("/dev/zero");
    let error = Config::from_kubeconfig(zero).unwrap_err().to_string();
    assert!(error.contains("/dev/zero: has more than 16 MiB"), "{error}");
    let editor = KubeconfigEditor::file(folder.path()).use_context("x");
    assert!(editor.save().unwrap_err().to_string().contains("is not a regular file"));

    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // What the user chose may be a pipe.
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::write(pipe, single("server: 'https://piped'", ""))
    });
    assert_eq!(Config::from_kubeconfig(&pipe).unwrap().server.host(), Some("piped"));
    writer.join().unwrap().unwrap();
    let pipe = pipe.to_str().unwrap();
    for (cluster, user) in [
        (format!("certificate-authority: {pipe}"), String::new()),
        (String::new(), format!("client-certificate: {pipe}, client-key: {pipe}")),
        (String::new(), format!("tokenFile: {pipe}")),
        (
            String::new(),
            format!("auth-provider: {{name: oidc, config: {{{OIDC}, idp-certificate-authority: {pipe}}}}}"),
        ),
    ] {
        let error = refused(&single(&format!("server: 'https://h', {cluster}"), &user));
        assert!(error.contains("pipe: is not a regular file"), "{error}");
    }

    // The kubelet's are links to links to files.
    let token = write(&folder, "..data/token", "sesame");
    std::os::unix::fs::symlink("..data/token", folder.path().join("token")).unwrap();
    assert!(token.is_file());
    loaded(&single("server: 'https://h'", &format!("tokenFile: {}/token", folder.path().display())));
}
