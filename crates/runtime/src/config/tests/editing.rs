//! Writing back: each change in its own file, and nothing else.

use std::thread;

use secrecy::SecretString;

use super::*;

#[test]
fn entries_are_changed_in_the_file_that_they_are_from() {
    let folder = TempDir::new().unwrap();
    let first = write(&folder, "first", "# first\nusers:\n- name: me\n  user: {token: old}\n");
    let second = write(&folder, "second", COMPLETE);
    let missing = folder.path().join("missing");
    let environment = outside(folder.path(), Some(list(&[&missing, &first, &second])));
    let loader = Config::loader();
    loader
        .editor_from(&environment)
        .unwrap()
        .use_context("admin")
        .set_namespace("admin", "web")
        .set_token("me", &SecretString::from("new"))
        .set_cluster("local", "prod")
        .set_user("local", "me")
        .put(KubeconfigSection::Contexts, "new", [("cluster", "prod"), ("user", "me")])
        .save()
        .unwrap();
    let text = fs::read_to_string(&first).unwrap();
    assert_eq!(
        text,
        "# first\nusers:\n- name: me\n  user: {token: new}\ncurrent-context: admin\ncontexts:\n- context:\n    cluster: prod\n    \
         user: me\n  name: new\n"
            .replace("{token: new}", "{token: \"new\"}")
    );
    let config = loader.clone().load_from(&environment).unwrap();
    assert_eq!(config.default_namespace, "web");
    assert_eq!(token(&loader.clone().context("local").load_from(&environment).unwrap()), "new");
    assert!(loader.context("new").load_from(&environment).is_ok());
    assert!(fs::read_to_string(&second).unwrap().contains("preferences: {colors: true}"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "locks and temporary files are gone");
}

#[test]
fn what_is_new_goes_to_the_default_file() {
    let folder = TempDir::new().unwrap();
    let put = |environment: &Environment| {
        let editor = Config::loader().editor_from(environment).unwrap();
        editor.put(KubeconfigSection::Contexts, "x", [("cluster", "c")]).use_context("x").save().unwrap();
    };
    put(&outside(folder.path(), None));
    let text = fs::read_to_string(folder.path().join(".kube/config")).unwrap();
    assert_eq!(
        text,
        "apiVersion: v1\nkind: Config\ncontexts:\n- context:\n    cluster: c\n  name: x\ncurrent-context: x\n"
    );
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    put(&outside(folder.path(), Some(list(&[&a, &b]))));
    assert!(!a.exists() && b.exists(), "none exists: the last one");
    put(&outside(folder.path(), Some(list(&[&a, &b, &write(&folder, "c", "")]))));
    assert!(
        !a.exists() && fs::read_to_string(folder.path().join("c")).unwrap().is_empty(),
        "the first one that exists"
    );
}

#[test]
fn removing_and_clearing_reach_every_file() {
    let folder = TempDir::new().unwrap();
    let (first, second) = (write(&folder, "first", COMPLETE), write(&folder, "second", COMPLETE));
    let environment = outside(folder.path(), Some(list(&[&first, &second])));
    let editor = Config::loader().editor_from(&environment).unwrap();
    editor.remove(KubeconfigSection::Users, "me").use_context("").save().unwrap();
    for path in [first, second] {
        let kubeconfig = kubeconfig::Kubeconfig::read(&path).unwrap().unwrap();
        assert!(kubeconfig.current_context.is_none() && !kubeconfig.users.contains_key("me"));
        assert!(kubeconfig.users.contains_key("admin"));
    }
}

#[test]
fn one_file_under_several_names_gets_every_change() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "config", COMPLETE);
    let mut names =
        vec![path.clone(), folder.path().join("../").join(folder.path().file_name().unwrap()).join("config")];
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("config", folder.path().join("link")).unwrap();
        names.insert(0, folder.path().join("link"));
    }
    let names: Vec<&Path> = names.iter().map(PathBuf::as_path).collect();
    let environment = outside(folder.path(), Some(list(&names)));
    let editor = Config::loader().editor_from(&environment).unwrap();
    editor.remove(KubeconfigSection::Users, "me").set_namespace("admin", "web").use_context("").save().unwrap();
    let kubeconfig = kubeconfig::Kubeconfig::read(&path).unwrap().unwrap();
    assert!(kubeconfig.current_context.is_none() && !kubeconfig.users.contains_key("me"));
    let editor = Config::loader().editor_from(&environment).unwrap();
    editor.use_context("admin").save().unwrap();
    assert_eq!(Config::from_kubeconfig(&path).unwrap().default_namespace, "web");
    assert!(!folder.path().join("config.lock").exists());
}

#[test]
fn a_change_that_cannot_be_made_changes_no_file() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "config", COMPLETE);
    let editor = || KubeconfigEditor::file(&path).set_token("me", &SecretString::from("new"));
    for (editor, words) in [
        (editor().use_context("x"), "context \"x\" does not exist"),
        (editor().set_namespace("x", "y"), "context \"x\" does not exist"),
        (editor().set_token("x", &SecretString::from("TOPSECRET")), "user \"x\" does not exist"),
        (editor().remove(KubeconfigSection::Clusters, "x"), "cluster \"x\" does not exist"),
        (editor().put(KubeconfigSection::Users, "x", [("token", vec!["x"])]), "cannot be read as YAML"),
    ] {
        let error = editor.save().unwrap_err().to_string();
        assert!(error.contains(words) && error.contains(&*path.to_string_lossy()), "{words}\n{error}");
        assert!(!error.contains("TOPSECRET"));
        assert_eq!(fs::read_to_string(&path).unwrap(), COMPLETE);
    }
    for broken in ["clusters: [", "users: [{name: a}, {name: a}]", "kind: Pod"] {
        let path = write(&folder, "broken", broken);
        assert!(KubeconfigEditor::file(&path).use_context("").save().is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), broken);
    }
}

#[test]
fn writers_wait_for_each_other_and_lose_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("config");
    thread::scope(|scope| {
        for writer in 0..4 {
            let path = &path;
            scope.spawn(move || {
                for entry in 0..8 {
                    let name = format!("{writer}-{entry}");
                    let editor = KubeconfigEditor::file(path);
                    editor.put(KubeconfigSection::Contexts, name, [("cluster", "c")]).save().unwrap();
                }
            });
        }
        // Who reads meanwhile sees a whole file.
        for _ in 0..50 {
            kubeconfig::Kubeconfig::read(&path).unwrap();
        }
    });
    assert_eq!(kubeconfig::Kubeconfig::read(&path).unwrap().unwrap().contexts.len(), 32);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn renewed_tokens_are_written_to_the_user_that_they_are_of() {
    let folder = TempDir::new().unwrap();
    let user = format!("auth-provider: {{name: oidc, config: {{{OIDC}, id-token: old, refresh-token: stays}}}}");
    let path = write(&folder, "config", &single("server: 'https://h'", &user));
    let load = || match Config::from_kubeconfig(&path).unwrap().credentials {
        Credentials::Oidc(oidc) => oidc,
        other => panic!("{other:?}"),
    };
    let tokens = || {
        let oidc = load();
        [oidc.id_token, oidc.refresh_token].map(|token| token.unwrap().expose_secret().to_owned())
    };
    let OidcOrigin { file, user } = load().origin.unwrap();
    let set = |editor: KubeconfigEditor, key, token: &str| {
        editor.set_auth_provider_value(&user, key, &SecretString::from(token))
    };
    set(KubeconfigEditor::file(&file), "id-token", "new").save().unwrap();
    assert_eq!(tokens(), ["new", "stays"]);
    let both = set(set(KubeconfigEditor::file(&file), "id-token", "newer"), "refresh-token", "new");
    both.save().unwrap();
    assert_eq!(tokens(), ["newer", "new"]);
}

#[test]
fn names_that_look_like_numbers_or_booleans_are_found_as_they_are_spelled() {
    let folder = TempDir::new().unwrap();
    for name in ["1234", "0x10", "1e3", "007", "1_000", "true", "No", ".inf", "2001-01-01"] {
        let text = format!(
            "current-context: {name}\ncontexts:\n- name: {name}\n  context:\n    cluster: c\n    user: {name}\n\
             clusters:\n- name: c\n  cluster:\n    server: https://h\nusers:\n- name: {name}\n  user:\n    \
             auth-provider:\n      name: oidc\n      config:\n        {}\n        id-token: old\n",
            OIDC.replace(", ", "\n        ")
        );
        let path = write(&folder, "config", &text);
        let config = Config::from_kubeconfig(&path).unwrap();
        let Credentials::Oidc(oidc) = config.credentials else { panic!("{:?}", config.credentials) };
        let OidcOrigin { file, user } = oidc.origin.unwrap();
        let editor =
            KubeconfigEditor::file(file).set_auth_provider_value(&user, "id-token", &SecretString::from("new"));
        editor.save().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text.replace("id-token: old", "id-token: new"), "{name}");

        let editor = KubeconfigEditor::file(&path).use_context("").save().and_then(|()| {
            KubeconfigEditor::file(&path).use_context(name).remove(KubeconfigSection::Users, name).save()
        });
        editor.unwrap_or_else(|error| panic!("{name}: {error}"));
        let kubeconfig = kubeconfig::Kubeconfig::read(&path).unwrap().unwrap();
        assert_eq!(kubeconfig.current_context.as_deref(), Some(name));
        assert!(kubeconfig.users.is_empty(), "{name}");
    }
}

#[test]
fn only_the_first_document_is_changed() {
    let folder = TempDir::new().unwrap();
    for (text, expected) in [
        ("users: []\n---\n", "users: []\ncurrent-context: x\ncontexts:\n- context:\n    cluster: c\n  name: x\n---\n"),
        ("---\n...\n", "---\ncontexts:\n- context:\n    cluster: c\n  name: x\ncurrent-context: x\n...\n"),
        ("a: b\n---\na: [}", "a: b\ncontexts:\n- context:\n    cluster: c\n  name: x\ncurrent-context: x\n---\na: [}"),
    ] {
        let path = write(&folder, "config", text);
        let editor = KubeconfigEditor::file(&path).put(KubeconfigSection::Contexts, "x", [("cluster", "c")]);
        editor.use_context("x").save().unwrap();
        let (written, expected) = (fs::read_to_string(&path).unwrap(), expected.to_owned());
        let sorted = |text: &str| {
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&written), sorted(&expected), "{written}");
        assert!(
            written.ends_with(text.split_at(text.find("\n---\n").or(text.find("\n...\n")).unwrap()).1),
            "{written}"
        );
    }
}

#[test]
fn characters_that_yaml_does_not_allow_are_escaped() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "config", &COMPLETE.replace("{token: sesame}", "{token: sesame}  # mine"));
    let odd = "a\u{7f}b\u{85}c\u{9f}d\u{2028}e\u{2029}f\u{feff}g\u{0}h\u{1b}i\u{ffff}j\u{1f600}\"\\";
    KubeconfigEditor::file(&path)
        .set_token("me", &SecretString::from(odd))
        .put(KubeconfigSection::Users, odd, [("username", odd)])
        .save()
        .unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let allowed = |letter: char| !letter.is_control() && !"\u{2028}\u{2029}\u{feff}\u{ffff}".contains(letter);
    assert!(text.lines().all(|line| line.chars().all(allowed)), "{text}");
    assert!(text.contains(r"\u007fb\u0085c"), "{text}");
    assert_eq!(token(&Config::from_kubeconfig(&path).unwrap()), odd);
    assert!(kubeconfig::Kubeconfig::read(&path).unwrap().unwrap().users.contains_key(odd));
}
