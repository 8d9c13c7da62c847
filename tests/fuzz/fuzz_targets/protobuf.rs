#![no_main]

use k8s_client_api_core::v1::kinds::Pod;
use k8s_client_runtime::codec::Codec as _;

// A pod is read or refused, whatever the bytes; what was read is written so that it is read as the same again.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let Ok(pod) = Pod::decode_protobuf(input) {
        let written = Pod::encode_protobuf(&pod).expect("what was read can be written");
        assert_eq!(Pod::decode_protobuf(&written).expect("what was written can be read"), pod);
    }
});
