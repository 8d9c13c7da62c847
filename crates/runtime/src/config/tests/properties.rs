//! No text makes the loader panic or hang.

use proptest::prelude::*;

use super::*;

/// Pieces of kubeconfigs and of what YAML can do.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "current-context: x\n",
        "clusters:\n",
        "users:\n",
        "contexts:\n",
        "- name: x\n",
        "- name: 'x'\n",
        "  cluster:\n",
        "  user:\n",
        "  context:\n",
        "    server: https://h\n",
        "    server: 'h:1'\n",
        "    token: secret\n",
        "    cluster: x\n",
        "    user: x\n",
        "    exec: {command: x, apiVersion: client.authentication.k8s.io/v1}\n",
        "    proxy-url: 'http://u:secret@p'\n",
        "    auth-provider: {name: oidc}\n",
        "    as-groups: [a]\n",
        "    client-key-data: secret\n",
        "    extensions: [{name: y}]\n",
        "&a ",
        "*a",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "|\n",
        ">-\n",
        "? ",
        ": ",
        "- ",
        "\n",
        " ",
        "\t",
        "#",
        "---\n",
        "...\n",
        "!!str ",
        "<<: *a\n",
        "null",
        "~",
        "1e999",
        "0x",
        "%YAML 1.2\n",
        "\u{feff}",
        "\0",
        "\u{2028}",
    ]);
    prop::collection::vec(piece, 0..25).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_a_configuration_or_an_error(text in any::<String>()) {
        let _ = Config::from_kubeconfig_text(&text);
    }

    #[test]
    fn any_mixture_of_pieces_is_a_configuration_or_an_error(text in pieces()) {
        let _ = Config::from_kubeconfig_text(&text);
    }

    #[test]
    fn a_kubeconfig_with_a_part_replaced_is_a_configuration_or_an_error(
        start in 0..COMPLETE.len(), length in 0..40_usize, piece in pieces(),
    ) {
        let end = (start + length).min(COMPLETE.len());
        let _ = Config::from_kubeconfig_text(&format!("{}{piece}{}", &COMPLETE[..start], &COMPLETE[end..]));
    }

    #[test]
    fn any_time_limit_is_read_or_refused(text in "[-+]?[0-9.]{0,25}(ns|us|µs|ms|s|m|h|d)?[0-9.]{0,3}(s|m)?") {
        let _ = kubeconfig::duration::parse_timeout(&text);
    }
}

#[test]
fn aliases_that_multiply_are_refused_soon() {
    let levels = (1..12).map(|level| {
        let below = format!("*a{}, ", level - 1).repeat(10);
        format!("a{level}: &a{level} [{below}]\n")
    });
    let first = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    let text = format!("{first}{}clusters: *a11\n", levels.collect::<String>());
    assert!(refused(&text).contains("cannot be read as YAML"));
}
