//! What the programs of the benchmark have in common: how they are told what to do and how they tell what came of it.
//!
//! `PROGRAM <job> <namespace> <size> [--json|--lean|--whole|--projected]` does one job, prints one line of JSON and
//! waits for the end of its standard input, so that `cargo xtask bench` can read its CPU time and its memory in `/proc`
//! while it is still there. A job of several parts prints a line after each, and goes on when it is given one.

mod forgetful;

pub use forgetful::{Forgetful, Memory};

use std::{
    env,
    fmt::Display,
    io::{self, Read as _, Write as _},
    pin::pin,
    process::ExitCode,
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

#[cfg(feature = "count-allocations")]
#[global_allocator]
static ALLOCATOR: stats_alloc::StatsAlloc<std::alloc::System> = stats_alloc::StatsAlloc::system();

/// How often a list is read: one alone would be lost beside the start of the program.
pub const LISTS: usize = 5;

/// How many objects a page has: what client-go's pager asks for.
pub const PAGE: u32 = 500;

/// The most objects that are read one after the other.
pub const MOST_GETS: usize = 2_000;

/// The most objects that are read at once, [`AT_ONCE`] each time.
pub const MOST_CONCURRENT_GETS: usize = 5_000;

/// How many requests are under way at once in the jobs that have more than one.
pub const AT_ONCE: usize = 64;

/// How many objects are created, updated, patched and deleted.
pub const WRITES: usize = 500;

/// How many objects change under an informer, at most: each of them once.
pub const MOST_CHANGES: usize = 5_000;

/// How many items go through a work queue.
pub const ITEMS: usize = 1_000_000;

/// How many workers take them.
pub const WORKERS: usize = 8;

/// How long a job may take. One that hangs, such as a watch for events that do not come, must not hang the benchmark.
pub const TIME_LIMIT: Duration = Duration::from_secs(600);

/// The default error of a program: it is for people to read.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// What a program is told to do.
#[derive(Clone, Debug)]
pub struct Task {
    /// The job's name, such as `list`.
    pub job: String,
    /// Where the objects are.
    pub namespace: String,
    /// How many objects there are.
    pub size: usize,
    /// Whether the client is to speak JSON though it knows something better.
    pub json: bool,
    /// Whether the client is to leave managedFields out.
    pub lean: bool,
    /// How the client is to keep objects in memory, where it can do so in several ways.
    pub keep: Keep,
}

/// How objects are kept in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// As the client does by default.
    Usual,
    /// Decoded.
    Whole,
    /// Five fields of each.
    Projected,
}

impl Task {
    /// Reads it from the command line.
    fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Result<Self, Error> {
        const USAGE: &str = "usage: PROGRAM <job> <namespace> <size> [--json|--lean|--whole|--projected]";
        let mut next = || arguments.next().ok_or(USAGE);
        let (job, namespace, size) = (next()?, next()?, next()?);
        let size = size.parse().map_err(|error| format!("size {size:?}: {error}"))?;
        let mut task = Self { job, namespace, size, json: false, lean: false, keep: Keep::Usual };
        match next().ok().as_deref() {
            None => {}
            Some("--json") => task.json = true,
            Some("--lean") => task.lean = true,
            Some("--whole") => task.keep = Keep::Whole,
            Some("--projected") => task.keep = Keep::Projected,
            Some(other) => return Err(format!("{other}: unknown; {USAGE}").into()),
        }
        Ok(task)
    }

    /// The error for a job that a program does not know.
    pub fn unknown(&self) -> Error {
        format!("{}: no such job", self.job).into()
    }
}

/// Runs a program: `work` does the task on a runtime with the defaults of tokio and tells how many items it saw.
pub fn run<F>(work: impl FnOnce(Task) -> F) -> ExitCode
where
    F: Future<Output = Result<usize, Error>>,
{
    let done = Task::from_arguments(env::args().skip(1)).and_then(|task| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let items = runtime.block_on(async {
            let limit = TIME_LIMIT.as_secs();
            tokio::time::timeout(TIME_LIMIT, work(task)).await.map_err(|_| format!("not done after {limit} s"))?
        })?;
        report(items)?;
        // The runtime and with it the connections live until here, for all programs alike.
        drop(runtime);
        Ok(())
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &impl Display) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}

/// Tells the result, and waits until it was taken in.
fn report(items: usize) -> io::Result<()> {
    print(items)?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn print(items: usize) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, r#"{{"items": {items}{}}}"#, allocations())?;
    out.flush()
}

/// Tells the result of a part of the job, and waits until it is to go on. The other tasks run meanwhile.
pub async fn part(items: usize) -> Result<(), Error> {
    let told = tokio::task::spawn_blocking(move || {
        print(items)?;
        io::stdin().read_line(&mut String::new())
    });
    if told.await?? == 0 { Err("nobody asks for the next part".into()) } else { Ok(()) }
}

/// Does the work in a task of the runtime, which is where programs with more than one thing to do read their streams.
/// On the main thread, each wake-up would be one between threads.
pub async fn in_task<F>(work: F) -> Result<usize, Error>
where
    F: Future<Output = Result<usize, Error>> + Send + 'static,
{
    tokio::spawn(work).await?
}

/// Waits until what has been read anew is shown too, which not every client tells of.
pub async fn settle() {
    tokio::time::sleep(Duration::from_secs(3)).await;
}

#[cfg(feature = "count-allocations")]
fn allocations() -> String {
    let stats = ALLOCATOR.stats();
    // A buffer that grows in place or moves is one more allocation, as it is for Go, which has no other way to grow.
    let count = stats.allocations + stats.reallocations;
    let bytes = stats.bytes_allocated;
    format!(r#", "allocations": {count}, "allocated_bytes": {bytes}"#)
}

#[cfg(not(feature = "count-allocations"))]
fn allocations() -> &'static str {
    ""
}

/// The name of a pod that `seed` has made.
pub fn pod_name(number: usize) -> String {
    format!("web-{number:05}")
}

/// The pod whose log is read.
pub const LOG: &str = "log";

/// The pod in which processes are started and whose ports are forwarded.
pub const SERVER: &str = "server";

/// The port of that pod where a line with a number is answered with so many bytes.
pub const SOURCE: u16 = 9000;

/// How many bytes a short connection brings.
pub const SHORT: usize = 100;

/// The command that writes so many bytes.
pub fn writes(bytes: usize) -> [String; 4] {
    ["head".to_owned(), "-c".to_owned(), bytes.to_string(), "/dev/zero".to_owned()]
}

/// The command that reads its input to the end, and writes how many bytes that were.
pub const READS: [&str; 2] = ["wc", "-c"];

/// Writes so many bytes, and ends.
pub async fn fill(mut write: impl AsyncWrite + Unpin, bytes: usize) -> Result<(), Error> {
    let zeros = vec![0; 64 << 10];
    let mut left = bytes;
    while left > 0 {
        let length = left.min(zeros.len());
        write.write_all(&zeros[..length]).await?;
        left -= length;
    }
    Ok(write.shutdown().await?)
}

/// What the command that counts its input has written.
pub fn counted(written: &[u8]) -> Result<usize, Error> {
    Ok(std::str::from_utf8(written)?.trim().parse()?)
}

/// Reads to the end, and tells how many bytes came.
pub async fn count(read: impl AsyncRead) -> Result<usize, Error> {
    let (mut read, mut bytes, mut count) = (pin!(read), vec![0; 64 << 10], 0);
    loop {
        match read.read(&mut bytes).await? {
            0 => return Ok(count),
            length => count += length,
        }
    }
}

/// Asks the pod's port for so many bytes, and tells how many came.
pub async fn ask(mut connection: impl AsyncRead + AsyncWrite + Unpin, bytes: usize) -> Result<usize, Error> {
    connection.write_all(format!("{bytes}\n").as_bytes()).await?;
    count(connection).await
}

/// A line of a log.
pub fn log_line(number: &str) -> String {
    format!("{number} 2026-11-27T12:00:00Z INFO a line of the usual length, as programs write them to a log")
}

/// An item of a work queue.
pub fn item_name(number: usize) -> String {
    format!("namespace-{:03}/web-{number:07}", number % 1_000)
}

/// The name of an object that `write` creates and deletes: another for each process, as one may have been stopped
/// half-way.
pub fn written_name(number: usize) -> String {
    format!("written-{}-{number}", std::process::id())
}

/// About a kilobyte of text, as a configuration file has.
pub fn configuration() -> String {
    let line = |number: usize| format!("setting-{number:02}: a value of the usual length, {number}\n");
    (0..20).map(line).collect::<Vec<_>>().concat()
}

/// Calls `get` for the numbers below `count`, [`AT_ONCE`] at a time, each in a task of its own.
pub async fn at_once<F>(count: usize, get: impl Fn(usize) -> F + Clone + Send + 'static) -> Result<usize, Error>
where
    F: Future<Output = Result<(), Error>> + Send,
{
    let mut workers = tokio::task::JoinSet::new();
    for first in 0..AT_ONCE {
        let get = get.clone();
        workers.spawn(async move {
            for number in (first..count).step_by(AT_ONCE) {
                get(number).await?;
            }
            Ok::<_, Error>(())
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    Ok(count)
}
