//! A fake API server on a port of the loopback interface, for kubectl and other programs.
//!
//! ```console
//! cargo run -p fake-server -- [--controllers] KUBECONFIG
//! ```
//!
//! It writes the kubeconfig file, and serves until its standard input ends (Ctrl-D).

use std::{error::Error, fs, path::PathBuf};

use clap::Parser;
use k8s_client_fake::FakeServer;
use tokio::io::AsyncReadExt as _;

#[derive(Parser)]
struct Options {
    /// The kubeconfig file to write
    kubeconfig: PathBuf,

    /// Does what a cluster does: deployments get their pods, and pods run
    #[arg(long)]
    controllers: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let mut builder = FakeServer::builder().collects_garbage();
    if options.controllers {
        builder = builder.runs_controllers();
    }
    let listener = builder.start().listen().await?;
    fs::write(&options.kubeconfig, listener.kubeconfig())?;
    println!("export KUBECONFIG={}  # {}", options.kubeconfig.display(), listener.url());
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    Ok(())
}
