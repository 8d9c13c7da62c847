//! Lists of media types as keys of stored `content` maps: `json,yaml,text/plain`.

/// The tree nearly all media types of Kubernetes belong to; a short name belongs to it.
const TREE: &str = "application/";

/// Joins media types into a key. The error is a media type that [`expand`] would not give back.
pub(super) fn join<'a>(types: impl IntoIterator<Item = &'a str>) -> Result<String, &'a str> {
    let mut key = String::new();
    for media_type in types {
        let short = media_type.strip_prefix(TREE).unwrap_or(media_type);
        if expand(short).as_slice() != [media_type] {
            return Err(media_type);
        }
        if !key.is_empty() {
            key.push(',');
        }
        key.push_str(short);
    }
    Ok(key)
}

/// Gives back the media types of a key.
pub(super) fn expand(key: &str) -> Vec<String> {
    let full = |short: &str| if short.contains('/') { short.to_owned() } else { format!("{TREE}{short}") };
    key.split(',').map(full).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_joined_key_expands_to_the_same_types() {
        let types = ["*/*", "application/json", "application/json;stream=watch", "text/plain"];
        let key = join(types).unwrap();
        assert_eq!(key, "*/*,json,json;stream=watch,text/plain");
        assert_eq!(expand(&key), types);
    }

    #[test]
    fn a_type_that_would_not_come_back_is_refused() {
        assert_eq!(join(["application/json", "a/b;c=\"d,e\""]), Err("a/b;c=\"d,e\""));
        assert_eq!(join(["plain"]), Err("plain"));
    }
}
