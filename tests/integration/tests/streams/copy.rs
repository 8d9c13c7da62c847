//! Files to and from containers, and debug containers.

use std::{fs, future::IntoFuture as _};

use k8s_client::{
    pods::{CopyError, CopyFiles as _, DebugPods as _},
    resource::Exec,
};
use k8s_client_integration_tests::{Test, TestResult, eventually, nodes, soon};
use k8s_client_test_harness::Node;
use tokio::io::AsyncWriteExt as _;

/// A pod on this node that waits, and what is executed in it.
async fn waiting(node: &Node) -> (Test, Exec) {
    let test = Test::namespace().await;
    test.run_script(node, "web", "exec sleep 1000").await;
    let exec = test.client.core_v1().pods(&test.namespace).exec("web");
    (test, exec)
}

/// Bytes of all values.
fn bytes(length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    std::iter::repeat_with(|| random.u8(..)).take(length).collect()
}

#[tokio::test]
async fn folders_and_files_are_the_same_on_both_sides() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let (_test, exec) = waiting(&node).await;
        let here = tempfile::tempdir()?;
        let site = here.path().join("site");
        let long = "a-folder-with-a-long-name/".repeat(8);
        fs::create_dir_all(site.join(&long))?;
        fs::create_dir(site.join("empty"))?;
        let large = bytes(5_000_000);
        fs::write(site.join("large"), &large)?;
        fs::write(site.join("nothing"), "")?;
        fs::write(site.join(&long).join("é -rf"), "deep")?;
        std::os::unix::fs::symlink("/etc/passwd", site.join("link"))?;

        let copied = soon("it is copied", exec.upload(&site, "there").into_future()).await?;
        assert_eq!((copied.files, copied.bytes, copied.skipped), (3, 5_000_004, vec![site.join("link")]));
        let back = here.path().join("back");
        let copied = soon("it is copied back", exec.download("./there/", &back).into_future()).await?;
        assert_eq!((copied.files, copied.bytes, copied.skipped.len()), (3, 5_000_004, 0));
        assert!(fs::read(back.join("large"))? == large && fs::read(back.join("nothing"))?.is_empty());
        assert_eq!(fs::read_to_string(back.join(&long).join("é -rf"))?, "deep");
        assert!(back.join("empty").is_dir() && !back.join("link").exists());

        // Once more over what is there; and of one file.
        soon("it is copied again", exec.download("there", &back).into_future()).await?;
        let one = here.path().join("one");
        let copied = soon("one file is copied", exec.download("there/large", &one).into_future()).await?;
        assert_eq!((copied.files, fs::read(&one)? == large), (1, true));
    }
    Ok(())
}

#[tokio::test]
async fn files_are_read_and_written_in_memory() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let (_test, exec) = waiting(&node).await;
        let all: Vec<u8> = (0..=255).collect();
        exec.write_file("bytes", all.clone()).await?;
        assert_eq!(exec.read_file("bytes").await?, all);
        exec.write_file_from("some", &all[..], 100).await?;
        assert_eq!(exec.read_file("some").await?, all[..100]);
        let error = exec.write_file_from("more", &all[..], 300).await.expect_err("the reader ends too early");
        assert!(error.to_string().contains("ends 44 bytes before"), "{error}");
        let error = exec.read_file("bytes").max_bytes(255).await.expect_err("it is too large");
        assert!(matches!(error, CopyError::TooLarge { limit: 255, .. }), "{error}");

        let here = tempfile::tempdir()?;
        fs::write(here.path().join("tool"), "#!/bin/sh\necho $1\n")?;
        exec.upload(here.path(), "tools").file_mode(0o755).await?;
        exec.write_file("tools/secret", "x").file_mode(0o600).await?;
        let ran = exec.clone().command(["tools/tool", "it runs"]).output().await?;
        assert_eq!(ran.stdout, "it runs\n");
        let shown = exec.clone().command(["stat", "-c", "%a", "bytes", "tools/tool", "tools/secret"]).output().await?;
        assert_eq!(shown.stdout, "644\n755\n600\n");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_not_there_is_told_in_the_words_of_tar() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let (_test, exec) = waiting(&node).await;
        let here = tempfile::tempdir()?;
        for error in [
            exec.download("nowhere", here.path().join("x")).await.expect_err("it is not there"),
            exec.write_file("no/such/folder/file", "x").await.expect_err("the folder is not there"),
        ] {
            let CopyError::Tar { code: 1.., message, .. } = &error else { panic!("{error}") };
            assert!(message.contains("No such file or directory"), "{error}");
        }
        let error = exec.upload(here.path().join("missing"), "x").await.expect_err("it is not here");
        assert!(matches!(error, CopyError::Local { .. }), "{error}");
        let error = exec.download("/tmp/..", here.path()).await.expect_err("it has no name");
        assert!(matches!(error, CopyError::Path(_)), "{error}");
        for (exec, what) in [
            (exec.clone().command(["cat"]), "a command"),
            (exec.clone().input("x"), "an input"),
            (exec.clone().tty(true), "a terminal"),
        ] {
            let error = exec.write_file("file", "x").await.expect_err("the exec has something of its own").to_string();
            assert!(error.contains(&format!("the exec has {what}")), "{error}");
        }
        exec.write_file("file", bytes(100_000)).await?;
        let error = exec.download("file", here.path().join("y")).max_bytes(1000).await.expect_err("it is too large");
        assert!(matches!(error, CopyError::TooLarge { limit: 1000, .. }), "{error}");
        exec.clone().command(["sh", "-c", "mkdir links; for i in 1 2 3; do ln -s x links/$i; done"]).status().await?;
        let error = exec.download("links", here.path().join("z")).max_entries(3).await.expect_err("there are four");
        assert!(matches!(error, CopyError::TooMany { limit: 3, .. }), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn container_without_tar_is_told_to_need_it() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let (_test, exec) = waiting(&node).await;
        // All containers of the nodes have tar, so another program is missing.
        let error = exec.command(["no-such-program"]).output().await.expect_err("there is no such program");
        let error = CopyError::from(error).to_string();
        assert!(error.ends_with("copying needs the program tar in the container"), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn debug_container_is_added_and_attached_to() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let (test, _) = waiting(&node).await;
        let pods = test.client.core_v1().pods(&test.namespace);
        let debug = pods.debug("web", "local").target("main").env("GREETING", "hello").stdin(true);
        let debug =
            soon("it starts", debug.command(["sh", "-c", "read line; echo $GREETING $line"]).into_future()).await?;
        assert!(debug.name.starts_with("debugger-"));
        let mut process = debug.process.expect("it waits for input");
        let mut stdin = process.stdin.take().expect("it was asked for");
        stdin.write_all(b"there\n").await?;
        let output = soon("it ends", process.wait_with_output(1000)).await?;
        assert_eq!(output.stdout, "hello there\n");

        // One that reads to the end of its input.
        let debug = soon("it starts", pods.debug("web", "local").command(["cat"]).stdin(true).into_future()).await?;
        let mut process = debug.process.expect("it waits for input");
        process.stdin.take().expect("it was asked for").write_all(b"to the end").await?;
        let output = soon("it ends", process.wait_with_output(1000)).await?;
        assert_eq!(output.stdout, "to the end");

        // One that is run to its end.
        let shown = pods.debug("web", "local").command(["sh", "-c", "echo one; echo two >&2; exit 3"]).stdin(true);
        let output = soon("it ends", shown.output()).await?;
        assert_eq!(output.exit_code, Some(3));
        // The node reads both outputs at once, so either may come first.
        let log = String::from_utf8(output.log.to_vec())?;
        assert!(matches!(&log[..], "one\ntwo\n" | "two\none\n"), "{log:?}");
        let error = soon("it is refused", pods.debug("none", "local").output()).await.expect_err("there is no pod");
        assert!(error.is_not_found(), "{error}");

        // One that ends at once has a log.
        let debug = pods.debug("web", "local").name("short").command(["echo", "short"]);
        let debug = soon("it starts", debug.into_future()).await?;
        let log = eventually("its log is there", || async {
            pods.logs("web").container(&debug.name).await.ok().filter(|log| !log.is_empty())
        })
        .await;
        assert_eq!((debug.name.as_str(), log.as_str()), ("short", "short\n"));
    }
    Ok(())
}
