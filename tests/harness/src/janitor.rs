//! Cleans up after a process that could not do so itself.

use std::{
    fmt::Display,
    io::{self, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
};

/// Reads process ids, one a line, until the pipe closes, which it does however the writer ended;
/// then kills them and removes the folder. A minus before an id takes it off the list. `rm` is
/// repeated while dying processes still write.
const SCRIPT: &str = r#"
while read -r pid; do
    case $pid in
    -*)
        kept=
        for one in $pids; do [ "-$one" = "$pid" ] || kept="$kept $one"; done
        pids=$kept
        ;;
    *) pids="$pids $pid" ;;
    esac
done
kill -9 $pids
for attempt in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf "$1" && break
    sleep 0.1
done
"#;

/// A shell that outlives this process by a moment, should this process be killed, exit without
/// dropping a static or be interrupted: it kills what it watches and removes the folder.
///
/// Destructors cannot do this (statics have none, and Ctrl-C runs none), and a parent-death signal
/// would need unsafe code and Linux.
#[derive(Debug)]
pub(crate) struct Janitor(Child);

impl Janitor {
    /// Starts it, for the folder.
    pub(crate) fn start(folder: &Path) -> io::Result<Self> {
        Command::new("sh")
            .args(["-c", SCRIPT, "k8s-client-test-janitor"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .current_dir("/")
            // Out of reach of the terminal's Ctrl-C.
            .process_group(0)
            .spawn()
            .map(Self)
    }

    /// Adds a process to those that it kills.
    pub(crate) fn watch(&mut self, pid: impl Display) -> io::Result<()> {
        match &mut self.0.stdin {
            Some(pipe) => writeln!(pipe, "{pid}"),
            None => Ok(()), // Never: its stdin is a pipe that nobody takes.
        }
    }

    /// Takes a process off the list: it has ended, and its id may become another's.
    pub(crate) fn forget(&mut self, pid: u32) -> io::Result<()> {
        self.watch(format_args!("-{pid}"))
    }

    /// Ends it before it does anything: the process ids are about to become free for others.
    pub(crate) fn dismiss(&mut self) {
        // Both fail only when it has ended and been waited for, which is what they are for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
