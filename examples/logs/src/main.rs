//! Follows the logs of all pods that a selector chooses, each in its colour: those that are there, and those to come.
//!
//! ```console
//! cargo run -p logs -- [--kubeconfig FILE] [--namespace NAME | --all-namespaces] [--selector LABELS]
//!     [--container NAME] [--tail LINES] [--since SECONDS] [--lines LINES]
//! ```
//!
//! It runs until Ctrl-C, or until it has shown `--lines`. Colours are for terminals only.

use std::{
    collections::hash_map::DefaultHasher,
    error::Error,
    hash::{Hash, Hasher},
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
};

use clap::Parser;
use k8s_client::{
    Clientset, Config,
    pods::{FollowPodLogs, PodLogEntry, PodLogEvent, PodLogs},
};

#[derive(Parser)]
struct Options {
    /// The kubeconfig file; $KUBECONFIG or ~/.kube/config without it
    #[arg(long)]
    kubeconfig: Option<PathBuf>,

    /// The namespace of the pods
    #[arg(long, default_value = "default")]
    namespace: String,

    /// The pods of all namespaces
    #[arg(long)]
    all_namespaces: bool,

    /// Labels that the pods have, such as app=web
    #[arg(long, default_value = "")]
    selector: String,

    /// The only container that is wanted
    #[arg(long)]
    container: Option<String>,

    /// How many of the lines are shown that are there already
    #[arg(long, default_value_t = 10)]
    tail: u32,

    /// How old a line may be, in seconds
    #[arg(long)]
    since: Option<u32>,

    /// Ends after so many lines
    #[arg(long)]
    lines: Option<usize>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let config = match &options.kubeconfig {
        Some(path) => Config::from_kubeconfig(path)?,
        None => Config::infer()?,
    };
    let core = Clientset::new(&config)?.core_v1();
    // The clients of one namespace and of all are of two types, and both have what is needed here.
    let mut logs = if options.all_namespaces {
        start(&core.all_pods(), &options).await?
    } else {
        start(&core.pods(&options.namespace), &options).await?
    };

    let mut screen = Screen { coloured: io::stdout().is_terminal(), open: None };
    let mut left = options.lines;
    while left != Some(0) {
        let entry = tokio::select! {
            entry = logs.next() => entry,
            _ = tokio::signal::ctrl_c() => None,
        };
        let Some(entry) = entry else { break };
        if matches!(&entry.event, PodLogEvent::Line(line) if line.ends()) {
            left = left.map(|left| left - 1);
        }
        match screen.show(&entry) {
            // Whoever reads has enough, such as `head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
            shown => shown?,
        }
    }
    Ok(())
}

/// Follows the pods of a client.
async fn start(pods: &impl FollowPodLogs, options: &Options) -> k8s_client::Result<PodLogs> {
    let mut logs = pods.follow_logs().label_selector(&options.selector).tail_lines(options.tail);
    if let Some(seconds) = options.since {
        logs = logs.since_seconds(seconds);
    }
    if let Some(wanted) = options.container.clone() {
        logs = logs.filter(move |_, container| container == wanted);
    }
    logs.await
}

struct Screen {
    coloured: bool,
    /// Whose line has begun and not ended: very long ones come in pieces.
    open: Option<String>,
}

impl Screen {
    fn show(&mut self, entry: &PodLogEntry) -> io::Result<()> {
        let of = format!("{}/{} {}", entry.namespace, entry.pod, entry.container);
        let mut out = io::stdout().lock();
        let goes_on = matches!(entry.event, PodLogEvent::Line(_)) && self.open.as_ref() == Some(&of);
        if self.open.take().is_some() && !goes_on {
            writeln!(out)?;
        }
        let shown = if self.coloured { format!("\x1b[{}m{of}\x1b[0m", colour(&entry.pod)) } else { of.clone() };
        match &entry.event {
            PodLogEvent::Line(line) => {
                if !goes_on {
                    write!(out, "{shown} ")?;
                }
                // The bytes as they are: they may be no text at all.
                out.write_all(line.bytes())?;
                if line.ends() {
                    return writeln!(out);
                }
                self.open = Some(of);
                Ok(())
            }
            PodLogEvent::Started { restart_count: 0 } => writeln!(out, "+ {shown}"),
            PodLogEvent::Started { restart_count } => writeln!(out, "+ {shown}, started again {restart_count} times"),
            PodLogEvent::Incomplete { reason } => writeln!(out, "! {shown}, lines may be missing: {reason}"),
            PodLogEvent::Message(text) => writeln!(out, "! {shown}: {text}"),
            PodLogEvent::Ended => writeln!(out, "- {shown}"),
            PodLogEvent::Failed(error) => writeln!(out, "! {shown}: {error}"),
            other => writeln!(out, "? {shown}: {other:?}"),
        }
    }
}

/// A colour for each pod: always the same, and neither black nor white.
fn colour(pod: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    pod.hash(&mut hasher);
    let colour = hasher.finish() % 12;
    if colour < 6 { 31 + colour } else { 91 + colour - 6 }
}
