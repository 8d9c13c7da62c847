//! Runs in a pod and says every ten seconds which pods there are in its namespace.
//!
//! `manifest.yaml` beside this folder has what it needs: a service account that may list pods, and a deployment. Build
//! an image of the program, put its name into the manifest, and
//!
//! ```console
//! kubectl apply -f examples/in-cluster/manifest.yaml
//! kubectl logs --follow deployment/in-cluster
//! ```

use std::time::Duration;

use k8s_client::{Clientset, Config, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    // The service account alone, whatever kubeconfig may be in the image. Its token is read again as it is renewed.
    let config = Config::in_cluster()?;
    let namespace = config.default_namespace.clone();
    let pods = Clientset::new(&config)?.core_v1().pods(&namespace);
    loop {
        match pods.list().await {
            Ok(list) => {
                let names: Vec<_> = list.items.into_iter().filter_map(|pod| pod.metadata.name).collect();
                println!("{} pods in {namespace}: {}", names.len(), names.join(", "));
            }
            Err(error) if error.is_forbidden() => eprintln!("is the role of manifest.yaml bound? {error}"),
            // The server may be away for a while; the pod need not restart for that.
            Err(error) => eprintln!("{error}"),
        }
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
}
