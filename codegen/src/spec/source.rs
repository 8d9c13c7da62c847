//! `SOURCE`: the version, and where its facts come from.

use std::{fmt, str::FromStr};

use crate::Error;

/// The file's name in a version's folder.
pub(super) const FILE: &str = "SOURCE";

/// A Kubernetes version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The 1 of 1.37.2.
    pub major: u32,
    /// The 37 of 1.37.2.
    pub minor: u32,
    /// The 2 of 1.37.2.
    pub patch: u32,
}

impl Version {
    /// The folder under `api-specs`: `v1.37`.
    pub fn folder(self) -> String {
        format!("v{}.{}", self.major, self.minor)
    }

    /// The feature of k8s-openapi and of our crates that has the types: `v1_37`.
    pub fn feature(self) -> String {
        format!("v{}_{}", self.major, self.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for Version {
    type Err = String;

    /// Reads `1.37.2` or `v1.37.2`; what a distribution adds after `-` or `+` is left out.
    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.strip_prefix('v').unwrap_or(text).split(['-', '+']).next().unwrap_or_default();
        let numbers: Result<Vec<u32>, _> = numbers.split('.').map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[major, minor, patch]) => Ok(Self { major, minor, patch }),
            _ => Err(format!("`{text}` is not a Kubernetes version such as 1.37.2")),
        }
    }
}

/// Where a version's facts come from: the lines of `SOURCE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The Kubernetes version.
    pub version: Version,
    /// Where the `OpenAPI` documents come from, with a checksum if there is one.
    pub openapi: String,
    /// Where the protobuf definitions come from, one entry for each module.
    pub protobuf: Vec<String>,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "version: {}", self.version)?;
        writeln!(f, "openapi: {}", self.openapi)?;
        self.protobuf.iter().try_for_each(|entry| writeln!(f, "protobuf: {entry}"))
    }
}

impl FromStr for Source {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (mut version, mut openapi, mut protobuf) = (None, None, Vec::new());
        for (index, line) in text.lines().enumerate() {
            let wrong = |message: String| Error::at(FILE, format!("line {}", index + 1), message);
            match line.split_once(": ") {
                Some(("version", value)) => version = Some(value.parse().map_err(wrong)?),
                Some(("openapi", value)) => openapi = Some(value.to_owned()),
                Some(("protobuf", value)) => protobuf.push(value.to_owned()),
                _ => return Err(wrong("expected `version: …`, `openapi: …` or `protobuf: …`".to_owned())),
            }
        }
        let missing = |key| Error::file(FILE, format!("`{key}` is missing; run `cargo xtask spec update`"));
        Ok(Self {
            version: version.ok_or_else(|| missing("version"))?,
            openapi: openapi.ok_or_else(|| missing("openapi"))?,
            protobuf,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_reads_back_as_written() {
        let source = Source {
            version: Version { major: 1, minor: 37, patch: 2 },
            openapi: "module k8s.io/kubernetes@v1.37.2 h1:abc=".to_owned(),
            protobuf: vec!["module k8s.io/api@v0.37.2 h1:def=".to_owned()],
        };
        assert_eq!(source.to_string().parse(), Ok(source));
    }

    #[test]
    fn versions_of_distributions_are_read() {
        let version = Version { major: 1, minor: 33, patch: 4 };
        assert_eq!("v1.33.4-dist.1+abc".parse(), Ok(version));
        assert_eq!(version.folder(), "v1.33");
        assert!("1.33".parse::<Version>().is_err());
    }
}
