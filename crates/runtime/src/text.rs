//! Texts that others wrote: made safe to show, and absent where they are empty.

use std::borrow::Cow;

/// Which control characters stay as they are in [`printable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// None: the text is to be one line, or a part of one.
    Nothing,
    /// Line feeds and tabs, which can do nothing to a terminal. In a log they can begin a forged line.
    Lines,
}

/// The text with everything escaped that could act on a terminal, forge lines of a log or hide what it says: control
/// characters, marks that change the direction of writing, and characters that take no room. The escapes are Rust's.
pub(crate) fn printable(text: &str, keep: Keep) -> Cow<'_, str> {
    let stays = |character: char| match character {
        '\n' | '\t' => keep == Keep::Lines,
        _ => !character.is_control() && !is_invisible(character),
    };
    if text.chars().all(stays) {
        return text.into();
    }
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        if stays(character) {
            printable.push(character);
        } else {
            printable.extend(character.escape_default());
        }
    }
    printable.into()
}

/// Characters that take no room or change the order of others: format characters and separators of lines, as far
/// as a plain text has no use for them.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text, unless there is none or it is empty, which Kubernetes takes for the same.
pub fn non_empty<T: AsRef<str> + ?Sized>(text: Option<&T>) -> Option<&str> {
    text.map(AsRef::as_ref).filter(|text: &&str| !text.is_empty())
}

/// What a type or a function is called, by its [`type_name`](std::any::type_name): without its modules and parameters.
pub fn short_type_name(type_name: &str) -> &str {
    let path = type_name.split('<').next().unwrap_or(type_name);
    path.rsplit("::").next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_terminals_and_logs_is_escaped() {
        for (text, one_line, lines) in [
            ("größe 東京 ✓ \"x\" \\", "größe 東京 ✓ \"x\" \\", "größe 東京 ✓ \"x\" \\"),
            ("a\n\tb", r"a\n\tb", "a\n\tb"),
            ("a\r\nb", r"a\r\nb", "a\\r\nb"),
            (
                "\u{1b}]0;x\u{7}\u{7f}\u{85}\u{9b}",
                r"\u{1b}]0;x\u{7}\u{7f}\u{85}\u{9b}",
                r"\u{1b}]0;x\u{7}\u{7f}\u{85}\u{9b}",
            ),
            ("\u{202e}\u{2066}\u{61c}\u{200f}", r"\u{202e}\u{2066}\u{61c}\u{200f}", r"\u{202e}\u{2066}\u{61c}\u{200f}"),
            (
                "\u{200b}\u{2028}\u{feff}\u{e0041}",
                r"\u{200b}\u{2028}\u{feff}\u{e0041}",
                r"\u{200b}\u{2028}\u{feff}\u{e0041}",
            ),
        ] {
            assert_eq!(printable(text, Keep::Nothing), one_line, "{text:?}");
            assert_eq!(printable(text, Keep::Lines), lines, "{text:?}");
        }
    }

    #[test]
    fn empty_text_is_none() {
        assert_eq!(non_empty(Some("a")), Some("a"));
        assert_eq!(non_empty(Some("")), None);
        assert_eq!(non_empty(None::<&String>), None);
    }

    #[test]
    fn types_and_functions_are_called_without_modules_and_parameters() {
        for (type_name, short) in [
            ("k8s_openapi::api::core::v1::config_map::ConfigMap", "ConfigMap"),
            ("core::option::Option<alloc::vec::Vec<alloc::string::String>>", "Option"),
            ("program::wait::deleted<k8s_openapi::Pod>", "deleted"),
            ("u8", "u8"),
            ("", ""),
        ] {
            assert_eq!(short_type_name(type_name), short);
        }
    }
}
