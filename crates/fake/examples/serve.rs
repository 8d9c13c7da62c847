//! A fake API server on a port of the loopback interface, for kubectl and other programs:
//! `cargo run -p k8s-client-fake --features latest,listen --example serve KUBECONFIG`.
//!
//! It writes the kubeconfig file and serves until its standard input ends. With `--controllers` behind it, it does what
//! a cluster does: deployments get their pods.

use std::{env, error::Error, fs};

use k8s_client_fake::FakeServer;
use tokio::io::AsyncReadExt as _;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let file = env::args().nth(1).ok_or("name the kubeconfig file to write")?;
    let mut builder = FakeServer::builder().collects_garbage();
    if env::args().nth(2).as_deref() == Some("--controllers") {
        builder = builder.runs_controllers();
    }
    let server = builder.start();
    let listener = server.listen().await?;
    fs::write(&file, listener.kubeconfig())?;
    println!("export KUBECONFIG={file}  # {}", listener.url());
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    Ok(())
}
