//! The example in a terminal: a pseudo terminal, at whose other end the test sits.
#![cfg(unix)]

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::{ffi::OsStrExt as _, fs::OpenOptionsExt as _},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use k8s_client_integration_tests::{Test, TestResult, control_plane, eventually, nodes};
use rustix::{
    fs::OFlags,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};
use tokio::task::spawn_blocking;

/// The example in a terminal.
struct Terminal {
    /// Where the test types, and sees what is shown.
    ours: File,
    /// The terminal itself.
    theirs: File,
    shown: Arc<Mutex<Vec<u8>>>,
    example: Child,
}

impl Terminal {
    /// Starts the example in a terminal of 30 rows of 100 characters, with a shell's command in the pod `web`.
    fn start(test: &Test, script: &str) -> TestResult<Self> {
        // The terminal that this program was started in, if any, is not the example's. Who leads a session already
        // cannot leave it, and has none where tests run by themselves.
        let _ = rustix::process::setsid();
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let ours = openpt(flags)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let path = ptsname(&ours, Vec::new())?;
        let not_controlling = OFlags::NOCTTY.bits().cast_signed();
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(not_controlling);
        let theirs = options.open(std::ffi::OsStr::from_bytes(path.as_bytes()))?;
        let stdio = || theirs.try_clone().map(Stdio::from);
        let (ours, shown) = (File::from(ours), Arc::<Mutex<Vec<u8>>>::default());
        resize(&ours, 30, 100)?;
        // Before the example can change that.
        assert!(tcgetattr(&theirs)?.local_modes.contains(COOKED));
        let example = Command::new(env!("CARGO_BIN_EXE_exec"))
            .arg("--kubeconfig")
            .arg(control_plane().kubeconfig())
            .args(["--namespace", &test.namespace, "web", "--", "sh", "-c", script])
            .stdin(stdio()?)
            .stdout(stdio()?)
            .stderr(stdio()?)
            .spawn()?;
        let (mut screen, seen) = (ours.try_clone()?, shown.clone());
        thread::spawn(move || {
            let mut bytes = [0; 1024];
            // Ends in an error, once the terminal is closed.
            while let Ok(length @ 1..) = screen.read(&mut bytes) {
                seen.lock().expect("nobody panics with it").extend_from_slice(&bytes[..length]);
            }
        });
        Ok(Self { ours, theirs, shown, example })
    }

    async fn shows(&self, text: &str) {
        let shown = || String::from_utf8_lossy(&self.shown.lock().expect("nobody panics with it")).into_owned();
        eventually(&format!("{text:?} is shown"), || async { shown().contains(text).then_some(()) }).await;
    }

    fn type_in(&mut self, keys: &[u8]) -> TestResult {
        Ok(self.ours.write_all(keys)?)
    }

    /// How the terminal treats what is typed.
    fn modes(&self) -> TestResult<LocalModes> {
        Ok(tcgetattr(&self.theirs)?.local_modes)
    }

    /// Waits for the example's end.
    async fn ended(mut self) -> TestResult<(Option<i32>, LocalModes)> {
        let (status, terminal) = spawn_blocking(move || (self.example.wait(), self)).await?;
        Ok((status?.code(), terminal.modes()?))
    }
}

fn resize(terminal: &File, rows: u16, columns: u16) -> TestResult {
    Ok(tcsetwinsize(terminal, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 })?)
}

/// What a terminal does with keys for programs that want lines: it edits and shows them, and some of them are signals.
const COOKED: LocalModes = LocalModes::ICANON.union(LocalModes::ECHO).union(LocalModes::ISIG);

#[tokio::test]
async fn keys_and_sizes_go_to_the_process_and_the_terminal_is_as_before_in_the_end() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    for node in nodes.both() {
        let test = Test::namespace().await;
        test.run_script(&node, "web", "exec sleep 1000").await;
        let script = "until_it_is() { until test \"$(stty size)\" = \"$1\"; do sleep 0.1; done; stty size; }
                      until_it_is '30 100'; read line; echo \"it got $line\"; until_it_is '50 120'
                      trap 'echo interrupted; exit 7' INT; echo ready; while :; do sleep 0.1; done";
        let mut terminal = Terminal::start(&test, script)?;
        terminal.shows("30 100").await;
        assert!(!terminal.modes()?.intersects(COOKED), "{:?}", terminal.modes()?);
        terminal.type_in(b"a line\r")?;
        terminal.shows("it got a line").await;
        resize(&terminal.ours, 50, 120)?;
        terminal.shows("50 120").await;
        // Ctrl-C is a key like any other here, and a signal there.
        terminal.shows("ready").await;
        terminal.type_in(b"\x03")?;
        terminal.shows("interrupted").await;
        let (code, modes) = terminal.ended().await?;
        assert_eq!(code, Some(7));
        assert!(modes.contains(COOKED), "{modes:?}");
    }
    Ok(())
}

#[tokio::test]
async fn ctrl_p_ctrl_q_detach_and_one_of_them_alone_does_not() -> TestResult {
    let Some(nodes) = nodes() else { return Ok(()) };
    let test = Test::namespace().await;
    test.run_script(&nodes.websocket(), "web", "exec sleep 1000").await;
    let mut terminal = Terminal::start(&test, "stty -echo; echo ready; exec cat -v")?;
    terminal.shows("ready").await;
    terminal.type_in(b"\x10x\x10\x10y\r")?;
    terminal.shows("^Px^P^Py").await;
    terminal.type_in(b"\x10")?;
    terminal.type_in(b"\x11")?;
    terminal.shows("detached").await;
    let (code, modes) = terminal.ended().await?;
    assert_eq!(code, Some(0));
    assert!(modes.contains(COOKED), "{modes:?}");
    Ok(())
}
