//! client-go: its informers, its dynamic client, its discovery and its election.

use std::process::Command;

use k8s_client_integration_tests::TestResult;
use k8s_client_test_harness::build_clients;

use crate::both::Both;

#[tokio::test(flavor = "multi_thread")]
async fn client_go_sees_the_same() -> TestResult {
    let Some(program) = build_clients()? else {
        println!("skipped: Go, which builds the program of client-go, is not installed");
        return Ok(());
    };
    let both = Both::start().await?;
    let group = format!("{}.example.com", both.namespace);
    let mut said = Vec::new();
    for kubeconfig in &both.servers {
        let output = Command::new(&program).arg(kubeconfig).args([&both.namespace, &group]).output()?;
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{}: {errors}", kubeconfig.display());
        // What it logs has times in it; what it says of the servers is in its output.
        said.push(String::from_utf8(output.stdout)?);
    }
    assert!(said[0].lines().count() > 20, "{}", said[0]);
    assert_eq!(said[0], said[1]);
    Ok(())
}
