//! From a container to this machine.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use bytes::BytesMut;
use k8s_client_runtime::{resource::Exec, streams::Stdout};
use tokio::{
    fs::{self, File, OpenOptions},
    io::AsyncWriteExt as _,
};

use super::{
    Copied, CopyError, Limits,
    inside::path_below,
    tar::{Entry, Event, Kind, Malformed, Reader},
    tar_process::{Remote, ended, listen},
};

/// Where files and folders go. The paths are below what was asked for, and empty for that itself.
pub(super) trait Sink: Send {
    fn folder(&mut self, below: &Path) -> impl Future<Output = Result<(), CopyError>> + Send;
    fn file(&mut self, below: &Path, mode: u32) -> impl Future<Output = Result<(), CopyError>> + Send;
    fn data(&mut self, bytes: &[u8]) -> impl Future<Output = Result<(), CopyError>> + Send;
    fn end(&mut self) -> impl Future<Output = Result<(), CopyError>> + Send;
}

/// What an archive may have for each entry beside its data: headers, what fills their blocks, long names.
const BESIDE: u64 = 4 << 10;

/// How much of that an archive may have in any case.
const MIN_BESIDE: u64 = 2 << 20;

/// How much may come behind the end of an archive, where `tar` fills its last record.
const MAX_BEHIND: u64 = 1 << 20;

/// How long the paths may be, in all, of what was left out.
const MAX_SKIPPED: usize = 16 << 20;

/// Copies what is at the path in the container.
pub(super) async fn download<S: Sink>(
    exec: Exec,
    remote: &str,
    sink: S,
    limits: Limits,
) -> Result<(Copied, S), CopyError> {
    let remote = Remote::new(remote)?;
    let mut process = remote.read(exec).await?;
    let (stdout, stderr) = (process.stdout.take(), process.stderr.take());
    let mut unpack = Unpack::new(&remote, sink, limits);
    // An archive that is refused is not waited for: it may have no end.
    let (lost, message) = tokio::try_join!(unpack.read(stdout), async { Ok(listen(stderr).await) })?;
    // How tar ended says better than an archive without an end what has happened.
    ended(process, &remote, message).await?;
    let incomplete = |problem| Err(CopyError::Incomplete { remote: remote.path.clone(), problem });
    match lost {
        None if unpack.reader.is_at_end() => Ok((unpack.copied, unpack.sink)),
        None => incomplete("the archive breaks off".to_owned()),
        Some(error) => incomplete(format!("the archive breaks off: {error}")),
    }
}

/// Takes an archive apart.
struct Unpack<'a, S> {
    remote: &'a Remote,
    reader: Reader,
    sink: S,
    copied: Copied,
    limits: Limits,
    /// How many entries have come.
    entries: u64,
    /// How many bytes have come, and how many of them behind the end.
    bytes: u64,
    behind: u64,
    /// How long the paths are of what was left out.
    skipped: usize,
    /// Whether the data that comes is that of a file.
    is_file: bool,
}

impl<'a, S: Sink> Unpack<'a, S> {
    fn new(remote: &'a Remote, sink: S, limits: Limits) -> Self {
        let (reader, copied) = (Reader::new(), Copied::default());
        Self { remote, reader, sink, copied, limits, entries: 0, bytes: 0, behind: 0, skipped: 0, is_file: false }
    }

    fn refused(&self, problem: impl Into<String>) -> CopyError {
        CopyError::Archive { remote: self.remote.path.clone(), problem: problem.into() }
    }

    /// Reads to the end. Gives the error of a connection that was lost.
    async fn read(&mut self, stdout: Option<Stdout>) -> Result<Option<io::Error>, CopyError> {
        let Some(mut stdout) = stdout else { return Ok(None) };
        loop {
            match stdout.chunk().await {
                Ok(Some(chunk)) => self.unpack(&chunk).await?,
                Ok(None) => return Ok(None),
                Err(error) => return Ok(Some(error)),
            }
        }
    }

    /// Takes in the next chunk.
    async fn unpack(&mut self, chunk: &[u8]) -> Result<(), CopyError> {
        if self.reader.is_at_end() {
            self.behind += chunk.len() as u64;
            if self.behind > MAX_BEHIND {
                return Err(self.refused("it goes on behind its end"));
            }
        }
        self.bytes += chunk.len() as u64;
        self.reader.push(chunk);
        while let Some(event) = self.reader.next().map_err(|Malformed(problem)| self.refused(problem))? {
            self.take(event).await?;
        }
        let beside = self.bytes.saturating_sub(self.copied.bytes);
        if beside > self.limits.entries.saturating_mul(BESIDE).max(MIN_BESIDE) {
            return Err(self.refused(format!("it has {beside} bytes beside the data of its files, which is too much")));
        }
        Ok(())
    }

    async fn take(&mut self, event: Event) -> Result<(), CopyError> {
        match event {
            Event::Entry(entry) => self.begin(&entry).await,
            Event::Data(data) if self.is_file => self.sink.data(&data).await,
            Event::End if std::mem::take(&mut self.is_file) => self.sink.end().await,
            Event::Data(_) | Event::End => Ok(()),
        }
    }

    async fn begin(&mut self, entry: &Entry) -> Result<(), CopyError> {
        let below = path_below(&entry.path, &self.remote.name).map_err(|problem| self.refused(problem))?;
        let remote = || self.remote.path.clone();
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(CopyError::TooMany { remote: remote(), limit: self.limits.entries });
        }
        match entry.kind {
            Kind::Folder => self.sink.folder(&below).await?,
            Kind::File => {
                self.copied.bytes = self.copied.bytes.saturating_add(entry.size);
                if self.copied.bytes > self.limits.bytes {
                    return Err(CopyError::TooLarge { remote: remote(), limit: self.limits.bytes });
                }
                self.copied.files += 1;
                self.sink.file(&below, entry.mode & 0o777).await?;
                self.is_file = true;
            }
            // What a link points to may be anywhere, and a device is whatever its number says.
            Kind::Link | Kind::Special => {
                self.skipped += below.as_os_str().len();
                if self.skipped > MAX_SKIPPED {
                    return Err(self.refused("it has more links and special files than can be told of"));
                }
                self.copied.skipped.push(below);
            }
        }
        Ok(())
    }
}

/// A path of this machine.
pub(super) struct Folder {
    root: PathBuf,
    file: Option<(PathBuf, File)>,
}

impl Folder {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, file: None }
    }

    /// Makes the folders below the root that lead to this one. Each must be a folder and no link to one.
    async fn make_folders(&self, below: &Path) -> Result<(), CopyError> {
        let mut path = self.root.clone();
        let mut names = below.components();
        loop {
            match fs::create_dir(&path).await {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    let is_root = path == self.root;
                    let found = if is_root { fs::metadata(&path).await } else { fs::symlink_metadata(&path).await };
                    if !found.map_err(CopyError::local(&path))?.is_dir() {
                        let problem =
                            io::Error::new(ErrorKind::NotADirectory, "there is something other than a folder");
                        return Err(CopyError::local(path)(problem));
                    }
                }
                result => result.map_err(CopyError::local(&path))?,
            }
            match names.next() {
                Some(name) => path.push(name),
                None => return Ok(()),
            }
        }
    }
}

impl Sink for Folder {
    async fn folder(&mut self, below: &Path) -> Result<(), CopyError> {
        self.make_folders(below).await
    }

    async fn file(&mut self, below: &Path, mode: u32) -> Result<(), CopyError> {
        let path = if below.as_os_str().is_empty() {
            self.root.clone()
        } else {
            self.make_folders(below.parent().unwrap_or(below)).await?;
            self.root.join(below)
        };
        // What is there is replaced, not written through: it may be a link.
        match fs::remove_file(&path).await {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(CopyError::local(path)(error)),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(mode);
        #[cfg(not(unix))]
        let _ = mode;
        let file = options.open(&path).await.map_err(CopyError::local(&path))?;
        self.file = Some((path, file));
        Ok(())
    }

    async fn data(&mut self, bytes: &[u8]) -> Result<(), CopyError> {
        let Some((path, file)) = &mut self.file else { return Ok(()) };
        file.write_all(bytes).await.map_err(CopyError::local(&*path))
    }

    async fn end(&mut self) -> Result<(), CopyError> {
        let Some((path, mut file)) = self.file.take() else { return Ok(()) };
        file.flush().await.map_err(CopyError::local(path))
    }
}

/// The content of one file, in memory.
pub(super) struct Memory {
    /// The path of the file in the container, for errors.
    path: String,
    pub(super) content: BytesMut,
}

impl Memory {
    pub(super) fn of(path: &str) -> Self {
        Self { path: path.to_owned(), content: BytesMut::new() }
    }
}

impl Sink for Memory {
    async fn folder(&mut self, _: &Path) -> Result<(), CopyError> {
        Err(CopyError::Path(format!("{:?} of the container is a folder; download copies folders", self.path)))
    }

    async fn file(&mut self, below: &Path, _: u32) -> Result<(), CopyError> {
        if below.as_os_str().is_empty() && self.content.is_empty() { Ok(()) } else { self.folder(below).await }
    }

    async fn data(&mut self, bytes: &[u8]) -> Result<(), CopyError> {
        self.content.extend_from_slice(bytes);
        Ok(())
    }

    async fn end(&mut self) -> Result<(), CopyError> {
        Ok(())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::{
        super::tar::{END, header, padding},
        *,
    };

    const LIMITS: Limits = Limits { bytes: 1 << 20, entries: 1000 };

    fn remote() -> Remote {
        Remote::new("x").expect("it has a name")
    }

    /// An archive of entries: a name with `/` at its end is a folder, and the second word a kind by its letter.
    fn archive(entries: &[&str]) -> Vec<u8> {
        let mut archive = Vec::new();
        for entry in entries {
            let (name, flag) = entry.split_once(' ').unwrap_or((entry, ""));
            let mut block = header(name.as_bytes(), Kind::File, 0o7777, if flag.is_empty() { 4 } else { 0 }, 0);
            if let Some(flag) = flag.bytes().next() {
                block[156] = flag;
                // Where the link leads to.
                block[157..167].copy_from_slice(b"../outside");
                block[148..156].fill(b' ');
                let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
                block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            } else {
                block.extend(b"data");
                block.extend(padding(4));
            }
            archive.extend(block);
        }
        archive.extend(END);
        archive
    }

    #[tokio::test]
    async fn hostile_archive_writes_nothing_outside() {
        let remote = remote();
        for (entries, result) in [
            (&["x/a", "../outside/b"][..], Err("which was not asked for")),
            (&["x/a", "x/../../outside/b"], Err("whose path leads elsewhere")),
            (&["x/a", "/tmp/b"], Err("whose path is absolute")),
            (&["x/a", "y"], Err("which was not asked for")),
            (&["x/a", "x/link 2", "x/link/b"], Ok(2)),
            (&["x/a", "x/hard 1", "x/hard"], Ok(2)),
            (&["x/a", "x/device 3", "x/block 4", "x/pipe 6"], Ok(1)),
            (&["x/ 5", "x/a", "x/a/b"], Err("there is something other than a folder")),
            (&["x 2", "x/b"], Ok(1)),
            (&["x/a", "x/there/b"], Err("there is something other than a folder")),
            (&["x/a", "x/linked"], Ok(2)),
            (&["x", "x/a"], Err("there is something other than a folder")),
        ] {
            let here = tempfile::tempdir().expect("a folder");
            let (outside, target) = (here.path().join("outside"), here.path().join("target"));
            fs::create_dir(&outside).expect("a folder");
            fs::write(outside.join("kept"), "kept").expect("a file");
            // Links that are there already are not followed either.
            if entries.iter().any(|entry| entry.contains("there") || entry.contains("linked")) {
                fs::create_dir(&target).expect("a folder");
                std::os::unix::fs::symlink(&outside, target.join("there")).expect("a link");
                std::os::unix::fs::symlink(outside.join("kept"), target.join("linked")).expect("a link");
            }
            let mut unpack = Unpack::new(&remote, Folder::new(target), LIMITS);
            let unpacked = unpack.unpack(&archive(entries)).await.map(|()| unpack.copied.files);
            match (&unpacked, result) {
                (Ok(files), Ok(expected)) => assert_eq!(*files, expected, "{entries:?}"),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{entries:?}: {error}"),
                _ => panic!("{entries:?}: {unpacked:?}"),
            }
            let kept: Vec<_> =
                fs::read_dir(&outside).expect("it is there").map(|it| it.expect("a name").file_name()).collect();
            assert_eq!(kept, ["kept"], "{entries:?}");
            assert_eq!(fs::read(outside.join("kept")).expect("it is there"), b"kept", "{entries:?}");
        }
    }

    #[tokio::test]
    async fn modes_are_permissions_only_and_what_is_left_out_is_told() {
        let remote = remote();
        let here = tempfile::tempdir().expect("a folder");
        let mut unpack = Unpack::new(&remote, Folder::new(here.path().join("target")), LIMITS);
        unpack.unpack(&archive(&["x/a", "x/link 2"])).await.expect("it is good");
        let mode = fs::metadata(here.path().join("target/a")).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o7000, 0, "{mode:o}");
        assert_eq!((unpack.copied.bytes, unpack.copied.skipped), (4, vec![PathBuf::from("link")]));
        assert!(unpack.reader.is_at_end());
    }

    #[tokio::test]
    async fn more_than_is_allowed_is_refused_before_it_is_written() {
        let remote = remote();
        let here = tempfile::tempdir().expect("a folder");
        let mut unpack = Unpack::new(&remote, Folder::new(here.path().join("target")), Limits { bytes: 7, ..LIMITS });
        let error = unpack.unpack(&archive(&["x/a", "x/b"])).await.expect_err("it is too much");
        assert!(matches!(error, CopyError::TooLarge { limit: 7, .. }), "{error}");
        assert!(!here.path().join("target/b").exists());
    }

    /// What a hostile container can send for ever, and how it is refused.
    #[tokio::test]
    async fn archive_without_an_end_is_refused_however_it_goes_on() {
        let kind = |flag: u8, name: &str, data: &[u8]| {
            let mut block = header(name.as_bytes(), Kind::File, 0o644, data.len() as u64, 0);
            block[156] = flag;
            block[148..156].fill(b' ');
            let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            block.extend(data);
            block.extend(padding(data.len() as u64));
            block
        };
        let end = || [&kind(b'2', "x", b"")[..], &END].concat();
        let long_link = || [kind(b'L', "x", &b"x/".repeat(2000)), kind(b'2', "x", b"")].concat();
        let few = Limits { entries: 10, ..LIMITS };
        let many = Limits { entries: u64::MAX, ..LIMITS };
        for (what, first, again, limits, problem) in [
            ("links", vec![], kind(b'2', "x/link", b""), few, "more than 10 entries; `download` copies more"),
            ("devices", vec![], kind(b'3', "x/device", b""), few, "more than 10 entries"),
            ("folders", vec![], kind(b'5', "x/folder/", b""), few, "more than 10 entries"),
            ("files", vec![], kind(b'0', "x/file", b""), few, "more than 10 entries"),
            ("long paths of links", vec![], long_link(), many, "more links and special files than can be told of"),
            (
                "what is said of all entries",
                vec![],
                kind(b'g', "x", &vec![b'a'; 100_000]),
                few,
                "beside the data of its files",
            ),
            ("what is said of one entry", vec![], kind(b'x', "x", b""), few, "beside the data of its files"),
            ("what stands behind the end", end(), vec![0; 10_240], few, "it goes on behind its end"),
        ] {
            let here = tempfile::tempdir().expect("a folder");
            let remote = remote();
            let mut unpack = Unpack::new(&remote, Folder::new(here.path().join("target")), limits);
            let again = again.repeat(1 + (64 << 10) / again.len());
            let unpacked = async {
                unpack.unpack(&first).await?;
                for _ in 0..1000 {
                    unpack.unpack(&again).await?;
                }
                Ok(())
            };
            let error: CopyError = unpacked.await.expect_err(what);
            let shown = error.to_string();
            assert!(shown.contains(problem) && shown.contains("\"x\" of the container"), "{what}: {shown}");
        }
    }

    #[tokio::test]
    async fn memory_takes_one_file() {
        let remote = remote();
        let mut unpack = Unpack::new(&remote, Memory::of("x"), LIMITS);
        unpack.unpack(&archive(&["x"])).await.expect("it is good");
        assert_eq!(&unpack.sink.content[..], b"data");
        for entries in [&["x/ 5"][..], &["x/a"], &["x", "x"]] {
            let mut unpack = Unpack::new(&remote, Memory::of("x"), LIMITS);
            let error = unpack.unpack(&archive(entries)).await.expect_err("it is not one file");
            assert!(error.to_string().contains(r#""x" of the container is a folder"#), "{entries:?}: {error}");
        }
    }
}
