//! Source text that rustfmt does not look into, written as rustfmt would write it: the files that are calls of macros.

use std::fmt::Write as _;

use super::gate::Gate;

/// The longest line.
const WIDTH: usize = 120;

/// A `use` as rustfmt writes it.
pub(in crate::emit) fn use_line(path: &str, names: &[String], text: &mut String) {
    let line = match names {
        [name] => format!("use {path}::{name};"),
        names => format!("use {path}::{{{}}};", names.join(", ")),
    };
    if line.len() <= WIDTH {
        let _ = writeln!(text, "{line}");
        return;
    }
    let _ = writeln!(text, "use {path}::{{");
    let mut line = "   ".to_owned();
    for name in names {
        if line.len() + name.len() + 2 > WIDTH {
            let _ = writeln!(text, "{line}");
            line.truncate(3);
        }
        let _ = write!(line, " {name},");
    }
    let _ = writeln!(text, "{line}\n}};");
}

/// Writes an item inside the macros that gate it.
pub(in crate::emit) fn gated(gate: &Gate, item: &str, text: &mut String) {
    let macros: Vec<String> = gate.macros().collect();
    for (depth, name) in macros.iter().enumerate() {
        let _ = writeln!(text, "{}{name} {{", "    ".repeat(depth));
    }
    for line in item.lines() {
        let _ = writeln!(text, "{}{line}", "    ".repeat(macros.len()));
    }
    for depth in (0..macros.len()).rev() {
        let _ = writeln!(text, "{}}}", "    ".repeat(depth));
    }
}
