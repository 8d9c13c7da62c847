//! What goes on after the answer: streams of containers, on the control plane's nodes.
//!
//! Each test runs on both nodes, because kube-apiserver reaches their kubelets in different ways.

mod copy;
mod exec;
mod log_outages;
mod logs;
mod node_faults;
mod nodes;
mod port_forward;
mod proxy;
mod volume;
