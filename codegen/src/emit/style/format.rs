//! From tokens to the text that `cargo fmt` leaves as it is.

use std::{
    io::Write as _,
    num::NonZero,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
};

use super::gate;
use crate::{
    Error,
    emit::{Files, Source, header},
};

/// Runs rustfmt with the workspace's settings.
#[derive(Clone, Debug)]
pub struct Formatter {
    /// The workspace's root: it has `rustfmt.toml` and chooses the toolchain.
    pub root: PathBuf,
}

/// rustfmt takes one stream, so files are joined with an item between them that it leaves as it is.
const SEPARATOR: &str = "const __NEXT_FILE: () = ();\n";

/// Files for one run of rustfmt.
#[derive(Default)]
struct Job {
    text: String,
    /// Each file's path and what stands above its code.
    heads: Vec<(String, String)>,
}

impl Formatter {
    /// Formats all sources.
    pub(in crate::emit) fn format(&self, sources: Vec<Source>) -> Result<Files, Error> {
        let parts = thread::available_parallelism().map_or(1, NonZero::get);
        let mut jobs: Vec<Job> = (0..parts).map(|_| Job::default()).collect();
        for source in sources {
            let file = syn::parse2(source.tokens.clone())
                .map_err(|error| Error::file(&source.path, format!("the generated code does not parse: {error}")))?;
            let code = prettyplease::unparse(&file);
            // The shortest job, so that all take as long.
            let Some(job) = jobs.iter_mut().min_by_key(|job| job.text.len()) else { break };
            job.text.push_str(&code);
            job.text.push_str(SEPARATOR);
            let head = head(&source);
            job.heads.push((source.path, head));
        }
        thread::scope(|scope| {
            let jobs: Vec<_> = jobs.into_iter().map(|job| scope.spawn(move || self.run(job))).collect();
            let mut files = Files::new();
            for job in jobs {
                files.extend(job.join().map_err(|_| Error::file("rustfmt", "the formatter panicked"))??);
            }
            Ok(files)
        })
    }

    fn run(&self, job: Job) -> Result<Files, Error> {
        let formatted = self.rustfmt(job.text)?;
        let bodies = formatted.split(SEPARATOR).map(finish);
        Ok(job.heads.into_iter().zip(bodies).map(|((path, head), body)| (path, format!("{head}\n{body}"))).collect())
    }

    fn rustfmt(&self, text: String) -> Result<String, Error> {
        let wrong = |error: std::io::Error| Error::file("rustfmt", format!("cannot be run: {error}"));
        let mut command = Command::new("rustfmt");
        command
            .args(["--edition", "2024", "--config-path"])
            .arg(self.root.join("rustfmt.toml"))
            .current_dir(&self.root);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(wrong)?;
        let mut stdin = child.stdin.take().ok_or_else(|| Error::file("rustfmt", "has no input"))?;
        // rustfmt writes when it has read all, but a pipe is too small for the text.
        let writer = thread::spawn(move || stdin.write_all(text.as_bytes()));
        let output = child.wait_with_output().map_err(wrong)?;
        if !output.status.success() {
            return Err(Error::file("rustfmt", String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        writer.join().map_err(|_| Error::file("rustfmt", "the writer panicked"))?.map_err(wrong)?;
        String::from_utf8(output.stdout).map_err(|error| Error::file("rustfmt", error.to_string()))
    }
}

/// Formats a source without rustfmt, so that the result is the same wherever it is made.
pub(in crate::emit) fn without_rustfmt(source: Source) -> Result<(String, String), Error> {
    let file = syn::parse2(source.tokens.clone())
        .map_err(|error| Error::file(&source.path, format!("the generated code does not parse: {error}")))?;
    let text = format!("{}\n{}", head(&source), finish(&prettyplease::unparse(&file)));
    Ok((source.path, text))
}

/// The header and the module's documentation, which is written as it shall stand.
fn head(source: &Source) -> String {
    let Source { definition, docs, is_custom, .. } = source;
    let mut head = format!("// {}\n", header(*is_custom, definition));
    if !docs.is_empty() {
        head.push('\n');
    }
    for line in docs {
        head.push_str(format!("//! {line}").trim_end());
        head.push('\n');
    }
    head
}

/// Restores the gates and sets blank lines between items, which neither formatter does.
fn finish(text: &str) -> String {
    let mut finished = String::with_capacity(text.len() + text.len() / 8);
    let mut previous = String::new();
    for line in text.trim().lines() {
        let line = gate::restore(line);
        if wants_blank_line(previous.trim(), line.trim()) {
            finished.push('\n');
        }
        finished.push_str(&line);
        finished.push('\n');
        previous = line;
    }
    finished
}

/// Whether a line begins an item that stands apart from the line above.
fn wants_blank_line(above: &str, line: &str) -> bool {
    const ITEMS: [&str; 12] = [
        "///",
        "#[",
        "fn ",
        "pub fn ",
        "pub(in crate::emit) fn ",
        "impl",
        "pub struct ",
        "pub enum ",
        "mod ",
        "pub mod ",
        "k8s_openapi::k8s_if",
        "async fn ",
    ];
    let begins = |line: &str| ITEMS.iter().any(|item| line.starts_with(item));
    let ends = |line: &str| line.ends_with('}') || line.ends_with(';');
    let group = |line: &str| match line {
        "};" => Some("use"),
        _ if !line.ends_with([';', '{']) => None,
        _ if line.starts_with("pub use ") => Some("pub use"),
        _ if line.starts_with("use ") => Some("use"),
        _ if line.ends_with(';') && (line.starts_with("mod ") || line.starts_with("pub mod ")) => Some("mod"),
        _ => None,
    };
    match (group(above), group(line)) {
        (Some(above), Some(line)) => above != line,
        (None, Some(_)) => ends(above),
        (_, None) => ends(above) && begins(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_stand_apart() {
        let text = "use a::B;\nuse c::D;\nmod e;\nmod f;\n/// A.\n#[derive(Debug)]\npub struct A;\nimpl A {\n    \
                    /// B.\n    fn b() {}\n    /// C.\n    fn c() {\n        d();\n    }\n    fn d() {}\n}\n\
                    mod __k8s_if_ge_1_34 {\n    mod g;\n    pub use g::H;\n}\n";
        let expected = "use a::B;\nuse c::D;\n\nmod e;\nmod f;\n\n/// A.\n#[derive(Debug)]\npub struct A;\n\nimpl A {\n    \
                        /// B.\n    fn b() {}\n\n    /// C.\n    fn c() {\n        d();\n    }\n\n    fn d() {}\n}\n\n\
                        k8s_openapi::k8s_if_ge_1_34! {\n    mod g;\n\n    pub use g::H;\n}\n";
        assert_eq!(finish(text), expected);
    }
}
