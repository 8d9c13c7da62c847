//! The programs of a control plane: their flags, their processes and their logs.
//!
//! The flags are those that make a control plane quick to start and whole: every API version, every feature, every
//! controller, and nothing that waits for a disk or for other machines.

use std::{
    fs::{self, File},
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use crate::{Error, credentials::Credentials, janitor::Janitor};

pub(crate) const ETCD: &str = "etcd";
pub(crate) const KUBE_APISERVER: &str = "kube-apiserver";
pub(crate) const KUBE_CONTROLLER_MANAGER: &str = "kube-controller-manager";
pub(crate) const TEST_NODE: &str = "test-node";

/// One component's flags, made for the Kubernetes that `tests/control-plane` builds, and its etcd.
pub(crate) type Flags = Vec<String>;

/// etcd on sockets in the folder, which need no free port. Its data is thrown away in the end,
/// so it never waits for the disk.
pub(crate) fn etcd_flags(folder: &Path) -> Flags {
    let peer = format!("unix://{}", folder.join("etcd-peer.sock").display());
    let client = etcd_address(folder);
    vec![
        "--name=etcd".to_owned(),
        format!("--data-dir={}", folder.join("etcd").display()),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=etcd={peer}"),
        "--unsafe-no-fsync=true".to_owned(),
    ]
}

/// kube-apiserver on a port of the loopback address, with every API group and version it has.
///
/// With `nodes` it reaches kubelets, and all else, by the socket of [`test_node_flags`]. It checks no kubelet's
/// certificate, because tests have kubelets of their own too.
pub(crate) fn kube_apiserver_flags(folder: &Path, credentials: &Credentials, port: u16, nodes: bool) -> Flags {
    let mut flags = vec![
        format!("--etcd-servers={}", etcd_address(folder)),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={port}"),
        // Without these it looks for an address that is not the loopback one, which a container
        // without a network lacks, and announces it in the endpoints of the Service `kubernetes`.
        "--advertise-address=127.0.0.1".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        // Enough for the services of ten thousand tests.
        "--service-cluster-ip-range=10.0.0.0/16".to_owned(),
        format!("--tls-cert-file={}", credentials.serving.display()),
        format!("--tls-private-key-file={}", credentials.serving_key.display()),
        format!("--cert-dir={}", folder.display()),
        format!("--client-ca-file={}", credentials.ca.display()),
        format!("--token-auth-file={}", credentials.tokens.display()),
        "--authorization-mode=RBAC".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={}", credentials.service_account_public_key.display()),
        format!("--service-account-signing-key-file={}", credentials.service_account_key.display()),
        "--allow-privileged=true".to_owned(),
        "--runtime-config=api/all=true".to_owned(),
        // The exception makes every write wait, twice as long in all, until each resource's storage
        // version is recorded; the API it belongs to is served all the same.
        "--feature-gates=AllAlpha=true,AllBeta=true,StorageVersionAPI=false".to_owned(),
    ];
    if nodes {
        flags.extend([
            format!("--kubelet-client-certificate={}", credentials.kubelet_client.display()),
            format!("--kubelet-client-key={}", credentials.kubelet_client_key.display()),
            "--kubelet-preferred-address-types=InternalIP".to_owned(),
            format!("--egress-selector-config-file={}", egress_selector(folder).display()),
        ]);
    }
    flags
}

/// Switches off the admission plugins that add something to the objects of others: tolerations, priorities and tokens
/// of pods, taints of nodes, finalizers of volumes, default classes.
pub(crate) fn without_additions() -> String {
    let plugins = [
        "DefaultIngressClass",
        "DefaultStorageClass",
        "DefaultTolerationSeconds",
        "PodTopologyLabels",
        "Priority",
        "ServiceAccount",
        "StorageObjectInUseProtection",
        "TaintNodesByCondition",
    ];
    format!("--disable-admission-plugins={}", plugins.join(","))
}

/// Two nodes whose pods run as processes of this machine.
pub(crate) fn test_node_flags(folder: &Path, credentials: &Credentials, kubeconfig: &Path) -> Flags {
    vec![
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--root-dir={}", folder.join("nodes").display()),
        format!("--client-ca-file={}", credentials.ca.display()),
        format!("--tls-cert-file={}", credentials.kubelet.display()),
        format!("--tls-private-key-file={}", credentials.kubelet_key.display()),
        format!("--egress-socket={}", egress_socket(folder).display()),
        format!("--control-socket={}", control_socket(folder).display()),
    ]
}

/// Where faults of the nodes are asked for.
pub(crate) fn control_socket(folder: &Path) -> PathBuf {
    folder.join("nodes.sock")
}

/// kube-apiserver's way to nodes and pods.
fn egress_socket(folder: &Path) -> PathBuf {
    folder.join("egress.sock")
}

fn egress_selector(folder: &Path) -> PathBuf {
    folder.join("egress-selector.yaml")
}

/// Tells kube-apiserver which way it is to take to nodes and pods.
#[expect(clippy::unnecessary_debug_formatting, reason = "it quotes and escapes a path as YAML does")]
pub(crate) fn write_egress_selector(folder: &Path) -> Result<(), Error> {
    let text = format!(
        "\
apiVersion: apiserver.k8s.io/v1beta1
kind: EgressSelectorConfiguration
egressSelections:
- name: cluster
  connection:
    proxyProtocol: HTTPConnect
    transport: {{ uds: {{ udsName: {:?} }} }}
",
        egress_socket(folder)
    );
    let path = egress_selector(folder);
    fs::write(&path, text).map_err(Error::on(format_args!("write {}", path.display())))
}

/// kube-controller-manager with every controller, and no port of its own.
pub(crate) fn kube_controller_manager_flags(credentials: &Credentials, kubeconfig: &Path) -> Flags {
    vec![
        format!("--kubeconfig={}", kubeconfig.display()),
        "--secure-port=0".to_owned(),
        "--leader-elect=false".to_owned(),
        "--controllers=*".to_owned(),
        // It throttles itself otherwise, to the point of taking seconds longer to start.
        "--kube-api-qps=1000".to_owned(),
        "--kube-api-burst=1000".to_owned(),
        format!("--root-ca-file={}", credentials.ca.display()),
        format!("--service-account-private-key-file={}", credentials.service_account_key.display()),
        format!("--cluster-signing-cert-file={}", credentials.ca.display()),
        format!("--cluster-signing-key-file={}", credentials.ca_key.display()),
        "--feature-gates=AllAlpha=true,AllBeta=true".to_owned(),
    ]
}

fn etcd_address(folder: &Path) -> String {
    format!("unix://{}", folder.join("etcd.sock").display())
}

/// A running program.
#[derive(Debug)]
pub(crate) struct Component {
    name: &'static str,
    process: Child,
    log: PathBuf,
}

impl Component {
    /// Starts the program `name` of the folder `assets` in `folder`, where its log is written.
    pub(crate) fn start(
        name: &'static str,
        flags: &Flags,
        assets: &Path,
        folder: &Path,
        janitor: &mut Janitor,
    ) -> Result<Self, Error> {
        let program = assets.join(name);
        let log = folder.join(format!("{name}.log"));
        let spawn = || -> io::Result<Child> {
            let output = File::create(&log)?;
            Command::new(&program)
                .args(flags)
                .current_dir(folder)
                .stdin(Stdio::null())
                .stdout(output.try_clone()?)
                .stderr(output)
                // The terminal's Ctrl-C is for this process; the janitor takes it from there.
                .process_group(0)
                .spawn()
        };
        let process = spawn().map_err(Error::on(format_args!("start {}", program.display())))?;
        let mut component = Self { name, process, log };
        if let Err(error) = janitor.watch(component.process.id()) {
            component.kill();
            return Err(Error::new(format!("hand {name} to the janitor that is to end it: {error}")));
        }
        Ok(component)
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Its exit status, once it has ended.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        // `try_wait` fails only for a process that is not our child.
        self.process.try_wait().ok().flatten()
    }

    /// An error of `what_happened` and the end of the log.
    pub(crate) fn error(&self, what_happened: impl std::fmt::Display) -> Error {
        let (name, log) = (self.name, self.log.display());
        let tail = tail(&self.read_log());
        Error::new(format!("{name} {what_happened}; the end of {log}:\n  {tail}"))
    }

    /// Whether it could not listen on its port, because another process was quicker.
    pub(crate) fn lost_its_port(&self) -> bool {
        self.read_log().contains("address already in use")
    }

    /// Kills it, at once and without a chance to write: what it has written is about to be removed.
    pub(crate) fn kill(&mut self) {
        // Both fail only when it has ended and been waited for, which is what they are for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    fn read_log(&self) -> String {
        match fs::read(&self.log) {
            Ok(log) => String::from_utf8_lossy(&log).into_owned(),
            Err(error) => format!("(cannot be read: {error})"),
        }
    }
}

/// The last lines of a log, all but the first indented.
fn tail(log: &str) -> String {
    const LINES: usize = 20;
    let lines: Vec<_> = log.lines().collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    last.join("\n  ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tail_of_a_log_is_its_last_twenty_lines() {
        let lines: Vec<_> = (1..=30).map(|line| format!("line {line}")).collect();
        let tail = super::tail(&lines.join("\n"));
        assert!(tail.starts_with("line 11\n  line 12\n"), "{tail}");
        assert!(tail.ends_with("\n  line 30"), "{tail}");
        assert_eq!(super::tail(""), "");
    }
}
