//! Runs a command in a container, as `kubectl exec` does. With a terminal here there is one there.
//!
//! ```console
//! cargo run -p exec -- [--kubeconfig FILE] [--namespace NAME] [--container NAME] POD -- COMMAND...
//! cargo run -p exec -- --selector app=demo -- sh
//! ```
//!
//! Ctrl-P Ctrl-Q detaches from a terminal: the command sees the end of its input. The exit code is the command's.

use std::{
    io::{IsTerminal as _, stdin, stdout},
    path::PathBuf,
    time::Duration,
};

use clap::Parser;
use crossterm::terminal;
use k8s_client::{
    Clientset, Config, WaitFor as _,
    streams::{Process, Resizer, Stdin, TerminalSize},
    wait::conditions::pod_running,
};
use tokio::{
    io::{self, AsyncReadExt as _, AsyncWriteExt as _},
    time::sleep,
};

#[derive(Parser)]
struct Arguments {
    /// The kubeconfig file. Default: $KUBECONFIG, ~/.kube/config, then the cluster that this runs in.
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// The namespace of the pod.
    #[arg(long, default_value = "default")]
    namespace: String,
    /// The container. Default: that of the pod's annotation, or the first.
    #[arg(long)]
    container: Option<String>,
    /// Takes the first pod with these labels.
    #[arg(long, conflicts_with = "pod", required_unless_present = "pod")]
    selector: Option<String>,
    /// The pod.
    pod: Option<String>,
    /// The command and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

type Error = Box<dyn std::error::Error>;

/// The keys that detach: Ctrl-P and Ctrl-Q, one after the other.
const DETACH: [u8; 2] = [0x10, 0x11];

#[tokio::main]
async fn main() -> Result<(), Error> {
    let Arguments { kubeconfig, namespace, container, selector, pod, command } = Arguments::parse();
    let config = match &kubeconfig {
        Some(path) => Config::from_kubeconfig(path)?,
        None => Config::infer()?,
    };
    let pods = Clientset::new(&config)?.core_v1().pods(&namespace);
    let pod = match (pod, selector) {
        (Some(pod), _) => pod,
        (None, selector) => {
            let found = pods.list().label_selector(selector.unwrap_or_default()).await?.items.into_iter().next();
            found.and_then(|pod| pod.metadata.name).ok_or("there is no pod with these labels")?
        }
    };
    pods.wait_for(&pod, pod_running).await?;

    let exec = pods.exec(&pod).command(command).stdin(true);
    let exec = match &container {
        Some(container) => exec.container(container),
        None => exec.default_container(),
    };
    if !(stdin().is_terminal() && stdout().is_terminal()) {
        return piped(exec.await?).await;
    }
    let mut process = exec.tty(true).terminal_size(size()?).await?;
    let raw = Raw::enter()?;
    let typing = process.stdin.take().ok_or("there is no input")?;
    // Reading a terminal cannot be interrupted, so these end with the program.
    let typing = tokio::spawn(type_in(typing));
    tokio::spawn(follow_size(process.resizer()));
    let (mut shown, mut screen) = (process.stdout.take().ok_or("there is no output")?, io::stdout());
    tokio::select! {
        shown = io::copy(&mut shown, &mut screen) => {
            shown?;
        }
        // Dropping the process closes the connection.
        Ok(Ok(true)) = typing => {
            drop(raw);
            eprintln!("detached");
            std::process::exit(0);
        }
    }
    let status = process.wait().await?;
    drop(raw);
    std::process::exit(status.code());
}

/// Connects this program's input and outputs with those of the process.
async fn piped(mut process: Process) -> Result<(), Error> {
    let (input, output, errors) = (process.stdin.take(), process.stdout.take(), process.stderr.take());
    tokio::spawn(async move {
        if let Some(mut input) = input {
            // A process that ends early reads no more, which is no error.
            let _ = io::copy(&mut io::stdin(), &mut input).await;
        }
    });
    let (mut output, mut errors) = (output.ok_or("there is no output")?, errors.ok_or("there is no output of errors")?);
    let (mut out, mut err) = (io::stdout(), io::stderr());
    tokio::try_join!(io::copy(&mut output, &mut out), io::copy(&mut errors, &mut err))?;
    let status = process.wait().await?;
    out.flush().await?;
    // The task that reads this program's input may wait for ever.
    std::process::exit(status.code());
}

/// Sends what is typed, and says whether that ended with the keys that detach.
async fn type_in(mut input: Stdin) -> io::Result<bool> {
    let (mut keys, mut typed, mut held) = (io::stdin(), [0; 1024], 0);
    loop {
        let length = keys.read(&mut typed).await?;
        if length == 0 {
            return Ok(false);
        }
        for key in &typed[..length] {
            if *key == DETACH[held] {
                held += 1;
                if held == DETACH.len() {
                    return Ok(true);
                }
                continue;
            }
            // It was not what it seemed to become.
            input.write_all(&DETACH[..held]).await?;
            held = usize::from(*key == DETACH[0]);
            if held == 0 {
                input.write_all(&[*key]).await?;
            }
        }
    }
}

/// Tells the process when the terminal has another size. Asking now and then works on every system.
async fn follow_size(resizer: Resizer) {
    let mut known = size().ok();
    loop {
        sleep(Duration::from_millis(250)).await;
        let now = size().ok();
        if now != known {
            known = now;
            if let Some(size) = now {
                resizer.resize(size);
            }
        }
    }
}

fn size() -> io::Result<TerminalSize> {
    let (width, height) = terminal::size()?;
    Ok(TerminalSize { width, height })
}

/// The terminal hands on every key, until this is dropped.
struct Raw;

impl Raw {
    fn enter() -> io::Result<Self> {
        terminal::enable_raw_mode()?;
        Ok(Self)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = terminal::disable_raw_mode();
    }
}
