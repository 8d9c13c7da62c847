#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| k8s_client_runtime::fuzzing::websocket_frames(input));
