//! Names of Rust items from words of schemas, whatever those are: there is one for each, and none is refused.

use std::collections::BTreeSet;

use crate::{
    emit::names::CONFIGURATION_SUFFIX,
    model::{capitalized, field, snake},
};

/// Types that files of generated types name, and those of Rust that everybody names without a path.
const TYPES: [&str; 38] = [
    "ApiResource",
    "Applicable",
    "AsRef",
    "Box",
    "ByteString",
    "Clone",
    "Codec",
    "Default",
    "Drop",
    "Eq",
    "Err",
    "Extract",
    "FnMut",
    "From",
    "Int64OrString",
    "Into",
    "IntoIterator",
    "Iterator",
    "Kind",
    "Listable",
    "MediaType",
    "None",
    "Number",
    "ObjectMeta",
    "Ok",
    "Option",
    "Ord",
    "OwnerReference",
    "PartialEq",
    "Result",
    "Self",
    "Some",
    "Status",
    "String",
    "Timestamp",
    "Value",
    "Vec",
    "Scale",
];

/// Methods of apply configurations and of all types, which setters would hide.
const METHODS: [&str; 3] = ["clone", "default", "into"];

/// Methods that the configurations of whole objects have beside the setters.
const METHODS_OF_OBJECTS: [&str; 6] = ["annotations", "finalizers", "labels", "metadata", "new", "owner_references"];

/// Whether a type cannot be called so.
pub(super) fn is_reserved(name: &str) -> bool {
    TYPES.contains(&name) || name.ends_with(CONFIGURATION_SUFFIX)
}

/// Words as a part of a type's name: `dns-names` → `DnsNames`, `443/TCP` → `443TCP`. Signs are left out.
pub(super) fn pascal(text: &str) -> String {
    text.split(|c: char| !c.is_ascii_alphanumeric()).map(capitalized).collect()
}

/// The type of a kind.
pub(super) fn kind(kind: &str) -> String {
    let name = pascal(kind);
    match name.chars().next() {
        Some(first) if first.is_ascii_digit() => format!("Kind{name}"),
        _ if is_reserved(&name) => format!("{name}Object"),
        _ => name,
    }
}

/// The crate of a group and the module that is called like it: its first label, or all of them if `whole`.
pub(super) fn group(name: &str, whole: bool) -> String {
    let label = if whole { name } else { name.split('.').next().unwrap_or(name) };
    identifier(&label.to_ascii_lowercase().replace(['-', '.'], "_"), "group")
}

/// The module of a version, which is a feature of the crate too: `api` is another module, and `default` no feature.
pub(super) fn version(name: &str) -> String {
    if ["api", "default"].contains(&name) {
        return format!("version_{name}");
    }
    identifier(&name.to_ascii_lowercase().replace('-', "_"), "version")
}

/// A word that is made an identifier of small letters.
fn identifier(word: &str, what: &str) -> String {
    let word = word.trim_matches('_');
    let word = match word.chars().next() {
        None => what.to_owned(),
        Some(first) if first.is_ascii_digit() => format!("{what}_{word}"),
        Some(_) => word.to_owned(),
    };
    crate::model::identifier(&word).unwrap_or_else(|_| format!("{what}_"))
}

/// One of several items: `rules` → `rule`, `policies` → `policy`, `matches` → `match`.
pub(super) fn singular(word: &str) -> String {
    let ends = |ending: &str| word.len() > ending.len() + 1 && word.ends_with(ending);
    let without = |letters: usize| word[..word.len() - letters].to_owned();
    if ends("ies") {
        without(3) + "y"
    } else if ["sses", "shes", "ches", "xes", "zes"].iter().any(|ending| ends(ending)) {
        without(2)
    } else if ends("s")
        && !word.eq_ignore_ascii_case("dns")
        && !["ss", "us", "is"].iter().any(|ending| word.ends_with(ending))
    {
        without(1)
    } else {
        word.to_owned()
    }
}

/// The fields of a struct, in the order of their names in the API.
pub(super) fn fields<'a>(names: impl Iterator<Item = &'a str>, of_object: bool) -> Vec<String> {
    let mut taken = BTreeSet::new();
    names.map(|name| unique(&field_name(name, of_object), "_", &mut taken)).collect()
}

/// A name that is free, by a number behind it if need be.
pub(super) fn numbered(name: &str, separator: &str, is_free: impl Fn(&str) -> bool) -> String {
    let numbered = (2_usize..).map(|number| format!("{}{separator}{number}", name.trim_end_matches('_')));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| is_free(name)).unwrap_or_default()
}

/// A name that is not taken yet.
pub(super) fn unique(name: &str, separator: &str, taken: &mut BTreeSet<String>) -> String {
    let free = numbered(name, separator, |name| !taken.contains(name));
    taken.insert(free.clone());
    free
}

fn field_name(name: &str, of_object: bool) -> String {
    // Rust's lints take no two underscores in a row.
    let single = |mut words: String| {
        while words.contains("__") {
            words = words.replace("__", "_");
        }
        words
    };
    let of_signs = |_| {
        let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        identifier(&single(snake(&plain)), "field")
    };
    let found = field(name).map_or_else(of_signs, single);
    let is_method = METHODS.contains(&found.as_str()) || of_object && METHODS_OF_OBJECTS.contains(&found.as_str());
    if is_method { format!("{found}_") } else { found }
}

/// The variants of an enum, in the order of the values.
pub(super) fn variants(values: &[String]) -> Vec<String> {
    let mut taken = BTreeSet::from(["Other".to_owned()]);
    values.iter().map(|value| unique(&variant(value), "", &mut taken)).collect()
}

/// Signs that are a value by themselves, or make one another.
const SIGNS: [(char, &str); 20] = [
    ('!', "Not"),
    ('"', "Quote"),
    ('#', "Hash"),
    ('$', "Dollar"),
    ('%', "Percent"),
    ('&', "And"),
    ('*', "Star"),
    ('+', "Plus"),
    (',', "Comma"),
    ('-', "Minus"),
    ('.', "Dot"),
    ('/', "Slash"),
    (':', "Colon"),
    ('<', "Less"),
    ('=', "Equal"),
    ('>', "Greater"),
    ('?', "Question"),
    ('@', "At"),
    ('^', "Caret"),
    ('~', "Tilde"),
];

/// `digital signature` → `DigitalSignature`, `=~` → `EqualTilde`, `443/TCP` → `Value443TCP`, nothing → `Empty`.
fn variant(value: &str) -> String {
    let name = pascal(value);
    let name = if name.is_empty() {
        let sign = |c: char| SIGNS.iter().find(|(sign, _)| *sign == c).map_or("Sign", |(_, word)| word);
        value.chars().filter(|c| !c.is_whitespace()).map(sign).collect()
    } else if let Some(word) = ["+", "-"].iter().find(|sign| value.starts_with(*sign)) {
        // What is otherwise the same differs by its sign.
        format!("{}{name}", if *word == "+" { "Plus" } else { "Minus" })
    } else {
        name
    };
    match name.chars().next() {
        None if value.is_empty() => "Empty".to_owned(),
        None => "Blank".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("Value{name}"),
        _ if name == "Self" => "Self_".to_owned(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variants_of(values: &[&str]) -> Vec<String> {
        variants(&values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn every_value_has_a_variant_of_its_own() {
        assert_eq!(
            variants_of(&[
                "", "!=", "*", "443/TCP", "=", "=~", "Other", "TCP", "self", "tcp", "tCP", "-a", "a", "é", " "
            ]),
            [
                "Empty",
                "NotEqual",
                "Star",
                "Value443TCP",
                "Equal",
                "EqualTilde",
                "Other2",
                "TCP",
                "Self_",
                "Tcp",
                "TCP2",
                "MinusA",
                "A",
                "Sign",
                "Blank"
            ]
        );
        assert_eq!(
            variants_of(&["digital signature", "s/mime", "DoNotSchedule"]),
            ["DigitalSignature", "SMime", "DoNotSchedule"]
        );
    }

    #[test]
    fn every_property_has_a_field_of_its_own() {
        let names = ["$ref", "1st", "a-b", "aB", "a_B", "default", "dns.names", "type", "é", "-", "clusterIPs", "Self"];
        assert_eq!(
            fields(names.into_iter(), false),
            [
                "ref_",
                "field_1st",
                "a_b",
                "a_b_2",
                "a_b_3",
                "default_",
                "dns_names",
                "type_",
                "field",
                "field_2",
                "cluster_ips",
                "self_"
            ]
        );
        assert_eq!(fields(["labels", "new", "spec"].into_iter(), true), ["labels_", "new_", "spec"]);
    }

    #[test]
    fn kinds_and_groups_are_called_as_they_are_where_rust_lets_them() {
        assert_eq!(
            ["Certificate", "widget", "my-Kind", "Option", "Cluster"].map(kind),
            ["Certificate", "Widget", "MyKind", "OptionObject", "Cluster"]
        );
        assert_eq!(
            ["cert-manager.io", "3scale.net", "type.example.com"].map(|name| group(name, false)),
            ["cert_manager", "group_3scale", "type_"]
        );
        assert_eq!(group("networking.istio.io", true), "networking_istio_io");
    }

    #[test]
    fn one_item_is_called_in_the_singular() {
        for (word, one) in [
            ("rules", "rule"),
            ("policies", "policy"),
            ("matches", "match"),
            ("addresses", "address"),
            ("status", "status"),
            ("class", "class"),
            ("dns", "dns"),
            ("s", "s"),
            ("prefixes", "prefix"),
            ("analysis", "analysis"),
            ("data", "data"),
        ] {
            assert_eq!(singular(word), one, "{word}");
        }
    }
}
