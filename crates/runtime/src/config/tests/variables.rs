//! client-go's environment variables for HTTP/2.

use super::*;

#[test]
fn variables_for_http2_hold_in_every_constructor() {
    let folder = TempDir::new().unwrap();
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    for (idle, ping, off, expected_idle, expected_ping, expected_off) in [
        ("", "", "", seconds(30), 15, false),
        ("7", "3", "", seconds(7), 3, false),
        ("0", "0", "false", None, 15, true),
        ("soon", "-1", "1", seconds(30), 15, true),
        ("1.5", "99999999999", "", seconds(30), 15, false),
    ] {
        let mut pod = pods::pod(&folder, "h", None);
        let mut home = outside(folder.path(), Some(write(&folder, "config", COMPLETE).into()));
        for environment in [&mut pod, &mut home] {
            environment.set("HTTP2_READ_IDLE_TIMEOUT_SECONDS", idle.into());
            environment.set("HTTP2_PING_TIMEOUT_SECONDS", ping.into());
            environment.set("DISABLE_HTTP2", off.into());
        }
        for config in [
            Config::loader().load_from(&pod).unwrap(),
            Config::loader().load_from(&home).unwrap(),
            Config::at(Uri::from_static("http://h"), &pod),
        ] {
            assert_eq!(config.http2_ping_interval, expected_idle, "{idle:?}");
            assert_eq!(config.http2_ping_timeout, Duration::from_secs(expected_ping), "{ping:?}");
            assert_eq!(config.disable_http2, expected_off, "{off:?}");
        }
    }
}
