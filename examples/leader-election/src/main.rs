//! Of all copies of this program one works. Start it in two terminals, stop one of them with Ctrl-C or SIGTERM, and
//! the other goes on within two seconds; kill it, and the other goes on when the lease has expired.
//!
//! ```console
//! cargo run -p leader-election -- [--kubeconfig FILE] [--namespace NAME] [--steps NUMBER]
//! ```

use std::{path::PathBuf, time::Duration};

use clap::Parser;
use k8s_client::{
    Config,
    leader_election::{Elector, Observer, Term},
    stop_signal,
};
use tokio::time::sleep;

#[derive(Parser)]
struct Arguments {
    /// The kubeconfig file. Default: $KUBECONFIG, ~/.kube/config, then the cluster that this runs in.
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// The namespace of the lease.
    #[arg(long, default_value = "default")]
    namespace: String,
    /// How many steps to work for. Default: until it is asked to stop.
    #[arg(long)]
    steps: Option<u32>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Arguments { kubeconfig, namespace, steps } = Arguments::parse();
    let config = match &kubeconfig {
        Some(path) => Config::from_kubeconfig(path)?,
        None => Config::infer()?,
    };
    let mut elector = Elector::new(&config, &namespace, "leader-election-example")?;
    println!("I am {}.", elector.identity());
    tokio::spawn(report(elector.observer()));

    // After a loss it takes part in the next election. Most programs would rather end: `lead_until` does that.
    match elector.campaign_until(stop_signal(), |term| work(term, steps)).await {
        Some(done) => println!("I have ended after {done} steps, and another one may lead."),
        None => println!("I was stopped, and another one may lead."),
    }
    Ok(())
}

/// Runs while this program leads. It is dropped, wherever it awaits, when the lease is lost.
async fn work(term: Term, steps: Option<u32>) -> u32 {
    println!("I lead, in term {}.", term.fencing_token());
    let mut done = 0;
    while steps.is_none_or(|steps| done < steps) {
        done += 1;
        println!("Step {done}.");
        tokio::select! {
            // Asked to stop: finish the step, and take up no other one.
            () = term.stopping() => break,
            () = sleep(Duration::from_secs(1)) => {}
        }
    }
    done
}

/// Says who leads, whoever that is.
async fn report(mut election: Observer) {
    while let Some(leader) = election.next_leader().await {
        println!("The leader is {leader}.");
    }
}
