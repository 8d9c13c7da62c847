//! Prints which resources a cluster has, as `kubectl api-resources` does.
//!
//! ```console
//! cargo run -p api-resources -- [--kubeconfig FILE] [--api-group apps] [--namespaced true]
//! ```

use std::path::PathBuf;

use clap::Parser;
use k8s_client::{
    Clientset, Config,
    discovery::{ApiResource, Discovery as _, GroupVersion, ResourceScope},
};

#[derive(Parser)]
struct Arguments {
    /// The kubeconfig file. Default: $KUBECONFIG, ~/.kube/config, then the cluster that this runs in.
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// Only the resources of this group; "" is the core group.
    #[arg(long)]
    api_group: Option<String>,
    /// Only what lives in namespaces, or only what does not.
    #[arg(long)]
    namespaced: Option<bool>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let config = match &arguments.kubeconfig {
        Some(path) => Config::from_kubeconfig(path)?,
        None => Config::infer()?,
    };
    let preferred = Clientset::new(&config)?.discovery().preferred_resources().await?;

    let mut rows: Vec<(&GroupVersion, &ApiResource)> = Vec::new();
    for list in &preferred.resources {
        rows.extend(list.resources.iter().map(|resource| (&list.group_version, resource)));
    }
    rows.retain(|(group_version, resource)| {
        let namespaced = resource.scope == ResourceScope::Namespaced;
        !resource.verbs.is_empty()
            && arguments.api_group.as_ref().is_none_or(|group| *group == group_version.group)
            && arguments.namespaced.is_none_or(|wanted| wanted == namespaced)
    });
    rows.sort_by_key(|(group_version, resource)| (&group_version.group, &resource.name));

    let header = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"].map(str::to_owned);
    let rows = rows.into_iter().map(|(group_version, resource)| {
        let namespaced = resource.scope == ResourceScope::Namespaced;
        [
            resource.name.clone(),
            resource.short_names.join(","),
            group_version.to_string(),
            namespaced.to_string(),
            resource.kind.kind.clone(),
        ]
    });
    print(&std::iter::once(header).chain(rows).collect::<Vec<_>>());

    // What could be read is printed; what could not be is an error all the same.
    preferred.complete()?;
    Ok(())
}

/// Prints columns as wide as what is in them, three spaces apart.
fn print(rows: &[[String; 5]]) {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default() + 3;
    let widths: [usize; 4] = std::array::from_fn(width);
    for [cells @ .., last] in rows {
        for (cell, width) in cells.iter().zip(widths) {
            print!("{cell:width$}");
        }
        println!("{last}");
    }
}
