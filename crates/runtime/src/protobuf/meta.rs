//! The messages that the runtime itself needs: those of lists and of failures.

use k8s_openapi::apimachinery::pkg::apis::meta::v1 as api;

use super::types::{Int32, Int64, Text};
use crate::message;

message! {
    pub ListMeta of api::ListMeta {
        1 self_link: one_unless_zero Text,
        2 resource_version: one_unless_zero Text,
        3 continue_: one_unless_zero Text,
        4 remaining_item_count: one Int64,
    }
    if k8s_if_ge_1_36 {
        5 shard_info: one ShardInfo,
    }
}

k8s_openapi::k8s_if_ge_1_36! {
    message! {
        pub ShardInfo of api::ShardInfo {
            1 selector: one Text,
        }
    }
}

message! {
    pub Status of api::Status {
        1 metadata: one ListMeta,
        2 status: one_unless_zero Text,
        3 message: one_unless_zero Text,
        4 reason: one_unless_zero Text,
        5 details: one StatusDetails,
        6 code: one_unless_zero Int32,
    }
}

message! {
    pub StatusDetails of api::StatusDetails {
        1 name: one_unless_zero Text,
        2 group: one_unless_zero Text,
        3 kind: one_unless_zero Text,
        4 causes: many StatusCause,
        5 retry_after_seconds: one_unless_zero Int32,
        6 uid: one_unless_zero Text,
    }
}

message! {
    pub StatusCause of api::StatusCause {
        1 reason: one_unless_zero Text,
        2 message: one_unless_zero Text,
        3 field: one_unless_zero Text,
    }
}
