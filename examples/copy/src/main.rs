//! Copies a file or a folder to or from a container, as `kubectl cp` does.
//!
//! ```console
//! cargo run -p copy -- [--kubeconfig FILE] [--namespace NAME] [--container NAME] FROM TO
//! ```
//!
//! One of the paths is `POD:PATH`, the other one is of this machine. What is copied is then at that path, not below it.

use std::{error::Error, path::PathBuf};

use clap::Parser;
use k8s_client::{
    Clientset, Config,
    pods::{Copied, CopyFiles as _},
    resource::Exec,
};

#[derive(Parser)]
struct Options {
    /// The kubeconfig file; $KUBECONFIG or ~/.kube/config without it
    #[arg(long)]
    kubeconfig: Option<PathBuf>,

    /// The namespace of the pod
    #[arg(long, default_value = "default")]
    namespace: String,

    /// The container; without it, the pod has only one
    #[arg(long)]
    container: Option<String>,

    /// What is copied
    from: String,

    /// Where it is then
    to: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let config = match &options.kubeconfig {
        Some(path) => Config::from_kubeconfig(path)?,
        None => Config::infer()?,
    };
    let pods = Clientset::new(&config)?.core_v1().pods(&options.namespace);
    let container = |pod: &str| -> Exec {
        let exec = pods.exec(pod);
        match &options.container {
            Some(container) => exec.container(container),
            None => exec,
        }
    };

    let copied = match (options.from.split_once(':'), options.to.split_once(':')) {
        (Some((pod, path)), None) => container(pod).download(path, &options.to).await?,
        (None, Some((pod, path))) => container(pod).upload(&options.from, path).await?,
        _ => return Err("one of the paths must be POD:PATH, and the other one of this machine".into()),
    };
    show(&copied);
    Ok(())
}

fn show(copied: &Copied) {
    println!("{} files, {} bytes", copied.files, copied.bytes);
    for path in &copied.skipped {
        println!("  left out, since it is neither a file nor a folder: {}", path.display());
    }
}
