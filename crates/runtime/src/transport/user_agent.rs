//! Who a client says it is, unless its configuration says so.

use std::{env::consts, path::Path};

/// client-go's form, `program/version (os/arch) library/version`, with the names that Go uses for platforms.
pub(super) fn default() -> String {
    let program = std::env::args_os().next();
    let program = program.as_deref().map(Path::new).and_then(Path::file_stem).and_then(|name| name.to_str());
    of_program(program.unwrap_or_default())
}

fn of_program(name: &str) -> String {
    let name: String =
        name.chars().filter(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(*letter)).collect();
    let name = if name.is_empty() { "unknown" } else { &name };
    format!("{name}/unknown ({}/{}) k8s-client/{}", go_os(), go_arch(), env!("CARGO_PKG_VERSION"))
}

fn go_os() -> &'static str {
    match consts::OS {
        "macos" => "darwin",
        os => os,
    }
}

fn go_arch() -> &'static str {
    match consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
        "powerpc64" => "ppc64",
        "loongarch64" => "loong64",
        arch => arch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_and_the_platform_are_named() {
        let agent = of_program("my app\n");
        assert!(agent.starts_with("myapp/unknown ("), "{agent}");
        assert!(agent.ends_with(concat!(") k8s-client/", env!("CARGO_PKG_VERSION"))), "{agent}");
        assert!(of_program("").starts_with("unknown/"));
        if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            assert!(agent.contains("(linux/amd64)"), "{agent}");
        }
    }
}
