#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| k8s_client_pods::fuzzing::archive(input));
