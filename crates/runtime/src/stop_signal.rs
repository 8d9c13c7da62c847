//! Being asked to end.

use std::{future::pending, io};

use tokio::signal;

/// Waits until the program is asked to end: by Ctrl-C, or by SIGTERM, which Kubernetes sends to a container 30 seconds
/// before it kills it, unless its pod says otherwise. Windows has Ctrl-C alone.
///
/// From when this is first polled, these signals do not end the program by themselves any more.
///
/// ```
/// # async fn work() {}
/// # async fn example() {
/// tokio::select! {
///     () = k8s_client_runtime::stop_signal() => println!("ending"),
///     () = work() => {}
/// }
/// # }
/// ```
pub async fn stop_signal() {
    tokio::select! {
        () = asked(signal::ctrl_c()) => {}
        () = asked(terminated()) => {}
    }
}

/// A signal that cannot be waited for still ends the program by itself.
async fn asked(signal: impl Future<Output = io::Result<()>>) {
    if let Err(error) = signal.await {
        tracing::error!(%error, "a signal cannot be waited for, and will end the program at once");
        pending::<()>().await;
    }
}

#[cfg(unix)]
async fn terminated() -> io::Result<()> {
    signal::unix::signal(signal::unix::SignalKind::terminate())?.recv().await;
    Ok(())
}

#[cfg(not(unix))]
async fn terminated() -> io::Result<()> {
    pending().await
}

#[cfg(all(test, unix))]
mod tests {
    use std::{process::Command, time::Duration};

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn ctrl_c_and_sigterm_are_waited_for() {
        for signal in ["-INT", "-TERM"] {
            let mut asked = Box::pin(stop_signal());
            assert!(timeout(Duration::from_millis(10), &mut asked).await.is_err(), "nobody has asked");
            let sent = Command::new("kill").args([signal, &std::process::id().to_string()]).status();
            assert!(sent.expect("there is a kill").success());
            timeout(Duration::from_secs(10), asked).await.expect(signal);
        }
    }
}
