//! There is nothing to do: src/lib.rs says what this script is for.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
